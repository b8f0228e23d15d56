/* SPDX-License-Identifier: MIT */
#include "core/fleet/prepare.h"

#include <errno.h>
#include <stdlib.h>

static bool is_default(struct span name)
{
	return span_equal(name, SPAN("default"));
}

static int check_name(struct prepare *work)
{
	struct span name = work->change->profile;

	for (size_t i = 0; i < name.length; i++) {
		if (!ascii_is_alnum(name.data[i]) && !memchr("._-", name.data[i], 3)) {
			name.length = 0;
		}
	}
	if (name.length == 0 || name.length >= profile_name_size) {
		return prepare_refuse(work, -EINVAL,
				      "a profile is named in letters, digits and ._-, not",
				      work->change->profile);
	}
	return 0;
}

/* Length of a chain, taking `changed` for the profile of its name; profile_depth_max + 1: too long.
 */
static unsigned chain_length(const struct prepare *work, const struct profile *start,
			     const struct profile *changed)
{
	const struct profile *profile = start;
	unsigned length = 1;

	while (profile && profile->parent[0] && length <= profile_depth_max) {
		struct span parent = span_text(profile->parent);

		profile = span_equal(parent, span_text(changed->name))
				  ? changed
				  : prepare_find_profile(work, parent);
		length++;
	}
	return length;
}

static int check_chains(struct prepare *work, const struct profile *changed)
{
	const struct profile *profile;
	size_t cursor = 0;
	bool is_too_long = chain_length(work, changed, changed) > profile_depth_max;

	for (const struct prepared *p = work->inventory->pending; p && !is_too_long;
	     p = p->before) {
		is_too_long = p->profile && !p->is_removal &&
			      chain_length(work, p->profile, changed) > profile_depth_max;
	}
	while (!is_too_long && (profile = inventory_next_profile(work->inventory, &cursor))) {
		is_too_long = chain_length(work, profile, changed) > profile_depth_max;
	}
	return is_too_long
		       ? prepare_refuse(work, -EINVAL,
					"profiles would inherit in a circle, or more than 16 deep",
					SPAN(""))
		       : 0;
}

static int set_parent(struct prepare *work, struct profile *profile)
{
	struct span parent = work->change->parent;

	if (!(work->change->fields & FIELD_PARENT)) {
		return 0;
	}
	if (is_default(work->change->profile)) {
		return prepare_refuse(work, -EINVAL, "the profile default has no parent", SPAN(""));
	}
	if (parent.length == 0) {
		parent = SPAN("default");
	}
	if (!span_equal(parent, work->change->profile) && !prepare_find_profile(work, parent)) {
		return prepare_refuse(work, -ENOENT, "no such parent profile", parent);
	}
	return prepare_text(work, profile->parent, sizeof(profile->parent), parent,
			    "not a profile");
}

static int copy_profile(struct prepare *work, const struct profile *old, struct profile *profile)
{
	if (old) {
		memcpy(profile->name, old->name, sizeof(profile->name));
		memcpy(profile->parent, old->parent, sizeof(profile->parent));
		profile->revision = old->revision;
		return settings_copy(&profile->settings, &old->settings);
	}
	memcpy(profile->parent, "default", sizeof("default"));
	return prepare_text(work, profile->name, sizeof(profile->name), work->change->profile,
			    "not a profile");
}

/* Devices that have what they should have, and will not once the profile is in place. */
static size_t count_users(const struct prepare *work, const struct profile *changed)
{
	const struct profile *chain[profile_depth_max];
	const struct device *device;
	size_t cursor = 0;
	size_t count = 0;

	while ((device = inventory_next_device(work->inventory, &cursor))) {
		int depth =
			device->state == DEVICE_FETCHED
				? profile_chain(work->inventory, span_text(device->profile), chain)
				: 0;

		for (int i = 0; i < depth; i++) {
			if (strcmp(chain[i]->name, changed->name) == 0) {
				count++;
				break;
			}
		}
	}
	return count;
}

static int set_profile(struct prepare *work, const struct profile *old, struct profile *profile)
{
	int error = copy_profile(work, old, profile);

	error = error ? error : set_parent(work, profile);
	error = error ? error : check_chains(work, profile);
	error = error ? error : prepare_settings(work, &profile->settings);
	if (error) {
		return error;
	}
	work->out->is_addition = !old;
	work->out->is_nothing = old && strcmp(old->parent, profile->parent) == 0 &&
				settings_equal(&old->settings, &profile->settings);
	if (!work->out->is_nothing) {
		profile->revision = prepare_next_revision(work);
		work->out->stale_count = old ? count_users(work, profile) : 0;
	}
	return 0;
}

static bool device_uses(const struct prepare *work, const struct device *device, struct span name)
{
	const struct device *now =
		work->inventory->pending ? prepare_find_device(work, device->mac) : device;

	return now && span_equal(span_text(now->profile), name);
}

static bool profile_uses(const struct prepare *work, const struct profile *profile,
			 struct span name)
{
	const struct profile *now = prepare_find_profile(work, span_text(profile->name));

	return now && span_equal(span_text(now->parent), name);
}

static bool is_used(const struct prepare *work, struct span name)
{
	const struct profile *profile;
	const struct device *device;
	size_t cursor = 0;

	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if ((p->device && device_uses(work, p->device, name)) ||
		    (p->profile && profile_uses(work, p->profile, name))) {
			return true;
		}
	}
	while ((profile = inventory_next_profile(work->inventory, &cursor))) {
		if (profile_uses(work, profile, name)) {
			return true;
		}
	}
	if (prepare_rules_use(work, name)) {
		return true;
	}
	cursor = 0;
	while ((device = inventory_next_device(work->inventory, &cursor))) {
		if (device_uses(work, device, name)) {
			return true;
		}
	}
	return false;
}

static int check_removal(struct prepare *work, const struct profile *old)
{
	struct span name = work->change->profile;

	if (!old) {
		return prepare_refuse(work, -ENOENT, "no such profile", name);
	}
	if (is_default(name)) {
		return prepare_refuse(work, -EINVAL, "the profile default cannot be removed",
				      SPAN(""));
	}
	return is_used(work, name) ? prepare_refuse(work, -EBUSY,
						    "devices, profiles or rules still use it", name)
				   : 0;
}

int prepare_profile(struct prepare *work)
{
	const struct profile *old;
	int error = check_name(work);

	if (error) {
		return error;
	}
	old = prepare_find_profile(work, work->change->profile);
	if (work->change->kind == CHANGE_PROFILE_REMOVE) {
		error = check_removal(work, old);
		work->out->is_removal = true;
	} else if (!old && prepare_count(work, &work->inventory->profiles) >=
				   work->inventory->profiles.count_max) {
		error = prepare_refuse(work, -ENOSPC, "there are too many profiles", SPAN(""));
	}
	if (error) {
		return error;
	}
	work->out->profile = calloc(1, sizeof(*work->out->profile));
	if (!work->out->profile) {
		return -ENOMEM;
	}
	return work->out->is_removal ? copy_profile(work, old, work->out->profile)
				     : set_profile(work, old, work->out->profile);
}
