/* SPDX-License-Identifier: MIT */
/*
 * The server's side of TLS over memory, with OpenSSL as the client: handshakes cut at every octet,
 * tickets, and what is no TLS at all. Time is a knob.
 */
#include "io/tls_tickets.h"
#include "tests/guard.h"
#include "tests/tls_pair.h"

#include <errno.h>
#include <malloc.h>

/* Handshakes. */

static void a_connection_opens_speaks_and_ends(void)
{
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = tls_client_context(versions[i]);
		struct pair pair;

		open_tls("");
		open_pair(&pair, client);
		CHECK_EQUAL(-EPROTO, tls_session_write(pair.server, SPAN("too early")));
		REQUIRE(shake_hands(&pair));
		CHECK_EQUAL(versions[i], SSL_version(pair.client));
		CHECK(client_says(&pair, "hello"));
		CHECK(server_says(&pair, "well"));
		CHECK_EQUAL(0, tls_session_end(pair.server));
		take_output(&pair);
		CHECK(!server_says(&pair, "too late"));
		CHECK_EQUAL(0, SSL_read(pair.client, pair.plain, 1));
		CHECK_EQUAL(SSL_ERROR_ZERO_RETURN, SSL_get_error(pair.client, 0));
		/* The peer's side is open still, until it says so. */
		CHECK(client_says(&pair, "and one more"));
		SSL_shutdown(pair.client);
		carry(&pair);
		CHECK_EQUAL(TLS_ENDED, pair.last);
		CHECK(tls_session_peer_left(pair.server));
		CHECK_EQUAL(1, tls->counters.handshakes);
		CHECK_EQUAL(versions[i] == TLS1_2_VERSION, tls->counters.tls_1_2);
		CHECK_EQUAL(0, tls->counters.no_forward_secrecy);
		CHECK_EQUAL(0, tls->counters.no_close_notify);
		close_pair(&pair);
		SSL_CTX_free(client);
		close_tls();
	}
}

static void a_handshake_may_come_in_pieces_of_any_size(void)
{
	open_tls("authority.crt");
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = tls_client_context(versions[i]);

		for (size_t step = 1; step < 600; step += step < 40 ? 1 : 37) {
			struct pair pair;

			open_pair(&pair, client);
			pair.step = step;
			CHECK(shake_hands(&pair));
			SSL_write(pair.client, "in pieces", 9);
			carry(&pair);
			CHECK_TEXT("in pieces", pair.bytes);
			close_pair(&pair);
		}
		SSL_CTX_free(client);
	}
	close_tls();
}

/* The client's first flight, to the octet. */
static struct span record_hello(SSL_CTX *client, char *buffer, size_t size)
{
	SSL *ssl = tls_client_new(client);
	struct span said;

	SSL_do_handshake(ssl);
	ERR_clear_error();
	said = tls_client_output(ssl);
	certificates_need(said.length > 0 && said.length <= size);
	memcpy(buffer, said.data, said.length);
	SSL_free(ssl);
	return span_make(buffer, said.length);
}

static void feed_prefix(struct span prefix, void *context)
{
	struct span whole = *(const struct span *)context;
	char plain[tls_plain_size];
	struct tls_session *session;
	struct span bytes;
	size_t length = 0;
	char *output;

	certificates_need(tls_session_new(&session, tls) == 0);
	tls_session_feed(session, prefix);
	CHECK_EQUAL(TLS_NEEDS_MORE, tls_session_read(session, plain, &bytes));
	CHECK(!tls_session_has_more(session));
	output = tls_session_take_output(session, &length);
	CHECK((output != NULL) == (prefix.length == whole.length));
	free(output);
	tls_session_give_up(session, TLS_FAILURE_CUT);
	CHECK_EQUAL(prefix.length > 0 ? TLS_FAILURE_CUT : TLS_FAILURE_LEFT,
		    tls_session_outcome(session)->failure);
	CHECK_EQUAL(TLS_BROKEN, tls_session_read(session, plain, &bytes));
	tls_session_free(session);
}

static void half_a_hello_waits_and_reads_nothing_beyond(void)
{
	open_tls("");
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = tls_client_context(versions[i]);
		char buffer[4096];
		struct span hello = record_hello(client, buffer, sizeof(buffer));

		guard_each_prefix(hello, feed_prefix, &hello);
		SSL_CTX_free(client);
	}
	CHECK_EQUAL(4, tls->counters.failed[TLS_FAILURE_LEFT]);
	CHECK_EQUAL(0, tls->counters.handshakes);
	close_tls();
}

