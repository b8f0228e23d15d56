/* SPDX-License-Identifier: MIT */
#include "core/sip/server_transaction.h"

#include "core/base/table.h"
#include "core/sip/key_hash.h"
#include "core/sip/timer_list.h"

#include <errno.h>
#include <stdlib.h>

struct server_transaction {
	struct server_key key;
	struct timer timer_j;
	bool is_in_by_request; /* the first of its From tag, Call-ID and CSeq */
	bool is_answered;
	struct server_answer answer; /* its bytes are owned */
};

struct server_transactions {
	struct table by_transaction;
	struct table by_request;
	struct timer_list timers_j;
	uint64_t seeds[3][2]; /* two for keys, one for tags */
	size_t bytes_max;
	size_t bytes;
	uint64_t full;
};

static struct span transaction_key(const void *entry)
{
	const struct server_transaction *t = entry;

	return span_make((const char *)t->key.transaction, sizeof(t->key.transaction));
}

static struct span request_key(const void *entry)
{
	const struct server_transaction *t = entry;

	return span_make((const char *)t->key.request, sizeof(t->key.request));
}

int server_transactions_new(struct server_transactions **transactions,
			    const struct server_transactions_options *options,
			    struct random *random)
{
	struct server_transactions *all = calloc(1, sizeof(*all));

	if (!all) {
		return -ENOMEM;
	}
	table_init(&all->by_transaction, options->count_max, random, transaction_key);
	table_init(&all->by_request, options->count_max, random, request_key);
	all->timers_j = timer_list_of(sip_timer_j_ms);
	random_bytes(random, all->seeds, sizeof(all->seeds));
	all->bytes_max = options->bytes_max;
	*transactions = all;
	return 0;
}

static void release(struct server_transaction *t)
{
	free((char *)(uintptr_t)t->answer.bytes.data);
	free(t);
}

void server_transactions_free(struct server_transactions *all)
{
	size_t cursor = 0;
	struct server_transaction *t;

	if (!all) {
		return;
	}
	while ((t = table_next(&all->by_transaction, &cursor))) {
		release(t);
	}
	table_free(&all->by_transaction);
	table_free(&all->by_request);
	free(all);
}

static uint64_t hash_host(const uint64_t seed[static 2], uint64_t h, const struct sip_host *host)
{
	if (host->kind == SIP_HOST_NAME) {
		return key_hash_nocase(seed, h, host->text);
	}
	h = key_hash_octet(seed, h, host->address.family);
	return key_hash_bytes(seed, h,
			      span_make((const char *)host->address.octets,
					sizeof(host->address.octets)));
}

static uint64_t hash_tag(const uint64_t seed[static 2], uint64_t h,
			 const struct sip_name_address *address)
{
	h = key_hash_octet(seed, h, address->has_tag);
	return address->has_tag ? key_hash_bytes(seed, h, address->tag) : h;
}

/* RFC 3261 17.2.3: branch, sent-by with its port, method */
static uint64_t hash_branch(const uint64_t seed[static 2], uint64_t h, const struct sip_message *m,
			    struct span method)
{
	h = key_hash_octet(seed, h, 'b');
	h = key_hash_nocase(seed, h, m->via.branch);
	h = hash_host(seed, h, &m->via.host);
	h = key_hash_number(seed, h, sip_via_port(&m->via));
	return key_hash_bytes(seed, h, method);
}

/* RFC 3261 17.2.3 for clients of RFC 2543 */
static uint64_t hash_2543(const uint64_t seed[static 2], uint64_t h, const struct sip_message *m,
			  struct span method)
{
	h = key_hash_octet(seed, h, 'o');
	h = key_hash_bytes(seed, h, m->request_uri_text);
	h = hash_tag(seed, h, &m->to);
	h = hash_tag(seed, h, &m->from);
	h = key_hash_bytes(seed, h, m->call_id);
	h = key_hash_number(seed, h, m->cseq.number);
	h = key_hash_bytes(seed, h, m->via.text);
	return key_hash_bytes(seed, h, method);
}

static uint64_t hash_request(const uint64_t seed[static 2], uint64_t h, const struct sip_message *m,
			     struct span method)
{
	h = key_hash_octet(seed, h, 'r');
	h = hash_tag(seed, h, &m->from);
	h = key_hash_bytes(seed, h, m->call_id);
	h = key_hash_number(seed, h, m->cseq.number);
	return key_hash_bytes(seed, h, method);
}

static uint64_t hash_source(const uint64_t seed[static 2], struct address source)
{
	uint64_t h = key_hash_octet(seed, 0, source.family);

	return key_hash_bytes(seed, h,
			      span_make((const char *)source.octets, sizeof(source.octets)));
}

struct server_key server_key_of(const struct server_transactions *all,
				const struct sip_message *request, struct address source,
				enum sip_method cancelled)
{
	struct server_key key;
	struct span method = request->method == SIP_METHOD_CANCEL ? sip_method_name(cancelled)
								  : request->method_text;

