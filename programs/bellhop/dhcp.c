/* SPDX-License-Identifier: MIT */
/*
 * bellhop dhcp: configuration for a DHCP server, ready to be pasted, with the options that each
 * maker's phones read, as their packs say. A DHCP option is the same for all phones, so the URL in
 * it holds no key: files with secrets then open to the phone's own address on the link alone
 * (`access` in [provisioning]).
 */
#include "io/packs.h"
#include "programs/bellhop/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { url_size = 300, value_size = 600, codes_max = 255, port_http = 8080 };

/* What one server's file is written with. */
struct dhcp_writer {
	const struct vendors *vendors;
	char base[url_size];	/* with its '/' */
	char address[url_size]; /* the host in it */
};

/* The names of options that servers know; a number in their place is declared by us. */
static const struct option_name {
	unsigned code;
	const char *kea;
	const char *isc;
} option_names[] = {
	{66, "tftp-server-name", "tftp-server-name"},
	{67, "boot-file-name", "bootfile-name"},
	{114, "v4-captive-portal", "default-url"},
};

static const struct option_name *name_of(unsigned code)
{
	for (size_t i = 0; i < sizeof(option_names) / sizeof(option_names[0]); i++) {
		if (option_names[i].code == code) {
			return &option_names[i];
		}
	}
	return NULL;
}

/* --- What the packs say. --- */

static void expand(const struct dhcp_writer *w, struct span value, char text[static value_size])
{
	struct writer out = writer_over(text, value_size - 1);

	while (value.length > 0) {
		size_t at = span_search(value, SPAN("%{"));

		writer_put(&out, span_slice(value, 0, at));
		value = span_slice(value, at, value.length);
		if (value.length > 0) {
			bool is_base = span_starts_with(value, SPAN("%{base}"));

			writer_text(&out, is_base ? w->base : w->address);
			value = span_slice(value, span_find(value, '}') + 1, value.length);
		}
	}
	writer_terminate(&out);
}

static bool has_class(const struct vendor_pack *pack)
{
	return pack->dhcp_option_count > 0 && pack->dhcp_class_prefix.length > 0;
}

/* Option 150 is a list of addresses (RFC 5859); the others that phones read are text. */
static bool is_addresses(unsigned code)
{
	return code == 150;
}

/* Where phones are told a name in the place of our address, such a list cannot be written. */
static bool can_be_told(const struct dhcp_writer *w, unsigned code)
{
	struct in_addr address;

	return !is_addresses(code) || inet_pton(AF_INET, w->address, &address) == 1;
}

/* Which numbers are used at all: they are declared once. */
static void mark_codes(const struct dhcp_writer *w, bool used[static codes_max])
{
	for (size_t i = 0; i < w->vendors->count; i++) {
		const struct vendor_pack *pack = w->vendors->packs[i];

		for (size_t j = 0; j < pack->dhcp_option_count; j++) {
			used[pack->dhcp_options[j].code] |=
				can_be_told(w, pack->dhcp_options[j].code);
		}
	}
}

/*
 * For phones of a maker whose option 60 nobody knows: what all of them would read alike. The first
 * pack that names a number says what stands in it.
 */
static const struct vendor_dhcp_option *option_of_all(const struct dhcp_writer *w, unsigned code)
{
	for (size_t i = 0; i < w->vendors->count; i++) {
		const struct vendor_pack *pack = w->vendors->packs[i];

		for (size_t j = 0; !has_class(pack) && j < pack->dhcp_option_count; j++) {
			if (pack->dhcp_options[j].code == code && can_be_told(w, code)) {
				return &pack->dhcp_options[j];
			}
		}
	}
	return NULL;
}

static void print_makers_of(const struct dhcp_writer *w, unsigned code)
{
	const char *separator = "";

	for (size_t i = 0; i < w->vendors->count; i++) {
		const struct vendor_pack *pack = w->vendors->packs[i];

		for (size_t j = 0; !has_class(pack) && j < pack->dhcp_option_count; j++) {
			if (pack->dhcp_options[j].code == code) {
				printf("%s%.*s", separator, (int)pack->display_name.length,
				       pack->display_name.data);
				separator = ", ";
			}
		}
	}
}

/* One option in a server's own words; `before` is what stands before each line of a class. */
typedef void print_option_fn(const char *before, unsigned code, const char *value);

static void print_options_of_all(const struct dhcp_writer *w, print_option_fn *print)
{
	char value[value_size];

	for (unsigned code = 1; code < codes_max; code++) {
		const struct vendor_dhcp_option *option = option_of_all(w, code);

		if (option) {
			printf("\n# every phone; read by ");
			print_makers_of(w, code);
			putchar('\n');
			expand(w, option->value, value);
			print("", code, value);
		}
	}
}

