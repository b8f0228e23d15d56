/* SPDX-License-Identifier: MIT */
/*
 * What the phones' doors (HTTP, TFTP) need of the house: the inventory under its lock, the folder
 * of catalogue files, and three ways to ask and to tell. They are called on the thread of the door
 * that was given them; doors on several threads get a struct door each.
 */
#ifndef BELLHOP_IO_DOOR_H
#define BELLHOP_IO_DOOR_H

#include "core/provision/files.h"

#include <pthread.h>

struct door {
	const struct files_context *files;
	pthread_rwlock_t *lock; /* of the inventory; read-locked around files_serve only */
	int files_fd; /* the directory DATA/files (O_PATH or O_RDONLY), -1: there is none */
	/*
	 * What the network shows of `source`: its hardware address, and the name of the interface
	 * it is reached by (empty when unknown). `interface` is the index a datagram arrived on, 0
	 * for TCP. Does not block; when nothing is known yet it has it resolved and sets
	 * `is_pending`: the door asks again soon.
	 */
	void (*link_for)(void *context, struct address source, uint32_t interface,
			 struct link_evidence *link, char name[static device_interface_size]);
	/* Hands a change to the store. 0, or -ENOBUFS when its queue is full. Copies what it keeps.
	 */
	int (*post)(void *context, const struct change *change);
	/* Logs and counts. Copies what it keeps. */
	void (*report)(void *context, const struct effect_report *report);
	void *context;
};

/* Carries reports and changes of a decider out, in order, and empties the list. */
void door_carry_out(const struct door *door, struct effects *effects);

/*
 * files_serve under the lock. Fills the request's `interface` (a view into `interface_name`) and
 * `link` before; `interface` as in link_for.
 */
struct door_question {
	struct file_request request;
	uint32_t interface;
	char interface_name[device_interface_size];
};

void door_serve(const struct door *door, struct door_question *question, struct arena *arena,
		struct file_answer *answer, struct effects *effects);

#endif
