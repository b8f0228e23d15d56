/* SPDX-License-Identifier: MIT */
#include "programs/bellhopd/server.h"

#include "io/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	store_queue_max = 65536,
	store_report_delay_ms = 200,
	store_busy_ms = 2000,
	other_form_ms = 1500, /* a guessed form without an answer: the other one follows */
	store_audit_max = 100000,
	admin_connections_max = 64,
	withdrawn_max = 1024,	       /* notices of one restore; more: all NOTIFYs end */
	neighbours_pending_max = 1024, /* of phones that fetch before they were seen */
	reports_per_second = 10,       /* about one source; a phone's round makes a handful */
	reports_burst = 200,
};
static const uint64_t upload_bytes_max = UINT64_C(1) << 30;

static int fail(char *problem, size_t problem_size, int error, const char *what)
{
	snprintf(problem, problem_size, "%s: %s", what, strerror(-error));
	return error;
}

static int make_seed(uint8_t seed[static random_seed_size])
{
	return getrandom(seed, random_seed_size, 0) == random_seed_size ? 0 : -EIO;
}

int server_prepare_process(void)
{
	struct rlimit files;
	size_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		return -EIO;
	}
	json_object_seed(seed);
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	signal(SIGPIPE, SIG_IGN);
	umask(0077); /* keys and passwords are in what we make */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return 0;
}

/* Made by somebody else, and not for one user alone: who may write there can replace the database.
 */
static void warn_of_open_folder(struct server *server, const char *path, mode_t mode)
{
	if (mode & (S_IRWXG | S_IRWXO)) {
		log_warning(&server->log, "data_folder_open",
			    "others may enter the data folder %s (mode %04o); chmod 0700 it", path,
			    (unsigned)(mode & 07777));
	}
}

static int make_data_folder(struct server *server, char *problem, size_t problem_size)
{
	const char *path = server->config.data.data;
	struct stat info;

	if (mkdir(path, 0700) == 0) {
		return 0;
	}
	if (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
		if (access(path, R_OK | W_OK | X_OK) == 0) {
			warn_of_open_folder(server, path, info.st_mode);
			return 0;
		}
	}
	snprintf(problem, problem_size,
		 "the data folder %s cannot be used: %s; make it for this user, or name another "
		 "in [server] data",
		 path, strerror(errno));
	return -errno;
}

/* Callbacks of the doors. */

static int post_change(void *context, const struct change *change)
{
	struct server *server = context;
	struct change dated = *change;

	if (dated.utc_ms == 0) {
		dated.utc_ms = loop_utc_ms();
	}
	return store_post(server->store, &dated, SPAN("")); /* nobody to name in the audit log */
}

static void keep_event(void *context, const struct effect_report *report)
{
	struct server *server = context;

	store_event(server->store, report, loop_utc_ms());
}

static void report_of_door(void *context, const struct effect_report *report)
{
	struct server *server = context;

	if (address_is_set(report->source.address) &&
	    !rate_limit_take(&server->reports, report->source.address,
			     loop_now_ms(&server->loop))) {
		server->reports_left_out++;
		return;
	}
	log_report(&server->log, report);
	if (report->level >= REPORT_INFO) {
		keep_event(server, report);
	}
}

static int limit_reports(struct server *server)
{
	uint8_t seed[random_seed_size];
	struct random random;
	int error = make_seed(seed);

	if (error == 0) {
		random_init(&random, seed);
		rate_limit_init(&server->reports, reports_per_second, reports_burst, &random);
		sightings_init(&server->sightings, &random);
	}
	return error;
}

static void link_for(void *context, struct address source, uint32_t interface,
		     struct link_evidence *link, char name[static device_interface_size])
{
	struct server *server = context;
	uint32_t index = interface ? interface : interfaces_towards(server->interfaces, source);
	const struct interface *found = interfaces_by_index(server->interfaces, index);
	struct mac mac;

	*link = (struct link_evidence){0};
	snprintf(name, device_interface_size, "%s", found ? found->name : "");
	switch (neighbours_resolve(server->neighbours, source, interface, &mac)) {
	case NEIGHBOUR_FOUND:
		link->is_known = true;
		link->mac = mac;
		link->by = IDENTIFIED_BY_NEIGHBOUR;
		break;
	case NEIGHBOUR_UNKNOWN:
		link->is_pending = true;
		break;
	case NEIGHBOUR_ROUTED:
		link->is_routed = true;
		break;
	case NEIGHBOUR_NONE:
		break;
	}
}

