/* SPDX-License-Identifier: MIT */
/* The catalogue: files below DATA/files/ that any claimed phone may fetch. */
#include "core/admin/api_internal.h"

#include <stdlib.h>

json_t *api_json_file(const struct catalogue_file *file)
{
	json_t *json = json_object();
	char sha256[2 * file_sha256_size];
	struct writer w = writer_over(sha256, sizeof(sha256));
	int failed = 0;

	writer_hex(&w, file->sha256, sizeof(file->sha256));
	failed |= api_json_set(json, "name", api_json_string(file->name));
	failed |= api_json_set(json, "bytes", json_integer((json_int_t)file->bytes));
	failed |= api_json_set(json, "modified", api_json_time(file->modified_utc_ms));
	failed |= api_json_set(json, "sha256",
			       file->has_sha256 ? api_json_text(writer_span(&w)) : json_null());
	return api_json_whole(json, failed);
}

static int compare_files(const void *a, const void *b)
{
	const struct catalogue_file *const *first = a;
	const struct catalogue_file *const *second = b;

	return strcmp((*first)->name, (*second)->name);
}

void api_files_list(struct call *call)
{
	const struct inventory *inventory = call->api->inventory;
	size_t count = inventory->files.count;
	const struct catalogue_file **sorted =
		arena_array(call->arena, count > 0 ? count : 1, sizeof(struct catalogue_file *));
	json_t *json = json_object();
	json_t *list = json_array();
	size_t cursor = 0;
	int failed = !sorted;

	for (size_t i = 0; i < count && !failed; i++) {
		sorted[i] = inventory_next_file(inventory, &cursor);
	}
	if (!failed) {
		qsort(sorted, count, sizeof(struct catalogue_file *), compare_files);
	}
	for (size_t i = 0; i < count && !failed; i++) {
		failed |= json_array_append_new(list, api_json_file(sorted[i]));
	}
	failed |= api_json_set(json, "files", list);
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

static void change_file(struct call *call, enum change_kind kind, enum api_verdict verdict)
{
	struct change *change;

	if (!catalogue_name_is_legal(call->arguments[0])) {
		call_fail(call, 400, "that is no name for a file",
			  "use a relative path of at most 200 visible ASCII characters, without "
			  "blanks, no part of which is empty or begins with a dot");
		return;
	}
	change = call_change(call, kind);
	if (change) {
		change->file = call->arguments[0];
		call->answer->file = change->file;
		call->answer->verdict = verdict;
	}
}

/* The shell fills in bytes and time of the change, once the file is in place. */
void api_file_put(struct call *call)
{
	change_file(call, CHANGE_FILE_SET, API_UPLOAD);
	call->answer->is_creation = call->answer->verdict == API_UPLOAD;
}

void api_file_remove(struct call *call)
{
	change_file(call, CHANGE_FILE_REMOVE, API_FILE_REMOVE);
}
