/* SPDX-License-Identifier: MIT */
/*
 * From the files of [https] to what TLS handshakes are made with: our certificate with its chain,
 * its key, and the authorities of the phones' own certificates. Which versions, cipher suites and
 * options are used is decided here (doc/decisions/0008-tls-over-memory.md says why).
 *
 * A mistake is told in one sentence that names the file and the remedy; what works, but will
 * trouble somebody, is logged as a warning. Nothing of a key's content is in either.
 */
#ifndef BELLHOP_IO_TLS_CONTEXT_H
#define BELLHOP_IO_TLS_CONTEXT_H

#include "io/log.h"

#include <openssl/types.h>

/* Paths of PEM files. */
struct tls_files {
	const char *certificate; /* ours first, then its issuers, the root not needed */
	const char *key;	 /* without a passphrase; may be the same file */
	const char *client_ca;	 /* every certificate in it is trusted; "": none is asked for */
};

enum tls_file { TLS_FILE_CERTIFICATE, TLS_FILE_KEY, TLS_FILE_CLIENT_CA };

enum { tls_file_bytes_max = 1 << 20, tls_problem_size = 512 };

struct tls_problem {
	enum tls_file file; /* whose mistake it is */
	char sentence[tls_problem_size];
};

/*
 * 0 and `*context`, to be given to a struct tls (io/tls.h) or freed with SSL_CTX_free; or a
 * negative errno with `*problem`: that of open and read; -EFBIG; -EINVAL what is in the file is no
 * use; -EKEYREJECTED the key is encrypted, or another certificate's; -ENOMEM.
 */
int tls_context_load(SSL_CTX **context, const struct tls_files *files, struct log *log,
		     struct tls_problem *problem);

#endif
