/* SPDX-License-Identifier: MIT */
/* The database as a whole: backup and restore. */
#include "core/admin/api_internal.h"

void api_database_get(struct call *call)
{
	call->answer->verdict = API_BACKUP;
	call->answer->status = 200;
}

void api_database_put(struct call *call)
{
	if (call->request->upload_bytes == 0) {
		call_fail(call, 400, "the body is empty",
			  "send a file that GET /api/v1/database gave");
		return;
	}
	call->answer->verdict = API_RESTORE;
	call->answer->status = 200;
}

void api_finish_restore(struct api_answer *answer, int result, const char *problem,
			const struct api_restored *restored)
{
	json_t *json;
	int failed = 0;

	if (result < 0) {
		api_answer_problem(answer, result, problem);
		return;
	}
	json = json_object();
	failed |= api_json_set(json, "devices", json_integer((json_int_t)restored->devices));
	failed |= api_json_set(json, "profiles", json_integer((json_int_t)restored->profiles));
	failed |= api_json_set(json, "schema", json_integer((json_int_t)restored->schema));
	failed |= api_json_set(json, "bytes", json_integer((json_int_t)restored->bytes));
	failed |= api_json_set(json, "stale", json_integer((json_int_t)restored->stale));
	failed |= api_json_set(json, "kept", api_json_string(restored->kept));
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	api_answer_json(answer, 200, json);
}
