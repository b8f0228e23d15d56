/* SPDX-License-Identifier: MIT */
/*
 * What the TLS connections of one door share: the certificate in force, the ticket keys and the
 * counters. The certificate is replaced as a whole (SIGHUP); connections that are under way finish
 * with the one they began with. All of it belongs to the thread of the door.
 */
#ifndef BELLHOP_IO_TLS_H
#define BELLHOP_IO_TLS_H

#include "core/base/random.h"

#include <openssl/bio.h>

/* Why a handshake failed. */
enum tls_failure {
	TLS_FAILURE_NONE,
	TLS_FAILURE_PLAIN_HTTP,
	TLS_FAILURE_NO_TLS,
	TLS_FAILURE_OLD_VERSION,
	TLS_FAILURE_NO_SHARED_CIPHER,
	TLS_FAILURE_NO_SHARED_PROTOCOL,
	TLS_FAILURE_DISTRUSTED,
	TLS_FAILURE_ALERT,
	TLS_FAILURE_MALFORMED,
	TLS_FAILURE_CUT,
	TLS_FAILURE_LEFT, /* before it said anything: nobody's fault */
	TLS_FAILURE_TIMED_OUT,
	TLS_FAILURE_NO_MEMORY,
};
enum { tls_failure_count = TLS_FAILURE_NO_MEMORY + 1 };

/* The word that it is counted by, "plain_http", and what it means, for people. */
const char *tls_failure_name(enum tls_failure failure);
const char *tls_failure_sentence(enum tls_failure failure);

struct tls_counters {
	uint64_t handshakes; /* that succeeded */
	uint64_t resumed;    /* of them */
	uint64_t tls_1_2;    /* of them */
	uint64_t no_forward_secrecy;
	uint64_t client_certificates; /* shown */
	uint64_t client_verified;     /* of them */
	uint64_t failed[tls_failure_count];
	uint64_t broken;	  /* connections that were open, and ended by a fault of a record */
	uint64_t no_close_notify; /* that the peer ended without it */
};

struct tls {
	SSL_CTX *context; /* in force */
	BIO_METHOD *memory;
	struct tls_tickets *tickets;
	uint64_t (*now_ms)(void);
	struct tls_counters counters;
};

struct tls_options {
	uint8_t seed[random_seed_size]; /* of the ticket keys */
	uint64_t (*now_ms)(void);	/* monotonic; NULL: the machine's */
};

/*
 * 0 and `*tls`, which has taken `context` over, or -ENOMEM, and `context` is still the caller's.
 */
int tls_new(struct tls **tls, SSL_CTX *context, const struct tls_options *options);

/* The next connections use this one, which is taken over. Tickets of before are still good. */
void tls_replace(struct tls *tls, SSL_CTX *context);

/* When no connection is left. NULL is allowed. */
void tls_free(struct tls *tls);

#endif
