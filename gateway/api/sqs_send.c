/* sqs_send.c - SendMessage and SendMessageBatch. */
#include "api/sqs_batch.h"
#include "api/sqs_ops.h"
#include "api/sqs_post.h"
#include "base/mem.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char entry_name[] = "SendMessageBatchRequestEntry";

struct item {
    struct slice id; /* of a batch's entry */
    struct sqs_post post;
    struct queue_send_entry *entry; /* NULL: never sent, post.problem says why */
};

struct send {
    struct queue_send op;
    struct sqs_call *call;
    size_t n;
    struct queue_send_entry *entries; /* op.n of them, behind the items */
    struct item items[];
};

static void drop(void *state)
{
    struct send *s = state;
    for (size_t i = 0; i < s->n; i++)
        sqs_problem_clear(&s->items[i].post.problem);
    free(s);
}

static struct send *send_new(struct sqs_call *c, size_t n, void (*done)(struct queue_send *))
{
    struct send *s =
        mem_alloc(sizeof *s + n * sizeof *s->items + n * sizeof(struct queue_send_entry));
    s->call = c;
    s->n = n;
    s->entries = (struct queue_send_entry *)(void *)&s->items[n];
    s->op.entries = s->entries;
    s->op.done = done;
    c->state = s;
    c->drop = drop;
    return s;
}

static void hand_over(struct send *s, struct item *i)
{
    i->entry = &s->entries[s->op.n++];
    sqs_post_fill(s->call, &i->post, i->entry);
}

static void write_sent(struct sqs_out *o, const struct item *i)
{
    const struct sqs_post *p = &i->post;
    sqs_out_cstr(o, "MessageId", i->entry->id);
    sqs_out_text(o, "MD5OfMessageBody", (struct slice){p->md5_body, 32});
    if (p->md5_attributes[0] != '\0')
        sqs_out_cstr(o, "MD5OfMessageAttributes", p->md5_attributes);
    if (p->md5_system[0] != '\0')
        sqs_out_cstr(o, "MD5OfMessageSystemAttributes", p->md5_system);
    if (i->entry->sequence != 0) {
        char text[24];
        snprintf(text, sizeof text, "%020" PRIu64, i->entry->sequence);
        sqs_out_cstr(o, "SequenceNumber", text);
    }
}

/* ---- one ---- */

static void on_sent(struct queue_send *op)
{
    struct send *s = container_of(op, struct send, op);
    struct sqs_call *c = s->call;
    struct sqs_out out;
    if (!sqs_call_alive(c))
        return;
    if (s->entries[0].status != QUEUE_OK) {
        sqs_call_status(c, s->entries[0].status);
        return;
    }
    sqs_call_begin(c, &out, 0);
    write_sent(&out, &s->items[0]);
    sqs_call_send(c, &out);
}

void sqs_send_one(struct sqs_call *c)
{
    struct send *s = send_new(c, 1, on_sent);
    struct sqs_post *p = &s->items[0].post;
    if (!sqs_post_read(c, c->root, p)) {
        sqs_call_refuse(c);
        return;
    }
    if (!sqs_post_check(c, p, queue_settings(c->queue), "MessageBody")) {
        c->problem = p->problem;
        p->problem.text = NULL;
        sqs_call_refuse(c);
        return;
    }
    hand_over(s, &s->items[0]);
    queue_send(c->queue, &s->op);
}

/* ---- a batch ---- */

static void answer_batch(struct send *s)
{
    struct sqs_out out;
    struct sqs_call *c = s->call;
    sqs_call_begin(c, &out, s->n * 256);
    sqs_batch_begin(&out, "SendMessageBatchResultEntry");
    for (size_t i = 0; i < s->n; i++) {
        if (s->items[i].post.problem.text != NULL)
            continue;
        sqs_out_item(&out);
        sqs_out_text(&out, "Id", s->items[i].id);
        write_sent(&out, &s->items[i]);
        sqs_out_item_end(&out);
    }
    sqs_batch_middle(&out);
    for (size_t i = 0; i < s->n; i++)
        if (s->items[i].post.problem.text != NULL)
            sqs_batch_failed(&out, s->items[i].id, &s->items[i].post.problem);
    sqs_batch_end(&out);
    sqs_call_send(c, &out);
}

static void on_batch_sent(struct queue_send *op)
{
    struct send *s = container_of(op, struct send, op);
    if (!sqs_call_alive(s->call))
        return;
    for (size_t i = 0; i < s->n; i++) {
        const struct queue_send_entry *e = s->items[i].entry;
        if (e != NULL && e->status == QUEUE_GONE) {
            sqs_call_status(s->call, QUEUE_GONE);
            return;
        }
        if (e != NULL && e->status != QUEUE_OK)
            sqs_problem_set(&s->items[i].post.problem, sqs_call_error_of(e->status), "%s",
                            sqs_call_text_of(e->status));
    }
    answer_batch(s);
}

/* What fails the whole batch. */
static bool read_batch(struct send *s, const struct sqs_batch *b)
{
    struct sqs_call *c = s->call;
    const struct queue_settings *settings = queue_settings(c->queue);
    size_t bytes = 0;
    for (size_t i = 0; i < b->n; i++) {
        struct sqs_post *p = &s->items[i].post;
        s->items[i].id = b->ids[i];
        if (!sqs_post_read(c, b->entries[i], p))
            return false;
        if (!sqs_post_check_fifo(p, settings, SQS_ERROR_VALUE)) {
            c->problem = p->problem;
            p->problem.text = NULL;
            return false;
        }
        bytes += p->bytes;
    }
    return bytes <= QUEUE_BODY_MAX ||
           sqs_problem_set(&c->problem, SQS_ERROR_BATCH_BYTES,
                           "Batch requests cannot be longer than %d bytes. You have sent %zu "
                           "bytes.",
                           QUEUE_BODY_MAX, bytes);
}

void sqs_send_batch(struct sqs_call *c)
{
    struct sqs_batch batch;
    if (!sqs_batch_read(c, entry_name, &batch)) {
        sqs_call_refuse(c);
        return;
    }
    struct send *s = send_new(c, batch.n, on_batch_sent);
    if (!read_batch(s, &batch)) {
        sqs_call_refuse(c);
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        char body_name[64];
        snprintf(body_name, sizeof body_name, "%s.%zu.MessageBody", entry_name, i + 1);
        if (sqs_post_check(c, &s->items[i].post, queue_settings(c->queue), body_name))
            hand_over(s, &s->items[i]);
    }
    if (s->op.n > 0)
        queue_send(c->queue, &s->op);
    else
        answer_batch(s);
}
