/* loop.h - the one thread that owns everything: timers, deferred tasks, file descriptors, signals.
 * All functions are for the loop thread. Callbacks come from loop_run, never from inside a call. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "base/error.h"
#include "base/list.h"

struct loop;

/* Embedded in its owner, which sets fire. Zeroed = not armed. */
struct timer {
    int64_t due_ms;
    size_t pos; /* 0: not armed */
    void (*fire)(struct timer *);
};

/* Embedded in its owner, which sets run. Zeroed or task_init'ed = not queued. */
struct task {
    struct list node;
    void (*run)(struct task *);
};

enum { WATCH_READ = 1, WATCH_WRITE = 2 };
struct watch {
    int fd;
    uint32_t events; /* wanted */
    void (*ready)(struct watch *,
                  uint32_t events); /* errors and hang-ups are reported as READ|WRITE */
    void *impl;                     /* the loop's */
};

struct loop *loop_new(struct error *); /* SIGPIPE is ignored from then on */
void loop_free(struct loop *);         /* nothing may be armed any more */
void loop_run(struct loop *);          /* until loop_stop */
void loop_stop(struct loop *);
/* Calls on_signal(signo, ctx) on the loop, also before loop_run for signals that came early. */
bool loop_signal(struct loop *, int signo, void (*on_signal)(int signo, void *ctx), void *ctx,
                 struct error *) MUST_CHECK;

int64_t loop_now(const struct loop *);  /* monotonic ms, cached per turn */
int64_t loop_wall(const struct loop *); /* unix ms, cached per turn; for data, never for waiting */
int64_t loop_clock_us(const struct loop *); /* monotonic microseconds, read now; for measuring */

void task_init(struct task *, void (*run)(struct task *));
void loop_defer(struct loop *, struct task *); /* runs before the next sleep; queued twice = once */
void task_cancel(struct task *);
void timer_start(struct loop *, struct timer *, int64_t delay_ms); /* restarts when armed */
void timer_stop(struct loop *, struct timer *);                    /* harmless when not armed */
bool timer_armed(const struct timer *);

bool watch_start(struct loop *,
                 struct watch *) MUST_CHECK;    /* again with other events: changes them */
void watch_stop(struct loop *, struct watch *); /* before the fd is closed */

/* The simulation's loop: no descriptors; time jumps to the next timer. */
struct loop *loop_new_virtual(void);
bool loop_step(struct loop *); /* runs one task or timer; false: nothing left */

#endif
