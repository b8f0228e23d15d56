/* SPDX-License-Identifier: MIT */
#include "core/provision/resync_state.h"

#include <errno.h>

enum { branch_octets = 8 };

/* False: there is no way to it, and it is gone. */
static bool find_way(struct resync_step *step)
{
	struct resync *r = step->r;
	struct address local;
	uint32_t interface = 0;
	struct span name = span_text(address_is_set(step->device->bound_address) &&
						     step->device->bound_interface[0]
					     ? step->device->bound_interface
					     : step->device->interface);

	if (!r->options.local_for ||
	    !r->options.local_for(r->options.context, step->plan.to.address, name, &local,
				  &interface)) {
		resync_finish(r, step->target, RESYNC_NO_ADDRESS,
			      "no socket of ours has an address on the road to it", step->effects);
		return false;
	}
	step->local = (struct endpoint){.address = local, .port = r->options.port};
	step->interface = interface;
	return true;
}

/* What it would be told when it asked. */
static int make_url(struct resync_step *step, struct writer *url)
{
	const struct resync_options *options = &step->r->options;
	struct config_server server = {0};
	char problem[256] = "";
	int error;

	options->server_for(options->context, step->device, step->local.address, &server);
	error = config_url(step->device, step->plan.pack, &server, url, problem, sizeof(problem));
	if (!error && !sip_is_visible(writer_span(url))) {
		error = -EINVAL;
	}
	if (!error) {
		const struct vendor_shape *shape = vendor_shape_find(step->plan.pack, server.shape);

		(void)span_to_text(shape ? shape->name : SPAN(""), step->target->shape,
				   sizeof(step->target->shape));
	}
	return error;
}

static struct span write_hex(char *place, size_t size, const uint8_t *octets, size_t octet_count)
{
	struct writer w = writer_over(place, size);

	writer_hex(&w, octets, octet_count);
	return writer_span(&w);
}

static struct span new_branch(struct resync *r, char *place, size_t size)
{
	struct writer w = writer_over(place, size);

	writer_text(&w, "z9hG4bK");
	random_write_hex(r->random, &w, branch_octets);
	return writer_span(&w);
}

/* Its octets into r->message: 0 and `*bytes`, or a negative errno. */
static int write_message(struct resync_step *step, const struct sip_challenge *challenge,
			 struct span branch, struct span *bytes)
{
	struct resync *r = step->r;
	struct resync_target *target = step->target;
	struct resync_account account = resync_account_of(r->options.inventory, step->device);
	char call_id[2 * resync_call_id_octets];
	char tag[2 * resync_tag_octets];
	char cnonce[2 * branch_octets];
	char url[config_url_max];
	struct writer cnonce_writer = writer_over(cnonce, sizeof(cnonce));
	struct writer url_writer = writer_over(url, sizeof(url));
	struct writer w = writer_over(r->message, sizeof(r->message));
	struct sip_digest digest = {.challenge = challenge,
				    .username = account.username,
				    .password = account.password,
				    .nonce_count = 1};
	struct resync_message m = {
		.plan = &step->plan,
		.local = step->local,
		.branch = branch,
		.cseq = target->cseq,
		.digest = challenge ? &digest : NULL,
	};

	if (step->plan.tells_url && make_url(step, &url_writer) != 0) {
		return -ENODATA;
	}
	random_write_hex(r->random, &cnonce_writer, branch_octets);
	digest.cnonce = writer_span(&cnonce_writer);
	m.call_id = write_hex(call_id, sizeof(call_id), target->call_id, resync_call_id_octets);
	m.from_tag = write_hex(tag, sizeof(tag), target->tag, resync_tag_octets);
	m.url = writer_span(&url_writer);
	resync_message_write(&w, &m);
	*bytes = writer_span(&w);
	return w.failed ? -E2BIG : 0;
}

int resync_send_message(struct resync_step *step, const struct sip_challenge *challenge)
{
	struct resync *r = step->r;
	char branch[7 + 2 * branch_octets];
	struct span branch_span = new_branch(r, branch, sizeof(branch));
	struct client_request request = {
		.key = client_key_of_branch(r->clients, branch_span, SPAN("NOTIFY")),
		.to = step->plan.to,
		.from = step->local,
		.interface = step->interface,
		.device = step->target->mac,
		.give_up_ms = sip_timer_f_ms,
	};
	int error = write_message(step, challenge, branch_span, &request.bytes);

	if (error) {
		return error;
	}
	error = client_transactions_start(r->clients, &request, step->now_ms);
	if (error) {
		return error == -EEXIST ? -ENOSPC : error;
	}
	if (effects_send(step->effects, request.from, request.to, request.interface,
			 request.bytes) != 0) {
		client_transactions_abandon(r->clients, request.key);
		return -ENOSPC;
	}
	step->target->key = request.key;
	return 0;
}

bool resync_prepare_step(struct resync_step *step)
{
	struct resync *r = step->r;
	struct resync_target *target = step->target;

	step->device = inventory_device(r->options.inventory, target->mac);
	if (!step->device || !device_is_claimed(step->device)) {
		resync_finish(r, target, RESYNC_INTERRUPTED, "it is claimed no more",
			      step->effects);
		return false;
	}
	step->plan = resync_plan_of(r->options.inventory, step->device, target->order);
	target->to = step->plan.to;
	target->is_url = step->plan.tells_url;
	if (step->plan.verdict != RESYNC_WAITING) {
		resync_finish(r, target, step->plan.verdict, step->plan.why, step->effects);
		return false;
	}
	return find_way(step);
}

bool resync_send_first(struct resync *r, struct resync_target *target, uint64_t now_ms,
		       struct effects *effects)
{
	struct resync_step step = {.r = r, .target = target, .now_ms = now_ms, .effects = effects};
	int error;

	if (!resync_prepare_step(&step)) {
		return true;
	}
	target->cseq = 1;
	random_bytes(r->random, target->call_id, sizeof(target->call_id));
	random_bytes(r->random, target->tag, sizeof(target->tag));
	error = resync_send_message(&step, NULL);
	if (error == -ENOSPC || error == -ENOMEM) {
		resync_tally(r, "resync_no_room");
		r->send_us = (now_ms + resync_full_wait_ms) * 1000;
		return false;
	}
	if (error) {
		resync_finish(r, target, RESYNC_UNSUPPORTED, "its NOTIFY cannot be made", effects);
		return true;
	}
	resync_queue_remove(r, target);
	target->state = RESYNC_SENT;
	target->sent_ms = now_ms;
	r->in_flight++;
	resync_tally(r, "resync_sent");
	resync_record(target, RESYNC_SENT, effects);
	return true;
}
