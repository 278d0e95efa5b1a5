/* process_guard.h - the guardian: a tiny process that outlives the gateway by a moment and kills
 * every process group that the gateway left behind, and whoever carries the mark of its run. For
 * process.c only. */
#ifndef IO_PROCESS_GUARD_H
#define IO_PROCESS_GUARD_H

#include "base/error.h"
#include <sys/types.h>

bool process_guard_start(struct error *) MUST_CHECK; /* forks; before any thread exists */
void process_guard_stop(void);
const char *process_guard_mark(void); /* NAME=value; NULL before start */
/* Async-signal-safe: the child calls enter between fork and exec, with its own group. */
void process_guard_enter(pid_t group);
void process_guard_leave(pid_t group); /* the group is dead and reaped */

#endif
