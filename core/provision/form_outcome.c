/* SPDX-License-Identifier: MIT */
/*
 * What comes of the form that a NOTIFY had: the other form when a guess got no answer or a refusal,
 * and evidence for what works (doc/decisions/0012-forms-are-learned.md).
 */
#include "core/provision/signalling_state.h"

static void write_kind(struct writer *w, const struct form_key *key)
{
	const struct span parts[] = {key->vendor, key->model, key->firmware};

	for (size_t i = 0; i < 3; i++) {
		if (!span_is_empty(parts[i])) {
			writer_escaped(w, parts[i], device_firmware_size);
			writer_char(w, ' ');
		}
	}
}

static void report(struct effects *effects, const char *reason, const struct writer *text,
		   const struct mac *mac, struct endpoint source)
{
	effects_report(effects, (struct effect_report){.level = REPORT_INFO,
						       .reason = reason,
						       .text = writer_span(text),
						       .source = source,
						       .has_mac = true,
						       .mac = *mac});
}

/* --- evidence for a form --- */

/* What worked for one phone, told to its kind. */
struct success {
	struct mac mac;
	struct form_key key;
	enum notify_form form;
	const char *shape;
	enum form_evidence evidence;
	struct endpoint source; /* or none */
};

static void report_success(const struct success *s, struct effects *effects)
{
	char bytes[signalling_report_size];
	struct writer w = writer_over(bytes, sizeof(bytes));

	write_kind(&w, &s->key);
	writer_text(&w, "takes the form ");
	writer_text(&w, notify_form_name(s->form));
	writer_text(&w, ": it alone was sent to ");
	mac_write(&w, s->mac);
	if (s->evidence == FORM_FETCHED) {
		writer_text(&w, ", which came for its files");
		if (s->shape[0]) {
			writer_text(&w, " (URL shape ");
			writer_escaped(&w, span_text(s->shape), device_shape_size);
			writer_char(&w, ')');
		}
	} else {
		writer_text(&w, ", which accepted the NOTIFY");
	}
	report(effects, "form_learned", &w, &s->mac, s->source);
}

static void credit(struct signalling *s, const struct success *success, struct effects *effects)
{
	const struct form_record *record = form_find(s->options.inventory, &success->key);

	if (span_is_empty(success->key.vendor) || (record && record->is_pinned)) {
		return;
	}
	if ((!record || record->form != success->form || record->evidence < success->evidence) &&
	    effects_wants_report(effects, REPORT_INFO)) {
		report_success(success, effects);
	}
	change_post(effects, &(struct change){.kind = CHANGE_FORM_LEARNED,
					      .fields = FIELD_FORM | FIELD_SHAPE,
					      .mac = success->mac,
					      .vendor = success->key.vendor,
					      .model = success->key.model,
					      .firmware = success->key.firmware,
					      .form = success->form,
					      .shape = span_text(success->shape),
					      .is_success = true,
					      .evidence = success->evidence});
}

/* --- the other form --- */

/*
 * Whether a refusal may be one of the form. 401, 407: it was understood, and credentials are
 * wanted; 503, 6xx: the phone would not have any. 481 is what one says to whom a dialog is strange,
 * and so the likeliest of all.
 */
static bool is_of_form(unsigned status)
{
	return status >= 300 && status < 600 && status != 401 && status != 407 && status != 503;
}

static void report_failure(const struct attempt *a, const char *what, struct effects *effects)
{
	char bytes[signalling_report_size];
	struct writer w = writer_over(bytes, sizeof(bytes));

	write_kind(&w, &a->key);
	mac_write(&w, a->device);
	writer_text(&w, ": the NOTIFY in the form ");
	writer_text(&w, notify_form_name(a->form));
	writer_text(&w, what);
	writer_text(&w, "; the form ");
	writer_text(&w, notify_form_name(form_other(a->form)));
	writer_text(&w, " was sent as well");
	report(effects, "form_suspected", &w, &a->device, a->to);
}

/* Told once of each kind, and of every phone whose kind nobody knows. */
static void blame(struct signalling *s, const struct attempt *a, const char *what,
		  struct effects *effects)
{
	const struct form_record *record = form_find(s->options.inventory, &a->key);

