/* SPDX-License-Identifier: MIT */
/*
 * The admin API, /api/v1/: from a request to what is to be done about it. Nothing here acts: an
 * answer is bytes, a change to post to the store, a file to put below DATA/files/ or to remove, a
 * listing to be made in slices, or a stream of events. The shell (io/admin_door.h) carries it out
 * and, for changes and files, asks api_finish for the answer to what came of it.
 *
 * Every error is a JSON object: {"error": one sentence, "what_to_do": one sentence}. Values of
 * secret settings are "********" unless the request says `secrets=1`; a preview is the file as the
 * phone gets it, secrets and all. Described for people and programs in core/admin/openapi.json,
 * which a test holds against the routes.
 */
#ifndef BELLHOP_CORE_ADMIN_API_H
#define BELLHOP_CORE_ADMIN_API_H

#include "core/admin/event.h"
#include "core/fleet/config.h"
#include "core/fleet/inventory.h"
#include "core/fleet/resync_plan.h"

enum {
	api_json_body_max = 8 << 20,	/* bytes of a JSON body */
	api_target_max = 4096,		/* bytes of path and query */
	api_list_max = 1000,		/* devices in one answer; `after` goes on from the last */
	api_list_slice = 64,		/* devices written in one step */
	api_events_max = 10000,		/* events in one answer */
	api_arena_bytes_max = 24 << 20, /* that a request may need: give the arena as much */
};

/* A listening socket of the server, for `status`. */
struct api_listener {
	const char *door;    /* "sip", "http", "https", "tftp", "admin" */
	const char *address; /* "0.0.0.0:5060", or a path */
};

/* How often something happened: shown by `status` and as bellhop_<group>_total{reason="…"}. */
struct api_counter {
	const char *group; /* [a-z0-9_]+: "sip", "tftp", "http", "store" */
	const char *reason;
	uint64_t count;
};

/* What the server knows of itself; strings and arrays live as long as the call. */
struct api_facts {
	const char *version;
	const char *data; /* the data folder */
	uint64_t since_utc_ms;
	uint64_t now_utc_ms;
	int pid;
	const struct api_listener *listeners;
	size_t listener_count;
	const struct api_counter *counters;
	size_t counter_count;
	const char *const *warnings; /* what an operator should see to, one sentence each */
	size_t warning_count;
};

/* What answering depends on. */
struct api_context {
	const struct inventory *inventory; /* read-locked by the caller around every call */
	const struct api_facts *facts;
	/* Fills what rendering must know for this device: as in core/provision/files.h. */
	void (*server_for)(void *context, const struct device *device, struct address local,
			   struct config_server *server);
	void *server_context;
};

struct api_request {
	struct span method;    /* "GET" */
	struct span target;    /* path and query as they came, from the first '/' on */
	struct span body;      /* JSON; empty when it is a file */
	uint64_t upload_bytes; /* of the file that the body is */
};

/* What the body of a request is. */
enum api_body {
	API_BODY_JSON,	   /* to be kept in memory, at most api_json_body_max */
	API_BODY_FILE,	   /* one for DATA/files/ */
	API_BODY_DATABASE, /* one that a backup made */
};

enum api_verdict {
	API_ANSWER,	 /* status, content_type and body are the answer */
	API_CHANGE,	 /* post `change`, then api_finish with its outcome */
	API_ORDER,	 /* hand `order` to who sends it (NULL it then), then api_finish */
	API_UPLOAD,	 /* put the uploaded file at `file` below DATA/files/, then api_finish */
	API_FILE_REMOVE, /* remove `file` below DATA/files/, then api_finish */
	API_LIST,	 /* call api_list_step until it is an API_ANSWER */
	API_EVENTS,	 /* send the events that `events` asks for, one JSON object a line */
	API_BACKUP,	 /* send a copy of the database */
	API_RESTORE,	 /* make the uploaded file the database, then api_finish_restore */
};