static void what_is_not_used_up_is_kept(void)
{
	SSL_CTX *client = tls_client_context(0);
	struct pair pair;
	struct span said;
	char *copy;

	open_tls("");
	open_pair(&pair, client);
	REQUIRE(shake_hands(&pair));
	SSL_write(pair.client, "one", 3);
	SSL_write(pair.client, "two", 3);
	said = tls_client_output(pair.client);
	copy = malloc(said.length);
	memcpy(copy, said.data, said.length);
	tls_session_feed(pair.server, span_make(copy, said.length));
	CHECK_EQUAL(TLS_BYTES, tls_session_read(pair.server, pair.plain, &pair.bytes));
	CHECK_TEXT("one", pair.bytes);
	CHECK(tls_session_has_more(pair.server));
	CHECK_EQUAL(0, tls_session_keep(pair.server));
	memset(copy, 0, said.length);
	free(copy);
	CHECK_EQUAL(TLS_BYTES, tls_session_read(pair.server, pair.plain, &pair.bytes));
	CHECK_TEXT("two", pair.bytes);
	CHECK(!tls_session_has_more(pair.server));
	close_pair(&pair);
	SSL_CTX_free(client);
	close_tls();
}

#if !defined(__SANITIZE_ADDRESS__) /* mallinfo2 knows nothing of its memory */
static void a_session_at_rest_keeps_no_record_buffers(void)
{
	SSL_CTX *client = tls_client_context(0);
	struct pair pair;
	size_t before;

	open_tls("");
	open_pair(&pair, client);
	REQUIRE(shake_hands(&pair));
	CHECK(client_says(&pair, "hello"));
	CHECK(server_says(&pair, "well"));
	before = mallinfo2().uordblks;
	tls_session_free(pair.server);
	CHECK(before - mallinfo2().uordblks < tls_plain_size);
	SSL_free(pair.client);
	SSL_CTX_free(client);
	close_tls();
}
#endif

/* Versions, suites, protocols. */

static void ten_year_old_phones_find_a_suite(void)
{
	static const struct {
		const char *suites;
		const char *chosen; /* NULL: none */
		unsigned without_forward_secrecy;
	} rows[] = {
		{"ALL", "ECDHE-RSA-AES128-GCM-SHA256", 0},
		{"ECDHE-RSA-AES128-SHA:AES128-SHA", "ECDHE-RSA-AES128-SHA", 0},
		{"AES256-SHA:AES128-SHA", "AES128-SHA", 1},
		{"AES128-SHA256:AES128-GCM-SHA256", "AES128-GCM-SHA256", 1},
		{"DHE-RSA-AES128-GCM-SHA256", NULL, 0}, /* dear, and whoever has it has another */
		{"ECDHE-RSA-AES128-SHA256:PSK-AES128-GCM-SHA256", NULL, 0},
	};
	struct identity rsa =
		identity_make(&(struct identity_options){.name = SPAN("rsa"), .rsa_bits = 2048});

	identity_write(&rsa, house.folder, "rsa", NULL);
	open_tls("");
	tls_replace(tls, tls_house_context(&house, "rsa", ""));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		SSL_CTX *client = tls_client_context(TLS1_2_VERSION);
		uint64_t before = tls->counters.no_forward_secrecy;
		struct pair pair;

		SSL_CTX_set_cipher_list(client, rows[i].suites);
		open_pair(&pair, client);
		CHECK_EQUAL(rows[i].chosen != NULL, shake_hands(&pair));
		if (rows[i].chosen) {
			CHECK_TEXT(rows[i].chosen, span_text(SSL_get_cipher_name(pair.client)));
		} else {
			CHECK_EQUAL(TLS_FAILURE_NO_SHARED_CIPHER,
				    tls_session_outcome(pair.server)->failure);
		}
		CHECK_EQUAL(rows[i].without_forward_secrecy,
			    tls->counters.no_forward_secrecy - before);
		close_pair(&pair);
		SSL_CTX_free(client);
	}
	identity_free(&rsa);
	close_tls();
}

