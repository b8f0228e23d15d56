/* SPDX-License-Identifier: MIT */
/* The files of [https]: every mistake has its own sentence, and what only troubles is a warning. */
#include "io/tls_context.h"
#include "io/tls_tickets.h"
#include "tests/certificates.h"
#include "tests/test.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <sys/mman.h>

static char folder[] = "/tmp/bellhop-tls-XXXXXX";
static struct identity server;
static struct identity authority;
static struct log logger;
static int log_fd;

/* What was logged since the last call. */
static struct span logged(void)
{
	static char text[4096];
	ssize_t length = pread(log_fd, text, sizeof(text), 0);

	if (length < 0 || ftruncate(log_fd, 0) != 0) {
		abort();
	}
	lseek(log_fd, 0, SEEK_SET);
	return span_make(text, (size_t)length);
}

static bool has_logged(const char *text)
{
	struct span all = logged();
	bool is_there = span_search(all, span_text(text)) < all.length;

	if (!is_there) {
		test_print_span("logged", all);
	}
	return is_there;
}

/* The path of a file of the folder; "" stays what it is. */
static const char *place(const char *name, char path[static 128])
{
	snprintf(path, 128, name[0] ? "%s/%s" : "%.0s%s", folder, name);
	return path;
}

static int load(const char *certificate, const char *key, const char *client_ca, SSL_CTX **context,
		struct tls_problem *problem)
{
	char paths[3][128];
	struct tls_files files = {place(certificate, paths[0]), place(key, paths[1]),
				  place(client_ca, paths[2])};

	*problem = (struct tls_problem){.file = TLS_FILE_CERTIFICATE};
	return tls_context_load(context, &files, &logger, problem);
}

static void check_good(const char *certificate, const char *key, const char *client_ca)
{
	struct tls_problem problem;
	SSL_CTX *context = NULL;

	CHECK_EQUAL(0, load(certificate, key, client_ca, &context, &problem));
	CHECK_TEXT("", span_text(problem.sentence));
	CHECK(context != NULL);
	SSL_CTX_free(context);
}

static void check_refused(int error, enum tls_file file, const char *sentence,
			  const char *certificate, const char *key, const char *client_ca)
{
	struct tls_problem problem;
	SSL_CTX *context = (SSL_CTX *)&problem;
	struct span told;

	CHECK_EQUAL(error, load(certificate, key, client_ca, &context, &problem));
	CHECK(context == (SSL_CTX *)&problem); /* left alone */
	CHECK_EQUAL(file, problem.file);
	told = span_text(problem.sentence);
	CHECK(span_starts_with(told, span_text(folder)));
	CHECK(span_search(told, span_text(sentence)) < told.length);
	CHECK(span_search(told, SPAN("PRIVATE KEY-----")) == told.length);
	if (test_is_failed) {
		printf("# %s\n", problem.sentence);
	}
}

static void write_text(const char *name, mode_t mode, const char *text, size_t times)
{
	FILE *file = certificates_file(folder, name, mode);

	for (size_t i = 0; i < times; i++) {
		fputs(text, file);
	}
	fclose(file);
}

static void good_files_are_taken_without_a_word(void)
{
	check_good("server.crt", "server.key", "");
	check_good("server.crt", "server.key", "authority.crt");
	/* Both in one file, in either order. */
	check_good("both.pem", "both.pem", "");
	CHECK_TEXT("", logged());
}

static void the_chain_of_the_file_is_sent(void)
{
	const struct identity *issuers[] = {&authority, NULL};
	struct tls_problem problem;
	STACK_OF(X509) *chain = NULL;
	SSL_CTX *context;

	identity_write(&server, folder, "chain", issuers);
	REQUIRE(load("chain.crt", "chain.key", "", &context, &problem) == 0);
	SSL_CTX_get0_chain_certs(context, &chain);
	CHECK_EQUAL(1, sk_X509_num(chain));
	CHECK(X509_cmp(sk_X509_value(chain, 0), authority.certificate) == 0);
	CHECK(X509_cmp(SSL_CTX_get0_certificate(context), server.certificate) == 0);
	SSL_CTX_free(context);
}

