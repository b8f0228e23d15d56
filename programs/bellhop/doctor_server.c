/* SPDX-License-Identifier: MIT */
/* Of bellhop doctor: the running server, what it may do, and the phones that it knows. */
#include "programs/bellhop/client.h"
#include "programs/bellhop/doctor.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

/* The effective capabilities of a process, or 0 when they cannot be read. */
static unsigned long long capabilities_of(long long pid)
{
	char line[256];
	unsigned long long bits = 0;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%lld/status", pid);
	file = fopen(line, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "CapEff:", 7) == 0) {
			bits = strtoull(line + 7, NULL, 16);
		}
	}
	if (file) {
		fclose(file);
	}
	return bits;
}

static void check_capabilities(struct doctor *doctor)
{
	unsigned long long bits = capabilities_of(doctor->pid);
	bool reads_frames = bits >> CAP_NET_RAW & 1;
	bool asks_kernel = bits >> CAP_NET_ADMIN & 1;

	if (reads_frames && asks_kernel) {
		doctor_tell(doctor, DOCTOR_OK, "server", NULL,
			    "it may read frames and have hardware addresses resolved");
	} else {
		doctor_tell(
			doctor, DOCTOR_NOTE, "server",
			"setcap cap_net_raw,cap_net_admin,cap_net_bind_service+ep on the "
			"program, or AmbientCapabilities= in its unit",
			"it runs without %s%s%s: a phone's hardware address is learned a moment "
			"later, by asking the network",
			reads_frames ? "" : "CAP_NET_RAW",
			!reads_frames && !asks_kernel ? " and " : "",
			asks_kernel ? "" : "CAP_NET_ADMIN");
	}
}

/* What is looked at here is then not what the server has: a container is the common case. */
static void check_network(struct doctor *doctor)
{
	char path[64];
	struct stat own;
	struct stat of_server;

	snprintf(path, sizeof(path), "/proc/%lld/ns/net", doctor->pid);
	if (stat("/proc/self/ns/net", &own) == 0 && stat(path, &of_server) == 0 &&
	    (own.st_ino != of_server.st_ino || own.st_dev != of_server.st_dev)) {
		snprintf(path, sizeof(path), "nsenter --net --target %lld bellhop doctor",
			 doctor->pid);
		doctor_tell(doctor, DOCTOR_FAULT, "server", path,
			    "it is in another network namespace (a container?): what follows of "
			    "interfaces, ports, firewall and DHCP is told of this one");
	}
}

/* The canary's check tells those. */
static bool is_of_rogue(const json_t *warning)
{
	static const char start[] = "rogue responder";

	return json_is_string(warning) &&
	       strncmp(json_string_value(warning), start, sizeof(start) - 1) == 0;
}

void doctor_check_server(struct doctor *doctor)
{
	const json_t *warning;
	size_t i;

	if (doctor->may_not_ask) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "server",
			    "run it as root (sudo bellhop doctor), or as a member of the group of "
			    "its admin socket; over --url with a token",
			    "there is a bellhopd, and this user may not ask it: its doors, "
			    "warnings and phones cannot be looked at");
		return;
	}
	if (!doctor->status) {
		doctor_tell(
			doctor, DOCTOR_FAULT, "server",
			"start it (systemctl start bellhopd), or say where it is: --socket PATH",
			"no bellhopd answers on its admin socket");
		return;
	}
	doctor_tell(doctor, DOCTOR_OK, "server", NULL, "bellhopd %s runs as process %lld",
		    text_of(doctor->status, "version"), doctor->pid);
	if (doctor->pid > 0 && !argument(doctor->arguments, OPTION_URL)) {
		check_capabilities(doctor);
		check_network(doctor);
	}
	json_array_foreach(json_object_get(doctor->status, "warnings"), i, warning)
	{
		if (!is_of_rogue(warning)) {
			doctor_tell(doctor, DOCTOR_WARNING, "server", NULL, "%s",
				    json_string_value(warning) ? json_string_value(warning) : "");
		}
	}
}

/* --- A second responder. --- */

