/* SPDX-License-Identifier: MIT */
/* Who gets the group's datagrams beside us: a /proc of our own making, and the real one. */
#include "io/pbx_beside.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[] = "/tmp/bellhop-pbx-XXXXXX";

static struct endpoint group(uint16_t port)
{
	return (struct endpoint){address_ipv4(224, 0, 1, 75), port};
}

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
		abort();
	}
}

static void make(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	if (mkdir(path, 0700) != 0) {
		abort();
	}
}

static void own(const char *descriptor, const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, descriptor);
	if (symlink(target, path) != 0) {
		abort();
	}
}

#define UDP_HEAD                                                                                   \
	"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
#define UDP_REST ":13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000 "

static void make_proc(void)
{
	char ours[64];

	REQUIRE(mkdtemp(root));
	make("net");
	/* The wildcard, an address of its own, the group, another port, and what is no line. */
	put("net/udp",
	    UDP_HEAD "  11: 00000000" UDP_REST "  112        0 4001 2 0 0\n"
		     "  12: 0100007F" UDP_REST "  112        0 4002 2 0 0\n"
		     "  13: 4B0100E0" UDP_REST "    0        0 4003 2 0 0\n"
		     "  14: 00000000:13C5 00000000:0000 07 00000000:00000000 00:00000000 "
		     "00000000     0        0 4004 2 0 0\n"
		     "  15: 0000\n");
	put("net/udp6",
	    UDP_HEAD "  21: 00000000000000000000000000000000:13C4 "
		     "00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 "
		     "00000000  1000        0 4005 2 0 0\n");
	make("77");
	make("77/fd");
	put("77/comm", "asterisk\n");
	own("77/fd/3", "/dev/null");
	own("77/fd/4", "socket:[4001]");
	snprintf(ours, sizeof(ours), "%d", (int)getpid());
	make(ours);
	snprintf(ours, sizeof(ours), "%d/fd", (int)getpid());
	make(ours);
	snprintf(ours, sizeof(ours), "%d/fd/9", (int)getpid());
	own(ours, "socket:[4003]");
}

static void finds_who_gets_the_group(void)
{
	struct pbx_holder holders[4] = {0};

	make_proc();
	CHECK_EQUAL(2, pbx_beside_find(root, group(5060), holders, 4));
	CHECK(address_is_any(holders[0].bound));
	CHECK_EQUAL(77, holders[0].pid);
	CHECK_EQUAL(112, holders[0].uid);
	CHECK_TEXT("asterisk", span_text(holders[0].name));
	CHECK_EQUAL(ADDRESS_IPV6, holders[1].bound.family);
	CHECK_EQUAL(0, holders[1].pid); /* somebody whom we may not see */
	CHECK_TEXT("", span_text(holders[1].name));
	/* Counted beyond the room; nobody on another port. */
	CHECK_EQUAL(2, pbx_beside_find(root, group(5060), holders, 0));
	CHECK_EQUAL(0, pbx_beside_find(root, group(5062), holders, 4));
	CHECK_EQUAL(-ENOENT, pbx_beside_find("/nowhere", group(5060), holders, 4));
}

static void finds_a_real_one(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	socklen_t length = sizeof(any);
	struct pbx_holder holders[4] = {0};
	int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;
	int ready[2];
	pid_t child;

	REQUIRE(pipe(ready) == 0);
	REQUIRE(bind(descriptor, (struct sockaddr *)&any, sizeof(any)) == 0);
	REQUIRE(getsockname(descriptor, (struct sockaddr *)&any, &length) == 0);
	/* Ours: none. */
	CHECK_EQUAL(0, pbx_beside_find("/proc", group(ntohs(any.sin_port)), holders, 4));
	child = fork();
	if (child == 0) {
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	REQUIRE(read(ready[0], &byte, 1) == 1);
	close(descriptor);
	CHECK_EQUAL(1, pbx_beside_find("/proc", group(ntohs(any.sin_port)), holders, 4));
	CHECK_EQUAL(child, holders[0].pid);
	CHECK(holders[0].name[0] != '\0');
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static const char *document = "doc/pbx-beside.md";

/* What an admin reads in the document is what is printed. */
static void writes_the_rule_as_the_document_has_it(void)
{
	char text[pbx_rule_size];
	char indented[2 * pbx_rule_size];
	char page[16384];
	struct writer w = writer_over(text, sizeof(text));
	struct writer in = writer_over(indented, sizeof(indented));
	FILE *file = fopen(document, "r");
	size_t length;

	REQUIRE(file);
	length = fread(page, 1, sizeof(page), file);
	fclose(file);
	pbx_rule_write(&w, group(5060));
	REQUIRE(!w.failed);
	for (struct span rest = writer_span(&w); rest.length > 0;) {
		writer_text(&in, "   ");
		writer_put(&in, span_cut(&rest, '\n'));
		writer_char(&in, '\n');
	}
	CHECK(span_search(span_make(page, length), writer_span(&in)) < length);
	w = writer_over(text, sizeof(text));
	pbx_rule_write(&w, group(5999));
	CHECK(span_search(writer_span(&w), SPAN("udp dport 5999 counter drop\n")) < w.length);
}

int main(int argc, char **argv)
{
	document = argc > 1 ? argv[1] : document;
	RUN(finds_who_gets_the_group);
	RUN(finds_a_real_one);
	RUN(writes_the_rule_as_the_document_has_it);
	return test_end();
}
