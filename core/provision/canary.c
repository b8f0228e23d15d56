/* SPDX-License-Identifier: MIT */
#include "core/provision/canary.h"

#include "core/base/table.h"
#include "core/provision/canary_dialect.h"
#include "core/provision/request_check.h"

#include <errno.h>
#include <stdlib.h>

enum {
	message_size = 2048,
	answer_size = 4096,
	sentence_size = 512,
	mac_tries_max = 16,
	call_id_size = 64,
	tag_octets = 8,
};

/* Public, and the same in every Bellhop: a mark to know each other by, no secret. */
static const uint64_t tag_seed[2] = {UINT64_C(0x62656c6c686f7021), UINT64_C(0x63616e6172792121)};

struct sent {
	char call_id[call_id_size];
	uint32_t interface;
	uint64_t sent_ms;
};

struct canary {
	struct canary_options options;
	struct random random;
	uint64_t round_ms; /* when the next one is due */
	struct sent sent[canary_sent_max];
	size_t sent_count; /* ever; the place is its remainder */
	struct canary_rogue rogues[canary_rogues_max];
	size_t rogue_count;
	struct canary_counters counters;
	/* One event's working space. */
	struct sip_message message;
	char bytes[message_size];
	char answer[answer_size];
};

static uint64_t next_round(struct canary *canary, uint64_t now_ms)
{
	uint64_t interval_ms = canary->options.interval_ms;

	return now_ms + interval_ms / 2 + random_below(&canary->random, interval_ms + 1);
}

int canary_new(struct canary **canary, const struct canary_options *options, uint64_t now_ms)
{
	struct canary *made = calloc(1, sizeof(*made));

	if (!made) {
		return -ENOMEM;
	}
	made->options = *options;
	random_init(&made->random, options->seed);
	made->round_ms = next_round(made, now_ms);
	*canary = made;
	return 0;
}

void canary_free(struct canary *canary)
{
	free(canary);
}

static void write_tag(struct writer *w, struct span call_id)
{
	uint64_t hash = table_hash(tag_seed, call_id);
	uint8_t octets[tag_octets];

	for (size_t i = 0; i < tag_octets; i++) {
		octets[i] = (uint8_t)(hash >> (56 - 8 * i));
	}
	writer_hex(w, octets, sizeof(octets));
}

bool canary_is_one(const struct sip_message *request)
{
	char tag[2 * tag_octets];
	struct writer w = writer_over(tag, sizeof(tag));

	if (request->from.tag.length != sizeof(tag)) {
		return false;
	}
	write_tag(&w, request->call_id);
	return span_equal(writer_span(&w), request->from.tag);
}

/* A MAC of the maker's that stands in no inventory of ours. */
static bool choose_mac(struct canary *canary, const struct vendor_pack *pack, struct mac *mac)
{
	for (int i = 0; i < mac_tries_max; i++) {
		struct span prefix = pack->oui[random_below(&canary->random, pack->oui_count)];

		random_bytes(&canary->random, mac->octets, sizeof(mac->octets));
		for (size_t at = 0; at < prefix.length && at < 12; at++) {
			unsigned shift = at % 2 == 0 ? 4 : 0;
			unsigned digit = (unsigned)ascii_hex_value(prefix.data[at]) & 0xf;

			mac->octets[at / 2] =
				(uint8_t)((mac->octets[at / 2] & ~(0xf << shift)) | digit << shift);
		}
		if (!inventory_device(canary->options.inventory, *mac)) {
			return true;
		}
	}
	return false;
}

/* One of the makers whose dialect we speak and whose pack is there, each as likely as another. */
static const struct vendor_pack *choose_maker(struct canary *canary,
					      const struct canary_dialect **dialect)
{
	const struct vendor_pack *chosen = NULL;
	const struct canary_dialect *candidate;
	uint64_t count = 0;

	for (size_t i = 0; (candidate = canary_dialect_at(i)); i++) {
		const struct vendor_pack *pack = vendor_find(&canary->options.inventory->vendors,
							     span_text(candidate->vendor));

		if (pack && pack->oui_count > 0 && random_below(&canary->random, ++count) == 0) {
			chosen = pack;
			*dialect = candidate;
		}
	}
	return chosen;
}

static void send_one(struct canary *canary, const struct canary_road *road, uint64_t now_ms,
		     struct effects *effects)
{
	struct sent *sent = &canary->sent[canary->sent_count % canary_sent_max];
	struct writer w = writer_over(canary->bytes, sizeof(canary->bytes));
	struct writer call_id = writer_over(sent->call_id, sizeof(sent->call_id));
	char tag_bytes[2 * tag_octets];
	struct writer tag = writer_over(tag_bytes, sizeof(tag_bytes));
	const struct canary_dialect *dialect = NULL;
	const struct vendor_pack *pack = choose_maker(canary, &dialect);
	struct canary_phone phone = {.local = road->local};

