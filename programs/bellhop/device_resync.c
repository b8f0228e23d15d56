/* SPDX-License-Identifier: MIT */
/* bellhop device resync, reboot: orders to phones, told beforehand and followed to their end. */
#include "core/base/mac.h"
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	poll_ms = 1000,
	single_max = 50,    /* so many are asked for one by one, more by pages of the list */
	devices_per_ms = 2, /* looking at a fleet costs the server: the bigger, the rarer */
};

/* Devices that an order is for, and what is not known of them yet. */
struct pursuit {
	const struct arguments *arguments;
	json_t *open;	   /* {MAC: true}: without an outcome */
	json_t *outcomes;  /* [{mac, resync, resync_status, resync_time}] */
	const char *since; /* when it was given */
	size_t count;
	size_t failed;
};

/* --- What is asked for. --- */

/* Says which word is none. */
static json_t *macs_of(const struct devices *devices)
{
	json_t *macs = json_array();

	for (size_t i = 0; i < devices->count; i++) {
		struct mac mac;

		if (mac_parse(span_text(devices->macs[i]), &mac) < 0 || !mac_is_device(mac)) {
			say_about(devices->macs[i]);
			say("that is not the MAC address of a device; it has 12 hexadecimal "
			    "digits");
			say_about(NULL);
			json_decref(macs);
			return NULL;
		}
		json_array_append_new(macs, json_string(devices->macs[i]));
	}
	return macs;
}

static int say_usage(void)
{
	say("say for whom: MACs, or - for a list on the standard input, or --profile PROFILE, or "
	    "--all");
	return EXIT_USAGE;
}

/* {"macs": …}, {"profile": …} or {"all": true}: EXIT_DONE and `*body`. */
static int selection_of(const struct arguments *arguments, json_t **body)
{
	const char *profile = argument(arguments, OPTION_PROFILE);
	bool is_all = argument(arguments, OPTION_ALL) != NULL;
	struct devices devices;
	json_t *macs = NULL;
	int result;

	if ((arguments->word_count > 0) + (profile != NULL) + is_all != 1) {
		return say_usage();
	}
	if (profile) {
		*body = json_pack("{s:s}", "profile", profile);
		return *body ? EXIT_DONE : fail("--profile is not UTF-8 text");
	}
	if (is_all) {
		*body = json_pack("{s:b}", "all", 1);
		return *body ? EXIT_DONE : fail("out of memory");
	}
	result = devices_read(arguments, &devices);
	if (result == EXIT_DONE) {
		macs = macs_of(&devices);
		*body = macs ? json_pack("{s:o}", "macs", macs) : NULL;
		result = *body ? EXIT_DONE : EXIT_FAILED;
	}
	devices_free(&devices);
	return result;
}

/* Those that were named and do not get it: how many. */
static size_t say_skipped(const json_t *reply)
{
	const json_t *skipped = json_object_get(reply, "skipped");
	const json_t *row;
	size_t i;

	json_array_foreach(skipped, i, row)
	{
		const char *why = json_string_value(json_object_get(row, "why"));

		say_about(json_string_value(json_object_get(row, "mac")));
		say("%s", why ? why : "");
		say_about(NULL);
	}
	return json_array_size(skipped);
}

/* --- A dry run. --- */

/* All pages of it in one array; NULL after saying why. `*skipped`: of the first page. */
static json_t *ask_plans(const struct arguments *arguments, const char *path, const json_t *body,
			 json_t **skipped)
{
	json_t *plans = json_array();
	json_t *asked = json_deep_copy(body);
	bool has_more = true;

	json_object_set_new(asked, "dry_run", json_true());
	*skipped = NULL;
	while (has_more) {
		json_t *page = NULL;

		if (client_ask(arguments, "POST", path, json_deep_copy(asked), &page) !=
		    EXIT_DONE) {
			json_decref(plans);
			json_decref(*skipped);
			plans = NULL;
			*skipped = NULL;
			break;
		}
		json_array_extend(plans, json_object_get(page, "devices"));
		if (!*skipped) {
			*skipped = json_incref(json_object_get(page, "skipped"));
		}
		has_more = json_is_string(json_object_get(page, "next"));
		json_object_set(asked, "after", json_object_get(page, "next"));
		json_decref(page);
	}
	json_decref(asked);
	return plans;
}

