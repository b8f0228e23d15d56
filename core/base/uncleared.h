/* SPDX-License-Identifier: MIT */
/*
 * UNCLEARED marks a local that is written before it is read, on a road that every datagram takes:
 * the build would clear it first (-ftrivial-auto-var-init).
 */
#ifndef BELLHOP_CORE_BASE_UNCLEARED_H
#define BELLHOP_CORE_BASE_UNCLEARED_H

#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define UNCLEARED __attribute__((uninitialized))
#endif
#endif
#ifndef UNCLEARED
#define UNCLEARED
#endif

#endif
