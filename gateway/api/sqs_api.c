/* sqs_api.c - recognises requests to SQS, checks who signed them, and hands them to their
 * operation. */
#include "api/sqs_api.h"

#include "api/sqs_address.h"
#include "api/sqs_form.h"
#include "api/sqs_ops.h"
#include "api/sqs_turn.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include <stdlib.h>
#include <string.h>

enum {
    DOCUMENT_MAX = 16 * 1024 * 1024, /* the listener has limited bodies before */
    KEEP_BODY = 16 * 1024,           /* larger bodies are freed as soon as they are read */
};

static const char target_prefix[] = "AmazonSQS.";
static const char peek_prefix[] = "/_penstock/queues/", peek_suffix[] = "/peek";
static const char version[] = "2012-11-05";

struct sqs_api *sqs_api_new(const struct env *env, struct queues *queues,
                            const struct sqs_api_options *options)
{
    struct sqs_api *api = mem_alloc(sizeof *api);
    api->env = env;
    api->queues = queues;
    api->options = *options;
    list_init(&api->calls);
    list_init(&api->turns);
    task_init(&api->wake, sqs_turn_wake);
    return api;
}

size_t sqs_api_pending(const struct sqs_api *api)
{
    return api->n_calls;
}

void sqs_api_stop(struct sqs_api *api)
{
    api->stopping = true;
    list_each(&api->calls, it)
    {
        struct sqs_call *c = container_of(it, struct sqs_call, node);
        if (c->hurry != NULL)
            c->hurry(c);
    }
}

void sqs_api_free(struct sqs_api *api)
{
    if (api == NULL)
        return;
    sqs_api_stop(api);
    sqs_turn_abandon(api);
    while (!list_empty(&api->calls))
        sqs_call_orphan(container_of(api->calls.next, struct sqs_call, node));
    task_cancel(&api->wake);
    explicit_bzero(&api->keys, sizeof api->keys);
    free(api);
}

/* ---- signatures ---- */

struct header_list {
    struct sigv4_header v[SIGV4_HEADERS_MAX];
    size_t n;
};

static void add_header(void *ctx, struct slice name, struct slice value)
{
    struct header_list *l = ctx;
    if (l->n < ARRAY_LEN(l->v))
        l->v[l->n++] = (struct sigv4_header){name, value};
}

static enum sigv4_verdict verify(struct sqs_api *api, struct http_request *req)
{
    struct header_list headers;
    headers.n = 0;
    http_request_headers(req, add_header, &headers);
    const struct sigv4_request r = {.method = req->method,
                                    .path = req->path,
                                    .query = req->query,
                                    .headers = headers.v,
                                    .n_headers = headers.n,
                                    .payload = req->body,
                                    .service = "sqs",
                                    .keys = &api->keys};
    return sigv4_verify(&r, api->options.credentials, loop_wall(api->env->loop));
}

static bool expired(struct sqs_call *c)
{
    char now[TIMEFMT_MAX], bound[TIMEFMT_MAX];
    int64_t now_ms = loop_wall(c->api->env->loop);
    struct slice date = http_request_header(c->req, "x-amz-date");
    timefmt_amz(now_ms, now);
    bool late = date.n > 0 && memcmp(date.p, now, date.n < strlen(now) ? date.n : strlen(now)) < 0;
    timefmt_amz(late ? now_ms - SIGV4_SKEW_MS : now_ms + SIGV4_SKEW_MS, bound);
    return sqs_problem_set(
        &c->problem, SQS_ERROR_SIGNATURE,
        late ? "Signature expired: " SLICE_FMT " is now earlier than %s (%s - 15 min.)"
             : "Signature not yet current: " SLICE_FMT " is still later than %s (%s + 15 min.)",
        SLICE_ARG(date), bound, now);
}

static bool check_signature(struct sqs_call *c)
{
    if (c->api->options.credentials == NULL)
        return true;
    switch (verify(c->api, c->req)) {
    case SIGV4_VALID:
        return true;
    case SIGV4_MISSING:
        return sqs_problem_set(&c->problem, SQS_ERROR_NOT_SIGNED,
                               "Request is missing Authentication Token");
    case SIGV4_UNKNOWN_KEY:
        return sqs_problem_set(&c->problem, SQS_ERROR_TOKEN,
                               "The security token included in the request is invalid.");
    case SIGV4_EXPIRED:
        return expired(c);
    case SIGV4_MISMATCH:
        return sqs_problem_set(&c->problem, SQS_ERROR_SIGNATURE,
                               "The request signature we calculated does not match the signature "
                               "you provided. Check your AWS Secret Access Key and signing method. "
                               "Consult the service documentation for details.");
    case SIGV4_MALFORMED:
        break;
    }
    return sqs_problem_set(&c->problem, SQS_ERROR_INCOMPLETE,
                           "Authorization header requires 'Credential', 'SignedHeaders' and "
                           "'Signature' parameters of AWS4-HMAC-SHA256 for the service 'sqs', and "
                           "'host' and 'x-amz-date' among the signed headers.");
}

/* ---- documents ---- */

static bool too_large(struct sqs_call *c)
{
    if (!c->req->too_large)
        return false;
    sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                    "One or more parameters are invalid. Reason: Message must be shorter than %d "
                    "bytes.",
                    QUEUE_BODY_MAX);
    return true;
}

