/* SPDX-License-Identifier: MIT */
#include "io/tls.h"

#include "io/tls_memory.h"
#include "io/tls_tickets.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <uv.h>

static const struct {
	const char *name;
	const char *sentence;
} failures[tls_failure_count] = {
	[TLS_FAILURE_NONE] = {"none", "nothing"},
	[TLS_FAILURE_PLAIN_HTTP] = {"plain_http", "plain HTTP came in place of TLS"},
	[TLS_FAILURE_NO_TLS] = {"no_tls", "what came is not TLS"},
	[TLS_FAILURE_OLD_VERSION] = {"old_version", "the client speaks nothing as new as TLS 1.2"},
	[TLS_FAILURE_NO_SHARED_CIPHER] = {"no_shared_cipher",
					  "no cipher suite, group or signature in common"},
	[TLS_FAILURE_NO_SHARED_PROTOCOL] = {"no_shared_protocol",
					    "the client asked for protocols other than HTTP/1.1"},
	[TLS_FAILURE_DISTRUSTED] = {"distrusted", "the client does not accept our certificate"},
	[TLS_FAILURE_ALERT] = {"alert", "the client gave up"},
	[TLS_FAILURE_MALFORMED] = {"malformed", "the client broke the rules of TLS"},
	[TLS_FAILURE_CUT] = {"cut", "the connection ended in the middle of it"},
	[TLS_FAILURE_LEFT] = {"left", "the client left without a word"},
	[TLS_FAILURE_TIMED_OUT] = {"timed_out", "it took too long"},
	[TLS_FAILURE_NO_MEMORY] = {"no_memory", "no memory"},
};

const char *tls_failure_name(enum tls_failure failure)
{
	return failures[failure].name;
}

const char *tls_failure_sentence(enum tls_failure failure)
{
	return failures[failure].sentence;
}

/* ALPN (RFC 7301). */

static bool offers(struct span list, struct span protocol)
{
	while (list.length > 0) {
		size_t length = (uint8_t)list.data[0];

		if (span_equal(span_slice(list, 1, 1 + length), protocol)) {
			return true;
		}
		list = span_slice(list, 1 + length, list.length);
	}
	return false;
}

/* What a phone offers and we do not have ends the handshake (3.2): it means another service. */
static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
			   const unsigned char *offered, unsigned offered_length, void *context)
{
	static const struct span ours[] = {{"http/1.1", 8}, {"http/1.0", 8}};
	struct span list = span_make((const char *)offered, offered_length);

	(void)ssl;
	(void)context;
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		if (offers(list, ours[i])) {
			*chosen = (const unsigned char *)ours[i].data;
			*chosen_length = (unsigned char)ours[i].length;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Tickets. */

static int start_ciphers(const struct tls_ticket_key *key, unsigned char *iv,
			 EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool is_encrypting)
{
	/* OpenSSL takes them as writable, and writes to neither. */
	char digest[] = "SHA256";
	uint8_t secret[tls_ticket_secret_size];
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, sizeof(secret)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	bool is_good;

	memcpy(secret, key->mac, sizeof(secret));
	is_good = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv,
				    is_encrypting) == 1 &&
		  EVP_MAC_CTX_set_params(mac, parameters) == 1;
	OPENSSL_cleanse(secret, sizeof(secret));
	return is_good ? 0 : -EIO;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb: -1 fault; 0 no such key; 1 good; 2 good, and to renew. */
static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
		      EVP_MAC_CTX *mac, int is_encrypting)
{
	struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct tls_ticket_key *key;
	bool is_current = true;

	if (is_encrypting) {
		key = tls_tickets_current(tls->tickets, tls->now_ms());
		memcpy(name, key->name, tls_ticket_name_size);
		random_bytes(&tls->tickets->random, iv,
			     (size_t)EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
		return start_ciphers(key, iv, cipher, mac, true) == 0 ? 1 : -1;
	}
	key = tls_tickets_find(tls->tickets, name, tls->now_ms(), &is_current);
	if (!key) {
		return 0;
	}
	if (start_ciphers(key, iv, cipher, mac, false) != 0) {
		return -1;
	}
	/* Clients use a ticket of TLS 1.3 once (RFC 8446 C.4), so each use brings the next. */
	return is_current && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

static uint64_t machine_now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void take_context(struct tls *tls, SSL_CTX *context)
{
	SSL_CTX_set_app_data(context, tls);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
	tls->context = context;
}

int tls_new(struct tls **tls, SSL_CTX *context, const struct tls_options *options)
{
	struct tls *t = calloc(1, sizeof(*t));
	struct tls_tickets *tickets = calloc(1, sizeof(*tickets));
	BIO_METHOD *memory = tls_memory_method();

	if (!t || !tickets || !memory) {
		BIO_meth_free(memory);
		free(tickets);
		free(t);
		return -ENOMEM;
	}
	t->now_ms = options->now_ms ? options->now_ms : machine_now_ms;
	t->memory = memory;
	t->tickets = tickets;
	tls_tickets_init(tickets, options->seed, t->now_ms());
	take_context(t, context);
	*tls = t;
	return 0;
}

void tls_replace(struct tls *tls, SSL_CTX *context)
{
	SSL_CTX_free(tls->context); /* connections under way hold it too */
	take_context(tls, context);
}

void tls_free(struct tls *tls)
{
	if (!tls) {
		return;
	}
	SSL_CTX_free(tls->context);
	BIO_meth_free(tls->memory);
	tls_tickets_free(tls->tickets);
	free(tls->tickets);
	free(tls);
}
