/* SPDX-License-Identifier: MIT */
/* A context and templates that the tests of core/jinja share. */
#ifndef BELLHOP_TESTS_JINJA_FIXTURES_H
#define BELLHOP_TESTS_JINJA_FIXTURES_H

#include "core/jinja/jinja.h"

#include <stdlib.h>

static const char fixture_config[] =
	"{# one phone #}\n"
	"{%- set ns = namespace(count=0) -%}\n"
	"{% for no, line in sip_lines|dictsort if line.username is defined %}\n"
	"voip/line/{{ no|int - 1 }}/id={{ line.username|default('x') }}\n"
	"voip/line/{{ no|int - 1 }}/auth_password={{ line.password|d(line.username) }}\n"
	"{% set ns.count = ns.count + 1 %}{% if loop.last and not loop.first %}"
	"# {{ loop.length }}{% elif no == '9' %}nine{% else %}{{ loop.cycle('a', 'b') }}{% endif "
	"%}\n"
	"{% else %}none{% endfor %}\n"
	"mac={{ mac|mac('upper:') }} {{ '%02x-%s'|format(10, mac[2:4]) }} {{ (1, 2.5)[-1] ** 2 }}\n"
	"{% raw %}{{ raw }}{% endraw %}{{ {'a': [1, none, true]}|tojson }}{{ 'a' if ns.count > 3 "
	"}}\n"
	"{{ [3, 1, 2]|sort(reverse=true)|map('string')|join(', ')|replace(',', ';') ~ 1e3 }}\n";

/* sip_lines.1.username, sip_lines.1.password, sip_lines.2.username, mac, name, list. */
static inline struct jinja_value fixture_context(struct arena *arena)
{
	struct jinja_value context;
	struct jinja_value lines;
	struct jinja_value line[2];
	struct jinja_value list;
	int result = jinja_dict(arena, &context) | jinja_dict(arena, &lines) |
		     jinja_dict(arena, &line[0]) | jinja_dict(arena, &line[1]) |
		     jinja_list(arena, &list);

	result |= jinja_dict_set(arena, &line[0], SPAN("username"), jinja_string(SPAN("1001")));
	result |=
		jinja_dict_set(arena, &line[0], SPAN("password"),
			       jinja_string_from(SPAN("p&\"<'>\\"), SPAN("sip_lines.1.password")));
	result |= jinja_dict_set(arena, &line[1], SPAN("username"),
				 jinja_string_from(SPAN("evil\nadmin=1"),
						   SPAN("sip_lines.2.username")));
	result |= jinja_dict_set(arena, &lines, SPAN("1"), line[0]);
	result |= jinja_dict_set(arena, &lines, SPAN("2"), line[1]);
	result |= jinja_list_append(arena, &list, jinja_int(3));
	result |= jinja_list_append(arena, &list, jinja_double(1.5));
	result |= jinja_dict_set(arena, &context, SPAN("sip_lines"), lines);
	result |= jinja_dict_set(arena, &context, SPAN("mac"),
				 jinja_string(SPAN("00:90:8f:aa:bb:cc")));
	result |= jinja_dict_set(arena, &context, SPAN("name"),
				 jinja_string_from(SPAN("h\xc3\xa9llo"), SPAN("name")));
	result |= jinja_dict_set(arena, &context, SPAN("list"), list);
	if (result != 0) {
		abort();
	}
	return context;
}

#endif
