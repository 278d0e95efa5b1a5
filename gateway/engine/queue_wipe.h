/* queue_wipe.h - rows of a purged or deleted queue go, in bounded steps. */
#ifndef ENGINE_QUEUE_WIPE_H
#define ENGINE_QUEUE_WIPE_H

#include "engine/queue_state.h"

struct queue_wipe {
    struct spool_op op;
    struct spool_change change;
    struct list node; /* in wipes */
    struct timer retry;
    struct queues *service;
    struct queue *q; /* purge; NULL: the queue is no more, and its rows must go */
    uint32_t owner;
    uint64_t at, end, step; /* sequences: next, first to stay, how many at a time */
    int64_t began_us;
    enum queue_status status;
    /* Purge: once, at the end; the wipe is freed afterwards. */
    void (*done)(struct queue_wipe *);
    void *impl;
};
/* Takes the wipe, from mem_alloc. */
void queue_wipe_start(struct queue_wipe *);
void queue_wipe_stop(struct queues *); /* those that wait for a retry; the next start goes on */

#endif
