/* SPDX-License-Identifier: MIT */
/* bellhop pack …: what is known of each maker, and whether a pack of one's own is right. */
#include "io/packs.h"
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

/* --- list --- */

int run_pack_list(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{.title = "NAME", .member = "name"},
		{.title = "MAKER", .member = "display_name", .spare = 2},
		{.title = "FROM", .member = "origin", .spare = 3},
		{.title = "DISCOVERED BY", .member = "discovered_by"},
		{.title = "IDENTIFIED BY", .member = "identified_by", .spare = 1},
	};

	return print_list(arguments, "/api/v1/packs", "packs", columns,
			  sizeof(columns) / sizeof(columns[0]));
}

/* --- show --- */

/* " [capture]": what the pack says of that field, else of what it stands in. */
static void put_evidence(const json_t *pack, const char *field)
{
	const json_t *evidence = json_object_get(pack, "evidence");
	char name[128];
	char *dot;

	snprintf(name, sizeof(name), "%s", field);
	while (!json_object_get(evidence, name) && (dot = strrchr(name, '.'))) {
		*dot = '\0';
	}
	if (json_object_get(evidence, name)) {
		printf(" [");
		(void)table_put(text_of(evidence, name));
		putchar(']');
	}
	putchar('\n');
}

static void put_line(const json_t *pack, const char *title, const char *text, const char *field)
{
	if (!*text) {
		return;
	}
	printf("  %-17s ", title);
	(void)table_put(text);
	put_evidence(pack, field);
}

/* One line each, the first with the name of the field. */
static void put_list(const json_t *pack, const char *name)
{
	const json_t *list = json_object_get(json_object_get(pack, "recognise"), name);
	const json_t *item;
	char field[64];
	size_t i;

	snprintf(field, sizeof(field), "recognise.%s", name);
	json_array_foreach(list, i, item)
	{
		put_line(pack, i == 0 ? name : "", json_string_value(item), field);
	}
}

/* All in one line: there may be dozens. */
static void put_ouis(const json_t *pack)
{
	const json_t *list = json_object_get(json_object_get(pack, "recognise"), "oui");
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		printf(i == 0 ? "  %-17s " : " ", "oui");
		(void)table_put(json_string_value(item));
	}
	if (json_array_size(list) > 0) {
		put_evidence(pack, "recognise.oui");
	}
}

static void put_recognise(const json_t *pack)
{
	printf("recognised by\n");
	put_ouis(pack);
	put_list(pack, "sip_user_agent");
	put_list(pack, "http_user_agent");
	put_list(pack, "dhcp_class");
	put_list(pack, "event_vendor");
	put_list(pack, "event_model");
}

static const char *whose(const json_t *file)
{
	const char *identity = text_of(file, "identity");

	return strcmp(identity, "mac") == 0	? "one phone's"
	       : strcmp(identity, "model") == 0 ? "a model's"
						: "all phones'";
}

static void put_files(const json_t *pack)
{
	const json_t *files = json_object_get(pack, "files");
	const json_t *file;
	size_t i;

	printf("files");
	put_evidence(pack, "files");
	json_array_foreach(files, i, file)
	{
		const json_t *match = json_object_get(file, "match");
		const json_t *item;
		size_t j;

		printf("  ");
		(void)table_put(text_of(file, "name"));
		printf("  %s %s", whose(file), text_of(file, "kind"));
		if (*text_of(file, "template")) {
			printf(", by ");
			(void)table_put(text_of(file, "template"));
		}
		printf("%s%s\n", json_is_true(json_object_get(file, "secrets")) ? ", secrets" : "",
		       json_is_true(json_object_get(file, "essential")) ? ", essential" : "");
		json_array_foreach(match, j, item)
		{
			printf("    also ");
			(void)table_put(json_string_value(item));
			putchar('\n');
		}
	}
}

static void put_url(const json_t *pack)
{
	const json_t *url = json_object_get(pack, "url");
	const json_t *shape;
	size_t i;

	printf("url, at most %lld bytes",
	       (long long)json_integer_value(json_object_get(url, "max")));
	put_evidence(pack, "url.max");
	json_array_foreach(json_object_get(url, "shapes"), i, shape)
	{
		put_line(pack, text_of(shape, "name"), text_of(shape, "shape"), "url.shapes");
		put_line(pack, "  without model", text_of(shape, "without_model"), "url.shapes");
	}
}

static void put_answer(const json_t *pack)
{
	json_t *answer = json_object_get(pack, "answer");
	json_t *headers = json_object_get(answer, "headers");
	char number[table_number_size];
	const char *name;
	json_t *value;

	printf("answer\n");
	json_object_foreach(answer, name, value)
	{
		char field[64];

		snprintf(field, sizeof(field), "answer.%s", name);
		put_line(pack, name, table_text(value, number), field);
	}
	json_object_foreach(headers, name, value)
	{
		put_line(pack, name, json_string_value(value), "answer.headers");
	}
}

static void put_order(const json_t *pack, const char *title)
{
	static const char *const flags[][2] = {{"reboots", "it restarts"},
					       {"needs_account",
						"at a registered account's address only"},
					       {"asks_credentials",
						"it asks for the line's password"}};
	const json_t *order = json_object_get(pack, title);
	char field[64];

	if (!json_is_object(order)) {
		put_line(pack, title, "cannot be told", title);
		return;
	}
	snprintf(field, sizeof(field), "%s.event", title);
	put_line(pack, title, text_of(order, "event"), field);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		snprintf(field, sizeof(field), "%s.%s", title, flags[i][0]);
		if (json_is_true(json_object_get(order, flags[i][0]))) {
			put_line(pack, "", flags[i][1], field);
		}
	}
}

