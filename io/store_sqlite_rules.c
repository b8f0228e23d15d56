/* SPDX-License-Identifier: MIT */
/* Rules, pools, and which device has which number of them. */
#include "io/store_sqlite_internal.h"

#include <errno.h>
#include <stdio.h>

enum { pool_why_size = 300 };

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
	sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

static int write_named(struct store_sqlite *store, enum statement which, const char *name,
		       const char *body, char *problem, size_t problem_size)
{
	bind_text(store->statements[which], 1, name);
	if (body) {
		bind_text(store->statements[which], 2, body);
	}
	return store_sqlite_run(store, which, problem, problem_size);
}

static int write_number(struct store_sqlite *store, const struct device *device, char *problem,
			size_t problem_size)
{
	enum statement which =
		device->extension[0] ? STATEMENT_NUMBER_WRITE : STATEMENT_NUMBER_REMOVE;
	sqlite3_stmt *row = store->statements[which];
	char mac[mac_text_size];

	mac_text(device->mac, mac);
	bind_text(row, 1, mac);
	if (device->extension[0]) {
		bind_text(row, 2, device->pool);
		bind_text(row, 3, device->extension);
	}
	return store_sqlite_run(store, which, problem, problem_size);
}

static int write_used(struct store_sqlite *store, const struct device *device, char *problem,
		      size_t problem_size)
{
	sqlite3_stmt *row = store->statements[STATEMENT_RULE_USED];

	bind_text(row, 1, device->claimed_by);
	sqlite3_bind_int64(row, 2, (sqlite3_int64)device->last_seen_utc_ms);
	return store_sqlite_run(store, STATEMENT_RULE_USED, problem, problem_size);
}

int store_sqlite_write_rules(struct store_sqlite *store, const struct prepared *prepared,
			     char *problem, size_t problem_size)
{
	bool is_removal = prepared->is_removal;
	int result = 0;

	if (prepared->rule) {
		result = write_named(store,
				     is_removal ? STATEMENT_RULE_REMOVE : STATEMENT_RULE_WRITE,
				     prepared->rule->name, is_removal ? NULL : prepared->rule->body,
				     problem, problem_size);
	}
	if (prepared->pool && result == 0) {
		result = write_named(store,
				     is_removal ? STATEMENT_POOL_REMOVE : STATEMENT_POOL_WRITE,
				     prepared->pool->name, is_removal ? NULL : prepared->pool->body,
				     problem, problem_size);
	}
	if (prepared->is_number_changed && result == 0) {
		result = write_number(store, prepared->device, problem, problem_size);
	}
	if (prepared->is_claim_by_rule && result == 0) {
		result = write_used(store, prepared->device, problem, problem_size);
	}
	return result;
}

/* --- Reading. --- */

static struct span column(sqlite3_stmt *row, int index)
{
	const unsigned char *text = sqlite3_column_text(row, index);

	return span_make((const char *)text, (size_t)sqlite3_column_bytes(row, index));
}

static int bad_row(const struct store_sqlite *store, const char *table, struct span name,
		   const char *why, char *problem, size_t problem_size)
{
	snprintf(problem, problem_size, "%s: %s %.*s is not one that Bellhop wrote (%s); %s",
		 store->name, table, (int)(name.length < 100 ? name.length : 100),
		 name.data ? name.data : "", why,
		 store->is_candidate ? store_sqlite_remedy(store)
				     : "mend that row or put a backup in its place");
	return -EUCLEAN;
}

/* What the inventory, or the reader of the body, made of a row. */
static int outcome(const struct store_sqlite *store, const char *table, struct span name,
		   int result, const char *why, char *problem, size_t problem_size)
{
	if (result == -ENOMEM) {
		return store_sqlite_fault(store, SQLITE_NOMEM, "read", problem, problem_size);
	}
	if (result == -ENOSPC) {
		snprintf(problem, problem_size,
			 "%s holds more than fits: %s %.*s found no room; raise the maximum in "
			 "the configuration",
			 store->name, table, (int)(name.length < 100 ? name.length : 100),
			 name.data);
		return result;
	}
	return bad_row(store, table, name, why, problem, problem_size);
}

