/* SPDX-License-Identifier: MIT */
#include "io/log.h"

#include "core/base/time.h"
#include "io/loop.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { line_tail_max = 8 }; /* room kept for `..."}` and the line feed */

static const char *const level_names[] = {
	[REPORT_DEBUG] = "debug",
	[REPORT_INFO] = "info",
	[REPORT_WARNING] = "warning",
	[REPORT_ERROR] = "error",
};

/* Priorities of syslog(3), as sd-daemon(3) reads them at the start of a line. */
static const char *const level_priorities[] = {
	[REPORT_DEBUG] = "<7>",
	[REPORT_INFO] = "<6>",
	[REPORT_WARNING] = "<4>",
	[REPORT_ERROR] = "<3>",
};

/* systemd.exec(5), JOURNAL_STREAM: device and inode of the stream that goes to the journal. */
static bool descriptor_is_journal(int descriptor)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device;
	unsigned long long inode;
	struct stat info;
	char rest;

	return stream && sscanf(stream, "%llu:%llu%c", &device, &inode, &rest) == 2 &&
	       fstat(descriptor, &info) == 0 && info.st_dev == device && info.st_ino == inode;
}

void log_init(struct log *log, int descriptor, enum log_format format, enum report_level level)
{
	log->descriptor = descriptor;
	log->format = format;
	log->is_journal = descriptor_is_journal(descriptor);
	atomic_init(&log->level, level);
	atomic_init(&log->lost, 0);
}

void log_set_level(struct log *log, enum report_level level)
{
	atomic_store_explicit(&log->level, level, memory_order_relaxed);
}

bool log_is_wanted(const struct log *log, enum report_level level)
{
	return (int)level >= atomic_load_explicit(&log->level, memory_order_relaxed);
}

const char *log_level_name(enum report_level level)
{
	return level_names[level];
}

