/* queue_sweep.h - what time does to a queue: hidden messages become visible, old ones go, notes of
 * old deduplication ids go. In bounded steps, by one timer a queue. */
#ifndef ENGINE_QUEUE_SWEEP_H
#define ENGINE_QUEUE_SWEEP_H

#include "engine/queue_state.h"

void queue_sweep_init(struct queue *);
/* A timer comes at the latest when something is due. After every change that brings a due time. */
void queue_sweep_wake(struct queue *);
void queue_sweep_stop(struct queue *);
/* A message of this age is in the queue: it has to go one day. */
void queue_sweep_born(struct queue *, int64_t born_ms);
void queue_sweep_soon(struct queue *); /* the retention period has changed */

/* queue_forget.c: notes of deduplication ids that are too old; of a deleted queue, all. */
void queue_forget(struct queue *);
int64_t queue_forget_due(const struct queue *); /* INT64_MAX: nothing to do now */
/* The name of the note that begins with this record. */
void queue_forget_name(uint32_t owner, uint64_t seq, char out[48]);

#endif
