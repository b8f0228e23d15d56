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

/* Phones that leave the user out leave its text where the host should be (dialects.md A.15). */
static struct span user_of(const struct sip_uri *uri)
{
	if (uri->user.length > 0) {
		return uri->user;
	}
	if (uri->host.kind == SIP_HOST_NONE) {
		return uri->opaque;
	}
	return uri->host.kind == SIP_HOST_NAME ? uri->host.text : SPAN("");
}

/* Parameters that mean something of their own are no names of a phone. */
static bool is_ordinary(struct span name)
{
	static const char *const names[] = {"vendor",  "vender",       "model",
					    "version", "profile-type", "effective-by"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (span_equal_nocase(name, span_text(names[i]))) {
			return true;
		}
	}
	return false;
}

static void read_event_values(const struct sip_event *event, struct subscribe_claims *claims)
{
	struct sip_parameters rest = event->parameters;
	struct sip_parameter parameter;

	while (claims->event_value_count < claims_event_values_max &&
	       sip_parameters_next(&rest, &parameter)) {
		if (parameter.value.length > 0 && !is_ordinary(parameter.name)) {
			claims->event_values[claims->event_value_count++] = parameter.value;
		}
	}
}

static void read_claims(const struct sip_message *request, const struct subscribe *subscribe,
			struct subscribe_claims *claims)
{
	struct sip_parameter instance;

	*claims = (struct subscribe_claims){
		.request_user = user_of(&request->request_uri),
		.from_user = user_of(&request->from.uri),
		.to_user = user_of(&request->to.uri),
		.contact_user = user_of(&subscribe->contact.uri),
		.vendor = subscribe->event.vendor,
		.model = subscribe->event.model,
		.version = subscribe->event.version,
	};
	if (sip_parameters_find(subscribe->contact.parameters, SPAN("+sip.instance"), &instance)) {
		claims->instance = instance.value;
	}
	read_event_values(&subscribe->event, claims);
	/* Several rows or none: then it claims nothing by it. */
	(void)sip_message_single(request, SIP_HEADER_USER_AGENT, &claims->user_agent);
}

/* A claim that is not true, told with both addresses: somebody tries, or a phone was renumbered. */
static void report_conflict(const struct packet *packet, const struct identity *identity,
			    const struct link_evidence *link, bool is_served,
			    struct effects *effects)
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
	writer_text(&w, is_served ? ": served all the same (spoofed = serve)" : ": not answered");
	report(effects, REPORT_WARNING, "mac_conflict", &w, packet,
	       link->is_known ? &link->mac : NULL);
}

