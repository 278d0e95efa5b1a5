/* sqs_poll.c - long polls: as many as credit and traffic justify, and the records they bring. */
#include "base/mem.h"
#include "sources/sqs_impl.h"
#include <stdlib.h>

enum {
    POLLS_DEFAULT = 32,              /* without ProvisionedPollerConfig */
    POLLS_MOST = 200,                /* connections that one mapping may take from all others */
    BACKLOG_MAX = 2000,              /* messages that wait to be deleted: above, no polls */
    PATIENCE = 3,                    /* failures in a row before they are a problem */
    QUICK_CAP_MS = 1000,             /* longest pause after empty answers that came too soon */
    PROMISED_MAX = 64 * 1024 * 1024, /* bytes that open polls may bring, going by the last ones */
    BODY_MAX = 64 * 1024,
    MESSAGE_MAX = 6 * 1024 * 1024, /* 1 MiB, every byte escaped */
    ANSWER_SLACK = 1024 * 1024,
    EVENT_MAX = 64 * 1024 * 1024,
};

struct poll {
    struct list node;
    struct sqs *s;
    struct aws_call call;
    struct buf body;
    size_t promised;
    int64_t sent_ms, wait_s;
};

static struct loop *loop_of(const struct sqs *s)
{
    return s->source.env->loop;
}

static size_t batch_most(const struct sqs *s)
{
    size_t batch = (size_t)s->source.settings.batch_size;
    return s->fifo && batch < SQS_BATCH_MAX ? batch : SQS_BATCH_MAX;
}

static size_t floor_of(const struct sqs *s)
{
    return s->min_pollers > 0 ? (size_t)s->min_pollers : 1;
}

static size_t cap_of(const struct sqs *s)
{
    size_t most = s->max_pollers > 0 ? (size_t)s->max_pollers : POLLS_DEFAULT;
    return most < POLLS_MOST ? most : POLLS_MOST;
}

/* Credit that nobody was promised. */
static size_t free_credit(const struct sqs *s)
{
    size_t credit = source_credit(&s->source), taken = s->promised + s->n_waiting;
    return credit > taken ? credit - taken : 0;
}

/* ---- messages ---- */

static void emit_waiting(struct sqs *s)
{
    while (!list_empty(&s->waiting) && source_credit(&s->source) > 0) {
        struct record *r = container_of(s->waiting.next, struct record, node);
        list_remove(&r->node);
        s->n_waiting--;
        source_emit(&s->source, r);
    }
}

static int64_t number_of(const struct sqs_message *m, const char *name, int64_t dflt)
{
    int64_t v;
    return slice_int(sqs_wire_attribute(m, name), &v) ? v : dflt;
}

static struct record *record_of(struct sqs *s, const struct sqs_message *m)
{
    struct buf json;
    buf_init(&json, EVENT_MAX);
    sqs_event_write(&json, m, slice_of(s->source.arn), slice_of(s->region),
                    s->source.settings.window_s > 0);
    struct slice key = s->fifo ? sqs_wire_attribute(m, "MessageGroupId") : SLICE_NONE;
    struct record *r = json.full ? NULL : record_new(m->id, key, buf_slice(&json));
    buf_free(&json);
    if (!r)
        return NULL;
    s->mean_bytes = (7 * s->mean_bytes + record_bytes(r)) / 8;
    int64_t now = loop_wall(loop_of(s)), sent = number_of(m, "SentTimestamp", now);
    int64_t count = number_of(m, "ApproximateReceiveCount", 1);
    r->age_ms = sent >= 0 && sent < now ? now - sent : 0;
    r->attempts = count > 1 && count <= UINT32_MAX ? (uint32_t)(count - 1) : 0;
    return r;
}

static void take_message(struct sqs *s, const struct sqs_message *m)
{
    struct sqs_slot *slot = sqs_slots_find(s, m->id);
    if (slot) { /* it became visible again; it is here already: one record, the latest handle */
        log_info(&s->source.log, "message %s came again while it is held", slot->id);
        sqs_slots_renew(s, slot, m);
        return;
    }
    struct record *r = s->stopping ? NULL : record_of(s, m);
    if (!r && !s->stopping) {
        log_warn(&s->source.log, "message " SLICE_FMT " is too large and was skipped",
                 SLICE_ARG(m->id));
        return;
    }
    slot = sqs_slots_take(s, m);
    if (!r) {
        sqs_work_add(s, slot, SQS_WORK_RELEASE);
        return;
    }
    r->token[0] = slot->index;
    r->token[1] = slot->generation;
    list_append(&s->waiting, &r->node);
    s->n_waiting++;
}

