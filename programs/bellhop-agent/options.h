/* SPDX-License-Identifier: MIT */
/*
 * What bellhop-agent was told on its command line, with the defaults filled in.
 */
#ifndef BELLHOP_PROGRAMS_AGENT_OPTIONS_H
#define BELLHOP_PROGRAMS_AGENT_OPTIONS_H

#include "core/phone/phone.h"
#include "io/filesystem.h"

enum { options_allowed_max = 16, options_interface_size = 16 };

struct options {
	char settings_path[filesystem_path_max]; /* -c, else STATE/phone.cfg */
	char state[filesystem_path_max];	 /* --state, else the folder of -c, else . */
	bool has_mac;
	struct mac mac;
	bool mac_is_lower;
	const char *model;     /* NULL: system/type of the settings */
	const char *version;   /* NULL: what was burnt last, else 2.2.2 */
	const char *interface; /* NULL: by route */
	bool has_address;
	struct address address;
	uint16_t port; /* ours: 5060 */
	bool has_server;
	struct endpoint server;
	struct phone_dhcp dhcp;
	struct subscriber_allowed allowed[options_allowed_max];
	size_t allowed_count;
	bool is_once;
	bool is_json;
	bool shows_messages;
	bool is_insecure;
	const char *ca_file;
	const char *on_config;
	const char *on_firmware;
};

/*
 * Reads the command line. 0 to go on; 1 when all is said and done (--help, --version); 2 for wrong
 * usage, told on stderr.
 */
int options_read(struct options *options, int argc, char **argv);

#endif
