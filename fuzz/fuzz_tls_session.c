/* SPDX-License-Identifier: MIT */
/*
 * What a stranger can send to the HTTPS port. The first octet chooses: how the rest is cut into
 * reads, and whether it comes in place of a handshake, or after one, as the plain text of a client
 * whose records are then damaged at a place that the second octet names.
 */
#include "tests/tls_client.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls *tls;
static SSL_CTX *client_context;

/* Keys are made once a run: what is found does not hang on them. */
static void prepare(void)
{
	struct tls_options options = {.seed = {1}};
	struct tls_house house;

	tls_house_open(&house);
	client_context = tls_client_context(0);
	certificates_need(
		tls_new(&tls, tls_house_context(&house, "server", "authority.crt"), &options) == 0);
	certificates_need(tls_house_close(&house) == 0);
}

/* One read of the network, and all that comes of it; what the server says goes to `client`. */
static bool feed(struct tls_session *session, struct span octets, SSL *client)
{
	char plain[tls_plain_size];
	struct span bytes;
	enum tls_progress progress;

	tls_session_feed(session, octets);
	do {
		size_t length = 0;
		char *output;

		progress = tls_session_read(session, plain, &bytes);
		if (progress == TLS_BYTES) {
			(void)tls_session_write(session, bytes);
		}
		output = tls_session_take_output(session, &length);
		if (client) {
			tls_client_hear(client, span_make(output, length));
		}
		free(output);
	} while (progress == TLS_OPENED || progress == TLS_BYTES);
	(void)tls_session_keep(session);
	return progress == TLS_NEEDS_MORE;
}

static void feed_pieces(struct tls_session *session, struct span octets, size_t step)
{
	bool goes_on = true;

	while (goes_on && octets.length > 0) {
		struct span piece = span_slice(octets, 0, step);

		goes_on = feed(session, piece, NULL);
		octets = span_slice(octets, piece.length, octets.length);
	}
}

/* A copy of what the client says, as long as the caller wants it. */
static char *take_client_output(SSL *client, size_t *length)
{
	struct span said = tls_client_output(client);
	char *copy = malloc(said.length + 1);

	certificates_need(copy != NULL);
	if (said.length > 0) {
		memcpy(copy, said.data, said.length);
	}
	*length = said.length;
	tls_client_sent(client);
	return copy;
}

static void shake_hands(struct tls_session *session, SSL *client)
{
	for (unsigned i = 0; i < 4; i++) {
		size_t length;
		char *said;

		(void)SSL_do_handshake(client);
		said = take_client_output(client, &length);
		(void)feed(session, span_make(said, length), client);
		free(said);
	}
	certificates_need(tls_session_outcome(session)->is_open);
}

static void speak(struct tls_session *session, struct span text, size_t step, uint8_t place)
{
	SSL *client = tls_client_new(client_context);
	size_t length;
	char *said;

	shake_hands(session, client);
	if (text.length > 0) {
		(void)SSL_write(client, text.data, (int)text.length);
	}
	(void)SSL_shutdown(client);
	said = take_client_output(client, &length);
	if (place > 0) {
		said[place % length] ^= (char)place;
	}
	feed_pieces(session, span_make(said, length), step);
	free(said);
	SSL_free(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make((const char *)data, size);
	struct tls_session *session;
	size_t step;

	if (!tls) {
		prepare();
	}
	if (size < 2 || tls_session_new(&session, tls) != 0) {
		return 0;
	}
	step = data[0] % 127 * 4 + 1;
	if (data[0] & 0x80) {
		speak(session, span_slice(rest, 2, size), step, data[1]);
	} else {
		feed_pieces(session, span_slice(rest, 1, size), step);
	}
	(void)tls_session_end(session);
	tls_session_free(session);
	ERR_clear_error();
	return 0;
}
