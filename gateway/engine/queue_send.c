/* queue_send.c - new messages: numbers, heads, deduplication, one operation of the spool. */
#include "base/digest.h"
#include "base/mem.h"
#include "engine/queue_head.h"
#include "engine/queue_index.h"
#include "engine/queue_receipt.h"
#include "engine/queue_state.h"
#include "engine/queue_sweep.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TWEAK_GROUP = 5, NOTE_HEAD = 8, NOTE_RECORD = 24 };

enum part_kind {
    PART_PUT,      /* a new row */
    PART_KNOWN,    /* its twin is on disk */
    PART_SAME,     /* its twin is in this operation */
    PART_UNDER_WAY /* its twin is in an earlier operation: we line up behind it */
};

struct part {
    enum part_kind kind;
    uint64_t seq, hash[2];
    int64_t delay_ms;
    size_t change;
    char content[SHA256_LEN * 2 + 1]; /* the deduplication id, when it comes from the body */
};

struct send_job {
    struct spool_op op;
    struct queue_later later;
    struct queue *q;
    struct queue_send *send;
    int64_t now_ms;
    size_t n_put;
    bool seq_noted;
    struct queue_seq_note seq_note;
    char note_name[48], note_body[NOTE_HEAD + NOTE_RECORD * QUEUE_BATCH_MAX];
    struct part *parts;
    struct spool_change *changes; /* a place for each part, and two notes */
    char *heads;
};

static void set_all(struct queue_send *send, enum queue_status status)
{
    for (size_t i = 0; i < send->n; i++)
        send->entries[i].status = status;
}

static void finish(struct send_job *job)
{
    struct queue_send *send = job->send;
    free(job->heads);
    free(job);
    send->done(send);
}

static void run_later(struct queue_later *l)
{
    finish(container_of(l, struct send_job, later));
}

/* ---- decide: what is new, what is a duplicate */

static void dedup_key(struct send_job *job, const struct queue_send_entry *e, struct part *part)
{
    const struct queue *q = job->q;
    const uint64_t *secret = q->service->secret;
    struct slice id = e->dedup_id;
    if (id.n == 0) {
        uint8_t hash[SHA256_LEN];
        digest_sha256(e->body, hash);
        digest_hex(hash, sizeof hash, part->content);
        id = slice_of(part->content);
    }
    struct slice group = q->settings.dedup_per_group ? e->group : SLICE_NONE;
    for (unsigned k = 0; k < 2; k++) {
        uint64_t scope = queue_receipt_hash(secret, TWEAK_GROUP + k, group.p, group.n);
        part->hash[k] = queue_receipt_hash(secret, scope, id.p, id.n);
    }
}

static void decide_fifo(struct send_job *job, const struct queue_send_entry *e, struct part *part,
                        uint64_t mine_from)
{
    struct queue_dedup *d = &job->q->dedup;
    dedup_key(job, e, part);
    const struct queue_dedup_record *twin = queue_dedup_find(d, part->hash, job->now_ms);
    if (twin == NULL) {
        part->seq = queue_seq_next(job->q);
        queue_dedup_add(d, part->hash, part->seq, job->now_ms)->noted = job->n_put == 0;
        return;
    }
    part->seq = twin->seq;
    part->kind = PART_KNOWN;
    if (twin->pending)
        part->kind = twin->seq >= mine_from ? PART_SAME : PART_UNDER_WAY;
}

static uint64_t first_put(const struct send_job *job)
{
    for (size_t i = 0; i < job->send->n; i++)
        if (job->parts[i].kind == PART_PUT)
            return job->parts[i].seq;
    return 0;
}

static void decide(struct send_job *job)
{
    struct queue *q = job->q;
    uint64_t mine_from = q->next_seq;
    for (size_t i = 0; i < job->send->n; i++) {
        struct queue_send_entry *e = &job->send->entries[i];
        struct part *part = &job->parts[i];
        if (q->settings.fifo)
            decide_fifo(job, e, part, mine_from);
        else
            part->seq = queue_seq_next(q);
        job->n_put += part->kind == PART_PUT;
        int64_t delay_s = e->delay_s >= 0 && !q->settings.fifo ? e->delay_s : q->settings.delay_s;
        part->delay_ms = delay_s * 1000;
        queue_receipt_message_id(q->service->secret, spool_id(q->owner, part->seq), e->id);
        e->sequence = queue_sequence(q, part->seq);
    }
}

/* ---- do: rows and notes */

static struct queue_head head_of(const struct send_job *job, size_t i)
{
    const struct queue_send_entry *e = &job->send->entries[i];
    const struct part *part = &job->parts[i];
    struct queue_head h = {.sent_ms = queue_wall(job->q->service, job->now_ms)};
    h.fields[QUEUE_HEAD_ID] = slice_of(e->id);
    h.fields[QUEUE_HEAD_MD5_BODY] = e->md5_body;
    h.fields[QUEUE_HEAD_MD5_ATTRIBUTES] = e->md5_attributes;
    h.fields[QUEUE_HEAD_SENDER] = e->sender;
    h.fields[QUEUE_HEAD_GROUP] = e->group;
    h.fields[QUEUE_HEAD_DEDUP_ID] = e->dedup_id.n > 0 ? e->dedup_id : slice_of(part->content);
    h.fields[QUEUE_HEAD_TRACE] = e->trace;
    h.fields[QUEUE_HEAD_ATTRIBUTES] = e->attributes;
    return h;
}

