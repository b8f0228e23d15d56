/* SPDX-License-Identifier: MIT */
#include "core/fleet/identity.h"

#include "core/base/uncleared.h"
#include "core/fleet/inventory.h"

#include <errno.h>

enum { user_max = 64, mac_length_min = 11 }; /* 0:1:2:a:b:c */

/* A MAC that a text names. */
struct claim {
	bool is_there;
	bool is_vague; /* twelve decimal digits alone: see identity.h */
	struct mac mac;
};

/* RFC 3261 19.1.4: an escaped character is the character. What is no escape stays as it stands. */
static struct span unescape(struct span text, char *buffer, size_t size)
{
	struct writer w = writer_over(buffer, size);

	for (size_t i = 0; i < text.length; i++) {
		int high = i + 2 < text.length ? ascii_hex_value(text.data[i + 1]) : -1;
		int low = high >= 0 ? ascii_hex_value(text.data[i + 2]) : -1;

		if (text.data[i] == '%' && low >= 0) {
			writer_char(&w, (char)(high << 4 | low));
			i += 2;
		} else {
			writer_char(&w, text.data[i]);
		}
	}
	return w.failed ? SPAN("") : writer_span(&w);
}

/* Digits, or groups of them with dots as versions have. */
static bool is_decimal(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!ascii_is_digit(text.data[i]) && text.data[i] != '.') {
			return false;
		}
	}
	return true;
}

static struct claim claim_of_word(struct span word)
{
	struct claim claim = {0};
	bool has_prefix = word.length > 12 && span_starts_with_nocase(word, SPAN("mac"));

	if (word.length < mac_length_min) {
		return claim;
	}
	if (has_prefix) {
		word = span_slice(word, 3, word.length);
		if (word.data[0] == ':' || word.data[0] == '=') {
			word = span_slice(word, 1, word.length);
		}
	}
	claim.is_there = word.length >= mac_length_min && mac_parse(word, &claim.mac) == 0 &&
			 mac_is_device(claim.mac);
	claim.is_vague = claim.is_there && !has_prefix && is_decimal(word);
	return claim;
}

/* The user part of a URI, without its parameters (dialects.md A.15). */
static struct claim claim_of_user(struct span user)
{
	UNCLEARED char buffer[user_max];
	struct span text;

	if (user.length < mac_length_min) {
		return (struct claim){0};
	}
	text = unescape(user, buffer, sizeof(buffer));
	return claim_of_word(span_trim(span_slice(text, 0, span_find(text, ';'))));
}

static bool is_in_word(char c)
{
	return ascii_is_alnum(c) || c == ':' || c == '-' || c == '.' || c == '=' || c == '%' ||
	       c == '_';
}

/* After a `;` or as a word of its own: plain, with `:` or with `-` (dialects.md E.1). */
static struct claim claim_of_agent(struct span agent)
{
	struct claim vague = {0};
	size_t i = 0;

	while (i < agent.length) {
		struct claim claim;
		size_t end = i;

		while (end < agent.length && is_in_word(agent.data[end])) {
			end++;
		}
		claim = claim_of_word(span_slice(agent, i, end));
		if (claim.is_there && !claim.is_vague) {
			return claim;
		}
		if (claim.is_there && !vague.is_there) {
			vague = claim;
		}
		i = end + 1;
	}
	return vague;
}

/* What is certain goes before what is vague; two that are certain must agree. 0 or -EEXIST. */
static int combine(struct claim *sum, struct claim next)
{
	if (!next.is_there || (sum->is_there && !sum->is_vague && next.is_vague)) {
		return 0;
	}
	if (sum->is_there && !sum->is_vague && !mac_equal(sum->mac, next.mac)) {
		return -EEXIST;
	}
	if (!sum->is_there || sum->is_vague) {
		/* A vague one that a certain one repeats has become certain. */
		if (!(sum->is_there && next.is_vague)) {
			*sum = next;
		}
	}
	return 0;
}

static int claims_combined(const struct subscribe_claims *claims, struct claim *sum)
{
	struct claim user = claim_of_user(claims->request_user);
	int error;

	/* The Request-URI's user is no account: digits alone are a MAC there. */
	user.is_vague = false;
	*sum = user;
	error = combine(sum, claim_of_user(claims->from_user));
	error = error ? error : combine(sum, claim_of_user(claims->contact_user));
	return error ? error : combine(sum, claim_of_agent(claims->user_agent));
}

