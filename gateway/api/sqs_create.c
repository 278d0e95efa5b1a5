/* sqs_create.c - CreateQueue, which succeeds again when nothing would change. */
#include "api/sqs_attributes.h"
#include "api/sqs_ops.h"
#include "api/sqs_tags.h"
#include "api/sqs_turn.h"
#include "base/mem.h"

struct create {
    struct queue_admin op;
    struct sqs_call *call;
};

static void answer(struct sqs_call *c, const struct queue *q)
{
    struct sqs_out out;
    sqs_call_begin(c, &out, 0);
    sqs_out_text(&out, "QueueUrl", sqs_call_url(c, q));
    sqs_call_send(c, &out);
}

/* ---- the request ---- */

static bool name_fits(struct sqs_call *c, struct slice name, bool fifo)
{
    size_t n = fifo ? name.n - 5 : name.n;
    bool ok = n > 0 && name.n <= QUEUE_NAME_MAX && (!fifo || slice_ends(name, ".fifo"));
    for (size_t i = 0; i < n && ok; i++) {
        char ch = name.p[i];
        ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
             ch == '-' || ch == '_';
    }
    if (ok)
        return true;
    return sqs_problem_set(
        &c->problem, SQS_ERROR_VALUE, "%s",
        fifo ? "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
               "underscores, must end with .fifo suffix and be 1 to 80 in length."
             : "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in "
               "length");
}

/* FIFO is who says so. */
static bool read_fifo(struct sqs_call *c, const struct json *attributes, bool *fifo)
{
    struct slice text;
    if (!sqs_in_text(c, attributes, "FifoQueue", &text))
        return false;
    *fifo = slice_is_ci(text, "true");
    return true;
}

static bool read_request(struct sqs_call *c, struct slice *name, const struct json **attributes,
                         bool *fifo)
{
    if (!sqs_in_text(c, c->root, "QueueName", name) ||
        !sqs_in_map(c, c->root, "Attributes", attributes) || !read_fifo(c, *attributes, fifo))
        return false;
    if (name->p == NULL)
        return sqs_problem_set(&c->problem, SQS_ERROR_MISSING,
                               "The request must contain the parameter QueueName.");
    if (name->n == 0)
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE, "Queue name cannot be empty");
    return name_fits(c, *name, *fifo);
}

/* SDKs write tags; a form has become Tags. */
static bool read_tags(struct sqs_call *c, const char *name, struct option_map *tags)
{
    static const struct option_map none;
    const struct json *lower, *upper;
    return sqs_in_map(c, c->root, "tags", &lower) && sqs_in_map(c, c->root, "Tags", &upper) &&
           sqs_tags_merge(c, &none, lower != NULL ? lower : upper, name, tags);
}

/* ---- a queue that is there ---- */

static void compare(struct sqs_call *c, const struct queue *q, const struct json *attributes)
{
    struct queue_settings wanted = *queue_settings(q);
    if (!sqs_attributes_apply(c, attributes, slice_of(queue_name(q)), &wanted)) {
        sqs_call_refuse(c);
        return;
    }
    const char *differs = sqs_attributes_difference(queue_settings(q), &wanted);
    if (differs == NULL)
        answer(c, q);
    else
        sqs_call_fail(c, SQS_ERROR_QUEUE_EXISTS,
                      "A queue already exists with the same name and a different value for "
                      "attribute %s",
                      differs);
}

/* ---- a new one ---- */

static void on_created(struct queue_admin *op)
{
    struct sqs_call *c = container_of(op, struct create, op)->call;
    if (!sqs_call_alive(c))
        return;
    if (op->status == QUEUE_OK)
        answer(c, op->queue);
    else
        sqs_call_status(c, op->status);
}

static void begin(struct sqs_call *c, struct slice name, const struct json *attributes, bool fifo)
{
    struct queue_settings settings;
    struct option_map tags;
    sqs_attributes_defaults(&settings, fifo);
    const char *text = arena_dup(&c->arena, name);
    if (!sqs_attributes_apply(c, attributes, name, &settings) || !read_tags(c, text, &tags)) {
        sqs_call_refuse(c);
        return;
    }
    struct create *k = mem_alloc(sizeof *k);
    k->call = c;
    k->op.done = on_created;
    c->state = k;
    queue_create(c->api->queues, name, &settings, &tags, &k->op);
}

void sqs_create(struct sqs_call *c)
{
    struct slice name;
    const struct json *attributes;
    bool fifo;
    if (!read_request(c, &name, &attributes, &fifo)) {
        sqs_call_refuse(c);
        return;
    }
    if (!sqs_turn_take(c, name))
        return;
    const struct queue *there = queues_find(c->api->queues, name);
    if (there != NULL)
        compare(c, there, attributes);
    else
        begin(c, name, attributes, fifo);
}
