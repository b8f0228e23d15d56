/* SPDX-License-Identifier: MIT */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	steps_max = 10000000,
	effects_bytes_max = 1 << 20,
};

const struct address sim_server = {ADDRESS_IPV4, {10, 13, 255, 1}};

/* FNV-1a, 64 bits: names a trace, keeps nobody out. */
uint64_t sim_hash(uint64_t hash, struct span bytes)
{
	hash = hash ? hash : 0xcbf29ce484222325;
	for (size_t i = 0; i < bytes.length; i++) {
		hash = (hash ^ (uint8_t)bytes.data[i]) * 0x100000001b3;
	}
	return hash;
}

unsigned sim_below(struct sim_world *world, unsigned bound)
{
	return (unsigned)random_below(&world->random, bound);
}

bool sim_chance(struct sim_world *world, unsigned percent)
{
	return sim_below(world, 100) < percent;
}

struct sim_phone *sim_phone_at(struct sim_world *world, struct address address)
{
	size_t index = (size_t)address.octets[2] << 8 | address.octets[3];

	return address.octets[0] == 10 && address.octets[1] == 13 && index < world->phone_count
		       ? &world->phones[index]
		       : NULL;
}

void sim_note(struct sim_world *world, struct sim_phone *phone, const char *what, struct span bytes)
{
	struct sim_moment *moment = &phone->moments[phone->moment_count++ % sim_moments_max];
	uint64_t numbers[] = {world->now_ms, (uint64_t)(phone - world->phones)};

	*moment = (struct sim_moment){.at_ms = world->now_ms, .what = what, .length = bytes.length};
	memcpy(moment->head, bytes.length > 0 ? bytes.data : "",
	       bytes.length < sizeof(moment->head) ? bytes.length : sizeof(moment->head));
	world->trace = sim_hash(world->trace, span_make((const char *)numbers, sizeof(numbers)));
	world->trace = sim_hash(world->trace, span_text(what));
	world->trace = sim_hash(world->trace, bytes);
}

/* The heap. */

