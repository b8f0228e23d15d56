/* SPDX-License-Identifier: MIT */
/* Of bellhop doctor: interfaces, their joins, bridges, and a firewall before the group. */
#include "programs/bellhop/client.h"
#include "programs/bellhop/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { probe_wait_ms = 400, probe_rounds = 4, address_size = address_text_size };

static struct endpoint group_of(const struct doctor *doctor)
{
	return doctor->config.sip_group.count > 0 ? doctor->config.sip_group.endpoints[0]
						  : (struct endpoint){0};
}

/* --- Interfaces. --- */

/* /proc/net/igmp names each group as the eight digits of its octets in the machine's own order. */
static bool is_joined(uint32_t interface, struct address group)
{
	FILE *file = fopen("/proc/net/igmp", "re");
	char line[256];
	uint32_t wanted;
	uint32_t index = 0;
	bool is_found = false;

	memcpy(&wanted, group.octets, sizeof(wanted));
	while (file && !is_found && fgets(line, sizeof(line), file)) {
		if (line[0] != '\t' && line[0] != ' ') {
			index = (uint32_t)strtoul(line, NULL, 10);
		} else if (index == interface) {
			is_found = strtoul(line, NULL, 16) == wanted;
		}
	}
	if (file) {
		fclose(file);
	}
	return is_found;
}

static void check_join(struct doctor *doctor, const struct interface *interface,
		       const char *address)
{
	struct endpoint group = group_of(doctor);

	if (!doctor->status || !address_is_set(group.address)) {
		doctor_tell(doctor, DOCTOR_OK, "interface", NULL,
			    "%s (%s) is up and does multicast", interface->name, address);
	} else if (is_joined(interface->index, group.address)) {
		doctor_tell(doctor, DOCTOR_OK, "interface", NULL,
			    "%s (%s) is up, does multicast, and the group is joined there",
			    interface->name, address);
	} else {
		doctor_tell(doctor, DOCTOR_FAULT, "interface",
			    "see bellhopd's log for why; at most net.ipv4.igmp_max_memberships "
			    "groups can be joined by one socket",
			    "the group is not joined on %s (%s): no phone there is heard",
			    interface->name, address);
	}
}

static void check_interface(struct doctor *doctor, const struct interface *interface)
{
	const struct interface_address *own = doctor_address(doctor, interface);
	char address[address_size] = "no address";

	if (own) {
		address_text(own->address, address);
	}
	if (!interface->is_up) {
		doctor_tell(doctor, DOCTOR_FAULT, "interface",
			    "put the cable in, or: ip link set NAME up",
			    "%s is down: no phone there is heard", interface->name);
	} else if (!interface->is_multicast && !interface->is_loopback) {
		doctor_tell(doctor, DOCTOR_FAULT, "interface", "ip link set NAME multicast on",
			    "%s does no multicast: no phone there is heard", interface->name);
	} else if (!own) {
		doctor_tell(doctor, DOCTOR_FAULT, "interface",
			    "give it an address of the phones' network",
			    "%s has no IPv4 address: phones there cannot be answered",
			    interface->name);
	} else {
		check_join(doctor, interface, address);
	}
}

/* Those that nobody configured and that cannot hear phones are worth a word. */
static void tell_deaf(struct doctor *doctor)
{
	const struct interface *interface;

	for (size_t i = 0; (interface = interfaces_at(doctor->interfaces, i)); i++) {
		if (!interface->is_loopback && interface->is_up && !interface->is_multicast) {
			doctor_tell(doctor, DOCTOR_WARNING, "interface",
				    "ip link set NAME multicast on, if there are phones",
				    "%s is up and does no multicast", interface->name);
		}
	}
}

void doctor_check_interfaces(struct doctor *doctor)
{
	const struct interface *interface;
	char name[IF_NAMESIZE];
	size_t count = 0;
	size_t found = 0;

	for (; doctor_interface_name(doctor, count, name); count++) {
		interface = interfaces_by_name(doctor->interfaces, name);
		if (interface) {
			check_interface(doctor, interface);
		} else {
			doctor_tell(doctor, DOCTOR_WARNING, "interface",
				    "it is joined as soon as it is there; or correct interfaces in "
				    "[sip]",
				    "there is no interface %s", name);
		}
	}
	if (count > 0) {
		return;
	}
	while ((interface = doctor_interface(doctor, found))) {
		check_interface(doctor, interface);
		found++;
	}
	tell_deaf(doctor);
	if (found == 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "interface",
			    "bring up the one that the phones are on: ip link set NAME up",
			    "no interface is up and does multicast");
	}
}

