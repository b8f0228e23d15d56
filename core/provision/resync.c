/* SPDX-License-Identifier: MIT */
#include "core/provision/resync_state.h"

#include <errno.h>
#include <stdlib.h>

enum {
	credentials_max = 2, /* the second only when the phone says that its nonce was stale */
	/* Devices taken in at once, and how long until the next ones: the store keeps up with it.
	 */
	intake_count = 256,
	intake_interval_ms = 20,
	catch_up_us = 10000, /* who wakes up late by so much still keeps the rate */
};

struct span resync_target_key(const void *entry)
{
	return mac_key(&((const struct resync_target *)entry)->mac);
}

void resync_tally(const struct resync *r, const char *reason)
{
	r->options.count(r->options.counting, reason);
}

int resync_new(struct resync **resync, const struct resync_options *options, struct random *random)
{
	struct resync *r = calloc(1, sizeof(*r));
	size_t concurrency = options->limits.concurrency;
	/* Those that have their answer are kept for Timer K, and each may be sent three times. */
	size_t lingering = (1 + credentials_max) * (size_t)options->limits.rate * sip_t4_ms / 1000;
	struct client_transactions_options clients = {
		.count_max = concurrency + lingering + 1,
		.bytes_max = (concurrency + 1) * resync_message_size,
	};

	if (!r) {
		return -ENOMEM;
	}
	r->options = *options;
	r->options.limits.rate += options->limits.rate == 0; /* it divides */
	r->random = random;
	pool_init(&r->pool, sizeof(struct resync_target));
	table_init(&r->targets, options->limits.targets_max, random, resync_target_key);
	r->verifying = timer_list_of(options->limits.verify_ms);
	if (client_transactions_new(&r->clients, &clients, random) != 0) {
		free(r);
		return -ENOMEM;
	}
	*resync = r;
	return 0;
}

void resync_free(struct resync *r)
{
	size_t cursor = 0;
	struct resync_target *target;

	if (!r) {
		return;
	}
	while ((target = table_next(&r->targets, &cursor))) {
		pool_give(&r->pool, target);
	}
	resync_list_free(r->lists);
	table_free(&r->targets);
	pool_free(&r->pool);
	client_transactions_free(r->clients);
	free(r);
}

size_t resync_count(const struct resync *r)
{
	return r->targets.count + r->listed;
}

/* --- What comes back. --- */

static void acknowledge(struct resync *r, struct resync_target *target, uint64_t now_ms,
			struct effects *effects)
{
	if (target->order == RESYNC_ORDER_CLAIMED) {
		resync_finish(r, target, RESYNC_DONE, NULL, effects);
		return;
	}
	resync_detach(r, target);
	target->state = RESYNC_ACKNOWLEDGED;
	timer_start(&r->verifying, &target->verify, now_ms);
	resync_tally(r, "resync_acknowledged");
	resync_record(target, RESYNC_ACKNOWLEDGED, effects);
}

/* No answer is waited for any more. */
static void stop_sending(struct resync *r, const struct resync_target *target)
{
	if (target->state == RESYNC_SENT) {
		client_transactions_abandon(r->clients, target->key);
	}
}

/* R-DIGEST-15, R-DIGEST-16 */
static void answer_challenge(struct resync *r, struct resync_target *target,
			     const struct sip_message *response, uint64_t now_ms,
			     struct effects *effects)
{
	struct resync_step step = {.r = r, .target = target, .now_ms = now_ms, .effects = effects};
	struct sip_challenge challenge;
	struct resync_account account;
	const char *why = NULL;

	if (!resync_prepare_step(&step)) {
		return;
	}
	account = resync_account_of(r->options.inventory, step.device);
	if (!step.plan.is_proven) {
		/* The answer can be tried against passwords offline: not for who only says so. */
		why = "it asks for credentials, and only its word says that it is this phone";
	} else if (sip_challenge_choose(response, &challenge) != 0) {
		why = "it asks for credentials in a way that is not known";
	} else if (target->credentials == credentials_max ||
		   (target->credentials > 0 && !challenge.is_stale)) {
		why = "the name and password of line 1 are not what it wants";
	} else if (span_is_empty(account.username) || span_is_empty(account.password)) {
		why = "it asks for credentials, and line 1 has no name or no password";
	} else {
		target->credentials++;
		target->cseq++;
		if (resync_send_message(&step, &challenge) == 0) {
			resync_tally(r, "resync_credentials_sent");
			return;
		}
		why = "there was no room to send the credentials";
	}
	target->status = (uint16_t)response->status;
	resync_finish(r, target, RESYNC_REFUSED, why, effects);
}

/* The one with this transaction; an order that took its place has another. */
static struct resync_target *target_of(struct resync *r, const struct client_event *event,
				       struct client_key key)
{
	struct resync_target *target = table_find(&r->targets, mac_key(&event->device));

	return target && target->state == RESYNC_SENT && target->key.hash[0] == key.hash[0] &&
			       target->key.hash[1] == key.hash[1]
		       ? target
		       : NULL;
}

