/* SPDX-License-Identifier: MIT */
/* What the kernel knows of the way to somebody. */
#ifndef BELLHOP_IO_PATH_H
#define BELLHOP_IO_PATH_H

#include "core/base/address.h"

/*
 * The largest IP packet, its header included, that the way from `local` to `to` takes whole: by the
 * route, by the interface, by what routers have told. Only the first hop is known for sure.
 * `interface`: the index to leave on, 0: by route. 0 when there is no way.
 */
size_t path_octets_max(struct address local, struct endpoint to, uint32_t interface);

/* Our address that the route to `to` leaves from: true and `*local`, or false without a route. */
bool path_local_address(struct endpoint to, uint32_t interface, struct address *local);

#endif
