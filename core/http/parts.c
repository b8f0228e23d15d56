/* SPDX-License-Identifier: MIT */
#include "core/http/parts.h"

struct http_parts http_parts_whole(uint64_t size)
{
	struct http_parts parts = {.size = size};

	if (size > 0) {
		parts.ranges.items[0] = (struct http_range){0, size};
		parts.ranges.count = 1;
	}
	return parts;
}

bool http_parts_is_multipart(const struct http_parts *parts)
{
	return parts->ranges.count > 1;
}

uint64_t http_parts_length(const struct http_parts *parts)
{
	uint64_t length = http_ranges_octets(&parts->ranges);
	char text[http_part_head_max];
	struct writer w;

	for (size_t i = 0; i < parts->ranges.count; i++) {
		w = writer_over(text, sizeof(text));
		http_parts_write_head(&w, parts, i);
		length += w.length;
	}
	w = writer_over(text, sizeof(text));
	http_parts_write_end(&w, parts);
	return length + w.length;
}

void http_parts_write_head(struct writer *w, const struct http_parts *parts, size_t i)
{
	if (!http_parts_is_multipart(parts)) {
		return;
	}
	writer_text(w, i > 0 ? "\r\n--" : "--");
	writer_text(w, parts->boundary);
	if (parts->content_type[0] != '\0') {
		writer_text(w, "\r\nContent-Type: ");
		writer_text(w, parts->content_type);
	}
	writer_text(w, "\r\nContent-Range: ");
	http_range_write(w, &parts->ranges.items[i], parts->size);
	writer_text(w, "\r\n\r\n");
}

void http_parts_write_end(struct writer *w, const struct http_parts *parts)
{
	if (http_parts_is_multipart(parts)) {
		writer_text(w, "\r\n--");
		writer_text(w, parts->boundary);
		writer_text(w, "--\r\n");
	}
}

void http_parts_write_type(struct writer *w, const struct http_parts *parts)
{
	writer_text(w, "multipart/byteranges; boundary=");
	writer_text(w, parts->boundary);
}