/* What stands in the last column: why not, or what else happens. */
static void add_remarks(json_t *plans)
{
	json_t *plan;
	size_t i;

	json_array_foreach(plans, i, plan)
	{
		const char *remark = json_string_value(json_object_get(plan, "why"));

		if (json_is_true(json_object_get(plan, "works"))) {
			bool reboots = json_is_true(json_object_get(plan, "reboots"));
			bool asks = json_is_true(json_object_get(plan, "credentials"));

			remark = reboots && asks ? "restarts; asks for credentials"
				 : reboots	 ? "restarts"
				 : asks		 ? "asks for credentials"
						 : "";
		}
		json_object_set_new(plan, "remark", json_string(remark ? remark : ""));
	}
}

static void print_plans(json_t *plans)
{
	static const struct column columns[] = {
		{"MAC", "mac", COLUMN_TEXT, 0},		{"VENDOR", "vendor", COLUMN_TEXT, 1},
		{"ADDRESS", "address", COLUMN_TEXT, 0}, {"EVENT", "event", COLUMN_TEXT, 0},
		{"REMARK", "remark", COLUMN_TEXT, 0},
	};

	add_remarks(plans);
	table_print(columns, sizeof(columns) / sizeof(columns[0]), plans);
}

/* Rows for those that do not get it. */
static void add_skipped(json_t *plans, const json_t *skipped)
{
	json_t *row;
	size_t i;

	json_array_foreach(skipped, i, row)
	{
		json_t *copy = json_deep_copy(row);

		json_object_set_new(copy, "works", json_false());
		json_array_append_new(plans, copy);
	}
}

static int dry_run(const struct arguments *arguments, const char *path, const json_t *body)
{
	json_t *skipped;
	json_t *plans = ask_plans(arguments, path, body, &skipped);
	int result = plans ? EXIT_DONE : EXIT_FAILED;

	if (plans) {
		add_skipped(plans, skipped);
		if (argument(arguments, OPTION_JSON)) {
			result = print_json(plans);
		} else {
			print_plans(plans);
		}
	}
	json_decref(skipped);
	json_decref(plans);
	return result;
}

/* --- Following it. --- */

static void show_progress(const struct pursuit *pursuit)
{
	size_t done = json_array_size(pursuit->outcomes);

	if (isatty(STDERR_FILENO) == 1 &&
	    (argument(pursuit->arguments, OPTION_JSON) || isatty(STDOUT_FILENO) != 1)) {
		fprintf(stderr, "\r%zu of %zu%s", done, pursuit->count,
			done == pursuit->count ? "\n" : "");
	}
}

static bool is_under_way(const char *state)
{
	return strcmp(state, "waiting") == 0 || strcmp(state, "sent") == 0 ||
	       strcmp(state, "acknowledged") == 0;
}

/* "00908f123456: refused (401)" */
static void take_outcome(struct pursuit *pursuit, const char *mac, const char *state,
			 json_int_t status, const char *when)
{
	bool is_done = strcmp(state, "done") == 0;

	pursuit->failed += !is_done;
	json_object_del(pursuit->open, mac);
	json_array_append_new(pursuit->outcomes,
			      json_pack("{s:s, s:s, s:I, s:s?}", "mac", mac, "resync", state,
					"resync_status", status, "resync_time", when));
	if (!argument(pursuit->arguments, OPTION_JSON)) {
		printf("%s: ", mac);
		(void)table_put(state);
		if (strcmp(state, "refused") == 0) {
			printf(" (%" JSON_INTEGER_FORMAT ")", status);
		}
		putchar('\n');
		fflush(stdout);
	}
	show_progress(pursuit);
}

