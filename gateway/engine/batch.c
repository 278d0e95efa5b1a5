/* batch.c - one batch from the lane to its decisions: take, send, judge, retry, bury, finish. */
#include "engine/batch.h"

#include "base/json_out.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/judge.h"
#include "engine/mapping_state.h"
#include <assert.h>
#include <stdlib.h>

enum { BURY_BASE_MS = 200, BURY_CAP_MS = 30000 };

const struct record *batch_first(const struct batch *b)
{
    return list_empty(&b->records) ? NULL : container_of(b->records.next, struct record, node);
}

const struct record *batch_next(const struct batch *b, const struct record *r)
{
    return r->node.next == &b->records ? NULL : container_of(r->node.next, struct record, node);
}

size_t batch_count(const struct batch *b)
{
    return b->n;
}

const struct reply *batch_reply(const struct batch *b)
{
    return &b->delivery.reply;
}

/* ---- taking ---- */

static void on_finish(struct task *t)
{
    struct batch *b = container_of(t, struct batch, finish);
    mapping_settle(b->lane->mapping, b);
}

static struct batch *batch_new(struct lane *l)
{
    struct batch *b = mem_alloc(sizeof *b);
    list_init(&b->records);
    b->lane = l;
    b->delivery.reply.retry_after_ms = -1;
    task_init(&b->finish, on_finish);
    buf_init(&b->payload, (size_t)PAYLOAD_MAX_BYTES + 1);
    list_append(&l->mapping->batches, &b->node);
    l->mapping->unsettled++;
    l->out++;
    return b;
}

static void add(struct batch *b, struct record *r)
{
    lane_remove(b->lane, r);
    list_append(&b->records, &r->node);
    b->n++;
    b->bytes += record_bytes(r);
    b->lane->mapping->counts.in_flight++;
    lane_mark(b->lane, r);
}

/* The batch's room for more: records, and bytes of the event. */
struct room {
    size_t records, bytes;
};

static bool fits(struct room *left, size_t records, size_t json_bytes)
{
    size_t need = json_bytes + records; /* commas */
    if (records > left->records || need > left->bytes)
        return false;
    left->records -= records;
    left->bytes -= need;
    return true;
}

static void take_in_order(struct batch *b, struct room left)
{
    struct record *next = lane_next(b->lane, NULL);
    while (next != NULL) {
        struct record *r = next;
        if (!fits(&left, 1, r->json.n) && b->n > 0)
            return;
        next = lane_next(b->lane, r);
        add(b, r);
        if (left.records == 0)
            return;
    }
}

static void take_key(struct batch *b, struct record *first, struct room *left, bool whole)
{
    for (struct record *r = first, *next; r != NULL; r = next) {
        next = lane_next_of(b->lane, r, first->key);
        if (!whole && !fits(left, 1, r->json.n) && b->n > 0)
            return;
        add(b, r);
        if (!whole && left->records == 0)
            return;
    }
}

/* FIFO: a group goes whole, or it waits. If its tail stayed behind, a failure of its head would
 * send the tail back to the queue without having run, one receive the poorer. */
static void take_groups(struct batch *b, struct room left)
{
    for (struct record *r; (r = lane_next(b->lane, NULL)) != NULL;) {
        size_t n = 0, bytes = 0;
        for (struct record *g = r; g != NULL; g = lane_next_of(b->lane, g, r->key)) {
            n++;
            bytes += g->json.n;
        }
        bool whole = fits(&left, n, bytes);
        if (!whole && b->n > 0)
            return;
        take_key(b, r, &left, whole);
        if (!whole || left.records == 0)
            return;
    }
}

struct batch *batch_take(struct lane *l, size_t max)
{
    struct batch *b = batch_new(l);
    struct room left = {max, PAYLOAD_MAX_BYTES - l->mapping->source->envelope_bytes};
    if (l->exclusive)
        take_groups(b, left);
    else
        take_in_order(b, left);
    return b;
}

struct batch *batch_take_waiting(struct lane *l, struct slice key)
{
    struct batch *b = batch_new(l);
    list_each(&l->queue, it)
    {
        struct record *r = container_of(it, struct record, node);
        if (key.n == 0 || slice_eq(r->key, key))
            add(b, r);
    }
    return b;
}

void batch_add_filtered(struct batch *b, uint64_t begin, uint64_t end, struct decision d)
{
    struct lane *l = b->lane;
    struct list *at = b->records.next;
    list_each(&l->filtered, it)
    {
        struct record *r = container_of(it, struct record, node);
        if (r->order < begin || r->order >= end)
            continue;
        while (at != &b->records && container_of(at, struct record, node)->order < r->order)
            at = at->next;
        lane_remove(l, r);
        list_append(at, &r->node); /* before at */
        r->decision = d;
        b->n++;
        b->bytes += record_bytes(r);
        l->mapping->counts.in_flight++;
    }
}

void batch_pass(struct lane *l, uint64_t end)
{
    struct batch *b = batch_new(l);
    batch_add_filtered(b, 0, end, (struct decision){VERDICT_ACK, 0, true});
    loop_defer(l->mapping->env->loop, &b->finish);
}

/* ---- sending ---- */

static void encode(struct batch *b)
{
    struct json_out out;
    buf_clear(&b->payload);
    json_out_init(&out, &b->payload);
    struct source *s = b->lane->mapping->source;
    s->ops->encode(s, b, &out);
    b->delivery.payload = buf_slice(&b->payload);
}

static void no_slot_any_more(struct batch *b)
{
    struct mapping *m = b->lane->mapping;
    b->sent = false;
    m->out--;
}

