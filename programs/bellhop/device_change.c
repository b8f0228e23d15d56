/* SPDX-License-Identifier: MIT */
/* bellhop device add, set, claim, block, unblock, remove: of one device, or of a list. */
#include "core/base/mac.h"
#include "programs/bellhop/client.h"
#include "programs/bellhop/options.h"
#include "programs/bellhop/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is asked for each device. */
struct wish {
	const char *method;
	const char *rest;   /* of the path, behind the MAC */
	const json_t *body; /* NULL: none */
	bool is_addition;   /* the MAC is a member of the body, and not in the path */
};

/* The members that edit a device, from options; NULL after saying why. */
static json_t *edits_from_arguments(const struct arguments *arguments)
{
	static const struct {
		uint64_t option;
		const char *member;
	} members[] = {
		{OPTION_VENDOR, "vendor"},	 {OPTION_MODEL, "model"},
		{OPTION_PROFILE, "profile"},	 {OPTION_LABEL, "label"},
		{OPTION_ADDRESS, "address"},	 {OPTION_INTERFACE, "interface"},
		{OPTION_FORM, "form"},		 {OPTION_POOL, "pool"},
		{OPTION_EXTENSION, "extension"},
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

/* ", extension 204" */
static void print_number(const json_t *reply)
{
	const char *extension = json_string_value(json_object_get(reply, "extension"));

	if (extension && *extension) {
		printf(", extension ");
		(void)table_put(extension);
	}
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
		print_number(reply);
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

/* The path and the body for one device: 0, -EINVAL it is no MAC address, or -ENOMEM. */
static int spell(const struct wish *wish, const char *mac, char **path, json_t **body)
{
	json_t *copy = wish->body ? json_deep_copy(wish->body) : NULL;

	if (wish->is_addition && json_object_set_new(copy, "mac", json_string(mac)) < 0) {
		json_decref(copy);
		return -EINVAL;
	}
	*path = wish->is_addition ? strdup("/api/v1/devices") : device_path(mac, wish->rest);
	if (!*path) {
		json_decref(copy);
		return -ENOMEM;
	}
	*body = copy;
	return 0;
}

static const char no_mac[] =
	"that is not the MAC address of a device; it has 12 hexadecimal digits";

/* --- One device. --- */

static int change_one(const struct arguments *arguments, const struct wish *wish, const char *mac)
{
	json_t *reply = NULL;
	json_t *body = NULL;
	char *path = NULL;
	int result = spell(wish, mac, &path, &body);

	if (result < 0) {
		return fail("%s", result == -EINVAL ? no_mac : "out of memory");
	}
	result = client_try(arguments, wish->method, path, body, &reply);
	free(path);
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

/*
 * --- A list of them: each for itself, and what fails does not keep the others. ---
 *
 * The server writes what many ask at once together; so some are under way at once, in a window that
 * moves along the list, and what came of them is told in the order of the list.
 */

struct entry {
	struct client_answer answer;
	const char *why; /* it was not asked; or NULL */
	struct mac mac;
	bool has_mac;
	bool is_answered;
};

struct list {
	const struct arguments *arguments;
	const struct wish *wish;
	const struct devices *devices;
	struct client_batch *batch;
	struct entry window[client_batch_max]; /* by number, modulo its size */
	size_t started;
	size_t told;
	size_t failed;
	bool is_lost; /* the server is not there: it will not be for the next one */
	json_t *replies;
};

static struct entry *entry_of(struct list *list, size_t number)
{
	return &list->window[number % client_batch_max];
}

/* Where nothing else shows how far it is. */
static void show_progress(const struct arguments *arguments, size_t done, size_t count)
{
	if (isatty(STDERR_FILENO) == 1 &&
	    (argument(arguments, OPTION_JSON) || isatty(STDOUT_FILENO) != 1)) {
		fprintf(stderr, "\r%zu of %zu%s", done, count, done == count ? "\n" : "");
	}
}

/* A device that stands twice in the list is changed in its order: the second time waits. */
static bool is_under_way(struct list *list, const struct mac *mac)
{
	for (size_t i = list->told; i < list->started; i++) {
		const struct entry *entry = entry_of(list, i);

		if (!entry->is_answered && entry->has_mac && mac_equal(entry->mac, *mac)) {
			return true;
		}
	}
	return false;
}

/* False: it has to wait for others. */
static bool start_next(struct list *list)
{
	const char *text = list->devices->macs[list->started];
	struct entry *entry = entry_of(list, list->started);
	json_t *body = NULL;
	char *path = NULL;
	int result;

	*entry = (struct entry){.answer = {.result = EXIT_FAILED}};
	entry->has_mac = mac_parse(span_text(text), &entry->mac) == 0;
	if (entry->has_mac && is_under_way(list, &entry->mac)) {
		return false;
	}
	result = spell(list->wish, text, &path, &body);
	if (result == 0) {
		result = client_batch_start(list->batch, list->wish->method, path, body,
					    list->started);
	}
	if (result < 0) {
		entry->why = result == -EINVAL ? no_mac : "out of memory";
		entry->is_answered = true;
	}
	json_decref(body);
	free(path);
	list->started++;
	return true;
}

static void start_all(struct list *list)
{
	while (!list->is_lost && list->started < list->devices->count &&
	       list->started < list->told + client_batch_max &&
	       !client_batch_is_full(list->batch) && start_next(list)) {
		continue;
	}
}

static void take_answer(struct list *list)
{
	struct client_answer answer;
	struct entry *entry;

	client_batch_wait(list->batch, &answer);
	entry = entry_of(list, answer.number);
	entry->answer = answer;
	entry->is_answered = true;
	list->is_lost |= !answer.reply;
}

/* {"mac": …, "error": …, "what_to_do": …} for one that was refused. */
static void keep_reply(json_t *replies, json_t *reply, const char *mac, int result)
{
	if (result != EXIT_DONE) {
		json_object_set_new(reply, "mac", json_string(mac));
	}
	json_array_append(replies, reply);
}

/* What came of the next one of the list. */
static void tell_next(struct list *list)
{
	const char *mac = list->devices->macs[list->told];
	struct entry *entry = entry_of(list, list->told);
	struct client_answer *answer = &entry->answer;
	const char *why = answer->why ? answer->why : "out of memory";

	if (answer->result != EXIT_DONE) {
		list->failed++;
		say_about(mac);
		if (answer->reply) {
			client_say_refusal(answer->reply);
		} else {
			say("%s", entry->why ? entry->why : why);
		}
		say_about(NULL);
	} else if (!list->replies) {
		print_outcome(answer->reply);
	}
	if (list->replies && answer->reply) {
		keep_reply(list->replies, answer->reply, mac, answer->result);
	}
	client_answer_free(answer);
	list->told++;
	show_progress(list->arguments, list->told, list->devices->count);
}

static void run_list(struct list *list)
{
	size_t count = list->devices->count;

	for (;;) {
		start_all(list);
		if (list->told == list->started) {
			break;
		}
		if (entry_of(list, list->told)->is_answered) {
			tell_next(list);
		} else {
			take_answer(list);
		}
	}
	if (list->started < count) {
		list->failed += count - list->started;
		say_about(list->devices->macs[list->started]);
		say("not done, nor what comes after it in the list");
		say_about(NULL);
	}
}

static int change_list(const struct arguments *arguments, const struct wish *wish,
		       const struct devices *devices)
{
	struct list list = {.arguments = arguments, .wish = wish, .devices = devices};
	/* An address is one device's: the first of the list has it. */
	size_t at_once = argument(arguments, OPTION_ADDRESS) ? 1 : client_batch_max;

	if (client_batch_open(arguments, at_once, &list.batch) != EXIT_DONE) {
		list.is_lost = true;
	}
	list.replies = argument(arguments, OPTION_JSON) ? json_array() : NULL;
	run_list(&list);
	if (list.replies) {
		(void)print_json(list.replies);
	}
	json_decref(list.replies);
	if (list.batch) {
		client_batch_close(list.batch);
	}
	return list.failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

static int change(const struct arguments *arguments, const struct wish *wish)
{
	struct devices devices;
	int result = devices_read(arguments, &devices);

	if (result == EXIT_DONE) {
		result = devices.is_list ? change_list(arguments, wish, &devices)
					 : change_one(arguments, wish, devices.macs[0]);
	}
	devices_free(&devices);
	return result;
}

/* With what the options edit. */
static int change_with_edits(const struct arguments *arguments, struct wish wish)
{
	json_t *body = edits_from_arguments(arguments);
	int result = EXIT_FAILED;

	if (body) {
		wish.body = body;
		result = change(arguments, &wish);
	}
	json_decref(body);
	return result;
}

int run_device_add(const struct arguments *arguments)
{
	return change_with_edits(arguments, (struct wish){.method = "POST", .is_addition = true});
}

int run_device_set(const struct arguments *arguments)
{
	bool is_any = arguments->setting_count > 0;

	for (size_t i = 0; i < option_count; i++) {
		is_any |= arguments->values[i] && !((UINT64_C(1) << i) & OPTIONS_COMMON);
	}
	if (!is_any) {
		say("nothing to set; name at least one option, see `bellhop help device set`");
		return EXIT_USAGE;
	}
	return change_with_edits(arguments, (struct wish){.method = "PATCH", .rest = ""});
}

int run_device_claim(const struct arguments *arguments)
{
	return change_with_edits(arguments, (struct wish){.method = "POST", .rest = "/claim"});
}

int run_device_block(const struct arguments *arguments)
{
	return change(arguments, &(struct wish){.method = "POST", .rest = "/block"});
}

int run_device_unblock(const struct arguments *arguments)
{
	return change(arguments, &(struct wish){.method = "POST", .rest = "/unblock"});
}

int run_device_remove(const struct arguments *arguments)
{
	return change(arguments, &(struct wish){.method = "DELETE", .rest = ""});
}
