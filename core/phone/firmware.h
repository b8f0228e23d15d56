/* SPDX-License-Identifier: MIT */
/*
 * The version of a firmware image from its first bytes. The manual says that the phone reads only
 * the header of the image and compares the version there with its own: different, not greater,
 * means new (audiocodes.md 3.1). The layout of the header is not public, so the version is sought
 * as text, in the forms that are known (doc/decisions/0004-agent-firmware-probe.md).
 */
#ifndef BELLHOP_CORE_PHONE_FIRMWARE_H
#define BELLHOP_CORE_PHONE_FIRMWARE_H

#include "core/base/span.h"

enum { phone_firmware_probe_bytes = 1024, phone_firmware_version_max = 64 };

/*
 * Seeks `SWVERSION=`, `SW_VERSION=` or `VERSION=` (any case, blanks or quotes around the value
 * allowed) in the first phone_firmware_probe_bytes, then a version that stands alone between octets
 * which are no part of one: digits with at least two dots, with an optional `UC_` before and
 * `_build_N` behind. 0 and a view into `head`, or -ENOENT.
 */
int phone_firmware_version(struct span head, struct span *version);

/* Whether two versions name the same release: equal without regard to case and a leading "UC_". */
bool phone_firmware_same_version(struct span a, struct span b);

#endif