/* R-3261-74, 8.1.3.3: the one Via is the one we sent. */
static bool via_is_ours(const struct sip_message *message, const struct client_event *event)
{
	struct sip_list vias = sip_message_list(message, SIP_HEADER_VIA);
	const struct sip_via *via = &message->via;
	struct span value;

	return (via->host.kind == SIP_HOST_IPV4 || via->host.kind == SIP_HOST_IPV6) &&
	       address_equal(address_unmapped(via->host.address),
			     address_unmapped(event->from.address)) &&
	       sip_via_port(via) == event->from.port && sip_list_next(&vias, &value) &&
	       !sip_list_next(&vias, &value);
}

bool resync_receive(struct resync *r, const struct sip_message *message, uint64_t now_ms,
		    struct effects *effects)
{
	const unsigned needed = SIP_PART_VIA | SIP_PART_CSEQ | SIP_PART_START;
	struct client_event event;
	struct client_key key;
	struct resync_target *target;

	if ((message->readable & needed) != needed) {
		return false;
	}
	key = client_key_of_branch(r->clients, message->via.branch, message->cseq.method_text);
	if (!client_transactions_look(r->clients, key, &event) || !via_is_ours(message, &event) ||
	    !client_transactions_respond(r->clients, key, message->status, now_ms, &event)) {
		return false;
	}
	target = target_of(r, &event, key);
	if (event.kind != CLIENT_FINAL || !target) {
		resync_tally(r, event.kind == CLIENT_PROVISIONAL ? "resync_provisional"
								 : "resync_copy");
		return true;
	}
	target->status = (uint16_t)message->status;
	if (message->status < 300) {
		acknowledge(r, target, now_ms, effects);
	} else if (message->status == 401 || message->status == 407) {
		answer_challenge(r, target, message, now_ms, effects);
	} else {
		resync_finish(r, target, RESYNC_REFUSED, NULL, effects);
	}
	return true;
}

void resync_fetched(struct resync *r, struct mac mac, bool is_essential, uint64_t age_ms,
		    uint64_t now_ms, struct effects *effects)
{
	struct resync_target *target = table_find(&r->targets, mac_key(&mac));
	bool is_new;

	if (!target || target->state == RESYNC_WAITING) {
		return;
	}
	is_new = age_ms <= now_ms && now_ms - age_ms >= target->sent_ms;
	if (is_new && (is_essential || target->order == RESYNC_ORDER_REBOOT)) {
		stop_sending(r, target);
		resync_finish(r, target, RESYNC_DONE, "it fetched", effects);
	}
}

void resync_returned(struct resync *r, struct mac mac, struct effects *effects)
{
	struct resync_target *target = table_find(&r->targets, mac_key(&mac));

	if (target && target->state != RESYNC_WAITING && target->order == RESYNC_ORDER_REBOOT) {
		stop_sending(r, target);
		resync_finish(r, target, RESYNC_DONE, "it is back, and asked for its URL", effects);
	}
}

void resync_unreachable(struct resync *r, struct endpoint endpoint, struct effects *effects)
{
	struct client_event event;

	while (client_transactions_unreachable(r->clients, endpoint, &event)) {
		struct resync_target *target = table_find(&r->targets, mac_key(&event.device));

		if (target && target->state == RESYNC_SENT) {
			resync_finish(r, target, RESYNC_NO_ANSWER,
				      "the network says that nobody is there", effects);
		}
	}
}

void resync_withdraw(struct resync *r, struct mac mac, struct effects *effects)
{
	struct resync_target *target = table_find(&r->targets, mac_key(&mac));

	if (target) {
		stop_sending(r, target);
		resync_finish(r, target, RESYNC_INTERRUPTED, "it is claimed no more", effects);
	}
}

void resync_withdraw_all(struct resync *r, struct effects *effects)
{
	size_t cursor = 0;
	struct resync_target *target;

	while ((target = table_next(&r->targets, &cursor))) {
		if (target->state == RESYNC_SENT && target->is_url) {
			stop_sending(r, target);
			resync_finish(r, target, RESYNC_INTERRUPTED, NULL, effects);
			cursor = 0; /* the table has moved; there are at most `concurrency` */
		}
	}
}

/* --- Taking orders in. --- */

void resync_order(struct resync *r, struct resync_list *list, uint64_t now_ms)
{
	resync_list_append(&r->lists, list);
	r->take_ms = r->listed > 0 ? r->take_ms : now_ms;
	r->listed += list->count;
}

/* The target of a device, waiting under this order; NULL when there is no room. */
static struct resync_target *target_for(struct resync *r, struct mac mac, enum resync_order order)
{
	struct resync_target *target = table_find(&r->targets, mac_key(&mac));

