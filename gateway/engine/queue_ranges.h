/* queue_ranges.h - runs of messages that nobody has received yet, a few bytes each: contiguous
 * sequence numbers of about the same age share one range. First in, first out. */
#ifndef ENGINE_QUEUE_RANGES_H
#define ENGINE_QUEUE_RANGES_H

#include "base/base.h"

/* Sequences first … first + n - 1, born from born_ms to born_ms + span_ms; n == 0: an empty slot.
 */
struct queue_range {
    uint64_t first;
    int64_t born_ms;
    uint32_t n, span_ms;
};

/* Zeroed = empty. */
struct queue_ranges {
    struct queue_range *ring;
    uint32_t head, used, cap; /* used slots, empty ones in the middle included */
    uint64_t total;           /* messages */
};

void queue_ranges_free(struct queue_ranges *);
/* A message whose age differs by more than window_ms from the last range's begins another. */
void queue_ranges_push(struct queue_ranges *, uint64_t seq, int64_t born_ms, uint32_t window_ms);
void queue_ranges_unpop(struct queue_ranges *, uint64_t seq, int64_t born_ms, uint32_t window_ms);
/* The oldest range, never an empty one; NULL: nothing. */
const struct queue_range *queue_ranges_front(const struct queue_ranges *);
const struct queue_range *queue_ranges_last(const struct queue_ranges *);
/* Takes the first message off; its age is told as that of the youngest in its range. */
bool queue_ranges_pop(struct queue_ranges *, uint64_t *seq, int64_t *born_ms);
/* Takes this one out, wherever it is. False: it is not there. Looks at every slot. */
bool queue_ranges_take(struct queue_ranges *, uint64_t seq, int64_t *born_ms);
/* Slot i of used, in order. */
struct queue_range *queue_ranges_at(const struct queue_ranges *, uint32_t i);
void queue_ranges_cut(struct queue_ranges *, uint32_t i, uint32_t n); /* the first n of slot i */
void queue_ranges_cut_below(struct queue_ranges *, uint64_t seq);     /* all before seq */

#endif
