/* SPDX-License-Identifier: MIT */
/* Of bellhop doctor: the ports of our doors, and a PBX on the same host. */
#include "io/pbx_beside.h"
#include "io/udp.h"
#include "programs/bellhop/doctor.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { holders_max = 16 };

/* A door as the configuration has it. */
struct door_row {
	const char *name; /* as `status` names it */
	int type;	  /* SOCK_DGRAM or SOCK_STREAM */
	const struct configuration_listen *listen;
};

/* --- Taken, and by what. --- */

static bool is_open(const struct doctor *doctor, const char *door)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(doctor->status, "listeners"), i, row)
	{
		const char *name = json_string_value(json_object_get(row, "door"));

		if (name && strcmp(name, door) == 0) {
			return true;
		}
	}
	return false;
}

static int try_bind(const struct door_row *row, struct endpoint endpoint)
{
	struct sockaddr_storage address;
	socklen_t length = udp_sockaddr(endpoint, 0, &address);
	int descriptor = socket(address.ss_family, row->type | SOCK_CLOEXEC, 0);
	int one = 1;
	int error = 0;

	if (descriptor < 0) {
		return -errno;
	}
	/* As the doors do, so that old connections of theirs are not in the way. */
	if (row->type == SOCK_STREAM) {
		(void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	}
	if (bind(descriptor, (const struct sockaddr *)&address, length) != 0 ||
	    (row->type == SOCK_STREAM && listen(descriptor, 1) != 0)) {
		error = -errno;
	}
	close(descriptor);
	return error;
}

/* " (asterisk, process 12)", where it is to be seen. */
static void write_holder(struct writer *w, const struct door_row *row, uint16_t port)
{
	struct endpoint anywhere = {.address = address_ipv4(0, 0, 0, 0), .port = port};
	struct pbx_holder holder;

	if (row->type == SOCK_DGRAM && pbx_beside_find("/proc", anywhere, &holder, 1) > 0 &&
	    holder.pid > 0) {
		writer_text(w, " by ");
		writer_text(w, holder.name);
		writer_text(w, ", process ");
		writer_unsigned(w, (uint64_t)holder.pid);
	}
}

static void check_bind(struct doctor *doctor, const struct door_row *row, struct endpoint endpoint)
{
	int error = try_bind(row, endpoint);
	char what[128];
	struct writer w = writer_over(what, sizeof(what) - 1);

	writer_text(&w, row->type == SOCK_DGRAM ? "UDP " : "TCP ");
	endpoint_write(&w, endpoint);
	if (error == -EADDRINUSE) {
		writer_text(&w, " is taken");
		write_holder(&w, row, endpoint.port);
	}
	writer_terminate(&w);
	if (error == 0) {
		doctor_tell(doctor, DOCTOR_OK, "port", NULL, "%s is free for %s", what, row->name);
	} else if (error == -EADDRINUSE) {
		doctor_tell(doctor, DOCTOR_FAULT, "port",
			    row->type == SOCK_DGRAM
				    ? "stop that program, or give this door another port in "
				      "bellhop.conf (phones are answered from any)"
				    : "ss -ltnp tells by what; stop it, or give this door another "
				      "port in bellhop.conf",
			    "%s", what);
	} else if (error == -EACCES) {
		doctor_tell(doctor, geteuid() == 0 ? DOCTOR_FAULT : DOCTOR_NOTE, "port",
			    "ports below 1024 need CAP_NET_BIND_SERVICE: the unit of the package "
			    "has it",
			    "%s may not be opened by this user", what);
	} else {
		doctor_tell(doctor, DOCTOR_FAULT, "port", "correct listen in bellhop.conf",
			    "%s cannot be opened: %s", what, strerror(-error));
	}
}

static void check_door(struct doctor *doctor, const struct door_row *row)
{
	if (row->listen->count == 0) {
		return;
	}
	if (!doctor->status) {
		for (size_t i = 0; i < row->listen->count; i++) {
			check_bind(doctor, row, row->listen->endpoints[i]);
		}
	} else if (is_open(doctor, row->name)) {
		doctor_tell(doctor, DOCTOR_OK, "port", NULL, "the door %s is open", row->name);
	} else if (strcmp(row->name, "https") == 0) {
		doctor_tell(doctor, DOCTOR_NOTE, "port", "give it certificate and key in [https]",
			    "the door https is shut: passwords travel in the clear");
	} else {
		doctor_tell(doctor, DOCTOR_FAULT, "port", "see its log, and restart it",
			    "the door %s is shut", row->name);
	}
}

/* --- A PBX beside us. --- */

static void tell_pbx(struct doctor *doctor, const struct pbx_holder *holder)
{
	struct endpoint group = doctor->config.sip_group.endpoints[0];
	char remedy[pbx_rule_size + 256];
	struct writer w = writer_over(remedy, sizeof(remedy) - 1);

	if (doctor_hears_packets(doctor)) {
		writer_text(&w, "keep the group from it with this rule (nft -f FILE):\n");
	} else {
		writer_text(&w, "set group_socket = packet in [sip], restart, and keep the group "
				"from it with this rule (nft -f FILE):\n");
	}
	pbx_rule_write(&w, group);
	writer_terminate(&w);
	doctor_tell(doctor, DOCTOR_WARNING, "pbx", w.failed ? NULL : remedy,
		    "%s (process %lld) has UDP port %u on all addresses: it gets every phone's "
		    "multicast SUBSCRIBE too, and its 401 or 489 ends the phone's search",
		    holder->pid > 0 ? holder->name : "a program of another user",
		    (long long)holder->pid, (unsigned)group.port);
}

/* Only root sees the programs of others; the server's own socket must not be taken for a PBX. */
static bool may_be_server(const struct doctor *doctor, const struct pbx_holder *holder)
{
	char path[64];
	struct stat server;

	if (holder->pid != 0) {
		return holder->pid == doctor->pid || strcmp(holder->name, "bellhopd") == 0;
	}
	snprintf(path, sizeof(path), "/proc/%lld", doctor->pid);
	return doctor->may_not_ask ||
	       (doctor->pid > 0 && stat(path, &server) == 0 && server.st_uid == holder->uid);
}

static void check_holder(struct doctor *doctor, const struct pbx_holder *holder)
{
	if (holder->pid == 0 && may_be_server(doctor, holder)) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "pbx", "run it as root: sudo bellhop doctor",
			    "this user cannot see whether bellhopd or a PBX has UDP port %u on all "
			    "addresses",
			    (unsigned)doctor->config.sip_group.endpoints[0].port);
	} else if (doctor_hears_packets(doctor) && doctor_group_is_dropped(doctor)) {
		doctor_tell(doctor, DOCTOR_OK, "pbx", NULL,
			    "%s (process %lld) has UDP port %u on all addresses, and a firewall "
			    "keeps the group from it; the server hears it by packets",
			    holder->pid > 0 ? holder->name : "a program of another user",
			    (long long)holder->pid,
			    (unsigned)doctor->config.sip_group.endpoints[0].port);
	} else {
		tell_pbx(doctor, holder);
	}
}

static void check_pbx(struct doctor *doctor)
{
	struct pbx_holder holders[holders_max];
	int count = doctor->config.sip_group.count > 0
			    ? pbx_beside_find("/proc", doctor->config.sip_group.endpoints[0],
					      holders, holders_max)
			    : 0;

	for (int i = 0; i < count && i < holders_max; i++) {
		if (!address_is_multicast(holders[i].bound) &&
		    (holders[i].pid == 0 || !may_be_server(doctor, &holders[i]))) {
			check_holder(doctor, &holders[i]);
		}
	}
}

void doctor_check_ports(struct doctor *doctor)
{
	const struct configuration *config = &doctor->config;
	const struct door_row rows[] = {
		{"sip", SOCK_DGRAM, &config->sip_listen},
		{"http", SOCK_STREAM, &config->http_listen},
		{"https", SOCK_STREAM, &config->https_listen},
		{"tftp", SOCK_DGRAM, &config->tftp_listen},
	};

	if (doctor->may_not_ask) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "port", NULL,
			    "which doors are open cannot be told without the server's word");
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !doctor->may_not_ask; i++) {
		check_door(doctor, &rows[i]);
	}
	check_pbx(doctor);
}
