/* SPDX-License-Identifier: MIT */
/*
 * The shared corpus of real, odd and hostile messages, by unicast through a whole signalling, held
 * against the column pds_answer of each index.tsv; by multicast, where nothing but 2xx may leave;
 * and after each message a valid SUBSCRIBE of another phone must be served (security.md 3.7).
 *
 * The sender is always a claimed phone with a bound address, so that policy never hides the verdict
 * on the syntax: its MAC is what the message names, its address what Contact and Via say.
 */
#include "core/fleet/identity.h"
#include "tests/provision/harness.h"
#include "tests/test.h"

#include <errno.h>

static const char *root = ".";
static char corpus[512];
static struct bench bench;
static char datagram[70000];
static size_t case_count;

static const struct address alive_phone = {4, {192, 0, 2, 99}};
static const struct mac alive_mac = {{0x00, 0x90, 0x8f, 0xff, 0xff, 0x01}};

/* ---- the sender ----------------------------------------------------------------------------- */

static bool is_numeric(const struct sip_host *host)
{
	return host->kind == SIP_HOST_IPV4 || host->kind == SIP_HOST_IPV6;
}

static bool is_usable(struct address address)
{
	return !address_is_any(address) && !address_is_multicast(address) &&
	       !address_is_broadcast(address);
}

static void choose_source(const char *name, const struct sip_message *m)
{
	struct sip_name_address contact;
	bool is_about_contact = strncmp(name, "contact", 7) == 0;
	struct endpoint source = {address_ipv4(192, 0, 2, 10), 5060};

	if (m->via.host.kind != SIP_HOST_NONE) {
		if (is_numeric(&m->via.host) && is_usable(m->via.host.address)) {
			source.address = m->via.host.address;
		}
		if (m->via.has_port && m->via.port != 0) {
			source.port = m->via.port;
		}
	}
	if (!is_about_contact && sip_message_contact(m, &contact) == 0 &&
	    is_numeric(&contact.uri.host) && is_usable(contact.uri.host.address)) {
		source.address = contact.uri.host.address;
	}
	source.address = address_unmapped(source.address);
	bench.packet.source = source;
}

static struct mac choose_mac(const struct sip_message *m)
{
	struct subscribe_claims claims = {.request_user = m->request_uri.user};
	struct sip_name_address contact;
	struct mac mac = bench_mac;

	if (m->readable & SIP_PART_FROM) {
		claims.from_user = m->from.uri.user;
	}
	if (m->readable & SIP_PART_TO) {
		claims.to_user = m->to.uri.user;
	}
	if (sip_message_contact(m, &contact) == 0) {
		claims.contact_user = contact.uri.user;
	}
	(void)sip_message_single(m, SIP_HEADER_USER_AGENT, &claims.user_agent);
	(void)identity_claimed_mac(&claims, &mac);
	return mac_is_device(mac) ? mac : bench_mac;
}

/* A fresh inventory with the sender and the phone of the alive check in it. */
static void prepare_sender(const char *name, struct span bytes)
{
	static struct sip_message m;
	struct mac mac = bench_mac;

	bench.packet.source = (struct endpoint){address_ipv4(192, 0, 2, 10), 5060};
	if (sip_message_parse(&m, bytes) != -ENOMSG && m.is_request) {
		choose_source(name, &m);
		mac = choose_mac(&m);
	}
	inventory_free(&bench.inventory);
	bench_inventory(&bench);
	bench_claim(&bench, mac);
	bench_bind(&bench, mac, bench.packet.source.address);
	bench_claim(&bench, alive_mac);
	bench_bind(&bench, alive_mac, alive_phone);
}

static bool is_alive(void)
{
	static unsigned number;
	static char text[2048];
	struct packet kept = bench.packet;
	char id[64];
	bool is_served;

	memcpy(text, bench_seed, sizeof(bench_seed));
	snprintf(id, sizeof(id), "branch=z9hG4bKalive%u", ++number);
	bench_replace(text, sizeof(text), "branch=z9hG4bK", id);
	snprintf(id, sizeof(id), "Call-ID: alive%u", number);
	bench_replace(text, sizeof(text), "Call-ID: ", id);
	bench_replace(text, sizeof(text), "Contact: <sip:00000001@10.13.2.37",
		      "Contact: <sip:00000001@192.0.2.99");
	bench.packet.source = (struct endpoint){alive_phone, 5060};
	is_served = bench_receive(&bench, span_text(text)) == 0 && bench_is_served(&bench);
	bench.packet = kept;
	return is_served;
}

