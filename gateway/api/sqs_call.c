/* sqs_call.c - the life of a request to the SQS API, and how it is answered. */
#include "api/sqs_call.h"

#include "api/sqs_turn.h"
#include "base/mem.h"
#include "base/rand.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMESPACE "http://queue.amazonaws.com/doc/2012-11-05/"

enum { HOST_MAX = 255, HEADERS = 3 };

struct sqs_call *sqs_call_new(struct sqs_api *api, struct http_request *req, bool query)
{
    struct sqs_call *c = mem_alloc(sizeof *c);
    c->api = api;
    c->req = req;
    c->query = query;
    arena_init(&c->arena);
    list_append(&api->calls, &c->node);
    api->n_calls++;
    return c;
}

static void call_free(struct sqs_call *c)
{
    if (c->api != NULL) {
        sqs_turn_end(c);
        list_remove(&c->node);
        c->api->n_calls--;
    }
    if (c->drop != NULL)
        c->drop(c->state);
    else
        free(c->state);
    sqs_problem_clear(&c->problem);
    json_free(c->root);
    arena_free(&c->arena);
    free(c);
}

bool sqs_call_alive(struct sqs_call *c)
{
    if (c->api != NULL)
        return true;
    call_free(c);
    return false;
}

/* ---- answers ---- */

/* RequestId stands in the XML too. */
static void reply(struct sqs_call *c, int status, const char *request_id,
                  const struct http_header *extra, struct buf *body)
{
    struct http_header headers[HEADERS] = {
        {"x-amzn-RequestId", slice_of(request_id)},
        {"Content-Type", c->query ? SLICE("text/xml") : SLICE("application/x-amz-json-1.0")}};
    size_t n = 2;
    if (extra != NULL)
        headers[n++] = *extra;
    http_reply_buf(c->req, status, headers, n, body);
}

static void write_error(struct sqs_out *o, const struct sqs_error_facts *f, const char *text,
                        const char *request_id)
{
    if (!o->xml) {
        json_object(&o->json);
        sqs_out_cstr(o, "__type", f->type);
        sqs_out_cstr(o, "message", text);
        json_end(&o->json);
        return;
    }
    buf_str(&o->buf, "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"" NAMESPACE "\"><Error>");
    sqs_out_cstr(o, "Type", f->sender ? "Sender" : "Receiver");
    sqs_out_cstr(o, "Code", f->code);
    sqs_out_cstr(o, "Message", text);
    buf_str(&o->buf, "<Detail/></Error>");
    sqs_out_cstr(o, "RequestId", request_id);
    buf_str(&o->buf, "</ErrorResponse>");
}

static void tell_error(struct sqs_call *c, enum sqs_error error, const char *text)
{
    const struct sqs_error_facts *f = sqs_error_facts(error);
    struct sqs_out out;
    char request_id[UUID_LEN + 1], fault[128];
    rand_uuid(request_id);
    int n = snprintf(fault, sizeof fault, "%s;%s", f->code, f->sender ? "Sender" : "Receiver");
    struct http_header header = {"x-amzn-query-error", {fault, (size_t)n}};
    sqs_out_init(&out, c->query, 512);
    write_error(&out, f, text, request_id);
    reply(c, f->status, request_id, c->query ? NULL : &header, &out.buf);
}

void sqs_call_orphan(struct sqs_call *c)
{
    tell_error(c, SQS_ERROR_UNAVAILABLE, "The service is shutting down.");
    sqs_turn_end(c);
    list_remove(&c->node);
    c->api->n_calls--;
    c->api = NULL;
    c->req = NULL;
}

void sqs_call_refuse(struct sqs_call *c)
{
    assert(c->problem.text != NULL);
    tell_error(c, c->problem.error, c->problem.text);
    call_free(c);
}

void sqs_call_fail(struct sqs_call *c, enum sqs_error error, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    sqs_problem_vset(&c->problem, error, fmt, args);
    va_end(args);
    sqs_call_refuse(c);
}

void sqs_call_begin(struct sqs_call *c, struct sqs_out *o, size_t likely_bytes)
{
    sqs_out_init(o, c->query, likely_bytes + 256);
    if (!c->query) {
        if (c->op->result)
            json_object(&o->json);
        return;
    }
    buf_printf(&o->buf, "<?xml version=\"1.0\"?><%sResponse xmlns=\"" NAMESPACE "\">", c->op->name);
    if (c->op->result)
        buf_printf(&o->buf, "<%sResult>", c->op->name);
}

