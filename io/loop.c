/* SPDX-License-Identifier: MIT */
#include "io/loop.h"

#include <errno.h>
#include <time.h>

static void stop_asked(uv_async_t *async)
{
	uv_stop(async->loop);
}

int loop_open(struct loop *loop)
{
	int error = uv_loop_init(&loop->uv);

	if (error) {
		return error;
	}
	error = uv_async_init(&loop->uv, &loop->stop, stop_asked);
	if (error) {
		uv_loop_close(&loop->uv);
	}
	return error;
}

void loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_async_send(&loop->stop);
}

static void close_handle(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

void loop_close(struct loop *loop)
{
	uv_walk(&loop->uv, close_handle, NULL);
	while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0) {
	}
	uv_loop_close(&loop->uv);
}

uint64_t loop_now_ms(struct loop *loop)
{
	uv_update_time(&loop->uv);
	return uv_now(&loop->uv);
}

uint64_t loop_utc_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void watch_polled(uv_poll_t *poll, int status, int events)
{
	struct loop_watch *watch = poll->data;

	(void)events;
	watch->ready(watch->context, status < 0);
	if (watch->is_open && status < 0) {
		uv_poll_start(poll, UV_READABLE, watch_polled);
	}
}

int loop_watch_open(struct loop_watch *watch, struct loop *loop, int descriptor,
		    void (*ready)(void *context, bool has_error), void *context)
{
	int error = uv_poll_init(&loop->uv, &watch->poll, descriptor);

	if (error) {
		return error;
	}
	watch->poll.data = watch;
	watch->ready = ready;
	watch->context = context;
	watch->is_open = true;
	uv_poll_start(&watch->poll, UV_READABLE, watch_polled);
	return 0;
}

static void watch_closed(uv_handle_t *handle)
{
	struct loop_watch *watch = handle->data;

	if (watch->closed) {
		watch->closed(watch->context);
	}
}

void loop_watch_close(struct loop_watch *watch, void (*closed)(void *context))
{
	if (!watch->is_open) {
		return;
	}
	watch->is_open = false;
	watch->closed = closed;
	uv_close((uv_handle_t *)&watch->poll, watch_closed);
}

static void timer_rang(uv_timer_t *uv_timer)
{
	struct loop_timer *timer = uv_timer->data;

	timer->wake_ms = UINT64_MAX;
	timer->ring(timer->context);
}

int loop_timer_open(struct loop_timer *timer, struct loop *loop, void (*ring)(void *context),
		    void *context)
{
	int error = uv_timer_init(&loop->uv, &timer->timer);

	if (error) {
		return error;
	}
	timer->timer.data = timer;
	timer->wake_ms = UINT64_MAX;
	timer->ring = ring;
	timer->context = context;
	timer->is_open = true;
	return 0;
}

void loop_timer_set(struct loop_timer *timer, uint64_t wake_ms)
{
	uint64_t now_ms;

	if (wake_ms == timer->wake_ms) {
		return;
	}
	timer->wake_ms = wake_ms;
	if (wake_ms == UINT64_MAX) {
		uv_timer_stop(&timer->timer);
		return;
	}
	uv_update_time(timer->timer.loop);
	now_ms = uv_now(timer->timer.loop);
	uv_timer_start(&timer->timer, timer_rang, wake_ms > now_ms ? wake_ms - now_ms : 0, 0);
}

static void timer_closed(uv_handle_t *handle)
{
	struct loop_timer *timer = handle->data;

	if (timer->closed) {
		timer->closed(timer->context);
	}
}

void loop_timer_close(struct loop_timer *timer, void (*closed)(void *context))
{
	if (!timer->is_open) {
		return;
	}
	timer->is_open = false;
	timer->closed = closed;
	uv_close((uv_handle_t *)&timer->timer, timer_closed);
}
