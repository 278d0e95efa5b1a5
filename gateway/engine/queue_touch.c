/* queue_touch.c - what a receiver does with its receipt handles: delete, change the visibility. */
#include "base/mem.h"
#include "engine/queue_index.h"
#include "engine/queue_receipt.h"
#include <stdlib.h>

struct touch_job {
    struct spool_op op;
    struct queue_later later;
    struct queue *q;
    struct queue_touch *touch;
    bool deletes;
    struct part {
        struct queue_entry *entry; /* NULL: nothing to do on disk */
        size_t change;
        int64_t due_ms; /* loop time */
    } * parts;
    struct spool_change *changes;
};

static void finish(struct touch_job *job)
{
    struct queue_touch *touch = job->touch;
    free(job);
    touch->done(touch);
}

static void run_later(struct queue_later *l)
{
    finish(container_of(l, struct touch_job, later));
}

/* The message of a receipt handle; NULL with QUEUE_OK: it is gone. */
static struct queue_entry *look_up(struct queue *q, struct slice handle,
                                   struct queue_receipt *receipt, enum queue_status *status)
{
    *status = QUEUE_HANDLE_INVALID;
    if (!queue_receipt_read(q->service->secret, handle, receipt) || receipt->owner != q->owner)
        return NULL;
    *status = QUEUE_OK;
    return queue_table_get(&q->table, receipt->seq);
}

/* Is it still hidden for the one who has this handle? */
static bool in_flight(const struct queue_entry *e, const struct queue_receipt *receipt)
{
    return e->state == QUEUE_ENTRY_FLIGHT && e->takes == receipt->takes;
}

/* ---- delete */

/* AWS: with the handle of an earlier receive the request succeeds and nothing is deleted; a FIFO
 * queue refuses a handle whose visibility has ended. A handle of a receive later than any that is
 * known is of one that a power cut took: who holds it has had the message. */
static struct queue_entry *may_delete(struct queue *q, struct queue_touch_entry *e)
{
    struct queue_receipt receipt;
    struct queue_entry *entry = look_up(q, e->receipt, &receipt, &e->status);
    if (entry == NULL && e->status == QUEUE_OK)
        return queue_index_fetch(q, receipt.seq);
    if (entry == NULL || in_flight(entry, &receipt))
        return entry;
    if (q->settings.fifo)
        e->status = QUEUE_HANDLE_EXPIRED;
    else if (receipt.takes > entry->takes)
        return entry;
    bool latest = entry->state != QUEUE_ENTRY_TAKING && entry->takes == receipt.takes;
    return latest && !q->settings.fifo ? entry : NULL;
}

static void plan(struct touch_job *job, size_t i, struct queue_entry *entry, struct spool_change c)
{
    struct queue *q = job->q;
    struct part *part = &job->parts[i];
    if (entry->busy == 0)
        queue_index_detach(q, entry);
    entry->busy++;
    part->entry = entry;
    part->change = job->op.n;
    c.id = spool_id(q->owner, entry->seq);
    job->changes[job->op.n++] = c;
}

static void plan_delete(struct touch_job *job, size_t i)
{
    struct queue_entry *entry = may_delete(job->q, &job->touch->entries[i]);
    if (entry != NULL)
        plan(job, i, entry, (struct spool_change){.kind = SPOOL_DROP});
}

/* ---- change */

/* AWS, recorded on a standard queue: the handle of the last receive is taken, and nothing happens
 * to a message that is visible again. */
static bool visible_again(const struct queue *q, const struct queue_entry *e,
                          const struct queue_receipt *receipt)
{
    return !q->settings.fifo && e->takes == receipt->takes &&
           (e->state == QUEUE_ENTRY_VISIBLE || e->state == QUEUE_ENTRY_HELD);
}

static struct queue_entry *may_change(struct queue *q, struct queue_touch_entry *e)
{
    struct queue_receipt receipt;
    struct queue_entry *entry = look_up(q, e->receipt, &receipt, &e->status);
    if (e->status != QUEUE_OK || (entry != NULL && visible_again(q, entry, &receipt)))
        return NULL;
    if (entry == NULL || !in_flight(entry, &receipt)) {
        e->status = QUEUE_NOT_IN_FLIGHT;
        return NULL;
    }
    int64_t end_ms = queue_now(q) + e->visibility_s * 1000;
    if (end_ms > ((int64_t)entry->taken_s + QUEUE_VISIBILITY_MAX_S) * 1000) {
        e->status = QUEUE_TOO_LONG;
        return NULL;
    }
    return entry;
}

static void plan_change(struct touch_job *job, size_t i)
{
    struct queue *q = job->q;
    const struct queue_touch_entry *e = &job->touch->entries[i];
    struct queue_entry *entry = may_change(q, &job->touch->entries[i]);
    if (entry == NULL)
        return;
    int64_t due_ms = queue_now(q) + e->visibility_s * 1000;
    job->parts[i].due_ms = due_ms;
    entry->touched = 1;
    plan(job, i, entry,
         (struct spool_change){.kind = SPOOL_DUE,
                               .due_ms = e->visibility_s > 0 ? queue_wall(q->service, due_ms) : 0});
}

/* ---- tell */

static enum queue_status part_done(struct touch_job *job, const struct part *part)
{
    struct queue *q = job->q;
    struct queue_entry *entry = part->entry;
    bool ok = job->op.ok, found = ok && job->changes[part->change].found;
    enum queue_status status = queue_status_of(&job->op);
    if (job->deletes && ok) {
        q->deleted += found;
        queue_index_remove(q, entry);
    } else if (ok && !found) {
        queue_index_remove(q, entry);
        status = QUEUE_NOT_IN_FLIGHT;
    } else if (ok) {
        entry->due.due_ms = part->due_ms;
    }
    queue_index_release(q, entry, false);
    return status;
}

static void touched(struct spool_op *op)
{
    struct touch_job *job = container_of(op, struct touch_job, op);
    struct queue *q = job->q;
    struct queues *s = q->service;
    for (size_t i = 0; i < job->touch->n; i++)
        if (job->parts[i].entry != NULL)
            job->touch->entries[i].status = part_done(job, &job->parts[i]);
    spool_op_clear(op);
    finish(job);
    queue_settled(s, q);
}

static void start(struct queue *q, struct queue_touch *touch, bool deletes)
{
    size_t n = touch->n;
    struct touch_job *job =
        mem_alloc(sizeof *job + n * (sizeof(struct spool_change) + sizeof(struct part)));
    job->changes = (struct spool_change *)(void *)(job + 1);
    job->parts = (struct part *)(void *)(job->changes + n);
    job->q = q;
    job->touch = touch;
    job->deletes = deletes;
    for (size_t i = 0; i < n; i++) {
        if (!q->live)
            touch->entries[i].status = QUEUE_GONE;
        else if (deletes)
            plan_delete(job, i);
        else
            plan_change(job, i);
    }
    if (job->op.n == 0) {
        queue_later(q->service, &job->later, run_later);
        return;
    }
    job->op.changes = job->changes;
    job->op.relaxed = !q->settings.fifo; /* in a FIFO queue what comes after hangs on it */
    job->op.done = touched;
    queue_submit(q->service, q, &job->op);
}

void queue_delete_messages(struct queue *q, struct queue_touch *touch)
{
    start(q, touch, true);
}

void queue_change_visibility(struct queue *q, struct queue_touch *touch)
{
    start(q, touch, false);
}