void sqs_call_send(struct sqs_call *c, struct sqs_out *o)
{
    char request_id[UUID_LEN + 1];
    rand_uuid(request_id);
    if (c->query) {
        if (c->op->result)
            buf_printf(&o->buf, "</%sResult>", c->op->name);
        buf_printf(&o->buf, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>",
                   request_id);
        buf_printf(&o->buf, "</%sResponse>", c->op->name);
    } else if (c->op->result) {
        json_end(&o->json);
    }
    if (o->buf.full) {
        sqs_out_free(o);
        tell_error(c, SQS_ERROR_FAILURE, "The answer is too large.");
    } else {
        reply(c, 200, request_id, NULL, &o->buf);
    }
    call_free(c);
}

void sqs_call_done(struct sqs_call *c)
{
    struct sqs_out out;
    sqs_call_begin(c, &out, 0);
    sqs_call_send(c, &out);
}

/* ---- what the engine said ---- */

static const struct {
    enum sqs_error error;
    const char *text;
} statuses[] = {
    [QUEUE_OK] = {SQS_ERROR_FAILURE, ""},
    [QUEUE_FULL] = {SQS_ERROR_UNAVAILABLE, "The store has no room at the moment."},
    [QUEUE_BROKEN] = {SQS_ERROR_FAILURE, "The store failed; the gateway's log says why."},
    [QUEUE_GONE] = {SQS_ERROR_NO_QUEUE, "The specified queue does not exist."},
    [QUEUE_HANDLE_INVALID] = {SQS_ERROR_HANDLE, "The input receipt handle is invalid."},
    [QUEUE_NOT_IN_FLIGHT] = {SQS_ERROR_VALUE,
                             "Message does not exist or is not available for visibility timeout "
                             "change."},
    [QUEUE_HANDLE_EXPIRED] = {SQS_ERROR_VALUE, "The receipt handle has expired."},
    [QUEUE_TOO_LONG] = {SQS_ERROR_VALUE,
                        "Total VisibilityTimeout for the message is beyond the limit [43200 "
                        "seconds]"},
    [QUEUE_PURGING] = {SQS_ERROR_PURGING,
                       "Only one PurgeQueue operation is allowed every 60 seconds."},
    [QUEUE_BUSY] = {SQS_ERROR_VALUE,
                    "There is already a task running. Only one active task is allowed for a "
                    "source queue arn at a given time."},
    [QUEUE_OVER_LIMIT] = {SQS_ERROR_OVER_LIMIT, "Too many messages of this queue are in flight."},
};

enum sqs_error sqs_call_error_of(enum queue_status s)
{
    return statuses[s].error;
}

const char *sqs_call_text_of(enum queue_status s)
{
    return statuses[s].text;
}

void sqs_call_status(struct sqs_call *c, enum queue_status s)
{
    if (s == QUEUE_GONE && c->query)
        sqs_call_fail(c, SQS_ERROR_NO_QUEUE,
                      "The specified queue does not exist for this wsdl version.");
    else
        sqs_call_fail(c, statuses[s].error, "%s", statuses[s].text);
}

/* ---- URLs ---- */

/* What a client may say that it called us; it ends up in URLs. */
static bool is_host(struct slice host)
{
    for (size_t i = 0; i < host.n; i++) {
        char ch = host.p[i];
        if ((ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') && (ch < '0' || ch > '9') &&
            memchr("-._:[]", ch, 6) == NULL)
            return false;
    }
    return host.n > 0 && host.n <= HOST_MAX;
}

struct slice sqs_call_url(struct sqs_call *c, const struct queue *q)
{
    struct slice host = http_request_header(c->req, "host");
    const char *account = c->api->env->account_id, *base = c->api->options.base_url;
    if (is_host(host))
        return slice_of(arena_printf(&c->arena, "http://" SLICE_FMT "/%s/%s", SLICE_ARG(host),
                                     account, queue_name(q)));
    return slice_of(arena_printf(&c->arena, "%s/%s/%s", base != NULL ? base : "http://localhost",
                                 account, queue_name(q)));
}
