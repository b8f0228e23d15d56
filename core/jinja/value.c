/* SPDX-License-Identifier: MIT */
#include "core/jinja/value.h"

#include "core/jinja/operators.h"

#include <errno.h>

/* Below this many entries a dictionary is searched from front to back. */
enum { dict_linear_max = 8 };

/* Tuples as keys are looked into this deep. */
enum { hash_depth_max = 4 };

static int make(struct arena *arena, uint8_t kind, size_t size, struct jinja_value *value)
{
	void *place = arena_allocate(arena, size);

	if (!place) {
		return -ENOMEM;
	}
	*value = (struct jinja_value){.kind = kind};
	if (kind == JINJA_LIST) {
		value->list = place;
	} else {
		value->dict = place;
	}
	return 0;
}

int jinja_list(struct arena *arena, struct jinja_value *list)
{
	return make(arena, JINJA_LIST, sizeof(struct jinja_list), list);
}

int jinja_dict(struct arena *arena, struct jinja_value *dict)
{
	return make(arena, JINJA_DICT, sizeof(struct jinja_dict), dict);
}

/* A larger copy of `items`, or NULL; what was there before stays with the arena. */
static void *grown(struct arena *arena, const void *items, size_t count, size_t *capacity,
		   size_t size)
{
	size_t larger = *capacity < 4 ? 4 : *capacity * 2;
	void *place = arena_array(arena, larger, size);

	if (place && count > 0) {
		memcpy(place, items, count * size);
	}
	if (place) {
		*capacity = larger;
	}
	return place;
}

int jinja_list_append(struct arena *arena, const struct jinja_value *list, struct jinja_value item)
{
	struct jinja_list *l = list->list;

	if (l->count == l->capacity) {
		void *items = grown(arena, l->items, l->count, &l->capacity, sizeof(*l->items));

		if (!items) {
			return -ENOMEM;
		}
		l->items = items;
	}
	l->items[l->count++] = item;
	return 0;
}

static bool is_hashable(const struct jinja_value *key)
{
	if (key->kind != JINJA_LIST) {
		return key->kind != JINJA_DICT && key->kind != JINJA_LOOP;
	}
	return (key->flags & JINJA_TUPLE) != 0;
}

/* FNV-1a; equal keys (1, 1.0, true) must have equal hashes. */
static uint32_t hash_value(const struct jinja_value *key, unsigned depth)
{
	uint64_t hash = 0xcbf29ce484222325;
	int64_t integer = 0;

	if (key->kind == JINJA_STRING) {
		for (size_t i = 0; i < key->string.length; i++) {
			hash = (hash ^ (uint8_t)key->string.data[i]) * 0x100000001b3;
		}
		return (uint32_t)(hash ^ hash >> 32);
	}
	if (key->kind == JINJA_LIST && depth > 0) {
		for (size_t i = 0; i < key->list->count; i++) {
			hash = (hash ^ hash_value(&key->list->items[i], depth - 1)) * 0x100000001b3;
		}
		return (uint32_t)(hash ^ hash >> 32);
	}
	if (jinja_to_integer(key, &integer)) {
		hash = (hash ^ (uint64_t)integer) * 0x9e3779b97f4a7c15;
	}
	return (uint32_t)(hash >> 32);
}

static uint32_t hash_key(const struct jinja_value *key)
{
	return hash_value(key, hash_depth_max);
}

/* Index of the entry, or dict->count when the key is not there. */
static size_t find_entry(const struct jinja_dict *dict, const struct jinja_value *key)
{
	size_t at;

	if (!dict->slots) {
		for (size_t i = 0; i < dict->count; i++) {
			if (jinja_key_equal(&dict->entries[i].key, key)) {
				return i;
			}
		}
		return dict->count;
	}
	at = hash_key(key) & (dict->slot_count - 1);
	while (dict->slots[at] != 0) {
		size_t entry = dict->slots[at] - 1;

		if (jinja_key_equal(&dict->entries[entry].key, key)) {
			return entry;
		}
		at = (at + 1) & (dict->slot_count - 1);
	}
	return dict->count;
}

static void index_entry(struct jinja_dict *dict, size_t entry)
{
	size_t at = hash_key(&dict->entries[entry].key) & (dict->slot_count - 1);

	while (dict->slots[at] != 0) {
		at = (at + 1) & (dict->slot_count - 1);
	}
	dict->slots[at] = (uint32_t)entry + 1;
}

/* Room for one more entry, and an index that is at most half full. 0 or -ENOMEM. */
static int make_room(struct arena *arena, struct jinja_dict *dict)
{
	size_t slot_count = dict->capacity < 4 ? 8 : dict->capacity * 4;
	uint32_t *slots = NULL;
	void *entries;

	if (dict->count < dict->capacity) {
		return 0;
	}
	if (dict->capacity >= UINT32_MAX / 8) {
		return -ENOMEM;
	}
	if (dict->capacity * 2 > dict_linear_max) {
		slots = arena_array(arena, slot_count, sizeof(*slots));
		if (!slots) {
			return -ENOMEM;
		}
	}
	entries = grown(arena, dict->entries, dict->count, &dict->capacity, sizeof(*dict->entries));
	if (!entries) {
		return -ENOMEM;
	}
	dict->entries = entries;
	if (slots) {
		dict->slots = slots;
		dict->slot_count = slot_count;
		for (size_t i = 0; i < dict->count; i++) {
			index_entry(dict, i);
		}
	}
	return 0;
}

int jinja_dict_set_value(struct arena *arena, const struct jinja_value *dict,
			 struct jinja_value key, struct jinja_value value)
{
	struct jinja_dict *d = dict->dict;
	size_t at;

	if (!is_hashable(&key)) {
		return -EINVAL;
	}
	at = find_entry(d, &key);
	if (at < d->count) {
		d->entries[at].value = value;
		return 0;
	}
	if (make_room(arena, d) != 0) {
		return -ENOMEM;
	}
	d->entries[d->count] = (struct jinja_entry){.key = key, .value = value};
	d->count++;
	if (d->slots) {
		index_entry(d, d->count - 1);
	}
	return 0;
}

int jinja_dict_set(struct arena *arena, const struct jinja_value *dict, struct span key,
		   struct jinja_value value)
{
	return jinja_dict_set_value(arena, dict, jinja_string(key), value);
}

const struct jinja_value *jinja_dict_get_value(const struct jinja_value *dict,
					       const struct jinja_value *key)
{
	size_t at = is_hashable(key) ? find_entry(dict->dict, key) : dict->dict->count;

	return at < dict->dict->count ? &dict->dict->entries[at].value : NULL;
}

const struct jinja_value *jinja_dict_get(const struct jinja_value *dict, struct span key)
{
	struct jinja_value string = jinja_string(key);

	return jinja_dict_get_value(dict, &string);
}
