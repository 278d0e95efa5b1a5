/* sink_peer.h - a scripted HTTP server and a sink that talks to it, on one loop. */
#ifndef SINK_PEER_H
#define SINK_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/mem.h"
#include "engine/sink.h"
#include "io/aws_client.h"
#include "io/http_client.h"
#include "io/http_server.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEER_PATIENCE_MS = 20000 };

struct peer {
    struct env env;
    struct function_settings settings;
    struct http_listener *listener;
    char url[64];
    /* what the next requests are answered with; status 0: no answer, -1: connection dropped */
    int status;
    const char *body;
    struct http_header headers[2];
    size_t n_headers;
    struct list held; /* requests without an answer yet */
    unsigned asked, n_held;
    char seen[4096]; /* the last request: line, headers, body */
    struct timer patience;
    unsigned waiting;
    bool out_of_patience;
};

struct peer_trip {
    struct delivery d;
    struct peer *p;
    bool done;
};

static void peer_note(void *ctx, struct slice name, struct slice value)
{
    struct buf *b = ctx;
    buf_printf(b, SLICE_FMT ": " SLICE_FMT "\n", SLICE_ARG(name), SLICE_ARG(value));
}

static inline void peer_answer(struct peer *p, struct http_request *req)
{
    http_reply(req, p->status, p->headers, p->n_headers, slice_of(p->body));
}

static void peer_request(struct http_request *req)
{
    struct peer *p = req->ctx;
    struct buf b;
    buf_init(&b, sizeof p->seen - 1);
    buf_printf(&b, SLICE_FMT " " SLICE_FMT "?" SLICE_FMT "\n", SLICE_ARG(req->method),
               SLICE_ARG(req->path), SLICE_ARG(req->query));
    http_request_headers(req, peer_note, &b);
    buf_put(&b, req->body);
    memcpy(p->seen, b.p, b.n + 1);
    buf_free(&b);
    p->asked++;
    if (p->status > 0) {
        peer_answer(p, req);
    } else if (p->status < 0) {
        http_abort(req);
    } else {
        list_append(&p->held, &req->node);
        p->n_held++;
    }
}

static void peer_tired(struct timer *t)
{
    struct peer *p = container_of(t, struct peer, patience);
    p->out_of_patience = true;
    loop_stop(p->env.loop);
}

static inline void peer_run(struct peer *p)
{
    timer_start(p->env.loop, &p->patience, PEER_PATIENCE_MS);
    loop_run(p->env.loop);
    timer_stop(p->env.loop, &p->patience);
    assert_false(p->out_of_patience);
}

static inline struct peer *peer_new(void)
{
    struct error err = {0};
    struct peer *p = mem_alloc(sizeof *p);
    static const struct option_map none;
    list_init(&p->held);
    p->env.region = "eu-west-1";
    p->env.loop = loop_new(&err);
    assert_non_null(p->env.loop);
    p->env.http = http_client_new(p->env.loop);
    p->env.server = http_server_new(p->env.loop, &err);
    assert_true(p->env.http != NULL && p->env.server != NULL);
    const struct aws_client_options options = {.region = "eu-west-1", .services = &none};
    p->env.aws = aws_client_new(p->env.loop, p->env.http, &options, &err);
    assert_non_null(p->env.aws);
    p->listener =
        http_listen(p->env.server, "127.0.0.1", 0, PAYLOAD_MAX_BYTES, peer_request, p, &err);
    assert_non_null(p->listener);
    snprintf(p->url, sizeof p->url, "http://127.0.0.1:%u", http_listener_port(p->listener));
    p->settings = (struct function_settings){
        .name = "fn",
        .arn = "arn:aws:lambda:eu-west-1:000000000000:function:fn",
        .timeout_s = 3,
    };
    p->patience.fire = peer_tired;
    p->status = 200;
    p->body = "";
    return p;
}

static inline void peer_free(struct peer *p)
{
    while (!list_empty(&p->held)) {
        struct http_request *req = container_of(p->held.next, struct http_request, node);
        list_remove(&req->node);
        http_abort(req);
    }
    aws_client_free(p->env.aws);
    http_client_free(p->env.http);
    http_server_free(p->env.server);
    loop_free(p->env.loop);
    free(p);
}

static inline void peer_open(struct peer *p, struct sink *s, const struct sink_ops *ops)
{
    struct error err = {0};
    *s = (struct sink){.ops = ops, .function = &p->settings, .log = {"function", "fn"}};
    if (!ops->check(s, &err))
        fail_msg("%s", err.text);
    s->env = &p->env;
    assert_true(ops->open(s, &err));
}

static void peer_trip_done(struct delivery *d)
{
    struct peer_trip *t = container_of(d, struct peer_trip, d);
    assert_false(t->done);
    t->done = true;
    if (--t->p->waiting == 0)
        loop_stop(t->p->env.loop);
}

static inline void peer_send(struct peer *p, struct sink *s, struct peer_trip *t)
{
    t->p = p;
    t->done = false;
    t->d.payload = SLICE("{\"a\":1}");
    snprintf(t->d.request_id, sizeof t->d.request_id, "6d1c8a3e-0000-4000-8000-000000000001");
    if (t->d.timeout_ms == 0)
        t->d.timeout_ms = 5000;
    t->d.done = peer_trip_done;
    p->waiting++;
    s->ops->send(s, &t->d);
    assert_false(t->done); /* never from inside send */
}

static inline void peer_go(struct peer *p, struct sink *s, struct peer_trip *t)
{
    peer_send(p, s, t);
    peer_run(p);
    assert_true(t->done);
}

/* One answer of the peer, and what it must mean. */
struct peer_case {
    int status;
    const char *body;
    const char *header, *value; /* NULL: none */
    enum outcome outcome;
    int64_t retry_after_ms;
    const char *reply; /* NULL: not looked at */
};

static inline void peer_check(struct peer *p, struct sink *s, const struct peer_case *c)
{
    struct peer_trip t = {.d = {.log_tail = true}};
    p->status = c->status;
    p->body = c->body;
    p->n_headers = c->header != NULL;
    p->headers[0] = (struct http_header){c->header, slice_of(c->value)};
    peer_go(p, s, &t);
    if (t.d.reply.outcome != c->outcome)
        fail_msg("status %d %s: %s, not %s (%s)", c->status, c->body,
                 outcome_name(t.d.reply.outcome), outcome_name(c->outcome), t.d.reply.detail);
    if (c->reply != NULL)
        assert_string_equal(t.d.reply.body.p, c->reply);
    assert_int_equal(t.d.reply.retry_after_ms, c->retry_after_ms);
    bool failed = c->outcome == OUTCOME_FAILED || c->outcome == OUTCOME_TIMEOUT;
    assert_true((t.d.reply.function_error != NULL) == failed);
    assert_true((t.d.reply.detail[0] != '\0') == (c->outcome != OUTCOME_OK));
    delivery_clear(&t.d);
}

#endif
