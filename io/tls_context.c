/* SPDX-License-Identifier: MIT */
#include "io/tls_context.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	security_level = 2, /* 112 bits: RSA from 2048 on, no SHA-1 signatures */
	client_chain_bytes_max = 32768,
	ca_names_bytes_max = 32768, /* a CertificateRequest takes 65535 */
	session_life_s = 12 * 3600,
};

/*
 * Forward secrecy and AEAD first. What follows them is for phones of the first TLS 1.2 years: CBC
 * with SHA-1 for stacks that took up ECDHE and not GCM, RSA key exchange for those that were built
 * without elliptic curves (TLS_RSA_WITH_AES_128_CBC_SHA is the one suite that every TLS 1.2 stack
 * has, RFC 5246 9). No DHE: whoever can run it can do one of the others, and it is the dearest
 * thing a stranger can make a server compute.
 */
static const char suites_1_2[] =
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
	"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
	"AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES128-SHA:AES256-SHA";
static const char suites_1_3[] =
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/* One file, whole, and what is being made of it. */
struct source {
	enum tls_file file;
	const char *path;
	char *bytes;
	size_t length;
	mode_t mode;
	struct log *log;
	struct tls_problem *problem;
};

static int refuse(const struct source *source, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Names the file, says what is wrong with it, and returns `error`. */
static int refuse(const struct source *source, int error, const char *format, ...)
{
	char what[tls_problem_size];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	source->problem->file = source->file;
	snprintf(source->problem->sentence, sizeof(source->problem->sentence), "%.200s %.280s",
		 source->path, what);
	return error;
}

/* OpenSSL's word for what it did not like: a constant, so no content of ours is in it. */
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return text ? text : "unknown fault";
}

/* Files. */

static int read_all(struct source *source, int fd)
{
	ssize_t count;

	source->bytes = malloc(tls_file_bytes_max + 1);
	if (!source->bytes) {
		return -ENOMEM;
	}
	do {
		count = read(fd, source->bytes + source->length,
			     tls_file_bytes_max + 1 - source->length);
		source->length += count > 0 ? (size_t)count : 0;
	} while (count > 0 || (count < 0 && errno == EINTR));
	if (count < 0) {
		return -errno;
	}
	return source->length > tls_file_bytes_max ? -EFBIG : 0;
}

static int source_open(struct source *source)
{
	struct stat info = {0};
	int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int error = fd < 0 || fstat(fd, &info) != 0 ? -errno : 0;

	if (error == 0) {
		source->mode = info.st_mode;
		error = read_all(source, fd);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (error == 0) {
		return 0;
	}
	return refuse(source, error, "cannot be read: %s%s", strerrordesc_np(-error),
		      error == -EACCES ? "; let the server's user read it" : "");
}

static void source_close(struct source *source)
{
	if (source->bytes) {
		OPENSSL_cleanse(source->bytes, source->length);
	}
	free(source->bytes);
	source->bytes = NULL;
}

/* All certificates of the file, in their order; NULL with `*problem` when there are none. */
static STACK_OF(X509) * read_certificates(const struct source *source)
{
	BIO *bio = BIO_new_mem_buf(source->bytes, (int)source->length);
	STACK_OF(X509) *all = sk_X509_new_null();
	X509 *one = NULL;
	unsigned long last;
	bool is_damaged;

	while (bio && all && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (sk_X509_push(all, one) == 0) {
			X509_free(one);
		}
	}
	BIO_free(bio);
	last = ERR_peek_last_error();
	is_damaged =
		ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE;
	ERR_clear_error();
	if (all && sk_X509_num(all) > 0 && !is_damaged) {
		return all;
	}
	if (is_damaged) {
		refuse(source, -EINVAL, "is damaged: certificate %d of it cannot be read",
		       sk_X509_num(all) + 1);
	} else {
		refuse(source, -EINVAL,
		       "holds no certificate; it must be a PEM file with "
		       "BEGIN CERTIFICATE in it");
	}
	sk_X509_pop_free(all, X509_free);
	return NULL;
}

/* Our certificate. */

static void warn_of_date(const struct source *source, const ASN1_TIME *time, const char *what)
{
	struct tm date = {0};
	char text[16] = "?";

	if (ASN1_TIME_to_tm(time, &date) == 1) {
		strftime(text, sizeof(text), "%Y-%m-%d", &date);
	}
	log_warning(source->log, "https_certificate",
		    "the certificate in %s %s %s; phones that look at it will refuse it",
		    source->path, what, text);
}

static void warn_of_dates(const struct source *source, const X509 *certificate)
{
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
		warn_of_date(source, X509_get0_notAfter(certificate), "expired on");
	}
	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
		warn_of_date(source, X509_get0_notBefore(certificate), "is not valid before");
	}
}

