/* SPDX-License-Identifier: MIT */
#include "core/phone/round.h"

#include "core/base/table.h"

#include <errno.h>

static void tell_firmware(const char *reason, struct span version, struct phone_effects *effects)
{
	phone_effects_add(effects, (struct phone_event){.kind = PHONE_EVENT_FIRMWARE,
							.reason = reason,
							.text = version});
}

void round_begin_files(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	if (!phone->discovery.has_firmware ||
	    !round_fetch(phone, &phone->discovery.firmware, PHONE_FILE_FIRMWARE)) {
		round_begin_config(phone, now_ms, effects);
		return;
	}
	phone->task.is_head = true;
	phone->task.bytes_max = phone_firmware_probe_bytes;
	phone->state = PHONE_FIRMWARE_HEAD;
}

/* Two keyed hashes of the first bytes: to know an image again that shows no version. */
static void fingerprint_of(struct span head, char fingerprint[phone_fingerprint_size])
{
	static const uint64_t seeds[2][2] = {{1, 2}, {3, 4}};
	struct writer w = writer_over(fingerprint, phone_fingerprint_size);

	for (size_t i = 0; i < 2; i++) {
		uint64_t hash = table_hash(seeds[i], head);
		char octets[8];

		for (unsigned j = 0; j < sizeof(octets); j++) {
			octets[j] = (char)(hash >> (56 - 8 * j));
		}
		writer_hex(&w, octets, sizeof(octets));
	}
	writer_terminate(&w);
}

/* doc/decisions/0004-agent-firmware-probe.md: different means new, not greater. */
static bool image_is_new(struct phone *phone, struct span head)
{
	struct span version;

	fingerprint_of(head, phone->new_fingerprint);
	phone->new_version[0] = '\0';
	if (phone_firmware_version(head, &version) == 0) {
		span_to_text(version, phone->new_version, sizeof(phone->new_version));
	}
	if (strcmp(phone->new_fingerprint, phone->fingerprint) == 0) {
		return false;
	}
	return phone->new_version[0] == '\0' ||
	       !phone_firmware_same_version(span_text(phone->new_version),
					    phone->options.identity.version);
}

void round_take_firmware_head(struct phone *phone, const struct phone_change *change,
			      uint64_t now_ms, struct phone_effects *effects)
{
	struct span head = span_slice(change->bytes, 0, phone_firmware_probe_bytes);

	if (change->error != 0 || head.length == 0) {
		tell_firmware(change->error != 0 ? round_download_failure(change->error) : "empty",
			      (struct span){0}, effects);
		round_begin_config(phone, now_ms, effects);
		return;
	}
	if (!image_is_new(phone, head)) {
		tell_firmware("same", span_text(phone->new_version), effects);
		round_begin_config(phone, now_ms, effects);
		return;
	}
	tell_firmware("new", span_text(phone->new_version), effects);
	if (!round_fetch(phone, &phone->discovery.firmware, PHONE_FILE_FIRMWARE)) {
		round_begin_config(phone, now_ms, effects);
		return;
	}
	phone->task.to_file = true;
	phone->task.bytes_max = phone_firmware_bytes_max;
	phone->state = PHONE_FIRMWARE_IMAGE;
}

void round_take_firmware_image(struct phone *phone, const struct phone_change *change,
			       uint64_t now_ms, struct phone_effects *effects)
{
	if (change->error != 0) {
		tell_firmware("refused", span_text(phone->new_version), effects);
		round_begin_config(phone, now_ms, effects);
		return;
	}
	round_new_task(phone, PHONE_TASK_BURN, PHONE_FILE_FIRMWARE);
	phone->task.version = span_text(phone->new_version);
	phone->task.fingerprint = span_text(phone->new_fingerprint);
	phone->state = PHONE_FIRMWARE_BURN;
}

void round_take_burnt(struct phone *phone, const struct phone_change *change, uint64_t now_ms,
		      struct phone_effects *effects)
{
	tell_firmware(change->error == 0 ? "burnt" : "refused", span_text(phone->new_version),
		      effects);
	if (change->error == 0) {
		memcpy(phone->fingerprint, phone->new_fingerprint, sizeof(phone->fingerprint));
		/* What could not stand in a SUBSCRIBE is not taken over as our own version. */
		if (sip_is_token(span_text(phone->new_version))) {
			memcpy(phone->version, phone->new_version, sizeof(phone->version));
			phone->options.identity.version = span_text(phone->version);
			phone->subscriber.options.identity = phone->options.identity;
		}
	}
	round_begin_config(phone, now_ms, effects);
}
