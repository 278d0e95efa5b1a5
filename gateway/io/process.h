/* process.h - child processes that never outlive us: own process group each, killed as a group, by
 * the parent-death signal and by a guardian when the gateway itself is killed. Loop thread only. */
#ifndef IO_PROCESS_H
#define IO_PROCESS_H

#include "base/error.h"
#include "base/slice.h"
#include "io/loop.h"

struct process;

enum { PROCESS_LINE_MAX = 64 * 1024 }; /* longer lines are delivered in pieces */

struct process_spec {
    const char *const *argv; /* argv[0] is looked up in PATH of envp when it has no slash */
    const char *const *envp; /* the whole environment */
    const char *cwd;
    struct slice stdin_text; /* what the child reads from fd 0; empty: /dev/null */
    /* One line of output, without its newline; stream is 1 or 2. Borrowed. */
    void (*on_line)(void *ctx, int stream, struct slice line);
    /* It ended and its output is drained; status as of waitpid. Comes once, from the loop; the
     * group is dead by then. process_free may be called from here on, also inside. */
    void (*on_exit)(void *ctx, int status);
    void *ctx;
};

/* Forks the guardian and remembers the limit of open files, which children get back; call once at
 * start, before any thread exists and before that limit is raised. */
bool process_setup(struct error *) MUST_CHECK;
/* NAME=value for a child's environment: by it the guardian finds also those who left their group.
 * NULL before process_setup. */
const char *process_mark(void);
void process_teardown(void); /* ends the guardian (it kills what is left) */

/* NULL and *err when it cannot be started: missing program, not executable, no memory. */
struct process *process_spawn(struct loop *, const struct process_spec *, struct error *);
int process_pid(const struct process *);
void process_kill(struct process *, int signo); /* the whole group; harmless after the end */
/* Reads what the child has written so far and delivers its lines now, from inside this call; a last
 * piece without its newline counts as a line. */
void process_read_output(struct process *);
void process_free(struct process *); /* kills when alive; on_exit is then not called */
/* Process-wide peak memory in MB, from /proc; 0 when it ended. */
int64_t process_peak_mb(const struct process *);

#endif
