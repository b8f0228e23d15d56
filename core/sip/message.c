/* SPDX-License-Identifier: MIT */
/* One walk over the datagram: start line, rows, framing, and what every message must have. */
#include "core/sip/message.h"

#include "core/sip/fill.h"
#include "core/sip/header_at.h"
#include "core/sip/scan.h"

static void note_fault(struct sip_message *message, unsigned status, const char *fault)
{
	if (!message->fault) {
		message->fault_status = status;
		message->fault = fault;
	}
}

/* A control character is legal behind an odd number of back-slashes (R-3261-14). */
static bool is_quoted_pair(const char *start, const char *p)
{
	const char *slash = p;

	while (slash != start && slash[-1] == '\\') {
		slash--;
	}
	return *p != '\r' && ((p - slash) & 1) != 0;
}

/* As find_line_end, where CR LF is not the first control character. */
static const char *find_odd_line_end(const char *p, const char *end, const char **next,
				     bool *is_clean)
{
	const char *start = p;

	for (;; p++) {
		p = sip_find_control(p, end);
		if (p == end) {
			return NULL;
		}
		if (*p == '\n') {
			*next = p + 1;
			return p;
		}
		if (*p == '\r' && end - p >= 2 && p[1] == '\n') {
			*next = p + 2;
			return p;
		}
		*is_clean = *is_clean && is_quoted_pair(start, p);
	}
}

/*
 * The end of the line that `p` stands in and, in `*next`, what follows it; NULL when the datagram
 * ends first. A bare LF ends a line as well; `*is_clean` turns false at an illegal octet.
 */
static inline const char *find_line_end(const char *p, const char *end, const char **next,
					bool *is_clean)
{
	const char *stop = sip_find_control(p, end);

	if (end - stop >= 2 && stop[0] == '\r' && stop[1] == '\n') {
		*next = stop + 2;
		return stop;
	}
	return find_odd_line_end(p, end, next, is_clean);
}

/* SIP/1*DIGIT.1*DIGIT: 0 for 2.0, -EPROTO for another, -EINVAL for something else (R-3261-4). */
static int check_version(struct span text)
{
	const char *end = sip_end(text);
	const char *p;
	const char *dot;

	if (text.length == 7 && sip_load32(text.data + 3) == sip_load32("/2.0") &&
	    sip_same_word(text.data, "SIP", 3)) {
		return 0;
	}
	if (text.length < 7 || !sip_same_word(text.data, "SIP", 3) || text.data[3] != '/') {
		return -EINVAL;
	}
	for (p = text.data + 4; p != end && ascii_is_digit(*p);) {
		p++;
	}
	dot = p;
	if (dot == text.data + 4 || dot == end || *dot != '.' || dot + 1 == end) {
		return -EINVAL;
	}
	for (p = dot + 1; p != end; p++) {
		if (!ascii_is_digit(*p)) {
			return -EINVAL;
		}
	}
	return -EPROTO;
}

/* Method SP Request-URI SP SIP-Version, single SPs (R-3261-3). */
static void read_request_line(struct sip_message *message, struct span line)
{
	const char *end = sip_end(line);
	const char *uri = line.data + message->method_text.length + 1;
	const char *version = end;
	int error;

	if (end - uri >= 8 && end[-8] == ' ') {
		version = end - 7; /* SIP/2.0 */
	}
	while (version != uri && version[-1] != ' ') {
		version--;
	}
	error = check_version(sip_between(version, end));
	if (version == uri || error == -EINVAL) {
		note_fault(message, 400, "Bad Request-Line");
		return;
	}
	message->request_uri_text = sip_between(uri, version - 1);
	sip_clear(&message->request_uri, sizeof(message->request_uri));
	if (error == -EPROTO) {
		message->readable |= SIP_PART_START;
		note_fault(message, 505, "Version Not Supported");
		return;
	}
	if (message->request_uri_text.length > sip_request_uri_max) {
		message->readable |= SIP_PART_START;
		note_fault(message, 414, "Request-URI Too Long"); /* R-3261-85 */
		return;
	}
	if (sip_uri_fill(message->request_uri_text, &message->request_uri) != 0) {
		note_fault(message, 400, "Bad Request-URI");
		return;
	}
	if (message->request_uri.headers.length > 0) {
		note_fault(message, 400, "Header Fields in Request-URI"); /* RFC 3261 19.1.1 */
		return;
	}
	message->readable |= SIP_PART_START;
}

