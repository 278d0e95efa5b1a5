/* invoke.c - Lambda's Invoke: one HTTP request, one invocation, one answer; invoke-api.md 1. */
#include "api/api_parts.h"
#include "base/base64.h"
#include "base/json_in.h"
#include "base/mem.h"
#include "base/rand.h"
#include <stdlib.h>
#include <string.h>

enum { CLIENT_CONTEXT_MAX = 3583, NAME_MAX_BYTES = 170 };

struct invocation {
    struct list node; /* in api->pending */
    struct api *api;
    struct http_request *req;
    struct function *function;
    struct delivery d;
    struct buf payload, client_context, trace;
};

static const struct api_error not_found = {404, "ResourceNotFoundException", "User", "Message",
                                           NULL};
static const struct api_error bad_value = {400, "InvalidParameterValueException", "User", "message",
                                           NULL};
static const struct api_error bad_content = {400, "InvalidRequestContentException", "User",
                                             "message", NULL};
static const struct api_error invalid = {400, "ValidationException", NULL, "message", NULL};
static const struct api_error too_large = {413, "RequestTooLargeException", "User", "message",
                                           NULL};
static const struct api_error busy_reserved = {429, "TooManyRequestsException", "User", "message",
                                               "ReservedFunctionConcurrentInvocationLimitExceeded"};
static const struct api_error busy_account = {429, "TooManyRequestsException", "User", "message",
                                              "ConcurrentInvocationLimitExceeded"};
static const struct api_error broken = {500, "ServiceException", "Service", "message", NULL};
static const struct api_error going = {503, "ServiceUnavailableException", "Service", "message",
                                       NULL};

static void invocation_free(struct invocation *v)
{
    list_remove(&v->node);
    v->api->n_pending--;
    delivery_clear(&v->d);
    buf_free(&v->payload);
    buf_free(&v->client_context);
    buf_free(&v->trace);
    free(v);
}

/* ---- which function ---- */

struct target {
    struct slice name, qualifier; /* into the decoded path */
};

/* name, ACCOUNT:function:name, arn:…:function:name, each optionally :qualifier */
static struct target split_name(struct slice decoded)
{
    struct slice rest = decoded;
    static const char mark[] = "function:";
    for (size_t i = 0; i + sizeof mark - 1 <= decoded.n; i++)
        if (memcmp(decoded.p + i, mark, sizeof mark - 1) == 0 &&
            (i == 0 || decoded.p[i - 1] == ':')) {
            rest = slice_from(decoded, i + sizeof mark - 1);
            break;
        }
    struct target t;
    t.name = slice_cut(&rest, ':');
    t.qualifier = rest;
    return t;
}

static struct function *find(struct api *a, struct http_request *req, struct slice name,
                             struct buf *decoded, const char *request_id)
{
    if (!http_percent_decode(name, decoded) || decoded->n > NAME_MAX_BYTES) {
        api_reply_error(req, &bad_value, request_id, "The function name is not valid.");
        return NULL;
    }
    struct target t = split_name(buf_slice(decoded));
    struct buf asked;
    buf_init(&asked, 512);
    http_query_get(req->query, "Qualifier", &asked);
    struct function *f = NULL;
    if (t.qualifier.n > 0 && asked.n > 0 && !slice_eq(t.qualifier, buf_slice(&asked))) {
        api_reply_error(req, &bad_value, request_id,
                        "The derived qualifier from the function name does not match the "
                        "specified qualifier.");
    } else {
        struct slice q = asked.n > 0 ? buf_slice(&asked) : t.qualifier;
        f = a->host->function(a->host->ctx, t.name);
        if (f == NULL || (q.n > 0 && !slice_is(q, "$LATEST"))) {
            api_reply_error(req, &not_found, request_id,
                            "Function not found: arn:aws:lambda:%s:%s:function:" SLICE_FMT
                            "%s" SLICE_FMT,
                            a->env->region, a->env->account_id, SLICE_ARG(t.name),
                            q.n > 0 ? ":" : "", SLICE_ARG(q));
            f = NULL;
        }
    }
    buf_free(&asked);
    return f;
}

/* ---- what is asked ---- */

enum kind { KIND_RUN, KIND_DRY, KIND_REFUSED };

static enum kind read_type(struct http_request *req, const char *request_id)
{
    struct slice type = http_request_header(req, "X-Amz-Invocation-Type");
    if (type.n == 0 || slice_is(type, "RequestResponse"))
        return KIND_RUN;
    if (slice_is(type, "DryRun"))
        return KIND_DRY;
    if (slice_is(type, "Event"))
        api_reply_error(req, &bad_value, request_id,
                        "InvocationType Event is not supported by this build; use "
                        "RequestResponse or DryRun.");
    else
        api_reply_error(req, &invalid, request_id,
                        "1 validation error detected: Value '" SLICE_FMT
                        "' at 'invocationType' failed to satisfy constraint: Member must satisfy "
                        "enum value set: [Event, RequestResponse, DryRun]",
                        SLICE_ARG(type));
    return KIND_REFUSED;
}

static bool read_log_type(struct invocation *v)
{
    struct slice type = http_request_header(v->req, "X-Amz-Log-Type");
    v->d.log_tail = slice_is(type, "Tail");
    if (type.n == 0 || v->d.log_tail || slice_is(type, "None"))
        return true;
    api_reply_error(v->req, &invalid, v->d.request_id,
                    "1 validation error detected: Value '" SLICE_FMT
                    "' at 'logType' failed to satisfy constraint: Member must satisfy enum value "
                    "set: [None, Tail]",
                    SLICE_ARG(type));
    return false;
}

