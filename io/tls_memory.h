/* SPDX-License-Identifier: MIT */
/*
 * A BIO of OpenSSL over memory: what comes in is a view of somebody's octets, what goes out grows
 * in one block that can be taken away and sent as it is. OpenSSL's own memory BIO copies both once
 * more and keeps its largest size for as long as the connection lives.
 */
#ifndef BELLHOP_IO_TLS_MEMORY_H
#define BELLHOP_IO_TLS_MEMORY_H

#include "core/base/span.h"

#include <openssl/bio.h>

struct tls_memory {
	struct span input; /* not yet taken by OpenSSL */
	char *output;	   /* malloc: whoever takes it frees it */
	size_t output_length;
	size_t output_size;
};

/* The method, to be freed with BIO_meth_free after the last BIO; NULL without memory. */
BIO_METHOD *tls_memory_method(void);

/* A BIO over `memory`, which must outlive it; NULL without memory. */
BIO *tls_memory_bio(const BIO_METHOD *method, struct tls_memory *memory);

/* Makes room for `count` more octets of output at once. 0 or -ENOMEM. */
int tls_memory_reserve(struct tls_memory *memory, size_t count);

#endif
