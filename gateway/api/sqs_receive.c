/* sqs_receive.c - ReceiveMessage with its long polls, and peek. */
#include "api/sqs_ops.h"
#include "api/sqs_post.h"
#include "api/sqs_select.h"
#include "base/mem.h"

enum { WAIT_MAX_S = 20, MESSAGE_BYTES = 1024 /* of an answer, next to the body */ };

struct receive {
    struct queue_receive op;
    struct sqs_call *call;
    struct sqs_select select;
};

/* ---- the answer ---- */

static void write_message(const struct receive *r, struct sqs_out *o, const struct queue_message *m)
{
    sqs_out_item(o);
    sqs_out_cstr(o, "MessageId", m->id);
    if (m->receipt[0] != '\0')
        sqs_out_cstr(o, "ReceiptHandle", m->receipt);
    sqs_out_text(o, "MD5OfBody", m->md5_body);
    sqs_out_text(o, "Body", m->body);
    sqs_select_write_system(&r->select, o, m);
    sqs_select_write_typed(&r->select, o, m);
    sqs_out_item_end(o);
}

static void answer(struct receive *r, const struct queue_message *messages, size_t n)
{
    struct sqs_out out;
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += messages[i].body.n + messages[i].body.n / 8 + MESSAGE_BYTES;
    sqs_call_begin(r->call, &out, bytes);
    if (n > 0) {
        sqs_out_list(&out, "Messages", "Message");
        for (size_t i = 0; i < n; i++)
            write_message(r, &out, &messages[i]);
        sqs_out_list_end(&out);
    }
    sqs_call_send(r->call, &out);
}

static void on_received(struct queue_receive *op)
{
    struct receive *r = container_of(op, struct receive, op);
    if (!sqs_call_alive(r->call))
        return;
    if (op->status != QUEUE_OK)
        sqs_call_status(r->call, op->status);
    else
        answer(r, op->messages, op->n);
}

static bool is_alive(struct queue_receive *op)
{
    const struct receive *r = container_of(op, struct receive, op);
    return r->call->api != NULL && http_request_alive(r->call->req);
}

static void hurry(struct sqs_call *c)
{
    struct receive *r = c->state;
    queue_receive_cancel(&r->op);
    answer(r, NULL, 0);
}

/* ---- the request ---- */

static bool read_number(struct sqs_call *c, const char *name, int64_t least, int64_t most,
                        const char *rule, int64_t *value)
{
    int64_t n = INT64_MIN;
    if (!sqs_in_int(c, c->root, name, &n))
        return false;
    if (n == INT64_MIN)
        return true;
    *value = n;
    return (n >= least && n <= most) ||
           sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                           "Value %lld for parameter %s is invalid. Reason: Must be %s, if "
                           "provided.",
                           (long long)n, name, rule);
}

static bool read_attempt(struct sqs_call *c, struct slice *id)
{
    if (!sqs_in_text(c, c->root, "ReceiveRequestAttemptId", id))
        return false;
    if (id->n == 0) {
        *id = SLICE_NONE;
        return true;
    }
    if (!queue_settings(c->queue)->fifo)
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                               "Value " SLICE_FMT
                               " for parameter ReceiveRequestAttemptId is invalid. Reason: The "
                               "request include parameter that is not valid for this queue type.",
                               SLICE_ARG(*id));
    return sqs_post_is_id(*id) ||
           sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                           "Value " SLICE_FMT
                           " for parameter ReceiveRequestAttemptId is invalid. Reason: "
                           "ReceiveRequestAttemptId can only include alphanumeric and punctuation "
                           "characters. 1 to 128 in length.",
                           SLICE_ARG(*id));
}

static bool read_request(struct receive *r)
{
    struct sqs_call *c = r->call;
    int64_t max = 1, wait_s = queue_settings(c->queue)->wait_s;
    r->op.visibility_s = -1;
    if (!read_number(c, "MaxNumberOfMessages", 1, QUEUE_BATCH_MAX, "between 1 and 10", &max) ||
        !read_number(c, "WaitTimeSeconds", 0, WAIT_MAX_S, ">= 0 and <= 20", &wait_s) ||
        !read_number(c, "VisibilityTimeout", 0, QUEUE_VISIBILITY_MAX_S, ">= 0 and <= 43200",
                     &r->op.visibility_s))
        return false;
    r->op.max = (size_t)max;
    r->op.wait_ms = c->api->stopping ? 0 : wait_s * 1000;
    return read_attempt(c, &r->op.attempt_id) && sqs_select_read(c, &r->select);
}

static struct receive *receive_new(struct sqs_call *c)
{
    struct receive *r = mem_alloc(sizeof *r);
    r->call = c;
    r->op.alive = is_alive;
    r->op.done = on_received;
    c->state = r;
    return r;
}

/* Thousands may wait: only what the answer needs is kept. */
static void slim(struct receive *r)
{
    if (r->select.typed != NULL || r->op.attempt_id.n > 0)
        return;
    json_free(r->call->root);
    r->call->root = NULL;
}

void sqs_receive(struct sqs_call *c)
{
    struct receive *r = receive_new(c);
    if (!read_request(r)) {
        sqs_call_refuse(c);
        return;
    }
    slim(r);
    if (r->op.wait_ms > 0)
        c->hurry = hurry;
    queue_receive(c->queue, &r->op);
}

void sqs_receive_peek(struct sqs_call *c)
{
    struct receive *r = receive_new(c);
    struct buf text;
    int64_t max = QUEUE_BATCH_MAX;
    buf_init(&text, 16);
    bool given = http_query_get(c->req->query, "max", &text);
    bool ok = !given || (slice_int(buf_slice(&text), &max) && max >= 1 && max <= QUEUE_BATCH_MAX);
    buf_free(&text);
    if (!ok) {
        sqs_call_fail(c, SQS_ERROR_VALUE, "max must be between 1 and %d.", QUEUE_BATCH_MAX);
        return;
    }
    r->op.max = (size_t)max;
    r->op.visibility_s = -1;
    r->op.attempt_id = SLICE_NONE;
    r->select = (struct sqs_select){.system = (unsigned)SQS_SELECT_ALL, .typed_all = true};
    queue_peek(c->queue, &r->op);
}
