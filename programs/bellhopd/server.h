/* SPDX-License-Identifier: MIT */
/*
 * The parts of bellhopd and how they are wired: the inventory under its lock, the store's thread,
 * the SIP door's thread, and on the main loop the HTTP and TFTP doors, the admin socket and the
 * catalogue.
 */
#ifndef BELLHOP_PROGRAMS_BELLHOPD_SERVER_H
#define BELLHOP_PROGRAMS_BELLHOPD_SERVER_H

#include "core/admin/configuration.h"
#include "core/provision/rate_limit.h"
#include "io/admin_door.h"
#include "io/catalogue.h"
#include "io/http_door.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/neighbour.h"
#include "io/sip_door.h"
#include "io/store.h"
#include "io/tftp_door.h"
#include "io/tls.h"

enum { server_problem_size = 512, server_addresses_max = 256 };

struct server {
	const char *config_path; /* NULL: defaults */
	struct arena config_arena;
	struct configuration config;
	struct arena reload_arena; /* texts of `config` that a reload brought */
	uint64_t since_utc_ms;
	struct log log;
	struct loop loop;
	bool is_loop_open;
	pthread_rwlock_t lock; /* of inventory, policy and the URLs of config */
	struct inventory inventory;
	struct policy policy;
	struct interfaces *interfaces;
	struct interfaces_listener interfaces_listener;
	/* A copy of our addresses that every thread may read. */
	pthread_mutex_t addresses_lock;
	struct interface_address addresses[server_addresses_max];
	size_t address_count;
	struct neighbours *neighbours;
	struct store *store;
	pthread_mutex_t sip_door_lock; /* of the pointer, which the store's thread uses too */
	struct sip_door *sip_door;
	struct files_context files;
	/* What one source may have told about it: a flood of refused requests fills neither the
	 * log nor the events. The main thread's. */
	struct rate_limit reports;
	uint64_t reports_left_out;
	struct sightings sightings; /* the main thread's */
	struct door door;
	struct http_door *http_door;
	struct tls *tls; /* of the HTTPS door; NULL: it is shut. Written under `lock` */
	struct tftp_door *tftp_door;
	struct catalogue *catalogue;
	struct admin_door *admin_door;
	uv_signal_t signals[3];
};

/*
 * To be called first: makes the libraries of core ready, so that core itself never touches clock or
 * file, and OpenSSL without its configuration file. 0, or -EIO when there are no random numbers.
 */
int server_prepare_process(void);

/*
 * Makes all parts and opens all doors. 0, or a negative errno with one sentence in `problem` that
 * says what failed and what to do; server_stop then frees what was made.
 */
int server_start(struct server *server, char *problem, size_t problem_size);

/* Finishes what is under way and frees everything. */
void server_stop(struct server *server);

/*
 * Reads the configuration file (or the defaults when `config_path` is NULL) into server->config.
 * 0; -EINVAL after every mistake was written to stderr with file and line; other negative errno
 * after one line that says why the file cannot be read.
 */
int server_read_config(struct server *server);

/* Logs what is legal in the configuration but does not do what it seems to. */
void server_warn(const struct configuration *config, struct log *log);

/* The policy that the configuration asks for; under the write lock once doors are open. */
void server_set_policy(struct server *server);

enum report_level server_log_level(const struct configuration *config);

/*
 * SIGHUP: packs, [provisioning], [log] and the certificates of [https] anew; a mistake in the
 * configuration changes nothing, and one in a pack nothing of that pack.
 */
void server_reload(struct server *server);

/*
 * The packs that come with Bellhop, then those of DATA/vendors. A broken one is told and left out,
 * or stays as it is in `before`, the packs in use (NULL at the start). Returns how many were
 * refused, or a negative errno when there are none at all.
 */
int server_load_packs(const struct configuration *config, const struct vendors *before,
		      struct vendors *vendors, struct log *log);

/*
 * Checks every maker's URL of the configuration at its longest: 0, or -E2BIG / -EINVAL with a
 * sentence that names the maker, and the line of the file `path` (NULL: the defaults).
 */
int server_check_urls(const struct configuration *config, const char *path,
		      const struct vendors *vendors, char *problem, size_t problem_size);

/*
 * Loads what HTTPS needs: 0 and `*context`, which is NULL when the configuration serves no HTTPS;
 * or a negative errno with one sentence that names the file `path`, line, key and remedy.
 */
int server_load_tls(const struct configuration *config, const char *path, struct log *log,
		    SSL_CTX **context, char *problem, size_t problem_size);

/*
 * Listens where `config` says, with `context`, which is taken over; while the door is shut only. 0,
 * or a negative errno with one sentence: the door is then shut (server->tls is NULL), unless one of
 * several endpoints was good.
 */
int server_open_https(struct server *server, const struct configuration *config, SSL_CTX *context,
		      char *problem, size_t problem_size);

/* Both, at the start; says so when there is no certificate. */
int server_start_https(struct server *server, char *problem, size_t problem_size);

/* server_for of files and API: our address on the device's side, as recorded; else `local`. */
void server_facts_for_device(void *context, const struct device *device, struct address local,
			     struct config_server *out);

/* server_for of signalling: `local`, the address that the phone talks to now. */
void server_facts_for_sender(void *context, const struct device *device, struct address local,
			     struct config_server *out);

/* Copies our addresses for all threads; also the listener of interfaces. */
void server_take_addresses(void *context, uint32_t index);

/* facts of the admin door: listeners and counters. */
void server_facts(void *context, struct arena *arena, struct api_facts *facts);

#endif
