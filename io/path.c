/* SPDX-License-Identifier: MIT */
#include "io/path.h"

#include "io/udp.h"

#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <unistd.h>

/* Connecting sends nothing: it looks the route up, as sending would. */
static bool look_up(int descriptor, struct address local, struct endpoint to, uint32_t interface)
{
	struct sockaddr_storage storage;
	socklen_t length = udp_sockaddr((struct endpoint){local, 0}, interface, &storage);
	int index = (int)interface;

	/* Without it (Linux before 5.7 asks for a privilege) the route alone decides. */
	if (interface != 0) {
		(void)setsockopt(descriptor, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index));
	}
	if (bind(descriptor, (struct sockaddr *)&storage, length) != 0) {
		return false;
	}
	length = udp_sockaddr(to, interface, &storage);
	return connect(descriptor, (struct sockaddr *)&storage, length) == 0;
}

bool path_local_address(struct endpoint to, uint32_t interface, struct address *local)
{
	bool is_ipv6 = to.address.family == ADDRESS_IPV6;
	int descriptor = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct address any = {.family = to.address.family};
	struct sockaddr_storage storage = {0};
	socklen_t length = sizeof(storage);
	bool is_found;

	if (descriptor < 0) {
		return false;
	}
	is_found = look_up(descriptor, any, to, interface) &&
		   getsockname(descriptor, (struct sockaddr *)&storage, &length) == 0;
	close(descriptor);
	if (is_found) {
		*local = udp_from_sockaddr(&storage).address;
	}
	return is_found;
}

size_t path_octets_max(struct address local, struct endpoint to, uint32_t interface)
{
	bool is_ipv6 = to.address.family == ADDRESS_IPV6;
	int descriptor = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(int);
	int octets = 0;

	if (descriptor < 0) {
		return 0;
	}
	if (!look_up(descriptor, local, to, interface) ||
	    getsockopt(descriptor, is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, is_ipv6 ? IPV6_MTU : IP_MTU,
		       &octets, &length) != 0) {
		octets = 0;
	}
	close(descriptor);
	return octets > 0 ? (size_t)octets : 0;
}
