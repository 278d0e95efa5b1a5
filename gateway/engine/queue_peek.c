/* queue_peek.c - rows as messages, and looking at them without receiving. */
#include "base/log.h"
#include "base/mem.h"
#include "engine/queue_head.h"
#include "engine/queue_index.h"
#include "engine/queue_receive.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

bool queue_message_read(const struct queue *q, const struct spool_change *c,
                        struct queue_message *m)
{
    struct queue_head h;
    if (!queue_head_read(c->head, &h)) {
        struct log_scope scope = {"queue", q->name};
        log_error(&scope, "row %llx is not a message of a queue: left alone",
                  (unsigned long long)c->id);
        return false;
    }
    *m = (struct queue_message){
        .body = c->body,
        .attributes = h.fields[QUEUE_HEAD_ATTRIBUTES],
        .trace = h.fields[QUEUE_HEAD_TRACE],
        .group = h.fields[QUEUE_HEAD_GROUP],
        .dedup_id = h.fields[QUEUE_HEAD_DEDUP_ID],
        .md5_body = h.fields[QUEUE_HEAD_MD5_BODY],
        .md5_attributes = h.fields[QUEUE_HEAD_MD5_ATTRIBUTES],
        .sender = h.fields[QUEUE_HEAD_SENDER],
        .dead_source = h.fields[QUEUE_HEAD_DEAD_SOURCE],
        .sent_ms = h.sent_ms,
        .first_ms = c->first_ms,
        .receives = c->takes,
    };
    m->sequence = queue_sequence(q, c->id & ((UINT64_C(1) << SPOOL_SEQUENCE_BITS) - 1));
    (void)snprintf(m->id, sizeof m->id, SLICE_FMT, SLICE_ARG(h.fields[QUEUE_HEAD_ID]));
    return true;
}

/* ---- peek */

struct peek {
    struct spool_op op;
    struct queue_later later;
    struct queue *q;
    struct queue_receive *r;
    struct queue_glance at[QUEUE_BATCH_MAX];
    struct spool_change changes[QUEUE_BATCH_MAX];
    struct queue_message messages[QUEUE_BATCH_MAX];
};

static void peek_empty(struct queue_later *l)
{
    struct peek *p = container_of(l, struct peek, later);
    struct queue_receive *r = p->r;
    free(p);
    r->done(r);
}

static void peeked(struct spool_op *op)
{
    struct peek *p = container_of(op, struct peek, op);
    struct queue_receive *r = p->r;
    struct queue *q = p->q;
    for (size_t i = 0; op->ok && i < op->n; i++) {
        struct spool_change *c = &p->changes[i];
        c->takes = p->at[i].takes;
        c->first_ms = p->at[i].first_ms;
        if (c->found && queue_message_read(q, c, &p->messages[r->n]))
            r->n++;
    }
    r->status = queue_status_of(op);
    r->messages = p->messages;
    r->done(r);
    struct queues *s = q->service;
    spool_op_clear(op);
    free(p);
    queue_settled(s, q);
}

void queue_peek(struct queue *q, struct queue_receive *r)
{
    assert(r->max >= 1 && r->max <= QUEUE_BATCH_MAX);
    struct peek *p = mem_alloc(sizeof *p);
    p->q = q;
    p->r = r;
    r->impl = NULL;
    r->n = 0;
    r->messages = NULL;
    r->status = q->live ? QUEUE_OK : QUEUE_GONE;
    size_t n = q->live ? queue_index_glance(q, p->at, r->max) : 0;
    if (n == 0) {
        queue_later(q->service, &p->later, peek_empty);
        return;
    }
    for (size_t i = 0; i < n; i++)
        p->changes[i] =
            (struct spool_change){.kind = SPOOL_READ, .id = spool_id(q->owner, p->at[i].seq)};
    p->op = (struct spool_op){.changes = p->changes, .n = n, .done = peeked};
    queue_submit(q->service, q, &p->op);
}
