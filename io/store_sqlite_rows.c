/* SPDX-License-Identifier: MIT */
#include "io/store_sqlite_row.h"

#include <stdio.h>

const char *const store_sqlite_statements[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	/* Not INSERT OR REPLACE: that would delete the row first, and its settings with it. */
	[STATEMENT_DEVICE_WRITE] =
		"INSERT INTO devices VALUES "
		"(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, "
		"?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29) "
		"ON CONFLICT (mac) DO UPDATE SET state = ?2, identified_by = ?3, form = ?4, "
		"vendor = ?5, model = ?6, firmware = ?7, profile = ?8, label = ?9, key = ?10, "
		"address = ?11, interface = ?12, bound_address = ?13, bound_interface = ?14, "
		"first_seen_utc_ms = ?15, last_seen_utc_ms = ?16, notified_utc_ms = ?17, "
		"fetched_utc_ms = ?18, revision = ?19, fetched_revision = ?20, "
		"certainty = ?21, told_form = ?22, told_shape = ?23, told_both = ?24, "
		"told_unfetched = ?25, resync = ?26, resync_status = ?27, resync_utc_ms = ?28, "
		"claimed_by = ?29",
	[STATEMENT_DEVICE_REMOVE] = "DELETE FROM devices WHERE mac = ?1",
	[STATEMENT_DEVICE_SETTING_WRITE] = "INSERT INTO device_settings VALUES (?1, ?2, ?3)",
	[STATEMENT_DEVICE_SETTINGS_REMOVE] = "DELETE FROM device_settings WHERE mac = ?1",
	[STATEMENT_PROFILE_WRITE] = "INSERT INTO profiles VALUES (?1, ?2, ?3) "
				    "ON CONFLICT (name) DO UPDATE SET parent = ?2, revision = ?3",
	[STATEMENT_PROFILE_REMOVE] = "DELETE FROM profiles WHERE name = ?1",
	[STATEMENT_PROFILE_SETTING_WRITE] = "INSERT INTO profile_settings VALUES (?1, ?2, ?3)",
	[STATEMENT_PROFILE_SETTINGS_REMOVE] = "DELETE FROM profile_settings WHERE name = ?1",
	[STATEMENT_FORM_WRITE] = "INSERT OR REPLACE INTO forms VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
				 "?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
	[STATEMENT_FORMS_REMOVE] = "DELETE FROM forms WHERE vendor = ?1 AND (?4 OR model = ?2) "
				   "AND (?5 OR firmware = ?3)",
	[STATEMENT_EVENT_WRITE] = "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[STATEMENT_EVENTS_PRUNE] = "DELETE FROM events WHERE id <= ?1",
	[STATEMENT_AUDIT_WRITE] = "INSERT INTO audit (utc_ms, who, what, subject, detail) "
				  "VALUES (?1, ?2, ?3, ?4, ?5)",
	[STATEMENT_RULE_WRITE] = "INSERT INTO rules VALUES (?1, ?2, 0, 0) "
				 "ON CONFLICT (name) DO UPDATE SET body = ?2",
	[STATEMENT_RULE_REMOVE] = "DELETE FROM rules WHERE name = ?1",
	[STATEMENT_RULE_USED] =
		"UPDATE rules SET used = used + 1, used_utc_ms = ?2 WHERE name = ?1",
	[STATEMENT_POOL_WRITE] = "INSERT INTO pools VALUES (?1, ?2) "
				 "ON CONFLICT (name) DO UPDATE SET body = ?2",
	[STATEMENT_POOL_REMOVE] = "DELETE FROM pools WHERE name = ?1",
	[STATEMENT_NUMBER_WRITE] = "INSERT INTO device_numbers VALUES (?1, ?2, ?3) "
				   "ON CONFLICT (mac) DO UPDATE SET pool = ?2, extension = ?3",
	[STATEMENT_NUMBER_REMOVE] = "DELETE FROM device_numbers WHERE mac = ?1",
	[STATEMENT_AUDIT_PRUNE] = "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1",
};

