/* SPDX-License-Identifier: MIT */
#include "core/provision/notifier.h"

#include "core/base/uncleared.h"
#include "core/sip/text.h"

#include <errno.h>
#include <stddef.h>

enum { report_size = 512 };

/* One sentence for the operator; `mac` may be NULL. */
static void report(struct effects *effects, enum report_level level, const char *reason,
		   const struct writer *text, const struct packet *packet, const struct mac *mac)
{
	struct effect_report what = {.level = level,
				     .reason = reason,
				     .text = writer_span(text),
				     .source = packet->source,
				     .has_mac = mac != NULL};

	if (mac) {
		what.mac = *mac;
	}
	effects_report(effects, what);
}

static struct span interface_name(const struct signalling_options *options, uint32_t interface)
{
	return options->interface_name ? options->interface_name(options->context, interface)
				       : SPAN("");
}

static void read_claims(const struct sip_message *request, const struct subscribe *subscribe,
			struct subscribe_claims *claims)
{
	*claims = (struct subscribe_claims){
		.request_user = request->request_uri.user,
		.from_user = request->from.uri.user,
		.contact_user = subscribe->contact.uri.user,
		.vendor = subscribe->event.vendor,
		.model = subscribe->event.model,
		.version = subscribe->event.version,
	};
	/* Several rows or none: then it claims nothing by it. */
	(void)sip_message_single(request, SIP_HEADER_USER_AGENT, &claims->user_agent);
}

/* A claim that is not true, told with both addresses: somebody tries, or a phone was renumbered. */
static void report_conflict(const struct packet *packet, const struct identity *identity,
			    const struct link_evidence *link, struct effects *effects)
{
	char bytes[report_size];
	struct writer w = writer_over(bytes, sizeof(bytes));

	writer_text(&w, "SUBSCRIBE from ");
	endpoint_write(&w, packet->source);
	if (identity->has_claim) {
		writer_text(&w, " names ");
		mac_write(&w, identity->claimed);
	} else {
		writer_text(&w, " names several devices");
	}
	if (link->is_known) {
		writer_text(&w, ", but comes from ");
		mac_write(&w, link->mac);
	}
	writer_text(&w, ": not answered");
	report(effects, REPORT_WARNING, "mac_conflict", &w, packet,
	       link->is_known ? &link->mac : NULL);
}

/* What to do about a URL that cannot be made. */
static const char *url_remedy(int error)
{
	switch (error) {
	case -E2BIG:
		return "; shorten url in [provisioning]";
	case -ENODATA:
		return "; say which model it is: bellhop device set MAC --model MODEL";
	default:
		return "; correct url in [provisioning]";
	}
}

static void report_url(const struct packet *packet, const struct device *device, int error,
		       struct span problem, struct effects *effects)
{
	char bytes[report_size];
	struct writer w = writer_over(bytes, sizeof(bytes));

	writer_escaped(&w, problem, report_size);
	writer_text(&w, url_remedy(error));
	report(effects, REPORT_ERROR, "url_cannot_be_made", &w, packet, &device->mac);
}

static int make_url(const struct signalling_options *options, const struct device *device,
		    const struct packet *packet, struct notifier_decision *decision,
		    struct effects *effects)
{
	struct config_server server = {0};
	struct writer url = writer_over(decision->url, sizeof(decision->url));
	UNCLEARED char problem[256];
	int error;

	options->server_for(options->context, device, packet->local, &server);
	server.shape = decision->choice.shape;
	error = config_url(device, decision->pack, &server, &url, problem, sizeof(problem));
	if (error) {
		report_url(packet, device, error, span_text(problem), effects);
		return error;
	}
	/* It goes out as one line: nothing that could end it, and not nothing. */
	if (!sip_is_visible(writer_span(&url))) {
		report_url(packet, device, -EINVAL,
			   SPAN("the URL is empty or holds blanks or controls"), effects);
		return -EINVAL;
	}
	decision->url_length = url.length;
	return 0;
}

/* In which form and URL shape it is told. */
static void choose(const struct signalling_options *options, const struct device *device,
		   struct notifier_decision *decision)
{
	const struct identity *identity = &decision->identity;
	const struct form_key seen = {identity->vendor_name, identity->model, identity->version};
	uint64_t now_utc_ms = 0;

