/* SPDX-License-Identifier: MIT */
#include "core/tftp/netascii.h"
#include "core/tftp/packet.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

static void r_tftp_2_reads_requests(void)
{
	struct tftp_packet p;

	CHECK_EQUAL(0, tftp_read(SPAN("\0\1p/0123/440HD.img\0OcTeT\0"), &p));
	CHECK_EQUAL(TFTP_RRQ, p.opcode);
	CHECK_EQUAL(TFTP_OCTET, p.mode);
	CHECK_TEXT("p/0123/440HD.img", p.file);
	CHECK_EQUAL(0, tftp_read(SPAN("\0\2x\0netascii\0"), &p));
	CHECK_EQUAL(TFTP_WRQ, p.opcode);
	CHECK_EQUAL(TFTP_NETASCII, p.mode);
	CHECK_EQUAL(-EPROTO, tftp_read(SPAN("\0\1x\0binary\0"), &p));
	CHECK_EQUAL(-EBADMSG, tftp_read(SPAN("\0\1\0octet\0"), &p));
	CHECK_EQUAL(-EBADMSG, tftp_read(SPAN("\0\1x\0octet"), &p));
	CHECK_EQUAL(-EBADMSG, tftp_read(SPAN("\0\1x"), &p));
	CHECK_EQUAL(-EBADMSG, tftp_read(SPAN("\0\0x\0octet\0"), &p));
	CHECK_EQUAL(-EBADMSG, tftp_read(SPAN("\0\7x\0octet\0"), &p));
	CHECK_EQUAL(-EBADMSG, tftp_read(SPAN("\0\4\0"), &p));
	CHECK_EQUAL(-EBADMSG, tftp_read(SPAN("\0"), &p));
}

static struct tftp_options options_of(struct span tail)
{
	char text[700];
	struct writer w = writer_over(text, sizeof(text));
	struct tftp_packet p = {.opcode = TFTP_ERROR};

	writer_put(&w, SPAN("\0\1x\0octet\0"));
	writer_put(&w, tail);
	CHECK_EQUAL(0, tftp_read(writer_span(&w), &p));
	return p.options;
}

static void r_tftp_15_options_in_any_order_and_case_each_once(void)
{
	struct tftp_options o = options_of(SPAN("windowsize\0"
						"4\0TSIZE\0"
						"0\0timeOut\0"
						"5\0BlkSize\0"
						"1428\0"));

	CHECK(o.has_block_size && o.block_size == 1428);
	CHECK(o.has_transfer_size && o.transfer_size == 0);
	CHECK(o.has_timeout && o.timeout_s == 5);
	CHECK(o.has_window_size && o.window_size == 4);
	CHECK_EQUAL(512, options_of(SPAN("blksize\0"
					 "512\0blksize\0"
					 "1024\0"))
				 .block_size);
	CHECK(!options_of(SPAN("blksize\0")).has_block_size);
	CHECK(!options_of(SPAN("blksize")).has_block_size);
	CHECK(!options_of(SPAN("blksize\0"
			       "1428"))
		       .has_block_size);
}

static void r_tftp_17_unknown_options_are_passed_over(void)
{
	struct tftp_options o = options_of(SPAN("x\0y\0utimeout\0"
						"5\0\0\0blksize\0"
						"1000\0"));

	CHECK_EQUAL(1000, o.block_size);
	CHECK(!o.has_timeout && !o.has_transfer_size && !o.has_window_size);
}

static void r_tftp_34_multicast_is_unknown(void)
{
	struct tftp_options o = options_of(SPAN("multicast\0\0tsize\0"
						"0\0"));

	CHECK(o.has_transfer_size);
	CHECK(!o.has_block_size && !o.has_timeout && !o.has_window_size);
}

/* One option with this value; the pair is written by hand. */
static struct tftp_options option(const char *name, const char *value)
{
	char text[100];
	struct writer w = writer_over(text, sizeof(text));

	writer_text(&w, name);
	writer_u8(&w, 0);
	writer_text(&w, value);
	writer_u8(&w, 0);
	return options_of(writer_span(&w));
}

static void r_tftp_21_blksize_from_8_to_65464(void)
{
	static const char *const bad[] = {
		"0",	"7", "65536", "99999999999999999999", "-1", "+512", "0512", "512x",
		" 512", "",  "0x200",
	};

	CHECK_EQUAL(8, option("blksize", "8").block_size);
	CHECK_EQUAL(65464, option("blksize", "65464").block_size);
	CHECK_EQUAL(65464, option("blksize", "65465").block_size);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(!option("blksize", bad[i]).has_block_size);
	}
}

static void r_tftp_23_timeout_from_1_to_255(void)
{
	CHECK_EQUAL(1, option("timeout", "1").timeout_s);
	CHECK_EQUAL(255, option("timeout", "255").timeout_s);
	CHECK(!option("timeout", "0").has_timeout);
	CHECK(!option("timeout", "256").has_timeout);
	CHECK(!option("timeout", "-1").has_timeout);
}

