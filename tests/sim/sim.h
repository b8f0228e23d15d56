/* SPDX-License-Identifier: MIT */
/*
 * The simulator: another shell around the pure deciders. One core/provision/signalling with a real
 * inventory and many core/phone/subscriber speak over a network that loses, delays, doubles and
 * reorders datagrams, in virtual time. All of it is a function of one number, the seed.
 *
 *	world.c    a heap of what happens when; it hands each thing to its decider
 *	phones.c   the phones: what they are like, how they misbehave
 *	judge.c    what has to hold, whatever the weather was
 *	sim.c      the program: seeds, figures, the last moments of a phone that went wrong
 */
#ifndef BELLHOP_TESTS_SIM_H
#define BELLHOP_TESTS_SIM_H

#include "core/fleet/inventory.h"
#include "core/phone/subscriber.h"
#include "core/provision/signalling_state.h" /* the tables: they must be empty in the end */

enum {
	sim_phones_max = 2000,
	sim_exchanges_max = 4,
	sim_moments_max = 50,
	sim_problem_size = 256,
	sim_reasons_max = signalling_counters_max,
	/* Within these a phone that may have its URL gets it (see judge_end). */
	sim_losses_max = 3,
	sim_delay_max_ms = 300,
	sim_evidence_max_ms = 600,
	sim_late_max_ms = 20,
};

/* What the network shows of a phone's hardware address. */
enum sim_evidence {
	SIM_FRAME,	    /* the frame itself has it */
	SIM_NEIGHBOUR,	    /* the neighbour table, soon */
	SIM_LATE_NEIGHBOUR, /* perhaps after the second that a SUBSCRIBE waits */
	SIM_NO_NEIGHBOUR,
	SIM_ROUTED,
	sim_evidence_count,
};

/* How a phone answers a NOTIFY. */
enum sim_answers {
	SIM_WELL,
	SIM_TRYING, /* 100, and never the 200 */
	SIM_OWN_VIA,
	SIM_NO_VIA,
	SIM_NEVER,
	sim_answers_count,
};

/* Which form of the NOTIFY a phone takes. What one firmware takes all phones that have it take. */
enum sim_takes { SIM_ANY_FORM, SIM_RFC_ONLY, SIM_PRINT_ONLY, sim_takes_count };

/* Whom a phone names in its From. */
enum sim_names { SIM_NOBODY, SIM_ITSELF, SIM_ANOTHER, sim_names_count };

struct sim_traits {
	bool is_claimed;
	bool is_bound; /* an operator bound its address to it */
	bool is_blocked;
	bool is_withdrawn;     /* blocked in the midst of it */
	bool is_multicast;     /* asks the group; else the server itself */
	bool is_noise;	       /* octets of what it sends are changed */
	bool is_fetching;      /* comes for its files when it has its URL */
	bool is_forgetful;     /* has the same tags, branch and Call-ID after each boot */
	unsigned boots;	       /* 1, or more: it is switched off and on in the midst of it */
	bool is_gone;	       /* switched off for good in the midst of it */
	enum notify_form form; /* that an operator wrote down; FORM_DEFAULT: it is guessed */
	enum sim_takes takes;
	bool is_refusing; /* answers 481 to a form that it does not take; else it is silent */
	enum sim_evidence evidence;
	enum sim_answers answers;
	enum sim_names names;
};

/* One SUBSCRIBE transaction, as the judge saw it. */
struct sim_exchange {
	char call_id[subscriber_id_size];
	uint64_t answer;  /* hash of the 200's octets, 0 without one */
	uint64_t notify;  /* of the NOTIFY's */
	uint64_t refusal; /* of the first refusal's */
	unsigned refusal_status;
	uint64_t first_ms; /* of the NOTIFY */
	uint64_t last_ms;
	unsigned notify_count;
	enum notify_form form; /* of the first NOTIFY */
	char branch[40];       /* of its Via */
	unsigned other_count;  /* NOTIFYs in the other form */
	bool is_accepted;      /* a 2xx came before the other form went out */
	bool is_over;	       /* fetched, withdrawn, unreachable: no other form after that */
	unsigned trying_count; /* NOTIFYs sent when the first 100 came; 0: none did */
	bool is_settled;       /* nothing may be sent again */
	uint64_t answered_ms;  /* the first 200 */
	uint32_t interface;    /* and where it left */
};

struct sim_moment {
	uint64_t at_ms;
	const char *what;
	size_t length;
	char head[60]; /* the datagram's first octets */
};