static void notify_sip_door(struct server *server, const struct notice *notice)
{
	/* Held all the while: the door is not freed from under the notice. */
	pthread_mutex_lock(&server->sip_door_lock);
	if (server->sip_door) {
		(void)sip_door_notice(server->sip_door, notice);
	}
	pthread_mutex_unlock(&server->sip_door_lock);
}

/* On the store's thread: a sender that is no device, the first time that it comes to the list. */
static void tell_unidentified(struct server *server, const struct change *change)
{
	char text[event_text_max];
	struct writer w = writer_over(text, sizeof(text));
	struct effect_report report = {.level = REPORT_INFO, .reason = "unidentified_seen"};
	bool is_news;

	pthread_rwlock_wrlock(&server->lock);
	is_news = unidentified_tell(&server->inventory.unidentified, change->address,
				    change->interface, &w);
	pthread_rwlock_unlock(&server->lock);
	if (is_news) {
		report.text = writer_span(&w);
		report.source.address = change->address;
		log_report(&server->log, &report);
		keep_event(server, &report);
	}
}

/* Was it claimed by this, by a person or by a rule, and is it there to be told? */
static bool is_claim_to_tell(struct server *server, const struct change *change)
{
	const struct device *device;
	bool is_told;

	if (change->kind != CHANGE_DEVICE_CLAIM && change->kind != CHANGE_DEVICE_SEEN) {
		return false;
	}
	pthread_rwlock_rdlock(&server->lock);
	device = inventory_device(&server->inventory, change->mac);
	is_told = device && (change->kind == CHANGE_DEVICE_CLAIM || device->claimed_by[0]) &&
		  resync_tells_claimed(&server->inventory, device, loop_utc_ms());
	pthread_rwlock_unlock(&server->lock);
	return is_told;
}

/*
 * On the store's thread: a phone that has its files needs no more copies of its NOTIFY, one that
 * was blocked or removed must not get another, and one that was claimed is told.
 */
static void change_committed(void *context, const struct change *change)
{
	struct server *server = context;
	uint64_t utc_ms = loop_utc_ms();
	struct notice notice = {.kind = NOTICE_FETCHED,
				.mac = change->mac,
				.is_essential = change->is_complete,
				.age_ms = utc_ms > change->utc_ms ? utc_ms - change->utc_ms : 0};

	if (change->kind == CHANGE_DEVICE_BLOCK || change->kind == CHANGE_DEVICE_REMOVE) {
		notice.kind = NOTICE_WITHDRAWN;
	} else if (change->kind == CHANGE_UNIDENTIFIED_SEEN) {
		tell_unidentified(server, change);
		return;
	} else if (is_claim_to_tell(server, change)) {
		notice.kind = NOTICE_CLAIMED;
	} else if (change->kind != CHANGE_DEVICE_FETCHED) {
		return;
	}
	notify_sip_door(server, &notice);
}

static void store_problem(void *context, const char *sentence)
{
	struct server *server = context;

	log_error(&server->log, "store_failed", "%s", sentence);
}

static void store_tells(void *context, const char *sentence)
{
	struct server *server = context;

	log_info(&server->log, "store", "%s", sentence);
}

/* It may not be told its URL any more, or its URL is another one. */
static bool is_withdrawn(const struct device *before, const struct device *now)
{
	return device_is_claimed(before) &&
	       (!now || !device_is_claimed(now) || strcmp(before->key, now->key) != 0);
}

/*
 * On the store's thread, which alone changes devices and may look at them without the lock: no
 * NOTIFY is sent again with a URL that the restored database does not know.
 */
static void withdraw_all(struct server *server, const struct inventory *before)
{
	const struct device *device;
	size_t cursor = 0;
	size_t count = 0;

	while ((device = inventory_next_device(before, &cursor))) {
		if (!is_withdrawn(device, inventory_device(&server->inventory, device->mac))) {
			continue;
		}
		if (++count > withdrawn_max) {
			notify_sip_door(server, &(struct notice){.kind = NOTICE_WITHDRAWN_ALL});
			return;
		}
		notify_sip_door(server,
				&(struct notice){.kind = NOTICE_WITHDRAWN, .mac = device->mac});
	}
}