static void mistakes_of_the_certificate(void)
{
	struct identity weak =
		identity_make(&(struct identity_options){.name = SPAN("weak"), .rsa_bits = 1024});

	identity_write(&weak, folder, "weak", NULL);
	write_text("empty", 0600, "", 0);
	write_text("text", 0600, "no PEM at all\n", 100);
	write_text("huge", 0600, "no PEM at all\n", 100000);
	write_text("damaged.crt", 0600,
		   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1);
	check_refused(-ENOENT, TLS_FILE_CERTIFICATE, "cannot be read: No such file or directory",
		      "nothing.crt", "server.key", "");
	check_refused(-EISDIR, TLS_FILE_CERTIFICATE, "cannot be read: Is a directory", ".",
		      "server.key", "");
	check_refused(-EFBIG, TLS_FILE_CERTIFICATE, "File too large", "huge", "server.key", "");
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = {"empty", "text", "server.key"};

		check_refused(-EINVAL, TLS_FILE_CERTIFICATE, "holds no certificate", names[i],
			      "server.key", "");
	}
	check_refused(-EINVAL, TLS_FILE_CERTIFICATE, "certificate 1 of it cannot be read",
		      "damaged.crt", "server.key", "");
	check_refused(-EINVAL, TLS_FILE_CERTIFICATE, "ee key too small", "weak.crt", "weak.key",
		      "");
	identity_free(&weak);
}

static void mistakes_of_the_key(void)
{
	FILE *file = certificates_file(folder, "locked.key", 0600);

	certificates_need(PEM_write_PrivateKey(file, server.key, EVP_aes_128_cbc(),
					       (const unsigned char *)"secret", 6, NULL,
					       NULL) == 1);
	fclose(file);
	write_text("damaged.key", 0600,
		   "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 1);
	check_refused(-ENOENT, TLS_FILE_KEY, "cannot be read", "server.crt", "nothing.key", "");
	check_refused(-EINVAL, TLS_FILE_KEY, "holds no private key", "server.crt", "server.crt",
		      "");
	check_refused(-EINVAL, TLS_FILE_KEY, "holds no private key", "server.crt", "damaged.key",
		      "");
	check_refused(-EKEYREJECTED, TLS_FILE_KEY, "encrypted with a passphrase", "server.crt",
		      "locked.key", "");
	check_refused(-EKEYREJECTED, TLS_FILE_KEY, "does not belong to the first certificate in",
		      "server.crt", "authority.key", "");
	if (geteuid() != 0) {
		write_text("closed.key", 0, "", 0);
		check_refused(-EACCES, TLS_FILE_KEY, "let the server's user read it", "server.crt",
			      "closed.key", "");
	}
}

static void mistakes_of_the_client_ca(void)
{
	const struct identity *issuers[] = {&authority, NULL};
	FILE *file;

	check_refused(-ENOENT, TLS_FILE_CLIENT_CA, "cannot be read", "server.crt", "server.key",
		      "nothing.crt");
	check_refused(-EINVAL, TLS_FILE_CLIENT_CA, "holds no certificate", "server.crt",
		      "server.key", "empty");
	/* Damage behind what is good is no less a mistake: somebody is missing. */
	identity_write(&authority, folder, "half", issuers);
	file = fopen(place("half.crt", (char[128]){0}), "a");
	fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file);
	fclose(file);
	check_refused(-EINVAL, TLS_FILE_CLIENT_CA, "certificate 3 of it cannot be read",
		      "server.crt", "server.key", "half.crt");
	CHECK_TEXT("", logged());
}

static void what_will_trouble_somebody_is_a_warning(void)
{
	struct identity old = identity_make(
		&(struct identity_options){.name = SPAN("old"), .begin_day = -10, .end_day = -1});
	struct identity young = identity_make(
		&(struct identity_options){.name = SPAN("young"), .begin_day = 2, .end_day = 10});

	identity_write(&old, folder, "old", NULL);
	identity_write(&young, folder, "young", NULL);
	check_good("old.crt", "old.key", "");
	CHECK(has_logged("warning https_certificate: the certificate in"));
	check_good("old.crt", "old.key", "");
	CHECK(has_logged("expired on 2"));
	check_good("young.crt", "young.key", "");
	CHECK(has_logged("is not valid before 2"));
	chmod(place("server.key", (char[128]){0}), 0644);
	check_good("server.crt", "server.key", "");
	CHECK(has_logged("(mode 0644); chmod 0600 it"));
	chmod(place("server.key", (char[128]){0}), 0640);
	check_good("server.crt", "server.key", "");
	CHECK_TEXT("", logged()); /* a group of its own is a common way */
	identity_free(&old);
	identity_free(&young);
}

