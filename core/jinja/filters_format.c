/* SPDX-License-Identifier: MIT */
/* Filters that write values in other people's forms: format, tojson, and our own mac and hex. */
#include "core/base/mac.h"
#include "core/jinja/filters.h"
#include "core/jinja/operators.h"
#include "core/jinja/text.h"

#include <errno.h>

/* "%s"|format(a, b) or "%(name)s"|format(name=a). */
static int filter_format(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_argument *argument = call->node->call.arguments;
	bool is_named = argument && argument->keyword.length > 0;
	struct arena *arena = call->render->arena;
	struct jinja_value arguments;
	int code = is_named ? jinja_dict(arena, &arguments) : jinja_list(arena, &arguments);

	if (code < 0) {
		return jinja_fail_memory(call->render, call->node);
	}
	arguments.flags = is_named ? 0 : JINJA_TUPLE;
	for (; argument; argument = argument->next) {
		struct jinja_value value;

		if ((argument->keyword.length > 0) != is_named) {
			return jinja_fail(call->render, call->node,
					  "values go by position or by name, not both");
		}
		code = jinja_evaluate(call->render, argument->value, &value);
		if (code < 0) {
			return code;
		}
		code = is_named ? jinja_dict_set(arena, &arguments, argument->keyword, value)
				: jinja_list_append(arena, &arguments, value);
		if (code < 0) {
			return jinja_fail_memory(call->render, call->node);
		}
	}
	return jinja_format(call->render, call->node, call->self, &arguments, result);
}

static int filter_tojson(struct jinja_call *call, struct jinja_value *result)
{
	struct jinja_buffer buffer = {0};
	int64_t indent;
	int code = jinja_argument_integer(call, 0, -1, &indent);

	if (code < 0) {
		return code;
	}
	if (indent > 16) {
		return jinja_fail(call->render, call->node, "indent is at most 16");
	}
	code = jinja_write_json(call->render, call->node, call->self, indent < 0 ? -1 : (int)indent,
				&buffer);
	*result = jinja_made_from(call->self, jinja_buffer_span(&buffer));
	result->flags = call->render->format == JINJA_FORMAT_JSON ? JINJA_SAFE : 0;
	return code;
}

/* How a MAC is written: "lower" (default) or "upper", then ":", "-" or "." (groups of four). */
struct mac_style {
	bool is_upper;
	char separator; /* NUL: none */
};

static bool read_mac_style(struct span text, struct mac_style *style)
{
	*style = (struct mac_style){0};
	if (span_starts_with(text, SPAN("upper")) || span_starts_with(text, SPAN("lower"))) {
		style->is_upper = text.data[0] == 'u';
		text = span_slice(text, 5, text.length);
	}
	if (text.length == 0) {
		return true;
	}
	style->separator = text.data[0];
	return text.length == 1 &&
	       (style->separator == ':' || style->separator == '-' || style->separator == '.');
}

static int filter_mac(struct jinja_call *call, struct jinja_value *result)
{
	char digits[mac_text_size];
	struct jinja_buffer buffer = {0};
	struct mac_style style;
	struct span text;
	struct span name;
	struct mac mac;
	int code = jinja_text(call->render, call->node, call->self, &text);

	if (code == 0) {
		code = jinja_argument_text(call, 0, (struct span){0}, &name);
	}
	if (code < 0) {
		return code;
	}
	if (!read_mac_style(name, &style)) {
		return jinja_fail(call->render, call->node,
				  "the form is lower or upper, then one of : - . or nothing");
	}
	if (mac_parse(text, &mac) != 0) {
		return jinja_fail_value(call->render, call->node, "the % is no MAC address",
					call->self);
	}
	mac_text(mac, digits);
	for (size_t i = 0; code == 0 && i < 12; i++) {
		size_t group = style.separator == '.' ? 4 : 2;
		char digit = style.is_upper ? ascii_upper(digits[i]) : digits[i];

		if (style.separator && i > 0 && i % group == 0) {
			code = jinja_append(call->render, call->node, &buffer,
					    span_make(&style.separator, 1));
		}
		if (code == 0) {
			code = jinja_append(call->render, call->node, &buffer,
					    span_make(&digit, 1));
		}
	}
	*result = jinja_made_from(call->self, jinja_buffer_span(&buffer));
	return code;
}

/* The octets of a string, or an integer with at least `width` digits; lower case. */
static int filter_hex(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_value *self = call->self;
	struct jinja_buffer buffer = {0};
	char text[64];
	int64_t width;
	int code = jinja_argument_integer(call, 0, 0, &width);

	if (code < 0) {
		return code;
	}
	if (self->kind == JINJA_STRING) {
		for (size_t i = 0; code == 0 && i < self->string.length; i++) {
			struct writer w = writer_over(text, sizeof(text));

			writer_hex(&w, self->string.data + i, 1);
			code = jinja_append(call->render, call->node, &buffer, writer_span(&w));
		}
	} else {
		struct writer w = writer_over(text, sizeof(text));
		struct jinja_value formatted;

		if (width < 0 || width > 64) {
			return jinja_fail(call->render, call->node, "the width is 0 to 64");
		}
		writer_text(&w, "%0");
		writer_unsigned(&w, (uint64_t)width);
		writer_text(&w, "x");
		formatted = jinja_string(writer_span(&w));
		return jinja_format(call->render, call->node, &formatted, self, result);
	}
	*result = jinja_made_from(self, jinja_buffer_span(&buffer));
	return code;
}

const struct jinja_callable jinja_filters_format[] = {
	{.name = "format", .apply = filter_format, .flags = CALLABLE_RAW},
	{.name = "tojson", .parameters = "indent", .apply = filter_tojson},
	{.name = "mac", .parameters = "form", .apply = filter_mac},
	{.name = "hex", .parameters = "width", .apply = filter_hex},
	{.name = NULL},
};
