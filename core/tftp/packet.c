/* SPDX-License-Identifier: MIT */
#include "core/tftp/packet.h"

#include <errno.h>

static uint16_t read_u16(struct span bytes, size_t at)
{
	return (uint16_t)((uint8_t)bytes.data[at] << 8 | (uint8_t)bytes.data[at + 1]);
}

/* Cuts a NUL-terminated string off; false when no NUL is left. */
static bool take_string(struct span *rest, struct span *string)
{
	size_t end = span_find(*rest, '\0');

	if (end == rest->length) {
		return false;
	}
	*string = span_slice(*rest, 0, end);
	*rest = span_slice(*rest, end + 1, rest->length);
	return true;
}

/* Plain decimal without a sign or leading zeros: "+512", "0512" and "512x" are no numbers. */
static bool read_number(struct span text, uint64_t max, uint64_t *value)
{
	if (text.length > 1 && text.data[0] == '0') {
		return false;
	}
	return span_to_unsigned(text, max, value) == 0;
}

static void read_option(struct span name, struct span text, struct tftp_options *options)
{
	uint64_t value;

	if (span_equal_nocase(name, SPAN("blksize")) && !options->has_block_size &&
	    read_number(text, UINT16_MAX, &value) && value >= tftp_block_size_min) {
		options->has_block_size = true;
		options->block_size =
			(uint16_t)(value < tftp_block_size_max ? value : tftp_block_size_max);
	} else if (span_equal_nocase(name, SPAN("timeout")) && !options->has_timeout &&
		   read_number(text, UINT8_MAX, &value) && value > 0) {
		options->has_timeout = true;
		options->timeout_s = (uint8_t)value;
	} else if (span_equal_nocase(name, SPAN("tsize")) && !options->has_transfer_size &&
		   read_number(text, INT64_MAX, &value)) {
		options->has_transfer_size = true;
		options->transfer_size = value;
	} else if (span_equal_nocase(name, SPAN("windowsize")) && !options->has_window_size &&
		   read_number(text, UINT16_MAX, &value) && value > 0) {
		options->has_window_size = true;
		options->window_size = (uint16_t)value;
	}
}

static void read_options(struct span rest, struct tftp_options *options)
{
	struct span name;
	struct span value;

	while (take_string(&rest, &name) && take_string(&rest, &value)) {
		read_option(name, value, options);
	}
}

static int read_mode(struct span text, enum tftp_mode *mode)
{
	if (span_equal_nocase(text, SPAN("octet"))) {
		*mode = TFTP_OCTET;
	} else if (span_equal_nocase(text, SPAN("netascii"))) {
		*mode = TFTP_NETASCII;
	} else if (span_equal_nocase(text, SPAN("mail"))) {
		*mode = TFTP_MAIL;
	} else {
		return -EPROTO;
	}
	return 0;
}

static int read_request(struct span bytes, struct tftp_packet *packet)
{
	bool is_long = bytes.length > tftp_request_max;
	struct span rest = span_slice(bytes, 2, is_long ? tftp_request_max : bytes.length);
	struct span mode;
	int result;

	if (!take_string(&rest, &packet->file) || span_is_empty(packet->file) ||
	    !take_string(&rest, &mode)) {
		return is_long ? -EMSGSIZE : -EBADMSG;
	}
	if (is_long) {
		return -E2BIG;
	}
	result = read_mode(mode, &packet->mode);
	if (result == 0) {
		read_options(rest, &packet->options);
	}
	return result;
}

static int read_error(struct span bytes, struct tftp_packet *packet)
{
	struct span text = span_slice(bytes, 4, bytes.length);

	/* The NUL at the end is often forgotten, and it is not worth an answer (R-TFTP-10). */
	packet->error = read_u16(bytes, 2);
	packet->text = span_slice(text, 0, span_find(text, '\0'));
	return 0;
}

int tftp_read(struct span bytes, struct tftp_packet *packet)
{
	struct tftp_packet read = {.opcode = TFTP_ERROR};
	int result = 0;
	uint16_t opcode;

	if (bytes.length < 2) {
		return -EBADMSG;
	}
	opcode = read_u16(bytes, 0);
	if (opcode < TFTP_RRQ || opcode > TFTP_OACK) {
		return -EBADMSG;
	}
	if (opcode >= TFTP_DATA && opcode <= TFTP_ERROR && bytes.length < 4) {
		return -EBADMSG;
	}
	read.opcode = (enum tftp_opcode)opcode;
	switch (read.opcode) {
	case TFTP_RRQ:
	case TFTP_WRQ:
		result = read_request(bytes, &read);
		break;
	case TFTP_DATA:
		read.block = read_u16(bytes, 2);
		read.data = span_slice(bytes, tftp_header_size, bytes.length);
		break;
	case TFTP_ACK:
		read.block = read_u16(bytes, 2);
		break;
	case TFTP_ERROR:
		result = read_error(bytes, &read);
		break;
	case TFTP_OACK:
		read_options(span_slice(bytes, 2, bytes.length), &read.options);
		break;
	}
	if (result == 0) {
		*packet = read;
	} else if (result != -EBADMSG) {
		packet->opcode = read.opcode;
	}
	return result;
}

static void write_option(struct writer *w, const char *name, uint64_t value)
{
	writer_text(w, name);
	writer_u8(w, 0);
	writer_unsigned(w, value);
	writer_u8(w, 0);
}

static void write_options(struct writer *w, const struct tftp_options *options)
{
	if (options->has_block_size) {
		write_option(w, "blksize", options->block_size);
	}
	if (options->has_timeout) {
		write_option(w, "timeout", options->timeout_s);
	}
	if (options->has_transfer_size) {
		write_option(w, "tsize", options->transfer_size);
	}
	if (options->has_window_size) {
		write_option(w, "windowsize", options->window_size);
	}
}

void tftp_write_request(struct writer *w, enum tftp_opcode opcode, struct span file,
			enum tftp_mode mode, const struct tftp_options *options)
{
	static const char *const modes[] = {"octet", "netascii", "mail"};

	writer_u16(w, (uint16_t)opcode);
	writer_put(w, file);
	writer_u8(w, 0);
	writer_text(w, modes[mode]);
	writer_u8(w, 0);
	write_options(w, options);
}

void tftp_write_data(struct writer *w, uint16_t block, struct span data)
{
	writer_u16(w, TFTP_DATA);
	writer_u16(w, block);
	writer_put(w, data);
}

void tftp_write_ack(struct writer *w, uint16_t block)
{
	writer_u16(w, TFTP_ACK);
	writer_u16(w, block);
}

void tftp_write_error(struct writer *w, enum tftp_error error, const char *text)
{
	writer_u16(w, TFTP_ERROR);
	writer_u16(w, (uint16_t)error);
	writer_text(w, text);
	writer_u8(w, 0);
}

void tftp_write_oack(struct writer *w, const struct tftp_options *options)
{
	writer_u16(w, TFTP_OACK);
	write_options(w, options);
}
