/* sqs_work.c - deletes, releases and extensions, ten messages to a request, until they are done. */
#include "base/mem.h"
#include "sources/sqs_impl.h"
#include <stdlib.h>
#include <string.h>

enum {
    DELETE_TRIES = 5, /* at least; then until the message is visible again anyway */
    RELEASE_TRIES = 3,
    BODY_MAX = 16 * 1024 * 1024,
    ANSWER_MAX = 4 * 1024 * 1024,
};

static const struct {
    enum sqs_op op;
    unsigned out_max; /* requests at once */
} facts[SQS_WORKS] = {
    [SQS_WORK_DELETE] = {SQS_DELETE_BATCH, 16},
    [SQS_WORK_RELEASE] = {SQS_VISIBILITY_BATCH, 4},
    [SQS_WORK_EXTEND] = {SQS_VISIBILITY_BATCH, 8},
};

/* What a request is about. The slot may be used anew by the time the answer comes. */
struct target {
    struct sqs_slot *slot;
    uint64_t generation, version;
    int64_t seconds;
};

struct job {
    struct list node;
    struct sqs *s;
    enum sqs_work work;
    struct aws_call call;
    struct buf body;
    int64_t sent_ms;
    struct target targets[SQS_BATCH_MAX];
    size_t n;
};

static int64_t now_ms(const struct sqs *s)
{
    return loop_now(s->source.env->loop);
}

/* ---- one message is through, or is not ---- */

static void finish(struct sqs *s, struct sqs_slot *slot, enum sqs_work work)
{
    s->work[work].n--;
    if (work == SQS_WORK_EXTEND) {
        slot->extending = false;
        return;
    }
    sqs_slots_drop(s, slot);
    sqs_settling(s, -1);
}

static void ready_again(struct sqs *s, struct sqs_slot *slot, enum sqs_work work)
{
    list_remove(&slot->node);
    list_append(&s->work[work].ready, &slot->node);
    s->work[work].ready_n++;
}

static void give_up(struct sqs *s, struct sqs_slot *slot, struct slice why)
{
    if (s->undeleted)
        metric_inc(s->undeleted);
    log_warn(&s->source.log, "message %s could not be deleted and will come again: " SLICE_FMT,
             slot->id, SLICE_ARG(why));
}

static void later(struct sqs *s, struct sqs_slot *slot, enum sqs_work work)
{
    int64_t wait = sqs_backoff(s->timing->backoff_ms, s->timing->backoff_cap_ms, slot->tries);
    list_append(&s->work[work].later, &slot->node);
    slot->due_ms = now_ms(s) + wait;
    if (!timer_armed(&s->retry) || s->retry.due_ms > slot->due_ms)
        timer_start(s->source.env->loop, &s->retry, wait);
}

static void failed(struct sqs *s, struct sqs_slot *slot, enum sqs_work work, struct slice why)
{
    bool last = false; /* the next sweep asks again; what is not released comes by itself */
    slot->tries++;
    if (work == SQS_WORK_EXTEND)
        last = true;
    else if (work == SQS_WORK_RELEASE)
        last = slot->tries >= RELEASE_TRIES;
    else if (slot->tries >= DELETE_TRIES && now_ms(s) >= slot->visible_ms)
        last = true;
    if (last && work == SQS_WORK_DELETE)
        give_up(s, slot, why);
    if (last)
        finish(s, slot, work);
    else
        later(s, slot, work);
}

/* Asking again would not help. */
static void refused(struct sqs *s, struct sqs_slot *slot, enum sqs_work work, enum sqs_fault fault,
                    struct slice why)
{
    if (work == SQS_WORK_EXTEND)
        slot->lapsed = true;
    else if (work == SQS_WORK_DELETE && fault == SQS_FAULT_HANDLE)
        log_info(&s->source.log, "message %s was not there to be deleted any more: " SLICE_FMT,
                 slot->id, SLICE_ARG(why));
    else if (work == SQS_WORK_DELETE && fault == SQS_FAULT_OTHER)
        give_up(s, slot, why);
    finish(s, slot, work);
}

/* ---- answers ---- */

