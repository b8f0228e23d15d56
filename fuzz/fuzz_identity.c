/* SPDX-License-Identifier: MIT */
/*
 * Who is asking, of any bytes: the input is lines, each what stands in one place of a SUBSCRIBE and
 * of a request for a file. Whatever they say, a sender whose hardware address is seen is never
 * taken for another, and what is kept of it is plain text.
 */
#include "core/fleet/identity.h"
#include "core/fleet/inventory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { lines_max = 12 };

static const char maker[] =
	"{\"schema\":1,\"name\":\"maker\",\"display_name\":\"Maker\","
	"\"recognise\":{\"oui\":[\"00908f\"],"
	"\"sip_user_agent\":[\"^Maker (?<model>[A-Z0-9]+) (?<version>[0-9.]+)"
	"(?:[ ;](?<mac>[0-9A-Fa-f:-]{12,17}))?\"],"
	"\"http_user_agent\":[\"^Maker/(?<version>[0-9.]+) \\\\((?<model>[^;]+); "
	"(?<mac>[^)]+)\\\\)\"],"
	"\"event_vendor\":[\"(?i)^maker$\"],\"event_model\":[\"^(?<model>[A-Z0-9]+)$\"]},"
	"\"files\":[{\"name\":\"<MAC>.img\",\"kind\":\"firmware\"}]}";

static int read_pack(void *context, struct span name, struct arena *arena, struct span *bytes)
{
	(void)context;
	if (!span_equal(name, SPAN("pack.json"))) {
		return -1;
	}
	*bytes = arena_copy(arena, span_text(maker));
	return bytes->data ? 0 : -1;
}

static struct inventory *fleet(void)
{
	static struct inventory inventory;
	static bool is_open;
	static const uint8_t seed[random_seed_size] = {1};
	struct inventory_limits limits = {.devices_max = 4, .profiles_max = 2, .files_max = 2};
	struct vendor_pack *pack;
	char problem[256];

	if (!is_open && (inventory_init(&inventory, &limits, seed) != 0 ||
			 vendor_pack_load(&pack, read_pack, NULL, problem, sizeof(problem)) != 0 ||
			 vendors_add(&inventory.vendors, pack) != 0)) {
		abort();
	}
	is_open = true;
	return &inventory;
}

static void check(const struct identity *identity, const struct link_evidence *link)
{
	bool is_known = identity->verdict == IDENTITY_KNOWN;

	if ((is_known && !(link->is_known && mac_equal(identity->mac, link->mac))) ||
	    (is_known && identity->has_claim && !mac_equal(identity->claimed, link->mac)) ||
	    (identity->has_claim && !mac_is_device(identity->claimed)) ||
	    (is_known != (identity->certainty >= CERTAINTY_SEEN)) || !identity->reason ||
	    (identity->model.length > 0 &&
	     !device_text_is_plain(identity->model, device_model_size)) ||
	    (identity->version.length > 0 &&
	     !device_text_is_plain(identity->version, device_firmware_size))) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct inventory *inventory = fleet();
	struct span rest = span_make((const char *)data, size);
	struct span lines[lines_max] = {{0}};
	struct link_evidence links[] = {
		{.is_known = true, .mac = {{0, 0x90, 0x8f, 1, 2, 3}}, .by = IDENTIFIED_BY_FRAME},
		{.is_routed = true},
		{.is_pending = true},
	};

	for (size_t i = 0; i < lines_max && rest.data; i++) {
		lines[i] = span_cut(&rest, '\n');
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		struct subscribe_claims claims = {.request_user = lines[0],
						  .instance = lines[1],
						  .from_user = lines[2],
						  .to_user = lines[3],
						  .contact_user = lines[4],
						  .user_agent = lines[5],
						  .vendor = lines[6],
						  .model = lines[7],
						  .version = lines[8],
						  .event_values = {lines[9]},
						  .event_value_count = 1};
		struct fetch_claims fetched = {lines[10], lines[11]};
		struct identity identity;
		struct device guest;

		identity_from_subscribe(inventory, &claims, address_ipv4(10, 0, 0, 1), SPAN("eth0"),
					&links[i], &identity);
		check(&identity, &links[i]);
		identity_guest(inventory, &identity, NULL, &guest);
		identity_from_fetch(inventory, &fetched, address_ipv4(10, 0, 0, 1), SPAN("eth0"),
				    &links[i], &identity);
		check(&identity, &links[i]);
	}
	return 0;
}
