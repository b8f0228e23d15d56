/* SPDX-License-Identifier: MIT */
#include "core/provision/files.h"

#include <openssl/evp.h>

enum { path_bytes_max = 512, problem_size = 512 };

/* What was found out about one request on the way to its answer. */
struct search {
	const struct files_context *files;
	const struct file_request *request;
	struct arena *arena;
	struct span name; /* what is asked for, below the device's URL */
	const struct device *device;
	bool by_key;
	struct config_file file;
	struct identity identity; /* who the request shows to be asking */
	bool is_guest;		  /* nobody claimed it: `device` is `guest` */
	struct device guest;
};

/* Segments that could mean another place than they say (R-HTTP-31, R-TFTP-35). */
static bool is_plain_segment(struct span segment)
{
	if (segment.data[0] == '.') {
		return false;
	}
	for (size_t i = 0; i < segment.length; i++) {
		if ((unsigned char)segment.data[i] < 0x20 || segment.data[i] == 0x7f ||
		    segment.data[i] == '\\') {
			return false;
		}
	}
	return true;
}

/* The path without leading and doubled slashes; empty data when it is not to be trusted. */
static struct span clean_path(struct arena *arena, struct span path)
{
	char *room = arena_allocate(arena, path_bytes_max);
	struct writer w = writer_over(room, room ? path_bytes_max : 0);
	struct span rest = path;

	if (!room || span_ends_with(path, SPAN("/"))) {
		return span_make(NULL, 0);
	}
	while (rest.data) {
		struct span segment = span_cut(&rest, '/');

		if (span_is_empty(segment)) {
			continue;
		}
		if (!is_plain_segment(segment)) {
			return span_make(NULL, 0);
		}
		if (w.length > 0) {
			writer_char(&w, '/');
		}
		writer_put(&w, segment);
	}
	return w.failed || w.length == 0 ? span_make(NULL, 0) : writer_span(&w);
}

static bool is_key(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (ascii_hex_value(text.data[i]) < 0) {
			return false;
		}
	}
	return text.length == device_key_size - 1;
}

/*
 * The last "p/KEY/NAME" in the path: `*key`, which may be the word bootstrap_key, and `*name`;
 * false when there is none.
 */
static bool find_key(struct span path, struct span *key, struct span *name)
{
	struct span rest = path;
	bool is_found = false;

	while (rest.data) {
		struct span after;
		struct span candidate;

		if (!span_equal(span_cut(&rest, '/'), SPAN("p"))) {
			continue;
		}
		after = rest;
		candidate = span_cut(&after, '/');
		if ((is_key(candidate) || span_equal(candidate, SPAN(bootstrap_key))) &&
		    after.length > 0) {
			*key = candidate;
			*name = after;
			is_found = true;
		}
	}
	return is_found;
}

/* A run of exactly 12 hexadecimal digits in the name's last part that is a device's MAC. */
static const struct device *device_in_name(const struct inventory *inventory, struct span name)
{
	size_t run = 0;

	for (size_t i = 0; i <= name.length; i++) {
		struct mac mac;
		const struct device *device;

		if (i < name.length && ascii_hex_value(name.data[i]) >= 0) {
			run++;
			continue;
		}
		if (run == 12 && mac_parse_prefix(span_slice(name, i - 12, i), &mac) == 0) {
			device = inventory_device(inventory, mac);
			if (device) {
				return device;
			}
		}
		run = 0;
	}
	return NULL;
}

static const struct device *device_of_sender(const struct search *s)
{
	const struct inventory *inventory = s->files->inventory;
	const struct device *bound =
		inventory_device_by_address(inventory, s->request->source.address,
					    s->request->interface);

	if (bound) {
		return bound;
	}
	return s->request->link.is_known ? inventory_device(inventory, s->request->link.mac) : NULL;
}

