/* SPDX-License-Identifier: MIT */
/* bellhop device add, set, claim, block, unblock, remove: of one device, or of a list. */
#include "programs/bellhop/client.h"
#include "programs/bellhop/options.h"
#include "programs/bellhop/print.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is asked for each device. */
struct request {
	const char *method;
	const char *rest;   /* of the path, behind the MAC */
	const json_t *body; /* NULL: none */
	bool is_addition;   /* the MAC is a member of the body, and not in the path */
};

/* The members that edit a device, from options; NULL after saying why. */
static json_t *edits_from_arguments(const struct arguments *arguments)
{
	static const struct {
		enum option_bit option;
		const char *member;
	} members[] = {
		{OPTION_VENDOR, "vendor"},   {OPTION_MODEL, "model"},
		{OPTION_PROFILE, "profile"}, {OPTION_LABEL, "label"},
		{OPTION_ADDRESS, "address"}, {OPTION_INTERFACE, "interface"},
		{OPTION_FORM, "form"},
	};
	json_t *settings = settings_from_arguments(arguments);
	json_t *body = settings ? json_object() : NULL;

	if (!body) {
		json_decref(settings);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *value = argument(arguments, members[i].option);

		if (value && json_object_set_new(body, members[i].member, json_string(value)) < 0) {
			say("--%s is not UTF-8 text", option_name(members[i].option));
			json_decref(settings);
			json_decref(body);
			return NULL;
		}
	}
	if (json_object_size(settings) > 0) {
		json_object_set_new(body, "settings", settings);
	} else {
		json_decref(settings);
	}
	return body;
}

/* "00908f123456 is claimed"; "removed 00908f123456 (claimed, 440HD, Reception)". */
static void print_outcome(const json_t *reply)
{
	static const char *const members[] = {"state", "model", "label"};
	const char *removed = json_string_value(json_object_get(reply, "removed"));
	const char *before = " (";
	char number[table_number_size];

	if (!removed) {
		(void)table_put(table_text(json_object_get(reply, "mac"), number));
		printf(" is ");
		(void)table_put(table_text(json_object_get(reply, "state"), number));
		putchar('\n');
		return;
	}
	printf("removed %s", removed);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = table_text(json_object_get(reply, members[i]), number);

		if (*text) {
			printf("%s", before);
			(void)table_put(text);
			before = ", ";
		}
	}
	printf("%s\n", *before == ',' ? ")" : "");
}

/* As client_try. */
static int ask(const struct arguments *arguments, const struct request *request, const char *mac,
	       json_t **reply)
{
	json_t *body = request->body ? json_deep_copy(request->body) : NULL;
	char *path =
		request->is_addition ? strdup("/api/v1/devices") : device_path(mac, request->rest);
	int result;

	if (request->is_addition && json_object_set_new(body, "mac", json_string(mac)) < 0) {
		say("%s is not the MAC address of a device", mac);
		json_decref(body);
		free(path);
		return EXIT_FAILED;
	}
	if (!path) {
		json_decref(body);
		return EXIT_FAILED;
	}
	result = client_try(arguments, request->method, path, body, reply);
	free(path);
	return result;
}

/* --- One device. --- */

static int change_one(const struct arguments *arguments, const struct request *request,
		      const char *mac)
{
	json_t *reply = NULL;
	int result = ask(arguments, request, mac, &reply);

	if (result != EXIT_DONE) {
		if (reply) {
			client_say_refusal(reply);
		}
	} else if (argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else {
		print_outcome(reply);
	}
	json_decref(reply);
	return result;
}

/* --- A list of them: each for itself, and what fails does not keep the others. --- */

/* Where nothing else shows how far it is. */
static void show_progress(const struct arguments *arguments, size_t done, size_t count)
{
	if (isatty(STDERR_FILENO) == 1 &&
	    (argument(arguments, OPTION_JSON) || isatty(STDOUT_FILENO) != 1)) {
		fprintf(stderr, "\r%zu of %zu%s", done, count, done == count ? "\n" : "");
	}
}

/* {"mac": …, "error": …, "what_to_do": …} for one that was refused. */
static void keep_reply(json_t *replies, json_t *reply, const char *mac, int result)
{
	if (result != EXIT_DONE) {
		json_object_set_new(reply, "mac", json_string(mac));
	}
	json_array_append(replies, reply);
}

static int change_list(const struct arguments *arguments, const struct request *request,
		       const struct devices *devices)
{
	bool is_json = argument(arguments, OPTION_JSON) != NULL;
	json_t *replies = json_array();
	size_t failed = 0;
	int result = EXIT_DONE;

	for (size_t i = 0; i < devices->count; i++) {
		json_t *reply = NULL;

		result = ask(arguments, request, devices->macs[i], &reply);
		if (result != EXIT_DONE) {
			failed++;
			say_about(devices->macs[i]);
			if (!reply) {
				/* The server is not there: it will not be for the next one. */
				say("not done, nor what comes after it in the list");
				say_about(NULL);
				break;
			}
			client_say_refusal(reply);
			say_about(NULL);
		} else if (!is_json) {
			print_outcome(reply);
		}
		keep_reply(replies, reply, devices->macs[i], result);
		json_decref(reply);
		show_progress(arguments, i + 1, devices->count);
	}
	if (is_json) {
		(void)print_json(replies);
	}
	json_decref(replies);
	return failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

static int change(const struct arguments *arguments, const struct request *request)
{
	struct devices devices;
	int result = devices_read(arguments, &devices);

	if (result == EXIT_DONE) {
		result = devices.is_list ? change_list(arguments, request, &devices)
					 : change_one(arguments, request, devices.macs[0]);
	}
	devices_free(&devices);
	return result;
}

/* With what the options edit. */
static int change_with_edits(const struct arguments *arguments, struct request request)
{
	json_t *body = edits_from_arguments(arguments);
	int result = EXIT_FAILED;

	if (body) {
		request.body = body;
		result = change(arguments, &request);
	}
	json_decref(body);
	return result;
}

int run_device_add(const struct arguments *arguments)
{
	return change_with_edits(arguments,
				 (struct request){.method = "POST", .is_addition = true});
}

int run_device_set(const struct arguments *arguments)
{
	bool is_any = arguments->setting_count > 0;

	for (size_t i = 0; i < option_count; i++) {
		is_any |= arguments->values[i] && !((1u << i) & OPTIONS_COMMON);
	}
	if (!is_any) {
		say("nothing to set; name at least one option, see `bellhop help device set`");
		return EXIT_USAGE;
	}
	return change_with_edits(arguments, (struct request){.method = "PATCH", .rest = ""});
}

int run_device_claim(const struct arguments *arguments)
{
	return change_with_edits(arguments, (struct request){.method = "POST", .rest = "/claim"});
}

int run_device_block(const struct arguments *arguments)
{
	return change(arguments, &(struct request){.method = "POST", .rest = "/block"});
}

int run_device_unblock(const struct arguments *arguments)
{
	return change(arguments, &(struct request){.method = "POST", .rest = "/unblock"});
}

int run_device_remove(const struct arguments *arguments)
{
	return change(arguments, &(struct request){.method = "DELETE", .rest = ""});
}
