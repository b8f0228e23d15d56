/* SPDX-License-Identifier: MIT */
#include "io/door.h"

#include "io/loop.h"

void door_carry_out(const struct door *door, struct effects *effects)
{
	for (size_t i = 0; i < effects->count; i++) {
		struct effect *effect = &effects->items[i];

		if (effect->kind == EFFECT_REPORT) {
			door->report(door->context, &effect->report);
		} else if (effect->kind == EFFECT_CHANGE) {
			effect->change->utc_ms = loop_utc_ms();
			door->post(door->context, effect->change);
		}
	}
	effects_reset(effects);
}

void door_serve(const struct door *door, struct door_question *question, struct arena *arena,
		struct file_answer *answer, struct effects *effects)
{
	struct file_request *request = &question->request;

	door->link_for(door->context, request->source.address, question->interface, &request->link,
		       question->interface_name);
	request->interface = span_text(question->interface_name);
	request->now_ms = uv_hrtime() / 1000000;
	pthread_rwlock_rdlock(door->lock);
	files_serve(door->files, request, arena, answer, effects);
	pthread_rwlock_unlock(door->lock);
}
