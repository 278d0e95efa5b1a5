/* test_mapping_filter.c - what no filter wants: when and in which order it is settled, and that it
 * needs no function. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "engine/mapping.h"
#include "io/loop_core.h"
#include <stdlib.h>
#include <string.h>

enum { CALLS_MAX = 16 };

/* A mapping that is fed by hand on a function that is answered by hand. */
struct bench {
    struct env env;
    struct account account;
    struct function_settings settings;
    struct sink sink;
    struct source source;
    struct function *function;
    struct mapping *mapping;
    struct delivery *out[CALLS_MAX];
    struct buf sent;    /* "ab|c|": the records of each event */
    struct buf settled; /* "+a +b|-c|": each settle, + for ACK and - for RELEASE */
    size_t n_out, pumped;
    bool idle;
};

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

static void src_pump(struct source *s)
{
    container_of(s, struct bench, source)->pumped++;
}

static void src_encode(struct source *s, const struct batch *b, struct json_out *j)
{
    (void)s;
    json_array(j);
    for (const struct record *r = batch_first(b); r != NULL; r = batch_next(b, r))
        json_str(j, r->id);
    json_end(j);
}

static void src_settle(struct source *s, const struct batch *b)
{
    struct bench *bench = container_of(s, struct bench, source);
    for (const struct record *r = batch_first(b); r != NULL; r = batch_next(b, r))
        buf_printf(&bench->settled, "%c" SLICE_FMT, r->decision.verdict == VERDICT_ACK ? '+' : '-',
                   SLICE_ARG(r->id));
    buf_char(&bench->settled, '|');
}

static const struct criteria_data data = {.key = "body"};
static const struct source_ops src_ops = {
    .type = "hand",
    .data = &data,
    .open = src_open,
    .pump = src_pump,
    .encode = src_encode,
    .settle = src_settle,
    .stop = src_nothing,
};

static void fn_send(struct sink *k, struct delivery *d)
{
    struct bench *b = container_of(k, struct bench, sink);
    assert_true(b->n_out < CALLS_MAX);
    for (size_t i = 0; i < d->payload.n; i++)
        if (d->payload.p[i] >= 'A' && d->payload.p[i] <= 'z' && d->payload.p[i] != '[' &&
            d->payload.p[i] != ']')
            buf_char(&b->sent, d->payload.p[i]);
    buf_char(&b->sent, '|');
    b->out[b->n_out++] = d;
}

static void fn_cancel(struct sink *k, struct delivery *d)
{
    (void)k;
    (void)d;
}

static const struct sink_ops fn_ops = {.type = "hand", .send = fn_send, .cancel = fn_cancel};

static void run(struct bench *b)
{
    loop_core_run_tasks(b->env.loop, SIZE_MAX);
}

static uint64_t no_chance(void)
{
    return 0;
}

/* Capital letters reach the function, small ones do not. */
static struct bench *bench_new(unsigned flags, int64_t slots)
{
    static const char *patterns[] = {"{\"body\":[\"wanted\"]}"};
    static const char *types[] = {"ReportBatchItemFailures"};
    struct bench *b = mem_alloc(sizeof *b);
    b->env.loop = loop_new_virtual();
    account_init(&b->account, b->env.loop, 1000);
    b->settings = (struct function_settings){
        .name = "f", .arn = "arn", .timeout_s = 3, .memory_mb = 128, .reserved = slots};
    b->sink = (struct sink){.ops = &fn_ops, .env = &b->env, .function = &b->settings};
    b->source = (struct source){.ops = &src_ops, .env = &b->env, .flags = flags, .arn = "arn"};
    b->source.settings = (struct mapping_settings){.enabled = true,
                                                   .batch_size = 10,
                                                   .max_concurrency = -1,
                                                   .max_attempts = -1,
                                                   .max_age_s = -1,
                                                   .response_types = {types, 1},
                                                   .filters = {patterns, 1}};
    b->function = function_new(&b->env, &b->account, &b->settings, &b->sink);
    buf_init(&b->sent, 10000);
    buf_init(&b->settled, 10000);
    const struct mapping_options o = {
        .function = b->function, .source = &b->source, .random = no_chance, .max_records = 20};
    b->mapping = mapping_new(&b->env, &o);
    assert_true(mapping_start(b->mapping, NULL));
    run(b);
    return b;
}

