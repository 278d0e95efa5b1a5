/* sqs_fake.h - one queue behind SQS's API in both protocols, in the test's own loop: it keeps the
 * life of each message and makes the faults that it is told to make. */
#ifndef TESTS_UNIT_SQS_FAKE_H
#define TESTS_UNIT_SQS_FAKE_H

#include "base/mem.h"
#include "tests/unit/sqs_fake_call.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_MESSAGES = 512 };

struct fake_message {
    char id[24], body[64], group[24];
    int64_t visible_ms;
    unsigned receives, deletes, extensions, releases;
    unsigned handle; /* the latest */
    bool deleted;
};

struct fake_fault {
    int times, status;
    const char *body; /* NULL: the connection is dropped */
};

struct fake {
    struct loop *loop;
    struct http_server *server;
    struct http_listener *listener;
    struct timer serve;
    struct list polls; /* struct fake_call */
    struct fake_message m[FAKE_MESSAGES];
    size_t n;
    int64_t second_ms, visibility_s;
    bool missing, query_only;
    bool old_handles_fail, old_handles_ignored; /* ElasticMQ; AWS, which answers that all is well */
    bool park;                                  /* batch requests wait for fake_unpark */
    struct list parked;                         /* struct fake_call */
    const char *wanted_key;                     /* only requests of this access key are answered */
    const char *bad_entry;                      /* this receipt's entry fails with the code below */
    const char *bad_code;
    bool omit_entry; /* the first entry of each batch is not answered */
    struct fake_fault fault[FAKE_OPS];
    int count[FAKE_OPS];
    size_t entries_max;
    int64_t promised, promised_max; /* MaxNumberOfMessages of the receives that are open */
    int64_t last_visibility_s;
    size_t open_polls, open_polls_max;
};

static inline struct fake_message *fake_put(struct fake *f, const char *body, const char *group)
{
    struct fake_message *m = &f->m[f->n];
    memset(m, 0, sizeof *m);
    snprintf(m->id, sizeof m->id, "m-%zu", f->n++);
    snprintf(m->body, sizeof m->body, "%s", body);
    snprintf(m->group, sizeof m->group, "%s", group ? group : "");
    return m;
}

static inline size_t fake_left(const struct fake *f)
{
    size_t left = 0;
    for (size_t i = 0; i < f->n; i++)
        left += !f->m[i].deleted;
    return left;
}

static inline void fake_fail(struct fake *f, enum sqs_op op, int times, int status,
                             const char *body)
{
    f->fault[op] = (struct fake_fault){times, status, body};
}

/* ---- answering; the JSON document is turned into XML by hand where it must be */

static inline void fake_answer(struct http_request *req, int status, const char *text)
{
    http_reply(req, status, NULL, 0, slice_of(text));
}

static inline void fake_free_call(struct fake_call *c)
{
    list_remove(&c->node);
    json_free(c->tree);
    free(c);
}

static inline void fake_message_text(const struct fake_call *c, const struct fake_message *m,
                                     size_t index, struct buf *out)
{
    if (c->json)
        buf_printf(out,
                   "%s{\"MessageId\":\"%s\",\"ReceiptHandle\":\"%zu-%u\",\"Body\":\"%s\","
                   "\"Attributes\":{\"ApproximateReceiveCount\":\"%u\",\"MessageGroupId\":"
                   "\"%s\",\"SentTimestamp\":\"1545082649183\"}}",
                   slice_ends(buf_slice(out), "}") ? "," : "", m->id, index, m->handle, m->body,
                   m->receives, m->group);
    else
        buf_printf(out,
                   "<Message><MessageId>%s</MessageId><ReceiptHandle>%zu-%u</ReceiptHandle>"
                   "<Body>%s</Body></Message>",
                   m->id, index, m->handle, m->body);
}

static inline bool fake_group_busy(const struct fake *f, const char *group, int64_t now)
{
    for (size_t i = 0; i < f->n; i++)
        if (!f->m[i].deleted && f->m[i].visible_ms > now && strcmp(f->m[i].group, group) == 0)
            return true;
    return false;
}

