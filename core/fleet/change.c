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

struct change *change_copy(struct arena *arena, const struct change *change)
{
	struct change *copy = arena_duplicate(arena, change, sizeof(*change));

	if (!copy) {
		return NULL;
	}
	if (!keep(arena, &copy->vendor) || !keep(arena, &copy->model) ||
	    !keep(arena, &copy->firmware) || !keep(arena, &copy->profile) ||
	    !keep(arena, &copy->parent) || !keep(arena, &copy->label) ||
	    !keep(arena, &copy->bound_interface) || !keep(arena, &copy->interface) ||
	    !keep(arena, &copy->file) || !keep(arena, &copy->shape) || !keep(arena, &copy->name) ||
	    !keep(arena, &copy->body) || !keep_settings(arena, copy)) {
		return NULL;
	}
	return copy;
}
