/* SPDX-License-Identifier: MIT */
#include "core/fleet/forms.h"
#include "core/fleet/prepare.h"

#include <errno.h>
#include <stdlib.h>

static bool has(const struct prepare *work, enum change_field field)
{
	return (work->change->fields & field) != 0;
}

static bool same_key(const struct form_record *a, const struct form_record *b)
{
	return span_equal(form_record_key(a), form_record_key(b));
}

/* A change that is not committed yet takes this record away. */
static bool is_taken_by(const struct prepared *p, const struct form_record *record)
{
	if (!p->form) {
		return false;
	}
	return p->is_removal ? form_is_named(record, p->form, p->form_fields)
			     : p->form_evicted && same_key(p->form_evicted, record);
}

/* The record of this key as it will be; NULL when there is none. */
static const struct form_record *find(const struct prepare *work, const struct form_record *key)
{
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->form && !p->is_removal && same_key(p->form, key)) {
			return p->form;
		}
		if (is_taken_by(p, key)) {
			return NULL;
		}
	}
	return table_find(&work->inventory->forms, form_record_key(key));
}

/* Something that is written down of a phone is said of a maker that is known. */
static int set_key(struct prepare *work, struct form_record *record)
{
	const struct change *change = work->change;
	struct form_key key = {change->vendor, change->model, change->firmware};

	if (span_is_empty(change->vendor) || !device_vendor_is_legal(change->vendor)) {
		return prepare_refuse(work, -EINVAL,
				      "a vendor is named in small letters and digits, not",
				      change->vendor);
	}
	if (change->model.length > 0 && !device_text_is_plain(change->model, device_model_size)) {
		return prepare_refuse(work, -EINVAL,
				      "a model has letters, digits, blanks and ._+()/:-, not",
				      change->model);
	}
	if (change->firmware.length > 0 &&
	    !device_text_is_plain(change->firmware, device_firmware_size)) {
		return prepare_refuse(work, -EINVAL,
				      "a version has letters, digits, blanks and ._+()/:-, not",
				      change->firmware);
	}
	return form_key_write(&key, (char *)record);
}

static uint64_t newest(const struct form_record *record)
{
	uint64_t last = record->first_utc_ms;

	last = record->answered_utc_ms > last ? record->answered_utc_ms : last;
	last = record->fetched_utc_ms > last ? record->fetched_utc_ms : last;
	return record->failed_utc_ms > last ? record->failed_utc_ms : last;
}

/* The one that was of use the longest ago gives way; never a pinned one. */
static const struct form_record *find_oldest(const struct prepare *work)
{
	const struct form_record *oldest = NULL;
	const struct form_record *record;
	size_t cursor = 0;

	while ((record = form_next(work->inventory, &cursor))) {
		/* One that a change before this one touches stays, as long as that is pending. */
		bool is_touched = false;

		for (const struct prepared *p = work->inventory->pending; p && !is_touched;
		     p = p->before) {
			is_touched =
				(p->form && same_key(p->form, record)) || is_taken_by(p, record);
		}
		if (!is_touched && !record->is_pinned &&
		    (!oldest || newest(record) < newest(oldest))) {
			oldest = record;
		}
	}
	return oldest;
}

static size_t count_of(const struct prepare *work)
{
	size_t count = work->inventory->forms.count;

	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		count += p->form && !p->is_removal && p->is_addition;
		count -= p->form && !p->is_removal && p->form_evicted;
	}
	return count;
}

static int make_room(struct prepare *work)
{
	const struct form_record *oldest;

	if (count_of(work) < work->inventory->forms.count_max) {
		return 0;
	}
	oldest = find_oldest(work);
	if (!oldest) {
		return prepare_refuse(work, -ENOSPC,
				      "there are too many forms; forget some, or raise forms in "
				      "[limits]",
				      SPAN(""));
	}
	work->out->form_evicted = malloc(sizeof(*oldest));
	if (!work->out->form_evicted) {
		return -ENOMEM;
	}
	*work->out->form_evicted = *oldest;
	return 0;
}

static void set_shape(char place[static device_shape_size], struct span shape)
{
	memset(place, 0, device_shape_size);
	if (shape.length > 0 && shape.length < device_shape_size) {
		memcpy(place, shape.data, shape.length);
	}
}

/* Two reports of one round may have been on their way at the same time. */
static bool is_counted(const struct prepare *work, const struct form_record *record)
{
	const struct device *device = prepare_find_device(work, work->change->mac);

	return work->change->evidence == FORM_FETCHED && device &&
	       record->form == work->change->form && device->told_form == work->change->form &&
	       !form_is_news(record, device);
}

/* Evidence for another form than the one learned counts when it weighs more, or that one fails. */
static bool is_convincing(const struct form_record *record, const struct change *change)
{
	return record->form == FORM_DEFAULT || record->form == change->form ||
	       change->evidence > record->evidence || record->suspect_form == record->form;
}

