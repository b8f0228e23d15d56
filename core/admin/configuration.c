/* SPDX-License-Identifier: MIT */
#include "core/admin/configuration.h"

#include "core/base/time.h"

#include <errno.h>
#include <stddef.h>

enum key_type {
	KEY_PATH,	   /* struct span; DATA/ at its start stands for [server] data */
	KEY_TEXT,	   /* struct span */
	KEY_URL,	   /* struct span; checked for scheme and placeholders */
	KEY_STORE,	   /* struct span; checked for its scheme */
	KEY_LISTEN,	   /* struct configuration_listen */
	KEY_NAMES,	   /* sip_interfaces */
	KEY_CHOICE,	   /* uint32_t: index of the word */
	KEY_BOOL_WORD,	   /* bool: the second of two words */
	KEY_ACCESS,	   /* access_by_key, access_by_neighbour */
	KEY_COUNT,	   /* uint64_t */
	KEY_DURATION,	   /* uint64_t, milliseconds */
	KEY_DURATION_OR_0, /* the same; 0: never */
};

struct key {
	const char *section;
	const char *name;
	const char *default_value;
	const char *legal;
	enum key_type type;
	size_t offset;
	uint64_t min; /* KEY_LISTEN: endpoints; KEY_COUNT, KEY_DURATION: value */
	uint64_t max;
};

#define FIELD(name) offsetof(struct configuration, name)

