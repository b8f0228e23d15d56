/* SPDX-License-Identifier: MIT */
/*
 * The store: the thread that is the only writer of the inventory and of the database. Whoever wants
 * something changed posts a change; the store checks it against memory, writes it durably, puts it
 * in place under the write lock and tells the poster, in this order. So what anybody can read from
 * memory is on disk, and an acknowledged change survives a power cut. A change that cannot be
 * written is refused with the reason and memory stays as it is.
 *
 * Reports of phones (CHANGE_DEVICE_SEEN, _NOTIFIED, _FETCHED, _RESYNC, CHANGE_FORM_LEARNED, and of
 * strangers) wait up to `report_delay_ms` so that many go into one transaction, and a newer one
 * replaces the one just before it of the same device. Where there are rules that claim, _SEEN does
 * not wait: the phone asks again after half a second. Changes are taken in the order in which they
 * were posted.
 *
 * Events go through the store as well: they are kept in memory for `bellhop events`, at most
 * `events_max`, and written with the next batch. What changes a device's state makes its events
 * itself (core/fleet/road.h): they are written in the same transaction, and seen when it is
 * durable.
 */
#ifndef BELLHOP_IO_STORE_H
#define BELLHOP_IO_STORE_H

#include "io/store_database.h"

#include <pthread.h>
#include <uv.h>

struct store;

/* The store's way back to one event loop: acknowledgements and news of events arrive there. */
struct store_client;

/* What came of store_client_restore; valid for the call. */
struct store_restored {
	struct store_holdings holdings; /* of what was handed in */
	uint64_t stale;	  /* devices that have fetched since, and have something else now */
	const char *kept; /* the file with what was before */
	const char *who;
	const struct inventory *before; /* the old records; NULL where they are not told */
};

struct store_options {
	struct store_database *database; /* taken over, also when store_start fails */
	struct inventory *inventory;
	pthread_rwlock_t *inventory_lock; /* see store_lock_init */
	size_t queue_max;		  /* changes that wait */
	size_t events_max;		  /* kept in memory */
	unsigned report_delay_ms;
	/* Both on the store's thread, and both may be NULL: after a change is durable and in place
	 * (`change` is valid for the call), and when something failed that nobody waits for (the
	 * same sentence is not told again for a minute). */
	void (*committed)(void *context, const struct change *change);
	void (*problem)(void *context, const char *sentence);
	/* The same for a whole database that was restored. May be NULL. */
	void (*restored)(void *context, const struct store_restored *restored);
	void *context;
};

/* What the store has done since it was started. */
struct store_counters {
	uint64_t changes;    /* committed */
	uint64_t refused;    /* checked and refused, or not written */
	uint64_t coalesced;  /* reports replaced by a newer one */
	uint64_t queue_full; /* posts refused because queue_max was reached */
	uint64_t transactions;
	uint64_t events_lost; /* events that were not written because too many waited */
	size_t queue_length;  /* now */
};

/*
 * A lock for the inventory that lets a waiting writer go before new readers, so that a steady
 * stream of packets does not starve the store. Its read lock must not be taken twice by one thread.
 */
int store_lock_init(pthread_rwlock_t *lock);

/*
 * Reads everything from the database into the inventory, then starts the thread. 0 and `*store`, or
 * a negative errno with a sentence in `problem` (see io/store_database.h).
 */
int store_start(struct store **store, const struct store_options *options, char *problem,
		size_t problem_size);

/*
 * Writes what waits, ends the thread and closes the database. Clients must be closed before; a
 * change posted by then is written, its acknowledgement is dropped with its client.
 */
void store_stop(struct store *store);

void store_counters(struct store *store, struct store_counters *counters);

/*
 * What became of a change: 0, or a negative errno and one sentence (as inventory_prepare and the
 * database give them; of CHANGE_DEVICES_IMPORT, with 0 as well, what inventory_prepare tells). Runs
 * on the loop of the client.
 */
