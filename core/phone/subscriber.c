/* SPDX-License-Identifier: MIT */
#include "core/phone/subscriber.h"

#include "core/base/table.h"
#include "core/sip/write.h"

#include <errno.h>

enum { t1_ms = 500, t2_ms = 4000, key_size = 2048 };

static const struct span package = {"ua-profile", 10};
/* The account of a phone that has none yet. */
static const struct span own_user = {"00000001", 8};

static bool is_waiting(const struct subscriber *s)
{
	return s->state == SUBSCRIBER_TRYING || s->state == SUBSCRIBER_ANSWERED;
}

static void write_hex_id(struct random *random, const char *prefix, char id[subscriber_id_size])
{
	struct writer w = writer_over(id, subscriber_id_size);

	writer_text(&w, prefix);
	random_write_hex(random, &w, 16);
	writer_terminate(&w);
}

int subscriber_init(struct subscriber *subscriber, const struct subscriber_options *options,
		    struct random *random)
{
	if (!sip_is_visible(options->identity.model) || !sip_is_token(options->identity.version)) {
		return -EINVAL;
	}
	*subscriber = (struct subscriber){.options = *options, .send_ms = UINT64_MAX};
	random_bytes(random, subscriber->seed, sizeof(subscriber->seed));
	write_hex_id(random, "", subscriber->response_tag);
	return 0;
}

static void write_own_uri(struct writer *w, struct endpoint local)
{
	writer_text(w, "<sip:");
	writer_put(w, own_user);
	writer_char(w, '@');
	endpoint_write(w, local);
	writer_char(w, '>');
}

void subscriber_write_request(struct writer *w, const struct subscriber_options *options,
			      const struct subscriber_ids *ids)
{
	writer_text(w, "SUBSCRIBE sip:");
	endpoint_write(w, options->target);
	writer_text(w, " SIP/2.0\r\nFrom: ");
	write_own_uri(w, options->local);
	writer_text(w, ";tag=");
	writer_text(w, ids->tag);
	writer_text(w, "\r\nTo: <sip:");
	endpoint_write(w, options->target);
	writer_text(w, ">\r\nCall-ID: ");
	writer_text(w, ids->call_id);
	/* The print puts rport first, and no maddr: a departure from R-3261-87 that every phone
	 * makes. */
	writer_text(w, "\r\nCSeq: 1 SUBSCRIBE\r\nVia: SIP/2.0/UDP ");
	endpoint_write(w, options->local);
	writer_text(w, ";rport;branch=");
	writer_text(w, ids->branch);
	writer_text(w, "\r\nExpires: 0\r\nEvent: ua-profile;profile-type=\"application\";model=");
	sip_write_quoted(w, options->identity.model);
	writer_text(w, ";version=");
	sip_write_quoted(w, options->identity.version);
	writer_text(w, "\r\nMax-Forwards: 70\r\nSupported: replaces,100rel\r\n"
		       "Accept: application/url\r\nContact: ");
	write_own_uri(w, options->local);
	writer_text(w, "\r\nUser-Agent: AUDC-IPPhone/");
	writer_put(w, options->identity.version);
	writer_text(w, "\r\nContent-Length: 0\r\n\r\n");
}

static void send_request(struct subscriber *s, struct phone_effects *effects)
{
	s->sent_count++;
	effects_send(&effects->wire, s->options.local, s->options.target, s->options.interface,
		     span_make(s->request, s->request_length));
	phone_effects_add(effects, (struct phone_event){.kind = PHONE_EVENT_SUBSCRIBE_SENT,
							.peer = s->options.target,
							.attempt = s->sent_count});
}

static void fail(struct subscriber *s, const char *failure)
{
	s->state = SUBSCRIBER_FAILED;
	s->failure = failure;
	s->send_ms = UINT64_MAX;
}

void subscriber_start(struct subscriber *subscriber, struct random *random, uint64_t now_ms,
		      struct phone_effects *effects)
{
	struct writer w = writer_over(subscriber->request, sizeof(subscriber->request));

	write_hex_id(random, "", subscriber->ids.tag);
	write_hex_id(random, "", subscriber->ids.call_id);
	write_hex_id(random, "z9hG4bK-", subscriber->ids.branch);
	subscriber->state = SUBSCRIBER_TRYING;
	subscriber->failure = NULL;
	subscriber->status = 0;
	subscriber->url_length = 0;
	subscriber->sent_count = 0;
	subscriber->started_ms = now_ms;
	subscriber->interval_ms = t1_ms;
	subscriber->send_ms = now_ms + t1_ms;
	subscriber_write_request(&w, &subscriber->options, &subscriber->ids);
	if (w.failed) {
		fail(subscriber, "too_long");
		return;
	}
	subscriber->request_length = w.length;
	send_request(subscriber, effects);
}

