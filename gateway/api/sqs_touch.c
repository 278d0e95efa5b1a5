/* sqs_touch.c - DeleteMessage and ChangeMessageVisibility, and their batches. */
#include "api/sqs_batch.h"
#include "api/sqs_ops.h"
#include "base/mem.h"
#include <stdlib.h>

static const char delete_entry[] = "DeleteMessageBatchRequestEntry";
static const char visibility_entry[] = "ChangeMessageVisibilityBatchRequestEntry";

struct item {
    struct slice id;
    struct sqs_problem problem;
    struct queue_touch_entry *entry; /* NULL: not handed over, problem says why */
};

struct touch {
    struct queue_touch op;
    struct sqs_call *call;
    bool visibility, batch;
    size_t n;
    struct queue_touch_entry entries[QUEUE_BATCH_MAX];
    struct item items[QUEUE_BATCH_MAX];
};

static void drop(void *state)
{
    struct touch *t = state;
    for (size_t i = 0; i < t->n; i++)
        sqs_problem_clear(&t->items[i].problem);
    free(t);
}

static void explain(struct item *i)
{
    const struct queue_touch_entry *e = i->entry;
    switch (e->status) {
    case QUEUE_OK:
        break;
    case QUEUE_HANDLE_INVALID:
        sqs_problem_set(&i->problem, SQS_ERROR_HANDLE,
                        "The input receipt handle \"" SLICE_FMT "\" is not a valid receipt handle.",
                        SLICE_ARG(e->receipt));
        break;
    case QUEUE_NOT_IN_FLIGHT:
    case QUEUE_HANDLE_EXPIRED:
        sqs_problem_set(&i->problem, SQS_ERROR_VALUE,
                        "Value " SLICE_FMT " for parameter ReceiptHandle is invalid. Reason: %s",
                        SLICE_ARG(e->receipt), sqs_call_text_of(e->status));
        break;
    case QUEUE_TOO_LONG:
        sqs_problem_set(&i->problem, SQS_ERROR_VALUE,
                        "Value %lld for parameter VisibilityTimeout is invalid. Reason: %s",
                        (long long)e->visibility_s, sqs_call_text_of(e->status));
        break;
    default:
        sqs_problem_set(&i->problem, sqs_call_error_of(e->status), "%s",
                        sqs_call_text_of(e->status));
    }
}

static void answer_batch(struct touch *t)
{
    struct sqs_out out;
    sqs_call_begin(t->call, &out, t->n * 128);
    sqs_batch_begin(&out, t->visibility ? "ChangeMessageVisibilityBatchResultEntry"
                                        : "DeleteMessageBatchResultEntry");
    for (size_t i = 0; i < t->n; i++) {
        if (t->items[i].problem.text != NULL)
            continue;
        sqs_out_item(&out);
        sqs_out_text(&out, "Id", t->items[i].id);
        sqs_out_item_end(&out);
    }
    sqs_batch_middle(&out);
    for (size_t i = 0; i < t->n; i++)
        if (t->items[i].problem.text != NULL)
            sqs_batch_failed(&out, t->items[i].id, &t->items[i].problem);
    sqs_batch_end(&out);
    sqs_call_send(t->call, &out);
}

static void answer(struct touch *t)
{
    struct sqs_call *c = t->call;
    if (t->batch) {
        answer_batch(t);
    } else if (t->items[0].problem.text != NULL) {
        c->problem = t->items[0].problem;
        t->items[0].problem.text = NULL;
        sqs_call_refuse(c);
    } else {
        sqs_call_done(c);
    }
}

static void on_touched(struct queue_touch *op)
{
    struct touch *t = container_of(op, struct touch, op);
    if (!sqs_call_alive(t->call))
        return;
    for (size_t i = 0; i < t->n; i++) {
        if (t->items[i].entry == NULL)
            continue;
        if (t->items[i].entry->status == QUEUE_GONE) {
            sqs_call_status(t->call, QUEUE_GONE);
            return;
        }
        explain(&t->items[i]);
    }
    answer(t);
}

/* ---- requests ---- */

static bool check_visibility(struct touch *t, struct item *i, size_t index, int64_t seconds)
{
    if (seconds == INT64_MIN && t->batch)
        return sqs_problem_set(&i->problem, SQS_ERROR_MISSING,
                               "The request must contain the parameter %s.%zu.VisibilityTimeout.",
                               visibility_entry, index + 1);
    if (seconds == INT64_MIN)
        return sqs_problem_set(&i->problem, SQS_ERROR_MISSING,
                               "The request must contain the parameter VisibilityTimeout.");
    return (seconds >= 0 && seconds <= QUEUE_VISIBILITY_MAX_S) ||
           sqs_problem_set(&i->problem, SQS_ERROR_VALUE,
                           "Value %lld for parameter VisibilityTimeout is invalid. Reason: %s "
                           "between 0 and 43200.",
                           (long long)seconds,
                           t->batch ? "VisibilityTimeout must be an integer" : "Must be");
}

/* false: the whole request is wrong. */
static bool add(struct touch *t, const struct json *object, struct slice id)
{
    struct item *i = &t->items[t->n];
    struct slice receipt;
    int64_t seconds = INT64_MIN;
    if (!sqs_in_text(t->call, object, "ReceiptHandle", &receipt) ||
        (t->visibility && !sqs_in_int(t->call, object, "VisibilityTimeout", &seconds)))
        return false;
    i->id = id;
    if (slice_trim(receipt).n == 0)
        sqs_problem_set(&i->problem, SQS_ERROR_MISSING,
                        "The request must contain the parameter ReceiptHandle.");
    else if (!t->visibility || check_visibility(t, i, t->n, seconds)) {
        i->entry = &t->entries[t->op.n++];
        *i->entry = (struct queue_touch_entry){.receipt = receipt, .visibility_s = seconds};
    }
    t->n++;
    return true;
}

static struct touch *touch_new(struct sqs_call *c, bool visibility, bool batch)
{
    struct touch *t = mem_alloc(sizeof *t);
    t->call = c;
    t->visibility = visibility;
    t->batch = batch;
    t->op.entries = t->entries;
    t->op.done = on_touched;
    c->state = t;
    c->drop = drop;
    return t;
}

static void hand_over(struct touch *t)
{
    if (t->op.n == 0)
        answer(t);
    else if (t->visibility)
        queue_change_visibility(t->call->queue, &t->op);
    else
        queue_delete_messages(t->call->queue, &t->op);
}

static void touch_one(struct sqs_call *c, bool visibility)
{
    struct touch *t = touch_new(c, visibility, false);
    if (add(t, c->root, SLICE_NONE))
        hand_over(t);
    else
        sqs_call_refuse(c);
}

static void touch_batch(struct sqs_call *c, bool visibility)
{
    struct sqs_batch batch;
    struct touch *t = touch_new(c, visibility, true);
    bool ok = sqs_batch_read(c, visibility ? visibility_entry : delete_entry, &batch);
    for (size_t i = 0; ok && i < batch.n; i++)
        ok = add(t, batch.entries[i], batch.ids[i]);
    if (ok)
        hand_over(t);
    else
        sqs_call_refuse(c);
}

void sqs_touch_delete(struct sqs_call *c)
{
    touch_one(c, false);
}

void sqs_touch_delete_batch(struct sqs_call *c)
{
    touch_batch(c, false);
}

void sqs_touch_visibility(struct sqs_call *c)
{
    touch_one(c, true);
}

void sqs_touch_visibility_batch(struct sqs_call *c)
{
    touch_batch(c, true);
}
