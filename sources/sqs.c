/* sqs.c - the SQS event source: its options, and the life of a mapping's source. */
#include "base/mem.h"
#include "base/rand.h"
#include "sources/sqs_impl.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct sqs_timing sqs_timing_default = {
    .second_ms = 1000,
    .wait_s = 20,
    .request_ms = 10 * 1000,
    .backoff_ms = 100,
    .backoff_cap_ms = 20 * 1000,
    .recheck_ms = 1000,
    .recheck_cap_ms = 30 * 1000,
    .refresh_ms = 60 * 1000,
    .stop_ms = 250,
    .margin_s = 5,
};

static const char *const response_types[] = {"ReportBatchItemFailures", NULL};

static const struct option options[] = {
    OPT_STRING(struct sqs, queue, "Queue", NULL, OPTION_REQUIRED, "ARN of the queue."),
    OPT_INT(struct sqs, source.settings.batch_size, "BatchSize", "10", 1, 10000, 0,
            "Most messages in one event; FIFO queues: 10, above 10 a window is needed."),
    OPT_INT(struct sqs, source.settings.window_s, "MaximumBatchingWindowInSeconds", "0", 0, 300, 0,
            "How long messages may wait for a fuller event; not for FIFO queues."),
    OPT_BOOL(struct sqs, source.settings.enabled, "Enabled", "true", 0,
             "false: the queue is not polled."),
    OPT_FILTERS(struct sqs, source.settings.filters, "FilterCriteria", CRITERIA_FILTERS_MAX, 0,
                "Which messages reach the function: those that match any Pattern, an event pattern "
                "on the record, with `body` as parsed JSON; the others are deleted."),
    OPT_LIST(struct sqs, source.settings.response_types, "FunctionResponseTypes", response_types, 0,
             "ReportBatchItemFailures: the function names the messages that failed."),
    OPT_INT(struct sqs, source.settings.max_concurrency, "ScalingConfig.MaximumConcurrency", NULL,
            2, 1000, OPTION_UNSET, "Most events of this mapping in the function at once."),
    OPT_INT(struct sqs, min_pollers, "ProvisionedPollerConfig.MinimumPollers", NULL, 2, 200,
            OPTION_UNSET, "Long polls kept open as long as there is room for their messages."),
    OPT_INT(struct sqs, max_pollers, "ProvisionedPollerConfig.MaximumPollers", NULL, 2, 2000,
            OPTION_UNSET, "Most long polls open at once; more than 200 are never opened."),
    OPT_END,
};

/* ---- check ---- */