static uint64_t deadline(const struct subscriber *s)
{
	return s->started_ms +
	       (s->state == SUBSCRIBER_TRYING ? subscriber_give_up_ms : subscriber_notify_wait_ms);
}

void subscriber_expire(struct subscriber *subscriber, uint64_t now_ms,
		       struct phone_effects *effects)
{
	if (!is_waiting(subscriber)) {
		return;
	}
	if (now_ms >= deadline(subscriber)) {
		fail(subscriber,
		     subscriber->state == SUBSCRIBER_TRYING ? "no_answer" : "no_notify");
		return;
	}
	if (now_ms >= subscriber->send_ms) {
		/* Timer E (R-3261-55): from when it was due, so that a late shell does not drift.
		 */
		subscriber->interval_ms *= 2;
		if (subscriber->interval_ms > t2_ms) {
			subscriber->interval_ms = t2_ms;
		}
		subscriber->send_ms += subscriber->interval_ms;
		if (subscriber->send_ms <= now_ms) {
			subscriber->send_ms = now_ms + subscriber->interval_ms;
		}
		send_request(subscriber, effects);
	}
}

uint64_t subscriber_next_wake(const struct subscriber *subscriber)
{
	uint64_t end;

	if (!is_waiting(subscriber)) {
		return UINT64_MAX;
	}
	end = deadline(subscriber);
	return subscriber->send_ms < end ? subscriber->send_ms : end;
}

static bool is_allowed(const struct subscriber *s, struct address source)
{
	for (size_t i = 0; i < s->options.allowed_count; i++) {
		if (address_in_prefix(source, s->options.allowed[i].network,
				      s->options.allowed[i].prefix_bits)) {
			return true;
		}
	}
	return s->options.allowed_count == 0;
}

static int ignore(struct subscriber *s, const struct packet *packet, const char *reason,
		  struct phone_effects *effects)
{
	s->ignored_count++;
	phone_effects_add(effects, (struct phone_event){.kind = PHONE_EVENT_IGNORED,
							.reason = reason,
							.peer = packet->source});
	return -ENOMSG;
}

/* sent-by is what we wrote (R-3261-74). */
static bool via_is_own(const struct subscriber *s, const struct sip_via *via)
{
	return address_equal(via->host.address, s->options.local.address) &&
	       sip_via_port(via) == s->options.local.port;
}

/* R-3261-60: top Via branch and CSeq method; R-3261-54: one Via only. */
static bool response_is_ours(const struct subscriber *s, const struct sip_message *message)
{
	struct sip_list vias = sip_message_list(message, SIP_HEADER_VIA);
	struct span via;

	if (!sip_list_next(&vias, &via) || sip_list_next(&vias, &via)) {
		return false;
	}
	return via_is_own(s, &message->via) &&
	       span_equal(message->via.branch, span_text(s->ids.branch)) &&
	       message->cseq.method == SIP_METHOD_SUBSCRIBE && message->cseq.number == 1 &&
	       span_equal(message->call_id, span_text(s->ids.call_id)) && message->from.has_tag &&
	       span_equal(message->from.tag, span_text(s->ids.tag));
}

static int receive_response(struct subscriber *s, const struct packet *packet,
			    struct phone_effects *effects)
{
	const struct sip_message *message = s->options.message;
	struct phone_event event = {.kind = PHONE_EVENT_RESPONSE,
				    .peer = packet->source,
				    .status = message->status};

	if (s->state == SUBSCRIBER_IDLE || !response_is_ours(s, message)) {
		return ignore(s, packet, "response_of_nothing", effects);
	}
	if (s->state != SUBSCRIBER_TRYING) {
		event.reason = "copy";
	} else if (message->status < 200) {
		/* R-3261-57 */
		s->interval_ms = t2_ms;
	} else {
		s->status = message->status;
		s->send_ms = UINT64_MAX;
		s->state = SUBSCRIBER_ANSWERED;
		if (message->status >= 300) {
			fail(s, "refused");
		}
	}
	phone_effects_add(effects, event);
	return 0;
}