struct sim_phone {
	struct sim_traits traits;
	struct mac mac;
	struct endpoint endpoint;
	struct subscriber subscriber;
	struct random random;
	uint64_t wake_ms; /* that is in the heap */
	unsigned boot;
	bool is_on;
	bool is_told; /* this boot has its URL */
	/* Since the last boot: what the network did to it. */
	unsigned lost;
	unsigned late;
	unsigned unreachable;
	struct sim_exchange exchanges[sim_exchanges_max];
	size_t exchange_count;
	struct sim_moment moments[sim_moments_max]; /* a ring */
	size_t moment_count;
};

struct sim_weather {
	unsigned loss_percent;
	unsigned duplicate_percent;
	unsigned slow_percent; /* datagrams that take up to three seconds more */
	unsigned unreachable_per_mille;
	unsigned delay_ms;
	unsigned late_ms; /* the shell wakes up so much late at most */
	bool is_tight;	  /* tables and lists are small */
	bool is_limited;  /* each source has few requests a second */
};

struct sim_counts {
	uint64_t datagrams;
	uint64_t lost;
	uint64_t duplicated;
	uint64_t unreachable;
	uint64_t phones;
	uint64_t told;	   /* have their URL */
	uint64_t promised; /* had to get it */
	uint64_t learned;  /* kinds of phones whose form is known in the end */
	struct signalling_counter reasons[sim_reasons_max];
	size_t reason_count;
};

struct sim_item;

struct sim_world {
	uint64_t seed;
	struct random random;
	struct sim_weather weather;
	struct inventory inventory;
	struct policy policy;
	struct signalling_options options;
	struct signalling *signalling;
	struct effects effects;
	struct phone_effects phone_effects;
	struct sip_message message; /* for the phones and the judge: nothing outlives a call */
	struct sim_phone *phones;
	size_t phone_count;
	struct sim_item *items; /* heap: the next one first */
	size_t item_count;
	size_t item_room;
	uint64_t item_order;
	uint64_t now_ms;
	uint64_t wake_ms;   /* of signalling, as it said */
	uint64_t expire_ms; /* when the shell will see to it */
	uint64_t last_input_ms;
	struct sim_counts counts;
	bool is_response_arriving;   /* what arrives is a final response from 300 on */
	struct sim_exchange *copied; /* a copy of this one's SUBSCRIBE is being handled */
	uint64_t trace;		     /* hash of everything that happened */
	char problem[sim_problem_size];
	const struct sim_phone *offender;
};

/* What can happen. */
enum sim_kind {
	SIM_TO_SERVER,
	SIM_TO_PHONE,
	SIM_EVIDENCE,
	SIM_UNREACHABLE,
	SIM_FETCHED,
	SIM_WITHDRAWN,
	SIM_PHONE_WAKES,
	SIM_POWER_ON,
	SIM_POWER_OFF,
};

struct sim_item {
	uint64_t at_ms;
	uint64_t order; /* of two at the same time */
	enum sim_kind kind;
	struct sim_phone *phone;
	unsigned boot;
	uint32_t interface;
	bool is_multicast;
	size_t length;
	char *bytes; /* owned */
};

/* Runs one world to its end. True when everything held; the world is there to be looked at. */
bool sim_run(struct sim_world *world, uint64_t seed, size_t phone_count);
void sim_free(struct sim_world *world);

/* world.c, for phones.c. The bytes are copied. */
void sim_later(struct sim_world *world, struct sim_item item);
void sim_transmit(struct sim_world *world, struct sim_item item);
unsigned sim_below(struct sim_world *world, unsigned bound);
bool sim_chance(struct sim_world *world, unsigned percent);
void sim_note(struct sim_world *world, struct sim_phone *phone, const char *what,
	      struct span bytes);
uint64_t sim_hash(uint64_t hash, struct span bytes);
struct sim_phone *sim_phone_at(struct sim_world *world, struct address address);
extern const struct address sim_server;

/* phones.c */
bool sim_phones_make(struct sim_world *world, size_t count);
void sim_phone_power(struct sim_world *world, struct sim_phone *phone, bool is_on);
void sim_phone_receive(struct sim_world *world, struct sim_phone *phone, struct span bytes);
void sim_phone_wake(struct sim_world *world, struct sim_phone *phone, unsigned boot);
void sim_traits_print(const struct sim_phone *phone);

/* judge.c: the first thing that does not hold is kept. `origin` is NULL when no datagram was it. */
void judge_arrival(struct sim_world *world, struct sim_phone *origin, uint32_t interface,
		   struct span bytes);
void judge_effects(struct sim_world *world, const struct sim_phone *origin);
void judge_settled(struct sim_phone *phone);
struct span sim_firmware(const struct sim_phone *phone);
enum notify_form sim_form_of(struct span notify);
void judge_told(struct sim_world *world, struct sim_phone *phone);
void judge_tables(struct sim_world *world);
void judge_end(struct sim_world *world);
struct sim_exchange *judge_exchange(struct sim_phone *phone, struct span call_id);

#endif
