/* SPDX-License-Identifier: MIT */
/* The log: one line a report, whatever is in it (security.md B22). */
#include "io/log.h"
#include "tests/test.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t some_utc_ms = 1795384546123; /* 2026-11-22T21:55:46.123Z */

static char line_buffer[log_line_max];

static struct span line_of(const struct log *log, const struct effect_report *report)
{
	struct writer line = writer_over(line_buffer, sizeof(line_buffer));

	log_line_write(log, report, some_utc_ms, &line);
	CHECK(!line.failed);
	return writer_span(&line);
}

static struct effect_report full_report(struct span text)
{
	return (struct effect_report){
		.level = REPORT_INFO,
		.reason = "notify_sent",
		.text = text,
		.source = {address_ipv4(10, 13, 2, 37), 5060},
		.has_mac = true,
		.mac = {{0x00, 0x90, 0x8f, 0x12, 0x34, 0x56}},
	};
}

static void text_line_has_time_level_reason_mac_source(void)
{
	struct log log = {.descriptor = -1, .format = LOG_TEXT};
	struct effect_report report = full_report(SPAN("it went out"));

	CHECK_TEXT("2026-11-22T21:55:46.123Z info notify_sent mac=00908f123456 "
		   "source=10.13.2.37:5060: it went out\n",
		   line_of(&log, &report));
}

static void journal_line_has_priority_and_no_time(void)
{
	struct log log = {.descriptor = -1, .format = LOG_TEXT, .is_journal = true};
	struct effect_report report = {.level = REPORT_ERROR, .reason = "bad", .text = SPAN("x")};

	CHECK_TEXT("<3>bad: x\n", line_of(&log, &report));
	report.level = REPORT_WARNING;
	CHECK_TEXT("<4>bad: x\n", line_of(&log, &report));
	report.level = REPORT_DEBUG;
	CHECK_TEXT("<7>bad: x\n", line_of(&log, &report));
}

static void json_line_is_one_object(void)
{
	struct log log = {.descriptor = -1, .format = LOG_JSON};
	struct effect_report report = full_report(SPAN("a \"quoted\" \\ path"));

	CHECK_TEXT("{\"time\":\"2026-11-22T21:55:46.123Z\",\"level\":\"info\","
		   "\"reason\":\"notify_sent\",\"mac\":\"00908f123456\","
		   "\"source\":\"10.13.2.37:5060\","
		   "\"text\":\"a \\\"quoted\\\" \\\\ path\"}\n",
		   line_of(&log, &report));
}

static void text_cannot_leave_its_line(void)
{
	struct log log = {.descriptor = -1, .format = LOG_TEXT, .is_journal = true};
	/* A line feed, an escape sequence, DEL, C1 (raw and as UTF-8), broken UTF-8, a NUL. */
	struct effect_report report = {
		.level = REPORT_INFO,
		.reason = "r",
		.text = SPAN("a\nb\x1b[2J\x7f\x9b|\xc2\x9b|\xc3|\xe2\x82|\xed\xa0\x80|\0|\xc3\xa9 "
			     "\xe2\x82\xac \xf0\x9f\x93\x9e"),
	};

	CHECK_TEXT("<6>r: a\\x0ab\\x1b[2J\\x7f\\x9b|\\xc2\\x9b|\\xc3|\\xe2\\x82|\\xed\\xa0\\x80|"
		   "\\x00|\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\x9e\n",
		   line_of(&log, &report));
	log.format = LOG_JSON;
	report.text = SPAN("a\nb");
	CHECK(span_ends_with(line_of(&log, &report), SPAN("\"text\":\"a\\\\x0ab\"}\n")));
}

static void long_text_is_cut_and_the_line_stays_whole(void)
{
	struct log log = {.descriptor = -1, .format = LOG_JSON};
	static char long_text[2 * log_line_max];
	struct effect_report report = full_report(span_make(long_text, sizeof(long_text)));
	struct span line;

	for (int c = 0; c < 256; c += 17) {
		memset(long_text, c, sizeof(long_text));
		log.format = LOG_JSON;
		line = line_of(&log, &report);
		CHECK(span_ends_with(line, SPAN("...\"}\n")));
		CHECK_EQUAL(line.length - 1, span_find(line, '\n'));
		log.format = LOG_TEXT;
		line = line_of(&log, &report);
		CHECK(span_ends_with(line, SPAN("...\n")));
		CHECK_EQUAL(line.length - 1, span_find(line, '\n'));
	}
}