static void note_duration(struct mapping *m, const struct batch *b)
{
    int64_t ms = (loop_clock_us(m->env->loop) - b->delivery.sent_us) / 1000;
    m->duration_ms += (ms - m->duration_ms) / 4;
}

static void on_done(struct delivery *d)
{
    struct batch *b = container_of(d, struct batch, delivery);
    struct mapping *m = b->lane->mapping;
    no_slot_any_more(b);
    buf_free(&b->payload);
    if (d->reply.outcome == OUTCOME_OK || d->reply.outcome == OUTCOME_FAILED)
        note_duration(m, b);
    scale_outcome(m, d->reply.outcome);
    judge(b);
}

static void on_too_large(struct task *t)
{
    struct batch *b = container_of(t, struct batch, finish);
    task_init(&b->finish, on_finish);
    judge(b);
}

void batch_send(struct batch *b)
{
    struct mapping *m = b->lane->mapping;
    list_each(&b->records, it) container_of(it, struct record, node)->failed = false;
    delivery_clear(&b->delivery);
    b->delivery.request_id[0] = '\0';
    b->delivery.done = on_done;
    encode(b);
    if (b->payload.full || b->payload.n > PAYLOAD_MAX_BYTES) {
        function_give_slot(m->function);
        buf_free(&b->payload);
        delivery_fail(&b->delivery, OUTCOME_REJECTED, "RequestTooLargeException",
                      "the event of one record is larger than 6 MB");
        task_init(&b->finish, on_too_large);
        loop_defer(m->env->loop, &b->finish);
        return;
    }
    b->sent = true;
    m->out++;
    function_send(m->function, &b->delivery);
}

/* ---- again ---- */

static void on_retry(struct timer *t)
{
    struct batch *b = container_of(t, struct batch, retry);
    struct mapping *m = b->lane->mapping;
    list_remove(&b->node);
    list_append(&m->stalled, &b->node);
    mapping_kick(m);
}

void batch_retry(struct batch *b, int64_t delay_ms)
{
    struct mapping *m = b->lane->mapping;
    if (m->phase != MAPPING_RUN) {
        batch_release(b, false);
        return;
    }
    b->retry.fire = on_retry;
    timer_start(m->env->loop, &b->retry, delay_ms);
}

bool batch_awaits_retry(const struct batch *b)
{
    return timer_armed(&b->retry) && b->retry.fire == on_retry;
}

void batch_give_back(struct batch *b, size_t keep)
{
    struct lane *l = b->lane;
    while (b->n > keep) {
        struct record *r = container_of(b->records.prev, struct record, node);
        lane_unmark(l, r);
        list_remove(&r->node);
        b->n--;
        b->bytes -= record_bytes(r);
        l->mapping->counts.in_flight--;
        lane_put_back(l, r);
    }
}

void batch_decide_all(struct batch *b, struct decision d)
{
    list_each(&b->records, it) container_of(it, struct record, node)->decision = d;
}

void batch_release(struct batch *b, bool counts)
{
    batch_decide_all(b, (struct decision){VERDICT_RELEASE, 0, counts});
    if (b->delivery.reply.outcome == OUTCOME_OK)
        b->delivery.reply.outcome = OUTCOME_UNREACHABLE; /* never sent, or cut: no answer */
    loop_defer(b->lane->mapping->env->loop, &b->finish);
}

void batch_dissolve(struct batch *b)
{
    batch_give_back(b, 0);
    mapping_settle(b->lane->mapping, b);
}

/* ---- the end ---- */

static void bury(struct batch *b);

static void on_bury_again(struct timer *t)
{
    bury(container_of(t, struct batch, retry));
}

static void on_buried(struct delivery *d)
{
    struct batch *b = container_of(d, struct batch, delivery);
    struct mapping *m = b->lane->mapping;
    b->burying = false;
    buf_free(&b->payload);
    if (d->reply.outcome == OUTCOME_OK) {
        loop_defer(m->env->loop, &b->finish);
        return;
    }
    log_warn(&m->source->log, "the failure destination does not take the record (%s); trying again",
             d->reply.detail);
    b->row++;
    b->retry.fire = on_bury_again;
    timer_start(m->env->loop, &b->retry,
                policy_backoff(BURY_BASE_MS, BURY_CAP_MS, b->row, m->random()));
}

static void bury(struct batch *b)
{
    struct mapping *m = b->lane->mapping;
    delivery_clear(&b->delivery);
    b->delivery.done = on_buried;
    encode(b);
    b->burying = true;
    m->graveyard->ops->send(m->graveyard, &b->delivery);
}

void batch_finish(struct batch *b)
{
    struct mapping *m = b->lane->mapping;
    bool dead = false;
    for (const struct record *r = batch_first(b); r != NULL; r = batch_next(b, r))
        dead |= r->decision.verdict == VERDICT_BURY;
    if (dead && m->graveyard != NULL) {
        b->row = 0;
        bury(b);
        return;
    }
    loop_defer(m->env->loop, &b->finish);
}

void batch_cut(struct batch *b)
{
    struct mapping *m = b->lane->mapping;
    bool ran = b->sent;
    timer_stop(m->env->loop, &b->retry);
    if (b->sent) {
        no_slot_any_more(b);
        function_cancel(m->function, &b->delivery);
    } else if (b->burying) {
        b->burying = false;
        m->graveyard->ops->cancel(m->graveyard, &b->delivery);
    } else if (!list_empty(&b->finish.node)) {
        return;
    }
    batch_release(b, ran);
}