static int load_pool(struct store_sqlite *store, sqlite3_stmt *row, struct inventory *inventory,
		     char *problem, size_t problem_size)
{
	char room[pool_why_size] = "";
	struct writer why = writer_over(room, sizeof(room) - 1);
	struct number_pool *pool = NULL;
	int result = number_pool_read(column(row, 0), column(row, 1),
				      inventory->limits.pool_numbers_max - inventory->pool_numbers,
				      &pool, &why);

	if (result == 0) {
		result = inventory_load_pool(inventory, pool);
		if (result < 0) {
			number_pool_free(pool);
		}
	}
	return result == 0 ? 0
			   : outcome(store, "pool", column(row, 0), result, room, problem,
				     problem_size);
}

static int load_rule(struct store_sqlite *store, sqlite3_stmt *row, struct inventory *inventory,
		     char *problem, size_t problem_size)
{
	char room[pool_why_size] = "";
	struct writer why = writer_over(room, sizeof(room) - 1);
	sqlite3_int64 used = sqlite3_column_int64(row, 2);
	sqlite3_int64 used_utc_ms = sqlite3_column_int64(row, 3);
	struct rule *rule = NULL;
	int result = -EINVAL;

	if (used >= 0 && used <= store_sqlite_number_max && used_utc_ms >= 0 &&
	    used_utc_ms <= store_sqlite_number_max) {
		result = rule_read(column(row, 0), column(row, 1), &rule, &why);
	}
	if (result == 0) {
		rule->used = (uint64_t)used;
		rule->used_utc_ms = (uint64_t)used_utc_ms;
		result = inventory_load_rule(inventory, rule);
		if (result < 0) {
			rule_free(rule);
		}
	}
	return result == 0 ? 0
			   : outcome(store, "rule", column(row, 0), result, room, problem,
				     problem_size);
}

static int load_number(struct store_sqlite *store, sqlite3_stmt *row, struct inventory *inventory,
		       char *problem, size_t problem_size)
{
	struct mac mac = {0};
	int result = mac_parse(column(row, 0), &mac);

	if (result == 0) {
		result = inventory_load_number(inventory, mac, column(row, 1), column(row, 2));
	}
	return result == 0 ? 0
			   : outcome(store, "the number of device", column(row, 0), result,
				     "its device, pool or extension", problem, problem_size);
}

typedef int load_row_fn(struct store_sqlite *store, sqlite3_stmt *row, struct inventory *inventory,
			char *problem, size_t problem_size);

static int load_rows(struct store_sqlite *store, const char *sql, load_row_fn *load_row,
		     struct inventory *inventory, char *problem, size_t problem_size)
{
	sqlite3_stmt *row = NULL;
	int result = 0;
	int code = sqlite3_prepare_v2(store->connection, sql, -1, &row, NULL);

	if (code == SQLITE_OK) {
		code = sqlite3_step(row);
	}
	while (code == SQLITE_ROW && result == 0) {
		result = load_row(store, row, inventory, problem, problem_size);
		code = result == 0 ? sqlite3_step(row) : code;
	}
	if (result == 0 && code != SQLITE_DONE) {
		result = store_sqlite_fault(store, code, "read", problem, problem_size);
	}
	sqlite3_finalize(row);
	return result;
}

int store_sqlite_load_rules(struct store_sqlite *store, struct inventory *inventory, char *problem,
			    size_t problem_size)
{
	int result =
		load_rows(store, "SELECT mac, pool, extension FROM device_numbers ORDER BY mac",
			  load_number, inventory, problem, problem_size);

	if (result == 0) {
		result = load_rows(store, "SELECT name, body FROM pools ORDER BY name", load_pool,
				   inventory, problem, problem_size);
	}
	if (result == 0) {
		result = load_rows(store,
				   "SELECT name, body, used, used_utc_ms FROM rules ORDER BY name",
				   load_rule, inventory, problem, problem_size);
	}
	return result;
}
