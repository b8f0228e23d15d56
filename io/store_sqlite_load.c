/* SPDX-License-Identifier: MIT */
#include "io/store_sqlite_row.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int read_address(struct span text, struct address *address)
{
	if (span_is_empty(text)) {
		*address = (struct address){.family = ADDRESS_NONE};
		return 0;
	}
	return address_parse(text, address);
}

/* In the one spelling that we write: it is the name of the row. */
static bool read_mac(struct span text, struct mac *mac)
{
	char spelt[mac_text_size];

	if (mac_parse(text, mac) < 0) {
		return false;
	}
	mac_text(*mac, spelt);
	return span_equal(text, span_text(spelt));
}

/* The name of the first number that is out of its bounds, or NULL. */
static const char *read_numbers(sqlite3_stmt *row, struct device *device)
{
	const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = {
		{"first_seen_utc_ms", &device->first_seen_utc_ms},
		{"last_seen_utc_ms", &device->last_seen_utc_ms},
		{"notified_utc_ms", &device->notified_utc_ms},
		{"fetched_utc_ms", &device->fetched_utc_ms},
		{"revision", &device->revision},
		{"fetched_revision", &device->fetched_revision},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!row_number(row, 14 + (int)i, numbers[i].number)) {
			return numbers[i].name;
		}
	}
	return NULL;
}

/* How it was told and what came of it: the columns of schema 3. */
static const char *read_told(sqlite3_stmt *row, struct device *device)
{
	uint64_t told_both;
	uint64_t told_unfetched;
	uint64_t status;

	if (device_certainty_parse(row_text(row, 20), &device->certainty) < 0) {
		return "certainty";
	}
	if (notify_form_parse(row_text(row, 21), &device->told_form) < 0) {
		return "told_form";
	}
	if (!row_number(row, 23, &told_both) || told_both > 1) {
		return "told_both";
	}
	if (!row_number(row, 24, &told_unfetched) || told_unfetched > UINT8_MAX) {
		return "told_unfetched";
	}
	if (device_resync_parse(row_text(row, 25), &device->resync) < 0) {
		return "resync";
	}
	if (!row_number(row, 26, &status) || status > 699) {
		return "resync_status";
	}
	if (!row_number(row, 27, &device->resync_utc_ms)) {
		return "resync_utc_ms";
	}
	device->told_both = told_both == 1;
	device->told_unfetched = (uint8_t)told_unfetched;
	device->resync_status = (uint16_t)status;
	return NULL;
}

/* The name of the first column that does not hold what it should, or NULL. */
static const char *read_device(sqlite3_stmt *row, struct device *device)
{
	const char *fault;
	const struct {
		const char *name;
		char *text;
		size_t size;
		int column;
	} texts[] = {
		{"vendor", device->vendor, sizeof(device->vendor), 4},
		{"model", device->model, sizeof(device->model), 5},
		{"firmware", device->firmware, sizeof(device->firmware), 6},
		{"profile", device->profile, sizeof(device->profile), 7},
		{"label", device->label, sizeof(device->label), 8},
		{"key", device->key, sizeof(device->key), 9},
		{"interface", device->interface, sizeof(device->interface), 11},
		{"bound_interface", device->bound_interface, sizeof(device->bound_interface), 13},
		{"told_shape", device->told_shape, sizeof(device->told_shape), 22},
		{"claimed_by", device->claimed_by, sizeof(device->claimed_by), 28},
	};

	if (!read_mac(row_text(row, 0), &device->mac)) {
		return "mac";
	}
	if (device_state_parse(row_text(row, 1), &device->state) < 0) {
		return "state";
	}
	if (device_identified_by_parse(row_text(row, 2), &device->identified_by) < 0) {
		return "identified_by";
	}
	if (notify_form_parse(row_text(row, 3), &device->form) < 0) {
		return "form";
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (span_to_text(row_text(row, texts[i].column), texts[i].text, texts[i].size) <
		    0) {
			return texts[i].name;
		}
	}
	if (read_address(row_text(row, 10), &device->address) < 0) {
		return "address";
	}
	if (read_address(row_text(row, 12), &device->bound_address) < 0) {
		return "bound_address";
	}
	fault = read_numbers(row, device);
	return fault ? fault : read_told(row, device);
}

int store_sqlite_refuse_row(const struct store_sqlite *store, sqlite3_stmt *row,
			    struct row_fault fault, char *problem, size_t problem_size)
{
	struct span text = row_text(row, 0);
	int length = (int)(text.length < 100 ? text.length : 100);
	const char *name = text.data ? text.data : "";
	const char *remedy = store->is_candidate ? store_sqlite_remedy(store)
						 : "mend that row or put a backup in its place";

