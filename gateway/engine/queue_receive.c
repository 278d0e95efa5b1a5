/* queue_receive.c - receives: served at once, or in their order when something becomes visible. */
#include "engine/queue_receive.h"

#include "base/mem.h"
#include "engine/queue_dead.h"
#include "engine/queue_index.h"
#include <assert.h>
#include <stdlib.h>

enum {
    LOOK_MAX = 1000, /* messages looked at for one receive, dead letters included */
    SERVE_MAX = 256, /* receives looked at in one go: served, or found to be nobody's any more */
};

void queue_receive_answer(struct queue_receive_job *job, enum queue_status status)
{
    struct queue_receive *r = job->r;
    if (job->waiting) {
        list_remove(&job->node);
        job->q->impatient -= job->impatient;
    }
    timer_stop(job->q->service->loop, &job->deadline);
    queue_later_cancel(&job->later);
    free(job->attempt);
    free(job);
    if (r == NULL)
        return;
    r->status = status;
    r->impl = NULL;
    r->done(r);
}

static void answer_empty(struct queue_later *l)
{
    struct queue_receive_job *job = container_of(l, struct queue_receive_job, later);
    struct queue_receive *r = job->r;
    queue_receive_answer(job, r->status);
}

static void answer_later(struct queue_receive_job *job, enum queue_status status)
{
    job->r->status = status;
    queue_later(job->q->service, &job->later, answer_empty);
}

/* ---- pick */

static size_t room_in_flight(const struct queue *q)
{
    uint64_t out = q->count[QUEUE_ENTRY_FLIGHT] + q->count[QUEUE_ENTRY_TAKING];
    uint64_t most = q->settings.fifo ? QUEUE_FLIGHT_MAX_FIFO : QUEUE_FLIGHT_MAX;
    return out < most ? (size_t)(most - out) : 0;
}

/* Visible messages in hand, at most max. Dead letters on the way leave; the rest of their group
 * waits until they have left. */
static size_t pick(struct queue *q, size_t max, struct queue_entry **out)
{
    struct queue_group *group = NULL, *closed = NULL;
    struct queue_dead *dead = NULL;
    size_t n = 0, room = room_in_flight(q);
    if (max > room)
        max = room;
    for (size_t looked = 0; n < max && looked < LOOK_MAX && !q->wiping; looked++) {
        struct queue_entry *e = queue_index_pop(q, &group);
        if (e == NULL)
            break;
        if (queue_dead_is(q, e)) {
            queue_dead_add(q, &dead, e);
            closed = group;
        } else if (closed != NULL && closed == group) {
            queue_index_settle(q, e, true);
            group = NULL;
        } else {
            out[n++] = e;
        }
    }
    queue_dead_send(dead);
    return n;
}

static bool serve(struct queue_receive_job *job)
{
    struct queue_entry *entries[QUEUE_BATCH_MAX];
    size_t n = pick(job->q, job->r->max, entries);
    if (n == 0)
        return false;
    queue_take(job, entries, n, false);
    return true;
}

/* ---- waiting */

static void unwait(struct queue_receive_job *job)
{
    list_remove(&job->node);
    timer_stop(job->q->service->loop, &job->deadline);
    job->q->impatient -= job->impatient;
    job->waiting = job->impatient = false;
}

static void deadline(struct timer *t)
{
    queue_receive_answer(container_of(t, struct queue_receive_job, deadline), QUEUE_OK);
}

static void wait(struct queue_receive_job *job)
{
    struct queue *q = job->q;
    job->waiting = true;
    list_append(&q->waiters, &job->node);
    if (job->r->wait_ms > 0) {
        job->deadline.fire = deadline;
        timer_start(q->service->loop, &job->deadline, job->r->wait_ms);
    } else {
        job->impatient = true;
        q->impatient++;
    }
}

static void end_impatient(struct queue *q)
{
    list_each(&q->waiters, it)
    {
        struct queue_receive_job *job = container_of(it, struct queue_receive_job, node);
        if (!job->impatient)
            continue;
        unwait(job);
        answer_later(job, QUEUE_OK);
    }
}

static struct queue_receive_job *first_waiter(const struct queue *q)
{
    struct list *first = q->waiters.next;
    return container_of(first, struct queue_receive_job, node);
}

static void serve_waiters(struct task *t)
{
    struct queue *q = container_of(t, struct queue, kick);
    size_t looked = 0;
    for (; looked < SERVE_MAX && !list_empty(&q->waiters) && queue_index_any(q) && !q->wiping;
         looked++) {
        struct queue_receive_job *job = first_waiter(q);
        if (job->r->alive != NULL && !job->r->alive(job->r)) {
            unwait(job);
            answer_later(job, QUEUE_OK);
        } else if (!serve(job)) {
            break;
        }
    }
    if (looked == SERVE_MAX)
        queue_receive_kick(q);
    else if (q->impatient > 0 && (q->leaving == 0 || q->wiping))
        end_impatient(q);
}

void queue_receive_init(struct queue *q)
{
    list_init(&q->waiters);
    list_init(&q->attempts_old);
    map_init(&q->attempts);
    task_init(&q->kick, serve_waiters);
}

void queue_receive_kick(struct queue *q)
{
    if (!list_empty(&q->waiters) && !q->service->closing)
        loop_defer(q->service->loop, &q->kick);
}

void queue_receive_end(struct queue *q, enum queue_status status)
{
    task_cancel(&q->kick);
    while (!list_empty(&q->waiters)) {
        struct queue_receive_job *job = first_waiter(q);
        unwait(job);
        answer_later(job, status);
    }
}

/* ---- the call */

static bool repeat_attempt(struct queue_receive_job *job)
{
    struct queue_entry *entries[QUEUE_BATCH_MAX];
    struct queue *q = job->q;
    if (!q->settings.fifo || job->r->attempt_id.n == 0)
        return false;
    job->attempt = slice_dup(job->r->attempt_id);
    size_t n = q->wiping ? 0 : queue_attempt_again(q, job->r->attempt_id, entries, job->r->max);
    if (n > 0)
        queue_take(job, entries, n, true);
    return n > 0;
}

void queue_receive(struct queue *q, struct queue_receive *r)
{
    assert(r->max >= 1 && r->max <= QUEUE_BATCH_MAX);
    struct queue_receive_job *job = mem_alloc(sizeof *job);
    int64_t visibility_s = r->visibility_s >= 0 ? r->visibility_s : q->settings.visibility_s;
    job->q = q;
    job->r = r;
    job->visibility_ms = visibility_s * 1000;
    list_init(&job->node);
    r->impl = job;
    r->n = 0;
    r->messages = NULL;
    if (!q->live)
        answer_later(job, QUEUE_GONE);
    else if (repeat_attempt(job))
        return;
    else if (!q->settings.fifo && room_in_flight(q) == 0)
        answer_later(job, QUEUE_OVER_LIMIT);
    else if (list_empty(&q->waiters) && serve(job))
        return;
    else if (r->wait_ms > 0)
        wait(job);
    else if (q->leaving > 0 || (queue_index_any(q) && !q->wiping)) {
        wait(job);
        queue_receive_kick(q);
    } else {
        answer_later(job, QUEUE_OK);
    }
}

void queue_receive_cancel(struct queue_receive *r)
{
    struct queue_receive_job *job = r->impl;
    if (job == NULL)
        return;
    r->impl = NULL;
    job->r = NULL;
    if (job->waiting || job->later.service != NULL)
        queue_receive_answer(job, QUEUE_OK);
}
