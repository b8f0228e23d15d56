/* SPDX-License-Identifier: MIT */
#include "core/fleet/policy.h"

#include "core/fleet/inventory.h"

static struct policy_decision refuse(const char *reason)
{
	return (struct policy_decision){.answer = POLICY_REFUSE, .reason = reason};
}

static struct policy_decision serve(const char *reason, const struct device *device)
{
	return (struct policy_decision){.answer = POLICY_SERVE, .reason = reason, .device = device};
}

/* Nobody claimed it: shown to the operator, or not even that. */
static struct policy_decision unclaimed(const struct policy *policy)
{
	if (policy->unknown == UNKNOWN_IGNORE) {
		return refuse("unclaimed");
	}
	if (policy->unknown == UNKNOWN_BOOTSTRAP) {
		return (struct policy_decision){.answer = POLICY_BOOTSTRAP, .reason = "bootstrap"};
	}
	return (struct policy_decision){.answer = POLICY_LIST, .reason = "unclaimed"};
}

/* It names a MAC that is not its own: only where the operator says that he does not mind. */
static struct policy_decision spoofed(const struct policy *policy,
				      const struct inventory *inventory,
				      const struct identity *identity)
{
	const struct device *device = inventory_device(inventory, identity->claimed);

	if (!policy->serves_spoofed || !identity->has_claim || identity->bound || !device ||
	    !device_is_claimed(device)) {
		return refuse(identity->reason);
	}
	return serve("spoofed", device);
}

/* Its hardware address cannot be seen, so the MAC that it names is its word alone. */
static struct policy_decision unproven(const struct policy *policy, const struct identity *identity,
				       const struct device *device)
{
	if (!identity->is_routed) {
		return refuse(identity->reason);
	}
	if (!device || device->state == DEVICE_NEW) {
		struct policy_decision decision = unclaimed(policy);

		if (decision.answer == POLICY_BOOTSTRAP && !policy->serves_routed) {
			decision.answer = POLICY_LIST;
			decision.reason = "unclaimed";
		}
		return decision;
	}
	if (device->state == DEVICE_BLOCKED) {
		return refuse("blocked");
	}
	return policy->serves_routed ? serve("routed", device) : refuse("routed");
}

struct policy_decision policy_subscribe(const struct policy *policy,
					const struct inventory *inventory,
					const struct identity *identity)
{
	const struct device *device;

	switch (identity->verdict) {
	case IDENTITY_PENDING:
		return (struct policy_decision){.answer = POLICY_RESOLVE,
						.reason = identity->reason};
	case IDENTITY_CONFLICT:
		return spoofed(policy, inventory, identity);
	case IDENTITY_UNKNOWN:
		return refuse(identity->reason);
	case IDENTITY_UNPROVEN:
		return unproven(policy, identity, inventory_device(inventory, identity->mac));
	case IDENTITY_KNOWN:
		break;
	}
	device = identity->bound ? identity->bound : inventory_device(inventory, identity->mac);
	if (!device || device->state == DEVICE_NEW) {
		return unclaimed(policy);
	}
	if (device->state == DEVICE_BLOCKED) {
		return refuse("blocked");
	}
	return serve("claimed", device);
}

struct policy_decision policy_bootstrap(const struct policy *policy,
					const struct inventory *inventory,
					const struct identity *identity)
{
	struct policy_decision decision;

	if (policy->unknown != UNKNOWN_BOOTSTRAP) {
		return refuse("unclaimed");
	}
	decision = policy_subscribe(policy, inventory, identity);
	return decision.answer == POLICY_BOOTSTRAP ? decision : refuse(decision.reason);
}

static bool is_bound_to(const struct device *device, struct address source, struct span interface)
{
	struct span bound = span_text(device->bound_interface);

	return address_is_set(device->bound_address) &&
	       address_equal(device->bound_address, address_unmapped(source)) &&
	       (bound.length == 0 || span_equal(bound, interface));
}

struct policy_decision policy_file(const struct policy *policy, const struct device *device,
				   bool by_key, struct address source, struct span interface,
				   const struct link_evidence *link)
{
	if (!device) {
		return refuse("no_such_device");
	}
	if (device->state == DEVICE_BLOCKED) {
		return refuse("blocked");
	}
	if (device->state == DEVICE_NEW) {
		return refuse("unclaimed");
	}
	if (by_key && policy->access_by_key) {
		return serve("key", device);
	}
	if (!policy->access_by_neighbour) {
		return refuse(by_key ? "key_not_accepted" : "no_key");
	}
	if (is_bound_to(device, source, interface)) {
		return serve("address", device);
	}
	if (link->is_known) {
		return mac_equal(link->mac, device->mac)
			       ? serve(device_identified_by_name(link->by), device)
			       : refuse("foreign_hardware_address");
	}
	return refuse(link->is_routed ? "routed" : link->is_pending ? "resolving" : "not_seen");
}
