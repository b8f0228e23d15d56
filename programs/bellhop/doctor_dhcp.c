/* SPDX-License-Identifier: MIT */
/* Of bellhop doctor: what DHCP tells phones, for some believe it before they ask us. */
#include "io/dhcp_probe.h"
#include "programs/bellhop/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { wait_ms = 2500, servers_max = 8, value_max = 512, shown_max = 120 };

/*
 * Options by which phones are told where their configuration is, and who reads them before or
 * instead of the multicast SUBSCRIBE (dialects.md D, ecosystem.md 4.4).
 */
static const struct provisioning_option {
	uint8_t code;
	const char *readers;
} provisioning_options[] = {
	{43, "AudioCodes, Mitel, Grandstream and others read it before they ask the group"},
	{66,
	 "AudioCodes, Fanvil, Mitel, Poly, Cisco, Digium and others read it before they ask the "
	 "group"},
	{67, "read together with option 66"},
	{114, "Gigaset reads it"},
	{125, "Mitel reads it"},
	{128, "Htek and Fanvil may be told to read it"},
	{150, "Cisco and Htek read it"},
	{156, "Mitel reads it"},
	{159, "Panasonic, Mitel and Poly read it"},
	{160, "AudioCodes, Poly, Panasonic and Mitel read it before they ask the group"},
	{161, "Poly reads it"},
	{242, "Avaya reads it"},
};

enum { asked_count = sizeof(provisioning_options) / sizeof(provisioning_options[0]) };

/* What was heard on one interface. */
struct hearing {
	struct doctor *doctor;
	const struct interface *interface;
	struct address servers[servers_max];
	size_t server_count;
	size_t told_count;
};

static bool is_new(struct hearing *hearing, struct address server)
{
	for (size_t i = 0; i < hearing->server_count; i++) {
		if (address_equal(hearing->servers[i], server)) {
			return false;
		}
	}
	if (hearing->server_count < servers_max) {
		hearing->servers[hearing->server_count++] = server;
	}
	return true;
}

/* Does the value name one of our addresses, as text or (options 150, 43) in four octets? */
static bool names_us(const struct doctor *doctor, struct span value)
{
	const struct interface_address *own;

	for (size_t i = 0; (own = interfaces_address_at(doctor->interfaces, i)); i++) {
		char text[address_text_size];

		if (own->address.family != ADDRESS_IPV4) {
			continue;
		}
		address_text(own->address, text);
		if (span_search(value, span_text(text)) < value.length ||
		    span_search(value, span_make((const char *)own->address.octets, 4)) <
			    value.length) {
			return true;
		}
	}
	return false;
}

static void tell_option(struct hearing *hearing, const struct provisioning_option *option,
			struct span value, const char *server)
{
	char text[4 * shown_max];
	struct writer shown = writer_over(text, sizeof(text) - 1);

	hearing->told_count++;
	writer_escaped(&shown, value, shown_max);
	writer_terminate(&shown);
	if (names_us(hearing->doctor, value)) {
		doctor_tell(hearing->doctor, DOCTOR_OK, "dhcp", NULL,
			    "%s on %s sends option %u = \"%s\", which is us", server,
			    hearing->interface->name, option->code, text);
	} else {
		doctor_tell(hearing->doctor, DOCTOR_WARNING, "dhcp",
			    "take it out of the phones' scope, or point it here: bellhop dhcp "
			    "kea|dnsmasq|isc",
			    "%s on %s sends option %u = \"%s\": %s, and then they do not come here",
			    server, hearing->interface->name, option->code, text, option->readers);
	}
}

/* Some servers send a C string with its end. */
static struct span without_end(struct span value)
{
	while (value.length > 1 && value.data[value.length - 1] == '\0') {
		value.length--;
	}
	return value;
}

static void take_answer(void *context, const struct dhcp_message *message)
{
	struct hearing *hearing = context;
	char server[address_text_size] = "a DHCP server";

	if (!is_new(hearing, message->server)) {
		return;
	}
	if (address_is_set(message->server)) {
		address_text(message->server, server);
	}
	for (size_t i = 0; i < asked_count; i++) {
		char value[value_max];
		struct writer w = writer_over(value, sizeof(value));

		if (dhcp_option(message, provisioning_options[i].code, &w) && w.length > 0) {
			tell_option(hearing, &provisioning_options[i], without_end(writer_span(&w)),
				    server);
		}
	}
}

static void ask(struct doctor *doctor, const struct interface *interface)
{
	const struct interface_address *own = doctor_address(doctor, interface);
	struct hearing hearing = {.doctor = doctor, .interface = interface};
	char wanted[asked_count];
	struct dhcp_probe probe = {
		.interface = interface->index,
		.mac = interface->mac,
		.address = own ? own->address : (struct address){.family = ADDRESS_NONE},
		.transaction = (uint32_t)getpid() << 16 ^ interface->index ^ 0x42656c6c,
		.wanted = span_make(wanted, sizeof(wanted)),
		.wait_ms = wait_ms,
		.answered = take_answer,
		.context = &hearing,
	};
	int error;

	for (size_t i = 0; i < asked_count; i++) {
		wanted[i] = (char)provisioning_options[i].code;
	}
	error = dhcp_probe_run(&probe);
	if (error) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "dhcp",
			    error == -EPERM ? "run it as root, or with CAP_NET_RAW" : NULL,
			    "what DHCP tells phones on %s cannot be asked: %s", interface->name,
			    strerror(-error));
	} else if (hearing.server_count == 0) {
		doctor_tell(doctor, DOCTOR_OK, "dhcp", NULL, "no DHCP server answers on %s",
			    interface->name);
	} else if (hearing.told_count == 0) {
		doctor_tell(
			doctor, DOCTOR_OK, "dhcp", NULL,
			"DHCP on %s (%zu server%s) tells phones of no other provisioning server",
			interface->name, hearing.server_count,
			hearing.server_count == 1 ? "" : "s");
	}
}

void doctor_check_dhcp(struct doctor *doctor)
{
	for (size_t i = 0; i < interfaces_max; i++) {
		const struct interface *interface = doctor_interface(doctor, i);

		if (interface && interface->is_up && interface->has_mac &&
		    !interface->is_loopback) {
			ask(doctor, interface);
		}
	}
}
