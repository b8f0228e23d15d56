/* SPDX-License-Identifier: MIT */
#include "core/dhcp/message.h"

#include <errno.h>

/* RFC 2131, figure 1. */
enum {
	at_operation = 0,
	at_hardware_type = 1,
	at_hardware_length = 2,
	at_transaction = 4,
	at_flags = 10,
	at_client_address = 12,
	at_your_address = 16,
	at_next_server = 20,
	at_hardware_address = 28,
	at_server_name = 44,
	at_file = 108,
	at_cookie = 236,
	at_options = 240,
	server_name_size = 64,
	file_size = 128,
	boot_request = 1,
	boot_reply = 2,
	ethernet = 1,
	option_size_max = 255,
	overload_file = 1,
	overload_server_name = 2,
};

static const char magic_cookie[4] = {'\x63', '\x82', '\x53', '\x63'};

static uint8_t octet(struct span bytes, size_t at)
{
	return (uint8_t)bytes.data[at];
}

static struct address address_at(struct span bytes)
{
	struct address address =
		address_ipv4(octet(bytes, 0), octet(bytes, 1), octet(bytes, 2), octet(bytes, 3));

	return address_is_any(address) ? (struct address){.family = ADDRESS_NONE} : address;
}

/* The next option of an area: 1 and code and value, 0 at its end, -EBADMSG. */
static int next_option(struct span *rest, uint8_t *code, struct span *value)
{
	while (rest->length > 0 && octet(*rest, 0) == DHCP_PAD) {
		*rest = span_slice(*rest, 1, rest->length);
	}
	if (rest->length == 0 || octet(*rest, 0) == DHCP_END) {
		return 0; /* A missing end is the end of the area. */
	}
	if (rest->length < 2 || (size_t)octet(*rest, 1) + 2 > rest->length) {
		return -EBADMSG;
	}
	*code = octet(*rest, 0);
	*value = span_slice(*rest, 2, 2 + (size_t)octet(*rest, 1));
	*rest = span_slice(*rest, 2 + value->length, rest->length);
	return 1;
}

static int check_area(struct span area)
{
	struct span value;
	uint8_t code;
	int more;

	while ((more = next_option(&area, &code, &value)) > 0) {
		continue;
	}
	return more;
}

/* The one octet of an option in the first area, or 0. */
static uint8_t single_octet(struct span area, uint8_t wanted)
{
	struct span value;
	uint8_t code;

	while (next_option(&area, &code, &value) > 0) {
		if (code == wanted && value.length == 1) {
			return octet(value, 0);
		}
	}
	return 0;
}

/* RFC 2132 9.3: `file` first, then `sname` (RFC 3396 5). */
static int add_overloaded(struct span bytes, struct dhcp_message *message)
{
	uint8_t overload = single_octet(message->areas[0], DHCP_OVERLOAD);

	if (overload & overload_file) {
		message->areas[message->area_count++] =
			span_slice(bytes, at_file, at_file + file_size);
	}
	if (overload & overload_server_name) {
		message->areas[message->area_count++] =
			span_slice(bytes, at_server_name, at_server_name + server_name_size);
	}
	for (size_t i = 1; i < message->area_count; i++) {
		if (check_area(message->areas[i]) != 0) {
			return -EBADMSG;
		}
	}
	return 0;
}

int dhcp_read(struct span bytes, struct dhcp_message *message)
{
	struct dhcp_message read = {.area_count = 1};
	char server[4];
	struct writer w = writer_over(server, sizeof(server));
	uint8_t type;

	if (bytes.length < at_options || octet(bytes, at_operation) != boot_reply ||
	    octet(bytes, at_hardware_type) != ethernet ||
	    octet(bytes, at_hardware_length) != sizeof(read.client.octets) ||
	    memcmp(bytes.data + at_cookie, magic_cookie, sizeof(magic_cookie)) != 0) {
		return -EBADMSG;
	}
	read.areas[0] = span_slice(bytes, at_options, bytes.length);
	if (check_area(read.areas[0]) != 0 || add_overloaded(bytes, &read) != 0) {
		return -EBADMSG;
	}
	type = single_octet(read.areas[0], DHCP_MESSAGE_TYPE);
	if (type < DHCP_DISCOVER || type > DHCP_INFORM) {
		return -EBADMSG;
	}
	read.type = (enum dhcp_type)type;
	for (size_t i = 0; i < 4; i++) {
		read.transaction = read.transaction << 8 | octet(bytes, at_transaction + i);
	}
	memcpy(read.client.octets, bytes.data + at_hardware_address, sizeof(read.client.octets));
	read.your_address = address_at(span_slice(bytes, at_your_address, bytes.length));
	read.server = address_at(span_slice(bytes, at_next_server, bytes.length));
	if (dhcp_option(&read, DHCP_SERVER_IDENTIFIER, &w) && w.length == sizeof(server)) {
		read.server = address_at(writer_span(&w));
	}
	*message = read;
	return 0;
}

bool dhcp_option(const struct dhcp_message *message, uint8_t wanted, struct writer *w)
{
	struct writer before = *w;
	bool is_there = false;

	for (size_t i = 0; i < message->area_count; i++) {
		struct span rest = message->areas[i];
		struct span value;
		uint8_t code;

		while (next_option(&rest, &code, &value) > 0) {
			if (code == wanted) {
				writer_put(w, value);
				is_there = true;
			}
		}
	}
	if (!is_there || w->failed) {
		*w = before;
		return false;
	}
	return true;
}

static void write_option(struct writer *w, uint8_t code, struct span value)
{
	value = span_slice(value, 0, option_size_max);
	writer_char(w, (char)code);
	writer_char(w, (char)value.length);
	writer_put(w, value);
}

void dhcp_write(struct writer *w, const struct dhcp_question *question)
{
	char head[at_options] = {boot_request, ethernet, sizeof(question->client.octets)};
	char type = (char)question->type;
	size_t start = w->length;

	for (size_t i = 0; i < 4; i++) {
		head[at_transaction + i] = (char)(question->transaction >> (24 - 8 * i));
	}
	if (question->address.family == ADDRESS_IPV4) {
		memcpy(head + at_client_address, question->address.octets, 4);
	} else {
		head[at_flags] = '\x80'; /* without an address: broadcast the answer */
	}
	memcpy(head + at_hardware_address, question->client.octets,
	       sizeof(question->client.octets));
	memcpy(head + at_cookie, magic_cookie, sizeof(magic_cookie));
	writer_put(w, span_make(head, sizeof(head)));
	write_option(w, DHCP_MESSAGE_TYPE, span_make(&type, 1));
	if (question->vendor_class.length > 0) {
		write_option(w, DHCP_VENDOR_CLASS, question->vendor_class);
	}
	if (question->wanted.length > 0) {
		write_option(w, DHCP_PARAMETER_REQUEST_LIST, question->wanted);
	}
	writer_char(w, (char)DHCP_END);
	while (!w->failed && w->length - start < dhcp_message_size_min) {
		writer_char(w, DHCP_PAD);
	}
}
