/* SPDX-License-Identifier: MIT */
#include "core/fleet/prepare.h"

#include <errno.h>
#include <stdlib.h>

const struct device *prepare_find_device(const struct prepare *work, struct mac mac)
{
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->device && mac_equal(p->device->mac, mac)) {
			return p->is_removal ? NULL : p->device;
		}
	}
	return inventory_device(work->inventory, mac);
}

const struct settings *prepare_find_settings(const struct prepare *work, struct mac mac)
{
	const struct device *device;

	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->device && mac_equal(p->device->mac, mac)) {
			if (p->is_removal) {
				return NULL;
			}
			if (!p->keeps_settings) {
				return &p->device->settings;
			}
		}
	}
	device = inventory_device(work->inventory, mac);
	return device ? &device->settings : NULL;
}

const struct profile *prepare_find_profile(const struct prepare *work, struct span name)
{
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->profile && span_equal(span_text(p->profile->name), name)) {
			return p->is_removal ? NULL : p->profile;
		}
	}
	return inventory_profile(work->inventory, name);
}

const struct catalogue_file *prepare_find_file(const struct prepare *work, struct span name)
{
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->file && span_equal(span_text(p->file->name), name)) {
			return p->is_removal ? NULL : p->file;
		}
	}
	return table_find(&work->inventory->files, name);
}

static bool is_of_table(const struct prepared *p, const struct inventory *inventory,
			const struct table *table)
{
	return (table == &inventory->devices && p->device) ||
	       (table == &inventory->profiles && p->profile) ||
	       (table == &inventory->files && p->file) || (table == &inventory->rules && p->rule) ||
	       (table == &inventory->pools && p->pool);
}

/* Removals that are not committed yet are not counted: rather one too many than one too few. */
size_t prepare_count(const struct prepare *work, const struct table *table)
{
	size_t count = table->count;

	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		count += p->is_addition && is_of_table(p, work->inventory, table);
	}
	return count;
}

int prepare_refuse(struct prepare *work, int error, const char *what, struct span shown)
{
	/* What is shown belongs to what is wrong, and stands before what to do. */
	struct span whole = span_text(what);
	size_t at = span_search(whole, SPAN("; "));

	writer_put(&work->problem, span_slice(whole, 0, at));
	if (shown.length > 0) {
		writer_text(&work->problem, ": ");
		writer_escaped(&work->problem, shown, 80);
	}
	writer_put(&work->problem, span_slice(whole, at, whole.length));
	return error;
}

int prepare_text(struct prepare *work, char *place, size_t size, struct span text, const char *what)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < 0x20 || c == 0x7f) {
			return prepare_refuse(work, -EINVAL, what, text);
		}
	}
	if (text.length >= size) {
		return prepare_refuse(work, -EINVAL, what, text);
	}
	/* Filled up with zeros, so that records and keys compare as bytes. */
	memset(place, 0, size);
	if (text.length > 0) {
		memcpy(place, text.data, text.length);
	}
	return 0;
}

int prepare_settings(struct prepare *work, struct settings *settings)
{
	for (size_t i = 0; i < work->change->setting_count; i++) {
		const struct change_setting *setting = &work->change->settings[i];
		char problem[256] = "";
		int error;

		if (setting->is_unset) {
			error = settings_unset(settings, setting->path);
			if (error) {
				return prepare_refuse(work, error, "is not set here",
						      setting->path);
			}
			continue;
		}
		error = settings_set(settings, setting->path, setting->value, problem,
				     sizeof(problem));
		if (error) {
			writer_text(&work->problem,
				    problem[0] ? problem : "there is no memory for the settings");
			return error;
		}
	}
	return 0;
}

uint64_t prepare_next_revision(struct prepare *work)
{
	return ++work->inventory->revision_prepared;
}

static int prepare(struct prepare *work)
{
	switch (work->change->kind) {
	case CHANGE_DEVICE_ADD:
	case CHANGE_DEVICE_SET:
	case CHANGE_DEVICE_CLAIM:
	case CHANGE_DEVICE_BLOCK:
	case CHANGE_DEVICE_UNBLOCK:
	case CHANGE_DEVICE_REMOVE:
	case CHANGE_DEVICE_SEEN:
	case CHANGE_DEVICE_NOTIFIED:
	case CHANGE_DEVICE_FETCHED:
	case CHANGE_DEVICE_RESYNC:
		return prepare_device(work);
	case CHANGE_PROFILE_SET:
	case CHANGE_PROFILE_REMOVE:
		return prepare_profile(work);
	case CHANGE_FILE_SET:
	case CHANGE_FILE_REMOVE:
	case CHANGE_FILE_HASHED:
		return prepare_file(work);
	case CHANGE_RULE_SET:
	case CHANGE_RULE_REMOVE:
		return prepare_rule(work);
	case CHANGE_POOL_SET:
	case CHANGE_POOL_REMOVE:
		return prepare_pool(work);
	case CHANGE_DEVICES_IMPORT:
		return prepare_group(work);
	case CHANGE_UNIDENTIFIED_SEEN:
		return prepare_unidentified(work);
	case CHANGE_FORM_LEARNED:
	case CHANGE_FORM_PIN:
	case CHANGE_FORM_FORGET:
		return prepare_form(work);
	case CHANGE_KIND_COUNT:
		break;
	}
	return prepare_refuse(work, -EINVAL, "no such kind of change", SPAN(""));
}

/* What a refused change has made; it is in no list. */
static void drop(struct prepared *out)
{
	out->before = NULL;
	prepared_free(out);
}

int inventory_prepare(struct inventory *inventory, const struct change *change,
		      struct prepared *prepared, char *problem, size_t problem_size)
{
	struct prepared out = {.kind = change->kind};
	struct prepare work = {.inventory = inventory,
			       .change = change,
			       .out = &out,
			       .problem = writer_over(problem,
						      problem_size > 0 ? problem_size - 1 : 0)};
	int error = prepare(&work);

	if (problem_size > 0) {
		problem[work.problem.length] = '\0';
	}
	if (error) {
		out.inventory = inventory;
		drop(&out);
		if (error == -ENOMEM && work.problem.length == 0) {
			writer_text(&work.problem, "out of memory");
			if (problem_size > 0) {
				problem[work.problem.length] = '\0';
			}
		}
		return error;
	}
	*prepared = out;
	prepared->inventory = inventory;
	prepared->before = inventory->pending;
	inventory->pending = prepared;
	return 0;
}
