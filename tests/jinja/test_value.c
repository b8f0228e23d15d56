/* SPDX-License-Identifier: MIT */
#include "core/jinja/value.h"
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>

static void lists_grow(void)
{
	struct arena arena;
	struct jinja_value list;

	arena_init(&arena, 1 << 20);
	REQUIRE(jinja_list(&arena, &list) == 0);
	for (int i = 0; i < 1000; i++) {
		REQUIRE(jinja_list_append(&arena, &list, jinja_int(i)) == 0);
	}
	CHECK_EQUAL(1000, list.list->count);
	CHECK_EQUAL(999, list.list->items[999].integer);
	arena_free(&arena);
}

static void dictionaries_find_and_keep_order(void)
{
	struct arena arena;
	struct jinja_value dict;
	char names[2000][8];

	arena_init(&arena, 4 << 20);
	REQUIRE(jinja_dict(&arena, &dict) == 0);
	for (int i = 0; i < 2000; i++) {
		snprintf(names[i], sizeof(names[i]), "k%d", i);
		REQUIRE(jinja_dict_set(&arena, &dict, span_text(names[i]), jinja_int(i)) == 0);
	}
	for (int i = 0; i < 2000; i++) {
		const struct jinja_value *found = jinja_dict_get(&dict, span_text(names[i]));

		REQUIRE(found != NULL);
		CHECK_EQUAL(i, found->integer);
		CHECK_SPAN(span_text(names[i]), dict.dict->entries[i].key.string);
	}
	CHECK(jinja_dict_get(&dict, SPAN("k2000")) == NULL);
	REQUIRE(jinja_dict_set(&arena, &dict, SPAN("k7"), jinja_int(-7)) == 0);
	CHECK_EQUAL(2000, dict.dict->count);
	CHECK_EQUAL(-7, dict.dict->entries[7].value.integer);
	arena_free(&arena);
}

/* As in Python: 1 == 1.0 == True is one key, "1" another, a list none at all. */
static void keys_are_pythons(void)
{
	struct arena arena;
	struct jinja_value dict;
	struct jinja_value list;
	struct jinja_value key = jinja_double(1.0);

	arena_init(&arena, 1 << 20);
	REQUIRE(jinja_dict(&arena, &dict) == 0 && jinja_list(&arena, &list) == 0);
	for (int i = 0; i < 40; i++) {
		REQUIRE(jinja_dict_set_value(&arena, &dict, jinja_int(i), jinja_int(i)) == 0);
	}
	CHECK(jinja_dict_get_value(&dict, &key) == &dict.dict->entries[1].value);
	key = jinja_bool(true);
	CHECK(jinja_dict_get_value(&dict, &key) == &dict.dict->entries[1].value);
	CHECK(jinja_dict_get(&dict, SPAN("1")) == NULL);
	key = jinja_double(1.5);
	CHECK(jinja_dict_get_value(&dict, &key) == NULL);
	CHECK_EQUAL(-EINVAL, jinja_dict_set_value(&arena, &dict, list, jinja_none()));
	CHECK(jinja_dict_get_value(&dict, &list) == NULL);
	list.flags = JINJA_TUPLE;
	CHECK_EQUAL(0, jinja_dict_set_value(&arena, &dict, list, jinja_none()));
	CHECK(jinja_dict_get_value(&dict, &list) != NULL);
	arena_free(&arena);
}

static void tells_that_memory_is_gone(void)
{
	struct arena arena;
	struct jinja_value dict;
	char names[4000][8];
	int result = 0;
	size_t count = 0;

	arena_init(&arena, 40000);
	REQUIRE(jinja_dict(&arena, &dict) == 0);
	while (result == 0 && count < 4000) {
		snprintf(names[count], sizeof(names[count]), "k%zu", count);
		result = jinja_dict_set(&arena, &dict, span_text(names[count]), jinja_none());
		count += result == 0;
	}
	CHECK_EQUAL(-ENOMEM, result);
	CHECK_EQUAL(count, dict.dict->count);
	for (size_t i = 0; i < count; i++) {
		CHECK(jinja_dict_get(&dict, span_text(names[i])) != NULL);
	}
	arena_free(&arena);
}

int main(void)
{
	RUN(lists_grow);
	RUN(dictionaries_find_and_keep_order);
	RUN(keys_are_pythons);
	RUN(tells_that_memory_is_gone);
	return test_end();
}
