/* SPDX-License-Identifier: MIT */
#include "io/membership.h"

#include <errno.h>
#include <stdlib.h>

struct join {
	uint32_t interface;
	char name[IF_NAMESIZE];
	bool was_up;
	int error; /* 0: joined; else why not, so that it is told once */
};

struct membership {
	struct udp *socket;
	struct interfaces *interfaces;
	struct interfaces_listener listener;
	struct log *log;
	struct join joins[interfaces_max];
	size_t count;
	size_t name_count;
	char names[][IF_NAMESIZE];
};

static bool is_wanted(const struct membership *membership, const struct interface *interface)
{
	if (membership->name_count == 0) {
		return interface->is_up && interface->is_multicast && !interface->is_loopback;
	}
	for (size_t i = 0; i < membership->name_count; i++) {
		if (strcmp(membership->names[i], interface->name) == 0) {
			return true;
		}
	}
	return false;
}

static struct join *find_join(struct membership *membership, uint32_t interface)
{
	for (size_t i = 0; i < membership->count; i++) {
		if (membership->joins[i].interface == interface) {
			return &membership->joins[i];
		}
	}
	return NULL;
}

static void try_join(struct membership *membership, struct join *join)
{
	char group[address_text_size];
	int error = udp_join(membership->socket, join->interface);

	if (error == -EADDRINUSE) {
		error = 0; /* joined already */
	}
	address_text(udp_endpoint(membership->socket).address, group);
	if (error == 0 && join->error != 0) {
		log_info(membership->log, "group_joined", "joined %s on %s", group, join->name);
	} else if (error == -ENOBUFS && join->error != error) {
		log_warning(membership->log, "group_not_joined",
			    "%s cannot be joined on %s: too many groups on one socket; raise the "
			    "sysctl net.ipv4.igmp_max_memberships",
			    group, join->name);
	} else if (error != 0 && join->error != error) {
		log_warning(membership->log, "group_not_joined", "%s cannot be joined on %s: %s",
			    group, join->name, strerror(-error));
	}
	join->error = error;
}

static void join_or_renew(struct membership *membership, const struct interface *interface)
{
	struct join *join = find_join(membership, interface->index);

	if (!join) {
		if (membership->count == interfaces_max) {
			return;
		}
		join = &membership->joins[membership->count++];
		*join = (struct join){.interface = interface->index, .error = -EAGAIN};
	} else if (join->error == 0) {
		if (interface->is_up && !join->was_up) {
			/* The switch may have forgotten us while the cable was out. */
			(void)udp_leave(membership->socket, join->interface);
			try_join(membership, join);
		}
	}
	memcpy(join->name, interface->name, sizeof(join->name));
	join->was_up = interface->is_up;
	if (join->error != 0) {
		try_join(membership, join);
	}
}

/* Those that are gone, or renamed to something else; one that is only down stays. */
static void leave_unwanted(struct membership *membership)
{
	size_t kept = 0;

	for (size_t i = 0; i < membership->count; i++) {
		const struct join *join = &membership->joins[i];
		const struct interface *interface =
			interfaces_by_index(membership->interfaces, join->interface);

		if (interface &&
		    (membership->name_count == 0 || is_wanted(membership, interface))) {
			membership->joins[kept++] = *join;
			continue;
		}
		/* Also of an interface that is gone: the socket keeps count of it until told. */
		(void)udp_leave(membership->socket, join->interface);
		log_info(membership->log, "group_left",
			 "left the group on %s: the interface is gone", join->name);
	}
	membership->count = kept;
}

static void interfaces_changed(void *context, uint32_t index)
{
	struct membership *membership = context;
	const struct interface *interface;

	(void)index; /* changes are rare, and a list read anew names none */
	leave_unwanted(membership);
	for (size_t i = 0; (interface = interfaces_at(membership->interfaces, i)); i++) {
		if (is_wanted(membership, interface)) {
			join_or_renew(membership, interface);
		} else {
			struct join *join = find_join(membership, interface->index);

			if (join) {
				join->was_up = interface->is_up;
			}
		}
	}
}

int membership_open(struct membership **membership, struct udp *socket,
		    struct interfaces *interfaces, const char (*names)[IF_NAMESIZE],
		    size_t name_count, struct log *log)
{
	struct membership *made = calloc(1, sizeof(*made) + name_count * IF_NAMESIZE);

	if (!made) {
		return -ENOMEM;
	}
	made->socket = socket;
	made->interfaces = interfaces;
	made->log = log;
	made->name_count = name_count;
	for (size_t i = 0; i < name_count; i++) {
		memcpy(made->names[i], names[i], IF_NAMESIZE);
		made->names[i][IF_NAMESIZE - 1] = '\0';
		if (!interfaces_by_name(interfaces, made->names[i])) {
			log_warning(log, "interface_missing",
				    "there is no interface %s yet; the group is joined on it when "
				    "it appears",
				    made->names[i]);
		}
	}
	made->listener.changed = interfaces_changed;
	made->listener.context = made;
	interfaces_listen(interfaces, &made->listener);
	interfaces_changed(made, 0);
	*membership = made;
	return 0;
}

void membership_close(struct membership *membership)
{
	if (membership) {
		interfaces_unlisten(membership->interfaces, &membership->listener);
		free(membership);
	}
}

bool membership_has(const struct membership *membership, uint32_t interface)
{
	for (size_t i = 0; i < membership->count; i++) {
		if (membership->joins[i].interface == interface) {
			return membership->joins[i].error == 0;
		}
	}
	return false;
}

size_t membership_count(const struct membership *membership)
{
	size_t count = 0;

	for (size_t i = 0; i < membership->count; i++) {
		count += membership->joins[i].error == 0;
	}
	return count;
}
