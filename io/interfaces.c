/* SPDX-License-Identifier: MIT */
#include "io/interfaces.h"

#include "io/netlink.h"

#include <errno.h>
#include <linux/if.h>
#include <net/if_arp.h>
#include <stdlib.h>

enum { dump_tries_max = 5 };

struct interfaces {
	struct netlink netlink;
	struct log *log;
	struct interfaces_listener *listeners;
	struct interface interfaces[interfaces_max];
	size_t count;
	struct interface_address addresses[interface_addresses_max];
	size_t address_count;
	bool is_full_told;
};

const struct interface *interfaces_by_index(const struct interfaces *interfaces, uint32_t index)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		if (interfaces->interfaces[i].index == index) {
			return &interfaces->interfaces[i];
		}
	}
	return NULL;
}

const struct interface *interfaces_by_name(const struct interfaces *interfaces, const char *name)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		if (strcmp(interfaces->interfaces[i].name, name) == 0) {
			return &interfaces->interfaces[i];
		}
	}
	return NULL;
}

const struct interface *interfaces_at(const struct interfaces *interfaces, size_t i)
{
	return i < interfaces->count ? &interfaces->interfaces[i] : NULL;
}

const struct interface_address *interfaces_address_at(const struct interfaces *interfaces, size_t i)
{
	return i < interfaces->address_count ? &interfaces->addresses[i] : NULL;
}

bool interfaces_is_own(const struct interfaces *interfaces, struct address address)
{
	if (address_is_loopback(address)) {
		return true;
	}
	for (size_t i = 0; i < interfaces->address_count; i++) {
		if (address_equal(interfaces->addresses[i].address, address)) {
			return true;
		}
	}
	return false;
}

/* The prefix's first and last address, which no host has; links of two hosts have none (RFC 3021).
 */
static bool is_edge_of_prefix(const struct interface_address *entry, struct address address)
{
	unsigned bits = entry->prefix_bits;
	bool is_first = true;
	bool is_last = true;

	if (address.family != ADDRESS_IPV4 || bits >= 31) {
		return false;
	}
	for (unsigned bit = bits; bit < 32; bit++) {
		if (address.octets[bit / 8] & (0x80 >> bit % 8)) {
			is_first = false;
		} else {
			is_last = false;
		}
	}
	return is_first || is_last;
}

static bool entry_covers(const struct interface_address *entry, struct address address)
{
	return address_in_prefix(address, entry->network, entry->prefix_bits) &&
	       !is_edge_of_prefix(entry, address);
}

static bool is_host_address(struct address address)
{
	return address_is_set(address) && !address_is_any(address) &&
	       !address_is_multicast(address) && !address_is_broadcast(address);
}

/* The entry whose prefix the address lies in, on the interface (0: on any that is no loopback). */
static const struct interface_address *entry_towards(const struct interfaces *interfaces,
						     struct address address, uint32_t index)
{
	const struct interface_address *best = NULL;

	if (!is_host_address(address) || interfaces_is_own(interfaces, address)) {
		return NULL;
	}
	for (size_t i = 0; i < interfaces->address_count; i++) {
		const struct interface_address *entry = &interfaces->addresses[i];

		if (index != 0 ? entry->interface != index : address_is_loopback(entry->address)) {
			continue;
		}
		if (entry_covers(entry, address) &&
		    (!best || entry->prefix_bits > best->prefix_bits)) {
			best = entry;
		}
	}
	return best;
}

bool interfaces_is_on_link(const struct interfaces *interfaces, struct address address,
			   uint32_t index)
{
	return entry_towards(interfaces, address, index) != NULL;
}

uint32_t interfaces_towards(const struct interfaces *interfaces, struct address address)
{
	const struct interface_address *entry = entry_towards(interfaces, address, 0);

	return entry ? entry->interface : 0;
}

static bool is_link_local(struct address address)
{
	return address.family == ADDRESS_IPV6 && address.octets[0] == 0xfe &&
	       (address.octets[1] & 0xc0) == 0x80;
}