/* What a device's record says; nothing when its order is still under way. */
static void look_at(struct pursuit *pursuit, const json_t *device)
{
	const char *mac = json_string_value(json_object_get(device, "mac"));
	const char *resync = json_string_value(json_object_get(device, "resync"));
	const char *when = json_string_value(json_object_get(device, "resync_time"));
	const char *state = json_string_value(json_object_get(device, "state"));
	json_int_t status = json_integer_value(json_object_get(device, "resync_status"));
	bool is_ours = when && strcmp(when, pursuit->since) >= 0;

	if (!mac || !resync || !json_object_get(pursuit->open, mac)) {
		return;
	}
	if (is_ours && !is_under_way(resync)) {
		take_outcome(pursuit, mac, resync, status, when);
	} else if (state && (strcmp(state, "blocked") == 0 || strcmp(state, "new") == 0)) {
		take_outcome(pursuit, mac, "interrupted", 0, NULL);
	}
}

static int look_at_one(struct pursuit *pursuit, const char *mac)
{
	char *path = device_path(mac, "");
	json_t *reply = NULL;
	int result = path ? client_try(pursuit->arguments, "GET", path, NULL, &reply) : EXIT_FAILED;

	if (result == EXIT_DONE) {
		look_at(pursuit, reply);
	} else if (reply) {
		/* Removed. */
		take_outcome(pursuit, mac, "interrupted", 0, NULL);
		result = EXIT_DONE;
	}
	json_decref(reply);
	free(path);
	return result;
}

static int look_one_by_one(struct pursuit *pursuit)
{
	json_t *open = json_copy(pursuit->open); /* what is over leaves the other */
	const char *mac;
	json_t *value;
	int result = EXIT_DONE;

	json_object_foreach(open, mac, value)
	{
		if (result == EXIT_DONE) {
			result = look_at_one(pursuit, mac);
		}
	}
	json_decref(open);
	return result;
}

/* Who is on no page was removed. */
static void take_missing(struct pursuit *pursuit, json_t *unseen)
{
	const char *mac;
	json_t *value;

	json_object_foreach(unseen, mac, value)
	{
		if (json_object_get(pursuit->open, mac)) {
			take_outcome(pursuit, mac, "interrupted", 0, NULL);
		}
	}
}

static int look_at_pages(struct pursuit *pursuit)
{
	json_t *unseen = json_copy(pursuit->open);
	char path[64] = "/api/v1/devices";
	bool has_more = true;
	int result = EXIT_DONE;

	while (has_more && result == EXIT_DONE) {
		json_t *page = NULL;
		const json_t *device;
		const char *next;
		size_t i;

		result = client_ask(pursuit->arguments, "GET", path, NULL, &page);
		json_array_foreach(json_object_get(page, "devices"), i, device)
		{
			const char *mac = json_string_value(json_object_get(device, "mac"));

			look_at(pursuit, device);
			if (mac) {
				json_object_del(unseen, mac);
			}
		}
		next = json_string_value(json_object_get(page, "next"));
		has_more = next != NULL;
		snprintf(path, sizeof(path), "/api/v1/devices?after=%.20s", next ? next : "");
		json_decref(page);
	}
	if (result == EXIT_DONE) {
		take_missing(pursuit, unseen);
	}
	json_decref(unseen);
	return result;
}

static int follow(struct pursuit *pursuit)
{
	size_t left;
	int result = EXIT_DONE;

	show_progress(pursuit);
	while (result == EXIT_DONE && (left = json_object_size(pursuit->open)) > 0) {
		size_t wait_ms = left / devices_per_ms;

		poll(NULL, 0, left <= single_max || wait_ms < poll_ms ? poll_ms : (int)wait_ms);
		result = left <= single_max ? look_one_by_one(pursuit) : look_at_pages(pursuit);
	}
	return result;
}

