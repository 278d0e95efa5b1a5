/* queue_dedup.c - a ring of records by age, and a table by hash into it. */
#include "engine/queue_dedup.h"

#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_RECORDS = 64 };

void queue_dedup_free(struct queue_dedup *d)
{
    free(d->ring);
    free(d->slots);
    *d = (struct queue_dedup){0};
}

static uint32_t home(const struct queue_dedup *d, const struct queue_dedup_record *r)
{
    return (uint32_t)r->hash[0] & (d->n_slots - 1);
}

static void table_put(struct queue_dedup *d, uint32_t pos)
{
    uint32_t i = home(d, &d->ring[pos]);
    while (d->slots[i] != 0)
        i = (i + 1) & (d->n_slots - 1);
    d->slots[i] = pos + 1;
    d->live++;
}

/* The records move to the front of a ring of another size. */
static void resize(struct queue_dedup *d, uint32_t cap)
{
    struct queue_dedup_record *ring = mem_alloc_raw(cap * sizeof *ring);
    for (uint32_t i = 0; i < d->n; i++)
        ring[i] = d->ring[(d->head + i) & (d->cap - 1)];
    free(d->ring);
    free(d->slots);
    d->ring = ring;
    d->cap = cap;
    d->head = 0;
    d->live = 0;
    d->n_slots = cap * 2;
    d->slots = mem_alloc(d->n_slots * sizeof *d->slots);
    for (uint32_t i = 0; i < d->n; i++)
        if (!ring[i].dead)
            table_put(d, i);
}

static uint32_t find_slot(const struct queue_dedup *d, const uint64_t hash[2])
{
    if (d->n_slots == 0)
        return UINT32_MAX;
    for (uint32_t i = (uint32_t)hash[0] & (d->n_slots - 1); d->slots[i] != 0;
         i = (i + 1) & (d->n_slots - 1)) {
        const struct queue_dedup_record *r = &d->ring[d->slots[i] - 1];
        if (r->hash[0] == hash[0] && r->hash[1] == hash[1])
            return i;
    }
    return UINT32_MAX;
}

/* Those behind that would not be found past the hole move into it. */
static void table_remove(struct queue_dedup *d, uint32_t i)
{
    uint32_t mask = d->n_slots - 1;
    d->ring[d->slots[i] - 1].dead = 1;
    d->slots[i] = 0;
    d->live--;
    for (uint32_t j = (i + 1) & mask; d->slots[j] != 0; j = (j + 1) & mask) {
        uint32_t want = home(d, &d->ring[d->slots[j] - 1]);
        if (((j - want) & mask) >= ((j - i) & mask)) {
            d->slots[i] = d->slots[j];
            d->slots[j] = 0;
            i = j;
        }
    }
}

struct queue_dedup_record *queue_dedup_find(struct queue_dedup *d, const uint64_t hash[2],
                                            int64_t now_ms)
{
    uint32_t i = find_slot(d, hash);
    if (i == UINT32_MAX)
        return NULL;
    struct queue_dedup_record *r = &d->ring[d->slots[i] - 1];
    if (r->pending || r->at_ms + QUEUE_DEDUP_MS > now_ms)
        return r;
    table_remove(d, i);
    return NULL;
}

static struct queue_dedup_record *push(struct queue_dedup *d, const uint64_t hash[2], uint64_t seq,
                                       int64_t at_ms)
{
    if (d->n == d->cap)
        resize(d, d->cap > 0 ? d->cap * 2 : FIRST_RECORDS);
    uint32_t pos = (d->head + d->n++) & (d->cap - 1);
    struct queue_dedup_record *r = &d->ring[pos];
    *r = (struct queue_dedup_record){.hash = {hash[0], hash[1]}, .at_ms = at_ms};
    r->seq = seq & ((UINT64_C(1) << 40) - 1);
    return r;
}

struct queue_dedup_record *queue_dedup_add(struct queue_dedup *d, const uint64_t hash[2],
                                           uint64_t seq, int64_t now_ms)
{
    uint32_t before = find_slot(d, hash);
    if (before != UINT32_MAX)
        table_remove(d, before);
    struct queue_dedup_record *r = push(d, hash, seq, now_ms);
    r->pending = 1;
    table_put(d, (uint32_t)(r - d->ring));
    return r;
}

void queue_dedup_load(struct queue_dedup *d, const uint64_t hash[2], uint64_t seq, int64_t at_ms,
                      bool noted)
{
    uint32_t twin = find_slot(d, hash);
    if (twin != UINT32_MAX && d->ring[d->slots[twin] - 1].at_ms > at_ms) {
        struct queue_dedup_record *r = push(d, hash, seq, at_ms);
        r->dead = 1;
        r->noted = noted;
        return;
    }
    struct queue_dedup_record *r = queue_dedup_add(d, hash, seq, at_ms);
    r->pending = 0;
    r->noted = noted;
}

void queue_dedup_end(struct queue_dedup *d, const uint64_t hash[2], uint64_t seq, bool ok)
{
    uint32_t i = find_slot(d, hash);
    if (i == UINT32_MAX || d->ring[d->slots[i] - 1].seq != seq)
        return;
    d->ring[d->slots[i] - 1].pending = 0;
    if (!ok)
        table_remove(d, i);
}

int64_t queue_dedup_due(const struct queue_dedup *d)
{
    return d->n > 0 ? d->ring[d->head].at_ms + QUEUE_DEDUP_MS : INT64_MAX;
}

bool queue_dedup_expire(struct queue_dedup *d, int64_t now_ms, struct queue_dedup_record *out)
{
    if (d->n == 0 ||
        (now_ms != INT64_MAX && (d->ring[d->head].pending || queue_dedup_due(d) > now_ms)))
        return false;
    struct queue_dedup_record *r = &d->ring[d->head];
    if (!r->dead)
        table_remove(d, find_slot(d, r->hash));
    *out = *r;
    d->head = (d->head + 1) & (d->cap - 1);
    d->n--;
    if (d->cap > FIRST_RECORDS && d->n < d->cap / 8)
        resize(d, d->cap / 2);
    return true;
}
