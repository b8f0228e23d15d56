/* SPDX-License-Identifier: MIT */
/*
 * Keys and certificates for tests, made when the test runs: none is ever in the repository. What
 * cannot be made ends the test program.
 */
#ifndef BELLHOP_TESTS_CERTIFICATES_H
#define BELLHOP_TESTS_CERTIFICATES_H

#include "core/base/span.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A certificate and the key that belongs to it. */
struct identity {
	X509 *certificate;
	EVP_PKEY *key;
};

struct identity_options {
	struct span name;	       /* the common name, any octets */
	const struct identity *issuer; /* NULL: itself */
	int begin_day;		       /* from today on */
	int end_day;		       /* 0: 30 */
	unsigned rsa_bits;	       /* 0: a key on P-256 */
	bool is_authority;
};

static inline void certificates_need(bool is_good)
{
	if (!is_good) {
		ERR_print_errors_fp(stderr);
		abort();
	}
}

static inline void identity_add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	certificates_need(extension && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static inline struct identity identity_make(const struct identity_options *options)
{
	static long serial;
	struct identity made = {
		.certificate = X509_new(),
		.key = options->rsa_bits ? EVP_RSA_gen(options->rsa_bits) : EVP_EC_gen("P-256"),
	};
	const struct identity *issuer = options->issuer ? options->issuer : &made;
	int end_day = options->end_day ? options->end_day : 30;
	X509 *x = made.certificate;

	certificates_need(x && made.key);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(x), options->begin_day * 86400L - 60);
	X509_gmtime_adj(X509_getm_notAfter(x), end_day * 86400L);
	certificates_need(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
						     V_ASN1_UTF8STRING,
						     (const unsigned char *)options->name.data,
						     (int)options->name.length, -1, 0) == 1);
	X509_set_issuer_name(x, X509_get_subject_name(issuer->certificate));
	X509_set_pubkey(x, made.key);
	if (options->is_authority) {
		identity_add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
	}
	certificates_need(X509_sign(x, issuer->key, EVP_sha256()) > 0);
	return made;
}

static inline void identity_free(struct identity *identity)
{
	X509_free(identity->certificate);
	EVP_PKEY_free(identity->key);
}

/* A file of the folder, opened with this mode: to be closed. */
static inline FILE *certificates_file(const char *folder, const char *name, mode_t mode)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	certificates_need(fd >= 0 && fchmod(fd, mode) == 0);
	return fdopen(fd, "w");
}

/* Writes folder/name.crt and folder/name.key; the issuers, ending with NULL, follow in the first.
 */
static inline void identity_write(const struct identity *identity, const char *folder,
				  const char *name, const struct identity *const *issuers)
{
	char file_name[64];
	FILE *file;

	snprintf(file_name, sizeof(file_name), "%s.crt", name);
	file = certificates_file(folder, file_name, 0644);
	certificates_need(PEM_write_X509(file, identity->certificate) == 1);
	for (; issuers && *issuers; issuers++) {
		certificates_need(PEM_write_X509(file, (*issuers)->certificate) == 1);
	}
	fclose(file);
	snprintf(file_name, sizeof(file_name), "%s.key", name);
	file = certificates_file(folder, file_name, 0600);
	certificates_need(PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL) ==
			  1);
	fclose(file);
}

#endif
