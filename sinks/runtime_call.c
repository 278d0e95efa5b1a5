/* runtime_call.c - one invocation inside a process: handed out, answered, failed, reported. */
#include "sinks/runtime.h"

#include "base/base64.h"
#include "base/json_in.h"
#include "base/mem.h"
#include "base/rand.h"
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct loop *loop_of(const struct runtime_call *call)
{
    return call->runtime->sink.env->loop;
}

static void on_limit(struct timer *t);

static char *put_hex(char *at, uint64_t v, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; v >>= 4)
        at[i] = "0123456789abcdef"[v & 15];
    at[digits] = '\0';
    return at + digits;
}

struct runtime_call *runtime_call_new(struct runtime *r, struct delivery *d)
{
    struct runtime_call *call = mem_alloc(sizeof *call);
    list_init(&call->node);
    call->runtime = r;
    call->delivery = d;
    call->limit.fire = on_limit;
    buf_init(&call->tail, (size_t)2 * RUNTIME_TAIL_BYTES);
    d->impl = call;
    return call;
}

void runtime_call_free(struct runtime_call *call)
{
    timer_stop(loop_of(call), &call->limit);
    list_remove(&call->node);
    buf_free(&call->tail);
    call->delivery->impl = NULL;
    free(call);
}

static void make_trace(char *at, uint64_t seconds)
{
    at = put_hex(stpcpy(at, "Root=1-"), seconds, 8);
    at = put_hex(put_hex(stpcpy(at, "-"), rand_u64(), 8), rand_u64(), 16);
    stpcpy(put_hex(stpcpy(at, ";Parent="), rand_u64(), 16), ";Sampled=0");
}

/* Into the end of out; returns how many digits. */
static size_t decimal(char out[24], uint64_t v)
{
    size_t n = 0;
    do
        out[23 - n++] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    return n;
}

