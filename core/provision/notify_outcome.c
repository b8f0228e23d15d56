/* SPDX-License-Identifier: MIT */
#include "core/provision/signalling_state.h"

static void write_report(const struct client_event *event, enum report_level level,
			 const char *reason, const char *what, struct effects *effects)
{
	char bytes[signalling_report_size];
	struct writer w = writer_over(bytes, sizeof(bytes));

	writer_text(&w, "the NOTIFY to ");
	mac_write(&w, event->device);
	writer_text(&w, " at ");
	endpoint_write(&w, event->to);
	writer_text(&w, what);
	effects_report(effects, (struct effect_report){.level = level,
						       .reason = reason,
						       .text = writer_span(&w),
						       .source = event->to,
						       .has_mac = true,
						       .mac = event->device});
}

static void report_notify(struct signalling *s, const struct client_event *event,
			  enum report_level level, const char *reason, const char *what,
			  struct effects *effects)
{
	signalling_count(s, reason);
	if (effects_wants_report(effects, level)) {
		write_report(event, level, reason, what, effects);
	}
}

/* R-3261-74: a response belongs to us when its Via is the one we sent. */
static bool via_is_ours(const struct sip_via *via, struct endpoint from)
{
	return (via->host.kind == SIP_HOST_IPV4 || via->host.kind == SIP_HOST_IPV6) &&
	       address_equal(address_unmapped(via->host.address), address_unmapped(from.address)) &&
	       sip_via_port(via) == from.port;
}

/* RFC 3261 8.1.3.3: with more than one Via it is another's response. */
static bool has_one_via(const struct sip_message *m)
{
	const struct sip_row *row = sip_message_next_row(m, SIP_HEADER_VIA, NULL);
	struct sip_list vias = sip_message_list(m, SIP_HEADER_VIA);
	struct span via;

	if (row && row->next == sip_row_none && row->value.length == m->via.text.length) {
		return true;
	}
	return sip_list_next(&vias, &via) && !sip_list_next(&vias, &via);
}

bool notify_outcome_is_ours(const struct sip_message *m, struct endpoint from)
{
	return via_is_ours(&m->via, from) && has_one_via(m);
}

/* The transaction that a response is for: true and `*key`. */
static bool match_response(struct signalling *s, const struct packet *packet,
			   struct client_key *key)
{
	const struct sip_message *m = &s->message;
	struct client_event event;

	if (m->readable & SIP_PART_VIA) {
		*key = client_key_of_branch(s->clients, m->via.branch, m->cseq.method_text);
		if (client_transactions_look(s->clients, *key, &event)) {
			return notify_outcome_is_ours(m, event.from);
		}
		if (attempts_of_other(s->attempts, *key)) {
			return false; /* form_outcome_receive */
		}
	}
	/* The print form: the phone's own Via came back, or none. */
	*key = client_key_of_source(s->clients, packet->source.address, m->call_id, m->cseq.number,
				    m->cseq.method_text);
	return client_transactions_look(s->clients, *key, &event);
}

/* What a NOTIFY came to. Any final response ends this subscription (R-6665-28, 29, 46). */
static void receive_final(struct signalling *s, const struct client_event *event,
			  struct effects *effects)
{
	char bytes[64];
	struct writer w = writer_over(bytes, sizeof(bytes));

	if (s->message.status < 300) {
		report_notify(s, event, REPORT_DEBUG, "notify_accepted", " was accepted", effects);
		return;
	}
	writer_text(&w, " was refused with ");
	writer_unsigned(&w, s->message.status);
	writer_terminate(&w);
	report_notify(s, event, REPORT_WARNING, "notify_refused", bytes, effects);
}

/* R-MCAST-14 */
void notify_outcome_receive(struct signalling *s, int parsed, const struct packet *packet,
			    uint64_t now_ms, struct effects *effects)
{
	const struct sip_message *m = &s->message;
	const unsigned needed = SIP_PART_CALL_ID | SIP_PART_CSEQ | SIP_PART_START;
	bool has_via = sip_message_row_count(m, SIP_HEADER_VIA) > 0;
	struct client_event event;
	struct client_key key;

	/* A response without any Via is not well formed, and all that the print form may get. */
	if ((parsed != 0 && has_via) || (m->readable & needed) != needed) {
		signalling_count(s, "malformed_response");
		return;
	}
	if (!match_response(s, packet, &key) ||
	    !client_transactions_respond(s->clients, key, m->status, now_ms, &event)) {
		if (!form_outcome_receive(s, packet, now_ms, effects)) {
			signalling_count(s, "response_unmatched");
		}
		return;
	}
	if (event.kind == CLIENT_FINAL) {
		receive_final(s, &event, effects);
		form_outcome_final(s, &key, event.device, now_ms, effects);
	} else {
		signalling_count(s, event.kind == CLIENT_COPY ? "response_copy"
							      : "response_provisional");
	}
}

void notify_outcome_expire(struct signalling *s, const struct client_event *event,
			   struct effects *effects)
{
	if (event->kind == CLIENT_RESEND) {
		signalling_count(s, "notify_resent");
		if (effects_send(effects, event->from, event->to, event->interface, event->bytes)) {
			signalling_count(s, "effects_full");
		}
	} else if (event->give_up_ms < sip_timer_f_ms) {
		/* The print form: silence says nothing, the receipt is the fetch. */
		report_notify(s, event, REPORT_DEBUG, "notify_unanswered", " had no answer",
			      effects);
	} else {
		report_notify(s, event, REPORT_WARNING, "notify_timeout",
			      " had no answer for 32 s; is the phone still there?", effects);
	}
}

void notify_outcome_unreachable(struct signalling *s, struct endpoint endpoint,
				struct effects *effects)
{
	struct client_event event;

	while (client_transactions_unreachable(s->clients, endpoint, &event)) {
		(void)attempts_end(s->attempts, event.device);
		report_notify(s, &event, REPORT_WARNING, "notify_unreachable",
			      " cannot be delivered: the phone is unreachable", effects);
	}
}
