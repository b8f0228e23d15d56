/* SPDX-License-Identifier: MIT */
#include "core/jinja/escape.h"

#include "core/jinja/text.h"

#include <errno.h>

static const char *markup_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&#34;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

int jinja_escape_markup(struct jinja_render *render, const struct jinja_node *node,
			struct span text, struct jinja_buffer *buffer)
{
	size_t done = 0;
	int result = 0;

	for (size_t at = 0; result == 0 && at < text.length; at++) {
		const char *entity = markup_entity(text.data[at]);

		if (entity) {
			result = jinja_append(render, node, buffer, span_slice(text, done, at));
			done = at + 1;
		}
		if (entity && result == 0) {
			result = jinja_append(render, node, buffer, span_text(entity));
		}
	}
	if (result == 0) {
		result = jinja_append(render, node, buffer, span_slice(text, done, text.length));
	}
	return result;
}

static int refuse(struct jinja_render *render, const struct jinja_node *node,
		  const struct jinja_value *value, const char *text)
{
	return jinja_fail_value(render, node, text, value);
}

/* XML 1.0 2.2 Char; TAB, LF and CR are looked at by the caller. */
static bool is_xml_character(uint32_t c)
{
	return c >= 0x20 && c != 0xfffe && c != 0xffff;
}

static const char *xml_reference(char c)
{
	/* A parser makes LF of CR, and in attributes a blank of all three (XML 1.0 2.11, 3.3.3). */
	switch (c) {
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return markup_entity(c);
	}
}

static int write_xml(struct jinja_render *render, const struct jinja_node *node,
		     const struct jinja_value *value, struct span text)
{
	bool is_safe = value->kind == JINJA_STRING && (value->flags & JINJA_SAFE);
	size_t done = 0;
	int result = 0;

	for (size_t at = 0; result == 0 && at < text.length;) {
		char c = text.data[at];
		const char *reference = is_safe ? NULL : xml_reference(c);
		uint32_t code_point;
		size_t length;

		if (!jinja_code_point(text, at, &code_point, &length)) {
			return refuse(render, node, value,
				      "the % is not UTF-8, which XML cannot carry");
		}
		if (!is_xml_character(code_point) && c != '\t' && c != '\n' && c != '\r') {
			return refuse(render, node, value,
				      "the % has a control character, which XML cannot carry");
		}
		if (reference) {
			result = jinja_append(render, node, &render->output,
					      span_slice(text, done, at));
			done = at + length;
		}
		if (reference && result == 0) {
			result = jinja_append(render, node, &render->output, span_text(reference));
		}
		at += length;
	}
	if (result == 0) {
		result = jinja_append(render, node, &render->output,
				      span_slice(text, done, text.length));
	}
	return result;
}

/* What some reader of lines may take for the end of one: all controls but TAB, and Unicode's own.
 */
static bool breaks_line(struct span text, size_t at)
{
	uint8_t octet = (uint8_t)text.data[at];
	struct span here = span_slice(text, at, at + 3);

	if (octet < 0x20) {
		return octet != '\t';
	}
	return octet == 0x7f || span_starts_with(here, SPAN("\xc2\x85")) ||
	       span_starts_with(here, SPAN("\xe2\x80\xa8")) ||
	       span_starts_with(here, SPAN("\xe2\x80\xa9"));
}

static int write_line(struct jinja_render *render, const struct jinja_node *node,
		      const struct jinja_value *value, struct span text)
{
	for (size_t at = 0; at < text.length; at++) {
		if (breaks_line(text, at)) {
			return refuse(render, node, value,
				      "the % has a line break or control character, which would "
				      "break out of its line");
		}
	}
	return jinja_append(render, node, &render->output, text);
}

/* Strings as the inside of a JSON string, everything else as JSON. */
static int write_json(struct jinja_render *render, const struct jinja_node *node,
		      const struct jinja_value *value)
{
	struct jinja_buffer buffer = {0};
	struct span json;
	int result;

	if (value->kind == JINJA_UNDEFINED) {
		return 0;
	}
	if (value->kind == JINJA_STRING && (value->flags & JINJA_SAFE)) {
		return jinja_append(render, node, &render->output, value->string);
	}
	result = jinja_write_json(render, node, value, -1, &buffer);
	if (result < 0) {
		return result;
	}
	json = jinja_buffer_span(&buffer);
	if (value->kind == JINJA_STRING) {
		json = span_slice(json, 1, json.length - 1);
	}
	return jinja_append(render, node, &render->output, json);
}

int jinja_escape_value(struct jinja_render *render, const struct jinja_node *node,
		       const struct jinja_value *value)
{
	struct span text;
	int result;

	if (render->format == JINJA_FORMAT_JSON && value->kind != JINJA_UNDEFINED) {
		return write_json(render, node, value);
	}
	result = jinja_text(render, node, value, &text);
	if (result < 0) {
		return result;
	}
	switch (render->format) {
	case JINJA_FORMAT_XML:
		return write_xml(render, node, value, text);
	case JINJA_FORMAT_LINE:
		return write_line(render, node, value, text);
	case JINJA_FORMAT_TEXT:
	case JINJA_FORMAT_JSON:
		break;
	}
	return jinja_append(render, node, &render->output, text);
}
