/* SPDX-License-Identifier: MIT */
/*
 * Nanoseconds to read a SUBSCRIBE far enough to answer it, beside libosip2 and sofia-sip on the
 * same messages in the same minute. Rounds of the parsers take turns, so that what else the machine
 * does hits all alike; medians are printed.
 *
 * What each does: Bellhop parses and asks Event, Accept, Expires, Contact and the routes, as the
 * notifier does. libosip2 (osip_message_parse) splits Event and Expires off without reading them;
 * sofia-sip (msg_make) reads every header it knows. Both peers allocate, and free inside the
 * measure.
 */
#include "core/sip/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef HAVE_OSIP
#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>
#endif
#ifdef HAVE_SOFIA
#include "bench_sofia.h"
#endif

enum { rounds = 101, repeats = 1000, parsers_max = 3 };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool parse_bellhop(struct span bytes)
{
	static struct sip_message message;
	struct sip_event event;
	struct sip_name_address contact;
	uint32_t expires_s;
	unsigned quality;

	return sip_message_parse(&message, bytes) == 0 &&
	       sip_message_event(&message, &event) == 0 &&
	       sip_message_accepts(&message, SPAN("application"), SPAN("url"), &quality) == 0 &&
	       sip_message_expires(&message, &expires_s) == 0 &&
	       sip_message_contact(&message, &contact) == 0 &&
	       sip_message_check_routes(&message, SIP_HEADER_RECORD_ROUTE) == 0 && quality > 0;
}

#ifdef HAVE_OSIP
static bool parse_osip(struct span bytes)
{
	osip_message_t *message;
	bool is_read;

	if (osip_message_init(&message) != 0) {
		return false;
	}
	is_read = osip_message_parse(message, bytes.data, bytes.length) == 0 &&
		  message->contacts.nb_elt;
	osip_message_free(message);
	return is_read;
}
#endif

#ifdef HAVE_SOFIA
static bool parse_sofia(struct span bytes)
{
	return bench_sofia_parse(bytes.data, bytes.length);
}
#endif

static const struct {
	const char *name;
	bool (*parse)(struct span bytes);
} parsers[] = {
	{"bellhop", parse_bellhop},
#ifdef HAVE_OSIP
	{"libosip2", parse_osip},
#endif
#ifdef HAVE_SOFIA
	{"sofia-sip", parse_sofia},
#endif
};

enum { parser_count = sizeof(parsers) / sizeof(parsers[0]) };

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, struct span bytes)
{
	static double ns[parsers_max][rounds];
	double ours;

	for (unsigned i = 0; i < parser_count; i++) {
		if (!parsers[i].parse(bytes)) {
			printf("%-24s %s does not read it\n", name, parsers[i].name);
			return;
		}
	}
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < parser_count; i++) {
			uint64_t start = now_ns();

			for (unsigned n = 0; n < repeats; n++) {
				parsers[i].parse(bytes);
			}
			ns[i][round] = (double)(now_ns() - start) / repeats;
		}
	}
	for (unsigned i = 0; i < parser_count; i++) {
		qsort(ns[i], rounds, sizeof(double), compare);
	}
	ours = ns[0][rounds / 2];
	for (unsigned i = 0; i < parser_count; i++) {
		printf("%-24s %5zu bytes  %-10s %8.0f ns  %5.1f x\n", name, bytes.length,
		       parsers[i].name, ns[i][rounds / 2], ns[i][rounds / 2] / ours);
	}
}

int main(void)
{
	static const char *const names[] = {"audiocodes.sip", "snom-no-branch.sip",
					    "yealink-no-rport.sip", "grandstream-upper-escape.sip"};

#ifdef HAVE_OSIP
	parser_init();
#endif
#ifdef HAVE_SOFIA
	if (!bench_sofia_open()) {
		printf("sofia-sip is not installed\n");
		return 1;
	}
#endif
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		static char data[65536];
		char path[1024];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", FIXTURES, names[i]);
		file = fopen(path, "rb");
		if (!file) {
			perror(path);
			return 1;
		}
		measure(names[i], span_make(data, fread(data, 1, sizeof(data), file)));
		fclose(file);
	}
	return 0;
}