/* ---- the expected answer -------------------------------------------------------------------- */

struct expected {
	bool is_anything; /* survive, and send at most one final response */
	bool may_be_silent;
	unsigned statuses[16];
	size_t status_count;
	const char *header; /* a refusal of the first status must have this header, or NULL */
};

static void cut_parentheses(char *text)
{
	char *open;

	while ((open = strchr(text, '('))) {
		char *close = strchr(open, ')');

		if (!close) {
			*open = '\0';
			return;
		}
		memmove(open, close + 1, strlen(close + 1) + 1);
	}
}

static void remove_text(char *text, const char *what)
{
	char *at;

	while ((at = strstr(text, what))) {
		memmove(at, at + strlen(what), strlen(at + strlen(what)) + 1);
	}
}

static void read_statuses(const char *text, struct expected *e)
{
	for (const char *p = text; *p; p++) {
		bool starts = ascii_is_digit(*p) &&
			      (p == text || (!ascii_is_alnum(p[-1]) && p[-1] != '.'));

		if (starts && ascii_is_digit(p[1]) && ascii_is_digit(p[2]) &&
		    !ascii_is_alnum(p[3]) && !(p[3] == '.' && ascii_is_digit(p[4])) &&
		    e->status_count < 16) {
			e->statuses[e->status_count++] = (unsigned)strtoul(p, NULL, 10);
		}
	}
}

/*
 * Reads the phrases of the column: "405 + Allow", "400 or no answer", "200 + one NOTIFY …",
 * "no crash; …", "policy: 403, or NOTIFY only to the source", "while only fetches are served: …".
 */
static void read_expected(const char *phrase, struct expected *e)
{
	static const char *const headers[] = {"Allow-Events", "Allow", "Unsupported",
					      "Accept-Encoding"};
	static const char fetches[] = "while only fetches are served: ";
	char text[512];
	char *at;

	*e = (struct expected){0};
	snprintf(text, sizeof(text), "%s", phrase);
	if (text[0] == '-' || strcmp(text, "none") == 0 || strcmp(text, "discard") == 0 ||
	    strncmp(text, "response ", 9) == 0) {
		/* the verdicts of tests/fixtures/sip/index.tsv */
		e->may_be_silent = true;
		return;
	}
	if (strstr(text, "must survive") || strstr(text, "as uas_answer") ||
	    strstr(text, "must not reflect") || text[0] == '(') {
		e->is_anything = true;
		return;
	}
	e->may_be_silent = strstr(text, "or no answer") != NULL;
	cut_parentheses(text);
	remove_text(text, "no crash; ");
	remove_text(text, "terminated;reason=timeout");
	at = strstr(text, fetches);
	if (at) {
		memmove(text, at + strlen(fetches), strlen(at + strlen(fetches)) + 1);
	}
	if (strstr(text, "423 only if min > 3599, else 200")) {
		snprintf(text, sizeof(text), "200");
	}
	at = strstr(text, "never ");
	if (at) {
		*at = '\0';
	}
	if (strstr(text, "policy: as third-party Contact")) {
		snprintf(text, sizeof(text), "403");
	}
	text[strcspn(text, strncmp(text, "liberal", 7) == 0 ? "" : ";")] = '\0';
	e->may_be_silent |= strstr(text, "no answer") != NULL;
	read_statuses(text, e);
	if (strstr(text, "NOTIFY only to the source")) {
		e->statuses[e->status_count++] = 200;
	}
	for (size_t i = 0; i < 4 && !e->header; i++) {
		char plus[32];

		snprintf(plus, sizeof(plus), "+ %s", headers[i]);
		e->header = strstr(text, plus) ? headers[i] : NULL;
	}
}

static bool has_header(struct span bytes, const char *name)
{
	char line[64];

	snprintf(line, sizeof(line), "\r\n%s: ", name);
	return span_search(bytes, span_text(line)) < bytes.length;
}

/* One final response at most; a NOTIFY with every 200 to a SUBSCRIBE and never without; to the
 * source. */