static void put_quirks(const json_t *pack)
{
	const json_t *quirks = json_object_get(pack, "quirks");
	const json_t *quirk;
	size_t i;

	if (json_array_size(quirks) > 0) {
		printf("quirks");
		put_evidence(pack, "quirks");
	}
	json_array_foreach(quirks, i, quirk)
	{
		printf("  - ");
		(void)table_put(json_string_value(quirk));
		putchar('\n');
	}
}

static void put_pack(json_t *pack)
{
	static const struct column rows[] = {
		{.title = "name", .member = "name"},
		{.title = "maker", .member = "display_name"},
		{.title = "from", .member = "origin"},
		{.title = "folder", .member = "folder"},
		{.title = "discovered by", .member = "discovered_by"},
		{.title = "identified by", .member = "identified_by"},
	};

	table_print_object(rows, sizeof(rows) / sizeof(rows[0]), pack);
	put_recognise(pack);
	put_files(pack);
	put_url(pack);
	put_answer(pack);
	printf("orders\n");
	put_order(pack, "resync");
	put_order(pack, "reboot");
	put_quirks(pack);
}

int run_pack_show(const struct arguments *arguments)
{
	static const char start[] = "/api/v1/packs/";
	struct text path = {.data = NULL};
	json_t *reply = NULL;
	int result;

	if (text_add(&path, start, sizeof(start) - 1) < 0 ||
	    text_add_encoded(&path, arguments->words[0], false) < 0) {
		free(path.data);
		return fail("out of memory");
	}
	result = client_ask(arguments, "GET", path.data, NULL, &reply);
	free(path.data);
	return print_reply(arguments, result, reply, put_pack);
}

/* --- check: no server is asked --- */

/*
 * The packs that come with Bellhop; without them, or when `checked` is one of them, only the pack
 * itself is looked at.
 */
static void load_shipped(struct vendors *vendors, const char *checked)
{
	char folder[packs_path_max];
	struct packs_source source = {.folder = folder, .origin = VENDOR_SHIPPED};
	char *shipped;
	char *own;

	if (packs_find_folder(folder) != 0) {
		return;
	}
	shipped = realpath(folder, NULL);
	own = realpath(checked, NULL);
	if (shipped && own && strncmp(own, shipped, strlen(shipped)) != 0) {
		(void)packs_load(&source, vendors);
	}
	free(shipped);
	free(own);
}

/* What an operator may want to know of a pack that is right. */
static int add_notes(const struct vendors *shipped, const struct vendor_pack *pack, json_t *notes)
{
	int failed = 0;

	if (vendor_find(shipped, pack->name)) {
		failed |= json_array_append_new(
			notes, json_string("it takes the place of the shipped pack of its name"));
	}
	for (size_t i = 0; i < pack->oui_count; i++) {
		struct span oui = pack->oui[i];

		for (size_t j = 0; j < shipped->count; j++) {
			const struct vendor_pack *other = shipped->packs[j];

			for (size_t k = 0; k < other->oui_count; k++) {
				if (!span_equal(other->name, pack->name) &&
				    span_equal(other->oui[k], oui)) {
					failed |= json_array_append_new(
						notes,
						json_sprintf("it takes the OUI %.*s from the "
							     "shipped pack %.*s",
							     (int)oui.length, oui.data,
							     (int)other->name.length,
							     other->name.data));
				}
			}
		}
	}
	return failed;
}

static int tell(const struct arguments *arguments, const char *folder,
		const struct vendor_pack *pack, json_t *notes)
{
	const json_t *note;
	size_t i;

	if (argument(arguments, OPTION_JSON)) {
		json_t *json = json_pack("{s:s%, s:s, s:i, s:O}", "name", pack->name.data,
					 pack->name.length, "folder", folder, "files",
					 (int)pack->file_count, "notes", notes);
		int result = json ? print_json(json) : fail("out of memory");

		json_decref(json);
		return result;
	}
	printf("%.*s: the pack is good; %zu files\n", (int)pack->name.length, pack->name.data,
	       pack->file_count);
	json_array_foreach(notes, i, note)
	{
		printf("  ");
		(void)table_put(json_string_value(note));
		putchar('\n');
	}
	return EXIT_DONE;
}

int run_pack_check(const struct arguments *arguments)
{
	const char *folder = arguments->words[0];
	struct vendors shipped = {0};
	struct vendor_pack *pack = NULL;
	json_t *notes = json_array();
	char problem[512];
	int error = packs_check(folder, &pack, problem, sizeof(problem));
	int result;

	if (error != 0) {
		json_decref(notes);
		return fail("%s/%s%s", folder, problem,
			    error == -EINVAL ? "; see doc/vendor-packs.md" : "");
	}
	load_shipped(&shipped, folder);
	result = !notes || add_notes(&shipped, pack, notes) != 0
			 ? fail("out of memory")
			 : tell(arguments, folder, pack, notes);
	json_decref(notes);
	vendor_pack_free(pack);
	vendors_free(&shipped);
	return result;
}
