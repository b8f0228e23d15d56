/* SPDX-License-Identifier: MIT */
/* Reading the configuration file and the vendor packs: at start, for --check, and on SIGHUP. */
#include "programs/bellhopd/server.h"

#include "io/packs.h"

#include <errno.h>
#include <openssl/ssl.h>

static int read_file(const char *path, struct arena *arena, struct span *text)
{
	FILE *file = fopen(path, "re");
	char *bytes;
	size_t length;
	int error = 0;

	if (!file) {
		return -errno;
	}
	bytes = arena_allocate(arena, configuration_bytes_max + 1);
	length = bytes ? fread(bytes, 1, configuration_bytes_max + 1, file) : 0;
	if (!bytes) {
		error = -ENOMEM;
	} else if (ferror(file)) {
		error = -EIO;
	} else if (length > configuration_bytes_max) {
		error = -EFBIG;
	} else {
		*text = span_make(bytes, length);
	}
	fclose(file);
	return error;
}

static void print_mistakes(const char *path, const struct ini *ini)
{
	for (size_t i = 0; i < ini->mistake_count; i++) {
		fprintf(stderr, "%s:%u: %.*s\n", path, ini->mistakes[i].line,
			(int)ini->mistakes[i].text.length, ini->mistakes[i].text.data);
	}
	if (ini->mistakes_dropped > 0) {
		fprintf(stderr, "%s: and %zu more mistakes\n", path, ini->mistakes_dropped);
	}
}

static int read_config(const char *path, struct arena *arena, struct configuration *config)
{
	struct span text = {0};
	struct ini ini = {0};
	int error = path ? read_file(path, arena, &text) : 0;

	if (error == 0) {
		error = configuration_parse(config, arena, text, &ini);
	}
	if (error != 0) {
		fprintf(stderr, "bellhopd: cannot read the configuration %s: %s\n",
			path ? path : "(defaults)", strerror(-error));
		return error;
	}
	print_mistakes(path, &ini);
	return ini.mistake_count > 0 ? -EINVAL : 0;
}

enum { config_arena_bytes_max = 16 << 20 };

int server_read_config(struct server *server)
{
	arena_init(&server->config_arena, config_arena_bytes_max);
	return read_config(server->config_path, &server->config_arena, &server->config);
}

static void tell_of_pack(void *context, const char *sentence)
{
	log_error(context, "pack_refused", "%s", sentence);
}

int server_load_packs(const struct configuration *config, const struct vendors *before,
		      struct vendors *vendors, struct log *log)
{
	char folder[packs_path_max];
	struct packs_source source = {.folder = folder,
				      .origin = VENDOR_SHIPPED,
				      .before = before,
				      .refused = tell_of_pack,
				      .context = log};
	int refused = packs_find_folder(folder);
	int refused_own;

	if (refused == 0) {
		refused = packs_load(&source, vendors);
	}
	if (refused < 0) {
		log_error(log, "no_vendor_packs",
			  "the vendor packs that come with Bellhop are not found; set "
			  "BELLHOP_VENDORS to their folder");
		return refused;
	}
	if (snprintf(folder, sizeof(folder), "%s/vendors", config->data.data) >= packs_path_max) {
		return refused;
	}
	source.origin = VENDOR_OPERATORS;
	refused_own = packs_load(&source, vendors);
	return refused_own > 0 ? refused + refused_own : refused;
}

