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

/* Whom the name of a file tells. */
enum vendor_file_identity {
	FILE_IDENTITY_MAC,   /* one phone: the name holds its MAC */
	FILE_IDENTITY_MODEL, /* all phones of a model */
	FILE_IDENTITY_COMMON /* all phones of the maker */
};

/* A PCRE2 pattern of a pack, compiled without JIT; matches have a limit of steps. */
struct vendor_pattern {
	struct span text;
	struct span literal; /* what no text lacks that it matches, in small letters; or empty */
	bool literal_is_at_start; /* a text begins with it */
	void *code;		  /* pcre2_code */
};

struct vendor_patterns {
	struct vendor_pattern *items;
	size_t count;
};

/* One row of the pack's list of files: which names it answers to and how. */
struct vendor_file {
	enum vendor_file_kind kind;
	enum vendor_file_identity identity;
	struct span pattern; /* "<MAC>.cfg", "<model>.img": case-insensitive, `*` in none of them */
	/*
	 * What else its phones ask for and mean by it: matched against the whole last part of a
	 * path, without regard to case; groups `mac` and `model`. Without any, `pattern` alone.
	 */
	struct vendor_patterns match;
	struct vendor_pattern named; /* `pattern` for any device: the same groups */
	struct span content_type;
	struct jinja_template *template;
	struct span template_name;
	int format; /* enum jinja_format: how values are written */
	bool has_secrets;
	bool is_essential; /* a phone that has this one has what it should have */
};

/* How a phone is told something out of the blue: a NOTIFY outside any dialog (dialects.md C). */
struct vendor_order {
	struct span event;	  /* value of Event: "check-sync;reboot=false"; empty: cannot be */
	struct span content_type; /* with `body`; both may be empty */
	struct span body;
};

/* One shape of URL: how a base becomes what goes out (config_url). */
struct vendor_shape {
	struct span name;	   /* "folder": small letters, digits and '-' */
	struct span shape;	   /* "%{base}" */
	struct span without_model; /* for a device whose model is not known; may be empty */
};

/* A header of the maker's own in the NOTIFY. %{url} in its value is the URL. */
struct vendor_header {
	struct span name;
	struct span value;
};

/*
 * A DHCP option that the maker's phones read, and what is to stand in it: %{base} is the URL, with
 * its '/', and %{address} our own address.
 */
struct vendor_dhcp_option {
	uint8_t code;
	struct span value;
};

/* What a statement of a pack rests on, the strongest first. */
enum vendor_evidence {
	EVIDENCE_NONE,
	EVIDENCE_CAPTURE,
	EVIDENCE_FIRMWARE,
	EVIDENCE_MANUAL,
	EVIDENCE_CODE,
	EVIDENCE_INFERENCE
};

