/* SPDX-License-Identifier: MIT */
#include "core/provision/suspicion.h"

enum { sentence_size = 512 };

static struct suspicion_phone *find(struct suspicion *suspicion, struct mac mac)
{
	for (size_t i = 0; i < suspicion_sample_max; i++) {
		if (suspicion->phones[i].is_set && mac_equal(suspicion->phones[i].mac, mac)) {
			return &suspicion->phones[i];
		}
	}
	return NULL;
}

/*
 * A place for one more: a free one, else that of the phone that was told longest ago, once its
 * patience is over. While all are waited for, further phones are none of the sample.
 */
static struct suspicion_phone *place_for_one(struct suspicion *suspicion, uint64_t now_ms)
{
	struct suspicion_phone *oldest = &suspicion->phones[0];

	for (size_t i = 0; i < suspicion_sample_max; i++) {
		struct suspicion_phone *phone = &suspicion->phones[i];

		if (!phone->is_set) {
			return phone;
		}
		if (phone->told_ms < oldest->told_ms) {
			oldest = phone;
		}
	}
	return now_ms - oldest->told_ms >= suspicion_patience_ms ? oldest : NULL;
}

static void judge(struct suspicion *suspicion, uint64_t now_ms, struct effects *effects)
{
	unsigned judged = 0;
	unsigned failed = 0;
	char text[sentence_size];
	struct writer w = writer_over(text, sizeof(text));

	for (size_t i = 0; i < suspicion_sample_max; i++) {
		const struct suspicion_phone *phone = &suspicion->phones[i];
		uint64_t age_ms = now_ms - phone->told_ms;

		if (phone->is_set && age_ms >= suspicion_patience_ms &&
		    age_ms <= suspicion_memory_ms) {
			judged++;
			failed += !phone->has_fetched;
		}
	}
	if (failed < suspicion_phones_min || 2 * failed < judged ||
	    (suspicion->was_told && now_ms - suspicion->told_ms < suspicion_repeat_ms)) {
		return;
	}
	suspicion->was_told = true;
	suspicion->told_ms = now_ms;
	writer_text(&w, "of the last ");
	writer_unsigned(&w, judged);
	writer_text(&w, " phones that were told their URL ");
	writer_unsigned(&w, failed);
	writer_text(&w, " have not fetched within ten minutes: another server may have answered "
			"them first, or they cannot reach our HTTP or TFTP port");
	effects_report(effects, (struct effect_report){.level = REPORT_WARNING,
						       .reason = "rogue_suspected",
						       .text = writer_span(&w)});
}

void suspicion_told(struct suspicion *suspicion, struct mac mac, uint64_t now_ms,
		    struct effects *effects)
{
	struct suspicion_phone *phone = find(suspicion, mac);
	bool is_new = !phone || phone->has_fetched || now_ms - phone->told_ms > suspicion_memory_ms;

	judge(suspicion, now_ms, effects);
	if (!phone) {
		phone = place_for_one(suspicion, now_ms);
	}
	/* One that asks again has still not fetched: its patience began with the first answer. */
	if (phone && is_new) {
		*phone = (struct suspicion_phone){.mac = mac, .is_set = true, .told_ms = now_ms};
	}
}

void suspicion_fetched(struct suspicion *suspicion, struct mac mac)
{
	struct suspicion_phone *phone = find(suspicion, mac);

	if (phone) {
		phone->has_fetched = true;
	}
}
