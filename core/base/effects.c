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

/* A place at the end of the list, or NULL (counted). */
static struct effect *append(struct effects *effects, enum effect_kind kind)
{
	struct effect *effect;

	if (effects->count == effects->count_max) {
		effects->lost++;
		return NULL;
	}
	effect = &effects->items[effects->count++];
	effect->kind = kind;
	return effect;
}

/* The bytes as long as the list lives; data NULL (counted) when there is no room. */
static struct span keep(struct effects *effects, struct span bytes)
{
	struct span copy = arena_copy(&effects->arena, bytes);

	effects->lost += copy.data == NULL;
	return copy;
}

int effects_send(struct effects *effects, struct endpoint from, struct endpoint to,
		 uint32_t interface, struct span bytes)
{
	struct span copy = keep(effects, bytes);
	struct effect *effect = copy.data ? append(effects, EFFECT_SEND) : NULL;

	if (!effect) {
		return -ENOSPC;
	}
	effect->send = (struct effect_send){to, from, interface, copy};
	return 0;
}

int effects_resolve(struct effects *effects, struct address address, uint32_t interface)
{
	struct effect *effect = append(effects, EFFECT_RESOLVE);

	if (!effect) {
		return -ENOSPC;
	}
	effect->resolve = (struct effect_resolve){address, interface};
	return 0;
}

int effects_report(struct effects *effects, struct effect_report report)
{
	struct effect *effect;

	if (!effects_wants_report(effects, report.level)) {
		return 0;
	}
	report.text = keep(effects, report.text);
	if (report.text.data) {
		report.detail = keep(effects, report.detail);
	}
	effect = report.text.data && report.detail.data ? append(effects, EFFECT_REPORT) : NULL;
	if (!effect) {
		return -ENOSPC;
	}
	effect->report = report;
	return 0;
}

int effects_change(struct effects *effects, struct change *change)
{
	struct effect *effect = append(effects, EFFECT_CHANGE);

	if (!effect) {
		return -ENOSPC;
	}
	effect->change = change;
	return 0;
}
