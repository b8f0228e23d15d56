/* SPDX-License-Identifier: MIT */
#include "core/fleet/identity.h"

#include "core/fleet/identity_claim.h"
#include "core/fleet/inventory.h"
#include "core/fleet/vendor_files.h"

#include <errno.h>

/* What identity is judged by: the claims together, and what the pack read in the User-Agent. */
struct evidence {
	struct claim claim;
	bool has_two; /* two that are certain and differ */
	const struct vendor_pack *pack;
	struct vendor_reading reading;
	bool is_fetch; /* the User-Agent is one of HTTP */
	struct vendor_file_reading file;
};

/* Most phones write the same user everywhere: that is read once. */
static int combine_user(struct claim *sum, struct span user, struct span read_before,
			enum device_identified_by by)
{
	if (user.length == 0 || span_equal(user, read_before)) {
		return 0;
	}
	return claim_combine(sum, claim_of_user(user, by));
}

/* What the URIs and parameters name; the User-Agent comes after them. */
static int claims_of_uris(const struct subscribe_claims *claims, struct claim *sum)
{
	struct span request = claims->request_user;
	int error = 0;

	*sum = claim_of_user(request, IDENTIFIED_BY_REQUEST_URI);
	/* The Request-URI's user is no account: digits alone are a MAC there. */
	sum->is_vague = sum->is_vague && !sum->is_digits;
	if (claims->instance.length > 0) {
		error = claim_combine(sum, claim_of_uuid(claims->instance, IDENTIFIED_BY_INSTANCE));
	}
	error = error ? error : combine_user(sum, claims->from_user, request, IDENTIFIED_BY_FROM);
	error = error ? error : combine_user(sum, claims->to_user, request, IDENTIFIED_BY_TO);
	return error ? error
		     : combine_user(sum, claims->contact_user, request, IDENTIFIED_BY_CONTACT);
}

static int claims_of_event(const struct subscribe_claims *claims, struct claim *sum)
{
	int error = 0;

	for (size_t i = 0; !error && i < claims->event_value_count; i++) {
		error = claim_combine(sum,
				      claim_of_user(claims->event_values[i], IDENTIFIED_BY_EVENT));
	}
	return error;
}

/* As the maker's pattern reads it, which knows what it reads; else by the word. */
static struct claim claim_of_agent(struct span agent, const struct vendor_reading *reading)
{
	struct claim claim = claim_of_word(reading->mac, IDENTIFIED_BY_USER_AGENT);

	if (claim.is_there) {
		claim.is_vague = false;
		return claim;
	}
	return claim_of_text(agent, IDENTIFIED_BY_USER_AGENT);
}

int identity_claimed_mac(const struct subscribe_claims *claims, struct mac *mac)
{
	const struct vendor_reading nothing = {0};
	struct claim sum;
	int error = claims_of_uris(claims, &sum);

	error = error ? error : claim_combine(&sum, claim_of_agent(claims->user_agent, &nothing));
	error = error ? error : claims_of_event(claims, &sum);
	if (error) {
		return error;
	}
	if (!sum.is_there) {
		return -ENOENT;
	}
	*mac = sum.mac;
	return 0;
}

static void decide(struct identity *identity, enum identity_verdict verdict,
		   enum device_certainty certainty, const char *reason)
{
	identity->verdict = verdict;
	identity->certainty = certainty;
	identity->reason = reason;
}

static void prove(struct identity *identity, struct mac mac, enum device_identified_by by,
		  enum device_certainty certainty)
{
	identity->mac = mac;
	identity->by = by;
	decide(identity, IDENTITY_KNOWN, certainty, device_identified_by_name(by));
}

/* A vague claim that is nobody's we know, and not the sender's, is a number of another kind. */
static bool is_passed_over(const struct inventory *inventory, const struct claim *claim,
			   const struct mac *sender)
{
	return claim->is_vague && !(sender && mac_equal(claim->mac, *sender)) &&
	       !inventory_device(inventory, claim->mac);
}

/* Nothing but its own word, where nothing better can be seen. */
static void judge_word(struct identity *identity, const struct link_evidence *link)
{
	if (link->is_pending) {
		decide(identity, IDENTITY_PENDING, CERTAINTY_NONE, "resolving");
	} else if (identity->has_claim) {
		identity->by = identity->claimed_in;
		decide(identity, IDENTITY_UNPROVEN, CERTAINTY_CLAIMED,
		       link->is_routed ? "routed" : "not_seen");
	} else {
		decide(identity, IDENTITY_UNKNOWN, CERTAINTY_UNIDENTIFIED,
		       link->is_routed ? "routed" : "unidentified");
	}
}

