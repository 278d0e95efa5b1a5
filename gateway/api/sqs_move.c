/* sqs_move.c - message move tasks: from a dead-letter queue back, or elsewhere. */
#include "api/sqs_address.h"
#include "api/sqs_in.h"
#include "api/sqs_ops.h"
#include <string.h>

enum { RATE_MAX = 500, RESULTS_MAX = 10 };

static const char *const states[] = {[QUEUE_MOVE_RUNNING] = "RUNNING",
                                     [QUEUE_MOVE_COMPLETED] = "COMPLETED",
                                     [QUEUE_MOVE_CANCELLING] = "CANCELLING",
                                     [QUEUE_MOVE_CANCELLED] = "CANCELLED",
                                     [QUEUE_MOVE_FAILED] = "FAILED"};

static bool wrong(struct sqs_call *c, const char *why)
{
    return sqs_problem_set(&c->problem, SQS_ERROR_VALUE, "%s", why);
}

/* The queue of an ARN that is in member. */
static bool find_queue(struct sqs_call *c, struct slice arn, const char *member, struct queue **q)
{
    if (!sqs_address_is_arn(arn))
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                               "You must use this format to specify the %s: "
                               "arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
                               member);
    *q = queues_find_arn(c->api->queues, arn);
    return *q != NULL ||
           sqs_problem_set(&c->problem, SQS_ERROR_RESOURCE,
                           "The resource that you specified for the %s parameter doesn't exist.",
                           member);
}

static bool read_source(struct sqs_call *c, struct queue **source)
{
    struct slice arn;
    if (!sqs_in_text(c, c->root, "SourceArn", &arn))
        return false;
    if (arn.p == NULL)
        return sqs_problem_set(&c->problem, SQS_ERROR_MISSING,
                               "The request must contain the parameter SourceArn.");
    return find_queue(c, arn, "SourceArn", source);
}

/* ---- StartMessageMoveTask ---- */

static bool is_dead_letter_queue(struct sqs_call *c, const struct queue *q)
{
    for (struct queue *at = NULL; (at = queues_next(c->api->queues, at, SLICE_NONE)) != NULL;) {
        const char *dead = queue_settings(at)->dead_arn;
        if (dead != NULL && strcmp(dead, queue_arn(q)) == 0)
            return true;
    }
    return wrong(c, "Source queue must be configured as a Dead Letter Queue.");
}

static bool read_destination(struct sqs_call *c, const struct queue *source,
                             struct queue **destination)
{
    struct slice arn;
    *destination = NULL;
    if (!sqs_in_text(c, c->root, "DestinationArn", &arn))
        return false;
    if (arn.p == NULL)
        return true;
    if (!find_queue(c, arn, "DestinationArn", destination))
        return false;
    if (*destination == source)
        return wrong(c, "Source queue arn and destination queue arn cannot be the same.");
    return queue_settings(*destination)->fifo == queue_settings(source)->fifo ||
           wrong(c, "The source queue and destination queue must be of the same queue type.");
}

static bool read_rate(struct sqs_call *c, int64_t *rate)
{
    int64_t given = INT64_MIN;
    *rate = 0;
    if (!sqs_in_int(c, c->root, "MaxNumberOfMessagesPerSecond", &given))
        return false;
    if (given == INT64_MIN)
        return true;
    *rate = given;
    return (given >= 1 && given <= RATE_MAX) ||
           wrong(c, "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must "
                    "enter a number that's between 1 and 500.");
}

void sqs_move_start(struct sqs_call *c)
{
    struct queue *source, *destination;
    struct sqs_out out;
    int64_t rate;
    char handle[64];
    if (!read_source(c, &source) || !is_dead_letter_queue(c, source) ||
        !read_destination(c, source, &destination) || !read_rate(c, &rate)) {
        sqs_call_refuse(c);
        return;
    }
    enum queue_status status = queue_move_start(source, destination, rate, handle);
    if (status != QUEUE_OK) {
        sqs_call_status(c, status);
        return;
    }
    sqs_call_begin(c, &out, 0);
    sqs_out_cstr(&out, "TaskHandle", handle);
    sqs_call_send(c, &out);
}

/* ---- CancelMessageMoveTask ---- */

void sqs_move_cancel(struct sqs_call *c)
{
    struct slice handle;
    struct sqs_out out;
    uint64_t moved = 0;
    bool ok = sqs_in_need(c, c->root, "TaskHandle", &handle);
    if (ok && handle.n >= sizeof((struct queue_move *)NULL)->handle)
        ok = wrong(c, "Value for parameter TaskHandle is invalid.");
    if (ok && !queue_move_cancel(c->api->queues, handle, &moved))
        ok = sqs_problem_set(&c->problem, SQS_ERROR_RESOURCE, "Task does not exist.");
    if (!ok) {
        sqs_call_refuse(c);
        return;
    }
    sqs_call_begin(c, &out, 0);
    sqs_out_i64(&out, "ApproximateNumberOfMessagesMoved", (int64_t)moved);
    sqs_call_send(c, &out);
}

/* ---- ListMessageMoveTasks ---- */

static void write_task(struct sqs_out *o, const struct queue_move *m)
{
    sqs_out_item(o);
    if (m->state == QUEUE_MOVE_RUNNING)
        sqs_out_cstr(o, "TaskHandle", m->handle);
    sqs_out_cstr(o, "Status", states[m->state]);
    sqs_out_cstr(o, "SourceArn", m->source_arn);
    if (m->destination_arn != NULL)
        sqs_out_cstr(o, "DestinationArn", m->destination_arn);
    if (m->rate > 0)
        sqs_out_i64(o, "MaxNumberOfMessagesPerSecond", m->rate);
    sqs_out_i64(o, "ApproximateNumberOfMessagesMoved", (int64_t)m->moved);
    sqs_out_i64(o, "ApproximateNumberOfMessagesToMove", (int64_t)m->to_move);
    if (m->failure != NULL)
        sqs_out_cstr(o, "FailureReason", m->failure);
    sqs_out_i64(o, "StartedTimestamp", m->started_ms);
    sqs_out_item_end(o);
}

void sqs_move_list(struct sqs_call *c)
{
    const struct queue_move *tasks[RESULTS_MAX];
    struct queue *source;
    struct sqs_out out;
    int64_t max = 1;
    bool ok = read_source(c, &source) && sqs_in_int(c, c->root, "MaxResults", &max);
    if (ok && (max < 1 || max > RESULTS_MAX))
        ok = wrong(c, "Value for parameter MaxResults is invalid. Reason: You must enter a number "
                      "that's between 1 and 10.");
    if (!ok) {
        sqs_call_refuse(c);
        return;
    }
    size_t n = queue_moves(source, tasks, (size_t)max);
    sqs_call_begin(c, &out, n * 512);
    sqs_out_list(&out, "Results", "ListMessageMoveTasksResultEntry");
    for (size_t i = 0; i < n; i++)
        write_task(&out, tasks[i]);
    sqs_out_list_end(&out);
    sqs_call_send(c, &out);
}
