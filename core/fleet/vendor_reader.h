/* SPDX-License-Identifier: MIT */
/*
 * Reading a pack.json member by member, and saying where a mistake is. Only
 * core/fleet/vendor_load*.c use this.
 *
 * All take_* functions return 0; -EINVAL after pack_refuse; -ENOMEM. What they read lives in the
 * pack's arena. A member that is not there leaves its place alone, unless it is required. A path
 * that was entered and refused is not left: the load ends.
 */
#ifndef BELLHOP_CORE_FLEET_VENDOR_READER_H
#define BELLHOP_CORE_FLEET_VENDOR_READER_H

#include "core/fleet/vendor.h"

#include <jansson.h>

enum { pack_path_size = 160, pack_list_count_max = 1000, pack_json_bytes_max = 1 << 20 };

struct pack_reader {
	struct vendor_pack *pack;
	vendor_read_fn *read;
	void *context;
	struct span text; /* pack.json */
	char path[pack_path_size];
	size_t path_length;
	struct writer problem;
};

/* Goes into a member, or an item of a list; what is returned is handed to pack_leave. */
size_t pack_enter(struct pack_reader *l, const char *key);
size_t pack_enter_index(struct pack_reader *l, size_t index);
void pack_leave(struct pack_reader *l, size_t before);

/* "pack.json:LINE: FIELD: what is wrong", of where we are or of a member there. -EINVAL. */
int pack_refuse(struct pack_reader *l, const char *what);
int pack_refuse_member(struct pack_reader *l, const char *key, const char *what);

/* That it is an object, and has no members but those of a list that ends with NULL. */
int pack_check_members(struct pack_reader *l, json_t *object, const char *const *known);

int pack_copy_string(struct pack_reader *l, json_t *value, struct span *text);
int pack_take_string(struct pack_reader *l, json_t *object, const char *key, bool is_required,
		     struct span *text);
int pack_take_boolean(struct pack_reader *l, json_t *object, const char *key, bool *flag);

/* One of a list of words that ends with NULL; `*index` stays when the member is not there. */
int pack_take_choice(struct pack_reader *l, json_t *object, const char *key,
		     const char *const *words, int *index);

/* A list of texts; absent is empty. */
int pack_take_list(struct pack_reader *l, json_t *object, const char *key, struct span **items,
		   size_t *count);

/* A list of patterns, compiled; `options` are PCRE2's. */
int pack_take_patterns(struct pack_reader *l, json_t *object, const char *key, uint32_t options,
		       struct vendor_patterns *patterns);

/*
 * Compiles the text of one pattern, refused where we are; freed by vendor_pack_free, once it is in
 * its place in the pack.
 */
int pack_compile_pattern(struct pack_reader *l, uint32_t options, struct vendor_pattern *pattern);

/* The parts of a pack that have a file of their own. */
int pack_take_files(struct pack_reader *l, json_t *root);
int pack_take_parameters(struct pack_reader *l, json_t *root);
int pack_take_url(struct pack_reader *l, json_t *root);
int pack_take_answer(struct pack_reader *l, json_t *root);
int pack_take_orders(struct pack_reader *l, json_t *root);
int pack_take_dhcp(struct pack_reader *l, json_t *root);

#endif