	if (!pack || !choose_mac(canary, pack, &phone.mac)) {
		canary->counters.no_maker++;
		return;
	}
	phone.number = random_below(&canary->random, UINT64_C(10000000000));
	writer_padded(&call_id, phone.number, 10);
	writer_char(&call_id, '@');
	address_write(&call_id, road->local.address);
	phone.call_id = writer_span(&call_id);
	write_tag(&tag, phone.call_id);
	phone.tag = writer_span(&tag);
	writer_terminate(&call_id);
	canary_dialect_write(&w, dialect, &phone);
	if (w.failed || call_id.failed ||
	    effects_send(effects, road->local, canary->options.group, road->interface,
			 writer_span(&w)) != 0) {
		sent->call_id[0] = '\0';
		return;
	}
	sent->interface = road->interface;
	sent->sent_ms = now_ms;
	canary->sent_count++;
	canary->counters.sent++;
}

/* Did we send it, not long ago? */
static const struct sent *find_sent(const struct canary *canary, struct span call_id,
				    uint64_t now_ms)
{
	for (size_t i = 0; i < canary_sent_max; i++) {
		const struct sent *sent = &canary->sent[i];

		if (sent->call_id[0] && now_ms - sent->sent_ms <= canary_answer_max_ms &&
		    span_equal(span_text(sent->call_id), call_id)) {
			return sent;
		}
	}
	return NULL;
}

static void forget(struct canary *canary, size_t i)
{
	canary->rogues[i] = canary->rogues[--canary->rogue_count];
}

static struct canary_rogue *rogue_of(struct canary *canary, struct address address)
{
	for (size_t i = 0; i < canary->rogue_count; i++) {
		if (address_equal(canary->rogues[i].address, address)) {
			return &canary->rogues[i];
		}
	}
	if (canary->rogue_count == canary_rogues_max) {
		canary->counters.full++;
		return NULL;
	}
	canary->rogues[canary->rogue_count] =
		(struct canary_rogue){.address = address, .due_ms = UINT64_MAX};
	return &canary->rogues[canary->rogue_count++];
}

/* Copies as much as fits and is harmless in a log line. */
static void keep(char *place, size_t size, struct span text)
{
	size_t length = 0;

	for (size_t i = 0; i < text.length && length + 1 < size; i++) {
		char c = text.data[i];

		place[length++] = c >= ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '?';
	}
	place[length] = '\0';
}

/*
 * The host of a URL, alone: path, user and password may be secrets. What has no scheme is a host
 * already (dialects.md A.1).
 */
static struct span host_of(struct span url)
{
	size_t scheme = span_search(url, SPAN("://"));
	struct span rest = span_trim(url);
	size_t end = 0;

	if (scheme < url.length) {
		rest = span_slice(url, scheme + 3, url.length);
	}
	while (end < rest.length && !memchr("/?#; \t\r\n", rest.data[end], 9)) {
		end++;
	}
	rest = span_slice(rest, 0, end);
	for (size_t at = span_find(rest, '@'); at < rest.length; at = span_find(rest, '@')) {
		rest = span_slice(rest, at + 1, rest.length);
	}
	return rest;
}

static void note_program(struct canary_rogue *rogue, const struct sip_message *message)
{
	static const enum sip_header names[] = {SIP_HEADER_SERVER, SIP_HEADER_USER_AGENT};

	for (size_t i = 0; i < 2; i++) {
		const struct sip_row *row = sip_message_next_row(message, names[i], NULL);

		if (row && row->value.length > 0) {
			keep(rogue->program, sizeof(rogue->program), row->value);
			return;
		}
	}
}

static void refuse_notify(struct canary *canary, const struct packet *packet,
			  struct effects *effects)
{
	static const struct refusal refusal = {.status = 481, .counter = "canary"};
	struct endpoint local = {packet->local, packet->target.port};
	struct writer w = writer_over(canary->answer, sizeof(canary->answer));

	refusal_write(&w, &canary->message, &refusal, SPAN("canary"), packet->source, SPAN(""));
	if (!w.failed) {
		effects_send(effects, local, packet->source, packet->interface, writer_span(&w));
	}
}

static bool is_evidence(const struct sip_message *message)
{
	return message->is_request
		       ? message->method == SIP_METHOD_NOTIFY
		       : message->status >= 200 && message->cseq.method == SIP_METHOD_SUBSCRIBE;
}

static bool is_lately_told(const struct canary_rogue *rogue, uint64_t now_ms)
{
	return rogue->told_ms != 0 && now_ms - rogue->told_ms < canary_repeat_ms;
}

void canary_receive(struct canary *canary, const struct packet *packet, uint64_t now_ms,
		    struct effects *effects)
{
	struct sip_message *m = &canary->message;
	int error = sip_message_parse(m, packet->bytes);
	const struct sent *sent = NULL;
	struct canary_rogue *rogue;