static void levels_and_formats_have_names(void)
{
	enum report_level level = REPORT_ERROR;
	enum log_format format = LOG_TEXT;

	CHECK_EQUAL(0, log_level_parse(SPAN("debug"), &level));
	CHECK_EQUAL(REPORT_DEBUG, level);
	CHECK_EQUAL(-EINVAL, log_level_parse(SPAN("Debug"), &level));
	CHECK_EQUAL(-EINVAL, log_level_parse(SPAN(""), &level));
	CHECK_EQUAL(REPORT_DEBUG, level);
	CHECK_TEXT("warning", span_text(log_level_name(REPORT_WARNING)));
	CHECK_EQUAL(0, log_format_parse(SPAN("json"), &format));
	CHECK_EQUAL(LOG_JSON, format);
	CHECK_EQUAL(-EINVAL, log_format_parse(SPAN("xml"), &format));
}

static void journal_is_known_by_its_stream(void)
{
	int ends[2];
	struct stat info;
	char stream[64];
	struct log log;

	REQUIRE(pipe(ends) == 0);
	REQUIRE(fstat(ends[1], &info) == 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)info.st_dev,
		 (unsigned long long)info.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init(&log, ends[1], LOG_TEXT, REPORT_INFO);
	CHECK(log.is_journal);
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_init(&log, ends[1], LOG_TEXT, REPORT_INFO);
	CHECK(!log.is_journal);
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_init(&log, ends[1], LOG_TEXT, REPORT_INFO);
	CHECK(!log.is_journal);
	unsetenv("JOURNAL_STREAM");
	close(ends[0]);
	close(ends[1]);
}

static void level_decides_what_is_written(void)
{
	int ends[2];
	char bytes[log_line_max];
	struct log log;
	ssize_t length;

	REQUIRE(pipe(ends) == 0);
	log_init(&log, ends[1], LOG_TEXT, REPORT_WARNING);
	log_info(&log, "quiet", "not written");
	log_warning(&log, "loud", "number %d", 7);
	log_set_level(&log, REPORT_ERROR);
	log_warning(&log, "quiet", "not written");
	log_error(NULL, "nobody", "silence");
	length = read(ends[0], bytes, sizeof(bytes));
	REQUIRE(length > 24);
	CHECK_TEXT(" warning loud: number 7\n", span_make(bytes + 24, (size_t)length - 24));
	CHECK_EQUAL(0, log.lost);
	close(ends[0]);
	close(ends[1]);
	log_error(&log, "lost", "the descriptor is closed");
	CHECK_EQUAL(1, log.lost);
}

enum { thread_count = 4, lines_each = 50 };

static void *write_lines(void *context)
{
	for (int i = 0; i < lines_each; i++) {
		log_info(context, "thread", "%0200d", i);
	}
	return NULL;
}

static void lines_of_threads_do_not_mix(void)
{
	char path[] = "/tmp/bellhop-log-XXXXXX";
	int file = mkstemp(path);
	pthread_t threads[thread_count];
	struct log log;
	FILE *lines;
	char line[log_line_max];
	int count = 0;

	REQUIRE(file >= 0);
	unlink(path);
	log_init(&log, file, LOG_TEXT, REPORT_INFO);
	for (int i = 0; i < thread_count; i++) {
		REQUIRE(pthread_create(&threads[i], NULL, write_lines, &log) == 0);
	}
	for (int i = 0; i < thread_count; i++) {
		pthread_join(threads[i], NULL);
	}
	lines = fdopen(file, "r");
	REQUIRE(lines);
	rewind(lines);
	while (fgets(line, sizeof(line), lines)) {
		CHECK_EQUAL(24 + 14 + 200 + 1, strlen(line));
		count++;
	}
	fclose(lines);
	CHECK_EQUAL(thread_count * lines_each, count);
}

int main(void)
{
	RUN(text_line_has_time_level_reason_mac_source);
	RUN(journal_line_has_priority_and_no_time);
	RUN(json_line_is_one_object);
	RUN(text_cannot_leave_its_line);
	RUN(long_text_is_cut_and_the_line_stays_whole);
	RUN(levels_and_formats_have_names);
	RUN(journal_is_known_by_its_stream);
	RUN(level_decides_what_is_written);
	RUN(lines_of_threads_do_not_mix);
	return test_end();
}
