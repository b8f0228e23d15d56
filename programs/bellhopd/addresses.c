/* SPDX-License-Identifier: MIT */
/* Which address of ours a phone is told: the one on its side of the network. */
#include "programs/bellhopd/server.h"

void server_take_addresses(void *context, uint32_t index)
{
	struct server *server = context;
	const struct interface_address *address;
	size_t count = 0;

	(void)index;
	pthread_mutex_lock(&server->addresses_lock);
	while (count < server_addresses_max &&
	       (address = interfaces_address_at(server->interfaces, count))) {
		server->addresses[count++] = *address;
	}
	server->address_count = count;
	pthread_mutex_unlock(&server->addresses_lock);
}

/* Ours in the same prefix as `peer`, the longest prefix first; else the first that is no loopback.
 */
static bool address_towards(struct server *server, struct address peer, struct address *ours)
{
	const struct interface_address *best = NULL;
	const struct interface_address *fallback = NULL;

	pthread_mutex_lock(&server->addresses_lock);
	for (size_t i = 0; i < server->address_count; i++) {
		const struct interface_address *a = &server->addresses[i];

		if (address_in_prefix(peer, a->network, a->prefix_bits) &&
		    (!best || a->prefix_bits > best->prefix_bits)) {
			best = a;
		}
		if (!fallback && a->address.family == ADDRESS_IPV4 &&
		    !address_is_loopback(a->address)) {
			fallback = a;
		}
	}
	if (!best && !address_is_set(peer)) {
		best = fallback;
	}
	if (best) {
		*ours = best->address;
	}
	pthread_mutex_unlock(&server->addresses_lock);
	return best != NULL;
}

static uint16_t first_port(const struct configuration_listen *listen)
{
	return listen->count > 0 ? listen->endpoints[0].port : 0;
}

static void fill(const struct server *server, const struct device *device, struct address address,
		 struct config_server *out)
{
	const struct configuration *config = &server->config;

	*out = (struct config_server){
		.address = address,
		.http_port = first_port(&config->http_listen),
		.https_port = server->tls ? first_port(&config->https_listen) : 0,
		.tftp_port = first_port(&config->tftp_listen),
		.sip_port = first_port(&config->sip_listen),
		.url = configuration_url(config, span_text(device->vendor), NULL),
	};
}

void server_facts_for_device(void *context, const struct device *device, struct address local,
			     struct config_server *out)
{
	struct server *server = context;
	struct address peer =
		address_is_set(device->bound_address) ? device->bound_address : device->address;
	struct address ours = local;

	if (!address_towards(server, peer, &ours) && !address_is_set(ours)) {
		address_towards(server, (struct address){0}, &ours);
	}
	fill(server, device, ours, out);
}

void server_facts_for_sender(void *context, const struct device *device, struct address local,
			     struct config_server *out)
{
	fill(context, device, local, out);
}
