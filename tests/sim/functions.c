/* functions.c - functions with latency and faults, and the graveyard; they check order and limits.
 */
#include "base/json_in.h"
#include "tests/sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct call *call_new(struct world *w)
{
    for (size_t i = 0; i < MAX_CALLS; i++)
        if (!w->calls[i].used) {
            w->calls[i] = (struct call){.used = true, .w = w};
            return &w->calls[i];
        }
    REQUIRE(!"more invocations at once than the simulation can hold");
    return NULL;
}

/* {"Route":0,"Records":[{"id":1,…},{"id":2,…}]} */
static void read_payload(struct call *c)
{
    struct json *root = json_parse(c->d->payload, PAYLOAD_MAX_BYTES, NULL);
    int64_t route = -1;
    REQUIRE(json_int(json_get(root, "Route"), &route) && (size_t)route < c->w->n_routes);
    c->route = &c->w->routes[route];
    const struct json *records = json_get(root, "Records");
    REQUIRE(json_count(records) > 0);
    for (const struct json *e = json_first(records); e != NULL; e = json_after(e)) {
        int64_t id = -1;
        REQUIRE(json_int(json_get(e, "id"), &id) && id >= 0);
        c->ids[c->n++] = (size_t)id;
    }
    json_free(root);
}

/* I3 for logs: starts behind the last settled and has no gap but what no filter wants. */
static void check_log(const struct route *rt, const struct call *c)
{
    size_t k = c->ids[0] % rt->keys;
    REQUIRE(c->ids[0] == rt->committed[k]);
    for (size_t i = 1; i < c->n; i++) {
        size_t id = c->ids[i - 1] + rt->keys;
        while (id < c->ids[i] && !rt->m[id].wanted)
            id += rt->keys;
        REQUIRE(c->ids[i] == id);
    }
}

/* A batch that is not full goes only when the window of its first record is over. */
static void check_window(const struct route *rt, const struct call *c)
{
    const struct mapping_settings *s = &rt->source.settings;
    if (rt->splits || s->bisect || s->window_s == 0 || c->n >= (size_t)s->batch_size)
        return;
    int64_t waited = loop_now(rt->world->env.loop) - rt->m[c->ids[0]].emitted_ms;
    REQUIRE(waited >= s->window_s * 1000);
}

/* I3 for FIFO: per group in order, nothing skipped, one batch at a time. */
static void check_fifo(const struct route *rt, const struct call *c)
{
    bool here[MAX_MESSAGES] = {false};
    for (size_t i = 0; i < c->n; i++) {
        size_t id = c->ids[i];
        for (size_t j = id % rt->keys; j < rt->n; j += rt->keys) {
            const struct message *m = &rt->m[j];
            REQUIRE(!m->out || here[j]);
            if (j < id)
                REQUIRE(here[j] || m->at == AT_END || m->at == AT_DLQ ||
                        (m->at == AT_GATEWAY && !m->wanted));
        }
        here[id] = true;
    }
}

static void on_answer(struct timer *t);

static void fn_send(struct sink *k, struct delivery *d)
{
    struct sink_fn *fn = container_of(k, struct sink_fn, sink);
    struct world *w = fn->world;
    struct call *c = call_new(w);
    c->fn = fn;
    c->d = d;
    d->impl = c;
    read_payload(c);
    struct route *rt = c->route;
    REQUIRE(c->n <= (size_t)rt->source.settings.batch_size);
    for (size_t i = 0; i < c->n; i++)
        REQUIRE(rt->m[c->ids[i]].at == AT_GATEWAY && !rt->m[c->ids[i]].out &&
                rt->m[c->ids[i]].wanted);
    check_window(rt, c);
    if (rt->kind == KIND_LOG)
        check_log(rt, c);
    if (rt->kind == KIND_FIFO)
        check_fifo(rt, c);
    for (size_t i = 0; i < c->n; i++)
        rt->m[c->ids[i]].out = true;
    rt->sends_out++;
    fn->in_flight++;
    w->sends++;
    /* I4 */
    REQUIRE(fn->settings.reserved < 0 || fn->in_flight <= (unsigned)fn->settings.reserved);
    if (rt->source.settings.max_concurrency > 0)
        REQUIRE(rt->sends_out <= (unsigned)rt->source.settings.max_concurrency);
    c->t.fire = on_answer;
    timer_start(w->env.loop, &c->t, (int64_t)below((uint64_t)fn->latency_ms));
}

static void call_end(struct call *c)
{
    for (size_t i = 0; i < c->n; i++)
        c->route->m[c->ids[i]].out = false;
    c->route->sends_out--;
    c->fn->in_flight--;
    c->d->impl = NULL;
    c->used = false;
}

/* Which records the function fails: poison, bad luck, and in ordered sources what comes after. */
static size_t run_records(struct call *c, bool failed[MAX_MESSAGES], bool partial)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct message *m = &c->route->m[c->ids[i]];
        m->runs++;
        failed[i] = m->poison || (partial && chance(c->fn->p_partial)) ||
                    (n > 0 && c->route->kind != KIND_QUEUE);
        n += failed[i];
    }
    return n;
}

