/* SPDX-License-Identifier: MIT */
/* What commands that change or show something print. */
#ifndef BELLHOP_PROGRAMS_PRINT_H
#define BELLHOP_PROGRAMS_PRINT_H

#include "programs/bellhop/table.h"

/* Prints a JSON value on its own, indented, and returns the exit code. */
int print_json(const json_t *json);

/* "PATH = VALUE" lines below a title. */
void print_settings(const char *title, const json_t *settings);

#endif