static void take_messages(struct sqs *s, const struct sqs_answer *a)
{
    if (a->skipped)
        log_warn(&s->source.log, "%zu messages without id, handle or body were skipped",
                 a->skipped);
    for (size_t i = 0; i < a->n_messages; i++)
        take_message(s, &a->messages[i]);
    emit_waiting(s);
    sqs_hold_start(s);
}

/* ---- how many ---- */

static void adapt(struct sqs *s, size_t n_messages)
{
    if (n_messages == 0) {
        s->target = s->target / 2 > floor_of(s) ? s->target / 2 : floor_of(s);
        return;
    }
    size_t credit = source_credit(&s->source), most = batch_most(s);
    size_t worth = (credit + most - 1) / most, wanted = 2 * s->target;
    if (wanted > worth)
        wanted = worth;
    if (wanted > s->target)
        s->target = wanted < cap_of(s) ? wanted : cap_of(s);
}

/* A server that does not wait, or whose messages all are of no use, is not asked in a tight loop.
 */
static void pace(struct sqs *s, bool too_soon, size_t n_messages)
{
    if (n_messages > 0 || !too_soon) {
        s->quick_answers = 0;
        return;
    }
    int64_t pause = sqs_backoff(s->timing->backoff_ms, QUICK_CAP_MS, ++s->quick_answers);
    if (!timer_armed(&s->poll_again))
        timer_start(loop_of(s), &s->poll_again, pause);
}

/* One step per pause, however many polls failed meanwhile. */
static void back_off(struct sqs *s, enum sqs_read got, const struct sqs_answer *a)
{
    bool lost = got == SQS_READ_FAULT && a->fault == SQS_FAULT_NO_QUEUE;
    bool clear = lost || (got == SQS_READ_FAULT && a->fault != SQS_FAULT_BUSY);
    s->target = floor_of(s);
    if (timer_armed(&s->poll_again) && !lost)
        return;
    if (++s->poll_failures == 1)
        log_warn(&s->source.log,
                 "ReceiveMessage failed and is tried again: " SLICE_FMT " " SLICE_FMT,
                 SLICE_ARG(a->code), SLICE_ARG(a->text));
    if (clear || s->poll_failures >= PATIENCE)
        sqs_tell_problem(s, got, a);
    if (lost)
        sqs_queue_lost(s);
    else
        timer_start(
            loop_of(s), &s->poll_again,
            sqs_backoff(s->timing->backoff_ms, s->timing->backoff_cap_ms, s->poll_failures));
}

/* ---- polls ---- */

static void free_poll(struct poll *p)
{
    struct sqs *s = p->s;
    list_remove(&p->node);
    s->n_polls--;
    s->promised -= p->promised;
    aws_call_clear(&p->call);
    buf_free(&p->body);
    free(p);
}

static void end_stop(struct sqs *s)
{
    if (!timer_armed(&s->grace))
        return;
    timer_stop(loop_of(s), &s->grace);
    sqs_settling(s, -1);
}

static void on_done(struct aws_call *call)
{
    struct poll *p = container_of(call, struct poll, call);
    struct sqs *s = p->s;
    struct sqs_answer a;
    enum sqs_read got = sqs_receive_answer(s, &a, call, SQS_RECEIVE);
    int64_t took_ms = loop_now(loop_of(s)) - p->sent_ms;
    bool too_soon = took_ms < p->wait_s * s->timing->second_ms / 20;
    free_poll(p);
    if (got == SQS_READ_OK) {
        if (s->poll_failures > 0 && s->ready)
            source_problem(&s->source, NULL);
        s->poll_failures = 0;
        take_messages(s, &a);
        adapt(s, a.n_messages);
        if (!s->stopping)
            pace(s, too_soon, a.n_messages);
    } else if (!s->stopping) {
        back_off(s, got, &a);
    }
    sqs_answer_free(&a);
    if (s->stopping && s->n_polls == 0)
        end_stop(s);
    sqs_poll_pump(s);
}

