/* SPDX-License-Identifier: MIT */
#include "io/tls_session.h"

#include "core/base/writer.h"
#include "io/tls_memory.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

enum {
	record_overhead_max = 64, /* header, explicit nonce or IV, tag or MAC and padding */
	name_length_max = 160,	  /* of a certificate, as it is shown */
};

struct tls_session {
	struct tls *tls;
	SSL *ssl;
	struct tls_memory memory;
	char *kept; /* what memory.input is a view of, when it is ours */
	struct tls_outcome outcome;
	char *certificate_text; /* outcome.client_certificate */
	bool has_heard;		/* anything at all */
	bool is_broken;
	bool has_ended;	   /* the peer: close_notify came */
	bool has_finished; /* we: close_notify went */
};

static bool may_write(const struct tls_session *session)
{
	return session->outcome.is_open && !session->is_broken && !session->has_finished;
}

int tls_session_new(struct tls_session **session, struct tls *tls)
{
	struct tls_session *s = calloc(1, sizeof(*s));
	BIO *bio = s ? tls_memory_bio(tls->memory, &s->memory) : NULL;

	if (s && bio) {
		s->ssl = SSL_new(tls->context);
	}
	ERR_clear_error();
	if (!s || !s->ssl) {
		BIO_free(bio);
		free(s);
		return -ENOMEM;
	}
	s->tls = tls;
	SSL_set_bio(s->ssl, bio, bio);
	SSL_set_accept_state(s->ssl);
	*session = s;
	return 0;
}

void tls_session_free(struct tls_session *session)
{
	if (!session) {
		return;
	}
	SSL_free(session->ssl);
	free(session->memory.output);
	free(session->kept);
	free(session->certificate_text);
	free(session);
}

/* Octets. */

void tls_session_feed(struct tls_session *session, struct span octets)
{
	free(session->kept);
	session->kept = NULL;
	session->memory.input = octets;
	session->has_heard = session->has_heard || octets.length > 0;
}

int tls_session_keep(struct tls_session *session)
{
	struct span input = session->memory.input;
	char *copy;

	if (!tls_session_has_more(session)) {
		session->memory.input = span_make(NULL, 0); /* nobody will ask for it */
		return 0;
	}
	if (session->kept || input.length == 0) {
		return 0;
	}
	copy = malloc(input.length);
	if (!copy) {
		return -ENOMEM;
	}
	memcpy(copy, input.data, input.length);
	session->kept = copy;
	session->memory.input = span_make(copy, input.length);
	return 0;
}

bool tls_session_has_more(const struct tls_session *session)
{
	return !session->is_broken && !session->has_ended &&
	       (session->memory.input.length > 0 || SSL_pending(session->ssl) > 0);
}

char *tls_session_take_output(struct tls_session *session, size_t *length)
{
	char *output = session->memory.output_length > 0 ? session->memory.output : NULL;

	if (output) {
		*length = session->memory.output_length;
		session->memory.output = NULL;
		session->memory.output_length = 0;
		session->memory.output_size = 0;
	}
	return output;
}

/* Failures. */

static enum tls_failure failure_of_reason(int reason)
{
	switch (reason) {
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
		return TLS_FAILURE_PLAIN_HTTP;
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_UNKNOWN_PROTOCOL:
		return TLS_FAILURE_NO_TLS;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_INAPPROPRIATE_FALLBACK:
		return TLS_FAILURE_OLD_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_SUITABLE_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
		return TLS_FAILURE_NO_SHARED_CIPHER;
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return TLS_FAILURE_NO_SHARED_PROTOCOL;
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
		return TLS_FAILURE_DISTRUSTED;
	default:
		return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256
			       ? TLS_FAILURE_ALERT
			       : TLS_FAILURE_MALFORMED;
	}
}

static void fail(struct tls_session *session, enum tls_failure failure, const char *detail)
{
	if (session->outcome.is_open || session->outcome.failure != TLS_FAILURE_NONE) {
		return;
	}
	session->outcome.failure = failure;
	session->outcome.detail = detail;
	session->tls->counters.failed[failure]++;
}

/* OpenSSL gave up: why, and that nothing goes on. */
static enum tls_progress take_fault(struct tls_session *session)
{
	unsigned long fault = ERR_peek_error();
	bool is_of_tls = ERR_GET_LIB(fault) == ERR_LIB_SSL;

	session->is_broken = true;
	if (session->outcome.is_open) {
		session->tls->counters.broken++;
	} else if (ERR_GET_REASON(fault) == ERR_R_MALLOC_FAILURE) {
		fail(session, TLS_FAILURE_NO_MEMORY, NULL);
	} else {
		fail(session,
		     is_of_tls ? failure_of_reason(ERR_GET_REASON(fault)) : TLS_FAILURE_MALFORMED,
		     ERR_reason_error_string(fault));
	}
	ERR_clear_error();
	return TLS_BROKEN;
}

void tls_session_give_up(struct tls_session *session, enum tls_failure failure)
{
	bool is_silent = failure == TLS_FAILURE_CUT && !session->has_heard;

	session->is_broken = session->is_broken || !session->outcome.is_open;
	fail(session, is_silent ? TLS_FAILURE_LEFT : failure, NULL);
}