static bool is_before(const struct sim_item *a, const struct sim_item *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void sim_later(struct sim_world *world, struct sim_item item)
{
	size_t at = world->item_count++;

	if (world->item_count > world->item_room) {
		world->item_room = world->item_room ? 2 * world->item_room : 1024;
		world->items = realloc(world->items, world->item_room * sizeof(*world->items));
		if (!world->items) {
			abort();
		}
	}
	if (item.bytes) {
		char *copy = malloc(item.length + 1);

		if (!copy) {
			abort();
		}
		item.bytes = memcpy(copy, item.bytes, item.length);
	}
	item.order = world->item_order++;
	while (at > 0 && is_before(&item, &world->items[(at - 1) / 2])) {
		world->items[at] = world->items[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	world->items[at] = item;
}

static struct sim_item take_next(struct sim_world *world)
{
	struct sim_item first = world->items[0];
	struct sim_item last = world->items[--world->item_count];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= world->item_count) {
			break;
		}
		if (child + 1 < world->item_count &&
		    is_before(&world->items[child + 1], &world->items[child])) {
			child++;
		}
		if (!is_before(&world->items[child], &last)) {
			break;
		}
		world->items[at] = world->items[child];
		at = child;
	}
	world->items[at] = last;
	return first;
}

/* The network. */

void sim_transmit(struct sim_world *world, struct sim_item item)
{
	const struct sim_weather *weather = &world->weather;
	struct span bytes = span_make(item.bytes, item.length);
	uint64_t delay_ms = 1 + sim_below(world, weather->delay_ms);

	world->counts.datagrams++;
	if (sim_chance(world, weather->duplicate_percent)) {
		struct sim_item copy = item;

		world->counts.duplicated++;
		copy.at_ms = world->now_ms + 1 + sim_below(world, 3000);
		/* A group is joined on two interfaces of one network: R-MCAST-6. */
		copy.interface = item.is_multicast && sim_chance(world, 30) ? 3 : item.interface;
		sim_later(world, copy);
	}
	if (sim_chance(world, weather->loss_percent)) {
		world->counts.lost++;
		item.phone->lost++;
		sim_note(world, item.phone,
			 item.kind == SIM_TO_SERVER ? "lost on its way there"
						    : "lost on its way here",
			 bytes);
		return;
	}
	if (sim_chance(world, weather->slow_percent)) {
		delay_ms += sim_below(world, 3000);
	}
	item.phone->late += delay_ms > sim_delay_max_ms;
	item.at_ms = world->now_ms + delay_ms;
	sim_later(world, item);
	if (item.kind == SIM_TO_PHONE && sim_below(world, 1000) < weather->unreachable_per_mille) {
		sim_later(world, (struct sim_item){.kind = SIM_UNREACHABLE,
						   .at_ms = item.at_ms + 1,
						   .phone = item.phone});
	}
}

/* Looks behind an address. Some questions stay without an answer. */
static void look_behind(struct sim_world *world, const struct effect_resolve *resolve)
{
	struct sim_phone *phone = sim_phone_at(world, resolve->address);
	struct sim_item item = {.kind = SIM_EVIDENCE,
				.phone = phone,
				.interface = resolve->interface};
	unsigned delay_max_ms = sim_evidence_max_ms;

	sim_note(world, phone, "its hardware address is asked for", SPAN(""));
	if (phone->traits.evidence == SIM_LATE_NEIGHBOUR ||
	    phone->traits.evidence == SIM_NO_NEIGHBOUR) {
		delay_max_ms = 3000;
	}
	if (phone->traits.evidence == SIM_NO_NEIGHBOUR && sim_chance(world, 30)) {
		return;
	}
	item.at_ms = world->now_ms + 1 + sim_below(world, delay_max_ms);
	sim_later(world, item);
}

/* The server's shell. */

static void apply(struct sim_world *world, const struct change *change)
{
	struct prepared prepared;
	struct change dated = *change;
	char problem[sim_problem_size] = "";

	dated.utc_ms = world->now_ms;
	/* Refusals (a table is full, the device is blocked) are the inventory's to test. */
	if (inventory_prepare(&world->inventory, &dated, &prepared, problem, sizeof(problem)) ==
	    0) {
		inventory_commit(&world->inventory, &prepared);
	}
}

static void send_one(struct sim_world *world, const struct effect_send *send)
{
	struct sim_phone *phone = sim_phone_at(world, send->to.address);

	sim_note(world, phone, "the server sends", send->bytes);
	sim_transmit(world, (struct sim_item){.kind = SIM_TO_PHONE,
					      .phone = phone,
					      .interface = send->interface,
					      .bytes = (char *)(uintptr_t)send->bytes.data,
					      .length = send->bytes.length});
}

/* When the shell will call signalling_expire: at once for what is overdue, else a little late. */
static void see_wake(struct sim_world *world)
{
	uint64_t wake_ms = signalling_next_wake(world->signalling);

	if (wake_ms == UINT64_MAX || wake_ms <= world->now_ms) {
		world->expire_ms = wake_ms == UINT64_MAX ? wake_ms : world->now_ms;
	} else if (wake_ms != world->wake_ms) {
		world->expire_ms = wake_ms + sim_below(world, world->weather.late_ms + 1);
	}
	world->wake_ms = wake_ms;
}

/* Effects are judged before they are carried out; nothing is carried out that is wrong. */
static void carry_out(struct sim_world *world, const struct sim_phone *origin)
{
	struct effects *effects = &world->effects;

	judge_effects(world, origin);
	judge_tables(world);
	for (size_t i = 0; i < effects->count && !world->offender; i++) {
		struct effect *effect = &effects->items[i];

		switch (effect->kind) {
		case EFFECT_SEND:
			send_one(world, &effect->send);
			break;
		case EFFECT_RESOLVE:
			look_behind(world, &effect->resolve);
			break;
		case EFFECT_CHANGE:
			apply(world, effect->change);
			break;
		case EFFECT_REPORT:
			break;
		}
	}
	effects_reset(effects);
	see_wake(world);
}

static void arrive_at_server(struct sim_world *world, const struct sim_item *item)
{
	struct sim_phone *phone = item->phone;
	struct endpoint unicast = {sim_server, world->options.port};
	struct packet packet = {.bytes = span_make(item->bytes, item->length),
				.source = phone->endpoint,
				.target = item->is_multicast ? world->options.group : unicast,
				.local = sim_server,
				.interface = item->interface,
				.is_multicast = item->is_multicast,
				.has_link_source = phone->traits.evidence == SIM_FRAME,
				.link_source = phone->mac};

	world->last_input_ms = world->now_ms;
	sim_note(world, phone, "arrives at the server", packet.bytes);
	judge_arrival(world, phone, item->interface, packet.bytes);
	(void)signalling_receive(world->signalling, &packet, world->now_ms, &world->effects);
	carry_out(world, phone);
}

static void notice(struct sim_world *world, const struct notice *notice, struct sim_phone *phone,
		   const char *what)
{
	world->last_input_ms = world->now_ms;
	sim_note(world, phone, what, SPAN(""));
	(void)signalling_change(world->signalling, notice, world->now_ms, &world->effects);
	carry_out(world, NULL);
}

static void learn_evidence(struct sim_world *world, const struct sim_item *item)
{
	static const enum notice_kind kinds[] = {
		[SIM_FRAME] = NOTICE_NEIGHBOUR,
		[SIM_NEIGHBOUR] = NOTICE_NEIGHBOUR,
		[SIM_LATE_NEIGHBOUR] = NOTICE_NEIGHBOUR,
		[SIM_NO_NEIGHBOUR] = NOTICE_NO_NEIGHBOUR,
		[SIM_ROUTED] = NOTICE_ROUTED,
	};
	struct notice what = {.kind = kinds[item->phone->traits.evidence],
			      .endpoint = {item->phone->endpoint.address, 0},
			      .interface = item->interface,
			      .mac = item->phone->mac,
			      .by = IDENTIFIED_BY_NEIGHBOUR};

	notice(world, &what, item->phone, "its hardware address was looked for");
}

static void withdraw(struct sim_world *world, struct sim_phone *phone)
{
	apply(world, &(struct change){.kind = CHANGE_DEVICE_BLOCK, .mac = phone->mac});
	phone->traits.is_blocked = true;
	judge_settled(phone);
	notice(world, &(struct notice){.kind = NOTICE_WITHDRAWN, .mac = phone->mac}, phone,
	       "was blocked");
}

static void arrive_at_phone(struct sim_world *world, const struct sim_item *item)
{
	struct sim_phone *phone = item->phone;

	if (phone->is_on) {
		sim_note(world, phone, "arrives here", span_make(item->bytes, item->length));
		sim_phone_receive(world, phone, span_make(item->bytes, item->length));
	} else if (sim_chance(world, 70)) {
		sim_later(world,
			  (struct sim_item){.kind = SIM_UNREACHABLE,
					    .at_ms = world->now_ms + 1 + sim_below(world, 300),
					    .phone = phone});
	}
}

static void happen(struct sim_world *world, const struct sim_item *item)
{
	struct sim_phone *phone = item->phone;

	switch (item->kind) {
	case SIM_TO_SERVER:
		arrive_at_server(world, item);
		break;
	case SIM_TO_PHONE:
		arrive_at_phone(world, item);
		break;
	case SIM_EVIDENCE:
		learn_evidence(world, item);
		break;
	case SIM_UNREACHABLE:
		world->counts.unreachable++;
		phone->unreachable++;
		judge_settled(phone);
		notice(world,
		       &(struct notice){.kind = NOTICE_UNREACHABLE, .endpoint = phone->endpoint},
		       phone, "is unreachable");
		break;
	case SIM_FETCHED:
		if (phone->is_on && phone->boot == item->boot) {
			judge_settled(phone);
			apply(world, &(struct change){.kind = CHANGE_DEVICE_FETCHED,
						      .mac = phone->mac,
						      .is_complete = true});
			notice(world, &(struct notice){.kind = NOTICE_FETCHED, .mac = phone->mac},
			       phone, "fetched its files");
		}
		break;
	case SIM_WITHDRAWN:
		withdraw(world, phone);
		break;
	case SIM_PHONE_WAKES:
		sim_phone_wake(world, phone, item->boot);
		break;
	case SIM_POWER_ON:
	case SIM_POWER_OFF:
		sim_phone_power(world, phone, item->kind == SIM_POWER_ON);
		break;
	}
}

/* The world. */

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	*server = (struct config_server){.address = local,
					 .http_port = 8080,
					 .tftp_port = 69,
					 .sip_port = 5060,
					 .url = SPAN("http://%{address}:8080/p/%{key}/x.cfg")};
}

