/* batch.h - records that travel together, and the one delivery that carries them. A batch has no
 * state field: where it is linked and which callback is pending is its state (docs/engine.md). */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/policy.h"

struct lane;

struct batch {
    struct list node; /* in mapping->batches; a batch that waits for a slot: mapping->stalled */
    struct list records;
    size_t n, bytes;  /* records, and their record_bytes */
    int64_t attempts; /* counted tries of this batch (ordered sources) */
    unsigned row;     /* tries in a row that were not counted */
    bool sent;        /* out at the function: cancel applies, holds a slot */
    bool burying;     /* out at the graveyard */
    struct lane *lane;
    struct buf payload;
    struct delivery delivery;
    struct timer retry;
    struct task finish;
};

/* Takes up to max records from the head of the lane that fit into one event; at least one. */
struct batch *batch_take(struct lane *, size_t max);
/* A batch of everything that waits in the lane with that key (all keys when empty), never to be
 * sent. */
struct batch *batch_take_waiting(struct lane *, struct slice key);
/* A batch of what waits filtered in the lane with an order below end: ACK, settles from the loop.
 */
void batch_pass(struct lane *, uint64_t end);
/* Adds what waits filtered with an order from begin to below end, each where it belongs. */
void batch_add_filtered(struct batch *, uint64_t begin, uint64_t end, struct decision);
/* Sends with a slot that the caller took. */
void batch_send(struct batch *);
/* Sends again after a delay, with a slot of its own; released instead while draining. */
void batch_retry(struct batch *, int64_t delay_ms);
bool batch_awaits_retry(const struct batch *); /* in back-off before another send */
/* Puts the records after the first keep back at the head of their lane, in order. */
void batch_give_back(struct batch *, size_t keep);
void batch_decide_all(struct batch *, struct decision);
/* Every record has its decision: the dead are made durable first, then the batch settles from the
 * loop. */
void batch_finish(struct batch *);
/* Every record RELEASE, counted as a try or not; then settles from the loop. */
void batch_release(struct batch *, bool counts);
/* Ends a batch that was given back whole: nothing to settle. */
void batch_dissolve(struct batch *);
/* Stops whatever the batch waits for and releases its records; for a cut drain. */
void batch_cut(struct batch *);

#endif
