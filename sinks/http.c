/* http.c - functions behind a URL: POST of the event, the answer's status is the outcome. */
#include "base/json_in.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/rand.h"
#include "engine/sink.h"
#include "io/http_client.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const struct sink_ops http_sink;

enum { HEADERS_MAX = 8 };

struct http {
    struct sink sink;
    const char *url;
};

/* One request: its header lines live in the arena of text behind it. */
struct http_trip {
    struct http_call call;
    struct http *http;
    struct delivery *delivery;
    const char *headers[HEADERS_MAX];
    char text[];
};

static const struct option options[] = {
    OPT_STRING(struct http, url, "Url", NULL, OPTION_X | OPTION_SELECTS,
               "http or https address that gets each event as the body of a POST."),
    OPT_END,
};

static bool check(struct sink *s, struct error *err)
{
    const struct http *h = container_of(s, struct http, sink);
    struct slice url = slice_of(h->url);
    size_t scheme = slice_starts(url, "http://") ? 7 : slice_starts(url, "https://") ? 8 : 0;
    struct slice rest = slice_from(url, scheme);
    struct slice host = slice_cut(&rest, '/');
    if (scheme == 0 || host.n == 0)
        return error_set(err, ERROR_CONFIG,
                         "Url: \"%.200s\" must be http://HOST[:PORT]/PATH or https", url.p);
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] == 0x7f)
            return error_set(err, ERROR_CONFIG, "Url: there is a blank at character %zu", i + 1);
    if (memchr(host.p, '@', host.n) != NULL)
        return error_set(err, ERROR_CONFIG, "Url: credentials do not belong into a URL");
    return true;
}

static bool open_sink(struct sink *s, struct error *err)
{
    (void)s;
    (void)err;
    return true;
}

/* Seconds or an HTTP date; -1: neither. */
static int64_t retry_after_ms(struct slice value, int64_t now_ms)
{
    int64_t seconds;
    if (slice_int(value, &seconds))
        return seconds >= 0 && seconds <= 86400 ? seconds * 1000 : -1;
    char text[64];
    struct tm tm = {0};
    if (value.n == 0 || value.n >= sizeof text)
        return -1;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (end == NULL || *end != '\0')
        return -1;
    int64_t wait = (int64_t)timegm(&tm) * 1000 - now_ms;
    return wait < 0 ? 0 : wait > 86400 * 1000 ? -1 : wait;
}

/* Does the body say by itself what went wrong? Then it is passed on as it is. */
static bool explains_itself(struct slice body, char detail[200])
{
    struct json *root = json_parse(body, (size_t)256 * 1024, NULL);
    const struct json *type = json_get(root, "errorType"), *text = json_get(root, "errorMessage");
    bool good = json_type(type) == JSON_STRING && json_type(text) == JSON_STRING;
    if (good) {
        struct slice t = json_text(type), m = json_text(text);
        snprintf(detail, 200, "%.*s: %.*s", (int)(t.n < 60 ? t.n : 60), t.p,
                 (int)(m.n < 120 ? m.n : 120), m.p);
    }
    json_free(root);
    return good;
}

static void failed(struct delivery *d, struct http_call *call)
{
    if (!explains_itself(buf_slice(&call->response), d->reply.detail)) {
        char type[16];
        snprintf(type, sizeof type, "HTTP.%d", call->status);
        delivery_fail(d, OUTCOME_FAILED, type, "The function's URL answered with status %d",
                      call->status);
        return;
    }
    d->reply.outcome = OUTCOME_FAILED;
    d->reply.function_error = "Unhandled";
    d->reply.retry_after_ms = -1;
    d->reply.body = call->response;
    buf_init(&call->response, 0);
}

static void judge_status(struct http_trip *t)
{
    struct delivery *d = t->delivery;
    int status = t->call.status;
    if (status >= 200 && status < 300) {
        d->reply.outcome = OUTCOME_OK;
        d->reply.retry_after_ms = -1;
        d->reply.body = t->call.response;
        buf_init(&t->call.response, 0);
    } else if (status == 429 || status == 503) {
        delivery_fail(d, OUTCOME_THROTTLED, "TooManyRequestsException",
                      "The function's URL answered with status %d", status);
        d->reply.retry_after_ms = retry_after_ms(http_call_header(&t->call, "Retry-After"),
                                                 loop_wall(t->http->sink.env->loop));
    } else if (status == 413) {
        delivery_fail(d, OUTCOME_REJECTED, "RequestTooLargeException",
                      "The function's URL answered with status 413");
    } else {
        failed(d, &t->call);
    }
    d->reply.status = status;
}

