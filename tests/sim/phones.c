/* SPDX-License-Identifier: MIT */
#include "core/sip/write.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

enum { datagram_size = 2048, power_up_max_ms = 20000 };

static const struct span own_user = {"sip:00000001@", 13};

static void draw_traits(struct sim_world *world, struct sim_traits *t)
{
	t->is_claimed = sim_chance(world, 75);
	t->is_bound = t->is_claimed && sim_chance(world, 20);
	t->is_blocked = t->is_claimed && sim_chance(world, 5);
	t->is_withdrawn = t->is_claimed && !t->is_blocked && sim_chance(world, 5);
	t->is_multicast = sim_chance(world, 60);
	t->is_noise = !t->is_claimed && sim_chance(world, 40);
	t->is_fetching = sim_chance(world, 70);
	t->boots = sim_chance(world, 15) ? 2 + sim_below(world, 2) : 1;
	t->is_forgetful = t->boots > 1 && sim_chance(world, 30);
	t->is_gone = sim_chance(world, 5);
	t->form = sim_chance(world, 50) ? FORM_PRINT : FORM_RFC;
	if (sim_chance(world, 40)) {
		t->form = FORM_DEFAULT;
		t->takes = (enum sim_takes)sim_below(world, sim_takes_count);
		t->is_refusing = sim_chance(world, 50);
	}
	t->evidence = sim_chance(world, 75)
			      ? (sim_chance(world, 50) ? SIM_FRAME : SIM_NEIGHBOUR)
			      : (enum sim_evidence)sim_below(world, sim_evidence_count);
	t->answers = sim_chance(world, 60) ? SIM_WELL
					   : (enum sim_answers)sim_below(world, sim_answers_count);
	t->names = sim_chance(world, 70) ? SIM_NOBODY
					 : (enum sim_names)sim_below(world, sim_names_count);
}

static bool change(struct sim_world *world, const struct change *change)
{
	struct prepared prepared;
	char problem[sim_problem_size] = "";

	if (inventory_prepare(&world->inventory, change, &prepared, problem, sizeof(problem))) {
		return false;
	}
	inventory_commit(&world->inventory, &prepared);
	return true;
}

/* What an operator wrote down of it. */
static bool enter(struct sim_world *world, const struct sim_phone *phone)
{
	struct change claim = {.kind = CHANGE_DEVICE_CLAIM,
			       .mac = phone->mac,
			       .utc_ms = world->now_ms,
			       .fields = FIELD_FORM,
			       .form = phone->traits.form};

	if (phone->traits.is_bound) {
		claim.fields |= FIELD_BOUND_ADDRESS;
		claim.bound_address = phone->endpoint.address;
	}
	return !phone->traits.is_claimed ||
	       (change(world, &claim) &&
		(!phone->traits.is_blocked ||
		 change(world, &(struct change){.kind = CHANGE_DEVICE_BLOCK, .mac = phone->mac})));
}

/* When it is plugged in, and what happens to it on the way. */
static void plan(struct sim_world *world, struct sim_phone *phone)
{
	uint64_t at_ms = world->now_ms + sim_below(world, power_up_max_ms);
	struct sim_item item = {.kind = SIM_POWER_ON, .phone = phone};

	for (unsigned i = 0; i < phone->traits.boots; i++) {
		item.kind = SIM_POWER_ON;
		item.at_ms = at_ms;
		sim_later(world, item);
		at_ms += 1 + sim_below(world, 6000);
		if (i + 1 < phone->traits.boots || phone->traits.is_gone) {
			item.kind = SIM_POWER_OFF;
			item.at_ms = at_ms;
			sim_later(world, item);
			at_ms += 50 + sim_below(world, 3000);
		}
	}
	if (phone->traits.is_withdrawn) {
		item.kind = SIM_WITHDRAWN;
		item.at_ms = at_ms - sim_below(world, 4000);
		sim_later(world, item);
	}
}

