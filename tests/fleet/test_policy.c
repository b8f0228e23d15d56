/* SPDX-License-Identifier: MIT */
#include "core/fleet/policy.h"
#include "tests/fleet/fleet.h"

static struct inventory inventory;

/* One device in each state that matters; the last is not there. */
#define NEW	 "00908f000001"
#define CLAIMED	 "00908f000002"
#define BLOCKED	 "00908f000003"
#define STRANGER "00908f000004"

static void open_fleet(void)
{
	fleet_open(&inventory, 10, 5);
	fleet_change(&inventory, CHANGE_DEVICE_ADD, NEW);
	fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_CLAIM,
					     .mac = fleet_mac(CLAIMED),
					     .fields = FIELD_BOUND_ADDRESS | FIELD_BOUND_INTERFACE,
					     .bound_address = fleet_address("10.0.0.7"),
					     .bound_interface = SPAN("eth1")});
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, BLOCKED);
	fleet_change(&inventory, CHANGE_DEVICE_BLOCK, BLOCKED);
}

struct subscribe_row {
	enum identity_verdict verdict;
	const char *mac;
	bool is_routed;
	enum policy_unknown unknown;
	bool serves_routed;
	enum policy_answer answer;
	const char *reason;
};

static const struct subscribe_row subscribes[] = {
	{IDENTITY_KNOWN, CLAIMED, false, UNKNOWN_LIST, false, POLICY_SERVE, "claimed"},
	{IDENTITY_KNOWN, CLAIMED, false, UNKNOWN_IGNORE, false, POLICY_SERVE, "claimed"},
	{IDENTITY_KNOWN, NEW, false, UNKNOWN_LIST, false, POLICY_LIST, "unclaimed"},
	{IDENTITY_KNOWN, NEW, false, UNKNOWN_IGNORE, false, POLICY_REFUSE, "unclaimed"},
	{IDENTITY_KNOWN, STRANGER, false, UNKNOWN_LIST, false, POLICY_LIST, "unclaimed"},
	{IDENTITY_KNOWN, STRANGER, false, UNKNOWN_IGNORE, false, POLICY_REFUSE, "unclaimed"},
	{IDENTITY_KNOWN, BLOCKED, false, UNKNOWN_LIST, true, POLICY_REFUSE, "blocked"},
	{IDENTITY_PENDING, CLAIMED, false, UNKNOWN_LIST, true, POLICY_RESOLVE, "why"},
	{IDENTITY_CONFLICT, CLAIMED, false, UNKNOWN_LIST, true, POLICY_REFUSE, "why"},
	{IDENTITY_CONFLICT, CLAIMED, true, UNKNOWN_LIST, true, POLICY_REFUSE, "why"},
	{IDENTITY_UNKNOWN, STRANGER, true, UNKNOWN_LIST, true, POLICY_REFUSE, "why"},
	{IDENTITY_UNPROVEN, CLAIMED, true, UNKNOWN_LIST, true, POLICY_SERVE, "routed"},
	{IDENTITY_UNPROVEN, CLAIMED, true, UNKNOWN_LIST, false, POLICY_REFUSE, "routed"},
	{IDENTITY_UNPROVEN, CLAIMED, false, UNKNOWN_LIST, true, POLICY_REFUSE, "why"},
	{IDENTITY_UNPROVEN, BLOCKED, true, UNKNOWN_LIST, true, POLICY_REFUSE, "blocked"},
	{IDENTITY_UNPROVEN, STRANGER, true, UNKNOWN_LIST, true, POLICY_LIST, "unclaimed"},
	{IDENTITY_UNPROVEN, NEW, true, UNKNOWN_IGNORE, true, POLICY_REFUSE, "unclaimed"},
	{IDENTITY_KNOWN, NEW, false, UNKNOWN_BOOTSTRAP, false, POLICY_BOOTSTRAP, "bootstrap"},
	{IDENTITY_KNOWN, STRANGER, false, UNKNOWN_BOOTSTRAP, false, POLICY_BOOTSTRAP, "bootstrap"},
	{IDENTITY_KNOWN, BLOCKED, false, UNKNOWN_BOOTSTRAP, false, POLICY_REFUSE, "blocked"},
	{IDENTITY_KNOWN, CLAIMED, false, UNKNOWN_BOOTSTRAP, false, POLICY_SERVE, "claimed"},
	{IDENTITY_UNPROVEN, NEW, true, UNKNOWN_BOOTSTRAP, false, POLICY_LIST, "unclaimed"},
	{IDENTITY_UNPROVEN, NEW, true, UNKNOWN_BOOTSTRAP, true, POLICY_BOOTSTRAP, "bootstrap"},
	{IDENTITY_UNPROVEN, BLOCKED, true, UNKNOWN_BOOTSTRAP, true, POLICY_REFUSE, "blocked"},
	{IDENTITY_UNKNOWN, STRANGER, true, UNKNOWN_BOOTSTRAP, true, POLICY_REFUSE, "why"},
	{IDENTITY_CONFLICT, STRANGER, false, UNKNOWN_BOOTSTRAP, true, POLICY_REFUSE, "why"},
};

