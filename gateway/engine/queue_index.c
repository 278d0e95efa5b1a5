/* queue_index.c - which message of a queue is visible, hidden or delayed: the structures between
 * which a message moves, and how it moves. */
#include "engine/queue_index.h"

#include "engine/queue_group.h"
#include "engine/queue_receive.h"
#include "engine/queue_sweep.h"
#include <assert.h>

enum { AGES_PER_RETENTION = 1024 };

void queue_index_init(struct queue *q)
{
    list_init(&q->again);
    list_init(&q->all_groups);
    list_init(&q->ready_groups);
    map_init(&q->groups);
}

void queue_index_free(struct queue *q)
{
    queue_index_cut_below(q, UINT64_MAX);
    list_each(&q->all_groups, it) queue_group_free(q, container_of(it, struct queue_group, all));
    map_free(&q->groups);
    queue_ranges_free(&q->fresh);
    queue_ranges_free(&q->delayed);
    queue_table_free(&q->table);
    queue_heap_free(&q->heap);
}

/* Ages in one range differ by a thousandth of the retention period at most: a range expires as a
 * whole, and late rather than early. In a FIFO queue delays are counted from the age. */
uint32_t queue_index_window(const struct queue *q)
{
    return q->settings.fifo ? 0 : (uint32_t)(q->settings.retention_s * 1000 / AGES_PER_RETENTION);
}

static struct queue_entry *new_entry(struct queue *q, uint64_t seq, int64_t born_ms,
                                     enum queue_entry_state state)
{
    struct queue_entry *e = queue_pool_get(&q->service->pool);
    e->seq = seq & ((UINT64_C(1) << SPOOL_SEQUENCE_BITS) - 1);
    e->born_ms = born_ms;
    e->state = state & 7u;
    q->count[state]++;
    queue_table_put(&q->table, e);
    return e;
}

static void free_entry(struct queue *q, struct queue_entry *e)
{
    queue_table_remove(&q->table, e);
    q->count[e->state]--;
    if (e->busy > 0)
        e->gone = 1;
    else
        queue_pool_put(&q->service->pool, e);
}

void queue_index_state(struct queue *q, struct queue_entry *e, enum queue_entry_state state)
{
    q->count[e->state]--;
    e->state = state & 7u;
    q->count[state]++;
}

static bool joins_delayed(const struct queue *q, int64_t born_ms, int64_t delay_ms)
{
    const struct queue_range *last = queue_ranges_last(&q->delayed);
    return last == NULL || (q->delayed_by_ms == delay_ms && last->born_ms <= born_ms);
}

void queue_index_add(struct queue *q, uint64_t seq, int64_t born_ms, int64_t delay_ms,
                     struct slice group)
{
    queue_sweep_born(q, born_ms);
    if (q->settings.fifo) {
        struct queue_group *g = queue_group_get(q, group);
        queue_group_add(q, g, seq, born_ms);
        queue_group_update(q, g);
    } else if (delay_ms <= 0 || born_ms + delay_ms <= queue_now(q)) {
        queue_ranges_push(&q->fresh, seq, born_ms, queue_index_window(q));
        queue_receive_kick(q);
    } else if (joins_delayed(q, born_ms, delay_ms)) {
        q->delayed_by_ms = delay_ms;
        queue_ranges_push(&q->delayed, seq, born_ms, 0);
        queue_sweep_wake(q);
    } else {
        struct queue_entry *e = new_entry(q, seq, born_ms, QUEUE_ENTRY_DELAYED);
        e->due.due_ms = born_ms + delay_ms;
        queue_index_settle(q, e, false);
    }
}

void queue_index_add_taken(struct queue *q, const struct queue_arrival *a)
{
    queue_sweep_born(q, a->born_ms);
    struct queue_entry *e = new_entry(q, a->seq, a->born_ms, QUEUE_ENTRY_FLIGHT);
    e->due.due_ms = a->due_ms;
    e->first_ms = a->first_ms;
    e->takes = a->takes;
    e->bytes = a->bytes;
    e->taken_s = (uint64_t)(queue_now(q) / 1000);
    if (q->settings.fifo) {
        e->group = queue_group_get(q, a->group);
        e->group->out++;
    }
    queue_index_settle(q, e, false);
}

static struct queue_entry *pop_standard(struct queue *q)
{
    const struct queue_range *fresh = queue_ranges_front(&q->fresh);
    if (!list_empty(&q->again)) {
        struct queue_entry *e = container_of(q->again.next, struct queue_entry, node);
        if (fresh == NULL || e->due.due_ms <= fresh->born_ms) {
            queue_index_detach(q, e);
            return e;
        }
    }
    uint64_t seq;
    int64_t born_ms;
    if (!queue_ranges_pop(&q->fresh, &seq, &born_ms))
        return NULL;
    return new_entry(q, seq, born_ms, QUEUE_ENTRY_VISIBLE);
}