int identity_claimed_mac(const struct subscribe_claims *claims, struct mac *mac)
{
	struct claim sum;
	int error = claims_combined(claims, &sum);

	if (error) {
		return error;
	}
	if (!sum.is_there) {
		return -ENOENT;
	}
	*mac = sum.mac;
	return 0;
}

static void decide(struct identity *identity, enum identity_verdict verdict, const char *reason)
{
	identity->verdict = verdict;
	identity->reason = reason;
}

static void prove(struct identity *identity, struct mac mac, enum device_identified_by by)
{
	identity->mac = mac;
	identity->by = by;
	decide(identity, IDENTITY_KNOWN, device_identified_by_name(by));
}

/* A vague claim that is nobody's we know, and not the sender's, is a number of another kind. */
static bool is_passed_over(const struct inventory *inventory, const struct claim *claim,
			   const struct mac *sender)
{
	return claim->is_vague && !(sender && mac_equal(claim->mac, *sender)) &&
	       !inventory_device(inventory, claim->mac);
}

static void judge(const struct inventory *inventory, const struct subscribe_claims *claims,
		  const struct link_evidence *link, struct identity *identity)
{
	const struct device *bound = identity->bound;
	const struct mac *sender = bound ? &bound->mac : link->is_known ? &link->mac : NULL;
	struct claim claim;

	if (claims_combined(claims, &claim) != 0) {
		decide(identity, IDENTITY_CONFLICT, "names_two_macs");
		return;
	}
	if (claim.is_there && !is_passed_over(inventory, &claim, sender)) {
		identity->has_claim = true;
		identity->claimed = claim.mac;
		identity->mac = claim.mac;
	}
	if (sender && identity->has_claim && !mac_equal(*sender, claim.mac)) {
		decide(identity, IDENTITY_CONFLICT,
		       bound ? "mac_is_not_the_bound_one" : "mac_is_not_its_own");
	} else if (bound) {
		prove(identity, bound->mac, IDENTIFIED_BY_ADDRESS);
	} else if (link->is_known && !mac_is_device(link->mac)) {
		decide(identity, IDENTITY_UNKNOWN, "no_hardware_address");
	} else if (link->is_known) {
		prove(identity, link->mac, link->by);
	} else if (link->is_pending) {
		decide(identity, IDENTITY_PENDING, "resolving");
	} else if (identity->has_claim) {
		decide(identity, IDENTITY_UNPROVEN, link->is_routed ? "routed" : "not_seen");
	} else {
		decide(identity, IDENTITY_UNKNOWN, link->is_routed ? "routed" : "unidentified");
	}
}

static struct span plain_or_empty(struct span text, size_t size)
{
	return device_text_is_plain(text, size) ? text : SPAN("");
}

/* Of no trust by itself: it picks a pack and fills in the model, and opens nothing. */
static void read_maker(const struct inventory *inventory, const struct subscribe_claims *claims,
		       struct identity *identity)
{
	bool has_mac = identity->verdict == IDENTITY_KNOWN || identity->has_claim;
	const struct vendor_pack *pack =
		vendor_recognise(&inventory->vendors, has_mac ? &identity->mac : NULL,
				 claims->user_agent, claims->vendor);
	struct vendor_reading reading = {0};
	struct span model = claims->model;

	if (pack) {
		identity->vendor = pack;
		identity->vendor_name = pack->name;
		vendor_read_user_agent(pack, claims->user_agent, &reading);
		model = reading.model.length > 0 ? reading.model
						 : vendor_event_model(pack, claims->model);
	}
	identity->model = plain_or_empty(model, device_model_size);
	identity->version =
		plain_or_empty(reading.version.length > 0 ? reading.version : claims->version,
			       device_firmware_size);
}

void identity_from_subscribe(const struct inventory *inventory,
			     const struct subscribe_claims *claims, struct address source,
			     struct span interface, const struct link_evidence *link,
			     struct identity *identity)
{
	*identity = (struct identity){
		.is_routed = link->is_routed,
		.bound = inventory_device_by_address(inventory, source, interface),
	};
	judge(inventory, claims, link, identity);
	read_maker(inventory, claims, identity);
}