	if ((!record || record->suspect_form != a->form) &&
	    effects_wants_report(effects, REPORT_INFO)) {
		report_failure(a, what, effects);
	}
	if (a->is_own_case || span_is_empty(a->key.vendor)) {
		return;
	}
	change_post(effects, &(struct change){.kind = CHANGE_FORM_LEARNED,
					      .fields = FIELD_FORM,
					      .mac = a->device,
					      .vendor = a->key.vendor,
					      .model = a->key.model,
					      .firmware = a->key.firmware,
					      .form = a->form});
}

/* Once, and never again; the NOTIFY that was first goes on as it was. */
static void send_other(struct signalling *s, const struct attempt *a, const char *what,
		       uint64_t now_ms, struct effects *effects)
{
	const struct device *device = inventory_device(s->options.inventory, a->device);

	if (effects_send(effects, a->from, a->to, a->interface, a->other_bytes) != 0) {
		signalling_count(s, "effects_full");
		(void)attempts_end(s->attempts, a->device);
		return;
	}
	signalling_count(s, "other_form_sent");
	/* Of a guest (unknown = bootstrap) is not recorded how it was told. */
	if (device && device_is_claimed(device)) {
		change_post(effects, &(struct change){.kind = CHANGE_DEVICE_NOTIFIED,
						      .fields = FIELD_TOLD,
						      .mac = a->device,
						      .form = a->form,
						      .shape = span_text(a->shape),
						      .told_both = true});
	}
	blame(s, a, what, effects);
	attempts_sent(s->attempts, a->device, now_ms);
}

void form_outcome_begin(struct signalling *s, const struct attempt_start *start, uint64_t now_ms)
{
	uint64_t dropped = attempts_count(s->attempts).dropped;

	if (attempts_begin(s->attempts, start, now_ms) != 0) {
		signalling_count(s, "attempts_full");
	}
	if (attempts_count(s->attempts).dropped != dropped) {
		signalling_count(s, "attempt_dropped");
	}
}

void form_outcome_silent(struct signalling *s, const struct attempt *attempt, uint64_t now_ms,
			 struct effects *effects)
{
	send_other(s, attempt, " had no answer in time", now_ms, effects);
}

/* Not inlined, as below. */
static __attribute__((noinline)) void answered(struct signalling *s, const struct attempt *a,
					       uint64_t now_ms, struct effects *effects)
{
	unsigned status = s->message.status;
	char what[64];
	struct writer w = writer_over(what, sizeof(what));

	if (a->is_other_sent) {
		return; /* which of the two it was can never be known */
	}
	if (status < 300) {
		credit(s,
		       &(struct success){.mac = a->device,
					 .key = a->key,
					 .form = a->form,
					 .shape = a->shape,
					 .evidence = FORM_ANSWERED,
					 .source = a->to},
		       effects);
	} else if (is_of_form(status)) {
		writer_text(&w, " was refused with ");
		writer_unsigned(&w, status);
		writer_terminate(&w);
		send_other(s, a, what, now_ms, effects);
		return;
	}
	(void)attempts_end(s->attempts, a->device);
}

/* One that was fetched with, or learned, is refused: nothing else is sent, but it is doubted. */
static void doubt(struct signalling *s, struct mac mac, struct effects *effects)
{
	const struct inventory *inventory = s->options.inventory;
	const struct device *device = inventory_device(inventory, mac);
	const struct form_record *record;
	struct form_key key;

	if (!device || device->form != FORM_DEFAULT ||
	    device->told_unfetched >= form_unfetched_max || !is_of_form(s->message.status)) {
		return;
	}
	key = form_key_of(device, NULL);
	record = form_find(inventory, &key);
	if (!record || record->is_pinned || record->form == FORM_DEFAULT ||
	    record->form != device->told_form) {
		return;
	}
	change_post(effects, &(struct change){.kind = CHANGE_FORM_LEARNED,
					      .fields = FIELD_FORM,
					      .mac = mac,
					      .vendor = key.vendor,
					      .model = key.model,
					      .firmware = key.firmware,
					      .form = record->form});
}