static void r_tftp_24_tsize_beyond_32_bits(void)
{
	CHECK(option("tsize", "0").has_transfer_size);
	CHECK(option("tsize", "5000000000").transfer_size == UINT64_C(5000000000));
	CHECK(!option("tsize", "9223372036854775808").has_transfer_size);
	CHECK(!option("tsize", "x").has_transfer_size);
}

static void r_tftp_26_windowsize_from_1_to_65535(void)
{
	CHECK_EQUAL(1, option("windowsize", "1").window_size);
	CHECK_EQUAL(65535, option("windowsize", "65535").window_size);
	CHECK(!option("windowsize", "0").has_window_size);
	CHECK(!option("windowsize", "65536").has_window_size);
}

static void r_tftp_38_padding_is_passed_over(void)
{
	char text[600] = "\0\1vmlinux\0octet";
	struct tftp_packet p;

	CHECK_EQUAL(0, tftp_read(span_make(text, 516), &p));
	CHECK_EQUAL(-E2BIG, tftp_read(span_make(text, 517), &p));
	memset(text + 2, 'a', sizeof(text) - 2);
	CHECK_EQUAL(-EMSGSIZE, tftp_read(span_make(text, 600), &p));
}

static void r_tftp_3_netascii_pairs_cross_blocks(void)
{
	struct span text = SPAN("a\nb\rc\n");
	static const char expected[] = "a\r\nb\r\0c\r\n";

	for (size_t size = 1; size < 10; size++) {
		struct netascii state = {0};
		struct span rest = text;
		char got[32];
		size_t length = 0;

		while (rest.length > 0 || state.has_second) {
			struct writer w = writer_over(got + length, size);

			netascii_write(&state, &rest, &w);
			length += w.length;
		}
		CHECK_SPAN(span_make(expected, sizeof(expected) - 1), span_make(got, length));
	}
}

static void r_tftp_11_an_error_has_code_and_text(void)
{
	struct tftp_packet p;

	for (char code = 0; code <= TFTP_ERROR_OPTION; code++) {
		char text[] = {0, 5, 0, code, 'n', 'o', 0};

		CHECK_EQUAL(0, tftp_read(span_make(text, sizeof(text)), &p));
		CHECK_EQUAL(code, p.error);
		CHECK_TEXT("no", p.text);
		CHECK_EQUAL(0, tftp_read(span_make(text, 4), &p)); /* T6: no text, no NUL */
		CHECK_EQUAL(0, p.text.length);
	}
	CHECK_EQUAL(-EBADMSG, tftp_read(SPAN("\0\5\0"), &p));
}

static void writes_what_it_reads(void)
{
	char text[200];
	struct writer w = writer_over(text, sizeof(text));
	struct tftp_options o = {.has_block_size = true,
				 .block_size = 1428,
				 .has_transfer_size = true,
				 .transfer_size = UINT64_C(5000000000)};

	tftp_write_oack(&w, &o);
	CHECK_SPAN(SPAN("\0\6blksize\0"
			"1428\0tsize\0"
			"5000000000\0"),
		   writer_span(&w));
	w = writer_over(text, sizeof(text));
	tftp_write_error(&w, TFTP_ERROR_NOT_FOUND, "no");
	CHECK_SPAN(SPAN("\0\5\0\1no\0"), writer_span(&w));
	w = writer_over(text, sizeof(text));
	tftp_write_data(&w, 65535, SPAN("x"));
	CHECK_SPAN(SPAN("\0\3\xff\xffx"), writer_span(&w));
}

static void read_prefix(struct span input, void *context)
{
	struct tftp_packet p;

	(void)context;
	(void)tftp_read(input, &p);
}

static void reads_no_octet_too_many(void)
{
	guard_each_prefix(SPAN("\0\1name\0octet\0blksize\0"
			       "1428\0tsize\0"
			       "0\0"),
			  read_prefix, NULL);
	guard_each_prefix(SPAN("\0\5\0\1text\0"), read_prefix, NULL);
	guard_each_prefix(SPAN("\0\6blksize\0"
			       "8\0"),
			  read_prefix, NULL);
}

int main(void)
{
	RUN(r_tftp_2_reads_requests);
	RUN(r_tftp_11_an_error_has_code_and_text);
	RUN(r_tftp_15_options_in_any_order_and_case_each_once);
	RUN(r_tftp_17_unknown_options_are_passed_over);
	RUN(r_tftp_21_blksize_from_8_to_65464);
	RUN(r_tftp_23_timeout_from_1_to_255);
	RUN(r_tftp_24_tsize_beyond_32_bits);
	RUN(r_tftp_26_windowsize_from_1_to_65535);
	RUN(r_tftp_34_multicast_is_unknown);
	RUN(r_tftp_38_padding_is_passed_over);
	RUN(r_tftp_3_netascii_pairs_cross_blocks);
	RUN(writes_what_it_reads);
	RUN(reads_no_octet_too_many);
	return test_end();
}
