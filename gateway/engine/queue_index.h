/* queue_index.h - which message of a queue is visible, hidden or delayed. Entries come out in hand:
 * in no structure until they are settled or removed; whoever holds one across an operation of the
 * spool counts it in busy. */
#ifndef ENGINE_QUEUE_INDEX_H
#define ENGINE_QUEUE_INDEX_H

#include "engine/queue_state.h"

void queue_index_init(struct queue *);
void queue_index_free(struct queue *);

/* A message that nobody has received. delay_ms counts from born_ms; FIFO queues know their delay.
 */
void queue_index_add(struct queue *, uint64_t seq, int64_t born_ms, int64_t delay_ms,
                     struct slice group);
/* One that was received before; due_ms in the past: visible. */
struct queue_arrival {
    uint64_t seq;
    int64_t born_ms, due_ms, first_ms;
    uint32_t takes, bytes;
    struct slice group;
};
void queue_index_add_taken(struct queue *, const struct queue_arrival *);

/* The next visible message, in hand; NULL: none. FIFO: *group starts NULL and stays the group that
 * the last one came from. */
struct queue_entry *queue_index_pop(struct queue *, struct queue_group **group);
/* A standard queue's message of an earlier run that is not known to have been received, in hand;
 * NULL: there is none with this number. */
struct queue_entry *queue_index_fetch(struct queue *, uint64_t seq);
bool queue_index_any(const struct queue *); /* is anything visible and open? */
/* Out of whatever it is in: in hand. */
void queue_index_detach(struct queue *, struct queue_entry *);
void queue_index_state(struct queue *, struct queue_entry *, enum queue_entry_state);
/* From hand to where state and due say; when first: before all others that are visible. */
void queue_index_settle(struct queue *, struct queue_entry *, bool first);
/* One operation on it is over; when it was the last, settles it, or frees it. */
void queue_index_release(struct queue *, struct queue_entry *, bool first);
/* The message is no more; the entry lives on while it is busy. */
void queue_index_remove(struct queue *, struct queue_entry *);
/* Everything before seq is no more. */
void queue_index_cut_below(struct queue *, uint64_t seq);
/* The time has come for some: at most max of them; true: more are due. */
bool queue_index_ripen(struct queue *, size_t max);
/* The delay of a FIFO queue has changed. */
void queue_index_redelay(struct queue *);

/* Without changing anything, in the order they would be received. */
struct queue_glance {
    uint64_t seq;
    uint32_t takes;
    int64_t first_ms;
};
size_t queue_index_glance(struct queue *, struct queue_glance *, size_t max);
uint64_t queue_index_messages(const struct queue *); /* all there are */
uint64_t queue_index_delayed(const struct queue *);
uint64_t queue_index_lowest(const struct queue *); /* sequence; UINT64_MAX: empty */
int64_t
queue_index_oldest(const struct queue *); /* born_ms of about the oldest; INT64_MAX: empty */

uint32_t queue_index_window(const struct queue *); /* ages that may share a range */

#endif