int interfaces_local_address(const struct interfaces *interfaces, struct address source,
			     uint32_t index, struct address *local)
{
	const struct interface_address *best = NULL;
	unsigned best_rank = 0;

	for (size_t i = 0; i < interfaces->address_count; i++) {
		const struct interface_address *entry = &interfaces->addresses[i];
		unsigned rank = 1;

		if (entry->interface != index || entry->address.family != source.family ||
		    is_link_local(entry->address) != is_link_local(source)) {
			continue;
		}
		if (address_in_prefix(source, entry->network, entry->prefix_bits)) {
			rank = 2 + entry->prefix_bits;
		}
		if (address_equal(entry->address, source)) {
			rank = 1000; /* from ourselves: answer from that very address */
		}
		if (rank > best_rank) {
			best = entry;
			best_rank = rank;
		}
	}
	if (!best) {
		return -EADDRNOTAVAIL;
	}
	*local = best->address;
	return 0;
}

static void tell(struct interfaces *interfaces, uint32_t index)
{
	struct interfaces_listener *next;

	for (struct interfaces_listener *l = interfaces->listeners; l; l = next) {
		next = l->next;
		l->changed(l->context, index);
	}
}

static void tell_full(struct interfaces *interfaces)
{
	if (!interfaces->is_full_told) {
		log_warning(interfaces->log, "interfaces_full",
			    "more than %d interfaces or %d addresses; the rest is not seen",
			    interfaces_max, interface_addresses_max);
		interfaces->is_full_told = true;
	}
}

static void remove_addresses_of(struct interfaces *interfaces, uint32_t index)
{
	size_t kept = 0;

	for (size_t i = 0; i < interfaces->address_count; i++) {
		if (interfaces->addresses[i].interface != index) {
			interfaces->addresses[kept++] = interfaces->addresses[i];
		}
	}
	interfaces->address_count = kept;
}

static void remove_link(struct interfaces *interfaces, uint32_t index)
{
	size_t kept = 0;

	remove_addresses_of(interfaces, index);
	for (size_t i = 0; i < interfaces->count; i++) {
		if (interfaces->interfaces[i].index != index) {
			interfaces->interfaces[kept++] = interfaces->interfaces[i];
		}
	}
	interfaces->count = kept;
}

/* A name ends in a NUL on the wire; what is too long is no name. */
static void read_name(const struct nlattr *attribute, char name[static IF_NAMESIZE])
{
	size_t length = attribute ? mnl_attr_get_payload_len(attribute) : 0;

	if (length > 0 && length <= IF_NAMESIZE) {
		memcpy(name, mnl_attr_get_payload(attribute), length);
		name[length - 1] = '\0';
	}
}

static void take_link(struct interfaces *interfaces, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attributes[IFLA_IFNAME + 1];
	const struct nlattr *hardware;
	struct interface found = {0};
	size_t at;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) || info->ifi_index <= 0 ||
	    info->ifi_family != AF_UNSPEC) { /* bridges tell of their ports as AF_BRIDGE */
		return;
	}
	found.index = (uint32_t)info->ifi_index;
	if (message->nlmsg_type == RTM_DELLINK) {
		remove_link(interfaces, found.index);
		tell(interfaces, found.index);
		return;
	}
	found.is_up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_LOWER_UP);
	found.is_loopback = info->ifi_flags & IFF_LOOPBACK;
	found.is_multicast = info->ifi_flags & IFF_MULTICAST;
	netlink_attributes(message, sizeof(*info), attributes, IFLA_IFNAME + 1);
	read_name(attributes[IFLA_IFNAME], found.name);
	hardware = attributes[IFLA_ADDRESS];
	if (hardware && info->ifi_type == ARPHRD_ETHER &&
	    mnl_attr_get_payload_len(hardware) == sizeof(found.mac.octets)) {
		memcpy(found.mac.octets, mnl_attr_get_payload(hardware), sizeof(found.mac.octets));
		found.has_mac = true;
	}
	for (at = 0; at < interfaces->count; at++) {
		if (interfaces->interfaces[at].index == found.index) {
			break;
		}
	}
	if (at == interfaces_max) {
		tell_full(interfaces);
		return;
	}
	if (at == interfaces->count) {
		interfaces->count++;
	}
	interfaces->interfaces[at] = found;
	tell(interfaces, found.index);
}

/* rtnetlink(7): IFA_LOCAL is ours and IFA_ADDRESS the prefix or the peer; IPv6 has only the latter.
 */
