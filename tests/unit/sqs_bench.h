/* sqs_bench.h - the SQS source between a fake queue and a fake engine that checks its rules: no
 * emit without credit, no message twice at a time, every promise within credit. */
#ifndef TESTS_UNIT_SQS_BENCH_H
#define TESTS_UNIT_SQS_BENCH_H

#include "base/mem.h"
#include "sources/sqs_impl.h"
#include "tests/unit/sqs_fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BENCH_DEADLINE_MS = 30000 };

extern const struct source_ops sqs_source;

struct batch {
    struct list records;
    size_t n;
};

/* The engine of these tests. */
struct mapping {
    struct fake fake;
    struct loop *loop;
    struct env env;
    struct function_settings function;
    struct sqs *sqs;
    size_t credit, first_credit; /* in all */
    struct list held;
    size_t n_held, emitted;
    int settled_calls, problems;
    char problem[256], last_problem[256];
    struct timer tick;
    struct sqs_timing timing;
    const char *service_name, *service_url;
    char url[64];
    struct option_map services;
};

/* ---- what the engine offers to sources */

size_t source_credit(const struct source *s)
{
    const struct mapping *b = s->mapping;
    return b->credit > b->n_held ? b->credit - b->n_held : 0;
}

void source_emit(struct source *s, struct record *r)
{
    struct mapping *b = s->mapping;
    if (source_credit(s) == 0)
        fail_msg("emitted without credit");
    list_each(&b->held, it)
    {
        struct record *other = container_of(it, struct record, node);
        if (slice_eq(other->id, r->id))
            fail_msg(SLICE_FMT " is held already", SLICE_ARG(r->id));
    }
    list_append(&b->held, &r->node);
    b->n_held++;
    b->emitted++;
}

void source_settled(struct source *s)
{
    if (s->settling != 0)
        fail_msg("settled, but settling is %u", s->settling);
    s->mapping->settled_calls++;
}

void source_problem(struct source *s, const char *text)
{
    struct mapping *b = s->mapping;
    if (text && strcmp(text, b->problem) != 0) {
        b->problems++;
        snprintf(b->last_problem, sizeof b->last_problem, "%s", text);
    }
    snprintf(b->problem, sizeof b->problem, "%s", text ? text : "");
}

const struct record *batch_first(const struct batch *b)
{
    return list_empty(&b->records) ? NULL
                                   : container_of(b->records.next, const struct record, node);
}

const struct record *batch_next(const struct batch *b, const struct record *r)
{
    return r->node.next == &b->records ? NULL
                                       : container_of(r->node.next, const struct record, node);
}

size_t batch_count(const struct batch *b)
{
    return b->n;
}

/* ---- steps of a test */

static inline void bench_tick(struct timer *t)
{
    loop_stop(container_of(t, struct mapping, tick)->loop);
}

static inline void bench_turn(struct mapping *b)
{
    timer_start(b->loop, &b->tick, 2);
    loop_run(b->loop);
    timer_stop(b->loop, &b->tick);
    /* not while a test has less credit than it began with: polls keep what they were promised */
    if (b->credit >= b->first_credit && b->fake.promised + (int64_t)b->n_held > (int64_t)b->credit)
        fail_msg("%lld messages promised and %zu held with credit %zu", (long long)b->fake.promised,
                 b->n_held, b->credit);
}

