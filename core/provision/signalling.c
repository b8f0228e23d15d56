/* SPDX-License-Identifier: MIT */
/*
 * One datagram's way: signalling_receive -> a response is matched or dropped; a request is a copy
 * (answered from its transaction), refused (request_check, subscribe_check), or decided by the
 * notifier, at once or when its sender's hardware address is known.
 *
 * Only a SUBSCRIBE that is waiting or was served has a transaction. Everything else is answered
 * without state: its octets are a function of the request (RFC 3261 8.2.7), so a copy gets the same
 * ones, and a flood of refused requests costs no memory (security.md B16).
 */
#include "core/provision/canary.h"
#include "core/provision/signalling_state.h"
#include "core/sip/authorization.h"

#include <errno.h>
#include <stdlib.h>

enum {
	/* Memory that tables may use, for each entry that they may hold; a few may be larger. */
	notify_bytes_per_transaction = 1024,
	waiting_bytes_per_request = 2048,
	bytes_at_least = 4 * 65536,
	effects_per_timer = 6, /* two messages, two changes, two reports */
};

static struct signalling_counter *find_counter(struct signalling *s, const char *reason)
{
	/* Constant words: the same one has the same place, unless it stands in two object files. */
	for (size_t i = 0; i < s->counter_count; i++) {
		if (s->counters[i].reason == reason) {
			return &s->counters[i];
		}
	}
	for (size_t i = 0; i < s->counter_count; i++) {
		if (strcmp(s->counters[i].reason, reason) == 0) {
			return &s->counters[i];
		}
	}
	return NULL;
}

void signalling_count(struct signalling *s, const char *reason)
{
	struct signalling_counter *counter = find_counter(s, reason);

	if (counter) {
		counter->count++;
	} else if (s->counter_count < signalling_counters_max) {
		s->counters[s->counter_count++] = (struct signalling_counter){reason, 1};
	}
}

const struct signalling_counter *signalling_counter(const struct signalling *s, size_t i)
{
	return i < s->counter_count ? &s->counters[i] : NULL;
}

static size_t bytes_for(size_t count_max, size_t each)
{
	size_t bytes = count_max > SIZE_MAX / each ? SIZE_MAX : count_max * each;

	return bytes < bytes_at_least ? bytes_at_least : bytes;
}

static void count_of_resync(void *counting, const char *reason)
{
	signalling_count(counting, reason);
}

static int open_resync(struct signalling *s)
{
	struct resync_options options = {.inventory = s->options.inventory,
					 .limits = s->options.resync,
					 .port = s->options.port,
					 .local_for = s->options.local_for,
					 .server_for = s->options.server_for,
					 .context = s->options.context,
					 .count = count_of_resync,
					 .counting = s};

	return resync_new(&s->resync, &options, &s->random);
}

int signalling_new(struct signalling **signalling, const struct signalling_options *options)
{
	struct signalling *s = calloc(1, sizeof(*s));
	struct server_transactions_options servers = {options->server_transactions_max};
	struct client_transactions_options clients = {
		options->client_transactions_max,
		bytes_for(options->client_transactions_max, notify_bytes_per_transaction),
	};
	struct attempts_options attempts = {
		options->client_transactions_max,
		bytes_for(options->client_transactions_max, notify_bytes_per_transaction),
		options->other_form_ms,
	};
	struct waiting_options waiting = {
		options->waiting_max,
		bytes_for(options->waiting_max, waiting_bytes_per_request),
	};

	if (!s) {
		return -ENOMEM;
	}
	s->options = *options;
	random_init(&s->random, options->seed);
	rate_limit_init(&s->rate, options->requests_per_second, options->requests_burst,
			&s->random);
	if (server_transactions_new(&s->servers, &servers, &s->random) ||
	    client_transactions_new(&s->clients, &clients, &s->random) ||
	    attempts_new(&s->attempts, &attempts, &s->random) ||
	    waiting_new(&s->waiting, &waiting, &s->random) || open_resync(s)) {
		signalling_free(s);
		return -ENOMEM;
	}
	*signalling = s;
	return 0;
}

void signalling_free(struct signalling *s)
{
	if (!s) {
		return;
	}
	server_transactions_free(s->servers);
	client_transactions_free(s->clients);
	attempts_free(s->attempts);
	waiting_table_free(s->waiting);
	resync_free(s->resync);
	free(s);
}