	decision->pack = vendor_find(&options->inventory->vendors, span_text(device->vendor));
	if (!decision->pack) {
		decision->pack = identity->vendor;
	}
	if (device->told_unfetched > 0 && options->utc_ms) {
		now_utc_ms = options->utc_ms(options->context);
	}
	decision->key = form_key_of(device, &seen);
	form_choose(options->inventory, device, decision->pack, &decision->key, now_utc_ms,
		    &decision->choice);
	decision->form = decision->choice.form;
}

static void refuse(struct notifier_decision *decision, unsigned status, const char *reason)
{
	decision->verdict = NOTIFIER_REFUSE;
	decision->reason = reason;
	decision->refusal = (struct refusal){.status = status, .counter = reason};
}

static void serve(const struct signalling_options *options, const struct device *device,
		  const struct packet *packet, struct notifier_decision *decision,
		  struct effects *effects)
{
	choose(options, device, decision);
	if (make_url(options, device, packet, decision, effects) != 0) {
		refuse(decision, 500, "url_cannot_be_made");
		return;
	}
	decision->verdict = NOTIFIER_SERVE;
	decision->mac = device->mac;
	decision->device = device;
}

void notifier_decide(const struct signalling_options *options, const struct sip_message *request,
		     const struct subscribe *subscribe, const struct packet *packet,
		     const struct link_evidence *link, struct notifier_decision *decision,
		     struct effects *effects)
{
	struct subscribe_claims claims;
	struct policy_decision policy;

	memset(decision, 0, offsetof(struct notifier_decision, url));
	decision->verdict = NOTIFIER_REFUSE;
	read_claims(request, subscribe, &claims);
	identity_from_subscribe(options->inventory, &claims, packet->source.address,
				interface_name(options, packet->interface), link,
				&decision->identity);
	policy = policy_subscribe(options->policy, options->inventory, &decision->identity);
	decision->reason = policy.reason;
	if (policy.answer == POLICY_SERVE && policy.device) {
		serve(options, policy.device, packet, decision, effects);
	} else if (policy.answer == POLICY_RESOLVE && link->is_pending) {
		decision->verdict = NOTIFIER_RESOLVE;
	} else {
		/* The same octets whatever the reason is: security.md B15. */
		refuse(decision, 403, policy.reason);
		decision->is_listed = policy.answer == POLICY_LIST;
		if (decision->identity.verdict == IDENTITY_CONFLICT) {
			/* doc/decisions/0005: not even a refusal */
			decision->refusal.status = 0;
			report_conflict(packet, &decision->identity, link, effects);
		}
	}
}

/* What it reported of itself, as far as it may stand in a device. */
static void record_claims(struct change *change, const struct identity *identity)
{
	if (!span_is_empty(identity->vendor_name)) {
		change->vendor = identity->vendor_name;
		change->fields |= FIELD_VENDOR;
	}
	if (!span_is_empty(identity->model)) {
		change->model = identity->model;
		change->fields |= FIELD_MODEL;
	}
	if (!span_is_empty(identity->version)) {
		change->firmware = identity->version;
		change->fields |= FIELD_FIRMWARE;
	}
}

static void post(struct effects *effects, const struct change *change)
{
	struct change *copy = change_copy(&effects->arena, change);

	if (copy) {
		effects_change(effects, copy);
	} else {
		effects->lost++;
	}
}

void notifier_record(const struct signalling_options *options, const struct packet *packet,
		     const struct notifier_decision *decision, struct effects *effects)
{
	const struct identity *identity = &decision->identity;
	bool is_served = decision->verdict == NOTIFIER_SERVE;
	struct change change = {
		.kind = is_served ? CHANGE_DEVICE_NOTIFIED : CHANGE_DEVICE_SEEN,
		.fields = FIELD_ADDRESS | FIELD_IDENTIFIED_BY,
		.mac = is_served ? decision->mac : identity->mac,
		.address = packet->source.address,
		.interface = interface_name(options, packet->interface),
		.identified_by = identity->by,
	};

	if (is_served) {
		change.fields |= FIELD_TOLD;
		change.form = decision->form;
		change.shape = decision->choice.shape;
	}
	if (is_served || (decision->is_listed && identity->verdict == IDENTITY_KNOWN)) {
		record_claims(&change, identity);
		post(effects, &change);
	}
}