static void older_than_tls_1_2_is_refused(void)
{
	static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};

	open_tls("");
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = tls_client_context(old[i]);
		struct pair pair;

		SSL_CTX_set_security_level(client, 0);
		SSL_CTX_set_cipher_list(client, "ALL:@SECLEVEL=0");
		open_pair(&pair, client);
		CHECK(!shake_hands(&pair));
		CHECK_EQUAL(TLS_BROKEN, pair.last);
		CHECK_EQUAL(TLS_FAILURE_OLD_VERSION, tls_session_outcome(pair.server)->failure);
		close_pair(&pair);
		SSL_CTX_free(client);
	}
	CHECK_EQUAL(2, tls->counters.failed[TLS_FAILURE_OLD_VERSION]);
	close_tls();
}

/* RFC 7301 3.2 */
static void alpn_chooses_http_or_ends_it(void)
{
	static const struct {
		struct span offered;
		const char *chosen; /* NULL: the handshake fails */
	} rows[] = {
		{{"\x02h2\x08http/1.1", 12}, "http/1.1"},
		{{"\x08http/1.0\x08http/1.1", 18}, "http/1.1"},
		{{"\x08http/1.0", 9}, "http/1.0"},
		{{"\x02h2", 3}, NULL},
		{{"\x03sip\x07http/1.", 12}, NULL},
		{{"", 0}, ""},
	};

	open_tls("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		SSL_CTX *client = tls_client_context(0);
		const unsigned char *chosen;
		unsigned length;
		struct pair pair;

		open_pair(&pair, client);
		SSL_set_alpn_protos(pair.client, (const unsigned char *)rows[i].offered.data,
				    (unsigned)rows[i].offered.length);
		CHECK_EQUAL(rows[i].chosen != NULL, shake_hands(&pair));
		SSL_get0_alpn_selected(pair.client, &chosen, &length);
		if (rows[i].chosen) {
			CHECK_TEXT(rows[i].chosen, span_make((const char *)chosen, length));
		}
		close_pair(&pair);
		SSL_CTX_free(client);
	}
	CHECK_EQUAL(2, tls->counters.failed[TLS_FAILURE_NO_SHARED_PROTOCOL]);
	close_tls();
}

/* What an operator wants to know first: the phones lack our authority. */
static void a_client_that_distrusts_us_is_counted_so(void)
{
	open_tls("");
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = tls_client_context(versions[i]);
		struct pair pair;

		SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
		open_pair(&pair, client);
		CHECK(!shake_hands(&pair));
		CHECK_EQUAL(TLS_FAILURE_DISTRUSTED, tls_session_outcome(pair.server)->failure);
		CHECK_TEXT("tlsv1 alert unknown ca",
			   span_text(tls_session_outcome(pair.server)->detail));
		close_pair(&pair);
		SSL_CTX_free(client);
	}
	CHECK_EQUAL(2, tls->counters.failed[TLS_FAILURE_DISTRUSTED]);
	close_tls();
}

static void a_new_handshake_within_is_refused(void)
{
	SSL_CTX *client = tls_client_context(TLS1_2_VERSION);
	struct pair pair;

	open_tls("");
	open_pair(&pair, client);
	REQUIRE(shake_hands(&pair));
	CHECK_EQUAL(1, SSL_renegotiate(pair.client));
	SSL_do_handshake(pair.client);
	carry(&pair);
	/* The warning ends it for OpenSSL's client; the server would go on. */
	CHECK(SSL_do_handshake(pair.client) != 1);
	CHECK_EQUAL(SSL_R_NO_RENEGOTIATION, ERR_GET_REASON(ERR_peek_error()));
	CHECK_EQUAL(TLS_NEEDS_MORE, pair.last);
	CHECK_EQUAL(1, tls->counters.handshakes);
	ERR_clear_error();
	close_pair(&pair);
	SSL_CTX_free(client);
	close_tls();
}

/* What is no TLS, and what breaks it. */

