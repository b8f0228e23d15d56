/* SPDX-License-Identifier: MIT */
#include "core/sip/client_transaction.h"

#include "core/base/pool.h"
#include "core/base/table.h"
#include "core/sip/key_hash.h"
#include "core/sip/multi_index.h"
#include "core/sip/timer_list.h"

#include <errno.h>
#include <stdlib.h>

enum {
	timer_e_steps = 4,  /* Timer E takes four values: T1, 2*T1, 4*T1, T2 */
	usual_bytes = 1024, /* most NOTIFYs are shorter; a longer one is an allocation of its own */
};

struct client_transaction;

/*
 * What a transaction needs only as long as it waits: mostly for a millisecond, while the rest stays
 * for the five seconds of Timer K.
 */
struct waiting_request {
	struct client_transaction *transaction;
	struct timer resend; /* Timer E */
	struct multi_link by_endpoint;
	struct multi_link by_device;
	unsigned step; /* of Timer E */
	char *bytes;   /* `usual`, or owned */
	char usual[usual_bytes];
};

struct client_transaction {
	struct client_key key;
	struct timer end;		 /* Timer F, then Timer K */
	struct client_event what;	 /* all but kind and bytes */
	struct waiting_request *waiting; /* owned; NULL once completed */
	size_t length;
};

struct client_transactions {
	struct pool transactions;
	struct pool requests;
	struct table by_key;
	struct multi_index by_endpoint;
	struct multi_index by_device;
	struct timer_list timers_e[timer_e_steps];
	struct timer_list timers_f;
	struct timer_list timers_f_early;
	struct timer_list timers_k;
	uint64_t seed[2];
	size_t bytes_max;
	size_t bytes;
	uint64_t full;
};

static struct span key_of(const void *entry)
{
	const struct client_transaction *t = entry;

	return span_make((const char *)&t->key, sizeof(t->key));
}

/* An endpoint as octets without padding: family, port, address. */
static struct span endpoint_key(struct endpoint endpoint, char octets[static multi_key_size])
{
	octets[0] = (char)endpoint.address.family;
	octets[1] = (char)(endpoint.port >> 8);
	octets[2] = (char)(endpoint.port & 0xff);
	memcpy(octets + 3, endpoint.address.octets, sizeof(endpoint.address.octets));
	return span_make(octets, 3 + sizeof(endpoint.address.octets));
}

int client_transactions_new(struct client_transactions **transactions,
			    const struct client_transactions_options *options,
			    struct random *random)
{
	struct client_transactions *all = calloc(1, sizeof(*all));

	if (!all) {
		return -ENOMEM;
	}
	pool_init(&all->transactions, sizeof(struct client_transaction));
	pool_init(&all->requests, sizeof(struct waiting_request));
	table_init_hashed(&all->by_key, options->count_max, key_of);
	multi_index_init(&all->by_endpoint, options->count_max, random);
	multi_index_init(&all->by_device, options->count_max, random);
	random_bytes(random, all->seed, sizeof(all->seed));
	for (unsigned i = 0; i < timer_e_steps; i++) {
		all->timers_e[i] = timer_list_of((uint64_t)sip_t1_ms << i);
	}
	all->timers_f = timer_list_of(sip_timer_f_ms);
	all->timers_f_early = timer_list_of(client_give_up_early_ms);
	all->timers_k = timer_list_of(sip_t4_ms);
	all->bytes_max = options->bytes_max;
	*transactions = all;
	return 0;
}

static void request_free(struct client_transactions *all, struct waiting_request *request)
{
	if (request->bytes != request->usual) {
		free(request->bytes);
	}
	pool_give(&all->requests, request);
}

/* A request with room for its octets, in no index yet; NULL when memory is gone. */
static struct waiting_request *request_new(struct client_transactions *all, size_t length)
{
	struct waiting_request *request = pool_take(&all->requests);

	if (!request) {
		return NULL;
	}
	memset(request, 0, offsetof(struct waiting_request, usual));
	request->bytes = length <= usual_bytes ? request->usual : malloc(length);
	if (!request->bytes) {
		pool_give(&all->requests, request);
		return NULL;
	}
	return request;
}

/* Frees what is kept for resending: the transaction waits for nobody any more. */
static void settle(struct client_transactions *all, struct client_transaction *t)
{
	struct waiting_request *request = t->waiting;

	if (!request) {
		return;
	}
	timer_stop(&request->resend);
	multi_index_remove(&all->by_endpoint, &request->by_endpoint);
	multi_index_remove(&all->by_device, &request->by_device);
	request_free(all, request);
	all->bytes -= t->length;
	t->waiting = NULL;
}

