/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the catalogue share: catalogue.c watches the folder and posts what differs,
 * catalogue_scan.c walks it, catalogue_hash.c computes the SHA-256 of its files.
 */
#ifndef BELLHOP_IO_CATALOGUE_INTERNAL_H
#define BELLHOP_IO_CATALOGUE_INTERNAL_H

#include "io/catalogue.h"

#include <stdatomic.h>

/*
 * How names begin of files that are about to be put in place. Those that the first scan finds are
 * left over.
 */
extern const char catalogue_part_prefix[];

/* A file of the folder. */
struct catalogue_found {
	char *name; /* owned */
	uint64_t bytes;
	uint64_t modified_utc_ms;
	uint64_t version;
};

/* What one walk through the folder brings. */
struct catalogue_scan {
	size_t files_max;
	bool sweeps;		       /* removes files that a server which ended left unfinished */
	struct catalogue_found *files; /* sorted by name after the walk */
	size_t count;
	size_t size;
	size_t entries;	 /* looked at */
	size_t left_out; /* files beyond files_max */
	bool is_partial; /* not the whole folder was looked at: too many entries */
	/* Neither served nor hidden: links, odd names, what lies too deep, what cannot be read. */
	size_t passed_over;
	char first_passed_over[256]; /* "NAME" and why, for people */
	int inotify_fd;		     /* -1: folders are not watched */
	int *watches;		     /* of the folders; sorted after the walk */
	size_t watch_count;
	size_t watch_size;
	int watch_error; /* a folder cannot be watched; 0: all are */
	int error;	 /* the walk failed: nothing above is to be used */
};

/* Walks the folder that `fd` (taken over) is open on; files_max, sweeps and inotify_fd are set
 * before. */
void catalogue_scan_walk(struct catalogue_scan *scan, int fd);
void catalogue_scan_free(struct catalogue_scan *scan);

/* The file of that name, or NULL. */
const struct catalogue_found *catalogue_scan_find(const struct catalogue_scan *scan, char *name);
bool catalogue_scan_watches(const struct catalogue_scan *scan, int watch);
void catalogue_found_free(struct catalogue_found *files, size_t count);

/* --- Hashing: one file at a time, on the thread pool. --- */

struct catalogue_hasher {
	uv_loop_t *loop;
	const struct door *door;
	uv_timer_t timer; /* for a file that was written just now */
	uv_work_t work;
	bool is_working;
	bool is_timer_closed;
	atomic_bool is_stopping;
	/* Those that wait, the next one at `next`; owned. */
	struct catalogue_found *queue;
	size_t count;
	size_t next;
	size_t young; /* of them, put off one after the other */
	/* The one in hand. */
	char *name;
	uint64_t listed_version;
	uint64_t version; /* as opened */
	uint8_t sha256[file_sha256_size];
	int result;
	uint64_t hashed; /* since the start */
	void (*stopped)(void *context);
	void *context;
};

int catalogue_hasher_init(struct catalogue_hasher *hasher, uv_loop_t *loop,
			  const struct door *door);

/* These, taken over, are to be hashed, instead of what waited. */
void catalogue_hasher_take(struct catalogue_hasher *hasher, struct catalogue_found *files,
			   size_t count);

/* `stopped` is called from the loop when the hasher's memory may go. */
void catalogue_hasher_stop(struct catalogue_hasher *hasher, void (*stopped)(void *context),
			   void *context);

#endif
