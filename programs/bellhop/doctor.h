/* SPDX-License-Identifier: MIT */
/*
 * bellhop doctor: what would keep phones from being provisioned here. Each check looks at one thing
 * of this machine, its network or the running server, and tells what it found in plain words, with
 * the remedy. Nothing is changed.
 */
#ifndef BELLHOP_PROGRAMS_DOCTOR_H
#define BELLHOP_PROGRAMS_DOCTOR_H

#include "core/admin/configuration.h"
#include "io/interfaces.h"
#include "programs/bellhop/bellhop.h"

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_NOTE,	/* good to know */
	DOCTOR_WARNING, /* some phones will not come up, or soon */
	DOCTOR_FAULT,	/* phones will not be provisioned */
	DOCTOR_SKIPPED, /* could not be looked at; the text says why */
};

struct doctor {
	const struct arguments *arguments;
	struct configuration config; /* what the server reads, or the defaults */
	struct arena arena;	     /* of the texts of `config` */
	json_t *status;		     /* GET /api/v1/status; NULL: no server answers */
	bool may_not_ask;	     /* there is one, and it does not let this user ask */
	long long pid;		     /* of the server, 0: none on this machine */
	struct loop loop;
	struct interfaces *interfaces;
	json_t *findings; /* all that was told */
	bool is_json;	  /* printed at the end, not as it comes */
	size_t fault_count;
	size_t warning_count;
};

/*
 * Tells one finding of the check `check`, a word. `what_to_do` may be NULL. Printed at once, except
 * for --json.
 */
void doctor_tell(struct doctor *doctor, enum doctor_level level, const char *check,
		 const char *what_to_do, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* The i-th interface on which the group is to be joined: as configured, else all that can. */
const struct interface *doctor_interface(const struct doctor *doctor, size_t i);

/* The i-th name of `interfaces` in [sip]; false past the last. */
bool doctor_interface_name(const struct doctor *doctor, size_t i, char name[static IF_NAMESIZE]);

/* The first IPv4 address of an interface, or NULL. */
const struct interface_address *doctor_address(const struct doctor *doctor,
					       const struct interface *interface);

/* Whether the server hears the group by a packet socket. */
bool doctor_hears_packets(const struct doctor *doctor);

/* Whether a UDP socket of this machine gets nothing that is sent to the group, on no interface. */
bool doctor_group_is_dropped(struct doctor *doctor);

/* --- The checks, in the order in which they run. --- */

void doctor_check_server(struct doctor *doctor);     /* runs; warnings of its own; capabilities */
void doctor_check_interfaces(struct doctor *doctor); /* up, multicast, an address, the join */
void doctor_check_bridges(struct doctor *doctor);    /* that snoop and have no querier */
void doctor_check_ports(struct doctor *doctor);	     /* taken, and by what; a PBX beside us */
void doctor_check_firewall(struct doctor *doctor);   /* that drops the group, or our ports */
void doctor_check_canary(struct doctor *doctor);     /* whether a second responder would be found */
void doctor_check_phones(struct doctor *doctor);     /* routed ones */
void doctor_check_dhcp(struct doctor *doctor);	     /* options that outrank us */
void doctor_check_tls(struct doctor *doctor);	     /* what old phones cannot speak */
void doctor_check_clock(struct doctor *doctor);
void doctor_check_disk(struct doctor *doctor);

#endif
