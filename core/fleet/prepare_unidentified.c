/* SPDX-License-Identifier: MIT */
#include "core/fleet/prepare.h"

#include <errno.h>
#include <stdlib.h>

/* What a stranger says of itself: what is not legal is passed over. */
static void put_plain(char *place, size_t size, struct span text)
{
	if (text.length > 0 && device_text_is_plain(text, size)) {
		memcpy(place, text.data, text.length);
	}
}

int prepare_unidentified(struct prepare *work)
{
	const struct change *change = work->change;
	struct unidentified *entry;

	if (!address_is_set(change->address)) {
		return prepare_refuse(work, -EINVAL, "nobody is at no address", SPAN(""));
	}
	if (work->inventory->unidentified.table.count_max == 0) {
		return prepare_refuse(work, -ENOSPC, "[limits] unidentified is 0", SPAN(""));
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry) {
		return -ENOMEM;
	}
	entry->address = address_unmapped(change->address);
	if (change->interface.length > 0 && change->interface.length < sizeof(entry->interface)) {
		memcpy(entry->interface, change->interface.data, change->interface.length);
	}
	if (device_vendor_is_legal(change->vendor)) {
		put_plain(entry->vendor, sizeof(entry->vendor), change->vendor);
	}
	put_plain(entry->model, sizeof(entry->model), change->model);
	put_plain(entry->firmware, sizeof(entry->firmware), change->firmware);
	entry->has_named = mac_is_device(change->mac);
	entry->named = change->mac;
	entry->certainty = change->certainty;
	entry->reason = change->reason ? change->reason : "unidentified";
	entry->first_seen_utc_ms = change->utc_ms;
	entry->last_seen_utc_ms = change->utc_ms;
	entry->count = 1;
	work->out->unidentified = entry;
	work->out->is_nothing = true; /* memory only */
	return 0;
}