struct endpoint signalling_local(const struct signalling *s, const struct packet *packet)
{
	return (struct endpoint){.address = packet->local, .port = s->options.port};
}

/* Sends an answer that has no transaction, to where the request came from (contract.md, Wire). */
static void send_answer(const struct turn *t, const struct writer *w)
{
	if (w->failed) {
		signalling_count(t->s, "answer_too_large");
		return;
	}
	if (effects_send(t->effects, signalling_local(t->s, t->packet), t->packet->source,
			 t->packet->interface, writer_span(w)) != 0) {
		signalling_count(t->s, "effects_full");
	}
}

void signalling_refuse(const struct turn *t, const struct refusal *refusal)
{
	struct signalling *s = t->s;
	struct writer w = writer_over(s->answer, sizeof(s->answer));
	char tag[server_tag_size];

	signalling_count(s, refusal->counter);
	if (t->packet->is_multicast || refusal->status == 0) {
		return;
	}
	server_tag_of(s->servers, &t->key, tag);
	refusal_write(&w, t->request, refusal, span_text(tag), t->packet->source,
		      s->options.server_header);
	send_answer(t, &w);
}

int signalling_no_room(struct signalling *s, int error, const char *reason)
{
	signalling_count(s, error == -ENOMEM ? "out_of_memory" : reason);
	return error == -ENOMEM ? -ENOMEM : 0;
}

/* The sender's hardware address is to be looked up; the transaction is in Trying meanwhile. */
static int wait_for_neighbour(const struct turn *t)
{
	bool is_first = false;
	int error = server_transactions_begin(t->s->servers, &t->key, t->now_ms);

	if (error) {
		return signalling_no_room(t->s, error, "server_transactions_full");
	}
	error = waiting_add(t->s->waiting, t->packet, &t->key, t->now_ms, &is_first);
	if (error) {
		server_transactions_end(t->s->servers, &t->key);
		return signalling_no_room(t->s, error, "waiting_full");
	}
	signalling_count(t->s, "resolving");
	if (is_first) {
		effects_resolve(t->effects, t->packet->source.address, t->packet->interface);
	}
	return 0;
}

/*
 * Decides about a SUBSCRIBE. Unless it waits or was served it has no transaction afterwards, and
 * the next copy is looked at afresh.
 */
static int decide(const struct turn *t, const struct subscribe *subscribe,
		  const struct link_evidence *link)
{
	struct signalling *s = t->s;

	notifier_decide(&s->options,
			&(struct notifier_question){t->request, subscribe, t->packet, link},
			&s->decision, t->effects);
	switch (s->decision.verdict) {
	case NOTIFIER_RESOLVE:
		return wait_for_neighbour(t);
	case NOTIFIER_SERVE:
		resync_returned(s->resync, s->decision.mac, t->effects);
		return notify_start(t, subscribe);
	case NOTIFIER_REFUSE:
		notifier_record(&s->options, t->packet, &s->decision, t->effects);
		signalling_refuse(t, &s->decision.refusal);
		break;
	}
	return 0;
}

/*
 * Nothing asks for credentials yet: what a phone shows is read and counted, and not judged
 * (R-DIGEST-13), also when it is malformed (R-3261-20).
 */
static void pass_credentials_over(const struct turn *t)
{
	const struct sip_row *row = NULL;

	while ((row = sip_message_next_row(t->request, SIP_HEADER_AUTHORIZATION, row))) {
		struct sip_authorization authorization;
		int error = sip_authorization_parse(row->value, &authorization);

		signalling_count(t->s, error ? "credentials_malformed" : "credentials_ignored");
	}
}

static int receive_subscribe(const struct turn *t)
{
	struct subscribe subscribe;
	struct refusal refusal = subscribe_check(t->request, t->packet->source.address, &subscribe);
	struct link_evidence link = {.is_known = t->packet->has_link_source,
				     .mac = t->packet->link_source,
				     .by = t->packet->has_link_source ? IDENTIFIED_BY_FRAME
								      : IDENTIFIED_BY_NOTHING,
				     .is_pending = !t->packet->has_link_source};

	if (canary_is_one(t->request)) {
		signalling_count(t->s, "canary"); /* another Bellhop's: silence, and no new phone */
		return 0;
	}
	if (refusal.status) {
		signalling_refuse(t, &refusal);
		return 0;
	}
	pass_credentials_over(t);
	return decide(t, &subscribe, &link);
}

