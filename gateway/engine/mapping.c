/* mapping.c - the life of a mapping: records in, lanes kicked, batches settled, credit, drain. */
#include "engine/mapping.h"

#include "base/mem.h"
#include "engine/mapping_state.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_BASE_MS = 100, RETRY_CAP_MS = 20000 };
enum { RECORDS_MOST = 50000, BYTES_MOST = 64 * 1024 * 1024 };

bool mapping_redelivers(const struct mapping *m)
{
    return (m->source->flags & SOURCE_REDELIVERS) != 0;
}

/* ---- lanes ---- */

struct lane *mapping_lane(struct mapping *m, struct slice key)
{
    bool per_key = (m->source->flags & SOURCE_ORDERED) != 0 && !mapping_redelivers(m);
    if (!per_key)
        key = SLICE_NONE;
    struct lane *l = map_get(&m->by_key, key);
    if (l == NULL) {
        l = lane_new(m, key);
        map_set(&m->by_key, key, l);
    }
    return l;
}

static void drop_lane_if_idle(struct mapping *m, struct lane *l)
{
    if (l->key.n == 0 || l->queued > 0 || l->out > 0)
        return;
    map_del(&m->by_key, l->key);
    lane_free(l);
}

/* False: no slot, or as many out as may be; the rest of the lanes need not be asked. */
static bool may_send(struct mapping *m)
{
    if ((int64_t)m->out >= m->parallel) {
        scale_busy(m);
        return false;
    }
    if (function_take_slot(m->function))
        return true;
    function_wait(m->function, &m->waiter);
    return false;
}

static void send_stalled(struct mapping *m)
{
    while (!list_empty(&m->stalled) && may_send(m)) {
        struct batch *b = container_of(m->stalled.next, struct batch, node);
        list_remove(&b->node);
        list_append(&m->batches, &b->node);
        batch_send(b);
    }
}

static void send_lanes(struct mapping *m)
{
    list_each(&m->lanes, it)
    {
        struct lane *l = container_of(it, struct lane, node);
        while (lane_due(l)) {
            if (!may_send(m)) {
                /* the others come first the next time */
                list_remove(&l->node);
                list_append(&m->lanes, &l->node);
                return;
            }
            batch_send(batch_take(l, l->limit));
        }
    }
}

static void release_waiting(struct mapping *m)
{
    list_each(&m->lanes, it)
    {
        struct lane *l = container_of(it, struct lane, node);
        timer_stop(m->env->loop, &l->window);
        if (l->queued > 0)
            batch_release(batch_take_waiting(l, SLICE_NONE), false);
    }
}

static void on_kick(struct task *t)
{
    struct mapping *m = container_of(t, struct mapping, kick);
    mapping_filter_pass(m);
    if (m->phase != MAPPING_RUN) {
        release_waiting(m);
        return;
    }
    send_stalled(m);
    if (list_empty(&m->stalled))
        send_lanes(m);
    if ((int64_t)m->out >= m->parallel)
        scale_busy(m);
}

void mapping_kick(struct mapping *m)
{
    loop_defer(m->env->loop, &m->kick);
}

/* ---- credit ---- */

static void on_pump(struct task *t)
{
    struct mapping *m = container_of(t, struct mapping, pump);
    if (m->phase == MAPPING_RUN && source_credit(m->source) > 0)
        m->source->ops->pump(m->source);
}

static void on_slot(struct slot_waiter *w)
{
    struct mapping *m = container_of(w, struct mapping, waiter);
    mapping_kick(m);
    loop_defer(m->env->loop, &m->pump);
}

size_t source_credit(const struct source *s)
{
    struct mapping *m = s->mapping;
    if (m->phase != MAPPING_RUN || m->held_bytes >= m->max_bytes)
        return 0;
    size_t most = scale_credit(m);
    if (most > m->max_records)
        most = m->max_records;
    return most > m->held_records ? most - m->held_records : 0;
}