static bool is_sane(void)
{
	size_t count = bench_count_kind(&bench, EFFECT_SEND);
	static struct sip_message m;

	for (size_t i = 0; i < count; i++) {
		if (!endpoint_equal(bench_sent(&bench, i)->to, bench.packet.source)) {
			return false;
		}
	}
	if (count == 2) {
		/* Round trip: both parse again. */
		return bench_status(&bench, 0) == 200 && bench_status(&bench, 1) == 1 &&
		       sip_message_parse(&m, bench_sent(&bench, 0)->bytes) == 0 &&
		       sip_message_parse(&m, bench_sent(&bench, 1)->bytes) == 0;
	}
	if (count == 1) {
		unsigned status = bench_status(&bench, 0);

		(void)sip_message_parse(&m, bench_sent(&bench, 0)->bytes);
		return status >= 200 && (status != 200 || !(m.readable & SIP_PART_CSEQ) ||
					 m.cseq.method != SIP_METHOD_SUBSCRIBE);
	}
	return count == 0;
}

static bool is_expected(const struct expected *e)
{
	unsigned status = bench_status(&bench, 0);
	const struct effect_send *sent = bench_sent(&bench, 0);

	if (e->is_anything) {
		return true;
	}
	if (!sent) {
		return e->may_be_silent;
	}
	for (size_t i = 0; i < e->status_count; i++) {
		if (e->statuses[i] == status) {
			return i > 0 || status == 200 || !e->header ||
			       has_header(sent->bytes, e->header);
		}
	}
	return false;
}

/* ---- the run -------------------------------------------------------------------------------- */

/* Placeholders that the sources of the captures left in: "172.16.x.x", "000413xxxxxx". */
static void fill_placeholders(const char *name)
{
	if (strcmp(name, "snom-d120-subscribe.sip") == 0) {
		while (bench_replace(datagram, sizeof(datagram), "172.16.x.x", "172.16.1.2") ||
		       bench_replace(datagram, sizeof(datagram), "000413xxxxxx", "000413aabbcc")) {
		}
	}
}

static void run_case(const char *directory, const char *name, const char *phrase)
{
	const char *folder = strrchr(directory, '/') + 1;
	struct span bytes;
	struct expected expected;
	bool is_second_of_pair = strcmp(name, "pair-merged-2.sip") == 0;

	bytes = bench_read_file(directory, name, datagram, sizeof(datagram));
	if (!bytes.data) {
		printf("# %s/%s cannot be read\n", folder, name);
		test_is_failed = true;
		return;
	}
	fill_placeholders(name);
	read_expected(phrase, &expected);
	case_count++;

	/* Every transaction of the case before is over, unless the two belong together. */
	bench_expire(&bench, bench.now_ms + (is_second_of_pair ? 10 : 40000));
	prepare_sender(name, bytes);
	bench_unicast(&bench);
	if (bench_receive(&bench, bytes) != 0 || !is_sane() || !is_expected(&expected)) {
		printf("# %s/%s: %u (%zu sent), expected %s\n", folder, name,
		       bench_status(&bench, 0), bench_count_kind(&bench, EFFECT_SEND), phrase);
		test_is_failed = true;
	}
	if (!is_alive()) {
		printf("# %s/%s: nobody is served after it\n", folder, name);
		test_is_failed = true;
	}

	/* R-MCAST-8 */
	bench_expire(&bench, bench.now_ms + (is_second_of_pair ? 10 : 40000));
	bench.packet.is_multicast = true;
	bench.packet.target = (struct endpoint){bench_group, 5060};
	if (bench_receive(&bench, bytes) != 0 || !is_sane() ||
	    (bench_sent(&bench, 0) && bench_status(&bench, 0) / 100 != 2)) {
		printf("# %s/%s by multicast: %u\n", folder, name, bench_status(&bench, 0));
		test_is_failed = true;
	}
	if (strcmp(name, "pair-merged-1.sip") == 0) {
		/* The second of the pair is merged while this one lives. */
		bench_expire(&bench, bench.now_ms + 40000);
		bench_unicast(&bench);
		bench_receive(&bench, bytes);
	}
}

/* The i-th tab-separated field. */
static void field_of(const char *line, unsigned index, char *field, size_t size)
{
	struct span rest = span_text(line);
	struct span text = span_cut(&rest, '\t');

	while (index-- > 0) {
		text = span_cut(&rest, '\t');
	}
	if (span_to_text(text, field, size) != 0) {
		field[0] = '\0';
	}
}

