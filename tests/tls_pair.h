/* SPDX-License-Identifier: MIT */
/*
 * Both ends of a TLS connection in one thread and without a network: our session, and OpenSSL as
 * its client. One test program has one house, one struct tls and one clock, which is a knob.
 */
#ifndef BELLHOP_TESTS_TLS_PAIR_H
#define BELLHOP_TESTS_TLS_PAIR_H

#include "tests/test.h"
#include "tests/tls_client.h"

static struct tls_house house;
static struct tls *tls;
static uint64_t now_ms;

static inline uint64_t tell_now_ms(void)
{
	return now_ms;
}

static inline void open_tls(const char *client_ca)
{
	struct tls_options options = {.seed = {1}, .now_ms = tell_now_ms};

	now_ms = 1000;
	certificates_need(tls_new(&tls, tls_house_context(&house, "server", client_ca), &options) ==
			  0);
}

static inline void close_tls(void)
{
	tls_free(tls);
	tls = NULL;
}

/* Both ends of one connection. */
struct pair {
	struct tls_session *server;
	SSL *client;
	char plain[tls_plain_size];
	struct span bytes; /* the last that the server read */
	enum tls_progress last;
	size_t step; /* octets that the server is fed with at once; 0: all */
};

static inline void open_pair(struct pair *pair, SSL_CTX *client)
{
	*pair = (struct pair){.client = tls_client_new(client)};
	certificates_need(tls_session_new(&pair->server, tls) == 0);
}

static inline void close_pair(struct pair *pair)
{
	tls_session_free(pair->server);
	SSL_free(pair->client);
}

static inline void take_output(struct pair *pair)
{
	size_t length = 0;
	char *output = tls_session_take_output(pair->server, &length);

	tls_client_hear(pair->client, span_make(output, length));
	free(output);
}

/* Reads until there is no more to be had; keeps the last bytes. */
static inline void read_all(struct pair *pair)
{
	do {
		pair->last = tls_session_read(pair->server, pair->plain, &pair->bytes);
		take_output(pair);
	} while (pair->last == TLS_OPENED ||
		 (pair->last == TLS_BYTES && tls_session_has_more(pair->server)));
}

static inline void feed(struct pair *pair, struct span octets)
{
	size_t step = pair->step ? pair->step : octets.length;

	while (octets.length > 0) {
		struct span piece = span_slice(octets, 0, step);

		tls_session_feed(pair->server, piece);
		read_all(pair);
		octets = span_slice(octets, piece.length, octets.length);
	}
}

/* Carries what the client says to the server, and its answers back. */
static inline void carry(struct pair *pair)
{
	struct span said = tls_client_output(pair->client);
	char *copy = malloc(said.length + 1);

	certificates_need(copy != NULL);
	memcpy(copy, said.data ? said.data : "", said.length);
	tls_client_sent(pair->client);
	feed(pair, span_make(copy, said.length));
	free(copy);
}

/* True when both ends have finished it. */
static inline bool shake_hands(struct pair *pair)
{
	int done = 0;

	for (unsigned i = 0; i < 6 && done != 1; i++) {
		done = SSL_do_handshake(pair->client);
		carry(pair);
	}
	ERR_clear_error();
	return done == 1 && tls_session_outcome(pair->server)->is_open;
}

static inline bool client_says(struct pair *pair, const char *text)
{
	bool is_good = SSL_write(pair->client, text, (int)strlen(text)) == (int)strlen(text);

	carry(pair);
	return is_good && pair->last == TLS_BYTES && span_equal(pair->bytes, span_text(text));
}

static inline bool server_says(struct pair *pair, const char *text)
{
	char heard[256] = "";

	if (tls_session_write(pair->server, span_text(text)) != 0) {
		return false;
	}
	take_output(pair);
	return SSL_read(pair->client, heard, sizeof(heard)) == (int)strlen(text) &&
	       strcmp(heard, text) == 0;
}

/* A whole connection; the client's session, to be resumed, is the caller's. */
static inline SSL_SESSION *connect_once(SSL_CTX *client, SSL_SESSION *resumed, bool *is_resumed)
{
	struct pair pair;
	SSL_SESSION *session;

	open_pair(&pair, client);
	if (resumed) {
		SSL_set_session(pair.client, resumed);
	}
	CHECK(shake_hands(&pair));
	CHECK(client_says(&pair, "ask"));
	CHECK(server_says(&pair, "answer")); /* a ticket of TLS 1.3 comes before it */
	if (is_resumed) {
		*is_resumed = tls_session_outcome(pair.server)->is_resumed;
		CHECK_EQUAL(SSL_session_reused(pair.client), *is_resumed);
	}
	session = SSL_get1_session(pair.client);
	SSL_shutdown(pair.client); /* or its session would be bad, RFC 2246 7.2.1 */
	close_pair(&pair);
	return session;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

#endif