static bool name_valid(struct slice name)
{
    if (slice_ends(name, ".fifo"))
        name.n -= strlen(".fifo");
    if (name.n == 0 || name.n > 80)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* arn:aws:sqs:REGION:ACCOUNT:NAME */
static bool parse_arn(struct sqs *s)
{
    struct slice rest = slice_of(s->queue);
    if (!slice_is(slice_cut(&rest, ':'), "arn") || !slice_starts(slice_cut(&rest, ':'), "aws") ||
        !slice_is(slice_cut(&rest, ':'), "sqs"))
        return false;
    struct slice region = slice_cut(&rest, ':');
    if (region.n == 0 || region.n >= sizeof s->region)
        return false;
    memcpy(s->region, region.p, region.n);
    s->region[region.n] = '\0';
    s->account = slice_cut(&rest, ':');
    s->name = rest;
    s->fifo = slice_ends(rest, ".fifo");
    return s->account.n > 0 && name_valid(rest);
}

/* One of both given: the other has AWS's default. */
static bool check_pollers(struct sqs *s, struct error *err)
{
    if (s->min_pollers < 0 && s->max_pollers < 0)
        return true;
    if (s->min_pollers < 0)
        s->min_pollers = 2;
    if (s->max_pollers < 0)
        s->max_pollers = 200;
    if (s->source.settings.max_concurrency > 0)
        return error_set(err, ERROR_CONFIG,
                         "ScalingConfig.MaximumConcurrency and ProvisionedPollerConfig cannot be "
                         "used together");
    if (s->min_pollers > s->max_pollers)
        return error_set(err, ERROR_CONFIG,
                         "ProvisionedPollerConfig.MinimumPollers must not be greater than "
                         "MaximumPollers");
    return true;
}

static bool check(struct source *source, struct error *err)
{
    struct sqs *s = sqs_of(source);
    struct mapping_settings *set = &source->settings;
    if (!parse_arn(s))
        return error_set(err, ERROR_CONFIG,
                         "Queue: '%s' is not the ARN of an SQS queue "
                         "(arn:aws:sqs:REGION:ACCOUNT:NAME)",
                         s->queue);
    if (s->fifo && set->window_s > 0)
        return error_set(err, ERROR_CONFIG, "Batching window is not supported for FIFO queues");
    if (s->fifo && set->batch_size > SQS_BATCH_MAX)
        return error_set(err, ERROR_CONFIG, "BatchSize must be between 1 and 10 for FIFO queues");
    if (set->batch_size > SQS_BATCH_MAX && set->window_s == 0)
        return error_set(err, ERROR_CONFIG,
                         "Maximum batch window in seconds must be greater than 0 if maximum batch "
                         "size is greater than 10");
    if (!check_pollers(s, err))
        return false;
    set->max_attempts = set->max_age_s = -1; /* the queue's redrive policy decides */
    set->bisect = false;
    source->flags = SOURCE_REDELIVERS | (s->fifo ? SOURCE_ORDERED : 0);
    source->arn = s->queue;
    source->envelope_bytes = strlen("{\"Records\":[]}");
    return true;
}

/* ---- what all parts use ---- */

int64_t sqs_backoff(int64_t base_ms, int64_t cap_ms, unsigned n)
{
    int64_t wait = base_ms;
    for (unsigned i = 1; i < n && wait < cap_ms; i++)
        wait *= 2;
    if (wait > cap_ms)
        wait = cap_ms;
    return wait / 2 + (int64_t)(rand_u64() % (uint64_t)(wait / 2 + 1));
}

void sqs_settling(struct sqs *s, int by)
{
    if (by > 0) {
        s->source.settling++;
        return;
    }
    assert(s->source.settling > 0);
    if (--s->source.settling == 0)
        source_settled(&s->source);
}

void sqs_send(struct sqs *s, struct aws_call *call, struct buf *body, const struct sqs_request *r,
              void (*done)(struct aws_call *))
{
    aws_call_clear(call);
    buf_clear(body);
    sqs_wire_request(body, s->protocol, r);
    const struct env *env = s->source.env;
    call->service = "sqs";
    call->endpoint = env->own_endpoint != NULL ? env->own_endpoint(env, s->queue) : NULL;
    call->credentials = call->endpoint != NULL ? env->own_credentials : NULL;
    call->region = s->region;
    call->path = "/";
    call->headers = sqs_wire_headers(s->protocol, r->op, &call->n_headers);
    call->body = buf_slice(body);
    call->timeout_ms = (r->op == SQS_RECEIVE ? r->wait_s * 1000 : 0) + s->timing->request_ms;
    call->done = done;
    aws_call_start(env->aws, call);
}

enum sqs_read sqs_receive_answer(struct sqs *s, struct sqs_answer *a, struct aws_call *call,
                                 enum sqs_op op)
{
    const struct http_call *http = &call->http;
    if (http->result != HTTP_DONE) {
        *a = (struct sqs_answer){.fault = SQS_FAULT_BUSY, .code = SLICE_NONE};
        arena_init(&a->arena);
        a->text = slice_of(arena_dup(&a->arena, slice_of(http->detail)));
        return SQS_READ_FAULT;
    }
    enum sqs_read got = sqs_wire_read(a, s->protocol, op, http->status, buf_slice(&http->response));
    if (got == SQS_READ_FAULT && a->fault == SQS_FAULT_CREDENTIALS)
        aws_client_refresh(s->source.env->aws);
    return got;
}

void sqs_tell_problem(struct sqs *s, enum sqs_read got, const struct sqs_answer *a)
{
    char text[768];
    int n = a->text.n < 512 ? (int)a->text.n : 512;
    if (got == SQS_READ_FAULT && a->code.n)
        snprintf(text, sizeof text,
                 "Error occurred while ReceiveMessage. SQS Error Code: %.*s. "
                 "SQS Error Message: %.*s",
                 a->code.n < 128 ? (int)a->code.n : 128, a->code.p, n, a->text.p);
    else if (got == SQS_READ_FAULT)
        snprintf(text, sizeof text, "SQS cannot be reached: %.*s", n, a->text.p);
    else if (got == SQS_READ_FOREIGN)
        snprintf(text, sizeof text, "The endpoint for sqs does not answer as SQS does.");
    else
        snprintf(text, sizeof text, "An answer of SQS cannot be understood: %.*s", n, a->text.p);
    source_problem(&s->source, text);
}

/* ---- life ---- */

static void open_metrics(struct sqs *s)
{
    if (!s->source.env->metrics)
        return;
    struct buf labels;
    buf_init(&labels, 2048);
    metrics_label(&labels, "mapping", s->source.log.name);
    metrics_label(&labels, "source", s->source.ops->type);
    s->undeleted =
        metrics_get(s->source.env->metrics, METRIC_COUNTER, "penstock_sqs_undeleted_total",
                    "Messages that were handled but could not be deleted.", labels.p);
    buf_free(&labels);
}

static bool open_source(struct source *source, struct error *err)
{
    struct sqs *s = sqs_of(source);
    (void)err;
    if (!s->timing)
        s->timing = &sqs_timing_default;
    s->stopping = false;
    s->receive_visibility_s = -1;
    sqs_slots_init(s);
    sqs_work_init(s);
    sqs_hold_init(s);
    sqs_poll_init(s);
    open_metrics(s);
    sqs_queue_start(s);
    s->open = true;
    return true;
}

static void pump(struct source *source)
{
    sqs_poll_pump(sqs_of(source));
}

static void encode(struct source *source, const struct batch *b, struct json_out *o)
{
    (void)source;
    json_object(o);
    json_key(o, "Records");
    json_array(o);
    for (const struct record *r = batch_first(b); r; r = batch_next(b, r))
        json_raw(o, r->json);
    json_end(o);
    json_end(o);
}

/* What never ran may be had by others at once; what failed is left to its timeout, as AWS does
 * (sqs.md 4.1). Of a FIFO queue, what stands behind a failure waits with it. */
static bool give_back_now(const struct sqs *s, const struct record *r)
{
    return !r->decision.counts && (!s->fifo || s->stopping);
}

static void settle(struct source *source, const struct batch *b)
{
    struct sqs *s = sqs_of(source);
    for (const struct record *r = batch_first(b); r; r = batch_next(b, r)) {
        struct sqs_slot *slot = sqs_slots_get(s, r->token);
        if (r->decision.verdict != VERDICT_RELEASE) {
            sqs_work_add(s, slot, SQS_WORK_DELETE);
        } else if (give_back_now(s, r)) {
            sqs_work_add(s, slot, SQS_WORK_RELEASE);
        } else {
            sqs_work_forget(s, slot);
            sqs_slots_drop(s, slot);
        }
        if (s->fifo && r->decision.verdict == VERDICT_RELEASE)
            sqs_poll_forget(s, r->key); /* or it would overtake */
    }
}

static void stop(struct source *source)
{
    struct sqs *s = sqs_of(source);
    if (!s->open || s->stopping)
        return;
    s->stopping = true;
    sqs_queue_stop(s);
    sqs_poll_stop(s);
}

static void close_source(struct source *source)
{
    struct sqs *s = sqs_of(source);
    if (!s->open)
        return;
    s->open = false;
    sqs_queue_stop(s);
    sqs_poll_close(s);
    sqs_work_close(s);
    sqs_hold_close(s);
    sqs_slots_close(s);
    free(s->url);
    s->url = NULL;
    if (s->undeleted)
        metrics_put(source->env->metrics, s->undeleted);
    s->undeleted = NULL;
    source->settling = 0;
}

static const struct criteria_data data = {.key = "body"};

const struct source_ops sqs_source = {
    .type = "SQS",
    .doc = "Messages of an Amazon SQS queue, standard or FIFO, or of a server that speaks its API.",
    .size = sizeof(struct sqs),
    .options = options,
    .data = &data,
    .check = check,
    .open = open_source,
    .pump = pump,
    .encode = encode,
    .settle = settle,
    .stop = stop,
    .close = close_source,
    .sample = sqs_event_sample,
};