bool sim_phones_make(struct sim_world *world, size_t count)
{
	world->phones = calloc(count, sizeof(*world->phones));
	if (!world->phones) {
		return false;
	}
	world->phone_count = count;
	for (size_t i = 0; i < count; i++) {
		struct sim_phone *phone = &world->phones[i];

		phone->mac = (struct mac){{0x00, 0x90, 0x8f, 0x12, (uint8_t)(i >> 8), (uint8_t)i}};
		phone->endpoint.address = address_ipv4(10, 13, (uint8_t)(i >> 8), (uint8_t)i);
		phone->endpoint.port = sim_chance(world, 80) ? 5060 : 5170;
		draw_traits(world, &phone->traits);
		if (!enter(world, phone)) {
			return false;
		}
		plan(world, phone);
	}
	return true;
}

/* Copies `bytes` with its first `from` replaced by `to`; as they are when it is not there. */
static struct span replace(struct span bytes, struct span from, struct span to, char *buffer)
{
	struct writer w = writer_over(buffer, datagram_size);
	size_t at = span_search(bytes, from);

	if (at == bytes.length) {
		return bytes;
	}
	writer_put(&w, span_slice(bytes, 0, at));
	writer_put(&w, to);
	writer_put(&w, span_slice(bytes, at + from.length, bytes.length));
	return w.failed ? bytes : writer_span(&w);
}

/* From names the phone itself or another one, in one of the field's spellings. */
static struct span name_in_from(struct sim_world *world, const struct sim_phone *phone,
				struct span bytes, char *buffer)
{
	static const char *const spellings[] = {"sip:", "sip:MAC%3a", "sip:MAC=", "sip:MAC"};
	size_t index = (size_t)(phone - world->phones);
	char user[64];
	struct writer w = writer_over(user, sizeof(user));

	/* The neighbour in the list: claimed, unclaimed, a liar as well, never the phone itself. */
	if (phone->traits.names == SIM_ANOTHER) {
		index = (index + 1) % world->phone_count;
	}
	writer_text(&w, spellings[index % 4]);
	mac_write(&w, world->phones[index].mac);
	writer_char(&w, '@');
	return replace(bytes, own_user, writer_span(&w), buffer);
}

static struct span with_noise(struct sim_world *world, struct span bytes, char *buffer)
{
	static const char marks[] = ":;<>\"\r\n @,";
	unsigned count = 1 + sim_below(world, 6);

	memcpy(buffer, bytes.data, bytes.length);
	while (count-- > 0) {
		unsigned at = sim_below(world, (unsigned)bytes.length);
		char octet = (char)sim_below(world, 256);

		buffer[at] =
			sim_chance(world, 50) ? octet : marks[sim_below(world, sizeof(marks) - 1)];
	}
	return span_make(buffer, bytes.length);
}

/* The 200 to a NOTIFY with a Via of the phone's making, or with none (dialects.md A.1). */
static struct span with_own_via(const struct sim_phone *phone, struct span bytes, char *buffer)
{
	size_t start = span_search(bytes, SPAN("Via: "));
	struct span rest = span_slice(bytes, start, bytes.length);
	struct span row = span_slice(rest, 0, span_search(rest, SPAN("\r\n")) + 2);
	char text[128];
	struct writer w = writer_over(text, sizeof(text));

	if (phone->traits.answers == SIM_OWN_VIA) {
		writer_text(&w, "Via: SIP/2.0/UDP ");
		endpoint_write(&w, phone->endpoint);
		writer_text(&w, ";branch=z9hG4bK-of-the-phone\r\n");
	}
	return replace(bytes, row, writer_span(&w), buffer);
}

