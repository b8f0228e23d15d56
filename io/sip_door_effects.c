/* SPDX-License-Identifier: MIT */
/* What signalling decided is carried out, and what that teaches us is kept for it. */
#include "io/sip_door_state.h"

#include <errno.h>

void sip_door_learn(struct sip_door *door, struct notice notice)
{
	if (door->learned_count == sip_door_learned_max) {
		door->counters.notices_lost++;
		return;
	}
	door->learned[door->learned_count++] = notice;
}

void sip_door_learn_neighbour(struct sip_door *door, struct address address, uint32_t interface,
			      enum neighbour_answer answer, struct mac mac)
{
	struct notice notice = {
		.endpoint = {.address = address},
		.interface = interface,
		.mac = mac,
	};

	switch (answer) {
	case NEIGHBOUR_FOUND:
		notice.kind = NOTICE_NEIGHBOUR;
		notice.by = IDENTIFIED_BY_NEIGHBOUR;
		break;
	case NEIGHBOUR_NONE:
		notice.kind = NOTICE_NO_NEIGHBOUR;
		break;
	case NEIGHBOUR_ROUTED:
		notice.kind = NOTICE_ROUTED;
		break;
	case NEIGHBOUR_UNKNOWN:
		return; /* neighbour_answered will come */
	}
	sip_door_learn(door, notice);
}

struct udp *sip_door_socket_for(const struct sip_door *door, struct address from)
{
	struct udp *wildcard = NULL;

	for (size_t i = 0; i < door->unicast_count; i++) {
		struct address bound = udp_endpoint(door->unicast[i].udp).address;

		if (address_equal(bound, from)) {
			return door->unicast[i].udp;
		}
		if (bound.family == from.family && address_is_any(bound)) {
			wildcard = door->unicast[i].udp;
		}
	}
	return wildcard;
}

/* Sends what was gathered for one socket. */
static void flush(struct sip_door *door, struct udp *udp, size_t *count)
{
	if (*count > 0) {
		udp_send(udp, door->out, *count);
		*count = 0;
	}
}

static void carry_out_sends(struct sip_door *door)
{
	struct udp *current = NULL;
	size_t count = 0;

	for (size_t i = 0; i < door->effects.count; i++) {
		const struct effect_send *send = &door->effects.items[i].send;
		struct udp *udp;

		if (door->effects.items[i].kind != EFFECT_SEND) {
			continue;
		}
		udp = sip_door_socket_for(door, send->from.address);
		if (!udp) {
			sip_door_learn(door, (struct notice){.kind = NOTICE_UNREACHABLE,
							     .endpoint = send->to,
							     .error = EADDRNOTAVAIL});
			continue;
		}
		if (udp != current || count == udp_batch_max) {
			flush(door, current, &count);
			current = udp;
		}
		door->out[count++] = (struct udp_datagram){.to = send->to,
							   .from = send->from.address,
							   .interface = send->interface,
							   .bytes = send->bytes};
	}
	flush(door, current, &count);
}

static void carry_out_resolve(struct sip_door *door, const struct effect_resolve *resolve)
{
	struct mac mac = {0};
	enum neighbour_answer answer =
		neighbours_resolve(door->neighbours, resolve->address, resolve->interface, &mac);

	sip_door_learn_neighbour(door, resolve->address, resolve->interface, answer, mac);
}

enum report_level sip_door_report_level(const struct sip_door *door)
{
	const struct log *log = door->options.log;
	enum report_level level = door->options.report ? REPORT_INFO : REPORT_ERROR;

	while (level > REPORT_DEBUG && log && log_is_wanted(log, level - 1)) {
		level--;
	}
	return level;
}

/* Before anything is sent: what a phone does about it comes later than this. */
static void date_changes(struct sip_door *door)
{
	uint64_t utc_ms = 0;

	for (size_t i = 0; i < door->effects.count; i++) {
		struct effect *effect = &door->effects.items[i];

		if (effect->kind == EFFECT_CHANGE && effect->change->utc_ms == 0) {
			utc_ms = utc_ms ? utc_ms : loop_utc_ms();
			effect->change->utc_ms = utc_ms;
		}
	}
}

static void carry_out_change(struct sip_door *door, const struct change *change)
{
	if (change->kind == CHANGE_DEVICE_NOTIFIED) {
		/* What it reports is carried out with the rest. */
		suspicion_told(&door->suspicion, change->mac, loop_now_ms(&door->loop),
			       &door->effects);
	}
	if (door->options.change(door->options.context, change) != 0) {
		door->counters.changes_lost++;
	}
}

void sip_door_carry_out(struct sip_door *door)
{
	date_changes(door);
	carry_out_sends(door);
	for (size_t i = 0; i < door->effects.count; i++) {
		const struct effect *effect = &door->effects.items[i];

		switch (effect->kind) {
		case EFFECT_SEND:
			break;
		case EFFECT_RESOLVE:
			carry_out_resolve(door, &effect->resolve);
			break;
		case EFFECT_REPORT:
			log_report(door->options.log, &effect->report);
			if (door->options.report && effect->report.level >= REPORT_INFO) {
				door->options.report(door->options.context, &effect->report);
			}
			break;
		case EFFECT_CHANGE:
			carry_out_change(door, effect->change);
			break;
		}
	}
	effects_reset(&door->effects);
	door->effects.report_level_min = sip_door_report_level(door); /* it may have been changed */
}
