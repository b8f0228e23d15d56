/* SPDX-License-Identifier: MIT */
#include "core/fleet/road.h"

enum { text_size = 512, detail_size = 1536 };

/* One report on its way. */
struct road {
	const struct prepared *prepared;
	const struct change *change;
	struct span who;
	road_report_fn *report;
	void *context;
	char text_room[text_size];
	char detail_room[detail_size];
	struct writer text;
	struct writer detail;
};

static void begin(struct road *road)
{
	road->text = writer_over(road->text_room, sizeof(road->text_room));
	road->detail = writer_over(road->detail_room, sizeof(road->detail_room));
}

/* The whole text, or as much as fits; a detail that does not fit is none. */
static void end(struct road *road, enum report_level level, const char *reason)
{
	const struct device *device = road->prepared->device;
	struct effect_report report = {
		.level = level,
		.reason = reason,
		.text = writer_span(&road->text),
		.detail = road->detail.failed ? SPAN("") : writer_span(&road->detail),
		.has_mac = device != NULL,
	};

	if (device) {
		report.mac = device->mac;
		if (device->certainty != CERTAINTY_NONE && road->change->fields & FIELD_ADDRESS) {
			report.source.address = device->address;
		}
	}
	road->report(road->context, &report);
}

/* `"name":"value"`, with a comma before it unless it is the first. */
static void member(struct writer *w, const char *name, struct span value)
{
	writer_text(w, w->length > 0 && w->data[w->length - 1] != '{' ? ",\"" : "\"");
	writer_text(w, name);
	writer_text(w, "\":");
	writer_json(w, value);
}

static void member_or_null(struct writer *w, const char *name, const char *value)
{
	if (value) {
		member(w, name, span_text(value));
		return;
	}
	writer_text(w, w->length > 1 ? ",\"" : "\"");
	writer_text(w, name);
	writer_text(w, "\":null");
}

/* "confirmed by neighbour": how sure we were, and by what. Nothing of one that nobody has seen. */
static void write_evidence(struct writer *w, const struct device *device)
{
	if (device->certainty != CERTAINTY_NONE) {
		writer_text(w, device_certainty_name(device->certainty));
		writer_char(w, ' ');
	}
	if (device->certainty != CERTAINTY_NONE || device->identified_by != IDENTIFIED_BY_NOTHING) {
		writer_text(w, "by ");
		writer_text(w, device_identified_by_name(device->identified_by));
	}
}

/* --- Why its state is another one. --- */

struct cause {
	const char *name;
	const char *words;
	struct span shown; /* behind the words */
};

static struct cause cause_of_edit(const struct road *road)
{
	return (struct cause){"edited", "edited by ", road->who};
}

static struct cause cause_of(const struct road *road)
{
	const struct change *change = road->change;

	switch (change->kind) {
	case CHANGE_DEVICE_ADD:
		return (struct cause){"person", "added by ", road->who};
	case CHANGE_DEVICE_CLAIM:
		return road->prepared->was_there && road->prepared->state_before != DEVICE_NEW
			       ? cause_of_edit(road)
			       : (struct cause){"person", "by ", road->who};
	case CHANGE_DEVICE_SEEN:
		return road->prepared->is_claim_by_rule
			       ? (struct cause){"rule", "by rule ",
						span_text(road->prepared->device->claimed_by)}
			       : (struct cause){"seen", "it showed itself", SPAN("")};
	case CHANGE_DEVICE_NOTIFIED:
		return (struct cause){"url_sent", "its URL was sent", SPAN("")};
	case CHANGE_DEVICE_FETCHED:
		return (struct cause){"fetched", "it fetched ", change->file};
	case CHANGE_DEVICE_BLOCK:
		return (struct cause){"blocked", "by ", road->who};
	case CHANGE_DEVICE_UNBLOCK:
		return (struct cause){"unblocked", "unblocked by ", road->who};
	case CHANGE_DEVICE_REMOVE:
		return (struct cause){"removed", "by ", road->who};
	case CHANGE_PROFILE_SET:
	case CHANGE_PROFILE_REMOVE:
		return (struct cause){"profile", "profile changed: ", change->profile};
	case CHANGE_DEVICE_SET:
	case CHANGE_FILE_SET:
	case CHANGE_FILE_REMOVE:
	case CHANGE_FILE_HASHED:
	case CHANGE_DEVICE_RESYNC:
	case CHANGE_UNIDENTIFIED_SEEN:
	case CHANGE_FORM_LEARNED:
	case CHANGE_FORM_PIN:
	case CHANGE_FORM_FORGET:
	case CHANGE_RULE_SET:
	case CHANGE_RULE_REMOVE:
	case CHANGE_POOL_SET:
	case CHANGE_POOL_REMOVE:
	case CHANGE_DEVICES_IMPORT:
	case CHANGE_KIND_COUNT:
		break;
	}
	return cause_of_edit(road);
}

static void write_detail(struct road *road, const char *from, const char *to,
			 const struct cause *cause)
{
	struct writer *w = &road->detail;

	writer_char(w, '{');
	member_or_null(w, "from", from);
	member_or_null(w, "to", to);
	member(w, "cause", span_text(cause->name));
	if (road->who.length > 0) {
		member(w, "by", road->who);
	}
}