static void send_one(struct sim_world *world, struct sim_phone *phone, struct span bytes)
{
	char buffers[2][datagram_size];
	bool is_response = span_starts_with(bytes, SPAN("SIP/2.0"));
	struct sim_item item = {.kind = SIM_TO_SERVER,
				.phone = phone,
				.interface = 2,
				.is_multicast = !is_response && phone->traits.is_multicast};

	if (is_response && phone->traits.answers == SIM_NEVER) {
		return;
	}
	if (is_response && phone->traits.answers == SIM_TRYING) {
		bytes = replace(bytes, SPAN("SIP/2.0 200 OK"), SPAN("SIP/2.0 100 Trying"),
				buffers[0]);
	} else if (is_response && phone->traits.answers != SIM_WELL) {
		bytes = with_own_via(phone, bytes, buffers[0]);
	}
	if (!is_response && phone->traits.names != SIM_NOBODY) {
		bytes = name_in_from(world, phone, bytes, buffers[0]);
	}
	if (phone->traits.is_noise) {
		bytes = with_noise(world, bytes, buffers[1]);
	}
	item.bytes = (char *)(uintptr_t)bytes.data;
	item.length = bytes.length;
	sim_transmit(world, item);
}

/* What the subscriber decided is done; its next wake goes into the heap. */
static void carry_out(struct sim_world *world, struct sim_phone *phone)
{
	const struct effects *wire = &world->phone_effects.wire;
	uint64_t wake_ms = subscriber_next_wake(&phone->subscriber);

	for (size_t i = 0; i < wire->count; i++) {
		if (wire->items[i].kind == EFFECT_SEND) {
			send_one(world, phone, wire->items[i].send.bytes);
		}
	}
	phone_effects_reset(&world->phone_effects);
	if (wake_ms != UINT64_MAX && wake_ms != phone->wake_ms) {
		phone->wake_ms = wake_ms;
		sim_later(world, (struct sim_item){.at_ms = wake_ms,
						   .kind = SIM_PHONE_WAKES,
						   .phone = phone,
						   .boot = phone->boot});
	}
	if (phone->subscriber.state == SUBSCRIBER_DONE && !phone->is_told) {
		phone->is_told = true;
		judge_told(world, phone);
		if (phone->traits.is_fetching) {
			sim_later(world, (struct sim_item){.at_ms = world->now_ms + 20 +
								    sim_below(world, 3000),
							   .boot = phone->boot,
							   .kind = SIM_FETCHED,
							   .phone = phone});
		}
	}
}

void sim_phone_power(struct sim_world *world, struct sim_phone *phone, bool is_on)
{
	struct endpoint group = world->options.group;
	struct endpoint server = {sim_server, world->options.port};
	struct subscriber_options options = {
		.identity = {.mac = phone->mac,
			     .model = SPAN("440HD"),
			     .version = sim_firmware(phone)},
		.local = phone->endpoint,
		.target = phone->traits.is_multicast ? group : server,
		.message = &world->message,
	};
	uint64_t number = phone->traits.is_forgetful ? 1 : 1 + phone->boot;
	struct span call_id;

	sim_note(world, phone, is_on ? "switched on" : "switched off", SPAN(""));
	phone->is_on = is_on;
	phone->boot++;
	phone->wake_ms = 0;
	if (!is_on) {
		return;
	}
	phone->lost = phone->late = phone->unreachable = 0;
	phone->is_told = false;
	random_init_number(&phone->random,
			   world->seed * 1000003 + (size_t)(phone - world->phones) * 101 + number);
	(void)subscriber_init(&phone->subscriber, &options, &phone->random);
	subscriber_start(&phone->subscriber, &phone->random, world->now_ms, &world->phone_effects);
	call_id = span_text(phone->subscriber.ids.call_id);
	if (!judge_exchange(phone, call_id) && phone->exchange_count < sim_exchanges_max) {
		struct sim_exchange *exchange = &phone->exchanges[phone->exchange_count++];

		(void)span_to_text(call_id, exchange->call_id, sizeof(exchange->call_id));
	}
	carry_out(world, phone);
}

struct span sim_firmware(const struct sim_phone *phone)
{
	static const struct span versions[] = {[SIM_ANY_FORM] = {"2.2.2", 5},
					       [SIM_RFC_ONLY] = {"2.2.3", 5},
					       [SIM_PRINT_ONLY] = {"2.2.4", 5}};

