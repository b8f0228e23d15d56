/* SPDX-License-Identifier: MIT */
#include "core/fleet/parameters.h"

#include <errno.h>

int parameter_rule_parse(struct span rule, struct vendor_parameter *parameter)
{
	struct vendor_parameter read = *parameter;
	struct span rest = rule;
	struct span kind = span_cut(&rest, ' ');
	size_t dots;

	if (span_equal(kind, SPAN("bool")) && !rest.data) {
		read.kind = PARAMETER_INTEGER;
		read.min = 0;
		read.max = 1;
	} else if (span_equal(kind, SPAN("text"))) {
		read.kind = PARAMETER_TEXT;
		if (span_to_unsigned(rest, UINT32_MAX, &read.max) != 0) {
			return -EINVAL;
		}
	} else if (span_equal(kind, SPAN("int"))) {
		read.kind = PARAMETER_INTEGER;
		dots = span_search(rest, SPAN(".."));
		if (span_to_unsigned(span_slice(rest, 0, dots), UINT32_MAX, &read.min) != 0 ||
		    span_to_unsigned(span_slice(rest, dots + 2, rest.length), UINT32_MAX,
				     &read.max) != 0) {
			return -EINVAL;
		}
	} else if (span_equal(kind, SPAN("one")) && rest.length > 0) {
		read.kind = PARAMETER_CHOICE;
		read.choices = rest;
	} else {
		return -EINVAL;
	}
	*parameter = read;
	return 0;
}

/* `[0-5]` in a row's name is one digit of the name. */
static bool name_matches(struct span row, struct span name)
{
	size_t bracket = span_find(row, '[');

	if (bracket == row.length) {
		return span_equal(row, name);
	}
	return name.length + 4 == row.length && name.data[bracket] >= row.data[bracket + 1] &&
	       name.data[bracket] <= row.data[bracket + 3] &&
	       span_equal(span_slice(row, 0, bracket), span_slice(name, 0, bracket)) &&
	       span_equal(span_slice(row, bracket + 5, row.length),
			  span_slice(name, bracket + 1, name.length));
}

const struct vendor_parameter *parameter_find(const struct vendor_pack *pack, struct span name)
{
	for (size_t i = 0; i < pack->parameter_count; i++) {
		if (name_matches(pack->parameters[i].name, name)) {
			return &pack->parameters[i];
		}
	}
	return NULL;
}

static const char *check_value(const struct vendor_parameter *parameter, struct span value)
{
	struct span rest = parameter->choices;
	uint64_t number;

	switch (parameter->kind) {
	case PARAMETER_TEXT:
		return value.length > parameter->max ? "the value is too long for this phone"
						     : NULL;
	case PARAMETER_INTEGER:
		return span_to_unsigned(value, parameter->max, &number) != 0 ||
				       number < parameter->min
			       ? "the value is not a number that this phone takes"
			       : NULL;
	case PARAMETER_CHOICE:
		while (rest.data) {
			if (span_equal(span_cut(&rest, '|'), value)) {
				return NULL;
			}
		}
		return "the value is none that this phone takes";
	}
	return NULL;
}

static const char *check_line(const struct vendor_pack *pack, struct span line, struct span *name)
{
	const struct vendor_parameter *parameter;
	size_t equals = span_find(line, '=');

	*name = span_slice(line, 0, equals);
	if (line.length == 0 || line.data[0] == ';' || span_starts_with(line, SPAN("include "))) {
		return NULL;
	}
	if (equals == 0 || equals == line.length) {
		return "is not a line of the form name=value";
	}
	parameter = parameter_find(pack, *name);
	return parameter ? check_value(parameter, span_slice(line, equals + 1, line.length)) : NULL;
}

const char *parameters_check(const struct vendor_pack *pack, struct span file, struct span *name)
{
	const char *mistake = NULL;

	while (file.data && !mistake) {
		mistake = check_line(pack, span_trim(span_cut(&file, '\n')), name);
	}
	return mistake;
}