static void database_restored(void *context, const struct store_restored *restored)
{
	struct server *server = context;
	char text[event_text_max];
	struct effect_report report = {.level = REPORT_WARNING, .reason = "database_restored"};
	int length =
		snprintf(text, sizeof(text),
			 "%s restored a database of %llu devices, %llu of them stale; what was "
			 "is kept as %s",
			 restored->who, (unsigned long long)restored->holdings.devices,
			 (unsigned long long)restored->stale, restored->kept);

	withdraw_all(server, restored->before);
	report.text =
		span_make(text, length < (int)sizeof(text) ? (size_t)length : sizeof(text) - 1);
	log_report(&server->log, &report);
	keep_event(server, &report);
}

static void files_changed(void *context)
{
	struct server *server = context;

	if (server->catalogue) {
		(void)catalogue_scan(server->catalogue);
	}
}

/* An admin's order to phones, on the main thread. What it comes to is told for each of them. */
static int give_order(void *context, struct resync_list *list, const char *who)
{
	struct server *server = context;
	char text[event_text_max];
	struct effect_report report = {.level = REPORT_INFO, .reason = "resync_ordered"};
	int length = snprintf(text, sizeof(text), "%s orders %zu device%s to %s", who, list->count,
			      list->count == 1 ? "" : "s",
			      list->order == RESYNC_ORDER_REBOOT ? "restart" : "fetch again");
	int error = server->sip_door ? sip_door_order(server->sip_door, list) : -ENOTCONN;

	if (error == 0) {
		report.text = span_make(text, (size_t)length);
		log_report(&server->log, &report);
		keep_event(server, &report);
	}
	return error;
}

/* The parts, one after the other. */

static int start_inventory(struct server *server, char *problem, size_t problem_size)
{
	const struct configuration *config = &server->config;
	struct inventory_limits limits = {
		.devices_max = config->devices_max,
		.new_devices_max = config->new_devices_max,
		.unidentified_max = config->unidentified_max,
		.profiles_max = config->profiles_max,
		.files_max = config->files_max,
		.rules_max = config->rules_max,
		.pools_max = config->pools_max,
		.pool_numbers_max = config->pool_numbers_max,
		.forms_max = config->forms_max,
	};
	struct vendors vendors = {0};
	uint8_t seed[random_seed_size];
	int error = make_seed(seed);

	if (error == 0) {
		error = store_lock_init(&server->lock);
	}
	if (error == 0) {
		error = inventory_init(&server->inventory, &limits, seed);
	}
	if (error != 0) {
		return fail(problem, problem_size, error, "the inventory cannot be made");
	}
	error = server_load_packs(config, NULL, &vendors, &server->log);
	if (error < 0) {
		return fail(problem, problem_size, error, "no vendor packs");
	}
	error = server_check_urls(config, server->config_path, &vendors, problem, problem_size);
	inventory_set_vendors(&server->inventory, &vendors);
	vendors_free(&vendors);
	server_set_policy(server);
	return error;
}

static int start_store(struct server *server, char *problem, size_t problem_size)
{
	struct store_sqlite_options database = {
		.path = server->config.store_url.data + strlen("sqlite:"),
		.events_max = server->config.events_max,
		.audit_max = store_audit_max,
		.busy_ms = store_busy_ms,
		.tell = store_tells,
		.context = server,
	};
	struct store_options options = {
		.inventory = &server->inventory,
		.inventory_lock = &server->lock,
		.queue_max = store_queue_max,
		.events_max = server->config.events_max,
		.report_delay_ms = store_report_delay_ms,
		.committed = change_committed,
		.problem = store_problem,
		.restored = database_restored,
		.context = server,
	};
	int error = store_sqlite_open(&options.database, &database, problem, problem_size);

	return error != 0 ? error : store_start(&server->store, &options, problem, problem_size);
}

static int start_network(struct server *server, char *problem, size_t problem_size)
{
	struct neighbour_options options = {.entries_max = server->config.neighbours_max,
					    .pending_max = neighbours_pending_max};
	int error = interfaces_open(&server->interfaces, &server->loop, &server->log);

	if (error != 0) {
		return fail(problem, problem_size, error, "the network interfaces cannot be read");
	}
	server->interfaces_listener =
		(struct interfaces_listener){.changed = server_take_addresses, .context = server};
	interfaces_listen(server->interfaces, &server->interfaces_listener);
	server_take_addresses(server, 0);
	error = neighbours_open(&server->neighbours, &server->loop, server->interfaces, &options,
				&server->log);
	return error == 0
		       ? 0
		       : fail(problem, problem_size, error, "the neighbour table cannot be read");
}