/* Which events: those that came after `after`, the newest `limit` of them, then the new ones. */
struct api_events_query {
	bool is_follow;
	bool has_mac;
	struct mac mac;
	uint64_t after;
	size_t limit;
};

/* A listing of devices on its way, in the order of their MACs. */
struct api_list {
	struct mac *macs;
	size_t count;
	size_t next;
	bool has_more;	   /* devices beyond the last of `macs` */
	bool has_secrets;  /* to be shown */
	bool is_effective; /* effective settings, too */
	char *text;	   /* the answer so far */
	size_t length;
	size_t size;
};

struct api_answer {
	enum api_verdict verdict;
	unsigned status;
	const char *content_type;
	struct span body;	      /* owned by the answer */
	const char *allow;	      /* with 405: the value of Allow */
	struct change *change;	      /* in the arena */
	const struct device *removed; /* as it was before its removal, without settings; or NULL */
	struct span file; /* in the arena; checked: relative, no empty, "." or ".." part */
	bool is_creation; /* success is 201 */
	struct api_list list;
	struct api_events_query events;
	struct resync_list *order;   /* API_ORDER; owned by the answer as long as it is there */
	struct api_skipped *skipped; /* API_ORDER, in the arena: what was named and is not in it */
	size_t skipped_count;
	size_t accepted; /* API_ORDER: how many it is for */
	char *owned;	 /* memory of `body`; NULL when it is constant */
};

/* A device that an order names and that it cannot be given to. */
struct api_skipped {
	struct mac mac;
	bool is_unclaimed; /* it is there, and nobody claimed it; else there is none */
};

/*
 * What the body of a request is, by method and path alone: before it comes. `arena` is for the time
 * of the call. What api_handle then decides does not depend on the bytes of an uploaded file.
 */
enum api_body api_body_of(struct span method, struct span path, struct arena *arena);

/*
 * Decides what comes of a request; never fails (a lack of memory is a 500). `request` and `arena`
 * must outlive the answer; free it with api_answer_free.
 */
void api_handle(const struct api_context *api, const struct api_request *request,
		struct arena *arena, struct api_answer *answer);

/*
 * Turns an answer that asked for a change or a file operation into what the client is told:
 * `result` is 0 or the negative errno it ended with, `problem` its sentence.
 */
void api_finish(const struct api_context *api, struct api_answer *answer, int result,
		const char *problem);

/* What a restore came to: see io/store.h. */
struct api_restored {
	uint64_t devices;
	uint64_t profiles;
	uint64_t bytes;
	unsigned schema;
	uint64_t stale;
	const char *kept;
};

/* As api_finish, for API_RESTORE. `restored` is read when `result` is 0. */
void api_finish_restore(struct api_answer *answer, int result, const char *problem,
			const struct api_restored *restored);

/* Makes `answer` an error, for the shell's own refusals (a foreign user). */
void api_fail(struct api_answer *answer, unsigned status, const char *error,
	      const char *what_to_do);

/* Makes it that of a body that is longer than api_json_body_max. */
void api_fail_length(struct api_answer *answer);

/*
 * Writes the next api_list_slice devices of an API_LIST; with the last of them the answer becomes
 * an API_ANSWER. Called with the inventory read-locked for this slice only. True: call it again.
 */
bool api_list_step(const struct api_context *api, struct api_answer *answer);

/* One event as a JSON object and a newline, to be freed by the caller; NULL without memory. */
char *api_event_line(const struct event *event, size_t *length);

void api_answer_free(struct api_answer *answer);

/*
 * The sentence for the audit log: what a change does, as one JSON object without the values of
 * secrets; to be freed by the caller, NULL without memory.
 */
char *api_change_text(const struct change *change);

/* "device add", "profile set", …; and what it is about (a MAC or a name) to `subject`. */
const char *api_change_name(enum change_kind kind);
void api_change_subject(const struct change *change, struct writer *subject);

/* The i-th route: its method and its path with {placeholders}. False past the last. */
bool api_route_at(size_t i, struct span *method, struct span *path);

#endif
