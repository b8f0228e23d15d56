/* SPDX-License-Identifier: MIT */
#include "core/provision/sighting.h"

void sightings_init(struct sightings *sightings, struct random *random)
{
	*sightings = (struct sightings){.refused = 0};
	rate_limit_init_per_minute(&sightings->rate, sighting_per_minute, sighting_burst, random);
}

static struct change change_of(const struct identity *identity, const struct sighting_place *place)
{
	return (struct change){
		.fields = FIELD_ADDRESS | FIELD_IDENTIFIED_BY | FIELD_CERTAINTY,
		.mac = identity->mac,
		.address = place->source.address,
		.interface = place->interface,
		.identified_by = identity->by,
		.certainty = identity->certainty,
		.reason = identity->reason,
	};
}

static void set_text(struct change *change, enum change_field field, struct span *place,
		     struct span text, const char *otherwise)
{
	*place = text.length > 0 ? text : span_text(otherwise);
	if (place->length > 0) {
		change->fields |= field;
	}
}

/* What it says of itself now, else what it said when it named no MAC. */
static void set_maker(struct change *change, const struct identity *identity,
		      const struct unidentified *before)
{
	set_text(change, FIELD_VENDOR, &change->vendor, identity->vendor_name,
		 before ? before->vendor : "");
	set_text(change, FIELD_MODEL, &change->model, identity->model, before ? before->model : "");
	set_text(change, FIELD_FIRMWARE, &change->firmware, identity->version,
		 before ? before->firmware : "");
}

static bool may_add(const struct sighting_place *place, struct sightings *sightings)
{
	if (sightings && !rate_limit_take(&sightings->rate, place->source.address, place->now_ms)) {
		sightings->refused++;
		return false;
	}
	return true;
}

static void note_device(const struct inventory *inventory, const struct identity *identity,
			const struct sighting_place *place, struct sightings *sightings,
			struct effects *effects)
{
	const struct device *device = inventory_device(inventory, identity->mac);
	struct change change = change_of(identity, place);

	if (device ? device->state != DEVICE_NEW : !identity->vendor) {
		return;
	}
	/* A word does not take the place of what was seen. */
	if (device && identity->certainty == CERTAINTY_CLAIMED &&
	    device->certainty > CERTAINTY_CLAIMED) {
		return;
	}
	if (!device && !may_add(place, sightings)) {
		return;
	}
	change.kind = CHANGE_DEVICE_SEEN;
	set_maker(&change, identity,
		  unidentified_find(&inventory->unidentified, place->source.address,
				    place->interface));
	change_post(effects, &change);
}

static void note_stranger(const struct inventory *inventory, const struct identity *identity,
			  const struct sighting_place *place, struct effects *effects)
{
	const struct unidentified *before =
		unidentified_find(&inventory->unidentified, place->source.address,
				  place->interface);
	struct change change = change_of(identity, place);

	if (!identity->vendor &&
	    !(identity->has_claim && inventory_device(inventory, identity->claimed))) {
		return;
	}
	change.kind = CHANGE_UNIDENTIFIED_SEEN;
	change.mac = identity->has_claim ? identity->claimed : (struct mac){0};
	set_maker(&change, identity, before);
	change_post(effects, &change);
}

void sighting_note(const struct inventory *inventory, const struct policy *policy,
		   const struct identity *identity, const struct sighting_place *place,
		   struct sightings *sightings, struct effects *effects)
{
	bool is_ignored = policy->unknown == UNKNOWN_IGNORE;

	switch (identity->verdict) {
	case IDENTITY_KNOWN:
	case IDENTITY_UNPROVEN:
		if (!is_ignored) {
			note_device(inventory, identity, place, sightings, effects);
		}
		break;
	case IDENTITY_UNKNOWN:
		if (!is_ignored) {
			note_stranger(inventory, identity, place, effects);
		}
		break;
	case IDENTITY_CONFLICT:
		note_stranger(inventory, identity, place, effects);
		break;
	case IDENTITY_PENDING:
		break;
	}
}