static int open_sip_door(struct server *server, const struct sip_door_options *options,
			 char *problem)
{
	struct sip_door *door = NULL;
	int error = sip_door_start(&door, options, problem);

	pthread_mutex_lock(&server->sip_door_lock);
	server->sip_door = door;
	pthread_mutex_unlock(&server->sip_door_lock);
	return error;
}

static void close_sip_door(struct server *server)
{
	struct sip_door *door = server->sip_door;

	pthread_mutex_lock(&server->sip_door_lock);
	server->sip_door = NULL;
	pthread_mutex_unlock(&server->sip_door_lock);
	sip_door_stop(door);
}

static enum group_socket_kind group_socket_of(const struct configuration *config)
{
	switch (config->sip_group_socket) {
	case CONFIGURATION_GROUP_UDP:
		return GROUP_SOCKET_UDP;
	case CONFIGURATION_GROUP_PACKET:
		return GROUP_SOCKET_PACKET;
	default:
		return GROUP_SOCKET_AUTO;
	}
}

static int start_sip(struct server *server, char *problem, size_t problem_size)
{
	const struct configuration *config = &server->config;
	struct sip_door_options options = {
		.listen_count = config->sip_listen.count,
		.group_socket = group_socket_of(config),
		.canary_interval_ms = config->sip_canary_ms,
		.signalling =
			{
				.inventory = &server->inventory,
				.policy = &server->policy,
				.server_for = server_facts_for_sender,
				.context = server,
				.server_transactions_max = config->sip_transactions_max,
				.client_transactions_max = config->sip_transactions_max,
				.waiting_max = config->sip_waiting_max,
				.resync = {.targets_max = config->resyncs_max,
					   .rate = (uint32_t)config->resync_rate,
					   .concurrency = (uint32_t)config->resync_concurrency,
					   .verify_ms = config->resync_verify_ms},
				.requests_per_second = (uint32_t)config->sip_requests_per_source,
				.requests_burst = 2 * (uint32_t)config->sip_requests_per_source,
				.server_header = SPAN("Bellhop/" BELLHOP_VERSION),
				.pads_answers = config->pads_answers,
				.other_form_ms = other_form_ms,
			},
		.inventory_lock = &server->lock,
		.neighbours_max = config->neighbours_max,
		.report = keep_event,
		.change = post_change,
		.context = server,
		.log = &server->log,
	};

	for (size_t i = 0; i < config->sip_listen.count; i++) {
		options.listen[i] = config->sip_listen.endpoints[i];
	}
	if (config->sip_group.count > 0) {
		options.group = config->sip_group.endpoints[0];
	}
	for (size_t i = 0; i < config->sip_interface_count; i++) {
		(void)span_to_text(config->sip_interfaces[i], options.interfaces[i], IF_NAMESIZE);
	}
	options.interface_count = config->sip_interface_count;
	if (problem_size < sip_door_problem_size || make_seed(options.signalling.seed) != 0 ||
	    make_seed(options.canary_seed) != 0) {
		return fail(problem, problem_size, -EIO, "no random numbers");
	}
	return open_sip_door(server, &options, problem);
}

static int start_files(struct server *server, char *problem, size_t problem_size)
{
	const struct configuration *config = &server->config;
	struct http_door_options http = {
		.connections_max = config->http_connections_max,
		.connections_per_source_max = config->http_connections_per_source_max,
	};
	struct tftp_door_options tftp = {
		.transfers_max = config->tftp_transfers_max,
		.transfers_per_source_max = config->tftp_transfers_per_source_max,
		.rolls_over_to_1 = config->tftp_rolls_over_to_1,
	};
	int error = make_seed(tftp.seed);

	if (error == 0) {
		error = make_seed(http.seed);
	}
	server->files = (struct files_context){.inventory = &server->inventory,
					       .policy = &server->policy,
					       .server_for = server_facts_for_device,
					       .server_context = server,
					       .sightings = &server->sightings};
	server->door.files_fd = catalogue_open_directory(config->data.data);
	if (server->door.files_fd < 0) {
		return fail(problem, problem_size, server->door.files_fd,
			    "the folder DATA/files cannot be opened");
	}
	if (error == 0) {
		error = http_door_new(&server->http_door, &server->loop.uv, &server->door, &http);
	}
	if (error == 0) {
		error = tftp_door_new(&server->tftp_door, &server->loop, &server->door, &tftp);
	}
	if (error == 0) {
		error = catalogue_start(&server->catalogue, &server->loop.uv, &server->door);
	}
	if (error != 0) {
		return fail(problem, problem_size, error, "the doors for files cannot be made");
	}
	for (size_t i = 0; error == 0 && i < config->http_listen.count; i++) {
		error = http_door_listen(server->http_door, config->http_listen.endpoints[i],
					 problem, problem_size);
	}
	for (size_t i = 0; error == 0 && i < config->tftp_listen.count; i++) {
		error = tftp_door_listen(server->tftp_door, config->tftp_listen.endpoints[i],
					 problem, problem_size);
	}
	return error;
}