/*
 * What makes a server transaction (R-3261-65, 66), with the source: the printed NOTIFY carries our
 * own Via, so two servers that use that form would look alike by branch and sent-by.
 */
static uint64_t transaction_key(const struct subscriber *s, const struct packet *packet)
{
	const struct sip_message *message = s->options.message;
	char buffer[key_size];
	struct writer w = writer_over(buffer, sizeof(buffer));

	endpoint_write(&w, packet->source);
	writer_char(&w, '\n');
	writer_put(&w, message->via.has_cookie ? message->via.branch : message->request_uri_text);
	writer_char(&w, '\n');
	writer_put(&w, message->via.host.text);
	writer_char(&w, ':');
	writer_unsigned(&w, sip_via_port(&message->via));
	writer_char(&w, '\n');
	writer_put(&w, message->method_text);
	writer_char(&w, '\n');
	writer_put(&w, message->call_id);
	writer_char(&w, '\n');
	writer_put(&w, message->from.tag);
	writer_char(&w, '\n');
	writer_put(&w, message->to.tag);
	writer_char(&w, '\n');
	writer_unsigned(&w, message->cseq.number);
	return w.failed ? 0 : table_hash(s->seed, writer_span(&w));
}

/* R-3581-4 with rport; without it R-3261-71. The printed form's Via is ours and says nothing. */
static struct endpoint answer_target(const struct subscriber *s, const struct packet *packet)
{
	const struct sip_via *via = &s->options.message->via;
	struct endpoint target = packet->source;

	if (!via->has_rport && !via_is_own(s, via)) {
		target.port = sip_via_port(via);
	}
	return target;
}

static bool resend_answer(struct subscriber *s, const struct packet *packet, uint64_t key,
			  uint64_t now_ms, struct phone_effects *effects)
{
	for (size_t i = 0; i < subscriber_answers_max && key != 0; i++) {
		struct subscriber_answer *answer = &s->answers[i];

		if (answer->length == 0 || answer->key != key || answer->expires_ms <= now_ms) {
			continue;
		}
		effects_send(&effects->wire, s->options.local, answer_target(s, packet),
			     s->options.interface, span_make(answer->bytes, answer->length));
		phone_effects_add(effects, (struct phone_event){.kind = PHONE_EVENT_NOTIFY,
								.reason = "copy",
								.peer = packet->source,
								.status = answer->status});
		return true;
	}
	return false;
}

/* The slot of the oldest answer, or a free one. */
static struct subscriber_answer *answer_slot(struct subscriber *s)
{
	struct subscriber_answer *oldest = &s->answers[0];

	for (size_t i = 0; i < subscriber_answers_max; i++) {
		if (s->answers[i].length == 0) {
			return &s->answers[i];
		}
		if (s->answers[i].expires_ms < oldest->expires_ms) {
			oldest = &s->answers[i];
		}
	}
	return oldest;
}

/* What a request is answered, and what it meant. */
struct verdict {
	unsigned status;
	const char *reason;   /* for the event; NULL: taken */
	const char *sentence; /* the reason phrase, or NULL for the usual one */
	const char *form;
	bool is_taken;	    /* it belongs to our subscription */
	bool is_order;	    /* it is none of it, and obeyed */
	bool is_remembered; /* its copies are answered from memory */
};

static void write_refusal_headers(struct writer *w, const struct verdict *verdict,
				  const struct sip_message *message)
{
	struct sip_list required = sip_message_list(message, SIP_HEADER_REQUIRE);
	struct span tag;

	switch (verdict->status) {
	case 405:
	case 501:
		sip_write_header(w, SIP_HEADER_ALLOW, SPAN("NOTIFY"));
		break;
	case 415:
		sip_write_header(w, SIP_HEADER_ACCEPT, SPAN("application/url"));
		sip_write_header_named(w, SPAN("Accept-Encoding"), SPAN("identity"));
		break;
	case 420:
		while (sip_list_next(&required, &tag)) {
			sip_write_header(w, SIP_HEADER_UNSUPPORTED, tag);
		}
		break;
	case 489:
		sip_write_header(w, SIP_HEADER_ALLOW_EVENTS, package);
		break;
	default:
		break;
	}
}

