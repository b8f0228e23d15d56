/* SPDX-License-Identifier: MIT */
/*
 * The server's side of one TLS connection, over memory: octets of the network go in and come out,
 * plain ones come out and go in. It knows no socket and no clock; io/stream.c carries the octets.
 */
#ifndef BELLHOP_IO_TLS_SESSION_H
#define BELLHOP_IO_TLS_SESSION_H

#include "core/base/span.h"
#include "io/tls.h"

struct tls_session;

enum {
	tls_plain_size = 16384, /* the longest record */
	tls_certificate_text_size = 320,
};

/* What became of the handshake; lives as long as the session. */
struct tls_outcome {
	enum tls_failure failure; /* TLS_FAILURE_NONE until it fails */
	const char *detail;	  /* OpenSSL's word for it, a constant; NULL: there is none */
	bool is_open;
	bool is_resumed;
	/*
	 * "client certificate CN=00908f123456, verified", or "…, not verified: " and why. Printable
	 * ASCII: what a name holds beyond that is escaped (RFC 4514 2.4), and a long name is cut.
	 * Empty: none was shown.
	 */
	struct span client_certificate;
};

/* 0 and `*session`, or -ENOMEM. `tls` must outlive it. */
int tls_session_new(struct tls_session **session, struct tls *tls);
void tls_session_free(struct tls_session *session); /* NULL is allowed */

/* Octets from the network; all that were given before must have been used up. A view until _keep.
 */
void tls_session_feed(struct tls_session *session, struct span octets);

/* Copies what is not used up yet, for its memory goes away. 0 or -ENOMEM. */
int tls_session_keep(struct tls_session *session);

/* Is there more to be had from _read without more octets? */
bool tls_session_has_more(const struct tls_session *session);

enum tls_progress {
	TLS_NEEDS_MORE,
	TLS_OPENED, /* once: the handshake is over, see tls_session_outcome */
	TLS_BYTES,  /* `*bytes` */
	TLS_ENDED,  /* the peer has said that it sends no more */
	TLS_BROKEN, /* nothing goes on; while not open, see tls_session_outcome */
};

/* One step with the octets at hand; `*bytes` is in `plain`. Output may follow each step. */
enum tls_progress tls_session_read(struct tls_session *session, char plain[static tls_plain_size],
				   struct span *bytes);

/* Encrypts. 0; -EPROTO when it is not open, broken, or our side has ended; -ENOMEM. */
int tls_session_write(struct tls_session *session, struct span bytes);

/* close_notify: our side has ended. 0, or -EPROTO as above. */
int tls_session_end(struct tls_session *session);

/* Octets for the network: the caller frees them. NULL when there are none. */
char *tls_session_take_output(struct tls_session *session, size_t *length);

/* The handshake will not be finished (CUT, TIMED_OUT); counted. Without effect when it is over. */
void tls_session_give_up(struct tls_session *session, enum tls_failure failure);

/* The peer's octets have ended; counted when it said no close_notify. True when it did. */
bool tls_session_peer_left(struct tls_session *session);

const struct tls_outcome *tls_session_outcome(const struct tls_session *session);

#endif
