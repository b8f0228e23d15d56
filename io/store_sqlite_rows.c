/* SPDX-License-Identifier: MIT */
#include "io/store_sqlite_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const char *const store_sqlite_statements[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	/* Not INSERT OR REPLACE: that would delete the row first, and its settings with it. */
	[STATEMENT_DEVICE_WRITE] =
		"INSERT INTO devices VALUES "
		"(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, "
		"?19, ?20) "
		"ON CONFLICT (mac) DO UPDATE SET state = ?2, identified_by = ?3, form = ?4, "
		"vendor = ?5, model = ?6, firmware = ?7, profile = ?8, label = ?9, key = ?10, "
		"address = ?11, interface = ?12, bound_address = ?13, bound_interface = ?14, "
		"first_seen_utc_ms = ?15, last_seen_utc_ms = ?16, notified_utc_ms = ?17, "
		"fetched_utc_ms = ?18, revision = ?19, fetched_revision = ?20",
	[STATEMENT_DEVICE_REMOVE] = "DELETE FROM devices WHERE mac = ?1",
	[STATEMENT_DEVICE_SETTING_WRITE] = "INSERT INTO device_settings VALUES (?1, ?2, ?3)",
	[STATEMENT_DEVICE_SETTINGS_REMOVE] = "DELETE FROM device_settings WHERE mac = ?1",
	[STATEMENT_PROFILE_WRITE] = "INSERT INTO profiles VALUES (?1, ?2, ?3) "
				    "ON CONFLICT (name) DO UPDATE SET parent = ?2, revision = ?3",
	[STATEMENT_PROFILE_REMOVE] = "DELETE FROM profiles WHERE name = ?1",
	[STATEMENT_PROFILE_SETTING_WRITE] = "INSERT INTO profile_settings VALUES (?1, ?2, ?3)",
	[STATEMENT_PROFILE_SETTINGS_REMOVE] = "DELETE FROM profile_settings WHERE name = ?1",
	[STATEMENT_EVENT_WRITE] = "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[STATEMENT_EVENTS_PRUNE] = "DELETE FROM events WHERE id <= ?1",
	[STATEMENT_AUDIT_WRITE] = "INSERT INTO audit (utc_ms, who, what, subject, detail) "
				  "VALUES (?1, ?2, ?3, ?4, ?5)",
	[STATEMENT_AUDIT_PRUNE] = "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1",
};

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
	sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

