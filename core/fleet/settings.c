/* SPDX-License-Identifier: MIT */
#include "core/fleet/settings.h"

#include "core/base/writer.h"
#include "core/fleet/setting_names.h"

#include <errno.h>
#include <stdlib.h>

/* Index of the path, or where it would go; `*found` says which. */
static size_t position_of(const struct settings *settings, struct span path, bool *found)
{
	size_t low = 0;
	size_t high = settings->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = span_compare(span_text(settings->items[middle].path), path);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

const char *settings_get(const struct settings *settings, struct span path)
{
	bool found;
	size_t at = position_of(settings, path, &found);

	return found ? settings->items[at].value : NULL;
}

static char *copy_text(struct span text)
{
	char *copy = malloc(text.length + 1);

	if (copy) {
		if (text.length > 0) {
			memcpy(copy, text.data, text.length);
		}
		copy[text.length] = '\0';
	}
	return copy;
}

static int insert(struct settings *settings, size_t at, struct span path, char *value)
{
	struct setting *items;
	char *name;

	if (settings->count >= settings_count_max) {
		return -ENOSPC;
	}
	name = copy_text(path);
	if (!name) {
		return -ENOMEM;
	}
	items = realloc(settings->items, (settings->count + 1) * sizeof(*items));
	if (!items) {
		free(name);
		return -ENOMEM;
	}
	memmove(items + at + 1, items + at, (settings->count - at) * sizeof(*items));
	items[at] = (struct setting){.path = name, .value = value};
	settings->items = items;
	settings->count++;
	return 0;
}

int settings_put(struct settings *settings, struct span path, struct span value)
{
	bool found;
	size_t at = position_of(settings, path, &found);
	char *text = copy_text(value);
	int error = text ? 0 : -ENOMEM;

	if (!error && found) {
		free(settings->items[at].value);
		settings->items[at].value = text;
		return 0;
	}
	if (!error) {
		error = insert(settings, at, path, text);
	}
	if (error) {
		free(text);
	}
	return error;
}

static int refuse(struct writer *w, const char *what, struct span path)
{
	writer_escaped(w, path, 80);
	writer_text(w, what);
	return -EINVAL;
}

/* Dotted parts of letters, digits, '_' and '-', none of them empty. */
static bool path_is_well_formed(struct span path)
{
	char before = '.';

	for (size_t i = 0; i < path.length; i++) {
		char c = path.data[i];

		if (c == '.' ? before == '.' : !ascii_is_alnum(c) && c != '_' && c != '-') {
			return false;
		}
		before = c;
	}
	return before != '.';
}

/* A path of the admin's own: any text of one line. */
static int check_own(struct span path, struct span value, struct writer *w)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return refuse(w, ": a value is one line without control characters", path);
		}
	}
	return 0;
}

static int check_known(const struct setting_name *name, struct span path, struct span value,
		       struct writer *normal, struct writer *w)
{
	if (setting_value_normalise(name, value, normal) == 0) {
		return 0;
	}
	writer_escaped(w, path, 80);
	writer_text(w, ": ");
	if (name->is_secret) {
		writer_text(w, "the value");
	} else {
		writer_char(w, '"');
		writer_escaped(w, value, 60);
		writer_char(w, '"');
	}
	writer_text(w, " is not ");
	setting_name_write_legal(name, w);
	return -EINVAL;
}

static int check(struct span path, struct span value, struct writer *normal, struct writer *w)
{
	const struct setting_name *name;
	char nearest[setting_path_max + 1];
	struct writer n = writer_over(nearest, sizeof(nearest));

	if (path.length > setting_path_max || !path_is_well_formed(path)) {
		return refuse(w, ": not the path of a setting (dotted words, such as sip_proxy_ip)",
			      path);
	}
	if (value.length > setting_value_max) {
		return refuse(w, ": the value is too long", path);
	}
	if (span_starts_with(path, SPAN("x."))) {
		writer_put(normal, value);
		return check_own(path, value, w);
	}
	name = setting_name_find(path);
	if (name) {
		return check_known(name, path, value, normal, w);
	}
	writer_escaped(w, path, 80);
	writer_text(w, ": no such setting");
	if (setting_name_nearest(path, &n)) {
		writer_text(w, ", did you mean ");
		writer_put(w, writer_span(&n));
		writer_char(w, '?');
	} else {
		writer_text(w, "; names of your own stand below x.");
	}
	return -EINVAL;
}