static void bind_span(sqlite3_stmt *statement, int column, struct span text)
{
	sqlite3_bind_text64(statement, column, text.data ? text.data : "", text.length,
			    SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_address(sqlite3_stmt *statement, int column, struct address address)
{
	char text[address_text_size] = "";

	if (address_is_set(address)) {
		address_text(address, text);
	}
	sqlite3_bind_text(statement, column, text, -1, SQLITE_TRANSIENT);
}

/* The statements for the settings of one kind of owner. */
struct settings_statements {
	enum statement remove;
	enum statement write;
};

static int write_settings(struct store_sqlite *store, const struct settings_statements *statements,
			  const char *owner, const struct settings *settings, char *problem,
			  size_t problem_size)
{
	enum statement write = statements->write;
	int result;

	row_bind_text(store->statements[statements->remove], 1, owner);
	result = store_sqlite_run(store, statements->remove, problem, problem_size);
	for (size_t i = 0; i < settings->count && result == 0; i++) {
		row_bind_text(store->statements[write], 1, owner);
		row_bind_text(store->statements[write], 2, settings->items[i].path);
		row_bind_text(store->statements[write], 3, settings->items[i].value);
		result = store_sqlite_run(store, write, problem, problem_size);
	}
	return result;
}

static int write_device(struct store_sqlite *store, const struct prepared *prepared, char *problem,
			size_t problem_size)
{
	static const struct settings_statements statements = {STATEMENT_DEVICE_SETTINGS_REMOVE,
							      STATEMENT_DEVICE_SETTING_WRITE};
	const struct device *device = prepared->device;
	sqlite3_stmt *row = store->statements[STATEMENT_DEVICE_WRITE];
	char mac[mac_text_size];
	int result;

	mac_text(device->mac, mac);
	if (prepared->is_removal) {
		row_bind_text(store->statements[STATEMENT_DEVICE_REMOVE], 1, mac);
		return store_sqlite_run(store, STATEMENT_DEVICE_REMOVE, problem, problem_size);
	}
	row_bind_text(row, 1, mac);
	row_bind_text(row, 2, device_state_name(device->state));
	row_bind_text(row, 3, device_identified_by_name(device->identified_by));
	row_bind_text(row, 4, notify_form_name(device->form));
	row_bind_text(row, 5, device->vendor);
	row_bind_text(row, 6, device->model);
	row_bind_text(row, 7, device->firmware);
	row_bind_text(row, 8, device->profile);
	row_bind_text(row, 9, device->label);
	row_bind_text(row, 10, device->key);
	bind_address(row, 11, device->address);
	row_bind_text(row, 12, device->interface);
	bind_address(row, 13, device->bound_address);
	row_bind_text(row, 14, device->bound_interface);
	row_bind_number(row, 15, device->first_seen_utc_ms);
	row_bind_number(row, 16, device->last_seen_utc_ms);
	row_bind_number(row, 17, device->notified_utc_ms);
	row_bind_number(row, 18, device->fetched_utc_ms);
	row_bind_number(row, 19, device->revision);
	row_bind_number(row, 20, device->fetched_revision);
	row_bind_text(row, 21, device_certainty_name(device->certainty));
	row_bind_text(row, 22, notify_form_name(device->told_form));
	row_bind_text(row, 23, device->told_shape);
	row_bind_number(row, 24, device->told_both);
	row_bind_number(row, 25, device->told_unfetched);
	row_bind_text(row, 26, device_resync_name(device->resync));
	row_bind_number(row, 27, device->resync_status);
	row_bind_number(row, 28, device->resync_utc_ms);
	row_bind_text(row, 29, device->claimed_by);
	result = store_sqlite_run(store, STATEMENT_DEVICE_WRITE, problem, problem_size);
	/* A new row has no settings yet. */
	if (result == 0 && !prepared->keeps_settings &&
	    !(prepared->is_addition && device->settings.count == 0)) {
		result = write_settings(store, &statements, mac, &device->settings, problem,
					problem_size);
	}
	return result;
}

static int write_profile(struct store_sqlite *store, const struct prepared *prepared, char *problem,
			 size_t problem_size)
{
	static const struct settings_statements statements = {STATEMENT_PROFILE_SETTINGS_REMOVE,
							      STATEMENT_PROFILE_SETTING_WRITE};
	const struct profile *profile = prepared->profile;
	int result;

	if (prepared->is_removal) {
		row_bind_text(store->statements[STATEMENT_PROFILE_REMOVE], 1, profile->name);
		return store_sqlite_run(store, STATEMENT_PROFILE_REMOVE, problem, problem_size);
	}
	row_bind_text(store->statements[STATEMENT_PROFILE_WRITE], 1, profile->name);
	row_bind_text(store->statements[STATEMENT_PROFILE_WRITE], 2, profile->parent);
	row_bind_number(store->statements[STATEMENT_PROFILE_WRITE], 3, profile->revision);
	result = store_sqlite_run(store, STATEMENT_PROFILE_WRITE, problem, problem_size);
	if (result == 0) {
		result = write_settings(store, &statements, profile->name, &profile->settings,
					problem, problem_size);
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
	if (prepared->form && result == 0) {
		result = store_sqlite_write_form(store, prepared, problem, problem_size);
	}
	if (result == 0) {
		result = store_sqlite_write_rules(store, prepared, problem, problem_size);
	}
	for (size_t i = 0; i < prepared->group_count && result == 0; i++) {
		if (!prepared->group[i].is_nothing) {
			result = store_sqlite_write(database, &prepared->group[i], problem,
						    problem_size);
		}
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

	row_bind_number(row, 1, event->id);
	row_bind_number(row, 2, event->utc_ms);
	row_bind_text(row, 3, report_level_name(event->level));
	row_bind_text(row, 4, event->reason);
	if (event->has_mac) {
		mac_text(event->mac, mac);
		row_bind_text(row, 5, mac);
	}
	if (address_is_set(event->source.address)) {
		endpoint_text(event->source, source);
		row_bind_text(row, 6, source);
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

	row_bind_number(row, 1, audit->utc_ms);
	bind_span(row, 2, audit->who);
	bind_span(row, 3, audit->what);
	bind_span(row, 4, audit->subject);
	bind_span(row, 5, audit->detail);
	store->has_new_audit = true;
	return store_sqlite_run(store, STATEMENT_AUDIT_WRITE, problem, problem_size);
}
