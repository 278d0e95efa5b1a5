/* queue_forget.c - notes of deduplication ids go when the ids are too old to matter. */
#include "base/mem.h"
#include "engine/queue_sweep.h"
#include <stdio.h>
#include <stdlib.h>

enum { NOTES_MAX = 128, PAUSE_MS = 1000 };

struct forget {
    struct spool_op op;
    struct queue *q;
    struct spool_change changes[NOTES_MAX];
    char names[NOTES_MAX][48];
};

void queue_forget_name(uint32_t owner, uint64_t seq, char out[48])
{
    (void)snprintf(out, 48, "queue.dedup.%06x.%010llx", (unsigned)owner, (unsigned long long)seq);
}

int64_t queue_forget_due(const struct queue *q)
{
    int64_t due = queue_dedup_due(&q->dedup);
    if (q->forgetting || due == INT64_MAX)
        return INT64_MAX;
    return due > q->forget_ms ? due : q->forget_ms;
}

/* A note that stays because of an error is found at the next start. */
static void forgotten(struct spool_op *op)
{
    struct forget *f = container_of(op, struct forget, op);
    struct queue *q = f->q;
    struct queues *s = q->service;
    q->forgetting = false;
    spool_op_clear(op);
    free(f);
    if (q->live)
        queue_sweep_wake(q);
    else if (!s->closing)
        queue_forget(q);
    queue_settled(s, q);
}

void queue_forget(struct queue *q)
{
    if (q->forgetting || (q->live && queue_forget_due(q) > queue_now(q)))
        return;
    int64_t now_ms = q->live ? queue_now(q) : INT64_MAX;
    struct forget *f = mem_alloc(sizeof *f);
    struct queue_dedup_record r;
    f->q = q;
    while (f->op.n < NOTES_MAX && queue_dedup_expire(&q->dedup, now_ms, &r)) {
        if (!r.noted)
            continue;
        queue_forget_name(q->owner, r.seq, f->names[f->op.n]);
        f->changes[f->op.n] =
            (struct spool_change){.kind = SPOOL_NOTE, .head = slice_of(f->names[f->op.n])};
        f->op.n++;
    }
    q->forget_ms = f->op.n == NOTES_MAX ? queue_now(q) : queue_now(q) + PAUSE_MS;
    if (f->op.n == 0) {
        free(f);
        return;
    }
    q->forgetting = true;
    f->op.changes = f->changes;
    f->op.done = forgotten;
    queue_submit(q->service, q, &f->op);
}