/* The slot may be about something else by now. */
static bool still_wanted(const struct job *j, const struct target *t)
{
    static const enum sqs_slot_state states[SQS_WORKS] = {
        [SQS_WORK_DELETE] = SQS_SLOT_DELETING,
        [SQS_WORK_RELEASE] = SQS_SLOT_RELEASING,
        [SQS_WORK_EXTEND] = SQS_SLOT_HELD,
    };
    if (t->slot->generation == t->generation && t->slot->state == states[j->work])
        return true;
    j->s->work[j->work].n--;
    return false;
}

static void sort_result(struct job *j, const struct target *t, const struct sqs_result *r)
{
    struct sqs *s = j->s;
    struct slice why = r->answered ? r->code : SLICE("not answered");
    if (t->version != t->slot->version && j->work != SQS_WORK_EXTEND) {
        ready_again(s, t->slot, j->work); /* received again meanwhile: that handle counts now */
    } else if (r->ok) {
        if (j->work == SQS_WORK_EXTEND)
            sqs_hold_extended(s, t->slot, j->sent_ms, t->seconds);
        finish(s, t->slot, j->work);
    } else if (r->fault == SQS_FAULT_HANDLE && t->version == t->slot->version) {
        refused(s, t->slot, j->work, r->fault, why);
    } else {
        failed(s, t->slot, j->work, why);
    }
}

static void note_failure(struct sqs *s, enum sqs_work work, struct slice code, struct slice text)
{
    if (s->work[work].failures++ == 0)
        log_warn(&s->source.log, "%s failed and is tried again: " SLICE_FMT " " SLICE_FMT,
                 sqs_wire_op_name(facts[work].op), SLICE_ARG(code), SLICE_ARG(text));
}

static void sort_results(struct job *j, const struct sqs_answer *a)
{
    bool good = true;
    for (size_t i = 0; i < j->n; i++) {
        const struct sqs_result *r = &a->results[i];
        if (!r->ok && r->fault != SQS_FAULT_HANDLE) {
            good = false;
            note_failure(j->s, j->work, r->code, r->text);
        }
        if (still_wanted(j, &j->targets[i]))
            sort_result(j, &j->targets[i], r);
    }
    if (good)
        j->s->work[j->work].failures = 0;
}

/* The whole request failed. */
static void sort_failure(struct job *j, enum sqs_read got, const struct sqs_answer *a)
{
    struct sqs *s = j->s;
    bool by_request =
        got == SQS_READ_FAULT && (a->fault == SQS_FAULT_HANDLE || a->fault == SQS_FAULT_OTHER);
    bool gone = got == SQS_READ_FAULT && a->fault == SQS_FAULT_NO_QUEUE;
    note_failure(s, j->work, a->code, a->text);
    for (size_t i = 0; i < j->n; i++) {
        struct sqs_slot *slot = j->targets[i].slot;
        if (!still_wanted(j, &j->targets[i]))
            continue;
        if (by_request && j->n > 1) { /* one spoils it: which, shows when each goes by itself */
            slot->alone = true;
            ready_again(s, slot, j->work);
        } else if (gone || by_request) {
            refused(s, slot, j->work, a->fault, a->code);
        } else {
            failed(s, slot, j->work, a->code.n ? a->code : a->text);
        }
    }
}

static void free_job(struct job *j)
{
    list_remove(&j->node);
    aws_call_clear(&j->call);
    buf_free(&j->body);
    free(j);
}

static void on_done(struct aws_call *call)
{
    struct job *j = container_of(call, struct job, call);
    struct sqs *s = j->s;
    struct sqs_answer a;
    enum sqs_read got = sqs_receive_answer(s, &a, call, facts[j->work].op);
    s->work[j->work].out--;
    if (got == SQS_READ_OK)
        sort_results(j, &a);
    else
        sort_failure(j, got, &a);
    sqs_answer_free(&a);
    free_job(j);
    loop_defer(s->source.env->loop, &s->flush);
    sqs_poll_pump(s); /* a long backlog of deletes holds polls back */
}

/* ---- requests ---- */

