/* SPDX-License-Identifier: MIT */
/* What the rows of R-TFTP say of sockets and files: on loopback, with the real ones. */
#include "tests/io/tftp_house.h"

static const struct address loopback = {ADDRESS_IPV4, {127, 0, 0, 1}};
static const struct address loopback_ipv6 = {ADDRESS_IPV6, {[15] = 1}};
static const struct address any = {ADDRESS_IPV4, {0}};
static const struct address any_ipv6 = {ADDRESS_IPV6, {0}};
static const struct tftp_options no_options;
static struct tftp_client clients[4];

static void r_tftp_1_each_transfer_has_a_fresh_port(void)
{
	uint64_t ignored;

	tftp_open_house(loopback);
	tftp_make_file("440HD.img", 1500, 1500);
	for (size_t i = 0; i < 4; i++) {
		tftp_open_client(&clients[i], loopback);
		tftp_ask(&clients[i], "440HD.img", &no_options);
		REQUIRE(tftp_await(&clients[i]));
		CHECK_EQUAL(TFTP_DATA, clients[i].packet.opcode);
		CHECK(clients[i].there.port != clients[i].server.port);
		for (size_t j = 0; j < i; j++) {
			CHECK(clients[i].there.port != clients[j].there.port);
		}
	}
	for (uint64_t block = 1; block <= 3; block++) {
		for (size_t i = 0; i < 4; i++) {
			struct endpoint there = clients[i].there;

			CHECK_EQUAL(block, clients[i].packet.block);
			tftp_ack(&clients[i], block);
			if (block < 3) {
				REQUIRE(tftp_await(&clients[i]));
				CHECK(endpoint_equal(there, clients[i].there));
			}
		}
	}
	/* The first one's port is nobody's now: what comes there late reaches no later transfer. */
	tftp_ask(&clients[1], "440HD.img", &no_options);
	REQUIRE(tftp_await(&clients[1]));
	ignored = tftp_door_counters(house.tftp)->ignored;
	CHECK_EQUAL(4, tftp_door_counters(house.tftp)->completed);
	CHECK(!endpoint_equal(clients[1].there, clients[0].there));
	for (int i = 0; i < 10; i++) {
		tftp_ack(&clients[0], 3);
		uv_run(&house.loop.uv, UV_RUN_NOWAIT);
	}
	CHECK_EQUAL(ignored, tftp_door_counters(house.tftp)->ignored);
	tftp_ack(&clients[1], 1);
	REQUIRE(tftp_await(&clients[1]));
	CHECK_EQUAL(2, clients[1].packet.block);
	for (size_t i = 0; i < 4; i++) {
		close(clients[i].descriptor);
	}
	tftp_close_house();
}

static void r_tftp_9_a_stranger_hears_error_5_from_the_transfer(void)
{
	tftp_open_house(loopback);
	tftp_make_file("440HD.img", 1500, 1500);
	tftp_open_client(&clients[0], loopback);
	tftp_open_client(&clients[1], loopback);
	tftp_ask(&clients[0], "440HD.img", &no_options);
	REQUIRE(tftp_await(&clients[0]));
	clients[1].there = clients[0].there;
	tftp_ack(&clients[1], 1);
	REQUIRE(tftp_await(&clients[1]));
	CHECK_EQUAL(TFTP_ERROR, clients[1].packet.opcode);
	CHECK_EQUAL(TFTP_ERROR_TID, clients[1].packet.error);
	CHECK(endpoint_equal(clients[0].there, clients[1].there));
	/* One that is gone when its answer comes: that nobody listens there is not the client's. */
	tftp_ack(&clients[1], 1);
	close(clients[1].descriptor);
	for (int i = 0; i < 20; i++) {
		uv_run(&house.loop.uv, UV_RUN_NOWAIT);
	}
	CHECK_EQUAL(2, tftp_door_counters(house.tftp)->ignored);
	CHECK_EQUAL(1, tftp_door_counters(house.tftp)->open);
	tftp_ack(&clients[0], 1);
	REQUIRE(tftp_await(&clients[0]));
	CHECK_EQUAL(2, clients[0].packet.block);
	close(clients[0].descriptor);
	tftp_close_house();
}

static void a_client_that_is_gone_ends_its_transfer(void)
{
	tftp_open_house(loopback);
	tftp_make_file("440HD.img", 1500, 1500);
	tftp_open_client(&clients[0], loopback);
	tftp_ask(&clients[0], "440HD.img", &no_options);
	close(clients[0].descriptor);
	uv_run(&house.loop.uv, UV_RUN_ONCE);
	tftp_await_end();
	CHECK_EQUAL(1, tftp_door_counters(house.tftp)->abandoned);
	tftp_close_house();
}

