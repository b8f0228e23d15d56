/* SPDX-License-Identifier: MIT */
/*
 * files_serve: from a name that was asked for, over HTTP, HTTPS or TFTP, to the bytes that this
 * requester may have, or the one refusal. Every refusal looks the same outside (404, ERROR 1); the
 * reason goes to the operator only.
 */
#ifndef BELLHOP_CORE_PROVISION_FILES_H
#define BELLHOP_CORE_PROVISION_FILES_H

#include "core/base/effects.h"
#include "core/fleet/config.h"
#include "core/fleet/policy.h"
#include "core/provision/sighting.h"

enum file_door { DOOR_HTTP, DOOR_HTTPS, DOOR_TFTP };

struct file_request {
	enum file_door door;
	struct span path;		/* percent-decoded once, for HTTP from the first '/' on */
	struct span user_agent;		/* HTTP only */
	struct span client_certificate; /* HTTPS: what to say of it, printable; empty: none */
	struct endpoint source;
	struct address local;  /* ours, that was asked */
	struct span interface; /* its name, or empty */
	struct link_evidence link;
	uint64_t now_ms;  /* monotonic */
	bool is_last_try; /* the door has waited for the network long enough: no FILE_PENDING */
};

enum file_verdict {
	FILE_REFUSED,
	FILE_BYTES,
	FILE_CATALOGUE,
	FILE_PENDING, /* what the network shows of the sender is not known yet: ask again soon */
};

enum { file_etag_size = 48 }; /* with NUL */

struct file_answer {
	enum file_verdict verdict;
	const char *reason; /* constant word, for FILE_REFUSED */
	struct span bytes;  /* FILE_BYTES: in the arena */
	struct span name;   /* as asked, below the URL; FILE_CATALOGUE: below DATA/files/ */
	uint64_t size;
	uint64_t modified_utc_ms; /* FILE_CATALOGUE */
	uint64_t version;	  /* FILE_CATALOGUE: of the file that `sha256` is of */
	struct span content_type; /* in the arena */
	struct span etag;	  /* FILE_BYTES; for the others the door asks file_etag_of_file */
	bool has_secrets;
	bool is_essential;
	bool is_unchanged; /* set by the door: it was told that it has the file already (304) */
	bool is_rest;	   /* set by the door: `size` is the last octets, it had the others (206) */
	bool is_unconfirmed; /* set by the door: TFTP, the last ACK was missing (transfers.h) */
	bool has_sha256;     /* of a stored file only when the catalogue has computed it */
	uint8_t sha256[file_sha256_size];
	struct mac mac; /* whose file it is */
	enum device_identified_by identified_by;
	enum device_certainty certainty;
	char model[device_model_size]; /* that its User-Agent tells; empty: nothing */
	char firmware[device_firmware_size];
	uint64_t revision; /* of the inventory, when the bytes were made */
};

/* The parts of the configuration that serving depends on. */
struct files_context {
	const struct inventory *inventory; /* read-locked by the caller */
	const struct policy *policy;
	/* Fills what rendering must know for this device (address of ours on its side, its URL). */
	void (*server_for)(void *context, const struct device *device, struct address local,
			   struct config_server *server);
	void *server_context;
	struct sightings *sightings; /* limits of new phones; NULL: none */
};

/*
 * Decides what is served. Answers and their bytes live in `arena`. Names accepted, after any number
 * of folders that do not matter: "p/KEY/NAME" (so the second name of an AudioCodes URL is found
 * whether the phone counts it from the root or from the folder of the first), else the whole path
 * as a bare NAME, for the device that the name's MAC or the sender's own address tells.
 *
 * A phone that nobody claimed is recognised here, and becomes a sighting in `effects`; the answer
 * is the same refusal as to anybody. With `unknown = bootstrap` it gets its files below
 * "p/bootstrap/", and by bare name: rendered from the profile "bootstrap" if there is one, else
 * from "default", without the settings that are secrets.
 *
 * A refusal is reported into `effects`, a template's mistake as "render_failed". Nothing in the
 * answer or in a report holds a key. FILE_PENDING is answered to known and unknown names alike, but
 * not at the last try, and reports nothing.
 */
void files_serve(const struct files_context *files, const struct file_request *request,
		 struct arena *arena, struct file_answer *answer, struct effects *effects);

/*
 * Strong entity tags, with their quotes (RFC 9110 8.8.3): of bytes in memory from their SHA-256, of
 * a stored file from its size and its version (see io/catalogue.h).
 */
void file_etag_of_sha256(struct writer *w, const uint8_t sha256[static file_sha256_size]);
void file_etag_of_file(struct writer *w, uint64_t size, uint64_t version);

/*
 * Told by the door of the stored file that it has opened: the answer's hash is dropped when that is
 * another version than the one that was hashed.
 */
void files_opened(struct file_answer *answer, uint64_t version);

/*
 * The change to post when the last byte went out: CHANGE_DEVICE_FETCHED. `request` as served; its
 * texts point into the two.
 */
struct change files_fetched(const struct file_request *request, const struct file_answer *answer);

/*
 * Tells the operator of the same: "file_served", at REPORT_INFO, or at REPORT_DEBUG for a file that
 * is not essential and that the phone had already. In words, and as members of the report's detail:
 * door, file (its name, never with a key), bytes (sent), sha256 (null when it is not known),
 * unchanged (a 304), identified_by, and client_certificate when there is something to say of one.
 */
void files_report_fetched(const struct file_request *request, const struct file_answer *answer,
			  struct effects *effects);

/*
 * Tells the operator that a part of a file was served, not all of it nor its end:
 * "file_served_part" at REPORT_DEBUG. `octets` names them, as in Content-Range.
 */
void files_report_part(const struct file_request *request, const struct file_answer *answer,
		       struct span octets, struct effects *effects);

#endif