static bool parse_address(const struct nlmsghdr *message, struct interface_address *found)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attributes[IFA_LOCAL + 1];

	*found = (struct interface_address){0};
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
	    info->ifa_prefixlen > (info->ifa_family == AF_INET ? 32 : 128)) {
		return false;
	}
	found->interface = info->ifa_index;
	found->prefix_bits = info->ifa_prefixlen;
	netlink_attributes(message, sizeof(*info), attributes, IFA_LOCAL + 1);
	found->network = netlink_address(attributes[IFA_ADDRESS], info->ifa_family);
	found->address = netlink_address(attributes[IFA_LOCAL], info->ifa_family);
	if (!address_is_set(found->address)) {
		found->address = found->network;
	}
	return address_is_set(found->address) && address_is_set(found->network);
}

static void take_address(struct interfaces *interfaces, const struct nlmsghdr *message)
{
	struct interface_address found;
	size_t at;

	if (!parse_address(message, &found)) {
		return;
	}
	for (at = 0; at < interfaces->address_count; at++) {
		const struct interface_address *entry = &interfaces->addresses[at];

		if (entry->interface == found.interface &&
		    entry->prefix_bits == found.prefix_bits &&
		    address_equal(entry->address, found.address) &&
		    address_equal(entry->network, found.network)) {
			break;
		}
	}
	if (message->nlmsg_type == RTM_DELADDR) {
		if (at == interfaces->address_count) {
			return;
		}
		/* Keeps the order: the first of a family is the one that others know us by. */
		interfaces->address_count--;
		memmove(&interfaces->addresses[at], &interfaces->addresses[at + 1],
			(interfaces->address_count - at) * sizeof(found));
	} else if (at == interface_addresses_max) {
		tell_full(interfaces);
		return;
	} else if (at == interfaces->address_count) {
		interfaces->addresses[interfaces->address_count++] = found;
	}
	tell(interfaces, found.interface);
}

void interfaces_take(struct interfaces *interfaces, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWLINK || message->nlmsg_type == RTM_DELLINK) {
		take_link(interfaces, message);
	} else if (message->nlmsg_type == RTM_NEWADDR || message->nlmsg_type == RTM_DELADDR) {
		take_address(interfaces, message);
	}
}

static void message_came(void *context, const struct nlmsghdr *message)
{
	interfaces_take(context, message);
}

static int read_all(struct interfaces *interfaces)
{
	int error = -EAGAIN;

	for (int i = 0; i < dump_tries_max && error == -EAGAIN; i++) {
		interfaces->count = 0;
		interfaces->address_count = 0;
		error = netlink_dump(&interfaces->netlink, RTM_GETLINK);
		if (!error) {
			error = netlink_dump(&interfaces->netlink, RTM_GETADDR);
		}
	}
	return error;
}

static void messages_lost(void *context)
{
	struct interfaces *interfaces = context;
	struct interfaces_listener *listeners = interfaces->listeners;
	int error;

	/* Nobody is told of the steps in between, when interfaces seem to be gone. */
	interfaces->listeners = NULL;
	error = read_all(interfaces);
	interfaces->listeners = listeners;
	if (error) {
		log_warning(interfaces->log, "interfaces_unread",
			    "the list of interfaces could not be read anew: %s", strerror(-error));
	}
	tell(interfaces, 0);
}

int interfaces_open(struct interfaces **interfaces, struct loop *loop, struct log *log)
{
	static const unsigned groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
					  RTNLGRP_NONE};
	struct interfaces *made = interfaces_new_detached();
	int error;

	if (!made) {
		return -ENOMEM;
	}
	made->log = log;
	made->netlink.message = message_came;
	made->netlink.lost = messages_lost;
	made->netlink.context = made;
	error = netlink_open(&made->netlink, loop, groups);
	if (error) {
		free(made);
		return error;
	}
	error = read_all(made);
	if (error) {
		netlink_close(&made->netlink, free);
		return error;
	}
	*interfaces = made;
	return 0;
}

void interfaces_close(struct interfaces *interfaces)
{
	interfaces->listeners = NULL;
	netlink_close(&interfaces->netlink, free);
}

void interfaces_listen(struct interfaces *interfaces, struct interfaces_listener *listener)
{
	listener->next = interfaces->listeners;
	interfaces->listeners = listener;
}

void interfaces_unlisten(struct interfaces *interfaces, struct interfaces_listener *listener)
{
	for (struct interfaces_listener **l = &interfaces->listeners; *l; l = &(*l)->next) {
		if (*l == listener) {
			*l = listener->next;
			return;
		}
	}
}

struct interfaces *interfaces_new_detached(void)
{
	return calloc(1, sizeof(struct interfaces));
}

void interfaces_free_detached(struct interfaces *interfaces)
{
	free(interfaces);
}
