/* SPDX-License-Identifier: MIT */
/*
 * The parameters that a maker's configuration file is made of: a pack may list those it knows, with
 * what their values may be, and every rendered `name=value` line is held against the list. Names
 * that are not in it pass: a phone has many more than anybody lists.
 */
#ifndef BELLHOP_CORE_FLEET_PARAMETERS_H
#define BELLHOP_CORE_FLEET_PARAMETERS_H

#include "core/fleet/vendor.h"

/*
 * Reads a rule: `text MAX` (bytes, may be empty), `int MIN..MAX`, `bool` (0 or 1), or
 * `one A|B|C`. 0 or -EINVAL. The parameter's name is left alone.
 */
int parameter_rule_parse(struct span rule, struct vendor_parameter *parameter);

/*
 * The row of a name, or NULL. In the names of rows `[0-5]` stands for one digit out of that range.
 */
const struct vendor_parameter *parameter_find(const struct vendor_pack *pack, struct span name);

/*
 * Checks a whole file: comments start with `;`, `include URL` and blank lines are left alone, every
 * other line is name=value. NULL when all is well; else what is wrong, as a constant text, and the
 * name (or line) it is about in `*name`. Values are not shown: they may be secrets.
 */
const char *parameters_check(const struct vendor_pack *pack, struct span file, struct span *name);

#endif
