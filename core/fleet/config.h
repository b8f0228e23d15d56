/* SPDX-License-Identifier: MIT */
/*
 * Configuration of phones: which URL a phone is told, which files it may ask for, and rendering
 * them. What a file renders to depends only on the device, its settings and what is recorded of it
 * (also our address on its side of the network), never on the request that asks.
 */
#ifndef BELLHOP_CORE_FLEET_CONFIG_H
#define BELLHOP_CORE_FLEET_CONFIG_H

#include "core/base/writer.h"
#include "core/fleet/inventory.h"

enum { config_url_max = 512, config_file_bytes_max = 1 << 20 };

/* What rendering needs to know of the server. */
struct config_server {
	struct address address; /* ours, on the road to that phone */
	uint16_t http_port;	/* 0: that door is shut */
	uint16_t https_port;
	uint16_t tftp_port;
	uint16_t sip_port;
	struct span url;    /* [provisioning] url, or url.<vendor> for this device's maker */
	bool hides_secrets; /* settings that are secrets are left out (unknown = bootstrap) */
	struct span shape;  /* name of the maker's URL shape; empty or not there: its first */
};

/*
 * Expands %{address} %{key} %{mac} %{MAC} %{model} %{vendor} %{port} in a URL of the configuration
 * and, when it ends in '/', takes it for a base that the maker's shape is laid around (see
 * vendor.h): for AudioCodes http://h:8080/p/KEY/ becomes http://h:8080/440HD.img;p/KEY/<MAC>.cfg.
 * Everything else goes out as it stands, a phone's own {mac}, <MAC> or $mac too. %{port} is the
 * port of the door that the URL's scheme names (http, https, tftp; else http), %{address} has
 * brackets when it is IPv6, %{model} is percent-encoded where RFC 3986 2.3 wants it. `pack` may be
 * NULL: no shape, and config_url_max. 0; -EINVAL an unknown %{name}; -E2BIG longer than the maker
 * takes; -ENODATA a value that is not known (the device has no key, or no model and the shape needs
 * one). One sentence goes to `problem`, and nothing to `url`.
 */
int config_url(const struct device *device, const struct vendor_pack *pack,
	       const struct config_server *server, struct writer *url, char *problem,
	       size_t problem_size);

enum config_file_kind { CONFIG_FILE_NONE, CONFIG_FILE_RENDERED, CONFIG_FILE_CATALOGUE };

struct config_file {
	enum config_file_kind kind;
	const struct vendor_file *rule;		/* NULL for a plain catalogue file */
	const struct catalogue_file *catalogue; /* CONFIG_FILE_CATALOGUE */
	struct span content_type;
	bool has_secrets;
	bool is_essential; /* having this one the phone has what it should have */
};

/*
 * What `name` (below the device's URL) means for this device; kind NONE when it means nothing. The
 * pack's rows are asked in their order, first for a name spelt out for this device, then by their
 * patterns. A name with the MAC of another device is none of its names. A device whose maker is not
 * recorded (its first sighting may still wait to be stored) is taken for one of the maker whose OUI
 * it has; nobody's: it is asked after in all packs, and the name counts when only one has it.
 */
struct config_file config_file_find(const struct inventory *inventory, const struct device *device,
				    struct span name);

/* For `bellhop device files`: the i-th file this device may ask for, written to `name`. 0/-ENOENT.
 */
int config_file_name(const struct inventory *inventory, const struct device *device, size_t i,
		     struct writer *name, struct config_file *file);

/* What is rendered: for whom, by which row of its pack, with what told of the server. */
struct config_wish {
	const struct device *device;
	const struct vendor_file *rule;
	const struct config_server *server;
};

/*
 * Renders a file. One that is not said to have secrets sees none: neither the settings that are
 * secret nor a url.base with the device's key in it, whatever its template asks for. 0; -EINVAL
 * with "TEMPLATE:LINE: SETTING: what is wrong" in `problem` (values of secrets are never in it);
 * -E2BIG beyond config_file_bytes_max; -ENOMEM.
 */
int config_render(const struct inventory *inventory, const struct config_wish *wish,
		  struct arena *arena, struct span *bytes, char *problem, size_t problem_size);

#endif