#define UNTIL(b, condition)                                                                        \
    for (int64_t end_ = loop_now((b)->loop) + BENCH_DEADLINE_MS; !(condition); bench_turn(b))      \
        if (loop_now((b)->loop) > end_)                                                            \
    fail_msg("never: %s", #condition)

static inline void bench_for(struct mapping *b, int64_t ms)
{
    for (int64_t end = loop_now(b->loop) + ms; loop_now(b->loop) < end;)
        bench_turn(b);
}

/* The first n held records end as one batch. */
static inline void bench_settle(struct mapping *b, size_t n, struct decision d)
{
    struct batch batch = {.n = n};
    list_init(&batch.records);
    for (size_t i = 0; i < n; i++) {
        struct record *r = container_of(b->held.next, struct record, node);
        if (list_empty(&b->held))
            fail_msg("only %zu records are held", i);
        list_remove(&r->node);
        r->decision = d;
        list_append(&batch.records, &r->node);
    }
    sqs_source.settle(&b->sqs->source, &batch);
    list_each(&batch.records, it) record_free(container_of(it, struct record, node));
    b->n_held -= n;
    if (source_credit(&b->sqs->source) > 0)
        sqs_source.pump(&b->sqs->source);
}

static const struct decision bench_ack = {VERDICT_ACK, 0, true};
static const struct decision bench_failed = {VERDICT_RELEASE, 0, true};
static const struct decision bench_unrun = {VERDICT_RELEASE, 0, false};

/* Acknowledges whatever comes until n messages were emitted and all are deleted. */
static inline void bench_consume(struct mapping *b, size_t n)
{
    for (int64_t end = loop_now(b->loop) + BENCH_DEADLINE_MS;
         b->emitted < n || fake_left(&b->fake) > 0 || b->sqs->source.settling > 0;) {
        if (b->n_held)
            bench_settle(b, b->n_held < 10 ? b->n_held : 10, bench_ack);
        bench_turn(b);
        if (loop_now(b->loop) > end)
            fail_msg("%zu emitted, %zu left", b->emitted, fake_left(&b->fake));
    }
}

/* ---- life of a bench */

static inline void bench_put(struct mapping *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fake_put(&b->fake, "hello", NULL);
}

static inline int bench_setup(void **state)
{
    struct mapping *b = mem_alloc(sizeof *b);
    struct error err;
    static const char *const variables[] = {"AWS_PROFILE", "AWS_ACCESS_KEY_ID",
                                            "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", 1);
    b->loop = loop_new(&err);
    fake_open(&b->fake, b->loop);
    b->tick.fire = bench_tick;
    list_init(&b->held);
    snprintf(b->url, sizeof b->url, "http://127.0.0.1:%d", http_listener_port(b->fake.listener));
    b->service_name = "sqs";
    b->service_url = b->url;
    b->services = (struct option_map){&b->service_name, &b->service_url, 1};
    struct aws_client_options o = {"us-east-1", &b->services};
    b->env = (struct env){.loop = b->loop, .http = http_client_new(b->loop)};
    b->env.aws = aws_client_new(b->loop, b->env.http, &o, &err);
    b->env.metrics = metrics_new();
    b->credit = 100;
    b->function.timeout_s = 3;
    b->timing = (struct sqs_timing){.second_ms = b->fake.second_ms,
                                    .wait_s = 20,
                                    .request_ms = 10000,
                                    .backoff_ms = 8,
                                    .backoff_cap_ms = 40,
                                    .recheck_ms = 8,
                                    .recheck_cap_ms = 40,
                                    .refresh_ms = 60000,
                                    .stop_ms = 50,
                                    .margin_s = 1};
    b->sqs = mem_alloc(sizeof *b->sqs);
    struct sqs *s = b->sqs;
    s->source.ops = &sqs_source;
    s->source.env = &b->env;
    s->source.function = &b->function;
    s->source.mapping = b;
    s->source.log = (struct log_scope){"mapping", "f/Queue"};
    s->source.settings =
        (struct mapping_settings){.enabled = true, .batch_size = 10, .max_concurrency = -1};
    s->queue = "arn:aws:sqs:us-east-1:000000000000:q";
    s->min_pollers = s->max_pollers = -1;
    s->timing = &b->timing;
    *state = b;
    return b->env.aws ? 0 : -1;
}

/* To be called when the test has set what it wants to be different. */
static inline void bench_start(struct mapping *b)
{
    struct error err;
    b->first_credit = b->credit;
    if (!sqs_source.check(&b->sqs->source, &err))
        fail_msg("%s", err.text);
    if (!sqs_source.open(&b->sqs->source, &err))
        fail_msg("%s", err.text);
}

static inline int bench_teardown(void **state)
{
    struct mapping *b = *state;
    sqs_source.close(&b->sqs->source);
    list_each(&b->held, it) record_free(container_of(it, struct record, node));
    timer_stop(b->loop, &b->tick);
    fake_close(&b->fake);
    aws_client_free(b->env.aws);
    http_client_free(b->env.http);
    metrics_free(b->env.metrics);
    loop_free(b->loop); /* asserts that nothing is armed */
    free(b->sqs);
    free(b);
    return 0;
}

#define BENCH(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

#endif
