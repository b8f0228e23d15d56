/* SPDX-License-Identifier: MIT */
/*
 * Digest authentication from the client's side (RFC 3261 22.2, 22.4; RFC 7616; RFC 8760): reading
 * the challenges of a 401 or 407, choosing one, and writing the header that answers it. MD5,
 * SHA-256 and SHA-512-256, each with -sess, with qop=auth and without qop (RFC 2069). What asks for
 * qop=auth-int alone is not answered.
 */
#ifndef BELLHOP_CORE_SIP_DIGEST_H
#define BELLHOP_CORE_SIP_DIGEST_H

#include "core/sip/message.h"

/* In rising order of strength. */
enum digest_hash { DIGEST_MD5, DIGEST_SHA_512_256, DIGEST_SHA_256 };

/* Spans into the response, inside the quotes, quoted-pairs as they are: so they are hashed. */
struct sip_challenge {
	enum digest_hash hash;
	bool is_session; /* the algorithm's name ends in -sess */
	bool has_qop;	 /* and auth is among what it offers */
	bool is_stale;	 /* the credentials were right, their nonce is too old (RFC 7616 3.3) */
	bool is_proxy;	 /* of a 407: to be answered with Proxy-Authorization */
	struct span realm;
	struct span nonce;
	struct span opaque;    /* may be empty */
	struct span algorithm; /* as it was written; empty: none was named, which is MD5 */
};

/*
 * Reads one value of WWW-Authenticate or Proxy-Authenticate; `is_proxy` is left false. 0, -EINVAL
 * when it is malformed or folded within a value that is to be repeated, or -ENOTSUP for another
 * scheme, algorithm or qop than we have.
 */
int sip_challenge_parse(struct span value, struct sip_challenge *challenge);

/*
 * The strongest challenge that a 401 (WWW-Authenticate) or a 407 (Proxy-Authenticate) makes; of
 * equal ones the topmost. (RFC 8760 2.4 lets a policy choose instead of the order, and who alters a
 * message on its way could put MD5 first.) 0, or -ENOENT when there is none that we can answer.
 */
int sip_challenge_choose(const struct sip_message *response, struct sip_challenge *challenge);

struct sip_digest {
	const struct sip_challenge *challenge;
	struct span username;
	struct span password;
	struct span method;   /* "NOTIFY" */
	struct span uri;      /* the Request-URI, as it is sent */
	struct span cnonce;   /* ours, of token characters */
	uint32_t nonce_count; /* how often this nonce is used, with this time: from 1 */
};

enum { digest_response_size = 65 };

/* `response` in hexadecimal, with NUL. 0, or -ENOMEM. */
int sip_digest_response(const struct sip_digest *digest,
			char response[static digest_response_size]);

/* Writes the whole line of Authorization or Proxy-Authorization. 0 or -ENOMEM. */
int sip_digest_write(struct writer *w, const struct sip_digest *digest);

#endif