/* The order of the rules, and why: see identity.h. */
static void judge(const struct inventory *inventory, const struct evidence *evidence,
		  const struct link_evidence *link, struct identity *identity)
{
	const struct device *bound = identity->bound;
	const struct mac *sender = bound ? &bound->mac : link->is_known ? &link->mac : NULL;
	const struct claim *claim = &evidence->claim;

	if (evidence->has_two) {
		decide(identity, IDENTITY_CONFLICT, CERTAINTY_SPOOFED, "names_two_macs");
		return;
	}
	if (claim->is_there && !is_passed_over(inventory, claim, sender)) {
		identity->has_claim = true;
		identity->claimed = claim->mac;
		identity->claimed_in = claim->by;
		identity->mac = claim->mac;
	}
	if (sender && identity->has_claim && !mac_equal(*sender, claim->mac)) {
		decide(identity, IDENTITY_CONFLICT, CERTAINTY_SPOOFED,
		       bound ? "mac_is_not_the_bound_one" : "mac_is_not_its_own");
	} else if (bound) {
		prove(identity, bound->mac, IDENTIFIED_BY_ADDRESS, CERTAINTY_PROVEN);
	} else if (link->is_known && !mac_is_device(link->mac)) {
		decide(identity, IDENTITY_UNKNOWN, CERTAINTY_UNIDENTIFIED, "no_hardware_address");
	} else if (link->is_known) {
		prove(identity, link->mac, link->by,
		      identity->has_claim ? CERTAINTY_CONFIRMED : CERTAINTY_SEEN);
	} else {
		judge_word(identity, link);
	}
}

static struct span plain_or_empty(struct span text, size_t size)
{
	return device_text_is_plain(text, size) ? text : SPAN("");
}

/* Of no trust by itself: it picks a pack and fills in the model, and opens nothing. */
static void keep_maker(const struct evidence *evidence, struct span model, struct span version,
		       struct identity *identity)
{
	const struct vendor_reading *reading = &evidence->reading;

	identity->vendor = evidence->pack;
	identity->vendor_name = evidence->pack ? evidence->pack->name : SPAN("");
	identity->model = plain_or_empty(reading->model.length > 0 ? reading->model : model,
					 device_model_size);
	identity->version = plain_or_empty(reading->version.length > 0 ? reading->version : version,
					   device_firmware_size);
}

static void recognise(const struct inventory *inventory, const struct mac *mac,
		      struct span user_agent, struct span event_vendor, struct evidence *evidence)
{
	evidence->pack = vendor_recognise(&inventory->vendors, mac, user_agent, event_vendor);
	evidence->reading = (struct vendor_reading){0};
	if (evidence->pack) {
		(evidence->is_fetch
			 ? vendor_read_http_user_agent
			 : vendor_read_user_agent)(evidence->pack, user_agent, &evidence->reading);
	}
}

/* The MAC whose OUI may tell the maker before anything is read in the User-Agent. */
static const struct mac *hint_of(const struct claim *claim, const struct identity *identity,
				 const struct link_evidence *link)
{
	if (claim->is_there && !claim->is_vague) {
		return &claim->mac;
	}
	if (identity->bound) {
		return &identity->bound->mac;
	}
	return link->is_known && mac_is_device(link->mac) ? &link->mac : NULL;
}

/* Maker, and the MAC of the User-Agent, each of which may tell the other. */
static void read_agent(const struct inventory *inventory, const struct link_evidence *link,
		       struct span user_agent, struct span event_vendor, struct evidence *evidence,
		       const struct identity *identity)
{
	const struct mac *hint = hint_of(&evidence->claim, identity, link);
	struct claim claim;

	recognise(inventory, hint, user_agent, event_vendor, evidence);
	claim = claim_of_agent(user_agent, &evidence->reading);
	if (!hint && claim.is_there && !claim.is_vague) {
		recognise(inventory, &claim.mac, user_agent, event_vendor, evidence);
	}
	evidence->has_two |= claim_combine(&evidence->claim, claim) != 0;
}

void identity_from_subscribe(const struct inventory *inventory,
			     const struct subscribe_claims *claims, struct address source,
			     struct span interface, const struct link_evidence *link,
			     struct identity *identity)
{
	struct evidence evidence = {.is_fetch = false};
	struct span model = claims->model;

