/* queue_ranges.c - a ring of ranges of sequence numbers, so that a million waiting messages cost
 * what a few do. */
#include "engine/queue_ranges.h"

#include "base/mem.h"
#include <assert.h>
#include <stdlib.h>

enum { SHRINK_ABOVE = 64 };

void queue_ranges_free(struct queue_ranges *r)
{
    free(r->ring);
    *r = (struct queue_ranges){0};
}

struct queue_range *queue_ranges_at(const struct queue_ranges *r, uint32_t i)
{
    assert(i < r->used);
    return &r->ring[(r->head + i) & (r->cap - 1)];
}

static void resize(struct queue_ranges *r, uint32_t cap)
{
    struct queue_range *ring = mem_alloc_raw(cap * sizeof *ring);
    uint32_t used = 0;
    for (uint32_t i = 0; i < r->used; i++) {
        const struct queue_range *at = queue_ranges_at(r, i);
        if (at->n > 0)
            ring[used++] = *at;
    }
    free(r->ring);
    r->ring = ring;
    r->cap = cap;
    r->head = 0;
    r->used = used;
}

static void make_room(struct queue_ranges *r)
{
    if (r->used == r->cap)
        resize(r, r->cap > 0 ? r->cap * 2 : 1);
}

/* Empty slots at both ends go; a burst gives its memory back. */
static void trim(struct queue_ranges *r)
{
    while (r->used > 0 && queue_ranges_at(r, 0)->n == 0) {
        r->head = (r->head + 1) & (r->cap - 1);
        r->used--;
    }
    while (r->used > 0 && queue_ranges_at(r, r->used - 1)->n == 0)
        r->used--;
    if (r->cap > SHRINK_ABOVE && r->used < r->cap / 8)
        resize(r, r->cap / 2);
}

static bool joins(const struct queue_range *a, int64_t born_ms, uint32_t window_ms)
{
    int64_t first = a->born_ms < born_ms ? a->born_ms : born_ms;
    int64_t last = a->born_ms + a->span_ms > born_ms ? a->born_ms + a->span_ms : born_ms;
    return a->n > 0 && a->n < UINT32_MAX && last - first <= window_ms;
}

static void join(struct queue_range *a, int64_t born_ms)
{
    int64_t last = a->born_ms + a->span_ms;
    if (born_ms < a->born_ms)
        a->born_ms = born_ms;
    a->span_ms = (uint32_t)((born_ms > last ? born_ms : last) - a->born_ms);
    a->n++;
}

void queue_ranges_push(struct queue_ranges *r, uint64_t seq, int64_t born_ms, uint32_t window_ms)
{
    r->total++;
    if (r->used > 0) {
        struct queue_range *last = queue_ranges_at(r, r->used - 1);
        if (last->first + last->n == seq && joins(last, born_ms, window_ms)) {
            join(last, born_ms);
            return;
        }
    }
    make_room(r);
    r->used++;
    *queue_ranges_at(r, r->used - 1) =
        (struct queue_range){.first = seq, .born_ms = born_ms, .n = 1};
}

void queue_ranges_unpop(struct queue_ranges *r, uint64_t seq, int64_t born_ms, uint32_t window_ms)
{
    r->total++;
    if (r->used > 0) {
        struct queue_range *front = queue_ranges_at(r, 0);
        if (seq + 1 == front->first && joins(front, born_ms, window_ms)) {
            join(front, born_ms);
            front->first = seq;
            return;
        }
    }
    make_room(r);
    r->head = (r->head - 1) & (r->cap - 1);
    r->used++;
    *queue_ranges_at(r, 0) = (struct queue_range){.first = seq, .born_ms = born_ms, .n = 1};
}

const struct queue_range *queue_ranges_front(const struct queue_ranges *r)
{
    return r->used > 0 ? queue_ranges_at(r, 0) : NULL;
}

const struct queue_range *queue_ranges_last(const struct queue_ranges *r)
{
    return r->used > 0 ? queue_ranges_at(r, r->used - 1) : NULL;
}

bool queue_ranges_pop(struct queue_ranges *r, uint64_t *seq, int64_t *born_ms)
{
    const struct queue_range *front = queue_ranges_front(r);
    if (front == NULL)
        return false;
    *seq = front->first;
    *born_ms = front->born_ms + front->span_ms;
    queue_ranges_cut(r, 0, 1);
    return true;
}

static void cut(struct queue_ranges *r, struct queue_range *at, uint32_t n)
{
    at->first += n;
    at->n -= n;
    r->total -= n;
}

void queue_ranges_cut(struct queue_ranges *r, uint32_t i, uint32_t n)
{
    struct queue_range *at = queue_ranges_at(r, i);
    assert(n <= at->n);
    cut(r, at, n);
    if (at->n == 0 && (i == 0 || i == r->used - 1))
        trim(r);
}

void queue_ranges_cut_below(struct queue_ranges *r, uint64_t seq)
{
    for (uint32_t i = 0; i < r->used; i++) {
        struct queue_range *at = queue_ranges_at(r, i);
        if (at->n > 0 && at->first < seq)
            cut(r, at, seq - at->first < at->n ? (uint32_t)(seq - at->first) : at->n);
    }
    trim(r);
}

/* The slot i becomes two: its first n messages, and the others. */
static void split(struct queue_ranges *r, uint32_t i, uint32_t n)
{
    uint64_t first = queue_ranges_at(r, i)->first; /* to find it again: making room moves slots */
    make_room(r);
    for (i = 0; queue_ranges_at(r, i)->n == 0 || queue_ranges_at(r, i)->first != first;)
        i++;
    r->used++;
    for (uint32_t to = r->used - 1; to > i; to--)
        *queue_ranges_at(r, to) = *queue_ranges_at(r, to - 1);
    struct queue_range *behind = queue_ranges_at(r, i + 1);
    behind->first += n;
    behind->n -= n;
    queue_ranges_at(r, i)->n = n;
}

bool queue_ranges_take(struct queue_ranges *r, uint64_t seq, int64_t *born_ms)
{
    for (uint32_t i = 0; i < r->used; i++) {
        const struct queue_range *at = queue_ranges_at(r, i);
        if (seq < at->first || seq - at->first >= at->n)
            continue;
        *born_ms = at->born_ms + at->span_ms;
        if (seq > at->first) {
            split(r, i, (uint32_t)(seq - at->first));
            return queue_ranges_take(r, seq, born_ms);
        }
        queue_ranges_cut(r, i, 1);
        return true;
    }
    return false;
}
