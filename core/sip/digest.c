/* SPDX-License-Identifier: MIT */
#include "core/sip/digest.h"

#include "core/sip/write.h"

#include <errno.h>
#include <openssl/evp.h>

enum { hex_size = digest_response_size };

static const struct algorithm {
	struct span name;
	enum digest_hash hash;
	bool is_session;
} algorithms[] = {
	{{"MD5", 3}, DIGEST_MD5, false},
	{{"MD5-sess", 8}, DIGEST_MD5, true},
	{{"SHA-256", 7}, DIGEST_SHA_256, false},
	{{"SHA-256-sess", 12}, DIGEST_SHA_256, true},
	{{"SHA-512-256", 11}, DIGEST_SHA_512_256, false},
	{{"SHA-512-256-sess", 16}, DIGEST_SHA_512_256, true},
};

/* --- Reading. --- */

/* It goes back as it came: nothing in it may end our line. */
static bool may_be_repeated(struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		if ((unsigned char)value.data[i] < ' ' || value.data[i] == 0x7f) {
			return false;
		}
	}
	return true;
}

/* Is `auth` in the list, which may be quoted or not? */
static bool offers_auth(struct span qop)
{
	while (qop.length > 0) {
		if (span_equal_nocase(sip_trim(span_cut(&qop, ',')), SPAN("auth"))) {
			return true;
		}
	}
	return false;
}

static int read_algorithm(struct span name, struct sip_challenge *challenge)
{
	if (span_is_empty(name)) {
		challenge->hash = DIGEST_MD5;
		return 0;
	}
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (span_equal_nocase(name, algorithms[i].name)) {
			challenge->hash = algorithms[i].hash;
			challenge->is_session = algorithms[i].is_session;
			return 0;
		}
	}
	return -ENOTSUP;
}

int sip_challenge_parse(struct span value, struct sip_challenge *challenge)
{
	struct sip_authorization read;
	struct sip_challenge made = {.hash = DIGEST_MD5};
	int error = sip_authorization_parse(value, &read);

	if (error) {
		return error;
	}
	if (!span_equal_nocase(read.scheme, SPAN("Digest"))) {
		return -ENOTSUP;
	}
	made.realm = read.realm;
	made.nonce = read.nonce;
	made.opaque = read.opaque;
	made.algorithm = read.algorithm;
	made.has_qop = offers_auth(read.qop);
	made.is_stale = span_equal_nocase(read.stale, SPAN("true"));
	if (span_is_empty(made.nonce) || !may_be_repeated(made.nonce) ||
	    !may_be_repeated(made.realm) || !may_be_repeated(made.opaque)) {
		return -EINVAL;
	}
	if (!span_is_empty(read.qop) && !made.has_qop) {
		return -ENOTSUP;
	}
	error = read_algorithm(made.algorithm, &made);
	if (!error) {
		*challenge = made;
	}
	return error;
}

int sip_challenge_choose(const struct sip_message *response, struct sip_challenge *challenge)
{
	bool is_proxy = response->status == 407;
	enum sip_header kind =
		is_proxy ? SIP_HEADER_PROXY_AUTHENTICATE : SIP_HEADER_WWW_AUTHENTICATE;
	const struct sip_row *row = NULL;
	bool is_found = false;

	while ((row = sip_message_next_row(response, kind, row))) {
		struct sip_challenge read;

		if (sip_challenge_parse(row->value, &read) == 0 &&
		    (!is_found || read.hash > challenge->hash)) {
			*challenge = read;
			challenge->is_proxy = is_proxy;
			is_found = true;
		}
	}
	return is_found ? 0 : -ENOENT;
}

/* --- Answering. --- */

static const EVP_MD *hash_of(enum digest_hash hash)
{
	switch (hash) {
	case DIGEST_SHA_256:
		return EVP_sha256();
	case DIGEST_SHA_512_256:
		return EVP_sha512_256();
	case DIGEST_MD5:
		break;
	}
	return EVP_md5();
}

