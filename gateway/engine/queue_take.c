/* queue_take.c - messages on their way to a receiver: the take on disk, then the answer; undone
 * when the receiver has left meanwhile, as if nobody had received them. */
#include "base/mem.h"
#include "engine/queue_index.h"
#include "engine/queue_receipt.h"
#include "engine/queue_receive.h"
#include <stdlib.h>

struct take {
    struct spool_op op;
    struct queue *q;
    struct queue_receive_job *job;
    int64_t due_ms, first_ms; /* loop time; unix */
    bool again;
    size_t n;
    struct queue_entry **entries;
    struct spool_change *changes;
    struct queue_message *messages;
};

/* In the reverse order, so that those that go back to the front stand as before. */
static void release_first(struct take *t)
{
    for (size_t i = t->n; i > 0; i--)
        queue_index_release(t->q, t->entries[i - 1], true);
}

static void release(struct take *t)
{
    for (size_t i = 0; i < t->n; i++)
        queue_index_release(t->q, t->entries[i], false);
}

static void take_free(struct take *t)
{
    struct queues *s = t->q->service;
    struct queue *q = t->q;
    spool_op_clear(&t->op);
    free(t);
    queue_settled(s, q);
}

/* It is received: hidden until due. */
static void commit(struct take *t, size_t i)
{
    struct queue_entry *e = t->entries[i];
    const struct spool_change *c = &t->changes[i];
    if (e->gone)
        return;
    if (!c->found) {
        queue_index_remove(t->q, e);
        return;
    }
    e->takes = c->takes;
    e->first_ms = c->first_ms;
    e->bytes = (uint32_t)(c->head.n + c->body.n);
    e->due.due_ms = t->due_ms;
    e->taken_s = (uint64_t)(queue_now(t->q) + 999) / 1000;
    e->touched = 0;
    queue_index_state(t->q, e, QUEUE_ENTRY_FLIGHT);
}

static void roll_back(struct take *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (!t->entries[i]->gone)
            queue_index_state(t->q, t->entries[i],
                              t->again ? QUEUE_ENTRY_FLIGHT : QUEUE_ENTRY_VISIBLE);
    release_first(t);
}

/* ---- the receiver has left */

static void undone(struct spool_op *op)
{
    struct take *t = container_of(op, struct take, op);
    for (size_t i = 0; i < t->n; i++) {
        struct queue_entry *e = t->entries[i];
        const struct spool_change *c = &t->changes[i];
        if (e->gone || (op->ok && !c->found)) {
            queue_index_remove(t->q, e);
        } else if (op->ok) {
            queue_index_state(t->q, e, QUEUE_ENTRY_VISIBLE);
        } else {
            /* On disk it is received, and so it stays, for nobody. */
            e->takes++;
            e->first_ms = e->first_ms > 0 ? e->first_ms : t->first_ms;
            e->due.due_ms = t->due_ms;
            queue_index_state(t->q, e, QUEUE_ENTRY_FLIGHT);
        }
    }
    release_first(t);
    take_free(t);
}

static void undo(struct take *t)
{
    spool_op_clear(&t->op);
    t->op = (struct spool_op){
        .changes = t->changes, .n = t->n, .relaxed = !t->q->settings.fifo, .done = undone};
    for (size_t i = 0; i < t->n; i++) {
        const struct queue_entry *e = t->entries[i];
        t->changes[i] = (struct spool_change){
            .kind = SPOOL_TAKE, .id = t->changes[i].id, .first_ms = e->first_ms, .takes = e->takes};
    }
    spool_submit(t->q->service->spool, &t->op);
}

/* ---- the answer */

static void keep_attempt(const struct take *t)
{
    struct queue_attempt_part parts[QUEUE_BATCH_MAX];
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (!t->entries[i]->gone)
            parts[n++] = (struct queue_attempt_part){t->entries[i]->seq, t->entries[i]->takes};
    if (t->job->attempt != NULL && n > 0)
        queue_attempt_keep(t->q, slice_of(t->job->attempt), parts, n);
}

static void answer(struct take *t)
{
    struct queue_receive *r = t->job->r;
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct spool_change *c = &t->changes[i];
        struct queue_message *m = &t->messages[n];
        commit(t, i);
        if (!c->found || !queue_message_read(t->q, c, m))
            continue;
        struct queue_receipt receipt = {t->q->owner, c->takes, t->entries[i]->seq};
        queue_receipt_write(t->q->service->secret, &receipt, m->receipt);
        n++;
    }
    t->q->received += n;
    keep_attempt(t);
    release(t);
    r->messages = t->messages;
    r->n = n;
    queue_receive_answer(t->job, QUEUE_OK);
    take_free(t);
}

static void taken(struct spool_op *op)
{
    struct take *t = container_of(op, struct take, op);
    struct queue_receive *r = t->job->r;
    bool there = r != NULL && (r->alive == NULL || r->alive(r));
    if (op->ok && there) {
        answer(t);
        return;
    }
    bool undoes = op->ok && !t->again && !t->q->service->closing;
    if (op->ok && !undoes) {
        for (size_t i = 0; i < t->n; i++)
            commit(t, i);
        release(t);
    } else if (!op->ok) {
        roll_back(t);
    }
    queue_receive_answer(t->job, queue_status_of(op));
    t->job = NULL;
    if (undoes)
        undo(t);
    else
        take_free(t);
}

void queue_take(struct queue_receive_job *job, struct queue_entry **entries, size_t n, bool again)
{
    struct queue *q = job->q;
    size_t each = sizeof(struct spool_change) + sizeof(struct queue_message) + sizeof *entries;
    struct take *t = mem_alloc(sizeof *t + n * each);
    t->changes = (struct spool_change *)(void *)(t + 1);
    t->messages = (struct queue_message *)(void *)(t->changes + n);
    t->entries = (struct queue_entry **)(void *)(t->messages + n);
    t->q = q;
    t->job = job;
    t->n = n;
    t->again = again;
    t->due_ms = queue_now(q) + job->visibility_ms;
    t->first_ms = queue_wall(q->service, queue_now(q));
    for (size_t i = 0; i < n; i++) {
        struct queue_entry *e = t->entries[i] = entries[i];
        e->busy++;
        if (!again)
            queue_index_state(q, e, QUEUE_ENTRY_TAKING);
        t->changes[i] = (struct spool_change){
            .kind = SPOOL_TAKE,
            .id = spool_id(q->owner, e->seq),
            .due_ms = job->visibility_ms > 0 ? queue_wall(q->service, t->due_ms) : 0,
            .first_ms = e->first_ms > 0 ? e->first_ms : t->first_ms,
            .takes = e->takes + (again ? 0 : 1),
        };
    }
    if (job->waiting) {
        list_remove(&job->node);
        timer_stop(q->service->loop, &job->deadline);
        q->impatient -= job->impatient;
        job->waiting = job->impatient = false;
    }
    /* A receive is no promise that has to survive a power cut, but in a FIFO queue the order is. */
    t->op = (struct spool_op){
        .changes = t->changes, .n = n, .relaxed = !q->settings.fifo, .done = taken};
    queue_submit(q->service, q, &t->op);
}