static void on_idle(void *ctx)
{
    ((struct bench *)ctx)->idle = true;
}

static void drain(struct bench *b)
{
    mapping_drain(b->mapping, on_idle, b);
    run(b);
}

static void bench_free(struct bench *b)
{
    if (!b->idle) {
        drain(b);
        mapping_cut(b->mapping);
        run(b);
    }
    assert_true(b->idle);
    struct mapping_counts c = mapping_counts(b->mapping);
    assert_int_equal(c.accepted, c.done + c.filtered + c.dead + c.released);
    mapping_free(b->mapping);
    function_free(b->function);
    loop_free(b->env.loop);
    buf_free(&b->sent);
    buf_free(&b->settled);
    free(b);
}

static void emit(struct bench *b, const char *what)
{
    for (; *what != '\0'; what++) {
        bool wanted = *what >= 'A' && *what <= 'Z';
        struct slice id = {what, 1};
        source_emit(&b->source, record_new(id, SLICE("key"),
                                           wanted ? SLICE("{\"body\":\"wanted\"}")
                                                  : SLICE("{\"body\":\"unwanted\"}")));
    }
}

/* failed: ids of those that the function names as failed. */
static void answer(struct bench *b, size_t call, const char *failed)
{
    struct delivery *d = b->out[call];
    assert_non_null(d);
    b->out[call] = NULL;
    d->reply = (struct reply){.outcome = OUTCOME_OK, .retry_after_ms = -1};
    buf_init(&d->reply.body, 1000);
    buf_str(&d->reply.body, "{\"batchItemFailures\":[");
    for (const char *f = failed; *f != '\0'; f++)
        buf_printf(&d->reply.body, "%s{\"itemIdentifier\":\"%c\"}", f > failed ? "," : "", *f);
    buf_str(&d->reply.body, "]}");
    delivery_done(d);
    run(b);
}

/* ---- the tests */

/* A whole receive is settled at once, and never inside emit. */
static void settled_together_without_a_slot(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_REDELIVERS, 0); /* no slot, ever */
    b->mapping = b->mapping;
    emit(b, "abcdefghij");
    assert_int_equal(b->settled.n, 0);
    assert_int_equal(mapping_held(b->mapping), 10);
    run(b);
    assert_string_equal(b->settled.p, "+a+b+c+d+e+f+g+h+i+j|");
    assert_int_equal(mapping_held(b->mapping), 0);
    assert_int_equal(mapping_counts(b->mapping).filtered, 10);
    assert_int_equal(b->n_out, 0);
    bench_free(b);
}

static void credit_comes_back(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_ORDERED, -1);
    for (int round = 0; round < 5; round++) {
        size_t pumped = b->pumped;
        assert_int_equal(source_credit(&b->source), 20);
        emit(b, "abcdefghijklmnopqrst");
        assert_int_equal(source_credit(&b->source), 0);
        run(b);
        assert_int_equal(b->pumped, pumped + 1);
    }
    assert_int_equal(mapping_counts(b->mapping).filtered, 100);
    bench_free(b);
}

/* Records that come again by themselves: nothing waits for anything. */
static void not_in_order_where_none_is_needed(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_REDELIVERS, -1);
    emit(b, "AbCd");
    run(b);
    assert_string_equal(b->sent.p, "AC|");
    assert_string_equal(b->settled.p, "+b+d|");
    answer(b, 0, "A");
    assert_string_equal(b->settled.p, "+b+d|-A+C|");
    bench_free(b);
}

static void fifo_groups_go_on(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_REDELIVERS | SOURCE_ORDERED, -1);
    emit(b, "AbC");
    run(b);
    emit(b, "dE");
    run(b);
    assert_string_equal(b->sent.p, "AC|"); /* the group is out: E waits */
    assert_string_equal(b->settled.p, "+b|+d|");
    answer(b, 0, "");
    assert_string_equal(b->sent.p, "AC|E|");
    answer(b, 1, "");
    assert_string_equal(b->settled.p, "+b|+d|+A+C|+E|");
    bench_free(b);
}