static const struct key keys[] = {
	{"server", "data", "/var/lib/bellhop", "a directory", KEY_PATH, FIELD(data), 0, 0},
	{"sip", "listen", "0.0.0.0:5060", "one ADDRESS:PORT, or up to 4 with the same PORT",
	 KEY_LISTEN, FIELD(sip_listen), 1, configuration_sip_listen_max},
	{"sip", "group", "224.0.1.75:5060", "one multicast ADDRESS:PORT, or empty", KEY_LISTEN,
	 FIELD(sip_group), 0, 1},
	{"sip", "group_socket", "auto", "auto, udp or packet", KEY_CHOICE, FIELD(sip_group_socket),
	 0, 0},
	{"sip", "interfaces", "", "interface names, or empty for all that do multicast", KEY_NAMES,
	 FIELD(sip_interfaces), 0, 0},
	{"sip", "canary", "15m", "0 (never), or a time from 1s to 24h: 30s, 15m, 1h",
	 KEY_DURATION_OR_0, FIELD(sip_canary_ms), 1000, 86400000},
	{"sip", "padding", "on", "off or on", KEY_BOOL_WORD, FIELD(pads_answers), 0, 0},
	{"http", "listen", "0.0.0.0:8080", "ADDRESS:PORT, several, or empty", KEY_LISTEN,
	 FIELD(http_listen), 0, configuration_listen_max},
	{"https", "listen", "0.0.0.0:8443", "ADDRESS:PORT, several, or empty", KEY_LISTEN,
	 FIELD(https_listen), 0, configuration_listen_max},
	{"https", "certificate", "", "a PEM file, or empty", KEY_PATH, FIELD(https_certificate), 0,
	 0},
	{"https", "key", "", "a PEM file, or empty", KEY_PATH, FIELD(https_key), 0, 0},
	{"https", "client_ca", "", "a PEM file, or empty", KEY_PATH, FIELD(https_client_ca), 0, 0},
	{"tftp", "listen", "0.0.0.0:69", "ADDRESS:PORT, several, or empty", KEY_LISTEN,
	 FIELD(tftp_listen), 0, configuration_listen_max},
	{"tftp", "rollover", "0", "0 or 1", KEY_BOOL_WORD, FIELD(tftp_rolls_over_to_1), 0, 0},
	{"admin", "socket", "DATA/admin.sock", "a path", KEY_PATH, FIELD(admin_socket), 0, 0},
	{"admin", "listen", "127.0.0.1:8090", "ADDRESS:PORT, several, or empty", KEY_LISTEN,
	 FIELD(admin_listen), 0, configuration_listen_max},
	{"provisioning", "url", "http://%{address}:8080/p/%{key}/",
	 "a URL with %{address} %{key} %{mac} %{MAC} %{model} %{vendor} %{port}", KEY_URL,
	 FIELD(url), 0, 0},
	{"provisioning", "unknown", "list", "list, ignore or bootstrap", KEY_CHOICE, FIELD(unknown),
	 0, 0},
	{"provisioning", "access", "key neighbour", "key, neighbour, or both", KEY_ACCESS, 0, 0, 0},
	{"provisioning", "routed", "refuse", "refuse or serve", KEY_BOOL_WORD, FIELD(serves_routed),
	 0, 0},
	{"provisioning", "spoofed", "refuse", "refuse or serve", KEY_BOOL_WORD,
	 FIELD(serves_spoofed), 0, 0},
	{"resync", "rate", "20", "1 to 1000", KEY_COUNT, FIELD(resync_rate), 1, 1000},
	{"resync", "concurrency", "50", "1 to 10000", KEY_COUNT, FIELD(resync_concurrency), 1,
	 10000},
	{"resync", "verify", "5m", "1s to 7d", KEY_DURATION, FIELD(resync_verify_ms), 1000,
	 7 * 86400000},
	{"store", "url", "sqlite:DATA/bellhop.db", "sqlite:PATH", KEY_STORE, FIELD(store_url), 0,
	 0},
	{"log", "level", "info", "error, warning, info or debug", KEY_CHOICE, FIELD(log_level), 0,
	 0},
	{"log", "format", "text", "text or json", KEY_BOOL_WORD, FIELD(log_json), 0, 0},
	{"limits", "devices", "100000", "1 to 10000000", KEY_COUNT, FIELD(devices_max), 1,
	 10000000},
	{"limits", "new_devices", "2000", "0 to 10000000", KEY_COUNT, FIELD(new_devices_max), 0,
	 10000000},
	{"limits", "unidentified", "500", "0 to 100000", KEY_COUNT, FIELD(unidentified_max), 0,
	 100000},
	{"limits", "profiles", "1000", "1 to 100000", KEY_COUNT, FIELD(profiles_max), 1, 100000},
	{"limits", "rules", "1000", "0 to 10000", KEY_COUNT, FIELD(rules_max), 0, 10000},
	{"limits", "pools", "100", "0 to 10000", KEY_COUNT, FIELD(pools_max), 0, 10000},
	{"limits", "pool_numbers", "200000", "0 to 10000000", KEY_COUNT, FIELD(pool_numbers_max), 0,
	 10000000},
	{"limits", "files", "10000", "0 to 1000000", KEY_COUNT, FIELD(files_max), 0, 1000000},
	{"limits", "forms", "2000", "0 to 1000000", KEY_COUNT, FIELD(forms_max), 0, 1000000},
	{"limits", "events", "10000", "100 to 1000000", KEY_COUNT, FIELD(events_max), 100, 1000000},
	{"limits", "sip_transactions", "65536", "16 to 10000000", KEY_COUNT,
	 FIELD(sip_transactions_max), 16, 10000000},
	{"limits", "sip_waiting", "4096", "1 to 1000000", KEY_COUNT, FIELD(sip_waiting_max), 1,
	 1000000},
	{"limits", "sip_requests_per_source", "50", "0 (no limit) to 1000000", KEY_COUNT,
	 FIELD(sip_requests_per_source), 0, 1000000},
	{"limits", "resyncs", "100000", "1 to 10000000", KEY_COUNT, FIELD(resyncs_max), 1,
	 10000000},
	{"limits", "neighbours", "65536", "16 to 10000000", KEY_COUNT, FIELD(neighbours_max), 16,
	 10000000},
	{"limits", "http_connections", "2048", "1 to 100000", KEY_COUNT,
	 FIELD(http_connections_max), 1, 100000},
	{"limits", "http_connections_per_source", "32", "1 to 100000", KEY_COUNT,
	 FIELD(http_connections_per_source_max), 1, 100000},
	{"limits", "tftp_transfers", "1024", "1 to 60000", KEY_COUNT, FIELD(tftp_transfers_max), 1,
	 60000},
	{"limits", "tftp_transfers_per_source", "16", "1 to 60000", KEY_COUNT,
	 FIELD(tftp_transfers_per_source_max), 1, 60000},
};

enum { key_count = sizeof(keys) / sizeof(*keys), words_max = 4 };

