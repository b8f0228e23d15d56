/* SPDX-License-Identifier: MIT */
/*
 * The admins' door: HTTP/1.1 on a unix socket, where the API (core/admin/api.h) is served. Who may
 * come in is decided by the kernel: the socket is 0660, so that only root, the server's own user
 * and members of the socket file's group can connect. The peer's user (SO_PEERCRED) is what the
 * audit log names; a peer without credentials gets nothing.
 *
 * Everything runs on the given loop, but for files: they are written and removed on libuv's thread
 * pool. Those that are uploaded are written as they come, and cost no memory.
 */
#ifndef BELLHOP_IO_ADMIN_DOOR_H
#define BELLHOP_IO_ADMIN_DOOR_H

#include "core/admin/api.h"
#include "io/store.h"

struct admin_door;

struct admin_door_options {
	uv_loop_t *loop;
	const char *path;	/* of the socket */
	const char *files_path; /* DATA/files: uploads go there; must exist */
	struct store *store;
	const struct inventory *inventory;
	pthread_rwlock_t *inventory_lock;
	size_t connections_max;
	uint64_t upload_bytes_max; /* of one file, or database */
	/* Fills the facts; what they point to lives until the arena is reset after the request. */
	void (*facts)(void *context, struct arena *arena, struct api_facts *facts);
	/* As in core/provision/files.h. */
	void (*server_for)(void *context, const struct device *device, struct address local,
			   struct config_server *server);
	/* Something below DATA/files/ was put or removed, and the change of the catalogue made. May
	 * be NULL. */
	void (*files_changed)(void *context);
	/*
	 * Takes over an order to phones that `who` gives: 0, or -ENOSPC (too many are under way),
	 * or another negative errno; the list is then still the caller's. NULL: there is nobody to
	 * send it.
	 */
	int (*order)(void *context, struct resync_list *list, const char *who);
	void *context;
};

/*
 * Makes the socket and listens. A socket file that nobody answers is replaced. 0 and `*door`, or
 * -EADDRINUSE when a server answers there, -EEXIST when the path is something else than a socket,
 * -EACCES, -ENAMETOOLONG, -ENOMEM …, with a sentence in `problem`.
 */
int admin_door_open(struct admin_door **door, const struct admin_door_options *options,
		    char *problem, size_t problem_size);

/* Stops listening, removes the socket file and closes every connection; `door` is freed when the
 * loop has closed its handles. */
void admin_door_close(struct admin_door *door);

struct admin_door_counters {
	uint64_t requests;
	uint64_t foreign; /* peers without credentials, turned away */
	size_t followers; /* events --follow, now */
};
void admin_door_counters(const struct admin_door *door, struct admin_door_counters *counters);

#endif