int server_check_urls(const struct configuration *config, const char *path,
		      const struct vendors *vendors, char *problem, size_t problem_size)
{
	/* Everything at its longest: what fits now fits every device. A door that is shut has none.
	 */
	struct config_server server = {
		.address = address_ipv4(255, 255, 255, 255),
		.http_port = config->http_listen.count > 0 ? 65535 : 0,
		.https_port = configuration_serves_https(config) ? 65535 : 0,
		.tftp_port = config->tftp_listen.count > 0 ? 65535 : 0,
		.sip_port = 65535,
	};
	struct device device = {.state = DEVICE_CLAIMED, .model = "C450HD"};

	memset(device.key, 'f', sizeof(device.key) - 1);
	for (size_t i = 0; i < vendors->count; i++) {
		const struct vendor_pack *pack = vendors->packs[i];
		char url[config_url_max];
		struct writer w = writer_over(url, sizeof(url));
		char reason[300] = "";
		char where[300] = "";
		unsigned line = 0;
		int error;

		server.url = configuration_url(config, pack->name, &line);
		(void)span_to_text(pack->name, device.vendor, sizeof(device.vendor));
		error = config_url(&device, pack, &server, &w, reason, sizeof(reason));
		if (error != 0) {
			if (path && line > 0) {
				snprintf(where, sizeof(where), "%.280s:%u: ", path, line);
			}
			snprintf(problem, problem_size,
				 "%s[provisioning] url does not suit %.*s phones: %s", where,
				 (int)pack->name.length, pack->name.data, reason);
			return error;
		}
	}
	return 0;
}

void server_warn(const struct configuration *config, struct log *log)
{
	char text[configuration_warning_max];
	struct writer w = writer_over(text, sizeof(text));

	for (size_t i = 0; configuration_warning(config, i, &w); i++) {
		log_warning(log, "configuration", "%.*s", (int)w.length, w.data);
		w = writer_over(text, sizeof(text));
	}
}

enum report_level server_log_level(const struct configuration *config)
{
	return (enum report_level)((uint32_t)REPORT_ERROR - config->log_level);
}

void server_set_policy(struct server *server)
{
	const struct configuration *config = &server->config;

	server->policy = (struct policy){
		.unknown = (enum policy_unknown)config->unknown,
		.access_by_key = config->access_by_key,
		.access_by_neighbour = config->access_by_neighbour,
		.serves_routed = config->serves_routed,
		.serves_spoofed = config->serves_spoofed,
	};
}

/* Copies the texts that take effect at once into `arena`, which then lives as long as they do. */
static int own_texts(struct configuration *config, struct arena *arena)
{
	struct span *texts[] = {&config->url, &config->https_certificate, &config->https_key,
				&config->https_client_ca};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		*texts[i] = arena_copy(arena, *texts[i]);
		if (!texts[i]->data) {
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < config->vendor_url_count; i++) {
		struct configuration_vendor_url *own = &config->vendor_urls[i];

		own->vendor = arena_copy(arena, own->vendor);
		own->url = arena_copy(arena, own->url);
		if (!own->vendor.data || !own->url.data) {
			return -ENOMEM;
		}
	}
	return 0;
}

/* The keys that take effect at once; the others are of sockets and tables that stay as they are. */
static void take_over(struct server *server, const struct configuration *fresh)
{
	struct configuration *running = &server->config;

	running->url = fresh->url;
	memcpy(running->vendor_urls, fresh->vendor_urls, sizeof(running->vendor_urls));
	running->vendor_url_count = fresh->vendor_url_count;
	running->unknown = fresh->unknown;
	running->access_by_key = fresh->access_by_key;
	running->access_by_neighbour = fresh->access_by_neighbour;
	running->serves_routed = fresh->serves_routed;
	running->serves_spoofed = fresh->serves_spoofed;
	running->log_level = fresh->log_level;
	running->https_certificate = fresh->https_certificate;
	running->https_key = fresh->https_key;
	running->https_client_ca = fresh->https_client_ca;
	server_set_policy(server);
}

/*
 * `context`, which is NULL when the fresh configuration serves no HTTPS, is for the connections
 * that come from now on. A door that was shut opens; one that is open stays so until the next
 * start.
 */
static void take_tls(struct server *server, const struct configuration *fresh, SSL_CTX *context)
{
	char problem[server_problem_size];

	if (context && server->tls) {
		tls_replace(server->tls, context);
	} else if (context) {
		server->config.https_listen = fresh->https_listen;
		if (server_open_https(server, fresh, context, problem, sizeof(problem)) != 0) {
			log_error(&server->log, "https_not_open",
				  "%s; the next reload or start tries again", problem);
		}
	}
}