/* --- dnsmasq --- */

static void print_dnsmasq_option(const char *tag, unsigned code, const char *value)
{
	if (is_addresses(code)) {
		printf("dhcp-option=%s%u,%s\n", tag, code, value);
	} else {
		printf("dhcp-option=%s%u,\"%s\"\n", tag, code, value);
	}
}

static void print_dnsmasq(const struct dhcp_writer *w)
{
	char value[value_size];
	char tag[64];

	printf("# dnsmasq: put this into a file below /etc/dnsmasq.d/\n");
	print_options_of_all(w, print_dnsmasq_option);
	for (size_t i = 0; i < w->vendors->count; i++) {
		const struct vendor_pack *pack = w->vendors->packs[i];

		if (!has_class(pack)) {
			continue;
		}
		printf("\n# %.*s\ndhcp-vendorclass=set:%s,%s\n", (int)pack->display_name.length,
		       pack->display_name.data, pack->name.data, pack->dhcp_class_prefix.data);
		snprintf(tag, sizeof(tag), "tag:%s,", pack->name.data);
		for (size_t j = 0; j < pack->dhcp_option_count; j++) {
			expand(w, pack->dhcp_options[j].value, value);
			if (can_be_told(w, pack->dhcp_options[j].code)) {
				print_dnsmasq_option(tag, pack->dhcp_options[j].code, value);
			}
		}
	}
}

/* --- ISC dhcpd --- */

static void print_isc_option(const char *indent, unsigned code, const char *value)
{
	const struct option_name *name = name_of(code);
	const char *quote = is_addresses(code) ? "" : "\"";
	char own[32];

	snprintf(own, sizeof(own), "phone-option-%u", code);
	printf("%soption %s %s%s%s;\n", indent, name ? name->isc : own, quote, value, quote);
}

static void print_isc(const struct dhcp_writer *w)
{
	bool used[codes_max] = {false};
	char value[value_size];

	mark_codes(w, used);
	printf("# ISC dhcpd: put this before the subnet of the phones in dhcpd.conf\n\n");
	for (unsigned code = 1; code < codes_max; code++) {
		if (used[code] && !name_of(code)) {
			printf("option phone-option-%u code %u = %s;\n", code, code,
			       is_addresses(code) ? "array of ip-address" : "text");
		}
	}
	print_options_of_all(w, print_isc_option);
	for (size_t i = 0; i < w->vendors->count; i++) {
		const struct vendor_pack *pack = w->vendors->packs[i];

		if (!has_class(pack)) {
			continue;
		}
		printf("\nclass \"%s\" {\n"
		       "  match if substring(option vendor-class-identifier, 0, %zu) = \"%s\";\n",
		       pack->name.data, pack->dhcp_class_prefix.length,
		       pack->dhcp_class_prefix.data);
		for (size_t j = 0; j < pack->dhcp_option_count; j++) {
			expand(w, pack->dhcp_options[j].value, value);
			if (can_be_told(w, pack->dhcp_options[j].code)) {
				print_isc_option("  ", pack->dhcp_options[j].code, value);
			}
		}
		printf("}\n");
	}
}

/* --- Kea --- */

/* Option 159 is for something else to Kea (RFC 7618), and cannot be defined anew. */
static bool is_fixed_in_kea(unsigned code)
{
	return code == 159;
}

/* Kea has no standard option 43, 150 or 160 of this form: those are defined as strings. */
static json_t *kea_definitions(const struct dhcp_writer *w)
{
	bool used[codes_max] = {false};
	json_t *list = json_array();

	mark_codes(w, used);
	for (unsigned code = 1; code < codes_max; code++) {
		char name[32];

		snprintf(name, sizeof(name), "phone-option-%u", code);
		if (used[code] && !name_of(code) && !is_fixed_in_kea(code)) {
			json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:b, s:s}", "name",
							      name, "code", (int)code, "type",
							      is_addresses(code) ? "ipv4-address"
										 : "string",
							      "array", is_addresses(code), "space",
							      "dhcp4"));
		}
	}
	return list;
}

static json_t *kea_option(const struct dhcp_writer *w, const struct vendor_dhcp_option *option)
{
	const struct option_name *name = name_of(option->code);
	char value[value_size];
	char own[32];

	snprintf(own, sizeof(own), "phone-option-%u", option->code);
	expand(w, option->value, value);
	if (is_fixed_in_kea(option->code)) {
		char hex[2 * value_size];
		struct writer digits = writer_over(hex, sizeof(hex) - 1);

		writer_hex(&digits, (const uint8_t *)value, strlen(value));
		writer_terminate(&digits);
		return json_pack("{s:i, s:b, s:s}", "code", (int)option->code, "csv-format", 0,
				 "data", hex);
	}
	return json_pack("{s:s, s:s}", "name", name ? name->kea : own, "data", value);
}

