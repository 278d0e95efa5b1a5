/* queue_dead.h - messages that were received too often leave for the dead-letter queue. */
#ifndef ENGINE_QUEUE_DEAD_H
#define ENGINE_QUEUE_DEAD_H

#include "engine/queue_state.h"

struct queue_dead;
/* Would receiving it be one time too much? Then queue_dead_add takes it, from hand. */
bool queue_dead_is(const struct queue *, const struct queue_entry *);
void queue_dead_add(struct queue *, struct queue_dead **batch, struct queue_entry *);
void queue_dead_send(struct queue_dead *); /* the batch is complete; may be NULL */

#endif