bool tls_session_peer_left(struct tls_session *session)
{
	if (!session->has_ended && !session->is_broken) {
		session->tls->counters.no_close_notify++;
		session->is_broken = true;
	}
	return session->has_ended;
}

/* The phone's certificate. */

/* RFC 4514, with controls, NUL and what is not ASCII as \XX: nothing of it can end a line early. */
static void write_name(struct writer *w, X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long length = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
		length = BIO_get_mem_data(bio, &text);
	}
	if (length <= 0) {
		writer_text(w, "without a name");
	} else if (length > name_length_max) {
		writer_put(w, span_make(text, name_length_max));
		writer_text(w, "...");
	} else {
		writer_put(w, span_make(text, (size_t)length));
	}
	BIO_free(bio);
}

/* A resumed session brings the verdict of the day it was made on: the certificate may have expired.
 */
static long verdict(const SSL *ssl, const X509 *certificate)
{
	long result = SSL_get_verify_result(ssl);

	if (result == X509_V_OK && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
		return X509_V_ERR_CERT_HAS_EXPIRED;
	}
	return result;
}

static void take_certificate(struct tls_session *session)
{
	X509 *certificate = SSL_get0_peer_certificate(session->ssl);
	struct writer w;
	long result;

	if (!certificate) {
		return;
	}
	session->certificate_text = malloc(tls_certificate_text_size);
	if (!session->certificate_text) {
		return;
	}
	w = writer_over(session->certificate_text, tls_certificate_text_size);
	result = verdict(session->ssl, certificate);
	session->tls->counters.client_certificates++;
	session->tls->counters.client_verified += result == X509_V_OK;
	writer_text(&w, "client certificate ");
	write_name(&w, X509_get_subject_name(certificate));
	writer_text(&w, result == X509_V_OK ? ", verified" : ", not verified: ");
	writer_text(&w, result == X509_V_OK ? "" : X509_verify_cert_error_string(result));
	session->outcome.client_certificate = writer_span(&w);
}

/* Steps. */

static bool is_forward_secret(const SSL *ssl)
{
	return SSL_version(ssl) >= TLS1_3_VERSION ||
	       SSL_CIPHER_get_kx_nid(SSL_get_current_cipher(ssl)) != NID_kx_rsa;
}

static enum tls_progress open_session(struct tls_session *session)
{
	struct tls_counters *counters = &session->tls->counters;

	session->outcome.is_open = true;
	session->outcome.is_resumed = SSL_session_reused(session->ssl) == 1;
	counters->handshakes++;
	counters->resumed += session->outcome.is_resumed;
	counters->tls_1_2 += SSL_version(session->ssl) == TLS1_2_VERSION;
	counters->no_forward_secrecy += !is_forward_secret(session->ssl);
	take_certificate(session);
	ERR_clear_error();
	return TLS_OPENED;
}

static enum tls_progress progress_of(struct tls_session *session, int result)
{
	switch (SSL_get_error(session->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		ERR_clear_error();
		return TLS_NEEDS_MORE;
	case SSL_ERROR_ZERO_RETURN:
		session->has_ended = true;
		return TLS_ENDED;
	default:
		return take_fault(session);
	}
}

enum tls_progress tls_session_read(struct tls_session *session, char plain[static tls_plain_size],
				   struct span *bytes)
{
	size_t count = 0;
	int result;

	if (session->is_broken || session->has_ended) {
		return session->has_ended ? TLS_ENDED : TLS_BROKEN;
	}
	ERR_clear_error();
	if (!session->outcome.is_open) {
		result = SSL_do_handshake(session->ssl);
		return result == 1 ? open_session(session) : progress_of(session, result);
	}
	result = SSL_read_ex(session->ssl, plain, tls_plain_size, &count);
	if (result != 1) {
		return progress_of(session, result);
	}
	*bytes = span_make(plain, count);
	return TLS_BYTES;
}

int tls_session_write(struct tls_session *session, struct span bytes)
{
	size_t records = bytes.length / tls_plain_size + 1;
	size_t count;

	if (!may_write(session)) {
		return -EPROTO;
	}
	if (bytes.length == 0) {
		return 0;
	}
	ERR_clear_error();
	if (tls_memory_reserve(&session->memory, bytes.length + records * record_overhead_max) !=
	    0) {
		return -ENOMEM;
	}
	if (SSL_write_ex(session->ssl, bytes.data, bytes.length, &count) != 1) {
		(void)take_fault(session);
		return -EPROTO;
	}
	return 0;
}

int tls_session_end(struct tls_session *session)
{
	if (!may_write(session)) {
		return -EPROTO;
	}
	session->has_finished = true;
	ERR_clear_error();
	if (SSL_shutdown(session->ssl) < 0) {
		(void)take_fault(session);
		return -EPROTO;
	}
	return 0;
}

const struct tls_outcome *tls_session_outcome(const struct tls_session *session)
{
	return &session->outcome;
}