static void start(struct sqs *s, size_t n)
{
    struct poll *p = mem_alloc(sizeof *p);
    /* after a failure, an answer at once tells that all is well again */
    p->wait_s = s->poll_failures ? 0 : s->timing->wait_s;
    struct sqs_request r = {.op = SQS_RECEIVE,
                            .queue_url = slice_of(s->url),
                            .max_messages = (int64_t)n,
                            .wait_s = p->wait_s,
                            .visibility_s = s->receive_visibility_s};
    p->s = s;
    p->promised = n;
    p->sent_ms = loop_now(loop_of(s));
    s->promised += n;
    s->n_polls++;
    list_append(&s->polls, &p->node);
    buf_init(&p->body, BODY_MAX);
    p->call.max_response_bytes = n * MESSAGE_MAX + ANSWER_SLACK;
    sqs_send(s, &p->call, &p->body, &r, on_done);
}

void sqs_poll_pump(struct sqs *s)
{
    if (s->stopping)
        return;
    emit_waiting(s);
    if (!s->ready || timer_armed(&s->poll_again) || s->work[SQS_WORK_DELETE].n >= BACKLOG_MAX)
        return;
    size_t credit = free_credit(s), most = batch_most(s);
    size_t target = s->poll_failures ? 1 : s->target; /* one tells whether it works again */
    while (credit > 0 && s->n_polls < target) {
        size_t n = most;
        if (s->min_pollers > 0) /* that many are to be open: little credit is shared by them */
            n = credit / (target - s->n_polls);
        n = n < 1 ? 1 : n > most ? most : n;
        n = n < credit ? n : credit;
        if (s->n_polls > 0 && (s->promised + n) * s->mean_bytes > PROMISED_MAX)
            break;
        start(s, n);
        credit -= n;
    }
}

static void on_poll_again(struct timer *t)
{
    sqs_poll_pump(container_of(t, struct sqs, poll_again));
}

void sqs_poll_forget(struct sqs *s, struct slice key)
{
    list_each(&s->waiting, it)
    {
        struct record *r = container_of(it, struct record, node);
        if (!slice_eq(r->key, key))
            continue;
        struct sqs_slot *slot = sqs_slots_get(s, r->token);
        sqs_work_forget(s, slot);
        sqs_slots_drop(s, slot);
        record_free(r);
        s->n_waiting--;
    }
}

/* ---- stop ---- */

static void cancel_polls(struct sqs *s)
{
    list_each(&s->polls, it)
    {
        struct poll *p = container_of(it, struct poll, node);
        aws_call_cancel(s->source.env->aws, &p->call);
        free_poll(p);
    }
}

static void on_grace(struct timer *t)
{
    struct sqs *s = container_of(t, struct sqs, grace);
    cancel_polls(s);
    sqs_settling(s, -1);
}

void sqs_poll_init(struct sqs *s)
{
    list_init(&s->polls);
    list_init(&s->waiting);
    s->target = floor_of(s);
    s->poll_again.fire = on_poll_again;
    s->grace.fire = on_grace;
}

/* An answer that is on its way hides messages and spends a receive of each: worth a moment, so that
 * they can be given back. */
void sqs_poll_stop(struct sqs *s)
{
    timer_stop(loop_of(s), &s->poll_again);
    list_each(&s->waiting, it)
    {
        struct record *r = container_of(it, struct record, node);
        sqs_work_add(s, sqs_slots_get(s, r->token), SQS_WORK_RELEASE);
        record_free(r);
    }
    s->n_waiting = 0;
    if (s->n_polls == 0)
        return;
    sqs_settling(s, 1);
    timer_start(loop_of(s), &s->grace, s->timing->stop_ms);
}

void sqs_poll_close(struct sqs *s)
{
    timer_stop(loop_of(s), &s->poll_again);
    timer_stop(loop_of(s), &s->grace);
    cancel_polls(s);
    list_each(&s->waiting, it) record_free(container_of(it, struct record, node));
    s->n_waiting = 0;
}
