/* SPDX-License-Identifier: MIT */
/* A vendor pack as a whole: whose it is, how it is recognised, what people are told of it. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/fleet/vendor_reader.h"
#include "core/jinja/jinja.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>

enum { pack_bytes_max = 8 << 20, url_max_most = 512, sip_port_usual = 5060 };

static int take_oui(struct pack_reader *l, json_t *object)
{
	struct vendor_pack *pack = l->pack;
	int error = pack_take_list(l, object, "oui", &pack->oui, &pack->oui_count);

	for (size_t i = 0; !error && i < pack->oui_count; i++) {
		struct span oui = pack->oui[i];
		bool is_legal = oui.length >= 6 && oui.length <= 9;

		for (size_t j = 0; j < oui.length; j++) {
			is_legal = is_legal && ascii_hex_value(oui.data[j]) >= 0 &&
				   ascii_lower(oui.data[j]) == oui.data[j];
		}
		if (!is_legal) {
			pack_enter(l, "oui");
			pack_enter_index(l, i);
			return pack_refuse(l, "must be 6 to 9 hexadecimal digits in small letters");
		}
	}
	return error;
}

static int take_recognise(struct pack_reader *l, json_t *root)
{
	static const char *const known[] = {"oui",	  "sip_user_agent", "http_user_agent",
					    "dhcp_class", "event_vendor",   "event_model",
					    NULL};
	json_t *object = json_object_get(root, "recognise");
	size_t before;
	int error;

	if (!object) {
		return pack_refuse_member(l, "recognise", "is missing");
	}
	before = pack_enter(l, "recognise");
	error = pack_check_members(l, object, known);
	error = error ? error : take_oui(l, object);
	error = error ? error
		      : pack_take_patterns(l, object, "sip_user_agent", 0,
					   &l->pack->sip_user_agent);
	error = error ? error
		      : pack_take_patterns(l, object, "http_user_agent", 0,
					   &l->pack->http_user_agent);
	error = error ? error
		      : pack_take_patterns(l, object, "dhcp_class", 0, &l->pack->dhcp_class);
	error = error ? error
		      : pack_take_patterns(l, object, "event_vendor", 0, &l->pack->event_vendor);
	error = error ? error
		      : pack_take_patterns(l, object, "event_model", 0, &l->pack->event_model);
	pack_leave(l, error ? l->path_length : before);
	return error;
}

/* What each statement rests on. */
static int take_evidence(struct pack_reader *l, json_t *root)
{
	static const char *const kinds[] = {"capture", "firmware",  "manual",
					    "code",    "inference", NULL};
	struct vendor_pack *pack = l->pack;
	json_t *object = json_object_get(root, "evidence");
	const char *key;
	json_t *value;

	if (!object) {
		return 0;
	}
	pack_enter(l, "evidence");
	if (!json_is_object(object)) {
		return pack_refuse(l, "must be an object { }");
	}
	pack->statements =
		arena_array(&pack->arena, json_object_size(object) + 1, sizeof(*pack->statements));
	if (!pack->statements) {
		return -ENOMEM;
	}
	json_object_foreach(object, key, value)
	{
		struct vendor_statement *statement = &pack->statements[pack->statement_count++];
		int kind = -1;
		int error = pack_take_choice(l, object, key, kinds, &kind);

		if (error) {
			return error;
		}
		statement->field = arena_copy(&pack->arena, span_text(key));
		statement->evidence = (enum vendor_evidence)(EVIDENCE_CAPTURE + kind);
		if (!statement->field.data) {
			return -ENOMEM;
		}
	}
	pack_leave(l, 0);
	return 0;
}

/* For the README's table and for whoever meets such a phone. */
static int take_people(struct pack_reader *l, json_t *root)
{
	struct vendor_pack *pack = l->pack;
	int error = pack_take_string(l, root, "discovered_by", false, &pack->discovered_by);

	error = error ? error
		      : pack_take_string(l, root, "identified_by", false, &pack->identified_by);
	return error ? error : pack_take_list(l, root, "quirks", &pack->quirks, &pack->quirk_count);
}

