/* SPDX-License-Identifier: MIT */
#include "tests/sim/sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	silence_max_ms = 64000, /* after the last input every table is empty */
	notifies_rfc = 11,	/* Timers E and F: 0, 0.5, 1.5, 3.5, 7.5 … 31.5 s */
	notifies_print = 4,	/* given up after five seconds */
};

static void fail(struct sim_world *world, const struct sim_phone *phone, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void fail(struct sim_world *world, const struct sim_phone *phone, const char *format, ...)
{
	va_list arguments;

	if (world->problem[0] != '\0') {
		return;
	}
	va_start(arguments, format);
	vsnprintf(world->problem, sizeof(world->problem), format, arguments);
	va_end(arguments);
	world->offender = phone ? phone : world->phones;
}

/* The contract's rule: claimed, and known by its hardware address or by its bound address. */
static bool may_be_told(const struct sim_phone *phone)
{
	const struct sim_traits *t = &phone->traits;
	bool is_proven = t->is_bound || t->evidence == SIM_FRAME || t->evidence == SIM_NEIGHBOUR ||
			 t->evidence == SIM_LATE_NEIGHBOUR;

	return t->is_claimed && !t->is_blocked && t->names != SIM_ANOTHER && is_proven;
}

/*
 * It kept asking, and what the network did to it stayed within the limits: then it has its URL. The
 * worst that three losses can do: the fourth SUBSCRIBE leaves at 3.5 s, or the fourth NOTIFY 3.5 s
 * after an answer at 0.9 s; both are home before the phone gives up at 5 s.
 */
static bool must_be_told(const struct sim_world *world, const struct sim_phone *phone)
{
	const struct sim_traits *t = &phone->traits;
	/* The other form is one datagram, and of a form that is not taken no copy helps. */
	unsigned losses_max = t->takes == SIM_ANY_FORM ? sim_losses_max : 0;

	return phone->is_on && may_be_told(phone) && !t->is_forgetful &&
	       (t->is_bound || t->evidence != SIM_LATE_NEIGHBOUR) && phone->lost <= losses_max &&
	       phone->late == 0 && phone->unreachable == 0 && !world->weather.is_tight &&
	       !world->weather.is_limited;
}

struct sim_exchange *judge_exchange(struct sim_phone *phone, struct span call_id)
{
	for (size_t i = 0; i < phone->exchange_count; i++) {
		if (span_equal(span_text(phone->exchanges[i].call_id), call_id)) {
			return &phone->exchanges[i];
		}
	}
	return NULL;
}

void judge_settled(struct sim_phone *phone)
{
	for (size_t i = 0; i < phone->exchange_count; i++) {
		phone->exchanges[i].is_settled |= phone->exchanges[i].notify_count > 0;
		phone->exchanges[i].is_over |= phone->exchanges[i].notify_count > 0;
	}
}

/* A copy of an answered SUBSCRIBE has the same 200 coming, for the 32 s of Timer J. */
static void judge_copy(struct sim_world *world, struct sim_exchange *exchange, uint32_t interface)
{
	if (exchange->answer != 0 && exchange->interface == interface &&
	    world->now_ms < exchange->answered_ms + sip_timer_j_ms && !world->weather.is_tight) {
		world->copied = exchange;
	}
}

/*
 * Whether a response is one to the first NOTIFY: by the server's own Via in the form of the RFCs,
 * and in the print form by anything but that.
 */
static bool is_of_first(const struct sim_exchange *exchange, const struct sip_message *m)
{
	bool is_ours = (m->readable & SIP_PART_VIA) &&
		       span_equal_nocase(m->via.branch, span_text(exchange->branch));
	bool is_servers =
		(m->readable & SIP_PART_VIA) && address_equal(m->via.host.address, sim_server);

	return exchange->form == FORM_PRINT ? !is_servers : is_ours;
}

static void judge_answer(struct sim_exchange *exchange, unsigned status)
{
	if (status >= 200) {
		exchange->is_settled = true;
	} else if (exchange->trying_count == 0) {
		exchange->trying_count = exchange->notify_count;
	}
}

/*
 * Before the server has it. A final response to a NOTIFY is the end of that; in the form of the
 * RFCs only when the Via is the server's own.
 */
void judge_arrival(struct sim_world *world, struct sim_phone *origin, uint32_t interface,
		   struct span bytes)
{
	struct sip_message *m = &world->message;
	struct sim_exchange *exchange;

	world->copied = NULL;
	world->is_response_arriving = false;
	if (origin->traits.is_noise || sip_message_parse(m, bytes) == -ENOMSG) {
		return;
	}
	exchange = judge_exchange(origin, m->call_id);
	if (!exchange) {
		return;
	}
	if (m->is_request) {
		judge_copy(world, exchange, interface);
		return;
	}
	world->is_response_arriving = m->status >= 300;
	exchange->is_accepted |= m->status >= 200 && m->status < 300 && exchange->other_count == 0;
	if (exchange->notify_count > 0 && is_of_first(exchange, m)) {
		judge_answer(exchange, m->status);
	}
}

/* A 200: new with its NOTIFY right behind it, or the same octets as before. */
static void judge_200(struct sim_world *world, const struct sim_phone *phone,
		      struct sim_exchange *exchange, const struct sim_phone *origin, uint64_t hash)
{
	if (exchange->answer == 0 && !may_be_told(phone)) {
		fail(world, phone, "it may not have its URL, and was answered 200");
	} else if (exchange->answer != 0 && exchange->answer != hash) {
		fail(world, phone, "two different 200s for one SUBSCRIBE");
	} else if (exchange->answer != 0 && origin != phone) {
		fail(world, phone, "a 200 again without a copy of its SUBSCRIBE");
	}
	if (exchange->answer == 0) {
		exchange->answered_ms = world->now_ms;
	}
	exchange->answer = hash;
	world->copied = NULL;
}

static void judge_response(struct sim_world *world, const struct sim_phone *phone,
			   struct sim_exchange *exchange, const struct sim_phone *origin,
			   uint64_t hash)
{
	unsigned status = world->message.status;

	if (world->message.cseq.method != SIP_METHOD_SUBSCRIBE) {
		fail(world, phone, "a response to what it never asked");
	} else if (status == 200) {
		judge_200(world, phone, exchange, origin, hash);
	} else if (phone->traits.is_multicast) {
		fail(world, phone, "a multicast SUBSCRIBE was answered %u", status);
	} else if (phone->traits.names == SIM_ANOTHER && phone->traits.evidence <= SIM_NEIGHBOUR) {
		fail(world, phone, "a liar was answered %u", status);
	} else if (status != 403) {
		fail(world, phone, "its SUBSCRIBE was answered %u", status);
	} else if (exchange->refusal_status == status && exchange->refusal != hash) {
		fail(world, phone, "two different %us for one SUBSCRIBE", status);
	} else if (exchange->answer != 0) {
		fail(world, phone, "answered %u after a 200", status);
	} else {
		exchange->refusal_status = status;
		exchange->refusal = hash;
	}
}

/*
 * Timer E: 0.5, 1, 2, 4, 4 … s, with a 100 in hand 4 s from the next one on (RFC 3261 17.1.2.2);
 * never after the end of Timer F.
 */
static void judge_resend(struct sim_world *world, const struct sim_phone *phone,
			 struct sim_exchange *exchange, const struct sim_phone *origin)
{
	unsigned step = exchange->notify_count - 1;
	bool is_trying = exchange->trying_count > 0 && step >= exchange->trying_count;
	uint64_t interval_ms = step < 3 && !is_trying ? (uint64_t)sip_t1_ms << step : sip_t2_ms;

	uint64_t waited_ms = world->now_ms - exchange->last_ms;
	uint64_t end_ms = exchange->form == FORM_PRINT ? client_give_up_early_ms : sip_timer_f_ms;

	if (origin) {
		fail(world, phone, "a datagram that arrived made the server send its NOTIFY again");
	} else if (exchange->is_settled) {
		fail(world, phone, "its NOTIFY was sent again after the end of its transaction");
	} else if (waited_ms < interval_ms || waited_ms > interval_ms + world->weather.late_ms) {
		fail(world, phone, "NOTIFY number %u came %u ms after the one before, not %u",
		     exchange->notify_count + 1, (unsigned)waited_ms, (unsigned)interval_ms);
	} else if (world->now_ms >= exchange->first_ms + end_ms) {
		fail(world, phone, "its NOTIFY was sent again after Timer F");
	}
}

/*
 * The other form: only where it was guessed, once, after 1.5 s of silence or a refusal, and never
 * because of a SUBSCRIBE.
 */
static void judge_other(struct sim_world *world, const struct sim_phone *phone,
			struct sim_exchange *exchange, const struct sim_phone *origin)
{
	uint64_t waited_ms = world->now_ms - exchange->first_ms;

	exchange->other_count++;
	if (phone->traits.form != FORM_DEFAULT) {
		fail(world, phone, "its form was set, and it got the other one");
	} else if (exchange->other_count > 1) {
		fail(world, phone, "it got the other form twice");
	} else if (exchange->is_accepted) {
		fail(world, phone, "it accepted the NOTIFY, and got the other form");
	} else if (exchange->is_over) {
		fail(world, phone, "it got the other form after all was over");
	} else if (origin && (origin != phone || !world->is_response_arriving)) {
		fail(world, phone, "the other form was brought by something else than a refusal");
	} else if (!origin && (waited_ms < world->options.other_form_ms ||
			       waited_ms > world->options.other_form_ms + world->weather.late_ms)) {
		fail(world, phone, "the other form came after %u ms", (unsigned)waited_ms);
	} else if (!may_be_told(phone)) {
		fail(world, phone, "it may not have its URL, and got the other form");
	}
}

static void judge_notify(struct sim_world *world, const struct sim_phone *phone,
			 struct sim_exchange *exchange, const struct sim_phone *origin,
			 uint64_t hash)
{
	if (exchange->notify_count > 0) {
		judge_resend(world, phone, exchange, origin);
	} else {
		exchange->first_ms = world->now_ms;
		exchange->notify = hash;
		(void)span_to_text(world->message.via.branch, exchange->branch,
				   sizeof(exchange->branch));
	}
	if (!may_be_told(phone)) {
		fail(world, phone, "it may not have its URL, and got a NOTIFY");
	}
	if (exchange->notify != hash) {
		fail(world, phone, "two different NOTIFYs for one SUBSCRIBE");
	}
	exchange->notify_count++;
	exchange->last_ms = world->now_ms;
}

/*
 * One datagram. `*owed` is the exchange whose 200 was the one before, and whose NOTIFY this has to
 * be.
 */
static void judge_send(struct sim_world *world, const struct effect_send *send,
		       const struct sim_phone *origin, struct sim_exchange **owed)
{
	struct sip_message *m = &world->message;
	struct sim_phone *phone = sim_phone_at(world, send->to.address);
	struct endpoint server = {sim_server, world->options.port};
	uint64_t hash = sim_hash(0, send->bytes);
	int parsed = sip_message_parse(m, send->bytes);
	struct sim_exchange *exchange = phone ? judge_exchange(phone, m->call_id) : NULL;
	bool is_notify = parsed == 0 && m->is_request && m->method == SIP_METHOD_NOTIFY;
	bool is_first = is_notify && exchange && exchange->notify_count == 0;

	if (!phone || !endpoint_equal(send->to, phone->endpoint)) {
		fail(world, origin, "something was sent to where nobody asked");
	} else if (!endpoint_equal(send->from, server)) {
		fail(world, phone, "something left from another socket");
	} else if (phone->traits.is_noise) {
		if (phone->traits.is_multicast || (parsed != -ENOMSG && m->status < 300)) {
			fail(world, phone, "noise from an unclaimed phone got an answer");
		}
	} else if (parsed != 0 || !exchange) {
		fail(world, phone, "what it got is malformed, or of no exchange of its own");
	} else if ((*owed || is_first) && *owed != (is_first ? exchange : NULL)) {
		fail(world, phone,
		     *owed ? "a 200 without its NOTIFY behind it"
			   : "a first NOTIFY without its 200 before it");
	} else if (is_notify && !is_first && sim_form_of(send->bytes) != exchange->form) {
		judge_other(world, phone, exchange, origin);
	} else if (is_notify) {
		*owed = NULL;
		exchange->form = sim_form_of(send->bytes);
		judge_notify(world, phone, exchange, origin, hash);
	} else {
		*owed = m->status == 200 && exchange->answer == 0 ? exchange : NULL;
		exchange->interface = exchange->answer == 0 ? send->interface : exchange->interface;
		judge_response(world, phone, exchange, origin, hash);
	}
}

/* What is written down of an address is the device that is really there. */
static void judge_change(struct sim_world *world, const struct change *change)
{
	bool is_seen = change->kind == CHANGE_DEVICE_SEEN || change->kind == CHANGE_DEVICE_NOTIFIED;
	const struct sim_phone *phone = is_seen ? sim_phone_at(world, change->address) : NULL;

	if (phone && !mac_equal(phone->mac, change->mac)) {
		fail(world, phone, "another device was seen at its address");
	}
}

void judge_effects(struct sim_world *world, const struct sim_phone *origin)
{
	struct effects *effects = &world->effects;
	struct sim_exchange *owed = NULL;

	for (size_t i = 0; i < effects->count; i++) {
		const struct effect *effect = &effects->items[i];

		switch (effect->kind) {
		case EFFECT_SEND:
			judge_send(world, &effect->send, origin, &owed);
			break;
		case EFFECT_RESOLVE:
			if (!sim_phone_at(world, effect->resolve.address)) {
				fail(world, origin, "an address was asked for that nobody has");
			}
			break;
		case EFFECT_CHANGE:
			judge_change(world, effect->change);
			break;
		case EFFECT_REPORT:
			if (span_search(effect->report.text, SPAN("/p/")) <
			    effect->report.text.length) {
				fail(world, origin, "a report holds a URL");
			}
			break;
		}
	}
	if (owed) {
		fail(world, origin, "a 200 without its NOTIFY");
	}
	if (world->copied && origin) {
		fail(world, origin, "a copy of its SUBSCRIBE was not answered again");
	}
	world->copied = NULL;
	if (effects->lost > 0 && !world->weather.is_tight) {
		fail(world, origin, "%u effects were lost", (unsigned)effects->lost);
	}
}

void judge_told(struct sim_world *world, struct sim_phone *phone)
{
	const struct device *device = inventory_device(&world->inventory, phone->mac);
	char url[128];
	struct writer w = writer_over(url, sizeof(url));

	writer_text(&w, "http://10.13.255.1:8080/p/");
	writer_text(&w, device ? device->key : "");
	writer_text(&w, "/x.cfg");
	if (!device || device->key[0] == '\0' ||
	    !span_equal(writer_span(&w), subscriber_url(&phone->subscriber))) {
		fail(world, phone, "the URL that it got is not its own");
	}
}

void judge_tables(struct sim_world *world)
{
	const struct signalling *s = world->signalling;
	const struct signalling_options *o = &world->options;

	if (server_transactions_count(s->servers).count > o->server_transactions_max ||
	    client_transactions_count(s->clients).count > o->client_transactions_max ||
	    attempts_count(s->attempts).count > o->client_transactions_max ||
	    waiting_count(s->waiting) > o->waiting_max) {
		fail(world, NULL, "a table has more entries than it may");
	}
}

static void judge_phone_end(struct sim_world *world, struct sim_phone *phone)
{
	world->counts.told += phone->is_told;
	if (must_be_told(world, phone)) {
		world->counts.promised++;
		if (!phone->is_told) {
			fail(world, phone, "it kept asking, and has no URL");
		}
	}
	for (size_t i = 0; i < phone->exchange_count; i++) {
		const struct sim_exchange *exchange = &phone->exchanges[i];
		unsigned whole = exchange->form == FORM_PRINT ? notifies_print : notifies_rfc;

		if (exchange->notify_count > 0 && !exchange->is_settled &&
		    exchange->trying_count == 0 && exchange->notify_count != whole) {
			fail(world, phone, "its NOTIFY was sent %u times, not %u",
			     exchange->notify_count, whole);
		}
	}
}

/* Where there is room for all, nobody is turned away for want of it. */
static void judge_room(struct sim_world *world)
{
	static const char *const wants[] = {"server_transactions_full",
					    "client_transactions_full",
					    "waiting_full",
					    "effects_full",
					    "answer_too_large",
					    "out_of_memory"};
	const struct signalling_counter *counter;

	for (size_t i = 0; (counter = signalling_counter(world->signalling, i)); i++) {
		for (size_t j = 0; j < sizeof(wants) / sizeof(wants[0]); j++) {
			if (strcmp(counter->reason, wants[j]) == 0) {
				fail(world, NULL, "there was room for all, and %s", wants[j]);
			}
		}
	}
}

/* What was learned of a kind is what its phones take. */
static void judge_forms(struct sim_world *world)
{
	const struct form_record *record;
	size_t cursor = 0;

	while ((record = form_next(&world->inventory, &cursor))) {
		bool is_rfc_only = strcmp(record->firmware, "2.2.3") == 0;
		bool is_print_only = strcmp(record->firmware, "2.2.4") == 0;

		if ((is_rfc_only && record->form == FORM_PRINT) ||
		    (is_print_only && record->form == FORM_RFC)) {
			fail(world, NULL, "%s is said to take the form %s, which it does not",
			     record->firmware, notify_form_name(record->form));
		}
		world->counts.learned += record->form != FORM_DEFAULT;
	}
}

void judge_end(struct sim_world *world)
{
	const struct signalling *s = world->signalling;

	if (world->problem[0] != '\0') {
		return;
	}
	world->counts.phones = world->phone_count;
	for (size_t i = 0; i < world->phone_count; i++) {
		judge_phone_end(world, &world->phones[i]);
	}
	judge_forms(world);
	if (!world->weather.is_tight) {
		judge_room(world);
	}
	if (world->item_count > 0 || signalling_next_wake(s) != UINT64_MAX) {
		fail(world, NULL, "it does not come to an end");
	} else if (world->now_ms > world->last_input_ms + silence_max_ms) {
		fail(world, NULL, "a timer ran later than 64 s after the last datagram");
	} else if (server_transactions_count(s->servers).count > 0 ||
		   client_transactions_count(s->clients).count > 0 ||
		   waiting_count(s->waiting) > 0 || attempts_count(s->attempts).count > 0 ||
		   client_transactions_count(s->clients).bytes > 0) {
		fail(world, NULL, "a table is not empty after 64 s of silence");
	}
}
