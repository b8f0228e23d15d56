/* SPDX-License-Identifier: MIT */
/* Many claims in one change. Each is prepared as it would be alone, after those before it. */
#include "core/fleet/prepare.h"

#include <errno.h>
#include <stdlib.h>

enum { sentence_size = 512 };

static void tell(struct writer *rows, const struct change *change, const char *sentence)
{
	char mac[mac_text_size];

	mac_text(change->mac, mac);
	writer_unsigned(rows, change->row);
	writer_char(rows, ' ');
	writer_text(rows, mac);
	writer_char(rows, ' ');
	writer_text(rows, sentence);
	writer_char(rows, '\n');
}

/* The newest first, as inventory.h wants it. */
static void drop_all(struct prepared *out)
{
	while (out->group_count > 0) {
		prepared_free(&out->group[--out->group_count]);
	}
}

/* Prepares all that can be; how many were refused. `rows` tells which. -ENOMEM ends it. */
static int prepare_each(struct prepare *work, struct writer *rows, size_t *refused)
{
	const struct change *change = work->change;
	struct prepared *out = work->out;

	for (size_t i = 0; i < change->group_count; i++) {
		struct change one = change->group[i];
		struct writer before = *rows;
		char sentence[sentence_size] = "";
		int error;

		one.utc_ms = change->utc_ms;
		error = one.kind == CHANGE_DEVICE_CLAIM
				? inventory_prepare(work->inventory, &one,
						    &out->group[out->group_count], sentence,
						    sizeof(sentence))
				: -EINVAL;
		if (error == -ENOMEM) {
			return error;
		}
		out->group_count += !error;
		if (error) {
			++*refused;
			tell(rows, &one, sentence);
			/* Whole lines only. */
			*rows = rows->failed ? before : *rows;
		}
	}
	return 0;
}

int prepare_group(struct prepare *work)
{
	const struct change *change = work->change;
	struct writer *problem = &work->problem;
	size_t start = problem->size < 24 ? problem->size : 24;
	struct writer rows = writer_over(problem->data + start, problem->size - start);
	size_t refused = 0;
	int error;

	if (change->group_count == 0 || change->group_count > change_group_max) {
		return prepare_refuse(work, -EINVAL, "an import has from 1 to 10000 devices",
				      SPAN(""));
	}
	work->out->group = calloc(change->group_count, sizeof(*work->out->group));
	if (!work->out->group) {
		return -ENOMEM;
	}
	error = prepare_each(work, &rows, &refused);
	if (error || (refused > 0 && !change->is_partial) || change->is_trial) {
		drop_all(work->out);
	}
	if (error) {
		return error;
	}
	writer_unsigned(problem, refused);
	writer_char(problem, '\n');
	memmove(problem->data + problem->length, rows.data, rows.length);
	problem->length += rows.length;
	work->out->is_nothing = work->out->group_count == 0;
	return refused > 0 && !change->is_partial ? -EINVAL : 0;
}