static int start_admin(struct server *server, char *problem, size_t problem_size)
{
	char files_path[4096];
	struct admin_door_options options = {
		.loop = &server->loop.uv,
		.path = server->config.admin_socket.data,
		.files_path = files_path,
		.store = server->store,
		.inventory = &server->inventory,
		.inventory_lock = &server->lock,
		.connections_max = admin_connections_max,
		.upload_bytes_max = upload_bytes_max,
		.facts = server_facts,
		.server_for = server_facts_for_device,
		.files_changed = files_changed,
		.order = give_order,
		.context = server,
	};

	snprintf(files_path, sizeof(files_path), "%s/files", server->config.data.data);
	return admin_door_open(&server->admin_door, &options, problem, problem_size);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *server = handle->data;

	if (number == SIGHUP) {
		server_reload(server);
		return;
	}
	log_info(&server->log, "stopping", "on signal %d", number);
	loop_stop(&server->loop);
}

static int start_signals(struct server *server)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	int error = 0;

	for (size_t i = 0; error == 0 && i < 3; i++) {
		error = uv_signal_init(&server->loop.uv, &server->signals[i]);
		if (error == 0) {
			server->signals[i].data = server; /* also says that it is to be closed */
			error = uv_signal_start(&server->signals[i], on_signal, numbers[i]);
		}
	}
	return error;
}

int server_start(struct server *server, char *problem, size_t problem_size)
{
	int (*const steps[])(struct server *, char *, size_t) = {
		make_data_folder, start_inventory,    start_store, start_network,
		start_files,	  server_start_https, start_sip,   start_admin,
	};
	int error;

	server->since_utc_ms = loop_utc_ms();
	server->door = (struct door){.files = &server->files,
				     .lock = &server->lock,
				     .files_fd = -1,
				     .link_for = link_for,
				     .post = post_change,
				     .report = report_of_door,
				     .context = server};
	pthread_mutex_init(&server->addresses_lock, NULL);
	pthread_mutex_init(&server->sip_door_lock, NULL);
	error = limit_reports(server);
	if (error == 0) {
		error = loop_open(&server->loop);
		server->is_loop_open = error == 0;
	}
	if (error == 0) {
		error = start_signals(server);
	}
	if (error != 0) {
		return fail(problem, problem_size, error, "the event loop cannot be made");
	}
	for (size_t i = 0; error == 0 && i < sizeof(steps) / sizeof(*steps); i++) {
		error = steps[i](server, problem, problem_size);
	}
	return error;
}

static void stop_doors(struct server *server)
{
	if (server->admin_door) {
		admin_door_close(server->admin_door);
	}
	close_sip_door(server);
	if (server->catalogue) {
		catalogue_stop(server->catalogue);
	}
	if (server->http_door) {
		http_door_close(server->http_door, NULL, NULL);
	}
	if (server->tftp_door) {
		tftp_door_close(server->tftp_door, NULL, NULL);
	}
}

void server_stop(struct server *server)
{
	stop_doors(server);
	if (server->neighbours) {
		neighbours_close(server->neighbours);
	}
	if (server->interfaces) {
		interfaces_close(server->interfaces);
	}
	for (size_t i = 0; i < 3; i++) {
		if (server->signals[i].data) {
			uv_close((uv_handle_t *)&server->signals[i], NULL);
		}
	}
	if (server->is_loop_open) {
		loop_close(&server->loop);
	}
	tls_free(server->tls);
	if (server->store) {
		store_stop(server->store);
	}
	if (server->door.files_fd >= 0) {
		close(server->door.files_fd);
	}
	inventory_free(&server->inventory);
	arena_free(&server->config_arena);
	arena_free(&server->reload_arena);
}
