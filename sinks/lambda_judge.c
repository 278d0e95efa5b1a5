/* lambda_judge.c - what an answer of the Invoke API means: invoke-api.md 1, and 8 for emulators. */
#include "sinks/lambda.h"

#include "base/base64.h"
#include "base/json_in.h"
#include <stdio.h>
#include <string.h>

/* An error body, looked at; absent members are empty. The slices borrow from root. */
struct fault {
    struct json *root;
    struct slice type, text;
};

static struct fault fault_read(struct slice body)
{
    struct fault f = {.root = json_parse(body, RESPONSE_MAX_BYTES, NULL)};
    f.type = json_text(json_get(f.root, "errorType"));
    f.text = json_text(json_get(f.root, "errorMessage"));
    return f;
}

static bool contains(struct slice s, const char *text)
{
    return s.n > 0 && memmem(s.p, s.n, text, strlen(text)) != NULL;
}

static void take_body(struct delivery *d, struct aws_call *call, enum outcome o)
{
    d->reply.outcome = o;
    d->reply.retry_after_ms = -1;
    d->reply.body = call->http.response;
    buf_init(&call->http.response, 0);
}

/* The function ran and failed: its own body is passed on. type stands in where that has none. */
static void function_failed(struct delivery *d, struct aws_call *call, struct slice type)
{
    struct slice body = buf_slice(&call->http.response);
    struct fault f = fault_read(body);
    bool late = slice_is(f.type, "Sandbox.Timedout") || contains(f.text, "Task timed out");
    if (f.type.n > 0)
        type = f.type;
    snprintf(d->reply.detail, sizeof d->reply.detail, "%.*s: %.*s",
             (int)(type.n < 60 ? type.n : 60), type.p, (int)(f.text.n < 120 ? f.text.n : 120),
             f.text.p);
    json_free(f.root);
    take_body(d, call, late ? OUTCOME_TIMEOUT : OUTCOME_FAILED);
    d->reply.function_error = "Unhandled";
}

static void timed_out(struct delivery *d)
{
    delivery_fail(d, OUTCOME_TIMEOUT, "Sandbox.Timedout",
                  "RequestId: %s Error: Task timed out after %lld.%02lld seconds", d->request_id,
                  (long long)d->timeout_ms / 1000, (long long)d->timeout_ms % 1000 / 10);
}

/* No status to judge by. */
static bool transport_failed(struct delivery *d, const struct aws_call *call)
{
    switch (call->http.result) {
    case HTTP_DONE:
        d->reply.status = call->http.status;
        return false;
    case HTTP_TIMEOUT:
        timed_out(d);
        return true;
    case HTTP_TOO_LARGE:
        delivery_fail(d, OUTCOME_FAILED, "Function.ResponseSizeTooLarge",
                      "Response payload size exceeded maximum allowed payload size (%d bytes).",
                      (int)RESPONSE_MAX_BYTES);
        return true;
    case HTTP_NO_CONNECT:
    case HTTP_BROKEN:
    case HTTP_GARBLED:
        break;
    }
    delivery_fail(d, OUTCOME_UNREACHABLE, "ServiceException", "%s", call->http.detail);
    return true;
}

static void read_tail(struct delivery *d, const struct aws_call *call)
{
    struct slice encoded = http_call_header(&call->http, "X-Amz-Log-Result");
    if (!d->log_tail || encoded.n == 0)
        return;
    buf_init(&d->reply.log_tail, 8 * 1024);
    if (!base64_decode(&d->reply.log_tail, encoded))
        buf_clear(&d->reply.log_tail);
}

/* The API refused or failed: nothing ran. */
static void api_failed(struct delivery *d, struct aws_call *call)
{
    int status = call->http.status;
    struct json *root = json_parse(buf_slice(&call->http.response), RESPONSE_MAX_BYTES, NULL);
    struct slice text = json_text(json_get(root, "message"));
    if (text.n == 0)
        text = json_text(json_get(root, "Message"));
    struct slice type = http_call_header(&call->http, "x-amzn-ErrorType");
    type = slice_cut(&type, ':'); /* "Name:http://…" is how some write it */
    char name[80];
    snprintf(name, sizeof name, SLICE_FMT, (int)(type.n < 79 ? type.n : 79), type.p);
    bool refused = status == 413 || strcmp(name, "InvalidRequestContentException") == 0;
    enum outcome o = status == 429 ? OUTCOME_THROTTLED
                     : refused     ? OUTCOME_REJECTED
                                   : OUTCOME_UNREACHABLE;
    delivery_fail(d, o, name[0] != '\0' ? name : "ServiceException", "status %d %.*s", status,
                  (int)(text.n < 500 ? text.n : 500), text.p);
    json_free(root);
    int64_t seconds;
    struct slice after = http_call_header(&call->http, "Retry-After");
    if (slice_int(after, &seconds) && seconds >= 0 && seconds <= 86400)
        d->reply.retry_after_ms = seconds * 1000;
}

void lambda_judge(struct delivery *d, struct aws_call *call)
{
    if (transport_failed(d, call))
        return;
    struct slice error = http_call_header(&call->http, "X-Amz-Function-Error");
    read_tail(d, call);
    if (call->http.status < 200 || call->http.status > 299)
        api_failed(d, call);
    else if (error.n > 0)
        function_failed(d, call, SLICE("Function.Unknown"));
    else
        take_body(d, call, OUTCOME_OK);
}

/* A body that names both is how an emulator says that the function failed. */
static bool looks_failed(struct slice body)
{
    if (!contains(body, "\"errorType\"") || !contains(body, "\"errorMessage\""))
        return false;
    struct fault f = fault_read(body);
    bool failed = json_type(json_get(f.root, "errorType")) == JSON_STRING &&
                  json_type(json_get(f.root, "errorMessage")) == JSON_STRING;
    json_free(f.root);
    return failed;
}

static void emulator_ok(struct delivery *d, struct aws_call *call)
{
    struct slice body = buf_slice(&call->http.response);
    struct slice type = http_call_header(&call->http, "Error-Type");
    if (slice_starts(body, "Task timed out after "))
        timed_out(d);
    else if (type.n > 0 || looks_failed(body))
        function_failed(d, call, type);
    else
        take_body(d, call, OUTCOME_OK);
}

void lambda_judge_emulator(struct delivery *d, struct aws_call *call)
{
    if (transport_failed(d, call))
        return;
    struct slice body = buf_slice(&call->http.response);
    struct slice type = http_call_header(&call->http, "Error-Type");
    int status = call->http.status;
    if (status >= 200 && status <= 299)
        emulator_ok(d, call);
    else if (status == 502 && body.n > 0)
        function_failed(d, call, SLICE("Runtime.ExitError"));
    else if (status == 502)
        delivery_fail(d, OUTCOME_FAILED, "Runtime.ExitError",
                      "RequestId: %s Error: Runtime exited without providing a reason",
                      d->request_id);
    else if (status == 400 && body.n == 0 && type.n == 0)
        delivery_fail(d, OUTCOME_THROTTLED, "TooManyRequestsException",
                      "the emulator is busy with another invocation");
    else if (status == 400)
        delivery_fail(d, OUTCOME_REJECTED, "InvalidRequestContentException",
                      "the emulator refused the event: %.*s", (int)(type.n < 80 ? type.n : 80),
                      type.p);
    else
        api_failed(d, call);
}
