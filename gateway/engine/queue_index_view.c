/* queue_index_view.c - looks at the index of a queue as a whole: counts, the first messages,
 * everything before a sequence number. */
#include "engine/queue_group.h"
#include "engine/queue_index.h"

uint64_t queue_index_messages(const struct queue *q)
{
    return q->fresh.total + q->delayed.total + q->n_fresh + q->table.n;
}

static uint64_t delayed_in(const struct queue *q, const struct queue_group *g)
{
    uint64_t n = 0;
    for (uint32_t i = g->fresh.used; i > 0; i--) {
        const struct queue_range *r = queue_ranges_at(&g->fresh, i - 1);
        if (r->n > 0 && r->born_ms + r->span_ms + q->settings.delay_s * 1000 <= queue_now(q))
            break;
        n += r->n;
    }
    return n;
}

uint64_t queue_index_delayed(const struct queue *q)
{
    uint64_t n = q->delayed.total + q->count[QUEUE_ENTRY_DELAYED];
    if (!q->settings.fifo || q->settings.delay_s == 0)
        return n;
    list_each(&q->all_groups, it) n += delayed_in(q, container_of(it, struct queue_group, all));
    return n;
}

static int64_t older(int64_t a, const struct queue_range *r)
{
    return r != NULL && r->born_ms < a ? r->born_ms : a;
}

static int64_t older_entry(int64_t a, const struct list *l)
{
    if (list_empty(l))
        return a;
    struct list *first = l->next;
    const struct queue_entry *e = container_of(first, struct queue_entry, node);
    return e->born_ms < a ? e->born_ms : a;
}

int64_t queue_index_oldest(const struct queue *q)
{
    int64_t born = older(INT64_MAX, queue_ranges_front(&q->fresh));
    born = older(born, queue_ranges_front(&q->delayed));
    born = older_entry(born, &q->again);
    if (!list_empty(&q->ready_groups)) {
        struct queue_group *g = container_of(q->ready_groups.next, struct queue_group, ready);
        born = older_entry(older(born, queue_ranges_front(&g->fresh)), &g->returned);
    }
    struct queue_due *d = queue_heap_top(&q->heap);
    if (d != NULL && !d->is_group) {
        const struct queue_entry *e = container_of(d, struct queue_entry, due);
        born = e->born_ms < born ? e->born_ms : born;
    }
    return born == INT64_MAX && queue_index_messages(q) > 0 ? queue_now(q) : born;
}

static uint64_t lowest_in(uint64_t lowest, const struct queue_ranges *r)
{
    for (uint32_t i = 0; i < r->used; i++) {
        const struct queue_range *at = queue_ranges_at(r, i);
        if (at->n > 0 && at->first < lowest)
            lowest = at->first;
    }
    return lowest;
}

uint64_t queue_index_lowest(const struct queue *q)
{
    uint64_t lowest = lowest_in(lowest_in(UINT64_MAX, &q->fresh), &q->delayed);
    list_each(&q->all_groups, it) lowest =
        lowest_in(lowest, &container_of(it, struct queue_group, all)->fresh);
    for (size_t i = 0; i < q->table.cap; i++)
        if (q->table.slots[i] != NULL && q->table.slots[i]->seq < lowest)
            lowest = q->table.slots[i]->seq;
    return lowest;
}

struct queue_counts queue_counts(const struct queue *q)
{
    uint64_t delayed = queue_index_delayed(q);
    uint64_t hidden = q->settings.fifo ? delayed : 0; /* they lie among the visible ones */
    int64_t born = queue_index_oldest(q);
    return (struct queue_counts){
        .visible = q->fresh.total + q->n_fresh - hidden + q->count[QUEUE_ENTRY_VISIBLE] +
                   q->count[QUEUE_ENTRY_HELD],
        .in_flight = q->count[QUEUE_ENTRY_FLIGHT] + q->count[QUEUE_ENTRY_TAKING],
        .delayed = delayed,
        .bytes = q->bytes,
        .created_s = q->created_s,
        .modified_s = q->modified_s,
        .oldest_ms = born == INT64_MAX ? -1 : queue_now(q) - born,
        .sent = q->sent,
        .received = q->received,
        .deleted = q->deleted,
        .moved = q->moved,
    };
}

