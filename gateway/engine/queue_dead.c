/* queue_dead.c - dead letters: read, given a new head, moved in one operation of the spool. */
#include "engine/queue_dead.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/queue_group.h"
#include "engine/queue_head.h"
#include "engine/queue_index.h"
#include "engine/queue_receive.h"
#include <stdlib.h>

struct queue_dead {
    struct spool_op op;
    struct queue *q, *to;
    size_t n;
    struct queue_entry *entries[QUEUE_BATCH_MAX];
    struct spool_change changes[QUEUE_BATCH_MAX + 1];
    size_t change_of[QUEUE_BATCH_MAX]; /* SIZE_MAX: it is not moved */
    uint64_t to_seq[QUEUE_BATCH_MAX];
    int64_t born_ms;
    struct spool_op move;
    struct spool_change moves[QUEUE_BATCH_MAX + 1];
    bool seq_noted;
    struct queue_seq_note seq_note;
    char *heads;
};

bool queue_dead_is(const struct queue *q, const struct queue_entry *e)
{
    return e->takes > 0 && q->settings.dead_arn != NULL && e->takes >= q->settings.max_receives &&
           queue_dead_target(q) != NULL;
}

/* Those that did not leave come again after a while; until then they are out of the way. */
static void hold_back(struct queue_dead *d)
{
    struct queue *q = d->q;
    for (size_t i = 0; i < d->n; i++) {
        struct queue_entry *e = d->entries[i];
        if (!e->gone) {
            e->due.due_ms = queue_now(q) + QUEUE_RETRY_MS;
            queue_index_state(q, e, QUEUE_ENTRY_HELD);
        }
        queue_index_release(q, e, false);
    }
}

static void end(struct queue_dead *d)
{
    struct queue *q = d->q;
    struct queues *s = q->service;
    q->leaving--;
    queue_receive_kick(q);
    spool_op_clear(&d->op);
    free(d->heads);
    free(d);
    queue_settled(s, q);
}

/* ---- moved */

static void arrive(struct queue_dead *d, size_t i, struct slice group)
{
    const struct queue_entry *e = d->entries[i];
    struct queue *to = d->to;
    if (d->to_seq[i] < to->wiped_below)
        return;
    struct queue_arrival a = {
        .seq = d->to_seq[i],
        .born_ms = to->settings.fifo ? d->born_ms : e->born_ms,
        .due_ms = d->born_ms,
        .first_ms = e->first_ms,
        .takes = e->takes,
        .bytes = e->bytes,
        .group = group,
    };
    to->bytes += a.bytes;
    queue_index_add_taken(to, &a);
}

static void leave(struct queue_dead *d, size_t i)
{
    struct queue *q = d->q;
    struct queue_entry *e = d->entries[i];
    bool moved = d->change_of[i] != SIZE_MAX && d->moves[d->change_of[i]].found;
    struct queue_head h;
    if (moved && queue_head_read(d->changes[i].head, &h))
        arrive(d, i, h.fields[QUEUE_HEAD_GROUP]);
    q->moved += moved;
    queue_index_remove(q, e);
    queue_index_release(q, e, false);
}

static void moved(struct spool_op *op)
{
    struct queue_dead *d = container_of(op, struct queue_dead, move);
    if (d->seq_noted)
        queue_seq_noted(d->to, &d->seq_note, op->ok);
    if (op->ok) {
        for (size_t i = 0; i < d->n; i++)
            leave(d, i);
    } else {
        struct log_scope scope = {"queue", d->q->name};
        log_warn(&scope, "dead letters stay for now: %s", op->why);
        hold_back(d);
    }
    spool_op_clear(op);
    queue_unhold(d->to);
    end(d);
}

/* ---- read */

/* The head in the dead-letter queue; returns the bytes written. A FIFO queue takes the message id
 * as deduplication id: two messages that shared one may both die. */
static size_t new_head(struct queue_dead *d, size_t i, char *out)
{
    struct queue_head h;
    if (!queue_head_read(d->changes[i].head, &h))
        return 0;
    h.fields[QUEUE_HEAD_DEAD_SOURCE] = slice_of(d->q->arn);
    if (d->to->settings.fifo) {
        h.fields[QUEUE_HEAD_DEDUP_ID] = h.fields[QUEUE_HEAD_ID];
        h.sent_ms = queue_wall(d->q->service, d->born_ms);
    }
    return queue_head_write(&h, out);
}

static void plan_move(struct queue_dead *d, size_t i, struct slice head)
{
    const struct queue_entry *e = d->entries[i];
    d->to_seq[i] = queue_seq_next(d->to);
    d->change_of[i] = d->move.n;
    d->moves[d->move.n++] = (struct spool_change){
        .kind = SPOOL_MOVE,
        .id = spool_id(d->q->owner, e->seq),
        .to_id = spool_id(d->to->owner, d->to_seq[i]),
        .born_ms = d->to->settings.fifo ? queue_wall(d->q->service, d->born_ms) : 0,
        .first_ms = e->first_ms,
        .takes = e->takes,
        .head = head,
    };
}

static void plan(struct queue_dead *d)
{
    size_t bytes = 0;
    for (size_t i = 0; i < d->n; i++)
        bytes += d->changes[i].head.n * 2 + sizeof(struct queue_head) + slice_of(d->q->arn).n;
    char *at = d->heads = mem_alloc_raw(bytes);
    for (size_t i = 0; i < d->n; i++) {
        d->change_of[i] = SIZE_MAX;
        if (!d->changes[i].found || d->entries[i]->gone)
            continue;
        size_t n = new_head(d, i, at);
        if (n == 0)
            continue;
        d->entries[i]->bytes = (uint32_t)(n + d->changes[i].body.n);
        plan_move(d, i, (struct slice){at, n});
        at += n;
    }
}

static void read_done(struct spool_op *op)
{
    struct queue_dead *d = container_of(op, struct queue_dead, op);
    struct queue *q = d->q;
    d->to = op->ok && !q->service->closing ? queue_dead_target(q) : NULL;
    d->born_ms = queue_now(q);
    if (d->to != NULL)
        plan(d);
    if (d->move.n == 0) {
        hold_back(d);
        end(d);
        return;
    }
    d->seq_noted = queue_seq_note(d->to, &d->seq_note, &d->moves[d->move.n]);
    d->move.n += d->seq_noted;
    d->move.changes = d->moves;
    d->move.done = moved;
    queue_hold(d->to);
    spool_submit(q->service->spool, &d->move);
}

/* ---- collect */

void queue_dead_add(struct queue *q, struct queue_dead **batch, struct queue_entry *e)
{
    struct queue_dead *d = *batch;
    if (d == NULL) {
        d = *batch = mem_alloc(sizeof *d);
        d->q = q;
        q->leaving++;
    }
    e->busy++;
    d->changes[d->n] = (struct spool_change){.kind = SPOOL_READ, .id = spool_id(q->owner, e->seq)};
    d->entries[d->n++] = e;
    if (d->n == QUEUE_BATCH_MAX) {
        queue_dead_send(d);
        *batch = NULL;
    }
}

void queue_dead_send(struct queue_dead *d)
{
    if (d == NULL)
        return;
    d->op.changes = d->changes;
    d->op.n = d->n;
    d->op.done = read_done;
    queue_submit(d->q->service, d->q, &d->op);
}
