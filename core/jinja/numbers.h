/* SPDX-License-Identifier: MIT */
/* Inside core/jinja: numbers out of text, as Python's int() and float() read them. */
#ifndef BELLHOP_CORE_JINJA_NUMBERS_H
#define BELLHOP_CORE_JINJA_NUMBERS_H

#include "core/jinja/render.h"

/* -EINVAL: no such number; -ERANGE: more than 63 bits. Base 0, or 2 to 36. */
int jinja_read_integer(struct span text, int64_t base, int64_t *integer);

/* 0, or -EINVAL. */
int jinja_read_double(struct span text, double *number);

#endif
