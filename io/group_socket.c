/* SPDX-License-Identifier: MIT */
#include "io/group_socket.h"

#include "io/membership.h"
#include "io/pbx_beside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { holder_size = pbx_name_size + 32 };

struct group_socket {
	struct group_socket_options options;
	struct udp *udp;	     /* NULL: by packets */
	struct group_frames *frames; /* NULL: by UDP */
	struct udp *join;	     /* with frames: joins the group, and hears nothing */
	struct membership *membership;
};

static void join_received(void *context, const struct udp_received *datagrams, size_t count)
{
	(void)context; /* what somebody sent to the group at a port that nobody is told */
	(void)datagrams;
	(void)count;
}

static void join_unreachable(void *context, struct endpoint to, int error)
{
	(void)context; /* it sends nothing */
	(void)to;
	(void)error;
}

static int open_udp(struct group_socket *g, char problem[static udp_problem_size])
{
	struct udp_options options = {
		.bind = g->options.group,
		.is_group = true,
		.beside = g->options.beside,
		.receive_buffer = g->options.receive_buffer,
		.received = g->options.received,
		.unreachable = g->options.unreachable,
		.context = g->options.context,
	};

	return udp_open(&g->udp, g->options.loop, &options, problem);
}

/* IGMP for the packet socket, by a socket on a port that the kernel chooses. */
static int open_join(struct group_socket *g, char problem[static udp_problem_size])
{
	struct udp_options options = {
		.bind = {g->options.group.address, 0},
		.is_group = true,
		.shares = g->options.unicast,
		.received = join_received,
		.unreachable = join_unreachable,
	};

	return udp_open(&g->join, g->options.loop, &options, problem);
}

static int open_packet(struct group_socket *g, char problem[static udp_problem_size])
{
	struct group_frames_options options = {
		.group = g->options.group,
		.receive_buffer = g->options.receive_buffer,
		.received = g->options.received,
		.context = g->options.context,
	};
	int error = group_frames_open(&g->frames, g->options.loop, &options);

	if (error == -EPERM) {
		snprintf(problem, udp_problem_size,
			 "a packet socket for the group needs CAP_NET_RAW: `setcap "
			 "cap_net_raw+ep` bellhopd or systemd's "
			 "AmbientCapabilities=CAP_NET_RAW; or group_socket = udp in [sip]");
	} else if (error) {
		snprintf(problem, udp_problem_size,
			 "the packet socket for the group cannot be opened: %s", strerror(-error));
	}
	return error ? error : open_join(g, problem);
}

/* Says who holds the group's port: "kamailio (pid 12)". */
static void name_holder(struct endpoint group, char name[static holder_size])
{
	struct pbx_holder holder = {0};
	int found = pbx_beside_find("/proc", group, &holder, 1);

	if (found > 0 && holder.pid != 0) {
		snprintf(name, holder_size, "%s (pid %ld)", holder.name, (long)holder.pid);
	} else {
		snprintf(name, holder_size, "%s",
			 found > 0 ? "another user's program" : "nobody has it now");
	}
}

static void tell_of_packets(const struct group_socket *g, const char *why)
{
	char group[endpoint_text_size];
	char holder[holder_size];

	endpoint_text(g->options.group, group);
	name_holder(g->options.group, holder);
	log_info(g->options.log, "group_by_packets",
		 "%s is heard by a packet socket, because %s (UDP port %u: %s); "
		 "doc/pbx-beside.md has the rule that keeps it from a PBX",
		 group, why, g->options.group.port, holder);
}

/* Opens what hears the group, as options.kind has it. */
static int open_socket(struct group_socket *g, char problem[static udp_problem_size])
{
	bool is_auto = g->options.kind == GROUP_SOCKET_AUTO;
	bool is_others = udp_endpoint(g->options.unicast).port != g->options.group.port;
	const char *why = "group_socket says so";
	int error = 0;

	if (is_auto && is_others) {
		why = "listen leaves its port to another program";
	}
	if (g->options.kind == GROUP_SOCKET_PACKET || (is_auto && is_others)) {
		error = open_packet(g, problem);
		if (error != -EPERM || !is_auto) {
			goto end;
		}
		log_warning(g->options.log, "group_by_udp",
			    "%s; the group is heard by UDP, and a PBX on its port hears it too",
			    problem);
	}
	error = open_udp(g, problem);
	if (is_auto && error == -EADDRINUSE) {
		why = "its port is taken";
		error = open_packet(g, problem);
	}
end:
	if (!error && g->frames) {
		tell_of_packets(g, why);
	}
	return error;
}

int group_socket_open(struct group_socket **group, const struct group_socket_options *options,
		      char problem[static udp_problem_size])
{
	struct group_socket *made = calloc(1, sizeof(*made));
	int error;

	snprintf(problem, udp_problem_size, "no memory for the group");
	if (!made) {
		return -ENOMEM;
	}
	made->options = *options;
	error = open_socket(made, problem);
	if (!error) {
		error = membership_open(&made->membership, made->udp ? made->udp : made->join,
					options->interfaces, options->names, options->name_count,
					options->log);
	}
	if (error) {
		group_socket_close(made);
		return error;
	}
	*group = made;
	return 0;
}

void group_socket_close(struct group_socket *group)
{
	if (!group) {
		return;
	}
	membership_close(group->membership);
	if (group->udp) {
		udp_close(group->udp);
	}
	if (group->join) {
		udp_close(group->join);
	}
	group_frames_close(group->frames);
	free(group);
}

bool group_socket_has(const struct group_socket *group, uint32_t interface)
{
	return membership_has(group->membership, interface);
}

bool group_socket_is_packet(const struct group_socket *group)
{
	return group->frames != NULL;
}

struct group_socket_counters group_socket_counters(const struct group_socket *group)
{
	struct group_socket_counters counters = {
		.is_packet = group->frames != NULL,
		.joined = membership_count(group->membership),
	};

	if (group->udp) {
		counters.udp = udp_counters(group->udp);
	} else {
		counters.frames = group_frames_counters(group->frames);
		counters.udp.received = counters.frames.received;
		counters.udp.kernel_drops = counters.frames.kernel_drops;
	}
	return counters;
}
