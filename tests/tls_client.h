/* SPDX-License-Identifier: MIT */
/* OpenSSL as a client over memory, and a folder with the files of a server: for tests of TLS. */
#ifndef BELLHOP_TESTS_TLS_CLIENT_H
#define BELLHOP_TESTS_TLS_CLIENT_H

#include "io/tls_context.h"
#include "io/tls_session.h"
#include "tests/certificates.h"

#include <openssl/ssl.h>

/* A folder with server.crt, server.key, authority.crt; what they were made of. */
struct tls_house {
	char folder[32];
	struct identity server;
	struct identity authority;
};

static inline void tls_house_open(struct tls_house *house)
{
	snprintf(house->folder, sizeof(house->folder), "/tmp/bellhop-tls-XXXXXX");
	certificates_need(mkdtemp(house->folder) != NULL);
	house->server = identity_make(&(struct identity_options){.name = SPAN("bellhop")});
	house->authority = identity_make(
		&(struct identity_options){.name = SPAN("authority"), .is_authority = true});
	identity_write(&house->server, house->folder, "server", NULL);
	identity_write(&house->authority, house->folder, "authority", NULL);
}

static inline int tls_house_close(struct tls_house *house)
{
	char command[64];

	identity_free(&house->server);
	identity_free(&house->authority);
	snprintf(command, sizeof(command), "rm -rf %s", house->folder);
	return system(command);
}

/* A context of the files name.crt and name.key; `client_ca`: a file of the folder, or "". */
static inline SSL_CTX *tls_house_context(const struct tls_house *house, const char *name,
					 const char *client_ca)
{
	char paths[3][128];
	struct tls_files files = {paths[0], paths[1], paths[2]};
	struct tls_problem problem;
	SSL_CTX *context = NULL;

	snprintf(paths[0], sizeof(paths[0]), "%s/%s.crt", house->folder, name);
	snprintf(paths[1], sizeof(paths[1]), "%s/%s.key", house->folder, name);
	snprintf(paths[2], sizeof(paths[2]), client_ca[0] ? "%s/%s" : "%.0s%s", house->folder,
		 client_ca);
	certificates_need(tls_context_load(&context, &files, NULL, &problem) == 0);
	return context;
}

/* A client that takes any certificate; `version` is the only one that it speaks, 0: all. */
static inline SSL_CTX *tls_client_context(int version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	certificates_need(context != NULL);
	SSL_CTX_set_min_proto_version(context, version);
	SSL_CTX_set_max_proto_version(context, version);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	return context;
}

static inline SSL *tls_client_new(SSL_CTX *context)
{
	SSL *client = SSL_new(context);

	certificates_need(client != NULL);
	SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(client), -1);
	SSL_set_connect_state(client);
	return client;
}

/* What the client has to say: a view until it says more, and then nothing is left of it. */
static inline struct span tls_client_output(SSL *client)
{
	char *data = NULL;
	long length = BIO_get_mem_data(SSL_get_wbio(client), &data);

	return span_make(data, (size_t)length);
}

static inline void tls_client_sent(SSL *client)
{
	(void)BIO_reset(SSL_get_wbio(client));
}

static inline void tls_client_hear(SSL *client, struct span octets)
{
	if (octets.length > 0) {
		certificates_need(BIO_write(SSL_get_rbio(client), octets.data,
					    (int)octets.length) == (int)octets.length);
	}
}

#endif