static void credit(struct prepare *work, struct form_record *record)
{
	const struct change *change = work->change;

	if (is_counted(work, record) || !is_convincing(record, change)) {
		work->out->is_nothing = true;
		return;
	}
	if (record->form != change->form) {
		record->form = change->form;
		record->evidence = FORM_UNPROVEN;
		record->answered = 0;
		record->fetched = 0;
	}
	if (change->evidence > record->evidence) {
		record->evidence = change->evidence;
	}
	record->failed = 0;
	if (record->suspect_form == change->form) {
		record->suspect_form = FORM_DEFAULT;
	}
	if (change->evidence != FORM_FETCHED) {
		record->answered++;
		record->answered_utc_ms = change->utc_ms;
		return;
	}
	record->fetched++;
	record->fetched_utc_ms = change->utc_ms;
	if (!record->shape[0]) {
		set_shape(record->shape, change->shape);
	}
	if (strcmp(record->shape, record->suspect_shape) == 0) {
		set_shape(record->suspect_shape, SPAN(""));
	}
}

/* The failure that would let the other form go first for the whole kind, of one device alone. */
static bool is_last_straw(const struct change *change, const struct form_record *record)
{
	return record->evidence == FORM_FETCHED && record->form == change->form &&
	       record->failed + 1 >= form_failures_max && mac_equal(record->failed_by, change->mac);
}

static void blame(const struct change *change, struct form_record *record)
{
	if (change->fields & FIELD_FORM) {
		record->suspect_form = change->form;
		record->failed += !is_last_straw(change, record);
		record->failed_by = change->mac;
	}
	if (change->fields & FIELD_SHAPE) {
		set_shape(record->suspect_shape, change->shape);
	}
	record->failed_utc_ms = change->utc_ms;
}

static void learn(struct prepare *work, struct form_record *record)
{
	if (record->is_pinned) {
		work->out->is_nothing = true;
	} else if (work->change->is_success) {
		credit(work, record);
	} else {
		blame(work->change, record);
	}
}

static int check_shape(struct prepare *work)
{
	const struct vendor_pack *pack =
		vendor_find(&work->inventory->vendors, work->change->vendor);
	const struct vendor_shape *shape;

	if (!pack) {
		return prepare_refuse(work, -EINVAL, "there is no pack of this vendor",
				      work->change->vendor);
	}
	if (!has(work, FIELD_SHAPE)) {
		return 0;
	}
	shape = vendor_shape_find(pack, work->change->shape);
	return shape && span_equal(shape->name, work->change->shape)
		       ? 0
		       : prepare_refuse(work, -EINVAL, "the vendor's pack has no shape",
					work->change->shape);
}

static int pin(struct prepare *work, struct form_record *record)
{
	const struct change *change = work->change;
	int error = check_shape(work);

	if (error) {
		return error;
	}
	if (change->form == FORM_DEFAULT && !has(work, FIELD_SHAPE)) {
		return prepare_refuse(work, -EINVAL,
				      "there is nothing to pin; name a form or a shape, or use "
				      "form forget",
				      SPAN(""));
	}
	record->is_pinned = true;
	record->form = change->form;
	record->evidence = FORM_UNPROVEN;
	record->answered = 0;
	record->fetched = 0;
	record->failed = 0;
	record->suspect_form = FORM_DEFAULT;
	set_shape(record->suspect_shape, SPAN(""));
	set_shape(record->shape, has(work, FIELD_SHAPE) ? change->shape : SPAN(""));
	return 0;
}

static int forget(struct prepare *work, const struct form_record *named)
{
	const struct form_record *record;
	size_t cursor = 0;

	work->out->is_removal = true;
	work->out->form_fields = work->change->fields & (FIELD_MODEL | FIELD_FIRMWARE);
	while ((record = form_next(work->inventory, &cursor))) {
		if (form_is_named(record, named, work->out->form_fields) && find(work, record)) {
			return 0;
		}
	}
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->form && !p->is_removal &&
		    form_is_named(p->form, named, work->out->form_fields) && find(work, p->form)) {
			return 0;
		}
	}
	return prepare_refuse(work, -ENOENT, "nothing is known of such phones", SPAN(""));
}

int prepare_form(struct prepare *work)
{
	const struct form_record *old;
	struct form_record *record = calloc(1, sizeof(*record));
	int error;

	if (!record) {
		return -ENOMEM;
	}
	work->out->form = record;
	error = set_key(work, record);
	if (error) {
		return error;
	}
	if (work->change->kind == CHANGE_FORM_FORGET) {
		return forget(work, record);
	}
	old = find(work, record);
	if (old) {
		*record = *old;
	} else {
		record->first_utc_ms = work->change->utc_ms;
		work->out->is_addition = true;
		error = make_room(work);
	}
	if (error) {
		return error;
	}
	if (work->change->kind == CHANGE_FORM_PIN) {
		return pin(work, record);
	}
	learn(work, record);
	return 0;
}