static void judge(struct http_trip *t)
{
    struct delivery *d = t->delivery;
    switch (t->call.result) {
    case HTTP_DONE:
        judge_status(t);
        return;
    case HTTP_TIMEOUT:
        delivery_fail(d, OUTCOME_TIMEOUT, "Sandbox.Timedout",
                      "RequestId: %s Error: Task timed out after %lld.%02lld seconds",
                      d->request_id, (long long)d->timeout_ms / 1000,
                      (long long)d->timeout_ms % 1000 / 10);
        return;
    case HTTP_TOO_LARGE:
        delivery_fail(d, OUTCOME_FAILED, "Function.ResponseSizeTooLarge",
                      "Response payload size exceeded maximum allowed payload size (%d bytes).",
                      (int)RESPONSE_MAX_BYTES);
        return;
    case HTTP_NO_CONNECT:
    case HTTP_BROKEN:
    case HTTP_GARBLED:
        break;
    }
    delivery_fail(d, OUTCOME_UNREACHABLE, "ServiceException", "%s", t->call.detail);
}

static void trip_done(struct http_call *call)
{
    struct http_trip *t = container_of(call, struct http_trip, call);
    struct delivery *d = t->delivery;
    judge(t);
    d->impl = NULL;
    http_call_clear(call);
    free(t);
    delivery_done(d);
}

/* Appends "Name: value" to the lines; what could break the header is blanked. */
static void add_line(struct http_trip *t, char **at, const char *name, const char *value)
{
    t->headers[t->call.n_headers++] = *at;
    char *end = stpcpy(stpcpy(*at, name), ": ");
    for (; *value != '\0'; value++)
        *end++ = (unsigned char)*value < ' ' || *value == 0x7f ? ' ' : *value;
    *end = '\0';
    *at = end + 1;
}

static void add_lines(struct http_trip *t, const struct sink *s, char *at)
{
    const struct delivery *d = t->delivery;
    char deadline[24], trace[80];
    int64_t now = loop_wall(s->env->loop);
    snprintf(deadline, sizeof deadline, "%lld", (long long)(now + d->timeout_ms));
    snprintf(trace, sizeof trace, "Root=1-%08llx-%08llx%016llx;Parent=%016llx;Sampled=0",
             (unsigned long long)now / 1000 & 0xffffffff, (unsigned long long)rand_u64() >> 32,
             (unsigned long long)rand_u64(), (unsigned long long)rand_u64());
    add_line(t, &at, "Content-Type", "application/json");
    add_line(t, &at, "Lambda-Runtime-Aws-Request-Id", d->request_id);
    add_line(t, &at, "Lambda-Runtime-Deadline-Ms", deadline);
    add_line(t, &at, "Lambda-Runtime-Invoked-Function-Arn",
             d->invoked_arn != NULL ? d->invoked_arn : s->function->arn);
    add_line(t, &at, "X-Amzn-Trace-Id", d->trace != NULL ? d->trace : trace);
    if (d->client_context != NULL)
        add_line(t, &at, "Lambda-Runtime-Client-Context", d->client_context);
}

static size_t length(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static void send_delivery(struct sink *s, struct delivery *d)
{
    struct http *h = container_of(s, struct http, sink);
    const char *arn = d->invoked_arn != NULL ? d->invoked_arn : s->function->arn;
    size_t text = 600 + length(arn) + length(d->trace) + length(d->client_context);
    struct http_trip *t = mem_alloc(sizeof *t + text);
    t->http = h;
    t->delivery = d;
    d->impl = t;
    add_lines(t, s, t->text);
    t->call.method = "POST";
    t->call.url = h->url;
    t->call.headers = t->headers;
    t->call.body = d->payload;
    t->call.timeout_ms = d->timeout_ms;
    t->call.max_response_bytes = RESPONSE_MAX_BYTES;
    t->call.done = trip_done;
    http_client_start(s->env->http, &t->call);
}

static void cancel(struct sink *s, struct delivery *d)
{
    struct http_trip *t = d->impl;
    http_client_cancel(s->env->http, &t->call);
    http_call_clear(&t->call);
    free(t);
    d->impl = NULL;
}

static void close_sink(struct sink *s)
{
    (void)s;
}

const struct sink_ops http_sink = {
    .type = "http",
    .doc = "A URL that gets each event by POST and answers with the result.",
    .size = sizeof(struct http),
    .options = options,
    .check = check,
    .open = open_sink,
    .send = send_delivery,
    .cancel = cancel,
    .close = close_sink,
};