/* false: nothing to give. */
static inline bool fake_receive(struct fake *f, const struct fake_call *c, struct buf *out)
{
    int64_t now = loop_now(f->loop), taken = 0;
    int64_t hidden = (c->visibility_s >= 0 ? c->visibility_s : f->visibility_s) * f->second_ms;
    bool busy[FAKE_MESSAGES];
    for (size_t i = 0; i < f->n; i++)
        busy[i] = f->m[i].group[0] && fake_group_busy(f, f->m[i].group, now);
    for (size_t i = 0; i < f->n && taken < c->max; i++) {
        struct fake_message *m = &f->m[i];
        if (m->deleted || m->visible_ms > now || busy[i])
            continue;
        m->visible_ms = now + hidden;
        m->receives++;
        m->handle++;
        taken++;
        fake_message_text(c, m, i, out);
    }
    return taken > 0;
}

static inline bool fake_try_receive(struct fake *f, struct fake_call *c)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    buf_str(&out, c->json ? "{\"Messages\":[" : "<ReceiveMessageResponse><ReceiveMessageResult>");
    bool some = fake_receive(f, c, &out);
    if (some || loop_now(f->loop) >= c->until_ms) {
        buf_str(&out, c->json ? "]}" : "</ReceiveMessageResult></ReceiveMessageResponse>");
        f->promised -= c->max;
        f->open_polls--;
        fake_answer(c->req, 200, some || !c->json ? out.p : "{}");
        fake_free_call(c);
        some = true;
    }
    buf_free(&out);
    return some;
}

static inline void fake_on_serve(struct timer *t)
{
    struct fake *f = container_of(t, struct fake, serve);
    list_each(&f->polls, it) fake_try_receive(f, container_of(it, struct fake_call, node));
    timer_start(f->loop, &f->serve, 3);
}

static inline const char *fake_entry(struct fake *f, const struct fake_call *c, size_t i)
{
    size_t index;
    unsigned handle;
    if (f->bad_entry && strcmp(c->receipts[i], f->bad_entry) == 0)
        return f->bad_code;
    if (sscanf(c->receipts[i], "%zu-%u", &index, &handle) != 2 || index >= f->n)
        return "ReceiptHandleIsInvalid";
    struct fake_message *m = &f->m[index];
    if (f->old_handles_fail && (handle != m->handle || m->deleted))
        return "ReceiptHandleIsInvalid";
    if (f->old_handles_ignored && handle != m->handle)
        return NULL;
    if (c->op == SQS_DELETE_BATCH) {
        m->deletes++;
        m->deleted = true;
        return NULL;
    }
    if (m->deleted || m->visible_ms <= loop_now(f->loop))
        return "MessageNotInflight";
    *(c->seconds[i] ? &m->extensions : &m->releases) += 1;
    m->visible_ms = loop_now(f->loop) + c->seconds[i] * f->second_ms;
    return NULL;
}

static inline void fake_batch(struct fake *f, struct fake_call *c)
{
    struct buf good, bad, all;
    const char *op = sqs_wire_op_name(c->op);
    buf_init(&good, 65536);
    buf_init(&bad, 65536);
    buf_init(&all, 65536 * 3);
    f->entries_max = c->n > f->entries_max ? c->n : f->entries_max;
    for (size_t i = f->omit_entry ? 1 : 0; i < c->n; i++) {
        const char *code = fake_entry(f, c, i);
        struct buf *to = code ? &bad : &good;
        if (c->json)
            buf_printf(to, "%s{\"Id\":\"%zu\",\"Code\":\"%s\"}", to->n ? "," : "", i,
                       code ? code : "");
        else
            buf_printf(to,
                       code ? "<BatchResultErrorEntry><Id>%zu</Id></BatchResultErrorEntry>"
                            : "<XResultEntry><Id>%zu</Id></XResultEntry>",
                       i);
    }
    if (c->json)
        buf_printf(&all, "{\"Successful\":[%s],\"Failed\":[%s]}", good.n ? good.p : "",
                   bad.n ? bad.p : "");
    else
        buf_printf(&all, "<%sResponse><%sResult>%s%s</%sResult></%sResponse>", op, op,
                   good.n ? good.p : "", bad.n ? bad.p : "", op, op);
    fake_answer(c->req, 200, all.p);
    buf_free(&good);
    buf_free(&bad);
    buf_free(&all);
    fake_free_call(c);
}

static inline void fake_unpark(struct fake *f)
{
    f->park = false;
    list_each(&f->parked, it) fake_batch(f, container_of(it, struct fake_call, node));
}