void source_emit(struct source *s, struct record *r)
{
    struct mapping *m = s->mapping;
    r->born_ms = loop_now(m->env->loop);
    m->held_records++;
    m->held_bytes += record_bytes(r);
    m->counts.accepted++;
    r->filtered = !mapping_filter_wants(m, r);
    lane_put(mapping_lane(m, r->key), r);
    mapping_kick(m);
}

static void forget(struct lane *l, struct list *waiting)
{
    struct mapping *m = l->mapping;
    list_each(waiting, it)
    {
        struct record *r = container_of(it, struct record, node);
        lane_remove(l, r);
        m->held_records--;
        m->held_bytes -= record_bytes(r);
        m->counts.released++;
        record_free(r);
    }
}

void source_forget(struct source *s, struct slice key)
{
    struct mapping *m = s->mapping;
    struct lane *l = map_get(&m->by_key, key);
    if (l == NULL)
        return;
    forget(l, &l->queue);
    forget(l, &l->filtered);
    timer_stop(m->env->loop, &l->window);
    drop_lane_if_idle(m, l);
    loop_defer(m->env->loop, &m->pump);
}

/* ---- settling ---- */

/* FIFO: what waits behind a record that goes back must not overtake it. */
static void release_behind(struct lane *l, const struct batch *b)
{
    if (!l->exclusive || l->queued == 0)
        return;
    for (const struct record *r = batch_first(b); r != NULL; r = batch_next(b, r)) {
        if (r->decision.verdict != VERDICT_RELEASE)
            continue;
        if (lane_holds(l, r->key))
            batch_release(batch_take_waiting(l, r->key), false);
    }
}

static void count_end(struct mapping *m, const struct record *r)
{
    m->counts.in_flight--;
    if (r->decision.verdict == VERDICT_ACK && r->filtered)
        m->counts.filtered++;
    else if (r->decision.verdict == VERDICT_ACK)
        m->counts.done++;
    else if (r->decision.verdict == VERDICT_BURY)
        m->counts.dead++;
    else
        m->counts.released++;
}

static void free_batch(struct mapping *m, struct batch *b)
{
    list_each(&b->records, it)
    {
        struct record *r = container_of(it, struct record, node);
        if (!r->filtered)
            lane_unmark(b->lane, r);
        count_end(m, r);
        m->held_records--;
        m->held_bytes -= record_bytes(r);
        record_free(r);
    }
    list_remove(&b->node);
    timer_stop(m->env->loop, &b->retry);
    delivery_clear(&b->delivery);
    buf_free(&b->payload);
    m->unsettled--;
    free(b);
}

void mapping_settle(struct mapping *m, struct batch *b)
{
    struct lane *l = b->lane;
    mapping_filter_join(b);
    if (b->n > 0)
        m->source->ops->settle(m->source, b);
    release_behind(l, b);
    free_batch(m, b);
    l->out--;
    drop_lane_if_idle(m, l);
    mapping_kick(m);
    loop_defer(m->env->loop, &m->pump);
    if (m->phase != MAPPING_RUN)
        loop_defer(m->env->loop, &m->check);
}

/* ---- life ---- */

static void on_check(struct task *t)
{
    struct mapping *m = container_of(t, struct mapping, check);
    if (m->phase != MAPPING_DRAIN || m->unsettled > 0 || m->held_records > 0 ||
        (m->source->settling > 0 && !m->cut))
        return;
    m->phase = MAPPING_IDLE;
    m->idle(m->idle_ctx);
}

void source_settled(struct source *s)
{
    if (s->mapping->phase == MAPPING_DRAIN)
        loop_defer(s->mapping->env->loop, &s->mapping->check);
}

