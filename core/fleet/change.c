/* SPDX-License-Identifier: MIT */
#include "core/fleet/change.h"

/* Copies one span in place; false when the arena is full. An absent one stays absent. */
static bool keep(struct arena *arena, struct span *text)
{
	if (text->length > 0) {
		*text = arena_copy(arena, *text);
		return text->data != NULL;
	}
	return true;
}

static bool keep_settings(struct arena *arena, struct change *copy)
{
	struct change_setting *settings;

	if (copy->setting_count == 0) {
		copy->settings = NULL;
		return true;
	}
	settings = arena_array(arena, copy->setting_count, sizeof(*settings));
	if (!settings) {
		return false;
	}
	for (size_t i = 0; i < copy->setting_count; i++) {
		settings[i] = copy->settings[i];
		if (!keep(arena, &settings[i].path) || !keep(arena, &settings[i].value)) {
			return false;
		}
	}
	copy->settings = settings;
	return true;
}

/* Everything that a change points at. */
static bool keep_all(struct arena *arena, struct change *copy)
{
	struct span *const texts[] = {
		&copy->vendor,	  &copy->model, &copy->firmware,  &copy->profile,
		&copy->parent,	  &copy->label, &copy->shape,	  &copy->name,
		&copy->body,	  &copy->pool,	&copy->extension, &copy->bound_interface,
		&copy->interface, &copy->file,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!keep(arena, texts[i])) {
			return false;
		}
	}
	return keep_settings(arena, copy);
}

/* Groups are not inside one another. */
static bool keep_group(struct arena *arena, struct change *copy)
{
	struct change *group;

	if (copy->group_count == 0) {
		copy->group = NULL;
		return true;
	}
	group = arena_array(arena, copy->group_count, sizeof(*group));
	if (!group) {
		return false;
	}
	for (size_t i = 0; i < copy->group_count; i++) {
		group[i] = copy->group[i];
		group[i].group = NULL;
		group[i].group_count = 0;
		if (!keep_all(arena, &group[i])) {
			return false;
		}
	}
	copy->group = group;
	return true;
}

struct change *change_copy(struct arena *arena, const struct change *change)
{
	struct change *copy = arena_duplicate(arena, change, sizeof(*change));

	return copy && keep_all(arena, copy) && keep_group(arena, copy) ? copy : NULL;
}

void change_post(struct effects *effects, const struct change *change)
{
	struct change *copy = change_copy(&effects->arena, change);

	if (copy) {
		effects_change(effects, copy);
	} else {
		effects->lost++;
	}
}
