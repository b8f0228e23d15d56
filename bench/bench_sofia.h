/* SPDX-License-Identifier: MIT */
/*
 * sofia-sip as a peer of the benchmark. It has functions of the same names as core/sip, so it is
 * opened at run time, out of sight of the linker, and its headers stay in one file.
 */
#ifndef BELLHOP_BENCH_SOFIA_H
#define BELLHOP_BENCH_SOFIA_H

#include <stdbool.h>
#include <stddef.h>

/* False when the library is not there. */
bool bench_sofia_open(void);

/* Reads one message and frees it again; true when Via, Contact and Event were read. */
bool bench_sofia_parse(const char *data, size_t length);

#endif