void source_problem(struct source *s, const char *text)
{
    struct mapping *m = s->mapping;
    bool same = m->problem != NULL && text != NULL && strcmp(m->problem, text) == 0;
    if (same || (m->problem == NULL && text == NULL))
        return;
    if (text != NULL)
        log_error(&s->log, "PROBLEM: %s", text);
    else
        log_info(&s->log, "OK: no problem any more");
    free(m->problem);
    m->problem = text == NULL ? NULL : mem_strdup(text);
}

static bool wants_partial(const struct mapping_settings *s)
{
    for (size_t i = 0; i < s->response_types.n; i++)
        if (strcmp(s->response_types.v[i], "ReportBatchItemFailures") == 0)
            return true;
    return false;
}

struct mapping *mapping_new(const struct env *env, const struct mapping_options *o)
{
    struct mapping *m = mem_alloc(sizeof *m);
    const struct mapping_settings *s = &o->source->settings;
    m->env = env;
    m->function = o->function;
    m->source = o->source;
    m->graveyard = o->graveyard;
    m->random = o->random;
    m->policy = (struct policy){.max_attempts = s->max_attempts,
                                .max_age_ms = s->max_age_s < 0 ? -1 : s->max_age_s * 1000,
                                .base_ms = RETRY_BASE_MS,
                                .cap_ms = RETRY_CAP_MS,
                                .bisect = s->bisect,
                                .buries = o->graveyard != NULL};
    m->partial = wants_partial(s);
    m->max_records = o->max_records > 0 ? o->max_records : RECORDS_MOST;
    m->max_bytes = o->max_bytes > 0 ? o->max_bytes : BYTES_MOST;
    map_init(&m->by_key);
    list_init(&m->lanes);
    list_init(&m->batches);
    list_init(&m->stalled);
    task_init(&m->kick, on_kick);
    task_init(&m->pump, on_pump);
    task_init(&m->check, on_check);
    list_init(&m->waiter.node);
    m->waiter.ready = on_slot;
    o->source->mapping = m;
    scale_init(m);
    mapping_metrics_open(m);
    return m;
}

bool mapping_start(struct mapping *m, struct error *err)
{
    if (!mapping_filter_open(m, err) || !m->source->ops->open(m->source, err))
        return false;
    loop_defer(m->env->loop, &m->pump);
    return true;
}

static void release_stalled(struct mapping *m)
{
    list_each(&m->stalled, it)
    {
        struct batch *b = container_of(it, struct batch, node);
        list_remove(&b->node);
        list_append(&m->batches, &b->node);
        batch_release(b, false);
    }
    list_each(&m->batches, it2)
    {
        struct batch *b = container_of(it2, struct batch, node);
        if (batch_awaits_retry(b)) {
            timer_stop(m->env->loop, &b->retry);
            batch_release(b, false);
        }
    }
}

void mapping_drain(struct mapping *m, void (*idle)(void *ctx), void *ctx)
{
    assert(m->phase == MAPPING_RUN);
    m->phase = MAPPING_DRAIN;
    m->idle = idle;
    m->idle_ctx = ctx;
    m->source->ops->stop(m->source);
    scale_stop(m);
    release_stalled(m);
    mapping_kick(m);
    loop_defer(m->env->loop, &m->check);
}

void mapping_cut(struct mapping *m)
{
    if (m->phase != MAPPING_DRAIN)
        return;
    m->cut = true;
    list_each(&m->batches, it) batch_cut(container_of(it, struct batch, node));
    loop_defer(m->env->loop, &m->check);
}

bool mapping_idle(const struct mapping *m)
{
    return m->phase == MAPPING_IDLE;
}

void mapping_free(struct mapping *m)
{
    if (m == NULL)
        return;
    assert(m->unsettled == 0 && m->held_records == 0);
    list_each(&m->lanes, it) lane_free(container_of(it, struct lane, node));
    scale_stop(m);
    task_cancel(&m->kick);
    task_cancel(&m->pump);
    task_cancel(&m->check);
    map_free(&m->by_key);
    mapping_filter_close(m);
    mapping_metrics_close(m);
    free(m->problem);
    free(m);
}
