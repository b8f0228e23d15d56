/* SPDX-License-Identifier: MIT */
#include "core/fleet/forms.h"

#include "core/base/uncleared.h"
#include "core/fleet/inventory.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static_assert(offsetof(struct form_record, vendor) == 0 &&
		      offsetof(struct form_record, firmware) + device_firmware_size ==
			      form_key_size,
	      "the three texts of a key stand side by side, in front");

static const char *const evidence_names[] = {
	[FORM_UNPROVEN] = "none",
	[FORM_ANSWERED] = "answered",
	[FORM_FETCHED] = "fetched",
};

const char *form_evidence_name(enum form_evidence evidence)
{
	return (size_t)evidence < sizeof(evidence_names) / sizeof(evidence_names[0])
		       ? evidence_names[evidence]
		       : "";
}

int form_evidence_parse(struct span name, enum form_evidence *evidence)
{
	for (size_t i = 0; i < sizeof(evidence_names) / sizeof(evidence_names[0]); i++) {
		if (span_equal(name, span_text(evidence_names[i]))) {
			*evidence = (enum form_evidence)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* --- keys --- */

static bool put_part(char *place, size_t size, struct span text)
{
	if (text.length >= size) {
		return false;
	}
	if (text.length > 0) {
		memcpy(place, text.data, text.length);
	}
	memset(place + text.length, 0, size - text.length);
	return true;
}

int form_key_write(const struct form_key *key, char bytes[static form_key_size])
{
	char *model = bytes + device_vendor_size;

	return put_part(bytes, device_vendor_size, key->vendor) &&
			       put_part(model, device_model_size, key->model) &&
			       put_part(model + device_model_size, device_firmware_size,
					key->firmware)
		       ? 0
		       : -EINVAL;
}

struct span form_record_key(const void *record)
{
	return span_make(record, form_key_size);
}

struct form_key form_key_of(const struct device *device, const struct form_key *seen)
{
	bool has_vendor = !seen || device->vendor[0];
	bool has_model = !seen || device->model[0];
	bool has_firmware = !seen || seen->firmware.length == 0;

	return (struct form_key){
		.vendor = has_vendor ? span_text(device->vendor) : seen->vendor,
		.model = has_model ? span_text(device->model) : seen->model,
		.firmware = has_firmware ? span_text(device->firmware) : seen->firmware,
	};
}

/* --- records --- */

const struct form_record *form_find(const struct inventory *inventory, const struct form_key *key)
{
	UNCLEARED char bytes[form_key_size];

	/* Of a phone whose maker nobody knows nothing can be told to others. */
	if (inventory->forms.count == 0 || key->vendor.length == 0 ||
	    form_key_write(key, bytes) != 0) {
		return NULL;
	}
	return table_find(&inventory->forms, span_make(bytes, sizeof(bytes)));
}

const struct form_record *form_next(const struct inventory *inventory, size_t *cursor)
{
	return table_next(&inventory->forms, cursor);
}

static bool is_plain(const char *text, size_t size)
{
	return text[0] == '\0' || device_text_is_plain(span_text(text), size);
}

static bool is_sound(const struct form_record *record)
{
	return record->vendor[0] && device_vendor_is_legal(span_text(record->vendor)) &&
	       is_plain(record->model, sizeof(record->model)) &&
	       is_plain(record->firmware, sizeof(record->firmware)) &&
	       is_plain(record->shape, sizeof(record->shape)) &&
	       is_plain(record->suspect_shape, sizeof(record->suspect_shape));
}

int form_load(struct inventory *inventory, struct form_record *record)
{
	return is_sound(record) ? table_add(&inventory->forms, record) : -EINVAL;
}

void form_free_all(struct inventory *inventory)
{
	struct form_record *record;
	size_t cursor = 0;

	while ((record = table_next(&inventory->forms, &cursor))) {
		free(record);
	}
	table_free(&inventory->forms);
}

bool form_is_named(const struct form_record *record, const struct form_record *named,
		   uint32_t fields)
{
	return strcmp(record->vendor, named->vendor) == 0 &&
	       (!(fields & FIELD_MODEL) || strcmp(record->model, named->model) == 0) &&
	       (!(fields & FIELD_FIRMWARE) || strcmp(record->firmware, named->firmware) == 0);
}

/* The table must not change while it is walked: one after the other, from the start. */
static void forget(struct inventory *inventory, const struct form_record *named, uint32_t fields)
{
	struct form_record *record;
	size_t cursor = 0;

	while ((record = table_next(&inventory->forms, &cursor))) {
		if (form_is_named(record, named, fields)) {
			free(table_remove(&inventory->forms, form_record_key(record)));
			cursor = 0;
		}
	}
}

void form_commit(struct inventory *inventory, struct prepared *prepared)
{
	struct form_record *fresh = prepared->form;
	struct form_record *place;

	if (prepared->is_removal) {
		forget(inventory, fresh, prepared->form_fields);
		free(fresh);
		return;
	}
	if (prepared->form_evicted) {
		free(table_remove(&inventory->forms, form_record_key(prepared->form_evicted)));
		free(prepared->form_evicted);
		inventory->forms_replaced++;
	}
	place = table_find(&inventory->forms, form_record_key(fresh));
	if (place) {
		*place = *fresh;
		free(fresh);
	} else {
		(void)table_add(&inventory->forms, fresh); /* its slot was reserved */
	}
}

/* --- the road of choice --- */

/* Learned, and not failing: how much failing it takes depends on how it was learned. */
static bool is_learned(const struct form_record *record)
{
	uint64_t failures_max = record->evidence == FORM_FETCHED ? form_failures_max : 1;

	return record->form != FORM_DEFAULT &&
	       (record->suspect_form != record->form || record->failed < failures_max);
}

/* Nothing is left to be found out. */
static bool is_settled(const struct form_record *record)
{
	return record->form != FORM_DEFAULT && record->evidence == FORM_FETCHED &&
	       record->suspect_form != record->form;
}

static void choose_form(const struct device *device, const struct vendor_pack *pack,
			struct form_choice *choice)
{
	const struct form_record *record = choice->record;

	if (device->form != FORM_DEFAULT) {
		choice->form = device->form;
		choice->reason = FORM_OF_DEVICE;
		return;
	}
	if (record && record->is_pinned && record->form != FORM_DEFAULT) {
		choice->form = record->form;
		choice->reason = FORM_PINNED;
		return;
	}
	choice->is_guessed = true;
	choice->form = pack && pack->form == FORM_PRINT ? FORM_PRINT : FORM_RFC;
	if (!record) {
		return;
	}
	if (is_learned(record)) {
		bool is_missing = device->told_unfetched >= form_unfetched_max;

		choice->form = record->form;
		choice->reason = FORM_LEARNED;
		choice->is_own_case = is_missing && record->evidence == FORM_FETCHED;
		choice->is_guessed = is_missing || !is_settled(record);
		return;
	}
	if (record->form != FORM_DEFAULT) {
		choice->form = record->form;
	}
	if (record->suspect_form == choice->form) {
		choice->form = form_other(choice->form);
		choice->reason = FORM_OTHER;
	}
}

bool form_is_news(const struct form_record *record, const struct device *device)
{
	if (!record || record->form != device->told_form || !is_settled(record)) {
		return true;
	}
	if (record->fetched >= form_fetched_often &&
	    device->fetched_utc_ms >= record->fetched_utc_ms &&
	    device->fetched_utc_ms - record->fetched_utc_ms < form_news_interval_ms) {
		return false;
	}
	return record->fetched_utc_ms < device->notified_utc_ms;
}

static size_t shape_index(const struct vendor_pack *pack, const char *name)
{
	size_t i = 0;

	while (i < pack->shape_count && !span_equal(pack->shapes[i].name, span_text(name))) {
		i++;
	}
	return i;
}

/* It had its chance to come for its files, and did not. */
static bool shape_failed(const struct device *device, uint64_t now_utc_ms)
{
	return device->told_unfetched >= form_unfetched_max ||
	       (device->told_unfetched > 0 && now_utc_ms > device->notified_utc_ms &&
		now_utc_ms - device->notified_utc_ms > form_fetch_time_ms);
}

static void choose_shape(const struct device *device, const struct vendor_pack *pack,
			 uint64_t now_utc_ms, struct form_choice *choice)
{
	const struct form_record *record = choice->record;
	size_t index;

	if (!pack || pack->shape_count == 0) {
		return;
	}
	if (record && record->shape[0]) {
		index = shape_index(pack, record->shape);
		if (index < pack->shape_count) {
			choice->shape = pack->shapes[index].name;
			choice->shape_reason = record->is_pinned ? FORM_PINNED : FORM_LEARNED;
			return;
		}
	}
	index = device->told_unfetched > 0 ? shape_index(pack, device->told_shape) : 0;
	if (index == pack->shape_count) {
		index = 0; /* the pack has it no more */
	} else if (shape_failed(device, now_utc_ms)) {
		index = (index + 1) % pack->shape_count;
	}
	choice->shape = pack->shapes[index].name;
	choice->shape_reason = index == 0 ? FORM_OF_PACK : FORM_OTHER;
}

void form_choose(const struct inventory *inventory, const struct device *device,
		 const struct vendor_pack *pack, const struct form_key *key, uint64_t now_utc_ms,
		 struct form_choice *choice)
{
	*choice = (struct form_choice){.shape = SPAN(""), .record = form_find(inventory, key)};
	choose_form(device, pack, choice);
	choose_shape(device, pack, now_utc_ms, choice);
}

static void write_times(struct writer *w, const char *what, uint64_t count)
{
	writer_text(w, "learned: ");
	writer_text(w, what);
	writer_char(w, ' ');
	writer_unsigned(w, count);
	writer_text(w, count == 1 ? " time" : " times");
}

void form_choice_write_reason(struct writer *w, const struct form_choice *choice)
{
	switch (choice->reason) {
	case FORM_OF_PACK:
		writer_text(w, "pack");
		break;
	case FORM_OF_DEVICE:
		writer_text(w, "set for this device");
		break;
	case FORM_PINNED:
		writer_text(w, "pinned");
		break;
	case FORM_LEARNED:
		if (choice->record->evidence == FORM_FETCHED) {
			write_times(w, "fetched", choice->record->fetched);
		} else {
			write_times(w, "answered", choice->record->answered);
		}
		break;
	case FORM_OTHER:
		writer_text(w, notify_form_name(form_other(choice->form)));
		writer_text(w, " has failed");
		break;
	}
}