/* The words of KEY_CHOICE, in the order of their enums, and of KEY_BOOL_WORD: false, true. */
static const char *const *words_of(const struct key *key)
{
	static const char *const unknown[] = {"list", "ignore", "bootstrap", NULL};
	static const char *const group_sockets[] = {"auto", "udp", "packet", NULL};
	static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
	static const char *const switches[] = {"off", "on", NULL};
	static const char *const routed[] = {"refuse", "serve", NULL};
	static const char *const formats[] = {"text", "json", NULL};
	static const char *const rollovers[] = {"0", "1", NULL};

	switch (key->offset) {
	case FIELD(unknown):
		return unknown;
	case FIELD(sip_group_socket):
		return group_sockets;
	case FIELD(log_level):
		return levels;
	case FIELD(pads_answers):
		return switches;
	case FIELD(serves_routed):
	case FIELD(serves_spoofed):
		return routed;
	case FIELD(tftp_rolls_over_to_1):
		return rollovers;
	default:
		return formats;
	}
}

bool configuration_key_at(size_t i, struct configuration_key *key)
{
	if (i >= key_count) {
		return false;
	}
	*key = (struct configuration_key){
		.section = span_text(keys[i].section),
		.key = span_text(keys[i].name),
		.default_value = span_text(keys[i].default_value),
		.legal = span_text(keys[i].legal),
	};
	return true;
}

static int parse_listen(const struct key *key, struct span value,
			struct configuration_listen *listen)
{
	struct configuration_listen read = {0};
	struct span rest = span_trim(value);
	bool is_group = key->offset == FIELD(sip_group);

	while (rest.length > 0) {
		struct span word = span_cut(&rest, ' ');
		struct endpoint endpoint;

		if (word.length == 0) {
			continue;
		}
		if (read.count == key->max || endpoint_parse(word, 0, &endpoint) != 0 ||
		    endpoint.port == 0 || address_is_multicast(endpoint.address) != is_group ||
		    (key->offset == FIELD(sip_listen) && read.count > 0 &&
		     endpoint.port != read.endpoints[0].port)) {
			return -EINVAL;
		}
		read.endpoints[read.count++] = endpoint;
	}
	if (read.count < key->min) {
		return -EINVAL;
	}
	*listen = read;
	return 0;
}

static int parse_names(struct configuration *c, struct span value)
{
	struct span rest = span_trim(value);
	size_t count = 0;

	while (rest.length > 0) {
		struct span word = span_cut(&rest, ' ');

		if (word.length == 0) {
			continue;
		}
		/* IFNAMSIZ is 16 with its NUL. */
		if (word.length > 15 || count == configuration_interfaces_max) {
			return -EINVAL;
		}
		c->sip_interfaces[count++] = word;
	}
	c->sip_interface_count = count;
	return 0;
}

static int parse_access(struct configuration *c, struct span value)
{
	struct span rest = span_trim(value);
	bool by_key = false;
	bool by_neighbour = false;

	while (rest.length > 0) {
		struct span word = span_cut(&rest, ' ');

		if (span_equal(word, SPAN("key"))) {
			by_key = true;
		} else if (span_equal(word, SPAN("neighbour"))) {
			by_neighbour = true;
		} else if (word.length > 0) {
			return -EINVAL;
		}
	}
	if (!by_key && !by_neighbour) {
		return -EINVAL;
	}
	c->access_by_key = by_key;
	c->access_by_neighbour = by_neighbour;
	return 0;
}