/* It stands in the list for this already: no event for each datagram. */
static bool is_told(const struct signalling_options *options, const struct packet *packet)
{
	const struct unidentified *entry =
		unidentified_find(&options->inventory->unidentified, packet->source.address,
				  interface_name(options, packet->interface));

	return entry && entry->certainty == CERTAINTY_SPOOFED;
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

/* Nobody claimed it: a URL all the same, that opens no secret. */
static void serve_guest(const struct signalling_options *options, const struct packet *packet,
			struct notifier_decision *decision, struct effects *effects)
{
	const struct identity *identity = &decision->identity;

	identity_guest(options->inventory, identity,
		       inventory_device(options->inventory, identity->mac), &decision->guest);
	serve(options, &decision->guest, packet, decision, effects);
	/* Whoever it is teaches nothing about phones that somebody claimed. */
	decision->key = (struct form_key){.vendor = SPAN("")};
	decision->is_bootstrap = decision->verdict == NOTIFIER_SERVE;
	decision->is_listed = true;
}

/* The same octets whatever the reason is (security.md B15), and of a conflict not even those. */
static void refuse_by_policy(struct notifier_decision *decision,
			     const struct policy_decision *policy)
{
	refuse(decision, 403, policy->reason);
	decision->is_listed = policy->answer == POLICY_LIST;
	if (decision->identity.verdict == IDENTITY_CONFLICT) {
		decision->refusal.status = 0; /* doc/decisions/0005 */
	}
}

void notifier_decide(const struct signalling_options *options,
		     const struct notifier_question *question, struct notifier_decision *decision,
		     struct effects *effects)
{
	const struct packet *packet = question->packet;
	const struct link_evidence *link = question->link;
	struct subscribe_claims claims;
	struct policy_decision policy;

	memset(decision, 0, offsetof(struct notifier_decision, url));
	decision->verdict = NOTIFIER_REFUSE;
	read_claims(question->request, question->subscribe, &claims);
	identity_from_subscribe(options->inventory, &claims, packet->source.address,
				interface_name(options, packet->interface), link,
				&decision->identity);
	policy = policy_subscribe(options->policy, options->inventory, &decision->identity);
	decision->reason = policy.reason;
	if (policy.answer == POLICY_SERVE && policy.device) {
		serve(options, policy.device, packet, decision, effects);
	} else if (policy.answer == POLICY_BOOTSTRAP) {
		serve_guest(options, packet, decision, effects);
	} else if (policy.answer == POLICY_RESOLVE && link->is_pending) {
		decision->verdict = NOTIFIER_RESOLVE;
	} else {
		refuse_by_policy(decision, &policy);
	}
	if (decision->identity.verdict == IDENTITY_CONFLICT && !is_told(options, packet)) {
		report_conflict(packet, &decision->identity, link, policy.answer == POLICY_SERVE,
				effects);
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

/* Is it one for the list of senders that are no device? */
static bool is_unidentified(const struct signalling_options *options,
			    const struct notifier_decision *decision)
{
	switch (decision->identity.verdict) {
	case IDENTITY_CONFLICT:
		return decision->verdict != NOTIFIER_SERVE;
	case IDENTITY_UNKNOWN:
		return options->policy->unknown != UNKNOWN_IGNORE;
	case IDENTITY_UNPROVEN:
		/* A guest by its word alone makes no device: it is one when it fetches. */
		return (decision->verdict != NOTIFIER_SERVE || decision->is_bootstrap) &&
		       options->policy->unknown != UNKNOWN_IGNORE &&
		       strcmp(decision->reason, "blocked") != 0;
	case IDENTITY_KNOWN:
	case IDENTITY_PENDING:
		break;
	}
	return false;
}

static void record_unidentified(struct change *change, const struct identity *identity,
				struct effects *effects)
{
	change->kind = CHANGE_UNIDENTIFIED_SEEN;
	change->mac = identity->has_claim ? identity->claimed : (struct mac){0};
	change->reason = identity->reason;
	change_post(effects, change);
}

void notifier_record(const struct signalling_options *options, const struct packet *packet,
		     const struct notifier_decision *decision, struct effects *effects)
{
	const struct identity *identity = &decision->identity;
	bool is_served = decision->verdict == NOTIFIER_SERVE && !decision->is_bootstrap;
	struct change change = {
		.kind = is_served ? CHANGE_DEVICE_NOTIFIED : CHANGE_DEVICE_SEEN,
		.fields = FIELD_ADDRESS | FIELD_IDENTIFIED_BY | FIELD_CERTAINTY,
		.mac = is_served ? decision->mac : identity->mac,
		.address = packet->source.address,
		.interface = interface_name(options, packet->interface),
		.identified_by = identity->verdict == IDENTITY_CONFLICT ? identity->claimed_in
									: identity->by,
		.certainty = identity->certainty,
	};

	if (is_served) {
		change.fields |= FIELD_TOLD;
		change.form = decision->form;
		change.shape = decision->choice.shape;
	}
	record_claims(&change, identity);
	if (is_served || (decision->is_listed && identity->verdict == IDENTITY_KNOWN)) {
		change_post(effects, &change);
	}
	if (is_unidentified(options, decision)) {
		record_unidentified(&change, identity, effects);
	}
}