static inline void fake_queue(struct fake *f, struct fake_call *c)
{
    char text[512];
    const char *url = "http://elsewhere.invalid/000000000000/q";
    if (f->missing)
        snprintf(text, sizeof text, "%s",
                 "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"x\"}");
    else if (c->op == SQS_GET_URL)
        snprintf(text, sizeof text,
                 c->json ? "{\"QueueUrl\":\"%s\"}"
                         : "<GetQueueUrlResponse><GetQueueUrlResult><QueueUrl>%s</QueueUrl>"
                           "</GetQueueUrlResult></GetQueueUrlResponse>",
                 url);
    else
        snprintf(text, sizeof text,
                 c->json ? "{\"Attributes\":{\"VisibilityTimeout\":\"%lld\"}}"
                         : "<GetQueueAttributesResponse><GetQueueAttributesResult><Attribute><Name>"
                           "VisibilityTimeout</Name><Value>%lld</Value></Attribute>"
                           "</GetQueueAttributesResult></GetQueueAttributesResponse>",
                 (long long)f->visibility_s);
    fake_answer(c->req, f->missing ? 400 : 200, text);
    fake_free_call(c);
}

static inline bool fake_faulty(struct fake *f, struct fake_call *c)
{
    struct fake_fault *fault = &f->fault[c->op];
    if (fault->times == 0)
        return false;
    fault->times--;
    if (fault->body)
        fake_answer(c->req, fault->status, fault->body);
    else
        http_abort(c->req);
    fake_free_call(c);
    return true;
}

static inline bool fake_stranger(struct fake *f, struct fake_call *c)
{
    struct slice by = http_request_header(c->req, "Authorization");
    if (!f->wanted_key || memmem(by.p, by.n, f->wanted_key, strlen(f->wanted_key)))
        return false;
    fake_answer(c->req, 403, "{\"__type\":\"ExpiredToken\",\"message\":\"too old\"}");
    fake_free_call(c);
    return true;
}

static inline void fake_on_request(struct http_request *req)
{
    struct fake *f = req->ctx;
    struct slice target = http_request_header(req, "X-Amz-Target");
    struct fake_call *c = mem_alloc(sizeof *c);
    list_init(&c->node);
    c->req = req;
    if (target.n && f->query_only) {
        fake_answer(req, 404,
                    "<ErrorResponse><Error><Code>MissingAction</Code></Error>"
                    "</ErrorResponse>");
        fake_free_call(c);
        return;
    }
    if (!target.n)
        fake_read_form(c, req->body);
    else if (!fake_read_json(c, target, req->body))
        abort();
    f->count[c->op]++;
    if (fake_faulty(f, c) || fake_stranger(f, c))
        return;
    if (f->missing || c->op == SQS_GET_URL || c->op == SQS_GET_ATTRIBUTES) {
        fake_queue(f, c);
    } else if (c->op == SQS_RECEIVE) {
        f->promised += c->max;
        f->promised_max = f->promised > f->promised_max ? f->promised : f->promised_max;
        f->open_polls++;
        f->open_polls_max = f->open_polls > f->open_polls_max ? f->open_polls : f->open_polls_max;
        f->last_visibility_s = c->visibility_s;
        c->until_ms = loop_now(f->loop) + c->wait_s * f->second_ms;
        list_append(&f->polls, &c->node);
        fake_try_receive(f, c);
    } else if (f->park) {
        list_append(&f->parked, &c->node);
    } else {
        fake_batch(f, c);
    }
}

static inline void fake_open(struct fake *f, struct loop *loop)
{
    struct error err;
    f->loop = loop;
    f->second_ms = 100;
    f->visibility_s = 30;
    list_init(&f->polls);
    list_init(&f->parked);
    f->server = http_server_new(loop, &err);
    f->listener = http_listen(f->server, "127.0.0.1", 0, 1 << 20, fake_on_request, f, &err);
    f->serve.fire = fake_on_serve;
    timer_start(loop, &f->serve, 3);
}

static inline void fake_close(struct fake *f)
{
    timer_stop(f->loop, &f->serve);
    fake_unpark(f);
    list_each(&f->polls, it)
    {
        struct fake_call *c = container_of(it, struct fake_call, node);
        http_abort(c->req);
        fake_free_call(c);
    }
    http_listener_close(f->listener);
    http_server_free(f->server);
}

#endif