int settings_set(struct settings *settings, struct span path, struct span value, char *problem,
		 size_t problem_size)
{
	struct writer w = writer_over(problem, problem_size > 0 ? problem_size - 1 : 0);
	size_t room = value.length <= setting_value_max ? value.length + 64 : 64;
	char *buffer = malloc(room);
	struct writer normal;
	int error;

	if (!buffer) {
		return -ENOMEM;
	}
	normal = writer_over(buffer, room);
	error = check(path, value, &normal, &w);
	if (!error) {
		error = settings_put(settings, path, writer_span(&normal));
	}
	if (error == -ENOSPC) {
		writer_text(&w, "there are too many settings already");
	}
	if (error && problem_size > 0) {
		problem[w.length] = '\0';
	}
	free(buffer);
	return error;
}

int settings_unset(struct settings *settings, struct span path)
{
	bool found;
	size_t at = position_of(settings, path, &found);

	if (!found) {
		return -ENOENT;
	}
	free(settings->items[at].path);
	free(settings->items[at].value);
	settings->count--;
	memmove(settings->items + at, settings->items + at + 1,
		(settings->count - at) * sizeof(*settings->items));
	return 0;
}

bool settings_equal(const struct settings *a, const struct settings *b)
{
	if (a->count != b->count) {
		return false;
	}
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i].path, b->items[i].path) != 0 ||
		    strcmp(a->items[i].value, b->items[i].value) != 0) {
			return false;
		}
	}
	return true;
}

/* Appends a copy to a list that has room. */
static int append(struct settings *list, const struct setting *setting)
{
	struct setting copy = {.path = copy_text(span_text(setting->path)),
			       .value = copy_text(span_text(setting->value))};

	if (!copy.path || !copy.value) {
		free(copy.path);
		free(copy.value);
		return -ENOMEM;
	}
	list->items[list->count++] = copy;
	return 0;
}

int settings_merge(struct settings *settings, const struct settings *over)
{
	struct settings merged = {0};
	size_t i = 0;
	size_t j = 0;
	int error = 0;

	merged.items = calloc(settings->count + over->count + 1, sizeof(*merged.items));
	if (!merged.items) {
		return -ENOMEM;
	}
	while (!error && (i < settings->count || j < over->count)) {
		int order = i == settings->count ? 1
			    : j == over->count
				    ? -1
				    : strcmp(settings->items[i].path, over->items[j].path);

		error = append(&merged, order < 0 ? &settings->items[i] : &over->items[j]);
		i += order <= 0;
		j += order >= 0;
	}
	if (!error && merged.count > settings_count_max) {
		error = -ENOSPC;
	}
	if (error) {
		settings_free(&merged);
		return error;
	}
	settings_free(settings);
	*settings = merged;
	return 0;
}

int settings_copy(struct settings *copy, const struct settings *settings)
{
	struct settings fresh = {0};
	int error = settings_merge(&fresh, settings);

	if (!error) {
		*copy = fresh;
	}
	return error;
}

void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		free(settings->items[i].path);
		free(settings->items[i].value);
	}
	free(settings->items);
	*settings = (struct settings){0};
}

bool setting_is_secret(struct span path)
{
	static const char *const words[] = {"password", "secret", "pin", "key", "token"};
	const struct setting_name *name = setting_name_find(path);

	if (name) {
		return name->is_secret;
	}
	/* The admin's own: by its words, and rather once too often. */
	for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++) {
		for (size_t i = 0; i < path.length; i++) {
			if (span_starts_with_nocase(span_slice(path, i, path.length),
						    span_text(words[w]))) {
				return true;
			}
		}
	}
	return false;
}