/* The phone as it is served while nobody has claimed it. */
static void find_guest(struct search *s)
{
	const struct inventory *inventory = s->files->inventory;

	if (s->device && s->device->state != DEVICE_NEW) {
		return;
	}
	if (policy_bootstrap(s->files->policy, inventory, &s->identity).answer ==
	    POLICY_BOOTSTRAP) {
		identity_guest(inventory, &s->identity,
			       inventory_device(inventory, s->identity.mac), &s->guest);
		s->device = &s->guest;
		s->is_guest = true;
	}
}

/*
 * Whose file is it? Fills device, by_key and name; the reason when there is nobody. The word
 * bootstrap opens nothing: a phone that was claimed since comes back to such a URL, and is known by
 * its name and address.
 */
static const char *find_device(struct search *s, struct span path)
{
	struct span key;

	s->name = path;
	s->by_key = find_key(path, &key, &s->name);
	if (s->by_key && !span_equal(key, SPAN(bootstrap_key))) {
		s->device = inventory_device_by_key(s->files->inventory, key);
		return s->device ? NULL : "unknown_key";
	}
	s->by_key = false;
	s->device = device_in_name(s->files->inventory, s->name);
	if (!s->device) {
		s->device = device_of_sender(s);
	}
	find_guest(s);
	return s->device ? NULL : "unknown_device";
}

/* May it be had, and what is it? NULL, or the reason why not. */
static const char *find_file(struct search *s)
{
	struct policy policy = *s->files->policy;
	struct policy_decision decision;

	s->file = config_file_find(s->files->inventory, s->device, s->name);
	if (s->is_guest) {
		/* A rendered file leaves its secrets out; a stored one is what it is. */
		return s->file.kind == CONFIG_FILE_NONE || (s->file.kind == CONFIG_FILE_CATALOGUE &&
							    s->file.has_secrets)
			       ? "no_such_file"
			       : NULL;
	}
	/* [provisioning] access chooses the proofs that open a file with secrets, and only those.
	 */
	if (s->file.kind != CONFIG_FILE_NONE && !s->file.has_secrets) {
		policy.access_by_key = true;
		policy.access_by_neighbour = true;
	}
	decision = policy_file(&policy, s->device, s->by_key, s->request->source.address,
			       s->request->interface, &s->request->link);
	if (decision.answer != POLICY_SERVE) {
		return decision.reason;
	}
	return s->file.kind == CONFIG_FILE_NONE ? "no_such_file" : NULL;
}

static enum device_identified_by identified_by(const struct search *s)
{
	if (s->is_guest) {
		return s->identity.by;
	}
	if (s->by_key) {
		return IDENTIFIED_BY_KEY;
	}
	if (inventory_device_by_address(s->files->inventory, s->request->source.address,
					s->request->interface) == s->device) {
		return IDENTIFIED_BY_ADDRESS;
	}
	return s->request->link.by;
}

/* Whether the request names this very device, or another. */
static bool names(const struct search *s, bool otherwise)
{
	return s->identity.has_claim ? mac_equal(s->identity.claimed, s->device->mac) : otherwise;
}

static enum device_certainty certainty_of(const struct search *s, enum device_identified_by by)
{
	if (s->is_guest) {
		return s->identity.certainty;
	}
	if (by == IDENTIFIED_BY_KEY || by == IDENTIFIED_BY_ADDRESS) {
		return CERTAINTY_PROVEN;
	}
	return names(s, false) ? CERTAINTY_CONFIRMED : CERTAINTY_SEEN;
}

/* What its User-Agent tells of the phone: only as its own maker's pack reads it. */
static void keep_version(const struct search *s, struct file_answer *answer)
{
	const struct identity *identity = &s->identity;

	if (identity->vendor && names(s, true) &&
	    (!s->device->vendor[0] ||
	     span_equal(identity->vendor_name, span_text(s->device->vendor)))) {
		(void)span_to_text(identity->model, answer->model, sizeof(answer->model));
		(void)span_to_text(identity->version, answer->firmware, sizeof(answer->firmware));
	}
}

