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
	int format; /* enum jinja_format: how values are written */
	bool has_secrets;
	bool is_essential; /* a phone that has this one has what it should have */
};

/* A PCRE2 pattern of a pack, compiled without JIT; matches have a limit of steps. */
struct vendor_pattern {
	struct span text;
	void *code; /* pcre2_code */
};

struct vendor_patterns {
	struct vendor_pattern *items;
	size_t count;
};

enum vendor_parameter_kind { PARAMETER_TEXT, PARAMETER_INTEGER, PARAMETER_CHOICE };

/* One parameter of the maker's files and what it may be: see parameters.h. */
struct vendor_parameter {
	struct span name; /* "voip/line/[0-5]/id" */
	enum vendor_parameter_kind kind;
	uint64_t min;
	uint64_t max;	     /* of a text: bytes */
	struct span choices; /* "UDP|TCP|TLS" */
};

struct vendor_pack {
	struct span name;	  /* "audiocodes" */
	struct span display_name; /* "AudioCodes" */
	struct arena arena;	  /* owns everything of the pack but patterns, templates and data */
	/* How it is recognised and read; see doc/vendor-packs.md for the schema. */
	struct span *oui; /* hexadecimal prefixes of 6 to 9 digits, lower case */
	size_t oui_count;
	struct vendor_patterns sip_user_agent;	/* groups: model, version, mac */
	struct vendor_patterns http_user_agent; /* the same */
	struct vendor_patterns event_vendor;
	struct vendor_patterns
		event_model; /* group model: what of the Event's model is the model */
	struct vendor_file *files;
	size_t file_count;
	struct vendor_parameter *parameters; /* of files in the format `line`; may be none */
	size_t parameter_count;
	/*
	 * How a base URL becomes the one that goes out; placeholders as in [provisioning] url, and
	 * %{base} (all of it), %{origin} (up to and with the first '/' behind the host) and
	 * %{path} (the rest). Empty: the base as it is.
	 */
	struct span url_shape;
	struct span
		url_shape_without_model; /* for a device whose model is not known; may be empty */
	size_t url_max;			 /* longest URL the phone takes, bytes */
	enum notify_form form;		 /* FORM_RFC or FORM_PRINT */
	void *data; /* json_t of the pack's "data": what its templates see as `data` */
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
 * Reads pack.json and compiles its patterns and templates. 0 and `*pack` (free with
 * vendor_pack_free), -EINVAL with "pack.json:LINE: FIELD: what is wrong" (or the template's name,
 * line and mistake) in `problem`, -ENOENT pack.json is not there, -ENOMEM. The shell must have
 * called json_object_seed() before.
 */
int vendor_pack_load(struct vendor_pack **pack, vendor_read_fn *read, void *context, char *problem,
		     size_t problem_size);
void vendor_pack_free(struct vendor_pack *pack);

/* Adds a pack, or puts it in the place of its namesake, which is freed. 0 or -ENOSPC. */
int vendors_add(struct vendors *vendors, struct vendor_pack *pack);
void vendors_free(struct vendors *vendors);

/* By name, or NULL. */
const struct vendor_pack *vendor_find(const struct vendors *vendors, struct span name);

/*
 * The maker, from OUI (longest prefix first), User-Agent (of SIP or HTTP) and the Event's vendor,
 * in that order (dialects.md E.4); `mac` may be NULL. NULL when nobody knows it.
 */
const struct vendor_pack *vendor_recognise(const struct vendors *vendors, const struct mac *mac,
					   struct span user_agent, struct span event_vendor);

/* What a text says of the phone; spans into that text, empty where it says nothing. */
struct vendor_reading {
	struct span model;
	struct span version;
	struct span mac; /* as it is spelt there: for mac_parse */
};

/*
 * Reads a User-Agent by the pack's patterns: true when one of them matched. A hostile text costs at
 * most the limit of steps of each pattern.
 */
bool vendor_read_user_agent(const struct vendor_pack *pack, struct span user_agent,
			    struct vendor_reading *reading);

/* The model that an Event's model parameter names, by event_model; the text itself without one. */
struct span vendor_event_model(const struct vendor_pack *pack, struct span model);

#endif