static void put_row(struct send_job *job, size_t i, char *head)
{
    const struct queue *q = job->q;
    const struct queue_send_entry *e = &job->send->entries[i];
    struct part *part = &job->parts[i];
    struct queue_head h = head_of(job, i);
    bool delayed = part->delay_ms > 0 && !q->settings.fifo;
    part->change = job->op.n;
    job->changes[job->op.n++] = (struct spool_change){
        .kind = SPOOL_PUT,
        .id = spool_id(q->owner, part->seq),
        .born_ms = h.sent_ms,
        .due_ms = delayed ? h.sent_ms + part->delay_ms : 0,
        .key = q->settings.fifo ? e->group : SLICE_NONE,
        .head = {head, queue_head_write(&h, head)},
        .body = e->body,
    };
}

static void note_dedup(struct send_job *job)
{
    const struct queue *q = job->q;
    int64_t wall_ms = queue_wall(q->service, job->now_ms);
    char *at = job->note_body + NOTE_HEAD;
    memcpy(job->note_body, &wall_ms, NOTE_HEAD);
    for (size_t i = 0; i < job->send->n; i++) {
        const struct part *part = &job->parts[i];
        if (part->kind != PART_PUT)
            continue;
        memcpy(at, part->hash, 16);
        memcpy(at + 16, &part->seq, 8);
        at += NOTE_RECORD;
    }
    queue_forget_name(q->owner, first_put(job), job->note_name);
    job->changes[job->op.n++] = (struct spool_change){
        .kind = SPOOL_NOTE,
        .head = slice_of(job->note_name),
        .body = {job->note_body, (size_t)(at - job->note_body)},
    };
}

static void fill(struct send_job *job)
{
    size_t bytes = 0;
    for (size_t i = 0; i < job->send->n; i++) {
        struct queue_head h = head_of(job, i);
        bytes += queue_head_size(&h);
    }
    job->heads = mem_alloc_raw(bytes);
    char *head = job->heads;
    for (size_t i = 0; i < job->send->n; i++) {
        struct part *part = &job->parts[i];
        if (part->kind == PART_PUT) {
            put_row(job, i, head);
            head += job->changes[part->change].head.n;
        } else if (part->kind == PART_UNDER_WAY) {
            part->change = job->op.n;
            job->changes[job->op.n++] =
                (struct spool_change){.kind = SPOOL_READ, .id = spool_id(job->q->owner, part->seq)};
        }
    }
    if (job->n_put > 0 && job->q->settings.fifo)
        note_dedup(job);
    if (job->n_put > 0)
        job->seq_noted = queue_seq_note(job->q, &job->seq_note, &job->changes[job->op.n]);
    job->op.n += job->seq_noted;
}

/* ---- tell */

static enum queue_status part_status(const struct send_job *job, const struct part *part)
{
    if (part->kind == PART_KNOWN)
        return QUEUE_OK;
    if (!job->op.ok)
        return queue_status_of(&job->op);
    if (part->kind != PART_UNDER_WAY || job->changes[part->change].found)
        return QUEUE_OK;
    /* Its twin was told before us: received and deleted since, or it failed and nobody remembers
     * it. */
    const struct queue_dedup_record *twin =
        queue_dedup_find(&job->q->dedup, part->hash, queue_now(job->q));
    return twin == NULL || twin->seq != part->seq ? QUEUE_BROKEN : QUEUE_OK;
}

static void put_done(struct send_job *job, size_t i)
{
    struct queue *q = job->q;
    const struct part *part = &job->parts[i];
    if (q->settings.fifo) {
        queue_dedup_end(&q->dedup, part->hash, part->seq, job->op.ok);
        queue_sweep_wake(q);
    }
    q->sent += job->op.ok;
    if (!job->op.ok || part->seq < q->wiped_below)
        return;
    const struct spool_change *c = &job->changes[part->change];
    q->bytes += c->key.n + c->head.n + c->body.n;
    queue_index_add(q, part->seq, job->now_ms, part->delay_ms, job->send->entries[i].group);
}

static void sent(struct spool_op *op)
{
    struct send_job *job = container_of(op, struct send_job, op);
    struct queue *q = job->q;
    if (job->seq_noted)
        queue_seq_noted(q, &job->seq_note, op->ok);
    for (size_t i = 0; i < job->send->n; i++) {
        if (job->parts[i].kind == PART_PUT)
            put_done(job, i);
        job->send->entries[i].status = part_status(job, &job->parts[i]);
    }
    spool_op_clear(op);
    struct queues *s = q->service;
    finish(job);
    queue_settled(s, q);
}

static struct send_job *new_job(struct queue *q, struct queue_send *send)
{
    size_t parts = send->n * sizeof(struct part);
    size_t changes = (send->n + 2) * sizeof(struct spool_change);
    struct send_job *job = mem_alloc(sizeof *job + changes + parts);
    job->changes = (struct spool_change *)(void *)(job + 1);
    job->parts = (struct part *)(void *)(job->changes + send->n + 2);
    job->q = q;
    job->send = send;
    job->now_ms = queue_now(q);
    return job;
}

void queue_send(struct queue *q, struct queue_send *send)
{
    assert(send->n >= 1 && send->n <= QUEUE_BATCH_MAX);
    struct send_job *job = new_job(q, send);
    if (!q->live) {
        set_all(send, QUEUE_GONE);
        queue_later(q->service, &job->later, run_later);
        return;
    }
    decide(job);
    fill(job);
    if (job->op.n == 0) {
        set_all(send, QUEUE_OK);
        queue_later(q->service, &job->later, run_later);
        return;
    }
    job->op.changes = job->changes;
    job->op.done = sent;
    queue_submit(q->service, q, &job->op);
}
