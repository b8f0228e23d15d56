/* SPDX-License-Identifier: MIT */
/* Packs together: found by name and by OUI, put in and let go. */
#include "core/fleet/json_line.h"
#include "core/fleet/vendor.h"

#include <errno.h>
#include <stdlib.h>

enum { oui_digits_min = 6, oui_digits_max = 9 };

/* The first `digits` digits of 36 bits, in an order that puts equal ones together. */
static uint64_t oui_key(uint64_t bits, size_t digits)
{
	size_t open = 4 * (oui_digits_max - digits);

	return (bits >> open << open) << 4 | digits;
}

static const struct vendor_oui *find_oui(const struct vendors *vendors, uint64_t key)
{
	size_t low = 0;
	size_t high = vendors->oui_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (vendors->ouis[middle].key < key) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < vendors->oui_count && vendors->ouis[low].key == key ? &vendors->ouis[low]
									 : NULL;
}

const struct vendor_pack *vendor_by_oui(const struct vendors *vendors, struct mac mac)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < 5; i++) {
		bits = bits << 8 | mac.octets[i];
	}
	for (size_t digits = oui_digits_max; digits >= oui_digits_min; digits--) {
		const struct vendor_oui *found = find_oui(vendors, oui_key(bits >> 4, digits));

		if (found) {
			return found->pack;
		}
	}
	return NULL;
}

const struct vendor_pack *vendor_find(const struct vendors *vendors, struct span name)
{
	for (size_t i = 0; i < vendors->count; i++) {
		if (span_equal(vendors->packs[i]->name, name)) {
			return vendors->packs[i];
		}
	}
	return NULL;
}

/* --- putting packs together --- */

static int compare_ouis(const void *a, const void *b)
{
	const struct vendor_oui *x = a;
	const struct vendor_oui *y = b;

	if (x->key != y->key) {
		return x->key < y->key ? -1 : 1;
	}
	/* An operator's word goes before ours. */
	return (int)y->pack->origin - (int)x->pack->origin;
}

static uint64_t oui_read(struct span oui)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < oui_digits_max; i++) {
		bits = bits << 4 | (i < oui.length ? (unsigned)ascii_hex_value(oui.data[i]) : 0);
	}
	return oui_key(bits, oui.length);
}

static size_t add_ouis(const struct vendor_pack *pack, struct vendor_oui *ouis, size_t count)
{
	for (size_t i = 0; i < pack->oui_count; i++) {
		ouis[count++] = (struct vendor_oui){oui_read(pack->oui[i]), pack};
	}
	return count;
}

/* One of each; an index into `pack`'s own list, or -1: two packs that may not both have it. */
static int settle(struct vendor_oui *ouis, size_t *count, const struct vendor_pack *pack,
		  const struct vendor_pack **rival)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		const struct vendor_pack *holder = kept > 0 ? ouis[kept - 1].pack : NULL;

		if (!holder || ouis[kept - 1].key != ouis[i].key) {
			ouis[kept++] = ouis[i];
		} else if (holder != ouis[i].pack && holder->origin == ouis[i].pack->origin) {
			*rival = holder == pack ? ouis[i].pack : holder;
			for (size_t j = 0; j < pack->oui_count; j++) {
				if (oui_read(pack->oui[j]) == ouis[i].key) {
					return (int)j;
				}
			}
		}
	}
	*count = kept;
	return -1;
}

static int refuse_oui(const struct vendor_pack *pack, size_t at, const struct vendor_pack *rival,
		      struct writer *problem)
{
	char field[40];
	struct writer w = writer_over(field, sizeof(field));

	writer_text(&w, "recognise.oui[");
	writer_unsigned(&w, at);
	writer_char(&w, ']');
	writer_text(problem, "pack.json:");
	writer_unsigned(problem, json_line_of(pack->text, writer_span(&w)));
	writer_text(problem, ": ");
	writer_put(problem, writer_span(&w));
	writer_text(problem, ": ");
	writer_put(problem, pack->oui[at]);
	writer_text(problem, " is in the pack ");
	writer_put(problem, rival->name);
	writer_text(problem, " already");
	return -EEXIST;
}

/* The index with `pack` in the place of `old` (NULL: beside the others). */
static int make_index(const struct vendors *vendors, const struct vendor_pack *old,
		      const struct vendor_pack *pack, struct vendor_oui **ouis, size_t *count,
		      struct writer *problem)
{
	const struct vendor_pack *rival = NULL;
	size_t room = pack->oui_count;
	int at;

	for (size_t i = 0; i < vendors->count; i++) {
		room += vendors->packs[i]->oui_count;
	}
	*ouis = calloc(room + 1, sizeof(**ouis));
	if (!*ouis) {
		writer_text(problem, "pack.json: out of memory");
		return -ENOMEM;
	}
	*count = add_ouis(pack, *ouis, 0);
	for (size_t i = 0; i < vendors->count; i++) {
		if (vendors->packs[i] != old) {
			*count = add_ouis(vendors->packs[i], *ouis, *count);
		}
	}
	qsort(*ouis, *count, sizeof(**ouis), compare_ouis);
	at = settle(*ouis, count, pack, &rival);
	if (at >= 0) {
		free(*ouis);
		return refuse_oui(pack, (size_t)at, rival, problem);
	}
	return 0;
}

static void let_go(struct vendor_pack *pack)
{
	pack->users--;
	vendor_pack_free(pack);
}

static int put(struct vendors *vendors, struct vendor_pack *pack, struct writer *problem)
{
	struct vendor_oui *ouis;
	size_t oui_count;
	size_t place = 0;
	int error;

	while (place < vendors->count && !span_equal(vendors->packs[place]->name, pack->name)) {
		place++;
	}
	if (place == vendors_max) {
		writer_text(problem, "pack.json: there are more packs than ");
		writer_unsigned(problem, vendors_max);
		return -ENOSPC;
	}
	error = make_index(vendors, place < vendors->count ? vendors->packs[place] : NULL, pack,
			   &ouis, &oui_count, problem);
	if (error) {
		return error;
	}
	free(vendors->ouis);
	vendors->ouis = ouis;
	vendors->oui_count = oui_count;
	pack->users++;
	if (place < vendors->count) {
		let_go(vendors->packs[place]);
	} else {
		vendors->count++;
	}
	vendors->packs[place] = pack;
	return 0;
}

int vendors_put(struct vendors *vendors, struct vendor_pack *pack, char *problem,
		size_t problem_size)
{
	struct writer w = writer_over(problem, problem_size > 0 ? problem_size - 1 : 0);
	int error = put(vendors, pack, &w);

	if (error && problem_size > 0) {
		problem[w.length] = '\0';
	}
	return error;
}

int vendors_add(struct vendors *vendors, struct vendor_pack *pack)
{
	return vendors_put(vendors, pack, NULL, 0);
}

void vendors_free(struct vendors *vendors)
{
	for (size_t i = 0; i < vendors->count; i++) {
		let_go(vendors->packs[i]);
	}
	free(vendors->ouis);
	*vendors = (struct vendors){0};
}
