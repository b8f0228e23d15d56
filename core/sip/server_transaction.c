/* SPDX-License-Identifier: MIT */
#include "core/sip/server_transaction.h"

#include "core/base/pool.h"
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
	struct server_answer answer;
};

struct server_transactions {
	struct pool pool;
	struct table by_transaction;
	struct table by_request;
	struct timer_list timers_j;
	uint64_t seed[2]; /* of keys */
	uint64_t tag_seed[2];
};

static struct span key_octets(const uint64_t key[static 2])
{
	return span_make((const char *)key, 2 * sizeof(*key));
}

static struct span transaction_key(const void *entry)
{
	return key_octets(((const struct server_transaction *)entry)->key.transaction);
}

static struct span request_key(const void *entry)
{
	return key_octets(((const struct server_transaction *)entry)->key.request);
}

int server_transactions_new(struct server_transactions **transactions,
			    const struct server_transactions_options *options,
			    struct random *random)
{
	struct server_transactions *all = calloc(1, sizeof(*all));

	if (!all) {
		return -ENOMEM;
	}
	pool_init(&all->pool, sizeof(struct server_transaction));
	table_init_hashed(&all->by_transaction, options->count_max, transaction_key);
	table_init_hashed(&all->by_request, options->count_max, request_key);
	all->timers_j = timer_list_of(sip_timer_j_ms);
	random_bytes(random, all->seed, sizeof(all->seed));
	random_bytes(random, all->tag_seed, sizeof(all->tag_seed));
	*transactions = all;
	return 0;
}

void server_transactions_free(struct server_transactions *all)
{
	size_t cursor = 0;
	struct server_transaction *t;

	if (!all) {
		return;
	}
	while ((t = table_next(&all->by_transaction, &cursor))) {
		pool_give(&all->pool, t);
	}
	table_free(&all->by_transaction);
	table_free(&all->by_request);
	pool_free(&all->pool);
	free(all);
}

static void hash_tag(struct key_hash *hash, const struct sip_name_address *address)
{
	key_hash_number(hash, address->has_tag);
	key_hash_bytes(hash, address->has_tag ? address->tag : SPAN(""));
}

/* RFC 3261 17.2.3: branch, sent-by with its port, method */
static void hash_branch(struct key_hash *hash, const struct sip_message *m, struct span method)
{
	key_hash_number(hash, 'b');
	key_hash_nocase(hash, m->via.branch);
	if (m->via.host.kind == SIP_HOST_NAME) {
		key_hash_nocase(hash, m->via.host.text);
	} else {
		key_hash_address(hash, m->via.host.address);
	}
	key_hash_number(hash, sip_via_port(&m->via));
	key_hash_bytes(hash, method);
}

/* RFC 3261 17.2.3 for clients of RFC 2543 */
static void hash_2543(struct key_hash *hash, const struct sip_message *m, struct span method)
{
	key_hash_number(hash, 'o');
	key_hash_bytes(hash, m->request_uri_text);
	hash_tag(hash, &m->to);
	hash_tag(hash, &m->from);
	key_hash_bytes(hash, m->call_id);
	key_hash_number(hash, m->cseq.number);
	key_hash_bytes(hash, m->via.text);
	key_hash_bytes(hash, method);
}

static void hash_request(struct key_hash *hash, const struct sip_message *m, struct span method)
{
	key_hash_number(hash, 'r');
	hash_tag(hash, &m->from);
	key_hash_bytes(hash, m->call_id);
	key_hash_number(hash, m->cseq.number);
	key_hash_bytes(hash, method);
}

struct server_key server_key_of(const struct server_transactions *all,
				const struct sip_message *request, struct address source,
				enum sip_method cancelled)
{
	struct server_key key;
	struct span method = request->method == SIP_METHOD_CANCEL ? sip_method_name(cancelled)
								  : request->method_text;
	struct key_hash transaction = key_hash_begin(all->seed);
	struct key_hash same_request;

