/* SPDX-License-Identifier: MIT */
/* Phones' own certificates: asked for, judged, told, and never required. */
#include "tests/tls_pair.h"

static SSL_CTX *client_with(int version, const struct identity *identity)
{
	SSL_CTX *client = tls_client_context(version);

	SSL_CTX_set_security_level(client, 0);
	certificates_need(SSL_CTX_use_certificate(client, identity->certificate) == 1 &&
			  SSL_CTX_use_PrivateKey(client, identity->key) == 1);
	return client;
}

static void check_certificate(const char *expected, const struct identity_options *options)
{
	for (size_t i = 0; i < 2; i++) {
		struct identity phone = identity_make(options);
		SSL_CTX *client = client_with(versions[i], &phone);
		struct pair pair;

		open_pair(&pair, client);
		CHECK(shake_hands(&pair));
		CHECK(client_says(&pair, "whoever I am"));
		CHECK_TEXT(expected, tls_session_outcome(pair.server)->client_certificate);
		close_pair(&pair);
		SSL_CTX_free(client);
		identity_free(&phone);
	}
}

static void a_phone_s_certificate_is_looked_at_and_never_required(void)
{
	SSL_CTX *client = tls_client_context(0);
	struct identity other = identity_make(
		&(struct identity_options){.name = SPAN("other"), .is_authority = true});
	char long_name[61];

	memset(long_name, 'x', sizeof(long_name));
	open_tls("authority.crt");
	SSL_SESSION_free(connect_once(client, NULL, NULL));
	CHECK_EQUAL(0, tls->counters.client_certificates);
	check_certificate("client certificate CN=00908f123456, verified",
			  &(struct identity_options){.name = SPAN("00908f123456"),
						     .issuer = &house.authority});
	check_certificate("client certificate CN=00908f123456, not verified: unable to get local "
			  "issuer certificate",
			  &(struct identity_options){.name = SPAN("00908f123456"),
						     .issuer = &other});
	check_certificate("client certificate CN=me, not verified: self-signed certificate",
			  &(struct identity_options){.name = SPAN("me")});
	check_certificate("client certificate CN=old, not verified: certificate has expired",
			  &(struct identity_options){.name = SPAN("old"),
						     .issuer = &house.authority,
						     .begin_day = -9,
						     .end_day = -1});
	check_certificate("client certificate CN=weak, not verified: EE certificate key too weak",
			  &(struct identity_options){.name = SPAN("weak"),
						     .issuer = &house.authority,
						     .rsa_bits = 1024});
	CHECK_EQUAL(10, tls->counters.client_certificates);
	CHECK_EQUAL(2, tls->counters.client_verified);
	identity_free(&other);
	SSL_CTX_free(client);
	close_tls();
}

/* security.md B21, B22: neither NUL nor line feed nor a verdict of its own. */
static void names_of_certificates_say_what_is_in_them(void)
{
	open_tls("authority.crt");
	check_certificate("client certificate CN=00908f123456\\00.example, verified",
			  &(struct identity_options){.name = SPAN("00908f123456\0.example"),
						     .issuer = &house.authority});
	check_certificate("client certificate CN=a\\0D\\0Aerror forged\\1B[2J, verified",
			  &(struct identity_options){.name = SPAN("a\r\nerror forged\x1b[2J"),
						     .issuer = &house.authority});
	check_certificate("client certificate CN=me\\, verified, not verified: self-signed "
			  "certificate",
			  &(struct identity_options){.name = SPAN("me, verified")});
	check_certificate("client certificate CN=\\C3\\A9\\\"\\\\, verified",
			  &(struct identity_options){.name = SPAN("\xc3\xa9\"\\"),
						     .issuer = &house.authority});
	close_tls();
}

/* X.520 allows 64 characters; each of these is shown as three. */
static void a_long_name_is_cut_and_its_verdict_is_not(void)
{
	struct span name = SPAN("\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
				"\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
				"\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
				"\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01");
	struct identity phone =
		identity_make(&(struct identity_options){.name = name, .issuer = &house.authority});
	SSL_CTX *client = client_with(0, &phone);
	struct pair pair;
	struct span told;

	open_tls("authority.crt");
	open_pair(&pair, client);
	CHECK(shake_hands(&pair));
	told = tls_session_outcome(pair.server)->client_certificate;
	CHECK(span_ends_with(told, SPAN("..., verified")));
	CHECK(told.length < tls_certificate_text_size);
	close_pair(&pair);
	SSL_CTX_free(client);
	identity_free(&phone);
	close_tls();
}

/* The verdict is of the day of the handshake that it was made in, but for the date. */
static void a_resumed_session_brings_its_certificate(void)
{
	for (size_t i = 0; i < 2; i++) {
		struct identity phone =
			identity_make(&(struct identity_options){.name = SPAN("00908f123456"),
								 .issuer = &house.authority});
		SSL_CTX *client = client_with(versions[i], &phone);
		SSL_SESSION *session;
		struct pair pair;

		open_tls("authority.crt");
		session = connect_once(client, NULL, NULL);
		open_pair(&pair, client);
		SSL_set_session(pair.client, session);
		CHECK(shake_hands(&pair));
		CHECK(tls_session_outcome(pair.server)->is_resumed);
		CHECK_TEXT("client certificate CN=00908f123456, verified",
			   tls_session_outcome(pair.server)->client_certificate);
		CHECK_EQUAL(2, tls->counters.client_verified);
		close_pair(&pair);
		SSL_SESSION_free(session);
		SSL_CTX_free(client);
		identity_free(&phone);
		close_tls();
	}
}

/* As on a session that was resumed: OpenSSL's verdict is good, and the day is another one. */
static void a_certificate_that_has_expired_since_is_not_verified(void)
{
	open_tls("authority.crt");
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(tls->context), X509_V_FLAG_NO_CHECK_TIME);
	check_certificate("client certificate CN=old, not verified: certificate has expired",
			  &(struct identity_options){.name = SPAN("old"),
						     .issuer = &house.authority,
						     .begin_day = -9,
						     .end_day = -1});
	CHECK_EQUAL(0, tls->counters.client_verified);
	close_tls();
}

int main(void)
{
	tls_house_open(&house);
	RUN(a_phone_s_certificate_is_looked_at_and_never_required);
	RUN(names_of_certificates_say_what_is_in_them);
	RUN(a_long_name_is_cut_and_its_verdict_is_not);
	RUN(a_resumed_session_brings_its_certificate);
	RUN(a_certificate_that_has_expired_since_is_not_verified);
	return tls_house_close(&house) == 0 ? test_end() : 1;
}
