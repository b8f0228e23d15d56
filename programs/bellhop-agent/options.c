/* SPDX-License-Identifier: MIT */
#include "programs/bellhop-agent/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

static void print_usage(void)
{
	fputs("usage: bellhop-agent [-c phone.cfg] [--state DIR] [--mac MAC] [--model M]\n"
	      "                     [--version V] [--interface IF] [--dhcp-option N=VALUE]...\n"
	      "                     [--server ADDR[:PORT]] [--once] [--json] [--on-config CMD]\n"
	      "                     [--on-firmware CMD] [...]\n"
	      "\n"
	      "The phone's side of provisioning: learns a URL as an AudioCodes 4xxHD does (DHCP\n"
	      "options, else SIP multicast), looks at the firmware, fetches the configuration and\n"
	      "applies it.\n"
	      "\n"
	      "  -c, --config FILE       settings, name=value a line; provisioning updates them\n"
	      "      --state DIR         where settings and firmware are kept\n"
	      "      --mac MAC           ours; default: the interface's\n"
	      "      --mac-lower         <MAC> in lower case\n"
	      "      --model M           default: system/type of the settings, else 440HD\n"
	      "      --version V         of the running firmware; default: the one burnt last,\n"
	      "                          else 2.2.2; without V: print the program's version\n"
	      "      --interface IF      where to multicast\n"
	      "      --address A         our address on it\n"
	      "      --port N            our SIP port; default 5060\n"
	      "      --server ADDR:PORT  SUBSCRIBE there instead of 224.0.1.75:5060\n"
	      "      --dhcp-option N=V   what DHCP said: 160, 66, 67\n"
	      "      --allow A[/BITS]    take answers from there only; may be repeated\n"
	      "      --once              one round; leaves with 0 when configured\n"
	      "      --json              one JSON object a line for each thing that happens\n"
	      "      --show-messages     show each SIP message (also -v, --verbose)\n"
	      "      --ca FILE           certificates to trust;  --insecure  trust any\n"
	      "      --on-config CMD     run CMD FILE when the settings changed\n"
	      "      --on-firmware CMD   run CMD FILE for a new image\n"
	      "  -h, --help              print this;  -V  the program's version\n"
	      "\n"
	      "See bellhop-agent(1).\n",
	      stdout);
}

static int complain(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "bellhop-agent: %s %s: %s\n", option, value, wanted);
	return 2;
}

static int read_dhcp_option(struct options *options, const char *value)
{
	struct span rest = span_text(value);
	struct span number_text = span_cut(&rest, '=');
	uint64_t number;

	if (!rest.data || span_to_unsigned(number_text, UINT8_MAX, &number) != 0 || number == 0) {
		return complain("--dhcp-option", value, "wanted N=VALUE with N from 1 to 255");
	}
	if (options->dhcp.count == phone_dhcp_options_max) {
		return complain("--dhcp-option", value, "too many of them");
	}
	options->dhcp.options[options->dhcp.count++] =
		(struct phone_dhcp_option){(uint8_t)number, rest};
	return 0;
}

static int read_allowed(struct options *options, const char *value)
{
	struct span rest = span_text(value);
	struct span address = span_cut(&rest, '/');
	struct subscriber_allowed allowed;
	uint64_t bits;

	if (options->allowed_count == options_allowed_max) {
		return complain("--allow", value, "too many of them");
	}
	if (address_parse(address, &allowed.network) != 0) {
		return complain("--allow", value, "wanted ADDRESS or ADDRESS/BITS");
	}
	bits = allowed.network.family == ADDRESS_IPV4 ? 32 : 128;
	if (rest.data && span_to_unsigned(rest, bits, &bits) != 0) {
		return complain("--allow", value, "wanted ADDRESS or ADDRESS/BITS");
	}
	allowed.prefix_bits = (unsigned)bits;
	options->allowed[options->allowed_count++] = allowed;
	return 0;
}

static int read_port(struct options *options, const char *value)
{
	uint64_t port;

	if (span_to_unsigned(span_text(value), UINT16_MAX, &port) != 0) {
		return complain("--port", value, "wanted a port, 0 for any");
	}
	options->port = (uint16_t)port;
	return 0;
}