static void what_is_no_tls_is_told_apart(void)
{
	static const struct {
		struct span octets;
		enum tls_failure failure;
	} rows[] = {
		{{"GET /x HTTP/1.1\r\n\r\n", 19}, TLS_FAILURE_PLAIN_HTTP},
		{{"HEAD / HTTP/1.0\r\n\r\n", 19}, TLS_FAILURE_PLAIN_HTTP},
		{{"CONNECT a:443 HTTP/1.1\r\n", 24}, TLS_FAILURE_PLAIN_HTTP},
		{{"SUBSCRIBE sip:224.0.1.75", 24}, TLS_FAILURE_NO_TLS},
		{{"\0\0\0\0\0\0\0\0\0\0\0\0", 12}, TLS_FAILURE_NO_TLS},
		{{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12}, TLS_FAILURE_NO_TLS},
		{{"\x16\x03\x01\xff\xff\x01\x00\xff\xfb\x03\x03", 11}, TLS_FAILURE_MALFORMED},
		{{"\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9}, TLS_FAILURE_MALFORMED},
		{{"\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9}, TLS_FAILURE_MALFORMED},
		{{"\x17\x03\x03\x00\x04"
		  "abcd",
		  9},
		 TLS_FAILURE_MALFORMED},
		{{"\x15\x03\x01\x00\x02\x02\x30", 7}, TLS_FAILURE_MALFORMED},
	};

	open_tls("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t step = 1; step <= rows[i].octets.length; step += 5) {
			SSL_CTX *client = tls_client_context(0);
			struct pair pair;

			open_pair(&pair, client);
			pair.step = step;
			feed(&pair, rows[i].octets);
			CHECK_EQUAL(TLS_BROKEN, pair.last);
			CHECK_EQUAL(rows[i].failure, tls_session_outcome(pair.server)->failure);
			if (test_is_failed) {
				printf("# row %zu: %s\n", i,
				       tls_session_outcome(pair.server)->detail);
			}
			close_pair(&pair);
			SSL_CTX_free(client);
		}
	}
	close_tls();
}

static void random_octets_never_open_anything(void)
{
	SSL_CTX *client = tls_client_context(0);
	char hello[4096];
	struct span whole = record_hello(client, hello, sizeof(hello));
	struct random random;

	random_init_number(&random, 1);
	open_tls("authority.crt");
	for (unsigned i = 0; i < 2000; i++) {
		char octets[4096];
		struct pair pair;
		size_t length = whole.length;

		/* Noise, or a hello with one octet changed. */
		if (i % 2) {
			length = (size_t)random_below(&random, sizeof(octets));
			random_bytes(&random, octets, length);
		} else {
			memcpy(octets, whole.data, length);
			octets[random_below(&random, length)] ^= (char)random_u64(&random);
		}
		open_pair(&pair, client);
		pair.step = 1 + (size_t)random_below(&random, 600);
		feed(&pair, span_make(octets, length));
		CHECK(!tls_session_outcome(pair.server)->is_open);
		close_pair(&pair);
	}
	CHECK_EQUAL(0, tls->counters.handshakes);
	SSL_CTX_free(client);
	close_tls();
}

static void a_record_that_was_touched_breaks_the_connection(void)
{
	SSL_CTX *client = tls_client_context(0);
	struct pair pair;
	struct span said;
	char octets[256];

	open_tls("");
	open_pair(&pair, client);
	REQUIRE(shake_hands(&pair));
	SSL_write(pair.client, "hello", 5);
	said = tls_client_output(pair.client);
	memcpy(octets, said.data, said.length);
	octets[said.length - 1] ^= 1;
	feed(&pair, span_make(octets, said.length));
	CHECK_EQUAL(TLS_BROKEN, pair.last);
	CHECK_EQUAL(1, tls->counters.broken);
	CHECK_EQUAL(TLS_FAILURE_NONE, tls_session_outcome(pair.server)->failure);
	CHECK_EQUAL(-EPROTO, tls_session_write(pair.server, SPAN("more")));
	CHECK_EQUAL(-EPROTO, tls_session_end(pair.server));
	CHECK(!tls_session_peer_left(pair.server));
	close_pair(&pair);
	SSL_CTX_free(client);
	close_tls();
}

/* Tickets. */

static void a_ticket_resumes_also_after_a_reload(void)
{
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = tls_client_context(versions[i]);
		SSL_SESSION *first;
		SSL_SESSION *second;
		SSL_SESSION *third;
		bool is_resumed = true;

		open_tls("authority.crt");
		first = connect_once(client, NULL, &is_resumed);
		CHECK(!is_resumed);
		second = connect_once(client, first, &is_resumed);
		CHECK(is_resumed);
		tls_replace(tls, tls_house_context(&house, "server", "authority.crt"));
		third = connect_once(client, second, &is_resumed);
		CHECK(is_resumed);
		CHECK_EQUAL(3, tls->counters.handshakes);
		CHECK_EQUAL(2, tls->counters.resumed);
		SSL_SESSION_free(first);
		SSL_SESSION_free(second);
		SSL_SESSION_free(third);
		SSL_CTX_free(client);
		close_tls();
	}
}

static void other_authorities_end_the_sessions_of_before(void)
{
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = tls_client_context(versions[i]);
		SSL_SESSION *first;
		SSL_SESSION *second;
		bool is_resumed = true;

		open_tls("authority.crt");
		first = connect_once(client, NULL, NULL);
		tls_replace(tls, tls_house_context(&house, "server", "server.crt"));
		second = connect_once(client, first, &is_resumed);
		CHECK(!is_resumed);
		SSL_SESSION_free(first);
		SSL_SESSION_free(second);
		SSL_CTX_free(client);
		close_tls();
	}
}

static void an_old_ticket_key_opens_and_brings_a_new_ticket(void)
{
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = tls_client_context(versions[i]);
		SSL_SESSION *first;
		SSL_SESSION *second;
		SSL_SESSION *third;
		SSL_SESSION *fourth;
		bool is_resumed = false;

		open_tls("");
		first = connect_once(client, NULL, NULL);
		now_ms += tls_ticket_key_life_ms;
		second = connect_once(client, first, &is_resumed);
		CHECK(is_resumed);
		now_ms += tls_ticket_key_life_ms;
		/* Gone with its key; the one that it was replaced by is good. */
		third = connect_once(client, first, &is_resumed);
		CHECK(!is_resumed);
		fourth = connect_once(client, second, &is_resumed);
		CHECK(is_resumed);
		SSL_SESSION_free(first);
		SSL_SESSION_free(second);
		SSL_SESSION_free(third);
		SSL_SESSION_free(fourth);
		SSL_CTX_free(client);
		close_tls();
	}
}

