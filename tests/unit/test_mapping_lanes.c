/* test_mapping_lanes.c - when a mapping sends what, to the millisecond: windows that a full lane
 * cuts short, turns between lanes and stalled batches, the growth of a queue mapping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_out.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/mapping.h"
#include "io/loop_core.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_MAX = 64, GROW_MS = 200, GROW_FROM = 5 };

/* A mapping of a source that is fed by hand on a function that is answered by hand. */
struct bench {
    struct env env;
    struct account account;
    struct function_settings settings;
    struct sink sink;
    struct source source;
    struct function *function;
    struct mapping *mapping;
    struct delivery *out[CALLS_MAX]; /* NULL: answered */
    char payloads[CALLS_MAX][64];
    size_t n_out; /* ever */
    int64_t began_ms;
    bool idle;
};

/* ---- the source: records of one letter, the event is their letters */

static bool src_open(struct source *s, struct error *err)
{
    (void)s;
    (void)err;
    return true;
}

static void src_nothing(struct source *s)
{
    (void)s;
}

static void src_encode(struct source *s, const struct batch *b, struct json_out *j)
{
    (void)s;
    json_array(j);
    for (const struct record *r = batch_first(b); r != NULL; r = batch_next(b, r))
        json_raw(j, r->json);
    json_end(j);
}

static void src_settle(struct source *s, const struct batch *b)
{
    (void)s;
    (void)b;
}

static const struct source_ops src_ops = {
    .type = "hand",
    .open = src_open,
    .pump = src_nothing,
    .encode = src_encode,
    .settle = src_settle,
    .stop = src_nothing,
};

/* ---- the function */

static void fn_send(struct sink *k, struct delivery *d)
{
    struct bench *b = container_of(k, struct bench, sink);
    assert_true(b->n_out < CALLS_MAX && d->payload.n < sizeof b->payloads[0]);
    memcpy(b->payloads[b->n_out], d->payload.p, d->payload.n);
    b->out[b->n_out++] = d;
}

static void fn_cancel(struct sink *k, struct delivery *d)
{
    struct bench *b = container_of(k, struct bench, sink);
    for (size_t i = 0; i < b->n_out; i++)
        if (b->out[i] == d)
            b->out[i] = NULL;
}

static const struct sink_ops fn_ops = {.type = "hand", .send = fn_send, .cancel = fn_cancel};

/* ---- time */

static int64_t now(const struct bench *b)
{
    return loop_now(b->env.loop) - b->began_ms;
}

/* What has to happen up to this moment since the beginning, and no later. */
static void run_until(struct bench *b, int64_t ms)
{
    struct loop *loop = b->env.loop;
    for (;;) {
        loop_core_run_tasks(loop, SIZE_MAX);
        int64_t due = loop_core_next_due(loop);
        if (due > b->began_ms + ms)
            break;
        loop->now_ms = due;
        loop_core_fire_due(loop);
    }
    loop->now_ms = b->began_ms + ms;
}

static void settle_now(struct bench *b)
{
    run_until(b, now(b));
}

/* ---- the hands */

static struct bench *bench_new(unsigned flags, int64_t batch_size, int64_t window_s, int64_t slots)
{
    struct bench *b = mem_alloc(sizeof *b);
    b->env.loop = loop_new_virtual();
    b->began_ms = loop_now(b->env.loop);
    account_init(&b->account, b->env.loop, 1000);
    b->settings = (struct function_settings){
        .name = "f", .arn = "arn", .timeout_s = 3, .memory_mb = 128, .reserved = slots};
    b->sink = (struct sink){.ops = &fn_ops, .env = &b->env, .function = &b->settings};
    b->source = (struct source){.ops = &src_ops, .env = &b->env, .flags = flags, .arn = "arn"};
    b->source.settings = (struct mapping_settings){.enabled = true,
                                                   .batch_size = batch_size,
                                                   .window_s = window_s,
                                                   .max_concurrency = -1,
                                                   .max_attempts = -1,
                                                   .max_age_s = -1};
    b->function = function_new(&b->env, &b->account, &b->settings, &b->sink);
    return b;
}

static uint64_t no_chance(void)
{
    return 0;
}

static void start(struct bench *b)
{
    const struct mapping_options o = {
        .function = b->function, .source = &b->source, .random = no_chance};
    b->mapping = mapping_new(&b->env, &o);
    assert_true(mapping_start(b->mapping, NULL));
    settle_now(b);
}

static void on_idle(void *ctx)
{
    ((struct bench *)ctx)->idle = true;
}

static void bench_free(struct bench *b)
{
    mapping_drain(b->mapping, on_idle, b);
    mapping_cut(b->mapping);
    settle_now(b);
    assert_true(b->idle);
    mapping_free(b->mapping);
    function_free(b->function);
    loop_free(b->env.loop);
    free(b);
}

/* One record for each letter of what; its key is the letter when keyed. */
static void emit(struct bench *b, const char *what, bool keyed)
{
    for (; *what != '\0'; what++) {
        char json[] = {'"', *what, '"', '\0'};
        struct slice key = {what, keyed ? 1 : 0};
        source_emit(&b->source, record_new(SLICE("id"), key, slice_of(json)));
    }
}

static void answer(struct bench *b, size_t call, enum outcome o)
{
    struct delivery *d = b->out[call];
    assert_non_null(d);
    b->out[call] = NULL;
    d->reply.outcome = o;
    d->reply.retry_after_ms = -1;
    delivery_done(d);
    settle_now(b);
}