static struct span interface_name(void *context, uint32_t interface)
{
	(void)context;
	return interface == 3 ? SPAN("eth1") : SPAN("eth0");
}

static uint64_t utc_ms(void *context)
{
	return ((struct sim_world *)context)->now_ms;
}

/* One maker, so that what phones obey is learned of their kinds. */
static bool add_pack(struct sim_world *world)
{
	struct vendor_pack *pack = calloc(1, sizeof(*pack));

	if (!pack) {
		return false;
	}
	arena_init(&pack->arena, 4096);
	pack->name = SPAN("audiocodes");
	pack->url_max = 256;
	pack->form = sim_chance(world, 50) ? FORM_PRINT : FORM_RFC;
	pack->oui = arena_array(&pack->arena, 1, sizeof(*pack->oui));
	pack->oui[0] = SPAN("00908f");
	pack->oui_count = 1;
	return vendors_add(&world->inventory.vendors, pack) == 0;
}

static void draw_weather(struct sim_world *world)
{
	world->weather = (struct sim_weather){
		.loss_percent = sim_chance(world, 20) ? 0 : sim_below(world, 41),
		.duplicate_percent = sim_below(world, 21),
		.slow_percent = sim_chance(world, 50) ? 0 : sim_below(world, 15),
		.unreachable_per_mille = sim_below(world, 10),
		.delay_ms = 1 + sim_below(world, sim_delay_max_ms),
		.late_ms = sim_chance(world, 50) ? 0 : sim_late_max_ms,
		.is_tight = sim_chance(world, 10),
		.is_limited = sim_chance(world, 10),
	};
}