static void destroy(struct client_transactions *all, struct client_transaction *t)
{
	settle(all, t);
	timer_stop(&t->end);
	table_remove(&all->by_key, key_of(t));
	pool_give(&all->transactions, t);
}

void client_transactions_free(struct client_transactions *all)
{
	size_t cursor = 0;
	struct client_transaction *t;

	if (!all) {
		return;
	}
	while ((t = table_next(&all->by_key, &cursor))) {
		settle(all, t);
		pool_give(&all->transactions, t);
	}
	table_free(&all->by_key);
	multi_index_free(&all->by_endpoint);
	multi_index_free(&all->by_device);
	pool_free(&all->transactions);
	pool_free(&all->requests);
	free(all);
}

static struct client_key end_key(const struct client_transactions *all, const struct key_hash *hash)
{
	struct client_key key;

	key_hash_end(hash, key.hash);
	table_prefetch(&all->by_key, span_make((const char *)&key, sizeof(key)));
	return key;
}

struct client_key client_key_of_branch(const struct client_transactions *all, struct span branch,
				       struct span method)
{
	struct key_hash hash = key_hash_begin(all->seed);

	key_hash_number(&hash, 'b');
	key_hash_nocase(&hash, branch);
	key_hash_bytes(&hash, method);
	return end_key(all, &hash);
}

struct client_key client_key_of_source(const struct client_transactions *all, struct address source,
				       struct span call_id, uint32_t cseq_number,
				       struct span method)
{
	struct key_hash hash = key_hash_begin(all->seed);

	key_hash_number(&hash, 's');
	key_hash_address(&hash, source);
	key_hash_bytes(&hash, call_id);
	key_hash_number(&hash, cseq_number);
	key_hash_bytes(&hash, method);
	return end_key(all, &hash);
}

/* Puts a transaction into all three tables, or into none. */
static int enter(struct client_transactions *all, struct client_transaction *t)
{
	struct waiting_request *request = t->waiting;
	char octets[multi_key_size];
	int error = table_add(&all->by_key, t);

	if (error) {
		return error;
	}
	error = multi_index_add(&all->by_endpoint, &request->by_endpoint,
				endpoint_key(t->what.to, octets));
	if (!error) {
		error = multi_index_add(&all->by_device, &request->by_device,
					mac_key(&t->what.device));
	}
	if (error) {
		multi_index_remove(&all->by_endpoint, &request->by_endpoint);
		table_remove(&all->by_key, key_of(t));
	}
	return error;
}

/* A transaction in no table yet that waits; NULL when memory is gone. */
static struct client_transaction *transaction_new(struct client_transactions *all,
						  const struct client_request *request)
{
	struct client_transaction *t = pool_take(&all->transactions);

	if (!t) {
		return NULL;
	}
	*t = (struct client_transaction){
		.key = request->key,
		.what = {.to = request->to,
			 .from = request->from,
			 .interface = request->interface,
			 .device = request->device,
			 .give_up_ms = request->give_up_ms},
		.waiting = request_new(all, request->bytes.length),
		.length = request->bytes.length,
	};
	if (!t->waiting) {
		pool_give(&all->transactions, t);
		return NULL;
	}
	t->waiting->transaction = t;
	memcpy(t->waiting->bytes, request->bytes.data, t->length);
	return t;
}

int client_transactions_start(struct client_transactions *all, const struct client_request *request,
			      uint64_t now_ms)
{
	struct client_transaction *t;
	int error;

	if (request->bytes.length > all->bytes_max - all->bytes) {
		all->full++;
		return -ENOSPC;
	}
	t = transaction_new(all, request);
	if (!t) {
		return -ENOMEM;
	}
	error = enter(all, t);
	if (error) {
		request_free(all, t->waiting);
		pool_give(&all->transactions, t);
		return error;
	}
	all->bytes += t->length;
	timer_start(&all->timers_e[0], &t->waiting->resend, now_ms);
	timer_start(request->give_up_ms < sip_timer_f_ms ? &all->timers_f_early : &all->timers_f,
		    &t->end, now_ms);
	return 0;
}

static struct client_transaction *find(const struct client_transactions *all, struct client_key key)
{
	return table_find(&all->by_key, span_make((const char *)&key, sizeof(key)));
}

void client_transactions_abandon(struct client_transactions *all, struct client_key key)
{
	struct client_transaction *t = find(all, key);

	if (t) {
		destroy(all, t);
	}
}

bool client_transactions_look(const struct client_transactions *all, struct client_key key,
			      struct client_event *event)
{
	const struct client_transaction *t = find(all, key);