/* The hash of the parts with a colon between each two, as small hexadecimal digits. */
static int hash_parts(enum digest_hash hash, const struct span *parts, size_t count,
		      char hex[static hex_size])
{
	unsigned char octets[EVP_MAX_MD_SIZE];
	struct writer w = writer_over(hex, hex_size);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned length = 0;
	bool is_good = context && EVP_DigestInit_ex(context, hash_of(hash), NULL) == 1;

	for (size_t i = 0; is_good && i < count; i++) {
		is_good = (i == 0 || EVP_DigestUpdate(context, ":", 1) == 1) &&
			  EVP_DigestUpdate(context, parts[i].data, parts[i].length) == 1;
	}
	is_good = is_good && EVP_DigestFinal_ex(context, octets, &length) == 1;
	EVP_MD_CTX_free(context);
	if (!is_good) {
		return -ENOMEM;
	}
	writer_hex(&w, octets, length);
	writer_terminate(&w);
	return w.failed ? -ENOMEM : 0;
}

/* Eight hexadecimal digits. */
static void write_nonce_count(struct writer *w, uint32_t count)
{
	const uint8_t octets[] = {(uint8_t)(count >> 24), (uint8_t)(count >> 16),
				  (uint8_t)(count >> 8), (uint8_t)count};

	writer_hex(w, octets, sizeof(octets));
}

/* RFC 7616 3.4.1 to 3.4.3. */
int sip_digest_response(const struct sip_digest *digest, char response[static digest_response_size])
{
	const struct sip_challenge *challenge = digest->challenge;
	char a1[hex_size];
	char session[hex_size];
	char a2[hex_size];
	char count[9];
	struct writer w = writer_over(count, sizeof(count));
	struct span secret[] = {digest->username, challenge->realm, digest->password};
	struct span request[] = {digest->method, digest->uri};
	int error = hash_parts(challenge->hash, secret, 3, a1);

	if (!error && challenge->is_session) {
		struct span parts[] = {span_text(a1), challenge->nonce, digest->cnonce};

		error = hash_parts(challenge->hash, parts, 3, session);
		memcpy(a1, session, sizeof(a1));
	}
	error = error ? error : hash_parts(challenge->hash, request, 2, a2);
	if (error) {
		return error;
	}
	write_nonce_count(&w, digest->nonce_count);
	writer_terminate(&w);
	if (challenge->has_qop) {
		struct span parts[] = {span_text(a1),  challenge->nonce, span_text(count),
				       digest->cnonce, SPAN("auth"),	 span_text(a2)};

		return hash_parts(challenge->hash, parts, 6, response);
	}
	return hash_parts(challenge->hash,
			  (struct span[]){span_text(a1), challenge->nonce, span_text(a2)}, 3,
			  response);
}

/* What was quoted in the challenge and is so again, with its quoted-pairs as they were. */
static void write_repeated(struct writer *w, const char *before, struct span value)
{
	writer_text(w, before);
	writer_put(w, value);
	writer_char(w, '"');
}

int sip_digest_write(struct writer *w, const struct sip_digest *digest)
{
	const struct sip_challenge *challenge = digest->challenge;
	char response[digest_response_size];
	int error = sip_digest_response(digest, response);

	if (error) {
		return error;
	}
	writer_text(w, challenge->is_proxy ? "Proxy-Authorization" : "Authorization");
	writer_text(w, ": Digest username=");
	sip_write_quoted(w, digest->username);
	write_repeated(w, ", realm=\"", challenge->realm);
	write_repeated(w, ", nonce=\"", challenge->nonce);
	write_repeated(w, ", uri=\"", digest->uri);
	write_repeated(w, ", response=\"", span_text(response));
	if (!span_is_empty(challenge->algorithm)) {
		writer_text(w, ", algorithm=");
		writer_put(w, challenge->algorithm);
	}
	if (challenge->has_qop || challenge->is_session) {
		write_repeated(w, ", cnonce=\"", digest->cnonce);
	}
	if (!span_is_empty(challenge->opaque)) {
		write_repeated(w, ", opaque=\"", challenge->opaque);
	}
	if (challenge->has_qop) {
		writer_text(w, ", qop=auth, nc=");
		write_nonce_count(w, digest->nonce_count);
	}
	writer_text(w, "\r\n");
	return 0;
}