void form_outcome_final(struct signalling *s, const struct client_key *key, struct mac device,
			uint64_t now_ms, struct effects *effects)
{
	const struct attempt *a = attempts_of_device(s->attempts, device);

	if (a && memcmp(&a->first, key, sizeof(*key)) == 0) {
		answered(s, a, now_ms, effects);
	} else if (!a && s->message.status >= 300 && s->options.other_form_ms > 0) {
		doubt(s, device, effects);
	}
}

/* An answer to the other form, or to the first one with a Via of the phone's making. */
static const struct attempt *match(struct signalling *s, const struct packet *packet)
{
	const struct sip_message *m = &s->message;
	const struct attempt *a;
	struct client_event event;
	struct client_key key;

	if (m->readable & SIP_PART_VIA) {
		key = client_key_of_branch(s->clients, m->via.branch, m->cseq.method_text);
		if (client_transactions_look(s->clients, key, &event)) {
			return NULL; /* it was looked at, and is not what it says */
		}
		a = attempts_of_other(s->attempts, key);
		if (a) {
			return a->is_other_sent && notify_outcome_is_ours(m, a->from) ? a : NULL;
		}
	}
	key = client_key_of_source(s->clients, packet->source.address, m->call_id, m->cseq.number,
				   m->cseq.method_text);
	return attempts_of_other(s->attempts, key);
}

bool form_outcome_receive(struct signalling *s, const struct packet *packet, uint64_t now_ms,
			  struct effects *effects)
{
	const struct attempt *a = match(s, packet);
	unsigned status = s->message.status;

	if (!a) {
		return false;
	}
	if (status < 200) {
		signalling_count(s, "response_provisional");
	} else if (a->is_other_sent) {
		signalling_count(s, status < 300 ? "other_form_accepted" : "other_form_refused");
	} else {
		signalling_count(s, "response_by_source");
		answered(s, a, now_ms, effects);
	}
	return true;
}

/* --- a fetch --- */

void form_outcome_fetched(struct signalling *s, struct mac mac, struct effects *effects)
{
	const struct attempt *a = attempts_of_device(s->attempts, mac);
	const struct device *device = inventory_device(s->options.inventory, mac);
	struct success success = {.mac = mac, .evidence = FORM_FETCHED};

	if (device && device->told_form != FORM_DEFAULT && !device->told_both &&
	    (!a || (!a->is_other_sent && a->form == device->told_form))) {
		success.key = form_key_of(device, NULL);
		success.form = device->told_form;
		success.shape = device->told_shape;
		if (form_is_news(form_find(s->options.inventory, &success.key), device)) {
			credit(s, &success, effects);
		}
	}
	/* Answers to both may still come: those are absorbed. */
	if (a && !a->is_other_sent) {
		(void)attempts_end(s->attempts, mac);
	}
}

/* --- a shape --- */

/* Not inlined: its buffer would be cleared for every phone, also where nothing is to be said. */
static __attribute__((noinline)) void blame_shape(const struct notifier_decision *decision,
						  struct endpoint source, struct effects *effects)
{
	const struct device *device = decision->device;
	const struct form_key *key = &decision->key;
	char bytes[signalling_report_size];
	struct writer w = writer_over(bytes, sizeof(bytes));

	write_kind(&w, key);
	mac_write(&w, device->mac);
	writer_text(&w, " did not come for its files with the URL shape ");
	writer_escaped(&w, span_text(device->told_shape), device_shape_size);
	writer_text(&w, ": it is told the shape ");
	writer_escaped(&w, decision->choice.shape, device_shape_size);
	report(effects, "form_suspected", &w, &device->mac, source);
	if (!span_is_empty(key->vendor)) {
		change_post(effects, &(struct change){.kind = CHANGE_FORM_LEARNED,
						      .fields = FIELD_SHAPE,
						      .mac = device->mac,
						      .vendor = key->vendor,
						      .model = key->model,
						      .firmware = key->firmware,
						      .shape = span_text(device->told_shape)});
	}
}

void form_outcome_shape(const struct notifier_decision *decision, struct endpoint source,
			struct effects *effects)
{
	const struct device *device = decision->device;
	enum form_reason reason = decision->choice.shape_reason;

	if (device->told_unfetched > 0 && device->told_shape[0] && reason != FORM_LEARNED &&
	    reason != FORM_PINNED &&
	    !span_equal(decision->choice.shape, span_text(device->told_shape))) {
		blame_shape(decision, source, effects);
	}
}
