/* api.c - routes of the Api address. */
#include "api/api.h"

#include "api/api_parts.h"
#include "api/api_web.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "io/metrics.h"
#include <stdio.h>
#include <stdlib.h>

enum {
    METRICS_MAX = 16 * 1024 * 1024,
    /* A batch of 1 MiB whose writer escaped every byte of it (\u003c), and what is around it. An
     * invocation's payload is smaller: invoke.c looks. */
    BODY_MAX = 7 * 1024 * 1024,
};

void api_reply_error(struct http_request *req, const struct api_error *e, const char *request_id,
                     const char *fmt, ...)
{
    struct buf text, body;
    struct json_out out;
    va_list args;
    buf_init(&text, 8192);
    buf_init(&body, 65536);
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    json_out_init(&out, &body);
    json_object(&out);
    if (e->reason != NULL)
        json_kv_cstr(&out, "Reason", e->reason);
    if (e->type != NULL)
        json_kv_cstr(&out, "Type", e->type);
    json_kv_str(&out, e->member, buf_slice(&text));
    json_end(&out);
    struct http_header headers[4] = {{"Content-Type", SLICE("application/json")},
                                     {"x-amzn-ErrorType", slice_of(e->name)},
                                     {"x-amzn-RequestId", slice_of(request_id)}};
    size_t n = 3;
    if (e->reason != NULL)
        headers[n++] = (struct http_header){"Retry-After", SLICE("1")};
    http_reply(req, e->status, headers, n, buf_slice(&body));
    buf_free(&text);
    buf_free(&body);
}

static void reply_text(struct http_request *req, int status, const char *type, struct slice body)
{
    struct http_header h = {"Content-Type", slice_of(type)};
    http_reply(req, status, &h, 1, body);
}

static void on_health(struct api *a, struct http_request *req)
{
    (void)a;
    reply_text(req, 200, "text/plain", SLICE("ok\n"));
}

static void on_ready(struct api *a, struct http_request *req)
{
    struct buf body;
    buf_init(&body, 1 << 20);
    bool ready = a->host->ready(a->host->ctx);
    buf_str(&body, ready ? "ready\n" : "draining\n");
    a->host->problems(a->host->ctx, &body);
    reply_text(req, ready ? 200 : 503, "text/plain", buf_slice(&body));
    buf_free(&body);
}

static void on_metrics(struct api *a, struct http_request *req)
{
    struct buf body;
    buf_init(&body, METRICS_MAX);
    a->host->report(a->host->ctx);
    metrics_render(a->env->metrics, &body);
    reply_text(req, 200, "text/plain; version=0.0.4", buf_slice(&body));
    buf_free(&body);
}

static const struct {
    const char *path;
    void (*handle)(struct api *, struct http_request *);
    bool open; /* tells nothing that a web page may not know */
} pages[] = {
    {"/healthz", on_health, true}, {"/readyz", on_ready, true}, {"/metrics", on_metrics, false}};

static bool try_pages(struct api *a, struct http_request *req, bool open)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (pages[i].open == open && slice_is(req->path, pages[i].path) &&
            (slice_is(req->method, "GET") || slice_is(req->method, "HEAD"))) {
            pages[i].handle(a, req);
            return true;
        }
    return false;
}

static const struct api_error unknown_path = {404, "UnknownOperationException", NULL, "message",
                                              NULL};
static const struct api_error starting = {503, "ServiceUnavailableException", NULL, "message",
                                          NULL};
static const struct api_error not_for_pages = {403, "AccessDeniedException", NULL, "message", NULL};

/* Who signs has a secret that no page has. */
static bool may_ask(struct api *a, struct http_request *req)
{
    const struct api_web_request r = {http_request_header(req, "Host"),
                                      http_request_header(req, "Origin"),
                                      http_request_header(req, "Sec-Fetch-Site")};
    const char *problem = a->env->own_credentials == NULL ? api_web_problem(a->address, &r) : NULL;
    if (problem != NULL)
        api_reply_error(req, &not_for_pages, "", "%s", problem);
    return problem == NULL;
}

static void handle(struct http_request *req)
{
    struct api *a = req->ctx;
    if (try_pages(a, req, true) || !may_ask(a, req) || a->host->handle(a->host->ctx, req) ||
        try_pages(a, req, false))
        return;
    static const char prefix[] = "/2015-03-31/functions/", suffix[] = "/invocations";
    struct slice p = req->path;
    if (slice_is(req->method, "POST") && slice_starts(p, prefix) && slice_ends(p, suffix) &&
        p.n > sizeof prefix + sizeof suffix - 2) {
        p = slice_from(p, sizeof prefix - 1);
        p.n -= sizeof suffix - 1;
        if (api_is_signed(a, req))
            invoke_handle(a, req, p);
        return;
    }
    if (!a->host->ready(a->host->ctx)) { /* somebody's who is not there yet, or no more */
        api_reply_error(req, &starting, "", "The gateway is starting or stopping.");
        return;
    }
    api_reply_error(req, &unknown_path, "",
                    "No operation of this build answers " SLICE_FMT " " SLICE_FMT
                    "; it has POST /2015-03-31/functions/NAME/invocations, SQS (X-Amz-Target: "
                    "AmazonSQS.Operation, or a form with Action and Version=2012-11-05), GET "
                    "/healthz, GET /readyz and GET /metrics",
                    SLICE_ARG(req->method), SLICE_ARG(req->path));
}

struct api *api_open(const struct env *env, const struct api_host *host, const char *address,
                     uint16_t port, struct error *err)
{
    struct api *a = mem_alloc(sizeof *a);
    a->env = env;
    a->host = host;
    list_init(&a->pending);
    buf_init(&a->scratch, 4096);
    a->listener = http_listen(env->server, address, port, BODY_MAX, handle, a, err);
    if (a->listener == NULL) {
        free(a);
        return NULL;
    }
    a->address = mem_strdup(address);
    return a;
}

uint16_t api_port(const struct api *a)
{
    return http_listener_port(a->listener);
}

size_t api_pending(const struct api *a)
{
    return a->n_pending;
}

void api_stop(struct api *a)
{
    if (a->listener != NULL)
        http_listener_close(a->listener);
    a->listener = NULL;
}

void api_cancel(struct api *a)
{
    invoke_cancel_all(a);
}

void api_close(struct api *a)
{
    if (a == NULL)
        return;
    api_cancel(a);
    api_stop(a);
    buf_free(&a->scratch);
    free(a->address);
    free(a);
}