/* Fetches on from block 1, which is there; true when the end came, false when an ERROR did. */
static bool fetch_the_rest(struct tftp_client *client)
{
	for (uint64_t block = 1; client->packet.opcode == TFTP_DATA; block++) {
		tftp_ack(client, block);
		if (client->packet.data.length < 512) {
			return true;
		}
		if (!tftp_await(client)) {
			abort();
		}
	}
	return false;
}

/* What is done to the file while it is fetched; true when it arrives all the same. */
static bool arrives_in_spite_of(const char *command)
{
	char script[512];
	bool has_arrived;

	tftp_open_house(loopback);
	tftp_make_file("440HD.img", 300000, 300000);
	tftp_open_client(&clients[0], loopback);
	tftp_ask(&clients[0], "440HD.img", &no_options);
	if (!tftp_await(&clients[0])) {
		abort();
	}
	snprintf(script, sizeof(script), "cd %s/files && %s", house.folder, command);
	CHECK_EQUAL(0, system(script));
	has_arrived = fetch_the_rest(&clients[0]);
	tftp_await_end();
	CHECK_EQUAL(has_arrived, house.fetched);
	close(clients[0].descriptor);
	tftp_close_house();
	return has_arrived;
}

/* One version of it or none: also when who edits it sets its date back. */
static void a_file_edited_in_place_is_cut(void)
{
	CHECK(!arrives_in_spite_of("printf x >>440HD.img"));
	CHECK(!arrives_in_spite_of(
		"printf x | dd of=440HD.img seek=299000 bs=1 conv=notrunc status=none"));
	CHECK(!arrives_in_spite_of(
		"touch -r 440HD.img ../date && "
		"printf x | dd of=440HD.img seek=299000 bs=1 conv=notrunc status=none && "
		"touch -r ../date 440HD.img"));
}

static void a_file_replaced_by_another_comes_to_its_end(void)
{
	CHECK(arrives_in_spite_of("echo new >.new && mv .new 440HD.img"));
	CHECK(arrives_in_spite_of("rm 440HD.img"));
}

/* Asks for a name and wants the one refusal, from the listening port. */
static void check_refused(struct tftp_client *client, const char *name)
{
	tftp_ask(client, name, &no_options);
	REQUIRE(tftp_await(client));
	CHECK_EQUAL(TFTP_ERROR, client->packet.opcode);
	CHECK_EQUAL(TFTP_ERROR_NOT_FOUND, client->packet.error);
	CHECK(endpoint_equal(client->server, client->there));
	if (test_is_failed) {
		printf("# asked for %s\n", name);
	}
}

static void r_tftp_35_no_path_leaves_the_root(void)
{
	/* All of them stand on the list: what is opened is looked at, not the list alone. */
	static const char *const made[] = {"link", "folder", "fifo", "up/passwd", "gone"};
	static const char *const asked[] = {
		"../secret",	 "/../secret",	   "folder/../../secret", "/etc/passwd",
		"..\\secret",	 "folder\\inside", "./440HD.img",	  "C:\\440HD.img",
		"440HD.img/",	 "....//secret",   "%2e%2e/secret",	  "folder/.",
		"440HD.img\x01", "up/secret",
	};
	char command[512];

	tftp_open_house(loopback);
	tftp_make_file("440HD.img", 100, 100);
	snprintf(command, sizeof(command),
		 "cd %s && echo secret >secret && cd files && ln -s ../secret link && mkdir folder "
		 "&& "
		 "echo inside >folder/inside && mkfifo fifo && ln -s .. up",
		 house.folder);
	REQUIRE(system(command) == 0);
	tftp_open_client(&clients[0], loopback);
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
		tftp_list(made[i], 7);
		check_refused(&clients[0], made[i]);
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		check_refused(&clients[0], asked[i]);
	}
	CHECK_EQUAL(100, tftp_fetch(&clients[0], "440HD.img", &no_options, 100));
	close(clients[0].descriptor);
	tftp_close_house();
}

static void check_answers_from(struct address listening, struct address asked)
{
	tftp_open_house(listening);
	tftp_make_file("440HD.img", 100, 100);
	tftp_open_client(&clients[0], asked);
	tftp_ask(&clients[0], "440HD.img", &no_options);
	REQUIRE(tftp_await(&clients[0]));
	CHECK_EQUAL(TFTP_DATA, clients[0].packet.opcode);
	CHECK(address_equal(asked, clients[0].there.address));
	tftp_ack(&clients[0], 1);
	check_refused(&clients[0], "nothing");
	close(clients[0].descriptor);
	tftp_close_house();
}

static void r_tftp_40_the_answer_comes_from_the_address_that_was_asked(void)
{
	check_answers_from(any, address_ipv4(127, 0, 0, 5));
	check_answers_from(any, address_ipv4(127, 99, 1, 2));
	check_answers_from(any_ipv6, loopback_ipv6);
}