void file_etag_of_sha256(struct writer *w, const uint8_t sha256[static file_sha256_size])
{
	writer_char(w, '"');
	writer_hex(w, sha256, 16);
	writer_char(w, '"');
}

void file_etag_of_file(struct writer *w, uint64_t size, uint64_t version)
{
	writer_char(w, '"');
	writer_unsigned(w, size);
	writer_char(w, '-');
	for (int shift = 56; shift >= 0; shift -= 8) {
		uint8_t octet = (uint8_t)(version >> shift);

		writer_hex(w, &octet, 1);
	}
	writer_char(w, '"');
}

static void report(const struct search *s, enum report_level level, const char *reason,
		   struct span text, struct effects *effects)
{
	struct effect_report effect = {.level = level,
				       .reason = reason,
				       .text = text,
				       .source = s->request->source};

	if (s->device) {
		effect.has_mac = true;
		effect.mac = s->device->mac;
	}
	effects_report(effects, effect);
}

/* A key, right or wrong, is not for the log. */
static void write_path(struct writer *w, struct span path)
{
	struct span rest = path;
	bool is_after_p = false;

	while (rest.data && w->length < 160) {
		struct span segment = span_cut(&rest, '/');

		if (is_after_p || is_key(segment)) {
			writer_text(w, "***");
		} else {
			writer_escaped(w, segment, 40);
		}
		is_after_p = span_equal(segment, SPAN("p"));
		if (rest.data) {
			writer_char(w, '/');
		}
	}
}

static const char *const door_names[] = {
	[DOOR_HTTP] = "http",
	[DOOR_HTTPS] = "https",
	[DOOR_TFTP] = "tftp",
};

static void report_refusal(const struct search *s, const char *reason, struct effects *effects)
{
	char text[512];
	struct writer w = writer_over(text, sizeof(text));

	writer_text(&w, door_names[s->request->door]);
	writer_text(&w, " request for \"");
	write_path(&w, s->request->path);
	writer_text(&w, "\" refused");
	report(s, REPORT_INFO, reason, writer_span(&w), effects);
}

/* NULL, or the reason why there are no bytes. */
static const char *render(const struct search *s, struct file_answer *answer,
			  struct effects *effects)
{
	char *problem = arena_allocate(s->arena, problem_size);
	char *etag = arena_allocate(s->arena, file_etag_size);
	struct config_server server = {.http_port = 0};
	struct writer w = writer_over(etag, etag ? file_etag_size : 0);
	struct span bytes;

	if (!problem || !etag) {
		return "no_memory";
	}
	s->files->server_for(s->files->server_context, s->device, s->request->local, &server);
	server.hides_secrets = s->is_guest;
	if (config_render(s->files->inventory,
			  &(struct config_wish){s->device, s->file.rule, &server}, s->arena, &bytes,
			  problem, problem_size) != 0) {
		report(s, REPORT_ERROR, "render_failed", span_text(problem), effects);
		return "render_failed";
	}
	answer->has_sha256 =
		EVP_Digest(bytes.data, bytes.length, answer->sha256, NULL, EVP_sha256(), NULL) == 1;
	if (answer->has_sha256) {
		file_etag_of_sha256(&w, answer->sha256);
	}
	answer->verdict = FILE_BYTES;
	answer->bytes = bytes;
	answer->size = bytes.length;
	answer->etag = writer_span(&w);
	answer->name = s->name;
	return NULL;
}

