/* test_sqs_source.c - the SQS source's daily work: polls within credit, records, deletes, FIFO. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sqs_bench.h"

static void test_pages(void **state)
{
    struct mapping *b = *state;
    b->credit = 25;
    bench_put(b, 95);
    bench_start(b);
    UNTIL(b, b->n_held == 25);
    bench_for(b, 30);
    assert_int_equal(b->n_held, 25);
    assert_int_equal(b->fake.open_polls, 0); /* no credit, no poll */
    bench_consume(b, 95);
    assert_int_equal(b->emitted, 95);
    for (size_t i = 0; i < b->fake.n; i++) {
        assert_int_equal(b->fake.m[i].receives, 1);
        assert_int_equal(b->fake.m[i].deletes, 1);
    }
    assert_true(b->fake.entries_max > 1);
    assert_true(b->fake.count[SQS_DELETE_BATCH] < 40);
    assert_true(b->settled_calls > 0);
    UNTIL(b, b->fake.open_polls > 0); /* and then it waits for more */
    assert_true(b->fake.promised <= 25);
    assert_string_equal(b->problem, "");
}

static void test_small_credit(void **state)
{
    struct mapping *b = *state;
    b->credit = 3;
    bench_put(b, 20);
    bench_start(b);
    bench_consume(b, 20);
    assert_true(b->fake.promised_max <= 3);
}

static void test_polls_grow_and_shrink(void **state)
{
    struct mapping *b = *state;
    b->credit = 480;
    b->timing.wait_s = 1;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 1);
    bench_for(b, 250); /* idle: one */
    assert_int_equal(b->fake.open_polls_max, 1);
    bench_put(b, 400);
    bench_consume(b, 400);
    assert_true(b->fake.open_polls_max > 4);
    assert_true(b->fake.open_polls_max <= 32);
    UNTIL(b, b->fake.open_polls == 1 && b->sqs->target == 1);
}

static void test_provisioned_pollers(void **state)
{
    struct mapping *b = *state;
    b->credit = 60;
    b->sqs->min_pollers = 4;
    b->sqs->max_pollers = 6;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 4);
    bench_for(b, 30);
    assert_int_equal(b->fake.open_polls_max, 4);
    bench_put(b, 300);
    bench_consume(b, 300);
    assert_true(b->fake.open_polls_max <= 6);
}

/* Few promises each, so that as many polls as were asked for fit into the credit. */
static void test_pollers_share_credit(void **state)
{
    struct mapping *b = *state;
    b->credit = 9;
    b->sqs->min_pollers = 4;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 4);
    assert_int_equal(b->fake.promised, 9);
}

/* More than an unprovisioned mapping ever opens, and traffic does not make them fewer. */
static void test_many_pollers(void **state)
{
    struct mapping *b = *state;
    b->credit = 600;
    b->sqs->min_pollers = 40;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 40);
    bench_put(b, 100);
    bench_consume(b, 100);
    assert_true(b->sqs->target >= 40);
}

static void test_records(void **state)
{
    struct mapping *b = *state;
    fake_put(&b->fake, "a \\\"quoted\\\" body", "ignored");
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    const struct record *r = container_of(b->held.next, struct record, node);
    assert_true(slice_is(r->id, "m-0"));
    assert_int_equal(r->key.n, 0); /* a standard queue has no order */
    assert_int_equal(r->attempts, 0);
    assert_true(r->age_ms > 0);
    struct slice start = {r->json.p, 60};
    assert_true(
        slice_starts(start, "{\"messageId\":\"m-0\",\"receiptHandle\":\"0-1\",\"body\":\"a \\\"q"));
    assert_true(slice_ends(r->json, "\"eventSource\":\"aws:sqs\",\"eventSourceARN\":"
                                    "\"arn:aws:sqs:us-east-1:000000000000:q\",\"awsRegion\":"
                                    "\"us-east-1\"}"));
    struct batch batch = {.n = 1};
    struct buf out;
    struct json_out o;
    buf_init(&out, 65536);
    json_out_init(&o, &out);
    batch.records = b->held; /* a list of one, seen from another head */
    batch.records.next->prev = batch.records.next->next = &batch.records;
    sqs_source.encode(&b->sqs->source, &batch, &o);
    b->held.next->prev = b->held.next->next = &b->held;
    assert_true(slice_starts(buf_slice(&out), "{\"Records\":[{\"messageId\""));
    assert_true(slice_ends(buf_slice(&out), "}]}"));
    assert_int_equal(out.n, r->json.n + b->sqs->source.envelope_bytes);
    buf_free(&out);
    bench_settle(b, 1, bench_failed); /* comes again by its timeout, not before */
    bench_for(b, 30);
    assert_int_equal(b->emitted, 1);
    b->fake.m[0].visible_ms = 0;
    UNTIL(b, b->n_held == 1);
    r = container_of(b->held.next, struct record, node);
    assert_int_equal(r->attempts, 1);
    assert_int_equal(b->fake.m[0].releases, 0);
}