static int use_certificate(SSL_CTX *context, struct source *source)
{
	STACK_OF(X509) *chain = read_certificates(source);
	int error = chain ? 0 : -EINVAL;

	if (error == 0 && SSL_CTX_use_certificate(context, sk_X509_value(chain, 0)) != 1) {
		error = refuse(source, -EINVAL, "holds a certificate that is no use: %s", reason());
	}
	for (int i = 1; error == 0 && i < sk_X509_num(chain); i++) {
		if (SSL_CTX_add1_chain_cert(context, sk_X509_value(chain, i)) != 1) {
			error = refuse(source, -EINVAL,
				       "holds a certificate of an issuer that is no use: %s",
				       reason());
		}
	}
	if (error == 0) {
		warn_of_dates(source, sk_X509_value(chain, 0));
	}
	sk_X509_pop_free(chain, X509_free);
	return error;
}

/* Whoever starts a server is not there to be asked. */
static int no_passphrase(char *buffer, int size, int is_writing, void *was_asked)
{
	(void)buffer;
	(void)size;
	(void)is_writing;
	*(bool *)was_asked = true;
	return -1;
}

static EVP_PKEY *read_key(const struct source *source, int *error)
{
	BIO *bio = BIO_new_mem_buf(source->bytes, (int)source->length);
	bool was_asked = false;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &was_asked) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (was_asked) {
		*error = refuse(source, -EKEYREJECTED,
				"is encrypted with a passphrase, and nobody is there to type it; "
				"openssl pkey writes it without");
	} else if (!key) {
		*error =
			refuse(source, -EINVAL,
			       "holds no private key; it must be a PEM file with BEGIN PRIVATE KEY "
			       "in it");
	}
	return key;
}

static int use_key(SSL_CTX *context, struct source *source, const char *certificate_path)
{
	int error = 0;
	EVP_PKEY *key = read_key(source, &error);

	if (!key) {
		return error;
	}
	if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1) {
		error = refuse(source, -EKEYREJECTED,
			       "does not belong to the first certificate in %s, which must be the "
			       "server's own",
			       certificate_path);
	} else if (SSL_CTX_use_PrivateKey(context, key) != 1) {
		error = refuse(source, -EINVAL, "holds a key that is no use: %s", reason());
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	if (error == 0 && (source->mode & (S_IROTH | S_IWOTH))) {
		log_warning(source->log, "https_key",
			    "anybody on this machine may read the key in %s (mode %04o); "
			    "chmod 0600 it",
			    source->path, (unsigned)(source->mode & 07777));
	}
	return error;
}

/* The phones' certificates. */

/* None is required: what is wrong with one is looked at when the handshake is over. */
static int accept_any(int is_good, X509_STORE_CTX *store)
{
	(void)is_good;
	(void)store;
	return 1;
}

/* Tells phones which authorities we know, as long as the list fits its message. */
static void name_authorities(SSL_CTX *context, const STACK_OF(X509) * authorities)
{
	int length = 0;

	for (int i = 0; i < sk_X509_num(authorities); i++) {
		length += i2d_X509_NAME(X509_get_subject_name(sk_X509_value(authorities, i)), NULL);
	}
	for (int i = 0; length <= ca_names_bytes_max && i < sk_X509_num(authorities); i++) {
		(void)SSL_CTX_add_client_CA(context, sk_X509_value(authorities, i));
	}
}