static void who_gets_a_url(void)
{
	open_fleet();
	for (size_t i = 0; i < sizeof(subscribes) / sizeof(*subscribes); i++) {
		const struct subscribe_row *row = &subscribes[i];
		struct identity identity = {.verdict = row->verdict,
					    .mac = fleet_mac(row->mac),
					    .has_claim = true,
					    .is_routed = row->is_routed,
					    .reason = "why"};
		struct policy policy = {.unknown = row->unknown,
					.serves_routed = row->serves_routed};
		struct policy_decision decision = policy_subscribe(&policy, &inventory, &identity);

		CHECK_EQUAL(row->answer, decision.answer);
		CHECK_TEXT(row->reason, span_text(decision.reason));
		CHECK((decision.answer == POLICY_SERVE) ==
		      (decision.device == fleet_device(&inventory, CLAIMED)));
		if (test_is_failed) {
			printf("# row %zu\n", i);
		}
	}
	inventory_free(&inventory);
}

/* `spoofed = serve`: the claimed device that is named, and nothing more. */
static void whom_spoofed_serves(void)
{
	static const struct {
		const char *named; /* NULL: two are named */
		bool is_bound;
		bool is_allowed;
		bool is_served;
	} rows[] = {
		{CLAIMED, false, true, true},  {CLAIMED, false, false, false},
		{CLAIMED, true, true, false},  {NEW, false, true, false},
		{BLOCKED, false, true, false}, {STRANGER, false, true, false},
		{NULL, false, true, false},
	};

	open_fleet();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct identity identity = {
			.verdict = IDENTITY_CONFLICT,
			.has_claim = rows[i].named != NULL,
			.claimed = fleet_mac(rows[i].named ? rows[i].named : NEW),
			.bound = rows[i].is_bound ? fleet_device(&inventory, NEW) : NULL,
			.reason = "mac_is_not_its_own"};
		struct policy policy = {.serves_spoofed = rows[i].is_allowed};
		struct policy_decision decision = policy_subscribe(&policy, &inventory, &identity);

		CHECK_EQUAL(rows[i].is_served ? POLICY_SERVE : POLICY_REFUSE, decision.answer);
		CHECK_TEXT(rows[i].is_served ? "spoofed" : "mac_is_not_its_own",
			   span_text(decision.reason));
		if (test_is_failed) {
			printf("# row %zu\n", i);
		}
	}
	inventory_free(&inventory);
}

struct file_row {
	const char *device;
	bool by_key;
	bool access_by_key;
	bool access_by_neighbour;
	const char *source;
	const char *interface;
	const char *seen;
	bool is_routed;
	bool is_served;
	const char *reason;
};

static const struct file_row files[] = {
	{CLAIMED, true, true, true, "10.0.0.9", "eth0", NULL, false, true, "key"},
	{CLAIMED, true, true, false, "10.0.0.9", "eth0", STRANGER, false, true, "key"},
	{CLAIMED, true, false, false, "10.0.0.9", "eth0", CLAIMED, false, false,
	 "key_not_accepted"},
	{CLAIMED, false, true, false, "10.0.0.9", "eth0", CLAIMED, false, false, "no_key"},
	{CLAIMED, false, true, true, "10.0.0.9", "eth0", CLAIMED, false, true, "neighbour"},
	{CLAIMED, true, false, true, "10.0.0.9", "eth0", CLAIMED, false, true, "neighbour"},
	{CLAIMED, false, true, true, "10.0.0.9", "eth0", STRANGER, false, false,
	 "foreign_hardware_address"},
	{CLAIMED, false, true, true, "10.0.0.7", "eth1", NULL, true, true, "address"},
	{CLAIMED, false, true, true, "::ffff:10.0.0.7", "eth1", NULL, true, true, "address"},
	{CLAIMED, false, true, true, "10.0.0.7", "eth0", NULL, true, false, "routed"},
	{CLAIMED, false, true, true, "10.0.0.9", "eth1", NULL, true, false, "routed"},
	{CLAIMED, false, true, true, "10.0.0.9", "eth1", NULL, false, false, "not_seen"},
	{CLAIMED, false, true, false, "10.0.0.7", "eth1", NULL, true, false, "no_key"},
	{NEW, true, true, true, "10.0.0.9", "eth0", NEW, false, false, "unclaimed"},
	{BLOCKED, true, true, true, "10.0.0.9", "eth0", BLOCKED, false, false, "blocked"},
	{STRANGER, true, true, true, "10.0.0.9", "eth0", STRANGER, false, false, "no_such_device"},
};

static void who_gets_a_file(void)
{
	open_fleet();
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const struct file_row *row = &files[i];
		struct policy policy = {.access_by_key = row->access_by_key,
					.access_by_neighbour = row->access_by_neighbour};
		struct link_evidence link = {.is_known = row->seen != NULL,
					     .by = IDENTIFIED_BY_NEIGHBOUR,
					     .is_routed = row->is_routed};
		struct policy_decision decision;

		if (row->seen) {
			link.mac = fleet_mac(row->seen);
		}
		decision =
			policy_file(&policy, fleet_device(&inventory, row->device), row->by_key,
				    fleet_address(row->source), span_text(row->interface), &link);
		CHECK_EQUAL(row->is_served ? POLICY_SERVE : POLICY_REFUSE, decision.answer);
		CHECK_TEXT(row->reason, span_text(decision.reason));
		CHECK(row->is_served == (decision.device != NULL));
		if (test_is_failed) {
			printf("# row %zu\n", i);
		}
	}
	inventory_free(&inventory);
}

int main(void)
{
	RUN(who_gets_a_url);
	RUN(whom_spoofed_serves);
	RUN(who_gets_a_file);
	return test_end();
}