/* "[sip] canary, [limits] rules": the lines of two printed configurations that differ. */
static void write_differing(struct span running, struct span fresh, struct writer *w)
{
	struct span section = {.data = NULL};

	while (fresh.length > 0) {
		struct span line = span_cut(&fresh, '\n');
		bool is_same = span_equal(line, span_cut(&running, '\n'));

		if (span_starts_with(line, SPAN("["))) {
			section = line;
		} else if (!is_same) {
			writer_text(w, w->length > 0 ? ", " : "");
			writer_put(w, section);
			writer_char(w, ' ');
			writer_put(w, span_trim(span_slice(line, 0, span_find(line, '='))));
		}
	}
}

/* The keys that only a restart brings into force, into `w`. */
static void write_waiting_keys(const struct server *server, const struct configuration *fresh,
			       struct arena *arena, struct writer *w)
{
	enum { printed_max = 1 << 17 };
	struct writer a = writer_over(arena_allocate(arena, printed_max), printed_max);
	struct writer b = writer_over(arena_allocate(arena, printed_max), printed_max);

	if (!a.data || !b.data) {
		return;
	}
	configuration_print(&server->config, &a);
	configuration_print(fresh, &b);
	write_differing(writer_span(&a), writer_span(&b), w);
	/* A door that is open stays so, though its certificate was taken over as none. */
	if (w->length == 0 && server->tls && !configuration_serves_https(fresh)) {
		writer_text(w, "[https] certificate");
	}
}

/*
 * What a reload needs, all of it or nothing: configuration, packs, certificates, and that they go
 * together.
 */
static int read_afresh(struct server *server, struct arena *arena, struct configuration *fresh,
		       struct vendors *vendors, SSL_CTX **context)
{
	char problem[server_problem_size];
	int error = read_config(server->config_path, arena, fresh);

	if (error != 0) {
		log_error(&server->log, "reload_refused",
			  "the configuration file has mistakes; the running one stays");
		return error;
	}
	/* A broken pack is told, and what it was before stays: it holds up nothing else. */
	error = server_load_packs(fresh, &server->inventory.vendors, vendors, &server->log);
	if (error < 0) {
		log_error(&server->log, "reload_refused",
			  "there are no vendor packs; the running ones and the configuration stay");
		return error;
	}
	error = server_check_urls(fresh, server->config_path, vendors, problem, sizeof(problem));
	if (error == 0) {
		error = server_load_tls(fresh, server->config_path, &server->log, context, problem,
					sizeof(problem));
	}
	if (error != 0) {
		log_error(&server->log, "reload_refused", "%s; the running configuration stays",
			  problem);
	}
	return error;
}

void server_reload(struct server *server)
{
	struct vendors vendors = {0};
	struct configuration fresh;
	struct arena arena;
	struct arena texts;
	SSL_CTX *context = NULL;
	char keys[500];
	struct writer waiting = writer_over(keys, sizeof(keys));

	arena_init(&arena, config_arena_bytes_max);
	arena_init(&texts, config_arena_bytes_max);
	if (read_afresh(server, &arena, &fresh, &vendors, &context) != 0 ||
	    own_texts(&fresh, &texts) != 0) {
		SSL_CTX_free(context);
		arena_free(&texts);
		goto out;
	}
	pthread_rwlock_wrlock(&server->lock);
	take_over(server, &fresh);
	take_tls(server, &fresh, context);
	inventory_set_vendors(&server->inventory, &vendors);
	arena_free(&server->reload_arena);
	server->reload_arena = texts;
	pthread_rwlock_unlock(&server->lock);
	log_set_level(&server->log, server_log_level(&fresh));
	write_waiting_keys(server, &fresh, &arena, &waiting);
	log_info(&server->log, "reloaded", "%s%s%.*s%s",
		 server->config_path ? server->config_path : "defaults",
		 waiting.length > 0 ? "; " : "", (int)waiting.length, waiting.data,
		 waiting.length > 0 ? " take effect at the next start" : "");
	server_warn(&fresh, &server->log);
out:
	vendors_free(&vendors);
	arena_free(&arena);
}