/* --- Bridges that listen to IGMP and forget whom they have heard. --- */

static int read_flag(const char *bridge, const char *name)
{
	char path[256];
	int value = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge/%s", bridge, name);
	file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%d", &value) != 1) {
			value = 0;
		}
		fclose(file);
	}
	return value;
}

void doctor_check_bridges(struct doctor *doctor)
{
	const struct interface *interface;

	for (size_t i = 0; (interface = interfaces_at(doctor->interfaces, i)); i++) {
		if (interface->is_up && read_flag(interface->name, "multicast_snooping") == 1 &&
		    read_flag(interface->name, "multicast_querier") == 0) {
			doctor_tell(
				doctor, DOCTOR_NOTE, "bridge",
				"where no switch or router queries: ip link set NAME type bridge "
				"mcast_querier 1, or mcast_snooping 0",
				"the bridge %s follows IGMP and asks nobody itself: without a "
				"querier on that network it forgets our joins after minutes",
				interface->name);
		}
	}
}

/* --- A firewall. --- */

static int open_receiver(struct endpoint group, const struct interface *interface)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(group.port)};
	struct ip_mreqn join = {.imr_ifindex = (int)interface->index};
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;
	int off = 0;
	int error = 0;

	if (descriptor < 0) {
		return -errno;
	}
	memcpy(&here.sin_addr, group.address.octets, sizeof(here.sin_addr));
	join.imr_multiaddr = here.sin_addr;
	if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)) != 0 ||
	    bind(descriptor, (const struct sockaddr *)&here, sizeof(here)) != 0 ||
	    setsockopt(descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) != 0) {
		error = -errno;
		close(descriptor);
	}
	return error ? error : descriptor;
}

/* A keep-alive that leaves this machine for nowhere: its TTL is 0. Its source port, or -errno. */
static int send_probe(struct endpoint group, const struct interface *interface)
{
	struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(group.port)};
	struct sockaddr_in own = {0};
	socklen_t size = sizeof(own);
	struct ip_mreqn way = {.imr_ifindex = (int)interface->index};
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int hops = 0;
	int port;

	if (descriptor < 0) {
		return -errno;
	}
	memcpy(&there.sin_addr, group.address.octets, sizeof(there.sin_addr));
	if (setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_IF, &way, sizeof(way)) != 0 ||
	    setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof(hops)) != 0 ||
	    sendto(descriptor, "\r\n\r\n", 4, 0, (const struct sockaddr *)&there, sizeof(there)) <
		    0 ||
	    getsockname(descriptor, (struct sockaddr *)&own, &size) != 0) {
		port = -errno;
	} else {
		port = ntohs(own.sin_port);
	}
	close(descriptor);
	return port;
}

static uint64_t clock_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The source port of a datagram that came with its IP header, or 0. */
static int port_of_packet(const unsigned char *bytes, size_t length)
{
	size_t header = length > 0 ? (size_t)(bytes[0] & 0x0f) * 4 : 0;

	return header >= 20 && length >= header + 2 ? bytes[header] << 8 | bytes[header + 1] : 0;
}

static bool hears(int receiver, int port, bool is_raw)
{
	struct pollfd wait = {.fd = receiver, .events = POLLIN};
	uint64_t end_ms = clock_ms() + probe_wait_ms;

	while (clock_ms() < end_ms && poll(&wait, 1, probe_wait_ms) > 0) {
		struct sockaddr_in from = {0};
		socklen_t size = sizeof(from);
		unsigned char bytes[64];
		ssize_t length = recvfrom(receiver, bytes, sizeof(bytes), 0,
					  (struct sockaddr *)&from, &size);

		if (length >= 0 && (is_raw ? port_of_packet(bytes, (size_t)length)
					   : ntohs(from.sin_port)) == port) {
			return true;
		}
	}
	return false;
}

/*
 * Beside a program that shares the port with nobody: as a UDP socket it stands behind the rules of
 * a firewall, and needs no port of its own. Somebody must have joined the group.
 */
static int open_raw_receiver(void)
{
	int descriptor = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);

	return descriptor < 0 ? -errno : descriptor;
}