	if (t) {
		*event = t->what;
	}
	return t != NULL;
}

bool client_transactions_respond(struct client_transactions *all, struct client_key key,
				 unsigned status, uint64_t now_ms, struct client_event *event)
{
	struct client_transaction *t = find(all, key);

	if (!t) {
		return false;
	}
	*event = t->what;
	if (!t->waiting) {
		event->kind = CLIENT_COPY;
	} else if (status < 200) {
		/* RFC 3261 17.1.2.2: in Proceeding Timer E is T2 */
		event->kind = CLIENT_PROVISIONAL;
		t->waiting->step = timer_e_steps - 1;
	} else {
		event->kind = CLIENT_FINAL;
		settle(all, t);
		timer_start(&all->timers_k, &t->end, now_ms);
	}
	return true;
}

/* Timer F or K ended. */
static bool end_of(struct client_transactions *all, struct timer *timer, struct client_event *event)
{
	struct client_transaction *t = TIMER_OWNER(timer, struct client_transaction, end);
	bool was_waiting = t->waiting != NULL;

	*event = t->what;
	event->kind = CLIENT_TIMEOUT;
	destroy(all, t);
	return was_waiting;
}

static void resend(struct client_transactions *all, struct timer *timer, uint64_t now_ms,
		   struct client_event *event)
{
	struct waiting_request *request = TIMER_OWNER(timer, struct waiting_request, resend);
	struct client_transaction *t = request->transaction;

	if (request->step < timer_e_steps - 1) {
		request->step++;
	}
	timer_start(&all->timers_e[request->step], &request->resend, now_ms);
	t->what.resent++;
	*event = t->what;
	event->kind = CLIENT_RESEND;
	event->bytes = span_make(request->bytes, t->length);
}

bool client_transactions_expire(struct client_transactions *all, uint64_t now_ms,
				struct client_event *event)
{
	struct timer *timer;

	while ((timer = timer_list_take_due(&all->timers_k, now_ms))) {
		end_of(all, timer, event);
	}
	/* Timer F before Timer E: who wakes up late does not send what is over. */
	timer = timer_list_take_due(&all->timers_f, now_ms);
	if (!timer) {
		timer = timer_list_take_due(&all->timers_f_early, now_ms);
	}
	if (timer) {
		return end_of(all, timer, event);
	}
	for (unsigned i = 0; i < timer_e_steps; i++) {
		timer = timer_list_take_due(&all->timers_e[i], now_ms);
		if (timer) {
			resend(all, timer, now_ms, event);
			return true;
		}
	}
	return false;
}

bool client_transactions_unreachable(struct client_transactions *all, struct endpoint endpoint,
				     struct client_event *event)
{
	char octets[multi_key_size];
	struct multi_link *link =
		multi_index_find(&all->by_endpoint, endpoint_key(endpoint, octets));
	struct client_transaction *t;

	if (!link) {
		return false;
	}
	t = MULTI_OWNER(link, struct waiting_request, by_endpoint)->transaction;
	*event = t->what;
	event->kind = CLIENT_UNREACHABLE;
	destroy(all, t);
	return true;
}

unsigned client_transactions_stop_device(struct client_transactions *all, struct mac device)
{
	unsigned count = 0;
	struct multi_link *link;

	while ((link = multi_index_find(&all->by_device, mac_key(&device)))) {
		destroy(all, MULTI_OWNER(link, struct waiting_request, by_device)->transaction);
		count++;
	}
	return count;
}

unsigned client_transactions_stop_all(struct client_transactions *all)
{
	/* Who still waits is under Timer F. */
	struct timer_list *const lists[] = {&all->timers_f, &all->timers_f_early};
	unsigned count = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		while (lists[i]->first) {
			destroy(all, TIMER_OWNER(lists[i]->first, struct client_transaction, end));
			count++;
		}
	}
	return count;
}

uint64_t client_transactions_next_wake(const struct client_transactions *all)
{
	const struct timer_list *lists[] = {&all->timers_e[0], &all->timers_e[1],
					    &all->timers_e[2], &all->timers_e[3],
					    &all->timers_f,    &all->timers_f_early,
					    &all->timers_k};
	uint64_t wake_ms = UINT64_MAX;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		uint64_t next_ms = timer_list_next_wake(lists[i]);

		wake_ms = next_ms < wake_ms ? next_ms : wake_ms;
	}
	return wake_ms;
}

struct client_transactions_counts client_transactions_count(const struct client_transactions *all)
{
	return (struct client_transactions_counts){.count = all->by_key.count,
						   .bytes = all->bytes,
						   .full = all->full + all->by_key.full};
}