/* What the engine has no room for any more waits here, held, and is not lost. */
static void test_credit_falls_away(void **state)
{
    struct mapping *b = *state;
    b->credit = 10;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 1);
    b->credit = 0;
    bench_put(b, 10);
    UNTIL(b, b->fake.open_polls == 0);
    bench_for(b, 30);
    assert_int_equal(b->emitted, 0);
    assert_int_equal(b->sqs->n_waiting, 10);
    b->credit = 4;
    sqs_source.pump(&b->sqs->source);
    assert_int_equal(b->emitted, 4);
    bench_for(b, 30);
    assert_int_equal(b->fake.open_polls, 0);
    b->credit = 10;
    bench_consume(b, 10);
    assert_int_equal(b->emitted, 10);
}

static void test_duplicate_while_held(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 1);
    b->fake.old_handles_fail = true;
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    b->fake.m[0].visible_ms = 0;
    UNTIL(b, b->fake.m[0].receives == 2);
    bench_for(b, 20);
    assert_int_equal(b->emitted, 1);
    bench_consume(b, 1); /* with the latest handle, or it would not be deleted */
    assert_int_equal(b->fake.m[0].deletes, 1);
}

static void test_fifo(void **state)
{
    struct mapping *b = *state;
    b->sqs->queue = "arn:aws:sqs:us-east-1:000000000000:q.fifo";
    b->sqs->source.settings.batch_size = 4;
    for (int i = 0; i < 6; i++)
        fake_put(&b->fake, "x", i % 2 ? "b" : "a");
    bench_start(b);
    assert_int_equal(b->sqs->source.flags, SOURCE_ORDERED | SOURCE_REDELIVERS);
    UNTIL(b, b->n_held == 4);
    bench_for(b, 20);
    assert_int_equal(b->n_held, 4); /* groups with something in flight are closed */
    const struct record *r = container_of(b->held.next, struct record, node);
    assert_true(slice_is(r->key, "a"));
    bench_settle(b, 1, bench_failed);
    bench_settle(b, 3, bench_unrun); /* stand behind it: wait with it */
    bench_for(b, 30);
    for (int i = 0; i < 4; i++)
        assert_int_equal(b->fake.m[i].releases + b->fake.m[i].extensions, 0);
}

/* A message of the same group that waits for credit must not overtake the one that failed. */
static void test_fifo_waiting(void **state)
{
    struct mapping *b = *state;
    b->sqs->queue = "arn:aws:sqs:us-east-1:000000000000:q.fifo";
    b->credit = 4;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 1);
    fake_put(&b->fake, "x", "a");
    fake_put(&b->fake, "x", "b");
    fake_put(&b->fake, "x", "a");
    fake_put(&b->fake, "x", "b");
    b->credit = 1;
    UNTIL(b, b->n_held == 1 && b->sqs->n_waiting == 3);
    b->credit = 0;
    bench_settle(b, 1, bench_failed);
    assert_int_equal(b->sqs->n_waiting, 2);
    b->credit = 4;
    sqs_source.pump(&b->sqs->source);
    UNTIL(b, b->n_held == 2);
    list_each(&b->held, it) assert_true(slice_is(container_of(it, struct record, node)->key, "b"));
}

static void test_query_protocol(void **state)
{
    struct mapping *b = *state;
    b->fake.query_only = true;
    bench_put(b, 12);
    bench_start(b);
    bench_consume(b, 12);
    assert_int_equal(b->sqs->protocol, SQS_QUERY);
    assert_int_equal(b->problems, 0);
    assert_int_equal(b->fake.count[SQS_GET_URL], 1);
}

/* With a window, messages are hidden for as long as they may wait and run. */
static void test_window_visibility(void **state)
{
    struct mapping *b = *state;
    b->sqs->source.settings.window_s = 50;
    bench_put(b, 1);
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    assert_int_equal(b->fake.last_visibility_s, 50 + 3 + 30);
    assert_int_equal(b->sqs->visibility_s, 83);
    bench_consume(b, 1);
}

static void test_no_window_no_visibility(void **state)
{
    struct mapping *b = *state;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 1);
    assert_int_equal(b->fake.last_visibility_s, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH(test_pages),
        BENCH(test_small_credit),
        BENCH(test_polls_grow_and_shrink),
        BENCH(test_provisioned_pollers),
        BENCH(test_pollers_share_credit),
        BENCH(test_many_pollers),
        BENCH(test_records),
        BENCH(test_credit_falls_away),
        BENCH(test_duplicate_while_held),
        BENCH(test_fifo),
        BENCH(test_fifo_waiting),
        BENCH(test_query_protocol),
        BENCH(test_window_visibility),
        BENCH(test_no_window_no_visibility),
    };
    log_setup(LOG_ERROR, LOG_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
