/* SPDX-License-Identifier: MIT */
/*
 * Rules that claim phones by themselves. Whenever a phone that nobody claimed shows itself
 * (CHANGE_DEVICE_SEEN), the rules are tried in the order of their priority, then of their name; the
 * first whose conditions all fit claims it, in the same change. A rule whose pool has no free
 *number claims nothing, and none after it is tried.
 *
 * A rule is given, and stored, as JSON; what is left out is no condition, or nothing to set:
 *
 *	{"priority": 100, "enabled": true,
 *	 "mac": ["00908f", "001565112200-0015651122ff", "000413aabbcc"],
 *	 "vendor": "audiocodes", "model": "445*", "interface": "eth0.20", "certainty": "seen",
 *	 "profile": "desk", "label": "Desk %{extension}", "pool": "office",
 *	 "settings": {"ntp_ip": "192.0.2.1"}}
 *
 * `certainty` is how sure we must be at least of who is asking. Without it that is `seen`: what a
 * sender says of itself claims nothing unless the rule says `claimed`.
 */
#ifndef BELLHOP_CORE_FLEET_RULES_H
#define BELLHOP_CORE_FLEET_RULES_H

#include "core/base/writer.h"
#include "core/fleet/device.h"

enum { rule_macs_max = 10000, rule_priority_max = 9999, rule_priority_default = 100 };

struct mac_range {
	struct mac first;
	struct mac last;
};

struct rule {
	char name[device_rule_size];
	unsigned priority; /* lower first */
	bool is_disabled;
	struct mac_range *macs; /* sorted, and none inside another; owned */
	size_t mac_count;	/* 0: any */
	char vendor[device_vendor_size];
	char model[device_model_size]; /* with * and ?, in either case */
	char interface[device_interface_size];
	enum device_certainty certainty;
	char profile[device_profile_size];
	char label[device_label_size]; /* with %{extension}, %{mac}, %{model}, %{vendor} */
	char pool[device_pool_size];
	struct settings settings;
	uint64_t used; /* phones that it has claimed */
	uint64_t used_utc_ms;
	char *body; /* as it is to be stored; NULL once it is in place */
};

/* What a rule looks at. */
struct rule_subject {
	struct mac mac;
	struct span vendor;
	struct span model;
	struct span interface;
	enum device_certainty certainty;
};

/* The first condition that does not fit. */
enum rule_verdict {
	RULE_FITS,
	RULE_DISABLED,
	RULE_OTHER_MAC,
	RULE_OTHER_VENDOR,
	RULE_OTHER_MODEL,
	RULE_OTHER_INTERFACE,
	RULE_NOT_CERTAIN,
};

/*
 * Makes a rule of its JSON: 0 and `*rule`, or -EINVAL with a sentence in `problem`, or -ENOMEM.
 * That its profile and its pool are there is not looked at.
 */
int rule_read(struct span name, struct span body, struct rule **rule, struct writer *problem);
void rule_free(struct rule *rule);

enum rule_verdict rule_check(const struct rule *rule, const struct rule_subject *subject);

/* "its model is not 445*": why it does not fit, or "fits". */
void rule_verdict_write(enum rule_verdict verdict, const struct rule *rule, struct writer *text);

/* What there is to look at of a device. */
struct rule_subject rule_subject_of(const struct device *device);

/* By priority, then by name: <0, 0, >0. */
int rule_compare(const struct rule *a, const struct rule *b);

/* The label that a rule gives to a device, cut to what a label may be. */
void rule_label_write(const struct rule *rule, const struct device *device, struct writer *label);

/* A prefix of 1 to 12 digits, a MAC, or MAC-MAC: 0 or -EINVAL. */
int mac_range_parse(struct span text, struct mac_range *range);
void mac_range_write(struct writer *w, const struct mac_range *range);

#endif
