/* SPDX-License-Identifier: MIT */
/*
 * The road of a device, in events: new -> claimed -> notified -> fetched, stale, blocked and back.
 * What a change that is prepared comes to is told in reports, which the store keeps in the same
 * transaction as the change:
 *
 *	state           the device's state is another one; `detail`: from, to (null: it is not
 *	                there), cause, by, evidence; of a profile's change one for all its devices,
 *	                with their `count`
 *	phone_appeared  a phone that nobody claimed showed itself for the first time
 *	claimed_by_rule which rule claimed it, and on what evidence
 *	pool_empty      a rule would have claimed it, and has no number for it
 *
 * Causes: person, rule, seen, url_sent, fetched, edited, profile, blocked, unblocked, removed.
 */
#ifndef BELLHOP_CORE_FLEET_ROAD_H
#define BELLHOP_CORE_FLEET_ROAD_H

#include "core/base/effects.h"
#include "core/fleet/inventory.h"

typedef void road_report_fn(void *context, const struct effect_report *report);

/*
 * Calls `report` for each, in order; valid for the call. `prepared` is not committed yet; `who`
 * made the change, empty: a phone did.
 */
void road_tell(const struct prepared *prepared, const struct change *change, struct span who,
	       road_report_fn *report, void *context);

#endif