void doctor_check_canary(struct doctor *doctor)
{
	const json_t *counters =
		json_object_get(json_object_get(doctor->status, "counters"), "canary");
	long long sent = json_integer_value(json_object_get(counters, "sent"));
	const json_t *warning;
	size_t found = 0;
	size_t i;

	json_array_foreach(json_object_get(doctor->status, "warnings"), i, warning)
	{
		if (is_of_rogue(warning)) {
			doctor_tell(doctor, DOCTOR_WARNING, "canary",
				    "stop it, or keep the phones' network from it: a phone takes "
				    "the first answer",
				    "%s", json_string_value(warning));
			found++;
		}
	}
	if (doctor->config.sip_group.count == 0) {
		return;
	}
	if (doctor->config.sip_canary_ms == 0) {
		doctor_tell(doctor, DOCTOR_NOTE, "canary", "set canary = 15m in [sip], and restart",
			    "canary is 0: another server that answers phones here (a rogue "
			    "responder) would not be found");
	} else if (doctor->status && sent == 0) {
		doctor_tell(doctor, DOCTOR_NOTE, "canary", "look again in a while: bellhop status",
			    "none was sent yet: another server that answers phones here (a rogue "
			    "responder) would not be known");
	} else if (doctor->status && found == 0) {
		doctor_tell(doctor, DOCTOR_OK, "canary", NULL,
			    "no other server answers what we ask as a phone (%lld times by now)",
			    sent);
	}
}

/* --- Phones that cannot be seen. --- */

/* Not on-link on any interface of ours. */
static bool is_routed(const struct doctor *doctor, const char *text)
{
	struct address address;

	return address_parse(span_text(text), &address) == 0 && !address_is_loopback(address) &&
	       !interfaces_is_own(doctor->interfaces, address) &&
	       interfaces_towards(doctor->interfaces, address) == 0;
}

struct routed {
	size_t count;
	char example[address_text_size];
};

static void tell_routed(struct doctor *doctor, const struct routed *routed)
{
	bool is_one = routed->count == 1;

	if (routed->count == 0) {
		doctor_tell(doctor, DOCTOR_OK, "phones", NULL,
			    "none of those that were seen is behind a router");
		return;
	}
	doctor_tell(doctor, DOCTOR_WARNING, "phones",
		    "bind each to its address: bellhop device set MAC --address ADDRESS; or put a "
		    "Bellhop into their network; or [provisioning] routed = serve",
		    "%zu phone%s, e.g. at %s, %s behind a router: no hardware address can be seen, "
		    "so what they say of themselves is not proven",
		    routed->count, is_one ? "" : "s", routed->example, is_one ? "is" : "are");
}

static void count_routed(const struct doctor *doctor, const json_t *list, struct routed *routed)
{
	const json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		const char *address = text_of(row, "address");

		if (is_routed(doctor, address) &&
		    !json_is_string(json_object_get(row, "bound_address")) &&
		    routed->count++ == 0) {
			snprintf(routed->example, sizeof(routed->example), "%s", address);
		}
	}
}

/* All pages of a list; false when the server did not answer one. */
static bool count_all(const struct doctor *doctor, const char *path, const char *member,
		      struct routed *routed)
{
	char page[128];
	bool has_more = true;

	snprintf(page, sizeof(page), "%s", path);
	while (has_more) {
		json_t *reply = NULL;
		const char *next;

		say_quiet(true);
		(void)client_ask(doctor->arguments, "GET", page, NULL, &reply);
		say_quiet(false);
		if (!reply) {
			return false;
		}
		count_routed(doctor, json_object_get(reply, member), routed);
		next = text_of(reply, "next");
		has_more = *next != '\0';
		snprintf(page, sizeof(page), "%s?after=%s", path, next);
		json_decref(reply);
	}
	return true;
}

void doctor_check_phones(struct doctor *doctor)
{
	struct routed routed = {0};

	if (!doctor->status) {
		return;
	}
	if (count_all(doctor, "/api/v1/devices", "devices", &routed) &&
	    count_all(doctor, "/api/v1/unidentified", "unidentified", &routed)) {
		tell_routed(doctor, &routed);
	} else {
		doctor_tell(doctor, DOCTOR_SKIPPED, "phones", NULL,
			    "which phones are behind a router is not known: the server does not "
			    "list them");
	}
}
