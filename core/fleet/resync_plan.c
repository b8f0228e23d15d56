/* SPDX-License-Identifier: MIT */
#include "core/fleet/resync_plan.h"

#include "core/fleet/rules.h"

#include <stdlib.h>

const char *resync_order_name(enum resync_order order)
{
	static const char *const names[] = {
		[RESYNC_ORDER_FETCH] = "resync",
		[RESYNC_ORDER_REBOOT] = "reboot",
		[RESYNC_ORDER_CLAIMED] = "claimed",
	};

	return names[order];
}

struct resync_list *resync_list_new(enum resync_order order, size_t count_max)
{
	struct resync_list *list;

	if (count_max > (SIZE_MAX - sizeof(*list)) / sizeof(list->macs[0])) {
		return NULL;
	}
	list = malloc(sizeof(*list) + count_max * sizeof(list->macs[0]));
	if (list) {
		*list = (struct resync_list){.order = order};
	}
	return list;
}

void resync_list_append(struct resync_list **chain, struct resync_list *list)
{
	while (*chain) {
		chain = &(*chain)->next;
	}
	list->next = NULL;
	*chain = list;
}

void resync_list_free(struct resync_list *chain)
{
	while (chain) {
		struct resync_list *next = chain->next;

		free(chain);
		chain = next;
	}
}

/*
 * The effective value of a setting that has no built-in default, without laying all the others over
 * one another: an order may be for a whole fleet.
 */
static struct span effective_value(const struct inventory *inventory, const struct device *device,
				   struct span path)
{
	const struct profile *chain[profile_depth_max];
	const char *value = settings_get(&device->settings, path);
	int depth = value ? 0 : profile_chain(inventory, span_text(device->profile), chain);

	for (int i = 0; i < depth && !value; i++) {
		value = settings_get(&chain[i]->settings, path);
	}
	return value ? span_text(value) : SPAN("");
}

struct resync_account resync_account_of(const struct inventory *inventory,
					const struct device *device)
{
	struct resync_account account = {
		.username = effective_value(inventory, device, SPAN("sip_lines.1.auth_username")),
		.password = effective_value(inventory, device, SPAN("sip_lines.1.password")),
	};

	if (span_is_empty(account.username)) {
		account.username = effective_value(inventory, device, SPAN("sip_lines.1.username"));
	}
	return account;
}

static const struct vendor_pack *pack_of(const struct inventory *inventory,
					 const struct device *device)
{
	const struct vendor_pack *pack =
		vendor_find(&inventory->vendors, span_text(device->vendor));

	if (!pack && !device->vendor[0]) {
		pack = vendor_recognise(&inventory->vendors, &device->mac, SPAN(""), SPAN(""));
	}
	return pack;
}

static bool is_at_its_own_address(const struct device *device)
{
	return rule_subject_of(device).certainty >= CERTAINTY_SEEN;
}

static const struct vendor_order *given(const struct vendor_order *order)
{
	return span_is_empty(order->event) ? NULL : order;
}

/* Which order of the pack; NULL and `why`. */
static const struct vendor_order *choose(struct resync_plan *plan, enum resync_order order)
{
	const struct vendor_pack *pack = plan->pack;
	const struct vendor_order *resync = given(&pack->resync);

	switch (order) {
	case RESYNC_ORDER_FETCH:
		plan->why = "its maker's phones take no order to fetch again";
		return resync;
	case RESYNC_ORDER_REBOOT:
		plan->why = "its maker's phones take no order to restart";
		return given(&pack->reboot) ? &pack->reboot : pack->resync_reboots ? resync : NULL;
	case RESYNC_ORDER_CLAIMED:
		plan->tells_url = pack->takes_unsolicited && plan->is_proven;
		plan->why = "it is served when it asks next";
		return plan->tells_url || pack->resync_needs_account ||
				       pack->resync_asks_credentials
			       ? NULL
			       : resync;
	}
	return NULL;
}

static struct resync_plan cannot(struct resync_plan plan, enum device_resync verdict,
				 const char *why)
{
	plan.verdict = verdict;
	plan.why = why;
	return plan;
}

struct resync_plan resync_plan_of(const struct inventory *inventory, const struct device *device,
				  enum resync_order order)
{
	struct resync_plan plan = {.verdict = RESYNC_WAITING, .pack = pack_of(inventory, device)};

	plan.is_proven = is_at_its_own_address(device);
	plan.to.address =
		address_is_set(device->bound_address) ? device->bound_address : device->address;
	if (!plan.pack) {
		return cannot(plan, RESYNC_UNSUPPORTED,
			      "its maker is not known: name it with device set MAC --vendor");
	}
	plan.to.port = plan.pack->sip_port ? plan.pack->sip_port : 5060;
	plan.order = choose(&plan, order);
	plan.reboots = order == RESYNC_ORDER_REBOOT || (plan.order && plan.pack->resync_reboots);
	if (!plan.order && !plan.tells_url) {
		return cannot(plan, RESYNC_UNSUPPORTED, plan.why);
	}
	plan.why = NULL;
	plan.user = effective_value(inventory, device, SPAN("sip_lines.1.username"));
	if (plan.pack->resync_needs_account && !plan.tells_url && span_is_empty(plan.user)) {
		return cannot(plan, RESYNC_UNSUPPORTED,
			      "its maker's phones obey at the address of an account only, and "
			      "sip_lines.1.username is not set");
	}
	if (!address_is_set(plan.to.address)) {
		return cannot(plan, RESYNC_NO_ADDRESS, "nobody has seen where it is");
	}
	return plan;
}

bool resync_tells_claimed(const struct inventory *inventory, const struct device *device,
			  uint64_t utc_ms)
{
	return device->state == DEVICE_CLAIMED && device->last_seen_utc_ms > 0 &&
	       utc_ms <= device->last_seen_utc_ms + resync_seen_ms &&
	       resync_plan_of(inventory, device, RESYNC_ORDER_CLAIMED).verdict == RESYNC_WAITING;
}