/* Step 9. This machine itself has no limit: who is here needs no datagrams to be heavy. */
static bool is_rate_limited(const struct turn *t)
{
	struct address source = t->packet->source.address;

	return !address_is_loopback(source) && !rate_limit_take(&t->s->rate, source, t->now_ms);
}

/* OPTIONS and CANCEL have no state of their own, and nothing to say to a group. */
static void answer_plainly(const struct turn *t, enum server_match match)
{
	struct signalling *s = t->s;
	struct writer w = writer_over(s->answer, sizeof(s->answer));
	bool is_cancel = t->request->method == SIP_METHOD_CANCEL;
	bool is_found = match != SERVER_NEW && match != SERVER_MERGED;
	char tag[server_tag_size];

	if (is_cancel && !is_found) {
		signalling_refuse(t,
				  &(struct refusal){.status = 481, .counter = "cancel_unmatched"});
		return;
	}
	signalling_count(s, is_cancel ? "cancel" : "options");
	if (!is_cancel && t->packet->is_multicast) {
		return;
	}
	server_tag_of(s->servers, &t->key, tag);
	if (is_cancel) {
		plain_answer_write(&w, t->request, span_text(tag), t->packet->source,
				   s->options.server_header);
	} else {
		options_answer_write(&w, t->request, span_text(tag), t->packet->source,
				     s->options.server_header);
	}
	send_answer(t, &w);
}

/*
 * The octets of the 200 are a function of the request and of `kept`. They are written into
 * s->answer again; false when the request is one that would not be answered so.
 */
static bool write_again(const struct turn *t, const struct server_answer *kept, struct writer *w)
{
	struct subscribe subscribe;
	char tag[server_tag_size];
	struct notify_message m = {.form = (enum notify_form)kept->form,
				   .request = t->request,
				   .subscribe = &subscribe,
				   .source = kept->to,
				   .local = kept->from,
				   .server_header = t->s->options.server_header,
				   .answer_length_min = kept->length_min};

	if (subscribe_check(t->request, kept->to.address, &subscribe).status != 0) {
		return false;
	}
	server_tag_of(t->s->servers, &t->key, tag);
	m.to_tag = span_text(tag);
	notify_message_write_answer(w, &m);
	return !w->failed;
}

/*
 * Step 7. A datagram that was seen on another interface before has had its answer (R-MCAST-6). What
 * is not the request that was answered gets nothing: its 200 would have no NOTIFY.
 */
static void receive_copy(const struct turn *t, enum server_match match,
			 const struct server_answer *kept)
{
	struct signalling *s = t->s;
	struct writer w = writer_over(s->answer, sizeof(s->answer));

	if (kept->interface != t->packet->interface ||
	    !endpoint_equal(kept->to, t->packet->source)) {
		signalling_count(s, "copy_by_another_way");
		return;
	}
	if (match == SERVER_ALTERED || t->request->to.has_tag || !write_again(t, kept, &w)) {
		signalling_count(s, "copy_altered");
		return;
	}
	signalling_count(s, "copy_answered");
	if (effects_send(t->effects, kept->from, kept->to, kept->interface, writer_span(&w))) {
		signalling_count(s, "effects_full");
	}
}

/* A well-formed request: steps 7 to 22. */
static int receive_request(struct turn *t)
{
	struct signalling *s = t->s;
	struct request_hosts hosts = {.local = t->packet->local,
				      .target = t->packet->target.address,
				      .group = s->options.group.address};
	struct server_answer answer;
	enum server_match match;
	struct refusal refusal;

	if (t->request->method == SIP_METHOD_ACK || t->request->method == SIP_METHOD_NOTIFY) {
		/* A NOTIFY here is a stray: one of ours come back, or another server's. */
		signalling_count(s, t->request->method == SIP_METHOD_ACK ? "ack" : "stray_notify");
		return 0;
	}
	match = server_transactions_match(s->servers, &t->key, t->request->to.has_tag, &answer);
	if (t->request->method != SIP_METHOD_CANCEL &&
	    (match == SERVER_ANSWERED || match == SERVER_ALTERED)) {
		receive_copy(t, match, &answer);
		return 0;
	}
	if (t->request->method != SIP_METHOD_CANCEL && match == SERVER_TRYING) {
		signalling_count(s, "copy_absorbed");
		return 0;
	}
	if (is_rate_limited(t)) {
		signalling_count(s, "rate_limited");
		return 0;
	}
	if (t->request->method == SIP_METHOD_CANCEL) {
		answer_plainly(t, match);
		return 0;
	}
	refusal = request_check(t->request, &hosts, match == SERVER_MERGED);
	if (refusal.status) {
		signalling_refuse(t, &refusal);
		return 0;
	}
	if (t->request->method == SIP_METHOD_OPTIONS) {
		answer_plainly(t, match);
		return 0;
	}
	return receive_subscribe(t);
}

