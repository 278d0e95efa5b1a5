/* require.h - a check of the simulation: says what, where and which seed, and ends. */
#ifndef QUEUESIM_REQUIRE_H
#define QUEUESIM_REQUIRE_H

#include "base/base.h"

extern uint64_t require_seed;
_Noreturn void require_failed(const char *what, const char *file, int line);
/* With --seed: what happens, line by line. */
void require_tell(const char *fmt, ...) PRINTF(1, 2);
#define REQUIRE(cond) ((cond) ? (void)0 : require_failed(#cond, __FILE__, __LINE__))

#endif
