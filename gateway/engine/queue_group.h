/* queue_group.h - message groups of FIFO queues: one is open while none of its messages is out. */
#ifndef ENGINE_QUEUE_GROUP_H
#define ENGINE_QUEUE_GROUP_H

#include "engine/queue_state.h"

struct queue_group {
    struct queue_due due; /* in the heap while its first message is delayed */
    struct list ready;    /* in ready_groups while open and its first message is visible */
    struct list all;
    struct queue_ranges fresh; /* never received */
    struct list returned;      /* were in hand and are visible again, by sequence */
    uint32_t out;              /* in hand, in flight, held */
    uint32_t key_n;
    char key[];
};

struct queue_group *queue_group_get(struct queue *, struct slice key); /* made when new */
void queue_group_add(struct queue *, struct queue_group *, uint64_t seq, int64_t born_ms);
void queue_group_return(struct queue_group *, struct queue_entry *);
/* The first visible message of the group, whether it is open or not; NULL: none. An entry of the
 * returned ones, or *seq and *born_ms of one never received. */
bool queue_group_pop(struct queue *, struct queue_group *, struct queue_entry **, uint64_t *seq,
                     int64_t *born_ms);
/* After any change: ready, waiting for its delay, closed, or freed when empty. */
void queue_group_update(struct queue *, struct queue_group *);
struct slice queue_group_key(const struct queue_group *);
void queue_group_free(struct queue *, struct queue_group *);

#endif
