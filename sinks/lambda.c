/* lambda.c - functions behind a Lambda Invoke API: AWS, an emulator, another gateway. */
#include "sinks/lambda.h"

#include "base/base64.h"
#include "base/mem.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

extern const struct sink_ops lambda_sink;

enum {
    HEADERS_MAX = 6,
    /* The remote end enforces its own timeout; this much longer we wait for its word. */
    MARGIN_MS = 5000,
};

struct lambda {
    struct sink sink;
    const char *endpoint, *name, *qualifier;
    bool emulator;
    char *path, *query;
    struct list waiting; /* emulator: one call at a time */
    struct lambda_trip *out;
    struct task next;
};

struct lambda_trip {
    struct aws_call call;
    struct list node; /* in waiting */
    struct lambda *lambda;
    struct delivery *delivery;
    const char *headers[HEADERS_MAX];
    char *trace, *context;
};

static const struct option options[] = {
    OPT_STRING(struct lambda, endpoint, "InvokeEndpoint", NULL, OPTION_X | OPTION_SELECTS,
               "Base URL of a Lambda API whose Invoke is called."),
    OPT_STRING(struct lambda, name, "FunctionName", NULL, 0,
               "The function's name or ARN there; default: its name here."),
    OPT_STRING(struct lambda, qualifier, "Qualifier", NULL, OPTION_X,
               "Version or alias that is invoked there."),
    OPT_BOOL(struct lambda, emulator, "Emulator", "false", OPTION_X,
             "It is a Runtime Interface Emulator: one call at a time, errors told by the body."),
    OPT_END,
};

static struct lambda *lambda_of(struct sink *s)
{
    return container_of(s, struct lambda, sink);
}

static bool allowed(const char *text, const char *punctuation, size_t most)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && strchr(punctuation, text[i]) == NULL)
            return false;
    return n > 0 && n <= most;
}

static bool check(struct sink *s, struct error *err)
{
    struct lambda *l = lambda_of(s);
    struct slice url = slice_of(l->endpoint);
    if (memchr(url.p, '@', url.n) != NULL)
        return error_set(err, ERROR_CONFIG,
                         "InvokeEndpoint: credentials do not belong into a URL; requests are "
                         "signed by those of the environment or the profile");
    if (!http_base_url(url))
        return error_set(err, ERROR_CONFIG,
                         "InvokeEndpoint: \"%.200s\" must be a URL such as http://127.0.0.1:9001",
                         url.p);
    if (l->name != NULL && !allowed(l->name, "-_:$", 170))
        return error_set(err, ERROR_CONFIG,
                         "FunctionName: \"%.170s\" is neither a function's name nor an ARN",
                         l->name);
    if (l->qualifier != NULL && !allowed(l->qualifier, "-_$", 128))
        return error_set(err, ERROR_CONFIG, "Qualifier: \"%.128s\" is not a version or an alias",
                         l->qualifier);
    if (l->emulator &&
        ((l->name != NULL && strcmp(l->name, "function") != 0) || l->qualifier != NULL))
        return error_set(
            err, ERROR_CONFIG,
            "Emulator: it has one function, named function; leave out FunctionName and "
            "Qualifier");
    return true;
}

/* What may not stand in a path or query as it is: ':' and '$' of what check allows. */
static char *escape(const char *text)
{
    struct buf out;
    buf_init(&out, 1024);
    for (; *text != '\0'; text++)
        if (*text == ':' || *text == '$')
            buf_printf(&out, "%%%02X", (unsigned)(unsigned char)*text);
        else
            buf_char(&out, *text);
    return buf_steal(&out);
}

static void send_next(struct task *);

static bool open_sink(struct sink *s, struct error *err)
{
    (void)err;
    struct lambda *l = lambda_of(s);
    const char *name = l->emulator ? "function" : l->name != NULL ? l->name : s->function->name;
    char *escaped = escape(name);
    l->path = mem_printf("/2015-03-31/functions/%s/invocations", escaped);
    free(escaped);
    l->query = NULL;
    if (l->qualifier != NULL) {
        escaped = escape(l->qualifier);
        l->query = mem_printf("Qualifier=%s", escaped);
        free(escaped);
    }
    list_init(&l->waiting);
    task_init(&l->next, send_next);
    return true;
}