/* Steps 3 to 6: a fault is named to whoever can be told. */
static void receive_malformed(struct turn *t)
{
	struct signalling *s = t->s;
	struct refusal refusal = {.status = t->request->fault_status,
				  .counter = "malformed",
				  .phrase = t->request->fault};

	if (refusal.status == 505) {
		refusal.counter = "version";
		refusal.phrase = NULL;
	} else if (refusal.status == 501) {
		refusal.counter = "method_unknown";
		refusal.phrase = NULL;
	} else if (!(t->request->readable & SIP_PART_START)) {
		refusal.counter = "malformed_start_line";
	} else if (!(t->request->readable & SIP_PART_VIA)) {
		refusal.counter = "bad_via";
	}
	if (is_rate_limited(t)) {
		signalling_count(s, "rate_limited");
	} else if (sip_message_is_answerable(t->request)) {
		signalling_refuse(t, &refusal);
	} else {
		signalling_count(s, refusal.counter);
	}
}

/* Nobody whom an answer could reach, or ourselves (CVE-2024-2169). */
static const char *bad_source(const struct signalling *s, const struct packet *packet)
{
	struct address source = packet->source.address;

	if (packet->source.port == 0 || address_is_any(source) || address_is_multicast(source) ||
	    address_is_broadcast(source)) {
		return "bad_source";
	}
	return endpoint_equal(packet->source, signalling_local(s, packet)) ? "own_source" : NULL;
}

int signalling_receive(struct signalling *s, const struct packet *packet, uint64_t now_ms,
		       struct effects *effects)
{
	struct turn t = {.s = s,
			 .request = &s->message,
			 .packet = packet,
			 .now_ms = now_ms,
			 .effects = effects};
	const char *reason = bad_source(s, packet);
	int parsed;

	if (reason) {
		signalling_count(s, reason);
		return 0;
	}
	parsed = sip_message_parse_parts(&s->message, packet->bytes,
					 SIP_PART_VIA | SIP_PART_CALL_ID | SIP_PART_CSEQ);
	if (parsed == -ENOMSG) {
		signalling_count(s, "not_sip");
		return 0;
	}
	if (!s->message.is_request) {
		if (resync_receive(s->resync, &s->message, now_ms, effects)) {
			return 0;
		}
		notify_outcome_receive(s, parsed, packet, now_ms, effects);
		return 0;
	}
	if (parsed != 0) {
		t.key = server_key_of_datagram(s->servers, packet->bytes, packet->source.address);
		receive_malformed(&t);
		return 0;
	}
	t.key = server_key_of(s->servers, &s->message, packet->source.address,
			      SIP_METHOD_SUBSCRIBE);
	return receive_request(&t);
}

/* Looks again at a SUBSCRIBE that waited, with what is known now; frees it. */
static int resume(struct signalling *s, struct waiting *waiting, const struct link_evidence *link,
		  uint64_t now_ms, struct effects *effects)
{
	struct turn t = {.s = s,
			 .request = &s->message,
			 .packet = &waiting->packet,
			 .key = waiting->key,
			 .now_ms = now_ms,
			 .effects = effects};
	struct subscribe subscribe;
	struct server_answer answer;
	int error = 0;

	/* It passed both before; read again, because what was read pointed into the datagram. */
	if (sip_message_parse(&s->message, waiting->packet.bytes) == 0 &&
	    subscribe_check(&s->message, waiting->packet.source.address, &subscribe).status == 0) {
		error = decide(&t, &subscribe, link);
	}
	if (server_transactions_match(s->servers, &t.key, false, &answer) == SERVER_TRYING) {
		server_transactions_end(s->servers, &t.key); /* it was not served */
	}
	waiting_free(waiting);
	return error;
}

/*
 * Room for what one more timer may bring. What has none stays due, and signalling_next_wake says
 * so; a list that is empty has to do.
 */
