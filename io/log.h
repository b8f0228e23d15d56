/* SPDX-License-Identifier: MIT */
/*
 * The log: one line a report, one write(2) a line, to stderr. As text
 *
 *	2026-11-22T21:55:46.123Z info notify_sent mac=00908f123456 source=10.13.2.37:5060: sentence
 *
 * or as one JSON object a line (time, level, reason, mac, source, text). When journald reads
 * (JOURNAL_STREAM names the very file that the descriptor is), a line of text begins with the
 * priority, `<6>notify_sent ...`, in place of time and level, and a JSON line with the priority.
 *
 * Whatever text comes in, a line stays one line: controls and broken UTF-8 are shown as \xHH and
 * the like, and a text too long is cut and ends in "..." (security.md B22). Secrets are never given
 * to the log. All functions may be called by any thread.
 */
#ifndef BELLHOP_IO_LOG_H
#define BELLHOP_IO_LOG_H

#include "core/base/effects.h"

#include <stdatomic.h>

enum { log_line_max = 4096 }; /* with the line feed; what a pipe takes in one piece */

enum log_format { LOG_TEXT, LOG_JSON };

struct log {
	int descriptor;
	enum log_format format;
	bool is_journal;       /* lines carry `<N>` */
	_Atomic int level;     /* enum report_level; lower ones are not written */
	_Atomic uint64_t lost; /* lines that could not be written */
};

/* Writes to `descriptor` (usually 2), which stays the caller's. Looks at $JOURNAL_STREAM. */
void log_init(struct log *log, int descriptor, enum log_format format, enum report_level level);

/* For a reload: takes effect with the next line. */
void log_set_level(struct log *log, enum report_level level);

/* Would a line of this level be written? */
bool log_is_wanted(const struct log *log, enum report_level level);

/* "error", "warning", "info", "debug" and back: 0 and `*level`, or -EINVAL. */
const char *log_level_name(enum report_level level);
int log_level_parse(struct span name, enum report_level *level);

/* "text", "json": 0 and `*format`, or -EINVAL. */
int log_format_parse(struct span name, enum log_format *format);

/* One line for a report of core. */
void log_report(struct log *log, const struct effect_report *report);

/*
 * One line of the shell's own: `reason` is a constant word, the rest a sentence for people. A NULL
 * log is silence.
 */
void log_error(struct log *log, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_warning(struct log *log, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_info(struct log *log, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_debug(struct log *log, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The line as it would be written, for the log itself and its tests; `utc_ms` is the time shown. */
void log_line_write(const struct log *log, const struct effect_report *report, uint64_t utc_ms,
		    struct writer *line);

#endif