static void a_ticket_key_turns_and_the_last_one_opens_for_a_while(void)
{
	enum { start_ms = 1000, life_ms = tls_ticket_key_life_ms };
	uint8_t seed[random_seed_size] = {1};
	struct tls_tickets tickets;
	uint8_t first[tls_ticket_name_size];
	uint8_t second[tls_ticket_name_size];
	uint8_t strange[tls_ticket_name_size] = {0};
	bool is_current = false;

	tls_tickets_init(&tickets, seed, start_ms);
	memcpy(first, tls_tickets_current(&tickets, start_ms)->name, sizeof(first));
	CHECK(tls_tickets_find(&tickets, strange, start_ms, &is_current) == NULL);
	CHECK(tls_tickets_find(&tickets, first, start_ms + life_ms - 1, &is_current) != NULL);
	CHECK(is_current);
	CHECK(tls_tickets_find(&tickets, first, start_ms + life_ms, &is_current) != NULL);
	CHECK(!is_current);
	memcpy(second, tls_tickets_current(&tickets, start_ms + life_ms)->name, sizeof(second));
	CHECK(memcmp(first, second, sizeof(first)) != 0);
	CHECK(tls_tickets_find(&tickets, second, start_ms + life_ms, &is_current) != NULL);
	CHECK(is_current);
	CHECK(tls_tickets_find(&tickets, first, start_ms + 2 * (uint64_t)life_ms - 1,
			       &is_current) != NULL);
	CHECK(tls_tickets_find(&tickets, first, start_ms + 2 * (uint64_t)life_ms, &is_current) ==
	      NULL);
	/* After a long silence nothing of before opens, nor does a name of zeros: it is wiped. */
	CHECK(tls_tickets_find(&tickets, second, start_ms + 9 * (uint64_t)life_ms, &is_current) ==
	      NULL);
	CHECK(tls_tickets_find(&tickets, strange, start_ms + 9 * (uint64_t)life_ms, &is_current) ==
	      NULL);
	CHECK_SPAN(span_make((const char *)&(struct tls_ticket_key){{0}, {0}, {0}},
			     sizeof(struct tls_ticket_key)),
		   span_make((const char *)&tickets.previous, sizeof(tickets.previous)));
	tls_tickets_free(&tickets);
}

static void make_files(void)
{
	FILE *file;

	if (!mkdtemp(folder)) {
		abort();
	}
	server = identity_make(&(struct identity_options){.name = SPAN("bellhop")});
	authority = identity_make(
		&(struct identity_options){.name = SPAN("authority"), .is_authority = true});
	identity_write(&server, folder, "server", NULL);
	identity_write(&authority, folder, "authority", NULL);
	file = certificates_file(folder, "both.pem", 0600);
	certificates_need(PEM_write_PrivateKey(file, server.key, NULL, NULL, 0, NULL, NULL) == 1 &&
			  PEM_write_X509(file, server.certificate) == 1);
	fclose(file);
	log_fd = memfd_create("log", MFD_CLOEXEC);
	log_init(&logger, log_fd, LOG_TEXT, REPORT_DEBUG);
}

int main(void)
{
	char command[64];

	make_files();
	RUN(good_files_are_taken_without_a_word);
	RUN(the_chain_of_the_file_is_sent);
	RUN(mistakes_of_the_certificate);
	RUN(mistakes_of_the_key);
	RUN(mistakes_of_the_client_ca);
	RUN(what_will_trouble_somebody_is_a_warning);
	RUN(a_ticket_key_turns_and_the_last_one_opens_for_a_while);
	identity_free(&server);
	identity_free(&authority);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? test_end() : 1;
}