static void a_connection_keeps_the_certificate_that_it_began_with(void)
{
	SSL_CTX *client = tls_client_context(0);
	struct identity next = identity_make(&(struct identity_options){.name = SPAN("next")});
	struct pair pair;
	struct pair late;

	identity_write(&next, house.folder, "next", NULL);
	open_tls("");
	open_pair(&pair, client);
	SSL_do_handshake(pair.client); /* the hello waits */
	tls_replace(tls, tls_house_context(&house, "next", ""));
	CHECK(shake_hands(&pair));
	CHECK(X509_cmp(SSL_get0_peer_certificate(pair.client), house.server.certificate) == 0);
	CHECK(client_says(&pair, "still"));
	open_pair(&late, client);
	CHECK(shake_hands(&late));
	CHECK(X509_cmp(SSL_get0_peer_certificate(late.client), next.certificate) == 0);
	close_pair(&pair);
	close_pair(&late);
	identity_free(&next);
	SSL_CTX_free(client);
	close_tls();
}

int main(void)
{
	tls_house_open(&house);
	RUN(a_connection_opens_speaks_and_ends);
	RUN(a_handshake_may_come_in_pieces_of_any_size);
	RUN(half_a_hello_waits_and_reads_nothing_beyond);
	RUN(what_is_not_used_up_is_kept);
#if !defined(__SANITIZE_ADDRESS__)
	RUN(a_session_at_rest_keeps_no_record_buffers);
#endif
	RUN(ten_year_old_phones_find_a_suite);
	RUN(older_than_tls_1_2_is_refused);
	RUN(alpn_chooses_http_or_ends_it);
	RUN(a_client_that_distrusts_us_is_counted_so);
	RUN(a_new_handshake_within_is_refused);
	RUN(what_is_no_tls_is_told_apart);
	RUN(random_octets_never_open_anything);
	RUN(a_record_that_was_touched_breaks_the_connection);
	RUN(a_ticket_resumes_also_after_a_reload);
	RUN(other_authorities_end_the_sessions_of_before);
	RUN(an_old_ticket_key_opens_and_brings_a_new_ticket);
	RUN(a_connection_keeps_the_certificate_that_it_began_with);
	return tls_house_close(&house) == 0 ? test_end() : 1;
}
