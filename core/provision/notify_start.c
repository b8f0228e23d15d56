/* SPDX-License-Identifier: MIT */
/* A phone is served: the 200 and the NOTIFY, and both their transactions, or nothing of it. */
#include "core/provision/signalling_state.h"

#include <errno.h>

enum {
	branch_octets = 8,
	branch_size = 7 + 2 * branch_octets,
};

/* Sends both or none: never a 200 without its NOTIFY (dialects.md E.3). */
static int send_both(const struct turn *t, struct span answer, struct span notify)
{
	struct endpoint local = signalling_local(t->s, t->packet);
	struct effects *effects = t->effects;
	size_t count_before = effects->count;
	int error = effects_send(effects, local, t->packet->source, t->packet->interface, answer);

	if (!error) {
		error = effects_send(effects, local, t->packet->source, t->packet->interface,
				     notify);
	}
	if (error) {
		effects->count = count_before;
	}
	return error;
}

static void report_served(const struct turn *t)
{
	char bytes[signalling_report_size];
	struct writer w = writer_over(bytes, sizeof(bytes));

	mac_write(&w, t->s->decision.mac);
	writer_text(&w, " at ");
	endpoint_write(&w, t->packet->source);
	writer_text(&w, " was told its URL, form ");
	writer_text(&w, notify_form_name(t->s->decision.form));
	effects_report(t->effects, (struct effect_report){.level = REPORT_INFO,
							  .reason = "url_sent",
							  .text = writer_span(&w),
							  .source = t->packet->source,
							  .has_mac = true,
							  .mac = t->s->decision.mac});
}

static struct client_key notify_key(const struct turn *t, const struct notify_message *m)
{
	const struct client_transactions *clients = t->s->clients;

	if (m->form == FORM_PRINT) {
		return client_key_of_source(clients, t->packet->source.address, t->request->call_id,
					    notify_cseq_number, SPAN("NOTIFY"));
	}
	return client_key_of_branch(clients, m->branch, SPAN("NOTIFY"));
}

/*
 * The form is a guess: the other one is made ready, for when the phone does not answer. Of the
 * round before this one nothing is awaited any more.
 */
static __attribute__((noinline)) void watch(const struct turn *t, const struct notify_message *m,
					    const struct client_request *notify)
{
	struct signalling *s = t->s;
	const struct notifier_decision *decision = &s->decision;
	struct notify_message other = *m;
	struct writer w = writer_over(s->other, sizeof(s->other));
	struct attempt_start start = {.device = notify->device,
				      .form = m->form,
				      .shape = decision->choice.shape,
				      .key = decision->key,
				      .is_own_case = decision->choice.is_own_case,
				      .to = notify->to,
				      .from = notify->from,
				      .interface = notify->interface,
				      .first = notify->key};

	other.form = form_other(m->form);
	notify_message_write_notify(&w, &other);
	if (w.failed) {
		signalling_count(s, "answer_too_large");
		return;
	}
	start.other = notify_key(t, &other);
	start.other_bytes = writer_span(&w);
	form_outcome_begin(s, &start, t->now_ms);
}

/* What may come of the telling that is under way, as far as something is to be learned from it. */
static void begin_learning(const struct turn *t, const struct notify_message *m,
			   const struct client_request *notify)
{
	struct signalling *s = t->s;

	if (s->options.other_form_ms > 0 && s->decision.choice.is_guessed) {
		watch(t, m, notify);
	} else {
		(void)attempts_end(s->attempts, notify->device);
	}
	form_outcome_shape(&s->decision, t->packet->source, t->effects);
}

static int begin_notify(const struct turn *t, const struct client_request *notify)
{
	struct client_transactions *clients = t->s->clients;
	int error = client_transactions_start(clients, notify, t->now_ms);

	if (error == -EEXIST) {
		/* The print form, and the phone asks anew in the same Call-ID: the old one is moot.
		 */
		signalling_count(t->s, "notify_superseded");
		client_transactions_abandon(clients, notify->key);
		error = client_transactions_start(clients, notify, t->now_ms);
	}
	return error;
}

/* Begins both transactions and sends both messages: all of it, or nothing. */
static int start_both(const struct turn *t, const struct notify_message *m, struct span answer,
		      const struct client_request *notify)
{
	struct signalling *s = t->s;
	struct server_answer way = {.to = m->source,
				    .from = m->local,
				    .interface = t->packet->interface,
				    .form = m->form,
				    .length_min = m->answer_length_min};
	int error = server_transactions_answer(s->servers, &t->key, &way, t->now_ms);

	if (error) {
		return signalling_no_room(s, error, "server_transactions_full");
	}
	error = begin_notify(t, notify);
	if (error) {
		server_transactions_end(s->servers, &t->key);
		return signalling_no_room(s, error, "client_transactions_full");
	}
	if (send_both(t, answer, notify->bytes) != 0) {
		client_transactions_abandon(s->clients, notify->key);
		server_transactions_end(s->servers, &t->key);
		signalling_count(s, "effects_full");
		return 0;
	}
	signalling_count(s, "served");
	if (effects_wants_report(t->effects, REPORT_INFO)) {
		report_served(t);
	}
	notifier_record(&s->options, t->packet, &s->decision, t->effects);
	begin_learning(t, m, notify);
	return 0;
}

int notify_start(const struct turn *t, const struct subscribe *subscribe)
{
	struct signalling *s = t->s;
	const struct notifier_decision *decision = &s->decision;
	char tag[server_tag_size];
	char branch[branch_size];
	struct writer branch_writer = writer_over(branch, sizeof(branch));
	struct writer answer = writer_over(s->answer, sizeof(s->answer));
	struct writer notify = writer_over(s->notify, sizeof(s->notify));
	struct notify_message m = {.form = decision->form,
				   .request = t->request,
				   .subscribe = subscribe,
				   .source = t->packet->source,
				   .local = signalling_local(s, t->packet),
				   .pack = decision->pack,
				   .url = span_make(decision->url, decision->url_length),
				   .server_header = s->options.server_header};
	struct client_request request = {.to = t->packet->source,
					 .from = m.local,
					 .interface = t->packet->interface,
					 .device = decision->mac};

	server_tag_of(s->servers, &t->key, tag);
	m.to_tag = span_text(tag);
	writer_text(&branch_writer, "z9hG4bK");
	random_write_hex(&s->random, &branch_writer, branch_octets);
	m.branch = writer_span(&branch_writer);
	request.key = notify_key(t, &m);
	notify_message_write_notify(&notify, &m);
	m.answer_length_min = s->options.pads_answers ? notify.length : 0;
	notify_message_write_answer(&answer, &m);
	if (answer.failed || notify.failed) {
		struct refusal too_large = {.status = 513, .counter = "answer_too_large"};

		signalling_refuse(t, &too_large);
		return 0;
	}
	request.give_up_ms = m.form == FORM_PRINT ? client_give_up_early_ms : sip_timer_f_ms;
	request.bytes = writer_span(&notify);
	return start_both(t, &m, writer_span(&answer), &request);
}
