/* queue_sweep.c - the timer of a queue: hidden messages become visible, messages older than the
 * retention period go. A sweep is passes over everything, in bounded steps, until one pass finds
 * nothing; it leaves behind when the next message will be too old. */
#include "engine/queue_sweep.h"

#include "base/mem.h"
#include "engine/queue_group.h"
#include "engine/queue_index.h"
#include <stdlib.h>

enum {
    RIPE_MAX = 1000,  /* messages that become visible in one turn */
    DROPS_MAX = 64,   /* changes in one operation */
    ROWS_MAX = 4096,  /* rows in one operation */
    SLOTS_MAX = 8192, /* places of the table looked at in one turn */
    GROUPS_MAX = 1024,
    LATE_MS = 50,
};

/* Something that goes: an entry, or the first n of a range. */
struct drop {
    struct queue_entry *entry;
    struct queue_group *group;
    uint64_t first;
    uint32_t n;
    int64_t born_ms;
};

struct queue_sweep {
    struct spool_op op;
    struct queue *q;
    bool waiting; /* for the spool */
    bool found;   /* something went in this pass */
    enum { STAGE_RANGES, STAGE_ENTRIES, STAGE_GROUPS, STAGE_END } stage;
    size_t slot, groups_left;
    uint32_t rows;
    struct drop drops[DROPS_MAX];
    struct spool_change changes[DROPS_MAX];
};

static int64_t expires(const struct queue *q, int64_t born_ms)
{
    return born_ms + q->settings.retention_s * 1000;
}

static bool room(const struct queue_sweep *s)
{
    return s->op.n < DROPS_MAX && s->rows < ROWS_MAX;
}

static void survives(struct queue *q, int64_t born_ms)
{
    if (born_ms < q->born_next_ms)
        q->born_next_ms = born_ms;
}

/* ---- what goes */

static void drop_entry(struct queue_sweep *s, struct queue_entry *e)
{
    queue_index_detach(s->q, e);
    e->busy++;
    s->drops[s->op.n] = (struct drop){.entry = e};
    s->changes[s->op.n++] =
        (struct spool_change){.kind = SPOOL_DROP, .id = spool_id(s->q->owner, e->seq)};
    s->rows++;
}

static void drop_range(struct queue_sweep *s, struct queue_ranges *ranges, uint32_t i,
                       struct queue_group *g)
{
    struct queue *q = s->q;
    const struct queue_range *r = queue_ranges_at(ranges, i);
    uint32_t n = r->n < ROWS_MAX - s->rows ? r->n : ROWS_MAX - s->rows;
    s->drops[s->op.n] =
        (struct drop){.group = g, .first = r->first, .n = n, .born_ms = r->born_ms + r->span_ms};
    s->changes[s->op.n++] = (struct spool_change){.kind = SPOOL_WIPE,
                                                  .id = spool_id(q->owner, r->first),
                                                  .to_id = spool_id(q->owner, r->first + n - 1)};
    s->rows += n;
    queue_ranges_cut(ranges, i, n);
    if (g != NULL) {
        q->n_fresh -= n;
        g->out++;
    }
}

static void look_ranges(struct queue_sweep *s, struct queue_ranges *ranges, struct queue_group *g)
{
    for (uint32_t i = 0; i < ranges->used && room(s);) {
        const struct queue_range *r = queue_ranges_at(ranges, i);
        uint32_t used = ranges->used;
        int64_t born_ms = r->born_ms + r->span_ms;
        if (r->n > 0 && expires(s->q, born_ms) <= queue_now(s->q)) {
            drop_range(s, ranges, i, g);
            i += ranges->used == used; /* else the slots have moved up: the first is another */
        } else {
            if (r->n > 0)
                survives(s->q, born_ms);
            i++;
        }
    }
}

static void look_entries(struct queue_sweep *s)
{
    struct queue *q = s->q;
    size_t budget = SLOTS_MAX;
    for (; s->slot < q->table.cap && budget > 0 && room(s); s->slot++, budget--) {
        struct queue_entry *e = q->table.slots[s->slot];
        if (e == NULL)
            continue;
        if (e->busy == 0 && expires(q, e->born_ms) <= queue_now(q))
            drop_entry(s, e);
        else
            survives(q, e->born_ms);
    }
    if (s->slot >= q->table.cap) {
        s->stage = STAGE_GROUPS;
        s->groups_left = q->groups.n;
    }
}

/* The list turns: new groups come behind, so that none is left out. */
static void look_groups(struct queue_sweep *s)
{
    struct queue *q = s->q;
    size_t budget = GROUPS_MAX;
    for (; s->groups_left > 0 && budget > 0 && room(s); budget--) {
        if (list_empty(&q->all_groups)) {
            s->groups_left = 0;
            break;
        }
        struct queue_group *g = container_of(q->all_groups.next, struct queue_group, all);
        uint32_t out = g->out;
        look_ranges(s, &g->fresh, g);
        if (g->out != out) {
            queue_group_update(q, g);
            continue; /* once more when its first are gone */
        }
        s->groups_left--;
        list_remove(&g->all);
        list_append(&q->all_groups, &g->all);
    }
    if (s->groups_left == 0)
        s->stage = STAGE_END;
}

/* ---- it is gone, or not */

static void undrop(struct queue *q, const struct drop *d)
{
    struct queue_ranges *ranges = d->group != NULL ? &d->group->fresh : &q->fresh;
    for (uint32_t i = d->n; i > 0; i--)
        queue_ranges_unpop(ranges, d->first + i - 1, d->born_ms, queue_index_window(q));
    if (d->group != NULL)
        q->n_fresh += d->n;
    queue_sweep_born(q, d->born_ms);
}