/* SIP-Version SP 3DIGIT [SP Reason-Phrase] */
static void read_status_line(struct sip_message *message, struct span line)
{
	size_t space = span_find(line, ' ');
	struct span rest = span_slice(line, space + 1, line.length);
	uint64_t status;

	if (check_version(span_slice(line, 0, space)) != 0 || rest.length < 3 ||
	    (rest.length > 3 && rest.data[3] != ' ') ||
	    sip_number(span_slice(rest, 0, 3), 699, &status) != 0 || status < 100) {
		note_fault(message, 400, "Bad Status-Line");
		return;
	}
	message->status = (unsigned)status;
	message->reason = span_slice(rest, 4, rest.length);
	message->readable |= SIP_PART_START;
}

/* What follows the start line, or NULL for what is no SIP at all. */
static const char *read_start_line(struct sip_message *message, const char *p, const char *end)
{
	const char *token = sip_skip(p, end, SIP_CLASS_TOKEN);
	const char *next;
	const char *stop;
	bool is_clean = true;

	if (token == p || token == end) {
		return NULL;
	}
	if (*token == '/' && token - p == 3 && sip_same_word(p, "SIP", 3)) {
		message->is_request = false;
	} else if (*token == ' ') {
		message->is_request = true;
		message->method_text = sip_between(p, token);
		message->method = sip_method_of(message->method_text);
	} else {
		return NULL;
	}
	stop = find_line_end(token, end, &next, &is_clean);
	if (!stop) {
		return NULL;
	}
	if (!is_clean) {
		note_fault(message, 400, "Control Character in Start Line");
	} else if (message->is_request) {
		read_request_line(message, sip_between(p, stop));
	} else {
		read_status_line(message, sip_between(p, stop));
	}
	return next;
}

static inline void add_row(struct sip_message *message, enum sip_header kind, struct span value)
{
	unsigned index = message->row_count;
	struct sip_row *row = &message->rows[index];

	if (index == sip_rows_max) {
		note_fault(message, 400, "Too Many Header Fields");
		return;
	}
	message->row_count++;
	row->value = value;
	row->kind = (uint8_t)kind;
	row->next = sip_row_none;
	if (message->first[kind] == sip_row_none) {
		message->first[kind] = (uint8_t)index;
	} else {
		message->rows[message->last[kind]].next = (uint8_t)index;
	}
	message->last[kind] = (uint8_t)index;
}

static bool is_copied_to_response(enum sip_header kind)
{
	return kind == SIP_HEADER_VIA || kind == SIP_HEADER_FROM || kind == SIP_HEADER_TO ||
	       kind == SIP_HEADER_CALL_ID || kind == SIP_HEADER_CSEQ;
}

/* As read_name, one octet after the other. */
static const char *read_odd_name(struct sip_message *message, const char *p, const char *end,
				 enum sip_header *kind)
{
	const char *stop = sip_skip(p, end, SIP_CLASS_TOKEN);
	const char *colon = stop;

	*kind = SIP_HEADER_OTHER;
	while (colon != end && (*colon == ' ' || *colon == '\t')) {
		colon++;
	}
	if (colon == end || *colon != ':') {
		note_fault(message, 400, "Header Line Without Colon");
		return colon;
	}
	if (stop == p) {
		note_fault(message, 400, "Empty Header Name");
	} else {
		*kind = sip_header_of(sip_between(p, stop));
	}
	return colon + 1;
}

/* name HCOLON: what follows it, and the kind of the name. */
static inline const char *read_name(struct sip_message *message, const char *p, const char *end,
				    enum sip_header *kind)
{
	size_t length = sip_header_at(p, end, kind);

	return length > 0 ? p + length : read_odd_name(message, p, end, kind);
}

/*
 * name HCOLON value, with every line that continues it (R-3261-8). What follows, or NULL when the
 * datagram ends inside; then what there is counts all the same, so that a refusal can be written.
 */
