/* SPDX-License-Identifier: MIT */
/* What `bellhop status` and /metrics show of the running server. */
#include "programs/bellhopd/server.h"

#include <unistd.h>

enum {
	facts_listeners_max = 5 * configuration_listen_max,
	facts_counters_max = 256,
	warning_size = 512,
};

struct gathering {
	struct arena *arena;
	struct api_listener *listeners;
	size_t listener_count;
	struct api_counter *counters;
	size_t counter_count;
};

static void add_listener(struct gathering *g, const char *door, struct span address)
{
	struct span copy = arena_copy(g->arena, address);

	if (copy.data && g->listener_count < facts_listeners_max) {
		g->listeners[g->listener_count++] =
			(struct api_listener){.door = door, .address = copy.data};
	}
}

static void add_listeners(struct gathering *g, const char *door,
			  const struct configuration_listen *listen)
{
	for (size_t i = 0; i < listen->count; i++) {
		char text[endpoint_text_size];

		endpoint_text(listen->endpoints[i], text);
		add_listener(g, door, span_text(text));
	}
}

/* What hears the group is the SIP door's choice (group_socket = auto). */
static void add_group(struct gathering *g, struct server *server)
{
	struct sip_door_counters *sip = arena_allocate(g->arena, sizeof(*sip));
	bool is_packet = false;

	if (sip && server->sip_door) {
		sip_door_counters(server->sip_door, sip);
		is_packet = sip->group.is_packet;
	}
	add_listeners(g, is_packet ? "sip multicast by packets" : "sip multicast",
		      &server->config.sip_group);
}

static void add_counter(struct gathering *g, const char *group, const char *reason, uint64_t count)
{
	if (g->counter_count < facts_counters_max) {
		g->counters[g->counter_count++] =
			(struct api_counter){.group = group, .reason = reason, .count = count};
	}
}

static void add_sip(struct gathering *g, struct server *server)
{
	struct sip_door_counters *sip = arena_allocate(g->arena, sizeof(*sip));

	if (!sip || !server->sip_door) {
		return;
	}
	sip_door_counters(server->sip_door, sip);
	for (size_t i = 0; i < sip->reason_count; i++) {
		add_counter(g, "sip", sip->reasons[i].reason, sip->reasons[i].count);
	}
	add_counter(g, "sip_socket", "received", sip->unicast.received + sip->group.udp.received);
	add_counter(g, "sip_socket", "received_by_multicast", sip->group.udp.received);
	add_counter(g, "sip_socket", "sent", sip->unicast.sent);
	add_counter(g, "sip_socket", "send_errors", sip->unicast.send_errors);
	add_counter(g, "sip_socket", "send_full", sip->unicast.send_full);
	add_counter(g, "sip_socket", "icmp_errors", sip->unicast.icmp_errors);
	add_counter(g, "sip_socket", "truncated",
		    sip->unicast.truncated + sip->group.udp.truncated);
	add_counter(g, "sip_socket", "kernel_drops",
		    sip->unicast.kernel_drops + sip->group.udp.kernel_drops);
	add_counter(g, "sip_socket", "group_malformed", sip->group.frames.malformed);
	add_counter(g, "sip_socket", "group_checksum", sip->group.frames.checksum);
	add_counter(g, "sip_socket", "group_fragments", sip->group.frames.fragments);
	add_counter(g, "sip_socket", "foreign_interface", sip->foreign_interface);
	add_counter(g, "sip_socket", "own_source", sip->own_source);
	add_counter(g, "sip_socket", "not_for_us", sip->not_for_us);
	add_counter(g, "sip_socket", "effects_lost", sip->effects_lost);
	add_counter(g, "sip_socket", "changes_lost", sip->changes_lost);
	add_counter(g, "sip_socket", "notices_lost", sip->notices_lost);
	add_counter(g, "canary", "sent", sip->canary.counters.sent);
	add_counter(g, "canary", "answered", sip->canary.counters.answered);
	add_counter(g, "canary", "unmatched", sip->canary.counters.unmatched);
	add_counter(g, "canary", "no_maker", sip->canary.counters.no_maker);
	add_counter(g, "canary", "full", sip->canary.counters.full);
	add_counter(g, "neighbours", "asked", sip->neighbours.asked);
	add_counter(g, "neighbours", "found", sip->neighbours.found);
	add_counter(g, "neighbours", "failed", sip->neighbours.failed);
	add_counter(g, "neighbours", "timed_out", sip->neighbours.timed_out);
	add_counter(g, "neighbours", "refused", sip->neighbours.refused);
	add_counter(g, "neighbours", "full", sip->neighbours.full);
}

static void add_files(struct gathering *g, const struct server *server)
{
	if (server->http_door) {
		const struct http_server_counters *http = http_door_counters(server->http_door);

		add_counter(g, "http", "connections", http->connections);
		add_counter(g, "http", "requests", http->requests);
		add_counter(g, "http", "bad_requests", http->bad_requests);
		add_counter(g, "http", "timeouts", http->timeouts);
		add_counter(g, "http", "refused_full", http->refused_full);
		add_counter(g, "http", "refused_source", http->refused_source);
	}
	if (server->tftp_door) {
		const struct tftp_door_counters *tftp = tftp_door_counters(server->tftp_door);

		add_counter(g, "tftp", "requests", tftp->requests);
		add_counter(g, "tftp", "completed", tftp->completed);
		add_counter(g, "tftp", "refused", tftp->refused);
		add_counter(g, "tftp", "abandoned", tftp->abandoned);
		add_counter(g, "tftp", "ignored", tftp->ignored);
		add_counter(g, "tftp", "full", tftp->full);
		add_counter(g, "tftp", "resent", tftp->resent);
	}
}