static bool has_room(const struct effects *effects)
{
	return effects->count == 0 || effects->count + effects_per_timer <= effects->count_max;
}

void signalling_expire(struct signalling *s, uint64_t now_ms, struct effects *effects)
{
	const struct link_evidence nothing = {.by = IDENTIFIED_BY_NOTHING};
	struct waiting *waiting;
	const struct attempt *attempt;
	struct client_event event;

	while (has_room(effects) && (waiting = waiting_take_due(s->waiting, now_ms))) {
		signalling_count(s, "resolve_timeout");
		(void)resume(s, waiting, &nothing, now_ms, effects);
	}
	while (has_room(effects) && client_transactions_expire(s->clients, now_ms, &event)) {
		notify_outcome_expire(s, &event, effects);
	}
	while (has_room(effects) && (attempt = attempts_expire(s->attempts, now_ms))) {
		form_outcome_silent(s, attempt, now_ms, effects);
	}
	server_transactions_expire(s->servers, now_ms);
	resync_expire(s->resync, now_ms, effects);
}

uint64_t signalling_next_wake(const struct signalling *s)
{
	uint64_t wakes_ms[] = {server_transactions_next_wake(s->servers),
			       client_transactions_next_wake(s->clients),
			       attempts_next_wake(s->attempts), waiting_next_wake(s->waiting),
			       resync_next_wake(s->resync)};
	uint64_t wake_ms = UINT64_MAX;

	for (size_t i = 0; i < sizeof(wakes_ms) / sizeof(wakes_ms[0]); i++) {
		wake_ms = wakes_ms[i] < wake_ms ? wakes_ms[i] : wake_ms;
	}
	return wake_ms;
}

/* Resumes whoever waits for this address. */
static int resume_all(struct signalling *s, const struct notice *notice,
		      const struct link_evidence *link, uint64_t now_ms, struct effects *effects)
{
	struct waiting *waiting;
	int error = 0;

	while ((waiting = waiting_take(s->waiting, notice->endpoint.address, notice->interface))) {
		int failed = resume(s, waiting, link, now_ms, effects);

		error = error ? error : failed;
	}
	return error;
}

int signalling_change(struct signalling *s, const struct notice *notice, uint64_t now_ms,
		      struct effects *effects)
{
	struct link_evidence link = {.by = IDENTIFIED_BY_NOTHING};

	switch (notice->kind) {
	case NOTICE_NEIGHBOUR:
		link.is_known = true;
		link.mac = notice->mac;
		link.by = notice->by;
		return resume_all(s, notice, &link, now_ms, effects);
	case NOTICE_NO_NEIGHBOUR:
		return resume_all(s, notice, &link, now_ms, effects);
	case NOTICE_ROUTED:
		link.is_routed = true;
		return resume_all(s, notice, &link, now_ms, effects);
	case NOTICE_UNREACHABLE:
		notify_outcome_unreachable(s, notice->endpoint, effects);
		resync_unreachable(s->resync, notice->endpoint, effects);
		return 0;
	case NOTICE_FETCHED:
		if (client_transactions_stop_device(s->clients, notice->mac) > 0) {
			signalling_count(s, "notify_fetched");
		}
		form_outcome_fetched(s, notice->mac, effects);
		resync_fetched(s->resync, notice->mac, notice->is_essential, notice->age_ms, now_ms,
			       effects);
		return 0;
	case NOTICE_WITHDRAWN:
		if (client_transactions_stop_device(s->clients, notice->mac) > 0) {
			signalling_count(s, "notify_withdrawn");
		}
		resync_withdraw(s->resync, notice->mac, effects);
		(void)attempts_end(s->attempts, notice->mac);
		return 0;
	case NOTICE_WITHDRAWN_ALL:
		attempts_end_all(s->attempts);
		for (unsigned i = client_transactions_stop_all(s->clients); i > 0; i--) {
			signalling_count(s, "notify_withdrawn");
		}
		resync_withdraw_all(s->resync, effects);
		return 0;
	case NOTICE_CLAIMED:
		resync_claimed(s->resync, notice->mac);
		return 0;
	}
	return 0;
}

void signalling_order(struct signalling *s, struct resync_list *list, uint64_t now_ms)
{
	resync_order(s->resync, list, now_ms);
}

size_t signalling_order_count(const struct signalling *s)
{
	return resync_count(s->resync);
}
