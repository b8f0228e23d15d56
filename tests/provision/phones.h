/* SPDX-License-Identifier: MIT */
/*
 * The SUBSCRIBEs of the field (tests/fixtures/phones): each with who is asking in it. The packs are
 * those of the source tree; of a maker without one nothing is expected but what needs no pack.
 */
#ifndef BELLHOP_TESTS_PROVISION_PHONES_H
#define BELLHOP_TESTS_PROVISION_PHONES_H

#include "tests/fleet/packs.h"
#include "tests/provision/harness.h"

#include <dirent.h>

struct phone {
	char file[64];
	char vendor[32]; /* these: "-" for none */
	char model[32];
	char version[32];
	char mac[32];
	char by[32]; /* the place that counts where the hardware address cannot be seen */
	uint16_t port;
	char bytes[4096];
	size_t length;
};

enum { phones_max = 64 };

static struct phone phones[phones_max];
static size_t phone_count;

/* What is behind a phone that names no MAC. */
static const struct mac phones_unnamed = {{0x00, 0x90, 0x8f, 0x12, 0x34, 0x56}};

static inline bool phones_is(const char *text)
{
	return strcmp(text, "-") != 0;
}

static inline struct mac phones_mac(const struct phone *phone)
{
	struct mac mac = phones_unnamed;

	if (phones_is(phone->mac) && mac_parse(span_text(phone->mac), &mac) != 0) {
		abort();
	}
	return mac;
}

static inline void phones_read(const char *root)
{
	char path[1024];
	char line[1024];
	FILE *index;

	snprintf(path, sizeof(path), "%s/tests/fixtures/phones/index.tsv", root);
	index = fopen(path, "r");
	while (index && phone_count < phones_max && fgets(line, sizeof(line), index)) {
		struct phone *p = &phones[phone_count];
		unsigned port;
		struct span bytes;

		if (sscanf(line, "%63[^\t]\t%31[^\t]\t%31[^\t]\t%31[^\t]\t%31[^\t]\t%31[^\t]\t%u",
			   p->file, p->vendor, p->model, p->version, p->mac, p->by, &port) != 7) {
			continue; /* the titles */
		}
		p->port = (uint16_t)port;
		snprintf(path, sizeof(path), "%s/tests/fixtures/phones", root);
		bytes = bench_read_file(path, p->file, p->bytes, sizeof(p->bytes));
		p->length = bytes.length;
		phone_count += p->length > 0;
	}
	if (index) {
		fclose(index);
	}
}

/* All packs of the source tree, or of BELLHOP_PACKS. */
static inline void phones_load_packs(struct vendors *vendors, const char *root)
{
	const char *folder = getenv("BELLHOP_PACKS");
	char path[1024];
	DIR *directory;

	snprintf(path, sizeof(path), "%s/vendors", root);
	folder = folder ? folder : path;
	directory = opendir(folder);
	for (struct dirent *e; directory && (e = readdir(directory));) {
		struct vendor_pack *pack = NULL;
		char problem[512] = "";
		char place[1400];

		snprintf(place, sizeof(place), "%s/%s", folder, e->d_name);
		if (e->d_name[0] == '.' || strchr(e->d_name, '.')) {
			continue;
		}
		if (vendor_pack_load(&pack, pack_read_folder, place, problem, sizeof(problem)) ||
		    vendors_add(vendors, pack) != 0) {
			printf("Bail out! %s: %s\n", e->d_name, problem);
			exit(1);
		}
	}
	if (directory) {
		closedir(directory);
	}
}

/* Where the phone sends from: what its Contact says. */
static inline struct endpoint phones_source(const struct phone *phone)
{
	static struct sip_message message;
	struct sip_name_address contact;

	if (sip_message_parse(&message, span_make(phone->bytes, phone->length)) != 0 ||
	    sip_message_contact(&message, &contact) != 0) {
		printf("Bail out! %s cannot be read\n", phone->file);
		exit(1);
	}
	return (struct endpoint){contact.uri.host.address, phone->port};
}

/* The next datagram is this phone's, on-link or from behind a router; time has passed. */
static inline void phones_send(struct bench *b, const struct phone *phone, struct span bytes,
			       bool is_routed)
{
	b->packet.source = phones_source(phone);
	b->packet.has_link_source = !is_routed;
	b->packet.link_source = phones_mac(phone);
	bench_expire(b, b->now_ms + 60000);
	CHECK_EQUAL(0, bench_receive(b, bytes));
	if (is_routed) {
		struct endpoint place = {b->packet.source.address, 0};

		CHECK_EQUAL(1, bench_count_kind(b, EFFECT_RESOLVE));
		CHECK_EQUAL(0, bench_notice(b, (struct notice){.kind = NOTICE_ROUTED,
							       .endpoint = place}));
	}
}

/* That a sighting says of the phone what the index says. */
static inline void phones_check(const struct vendors *vendors, const struct phone *phone,
				const struct change *change)
{
	bool has_pack =
		phones_is(phone->vendor) && vendor_find(vendors, span_text(phone->vendor)) != NULL;

	REQUIRE(change != NULL);
	if (has_pack || !phones_is(phone->vendor)) {
		CHECK_TEXT(phones_is(phone->vendor) ? phone->vendor : "", change->vendor);
		CHECK_TEXT(phones_is(phone->model) ? phone->model : "", change->model);
		CHECK_TEXT(phone->version, change->firmware);
	}
	if (test_is_failed) {
		printf("# %s\n", phone->file);
	}
}

#endif
