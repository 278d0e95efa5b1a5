/* loop_jobs.h - for the loop's tests: tasks and timers that leave a mark when they run. */
#ifndef TESTS_LOOP_JOBS_H
#define TESTS_LOOP_JOBS_H

#include "io/loop.h"
#include <string.h>

static char trace[256];

static inline void note(char c)
{
    size_t n = strlen(trace);
    if (n + 1 < sizeof trace) {
        trace[n] = c;
        trace[n + 1] = '\0';
    }
}

struct job {
    struct task task;
    struct timer timer;
    struct loop *loop;
    char mark;
    struct job *next;
    int64_t delay_ms; /* of next's timer; -1: next's task */
};

static inline void job_done(struct job *j)
{
    note(j->mark);
    if (j->next == NULL)
        return;
    if (j->delay_ms < 0)
        loop_defer(j->loop, &j->next->task);
    else
        timer_start(j->loop, &j->next->timer, j->delay_ms);
}

static inline void job_run(struct task *t)
{
    job_done(container_of(t, struct job, task));
}

static inline void job_fire(struct timer *t)
{
    job_done(container_of(t, struct job, timer));
}

static inline struct job job_make(struct loop *l, char mark)
{
    return (struct job){
        .task.run = job_run, .timer.fire = job_fire, .loop = l, .mark = mark, .delay_ms = -1};
}

#endif