	/* Responders of the field leave out much: what names our Call-ID is enough. */
	if (error != -ENOMSG && (m->readable & SIP_PART_CALL_ID) && (m->readable & SIP_PART_CSEQ)) {
		sent = find_sent(canary, m->call_id, now_ms);
	}
	if (!sent || !is_evidence(m)) {
		canary->counters.unmatched += !sent;
		return;
	}
	canary->counters.answered++;
	if (m->is_request && (error == 0 || sip_message_is_answerable(m))) {
		refuse_notify(canary, packet, effects);
	}
	rogue = rogue_of(canary, packet->source.address);
	if (!rogue) {
		return;
	}
	keep(rogue->interface, sizeof(rogue->interface),
	     canary->options.interface_name(canary->options.context, sent->interface));
	rogue->port = packet->source.port;
	rogue->last_ms = now_ms;
	note_program(rogue, m);
	if (m->is_request) {
		rogue->has_url = true;
		keep(rogue->host, sizeof(rogue->host), host_of(m->body));
	} else {
		rogue->status = m->status;
	}
	if (!is_lately_told(rogue, now_ms)) {
		uint64_t due_ms =
			m->is_request || m->status >= 300 ? now_ms : now_ms + canary_url_wait_ms;

		rogue->due_ms = due_ms < rogue->due_ms ? due_ms : rogue->due_ms;
	}
	canary_expire(canary, now_ms, effects);
}

void canary_rogue_write(struct writer *w, const struct canary_rogue *rogue)
{
	address_write(w, rogue->address);
	writer_text(w, " on ");
	writer_text(w, rogue->interface);
	if (rogue->has_url) {
		writer_text(w, " answers phones that look for their configuration");
		if (rogue->host[0]) {
			writer_text(w, " and sends them to ");
			writer_text(w, rogue->host);
		}
	} else if (rogue->status >= 300) {
		writer_text(w, " refuses phones that look for their configuration (");
		writer_unsigned(w, rogue->status);
		writer_text(w, "), which ends their search");
	} else {
		writer_text(w, " accepts phones that look for their configuration (");
		writer_unsigned(w, rogue->status);
		writer_text(w, ") and names no URL");
	}
	if (rogue->program[0]) {
		writer_text(w, "; it calls itself ");
		writer_text(w, rogue->program);
	}
}

static void write_detail(struct writer *w, const struct canary_rogue *rogue)
{
	writer_text(w, "{\"address\":\"");
	address_write(w, rogue->address);
	writer_text(w, "\",\"interface\":");
	writer_json(w, span_text(rogue->interface));
	writer_text(w, ",\"status\":");
	writer_unsigned(w, rogue->status);
	writer_text(w, ",\"url_host\":");
	writer_json(w, span_text(rogue->host));
	writer_text(w, ",\"program\":");
	writer_json(w, span_text(rogue->program));
	writer_char(w, '}');
}

static void tell(struct canary_rogue *rogue, uint64_t now_ms, struct effects *effects)
{
	char text[sentence_size];
	char detail[sentence_size];
	struct writer w = writer_over(text, sizeof(text));
	struct writer d = writer_over(detail, sizeof(detail));

	canary_rogue_write(&w, rogue);
	write_detail(&d, rogue);
	effects_report(effects,
		       (struct effect_report){.level = REPORT_WARNING,
					      .reason = "rogue_responder",
					      .text = writer_span(&w),
					      .detail = d.failed ? SPAN("") : writer_span(&d),
					      .source = {rogue->address, rogue->port}});
	rogue->told_ms = now_ms;
	rogue->due_ms = UINT64_MAX;
}

static bool is_standing(const struct canary *canary, const struct canary_rogue *rogue,
			uint64_t now_ms)
{
	return now_ms - rogue->last_ms <= 3 * canary->options.interval_ms;
}

void canary_expire(struct canary *canary, uint64_t now_ms, struct effects *effects)
{
	struct canary_road road;

	for (size_t i = canary->rogue_count; i-- > 0;) {
		struct canary_rogue *rogue = &canary->rogues[i];

		if (rogue->due_ms <= now_ms) {
			tell(rogue, now_ms, effects);
		}
		/* It is known as long as it may not be told again. */
		if (rogue->due_ms == UINT64_MAX && !is_standing(canary, rogue, now_ms) &&
		    !is_lately_told(rogue, now_ms)) {
			forget(canary, i);
		}
	}
	if (canary->round_ms > now_ms) {
		return;
	}
	for (size_t i = 0; canary->options.road_at(canary->options.context, i, &road); i++) {
		send_one(canary, &road, now_ms, effects);
	}
	canary->round_ms = next_round(canary, now_ms);
}

uint64_t canary_next_wake(const struct canary *canary)
{
	uint64_t wake_ms = canary->round_ms;

	for (size_t i = 0; i < canary->rogue_count; i++) {
		wake_ms = canary->rogues[i].due_ms < wake_ms ? canary->rogues[i].due_ms : wake_ms;
	}
	return wake_ms;
}

size_t canary_standing(const struct canary *canary, uint64_t now_ms, struct canary_rogue *rogues,
		       size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < canary->rogue_count && count < max; i++) {
		if (is_standing(canary, &canary->rogues[i], now_ms)) {
			rogues[count++] = canary->rogues[i];
		}
	}
	return count;
}

struct canary_counters canary_counters(const struct canary *canary)
{
	return canary->counters;
}