static void trip_free(struct lambda_trip *t)
{
    struct lambda *l = t->lambda;
    list_remove(&t->node);
    if (l->out == t) {
        l->out = NULL;
        if (!list_empty(&l->waiting))
            loop_defer(l->sink.env->loop, &l->next);
    }
    t->delivery->impl = NULL;
    aws_call_clear(&t->call);
    free(t->trace);
    free(t->context);
    free(t);
}

static void trip_done(struct aws_call *call)
{
    struct lambda_trip *t = container_of(call, struct lambda_trip, call);
    struct delivery *d = t->delivery;
    if (t->lambda->emulator)
        lambda_judge_emulator(d, call);
    else
        lambda_judge(d, call);
    if (call->http.result == HTTP_DONE && call->http.status == 403)
        aws_client_refresh(t->lambda->sink.env->aws);
    trip_free(t);
    delivery_done(d);
}

static char *context_line(const char *context)
{
    struct buf out;
    buf_init(&out, 16 * 1024);
    buf_str(&out, "X-Amz-Client-Context: ");
    base64_encode(&out, slice_of(context));
    return buf_steal(&out);
}

static struct lambda_trip *trip_new(struct lambda *l, struct delivery *d)
{
    struct lambda_trip *t = mem_alloc(sizeof *t);
    size_t n = 0;
    list_init(&t->node);
    t->lambda = l;
    t->delivery = d;
    d->impl = t;
    t->headers[n++] = "Content-Type: application/json";
    t->headers[n++] = "X-Amz-Invocation-Type: RequestResponse";
    if (d->log_tail)
        t->headers[n++] = "X-Amz-Log-Type: Tail";
    if (d->trace != NULL)
        t->headers[n++] = t->trace = mem_printf("X-Amzn-Trace-Id: %s", d->trace);
    if (d->client_context != NULL)
        t->headers[n++] = t->context = context_line(d->client_context);
    t->call.service = "lambda";
    t->call.endpoint = l->endpoint;
    t->call.path = l->path;
    t->call.query = l->query;
    t->call.headers = t->headers;
    t->call.n_headers = n;
    t->call.body = d->payload;
    t->call.timeout_ms = d->timeout_ms + MARGIN_MS;
    t->call.max_response_bytes = RESPONSE_MAX_BYTES;
    t->call.done = trip_done;
    return t;
}

static void send_next(struct task *task)
{
    struct lambda *l = container_of(task, struct lambda, next);
    if (l->out != NULL || list_empty(&l->waiting))
        return;
    l->out = container_of(l->waiting.next, struct lambda_trip, node);
    list_remove(&l->out->node);
    aws_call_start(l->sink.env->aws, &l->out->call);
}

static void send_delivery(struct sink *s, struct delivery *d)
{
    struct lambda *l = lambda_of(s);
    struct lambda_trip *t = trip_new(l, d);
    if (!l->emulator) {
        aws_call_start(s->env->aws, &t->call);
        return;
    }
    list_append(&l->waiting, &t->node);
    if (l->out == NULL)
        loop_defer(s->env->loop, &l->next);
}

static void cancel(struct sink *s, struct delivery *d)
{
    struct lambda *l = lambda_of(s);
    struct lambda_trip *t = d->impl;
    if (!l->emulator || l->out == t)
        aws_call_cancel(s->env->aws, &t->call);
    trip_free(t);
}

static void close_sink(struct sink *s)
{
    struct lambda *l = lambda_of(s);
    task_cancel(&l->next);
    free(l->path);
    free(l->query);
    l->path = l->query = NULL;
}

const struct sink_ops lambda_sink = {
    .type = "lambda",
    .doc = "A Lambda Invoke API: AWS, an emulator, another gateway.",
    .size = sizeof(struct lambda),
    .options = options,
    .check = check,
    .open = open_sink,
    .send = send_delivery,
    .cancel = cancel,
    .close = close_sink,
};
