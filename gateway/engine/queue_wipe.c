/* queue_wipe.c - a million rows take a second to delete: step by step, so that others get their
 * turn; the step follows how long the last one took. */
#include "engine/queue_wipe.h"

#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_STEP = 16384, QUICK_US = 5000, SLOW_US = 50000, NOTES = 3 };

struct last_notes {
    struct spool_op op;
    struct queues *service;
    struct spool_change changes[NOTES];
    char names[NOTES][32];
};

static void notes_gone(struct spool_op *op)
{
    struct last_notes *n = container_of(op, struct last_notes, op);
    struct queues *s = n->service;
    spool_op_clear(op);
    free(n);
    queue_settled(s, NULL);
}

/* Nothing is left of the queue but its notes; should they stay, the next start wipes again. */
static void drop_notes(struct queues *s, uint32_t owner)
{
    static const char *const kinds[NOTES] = {"seq", "tags", "def"};
    struct last_notes *n = mem_alloc(sizeof *n);
    n->service = s;
    for (size_t i = 0; i < NOTES; i++) {
        (void)snprintf(n->names[i], sizeof n->names[i], "queue.%s.%06x", kinds[i], (unsigned)owner);
        n->changes[i] = (struct spool_change){.kind = SPOOL_NOTE, .head = slice_of(n->names[i])};
    }
    n->op = (struct spool_op){.changes = n->changes, .n = NOTES, .done = notes_gone};
    queue_submit(s, NULL, &n->op);
}

static void step(struct queue_wipe *w);

static void finish(struct queue_wipe *w)
{
    list_remove(&w->node);
    if (w->done != NULL)
        w->done(w);
    else if (!w->service->closing)
        drop_notes(w->service, w->owner);
    free(w);
}

static void try_again(struct timer *t)
{
    step(container_of(t, struct queue_wipe, retry));
}

static void wiped(struct spool_op *op)
{
    struct queue_wipe *w = container_of(op, struct queue_wipe, op);
    struct queues *s = w->service;
    struct queue *q = w->q;
    int64_t took_us = loop_clock_us(s->loop) - w->began_us;
    w->status = queue_status_of(op);
    if (op->ok) {
        w->at = w->at + w->step < w->end ? w->at + w->step : w->end;
        if (took_us < QUICK_US)
            w->step *= 2;
        else if (took_us > SLOW_US && w->step > FIRST_STEP / 16)
            w->step /= 2;
    }
    spool_op_clear(op);
    if (s->closing && q == NULL) {
        list_remove(&w->node);
        free(w);
    } else if (w->at == w->end || (!op->ok && q != NULL) || s->closing) {
        finish(w);
    } else if (op->ok) {
        step(w);
    } else {
        w->retry.fire = try_again;
        timer_start(s->loop, &w->retry, QUEUE_RETRY_MS);
    }
    queue_settled(s, q);
}

static void step(struct queue_wipe *w)
{
    uint64_t to = w->at + w->step < w->end ? w->at + w->step : w->end;
    w->change = (struct spool_change){
        .kind = SPOOL_WIPE, .id = spool_id(w->owner, w->at), .to_id = spool_id(w->owner, to - 1)};
    w->op = (struct spool_op){.changes = &w->change, .n = 1, .done = wiped};
    w->began_us = loop_clock_us(w->service->loop);
    queue_submit(w->service, w->q, &w->op);
}

void queue_wipe_start(struct queue_wipe *w)
{
    if (w->step == 0)
        w->step = FIRST_STEP;
    list_append(&w->service->wipes, &w->node);
    step(w);
}

void queue_wipe_stop(struct queues *s)
{
    list_each(&s->wipes, it)
    {
        struct queue_wipe *w = container_of(it, struct queue_wipe, node);
        if (!timer_armed(&w->retry))
            continue;
        timer_stop(s->loop, &w->retry);
        list_remove(&w->node);
        free(w);
    }
}
