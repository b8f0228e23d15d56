/* SPDX-License-Identifier: MIT */
/* What commands that change or show something print. */
#ifndef BELLHOP_PROGRAMS_PRINT_H
#define BELLHOP_PROGRAMS_PRINT_H

#include "programs/bellhop/bellhop.h"
#include "programs/bellhop/table.h"

/* Prints a JSON value on its own, indented, and returns the exit code. */
int print_json(const json_t *json);

/* Prints the server's answer for people; may change it to that end. */
typedef void print_fn(json_t *reply);

/*
 * The end of a command that asked the server: with EXIT_DONE prints the answer, as JSON where that
 * is wanted, else with `print`. Takes `reply` over, NULL too. Returns the exit code.
 */
int print_reply(const struct arguments *arguments, int result, json_t *reply, print_fn *print);

/* For print_reply: what the answer says is removed. */
void print_removed(json_t *reply);

/*
 * Has the server remove the member `name` of a collection (see text_add_member), and prints what
 * the answer says. Returns the exit code.
 */
int print_removal(const struct arguments *arguments, const char *collection, const char *name,
		  bool keep_slash);

/* Asks for `path` and prints the list `member` of the answer as a table. Returns the exit code. */
int print_list(const struct arguments *arguments, const char *path, const char *member,
	       const struct column *columns, size_t column_count);

/* "PATH = VALUE" lines below a title. */
void print_settings(const char *title, const json_t *settings);

#endif
