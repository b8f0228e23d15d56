/* SPDX-License-Identifier: MIT */
/* bellhop form … */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <stdlib.h>
#include <string.h>

static const char forms_path[] = "/api/v1/forms";

/* No form is suspected where the API says `default`. */
static void leave_out_no_suspects(const json_t *forms)
{
	json_t *form;
	size_t i;

	json_array_foreach(forms, i, form)
	{
		const char *suspect = json_string_value(json_object_get(form, "suspect_form"));

		if (suspect && strcmp(suspect, "default") == 0) {
			json_object_set_new(form, "suspect_form", json_string(""));
		}
	}
}

int run_form_list(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{"VENDOR", "vendor", COLUMN_TEXT, 0},
		{"MODEL", "model", COLUMN_TEXT, 0},
		{"FIRMWARE", "firmware", COLUMN_TEXT, 0},
		{"FORM", "form", COLUMN_TEXT, 0},
		{"SHAPE", "shape", COLUMN_TEXT, 0},
		{"PINNED", "pinned", COLUMN_TEXT, 0},
		{"ANSWERED", "answered", COLUMN_TEXT, 3},
		{"FETCHED", "fetched", COLUMN_TEXT, 0},
		{"FAILED", "failed", COLUMN_TEXT, 2},
		{"SUSPECT", "suspect_form", COLUMN_TEXT, 1},
	};
	json_t *reply = NULL;
	int result = client_ask(arguments, "GET", forms_path, NULL, &reply);
	const json_t *forms = json_object_get(reply, "forms");

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(forms);
	} else if (result == EXIT_DONE) {
		leave_out_no_suspects(forms);
		table_print(columns, sizeof(columns) / sizeof(columns[0]), forms);
	}
	json_decref(reply);
	return result;
}

static void print_kind(const char *what, const struct arguments *arguments)
{
	fputs(what, stdout);
	for (size_t i = 0; i < arguments->word_count && i < 3; i++) {
		putchar(' ');
		(void)table_put_to(stdout, *arguments->words[i] ? arguments->words[i] : "\"\"");
	}
}

int run_form_pin(const struct arguments *arguments)
{
	const char *shape = argument(arguments, OPTION_SHAPE);
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s?}", "vendor", arguments->words[0],
				 "model", arguments->words[1], "firmware", arguments->words[2],
				 "form", arguments->words[3], "shape", shape);
	json_t *reply = NULL;
	int result;

	if (!body) {
		return fail("what was given is not UTF-8 text");
	}
	result = client_ask(arguments, "PUT", forms_path, body, &reply);
	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		print_kind("pinned", arguments);
		printf(": form %s%s%s\n", arguments->words[3], shape ? ", shape " : "",
		       shape ? shape : "");
	}
	json_decref(reply);
	return result;
}

int run_form_forget(const struct arguments *arguments)
{
	static const char *const names[] = {"vendor", "model", "firmware"};
	struct text path = {.data = NULL};
	json_t *reply = NULL;
	int result = text_add(&path, forms_path, sizeof(forms_path) - 1);

	for (size_t i = 0; i < arguments->word_count && result == 0; i++) {
		result = text_add_parameter(&path, names[i], arguments->words[i]);
	}
	result = result < 0 ? fail("out of memory")
			    : client_ask(arguments, "DELETE", path.data, NULL, &reply);
	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		print_kind("forgotten:", arguments);
		putchar('\n');
	}
	json_decref(reply);
	free(path.data);
	return result;
}