static bool open_server(struct sim_world *world, size_t phone_count)
{
	struct inventory_limits limits = {.devices_max = phone_count,
					  .new_devices_max = phone_count / 4 + 1,
					  .profiles_max = 8,
					  .files_max = 8,
					  .forms_max = 16};
	/* A phone has no more than its boots and their copies at once. */
	size_t room = world->weather.is_tight ? 20 : sim_exchanges_max * phone_count;
	/* So small that a 200 finds room and its NOTIFY does not, or that timers have to wait. */
	size_t effects_max =
		sim_chance(world, 50) ? 1 + sim_below(world, 2) : 5 + sim_below(world, 8);
	uint8_t seed[random_seed_size];

	effects_max = world->weather.is_tight ? effects_max : 256;
	random_bytes(&world->random, seed, sizeof(seed));
	world->policy = (struct policy){.unknown = UNKNOWN_LIST,
					.access_by_key = true,
					.access_by_neighbour = true};
	world->options = (struct signalling_options){
		.inventory = &world->inventory,
		.policy = &world->policy,
		.group = {{ADDRESS_IPV4, {224, 0, 1, 75}}, 5060},
		.port = 5060,
		.server_for = server_for,
		.interface_name = interface_name,
		.utc_ms = utc_ms,
		.other_form_ms = 1500,
		.context = world,
		.server_transactions_max = room,
		.client_transactions_max = world->weather.is_tight ? 15 : room,
		.waiting_max = world->weather.is_tight ? 10 : room,
		.requests_per_second = world->weather.is_limited ? 1 : 0,
		.requests_burst = 2,
	};
	random_bytes(&world->random, world->options.seed, sizeof(world->options.seed));
	return inventory_init(&world->inventory, &limits, seed) == 0 && add_pack(world) &&
	       effects_init(&world->effects, effects_max, effects_bytes_max) == 0 &&
	       phone_effects_init(&world->phone_effects) == 0 &&
	       signalling_new(&world->signalling, &world->options) == 0 &&
	       sim_phones_make(world, phone_count);
}

static void count_reasons(struct sim_world *world)
{
	const struct signalling_counter *counter;

	for (size_t i = 0; (counter = signalling_counter(world->signalling, i)); i++) {
		world->counts.reasons[world->counts.reason_count++] = *counter;
	}
}

bool sim_run(struct sim_world *world, uint64_t seed, size_t phone_count)
{
	*world = (struct sim_world){.seed = seed,
				    .now_ms = 1000000,
				    .wake_ms = UINT64_MAX,
				    .expire_ms = UINT64_MAX};
	random_init_number(&world->random, seed);
	draw_weather(world);
	if (!open_server(world, phone_count)) {
		snprintf(world->problem, sizeof(world->problem), "the world could not be made");
		return false;
	}
	for (unsigned step = 0; step < steps_max && !world->offender; step++) {
		bool is_expiry =
			world->item_count == 0 || world->expire_ms <= world->items[0].at_ms;

		if (is_expiry && world->expire_ms == UINT64_MAX) {
			break;
		}
		if (is_expiry) {
			world->now_ms = world->expire_ms;
			signalling_expire(world->signalling, world->now_ms, &world->effects);
			carry_out(world, NULL);
		} else {
			struct sim_item item = take_next(world);

			world->now_ms = item.at_ms;
			happen(world, &item);
			free(item.bytes);
		}
	}
	judge_end(world);
	count_reasons(world);
	return world->problem[0] == '\0';
}

void sim_free(struct sim_world *world)
{
	for (size_t i = 0; i < world->item_count; i++) {
		free(world->items[i].bytes);
	}
	free(world->items);
	free(world->phones);
	signalling_free(world->signalling);
	effects_free(&world->effects);
	phone_effects_free(&world->phone_effects);
	inventory_free(&world->inventory);
}