	return versions[phone->traits.takes];
}

enum notify_form sim_form_of(struct span notify)
{
	return span_search(notify, SPAN("\r\nMax-Forwards: 20\r\n")) < notify.length ? FORM_PRINT
										     : FORM_RFC;
}

static bool takes(const struct sim_phone *phone, struct span bytes)
{
	enum notify_form form = sim_form_of(bytes);

	if (!span_starts_with(bytes, SPAN("NOTIFY "))) {
		return true;
	}
	return phone->traits.takes == SIM_ANY_FORM ||
	       phone->traits.takes == (form == FORM_RFC ? SIM_RFC_ONLY : SIM_PRINT_ONLY);
}

/* It knows no such dialog. */
static void refuse(struct sim_world *world, struct sim_phone *phone, struct span notify)
{
	struct sip_message *m = &world->message;
	char text[datagram_size];
	struct writer w = writer_over(text, sizeof(text));

	if (sip_message_parse(m, notify) == 0) {
		sip_write_response(&w, m, &(struct sip_response){.status = 481});
		sip_write_end(&w, SPAN(""), SPAN(""));
		send_one(world, phone, writer_span(&w));
	}
}

void sim_phone_receive(struct sim_world *world, struct sim_phone *phone, struct span bytes)
{
	struct packet packet = {.bytes = bytes,
				.source = {sim_server, world->options.port},
				.target = phone->endpoint,
				.local = phone->endpoint.address,
				.interface = 2};

	if (!takes(phone, bytes)) {
		if (phone->traits.is_refusing) {
			refuse(world, phone, bytes);
		}
		return;
	}
	(void)subscriber_receive(&phone->subscriber, &packet, world->now_ms, &world->phone_effects);
	carry_out(world, phone);
}

void sim_phone_wake(struct sim_world *world, struct sim_phone *phone, unsigned boot)
{
	if (phone->is_on && phone->boot == boot) {
		subscriber_expire(&phone->subscriber, world->now_ms, &world->phone_effects);
		carry_out(world, phone);
	}
}

void sim_traits_print(const struct sim_phone *phone)
{
	static const char *const evidence[] = {"in the frame", "neighbour", "late neighbour",
					       "no neighbour", "routed"};
	static const char *const answers[] = {"well", "100 only", "with its own Via",
					      "without a Via", "never"};
	static const char *const names[] = {"nobody", "itself", "another"};
	static const char *const taken[] = {"any form", "rfc only", "print only"};
	const struct sim_traits *t = &phone->traits;
	char address[endpoint_text_size];
	char mac[mac_text_size];

	endpoint_text(phone->endpoint, address);
	mac_text(phone->mac, mac);
	printf("# phone %s at %s:%s%s%s%s%s%s%s%s%s\n", mac, address,
	       t->is_claimed ? " claimed" : " unclaimed", t->is_bound ? " bound" : "",
	       t->is_blocked ? " blocked" : "", t->is_withdrawn ? " withdrawn" : "",
	       t->is_multicast ? " multicast" : " unicast", t->is_noise ? " noise" : "",
	       t->is_fetching ? " fetching" : "", t->is_forgetful ? " forgetful" : "",
	       t->is_gone ? " gone" : "");
	printf("#   form %s, boots %u, hardware address %s, answers %s, names %s\n",
	       notify_form_name(t->form), t->boots, evidence[t->evidence], answers[t->answers],
	       names[t->names]);
	printf("#   takes %s%s\n", taken[t->takes], t->is_refusing ? ", refuses others" : "");
	printf("#   since its last boot: %u lost, %u late, %u unreachable; state %d (%s)\n",
	       phone->lost, phone->late, phone->unreachable, (int)phone->subscriber.state,
	       phone->subscriber.failure ? phone->subscriber.failure : "no failure");
}
