/* SPDX-License-Identifier: MIT */
/*
 * Requests one after the other against one inventory, each "METHOD TARGET\nBODY\0", carried out as
 * the admin door would. An answer always has a status, and every refusal is JSON.
 */
#include "core/admin/api.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	(void)local;
	*server = (struct config_server){.address = address_ipv4(192, 0, 2, 1)};
}

static void carry_out(const struct api_context *api, struct inventory *inventory,
		      struct api_answer *answer)
{
	struct prepared prepared;
	char problem[512] = "";
	char *text = api_change_text(answer->change);
	int result =
		inventory_prepare(inventory, answer->change, &prepared, problem, sizeof(problem));

	free(text);
	if (result == 0) {
		inventory_commit(inventory, &prepared);
	}
	api_finish(api, answer, result, problem);
}

static void check(const struct api_answer *answer)
{
	json_t *json;

	if (answer->status < 200 || answer->status > 599) {
		abort();
	}
	if (answer->status >= 400) {
		json = json_loadb(answer->body.data, answer->body.length, 0, NULL);
		if (!json_object_get(json, "error") || !json_object_get(json, "what_to_do")) {
			abort();
		}
		json_decref(json);
	}
}

static void ask(const struct api_context *api, struct inventory *inventory, struct arena *arena,
		struct span text)
{
	struct span line = span_cut(&text, '\n');
	struct api_request request = {.method = span_cut(&line, ' ')};
	struct api_answer answer;

	request.target = line;
	if (api_body_of(request.method, span_cut(&line, '?'), arena) == API_BODY_JSON) {
		request.body = text;
	} else {
		request.upload_bytes = text.length;
	}
	api_handle(api, &request, arena, &answer);
	switch (answer.verdict) {
	case API_ANSWER:
	case API_EVENTS:
	case API_BACKUP:
	case API_RESTORE:
		break;
	case API_ORDER:
		api_finish(api, &answer, 0, "");
		break;
	case API_CHANGE:
	case API_UPLOAD:
	case API_FILE_REMOVE:
		carry_out(api, inventory, &answer);
		break;
	case API_LIST:
		while (api_list_step(api, &answer)) {
			continue;
		}
		break;
	}
	check(&answer);
	api_answer_free(&answer);
	arena_reset(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[random_seed_size] = {3};
	struct inventory_limits limits = {.devices_max = 8,
					  .new_devices_max = 8,
					  .profiles_max = 4,
					  .files_max = 4,
					  .unidentified_max = 50,
					  .forms_max = 8,
					  .rules_max = 4,
					  .pools_max = 4,
					  .pool_numbers_max = 100};
	struct api_facts facts = {.version = "0", .data = "/"};
	struct inventory inventory;
	struct api_context api = {.inventory = &inventory,
				  .facts = &facts,
				  .server_for = server_for};
	struct span rest = span_make((const char *)data, size);
	struct arena arena;

	json_object_seed(1);
	if (inventory_init(&inventory, &limits, seed) < 0) {
		abort();
	}
	arena_init(&arena, api_arena_bytes_max);
	for (unsigned i = 0; i < 16 && rest.data && rest.length > 0; i++) {
		ask(&api, &inventory, &arena, span_cut(&rest, '\0'));
	}
	arena_free(&arena);
	inventory_free(&inventory);
	return 0;
}