static void settle_drop(struct queue *q, const struct drop *d, bool ok, uint64_t each)
{
    if (d->entry != NULL) {
        if (ok)
            queue_index_remove(q, d->entry);
        queue_index_release(q, d->entry, true);
        return;
    }
    if (ok) {
        uint64_t bytes = each * d->n;
        q->bytes -= bytes < q->bytes ? bytes : q->bytes;
    } else if (d->first >= q->wiped_below) {
        undrop(q, d);
    }
    if (d->group != NULL) {
        d->group->out--;
        queue_group_update(q, d->group);
    }
}

static void swept(struct spool_op *op)
{
    struct queue_sweep *s = container_of(op, struct queue_sweep, op);
    struct queue *q = s->q;
    struct queues *service = q->service;
    uint64_t messages = queue_index_messages(q) + s->rows;
    uint64_t each = messages > 0 ? q->bytes / messages : 0;
    for (size_t i = op->n; i > 0; i--)
        settle_drop(q, &s->drops[i - 1], op->ok, each);
    if (queue_index_messages(q) == 0)
        q->bytes = 0;
    s->waiting = false;
    s->found = true;
    spool_op_clear(op);
    if (!op->ok) {
        q->sweep_ms = queue_now(q) + QUEUE_RETRY_MS;
        q->sweep = NULL;
        free(s);
    }
    queue_sweep_wake(q);
    queue_settled(service, q);
}

/* ---- passes */

static void begin_pass(struct queue_sweep *s)
{
    s->stage = STAGE_RANGES;
    s->found = false;
    s->slot = 0;
    s->q->born_next_ms = INT64_MAX;
}

static void end_sweep(struct queue_sweep *s)
{
    struct queue *q = s->q;
    int64_t late_ms = queue_index_window(q) > LATE_MS ? queue_index_window(q) : LATE_MS;
    q->sweep_ms = INT64_MAX;
    if (q->born_next_ms != INT64_MAX)
        q->sweep_ms = expires(q, q->born_next_ms);
    if (q->sweep_ms < queue_now(q) + late_ms)
        q->sweep_ms = queue_now(q) + late_ms;
    q->sweep = NULL;
    free(s);
}

static void step(struct queue_sweep *s)
{
    struct queue *q = s->q;
    s->op = (struct spool_op){.changes = s->changes, .done = swept};
    s->rows = 0;
    if (s->stage == STAGE_RANGES) {
        look_ranges(s, &q->fresh, NULL);
        look_ranges(s, &q->delayed, NULL);
        if (s->op.n == 0)
            s->stage = STAGE_ENTRIES;
    }
    if (s->stage == STAGE_ENTRIES && room(s))
        look_entries(s);
    if (s->stage == STAGE_GROUPS && room(s))
        look_groups(s);
    if (s->op.n > 0) {
        s->waiting = true;
        queue_submit(q->service, q, &s->op);
    } else if (s->stage == STAGE_END && s->found) {
        begin_pass(s);
    } else if (s->stage == STAGE_END) {
        end_sweep(s);
    }
}

/* ---- the timer */

static int64_t next_due(const struct queue *q)
{
    int64_t due = queue_forget_due(q);
    const struct queue_due *top = queue_heap_top(&q->heap);
    const struct queue_range *delayed = queue_ranges_front(&q->delayed);
    if (q->sweep == NULL && !q->wiping && q->sweep_ms < due)
        due = q->sweep_ms;
    if (q->sweep != NULL && !q->sweep->waiting)
        due = queue_now(q);
    if (top != NULL && top->due_ms < due)
        due = top->due_ms;
    if (delayed != NULL && delayed->born_ms + delayed->span_ms + q->delayed_by_ms < due)
        due = delayed->born_ms + delayed->span_ms + q->delayed_by_ms;
    return due;
}

void queue_sweep_wake(struct queue *q)
{
    if (!q->live || q->service->closing)
        return;
    int64_t due = next_due(q);
    if (due != INT64_MAX && (!timer_armed(&q->wake) || q->wake.due_ms > due))
        timer_start(q->service->loop, &q->wake, due - queue_now(q));
}

static void wake(struct timer *t)
{
    struct queue *q = container_of(t, struct queue, wake);
    (void)queue_index_ripen(q, RIPE_MAX);
    queue_forget(q);
    if (q->sweep == NULL && q->sweep_ms <= queue_now(q) && !q->wiping) {
        q->sweep = mem_alloc(sizeof *q->sweep);
        q->sweep->q = q;
        begin_pass(q->sweep);
    }
    if (q->sweep != NULL && !q->sweep->waiting)
        step(q->sweep);
    queue_sweep_wake(q);
}

void queue_sweep_init(struct queue *q)
{
    q->sweep_ms = INT64_MAX;
    q->born_next_ms = INT64_MAX;
    q->wake.fire = wake;
}

void queue_sweep_stop(struct queue *q)
{
    timer_stop(q->service->loop, &q->wake);
    if (q->sweep != NULL && !q->sweep->waiting) {
        free(q->sweep);
        q->sweep = NULL;
    }
}

void queue_sweep_born(struct queue *q, int64_t born_ms)
{
    survives(q, born_ms);
    if (expires(q, born_ms) >= q->sweep_ms)
        return;
    q->sweep_ms = expires(q, born_ms);
    queue_sweep_wake(q);
}

void queue_sweep_soon(struct queue *q)
{
    q->sweep_ms = queue_now(q);
    queue_sweep_wake(q);
}
