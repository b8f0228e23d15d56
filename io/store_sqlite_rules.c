/* SPDX-License-Identifier: MIT */
/* Rules, pools, and which device has which number of them. */
#include "io/store_sqlite_row.h"

#include <errno.h>
#include <stdio.h>

enum { pool_why_size = 300 };

static int write_named(struct store_sqlite *store, enum statement which, const char *name,
		       const char *body, char *problem, size_t problem_size)
{
	row_bind_text(store->statements[which], 1, name);
	if (body) {
		row_bind_text(store->statements[which], 2, body);
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
	row_bind_text(row, 1, mac);
	if (device->extension[0]) {
		row_bind_text(row, 2, device->pool);
		row_bind_text(row, 3, device->extension);
	}
	return store_sqlite_run(store, which, problem, problem_size);
}

static int write_used(struct store_sqlite *store, const struct device *device, char *problem,
		      size_t problem_size)
{
	sqlite3_stmt *row = store->statements[STATEMENT_RULE_USED];

	row_bind_text(row, 1, device->claimed_by);
	row_bind_number(row, 2, device->last_seen_utc_ms);
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

static int load_pool(struct store_sqlite *store, sqlite3_stmt *row, struct inventory *inventory,
		     char *problem, size_t problem_size)
{
	char room[pool_why_size] = "";
	struct writer why = writer_over(room, sizeof(room) - 1);
	struct number_pool *pool = NULL;
	int result = number_pool_read(row_text(row, 0), row_text(row, 1),
				      inventory->limits.pool_numbers_max - inventory->pool_numbers,
				      &pool, &why);

	if (result == 0) {
		result = inventory_load_pool(inventory, pool);
		if (result < 0) {
			number_pool_free(pool);
		}
	}
	if (result < 0) {
		const struct row_fault fault = {"pool", result, .why = room};

		result = store_sqlite_refuse_row(store, row, fault, problem, problem_size);
	}
	return result;
}

static int load_rule(struct store_sqlite *store, sqlite3_stmt *row, struct inventory *inventory,
		     char *problem, size_t problem_size)
{
	char room[pool_why_size] = "";
	struct writer why = writer_over(room, sizeof(room) - 1);
	uint64_t used;
	uint64_t used_utc_ms;
	struct rule *rule = NULL;
	int result = -EINVAL;

	if (row_number(row, 2, &used) && row_number(row, 3, &used_utc_ms)) {
		result = rule_read(row_text(row, 0), row_text(row, 1), &rule, &why);
	}
	if (result == 0) {
		rule->used = used;
		rule->used_utc_ms = used_utc_ms;
		result = inventory_load_rule(inventory, rule);
		if (result < 0) {
			rule_free(rule);
		}
	}
	if (result < 0) {
		const struct row_fault fault = {"rule", result, .why = room};

		result = store_sqlite_refuse_row(store, row, fault, problem, problem_size);
	}
	return result;
}

static int load_number(struct store_sqlite *store, sqlite3_stmt *row, struct inventory *inventory,
		       char *problem, size_t problem_size)
{
	struct mac mac = {0};
	int result = mac_parse(row_text(row, 0), &mac);

	if (result == 0) {
		result = inventory_load_number(inventory, mac, row_text(row, 1), row_text(row, 2));
	}
	if (result < 0) {
		const struct row_fault fault = {"the number of device", result,
						.why = "its device, pool or extension"};

		result = store_sqlite_refuse_row(store, row, fault, problem, problem_size);
	}
	return result;
}

int store_sqlite_load_rules(struct store_sqlite *store, struct inventory *inventory, char *problem,
			    size_t problem_size)
{
	int result = store_sqlite_load_rows(
		store, "SELECT mac, pool, extension FROM device_numbers ORDER BY mac", load_number,
		inventory, problem, problem_size);

	if (result == 0) {
		result = store_sqlite_load_rows(store, "SELECT name, body FROM pools ORDER BY name",
						load_pool, inventory, problem, problem_size);
	}
	if (result == 0) {
		result = store_sqlite_load_rows(
			store, "SELECT name, body, used, used_utc_ms FROM rules ORDER BY name",
			load_rule, inventory, problem, problem_size);
	}
	return result;
}
