/* SPDX-License-Identifier: MIT */
/* Rules that claim phones by themselves. */
#include "core/admin/api_internal.h"

static json_t *macs_json(const struct rule *rule)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rule->mac_count && list; i++) {
		char room[2 * mac_text_size];
		struct writer w = writer_over(room, sizeof(room));

		mac_range_write(&w, &rule->macs[i]);
		if (json_array_append_new(list, api_json_text(writer_span(&w))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *api_json_rule(const struct rule *rule, bool has_secrets)
{
	json_t *json = json_object();
	int failed = 0;

	failed |= api_json_set(json, "name", api_json_string(rule->name));
	failed |= api_json_set(json, "priority", json_integer((json_int_t)rule->priority));
	failed |= api_json_set(json, "enabled", json_boolean(!rule->is_disabled));
	failed |= api_json_set(json, "mac", macs_json(rule));
	failed |= api_json_set(json, "vendor", api_json_string(rule->vendor));
	failed |= api_json_set(json, "model", api_json_string(rule->model));
	failed |= api_json_set(json, "interface", api_json_string(rule->interface));
	failed |= api_json_set(json, "certainty",
			       api_json_string(device_certainty_name(rule->certainty)));
	failed |= api_json_set(json, "profile", api_json_string(rule->profile));
	failed |= api_json_set(json, "label", api_json_string(rule->label));
	failed |= api_json_set(json, "pool", api_json_string(rule->pool));
	failed |= api_json_set(json, "settings", api_json_settings(&rule->settings, has_secrets));
	failed |= api_json_set(json, "used", json_integer((json_int_t)rule->used));
	failed |= api_json_set(json, "last_used", api_json_time(rule->used_utc_ms));
	return api_json_whole(json, failed);
}

/* In the order in which they are tried. */
void api_rules_list(struct call *call)
{
	const struct inventory *inventory = call->api->inventory;
	bool has_secrets = call_flag(call, SPAN("secrets"));
	json_t *json = json_object();
	json_t *list = json_array();
	int failed = 0;

	for (size_t i = 0; i < inventory->rules.count && !failed; i++) {
		failed |= json_array_append_new(list, api_json_rule(inventory->rule_order[i],
								    has_secrets));
	}
	failed |= api_json_set(json, "rules", list);
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

void api_rule_get(struct call *call)
{
	const struct rule *rule = inventory_rule(call->api->inventory, call->arguments[0]);

	if (!rule) {
		call_fail(call, 404, "there is no rule of this name",
			  "see those that there are with `bellhop rule list`");
		return;
	}
	call_answer_json(call, 200, api_json_rule(rule, call_flag(call, SPAN("secrets"))));
}

/* The body as it is: the change reads it. */
static void put(struct call *call, enum change_kind kind, bool is_creation)
{
	json_t *body = call_body(call);
	struct change *change;

	if (!body) {
		return;
	}
	json_decref(body);
	change = call_change(call, kind);
	if (change) {
		change->name = call->arguments[0];
		change->body =
			span_is_empty(call->request->body) ? SPAN("{}") : call->request->body;
		call->answer->is_creation = is_creation;
	}
}

void api_rule_put(struct call *call)
{
	put(call, CHANGE_RULE_SET, !inventory_rule(call->api->inventory, call->arguments[0]));
}

void api_pool_put(struct call *call)
{
	put(call, CHANGE_POOL_SET, !inventory_pool(call->api->inventory, call->arguments[0]));
}

static void remove_named(struct call *call, enum change_kind kind)
{
	struct change *change = call_change(call, kind);

	if (change) {
		change->name = call->arguments[0];
	}
}

void api_rule_remove(struct call *call)
{
	remove_named(call, CHANGE_RULE_REMOVE);
}

void api_pool_remove(struct call *call)
{
	remove_named(call, CHANGE_POOL_REMOVE);
}

json_t *api_json_rule_or_pool(const struct inventory *inventory, const struct change *change)
{
	const struct rule *rule = inventory_rule(inventory, change->name);
	const struct number_pool *pool = inventory_pool(inventory, change->name);

	if (change->kind == CHANGE_RULE_SET) {
		return rule ? api_json_rule(rule, false) : json_object();
	}
	return pool ? api_json_pool(pool) : json_object();
}

/* --- Which rule would claim a phone. --- */

/* What the request says goes before what is known of the device. */
static bool read_subject(struct call *call, struct rule_subject *subject)
{
	const struct device *device = inventory_device(call->api->inventory, subject->mac);
	struct span vendor = call_parameter(call, SPAN("vendor"));
	struct span model = call_parameter(call, SPAN("model"));
	struct span interface = call_parameter(call, SPAN("interface"));
	struct span certainty = call_parameter(call, SPAN("certainty"));
	const struct vendor_pack *pack =
		vendor_recognise(&call->api->inventory->vendors, &subject->mac, SPAN(""), SPAN(""));

	subject->certainty = CERTAINTY_SEEN;
	subject->vendor = pack ? pack->name : SPAN("");
	if (device) {
		*subject = rule_subject_of(device);
		if (subject->certainty < CERTAINTY_SPOOFED) {
			subject->certainty = CERTAINTY_SEEN; /* nobody has seen it: as if */
		}
	}
	if (!span_is_empty(certainty) &&
	    device_certainty_parse(certainty, &subject->certainty) < 0) {
		call_fail(call, 400, "certainty is not a degree of certainty",
			  "use claimed, seen, confirmed or proven");
		return false;
	}
	subject->vendor = span_is_empty(vendor) ? subject->vendor : vendor;
	subject->model = span_is_empty(model) ? subject->model : model;
	subject->interface = span_is_empty(interface) ? subject->interface : interface;
	return true;
}

/* It would claim, but for its pool. */
static bool is_empty_pool(const struct inventory *inventory, const struct rule *rule)
{
	const struct number_pool *pool =
		rule->pool[0] ? inventory_pool(inventory, span_text(rule->pool)) : NULL;

	return pool && pool->taken >= pool->count;
}

static json_t *verdict_json(const struct inventory *inventory, const struct rule *rule,
			    enum rule_verdict verdict, const char **claimed_by, bool *is_decided)
{
	char room[200];
	struct writer why = writer_over(room, sizeof(room));
	json_t *json = json_object();
	int failed = 0;

	rule_verdict_write(verdict, rule, &why);
	if (verdict == RULE_FITS && *is_decided) {
		writer_text(&why, ", but one before it does");
	} else if (verdict == RULE_FITS && is_empty_pool(inventory, rule)) {
		writer_text(&why, ", but its pool has no free number");
	} else if (verdict == RULE_FITS) {
		*claimed_by = rule->name;
	}
	*is_decided |= verdict == RULE_FITS;
	failed |= api_json_set(json, "name", api_json_string(rule->name));
	failed |= api_json_set(json, "priority", json_integer((json_int_t)rule->priority));
	failed |= api_json_set(json, "fits", json_boolean(verdict == RULE_FITS));
	failed |= api_json_set(json, "why", api_json_text(writer_span(&why)));
	return api_json_whole(json, failed);
}

void api_device_rules(struct call *call)
{
	const struct inventory *inventory = call->api->inventory;
	struct rule_subject subject = {.certainty = CERTAINTY_SEEN};
	const char *claimed_by = NULL;
	bool is_decided = false;
	char mac[mac_text_size];
	json_t *json;
	json_t *list;
	int failed = 0;

	if (!call_mac(call, &subject.mac) || !read_subject(call, &subject)) {
		return;
	}
	json = json_object();
	list = json_array();
	for (size_t i = 0; i < inventory->rules.count && !failed; i++) {
		const struct rule *rule = inventory->rule_order[i];

		failed |= json_array_append_new(list, verdict_json(inventory, rule,
								   rule_check(rule, &subject),
								   &claimed_by, &is_decided));
	}
	mac_text(subject.mac, mac);
	failed |= api_json_set(json, "mac", api_json_string(mac));
	failed |= api_json_set(json, "vendor", api_json_text(subject.vendor));
	failed |= api_json_set(json, "model", api_json_text(subject.model));
	failed |= api_json_set(json, "interface", api_json_text(subject.interface));
	failed |= api_json_set(json, "certainty",
			       api_json_string(device_certainty_name(subject.certainty)));
	failed |= api_json_set(json, "claimed_by",
			       claimed_by ? api_json_string(claimed_by) : json_null());
	failed |= api_json_set(json, "rules", list);
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}
