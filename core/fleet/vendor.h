/* SPDX-License-Identifier: MIT */
/*
 * Vendor packs: what is known of each maker, as data (vendors/<maker>/pack.json and the templates
 * beside it). A pack is checked as a whole when it is loaded; a broken one is refused with file,
 * line and field, and the old one stays.
 */
#ifndef BELLHOP_CORE_FLEET_VENDOR_H
#define BELLHOP_CORE_FLEET_VENDOR_H

#include "core/base/arena.h"
#include "core/base/mac.h"
#include "core/base/writer.h"
#include "core/fleet/device.h"

struct jinja_template;

enum vendor_file_kind { VENDOR_FILE_CONFIG, VENDOR_FILE_FIRMWARE, VENDOR_FILE_STORED };

/* One row of the pack's list of files: which names it answers to and how. */
struct vendor_file {
	enum vendor_file_kind kind;
	struct span pattern; /* "<MAC>.cfg", "<model>.img": case-insensitive, `*` in none of them */
	struct span content_type;
	struct jinja_template *template; /* VENDOR_FILE_CONFIG */
	struct span template_name;
	bool has_secrets;
};

struct vendor_pack {
	struct span name;         /* "audiocodes" */
	struct span display_name; /* "AudioCodes" */
	struct arena arena;       /* owns everything of the pack */
	/* How it is recognised and read; see core/fleet/vendor.c for the schema. */
	struct span *oui; /* hexadecimal prefixes of 6 to 9 digits, lower case */
	size_t oui_count;
	struct span *sip_user_agent; /* patterns */
	size_t sip_user_agent_count;
	struct vendor_file *files;
	size_t file_count;
	struct span url_append; /* what is appended to a base URL; placeholders as in `url` */
	size_t url_max;         /* longest URL the phone takes, bytes */
	enum notify_form form;  /* FORM_RFC or FORM_PRINT */
};

enum { vendors_max = 64 };

struct vendors {
	struct vendor_pack *packs[vendors_max];
	size_t count;
};

/* A file that the loader asks for by name, relative to the pack: bytes, or -ENOENT. */
typedef int vendor_read_fn(void *context, struct span name, struct arena *arena,
			   struct span *bytes);

/*
 * Reads pack.json and compiles its templates. 0 and `*pack` (free with vendor_pack_free), -EINVAL
 * with "pack.json:LINE: FIELD: what is wrong" in `problem`, -ENOMEM.
 */
int vendor_pack_load(struct vendor_pack **pack, vendor_read_fn *read, void *context, char *problem,
		     size_t problem_size);
void vendor_pack_free(struct vendor_pack *pack);

/* By name, or NULL. */
const struct vendor_pack *vendor_find(const struct vendors *vendors, struct span name);

/*
 * The maker, from OUI, User-Agent and the Event's vendor, in that order (dialects.md E.4); `mac`
 * may be NULL. NULL when nobody knows it.
 */
const struct vendor_pack *vendor_recognise(const struct vendors *vendors, const struct mac *mac,
					   struct span sip_user_agent, struct span event_vendor);

#endif
