/* SPDX-License-Identifier: MIT */
#include "core/provision/resync_state.h"

enum { report_size = 512 };

/* --- The queue. --- */

void resync_queue_add(struct resync *r, struct resync_target *target, bool is_urgent)
{
	target->next = is_urgent ? r->first : NULL;
	target->previous = is_urgent ? NULL : r->last;
	if (target->next) {
		target->next->previous = target;
	} else {
		r->last = target;
	}
	if (target->previous) {
		target->previous->next = target;
	} else {
		r->first = target;
	}
}

void resync_queue_remove(struct resync *r, struct resync_target *target)
{
	if (target->previous) {
		target->previous->next = target->next;
	} else {
		r->first = target->next;
	}
	if (target->next) {
		target->next->previous = target->previous;
	} else {
		r->last = target->previous;
	}
	target->next = NULL;
	target->previous = NULL;
}

void resync_detach(struct resync *r, struct resync_target *target)
{
	if (target->state == RESYNC_WAITING) {
		resync_queue_remove(r, target);
	} else if (target->state == RESYNC_SENT) {
		r->in_flight--;
	}
	timer_stop(&target->verify);
}

/* --- What is told. --- */

void resync_record(const struct resync_target *target, enum device_resync state,
		   struct effects *effects)
{
	if (target->order != RESYNC_ORDER_CLAIMED) {
		change_post(effects, &(struct change){.kind = CHANGE_DEVICE_RESYNC,
						      .mac = target->mac,
						      .resync = state,
						      .resync_status = target->status});
	}
}

/* How an end is told: as an event and a counter. */
static const struct outcome {
	enum device_resync state;
	enum report_level level;
	const char *reason;
	const char *sentence;
} outcomes[] = {
	{RESYNC_DONE, REPORT_INFO, "resync_done", "done"},
	{RESYNC_NO_ANSWER, REPORT_WARNING, "resync_no_answer", "no answer"},
	{RESYNC_REFUSED, REPORT_WARNING, "resync_refused", "refused with "},
	{RESYNC_NOT_FETCHED, REPORT_WARNING, "resync_not_fetched",
	 "acknowledged, but nothing came of it"},
	{RESYNC_NO_ADDRESS, REPORT_WARNING, "resync_no_address", "it cannot be reached"},
	{RESYNC_UNSUPPORTED, REPORT_WARNING, "resync_unsupported", "not supported"},
	{RESYNC_INTERRUPTED, REPORT_INFO, "resync_interrupted", "interrupted"},
};

static const struct outcome *outcome_of(enum device_resync state)
{
	const struct outcome *found = outcomes;

	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		if (outcomes[i].state == state) {
			found = &outcomes[i];
		}
	}
	return found;
}

/* resync of 00908f123456 at 10.0.0.7:5060: refused with 401; it wants … */
static void report(const struct resync_target *target, enum report_level level, const char *reason,
		   const char *sentence, const char *why, struct effects *effects)
{
	char bytes[report_size];
	struct writer w = writer_over(bytes, sizeof(bytes));

	if (!effects_wants_report(effects, level)) {
		return;
	}
	if (target->order != RESYNC_ORDER_CLAIMED) {
		writer_text(&w, resync_order_name(target->order));
		writer_text(&w, " of ");
	}
	mac_write(&w, target->mac);
	if (address_is_set(target->to.address)) {
		writer_text(&w, " at ");
		endpoint_write(&w, target->to);
	}
	writer_text(&w, target->order == RESYNC_ORDER_CLAIMED ? " " : ": ");
	writer_text(&w, sentence);
	if (target->state == RESYNC_REFUSED) {
		writer_unsigned(&w, target->status);
	}
	if (why) {
		writer_text(&w, "; ");
		writer_text(&w, why);
	}
	effects_report(effects, (struct effect_report){.level = level,
						       .reason = reason,
						       .text = writer_span(&w),
						       .source = target->to,
						       .has_mac = true,
						       .mac = target->mac});
}

static void forget(struct resync *r, struct resync_target *target)
{
	resync_detach(r, target);
	table_remove(&r->targets, resync_target_key(target));
	pool_give(&r->pool, target);
}

/* One that was claimed is served at its next SUBSCRIBE: that this was not quicker is no news. */
static void end_claimed(struct resync *r, struct resync_target *target, enum device_resync state,
			struct effects *effects)
{
	bool is_done = state == RESYNC_DONE;

	resync_tally(r, is_done ? "told_at_once" : "told_at_once_failed");
	report(target, is_done ? REPORT_INFO : REPORT_DEBUG,
	       is_done ? "told_at_once" : "told_at_once_failed",
	       !is_done		? "could not be told at once"
	       : target->is_url ? "was told its URL at once"
				: "was told at once to fetch",
	       NULL, effects);
	if (is_done && target->is_url) {
		/* That it then fetches is no evidence for a form: it had none of the two. */
		change_post(effects, &(struct change){.kind = CHANGE_DEVICE_NOTIFIED,
						      .fields = FIELD_TOLD,
						      .mac = target->mac,
						      .form = FORM_RFC,
						      .told_both = true,
						      .shape = span_text(target->shape)});
	}
	forget(r, target);
}

void resync_finish(struct resync *r, struct resync_target *target, enum device_resync state,
		   const char *why, struct effects *effects)
{
	const struct outcome *outcome = outcome_of(state);

	if (target->order == RESYNC_ORDER_CLAIMED) {
		end_claimed(r, target, state, effects);
		return;
	}
	resync_detach(r, target);
	target->state = state; /* one that is in nothing any more */
	resync_tally(r, outcome->reason);
	resync_record(target, state, effects);
	report(target, outcome->level, outcome->reason, outcome->sentence, why, effects);
	forget(r, target);
}
