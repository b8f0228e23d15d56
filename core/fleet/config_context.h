/* SPDX-License-Identifier: MIT */
/*
 * What a template sees. Only core/fleet/config_*.c use this.
 *
 *	every setting in force, by its path: sip_proxy_ip, sip_lines.1.username. Numbered ones are
 *		dictionaries in the order of their numbers. Whole numbers and true and false are
 *		such values, all others are texts
 *	device   mac, MAC, vendor, model, label, profile (model and the like: only when known)
 *	server   address, http_port, https_port, tftp_port, sip_port (those that there are)
 *	url      base: the folder of this device's files, with its '/' (when the URL has one)
 *	data     the pack's own
 */
#ifndef BELLHOP_CORE_FLEET_CONFIG_CONTEXT_H
#define BELLHOP_CORE_FLEET_CONFIG_CONTEXT_H

#include "core/fleet/config.h"
#include "core/jinja/value.h"

/* What it is made of. */
struct config_scope {
	const struct device *device;
	const struct vendor_pack *pack;
	const struct config_server *server;
	const struct settings *settings;
};

/*
 * Builds the context in the arena. The settings must outlive the rendering. 0, -ENOMEM, or -EINVAL
 * with the path of a setting that is both a value and a folder of values in `*path`.
 */
int config_context(const struct config_scope *scope, struct arena *arena,
		   struct jinja_value *context, struct span *path);

#endif
