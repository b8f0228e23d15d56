/* SPDX-License-Identifier: MIT */
#include "core/base/effects.h"

#include <errno.h>
#include <stdlib.h>

int effects_init(struct effects *effects, size_t count_max, size_t bytes_max)
{
	*effects = (struct effects){.count_max = count_max};
	arena_init(&effects->arena, bytes_max);
	effects->items = calloc(count_max, sizeof(*effects->items));
	return effects->items ? 0 : -ENOMEM;
}

void effects_reset(struct effects *effects)
{
	effects->count = 0;
	arena_reset(&effects->arena);
}

void effects_free(struct effects *effects)
{
	free(effects->items);
	arena_free(&effects->arena);
	*effects = (struct effects){0};
}

static int append(struct effects *effects, struct effect effect)
{
	if (effects->count == effects->count_max) {
		effects->lost++;
		return -ENOSPC;
	}
	effects->items[effects->count++] = effect;
	return 0;
}

int effects_send(struct effects *effects, struct endpoint from, struct endpoint to,
		 uint32_t interface, struct span bytes)
{
	struct span copy = arena_copy(&effects->arena, bytes);

	if (!copy.data) {
		effects->lost++;
		return -ENOSPC;
	}
	return append(effects,
		      (struct effect){.kind = EFFECT_SEND, .send = {to, from, interface, copy}});
}

int effects_resolve(struct effects *effects, struct address address, uint32_t interface)
{
	return append(effects,
		      (struct effect){.kind = EFFECT_RESOLVE, .resolve = {address, interface}});
}

int effects_report(struct effects *effects, struct effect_report report)
{
	if (!effects_wants_report(effects, report.level)) {
		return 0;
	}
	report.text = arena_copy(&effects->arena, report.text);
	report.detail = arena_copy(&effects->arena, report.detail);
	if (!report.text.data || !report.detail.data) {
		effects->lost++;
		return -ENOSPC;
	}
	return append(effects, (struct effect){.kind = EFFECT_REPORT, .report = report});
}

int effects_change(struct effects *effects, struct change *change)
{
	return append(effects, (struct effect){.kind = EFFECT_CHANGE, .change = change});
}
