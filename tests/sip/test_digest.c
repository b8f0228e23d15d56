/* SPDX-License-Identifier: MIT */
#include "core/sip/digest.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

/* Answers of published examples; `why` says whose. */
static const struct known {
	const char *why;
	const char *challenge;
	const char *username;
	const char *password;
	const char *method;
	const char *uri;
	const char *cnonce;
	const char *response;
} knowns[] = {
	{"RFC 7616 3.9.1, MD5",
	 "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
	 "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
	 "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
	 "Mufasa", "Circle of Life", "GET", "/dir/index.html",
	 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "8ca523f5e9506fed4657c9700eebdbec"},
	{"RFC 7616 3.9.1, SHA-256",
	 "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "
	 "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
	 "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
	 "Mufasa", "Circle of Life", "GET", "/dir/index.html",
	 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	 "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	{"RFC 2617 3.5",
	 "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
	 "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
	 "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
	 "Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b",
	 "6629fae49393a05397450978507c4ef1"},
	{"RFC 2069 2.4, as corrected",
	 "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
	 "Mufasa", "CircleOfLife", "GET", "/dir/index.html", "",
	 "1949323746fe6a43ef61f9606e7febea"},
	{"SIP, without qop (draft-smith-sipping-auth-examples 3.1)",
	 "Digest realm=\"biloxi.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"", "bob",
	 "zanzibar", "INVITE", "sip:bob@biloxi.com", "", "bf57e4e0d0bffc0fbaedce64d59add5e"},
	{"SIP, qop=auth (the same, 3.3)",
	 "Digest realm=\"biloxi.com\", qop=\"auth\", algorithm=MD5, "
	 "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
	 "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "0a4f113b",
	 "89eb0059246c02b2f6ee02c7961d5ea3"},
	{"SIP, MD5-sess (the same, 3.4)",
	 "Digest realm=\"biloxi.com\", qop=\"auth\", algorithm=MD5-sess, "
	 "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
	 "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "0a4f113b",
	 "e4e4ea61d186d07a92c9e1f6919902e9"},
	/* Computed by Python's hashlib: no published example of these is right, or there is none.
	 */
	{"SHA-256-sess",
	 "Digest realm=\"biloxi.com\", qop=\"auth\", algorithm=SHA-256-sess, "
	 "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
	 "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "0a4f113b",
	 "5da59c9ca40954be9d5063a15a174066c8251be2c10cf47c144c366dc7daf792"},
	{"SHA-512-256 (names of RFC 7616 3.9.2)",
	 "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
	 "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\"",
	 "J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?", "GET", "/doe.json",
	 "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
	 "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c"},
};

static struct sip_digest digest_of(const struct known *known, const struct sip_challenge *challenge)
{
	return (struct sip_digest){.challenge = challenge,
				   .username = span_text(known->username),
				   .password = span_text(known->password),
				   .method = span_text(known->method),
				   .uri = span_text(known->uri),
				   .cnonce = span_text(known->cnonce),
				   .nonce_count = 1};
}

/* R-DIGEST-6, R-DIGEST-7 */
static void known_answers_are_met(void)
{
	for (size_t i = 0; i < sizeof(knowns) / sizeof(knowns[0]); i++) {
		struct sip_challenge challenge = {.hash = DIGEST_MD5};
		char response[digest_response_size] = "";
		struct sip_digest digest = digest_of(&knowns[i], &challenge);

		CHECK(sip_challenge_parse(span_text(knowns[i].challenge), &challenge) == 0);
		CHECK(sip_digest_response(&digest, response) == 0);
		CHECK(strcmp(response, knowns[i].response) == 0);
		if (strcmp(response, knowns[i].response) != 0) {
			printf("# %s: %s\n", knowns[i].why, response);
		}
	}
}

static void the_line_is_written_whole(void)
{
	struct sip_challenge challenge = {.hash = DIGEST_MD5};
	struct sip_digest digest = digest_of(&knowns[0], &challenge);
	char text[1024];
	struct writer w = writer_over(text, sizeof(text));

	CHECK(sip_challenge_parse(span_text(knowns[0].challenge), &challenge) == 0);
	CHECK(sip_digest_write(&w, &digest) == 0);
	CHECK(span_equal(
		writer_span(&w),
		SPAN("Authorization: Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
		     "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
		     "uri=\"/dir/index.html\", response=\"8ca523f5e9506fed4657c9700eebdbec\", "
		     "algorithm=MD5, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
		     "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, "
		     "nc=00000001\r\n")));
	/* The oldest form: neither algorithm nor cnonce, for there was neither in the question. */
	digest = digest_of(&knowns[4], &challenge);
	w = writer_over(text, sizeof(text));
	CHECK(sip_challenge_parse(span_text(knowns[4].challenge), &challenge) == 0);
	challenge.is_proxy = true;
	CHECK(sip_digest_write(&w, &digest) == 0);
	CHECK(span_equal(
		writer_span(&w),
		SPAN("Proxy-Authorization: Digest username=\"bob\", realm=\"biloxi.com\", "
		     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"sip:bob@biloxi.com\", "
		     "response=\"bf57e4e0d0bffc0fbaedce64d59add5e\"\r\n")));
	/* A name that would end the line fails the writer instead. */
	digest.username = SPAN("bob\r\nX: y");
	w = writer_over(text, sizeof(text));
	(void)sip_digest_write(&w, &digest);
	CHECK(w.failed);
	/* So does a line that has no room. */
	digest.username = SPAN("bob");
	w = writer_over(text, 40);
	CHECK(sip_digest_write(&w, &digest) == 0 && w.failed);
}

