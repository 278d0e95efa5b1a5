/* loop_core.h - inside of the loop that needs no library: timer heap, deferred tasks, clock. For
 * loop.c and loop_core.c only; everybody else uses loop.h. */
#ifndef IO_LOOP_CORE_H
#define IO_LOOP_CORE_H

#include "io/loop.h"

struct loop {
    struct list tasks;
    struct timer **heap; /* smallest due_ms first */
    size_t n, cap;
    int64_t now_ms;
    int64_t wall_offset_ms; /* wall = now + offset */
    bool stopping;
    void (*destroy)(struct loop *); /* frees the whole; NULL: a virtual loop */
};

void loop_core_init(struct loop *);
void loop_core_fini(struct loop *); /* asserts that no timer is armed */
/* Reads both clocks into now_ms and wall_offset_ms; returns monotonic microseconds. */
int64_t loop_core_read_clock(struct loop *);
/* Runs queued tasks, also those queued meanwhile, but at most max of them. */
void loop_core_run_tasks(struct loop *, size_t max);
/* Fires what is due at now_ms; a timer started meanwhile waits for the next call. */
void loop_core_fire_due(struct loop *);
int64_t loop_core_next_due(const struct loop *); /* INT64_MAX: none armed */

#endif