int log_level_parse(struct span name, enum report_level *level)
{
	for (int i = REPORT_DEBUG; i <= REPORT_ERROR; i++) {
		if (span_equal(name, span_text(level_names[i]))) {
			*level = (enum report_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

int log_format_parse(struct span name, enum log_format *format)
{
	if (span_equal(name, SPAN("text"))) {
		*format = LOG_TEXT;
	} else if (span_equal(name, SPAN("json"))) {
		*format = LOG_JSON;
	} else {
		return -EINVAL;
	}
	return 0;
}

/*
 * Octets of the printable character at the start of `s`: 1 to 4, or 0 for a control (C0, DEL, C1)
 * and for what is not well-formed UTF-8 (RFC 3629 4).
 */
static size_t printable_length(struct span s)
{
	const uint8_t *in = (const uint8_t *)s.data;
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	size_t length;

	if (in[0] < 0x80) {
		return in[0] >= 0x20 && in[0] != 0x7f;
	}
	if (in[0] >= 0xc2 && in[0] <= 0xdf) {
		length = 2;
		low = in[0] == 0xc2 ? 0xa0 : 0x80;
	} else if ((in[0] & 0xf0) == 0xe0) {
		length = 3;
		low = in[0] == 0xe0 ? 0xa0 : 0x80;
		high = in[0] == 0xed ? 0x9f : 0xbf;
	} else if (in[0] >= 0xf0 && in[0] <= 0xf4) {
		length = 4;
		low = in[0] == 0xf0 ? 0x90 : 0x80;
		high = in[0] == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (s.length < length || in[1] < low || in[1] > high) {
		return 0;
	}
	for (size_t i = 2; i < length; i++) {
		if ((in[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return length;
}

/*
 * The text so that it cannot leave its line, cut where the line would be too long. A JSON string's
 * own escapes come on top: quotes and back-slashes (RFC 8259 7).
 */
static void write_text(struct writer *w, struct span text, bool is_json)
{
	while (text.length > 0) {
		char piece_buffer[8];
		struct writer piece = writer_over(piece_buffer, sizeof(piece_buffer));
		size_t length = printable_length(text);

		if (length == 0) {
			writer_text(&piece, is_json ? "\\\\x" : "\\x");
			writer_hex(&piece, text.data, 1);
			length = 1;
		} else {
			if (is_json && (text.data[0] == '"' || text.data[0] == '\\')) {
				writer_char(&piece, '\\');
			}
			writer_put(&piece, span_slice(text, 0, length));
		}
		if (w->failed || w->size - w->length < piece.length + line_tail_max) {
			writer_text(w, "...");
			return;
		}
		writer_put(w, writer_span(&piece));
		text = span_slice(text, length, text.length);
	}
}

static void write_line_json(const struct effect_report *report, uint64_t utc_ms, struct writer *w)
{
	writer_text(w, "{\"time\":\"");
	time_write_rfc3339(w, utc_ms);
	writer_text(w, "\",\"level\":\"");
	writer_text(w, level_names[report->level]);
	writer_text(w, "\",\"reason\":\"");
	write_text(w, span_text(report->reason), true);
	if (report->has_mac) {
		writer_text(w, "\",\"mac\":\"");
		mac_write(w, report->mac);
	}
	if (address_is_set(report->source.address)) {
		writer_text(w, "\",\"source\":\"");
		endpoint_write(w, report->source);
	}
	writer_text(w, "\",\"text\":\"");
	write_text(w, report->text, true);
	writer_text(w, "\"}\n");
}

static void write_line_text(const struct log *log, const struct effect_report *report,
			    uint64_t utc_ms, struct writer *w)
{
	if (!log->is_journal) {
		time_write_rfc3339(w, utc_ms);
		writer_char(w, ' ');
		writer_text(w, level_names[report->level]);
		writer_char(w, ' ');
	}
	write_text(w, span_text(report->reason), false);
	if (report->has_mac) {
		writer_text(w, " mac=");
		mac_write(w, report->mac);
	}
	if (address_is_set(report->source.address)) {
		writer_text(w, " source=");
		endpoint_write(w, report->source);
	}
	writer_text(w, ": ");
	write_text(w, report->text, false);
	writer_char(w, '\n');
}

void log_line_write(const struct log *log, const struct effect_report *report, uint64_t utc_ms,
		    struct writer *line)
{
	if (log->is_journal) {
		writer_text(line, level_priorities[report->level]);
	}
	if (log->format == LOG_JSON) {
		write_line_json(report, utc_ms, line);
	} else {
		write_line_text(log, report, utc_ms, line);
	}
}

/* Apart from log_report, so that a report that nobody wants does not clear the buffer. */
static __attribute__((noinline)) void write_line(struct log *log,
						 const struct effect_report *report)
{
	char buffer[log_line_max];
	struct writer line = writer_over(buffer, sizeof(buffer));
	ssize_t written;

	log_line_write(log, report, loop_utc_ms(), &line);
	do {
		written = write(log->descriptor, line.data, line.length);
	} while (written < 0 && errno == EINTR);
	if (written != (ssize_t)line.length) {
		atomic_fetch_add_explicit(&log->lost, 1, memory_order_relaxed);
	}
}

void log_report(struct log *log, const struct effect_report *report)
{
	if (log && log_is_wanted(log, report->level)) {
		write_line(log, report);
	}
}

static void log_sentence(struct log *log, enum report_level level, const char *reason,
			 const char *format, va_list arguments)
	__attribute__((format(printf, 4, 0)));

static void log_sentence(struct log *log, enum report_level level, const char *reason,
			 const char *format, va_list arguments)
{
	char text[log_line_max];

	if (!log || !log_is_wanted(log, level)) {
		return;
	}
	if (vsnprintf(text, sizeof(text), format, arguments) < 0) {
		text[0] = '\0';
	}
	log_report(log, &(struct effect_report){.level = level,
						.reason = reason,
						.text = span_text(text)});
}

void log_error(struct log *log, const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_sentence(log, REPORT_ERROR, reason, format, arguments);
	va_end(arguments);
}

void log_warning(struct log *log, const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_sentence(log, REPORT_WARNING, reason, format, arguments);
	va_end(arguments);
}

void log_info(struct log *log, const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_sentence(log, REPORT_INFO, reason, format, arguments);
	va_end(arguments);
}

void log_debug(struct log *log, const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_sentence(log, REPORT_DEBUG, reason, format, arguments);
	va_end(arguments);
}
