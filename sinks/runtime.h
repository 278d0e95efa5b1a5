/* runtime.h - the runtime sink's parts: the pool of one function, its sandboxes (processes that
 * speak the Runtime API, invoke-api.md 7) and the calls (invocations) that wait or are out.
 * Loop thread only. docs/sinks.md tells the walk of a call. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include "base/arena.h"
#include "engine/sink.h"
#include "io/http_server.h"
#include "io/process.h"

enum {
    RUNTIME_STARTS_MAX = 10,        /* processes of one function that start at the same time */
    RUNTIME_RETURN_MS = 100,        /* from an answer to the /next after it, usually far less */
    RUNTIME_STARTS_PER_TURN = 2,    /* starting one costs milliseconds that others wait */
    RUNTIME_POLLS_MAX = 1024,       /* /next requests that one process may hold */
    RUNTIME_TAIL_BYTES = 4096,      /* X-Amz-Log-Result */
    RUNTIME_LOG_RATE = 1024 * 1024, /* bytes of output per process and second that are logged */
};

enum runtime_kind { RUNTIME_PROVIDED, RUNTIME_PYTHON, RUNTIME_NODE, RUNTIME_COMMAND };

/* The sink: one function's pool. */
struct runtime {
    struct sink sink;
    const char *name; /* Runtime */
    const char *handler, *code_uri;
    struct option_list command;

    /* 0: the default; tests shorten them between check and open */
    int64_t init_ms, idle_ms, stop_ms, backoff_min_ms, backoff_max_ms;

    enum runtime_kind kind;
    char *root;                     /* CodeUri, absolute */
    struct list queue;              /* calls that wait for a process, oldest first */
    struct list sandboxes;          /* all of them, those that are ending too */
    struct list idle;               /* holding a /next, most recently used first */
    size_t queued, starting, alive; /* alive: starting or ready */
    struct task work;               /* starts what is missing */
    size_t returning;               /* answered just now, their next /next is on its way */
    struct timer reap, refill, late;
    int64_t backoff_ms; /* 0: the last provisioned process did well */
};

enum runtime_state { RUNTIME_STARTING, RUNTIME_READY, RUNTIME_ENDING };

/* Why a process is started; becomes AWS_LAMBDA_INITIALIZATION_TYPE and the limit of its init. */
enum runtime_start { RUNTIME_ON_DEMAND, RUNTIME_PROVISIONED, RUNTIME_SECOND_TRY };

/* One process: a set of slots, one for each /next that it holds. */
struct runtime_sandbox {
    struct list node, idle;
    struct runtime *runtime;
    struct process *process;
    struct http_listener *listener; /* its own port: that is how we know who speaks */
    struct list polls;              /* /next requests that wait for an event */
    struct list calls;              /* events that are out */
    size_t n_polls;
    struct timer limit; /* starting: init limit; ending: time to be killed; ended: to be gone */
    enum runtime_state state;
    enum runtime_start start;
    bool ended;
    int status;         /* of waitpid, when ended */
    bool returning;     /* counted in runtime.returning */
    bool expected;      /* its end is our doing, or reported already */
    char too_large[40]; /* request id whose answer was refused with 413 */
    int64_t spawned_us;
    int64_t init_us; /* until the first /next; 0 once it was reported */
    int64_t used_ms; /* loop time of the last change between idle and busy */
    int64_t peak_mb, peak_ms;
    int64_t log_ms; /* start of the second that log_bytes counts */
    size_t log_bytes, log_dropped;
};

/* One delivery on its way. */
struct runtime_call {
    struct list node; /* in runtime.queue or sandbox.calls */
    struct runtime *runtime;
    struct delivery *delivery;
    struct runtime_sandbox *sandbox; /* NULL: queued */
    struct timer limit;
    int64_t began_us;
    char attempt[17]; /* Lambda-Runtime-Invocation-Id */
    struct buf tail;
};

/* runtime_check.c: refuses what cannot run, names the remedy; sets kind. No I/O but looking. */
bool runtime_check(struct runtime *, struct error *);
/* The program at name as exec would find it in path (a PATH value); returns a new string or NULL.
 * binary: scripts do not count. */
char *runtime_find_program(const char *name, const char *path, bool binary);
const char *runtime_variable(const struct function_settings *, const char *name); /* NULL: unset */

/* runtime_env.c: environment and arguments of a process, all in the arena. */
const char *const *runtime_env(const struct runtime *, enum runtime_start, uint16_t port,
                               struct arena *);
const char *const *runtime_argv(const struct runtime *, struct arena *);
bool runtime_env_reserved(const char *name);

/* runtime_bootstrap.c: the embedded bootstraps; empty for the other kinds. */
struct slice runtime_bootstrap(enum runtime_kind);

/* runtime_pool.c */
void runtime_pool_open(struct runtime *);
void runtime_pool_close(struct runtime *); /* ends every process at once */
void runtime_pool_send(struct runtime *, struct runtime_call *);
void runtime_pool_work(struct runtime *); /* soon: starts what is missing */
/* The oldest waiting call, taken out of the queue; NULL: none. */
struct runtime_call *runtime_pool_take(struct runtime *);
void runtime_pool_returning(struct runtime_sandbox *, bool);
void runtime_pool_ready(struct runtime *); /* one of its sandboxes is */
/* A sandbox got a /next: gives it the oldest waiting call, or keeps it. */
void runtime_pool_poll(struct runtime_sandbox *, struct http_request *);

/* runtime_sandbox.c */
/* NULL when it cannot start; then the oldest waiting call was failed for it. */
struct runtime_sandbox *runtime_sandbox_start(struct runtime *, enum runtime_start);
/* Out of service at once; the process gets signo, and SIGKILL a little later. What is out fails
 * when it has ended. */
void runtime_sandbox_end(struct runtime_sandbox *, int signo);
void runtime_sandbox_ready(struct runtime_sandbox *); /* its first /next */
void runtime_sandbox_init_error(struct runtime_sandbox *, struct http_request *);
void runtime_sandbox_free(struct runtime_sandbox *); /* kills; calls must be gone */

/* runtime_call.c */
struct runtime_call *runtime_call_new(struct runtime *, struct delivery *);
void runtime_call_free(struct runtime_call *); /* unlinked here; the delivery is not ended */
/* Hands the event to a waiting /next of the sandbox. */
void runtime_call_begin(struct runtime_call *, struct runtime_sandbox *, struct http_request *poll);
/* The delivery's reply is filled: logs, frees the call, ends the delivery. status is text for the
 * REPORT line, NULL: none. */
void runtime_call_done(struct runtime_call *, const char *status);
/* These fill the reply with what the runtime posted in req, whose body they take. */
void runtime_call_answer(struct runtime_call *, struct http_request *req);
void runtime_call_error(struct runtime_call *, struct http_request *req);
void runtime_call_too_large(struct runtime_call *);
/* Fails it for the process's end with that waitpid status. */
void runtime_call_exited(struct runtime_call *, int status);

/* runtime_report.c: the log, and the tail of it that the invoker asked for. */
void runtime_report_start(struct runtime_call *);
void runtime_report_end(struct runtime_call *, const char *status);
void runtime_report_tail(struct runtime_call *);       /* moves it into the reply */
void runtime_report_dropped(struct runtime_sandbox *); /* lines that were too many, if any */
/* on_line of the process; ctx is the sandbox. */
void runtime_report_line(void *ctx, int stream, struct slice line);

/* runtime_api.c: the Runtime API; ctx is the sandbox. */
void runtime_api(struct http_request *);

#endif
