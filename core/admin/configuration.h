/* SPDX-License-Identifier: MIT */
/*
 * The configuration of bellhopd: what each key means, its default and its legal values, in one
 * table (configuration.c) that reading, checking, printing and the man page's test share.
 *
 * Every mistake of a file is told at once, with its line: unknown sections and keys, values that
 * are not legal, keys given twice.
 */
#ifndef BELLHOP_CORE_ADMIN_CONFIGURATION_H
#define BELLHOP_CORE_ADMIN_CONFIGURATION_H

#include "core/base/address.h"
#include "core/base/arena.h"
#include "core/base/ini.h"
#include "core/base/writer.h"

enum {
	configuration_listen_max = 8,
	configuration_sip_listen_max = 4,
	configuration_interfaces_max = 32,
	configuration_vendor_urls_max = 64,
	configuration_bytes_max = 1 << 20, /* longest file that is read */
};

struct configuration_listen {
	struct endpoint endpoints[configuration_listen_max];
	size_t count; /* 0: that door stays shut */
};

struct configuration_vendor_url {
	struct span vendor;
	struct span url;
	unsigned line; /* of the file */
};

enum configuration_unknown {
	CONFIGURATION_UNKNOWN_LIST,
	CONFIGURATION_UNKNOWN_IGNORE,
	CONFIGURATION_UNKNOWN_BOOTSTRAP
};

enum configuration_group_socket {
	CONFIGURATION_GROUP_AUTO,
	CONFIGURATION_GROUP_UDP,
	CONFIGURATION_GROUP_PACKET
};

enum configuration_log_level {
	CONFIGURATION_LOG_ERROR,
	CONFIGURATION_LOG_WARNING,
	CONFIGURATION_LOG_INFO,
	CONFIGURATION_LOG_DEBUG
};

/* Spans are NUL-terminated texts in the arena that the configuration was read with. */
struct configuration {
	struct span data;			/* a directory, without '/' at the end */
	struct configuration_listen sip_listen; /* at least one, all of one port */
	struct configuration_listen sip_group;	/* one, or none: no multicast */
	uint32_t sip_group_socket;		/* enum configuration_group_socket */
	uint64_t sip_canary_ms;			/* 0: none */
	struct span sip_interfaces[configuration_interfaces_max];
	size_t sip_interface_count; /* 0: all that are up and do multicast */
	struct configuration_listen http_listen;
	struct configuration_listen https_listen;
	struct span https_certificate;
	struct span https_key;
	struct span https_client_ca;
	unsigned https_certificate_line; /* of the file; 0: the default */
	unsigned https_key_line;
	unsigned https_client_ca_line;
	struct configuration_listen tftp_listen;
	bool tftp_rolls_over_to_1; /* block number 65535 is followed by 1 */
	struct span admin_socket;
	struct configuration_listen admin_listen;
	struct span url;
	unsigned url_line; /* of the file; 0: the default */
	struct configuration_vendor_url vendor_urls[configuration_vendor_urls_max];
	size_t vendor_url_count;
	uint32_t unknown; /* enum configuration_unknown */
	bool access_by_key;
	bool access_by_neighbour;
	bool pads_answers;
	bool serves_routed;
	bool serves_spoofed;
	struct span store_url;
	uint32_t log_level; /* enum configuration_log_level */
	bool log_json;
	uint64_t devices_max;
	uint64_t new_devices_max;
	uint64_t unidentified_max;
	uint64_t profiles_max;
	uint64_t rules_max;
	uint64_t pools_max;
	uint64_t pool_numbers_max;
	uint64_t files_max;
	uint64_t forms_max;
	uint64_t events_max;
	uint64_t sip_transactions_max;
	uint64_t sip_waiting_max;
	uint64_t sip_requests_per_source; /* a second; 0: no limit */
	uint64_t neighbours_max;
	uint64_t http_connections_max;
	uint64_t http_connections_per_source_max;
	uint64_t tftp_transfers_max;
	uint64_t tftp_transfers_per_source_max;
	uint64_t resyncs_max;
	uint64_t resync_rate; /* a second */
	uint64_t resync_concurrency;
	uint64_t resync_verify_ms;
};

/*
 * Reads the text of a configuration file (empty text: the defaults). 0 and `*configuration`, whose
 * spans live in `arena`; mistakes, if any, are in `*ini`, in the order of their lines, each naming
 * section, key and the legal values. With mistakes the configuration must not be used. -ENOMEM.
 */
int configuration_parse(struct configuration *configuration, struct arena *arena, struct span text,
			struct ini *ini);

/* Is there to be an HTTPS door: somewhere to listen, and a certificate? */
bool configuration_serves_https(const struct configuration *configuration);

/* Writes all keys with the values in force, as a file that reads back to the same. */
void configuration_print(const struct configuration *configuration, struct writer *w);

/* The URL for a maker: url.<vendor> when there is one, else url. */
/* `*line`, when not NULL: where it stands in the file; 0: it is the default. */
struct span configuration_url(const struct configuration *configuration, struct span vendor,
			      unsigned *line);

/*
 * Writes the i-th sentence about what is legal but does not do what it seems to: a choice that this
 * version does not have, a URL that leads to a port of ours where nobody listens. False past the
 * last, with nothing written. configuration_warning_max octets are enough.
 */
enum { configuration_warning_max = 320 };
bool configuration_warning(const struct configuration *configuration, size_t i, struct writer *w);

/* One row of the table: for the man page's test and for `--help`. False past the last. */
struct configuration_key {
	struct span section;
	struct span key;
	struct span default_value;
	struct span legal;
};
bool configuration_key_at(size_t i, struct configuration_key *key);

#endif
