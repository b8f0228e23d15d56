/* SPDX-License-Identifier: MIT */
/*
 * Vendor packs on disk: every folder FOLDER/<maker>/ that has a pack.json is read with
 * core/fleet/vendor.h, which asks for the files it names by way of the reader here.
 */
#ifndef BELLHOP_IO_PACKS_H
#define BELLHOP_IO_PACKS_H

#include "core/fleet/vendor.h"
#include "io/log.h"

enum { packs_path_max = 4096 };

/*
 * The folder of the packs that come with Bellhop: $BELLHOP_VENDORS, else vendors/ beside the build
 * folder that this program lies in, else <prefix>/share/bellhop/vendors. Only a folder that has a
 * pack counts. 0, or -ENOENT.
 */
int packs_find_folder(char path[static packs_path_max]);

/*
 * Adds every pack below `folder`, in the order of their names; a namesake takes the place of what
 * was there. A broken pack is refused whole: an error line names file, line and field, and the
 * others go on. Returns how many were refused, or a negative errno when the folder cannot be read
 * (-ENOENT: there is none).
 */
int packs_load(struct vendors *vendors, const char *folder, struct log *log);

#endif