/* Positions move in order: what stands behind a record that is out waits for it. */
static void in_order_where_records_are_held(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_ORDERED, -1);
    emit(b, "abCdEf");
    run(b);
    assert_string_equal(b->settled.p, "+a+b|");
    assert_string_equal(b->sent.p, "CE|");
    emit(b, "gHi");
    run(b);
    assert_string_equal(b->settled.p, "+a+b|");
    answer(b, 0, "");
    assert_string_equal(b->settled.p, "+a+b|+C+d+E+f+g|");
    assert_string_equal(b->sent.p, "CE|H|");
    answer(b, 1, "");
    assert_string_equal(b->settled.p, "+a+b|+C+d+E+f+g|+H+i|");
    bench_free(b);
}

/* A part of the batch succeeded: up to the first failure, and what stands between. */
static void up_to_the_first_failure(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_ORDERED, -1);
    emit(b, "AbCdEf");
    run(b);
    answer(b, 0, "E");
    assert_string_equal(b->settled.p, "+A+b+C+d|");
    assert_string_equal(b->sent.p, "ACE|E|");
    answer(b, 1, "");
    assert_string_equal(b->settled.p, "+A+b+C+d|+E+f|");
    bench_free(b);
}

/* A drain gives back what is behind the first that goes back; positions do not pass it. */
static void drain_gives_back_in_order(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_ORDERED, -1);
    emit(b, "AbC");
    run(b);
    emit(b, "dEfG");
    mapping_drain(b->mapping, on_idle, b);
    run(b);
    assert_string_equal(b->settled.p, "-E-f-G|");
    answer(b, 0, "");
    assert_string_equal(b->settled.p, "-E-f-G|+A+b+C+d|");
    assert_true(b->idle);
    bench_free(b);
}

static void cut_gives_back_all(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_ORDERED, -1);
    emit(b, "AbCd");
    run(b);
    drain(b);
    mapping_cut(b->mapping);
    run(b);
    assert_string_equal(b->settled.p, "-A-b-C-d|");
    assert_int_equal(mapping_counts(b->mapping).filtered, 0);
    bench_free(b);
}

/* A partition that was taken away takes its filtered records along. */
static void forgotten_with_their_lane(void **state)
{
    (void)state;
    struct bench *b = bench_new(SOURCE_ORDERED, -1);
    emit(b, "A");
    run(b);
    emit(b, "bCd");
    run(b);
    source_forget(&b->source, SLICE("key"));
    assert_int_equal(mapping_held(b->mapping), 1);
    answer(b, 0, "");
    assert_string_equal(b->settled.p, "+A|");
    assert_int_equal(mapping_lanes(b->mapping), 0);
    assert_int_equal(mapping_counts(b->mapping).released, 3);
    emit(b, "eF"); /* and comes back */
    run(b);
    assert_string_equal(b->settled.p, "+A|+e|");
    assert_string_equal(b->sent.p, "A|F|");
    bench_free(b);
}

/* A filter that is none was refused when the file was read; the engine does not trust that. */
static void bad_filters_do_not_start(void **state)
{
    (void)state;
    static const char *bad[] = {"{\"body\":\"x\"}"};
    struct bench *b = bench_new(SOURCE_REDELIVERS, -1);
    struct source second = b->source;
    second.settings.filters = (struct option_list){bad, 1};
    const struct mapping_options o = {
        .function = b->function, .source = &second, .random = no_chance};
    struct mapping *m = mapping_new(&b->env, &o);
    struct error err = {.code = ERROR_NONE};
    assert_false(mapping_start(m, &err));
    assert_int_equal(err.code, ERROR_CONFIG);
    assert_non_null(strstr(err.text, "Filters[0].Pattern: "));
    mapping_free(m);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settled_together_without_a_slot),
        cmocka_unit_test(credit_comes_back),
        cmocka_unit_test(not_in_order_where_none_is_needed),
        cmocka_unit_test(fifo_groups_go_on),
        cmocka_unit_test(in_order_where_records_are_held),
        cmocka_unit_test(up_to_the_first_failure),
        cmocka_unit_test(drain_gives_back_in_order),
        cmocka_unit_test(cut_gives_back_all),
        cmocka_unit_test(forgotten_with_their_lane),
        cmocka_unit_test(bad_filters_do_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