	if (fault.result == -ENOMEM) {
		return store_sqlite_fault(store, SQLITE_NOMEM, "read", problem, problem_size);
	}
	if (fault.result == -ENOSPC) {
		snprintf(problem, problem_size,
			 "%s holds more than fits: %s %.*s found no room; raise the maximum in "
			 "the configuration",
			 store->name, fault.table, length, name);
		return -ENOSPC;
	}
	if (fault.why) {
		snprintf(problem, problem_size,
			 "%s: %s %.*s is not one that Bellhop wrote (%s); %s", store->name,
			 fault.table, length, name, fault.why, remedy);
	} else {
		snprintf(problem, problem_size,
			 "%s: the %s of %s %.*s is not one that Bellhop wrote; %s", store->name,
			 fault.what, fault.table, length, name, remedy);
	}
	return -EUCLEAN;
}

int store_sqlite_load_rows(struct store_sqlite *store, const char *sql,
			   store_sqlite_row_fn *load_row, struct inventory *inventory,
			   char *problem, size_t problem_size)
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

/*
 * A reader of one of the two tables of settings, which is walked beside the table of their owners:
 * both are sorted by the owner's name.
 */
struct settings_reader {
	sqlite3_stmt *row;
	int code; /* of the last step */
};

/*
 * Settings before those of `owner` (of the end, when it is NULL) belong to nobody: their owner is
 * not there, or a page is not where it should be.
 */
static bool has_strays(const struct settings_reader *reader, const struct span *owner)
{
	return reader->code == SQLITE_ROW &&
	       (!owner || span_compare(row_text(reader->row, 0), *owner) < 0);
}

static int stray_settings(const struct store_sqlite *store, const struct settings_reader *reader,
			  char *problem, size_t problem_size)
{
	struct span owner = row_text(reader->row, 0);

	snprintf(problem, problem_size, "%s is damaged (settings of %.*s, which is not there); %s",
		 store->name, (int)(owner.length < 100 ? owner.length : 100),
		 owner.data ? owner.data : "", store_sqlite_remedy(store));
	return -EUCLEAN;
}

static int read_settings(struct settings_reader *reader, struct span owner,
			 struct settings *settings)
{
	int result = 0;

	while (result == 0 && reader->code == SQLITE_ROW &&
	       span_equal(row_text(reader->row, 0), owner)) {
		struct span path = row_text(reader->row, 1);
		struct span value = row_text(reader->row, 2);

		if (span_is_empty(path) || path.length > setting_path_max ||
		    value.length > setting_value_max) {
			return -EINVAL;
		}
		/* No other checks: a value that this version would not take any more must not keep
		 * the server from starting. */
		result = settings_put(settings, path, value);
		reader->code = sqlite3_step(reader->row);
	}
	return result;
}

static int load_device(struct store_sqlite *store, sqlite3_stmt *row,
		       struct settings_reader *settings, struct inventory *inventory, char *problem,
		       size_t problem_size)
{
	struct device *device = calloc(1, sizeof(*device));
	const char *fault;
	int result;

	if (!device) {
		return store_sqlite_fault(store, SQLITE_NOMEM, "read", problem, problem_size);
	}
	fault = read_device(row, device);
	if (fault) {
		device_free(device);
		return store_sqlite_refuse_row(store, row,
					       (struct row_fault){"device", -EUCLEAN,
								  .what = fault},
					       problem, problem_size);
	}
	result = read_settings(settings, row_text(row, 0), &device->settings);
	if (result == 0) {
		result = inventory_load_device(inventory, device);
	}
	if (result < 0) {
		device_free(device);
		result = store_sqlite_refuse_row(store, row,
						 (struct row_fault){"device", result,
								    .what = "content"},
						 problem, problem_size);
	}
	return result;
}

static int load_profile(struct store_sqlite *store, sqlite3_stmt *row,
			struct settings_reader *settings, struct inventory *inventory,
			char *problem, size_t problem_size)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	int result;

	if (!profile) {
		return store_sqlite_fault(store, SQLITE_NOMEM, "read", problem, problem_size);
	}
	if (span_to_text(row_text(row, 0), profile->name, sizeof(profile->name)) < 0 ||
	    span_to_text(row_text(row, 1), profile->parent, sizeof(profile->parent)) < 0) {
		profile_free(profile);
		return store_sqlite_refuse_row(store, row,
					       (struct row_fault){"profile", -EUCLEAN,
								  .what = "name or parent"},
					       problem, problem_size);
	}
	if (!row_number(row, 2, &profile->revision)) {
		profile_free(profile);
		return store_sqlite_refuse_row(store, row,
					       (struct row_fault){"profile", -EUCLEAN,
								  .what = "revision"},
					       problem, problem_size);
	}
	result = read_settings(settings, row_text(row, 0), &profile->settings);
	if (result == 0) {
		result = inventory_load_profile(inventory, profile);
	}
	if (result < 0) {
		profile_free(profile);
		result = store_sqlite_refuse_row(store, row,
						 (struct row_fault){"profile", result,
								    .what = "content"},
						 problem, problem_size);
	}
	return result;
}

