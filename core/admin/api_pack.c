/* SPDX-License-Identifier: MIT */
/* Vendor packs as they are loaded: what each says, in the words of pack.json. */
#include "core/admin/api_internal.h"

static json_t *json_texts(const struct span *texts, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count && list; i++) {
		if (json_array_append_new(list, api_json_text(texts[i])) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

static json_t *json_patterns(const struct vendor_patterns *patterns)
{
	json_t *list = json_array();

	for (size_t i = 0; i < patterns->count && list; i++) {
		if (json_array_append_new(list, api_json_text(patterns->items[i].text)) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

static json_t *text_or_null(struct span text)
{
	return text.length > 0 ? api_json_text(text) : json_null();
}

static json_t *json_recognise(const struct vendor_pack *pack)
{
	json_t *json = json_object();
	int failed = 0;

	failed |= api_json_set(json, "oui", json_texts(pack->oui, pack->oui_count));
	failed |= api_json_set(json, "sip_user_agent", json_patterns(&pack->sip_user_agent));
	failed |= api_json_set(json, "http_user_agent", json_patterns(&pack->http_user_agent));
	failed |= api_json_set(json, "dhcp_class", json_patterns(&pack->dhcp_class));
	failed |= api_json_set(json, "event_vendor", json_patterns(&pack->event_vendor));
	failed |= api_json_set(json, "event_model", json_patterns(&pack->event_model));
	return api_json_whole(json, failed);
}

static json_t *json_file(const struct vendor_file *file)
{
	static const char *const kinds[] = {[VENDOR_FILE_CONFIG] = "config",
					    [VENDOR_FILE_FIRMWARE] = "firmware",
					    [VENDOR_FILE_STORED] = "stored"};
	static const char *const identities[] = {[FILE_IDENTITY_MAC] = "mac",
						 [FILE_IDENTITY_MODEL] = "model",
						 [FILE_IDENTITY_COMMON] = "common"};
	json_t *json = json_object();
	int failed = 0;

	failed |= api_json_set(json, "name", api_json_text(file->pattern));
	failed |= api_json_set(json, "match", json_patterns(&file->match));
	failed |= api_json_set(json, "identity", json_string(identities[file->identity]));
	failed |= api_json_set(json, "kind", json_string(kinds[file->kind]));
	failed |= api_json_set(json, "template", text_or_null(file->template_name));
	failed |= api_json_set(json, "content_type", api_json_text(file->content_type));
	failed |= api_json_set(json, "secrets", json_boolean(file->has_secrets));
	failed |= api_json_set(json, "essential", json_boolean(file->is_essential));
	return api_json_whole(json, failed);
}

static json_t *json_files(const struct vendor_pack *pack)
{
	json_t *list = json_array();
	int failed = !list;

	for (size_t i = 0; i < pack->file_count && !failed; i++) {
		failed = json_array_append_new(list, json_file(&pack->files[i]));
	}
	return api_json_whole(list, failed);
}

static json_t *json_shape(const struct vendor_shape *shape)
{
	json_t *json = json_object();
	int failed = 0;

	failed |= api_json_set(json, "name", api_json_text(shape->name));
	failed |= api_json_set(json, "shape", api_json_text(shape->shape));
	failed |= api_json_set(json, "without_model", text_or_null(shape->without_model));
	return api_json_whole(json, failed);
}

static json_t *json_url(const struct vendor_pack *pack)
{
	json_t *json = json_object();
	json_t *list = json_array();
	int failed = !list;

	for (size_t i = 0; i < pack->shape_count && !failed; i++) {
		failed = json_array_append_new(list, json_shape(&pack->shapes[i]));
	}
	failed |= api_json_set(json, "shapes", list);
	failed |= api_json_set(json, "max", json_integer((json_int_t)pack->url_max));
	return api_json_whole(json, failed);
}

static json_t *json_headers(const struct vendor_pack *pack)
{
	json_t *json = json_object();
	int failed = 0;

	for (size_t i = 0; i < pack->header_count; i++) {
		/* The arena's copies end where they end, and not with a NUL. */
		char name[64];

		failed |= span_to_text(pack->headers[i].name, name, sizeof(name));
		failed |= api_json_set(json, name, api_json_text(pack->headers[i].value));
	}
	return api_json_whole(json, failed);
}

static json_t *json_answer(const struct vendor_pack *pack)
{
	json_t *json = json_object();
	int failed = 0;

	failed |= api_json_set(json, "form", json_string(notify_form_name(pack->form)));
	failed |= api_json_set(json, "body_end",
			       json_string(pack->ends_body_with_crlf ? "crlf" : "none"));
	failed |= api_json_set(json, "event", json_string(pack->echoes_event ? "echo" : "package"));
	failed |= api_json_set(json, "content_type", api_json_text(pack->content_type));
	failed |= api_json_set(json, "headers", json_headers(pack));
	failed |= api_json_set(json, "unsolicited", json_boolean(pack->takes_unsolicited));
	failed |= api_json_set(json, "sip_port", json_integer(pack->sip_port));
	return api_json_whole(json, failed);
}

/* null: there is no such order. */
static json_t *json_order(const struct vendor_order *order)
{
	json_t *json;
	int failed = 0;

	if (order->event.length == 0) {
		return json_null();
	}
	json = json_object();
	failed |= api_json_set(json, "event", api_json_text(order->event));
	failed |= api_json_set(json, "content_type", text_or_null(order->content_type));
	failed |= api_json_set(json, "body", text_or_null(order->body));
	return api_json_whole(json, failed);
}

static json_t *json_resync(const struct vendor_pack *pack)
{
	json_t *json = json_order(&pack->resync);
	int failed = 0;

	if (!json_is_object(json)) {
		return json;
	}
	failed |= api_json_set(json, "reboots", json_boolean(pack->resync_reboots));
	failed |= api_json_set(json, "needs_account", json_boolean(pack->resync_needs_account));
	failed |=
		api_json_set(json, "asks_credentials", json_boolean(pack->resync_asks_credentials));
	return api_json_whole(json, failed);
}

static json_t *json_evidence(const struct vendor_pack *pack)
{
	json_t *json = json_object();
	int failed = 0;

	for (size_t i = 0; i < pack->statement_count && !failed; i++) {
		struct span field = pack->statements[i].field;
		char name[256];

		/* A name that long is of no field. */
		if (span_to_text(field, name, sizeof(name)) == 0) {
			failed = api_json_set(json, name,
					      json_string(vendor_evidence_name(pack, field)));
		}
	}
	return api_json_whole(json, failed);
}

/* What a list shows of each. */
static json_t *json_pack_short(const struct vendor_pack *pack)
{
	json_t *json = json_object();
	int failed = 0;

	failed |= api_json_set(json, "name", api_json_text(pack->name));
	failed |= api_json_set(json, "display_name", api_json_text(pack->display_name));
	failed |= api_json_set(json, "origin",
			       json_string(pack->origin == VENDOR_OPERATORS ? "operator"
									    : "shipped"));
	failed |= api_json_set(json, "folder", api_json_string(pack->folder));
	failed |= api_json_set(json, "discovered_by", text_or_null(pack->discovered_by));
	failed |= api_json_set(json, "identified_by", text_or_null(pack->identified_by));
	failed |= api_json_set(json, "resync", json_resync(pack));
	return api_json_whole(json, failed);
}

static json_t *json_pack_long(const struct vendor_pack *pack)
{
	json_t *json = json_pack_short(pack);
	int failed = 0;

	failed |= api_json_set(json, "reboot", json_order(&pack->reboot));
	failed |= api_json_set(json, "recognise", json_recognise(pack));
	failed |= api_json_set(json, "files", json_files(pack));
	failed |= api_json_set(json, "url", json_url(pack));
	failed |= api_json_set(json, "answer", json_answer(pack));
	failed |= api_json_set(json, "quirks", json_texts(pack->quirks, pack->quirk_count));
	failed |= api_json_set(json, "evidence", json_evidence(pack));
	return api_json_whole(json, failed);
}

void api_packs_list(struct call *call)
{
	const struct vendors *vendors = &call->api->inventory->vendors;
	json_t *json = json_object();
	json_t *list = json_array();
	const struct vendor_pack *last = NULL;
	int failed = !list;

	/* By name: an operator's packs were loaded behind the others. */
	for (size_t i = 0; i < vendors->count && !failed; i++) {
		const struct vendor_pack *next = NULL;

		for (size_t j = 0; j < vendors->count; j++) {
			const struct vendor_pack *pack = vendors->packs[j];

			if ((!last || span_compare(pack->name, last->name) > 0) &&
			    (!next || span_compare(pack->name, next->name) < 0)) {
				next = pack;
			}
		}
		failed = json_array_append_new(list, json_pack_short(next));
		last = next;
	}
	failed |= api_json_set(json, "packs", list);
	call_answer_json(call, 200, api_json_whole(json, failed));
}

void api_pack_get(struct call *call)
{
	const struct vendor_pack *pack =
		vendor_find(&call->api->inventory->vendors, call->arguments[0]);

	if (!pack) {
		call_fail(call, 404, "there is no vendor pack of this name",
			  "see those that there are with `bellhop pack list`");
		return;
	}
	call_answer_json(call, 200, json_pack_long(pack));
}