/* Does a socket of ours hear it? 1, 0, or a negative errno. */
static int try_alone(const struct interface *interface, struct endpoint group)
{
	int receiver = open_receiver(group, interface);
	bool is_raw = receiver == -EADDRINUSE && is_joined(interface->index, group.address);
	int port;
	int result;

	if (is_raw) {
		receiver = open_raw_receiver();
	}
	port = receiver < 0 ? receiver : send_probe(group, interface);
	result = port < 0 ? port : hears(receiver, port, is_raw);
	if (receiver >= 0) {
		close(receiver);
	}
	return result;
}

bool doctor_group_is_dropped(struct doctor *doctor)
{
	const struct interface *interface;
	size_t tried = 0;

	for (size_t i = 0; i < interfaces_max; i++) {
		interface = doctor_interface(doctor, i);
		if (!interface || !interface->is_up || !doctor_address(doctor, interface)) {
			continue;
		}
		if (try_alone(interface, group_of(doctor)) != 0) {
			return false;
		}
		tried++;
	}
	return tried > 0;
}

/* How many keep-alives the server has passed over. */
static long long keep_alives(const struct doctor *doctor)
{
	json_t *status = NULL;
	long long count;

	say_quiet(true);
	(void)client_ask(doctor->arguments, "GET", "/api/v1/status", NULL, &status);
	say_quiet(false);
	count = json_integer_value(
		json_object_get(json_object_get(json_object_get(status, "counters"), "sip"),
				"not_sip"));
	json_decref(status);
	return count;
}

/* The group's port is the server's alone: does the server hear it? As try_alone. */
static int try_with_server(const struct doctor *doctor, const struct interface *interface,
			   struct endpoint group)
{
	long long before = keep_alives(doctor);

	for (int i = 0; i < probe_rounds; i++) {
		int port = send_probe(group, interface);

		if (port < 0) {
			return port;
		}
		(void)poll(NULL, 0, probe_wait_ms / probe_rounds);
		if (keep_alives(doctor) > before) {
			return 1;
		}
	}
	return 0;
}

static void try_group(struct doctor *doctor, const struct interface *interface,
		      struct endpoint group)
{
	bool is_deaf = doctor->status && !is_joined(interface->index, group.address);
	int result = is_deaf	      ? 0
		     : doctor->status ? try_with_server(doctor, interface, group)
				      : try_alone(interface, group);

	if (is_deaf) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "firewall", NULL,
			    "whether %s lets the group through cannot be tried: the group is not "
			    "joined there",
			    interface->name);
	} else if (result < 0) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "firewall", NULL,
			    "whether %s lets the group through cannot be tried: %s",
			    interface->name, strerror(-result));
	} else if (result > 0) {
		doctor_tell(doctor, DOCTOR_OK, "firewall", NULL,
			    "what is sent to the group on %s is heard here", interface->name);
	} else {
		doctor_tell(
			doctor, DOCTOR_FAULT, "firewall",
			"let UDP 224.0.1.75 port 5060 in: nft add rule inet filter input ip daddr "
			"224.0.1.75 udp dport 5060 accept. (Dropping it is right only beside a "
			"PBX, with group_socket = packet in [sip].)",
			"a firewall on this machine drops what comes to the group on %s",
			interface->name);
	}
}

/* It stands before the rules of a firewall, and hears no keep-alive of this machine. */
bool doctor_hears_packets(const struct doctor *doctor)
{
	const json_t *listener;
	size_t i;

	json_array_foreach(json_object_get(doctor->status, "listeners"), i, listener)
	{
		const char *door = json_string_value(json_object_get(listener, "door"));

		if (door && strcmp(door, "sip multicast by packets") == 0) {
			return true;
		}
	}
	return false;
}

void doctor_check_firewall(struct doctor *doctor)
{
	struct endpoint group = group_of(doctor);
	const struct interface *interface;

	if (!address_is_set(group.address)) {
		doctor_tell(doctor, DOCTOR_NOTE, "group", "set group in [sip]",
			    "no group is configured: phones find this server by DHCP or by hand "
			    "alone");
		return;
	}
	if (doctor_hears_packets(doctor)) {
		doctor_tell(doctor, DOCTOR_OK, "firewall", NULL,
			    "the group is heard by a packet socket, which no rule of a firewall on "
			    "this machine stands before");
		return;
	}
	if (doctor->may_not_ask) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "firewall", NULL,
			    "whether a firewall lets the group through cannot be tried without the "
			    "server's word");
		return;
	}
	for (size_t i = 0; i < interfaces_max; i++) {
		interface = doctor_interface(doctor, i);
		if (interface && interface->is_up && doctor_address(doctor, interface)) {
			try_group(doctor, interface, group);
		}
	}
}
