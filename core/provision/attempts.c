/* SPDX-License-Identifier: MIT */
#include "core/provision/attempts.h"

#include "core/base/table.h"
#include "core/sip/timer_list.h"

#include <errno.h>
#include <stdlib.h>

/* One block: the attempt, and behind it what is to be sent. */
struct entry {
	struct attempt what;
	struct timer timer;
	struct entry *older;
	struct entry *newer;
	char vendor[device_vendor_size];
	char model[device_model_size];
	char firmware[device_firmware_size];
	char shape[device_shape_size];
	char bytes[];
};

struct attempts {
	struct table by_device;
	struct table by_other;
	struct timer_list silent; /* waits for an answer */
	struct timer_list sent;	  /* both were sent */
	struct entry *oldest;
	struct entry *newest;
	size_t bytes_max;
	size_t bytes;
	uint64_t dropped;
};

static struct span device_of(const void *entry)
{
	return mac_key(&((const struct entry *)entry)->what.device);
}

static struct span other_of(const void *entry)
{
	const struct client_key *key = &((const struct entry *)entry)->what.other;

	return span_make((const char *)key, sizeof(*key));
}

int attempts_new(struct attempts **attempts, const struct attempts_options *options,
		 struct random *random)
{
	struct attempts *new = calloc(1, sizeof(*new));

	if (!new) {
		return -ENOMEM;
	}
	table_init(&new->by_device, options->count_max, random, device_of);
	table_init_hashed(&new->by_other, options->count_max, other_of);
	new->silent = timer_list_of(options->after_ms);
	new->sent = timer_list_of(sip_timer_f_ms);
	new->bytes_max = options->bytes_max;
	*attempts = new;
	return 0;
}

static void unlink_entry(struct attempts *all, struct entry *e)
{
	*(e->older ? &e->older->newer : &all->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &all->newest) = e->older;
}

static void link_entry(struct attempts *all, struct entry *e)
{
	e->older = all->newest;
	*(all->newest ? &all->newest->newer : &all->oldest) = e;
	all->newest = e;
}

static void destroy(struct attempts *all, struct entry *e)
{
	timer_stop(&e->timer);
	unlink_entry(all, e);
	(void)table_remove(&all->by_device, device_of(e));
	(void)table_remove(&all->by_other, other_of(e));
	all->bytes -= e->what.other_bytes.length;
	free(e);
}

void attempts_free(struct attempts *all)
{
	if (!all) {
		return;
	}
	attempts_end_all(all);
	table_free(&all->by_device);
	table_free(&all->by_other);
	free(all);
}

void attempts_end_all(struct attempts *all)
{
	while (all->oldest) {
		destroy(all, all->oldest);
	}
}

static struct entry *find(const struct attempts *all, struct mac device)
{
	return table_find(&all->by_device, mac_key(&device));
}

/* A text that does not fit is none; what fits stays within the record that it is compared with. */
static struct span keep(char *place, size_t size, struct span text)
{
	return span_to_text(text, place, size) == 0 ? span_text(place) : SPAN("");
}

static struct entry *entry_new(const struct attempt_start *start)
{
	struct entry *e = calloc(1, sizeof(*e) + start->other_bytes.length);

	if (!e) {
		return NULL;
	}
	memcpy(e->bytes, start->other_bytes.data, start->other_bytes.length);
	(void)keep(e->shape, sizeof(e->shape), start->shape);
	e->what = (struct attempt){
		.device = start->device,
		.form = start->form,
		.shape = e->shape,
		.key = {keep(e->vendor, sizeof(e->vendor), start->key.vendor),
			keep(e->model, sizeof(e->model), start->key.model),
			keep(e->firmware, sizeof(e->firmware), start->key.firmware)},
		.is_own_case = start->is_own_case,
		.to = start->to,
		.from = start->from,
		.interface = start->interface,
		.first = start->first,
		.other = start->other,
		.other_bytes = span_make(e->bytes, start->other_bytes.length),
	};
	return e;
}

/* Room for one more, at the cost of the oldest. */
static void make_room(struct attempts *all, size_t bytes)
{
	while (all->oldest && (all->by_device.count >= all->by_device.count_max ||
			       bytes > all->bytes_max - all->bytes)) {
		destroy(all, all->oldest);
		all->dropped++;
	}
}

int attempts_begin(struct attempts *all, const struct attempt_start *start, uint64_t now_ms)
{
	size_t bytes = start->other_bytes.length;
	struct entry *before = find(all, start->device);
	struct entry *e;

	if (before) {
		destroy(all, before);
	}
	/* Another device had this address and Call-ID: its answers cannot be told apart. */
	before = table_find(&all->by_other,
			    span_make((const char *)&start->other, sizeof(start->other)));
	if (before) {
		destroy(all, before);
	}
	if (bytes > all->bytes_max || all->by_device.count_max == 0) {
		return -ENOSPC;
	}
	make_room(all, bytes);
	e = entry_new(start);
	if (!e) {
		return -ENOMEM;
	}
	if (table_add(&all->by_device, e) != 0 || table_add(&all->by_other, e) != 0) {
		(void)table_remove(&all->by_device, device_of(e));
		free(e);
		return -ENOMEM;
	}
	link_entry(all, e);
	all->bytes += bytes;
	timer_start(&all->silent, &e->timer, now_ms);
	return 0;
}

const struct attempt *attempts_of_device(const struct attempts *all, struct mac device)
{
	const struct entry *e = all->oldest ? find(all, device) : NULL;

	return e ? &e->what : NULL;
}

const struct attempt *attempts_of_other(const struct attempts *all, struct client_key other)
{
	struct span key = span_make((const char *)&other, sizeof(other));
	const struct entry *e = all->oldest ? table_find(&all->by_other, key) : NULL;

	return e ? &e->what : NULL;
}

void attempts_sent(struct attempts *all, struct mac device, uint64_t now_ms)
{
	struct entry *e = find(all, device);

	if (e) {
		e->what.is_other_sent = true;
		timer_start(&all->sent, &e->timer, now_ms);
	}
}

bool attempts_end(struct attempts *all, struct mac device)
{
	struct entry *e = all->oldest ? find(all, device) : NULL;

	if (e) {
		destroy(all, e);
	}
	return e != NULL;
}

const struct attempt *attempts_expire(struct attempts *all, uint64_t now_ms)
{
	struct timer *timer;

	while ((timer = timer_list_take_due(&all->sent, now_ms))) {
		destroy(all, TIMER_OWNER(timer, struct entry, timer));
	}
	timer = timer_list_take_due(&all->silent, now_ms);
	return timer ? &TIMER_OWNER(timer, struct entry, timer)->what : NULL;
}

uint64_t attempts_next_wake(const struct attempts *all)
{
	uint64_t silent_ms = timer_list_next_wake(&all->silent);
	uint64_t sent_ms = timer_list_next_wake(&all->sent);

	return silent_ms < sent_ms ? silent_ms : sent_ms;
}

struct attempts_counts attempts_count(const struct attempts *all)
{
	return (struct attempts_counts){.count = all->by_device.count,
					.bytes = all->bytes,
					.dropped = all->dropped};
}