static int read_addresses(struct options *options, int option, const char *value)
{
	if (option == 'A') {
		options->has_address = true;
		return address_parse(span_text(value), &options->address) == 0
			       ? 0
			       : complain("--address", value, "wanted an address of this host");
	}
	if (option == 'S') {
		options->has_server = true;
		return endpoint_parse(span_text(value), sip_port_default, &options->server) == 0
			       ? 0
			       : complain("--server", value, "wanted ADDRESS or ADDRESS:PORT");
	}
	options->has_mac = true;
	return mac_parse(span_text(value), &options->mac) == 0
		       ? 0
		       : complain("--mac", value, "wanted 12 hexadecimal digits");
}

static int copy_path(char path[filesystem_path_max], const char *option, const char *value)
{
	if (span_to_text(span_text(value), path, filesystem_path_max) != 0 || value[0] == '\0') {
		return complain(option, value, "wanted a path");
	}
	return 0;
}

/* Options that are one word or one flag. */
static bool read_simple(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'M':
		options->model = value;
		return true;
	case 'i':
		options->interface = value;
		return true;
	case 'C':
		options->ca_file = value;
		return true;
	case 'F':
		options->on_firmware = value;
		return true;
	case 'O':
		options->on_config = value;
		return true;
	case 'l':
		options->mac_is_lower = true;
		return true;
	case 'o':
		options->is_once = true;
		return true;
	case 'j':
		options->is_json = true;
		return true;
	case 'v':
		options->shows_messages = true;
		return true;
	case 'k':
		options->is_insecure = true;
		return true;
	case 'R':
		options->version = value;
		return true;
	default:
		return false;
	}
}

static int read_one(struct options *options, int option, const char *value)
{
	if (read_simple(options, option, value)) {
		return 0;
	}
	switch (option) {
	case 'c':
		return copy_path(options->settings_path, "--config", value);
	case 's':
		return copy_path(options->state, "--state", value);
	case 'A':
	case 'S':
	case 'm':
		return read_addresses(options, option, value);
	case 'p':
		return read_port(options, value);
	case 'd':
		return read_dhcp_option(options, value);
	case 'a':
		return read_allowed(options, value);
	case 'h':
		print_usage();
		return 1;
	case 'V':
		puts("bellhop-agent " BELLHOP_VERSION);
		return 1;
	default:
		fputs("bellhop-agent: see bellhop-agent --help\n", stderr);
		return 2;
	}
}

/* phone.cfg lives in the state folder, and the state folder is where phone.cfg is. */
static int fill_paths(struct options *options)
{
	const char *slash = strrchr(options->settings_path, '/');

	if (options->state[0] == '\0' && slash) {
		snprintf(options->state, sizeof(options->state), "%.*s",
			 slash == options->settings_path ? 1
							 : (int)(slash - options->settings_path),
			 options->settings_path);
	} else if (options->state[0] == '\0') {
		snprintf(options->state, sizeof(options->state), ".");
	}
	if (options->settings_path[0] == '\0' &&
	    snprintf(options->settings_path, sizeof(options->settings_path), "%s/phone.cfg",
		     options->state) >= (int)sizeof(options->settings_path)) {
		return complain("--state", options->state, "too long");
	}
	return 0;
}

int options_read(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"mac", required_argument, NULL, 'm'},
		{"mac-lower", no_argument, NULL, 'l'},
		{"model", required_argument, NULL, 'M'},
		{"version", required_argument, NULL, 'R'},
		{"interface", required_argument, NULL, 'i'},
		{"address", required_argument, NULL, 'A'},
		{"port", required_argument, NULL, 'p'},
		{"server", required_argument, NULL, 'S'},
		{"dhcp-option", required_argument, NULL, 'd'},
		{"allow", required_argument, NULL, 'a'},
		{"once", no_argument, NULL, 'o'},
		{"json", no_argument, NULL, 'j'},
		{"show-messages", no_argument, NULL, 'v'},
		{"verbose", no_argument, NULL, 'v'},
		{"ca", required_argument, NULL, 'C'},
		{"insecure", no_argument, NULL, 'k'},
		{"on-config", required_argument, NULL, 'O'},
		{"on-firmware", required_argument, NULL, 'F'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*options = (struct options){.port = sip_port_default};
	/* As other programs do; with a value it is the phone's firmware. */
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		return read_one(options, 'V', NULL);
	}
	while ((option = getopt_long(argc, argv, "c:hvV", known, NULL)) != -1) {
		int status = read_one(options, option, optarg);

		if (status != 0) {
			return status;
		}
	}
	if (optind < argc) {
		return complain("argument", argv[optind], "not expected");
	}
	return fill_paths(options);
}