typedef int load_owner_fn(struct store_sqlite *store, sqlite3_stmt *row,
			  struct settings_reader *settings, struct inventory *inventory,
			  char *problem, size_t problem_size);

static int load_table(struct store_sqlite *store, const char *const sql[static 2],
		      load_owner_fn *load_row, struct inventory *inventory, char *problem,
		      size_t problem_size)
{
	sqlite3_stmt *row = NULL;
	struct settings_reader settings = {.row = NULL};
	int result = 0;
	int code = sqlite3_prepare_v2(store->connection, sql[0], -1, &row, NULL);

	if (code == SQLITE_OK) {
		code = sqlite3_prepare_v2(store->connection, sql[1], -1, &settings.row, NULL);
	}
	if (code == SQLITE_OK) {
		settings.code = sqlite3_step(settings.row);
		code = sqlite3_step(row);
	}
	while (code == SQLITE_ROW && result == 0) {
		struct span owner = row_text(row, 0);

		result =
			has_strays(&settings, &owner)
				? stray_settings(store, &settings, problem, problem_size)
				: load_row(store, row, &settings, inventory, problem, problem_size);
		code = result == 0 ? sqlite3_step(row) : code;
	}
	if (result == 0 && code == SQLITE_DONE && has_strays(&settings, NULL)) {
		result = stray_settings(store, &settings, problem, problem_size);
	} else if (result == 0 && code == SQLITE_DONE) {
		code = settings.code;
	}
	if (result == 0 && code != SQLITE_DONE) {
		result = store_sqlite_fault(store, code, "read", problem, problem_size);
	}
	sqlite3_finalize(settings.row);
	sqlite3_finalize(row);
	return result;
}

int store_sqlite_load(struct store_database *database, struct inventory *inventory, char *problem,
		      size_t problem_size)
{
	static const char *const profiles[2] = {
		"SELECT * FROM profiles ORDER BY name",
		"SELECT name, path, value FROM profile_settings ORDER BY name, path",
	};
	static const char *const devices[2] = {
		"SELECT * FROM devices ORDER BY mac",
		"SELECT mac, path, value FROM device_settings ORDER BY mac, path",
	};
	struct store_sqlite *store = (struct store_sqlite *)database;
	int result = load_table(store, profiles, load_profile, inventory, problem, problem_size);

	if (result == 0) {
		result = load_table(store, devices, load_device, inventory, problem, problem_size);
	}
	if (result == 0) {
		result = store_sqlite_load_rules(store, inventory, problem, problem_size);
	}
	return result == 0 ? store_sqlite_load_forms(store, inventory, problem, problem_size)
			   : result;
}

static int load_event(sqlite3_stmt *row, struct event *event)
{
	int result = 0;

	event->id = (uint64_t)sqlite3_column_int64(row, 0);
	event->utc_ms = (uint64_t)sqlite3_column_int64(row, 1);
	result |= report_level_parse(row_text(row, 2), &event->level);
	result |= span_to_text(row_text(row, 3), event->reason, sizeof(event->reason));
	if (sqlite3_column_type(row, 4) != SQLITE_NULL) {
		event->has_mac = true;
		result |= mac_parse(row_text(row, 4), &event->mac);
	}
	if (sqlite3_column_type(row, 5) != SQLITE_NULL) {
		result |= endpoint_parse(row_text(row, 5), 0, &event->source);
	}
	event->text = row_text(row, 6);
	event->detail = row_text(row, 7);
	return result == 0 ? 0 : -EUCLEAN;
}

int store_sqlite_load_events(struct store_database *database, size_t count, store_event_fn *each,
			     void *context, char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	sqlite3_stmt *row = NULL;
	int result = 0;
	int code = sqlite3_prepare_v2(
		store->connection,
		"SELECT * FROM (SELECT * FROM events ORDER BY id DESC LIMIT ?1) ORDER BY id", -1,
		&row, NULL);

	if (code == SQLITE_OK) {
		sqlite3_bind_int64(row, 1, (sqlite3_int64)count);
		code = sqlite3_step(row);
	}
	while (code == SQLITE_ROW && result == 0) {
		struct event event = {.id = 0};

		result = load_event(row, &event);
		if (result < 0) {
			snprintf(problem, problem_size,
				 "%s: event %llu is not one that Bellhop wrote; remove that row",
				 store->name, (unsigned long long)event.id);
		} else {
			result = each(context, &event);
			code = sqlite3_step(row);
		}
	}
	if (result == 0 && code != SQLITE_DONE) {
		result = store_sqlite_fault(store, code, "read", problem, problem_size);
	}
	sqlite3_finalize(row);
	return result;
}