static const char *read_row(struct sip_message *message, const char *p, const char *end)
{
	enum sip_header kind;
	const char *value = read_name(message, p, end, &kind);
	const char *next = value;
	const char *stop;
	bool is_clean = true;

	stop = find_line_end(next, end, &next, &is_clean);
	while (stop && next != end && (*next == ' ' || *next == '\t')) {
		message->is_folded = true;
		stop = find_line_end(next, end, &next, &is_clean);
	}
	if (!stop) {
		stop = end;
		next = NULL;
	}
	if (!is_clean) {
		note_fault(message, 400, "Control Character in Header Field");
		message->is_unsafe = message->is_unsafe || is_copied_to_response(kind);
	}
	if (kind == SIP_HEADER_OTHER) {
		message->other_count++;
		return next;
	}
	value = sip_skip_lws(value, stop);
	while (stop != value && sip_is(stop[-1], SIP_CLASS_LWS)) {
		stop--;
	}
	add_row(message, kind, sip_between(value, stop));
	return next;
}

/* All rows up to the empty line; what follows it, or NULL when it is missing. */
static const char *read_rows(struct sip_message *message, const char *p, const char *end)
{
	if (p != end && (*p == ' ' || *p == '\t')) {
		note_fault(message, 400, "Folded Start Line");
	}
	while (p && p != end) {
		if (sip_is_control(*p)) {
			if (*p == '\n') {
				return p + 1;
			}
			if (*p == '\r' && end - p >= 2 && p[1] == '\n') {
				return p + 2;
			}
		}
		p = read_row(message, p, end);
	}
	/* Makers' responses lack the empty line (dialects.md 0); requests were cut on their way. */
	if (!p || message->is_request) {
		note_fault(message, 400, "Header Section Without End");
	}
	return NULL;
}

/* RFC 3261 18.3, R-3261-75. */
static void read_body(struct sip_message *message, struct span rest)
{
	struct span value;
	uint64_t length;
	int error = sip_message_single(message, SIP_HEADER_CONTENT_LENGTH, &value);

	message->body = rest;
	if (error == -ENOENT) {
		return;
	}
	if (error == 0) {
		error = sip_number(value, UINT32_MAX, &length);
	}
	if (error != 0) {
		note_fault(message, 400, sip_message_fault_text(SIP_HEADER_CONTENT_LENGTH, error));
	} else if (length > rest.length) {
		note_fault(message, 400, "Body Shorter Than Content-Length");
	} else {
		message->body.length = length;
	}
}

/*
 * The value of the first row, which is read and echoed even where a second one is the fault. 0 or
 * -ENOENT.
 */
static int first_value(struct sip_message *message, enum sip_header kind, struct span *value)
{
	unsigned first = message->first[kind];

	if (first == sip_row_none) {
		note_fault(message, 400, sip_message_fault_text(kind, -ENOENT));
		return -ENOENT;
	}
	if (kind != SIP_HEADER_VIA && message->rows[first].next != sip_row_none) {
		note_fault(message, 400, sip_message_fault_text(kind, -EEXIST));
	}
	*value = message->rows[first].value;
	return 0;
}

static void read_name_address(struct sip_message *message, enum sip_header kind, enum sip_part part,
			      struct sip_name_address *name_address)
{
	struct span value;

	if (first_value(message, kind, &value) != 0) {
		return;
	}
	if (sip_name_address_fill(&value, name_address) != 0 || value.length > 0) {
		note_fault(message, 400, sip_message_fault_text(kind, -EINVAL));
		return;
	}
	message->readable |= part;
}

/* 1*DIGIT LWS Method */
static int parse_cseq(struct span value, struct sip_cseq *cseq)
{
	const char *end = sip_end(value);
	const char *p = value.data;
	const char *method;
	uint64_t number = 0;

	for (; p != end && ascii_is_digit(*p) && number <= sip_cseq_max; p++) {
		number = number * 10 + (uint64_t)(*p - '0');
	}
	method = sip_skip_lws(p, end);
	if (p == value.data || method == p || method == end || number > sip_cseq_max) {
		return -EINVAL;
	}
	cseq->number = (uint32_t)number;
	cseq->method_text = sip_between(method, end);
	return 0;
}