static const char *fill_answer(const struct search *s, struct file_answer *answer,
			       struct effects *effects)
{
	answer->content_type = arena_copy(s->arena, s->file.content_type);
	answer->has_secrets = s->file.has_secrets && !s->is_guest;
	/* What a guest has is not what it should have. */
	answer->is_essential = s->file.is_essential && !s->is_guest;
	answer->mac = s->device->mac;
	answer->identified_by = identified_by(s);
	answer->certainty = certainty_of(s, answer->identified_by);
	keep_version(s, answer);
	answer->revision = s->files->inventory->revision;
	if (s->file.kind == CONFIG_FILE_RENDERED) {
		return render(s, answer, effects);
	}
	answer->name = arena_copy(s->arena, span_text(s->file.catalogue->name));
	if (!answer->name.data) {
		return "no_memory";
	}
	answer->verdict = FILE_CATALOGUE;
	answer->size = s->file.catalogue->bytes;
	answer->modified_utc_ms = s->file.catalogue->modified_utc_ms;
	answer->version = s->file.catalogue->version;
	answer->has_sha256 = s->file.catalogue->has_sha256;
	memcpy(answer->sha256, s->file.catalogue->sha256, sizeof(answer->sha256));
	return NULL;
}

/* Before anything is decided, and of every request: the time it takes must tell nothing. */
static void recognise(struct search *s, struct span path)
{
	const struct file_request *request = s->request;
	struct fetch_claims claims = {.name = path, .user_agent = request->user_agent};

	for (struct span rest = path; rest.data;) {
		claims.name = span_cut(&rest, '/');
	}
	identity_from_fetch(s->files->inventory, &claims, request->source.address,
			    request->interface, &request->link, &s->identity);
}

static void note_sighting(const struct search *s, struct effects *effects)
{
	struct sighting_place place = {.source = s->request->source,
				       .interface = s->request->interface,
				       .now_ms = s->request->now_ms};

	sighting_note(s->files->inventory, s->files->policy, &s->identity, &place,
		      s->files->sightings, effects);
}

void files_serve(const struct files_context *files, const struct file_request *request,
		 struct arena *arena, struct file_answer *answer, struct effects *effects)
{
	struct search s = {.files = files, .request = request, .arena = arena};
	struct span path = clean_path(arena, request->path);
	const char *reason = "bad_path";

	*answer = (struct file_answer){.verdict = FILE_REFUSED};
	if (path.data) {
		recognise(&s, path);
		reason = find_device(&s, path);
	}
	if (!reason) {
		reason = find_file(&s);
	}
	/*
	 * Known and unknown names wait alike, or waiting would tell them apart; keys too, where a
	 * key alone does not open.
	 */
	if (reason && path.data && request->link.is_pending &&
	    !(s.by_key && files->policy->access_by_key)) {
		if (!request->is_last_try) {
			answer->verdict = FILE_PENDING;
			return;
		}
		reason = "not_seen";
	}
	if (path.data && (reason || s.is_guest)) {
		note_sighting(&s, effects);
	}
	if (!reason) {
		reason = fill_answer(&s, answer, effects);
		if (!reason) {
			return;
		}
		*answer = (struct file_answer){.verdict = FILE_REFUSED};
	}
	answer->reason = reason;
	if (strcmp(reason, "render_failed") != 0) {
		report_refusal(&s, reason, effects);
	}
}

void files_opened(struct file_answer *answer, uint64_t version)
{
	answer->has_sha256 = answer->has_sha256 && answer->version == version;
}

struct change files_fetched(const struct file_request *request, const struct file_answer *answer)
{
	uint32_t fields = FIELD_ADDRESS | FIELD_IDENTIFIED_BY | FIELD_CERTAINTY;

	fields |= answer->model[0] ? FIELD_MODEL : 0;
	fields |= answer->firmware[0] ? FIELD_FIRMWARE : 0;
	return (struct change){
		.kind = CHANGE_DEVICE_FETCHED,
		.fields = fields,
		.certainty = answer->certainty,
		.model = span_text(answer->model),
		.firmware = span_text(answer->firmware),
		.mac = answer->mac,
		.address = request->source.address,
		.interface = request->interface,
		.identified_by = answer->identified_by,
		.file = answer->name,
		.bytes = answer->size,
		.is_complete = answer->is_essential,
		.revision = answer->revision,
	};
}