static json_t *kea_classes(const struct dhcp_writer *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->vendors->count; i++) {
		const struct vendor_pack *pack = w->vendors->packs[i];
		json_t *options = json_array();
		char test[200];

		for (size_t j = 0; j < pack->dhcp_option_count; j++) {
			if (can_be_told(w, pack->dhcp_options[j].code)) {
				json_array_append_new(options,
						      kea_option(w, &pack->dhcp_options[j]));
			}
		}
		snprintf(test, sizeof(test), "substring(option[60].hex,0,%zu) == '%s'",
			 pack->dhcp_class_prefix.length,
			 pack->dhcp_class_prefix.data ? pack->dhcp_class_prefix.data : "");
		if (has_class(pack)) {
			json_array_append_new(list,
					      json_pack("{s:s, s:s, s:O}", "name", pack->name.data,
							"test", test, "option-data", options));
		}
		json_decref(options);
	}
	return list;
}

static void print_kea(const struct dhcp_writer *w)
{
	json_t *options = json_array();
	const char *member;
	json_t *list;
	json_t *json;
	void *next;

	for (unsigned code = 1; code < codes_max; code++) {
		const struct vendor_dhcp_option *option = option_of_all(w, code);

		if (option) {
			json_array_append_new(options, kea_option(w, option));
		}
	}
	/* The members go into "Dhcp4" as they stand; Kea takes no empty list. */
	json = json_pack("{s:{s:o, s:o, s:o}}", "Dhcp4", "option-def", kea_definitions(w),
			 "option-data", options, "client-classes", kea_classes(w));
	json_object_foreach_safe(json_object_get(json, "Dhcp4"), next, member, list)
	{
		if (json_array_size(list) == 0) {
			json_object_del(json_object_get(json, "Dhcp4"), member);
		}
	}
	if (json) {
		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(json);
}

/* --- The command. --- */

/* "http://HOST[:PORT]/" from a word. */
static int choose_base(const struct arguments *arguments, struct dhcp_writer *w)
{
	const char *given = arguments->word_count > 1 ? arguments->words[1] : NULL;
	const char *host;
	size_t length;

	if (!given) {
		say("say the URL that phones are to be told, with our address on their side: "
		    "bellhop dhcp %s http://ADDRESS:%d/",
		    arguments->words[0], port_http);
		return EXIT_USAGE;
	}
	host = strstr(given, "://");
	length = strlen(given);
	if (!host || length + 2 > sizeof(w->base) || strpbrk(given, " \t\"'\\,;")) {
		return fail(
			"%s is not a URL that can stand in an option: give http://ADDRESS:PORT/",
			given);
	}
	if (strstr(given, "%{")) {
		return fail(
			"an option is the same for all phones, and nothing fills in %%{address} or "
			"%%{key} there: give http://ADDRESS:PORT/");
	}
	if (host[3] == '[') {
		return fail("phones read these options over IPv4: give our IPv4 address or a name, "
			    "http://ADDRESS:PORT/");
	}
	snprintf(w->base, sizeof(w->base), "%s%s", given, given[length - 1] == '/' ? "" : "/");
	host += 3;
	snprintf(w->address, sizeof(w->address), "%.*s", (int)strcspn(host, ":/"), host);
	return EXIT_DONE;
}

static void say_refused(void *context, const char *sentence)
{
	(void)context;
	say("%s", sentence);
}

static int load_packs(struct vendors *vendors)
{
	char folder[packs_path_max];
	struct packs_source source = {.folder = folder,
				      .origin = VENDOR_SHIPPED,
				      .refused = say_refused};

	if (packs_find_folder(folder) != 0 || packs_load(&source, vendors) < 0) {
		return fail("the vendor packs that come with Bellhop are not found; set "
			    "BELLHOP_VENDORS to their folder");
	}
	return EXIT_DONE;
}

int run_dhcp(const struct arguments *arguments)
{
	static const struct {
		const char *name;
		void (*print)(const struct dhcp_writer *w);
	} servers[] = {{"kea", print_kea}, {"dnsmasq", print_dnsmasq}, {"isc", print_isc}};
	struct vendors vendors = {.count = 0};
	struct dhcp_writer w = {.vendors = &vendors};
	int result;

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		if (strcmp(arguments->words[0], servers[i].name) != 0) {
			continue;
		}
		result = choose_base(arguments, &w);
		if (result == EXIT_DONE) {
			result = load_packs(&vendors);
		}
		if (result == EXIT_DONE) {
			servers[i].print(&w);
		}
		vendors_free(&vendors);
		return result;
	}
	say("there is no DHCP server %s here: use kea, dnsmasq or isc", arguments->words[0]);
	return EXIT_USAGE;
}