/* Line breaks in JSON text stand between its tokens only; in a header they must not stand. */
static char *one_line(const char *json)
{
    char *copy = json != NULL ? mem_strdup(json) : NULL;
    for (char *at = copy; at != NULL && *at != '\0'; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
    return copy;
}

/* One event, its headers as invoke-api.md 7 has them. */
static void hand_out(struct runtime_call *call, struct http_request *poll)
{
    const struct runtime *r = call->runtime;
    const struct delivery *d = call->delivery;
    int64_t now = loop_wall(loop_of(call));
    char deadline[24], trace[80];
    size_t digits = decimal(deadline, (uint64_t)(now + d->timeout_ms));
    if (d->trace == NULL)
        make_trace(trace, (uint64_t)now / 1000);
    char *context = one_line(d->client_context);
    const char *arn = d->invoked_arn != NULL ? d->invoked_arn : r->sink.function->arn;
    struct http_header headers[] = {
        {"Content-Type", SLICE("application/json")},
        {"Lambda-Runtime-Aws-Request-Id", slice_of(d->request_id)},
        {"Lambda-Runtime-Deadline-Ms", {deadline + sizeof deadline - digits, digits}},
        {"Lambda-Runtime-Invoked-Function-Arn", slice_of(arn)},
        {"Lambda-Runtime-Trace-Id", slice_of(d->trace != NULL ? d->trace : trace)},
        {"Lambda-Runtime-Invocation-Id", {call->attempt, 16}},
        {"Lambda-Runtime-Client-Context", slice_of(context)},
    };
    size_t n = ARRAY_LEN(headers) - (context == NULL);
    http_reply(poll, 200, headers, n, d->payload);
    free(context);
}

void runtime_call_begin(struct runtime_call *call, struct runtime_sandbox *sb,
                        struct http_request *poll)
{
    call->sandbox = sb;
    list_append(&sb->calls, &call->node);
    put_hex(call->attempt, rand_u64(), 16);
    runtime_report_start(call);
    timer_start(loop_of(call), &call->limit, call->delivery->timeout_ms);
    call->began_us = loop_clock_us(loop_of(call));
    hand_out(call, poll);
}

void runtime_call_done(struct runtime_call *call, const char *status)
{
    struct delivery *d = call->delivery;
    struct runtime_sandbox *sb = call->sandbox;
    if (sb != NULL) {
        runtime_report_end(call, status);
        sb->init_us = 0;
        sb->used_ms = loop_now(loop_of(call));
        if (d->reply.outcome == OUTCOME_OK)
            call->runtime->backoff_ms = 0;
    }
    runtime_report_tail(call);
    runtime_call_free(call);
    if (sb != NULL && sb->state == RUNTIME_READY && list_empty(&sb->calls) && sb->n_polls == 0)
        runtime_pool_returning(sb, true);
    delivery_done(d);
}

void runtime_call_exited(struct runtime_call *call, int status)
{
    struct delivery *d = call->delivery;
    if (WIFSIGNALED(status)) {
        const char *text = sigdescr_np(WTERMSIG(status));
        text = text != NULL ? text : "unknown";
        delivery_fail(d, OUTCOME_FAILED, "Runtime.ExitError",
                      "RequestId: %s Error: Runtime exited with error: signal: %c%s", d->request_id,
                      tolower((unsigned char)text[0]), text + 1);
    } else if (WEXITSTATUS(status) != 0) {
        delivery_fail(d, OUTCOME_FAILED, "Runtime.ExitError",
                      "RequestId: %s Error: Runtime exited with error: exit status %d",
                      d->request_id, WEXITSTATUS(status));
    } else {
        delivery_fail(d, OUTCOME_FAILED, "Runtime.ExitError",
                      "RequestId: %s Error: Runtime exited without providing a reason",
                      d->request_id);
    }
    runtime_call_done(call, "error\tError Type: Runtime.ExitError");
}

static void on_limit(struct timer *t)
{
    struct runtime_call *call = container_of(t, struct runtime_call, limit);
    struct runtime_sandbox *sb = call->sandbox;
    struct delivery *d = call->delivery;
    process_read_output(sb->process);
    sb->expected = true;
    runtime_sandbox_end(sb, SIGKILL);
    delivery_fail(d, OUTCOME_TIMEOUT, "Sandbox.Timedout",
                  "RequestId: %s Error: Task timed out after %lld.%02lld seconds", d->request_id,
                  (long long)d->timeout_ms / 1000, (long long)d->timeout_ms % 1000 / 10);
    runtime_call_done(call, "timeout");
}

/* Fills the reply with an error body (taken) that came from the runtime. Its type for the logs
 * comes from the body, or else from the header: RUNTIME-CLIENTS rule 8. */
static void fail_with(struct delivery *d, struct buf *body, struct slice type)
{
    struct reply *reply = &d->reply;
    struct json *root = json_parse(buf_slice(body), (size_t)256 * 1024, NULL);
    struct slice own = json_text(json_get(root, "errorType"));
    struct slice text = json_text(json_get(root, "errorMessage"));
    if (own.n > 0)
        type = own;
    if (type.n == 0)
        type = SLICE("Runtime.Unknown");
    if (body->n == 0) {
        delivery_fail(d, OUTCOME_FAILED, "Runtime.Unknown", "%.*s",
                      (int)(type.n < 100 ? type.n : 100), type.p);
        buf_free(body);
    } else {
        snprintf(reply->detail, sizeof reply->detail, "%.*s: %.*s",
                 (int)(type.n < 60 ? type.n : 60), type.p, (int)(text.n < 120 ? text.n : 120),
                 text.p);
        reply->outcome = OUTCOME_FAILED;
        reply->function_error = "Unhandled";
        reply->retry_after_ms = -1;
        reply->body = *body;
    }
    json_free(root);
}

void runtime_call_error(struct runtime_call *call, struct http_request *req)
{
    struct buf body = http_request_take_body(req);
    fail_with(call->delivery, &body,
              http_request_header(req, "Lambda-Runtime-Function-Error-Type"));
}

void runtime_call_answer(struct runtime_call *call, struct http_request *req)
{
    struct delivery *d = call->delivery;
    struct slice type = http_request_trailer(req, "Lambda-Runtime-Function-Error-Type");
    if (type.n > 0) {
        /* A stream that broke: bytes may have been sent, it failed all the same. */
        struct buf body;
        buf_init(&body, RESPONSE_MAX_BYTES);
        if (!base64_decode(&body, http_request_trailer(req, "Lambda-Runtime-Function-Error-Body")))
            buf_clear(&body);
        fail_with(d, &body, type);
        return;
    }
    d->reply.outcome = OUTCOME_OK;
    d->reply.retry_after_ms = -1;
    d->reply.body = http_request_take_body(req);
}

void runtime_call_too_large(struct runtime_call *call)
{
    struct delivery *d = call->delivery;
    memcpy(call->sandbox->too_large, d->request_id, sizeof d->request_id);
    delivery_fail(d, OUTCOME_FAILED, "Function.ResponseSizeTooLarge",
                  "Response payload size exceeded maximum allowed payload size (%d bytes).",
                  (int)RESPONSE_MAX_BYTES);
}