/* The MACs of a dry run: exactly those are ordered, and followed. */
static int name_all(struct pursuit *pursuit, const json_t *plans, json_t **body)
{
	json_t *macs = json_array();
	const json_t *plan;
	size_t i;

	json_array_foreach(plans, i, plan)
	{
		json_t *mac = json_object_get(plan, "mac");

		json_array_append(macs, mac);
		json_object_set_new(pursuit->open, json_string_value(mac), json_true());
	}
	pursuit->count = json_array_size(macs);
	*body = json_pack("{s:o}", "macs", macs);
	return *body ? EXIT_DONE : fail("out of memory");
}

/* Who was skipped after all, between the dry run and the order, has no outcome to wait for. */
static void drop_skipped(struct pursuit *pursuit, const json_t *reply)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(reply, "skipped"), i, row)
	{
		const char *mac = json_string_value(json_object_get(row, "mac"));

		if (mac && json_object_get(pursuit->open, mac)) {
			take_outcome(pursuit, mac, "interrupted", 0, NULL);
		}
	}
}

static int order_and_follow(struct pursuit *pursuit, const char *path, const json_t *plans)
{
	json_t *body = NULL;
	json_t *reply = NULL;
	int result = name_all(pursuit, plans, &body);

	if (result == EXIT_DONE && pursuit->count > 0) {
		result = client_ask(pursuit->arguments, "POST", path, body, &reply);
		pursuit->since = json_string_value(json_object_get(reply, "time"));
		if (result == EXIT_DONE && !pursuit->since) {
			result = fail("the server's answer is not that to an order; is that a "
				      "bellhopd?");
		}
		if (result == EXIT_DONE) {
			drop_skipped(pursuit, reply);
			result = follow(pursuit);
		}
	} else {
		json_decref(body);
	}
	if (argument(pursuit->arguments, OPTION_JSON) && result == EXIT_DONE) {
		result = print_json(pursuit->outcomes);
	}
	json_decref(reply);
	return result;
}

static int order_and_wait(const struct arguments *arguments, const char *path, const json_t *body)
{
	struct pursuit pursuit = {.arguments = arguments,
				  .open = json_object(),
				  .outcomes = json_array(),
				  .since = ""};
	json_t *first = NULL;
	json_t *skipped;
	json_t *plans = ask_plans(arguments, path, body, &skipped);
	int result = EXIT_FAILED;

	if (plans) {
		first = json_pack("{s:O?}", "skipped", skipped);
		pursuit.failed = say_skipped(first);
		result = order_and_follow(&pursuit, path, plans);
	}
	if (result == EXIT_DONE && pursuit.failed > 0) {
		result = EXIT_FAILED;
	}
	json_decref(first);
	json_decref(skipped);
	json_decref(plans);
	json_decref(pursuit.open);
	json_decref(pursuit.outcomes);
	return result;
}

/* --- Giving it. --- */

static int order(const struct arguments *arguments, const char *path, json_t *body)
{
	json_t *reply = NULL;
	int result = client_ask(arguments, "POST", path, json_incref(body), &reply);

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		printf("%" JSON_INTEGER_FORMAT " accepted\n",
		       json_integer_value(json_object_get(reply, "accepted")));
	}
	if (say_skipped(reply) > 0) {
		result = EXIT_FAILED;
	}
	json_decref(reply);
	return result;
}

static int run(const struct arguments *arguments, const char *path)
{
	json_t *body = NULL;
	int result = selection_of(arguments, &body);

	if (result == EXIT_DONE && argument(arguments, OPTION_DRY_RUN)) {
		result = dry_run(arguments, path, body);
	} else if (result == EXIT_DONE && argument(arguments, OPTION_WAIT)) {
		result = order_and_wait(arguments, path, body);
	} else if (result == EXIT_DONE) {
		result = order(arguments, path, body);
	}
	json_decref(body);
	return result;
}

int run_device_resync(const struct arguments *arguments)
{
	return run(arguments, "/api/v1/resync");
}

int run_device_reboot(const struct arguments *arguments)
{
	return run(arguments, "/api/v1/reboot");
}
