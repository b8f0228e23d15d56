/* SPDX-License-Identifier: MIT */
/*
 * Where a member stands in a JSON text: jansson tells the line of a syntax error, but not of a
 * member whose value is wrong.
 */
#ifndef BELLHOP_CORE_FLEET_JSON_LINE_H
#define BELLHOP_CORE_FLEET_JSON_LINE_H

#include "core/base/span.h"

/*
 * The line, from 1, of the value at a path such as files[1].template in a text that jansson took.
 * When the path ends too early there, the line of what it leads to.
 */
unsigned json_line_of(struct span text, struct span path);

#endif