/* ---- glance */

struct glance {
    struct queue_glance *out;
    size_t n, max;
};

static void look_entry(struct glance *g, const struct queue_entry *e)
{
    if (g->n < g->max)
        g->out[g->n++] =
            (struct queue_glance){.seq = e->seq, .takes = e->takes, .first_ms = e->first_ms};
}

/* The ranges from slot *slot, message *at on, as long as they are older than until_ms. */
static void look_ranges(struct glance *g, const struct queue_ranges *r, uint32_t *slot,
                        uint32_t *at, int64_t until_ms)
{
    for (; *slot < r->used && g->n < g->max; (*slot)++, *at = 0) {
        const struct queue_range *range = queue_ranges_at(r, *slot);
        if (range->born_ms >= until_ms)
            return;
        for (; *at < range->n && g->n < g->max; (*at)++)
            g->out[g->n++] = (struct queue_glance){.seq = range->first + *at};
        if (g->n == g->max)
            return;
    }
}

static void look_group(const struct queue *q, struct glance *g, const struct queue_group *group)
{
    uint32_t slot = 0, at = 0;
    int64_t delay_ms = q->settings.delay_s * 1000;
    list_each(&group->returned, it) look_entry(g, container_of(it, struct queue_entry, node));
    look_ranges(g, &group->fresh, &slot, &at,
                delay_ms > 0 ? queue_now(q) - delay_ms + 1 : INT64_MAX);
}

size_t queue_index_glance(struct queue *q, struct queue_glance *out, size_t max)
{
    struct glance g = {.out = out, .max = max};
    uint32_t slot = 0, at = 0;
    list_each(&q->again, it)
    {
        const struct queue_entry *e = container_of(it, struct queue_entry, node);
        if (g.n == max)
            break;
        look_ranges(&g, &q->fresh, &slot, &at, e->due.due_ms);
        look_entry(&g, e);
    }
    look_ranges(&g, &q->fresh, &slot, &at, INT64_MAX);
    for (struct list *it = q->ready_groups.next; it != &q->ready_groups && g.n < max; it = it->next)
        look_group(q, &g, container_of(it, struct queue_group, ready));
    return g.n;
}

/* ---- everything before a sequence number */

static void cut_entries(struct queue *q, uint64_t seq)
{
    /* Removing moves others, also to where we have been: until a walk finds nothing. */
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < q->table.cap; i++)
            while (i < q->table.cap && q->table.slots[i] != NULL && q->table.slots[i]->seq < seq) {
                queue_index_remove(q, q->table.slots[i]);
                again = true;
            }
    }
}

void queue_index_cut_below(struct queue *q, uint64_t seq)
{
    uint64_t before = queue_index_messages(q);
    uint64_t each = before > 0 ? q->bytes / before : 0;
    cut_entries(q, seq);
    uint64_t ranged = q->fresh.total + q->delayed.total + q->n_fresh;
    queue_ranges_cut_below(&q->fresh, seq);
    queue_ranges_cut_below(&q->delayed, seq);
    list_each(&q->all_groups, it)
    {
        struct queue_group *g = container_of(it, struct queue_group, all);
        uint64_t total = g->fresh.total;
        queue_ranges_cut_below(&g->fresh, seq);
        q->n_fresh -= total - g->fresh.total;
        queue_group_update(q, g);
    }
    uint64_t cut = (ranged - q->fresh.total - q->delayed.total - q->n_fresh) * each;
    q->bytes -= cut < q->bytes ? cut : q->bytes;
    if (queue_index_messages(q) == 0)
        q->bytes = 0;
}