static struct queue_entry *pop_group(struct queue *q, struct queue_group *g)
{
    struct queue_entry *e;
    uint64_t seq = 0;
    int64_t born_ms = 0;
    if (!queue_group_pop(q, g, &e, &seq, &born_ms))
        return NULL;
    if (e == NULL) {
        e = new_entry(q, seq, born_ms, QUEUE_ENTRY_VISIBLE);
        e->group = g;
    }
    e->placed = 0;
    g->out++;
    queue_group_update(q, g);
    return e;
}

struct queue_entry *queue_index_pop(struct queue *q, struct queue_group **group)
{
    if (!q->settings.fifo)
        return pop_standard(q);
    struct queue_entry *e = *group != NULL ? pop_group(q, *group) : NULL;
    if (e != NULL || list_empty(&q->ready_groups))
        return e;
    *group = container_of(q->ready_groups.next, struct queue_group, ready);
    return pop_group(q, *group);
}

struct queue_entry *queue_index_fetch(struct queue *q, uint64_t seq)
{
    int64_t born_ms;
    uint64_t each = q->bytes / (queue_index_messages(q) + 1);
    if (q->settings.fifo || seq >= q->first_seq ||
        (!queue_ranges_take(&q->fresh, seq, &born_ms) &&
         !queue_ranges_take(&q->delayed, seq, &born_ms)))
        return NULL;
    struct queue_entry *e = new_entry(q, seq, born_ms, QUEUE_ENTRY_VISIBLE);
    e->bytes = (uint32_t)each;
    return e;
}

bool queue_index_any(const struct queue *q)
{
    return q->fresh.total > 0 || !list_empty(&q->again) || !list_empty(&q->ready_groups);
}

void queue_index_detach(struct queue *q, struct queue_entry *e)
{
    queue_heap_remove(&q->heap, &e->due);
    if (!e->placed)
        return;
    e->placed = 0;
    list_remove(&e->node);
    if (e->group != NULL) {
        e->group->out++;
        queue_group_update(q, e->group);
    }
}

/* In hand and visible: to where the next receive looks. */
static void place(struct queue *q, struct queue_entry *e, bool first)
{
    if (e->group != NULL) {
        struct queue_group *g = e->group;
        e->placed = 1;
        queue_group_return(g, e);
        g->out--;
        queue_group_update(q, g);
        return;
    }
    if (e->takes > 0) {
        e->placed = 1;
        if (first)
            list_prepend(&q->again, &e->node);
        else
            list_append(&q->again, &e->node);
    } else {
        uint64_t seq = e->seq;
        int64_t born_ms = e->born_ms;
        free_entry(q, e);
        if (first)
            queue_ranges_unpop(&q->fresh, seq, born_ms, queue_index_window(q));
        else
            queue_ranges_push(&q->fresh, seq, born_ms, queue_index_window(q));
    }
    queue_receive_kick(q);
}

void queue_index_settle(struct queue *q, struct queue_entry *e, bool first)
{
    assert(e->busy == 0 && !e->gone && e->state != QUEUE_ENTRY_TAKING);
    if (e->state != QUEUE_ENTRY_VISIBLE && e->due.due_ms > queue_now(q)) {
        queue_heap_push(&q->heap, &e->due);
        queue_sweep_wake(q);
        return;
    }
    queue_index_state(q, e, QUEUE_ENTRY_VISIBLE);
    place(q, e, first);
}

void queue_index_release(struct queue *q, struct queue_entry *e, bool first)
{
    assert(e->busy > 0);
    e->busy--;
    if (e->busy > 0)
        return;
    if (e->gone)
        queue_pool_put(&q->service->pool, e);
    else
        queue_index_settle(q, e, first);
}

void queue_index_remove(struct queue *q, struct queue_entry *e)
{
    if (e->gone)
        return;
    queue_index_detach(q, e);
    struct queue_group *g = e->group;
    e->group = NULL;
    q->bytes -= e->bytes < q->bytes ? e->bytes : q->bytes;
    free_entry(q, e);
    if (g != NULL) {
        g->out--;
        queue_group_update(q, g);
    }
}

/* ---- time */

static bool ripen_delayed(struct queue *q, size_t *max)
{
    for (; *max > 0; (*max)--) {
        const struct queue_range *r = queue_ranges_front(&q->delayed);
        if (r == NULL || r->born_ms + r->span_ms + q->delayed_by_ms > queue_now(q))
            return false;
        uint64_t seq;
        int64_t born_ms;
        (void)queue_ranges_pop(&q->delayed, &seq, &born_ms);
        queue_ranges_push(&q->fresh, seq, born_ms, queue_index_window(q));
        queue_receive_kick(q);
    }
    return true;
}

bool queue_index_ripen(struct queue *q, size_t max)
{
    if (ripen_delayed(q, &max))
        return true;
    for (; max > 0; max--) {
        struct queue_due *d = queue_heap_top(&q->heap);
        if (d == NULL || d->due_ms > queue_now(q))
            return false;
        queue_heap_remove(&q->heap, d);
        if (d->is_group)
            queue_group_update(q, container_of(d, struct queue_group, due));
        else
            queue_index_settle(q, container_of(d, struct queue_entry, due), false);
    }
    return true;
}

void queue_index_redelay(struct queue *q)
{
    list_each(&q->all_groups, it) queue_group_update(q, container_of(it, struct queue_group, all));
}