	key_hash_address(&transaction, source);
	same_request = transaction;
	if (request->via.has_cookie) {
		hash_branch(&transaction, request, method);
	} else {
		hash_2543(&transaction, request, method);
	}
	key_hash_end(&transaction, key.transaction);
	table_prefetch(&all->by_transaction, key_octets(key.transaction));
	hash_request(&same_request, request, method);
	key_hash_end(&same_request, key.request);
	table_prefetch(&all->by_request, key_octets(key.request));
	return key;
}

struct server_key server_key_of_datagram(const struct server_transactions *all,
					 struct span datagram, struct address source)
{
	struct key_hash hash = key_hash_begin(all->seed);
	struct server_key key;

	key_hash_address(&hash, source);
	key_hash_number(&hash, 'd');
	key_hash_bytes(&hash, datagram);
	key_hash_end(&hash, key.transaction);
	memcpy(key.request, key.transaction, sizeof(key.request));
	return key;
}

static struct server_transaction *find(const struct server_transactions *all,
				       const struct server_key *key)
{
	return table_find(&all->by_transaction, key_octets(key->transaction));
}

enum server_match server_transactions_match(const struct server_transactions *all,
					    const struct server_key *key, bool has_to_tag,
					    struct server_answer *answer)
{
	const struct server_transaction *t = find(all, key);

	if (t && t->is_answered) {
		*answer = t->answer;
		return memcmp(t->key.request, key->request, sizeof(key->request)) == 0
			       ? SERVER_ANSWERED
			       : SERVER_ALTERED;
	}
	if (t) {
		return SERVER_TRYING;
	}
	t = table_find(&all->by_request, key_octets(key->request));
	return t && !has_to_tag ? SERVER_MERGED : SERVER_NEW;
}

/* Puts a transaction into both tables, or into none, and starts Timer J. */
static int enter(struct server_transactions *all, struct server_transaction *t, uint64_t now_ms)
{
	int error = table_add(&all->by_transaction, t);

	if (error) {
		return error;
	}
	error = table_add(&all->by_request, t);
	if (error == -ENOMEM) {
		table_remove(&all->by_transaction, transaction_key(t));
		return error;
	}
	t->is_in_by_request = error == 0;
	timer_start(&all->timers_j, &t->timer_j, now_ms);
	return 0;
}

static int begin(struct server_transactions *all, const struct server_key *key, uint64_t now_ms,
		 struct server_transaction **begun)
{
	struct server_transaction *t = pool_take(&all->pool);
	int error;

	if (!t) {
		return -ENOMEM;
	}
	*t = (struct server_transaction){.key = *key};
	error = enter(all, t, now_ms);
	if (error) {
		pool_give(&all->pool, t);
		return error;
	}
	*begun = t;
	return 0;
}

int server_transactions_begin(struct server_transactions *all, const struct server_key *key,
			      uint64_t now_ms)
{
	struct server_transaction *t;

	return begin(all, key, now_ms, &t);
}

int server_transactions_answer(struct server_transactions *all, const struct server_key *key,
			       const struct server_answer *answer, uint64_t now_ms)
{
	struct server_transaction *t = find(all, key);

	if (t && t->is_answered) {
		return -EEXIST;
	}
	if (t) {
		timer_start(&all->timers_j, &t->timer_j, now_ms);
	} else {
		int error = begin(all, key, now_ms, &t);

		if (error) {
			return error;
		}
	}
	t->answer = *answer;
	t->is_answered = true;
	return 0;
}

static void destroy(struct server_transactions *all, struct server_transaction *t)
{
	table_remove(&all->by_transaction, transaction_key(t));
	if (t->is_in_by_request) {
		table_remove(&all->by_request, request_key(t));
	}
	timer_stop(&t->timer_j);
	pool_give(&all->pool, t);
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
		.full = all->by_transaction.full,
	};
}

void server_tag_of(const struct server_transactions *all, const struct server_key *key,
		   char tag[static server_tag_size])
{
	struct key_hash hash = key_hash_begin(all->tag_seed);
	struct writer w = writer_over(tag, server_tag_size);
	uint64_t words[2];

	for (unsigned i = 0; i < 2; i++) {
		key_hash_number(&hash, key->transaction[i]);
		key_hash_number(&hash, key->request[i]);
	}
	key_hash_end(&hash, words);
	writer_hex(&w, &words[0], sizeof(words[0]));
	writer_terminate(&w);
}
