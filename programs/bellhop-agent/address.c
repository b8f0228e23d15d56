/* SPDX-License-Identifier: MIT */
#include "programs/bellhop-agent/address.h"

#include "io/udp.h"
#include "programs/bellhop-agent/show.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <unistd.h>

static struct endpoint group(void)
{
	return (struct endpoint){address_ipv4(224, 0, 1, 75), sip_port_default};
}

static struct address address_of(const struct sockaddr *socket_address)
{
	struct sockaddr_storage storage = {0};

	memcpy(&storage, socket_address,
	       socket_address->sa_family == AF_INET ? sizeof(struct sockaddr_in)
						    : sizeof(struct sockaddr_in6));
	return udp_from_sockaddr(&storage).address;
}

/* The address that the kernel would send from. */
static int route_source(struct endpoint target, struct address *address)
{
	struct sockaddr_storage storage;
	socklen_t length = udp_sockaddr(target, 0, &storage);
	int descriptor = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (descriptor < 0) {
		return -errno;
	}
	if (connect(descriptor, (struct sockaddr *)&storage, length) != 0) {
		error = -errno;
	}
	length = sizeof(storage);
	if (error == 0 && getsockname(descriptor, (struct sockaddr *)&storage, &length) != 0) {
		error = -errno;
	}
	close(descriptor);
	if (error == 0) {
		*address = udp_from_sockaddr(&storage).address;
	}
	return error;
}

/* The first address of that interface in the target's family. */
static int interface_address(const struct ifaddrs *list, const char *name, uint8_t family,
			     struct address *address)
{
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		if (!entry->ifa_addr || strcmp(entry->ifa_name, name) != 0 ||
		    (entry->ifa_addr->sa_family != AF_INET &&
		     entry->ifa_addr->sa_family != AF_INET6)) {
			continue;
		}
		if (address_of(entry->ifa_addr).family == family) {
			*address = address_of(entry->ifa_addr);
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

/* The name of the interface that has our address; the name has the list's life. */
static const char *interface_with(const struct ifaddrs *list, struct address address)
{
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		if (entry->ifa_addr &&
		    (entry->ifa_addr->sa_family == AF_INET ||
		     entry->ifa_addr->sa_family == AF_INET6) &&
		    address_equal(address_of(entry->ifa_addr), address)) {
			return entry->ifa_name;
		}
	}
	return NULL;
}

static bool interface_mac(const struct ifaddrs *list, const char *name, struct mac *mac)
{
	for (const struct ifaddrs *entry = list; name && entry; entry = entry->ifa_next) {
		const struct sockaddr_ll *link = (const void *)entry->ifa_addr;

		if (!link || link->sll_family != AF_PACKET || strcmp(entry->ifa_name, name) != 0 ||
		    link->sll_halen != sizeof(mac->octets)) {
			continue;
		}
		memcpy(mac->octets, link->sll_addr, sizeof(mac->octets));
		return mac_is_device(*mac);
	}
	return false;
}

static int find_address(const struct options *options, const struct ifaddrs *list,
			struct place *place)
{
	uint8_t family = place->target.address.family;
	int error = 0;

	if (options->has_address) {
		place->local.address = options->address;
	} else if (options->interface && !address_is_loopback(place->target.address)) {
		error = interface_address(list, options->interface, family, &place->local.address);
	} else {
		error = route_source(place->target, &place->local.address);
	}
	if (error != 0) {
		show_problem("no address to send from%s%s: %s; name one with --address",
			     options->interface ? " on " : "",
			     options->interface ? options->interface : "", strerror(-error));
		return error;
	}
	if (place->local.address.family != family) {
		show_problem("--address and --server are of different families");
		return -EINVAL;
	}
	return 0;
}

int place_find(const struct options *options, struct place *place)
{
	struct ifaddrs *list = NULL;
	const char *name = options->interface;
	int error = 0;

	*place = (struct place){.local.port = options->port};
	place->target = options->has_server ? options->server : group();
	if (name) {
		place->interface = if_nametoindex(name);
		if (place->interface == 0) {
			show_problem("--interface %s: there is no such interface", name);
			return -ENODEV;
		}
	}
	if (getifaddrs(&list) != 0) {
		error = -errno;
		show_problem("the addresses of this host: %s", strerror(-error));
		return error;
	}
	error = find_address(options, list, place);
	if (error == 0) {
		place->mac = options->mac;
		place->has_mac = options->has_mac;
		if (!options->has_mac) {
			name = name ? name : interface_with(list, place->local.address);
			place->has_mac = interface_mac(list, name, &place->mac);
		}
	}
	freeifaddrs(list);
	if (error == 0 && !place->has_mac) {
		show_problem("the interface has no MAC; name one with --mac");
		error = -ENODATA;
	}
	return error;
}
