/* SPDX-License-Identifier: MIT */
/*
 * One sentence for a port that cannot be had: which port, why, and what to do about it.
 */
#ifndef BELLHOP_IO_BIND_PROBLEM_H
#define BELLHOP_IO_BIND_PROBLEM_H

#include "core/base/address.h"

/* `transport` is "TCP" or "UDP", `section` the one of the configuration; `error` -errno or errno.
 */
void bind_problem(char *problem, size_t problem_size, const char *transport, const char *section,
		  struct endpoint endpoint, int error);

#endif