/*
 * Where signalling says something else than the column of tests/fixtures/sip/index.tsv, which is
 * about the message alone: these two are not for this server, and that one names two MACs.
 */
static const char *exception_of(const char *name, const char *phrase)
{
	static const char *const exceptions[][2] = {
		{"ipv6.sip", "404"},
		{"notify.sip", "none"},
		{"fanvil-generic-model.sip", "none"},
	};

	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		if (strcmp(exceptions[i][0], name) == 0) {
			return exceptions[i][1];
		}
	}
	return phrase;
}

/* Every row of a folder's index.tsv; the phrase is its field number `column`, from 0. */
static void run_directory(const char *directory, unsigned column)
{
	char path[800];
	static char line[8192];
	FILE *index;
	size_t before = case_count;

	snprintf(path, sizeof(path), "%s/index.tsv", directory);
	index = fopen(path, "r");
	if (!index) {
		test_skip("the shared corpus is not there");
		return;
	}
	bench_open(&bench);
	bench.packet.has_link_source = false;
	REQUIRE(fgets(line, sizeof(line), index) != NULL);
	while (fgets(line, sizeof(line), index)) {
		char name[256];
		char phrase[512];

		line[strcspn(line, "\r\n")] = '\0';
		field_of(line, 0, name, sizeof(name));
		field_of(line, column, phrase, sizeof(phrase));
		run_case(directory, name, column == 1 ? exception_of(name, phrase) : phrase);
	}
	fclose(index);
	bench_close(&bench);
	printf("# %s: %zu messages\n", strrchr(directory, '/') + 1, case_count - before);
	CHECK(case_count > before);
}

static void run_folder(const char *folder)
{
	char directory[800];

	snprintf(directory, sizeof(directory), "%s/%s", corpus, folder);
	run_directory(directory, 6);
}

/* Our own fixtures, which are always there. */
static void fixtures(void)
{
	char directory[800];

	snprintf(directory, sizeof(directory), "%s/tests/fixtures/sip", root);
	run_directory(directory, 1);
	CHECK(test_skip_reason == NULL);
}

static void rfc4475(void)
{
	run_folder("rfc4475");
}

static void rfc5118(void)
{
	run_folder("rfc5118");
}

static void subscribe_mutants(void)
{
	run_folder("subscribe-mutants");
}

static void phones(void)
{
	run_folder("phones");
}

static void protos_style(void)
{
	run_folder("protos-style");
}

static void jsip_torture(void)
{
	run_folder("jsip-torture");
}

static void sipgo_fuzz_crashers(void)
{
	run_folder("sipgo-fuzz-crashers");
}

/* The reader of phrases must be able to say no. */
static void phrases(void)
{
	struct expected e;

	read_expected("405 + Allow once; no answer for the trailing INVITE", &e);
	CHECK(e.status_count == 1 && e.statuses[0] == 405 && !e.may_be_silent && e.header);
	read_expected("200 (OPTIONS) or 404, never 483", &e);
	CHECK(e.status_count == 2 && e.statuses[0] == 200 && e.statuses[1] == 404);
	read_expected("no crash; no answer (no Via to answer) or 400", &e);
	CHECK(e.may_be_silent && e.status_count == 1);
	read_expected("200 Expires<=86400 + NOTIFY active; while only fetches are served: 200 with "
		      "Expires: 0 + one NOTIFY terminated;reason=timeout",
		      &e);
	CHECK(e.status_count == 1 && !e.is_anything && !e.may_be_silent);
	read_expected("liberal: 200; strict: 400 (From: a@b lacks sip:)", &e);
	CHECK(e.status_count == 2 && !e.is_anything);
	read_expected("no answer", &e);
	CHECK(e.status_count == 0 && e.may_be_silent);
}

int main(int argc, char **argv)
{
	const char *environment = getenv("BELLHOP_CORPUS");

	root = argc > 1 ? argv[1] : root;
	if (environment) {
		snprintf(corpus, sizeof(corpus), "%s", environment);
	} else {
		snprintf(corpus, sizeof(corpus), "%s/../shared/corpus", root);
	}
	RUN(phrases);
	RUN(fixtures);
	RUN(rfc4475);
	RUN(rfc5118);
	RUN(subscribe_mutants);
	RUN(phones);
	RUN(sipgo_fuzz_crashers);
	RUN(protos_style);
	RUN(jsip_torture);
	return test_end();
}