static int take_names(struct pack_reader *l, json_t *root)
{
	struct vendor_pack *pack = l->pack;
	json_t *schema = json_object_get(root, "schema");
	int error;

	if (!json_is_integer(schema) || json_integer_value(schema) != 1) {
		return pack_refuse_member(l, "schema", "must be 1");
	}
	error = pack_take_string(l, root, "name", true, &pack->name);
	if (!error && !device_vendor_is_legal(pack->name)) {
		return pack_refuse_member(l, "name", "must be at most 23 small letters and digits");
	}
	return error ? error : pack_take_string(l, root, "display_name", true, &pack->display_name);
}

static int take_pack(struct pack_reader *l, json_t *root)
{
	static const char *const known[] = {
		"schema",     "name",	"display_name", "discovered_by", "identified_by",
		"evidence",   "quirks", "recognise",	"files",	 "url",
		"answer",     "resync", "reboot",	"dhcp",		 "data",
		"parameters", NULL};
	json_t *data = json_object_get(root, "data");
	int error = pack_check_members(l, root, known);

	error = error ? error : take_names(l, root);
	error = error ? error : take_evidence(l, root);
	error = error ? error : take_recognise(l, root);
	error = error ? error : take_people(l, root);
	error = error ? error : pack_take_url(l, root);
	error = error ? error : pack_take_answer(l, root);
	error = error ? error : pack_take_orders(l, root);
	error = error ? error : pack_take_dhcp(l, root);
	error = error ? error : pack_take_parameters(l, root);
	if (!error && data && !json_is_object(data)) {
		error = pack_refuse_member(l, "data", "must be an object { }");
	}
	/* Last, because templates are the costly part. */
	error = error ? error : pack_take_files(l, root);
	if (!error) {
		l->pack->data = json_incref(data);
	}
	return error;
}

static int load(struct pack_reader *l)
{
	json_error_t mistake;
	json_t *root;
	int error = l->read(l->context, SPAN("pack.json"), &l->pack->arena, &l->text);

	if (error) {
		writer_text(&l->problem, "pack.json: cannot be read");
		return error;
	}
	if (l->text.length > pack_json_bytes_max) {
		writer_text(&l->problem, "pack.json: is larger than 1 MiB");
		return -EINVAL;
	}
	l->pack->text = l->text;
	root = json_loadb(l->text.data ? l->text.data : "", l->text.length, JSON_REJECT_DUPLICATES,
			  &mistake);
	if (!root) {
		writer_text(&l->problem, "pack.json:");
		writer_unsigned(&l->problem, mistake.line > 0 ? (unsigned)mistake.line : 1);
		writer_text(&l->problem, ": JSON: ");
		writer_escaped(&l->problem, span_text(mistake.text), sizeof(mistake.text));
		return -EINVAL;
	}
	error = take_pack(l, root);
	json_decref(root);
	return error;
}

int vendor_pack_load(struct vendor_pack **pack, vendor_read_fn *read, void *context, char *problem,
		     size_t problem_size)
{
	struct pack_reader l = {.read = read, .context = context};
	int error;

	l.problem = writer_over(problem, problem_size > 0 ? problem_size - 1 : 0);
	l.pack = calloc(1, sizeof(*l.pack));
	if (!l.pack) {
		return -ENOMEM;
	}
	arena_init(&l.pack->arena, pack_bytes_max);
	l.pack->form = FORM_RFC;
	l.pack->content_type = SPAN("application/url");
	l.pack->sip_port = sip_port_usual;
	l.pack->url_max = url_max_most;
	error = load(&l);
	if (problem_size > 0) {
		problem[l.problem.length] = '\0';
	}
	if (error) {
		vendor_pack_free(l.pack);
		return error;
	}
	*pack = l.pack;
	return 0;
}

static void free_patterns(struct vendor_patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++) {
		pcre2_code_free(patterns->items[i].code);
	}
}

void vendor_pack_free(struct vendor_pack *pack)
{
	if (!pack || pack->users > 0) {
		return;
	}
	free_patterns(&pack->sip_user_agent);
	free_patterns(&pack->http_user_agent);
	free_patterns(&pack->dhcp_class);
	free_patterns(&pack->event_vendor);
	free_patterns(&pack->event_model);
	for (size_t i = 0; i < pack->file_count; i++) {
		jinja_template_free(pack->files[i].template);
		free_patterns(&pack->files[i].match);
		pcre2_code_free(pack->files[i].named.code);
	}
	json_decref(pack->data);
	arena_free(&pack->arena);
	free(pack);
}