/* NUL and lone surrogates are JSON, but no text; what else is wrong is no JSON at all. */
static bool parse(struct sqs_call *c, struct slice document)
{
    size_t at;
    c->root = json_parse(document, DOCUMENT_MAX, NULL);
    if (json_type(c->root) == JSON_OBJECT)
        return true;
    if (c->root == NULL && json_valid(document, &at))
        return sqs_problem_set(&c->problem, SQS_ERROR_CONTENTS,
                               "Invalid characters found. Valid unicode characters are #x9 | #xA | "
                               "#xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF");
    return sqs_problem_set(&c->problem, SQS_ERROR_SYNTAX, "The request is not a JSON object.");
}

static void free_body(struct http_request *req)
{
    if (req->body.n <= KEEP_BODY)
        return;
    struct buf body = http_request_take_body(req);
    buf_free(&body);
}

/* The tree holds all that is needed from here on. */
static void begin(struct sqs_call *c)
{
    free_body(c->req);
    sqs_ops_run(c);
}

/* ---- the two protocols ---- */

static void handle_json(struct sqs_api *api, struct http_request *req, struct slice operation)
{
    struct sqs_call *c = sqs_call_new(api, req, false);
    if (!check_signature(c)) {
        sqs_call_refuse(c);
        return;
    }
    c->op = sqs_ops_find(operation);
    if (c->op == NULL) {
        sqs_call_fail(c, SQS_ERROR_OPERATION, "The operation " SLICE_FMT " is not one of SQS.",
                      SLICE_ARG(operation));
        return;
    }
    if (too_large(c) || !parse(c, req->body.n > 0 ? req->body : SLICE("{}")))
        sqs_call_refuse(c);
    else
        begin(c);
}

static void handle_form(struct sqs_api *api, struct http_request *req, const struct sqs_form *f)
{
    struct sqs_call *c = sqs_call_new(api, req, true);
    struct slice action = sqs_form_get(f, "Action");
    struct buf document;
    if (!check_signature(c)) {
        sqs_call_refuse(c);
        return;
    }
    c->op = sqs_ops_find(action);
    if (c->op == NULL) {
        sqs_call_fail(c, SQS_ERROR_OPERATION,
                      "The action " SLICE_FMT " is not valid for this endpoint.",
                      SLICE_ARG(action));
        return;
    }
    buf_init(&document, DOCUMENT_MAX);
    sqs_form_json(f, &document);
    bool ok = !too_large(c) && parse(c, buf_slice(&document));
    buf_free(&document);
    if (ok)
        begin(c);
    else
        sqs_call_refuse(c);
}

static bool has(struct slice text, const char *part)
{
    return text.n > 0 && memmem(text.p, text.n, part, strlen(part)) != NULL;
}

static bool is_form(const struct http_request *req)
{
    static const char type[] = "application/x-www-form-urlencoded";
    struct slice got = http_request_header(req, "content-type");
    got.n = got.n < sizeof type - 1 ? got.n : sizeof type - 1;
    return slice_is_ci(got, type);
}

/* Version may be left out by people with curl, when nobody else can be meant. */
static bool is_ours(const struct sqs_form *f)
{
    struct slice action = sqs_form_get(f, "Action"), wanted = sqs_form_get(f, "Version");
    return action.n > 0 &&
           (wanted.p == NULL ? sqs_ops_find(action) != NULL : slice_is(wanted, version));
}

/* One that cannot be read: SQS, unless it names another service's version. */
static bool may_be_ours(struct slice query, struct slice body)
{
    return has(query, version) || has(body, version) ||
           (!has(query, "Version=") && !has(body, "Version="));
}

static bool try_form(struct sqs_api *api, struct http_request *req)
{
    bool post = slice_is(req->method, "POST");
    struct slice body = post && is_form(req) ? req->body : SLICE_NONE;
    struct sqs_form form;
    if ((!post && !slice_is(req->method, "GET")) || !sqs_address_is_path(req->path))
        return false;
    if (post && req->too_large && is_form(req)) { /* nobody else takes forms here */
        struct sqs_call *c = sqs_call_new(api, req, true);
        too_large(c);
        sqs_call_refuse(c);
        return true;
    }
    if (!has(req->query, "Action=") && !has(body, "Action="))
        return false;
    bool readable = sqs_form_read(&form, req->query, body);
    bool ours = readable ? is_ours(&form) : may_be_ours(req->query, body);
    if (ours && readable)
        handle_form(api, req, &form);
    else if (ours)
        sqs_call_fail(sqs_call_new(api, req, true), SQS_ERROR_SYNTAX,
                      "The form is not readable: escapes, UTF-8, or more than %d parameters.",
                      SQS_FORM_PAIRS_MAX);
    sqs_form_free(&form);
    return ours;
}

static bool try_peek(struct sqs_api *api, struct http_request *req)
{
    struct slice name = req->path;
    if (!slice_is(req->method, "GET") || !slice_starts(name, peek_prefix) ||
        !slice_ends(name, peek_suffix) || name.n < sizeof peek_prefix + sizeof peek_suffix - 2)
        return false;
    name = slice_from(name, sizeof peek_prefix - 1);
    name.n -= sizeof peek_suffix - 1;
    struct sqs_call *c = sqs_call_new(api, req, false);
    c->op = &sqs_ops_peek;
    if (check_signature(c) && sqs_address_resolve_name(c, name))
        c->op->run(c);
    else
        sqs_call_refuse(c);
    return true;
}

bool sqs_api_handle(struct sqs_api *api, struct http_request *req)
{
    struct slice target = http_request_header(req, "x-amz-target");
    if (slice_starts(target, target_prefix)) {
        handle_json(api, req, slice_from(target, sizeof target_prefix - 1));
        return true;
    }
    return try_peek(api, req) || try_form(api, req);
}
