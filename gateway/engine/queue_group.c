/* queue_group.c - message groups of FIFO queues: order within, turns between them. */
#include "engine/queue_group.h"

#include "base/mem.h"
#include "engine/queue_index.h"
#include "engine/queue_receive.h"
#include "engine/queue_sweep.h"
#include <stdlib.h>
#include <string.h>

struct slice queue_group_key(const struct queue_group *g)
{
    return (struct slice){g->key, g->key_n};
}

struct queue_group *queue_group_get(struct queue *q, struct slice key)
{
    struct queue_group *g = map_get(&q->groups, key);
    if (g != NULL)
        return g;
    g = mem_alloc(sizeof *g + key.n);
    g->due.is_group = true;
    list_init(&g->ready);
    list_init(&g->returned);
    g->key_n = (uint32_t)key.n;
    if (key.n > 0)
        memcpy(g->key, key.p, key.n);
    list_append(&q->all_groups, &g->all);
    (void)map_set(&q->groups, key, g);
    return g;
}

void queue_group_free(struct queue *q, struct queue_group *g)
{
    queue_heap_remove(&q->heap, &g->due);
    list_remove(&g->ready);
    list_remove(&g->all);
    (void)map_del(&q->groups, queue_group_key(g));
    queue_ranges_free(&g->fresh);
    free(g);
}

void queue_group_add(struct queue *q, struct queue_group *g, uint64_t seq, int64_t born_ms)
{
    queue_ranges_push(&g->fresh, seq, born_ms, queue_index_window(q));
    q->n_fresh++;
}

void queue_group_return(struct queue_group *g, struct queue_entry *e)
{
    struct list *after = g->returned.prev;
    while (after != &g->returned && container_of(after, struct queue_entry, node)->seq > e->seq)
        after = after->prev;
    list_prepend(after, &e->node);
}

static struct queue_entry *first_returned(const struct queue_group *g)
{
    return list_empty(&g->returned) ? NULL
                                    : container_of(g->returned.next, struct queue_entry, node);
}

/* When the first message may be given out; INT64_MAX: there is none. */
static int64_t first_due(const struct queue *q, struct queue_group *g)
{
    const struct queue_entry *e = first_returned(g);
    const struct queue_range *r = queue_ranges_front(&g->fresh);
    if (e != NULL && (r == NULL || e->seq < r->first))
        return INT64_MIN;
    if (r == NULL)
        return INT64_MAX;
    return q->settings.delay_s > 0 ? r->born_ms + r->span_ms + q->settings.delay_s * 1000
                                   : INT64_MIN;
}

bool queue_group_pop(struct queue *q, struct queue_group *g, struct queue_entry **entry,
                     uint64_t *seq, int64_t *born_ms)
{
    int64_t due = first_due(q, g);
    if (due == INT64_MAX || due > queue_now(q))
        return false;
    struct queue_entry *e = first_returned(g);
    const struct queue_range *r = queue_ranges_front(&g->fresh);
    if (e != NULL && (r == NULL || e->seq < r->first)) {
        list_remove(&e->node);
        *entry = e;
        return true;
    }
    *entry = NULL;
    q->n_fresh--;
    return queue_ranges_pop(&g->fresh, seq, born_ms);
}

void queue_group_update(struct queue *q, struct queue_group *g)
{
    queue_heap_remove(&q->heap, &g->due);
    if (g->out > 0) {
        list_remove(&g->ready);
        return;
    }
    int64_t due = first_due(q, g);
    if (due == INT64_MAX) {
        queue_group_free(q, g);
    } else if (due <= queue_now(q)) {
        if (list_empty(&g->ready))
            list_append(&q->ready_groups, &g->ready);
        queue_receive_kick(q);
    } else {
        list_remove(&g->ready);
        g->due.due_ms = due;
        queue_heap_push(&q->heap, &g->due);
        queue_sweep_wake(q);
    }
}
