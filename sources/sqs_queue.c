/* sqs_queue.c - finds the queue, keeps asking while it is missing or unfit, and watches it. */
#include "base/mem.h"
#include "sources/sqs_impl.h"
#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 64 * 1024, ANSWER_MAX = 1024 * 1024, DEFAULT_VISIBILITY_S = 30 };

static void ask(struct sqs *s);

static void on_again(struct timer *t)
{
    ask(container_of(t, struct sqs, again));
}

static void ask_later(struct sqs *s)
{
    int64_t wait =
        sqs_backoff(s->timing->recheck_ms, s->timing->recheck_cap_ms, ++s->admin_failures);
    timer_start(s->source.env->loop, &s->again, wait);
}

static int64_t bounded(int64_t seconds)
{
    return seconds < SQS_VISIBILITY_MAX_S ? seconds : SQS_VISIBILITY_MAX_S;
}

static int64_t visibility_of(const struct sqs_answer *a)
{
    int64_t seconds;
    for (size_t i = 0; i < a->n_attributes; i++)
        if (slice_is(a->attributes[i].name, "VisibilityTimeout") &&
            slice_int(a->attributes[i].value, &seconds) && seconds >= 0)
            return bounded(seconds);
    return DEFAULT_VISIBILITY_S; /* a server without the attribute: AWS's default */
}

/* A message that waits for its window must outlast the window and the run, sqs.md 3.2. */
static void take_visibility(struct sqs *s, int64_t queue_s)
{
    int64_t window = s->source.settings.window_s;
    int64_t needed = bounded(window + s->source.function->timeout_s + 30);
    s->visibility_s = window > 0 && needed > queue_s ? needed : queue_s;
    s->receive_visibility_s = window > 0 ? s->visibility_s : -1;
}

static void take_attributes(struct sqs *s, const struct sqs_answer *a)
{
    int64_t visibility = visibility_of(a), timeout = s->source.function->timeout_s;
    if (timeout > visibility) {
        char text[160];
        snprintf(text, sizeof text,
                 "Queue visibility timeout: %lld seconds is less than Function timeout: %lld "
                 "seconds",
                 (long long)visibility, (long long)timeout);
        s->ready = false;
        source_problem(&s->source, text);
        ask_later(s);
        return;
    }
    take_visibility(s, visibility);
    s->admin_failures = 0;
    timer_start(s->source.env->loop, &s->again, s->timing->refresh_ms);
    if (s->ready)
        return;
    s->phase = SQS_PHASE_READY;
    s->ready = true;
    source_problem(&s->source, NULL);
    sqs_poll_pump(s);
}

static void take_answer(struct sqs *s, const struct sqs_answer *a)
{
    s->protocol_known = true;
    if (s->phase != SQS_PHASE_URL) {
        take_attributes(s, a);
        return;
    }
    free(s->url);
    s->url = slice_dup(a->queue_url);
    s->phase = SQS_PHASE_ATTRIBUTES;
    ask(s);
}

/* The other protocol is tried once, at once; a server that speaks neither gets both again later. */
static bool other_protocol(struct sqs *s, enum sqs_read got)
{
    if (s->protocol_known || got != SQS_READ_FOREIGN)
        return false;
    s->protocol = s->protocol == SQS_JSON ? SQS_QUERY : SQS_JSON;
    return s->protocol == SQS_QUERY;
}

static void take_failure(struct sqs *s, enum sqs_read got, const struct sqs_answer *a)
{
    if (other_protocol(s, got)) {
        ask(s);
        return;
    }
    if (got == SQS_READ_FAULT && a->fault == SQS_FAULT_NO_QUEUE) {
        s->ready = false;
        s->phase = SQS_PHASE_URL;
    }
    if (!s->ready) /* a refresh that fails disturbs nobody: the polls will tell */
        sqs_tell_problem(s, got, a);
    ask_later(s);
}

static void on_done(struct aws_call *call)
{
    struct sqs *s = container_of(call, struct sqs, admin);
    struct sqs_answer a;
    enum sqs_op op = s->phase == SQS_PHASE_URL ? SQS_GET_URL : SQS_GET_ATTRIBUTES;
    enum sqs_read got = sqs_receive_answer(s, &a, call, op);
    if (got == SQS_READ_OK)
        take_answer(s, &a);
    else
        take_failure(s, got, &a);
    sqs_answer_free(&a);
}

static void ask(struct sqs *s)
{
    bool url = s->phase == SQS_PHASE_URL;
    struct sqs_request r = {.op = url ? SQS_GET_URL : SQS_GET_ATTRIBUTES,
                            .name = s->name,
                            .owner = s->account,
                            .queue_url = slice_of(s->url)};
    s->admin.max_response_bytes = ANSWER_MAX;
    sqs_send(s, &s->admin, &s->admin_body, &r, on_done);
}

void sqs_queue_start(struct sqs *s)
{
    s->again.fire = on_again;
    buf_init(&s->admin_body, BODY_MAX);
    s->phase = SQS_PHASE_URL;
    ask(s);
}

void sqs_queue_lost(struct sqs *s)
{
    if (!s->ready)
        return;
    s->ready = false;
    s->phase = SQS_PHASE_URL;
    aws_call_cancel(s->source.env->aws, &s->admin);
    ask_later(s);
}

void sqs_queue_stop(struct sqs *s)
{
    s->ready = false;
    timer_stop(s->source.env->loop, &s->again);
    aws_call_cancel(s->source.env->aws, &s->admin);
    aws_call_clear(&s->admin);
    buf_free(&s->admin_body);
}
