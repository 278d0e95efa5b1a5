/* queue_entry.c - pool, table and heap of the messages that are not just waiting. */
#include "engine/queue_entry.h"

#include "base/mem.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ENTRIES = 512, FIRST_SLOTS = 16, FIRST_HEAP = 16 };

struct block {
    struct list node;
    struct queue_entry entries[BLOCK_ENTRIES];
};

void queue_pool_init(struct queue_pool *p)
{
    list_init(&p->free);
    list_init(&p->blocks);
}

void queue_pool_free(struct queue_pool *p)
{
    list_each(&p->blocks, it) free(container_of(it, struct block, node));
    queue_pool_init(p);
}

struct queue_entry *queue_pool_get(struct queue_pool *p)
{
    if (list_empty(&p->free)) {
        struct block *b = mem_alloc_raw(sizeof *b);
        list_append(&p->blocks, &b->node);
        for (size_t i = 0; i < BLOCK_ENTRIES; i++)
            list_append(&p->free, &b->entries[i].node);
    }
    struct queue_entry *e = container_of(p->free.next, struct queue_entry, node);
    list_remove(&e->node);
    memset(e, 0, sizeof *e);
    return e;
}

void queue_pool_put(struct queue_pool *p, struct queue_entry *e)
{
    assert(e->busy == 0 && e->due.pos == 0);
    list_prepend(&p->free, &e->node);
}

/* ---- table */

static size_t home(const struct queue_table *t, uint64_t seq)
{
    uint64_t h = seq * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 24) & (t->cap - 1);
}

void queue_table_free(struct queue_table *t)
{
    free(t->slots);
    *t = (struct queue_table){0};
}

static void place(struct queue_table *t, struct queue_entry *e)
{
    size_t i = home(t, e->seq);
    while (t->slots[i] != NULL)
        i = (i + 1) & (t->cap - 1);
    t->slots[i] = e;
}

static void table_resize(struct queue_table *t, size_t cap)
{
    struct queue_table old = *t;
    t->slots = mem_alloc(cap * sizeof *t->slots);
    t->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i] != NULL)
            place(t, old.slots[i]);
    free(old.slots);
}

struct queue_entry *queue_table_get(const struct queue_table *t, uint64_t seq)
{
    if (t->n == 0)
        return NULL;
    for (size_t i = home(t, seq); t->slots[i] != NULL; i = (i + 1) & (t->cap - 1))
        if (t->slots[i]->seq == seq)
            return t->slots[i];
    return NULL;
}

void queue_table_put(struct queue_table *t, struct queue_entry *e)
{
    if (t->n + 1 > t->cap / 4 * 3)
        table_resize(t, t->cap > 0 ? t->cap * 2 : FIRST_SLOTS);
    place(t, e);
    t->n++;
}

void queue_table_remove(struct queue_table *t, struct queue_entry *e)
{
    size_t mask = t->cap - 1, i = home(t, e->seq);
    while (t->slots[i] != e)
        i = (i + 1) & mask;
    t->slots[i] = NULL;
    t->n--;
    /* Those behind that would not be found past the hole move into it. */
    for (size_t j = (i + 1) & mask; t->slots[j] != NULL; j = (j + 1) & mask) {
        size_t want = home(t, t->slots[j]->seq);
        if (((j - want) & mask) >= ((j - i) & mask)) {
            t->slots[i] = t->slots[j];
            t->slots[j] = NULL;
            i = j;
        }
    }
    if (t->cap > FIRST_SLOTS && t->n < t->cap / 8)
        table_resize(t, t->cap / 2);
}

/* ---- heap */

void queue_heap_free(struct queue_heap *h)
{
    free(h->v);
    *h = (struct queue_heap){0};
}

static void heap_set(struct queue_heap *h, uint32_t i, struct queue_due *d)
{
    h->v[i] = d;
    d->pos = i + 1;
}

static void heap_up(struct queue_heap *h, uint32_t i)
{
    struct queue_due *d = h->v[i];
    for (; i > 0 && h->v[(i - 1) / 2]->due_ms > d->due_ms; i = (i - 1) / 2)
        heap_set(h, i, h->v[(i - 1) / 2]);
    heap_set(h, i, d);
}

static void heap_down(struct queue_heap *h, uint32_t i)
{
    struct queue_due *d = h->v[i];
    for (uint32_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && h->v[child + 1]->due_ms < h->v[child]->due_ms)
            child++;
        if (h->v[child]->due_ms >= d->due_ms)
            break;
        heap_set(h, i, h->v[child]);
    }
    heap_set(h, i, d);
}

void queue_heap_push(struct queue_heap *h, struct queue_due *d)
{
    assert(d->pos == 0);
    if (h->n == h->cap) {
        h->cap = h->cap > 0 ? h->cap * 2 : FIRST_HEAP;
        h->v = mem_realloc(h->v, h->cap * sizeof(struct queue_due *));
    }
    heap_set(h, h->n++, d);
    heap_up(h, h->n - 1);
}

void queue_heap_remove(struct queue_heap *h, struct queue_due *d)
{
    if (d->pos == 0)
        return;
    uint32_t i = d->pos - 1;
    d->pos = 0;
    struct queue_due *last = h->v[--h->n];
    if (last == d)
        return;
    heap_set(h, i, last);
    heap_up(h, i);
    heap_down(h, last->pos - 1);
}

struct queue_due *queue_heap_top(const struct queue_heap *h)
{
    return h->n > 0 ? h->v[0] : NULL;
}
