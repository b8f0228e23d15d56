/* SPDX-License-Identifier: MIT */
/*
 * Downloads over tftp, ftp, http and https, on one loop, by libcurl. Only programs of the phone's
 * side link this (io_download_dep); the library of the phone takes whatever download its user has.
 *
 * No proxy and no .netrc of the environment is looked at: a phone has none. A redirect is followed
 * five times, over http and https, never from https to http. Certificates are verified unless told
 * otherwise.
 */
#ifndef BELLHOP_IO_DOWNLOAD_H
#define BELLHOP_IO_DOWNLOAD_H

#include "core/base/address.h"
#include "io/loop.h"

enum {
	downloads_max = 16,
	download_url_size = 1200,
	download_connect_s_max = 10,
	download_silence_s_max = 30, /* nothing at all for so long ends it */
	download_s_max = 1800,
};

struct downloads_options {
	const char *user_agent; /* HTTP */
	const char *ca_file;	/* NULL: the system's */
	bool is_insecure;	/* any certificate will do */
	struct address local; /* leave from this address; family ADDRESS_NONE: the kernel chooses */
};

struct download_result {
	int error;	   /* 0; -ENOENT no such file (HTTP 404, 410, TFTP error 1, FTP 550);
			    * -EACCES not for us; -ETIMEDOUT; -ECONNREFUSED; -EHOSTUNREACH; -EFBIG;
			    * -EKEYREJECTED certificate or TLS; -EIO everything else */
	unsigned status;   /* of HTTP, 0 without */
	struct span bytes; /* in memory; valid for the call that it is handed to */
	uint64_t byte_count;
	const char *text; /* what went wrong, a constant sentence without secrets; "" when all is
			     well */
};

struct download_request {
	struct span url; /* complete and well-formed: see core/phone/url.h */
	uint64_t bytes_max;
	bool is_head; /* bytes_max bytes are enough (over HTTP asked for as a range) */
	int file;     /* a descriptor to write to, which stays the caller's, or -1: into memory */
	void (*done)(void *context, const struct download_result *result);
	void *context;
};

struct downloads;

/* 0 and `*downloads`, or -ENOMEM. The options are copied, their texts are not. */
int downloads_open(struct downloads **downloads, struct loop *loop,
		   const struct downloads_options *options);

/*
 * Starts one; `done` comes from the loop, never from within. 0; -EBUSY when downloads_max run;
 * -EINVAL for a URL that is too long; -ENOMEM.
 */
int downloads_start(struct downloads *downloads, const struct download_request *request);

/* Ends all of them without calling `done`. The memory is freed by the loop, a turn later. */
void downloads_close(struct downloads *downloads);

#endif
