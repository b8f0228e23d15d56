/* SPDX-License-Identifier: MIT */
#include "core/fleet/profile.h"

#include "core/fleet/inventory.h"
#include "core/fleet/setting_names.h"

#include <errno.h>

int profile_chain(const struct inventory *inventory, struct span profile_name,
		  const struct profile *chain[static profile_depth_max])
{
	struct span name = profile_name;
	int depth = 0;

	for (;;) {
		const struct profile *profile = inventory_profile(inventory, name);

		if (!profile) {
			profile = inventory_profile(inventory, SPAN("default"));
		}
		if (!profile) {
			return depth;
		}
		if (depth == profile_depth_max) {
			return -ELOOP;
		}
		chain[depth++] = profile;
		if (strcmp(profile->name, "default") == 0) {
			return depth;
		}
		name = span_text(profile->parent);
	}
}

static int put_defaults(struct settings *settings)
{
	const struct setting_name *name;
	int error = 0;

	for (size_t i = 0; !error && (name = setting_name_at(i)); i++) {
		if (name->default_value) {
			error = settings_put(settings, span_text(name->path),
					     span_text(name->default_value));
		}
	}
	return error;
}

int profile_effective(const struct inventory *inventory, const struct device *device,
		      struct span profile_name, struct settings *effective)
{
	const struct profile *chain[profile_depth_max];
	struct settings fresh = {0};
	int depth =
		profile_chain(inventory, device ? span_text(device->profile) : profile_name, chain);
	int error;

	if (depth < 0) {
		return depth;
	}
	error = put_defaults(&fresh);
	while (!error && depth > 0) {
		error = settings_merge(&fresh, &chain[--depth]->settings);
	}
	if (!error && device) {
		error = settings_merge(&fresh, &device->settings);
	}
	if (error) {
		settings_free(&fresh);
		return error;
	}
	*effective = fresh;
	return 0;
}
