/* SPDX-License-Identifier: MIT */
#include "core/fleet/pools.h"

#include <errno.h>
#include <stdlib.h>

/* The paths of what a row gives; the first line is that of the phone's user. */
static const char *const paths[] = {
	"sip_lines.1.username",
	"sip_lines.1.auth_username",
	"sip_lines.1.password",
	"sip_lines.1.display_name",
};

enum { path_count = sizeof(paths) / sizeof(paths[0]) };

bool pool_name_is_legal(struct span name)
{
	for (size_t i = 0; i < name.length; i++) {
		if (!ascii_is_alnum(name.data[i]) && !memchr("._-", name.data[i], 3)) {
			return false;
		}
	}
	return name.length > 0 && name.length < device_pool_size;
}

bool pool_extension_is_legal(struct span extension)
{
	for (size_t i = 0; i < extension.length; i++) {
		if (!ascii_is_alnum(extension.data[i]) && !memchr("._-+*#", extension.data[i], 6)) {
			return false;
		}
	}
	return extension.length > 0 && extension.length < device_extension_size;
}

void number_pool_free(struct number_pool *pool)
{
	if (pool) {
		free(pool->numbers);
		free(pool->ranges);
		free(pool->body);
		arena_free(&pool->arena);
		free(pool);
	}
}

static int compare_text(struct span a, struct span b)
{
	if (a.length != b.length) {
		return a.length < b.length ? -1 : 1;
	}
	return span_compare(a, b);
}

struct pool_number *number_pool_find(const struct number_pool *pool, struct span extension)
{
	size_t low = 0;
	size_t high = pool->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_text(span_text(pool->numbers[middle].extension), extension);

		if (order == 0) {
			return &pool->numbers[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

struct pool_number *number_pool_next(struct number_pool *pool)
{
	for (; pool->next_free < pool->count; pool->next_free++) {
		struct pool_number *number = &pool->numbers[pool->next_free];

		if (!number->is_taken && !number->is_reserved) {
			return number;
		}
	}
	return NULL;
}

void number_pool_release(struct number_pool *pool, struct pool_number *number)
{
	size_t at = (size_t)(number - pool->numbers);

	pool->taken -= number->is_taken;
	number->is_taken = false;
	number->is_reserved = false;
	if (at < pool->next_free) {
		pool->next_free = at;
	}
}

int pool_number_settings(const struct pool_number *number, struct settings *settings, char *problem,
			 size_t problem_size)
{
	const char *const values[path_count] = {number->username, number->auth_username,
						number->password, number->display_name};
	int error = 0;

	for (size_t i = 0; i < path_count && !error; i++) {
		if (values[i][0]) {
			error = settings_set(settings, span_text(paths[i]), span_text(values[i]),
					     problem, problem_size);
		}
	}
	return error;
}

void pool_settings_remove(struct settings *settings)
{
	for (size_t i = 0; i < path_count; i++) {
		(void)settings_unset(settings, span_text(paths[i]));
	}
}