typedef void store_done_fn(void *context, int result, const char *problem);

/* 0 and `*client`, or a negative errno. Use a client on its own loop's thread only. */
int store_client_open(struct store *store, uv_loop_t *loop, struct store_client **client);

/* No callback runs after this; the memory is given back when the loop has turned once more. */
void store_client_close(struct store_client *client);

/*
 * Posts a change; it is copied. `who` is for the audit log; empty: it is not audited, and reports
 * of phones never are. From any thread. 0; -ENOBUFS when the queue is full; -ENOMEM. store_post
 * tells nobody what came of it (reports of phones); store_client_post calls `done` once, later,
 * unless it fails itself or the client is closed.
 */
int store_post(struct store *store, const struct change *change, struct span who);
int store_client_post(struct store_client *client, const struct change *change, struct span who,
		      store_done_fn *done, void *context);

/* Drops the acknowledgement for `context`: its `done` will not be called. The change still is made.
 */
void store_client_forget(struct store_client *client, void *context);

/* --- The whole: backup and restore. --- */

/*
 * A consistent copy of the database, made beside the store's work: `*file` is open for reading, the
 * caller's, and has no name. Blocks for as long as it takes: not for a loop's thread. 0, or a
 * negative errno with one sentence; -EBUSY while another copy is made or a restore is under way.
 */
int store_copy(struct store *store, int *file, struct store_holdings *holdings, char *problem,
	       size_t problem_size);

/* A database that was handed in: checked as a whole, and its records loaded. Not in use. */
struct store_restoration;

/*
 * A file without a name, beside the database, for the bytes of such a copy that are coming in: a
 * descriptor, the caller's, or a negative errno with one sentence.
 */
int store_open_upload(struct store *store, char *problem, size_t problem_size);

/*
 * Makes one of such a file, whose bytes nobody needs to trust, or of another without a name.
 * Blocks, as store_copy. `file` is taken over, whatever comes of it, and must be its only
 * descriptor: it becomes the database, and to close one later would take SQLite's locks away. 0 and
 * `*restoration`; -EINVAL it cannot be used, and why; -ENOSPC it holds more than fits here, or the
 * disk is full; other negative errno.
 */
int store_restoration_new(struct store *store, int file, struct store_restoration **restoration,
			  char *problem, size_t problem_size);
void store_restoration_free(struct store_restoration *restoration);

/*
 * Posts it, to become the database after all changes that were posted before: durable, and in place
 * for all readers in one step, when `done` is told 0. With a negative errno and a sentence all is
 * as it was. What was before is kept beside the database. Events go on as they were, the audit log
 * is that of the backup and names `who`. `restoration` is taken over, also when this fails.
 */
typedef void store_restored_fn(void *context, int result, const char *problem,
			       const struct store_restored *restored);
int store_client_restore(struct store_client *client, struct store_restoration *restoration,
			 struct span who, store_restored_fn *done, void *context);

/* Keeps a report as an event. Texts are copied, cut to event_text_max. From any thread. */
void store_event(struct store *store, const struct effect_report *report, uint64_t utc_ms);

/*
 * Calls `each` for up to `count_max` events with an id above `after`, oldest first; with `mac` only
 * those of that device. Returns the id of the last event looked at (or `after`), to go on from.
 * No lock is held while `each` runs: turning an event into text keeps no report waiting.
 */
typedef void store_event_seen_fn(void *context, const struct event *event);
uint64_t store_events_after(struct store *store, uint64_t after, const struct mac *mac,
			    size_t count_max, store_event_seen_fn *each, void *context);

/* The id after which the newest `count` events (of that device) come. */
uint64_t store_events_newest(struct store *store, const struct mac *mac, size_t count);

/* `news` is called on the client's loop after there were new events (once for many). NULL ends it.
 */
void store_client_watch(struct store_client *client, void (*news)(void *context), void *context);

/* Has `news` called soon, as if there were new events. On the client's own thread. */
void store_client_wake(struct store_client *client);

#endif
