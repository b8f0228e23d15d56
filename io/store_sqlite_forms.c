/* SPDX-License-Identifier: MIT */
/* The table `forms`: which form and URL shape each kind of phone obeys (core/fleet/forms.h). */
#include "io/store_sqlite_row.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void bind_key(sqlite3_stmt *row, const struct form_record *record)
{
	row_bind_text(row, 1, record->vendor);
	row_bind_text(row, 2, record->model);
	row_bind_text(row, 3, record->firmware);
}

static int write_row(struct store_sqlite *store, const struct form_record *record, char *problem,
		     size_t problem_size)
{
	sqlite3_stmt *row = store->statements[STATEMENT_FORM_WRITE];

	bind_key(row, record);
	row_bind_text(row, 4, notify_form_name(record->form));
	row_bind_text(row, 5, record->shape);
	row_bind_text(row, 6, form_evidence_name(record->evidence));
	row_bind_number(row, 7, record->answered);
	row_bind_number(row, 8, record->fetched);
	row_bind_number(row, 9, record->failed);
	row_bind_number(row, 10, record->first_utc_ms);
	row_bind_number(row, 11, record->answered_utc_ms);
	row_bind_number(row, 12, record->fetched_utc_ms);
	row_bind_number(row, 13, record->failed_utc_ms);
	row_bind_text(row, 14, notify_form_name(record->suspect_form));
	row_bind_text(row, 15, record->suspect_shape);
	row_bind_number(row, 16, record->is_pinned);
	return store_sqlite_run(store, STATEMENT_FORM_WRITE, problem, problem_size);
}

/* Those that the record names; `fields` says by how much of its key. */
static int remove_rows(struct store_sqlite *store, const struct form_record *record,
		       uint32_t fields, char *problem, size_t problem_size)
{
	sqlite3_stmt *row = store->statements[STATEMENT_FORMS_REMOVE];

	bind_key(row, record);
	row_bind_number(row, 4, (fields & FIELD_MODEL) == 0);
	row_bind_number(row, 5, (fields & FIELD_FIRMWARE) == 0);
	return store_sqlite_run(store, STATEMENT_FORMS_REMOVE, problem, problem_size);
}

int store_sqlite_write_form(struct store_sqlite *store, const struct prepared *prepared,
			    char *problem, size_t problem_size)
{
	int result = 0;

	if (prepared->is_removal) {
		return remove_rows(store, prepared->form, prepared->form_fields, problem,
				   problem_size);
	}
	if (prepared->form_evicted) {
		result = remove_rows(store, prepared->form_evicted, FIELD_MODEL | FIELD_FIRMWARE,
				     problem, problem_size);
	}
	return result == 0 ? write_row(store, prepared->form, problem, problem_size) : result;
}

static bool read_texts(sqlite3_stmt *row, struct form_record *record)
{
	uint64_t is_pinned = (uint64_t)sqlite3_column_int64(row, 15);

	record->is_pinned = is_pinned == 1;
	return span_to_text(row_text(row, 0), record->vendor, sizeof(record->vendor)) == 0 &&
	       span_to_text(row_text(row, 1), record->model, sizeof(record->model)) == 0 &&
	       span_to_text(row_text(row, 2), record->firmware, sizeof(record->firmware)) == 0 &&
	       notify_form_parse(row_text(row, 3), &record->form) == 0 &&
	       span_to_text(row_text(row, 4), record->shape, sizeof(record->shape)) == 0 &&
	       form_evidence_parse(row_text(row, 5), &record->evidence) == 0 &&
	       notify_form_parse(row_text(row, 13), &record->suspect_form) == 0 &&
	       span_to_text(row_text(row, 14), record->suspect_shape,
			    sizeof(record->suspect_shape)) == 0 &&
	       is_pinned <= 1;
}

static bool read_numbers(sqlite3_stmt *row, struct form_record *record)
{
	uint64_t *const numbers[] = {&record->answered,	       &record->fetched,
				     &record->failed,	       &record->first_utc_ms,
				     &record->answered_utc_ms, &record->fetched_utc_ms,
				     &record->failed_utc_ms};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!row_number(row, 6 + (int)i, numbers[i])) {
			return false;
		}
	}
	return true;
}

static int say_bad_row(const struct store_sqlite *store, sqlite3_stmt *row, char *problem,
		       size_t problem_size)
{
	char shown[200];
	struct writer w = writer_over(shown, sizeof(shown));

	writer_escaped(&w, row_text(row, 0), 40);
	writer_char(&w, ' ');
	writer_escaped(&w, row_text(row, 1), 40);
	writer_terminate(&w);
	snprintf(problem, problem_size,
		 "%s: the row of forms for %s is not one that Bellhop wrote; %s", store->name,
		 w.failed ? "" : shown,
		 store->is_candidate ? store_sqlite_remedy(store)
				     : "remove that row or put a backup in its place");
	return -EUCLEAN;
}

static int load_row(struct store_sqlite *store, sqlite3_stmt *row, struct inventory *inventory,
		    char *problem, size_t problem_size)
{
	struct form_record *record = calloc(1, sizeof(*record));
	int result;

	if (!record) {
		return store_sqlite_fault(store, SQLITE_NOMEM, "read", problem, problem_size);
	}
	result = read_texts(row, record) && read_numbers(row, record) ? form_load(inventory, record)
								      : -EUCLEAN;
	if (result < 0) {
		free(record);
	}
	if (result == -ENOSPC) {
		/* The limit was lowered: what was learned can be learned again. */
		return 0;
	}
	return result < 0 ? say_bad_row(store, row, problem, problem_size) : 0;
}

int store_sqlite_load_forms(struct store_sqlite *store, struct inventory *inventory, char *problem,
			    size_t problem_size)
{
	/* Those that an operator pinned, and then the newest, find room first. */
	static const char sql[] =
		"SELECT * FROM forms ORDER BY is_pinned DESC, "
		"max(first_utc_ms, answered_utc_ms, fetched_utc_ms, failed_utc_ms) DESC";

	return store_sqlite_load_rows(store, sql, load_row, inventory, problem, problem_size);
}