	*identity = (struct identity){
		.is_routed = link->is_routed,
		.bound = inventory_device_by_address(inventory, source, interface),
	};
	evidence.has_two = claims_of_uris(claims, &evidence.claim) != 0;
	read_agent(inventory, link, claims->user_agent, claims->vendor, &evidence, identity);
	evidence.has_two |= claims_of_event(claims, &evidence.claim) != 0;
	judge(inventory, &evidence, link, identity);
	if (evidence.pack && evidence.reading.model.length == 0) {
		model = vendor_event_model(evidence.pack, model);
	}
	keep_maker(&evidence, model, claims->version, identity);
}

/* Routed, its word alone: only what a pack knows is a phone's word (see identity.h). */
static void distrust(const struct inventory *inventory, const struct evidence *evidence,
		     struct identity *identity)
{
	const struct vendor_pack *owner = vendor_by_oui(&inventory->vendors, identity->mac);
	const struct vendor_pack *named =
		identity->by == IDENTIFIED_BY_FILE_NAME ? evidence->file.pack : NULL;
	bool is_read_by_pack =
		identity->by == IDENTIFIED_BY_USER_AGENT && evidence->reading.mac.length > 0;

	if (identity->verdict == IDENTITY_UNPROVEN && !is_read_by_pack &&
	    (!owner || (named && named != owner))) {
		identity->by = IDENTIFIED_BY_NOTHING;
		decide(identity, IDENTITY_UNKNOWN, CERTAINTY_UNIDENTIFIED, identity->reason);
	}
}

/* As the packs know their files, else by the run of digits. */
static struct claim claim_of_fetched(const struct inventory *inventory, struct span name,
				     struct vendor_file_reading *file)
{
	if (vendor_read_file_name(&inventory->vendors, name, file) && file->has_mac) {
		return (struct claim){.is_there = true,
				      .mac = file->mac,
				      .by = IDENTIFIED_BY_FILE_NAME};
	}
	return claim_of_file_name(name);
}

void identity_from_fetch(const struct inventory *inventory, const struct fetch_claims *claims,
			 struct address source, struct span interface,
			 const struct link_evidence *link, struct identity *identity)
{
	struct evidence evidence = {.is_fetch = true};
	struct claim named;

	*identity = (struct identity){
		.is_routed = link->is_routed,
		.bound = inventory_device_by_address(inventory, source, interface),
	};
	read_agent(inventory, link, claims->user_agent, SPAN(""), &evidence, identity);
	named = claim_of_fetched(inventory, claims->name, &evidence.file);
	if (!evidence.claim.is_there || evidence.claim.is_vague) {
		(void)claim_combine(&evidence.claim, named);
	}
	judge(inventory, &evidence, link, identity);
	distrust(inventory, &evidence, identity);
	if (!evidence.pack && (identity->verdict == IDENTITY_KNOWN || identity->has_claim)) {
		recognise(inventory, &identity->mac, claims->user_agent, SPAN(""), &evidence);
	}
	/* A name is of a maker's phone only when it names the phone that asks: all may ask for any.
	 */
	if (!evidence.pack && identity->certainty == CERTAINTY_CONFIRMED) {
		evidence.pack = evidence.file.pack;
	}
	keep_maker(&evidence, evidence.pack == evidence.file.pack ? evidence.file.model : SPAN(""),
		   SPAN(""), identity);
}

static void put_text(char *place, size_t size, struct span text)
{
	if (text.length > 0 && text.length < size) {
		memcpy(place, text.data, text.length);
	}
}

void identity_guest(const struct inventory *inventory, const struct identity *identity,
		    const struct device *known, struct device *guest)
{
	static const char profile[] = "bootstrap";
	struct span vendor =
		known && known->vendor[0] ? span_text(known->vendor) : identity->vendor_name;
	struct span model = known && known->model[0] ? span_text(known->model) : identity->model;

	*guest = (struct device){.mac = identity->mac, .key = bootstrap_key};
	put_text(guest->vendor, sizeof(guest->vendor), vendor);
	put_text(guest->model, sizeof(guest->model), model);
	if (known) {
		guest->form = known->form;
	}
	if (inventory_profile(inventory, span_text(profile))) {
		memcpy(guest->profile, profile, sizeof(profile));
	}
}