static void bind_span(sqlite3_stmt *statement, int column, struct span text)
{
	sqlite3_bind_text64(statement, column, text.data ? text.data : "", text.length,
			    SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_number(sqlite3_stmt *statement, int column, uint64_t number)
{
	sqlite3_bind_int64(statement, column, (sqlite3_int64)number);
}

static void bind_address(sqlite3_stmt *statement, int column, struct address address)
{
	char text[address_text_size] = "";

	if (address_is_set(address)) {
		address_text(address, text);
	}
	sqlite3_bind_text(statement, column, text, -1, SQLITE_TRANSIENT);
}

static int write_settings(struct store_sqlite *store, enum statement remove, enum statement write,
			  const char *owner, const struct settings *settings, char *problem,
			  size_t problem_size)
{
	int result;

	bind_text(store->statements[remove], 1, owner);
	result = store_sqlite_run(store, remove, problem, problem_size);
	for (size_t i = 0; i < settings->count && result == 0; i++) {
		bind_text(store->statements[write], 1, owner);
		bind_text(store->statements[write], 2, settings->items[i].path);
		bind_text(store->statements[write], 3, settings->items[i].value);
		result = store_sqlite_run(store, write, problem, problem_size);
	}
	return result;
}

static int write_device(struct store_sqlite *store, const struct prepared *prepared, char *problem,
			size_t problem_size)
{
	const struct device *device = prepared->device;
	sqlite3_stmt *row = store->statements[STATEMENT_DEVICE_WRITE];
	char mac[mac_text_size];
	int result;

	mac_text(device->mac, mac);
	if (prepared->is_removal) {
		bind_text(store->statements[STATEMENT_DEVICE_REMOVE], 1, mac);
		return store_sqlite_run(store, STATEMENT_DEVICE_REMOVE, problem, problem_size);
	}
	bind_text(row, 1, mac);
	bind_text(row, 2, device_state_name(device->state));
	bind_text(row, 3, device_identified_by_name(device->identified_by));
	bind_text(row, 4, notify_form_name(device->form));
	bind_text(row, 5, device->vendor);
	bind_text(row, 6, device->model);
	bind_text(row, 7, device->firmware);
	bind_text(row, 8, device->profile);
	bind_text(row, 9, device->label);
	bind_text(row, 10, device->key);
	bind_address(row, 11, device->address);
	bind_text(row, 12, device->interface);
	bind_address(row, 13, device->bound_address);
	bind_text(row, 14, device->bound_interface);
	bind_number(row, 15, device->first_seen_utc_ms);
	bind_number(row, 16, device->last_seen_utc_ms);
	bind_number(row, 17, device->notified_utc_ms);
	bind_number(row, 18, device->fetched_utc_ms);
	bind_number(row, 19, device->revision);
	bind_number(row, 20, device->fetched_revision);
	result = store_sqlite_run(store, STATEMENT_DEVICE_WRITE, problem, problem_size);
	if (result == 0 && !prepared->keeps_settings) {
		result = write_settings(store, STATEMENT_DEVICE_SETTINGS_REMOVE,
					STATEMENT_DEVICE_SETTING_WRITE, mac, &device->settings,
					problem, problem_size);
	}
	return result;
}

static int write_profile(struct store_sqlite *store, const struct prepared *prepared, char *problem,
			 size_t problem_size)
{
	const struct profile *profile = prepared->profile;
	int result;

	if (prepared->is_removal) {
		bind_text(store->statements[STATEMENT_PROFILE_REMOVE], 1, profile->name);
		return store_sqlite_run(store, STATEMENT_PROFILE_REMOVE, problem, problem_size);
	}
	bind_text(store->statements[STATEMENT_PROFILE_WRITE], 1, profile->name);
	bind_text(store->statements[STATEMENT_PROFILE_WRITE], 2, profile->parent);
	bind_number(store->statements[STATEMENT_PROFILE_WRITE], 3, profile->revision);
	result = store_sqlite_run(store, STATEMENT_PROFILE_WRITE, problem, problem_size);
	if (result == 0) {
		result = write_settings(store, STATEMENT_PROFILE_SETTINGS_REMOVE,
					STATEMENT_PROFILE_SETTING_WRITE, profile->name,
					&profile->settings, problem, problem_size);
	}
	return result;
}

/* The catalogue of files is not written: it is read again from DATA/files/ at every start. */
int store_sqlite_write(struct store_database *database, const struct prepared *prepared,
		       char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	int result = 0;

	if (prepared->device) {
		result = write_device(store, prepared, problem, problem_size);
	}
	if (prepared->profile && result == 0) {
		result = write_profile(store, prepared, problem, problem_size);
	}
	return result;
}

int store_sqlite_write_event(struct store_database *database, const struct event *event,
			     char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	sqlite3_stmt *row = store->statements[STATEMENT_EVENT_WRITE];
	char mac[mac_text_size];
	char source[endpoint_text_size];

	bind_number(row, 1, event->id);
	bind_number(row, 2, event->utc_ms);
	bind_text(row, 3, report_level_name(event->level));
	bind_text(row, 4, event->reason);
	if (event->has_mac) {
		mac_text(event->mac, mac);
		bind_text(row, 5, mac);
	}
	if (address_is_set(event->source.address)) {
		endpoint_text(event->source, source);
		bind_text(row, 6, source);
	}
	bind_span(row, 7, event->text);
	if (!span_is_empty(event->detail)) {
		bind_span(row, 8, event->detail);
	}
	store->last_event_id = event->id;
	return store_sqlite_run(store, STATEMENT_EVENT_WRITE, problem, problem_size);
}

int store_sqlite_write_audit(struct store_database *database, const struct store_audit *audit,
			     char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	sqlite3_stmt *row = store->statements[STATEMENT_AUDIT_WRITE];

	bind_number(row, 1, audit->utc_ms);
	bind_span(row, 2, audit->who);
	bind_span(row, 3, audit->what);
	bind_span(row, 4, audit->subject);
	bind_span(row, 5, audit->detail);
	store->has_new_audit = true;
	return store_sqlite_run(store, STATEMENT_AUDIT_WRITE, problem, problem_size);
}

/* A column as text that lives until the next step. */
static struct span column(sqlite3_stmt *row, int index)
{
	const unsigned char *text = sqlite3_column_text(row, index);

	return span_make((const char *)text, (size_t)sqlite3_column_bytes(row, index));
}

static int read_address(struct span text, struct address *address)
{
	if (span_is_empty(text)) {
		*address = (struct address){.family = ADDRESS_NONE};
		return 0;
	}
	return address_parse(text, address);
}

/* The name of the first column that does not hold what it should, or NULL. */
static const char *read_device(sqlite3_stmt *row, struct device *device)
{
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
	};

	if (mac_parse(column(row, 0), &device->mac) < 0) {
		return "mac";
	}
	if (device_state_parse(column(row, 1), &device->state) < 0) {
		return "state";
	}
	if (device_identified_by_parse(column(row, 2), &device->identified_by) < 0) {
		return "identified_by";
	}
	if (notify_form_parse(column(row, 3), &device->form) < 0) {
		return "form";
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (span_to_text(column(row, texts[i].column), texts[i].text, texts[i].size) < 0) {
			return texts[i].name;
		}
	}
	if (read_address(column(row, 10), &device->address) < 0) {
		return "address";
	}
	if (read_address(column(row, 12), &device->bound_address) < 0) {
		return "bound_address";
	}
	device->first_seen_utc_ms = (uint64_t)sqlite3_column_int64(row, 14);
	device->last_seen_utc_ms = (uint64_t)sqlite3_column_int64(row, 15);
	device->notified_utc_ms = (uint64_t)sqlite3_column_int64(row, 16);
	device->fetched_utc_ms = (uint64_t)sqlite3_column_int64(row, 17);
	device->revision = (uint64_t)sqlite3_column_int64(row, 18);
	device->fetched_revision = (uint64_t)sqlite3_column_int64(row, 19);
	return NULL;
}

/*
 * A reader of one of the two tables of settings, which is walked beside the table of their owners:
 * both are sorted by the owner's name.
 */
struct settings_reader {
	sqlite3_stmt *row;
	int code; /* of the last step */
};

static int read_settings(struct settings_reader *reader, struct span owner,
			 struct settings *settings)
{
	int result = 0;

	while (reader->code == SQLITE_ROW && span_compare(column(reader->row, 0), owner) < 0) {
		reader->code = sqlite3_step(reader->row);
	}
	while (reader->code == SQLITE_ROW && span_equal(column(reader->row, 0), owner)) {
		/* Without checks: a value that this version would not take any more must not keep
		 * the server from starting. */
		result = settings_put(settings, column(reader->row, 1), column(reader->row, 2));
		if (result < 0) {
			return result;
		}
		reader->code = sqlite3_step(reader->row);
	}
	return 0;
}

static int bad_row(const struct store_sqlite *store, const char *table, struct span name,
		   const char *field, char *problem, size_t problem_size)
{
	snprintf(problem, problem_size,
		 "%s: the %s of %s %.*s is not one that Bellhop wrote; mend that row or put a "
		 "backup in its place",
		 store->path, field, table, (int)(name.length < 100 ? name.length : 100),
		 name.data ? name.data : "");
	return -EIO;
}

/* A record that the inventory did not take. */
static int not_loaded(const struct store_sqlite *store, const char *table, struct span name,
		      int result, char *problem, size_t problem_size)
{
	if (result == -ENOSPC) {
		snprintf(problem, problem_size,
			 "%s holds more than fits: %s %.*s found no room; raise the maximum in "
			 "the configuration",
			 store->path, table, (int)name.length, name.data);
		return result;
	}
	return bad_row(store, table, name, "content", problem, problem_size);
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
		return bad_row(store, "device", column(row, 0), fault, problem, problem_size);
	}
	result = read_settings(settings, column(row, 0), &device->settings);
	if (result == 0) {
		result = inventory_load_device(inventory, device);
	}
	if (result < 0) {
		device_free(device);
		result = not_loaded(store, "device", column(row, 0), result, problem, problem_size);
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
	if (span_to_text(column(row, 0), profile->name, sizeof(profile->name)) < 0 ||
	    span_to_text(column(row, 1), profile->parent, sizeof(profile->parent)) < 0) {
		profile_free(profile);
		return bad_row(store, "profile", column(row, 0), "name or parent", problem,
			       problem_size);
	}
	profile->revision = (uint64_t)sqlite3_column_int64(row, 2);
	result = read_settings(settings, column(row, 0), &profile->settings);
	if (result == 0) {
		result = inventory_load_profile(inventory, profile);
	}
	if (result < 0) {
		profile_free(profile);
		result =
			not_loaded(store, "profile", column(row, 0), result, problem, problem_size);
	}
	return result;
}

typedef int load_row_fn(struct store_sqlite *store, sqlite3_stmt *row,
			struct settings_reader *settings, struct inventory *inventory,
			char *problem, size_t problem_size);

static int load_table(struct store_sqlite *store, const char *const sql[static 2],
		      load_row_fn *load_row, struct inventory *inventory, char *problem,
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
		result = load_row(store, row, &settings, inventory, problem, problem_size);
		code = result == 0 ? sqlite3_step(row) : code;
	}
	if (result == 0 && code == SQLITE_DONE && settings.code != SQLITE_ROW) {
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
	return result;
}

static int load_event(sqlite3_stmt *row, struct event *event)
{
	int result = 0;

	event->id = (uint64_t)sqlite3_column_int64(row, 0);
	event->utc_ms = (uint64_t)sqlite3_column_int64(row, 1);
	result |= report_level_parse(column(row, 2), &event->level);
	result |= span_to_text(column(row, 3), event->reason, sizeof(event->reason));
	if (sqlite3_column_type(row, 4) != SQLITE_NULL) {
		event->has_mac = true;
		result |= mac_parse(column(row, 4), &event->mac);
	}
	if (sqlite3_column_type(row, 5) != SQLITE_NULL) {
		result |= endpoint_parse(column(row, 5), 0, &event->source);
	}
	event->text = column(row, 6);
	event->detail = column(row, 7);
	return result == 0 ? 0 : -EIO;
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
		bind_number(row, 1, count);
		code = sqlite3_step(row);
	}
	while (code == SQLITE_ROW && result == 0) {
		struct event event = {.id = 0};

		result = load_event(row, &event);
		if (result < 0) {
			snprintf(problem, problem_size,
				 "%s: event %llu is not one that Bellhop wrote; remove that row",
				 store->path, (unsigned long long)event.id);
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