static int parse_word(const struct key *key, struct span value, size_t *index)
{
	const char *const *words = words_of(key);

	for (size_t i = 0; words[i]; i++) {
		if (span_equal(value, span_text(words[i]))) {
			*index = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Every %{name} is one that config_url knows, and nothing could end a header line. */
static int check_url(struct span url)
{
	static const struct span names[] = {{"address", 7}, {"key", 3},	   {"mac", 3}, {"MAC", 3},
					    {"model", 5},   {"vendor", 6}, {"port", 4}};
	struct span rest = url;

	if (span_search(url, SPAN("://")) == url.length) {
		return -EINVAL;
	}
	for (size_t i = 0; i < url.length; i++) {
		if ((uint8_t)url.data[i] <= ' ' || url.data[i] == 0x7f) {
			return -EINVAL;
		}
	}
	for (;;) {
		size_t open = span_search(rest, SPAN("%{"));
		bool is_known = false;
		struct span name;

		if (open == rest.length) {
			return 0;
		}
		rest = span_slice(rest, open + 2, rest.length);
		name = span_slice(rest, 0, span_find(rest, '}'));
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			is_known = is_known || span_equal(name, names[i]);
		}
		if (!is_known || name.length == rest.length) {
			return -EINVAL;
		}
	}
}

static int parse_duration(const struct key *key, struct span value, uint64_t *duration_ms)
{
	uint64_t read_ms;
	int error;

	if (key->type == KEY_DURATION_OR_0 && span_equal(value, SPAN("0"))) {
		*duration_ms = 0;
		return 0;
	}
	error = time_parse_duration(value, &read_ms);
	if (error == 0 && (read_ms < key->min || read_ms > key->max)) {
		error = -EINVAL;
	}
	if (error == 0) {
		*duration_ms = read_ms;
	}
	return error;
}

static int set_value(struct configuration *c, const struct key *key, struct span value)
{
	void *field = (char *)c + key->offset;
	size_t index;
	int error = 0;

	switch (key->type) {
	case KEY_PATH:
		if (key->offset == FIELD(data) || key->offset == FIELD(admin_socket)) {
			error = value.length == 0 ? -EINVAL : 0;
		}
		break;
	case KEY_TEXT:
		break;
	case KEY_URL:
		error = check_url(value);
		break;
	case KEY_STORE:
		error = span_starts_with(value, SPAN("sqlite:")) && value.length > 7 ? 0 : -EINVAL;
		break;
	case KEY_LISTEN:
		return parse_listen(key, value, field);
	case KEY_NAMES:
		return parse_names(c, value);
	case KEY_CHOICE:
		error = parse_word(key, value, &index);
		if (error == 0) {
			*(uint32_t *)field = (uint32_t)index;
		}
		return error;
	case KEY_BOOL_WORD:
		error = parse_word(key, value, &index);
		if (error == 0) {
			*(bool *)field = index == 1;
		}
		return error;
	case KEY_ACCESS:
		return parse_access(c, value);
	case KEY_COUNT:
		error = span_to_unsigned(value, key->max, field);
		return error == 0 && *(uint64_t *)field < key->min ? -EINVAL : error;
	case KEY_DURATION:
	case KEY_DURATION_OR_0:
		return parse_duration(key, value, field);
	}
	if (error == 0) {
		*(struct span *)field = value;
	}
	return error;
}

/* DATA/x, also behind "sqlite:", stands for the data directory. */
static int expand_data(struct configuration *c, struct arena *arena)
{
	struct span *places[] = {&c->https_certificate, &c->https_key, &c->https_client_ca,
				 &c->admin_socket, &c->store_url};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct span value = *places[i];
		struct span before =
			span_starts_with(value, SPAN("sqlite:")) ? SPAN("sqlite:") : SPAN("");
		struct span path = span_slice(value, before.length, value.length);
		size_t size = value.length + c->data.length + 1;
		struct writer w;

		if (!span_starts_with(path, SPAN("DATA/"))) {
			continue;
		}
		w = writer_over(arena_allocate(arena, size), size);
		if (!w.data) {
			return -ENOMEM;
		}
		writer_put(&w, before);
		writer_put(&w, c->data);
		writer_put(&w, span_slice(path, 4, path.length));
		*places[i] = writer_span(&w);
	}
	return 0;
}

static int set_defaults(struct configuration *c, struct arena *arena)
{
	for (size_t i = 0; i < key_count; i++) {
		struct span value = arena_copy(arena, span_text(keys[i].default_value));

		if (!value.data) {
			return -ENOMEM;
		}
		/* The table is ours: a default that is not legal is a bug that its test finds. */
		(void)set_value(c, &keys[i], value);
	}
	return 0;
}

static void mistake(struct ini *ini, const struct ini_entry *entry, const char *what,
		    struct span legal)
{
	char text[512];
	struct writer w = writer_over(text, sizeof(text));

	writer_char(&w, '[');
	writer_put(&w, span_slice(entry->section, 0, 40));
	writer_text(&w, "] ");
	writer_put(&w, span_slice(entry->key, 0, 60));
	writer_text(&w, what);
	writer_put(&w, legal);
	ini_add_mistake(ini, entry->line, writer_span(&w));
}

static bool was_given_before(const struct ini *ini, const struct ini_entry *entry)
{
	for (const struct ini_entry *e = ini->entries; e < entry; e++) {
		if (span_equal(e->section, entry->section) && span_equal(e->key, entry->key)) {
			return true;
		}
	}
	return false;
}

static void set_vendor_url(struct configuration *c, struct ini *ini, const struct ini_entry *entry)
{
	if (c->vendor_url_count == configuration_vendor_urls_max) {
		mistake(ini, entry, ": too many makers with a URL of their own", SPAN(""));
		return;
	}
	if (check_url(entry->value) != 0) {
		mistake(ini, entry, " is not legal; legal: ",
			SPAN("a URL with %{address} %{key} %{mac} %{MAC} %{model} %{vendor} "
			     "%{port}"));
		return;
	}
	c->vendor_urls[c->vendor_url_count++] =
		(struct configuration_vendor_url){.vendor = span_slice(entry->key, 4,
								       entry->key.length),
						  .url = entry->value,
						  .line = entry->line};
}

static void report_unknown(struct ini *ini, const struct ini_entry *entry)
{
	char legal[400];
	struct writer w = writer_over(legal, sizeof(legal));
	bool is_section_known = false;
	const char *last = NULL;

	for (size_t i = 0; i < key_count; i++) {
		if (span_equal(entry->section, span_text(keys[i].section))) {
			writer_text(&w, is_section_known ? ", " : "");
			writer_text(&w, keys[i].name);
			is_section_known = true;
		}
	}
	if (is_section_known) {
		mistake(ini, entry, " is no key; legal: ", writer_span(&w));
		return;
	}
	for (size_t i = 0; i < key_count; i++) {
		if (!last || strcmp(last, keys[i].section) != 0) {
			writer_text(&w, last ? ", " : "");
			writer_text(&w, keys[i].section);
		}
		last = keys[i].section;
	}
	mistake(ini, entry, ": there is no such section; legal: ", writer_span(&w));
}

/* Of values that turn out to be mistakes only when more than the file is looked at. */
static void note_line(struct configuration *c, const struct key *key, unsigned line)
{
	switch (key->offset) {
	case FIELD(url):
		c->url_line = line;
		break;
	case FIELD(https_certificate):
		c->https_certificate_line = line;
		break;
	case FIELD(https_key):
		c->https_key_line = line;
		break;
	case FIELD(https_client_ca):
		c->https_client_ca_line = line;
		break;
	default:
		break;
	}
}

static void apply_entry(struct configuration *c, struct ini *ini, const struct ini_entry *entry)
{
	if (was_given_before(ini, entry)) {
		mistake(ini, entry, " is given twice", SPAN(""));
		return;
	}
	if (span_equal(entry->section, SPAN("provisioning")) &&
	    span_starts_with(entry->key, SPAN("url.")) && entry->key.length > 4) {
		set_vendor_url(c, ini, entry);
		return;
	}
	for (size_t i = 0; i < key_count; i++) {
		if (!span_equal(entry->section, span_text(keys[i].section)) ||
		    !span_equal(entry->key, span_text(keys[i].name))) {
			continue;
		}
		if (set_value(c, &keys[i], entry->value) != 0) {
			mistake(ini, entry, " is not legal; legal: ", span_text(keys[i].legal));
		}
		note_line(c, &keys[i], entry->line);
		return;
	}
	report_unknown(ini, entry);
}

/* Values that are views into the file become NUL-terminated texts of the arena. */
static int own_value(struct arena *arena, struct ini_entry *entry)
{
	entry->value = arena_copy(arena, entry->value);
	return entry->value.data ? 0 : -ENOMEM;
}

int configuration_parse(struct configuration *configuration, struct arena *arena, struct span text,
			struct ini *ini)
{
	struct configuration c = {0};
	int error = ini_parse(ini, arena, text);

	if (error == 0) {
		error = set_defaults(&c, arena);
	}
	for (size_t i = 0; error == 0 && i < ini->entry_count; i++) {
		error = own_value(arena, &ini->entries[i]);
		if (error == 0) {
			apply_entry(&c, ini, &ini->entries[i]);
		}
	}
	if (error != 0) {
		return error;
	}
	while (c.data.length > 1 && c.data.data[c.data.length - 1] == '/') {
		c.data = arena_copy(arena, span_slice(c.data, 0, c.data.length - 1));
		if (!c.data.data) {
			return -ENOMEM;
		}
	}
	error = expand_data(&c, arena);
	if (error == 0) {
		*configuration = c;
	}
	return error;
}

bool configuration_serves_https(const struct configuration *configuration)
{
	return configuration->https_listen.count > 0 && configuration->https_certificate.length > 0;
}

struct span configuration_url(const struct configuration *configuration, struct span vendor,
			      unsigned *line)
{
	struct span url = configuration->url;
	unsigned at = configuration->url_line;

	for (size_t i = 0; i < configuration->vendor_url_count; i++) {
		if (span_equal(configuration->vendor_urls[i].vendor, vendor)) {
			url = configuration->vendor_urls[i].url;
			at = configuration->vendor_urls[i].line;
		}
	}
	if (line) {
		*line = at;
	}
	return url;
}

static void print_listen(const struct configuration_listen *listen, struct writer *w)
{
	for (size_t i = 0; i < listen->count; i++) {
		writer_text(w, i > 0 ? " " : "");
		endpoint_write(w, listen->endpoints[i]);
	}
}

/* Quoted, so that comment signs and blanks at the ends of a value survive. */
static void print_text(struct span value, struct writer *w)
{
	bool is_plain = span_find(value, '"') == value.length &&
			span_find(value, ';') == value.length &&
			span_find(value, '#') == value.length;

	if (is_plain) {
		writer_put(w, value);
		return;
	}
	writer_char(w, '"');
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] == '"' || value.data[i] == '\\') {
			writer_char(w, '\\');
		}
		writer_char(w, value.data[i]);
	}
	writer_char(w, '"');
}

