/* SPDX-License-Identifier: MIT */
/*
 * Vendor packs on disk: every folder FOLDER/<maker>/ that has a pack.json is read with
 * core/fleet/vendor.h, which asks for the files it names by way of the reader here.
 */
#ifndef BELLHOP_IO_PACKS_H
#define BELLHOP_IO_PACKS_H

#include "core/fleet/vendor.h"

enum { packs_path_max = 4096 };

/*
 * The folder of the packs that come with Bellhop: $BELLHOP_VENDORS, else vendors/ beside the build
 * folder that this program lies in, else <prefix>/share/bellhop/vendors. Only a folder that has a
 * pack counts. 0, or -ENOENT.
 */
int packs_find_folder(char path[static packs_path_max]);

/* Where packs are read. */
struct packs_source {
	const char *folder; /* without a '/' at its end */
	enum vendor_origin origin;
	const struct vendors *before; /* those that are in use while this is a reload; or NULL */
	/* Is told of each that is refused, "PATH/pack.json:LINE: FIELD: why"; or NULL. */
	void (*refused)(void *context, const char *sentence);
	void *context;
};

/*
 * Adds every pack below the folder, in the order of their names; a namesake takes the place of what
 * was there. A broken pack is refused whole: `refused` is told file, line and field, what was
 * loaded from its folder before (if anything) is added in its stead, and the others go on. Returns
 * how many were refused, or a negative errno when the folder cannot be read (-ENOENT: there is
 * none).
 */
int packs_load(const struct packs_source *source, struct vendors *vendors);

/*
 * Loads the pack of one folder. 0 and `*pack`; a negative errno with one sentence
 * ("pack.json:LINE: FIELD: what is wrong") in `problem`: -ENOENT there is no pack in it.
 */
int packs_check(const char *path, struct vendor_pack **pack, char *problem, size_t problem_size);

#endif
