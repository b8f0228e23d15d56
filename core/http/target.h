/* SPDX-License-Identifier: MIT */
/*
 * Request targets: percent-encoding and query parameters (RFC 3986 2.1, RFC 9110 4.2).
 */
#ifndef BELLHOP_CORE_HTTP_TARGET_H
#define BELLHOP_CORE_HTTP_TARGET_H

#include "core/base/writer.h"

/*
 * Decodes %HH once (R-HTTP-31); a decoded '%' stays a '%'. 0; -EINVAL for a '%' without two
 * hexadecimal digits or one that stands for NUL; -ENOSPC when `decoded` has no room.
 */
int http_percent_decode(struct span text, struct writer *decoded);

/*
 * The value of query parameter `name`, percent-decoded and with '+' as a blank, into `value`. 0,
 * -ENOENT when it is not there, -EINVAL, -ENOSPC.
 */
int http_query_value(struct span query, struct span name, struct writer *value);

#endif