static void read_cseq(struct sip_message *message)
{
	struct sip_cseq *cseq = &message->cseq;
	struct span value;

	if (first_value(message, SIP_HEADER_CSEQ, &value) != 0) {
		return;
	}
	if (parse_cseq(value, cseq) != 0) {
		note_fault(message, 400, sip_message_fault_text(SIP_HEADER_CSEQ, -EINVAL));
		return;
	}
	if (message->is_request && span_equal(cseq->method_text, message->method_text)) {
		cseq->method = message->method;
		message->readable |= SIP_PART_CSEQ;
		return;
	}
	if (!sip_is_token(cseq->method_text)) {
		note_fault(message, 400, sip_message_fault_text(SIP_HEADER_CSEQ, -EINVAL));
		return;
	}
	cseq->method = sip_method_of(cseq->method_text);
	message->readable |= SIP_PART_CSEQ;
	if (message->is_request) {
		/* RFC 4475 3.1.2.18: the unknown method is the graver fault. */
		note_fault(message, message->method == SIP_METHOD_UNKNOWN ? 501 : 400,
			   message->method == SIP_METHOD_UNKNOWN ? "Not Implemented"
								 : "CSeq Method Differs");
	}
}

static void read_mandatory(struct sip_message *message, unsigned parts)
{
	struct span value;

	if (first_value(message, SIP_HEADER_VIA, &value) == 0) {
		if (sip_via_parse(&value, &message->via) == 0) {
			message->readable |= SIP_PART_VIA;
		} else {
			note_fault(message, 400, sip_message_fault_text(SIP_HEADER_VIA, -EINVAL));
		}
	}
	if (message->is_request || (parts & SIP_PART_FROM) != 0) {
		read_name_address(message, SIP_HEADER_FROM, SIP_PART_FROM, &message->from);
	}
	if (message->is_request || (parts & SIP_PART_TO) != 0) {
		read_name_address(message, SIP_HEADER_TO, SIP_PART_TO, &message->to);
	}
	if (first_value(message, SIP_HEADER_CALL_ID, &value) == 0) {
		message->call_id = value;
		if (sip_is_visible(value)) {
			message->readable |= SIP_PART_CALL_ID;
		} else {
			note_fault(message, 400,
				   sip_message_fault_text(SIP_HEADER_CALL_ID, -EINVAL));
		}
	}
	read_cseq(message);
}

/* Everything that is valid without a bit in `readable`; the rest is cleared by who fills it. */
static void clear(struct sip_message *message)
{
	message->is_request = false;
	message->method = SIP_METHOD_UNKNOWN;
	message->method_text = span_make(NULL, 0);
	message->request_uri_text = span_make(NULL, 0);
	message->status = 0;
	message->reason = span_make(NULL, 0);
	message->readable = 0;
	message->via.host.kind = SIP_HOST_NONE;
	message->call_id = span_make(NULL, 0);
	message->body = span_make(NULL, 0);
	message->fault_status = 0;
	message->fault = NULL;
	message->is_unsafe = false;
	message->is_folded = false;
	message->other_count = 0;
	message->row_count = 0;
	memset(message->first, sip_row_none, sizeof(message->first));
}

int sip_message_parse(struct sip_message *message, struct span datagram)
{
	return sip_message_parse_parts(message, datagram, SIP_PART_DIALOG);
}

int sip_message_parse_parts(struct sip_message *message, struct span datagram, unsigned parts)
{
	const char *p = datagram.data;
	const char *end = sip_end(datagram);
	const char *next;

	while (p != end && (*p == '\r' || *p == '\n')) {
		p++; /* R-3261-2 */
	}
	clear(message);
	message->bytes = sip_between(p, end);
	next = read_start_line(message, p, end);
	if (!next) {
		return -ENOMSG;
	}
	next = read_rows(message, next, end);
	read_mandatory(message, parts);
	read_body(message, next ? sip_between(next, end) : span_make(end, 0));
	return message->fault ? -EBADMSG : 0;
}

bool sip_message_is_answerable(const struct sip_message *message)
{
	if (!message->is_request || message->method == SIP_METHOD_ACK || message->is_unsafe) {
		return false;
	}
	if ((message->readable & SIP_PART_START) == 0) {
		return (message->readable & SIP_PART_DIALOG) == SIP_PART_DIALOG;
	}
	return message->via.host.kind != SIP_HOST_NONE &&
	       message->first[SIP_HEADER_FROM] != sip_row_none &&
	       message->first[SIP_HEADER_TO] != sip_row_none &&
	       message->first[SIP_HEADER_CALL_ID] != sip_row_none &&
	       message->first[SIP_HEADER_CSEQ] != sip_row_none;
}
