/* mapping_filter.c - records that no filter wants: acknowledged without a function, in their turn.
 */
#include "base/log.h"
#include "engine/mapping_state.h"
#include <string.h>

enum { WHY_MAX_BYTES = 8 * 1024 };

/* Records are held here until they succeed, so acknowledgements must come in order. */
static bool keeps_order(const struct mapping *m)
{
    return (m->source->flags & SOURCE_ORDERED) != 0 && !mapping_redelivers(m);
}

static void warn(const struct mapping *m)
{
    struct buf out;
    buf_init(&out, WHY_MAX_BYTES);
    criteria_warnings(m->criteria, &out);
    for (struct slice rest = buf_slice(&out); rest.n > 0;) {
        struct slice line = slice_cut(&rest, '\n');
        log_warn(&m->source->log, "FilterCriteria: " SLICE_FMT, SLICE_ARG(line));
    }
    buf_free(&out);
}

bool mapping_filter_open(struct mapping *m, struct error *err)
{
    const struct option_list *given = &m->source->settings.filters;
    struct slice patterns[CRITERIA_FILTERS_MAX];
    if (given->n == 0)
        return true;
    if (given->n > CRITERIA_FILTERS_MAX || m->source->ops->data == NULL)
        return error_set(err, ERROR_CONFIG, "FilterCriteria: not possible here");
    for (size_t i = 0; i < given->n; i++)
        patterns[i] = slice_of(given->v[i]);
    m->criteria = criteria_new(m->source->ops->data, patterns, given->n, err);
    if (m->criteria == NULL)
        return false;
    warn(m);
    return true;
}

bool mapping_filter_wants(struct mapping *m, const struct record *r)
{
    if (m->criteria == NULL)
        return true;
    if (!log_enabled(LOG_DEBUG))
        return criteria_pass(m->criteria, r->json, NULL);
    struct buf why;
    buf_init(&why, WHY_MAX_BYTES);
    bool wants = criteria_pass(m->criteria, r->json, &why);
    if (!wants)
        log_debug(&m->source->log, "record " SLICE_FMT " is filtered out: " SLICE_FMT,
                  SLICE_ARG(r->id), SLICE_ARG(slice_trim(buf_slice(&why))));
    buf_free(&why);
    return wants;
}

static uint64_t first_order(const struct batch *b)
{
    const struct record *r = batch_first(b);
    return r != NULL ? r->order : UINT64_MAX;
}

/* The first record of the lane that is not settled and not in b: nothing behind it may pass. */
static uint64_t first_left(const struct lane *l, const struct batch *b)
{
    const struct mapping *m = l->mapping;
    uint64_t first = UINT64_MAX;
    if (l->queued > 0) {
        const struct list *head = l->queue.next;
        const struct record *r = (const void *)((const char *)head - offsetof(struct record, node));
        first = r->order;
    }
    for (const struct list *it = m->batches.next; it != &m->batches; it = it->next) {
        const struct batch *other = (const void *)((const char *)it - offsetof(struct batch, node));
        if (other != b && other->lane == l && first_order(other) < first)
            first = first_order(other);
    }
    return first;
}

void mapping_filter_pass(struct mapping *m)
{
    if (m->criteria == NULL)
        return;
    bool order = keeps_order(m);
    list_each(&m->lanes, it)
    {
        struct lane *l = container_of(it, struct lane, node);
        if (l->n_filtered == 0 || (order && l->out > 0))
            continue;
        const struct record *r = container_of(l->filtered.next, struct record, node);
        uint64_t end = order ? first_left(l, NULL) : UINT64_MAX;
        if (r->order < end)
            batch_pass(l, end);
    }
}

void mapping_filter_join(struct batch *b)
{
    struct lane *l = b->lane;
    if (l->n_filtered == 0 || !keeps_order(l->mapping))
        return;
    const struct record *back = batch_first(b);
    while (back != NULL && back->decision.verdict != VERDICT_RELEASE)
        back = batch_next(b, back);
    uint64_t end = first_left(l, b);
    if (back != NULL && back->order < end)
        end = back->order;
    batch_add_filtered(b, 0, end, (struct decision){VERDICT_ACK, 0, true});
    if (back != NULL)
        batch_add_filtered(b, back->order, UINT64_MAX,
                           (struct decision){VERDICT_RELEASE, 0, false});
}

void mapping_filter_close(struct mapping *m)
{
    criteria_free(m->criteria);
    m->criteria = NULL;
}