/* http served "00908f123456.cfg", 4711 bytes, sha256 0f…; identified by key */
static void write_fetch(struct writer *w, const struct file_request *request,
			const struct file_answer *answer, struct span name, struct span octets)
{
	writer_text(w, door_names[request->door]);
	writer_text(w, " served \"");
	writer_put(w, name);
	writer_text(w, "\", ");
	writer_put(w, octets);
	if (answer->has_sha256) {
		writer_text(w, ", sha256 ");
		writer_hex(w, answer->sha256, sizeof(answer->sha256));
	} else {
		writer_text(w, ", not hashed yet");
	}
	writer_text(w, "; identified by ");
	writer_text(w, device_identified_by_name(answer->identified_by));
	if (request->client_certificate.length > 0) {
		writer_text(w, "; ");
		writer_put(w, request->client_certificate);
	}
	if (answer->is_unconfirmed) {
		writer_text(w, "; the last acknowledgement did not come");
	}
}

static void write_fetch_detail(struct writer *w, const struct file_request *request,
			       const struct file_answer *answer, struct span name)
{
	writer_text(w, "{\"door\":\"");
	writer_text(w, door_names[request->door]);
	writer_text(w, "\",\"file\":");
	writer_json(w, name);
	writer_text(w, ",\"bytes\":");
	writer_unsigned(w, answer->size);
	writer_text(w, ",\"sha256\":");
	if (answer->has_sha256) {
		writer_char(w, '"');
		writer_hex(w, answer->sha256, sizeof(answer->sha256));
		writer_char(w, '"');
	} else {
		writer_text(w, "null");
	}
	writer_text(w, ",\"unchanged\":");
	writer_text(w, answer->is_unchanged ? "true" : "false");
	writer_text(w, ",\"identified_by\":\"");
	writer_text(w, device_identified_by_name(answer->identified_by));
	writer_char(w, '"');
	if (request->client_certificate.length > 0) {
		writer_text(w, ",\"client_certificate\":");
		writer_json(w, request->client_certificate);
	}
	writer_char(w, '}');
}

static void report_served(const struct file_request *request, const struct file_answer *answer,
			  struct effect_report report, struct span octets, struct effects *effects)
{
	char name_text[400];
	char text[1024];
	char detail_text[2048];
	struct writer name = writer_over(name_text, sizeof(name_text));
	struct writer w = writer_over(text, sizeof(text));
	struct writer detail = writer_over(detail_text, sizeof(detail_text));

	write_path(&name, answer->name);
	write_fetch(&w, request, answer, writer_span(&name), octets);
	write_fetch_detail(&detail, request, answer, writer_span(&name));
	report.text = writer_span(&w);
	report.detail = detail.failed ? span_make(NULL, 0) : writer_span(&detail);
	report.source = request->source;
	report.has_mac = true;
	report.mac = answer->mac;
	effects_report(effects, report);
}

void files_report_fetched(const struct file_request *request, const struct file_answer *answer,
			  struct effects *effects)
{
	char octets[64];
	struct writer w = writer_over(octets, sizeof(octets));
	struct effect_report report = {
		.level = answer->is_unchanged && !answer->is_essential ? REPORT_DEBUG : REPORT_INFO,
		.reason = "file_served",
	};

	if (answer->is_unchanged) {
		writer_text(&w, "unchanged since it was fetched");
	} else {
		writer_text(&w, answer->is_rest ? "the last " : "");
		writer_unsigned(&w, answer->size);
		writer_text(&w, " bytes");
	}
	report_served(request, answer, report, writer_span(&w), effects);
}

void files_report_part(const struct file_request *request, const struct file_answer *answer,
		       struct span octets, struct effects *effects)
{
	struct effect_report report = {.level = REPORT_DEBUG, .reason = "file_served_part"};

	report_served(request, answer, report, octets, effects);
}
