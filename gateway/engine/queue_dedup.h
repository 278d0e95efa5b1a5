/* queue_dedup.h - deduplication ids of the last five minutes of one FIFO queue, 32 bytes each plus
 * a place in a table: a keyed hash, and the sequence number that the first message got. */
#ifndef ENGINE_QUEUE_DEDUP_H
#define ENGINE_QUEUE_DEDUP_H

#include "base/base.h"

enum { QUEUE_DEDUP_MS = 300000 };

struct queue_dedup_record {
    uint64_t hash[2];
    uint64_t seq : 40;
    uint64_t pending : 1; /* its message is not on disk yet */
    uint64_t noted : 1;   /* the note on disk has the name of this record */
    uint64_t dead : 1;    /* not in the table: the send failed, or a later one took its place */
    int64_t at_ms;        /* loop time */
};

/* Zeroed = empty. */
struct queue_dedup {
    struct queue_dedup_record *ring;
    uint32_t head, n, cap;
    uint32_t *slots; /* position in the ring + 1 */
    uint32_t n_slots, live;
};

void queue_dedup_free(struct queue_dedup *);
/* One that is not older than five minutes; NULL: none. Valid until the next add. */
struct queue_dedup_record *queue_dedup_find(struct queue_dedup *, const uint64_t hash[2],
                                            int64_t now_ms);
/* The caller looked: none there. */
struct queue_dedup_record *queue_dedup_add(struct queue_dedup *, const uint64_t hash[2],
                                           uint64_t seq, int64_t now_ms);
/* One from its note, in any order: of two with one hash the younger counts. */
void queue_dedup_load(struct queue_dedup *, const uint64_t hash[2], uint64_t seq, int64_t at_ms,
                      bool noted);
/* The send of this message succeeded or failed. */
void queue_dedup_end(struct queue_dedup *, const uint64_t hash[2], uint64_t seq, bool ok);
/* Takes the oldest off when it is too old (now_ms INT64_MAX: in any case). */
bool queue_dedup_expire(struct queue_dedup *, int64_t now_ms, struct queue_dedup_record *out);
int64_t queue_dedup_due(const struct queue_dedup *); /* when the oldest is; INT64_MAX: none */

#endif