static void add_catalogue(struct gathering *g, const struct server *server)
{
	struct catalogue_counters catalogue;

	if (server->catalogue) {
		catalogue_counters(server->catalogue, &catalogue);
		add_counter(g, "catalogue", "scans", catalogue.scans);
		add_counter(g, "catalogue", "hashed", catalogue.hashed);
	}
}

static void add_tls(struct gathering *g, const struct server *server)
{
	const struct tls_counters *tls = server->tls ? &server->tls->counters : NULL;

	if (!tls) {
		return;
	}
	add_counter(g, "tls", "handshakes", tls->handshakes);
	add_counter(g, "tls", "resumed", tls->resumed);
	add_counter(g, "tls", "tls_1_2", tls->tls_1_2);
	add_counter(g, "tls", "no_forward_secrecy", tls->no_forward_secrecy);
	add_counter(g, "tls", "client_certificates", tls->client_certificates);
	add_counter(g, "tls", "client_verified", tls->client_verified);
	for (unsigned f = TLS_FAILURE_NONE + 1; f < tls_failure_count; f++) {
		add_counter(g, "tls", tls_failure_name((enum tls_failure)f), tls->failed[f]);
	}
	add_counter(g, "tls", "broken", tls->broken);
	add_counter(g, "tls", "no_close_notify", tls->no_close_notify);
}

static void add_store(struct gathering *g, struct server *server)
{
	struct store_counters store;
	uint64_t refused_new;
	uint64_t devices_full;
	uint64_t forms_replaced;
	uint64_t unidentified_dropped;

	store_counters(server->store, &store);
	/* The store's thread writes both: the one any time, the other under the write lock. */
	pthread_rwlock_rdlock(&server->lock);
	refused_new = inventory_refused_new(&server->inventory);
	devices_full = server->inventory.devices.full;
	forms_replaced = server->inventory.forms_replaced;
	unidentified_dropped = server->inventory.unidentified.dropped;
	pthread_rwlock_unlock(&server->lock);
	add_counter(g, "store", "changes", store.changes);
	add_counter(g, "store", "refused", store.refused);
	add_counter(g, "store", "coalesced", store.coalesced);
	add_counter(g, "store", "queue_full", store.queue_full);
	add_counter(g, "store", "transactions", store.transactions);
	add_counter(g, "store", "events_lost", store.events_lost);
	add_counter(g, "inventory", "refused_new", refused_new);
	add_counter(g, "inventory", "devices_full", devices_full);
	add_counter(g, "inventory", "forms_replaced", forms_replaced);
	add_counter(g, "inventory", "unidentified_dropped", unidentified_dropped);
	add_counter(g, "inventory", "sightings_refused", server->sightings.refused);
	add_counter(g, "log", "lost", server->log.lost);
	add_counter(g, "log", "left_out", server->reports_left_out);
}

/* Who answers phones beside us, as long as the canary hears it: how many sentences were added. */
static size_t add_rogues(struct arena *arena, struct server *server, const char **warnings)
{
	struct sip_door_counters *sip = arena_allocate(arena, sizeof(*sip));
	size_t count = 0;

	if (!sip || !server->sip_door) {
		return 0;
	}
	sip_door_counters(server->sip_door, sip);
	for (size_t i = 0; i < sip->canary.rogue_count; i++) {
		struct writer w = writer_over(arena_allocate(arena, warning_size), warning_size);

		if (!w.data) {
			break;
		}
		writer_text(&w, "rogue responder: ");
		canary_rogue_write(&w, &sip->canary.rogues[i]);
		writer_terminate(&w);
		if (!w.failed) {
			warnings[count++] = w.data;
		}
	}
	return count;
}

void server_facts(void *context, struct arena *arena, struct api_facts *facts)
{
	struct server *server = context;
	const struct configuration *config = &server->config;
	struct gathering g = {
		.arena = arena,
		.listeners = arena_array(arena, facts_listeners_max, sizeof(*g.listeners)),
		.counters = arena_array(arena, facts_counters_max, sizeof(*g.counters)),
	};
	const char **warnings = arena_array(arena, catalogue_warnings_max + canary_state_rogues_max,
					    sizeof(*warnings));

	*facts = (struct api_facts){
		.version = BELLHOP_VERSION,
		.data = config->data.data,
		.since_utc_ms = server->since_utc_ms,
		.now_utc_ms = loop_utc_ms(),
		.pid = (int)getpid(),
	};
	if (!g.listeners || !g.counters) {
		return;
	}
	add_listeners(&g, "sip", &config->sip_listen);
	add_group(&g, server);
	add_listeners(&g, "http", &config->http_listen);
	if (server->tls) {
		add_listeners(&g, "https", &config->https_listen);
	}
	add_listeners(&g, "tftp", &config->tftp_listen);
	add_listener(&g, "admin", config->admin_socket);
	add_sip(&g, server);
	add_files(&g, server);
	add_catalogue(&g, server);
	add_tls(&g, server);
	add_store(&g, server);
	facts->listeners = g.listeners;
	facts->listener_count = g.listener_count;
	facts->counters = g.counters;
	facts->counter_count = g.counter_count;
	if (warnings && server->catalogue) {
		facts->warnings = warnings;
		facts->warning_count = catalogue_warnings(server->catalogue, warnings);
		facts->warning_count += add_rogues(arena, server, warnings + facts->warning_count);
	}
}