static void list_failures(const struct call *c, const bool failed[MAX_MESSAGES], struct buf *out)
{
    buf_str(out, "{\"batchItemFailures\":[");
    const char *comma = "";
    for (size_t i = 0; i < c->n; i++) {
        if (!failed[i])
            continue;
        buf_printf(out, "%s{\"itemIdentifier\":\"%zu\"}", comma, c->ids[i]);
        comma = ",";
    }
    buf_str(out, "]}");
}

static void run_body(struct call *c, struct reply *reply)
{
    bool partial = c->route->source.settings.response_types.n > 0;
    bool failed[MAX_MESSAGES] = {false};
    size_t n = run_records(c, failed, partial);
    buf_init(&reply->body, 1 << 16);
    if (n > 0 && !partial) {
        reply->outcome = OUTCOME_FAILED;
        return;
    }
    if (partial && chance(c->fn->p_malformed)) { /* the whole batch failed */
        static const char *const bad[] = {"{\"batchItemFailures\":[{\"itemIdentifier\":\"\"}]}",
                                          "{\"batchItemFailures\":[{\"id\":\"1\"}]}", "{",
                                          "{\"batchItemFailures\":[{\"itemIdentifier\":\"x\"}]}"};
        buf_str(&reply->body, bad[below(ARRAY_LEN(bad))]);
        return;
    }
    for (size_t i = 0; i < c->n; i++)
        c->route->m[c->ids[i]].good += !failed[i];
    if (n > 0)
        list_failures(c, failed, &reply->body);
    else if (chance(50))
        buf_str(&reply->body, "{}");
}

static void fn_cancel(struct sink *k, struct delivery *d)
{
    (void)k;
    struct call *c = d->impl;
    REQUIRE(c != NULL && c->used);
    timer_stop(c->w->env.loop, &c->t);
    if (c->w->crashing && chance(50)) { /* the function goes on without us */
        struct reply unheard = {.outcome = OUTCOME_OK};
        run_body(c, &unheard);
        buf_free(&unheard.body);
    }
    call_end(c);
}

static void on_answer(struct timer *t)
{
    struct call *c = container_of(t, struct call, t);
    struct sink_fn *fn = c->fn;
    struct delivery *d = c->d;
    struct reply *reply = &d->reply;
    *reply = (struct reply){.outcome = OUTCOME_OK, .retry_after_ms = -1};
    if (chance(fn->p_throttle)) {
        reply->outcome = OUTCOME_THROTTLED;
        reply->retry_after_ms = chance(50) ? (int64_t)below(80) : -1;
    } else if (c->n > fn->most) {
        reply->outcome = OUTCOME_REJECTED;
    } else if (chance(fn->p_timeout) || chance(fn->p_fail)) {
        for (size_t i = 0; i < c->n; i++)
            c->route->m[c->ids[i]].runs++;
        reply->outcome = chance(50) ? OUTCOME_TIMEOUT : OUTCOME_FAILED;
    } else {
        run_body(c, reply);
        if (reply->outcome == OUTCOME_OK && chance(fn->p_lost)) {
            buf_free(&reply->body); /* it ran, and nobody heard */
            reply->outcome = OUTCOME_UNREACHABLE;
        }
    }
    call_end(c);
    REQUIRE(!c->w->inside_send);
    delivery_done(d);
}

/* ---- graveyard ---- */

static void on_grave(struct timer *t)
{
    struct call *c = container_of(t, struct call, t);
    struct world *w = c->w;
    struct delivery *d = c->d;
    d->reply = (struct reply){.outcome = OUTCOME_OK, .retry_after_ms = -1};
    if (chance(w->p_grave))
        d->reply.outcome = OUTCOME_UNREACHABLE;
    else
        for (size_t i = 0; i < c->n; i++)
            c->route->m[c->ids[i]].buried++;
    c->used = false;
    d->impl = NULL;
    delivery_done(d);
}

static void grave_send(struct sink *k, struct delivery *d)
{
    struct sink_fn *g = container_of(k, struct sink_fn, sink);
    struct call *c = call_new(g->world);
    c->fn = g;
    c->d = d;
    d->impl = c;
    read_payload(c);
    c->t.fire = on_grave;
    timer_start(g->world->env.loop, &c->t, 1 + (int64_t)below(30));
}

static void grave_cancel(struct sink *k, struct delivery *d)
{
    (void)k;
    struct call *c = d->impl;
    REQUIRE(c != NULL && c->used);
    timer_stop(c->w->env.loop, &c->t);
    c->used = false;
    d->impl = NULL;
}

static bool yes(struct sink *k, struct error *err)
{
    (void)k;
    (void)err;
    return true;
}

static void nothing(struct sink *k)
{
    (void)k;
}

const struct sink_ops sim_function = {.type = "function",
                                      .size = sizeof(struct sink_fn),
                                      .check = yes,
                                      .open = yes,
                                      .send = fn_send,
                                      .cancel = fn_cancel,
                                      .close = nothing};
const struct sink_ops sim_graveyard = {.type = "graveyard",
                                       .size = sizeof(struct sink_fn),
                                       .check = yes,
                                       .open = yes,
                                       .send = grave_send,
                                       .cancel = grave_cancel,
                                       .close = nothing};