	for (unsigned i = 0; i < 2; i++) {
		const uint64_t *seed = all->seeds[i];

		uint64_t h = hash_source(seed, source);

		key.transaction[i] = request->via.has_cookie ? hash_branch(seed, h, request, method)
							     : hash_2543(seed, h, request, method);
		key.request[i] = hash_request(seed, h, request, method);
	}
	return key;
}

struct server_key server_key_of_datagram(const struct server_transactions *all,
					 struct span datagram, struct address source)
{
	struct server_key key;

	for (unsigned i = 0; i < 2; i++) {
		uint64_t h = key_hash_octet(all->seeds[i], hash_source(all->seeds[i], source), 'd');

		key.transaction[i] = key_hash_bytes(all->seeds[i], h, datagram);
		key.request[i] = key.transaction[i];
	}
	return key;
}

static struct server_transaction *find(const struct server_transactions *all,
				       const struct server_key *key)
{
	return table_find(&all->by_transaction,
			  span_make((const char *)key->transaction, sizeof(key->transaction)));
}

enum server_match server_transactions_match(const struct server_transactions *all,
					    const struct server_key *key, bool has_to_tag,
					    struct server_answer *answer)
{
	const struct server_transaction *t = find(all, key);

	if (t && t->is_answered) {
		*answer = t->answer;
		return SERVER_ANSWERED;
	}
	if (t) {
		return SERVER_TRYING;
	}
	t = table_find(&all->by_request,
		       span_make((const char *)key->request, sizeof(key->request)));
	return t && !has_to_tag ? SERVER_MERGED : SERVER_NEW;
}

int server_transactions_begin(struct server_transactions *all, const struct server_key *key,
			      uint64_t now_ms)
{
	struct server_transaction *t = calloc(1, sizeof(*t));
	int error;

	if (!t) {
		return -ENOMEM;
	}
	t->key = *key;
	error = table_add(&all->by_transaction, t);
	if (error) {
		free(t);
		return error;
	}
	error = table_add(&all->by_request, t);
	if (error == -ENOMEM) {
		table_remove(&all->by_transaction, transaction_key(t));
		free(t);
		return error;
	}
	t->is_in_by_request = error == 0;
	timer_start(&all->timers_j, &t->timer_j, now_ms);
	return 0;
}

int server_transactions_answer(struct server_transactions *all, const struct server_key *key,
			       const struct server_answer *answer, uint64_t now_ms)
{
	struct server_transaction *t = find(all, key);
	char *bytes;

	if (!t || t->is_answered) {
		return -ENOENT;
	}
	if (answer->bytes.length > all->bytes_max - all->bytes) {
		all->full++;
		return -ENOSPC;
	}
	bytes = malloc(answer->bytes.length > 0 ? answer->bytes.length : 1);
	if (!bytes) {
		return -ENOMEM;
	}
	memcpy(bytes, answer->bytes.data, answer->bytes.length);
	t->answer = *answer;
	t->answer.bytes = span_make(bytes, answer->bytes.length);
	t->is_answered = true;
	all->bytes += answer->bytes.length;
	timer_start(&all->timers_j, &t->timer_j, now_ms);
	return 0;
}

static void destroy(struct server_transactions *all, struct server_transaction *t)
{
	table_remove(&all->by_transaction, transaction_key(t));
	if (t->is_in_by_request) {
		table_remove(&all->by_request, request_key(t));
	}
	timer_stop(&t->timer_j);
	all->bytes -= t->answer.bytes.length;
	release(t);
}

void server_transactions_end(struct server_transactions *all, const struct server_key *key)
{
	struct server_transaction *t = find(all, key);

	if (t) {
		destroy(all, t);
	}
}

void server_transactions_expire(struct server_transactions *all, uint64_t now_ms)
{
	struct timer *timer;

	while ((timer = timer_list_take_due(&all->timers_j, now_ms))) {
		destroy(all, TIMER_OWNER(timer, struct server_transaction, timer_j));
	}
}

uint64_t server_transactions_next_wake(const struct server_transactions *all)
{
	return timer_list_next_wake(&all->timers_j);
}

struct server_transactions_counts server_transactions_count(const struct server_transactions *all)
{
	return (struct server_transactions_counts){
		.count = all->by_transaction.count,
		.bytes = all->bytes,
		.full = all->full + all->by_transaction.full,
	};
}

void server_tag_of(const struct server_transactions *all, const struct server_key *key,
		   char tag[static server_tag_size])
{
	uint64_t h = key_hash_number(all->seeds[2], key->request[0], key->transaction[0]);
	struct writer w = writer_over(tag, server_tag_size);

	writer_hex(&w, &h, sizeof(h));
	writer_terminate(&w);
}
