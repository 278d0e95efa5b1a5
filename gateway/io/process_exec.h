/* process_exec.h - starting one program; for process.c only. */
#ifndef IO_PROCESS_EXEC_H
#define IO_PROCESS_EXEC_H

#include "io/process.h"

/* Forks and executes; returns the pid, with the reading ends of its output in out[0] (stdout) and
 * out[1] (stderr), or -1 with *err filled in. */
int process_exec(const struct process_spec *, int out[2], struct error *);
void process_exec_setup(void); /* remembers what children get back: the limit of open files */

#endif