static bool read_client_context(struct invocation *v)
{
    struct slice text = http_request_header(v->req, "X-Amz-Client-Context");
    size_t at;
    if (text.n == 0)
        return true;
    if (text.n <= CLIENT_CONTEXT_MAX && base64_decode(&v->client_context, text) &&
        json_valid(buf_slice(&v->client_context), &at)) {
        v->d.client_context = v->client_context.p;
        return true;
    }
    api_reply_error(v->req, &bad_content, v->d.request_id,
                    "Client context must be a valid Base64-encoded JSON object of at most 3583 "
                    "bytes.");
    return false;
}

static bool read_payload(struct invocation *v)
{
    size_t at = 0;
    if (v->req->too_large || v->req->body.n > PAYLOAD_MAX_BYTES) {
        api_reply_error(v->req, &too_large, v->d.request_id,
                        "Request must be smaller than %d bytes for the InvokeFunction operation",
                        PAYLOAD_MAX_BYTES);
        return false;
    }
    if (v->req->body.n == 0) {
        v->d.payload = SLICE("{}");
        return true;
    }
    if (!json_valid(v->req->body, &at)) {
        api_reply_error(v->req, &bad_content, v->d.request_id,
                        "Could not parse request body into json: Could not parse payload into "
                        "json: unexpected input at byte %zu",
                        at);
        return false;
    }
    v->payload = http_request_take_body(v->req);
    v->d.payload = buf_slice(&v->payload);
    return true;
}

/* ---- the answer ---- */

static void reply_result(struct invocation *v)
{
    struct reply *r = &v->d.reply;
    struct http_header h[6] = {{"Content-Type", SLICE("application/json")},
                               {"X-Amz-Executed-Version", SLICE("$LATEST")},
                               {"x-amzn-RequestId", slice_of(v->d.request_id)}};
    size_t n = 3;
    struct buf log;
    buf_init(&log, 8192);
    if (v->d.trace != NULL)
        h[n++] = (struct http_header){"X-Amzn-Trace-Id", slice_of(v->d.trace)};
    if (r->function_error != NULL)
        h[n++] = (struct http_header){"X-Amz-Function-Error", slice_of(r->function_error)};
    if (v->d.log_tail && base64_encode(&log, buf_slice(&r->log_tail)))
        h[n++] = (struct http_header){"X-Amz-Log-Result", buf_slice(&log)};
    if (r->body.n == 0)
        http_reply(v->req, 200, h, n, SLICE("null"));
    else
        http_reply_buf(v->req, 200, h, n, &r->body);
    buf_free(&log);
}

static void reply_busy(struct invocation *v)
{
    bool reserved = function_settings(v->function)->reserved >= 0;
    api_reply_error(v->req, reserved ? &busy_reserved : &busy_account, v->d.request_id,
                    "Rate Exceeded.");
}

static void on_done(struct delivery *d)
{
    struct invocation *v = container_of(d, struct invocation, d);
    switch (d->reply.outcome) {
    case OUTCOME_OK:
    case OUTCOME_FAILED:
    case OUTCOME_TIMEOUT:
        reply_result(v);
        break;
    case OUTCOME_THROTTLED:
        reply_busy(v);
        break;
    case OUTCOME_REJECTED:
        api_reply_error(v->req, &too_large, d->request_id, "%s", d->reply.detail);
        break;
    case OUTCOME_UNREACHABLE:
        api_reply_error(v->req, &broken, d->request_id, "The function could not be reached: %s",
                        d->reply.detail);
        break;
    }
    invocation_free(v);
}

static struct invocation *invocation_new(struct api *a, struct http_request *req,
                                         const char *request_id)
{
    struct invocation *v = mem_alloc(sizeof *v);
    v->api = a;
    v->req = req;
    v->d.done = on_done;
    v->d.reply.retry_after_ms = -1;
    memcpy(v->d.request_id, request_id, UUID_LEN + 1);
    buf_init(&v->payload, 0);
    buf_init(&v->client_context, CLIENT_CONTEXT_MAX);
    buf_init(&v->trace, 512);
    list_append(&a->pending, &v->node);
    a->n_pending++;
    return v;
}

static void read_names(struct invocation *v)
{
    struct slice trace = http_request_header(v->req, "X-Amzn-Trace-Id");
    if (trace.n > 0 && buf_put(&v->trace, trace))
        v->d.trace = v->trace.p;
}

void invoke_handle(struct api *a, struct http_request *req, struct slice name)
{
    char request_id[UUID_LEN + 1];
    rand_uuid(request_id);
    if (!a->host->ready(a->host->ctx)) {
        api_reply_error(req, &going, request_id, "The gateway is starting or stopping.");
        return;
    }
    buf_clear(&a->scratch);
    struct function *f = find(a, req, name, &a->scratch, request_id);
    if (f == NULL)
        return;
    enum kind kind = read_type(req, request_id);
    if (kind == KIND_REFUSED)
        return;
    struct invocation *v = invocation_new(a, req, request_id);
    v->function = f;
    if (!read_log_type(v) || !read_client_context(v) || !read_payload(v)) {
        invocation_free(v);
        return;
    }
    if (kind == KIND_DRY) {
        struct http_header h = {"x-amzn-RequestId", slice_of(request_id)};
        http_reply(req, 204, &h, 1, SLICE_NONE);
        invocation_free(v);
        return;
    }
    read_names(v);
    if (!function_take_slot(f)) {
        function_count_throttle(f);
        reply_busy(v);
        invocation_free(v);
        return;
    }
    function_send(f, &v->d);
}

void invoke_cancel_all(struct api *a)
{
    while (!list_empty(&a->pending)) {
        struct invocation *v = container_of(a->pending.next, struct invocation, node);
        function_cancel(v->function, &v->d);
        api_reply_error(v->req, &going, v->d.request_id, "The gateway is stopping.");
        invocation_free(v);
    }
}