static struct job *collect(struct sqs *s, enum sqs_work work)
{
    struct sqs_worklist *w = &s->work[work];
    struct job *j = mem_alloc(sizeof *j);
    j->s = s;
    j->work = work;
    j->sent_ms = now_ms(s);
    while (!list_empty(&w->ready) && j->n < SQS_BATCH_MAX) {
        struct sqs_slot *slot = container_of(w->ready.next, struct sqs_slot, node);
        if (slot->alone && j->n > 0)
            break;
        list_remove(&slot->node);
        w->ready_n--;
        j->targets[j->n++] =
            (struct target){slot, slot->generation, slot->version,
                            work == SQS_WORK_EXTEND ? sqs_hold_seconds(s, slot) : 0};
        if (slot->alone)
            break;
    }
    return j;
}

static void start(struct sqs *s, enum sqs_work work)
{
    struct job *j = collect(s, work);
    struct sqs_entry entries[SQS_BATCH_MAX];
    for (size_t i = 0; i < j->n; i++)
        entries[i] =
            (struct sqs_entry){slice_of(j->targets[i].slot->receipt), j->targets[i].seconds};
    struct sqs_request r = {
        .op = facts[work].op, .queue_url = slice_of(s->url), .entries = entries, .n_entries = j->n};
    buf_init(&j->body, BODY_MAX);
    list_append(&s->jobs, &j->node);
    s->work[work].out++;
    j->call.max_response_bytes = ANSWER_MAX;
    sqs_send(s, &j->call, &j->body, &r, on_done);
}

static void flush(struct sqs *s, enum sqs_work work, size_t least)
{
    struct sqs_worklist *w = &s->work[work];
    while (w->ready_n > 0 && w->ready_n >= least && w->out < facts[work].out_max)
        start(s, work);
}

static void on_flush(struct task *t)
{
    struct sqs *s = container_of(t, struct sqs, flush);
    for (int w = 0; w < SQS_WORKS; w++)
        flush(s, (enum sqs_work)w, 1);
}

void sqs_work_forget(struct sqs *s, struct sqs_slot *slot)
{
    slot->extending = false;
    if (list_empty(&slot->node))
        return; /* none, or it is out: its answer is then ignored */
    list_remove(&slot->node);
    s->work[SQS_WORK_EXTEND].ready_n--;
    s->work[SQS_WORK_EXTEND].n--;
}

void sqs_work_add(struct sqs *s, struct sqs_slot *slot, enum sqs_work work)
{
    if (work == SQS_WORK_EXTEND) {
        slot->extending = true;
    } else {
        sqs_work_forget(s, slot);
        s->n_held--;
        slot->state = work == SQS_WORK_DELETE ? SQS_SLOT_DELETING : SQS_SLOT_RELEASING;
        slot->tries = 0;
        sqs_settling(s, 1);
    }
    s->work[work].n++;
    ready_again(s, slot, work);
    flush(s, work, SQS_BATCH_MAX);
    loop_defer(s->source.env->loop, &s->flush);
}

static void on_retry(struct timer *t)
{
    struct sqs *s = container_of(t, struct sqs, retry);
    int64_t now = now_ms(s), next = INT64_MAX;
    for (int w = 0; w < SQS_WORKS; w++)
        list_each(&s->work[w].later, it)
        {
            struct sqs_slot *slot = container_of(it, struct sqs_slot, node);
            if (slot->due_ms <= now)
                ready_again(s, slot, (enum sqs_work)w);
            else if (slot->due_ms < next)
                next = slot->due_ms;
        }
    if (next != INT64_MAX)
        timer_start(s->source.env->loop, &s->retry, next - now);
    on_flush(&s->flush);
}

/* ---- life ---- */

void sqs_work_init(struct sqs *s)
{
    for (int w = 0; w < SQS_WORKS; w++) {
        s->work[w] = (struct sqs_worklist){.n = 0};
        list_init(&s->work[w].ready);
        list_init(&s->work[w].later);
    }
    list_init(&s->jobs);
    task_init(&s->flush, on_flush);
    s->retry.fire = on_retry;
}

void sqs_work_close(struct sqs *s)
{
    list_each(&s->jobs, it)
    {
        struct job *j = container_of(it, struct job, node);
        aws_call_cancel(s->source.env->aws, &j->call);
        free_job(j);
    }
    task_cancel(&s->flush);
    timer_stop(s->source.env->loop, &s->retry);
}