static void answer(struct subscriber *s, const struct packet *packet, const struct verdict *verdict,
		   uint64_t now_ms, struct phone_effects *effects)
{
	const struct sip_message *message = s->options.message;
	char buffer[subscriber_response_size];
	struct writer w = writer_over(buffer, sizeof(buffer));
	struct sip_response response = {.status = verdict->status,
					.reason = span_text(verdict->sentence),
					.to_tag = span_text(s->response_tag),
					.source = packet->source};

	sip_write_response(&w, message, &response);
	if (verdict->status == 200) {
		/* The NOTIFY makes the dialog (RFC 6665 4.4.1), so its 200 does as R-3261-40 says.
		 */
		sip_write_record_routes(&w, message);
		sip_write_contact(&w, own_user, s->options.local);
	}
	write_refusal_headers(&w, verdict, message);
	sip_write_end(&w, (struct span){0}, (struct span){0});
	if (w.failed) {
		s->ignored_count++;
		return;
	}
	effects_send(&effects->wire, s->options.local, answer_target(s, packet),
		     s->options.interface, writer_span(&w));
	if (verdict->is_remembered) {
		struct subscriber_answer *slot = answer_slot(s);

		slot->key = transaction_key(s, packet);
		slot->expires_ms = now_ms + subscriber_copies_wait_ms;
		slot->status = verdict->status;
		slot->length = w.length;
		memcpy(slot->bytes, w.data, w.length);
	}
}

static struct verdict refuse(unsigned status, const char *reason, const char *sentence)
{
	return (struct verdict){.status = status, .reason = reason, .sentence = sentence};
}

/* R-6665-44, or the print: From and To as they stood in the SUBSCRIBE. */
static const char *notify_form(const struct subscriber *s, const struct sip_message *message)
{
	struct span tag = span_text(s->ids.tag);

	if (!span_equal(message->call_id, span_text(s->ids.call_id))) {
		return NULL;
	}
	if (message->to.has_tag && span_equal(message->to.tag, tag)) {
		return "rfc";
	}
	return message->from.has_tag && span_equal(message->from.tag, tag) ? "print" : NULL;
}

static bool requires_unknown(const struct sip_message *message)
{
	struct sip_list required = sip_message_list(message, SIP_HEADER_REQUIRE);
	struct span tag;

	return sip_list_next(&required, &tag);
}

/* A copy is answered from memory and is no second order. */
static struct verdict take_order(struct subscriber *s, const struct sip_event *event)
{
	struct sip_parameter reboot;
	bool is_reboot = sip_parameters_find(event->parameters, SPAN("reboot"), &reboot) &&
			 span_equal_nocase(reboot.value, SPAN("true"));

	s->order = is_reboot ? SUBSCRIBER_ORDER_REBOOT : SUBSCRIBER_ORDER_CHECK;
	return (struct verdict){.status = 200,
				.reason = is_reboot ? "reboot" : "check_sync",
				.is_remembered = true,
				.is_order = true};
}

/* Steps 11 to 16 of the decision table, seen from the phone. */
static struct verdict check_request(struct subscriber *s, const struct sip_message *message)
{
	struct verdict taken = {.status = 200, .is_taken = true, .is_remembered = true};
	struct sip_event event;
	int error;

	if (message->method == SIP_METHOD_CANCEL) {
		return refuse(481, "cancel_of_nothing", NULL);
	}
	if (message->method != SIP_METHOD_NOTIFY) {
		return refuse(message->method == SIP_METHOD_UNKNOWN ? 501 : 405, "method", NULL);
	}
	if (message->request_uri.scheme == SIP_SCHEME_OTHER) {
		return refuse(416, "scheme", NULL);
	}
	if (requires_unknown(message)) {
		return refuse(420, "extension", NULL);
	}
	error = sip_message_event(message, &event);
	if (error == -EEXIST || error == -EINVAL) {
		return refuse(400, "event", sip_message_fault_text(SIP_HEADER_EVENT, error));
	}
	if (error == 0 && s->options.takes_orders && span_equal(event.type, SPAN("check-sync"))) {
		return take_order(s, &event);
	}
	if (error != 0 || !span_equal(event.type, package)) {
		return refuse(489, "other_package", NULL);
	}
	taken.form = notify_form(s, message);
	if (!taken.form || s->state == SUBSCRIBER_IDLE) {
		return refuse(481, "no_subscription", NULL);
	}
	if (!is_waiting(s)) {
		return refuse(481, "subscription_over", NULL);
	}
	return taken;
}

static struct verdict check_body(const struct sip_message *message, struct verdict taken)
{
	struct sip_media_type type;
	int error;

