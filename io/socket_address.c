/* SPDX-License-Identifier: MIT */
#include "io/socket_address.h"

#include <arpa/inet.h>

socklen_t socket_address_from(struct endpoint endpoint, uint32_t interface,
			      struct sockaddr_storage *storage)
{
	*storage = (struct sockaddr_storage){0};
	if (endpoint.address.family == ADDRESS_IPV6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(endpoint.port);
		memcpy(&in6->sin6_addr, endpoint.address.octets, 16);
		if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr)) {
			in6->sin6_scope_id = interface;
		}
		return sizeof(*in6);
	}
	struct sockaddr_in *in = (struct sockaddr_in *)storage;

	in->sin_family = AF_INET;
	in->sin_port = htons(endpoint.port);
	memcpy(&in->sin_addr, endpoint.address.octets, 4);
	return sizeof(*in);
}

struct endpoint socket_address_to(const struct sockaddr_storage *storage)
{
	struct endpoint endpoint = {.port = 0};

	if (storage->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)storage;

		endpoint.address.family = ADDRESS_IPV4;
		memcpy(endpoint.address.octets, &in->sin_addr, 4);
		endpoint.port = ntohs(in->sin_port);
	} else if (storage->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;

		endpoint.address.family = ADDRESS_IPV6;
		memcpy(endpoint.address.octets, &in6->sin6_addr, 16);
		endpoint.address = address_unmapped(endpoint.address);
		endpoint.port = ntohs(in6->sin6_port);
	}
	return endpoint;
}