static void the_nonce_count_is_hashed(void)
{
	struct sip_challenge challenge = {.hash = DIGEST_MD5};
	struct sip_digest digest = digest_of(&knowns[0], &challenge);
	char text[1024];
	struct writer w = writer_over(text, sizeof(text));

	CHECK(sip_challenge_parse(span_text(knowns[0].challenge), &challenge) == 0);
	digest.nonce_count = 0x1a2b;
	CHECK(sip_digest_write(&w, &digest) == 0);
	CHECK(span_search(writer_span(&w), SPAN("nc=00001a2b\r\n")) < w.length);
	CHECK(span_search(writer_span(&w), span_text(knowns[0].response)) == w.length);
}

static void what_cannot_be_answered_is_refused(void)
{
	static const struct {
		const char *value;
		int error;
	} cases[] = {
		{"Basic realm=\"r\"", -ENOTSUP},
		{"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1", -ENOTSUP},
		{"Digest realm=\"r\", nonce=\"n\", algorithm=AKAv1-MD5", -ENOTSUP},
		{"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", -ENOTSUP},
		{"Digest realm=\"r\"", -EINVAL},
		{"Digest realm=\"r\", nonce=\"\"", -EINVAL},
		{"Digest realm=\"r\", nonce=\"n\", nonce=\"m\"", -EINVAL},
		{"Digest realm=\"r\r\n r\", nonce=\"n\"", -EINVAL},
		{"Digest realm=\"r\", nonce=\"n\r\n\tm\"", -EINVAL},
		{"Digest realm=\"r\", nonce=\"n\", opaque=\"\r\n x\"", -EINVAL},
		{"Digest realm=\"r, nonce=n", -EINVAL},
		{"Digest", -EINVAL},
		{"", -EINVAL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sip_challenge challenge = {.realm = SPAN("untouched")};

		CHECK(sip_challenge_parse(span_text(cases[i].value), &challenge) == cases[i].error);
		CHECK(span_equal(challenge.realm, SPAN("untouched")));
	}
}

static void spellings_of_the_field_are_read(void)
{
	struct sip_challenge c;

	CHECK(sip_challenge_parse(SPAN("digest nonce=\"n\" , realm=\"a\\\"b\",STALE=TRUE,"
				       "qop=\"auth-int , AUTH\",algorithm=\"sha-256\", x=y"),
				  &c) == 0);
	CHECK(c.hash == DIGEST_SHA_256 && c.has_qop && c.is_stale && !c.is_session);
	CHECK(span_equal(c.realm, SPAN("a\\\"b")));
	CHECK(sip_challenge_parse(SPAN("Digest realm=\"\", nonce=\"n\", stale=false, qop=auth"),
				  &c) == 0);
	CHECK(c.hash == DIGEST_MD5 && c.has_qop && !c.is_stale);
}

static struct sip_message message;

static bool parse_response(const char *status, const char *headers)
{
	static char text[4096];

	snprintf(text, sizeof(text),
		 "SIP/2.0 %s\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx\r\n"
		 "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\n"
		 "CSeq: 1 NOTIFY\r\n%sContent-Length: 0\r\n\r\n",
		 status, headers);
	return sip_message_parse_parts(&message, span_text(text),
				       SIP_PART_VIA | SIP_PART_CALL_ID | SIP_PART_CSEQ) == 0;
}

/* R-DIGEST-4, RFC 8760 2.4 */
static void the_strongest_challenge_is_chosen(void)
{
	struct sip_challenge c;

	CHECK(parse_response(
		"401 Unauthorized",
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"first\", algorithm=MD5\r\n"
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"best\", "
		"algorithm=SHA-256\r\n"
		"Proxy-Authenticate: Digest realm=\"p\", nonce=\"proxy\"\r\n"
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"third\", "
		"algorithm=SHA-256\r\n"
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"x\", algorithm=NEW-9\r\n"));
	CHECK(sip_challenge_choose(&message, &c) == 0 && span_equal(c.nonce, SPAN("best")));
	CHECK(!c.is_proxy);
	CHECK(parse_response("407 Proxy Authentication Required",
			     "WWW-Authenticate: Digest realm=\"r\", nonce=\"no\"\r\n"
			     "Proxy-Authenticate: Digest realm=\"p\", nonce=\"proxy\"\r\n"));
	CHECK(sip_challenge_choose(&message, &c) == 0 && span_equal(c.nonce, SPAN("proxy")));
	CHECK(c.is_proxy);
	CHECK(parse_response("401 Unauthorized", "WWW-Authenticate: Basic realm=\"r\"\r\n"));
	CHECK(sip_challenge_choose(&message, &c) == -ENOENT);
	CHECK(parse_response("401 Unauthorized", ""));
	CHECK(sip_challenge_choose(&message, &c) == -ENOENT);
}

static void parse_prefix(struct span input, void *context)
{
	struct sip_challenge challenge = {.hash = DIGEST_MD5};
	size_t *taken = context;

	*taken += sip_challenge_parse(input, &challenge) == 0;
}

static void nothing_is_read_past_the_end(void)
{
	for (size_t i = 0; i < sizeof(knowns) / sizeof(knowns[0]); i++) {
		size_t taken = 0;

		guard_each_prefix(span_text(knowns[i].challenge), parse_prefix, &taken);
		CHECK(taken >= 2); /* the whole of it, at both ends */
	}
}

int main(void)
{
	RUN(known_answers_are_met);
	RUN(the_line_is_written_whole);
	RUN(the_nonce_count_is_hashed);
	RUN(what_cannot_be_answered_is_refused);
	RUN(spellings_of_the_field_are_read);
	RUN(the_strongest_challenge_is_chosen);
	RUN(nothing_is_read_past_the_end);
	return test_end();
}
