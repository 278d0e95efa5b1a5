/* queue_move.h - message move tasks, inside of the queues. */
#ifndef ENGINE_QUEUE_MOVE_H
#define ENGINE_QUEUE_MOVE_H

#include "base/buf.h"
#include "base/json_in.h"
#include "engine/queue_state.h"

enum { QUEUE_MOVES_MAX = 10, QUEUE_MOVE_NAME = 48 };

/* One task. Its note says how far it is; it is written in the operation that moves. */
struct queue_move_task {
    struct queue_move pub;
    struct list node; /* in moves */
    struct queue *q;  /* the source */
    char *destination;
    uint64_t number;
    char note_name[QUEUE_MOVE_NAME];
    struct timer tick;
    struct queue_move_step *step; /* under way; NULL: none */
};

/* ---- queue_move.c */
void queue_move_stop(struct queue *); /* no step is begun any more */
void queue_move_free(struct queue *);
/* Changes that drop the notes of all tasks; returns how many, at most max. */
size_t queue_move_drop(struct queue *, struct spool_change *, size_t max);
/* A task from its note; it goes on after queue_move_resume. */
void queue_move_read(struct queue *, uint64_t number, const struct json *);
void queue_move_resume(struct queue *);
void queue_move_end(struct queue_move_task *, int state, const char *failure);
/* The note of the task when moved messages more have been moved. */
struct spool_change queue_move_note(struct queue_move_task *, uint64_t moved, struct buf *);

/* ---- queue_move_step.c */
void queue_move_tick(struct timer *);

#endif