	if (target) {
		stop_sending(r, target);
		resync_detach(r, target);
		if (target->order != RESYNC_ORDER_CLAIMED) {
			resync_tally(r, "resync_replaced");
		}
	} else {
		target = pool_take(&r->pool);
		if (!target) {
			return NULL;
		}
		memset(target, 0, sizeof(*target));
		target->mac = mac;
		if (table_add(&r->targets, target) != 0) {
			pool_give(&r->pool, target);
			return NULL;
		}
	}
	*target = (struct resync_target){.mac = mac, .order = order, .state = RESYNC_WAITING};
	resync_queue_add(r, target, order == RESYNC_ORDER_CLAIMED);
	return target;
}

static void take_one(struct resync *r, struct mac mac, enum resync_order order,
		     struct effects *effects)
{
	const struct device *device = inventory_device(r->options.inventory, mac);
	struct resync_target *target;
	struct resync_plan plan;

	if (!device || !device_is_claimed(device)) {
		resync_tally(r, "resync_unclaimed");
		return;
	}
	target = target_for(r, mac, order);
	if (!target) {
		resync_tally(r, "resyncs_full");
		return;
	}
	plan = resync_plan_of(r->options.inventory, device, order);
	target->to = plan.to;
	if (plan.verdict != RESYNC_WAITING) {
		resync_finish(r, target, plan.verdict, plan.why, effects);
	} else {
		resync_record(target, RESYNC_WAITING, effects);
	}
}

static void take_in(struct resync *r, uint64_t now_ms, struct effects *effects)
{
	size_t count_now = 0;

	if (!r->lists || now_ms < r->take_ms) {
		return;
	}
	while (r->lists && count_now < intake_count && resync_has_room(effects)) {
		struct resync_list *list = r->lists;

		if (r->taken == list->count) {
			r->lists = list->next;
			r->taken = 0;
			free(list);
			continue;
		}
		take_one(r, list->macs[r->taken++], list->order, effects);
		r->listed--;
		count_now++;
	}
	r->take_ms = now_ms + intake_interval_ms;
}

void resync_claimed(struct resync *r, struct mac mac)
{
	/* An order of an operator's, under way, does as well. */
	if (table_find(&r->targets, mac_key(&mac))) {
		return;
	}
	if (!target_for(r, mac, RESYNC_ORDER_CLAIMED)) {
		resync_tally(r, "resyncs_full");
	}
}

/* --- Time. --- */

static bool may_send(const struct resync *r)
{
	return r->first && r->in_flight < r->options.limits.concurrency;
}

static void send_waiting(struct resync *r, uint64_t now_ms, struct effects *effects)
{
	uint64_t now_us = now_ms * 1000;
	uint64_t interval_us = 1000000 / r->options.limits.rate;

	if (r->send_us + catch_up_us < now_us) {
		r->send_us = now_us - (interval_us < catch_up_us ? catch_up_us : 0);
	}
	while (may_send(r) && r->send_us <= now_us && resync_has_room(effects) &&
	       resync_send_first(r, r->first, now_ms, effects)) {
		r->send_us += interval_us;
	}
}

static void take_event(struct resync *r, const struct client_event *event, struct effects *effects)
{
	struct resync_target *target = table_find(&r->targets, mac_key(&event->device));

	if (event->kind == CLIENT_RESEND) {
		resync_tally(r, "resync_resent");
		if (effects_send(effects, event->from, event->to, event->interface, event->bytes)) {
			resync_tally(r, "effects_full");
		}
	} else if (target && target->state == RESYNC_SENT) {
		resync_finish(r, target, RESYNC_NO_ANSWER, "nothing came for 32 s", effects);
	}
}

void resync_expire(struct resync *r, uint64_t now_ms, struct effects *effects)
{
	struct client_event event;
	struct timer *timer;

	while (resync_has_room(effects) && client_transactions_expire(r->clients, now_ms, &event)) {
		take_event(r, &event, effects);
	}
	while (resync_has_room(effects) && (timer = timer_list_take_due(&r->verifying, now_ms))) {
		struct resync_target *target = TIMER_OWNER(timer, struct resync_target, verify);
		bool is_reboot = target->order == RESYNC_ORDER_REBOOT;

		resync_finish(r, target, RESYNC_NOT_FETCHED,
			      is_reboot ? "it did not come back" : "it did not fetch", effects);
	}
	take_in(r, now_ms, effects);
	send_waiting(r, now_ms, effects);
}

uint64_t resync_next_wake(const struct resync *r)
{
	uint64_t wakes_ms[] = {client_transactions_next_wake(r->clients),
			       timer_list_next_wake(&r->verifying),
			       r->lists ? r->take_ms : UINT64_MAX,
			       may_send(r) ? (r->send_us + 999) / 1000 : UINT64_MAX};
	uint64_t wake_ms = UINT64_MAX;

	for (size_t i = 0; i < sizeof(wakes_ms) / sizeof(wakes_ms[0]); i++) {
		wake_ms = wakes_ms[i] < wake_ms ? wakes_ms[i] : wake_ms;
	}
	return wake_ms;
}