static size_t busy(const struct bench *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n_out; i++)
        n += b->out[i] != NULL;
    return n;
}

/* ---- windows */

static void test_full_lane_ends_its_window(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_REDELIVERS, 3, 60, -1);
    start(b);
    emit(b, "ab", false);
    run_until(b, 1000);
    assert_int_equal(b->n_out, 0);
    emit(b, "c", false);
    settle_now(b);
    assert_int_equal(b->n_out, 1);
    assert_string_equal(b->payloads[0], "[\"a\",\"b\",\"c\"]");
    bench_free(b);
}

/* The window is the first record's; what comes later does not prolong it. */
static void test_window_of_the_first_record(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_REDELIVERS, 3, 2, -1);
    start(b);
    emit(b, "a", false);
    run_until(b, 1500);
    emit(b, "b", false);
    run_until(b, 1999);
    assert_int_equal(b->n_out, 0);
    run_until(b, 2000);
    assert_int_equal(b->n_out, 1);
    assert_string_equal(b->payloads[0], "[\"a\",\"b\"]");
    /* and the next window begins with the next record, not with the last batch */
    run_until(b, 5000);
    emit(b, "c", false);
    run_until(b, 6999);
    assert_int_equal(b->n_out, 1);
    run_until(b, 7000);
    assert_string_equal(b->payloads[1], "[\"c\"]");
    bench_free(b);
}

/* ---- turns */

/* x has to be tried again and waits for the slot that y has, a, b and c wait behind: in which order
 * they go, as letters. With knocks the mapping looks at its lanes after each record. */
static void turns(bool knocks, char out[8])
{
    struct bench *b = bench_new(SOURCE_ORDERED, 1, 0, 1);
    start(b);
    emit(b, "x", true);
    settle_now(b);
    answer(b, 0, OUTCOME_THROTTLED);
    emit(b, "y", true);
    settle_now(b);
    run_until(b, now(b) + 60000); /* the back-off of x is over */
    for (const char *key = "abc"; *key != '\0'; key++) {
        emit(b, (const char[]){*key, '\0'}, true);
        if (knocks)
            settle_now(b);
    }
    for (size_t i = 0; i < 5; i++) {
        settle_now(b);
        assert_int_equal(b->n_out, i + 2);
        out[i] = b->payloads[i + 1][2];
        answer(b, i + 1, OUTCOME_OK);
    }
    out[5] = '\0';
    bench_free(b);
}

/* A batch that has to be tried again goes before what nobody has tried; while it waits, the turns
 * of the lanes do not move. */
static void test_stalled_batch_first(void **state)
{
    (void)state;
    char quiet[8], knocked[8];
    turns(false, quiet);
    turns(true, knocked);
    assert_memory_equal(quiet, "yx", 2);
    assert_string_equal(knocked, quiet);
}

/* ---- growth */

static void test_growth_by_steps(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_REDELIVERS, 1, 0, -1);
    start(b);
    emit(b, "abcdefghijklmnopqrst", false);
    settle_now(b);
    assert_int_equal(busy(b), GROW_FROM);
    for (int step = 1; step <= 6; step++) {
        run_until(b, step * GROW_MS - 1);
        assert_int_equal(busy(b), GROW_FROM + step - 1);
        run_until(b, step * GROW_MS);
        assert_int_equal(busy(b), GROW_FROM + step);
    }
    bench_free(b);
}

/* Nobody is busy any more: the growth ends, and what it reached stays. */
static void test_growth_ends(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_REDELIVERS, 1, 0, -1);
    start(b);
    emit(b, "abcdef", false);
    run_until(b, GROW_MS);
    assert_int_equal(busy(b), GROW_FROM + 1);
    for (size_t i = 0; i < 4; i++)
        answer(b, i, OUTCOME_OK);
    run_until(b, 100 * GROW_MS);
    emit(b, "ghijklmn", false);
    settle_now(b);
    assert_int_equal(busy(b), GROW_FROM + 1);
    bench_free(b);
}

static void test_growth_up_to_the_cap(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_REDELIVERS, 1, 0, -1);
    b->source.settings.max_concurrency = GROW_FROM + 2;
    start(b);
    emit(b, "abcdefghijklmnopqrst", false);
    run_until(b, 100 * GROW_MS);
    assert_int_equal(busy(b), GROW_FROM + 2);
    bench_free(b);
}

/* Failures halve it, down to two; each success brings one back, up to the start. */
static void test_failures_halve(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_REDELIVERS, 1, 0, -1);
    start(b);
    emit(b, "abcdefghijklmnopqrst", false);
    settle_now(b);
    for (size_t i = 0; i < GROW_FROM; i++)
        answer(b, i, OUTCOME_FAILED);
    assert_int_equal(busy(b), 2);
    answer(b, b->n_out - 1, OUTCOME_OK);
    assert_int_equal(busy(b), 3);
    bench_free(b);
}

int main(void)
{
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_lane_ends_its_window),
        cmocka_unit_test(test_window_of_the_first_record),
        cmocka_unit_test(test_stalled_batch_first),
        cmocka_unit_test(test_growth_by_steps),
        cmocka_unit_test(test_growth_ends),
        cmocka_unit_test(test_growth_up_to_the_cap),
        cmocka_unit_test(test_failures_halve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