/* A broadcast is for nobody in particular, and would be an amplifier. */
static void r_tftp_36_a_broadcast_request_gets_no_answer(void)
{
	int on = 1;

	tftp_open_house(any);
	tftp_make_file("440HD.img", 100, 100);
	tftp_open_client(&clients[0], address_ipv4(127, 255, 255, 255));
	REQUIRE(setsockopt(clients[0].descriptor, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0);
	tftp_ask(&clients[0], "440HD.img", &no_options);
	clients[0].server.address = loopback;
	tftp_ask(&clients[0], "440HD.img", &no_options);
	REQUIRE(tftp_await(&clients[0]));
	CHECK(address_equal(loopback, clients[0].there.address));
	CHECK_EQUAL(1, tftp_door_counters(house.tftp)->ignored);
	CHECK_EQUAL(1, tftp_door_counters(house.tftp)->requests);
	close(clients[0].descriptor);
	tftp_close_house();
}

/* The loopback interface takes 65536 octets, so it gets what any such network would. */
static void fetch_large_blocks(struct address address, uint16_t window_size)
{
	struct tftp_options asked = {.has_block_size = true,
				     .block_size = 65464,
				     .has_window_size = window_size > 0,
				     .window_size = window_size};

	tftp_open_house(address);
	tftp_make_file("big.img", 3000000, 3000000);
	tftp_open_client(&clients[0], address);
	tftp_ask(&clients[0], "big.img", &asked);
	REQUIRE(tftp_await(&clients[0]));
	CHECK_EQUAL(TFTP_OACK, clients[0].packet.opcode);
	CHECK_EQUAL(65464, clients[0].packet.options.block_size);
	tftp_send(&clients[0], clients[0].there, SPAN("\0\5\0\0\0"));
	tftp_await_end();
	CHECK_EQUAL(3000000, tftp_fetch(&clients[0], "big.img", &asked, 3000000));
	close(clients[0].descriptor);
	tftp_close_house();
}

static void r_tftp_22_loopback_takes_the_largest_blocks(void)
{
	fetch_large_blocks(loopback, 0);
	fetch_large_blocks(loopback, 2);
	fetch_large_blocks(loopback_ipv6, 2);
}

static void r_tftp_27_windows_arrive_whole(void)
{
	static const uint16_t sizes[] = {8, 512, 1428, 9000};

	tftp_open_house(loopback);
	tftp_make_file("a.img", 200000, 200000);
	tftp_make_file("b.img", 1428 * 16, 1428 * 16); /* ends with an empty block */
	tftp_open_client(&clients[0], loopback);
	for (size_t i = 0; i < 4; i++) {
		struct tftp_options asked = {.has_block_size = true,
					     .block_size = sizes[i],
					     .has_window_size = true,
					     .window_size = 16};

		CHECK_EQUAL(200000, tftp_fetch(&clients[0], "a.img", &asked, 200000));
		CHECK_EQUAL(1428 * 16, tftp_fetch(&clients[0], "b.img", &asked, 1428 * 16));
	}
	tftp_await_end();
	CHECK_EQUAL(8, house.fetched);
	close(clients[0].descriptor);
	tftp_close_house();
}

/* Holes, so that it takes no room: what is past 4 GiB comes, and is not what lies at its start. */
static void r_tftp_39_a_file_beyond_4_gib(void)
{
	struct tftp_options asked = {.has_block_size = true,
				     .block_size = 65464,
				     .has_transfer_size = true,
				     .has_window_size = true,
				     .window_size = 2};
	off_t size = ((off_t)1 << 32) + 200000;

	tftp_open_house(loopback);
	tftp_make_file("huge.img", 100000, size);
	tftp_open_client(&clients[0], loopback);
	CHECK_EQUAL(size, tftp_fetch(&clients[0], "huge.img", &asked, 100000));
	close(clients[0].descriptor);
	tftp_close_house();
}

int main(void)
{
	RUN(r_tftp_1_each_transfer_has_a_fresh_port);
	RUN(r_tftp_9_a_stranger_hears_error_5_from_the_transfer);
	RUN(a_client_that_is_gone_ends_its_transfer);
	RUN(a_file_edited_in_place_is_cut);
	RUN(a_file_replaced_by_another_comes_to_its_end);
	RUN(r_tftp_22_loopback_takes_the_largest_blocks);
	RUN(r_tftp_27_windows_arrive_whole);
	RUN(r_tftp_35_no_path_leaves_the_root);
	RUN(r_tftp_36_a_broadcast_request_gets_no_answer);
	RUN(r_tftp_39_a_file_beyond_4_gib);
	RUN(r_tftp_40_the_answer_comes_from_the_address_that_was_asked);
	return test_end();
}
