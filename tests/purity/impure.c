/* SPDX-License-Identifier: MIT */
/* A clock and a writable object: the purity test must find both, or it cannot fail. */
#include <time.h>

int impure_count;
long impure_now(void);

long impure_now(void)
{
	impure_count++;
	return (long)time(NULL);
}