static void tell_state(struct road *road)
{
	const struct prepared *prepared = road->prepared;
	const struct device *device = prepared->device;
	const char *from = prepared->was_there ? device_state_name(prepared->state_before) : NULL;
	const char *to = prepared->is_removal ? NULL : device_state_name(device->state);
	struct cause cause = cause_of(road);
	char evidence_room[64];
	struct writer evidence = writer_over(evidence_room, sizeof(evidence_room));

	begin(road);
	if (prepared->is_claim_by_rule && !from) {
		from = device_state_name(DEVICE_NEW); /* for as long as the rule took */
	}
	if (from) {
		writer_text(&road->text, from);
		writer_text(&road->text, " -> ");
	}
	writer_text(&road->text, to ? to : "removed");
	writer_text(&road->text, ": ");
	writer_text(&road->text, cause.words);
	writer_escaped(&road->text, cause.shown, 200);
	write_detail(road, from, to, &cause);
	if (!prepared->is_removal) {
		write_evidence(&evidence, device);
	}
	if (evidence.length > 0) {
		member(&road->detail, "evidence", writer_span(&evidence));
	}
	if (prepared->is_claim_by_rule) {
		writer_text(&road->text, " (");
		mac_write(&road->text, device->mac);
		writer_text(&road->text, evidence.length > 0 ? ", " : "");
		writer_put(&road->text, writer_span(&evidence));
		writer_char(&road->text, ')');
		member(&road->detail, "rule", span_text(device->claimed_by));
	}
	writer_char(&road->detail, '}');
	end(road, REPORT_INFO, "state");
}

/* --- What else there is to tell. --- */

/* "name value, " of what is known. */
static void known(struct road *road, const char *name, const char *value)
{
	if (value[0]) {
		writer_text(&road->text, ", ");
		writer_text(&road->text, name);
		writer_char(&road->text, ' ');
		writer_escaped(&road->text, span_text(value), 80);
		member(&road->detail, name, span_text(value));
	}
}

static void write_phone(struct road *road, const char *words)
{
	const struct device *device = road->prepared->device;
	char address[address_text_size] = "";

	begin(road);
	writer_text(&road->text, words);
	mac_write(&road->text, device->mac);
	writer_char(&road->detail, '{');
	if (address_is_set(device->address)) {
		address_text(device->address, address);
	}
	known(road, "vendor", device->vendor);
	known(road, "model", device->model);
	known(road, "firmware", device->firmware);
	known(road, "address", address);
	known(road, "interface", device->interface);
	known(road, "identified_by", device_identified_by_name(device->identified_by));
	known(road, "certainty", device_certainty_name(device->certainty));
}

static void tell_appeared(struct road *road)
{
	write_phone(road, "a phone that nobody claimed: ");
	writer_char(&road->detail, '}');
	end(road, REPORT_INFO, "phone_appeared");
}

static void tell_claimed_by_rule(struct road *road)
{
	const struct device *device = road->prepared->device;

	write_phone(road, "claimed ");
	known(road, "rule", device->claimed_by);
	known(road, "pool", device->pool);
	known(road, "extension", device->extension);
	writer_char(&road->detail, '}');
	end(road, REPORT_INFO, "claimed_by_rule");
}

static void tell_pool_empty(struct road *road)
{
	begin(road);
	writer_text(&road->text, "rule ");
	writer_text(&road->text, road->prepared->rule_name);
	writer_text(&road->text, " would claim it, and pool ");
	writer_text(&road->text, road->prepared->pool_name);
	writer_text(&road->text, " has no free number; add some, or remove devices");
	writer_char(&road->detail, '{');
	member(&road->detail, "rule", span_text(road->prepared->rule_name));
	member(&road->detail, "pool", span_text(road->prepared->pool_name));
	writer_char(&road->detail, '}');
	end(road, REPORT_WARNING, "pool_empty");
}

/* One event, however many phones have the profile. */
static void tell_profile(struct road *road)
{
	struct cause cause = cause_of(road);

	begin(road);
	writer_unsigned(&road->text, road->prepared->stale_count);
	writer_text(&road->text, " devices fetched -> stale: ");
	writer_text(&road->text, cause.words);
	writer_escaped(&road->text, cause.shown, 200);
	if (road->who.length > 0) {
		writer_text(&road->text, " by ");
		writer_escaped(&road->text, road->who, 80);
	}
	write_detail(road, device_state_name(DEVICE_FETCHED), device_state_name(DEVICE_STALE),
		     &cause);
	member(&road->detail, "profile", road->change->profile);
	writer_text(&road->detail, ",\"count\":");
	writer_unsigned(&road->detail, road->prepared->stale_count);
	writer_char(&road->detail, '}');
	end(road, REPORT_INFO, "state");
}

static void tell_device(struct road *road)
{
	const struct prepared *prepared = road->prepared;

	if (prepared->is_pool_empty) {
		tell_pool_empty(road);
	}
	if (prepared->is_claim_by_rule) {
		tell_claimed_by_rule(road);
		tell_state(road);
	} else if (road->change->kind == CHANGE_DEVICE_SEEN && !prepared->was_there) {
		tell_appeared(road);
	} else if (prepared->is_removal || !prepared->was_there ||
		   prepared->state_before != prepared->device->state) {
		tell_state(road);
	}
}

void road_tell(const struct prepared *prepared, const struct change *change, struct span who,
	       road_report_fn *report, void *context)
{
	struct road road = {.prepared = prepared,
			    .change = change,
			    .who = who.length > 0 ? who : SPAN(""),
			    .report = report,
			    .context = context};

	for (size_t i = 0; i < prepared->group_count; i++) {
		struct change one = {.kind = CHANGE_DEVICE_CLAIM, .utc_ms = change->utc_ms};

		road_tell(&prepared->group[i], &one, who, report, context);
	}
	if (prepared->device) {
		tell_device(&road);
	} else if (prepared->stale_count > 0) {
		tell_profile(&road);
	}
}