static int use_client_ca(SSL_CTX *context, struct source *source)
{
	STACK_OF(X509) *authorities = read_certificates(source);
	X509_STORE *store = SSL_CTX_get_cert_store(context);

	if (!authorities) {
		return -EINVAL;
	}
	for (int i = 0; i < sk_X509_num(authorities); i++) {
		(void)X509_STORE_add_cert(store, sk_X509_value(authorities, i));
	}
	/* Who puts an authority below a root into the file means that one. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	name_authorities(context, authorities);
	sk_X509_pop_free(authorities, X509_free);
	ERR_clear_error();
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, accept_any);
	SSL_CTX_set_max_cert_list(context, client_chain_bytes_max);
	return 0;
}

/*
 * A session carries the verdict on the phone's certificate. One that other authorities judged is
 * not taken up again: the phone makes a whole handshake.
 */
static void bind_sessions(SSL_CTX *context, const struct source *client_ca)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256((const uint8_t *)client_ca->bytes, client_ca->length, digest);
	(void)SSL_CTX_set_session_id_context(context, digest, sizeof(digest));
}

/* The rest. */

static SSL_CTX *new_context(void)
{
	char groups[] =
		"X25519:P-256:P-384"; /* OpenSSL's macro casts it to what it could write to */
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context) {
		return NULL;
	}
	SSL_CTX_set_security_level(context, security_level);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_PRIORITIZE_CHACHA);
	/* An idle connection keeps no record buffers. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(context, session_life_s);
	SSL_CTX_set_num_tickets(context, 1);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(context, suites_1_2) != 1 ||
	    SSL_CTX_set_ciphersuites(context, suites_1_3) != 1 ||
	    SSL_CTX_set1_groups_list(context, groups) != 1) {
		SSL_CTX_free(context);
		return NULL;
	}
	return context;
}

static int fill(SSL_CTX *context, const struct tls_files *files, struct log *log,
		struct tls_problem *problem)
{
	struct source certificate = {.file = TLS_FILE_CERTIFICATE, .path = files->certificate};
	struct source key = {.file = TLS_FILE_KEY, .path = files->key};
	struct source client_ca = {.file = TLS_FILE_CLIENT_CA, .path = files->client_ca};
	struct source *sources[] = {&certificate, &key, &client_ca};
	bool asks = files->client_ca[0] != '\0';
	int error = 0;

	for (size_t i = 0; error == 0 && i < (asks ? 3 : 2); i++) {
		sources[i]->log = log;
		sources[i]->problem = problem;
		error = source_open(sources[i]);
	}
	if (error == 0) {
		error = use_certificate(context, &certificate);
	}
	if (error == 0) {
		error = use_key(context, &key, files->certificate);
	}
	if (error == 0 && asks) {
		error = use_client_ca(context, &client_ca);
	}
	if (error == 0) {
		bind_sessions(context, &client_ca);
	}
	for (size_t i = 0; i < 3; i++) {
		source_close(sources[i]);
	}
	return error;
}

int tls_context_load(SSL_CTX **context, const struct tls_files *files, struct log *log,
		     struct tls_problem *problem)
{
	SSL_CTX *fresh;
	int error;

	ERR_clear_error();
	fresh = new_context();
	if (!fresh) {
		problem->file = TLS_FILE_CERTIFICATE;
		snprintf(problem->sentence, sizeof(problem->sentence),
			 "cannot be used: OpenSSL is not ready: %s", reason());
		return -ENOMEM;
	}
	error = fill(fresh, files, log, problem);
	if (error != 0) {
		SSL_CTX_free(fresh);
		return error;
	}
	*context = fresh;
	return 0;
}
