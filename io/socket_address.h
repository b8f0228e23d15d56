/* SPDX-License-Identifier: MIT */
/*
 * Between struct endpoint and the kernel's struct sockaddr.
 */
#ifndef BELLHOP_IO_SOCKET_ADDRESS_H
#define BELLHOP_IO_SOCKET_ADDRESS_H

#include "core/base/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* The size of what was written. `interface` is the scope of a link-local IPv6 address, else 0. */
socklen_t socket_address_from(struct endpoint endpoint, uint32_t interface,
			      struct sockaddr_storage *storage);

/* IPv4-mapped addresses come out as IPv4; family ADDRESS_NONE for what is neither. */
struct endpoint socket_address_to(const struct sockaddr_storage *storage);

#endif