struct vendor_statement {
	struct span field; /* "recognise.oui" */
	enum vendor_evidence evidence;
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

/* Where a pack comes from. */
enum vendor_origin {
	VENDOR_SHIPPED,	 /* with Bellhop */
	VENDOR_OPERATORS /* from DATA/vendors */
};

struct vendor_pack {
	enum vendor_origin origin; /* for the loader's caller to say, like folder */
	char folder[64];	   /* "snom", as the folder is called; may be empty */
	unsigned users;		   /* how many struct vendors hold it */
	struct span text;	   /* pack.json */
	struct span name;	   /* "audiocodes" */
	struct span display_name;  /* "AudioCodes" */
	struct arena arena; /* owns everything of the pack but patterns, templates and data */
	/* How it is recognised and read; see doc/vendor-packs.md for the schema. */
	struct span *oui; /* hexadecimal prefixes of 6 to 9 digits, lower case */
	size_t oui_count;
	struct vendor_patterns sip_user_agent;	/* groups: model, version, mac */
	struct vendor_patterns http_user_agent; /* the same */
	struct vendor_patterns dhcp_class;	/* DHCP option 60; the same */
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
	struct vendor_shape *shapes; /* the first is tried first; at least one, once loaded */
	size_t shape_count;
	size_t url_max; /* longest URL the phone takes, bytes */
	/* The answer. */
	enum notify_form form;	       /* FORM_RFC or FORM_PRINT */
	bool ends_body_with_crlf;      /* and counts it (Grandstream) */
	bool echoes_event;	       /* the NOTIFY's Event has the SUBSCRIBE's parameters */
	struct span content_type;      /* "application/url" */
	struct vendor_header *headers; /* the maker's own, in the NOTIFY */
	size_t header_count;
	bool takes_unsolicited; /* a NOTIFY ua-profile that it did not ask for makes it fetch */
	uint16_t sip_port;	/* where its phones listen; 5060 */
	struct vendor_order resync;
	struct vendor_order reboot;
	bool resync_reboots;	      /* it restarts whatever `resync` says */
	bool resync_needs_account;    /* only at the address of a registered account (Gigaset) */
	bool resync_asks_credentials; /* answers 401 and wants the line's password (Cisco SPA) */
	/* DHCP: what their option 60 begins with (empty: not known), and the options they read. */
	struct span dhcp_class_prefix;
	struct vendor_dhcp_option *dhcp_options;
	size_t dhcp_option_count;
	/* For people: the README's table and `device show`. */
	struct span discovered_by;
	struct span identified_by;
	struct span *quirks;
	size_t quirk_count;
	struct vendor_statement *statements; /* "evidence" */
	size_t statement_count;
	void *data; /* json_t of the pack's "data": what its templates see as `data` */
};

enum { vendors_max = 64 };

/* One OUI of the index. */
struct vendor_oui {
	uint64_t key; /* the prefix, as 36 bits, and how many digits of them count */
	const struct vendor_pack *pack;
};

struct vendors {
	struct vendor_pack *packs[vendors_max];
	size_t count;
	struct vendor_oui *ouis; /* in the order of their keys, no two alike */
	size_t oui_count;
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
/* Nothing happens to one that vendors hold (still). */
void vendor_pack_free(struct vendor_pack *pack);

/*
 * Adds a pack, or puts it in the place of its namesake. The pack may be held by others as well: it
 * is freed when the last of them lets it go (all by one thread). Two packs of one origin cannot
 * have the same OUI, and the later is refused; of an operator's pack and a shipped one the
 * operator's has it, so that a new release never breaks what an operator has said. 0; -EEXIST with
 * "pack.json:LINE: recognise.oui[N]: whose it is" in `problem`; -ENOSPC with a sentence; -ENOMEM.
 * On failure the pack is still the caller's.
 */
int vendors_put(struct vendors *vendors, struct vendor_pack *pack, char *problem,
		size_t problem_size);
int vendors_add(struct vendors *vendors, struct vendor_pack *pack); /* without a sentence */
void vendors_free(struct vendors *vendors);

/* By name, or NULL. */
const struct vendor_pack *vendor_find(const struct vendors *vendors, struct span name);

/* Whose OUI a MAC has, the longest first; NULL when nobody's. */
const struct vendor_pack *vendor_by_oui(const struct vendors *vendors, struct mac mac);

/*
 * The maker, from OUI (longest prefix first), User-Agent (of SIP or HTTP) and the Event's vendor,
 * in that order (dialects.md E.4); `mac` may be NULL. NULL when nobody knows it. With a known OUI
 * no pattern is run; without, a hostile text costs at most vendor_steps_max steps over all packs
 * (vendor_match.h).
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
 * Reads a User-Agent by the pack's patterns, those of SIP or those of HTTP first and then the
 * others: true when one of them matched. A hostile text costs at most vendor_steps_max steps.
 */
bool vendor_read_user_agent(const struct vendor_pack *pack, struct span user_agent,
			    struct vendor_reading *reading);
bool vendor_read_http_user_agent(const struct vendor_pack *pack, struct span user_agent,
				 struct vendor_reading *reading);

/* The pack whose phones send this as DHCP option 60, and what it says; NULL when nobody knows. */
const struct vendor_pack *vendor_read_dhcp_class(const struct vendors *vendors, struct span text,
						 struct vendor_reading *reading);

/* The pack's URL shape with this name, else its first; NULL when it has none. */
const struct vendor_shape *vendor_shape_find(const struct vendor_pack *pack, struct span name);

/* What the pack's statement `field` rests on: as its "evidence" says; "" when that says nothing. */
const char *vendor_evidence_name(const struct vendor_pack *pack, struct span field);

/* The model that an Event's model parameter names, by event_model; the text itself without one. */
struct span vendor_event_model(const struct vendor_pack *pack, struct span model);

#endif