/* In the largest unit that it is a whole number of. */
static void print_duration(uint64_t duration_ms, struct writer *w)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
	size_t i = 0;

	if (duration_ms == 0) {
		writer_char(w, '0');
		return;
	}
	while (duration_ms % units[i].ms != 0) {
		i++;
	}
	writer_unsigned(w, duration_ms / units[i].ms);
	writer_text(w, units[i].name);
}

static void print_value(const struct configuration *c, const struct key *key, struct writer *w)
{
	const void *field = (const char *)c + key->offset;

	switch (key->type) {
	case KEY_PATH:
	case KEY_TEXT:
	case KEY_URL:
	case KEY_STORE:
		print_text(*(const struct span *)field, w);
		break;
	case KEY_LISTEN:
		print_listen(field, w);
		break;
	case KEY_NAMES:
		for (size_t i = 0; i < c->sip_interface_count; i++) {
			writer_text(w, i > 0 ? " " : "");
			writer_put(w, c->sip_interfaces[i]);
		}
		break;
	case KEY_CHOICE:
		writer_text(w, words_of(key)[*(const uint32_t *)field]);
		break;
	case KEY_BOOL_WORD:
		writer_text(w, words_of(key)[*(const bool *)field ? 1 : 0]);
		break;
	case KEY_ACCESS:
		writer_text(w, c->access_by_key ? "key" : "");
		writer_text(w, c->access_by_key && c->access_by_neighbour ? " " : "");
		writer_text(w, c->access_by_neighbour ? "neighbour" : "");
		break;
	case KEY_COUNT:
		writer_unsigned(w, *(const uint64_t *)field);
		break;
	case KEY_DURATION:
	case KEY_DURATION_OR_0:
		print_duration(*(const uint64_t *)field, w);
		break;
	}
}

void configuration_print(const struct configuration *configuration, struct writer *w)
{
	const char *section = "";

	for (size_t i = 0; i < key_count; i++) {
		if (strcmp(section, keys[i].section) != 0) {
			writer_text(w, *section ? "\n[" : "[");
			writer_text(w, keys[i].section);
			writer_text(w, "]\n");
			section = keys[i].section;
		}
		writer_text(w, keys[i].name);
		writer_text(w, " = ");
		print_value(configuration, &keys[i], w);
		writer_char(w, '\n');
		if (keys[i].type != KEY_URL) {
			continue;
		}
		for (size_t j = 0; j < configuration->vendor_url_count; j++) {
			writer_text(w, "url.");
			writer_put(w, configuration->vendor_urls[j].vendor);
			writer_text(w, " = ");
			print_text(configuration->vendor_urls[j].url, w);
			writer_char(w, '\n');
		}
	}
}
