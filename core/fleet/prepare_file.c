/* SPDX-License-Identifier: MIT */
#include "core/fleet/prepare.h"

#include <errno.h>
#include <stdlib.h>

bool catalogue_name_is_legal(struct span name)
{
	struct span rest = name;

	if (name.length == 0 || name.length > catalogue_name_max) {
		return false;
	}
	while (rest.data) {
		struct span part = span_cut(&rest, '/');

		if (part.length == 0 || part.data[0] == '.') {
			return false;
		}
		for (size_t i = 0; i < part.length; i++) {
			if (part.data[i] <= ' ' || part.data[i] > '~' || part.data[i] == '\\') {
				return false;
			}
		}
	}
	return true;
}

static char *copy_name(struct span name)
{
	char *copy = malloc(name.length + 1);

	if (copy) {
		memcpy(copy, name.data, name.length);
		copy[name.length] = '\0';
	}
	return copy;
}

/* What the record comes to; what is known of the same version stays known. */
static void fill(const struct prepare *work, const struct catalogue_file *old,
		 struct catalogue_file *file)
{
	const struct change *change = work->change;

	if (old && change->kind == CHANGE_FILE_HASHED) {
		file->bytes = old->bytes;
		file->modified_utc_ms = old->modified_utc_ms;
		file->version = old->version;
		file->has_sha256 = true;
		memcpy(file->sha256, change->file_sha256, sizeof(file->sha256));
		return;
	}
	file->bytes = change->bytes;
	file->modified_utc_ms = change->file_utc_ms;
	file->version = change->file_version;
	if (old && old->version == file->version) {
		file->has_sha256 = old->has_sha256;
		memcpy(file->sha256, old->sha256, sizeof(file->sha256));
	}
}

static int check(struct prepare *work, const struct catalogue_file *old)
{
	const struct change *change = work->change;

	if (!catalogue_name_is_legal(change->file)) {
		return prepare_refuse(work, -EINVAL,
				      "not a name for a file (no blanks, no empty part, no ..)",
				      change->file);
	}
	if (change->kind == CHANGE_FILE_REMOVE && !old) {
		return prepare_refuse(work, -ENOENT, "no such file", change->file);
	}
	if (change->kind == CHANGE_FILE_HASHED && (!old || old->version != change->file_version)) {
		return prepare_refuse(work, -ESTALE, "the file has changed since", change->file);
	}
	if (!old &&
	    prepare_count(work, &work->inventory->files) >= work->inventory->limits.files_max) {
		return prepare_refuse(work, -ENOSPC, "there are too many files", SPAN(""));
	}
	return 0;
}

int prepare_file(struct prepare *work)
{
	const struct change *change = work->change;
	const struct catalogue_file *old = prepare_find_file(work, change->file);
	struct catalogue_file *file;
	int error = check(work, old);

	if (error) {
		return error;
	}
	file = calloc(1, sizeof(*file));
	if (!file) {
		return -ENOMEM;
	}
	work->out->file = file;
	work->out->is_removal = change->kind == CHANGE_FILE_REMOVE;
	work->out->is_addition = !old;
	fill(work, old, file);
	file->name = copy_name(change->file);
	file->folded = file->name ? catalogue_name_fold(file->name) : NULL;
	if (!file->folded) {
		return -ENOMEM;
	}
	work->out->is_nothing = !work->out->is_removal && old && old->bytes == file->bytes &&
				old->modified_utc_ms == file->modified_utc_ms &&
				old->version == file->version &&
				old->has_sha256 == file->has_sha256;
	return 0;
}
