/* SPDX-License-Identifier: MIT */
/*
 * What the bare name of a file tells of the phone that asks for it: whose files are called so, and
 * which MAC and model stand in it. It is a claim like any other: names can be made up.
 */
#ifndef BELLHOP_CORE_FLEET_VENDOR_FILES_H
#define BELLHOP_CORE_FLEET_VENDOR_FILES_H

#include "core/fleet/vendor.h"

struct vendor_file_reading {
	const struct vendor_pack *pack; /* NULL when it is ambiguous */
	const struct vendor_file *rule; /* of that pack; its identity says whom such a name tells */
	bool is_ambiguous;		/* phones of several makers ask for such a name */
	uint64_t candidates;		/* bit i: packs[i] has such a name */
	bool has_mac; /* of an ambiguous name: all candidates read the same MAC in it */
	struct mac mac;
	struct span model; /* into `name`; the same; may be empty */
};

/*
 * Reads the last part of a path ("snomD785-000413922D24.htm", "cfg000b82632815.xml",
 * "y000000000046.cfg"), in any case, a MAC in any spelling. True when a pack has such a name. A
 * name with a device's MAC goes before one that is spelt out in a pack, and that before one that is
 * only some model and an ending. Of several makers the one counts whose OUI the MAC has, if there
 * is one. Costs at most the steps of vendor_match.h over all packs together.
 */
bool vendor_read_file_name(const struct vendors *vendors, struct span name,
			   struct vendor_file_reading *reading);

#endif