	if (message->body.length == 0) {
		return taken;
	}
	if (sip_message_row_count(message, SIP_HEADER_CONTENT_ENCODING) > 0) {
		return refuse(415, "content_encoding", NULL);
	}
	error = sip_message_content_type(message, &type);
	if (error != 0) {
		return refuse(400, "content_type",
			      sip_message_fault_text(SIP_HEADER_CONTENT_TYPE, error));
	}
	if (!span_equal_nocase(type.type, SPAN("application")) ||
	    !span_equal_nocase(type.subtype, SPAN("url"))) {
		return refuse(415, "content_type", NULL);
	}
	return taken;
}

static struct span without_blanks_behind(struct span text)
{
	while (text.length > 0 && strchr(" \t\r\n", text.data[text.length - 1]) &&
	       text.data[text.length - 1] != '\0') {
		text.length--;
	}
	return text;
}

/* The NOTIFY is ours and well-formed: what does it bring? */
static const char *take_notify(struct subscriber *s, const struct packet *packet)
{
	const struct sip_message *message = s->options.message;
	struct span url = without_blanks_behind(message->body);
	struct sip_subscription_state state = {.state = SIP_SUBSTATE_TERMINATED};
	struct phone_url read;

	sip_message_subscription_state(message, &state);
	if (url.length == 0) {
		/* R-6665-19: no state yet, more will come; but terminated without a URL is the end.
		 */
		if (state.state == SIP_SUBSTATE_TERMINATED) {
			fail(s, "no_url");
		} else {
			s->state = SUBSCRIBER_ANSWERED;
			s->send_ms = UINT64_MAX;
		}
		return "no_url";
	}
	if (phone_url_parse(url, &read) != 0) {
		fail(s, "url_refused");
		return "url_refused";
	}
	memcpy(s->url, url.data, url.length);
	s->url_length = url.length;
	s->server = packet->source;
	s->state = SUBSCRIBER_DONE;
	s->send_ms = UINT64_MAX;
	return NULL;
}

static void report_notify(const struct packet *packet, const struct verdict *verdict,
			  struct span body, struct phone_effects *effects)
{
	char buffer[phone_url_text_max * 4 + 16];
	struct writer w = writer_over(buffer, sizeof(buffer));

	if (verdict->is_taken) {
		phone_url_write_masked(&w, body, phone_url_text_max);
	}
	phone_effects_add(effects, (struct phone_event){.kind = PHONE_EVENT_NOTIFY,
							.reason = verdict->reason,
							.peer = packet->source,
							.status = verdict->status,
							.form = verdict->form,
							.url = writer_span(&w)});
}

static int receive_request(struct subscriber *s, const struct packet *packet, uint64_t now_ms,
			   struct phone_effects *effects)
{
	const struct sip_message *message = s->options.message;
	struct verdict verdict;

	if (message->method == SIP_METHOD_ACK) {
		return ignore(s, packet, "ack", effects);
	}
	if (resend_answer(s, packet, transaction_key(s, packet), now_ms, effects)) {
		return 0;
	}
	verdict = check_request(s, message);
	if (verdict.is_taken) {
		verdict = check_body(message, verdict);
	}
	if (verdict.is_taken) {
		verdict.reason = take_notify(s, packet);
	}
	answer(s, packet, &verdict, now_ms, effects);
	report_notify(packet, &verdict, without_blanks_behind(message->body), effects);
	s->ignored_count += !verdict.is_taken && !verdict.is_order;
	return verdict.is_taken || verdict.is_order ? 0 : -ENOMSG;
}

int subscriber_receive(struct subscriber *subscriber, const struct packet *packet, uint64_t now_ms,
		       struct phone_effects *effects)
{
	struct sip_message *message = subscriber->options.message;
	struct verdict bad;
	int error;

	/* R-MCAST-14, and a sender that may not answer learns nothing. */
	if (endpoint_equal(packet->source, subscriber->options.local)) {
		return ignore(subscriber, packet, "own_echo", effects);
	}
	if (!is_allowed(subscriber, packet->source.address)) {
		return ignore(subscriber, packet, "sender_not_allowed", effects);
	}
	error = sip_message_parse(message, packet->bytes);
	if (error == 0 && message->is_request) {
		return receive_request(subscriber, packet, now_ms, effects);
	}
	if (error == 0) {
		return receive_response(subscriber, packet, effects);
	}
	if (error == -EBADMSG && sip_message_is_answerable(message)) {
		bad = refuse(message->fault_status, "malformed", message->fault);
		answer(subscriber, packet, &bad, now_ms, effects);
	}
	return ignore(subscriber, packet, "malformed", effects);
}
