/* SPDX-License-Identifier: MIT */
/*
 * One thread's event loop, on libuv. Doors that use libuv's own streams take `&loop->uv`; what is
 * here is what libuv lacks or gets wrong for us: a watch on a descriptor that survives errors, a
 * timer set to a moment, and a stop that any thread may ask for.
 */
#ifndef BELLHOP_IO_LOOP_H
#define BELLHOP_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct loop {
	uv_loop_t uv;
	uv_async_t stop; /* loop_stop */
};

/* 0 or a negative errno. */
int loop_open(struct loop *loop);

/* Runs until loop_stop. */
void loop_run(struct loop *loop);

/* Makes loop_run return; any thread, any number of times between loop_open and loop_close. */
void loop_stop(struct loop *loop);

/*
 * Closes every handle that is still open (without its owner's close callback: owners close theirs
 * before), and the loop. Memory of the handles may be freed afterwards.
 */
void loop_close(struct loop *loop);

/* Monotonic milliseconds, fresh; the `now_ms` of every decider. */
uint64_t loop_now_ms(struct loop *loop);

/* Milliseconds since 1970, for what people and files see. */
uint64_t loop_utc_ms(void);

/*
 * Watches a descriptor for input. `ready` is told `has_error` when the descriptor has an error
 * pending (for a UDP socket with IP_RECVERR: something in its error queue), and must then take it
 * away. libuv 1.44 takes such an error for the end of the handle (UV_EBADF) and stops it: the watch
 * starts it again after `ready`.
 */
struct loop_watch {
	uv_poll_t poll;
	void (*ready)(void *context, bool has_error);
	void (*closed)(void *context);
	void *context;
	bool is_open;
};

int loop_watch_open(struct loop_watch *watch, struct loop *loop, int descriptor,
		    void (*ready)(void *context, bool has_error), void *context);

/* `closed` (may be NULL) is called from the loop when the watch's memory may go. */
void loop_watch_close(struct loop_watch *watch, void (*closed)(void *context));

/* A timer that rings once, at a moment of loop_now_ms. */
struct loop_timer {
	uv_timer_t timer;
	uint64_t wake_ms; /* UINT64_MAX: not set */
	void (*ring)(void *context);
	void (*closed)(void *context);
	void *context;
	bool is_open;
};

int loop_timer_open(struct loop_timer *timer, struct loop *loop, void (*ring)(void *context),
		    void *context);

/* Rings at `wake_ms`, at once when that is past, never for UINT64_MAX; replaces what was set. */
void loop_timer_set(struct loop_timer *timer, uint64_t wake_ms);
void loop_timer_close(struct loop_timer *timer, void (*closed)(void *context));

#endif
