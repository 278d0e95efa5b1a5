/* test_sqs_hold.c - the SQS source keeps what it holds, and gives back what it cannot keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sqs_bench.h"

/* ---- extension of visibility */

/* Held for several timeouts: extended in batches, never received again. */
static void test_held_messages_stay(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 8;
    bench_put(b, 25);
    bench_start(b);
    UNTIL(b, b->n_held == 25);
    bench_for(b, 30 * b->fake.second_ms);
    for (size_t i = 0; i < 25; i++) {
        assert_int_equal(b->fake.m[i].receives, 1);
        assert_true(b->fake.m[i].extensions >= 3);
        assert_true(b->fake.m[i].extensions <= 12);
    }
    assert_int_equal(b->fake.entries_max, 10);
    assert_int_equal(b->emitted, 25);
    bench_consume(b, 25);
}

static void test_extension_failures(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 8;
    bench_put(b, 3);
    fake_fail(&b->fake, SQS_VISIBILITY_BATCH, 2, 500, "");
    bench_start(b);
    UNTIL(b, b->n_held == 3);
    UNTIL(b, b->fake.m[0].extensions >= 2);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(b->fake.m[i].receives, 1);
    bench_consume(b, 3);
}

/* Nothing can be extended: it comes again, and still the function has it once. */
static void test_no_extension_at_all(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 4;
    b->fake.old_handles_fail = true;
    bench_put(b, 3);
    fake_fail(&b->fake, SQS_VISIBILITY_BATCH, 100000, 0, NULL);
    bench_start(b);
    UNTIL(b, b->n_held == 3);
    UNTIL(b, b->fake.m[0].receives >= 3);
    assert_int_equal(b->emitted, 3);
    b->fake.fault[SQS_VISIBILITY_BATCH].times = 0;
    bench_consume(b, 3);
}

/* A message that lapsed is not asked for again until it is received anew. */
static void test_lapsed(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 8;
    bench_put(b, 1);
    b->fake.bad_entry = "0-1";
    b->fake.bad_code = "MessageNotInflight";
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    UNTIL(b, b->fake.count[SQS_VISIBILITY_BATCH] == 1);
    bench_for(b, 3 * b->fake.second_ms);
    assert_int_equal(b->fake.count[SQS_VISIBILITY_BATCH], 1);
    UNTIL(b, b->fake.m[0].extensions >= 1); /* with the handle of the second receive */
    assert_int_equal(b->fake.m[0].receives, 2);
    assert_int_equal(b->emitted, 1);
    bench_consume(b, 1);
}

/* Twelve hours after it was received a message cannot be held any longer. */
static void test_twelve_hours(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 8;
    bench_put(b, 1);
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    struct sqs_slot *slot = b->sqs->slots[0];
    slot->received_ms = loop_now(b->loop) - (SQS_VISIBILITY_MAX_S - 3) * b->fake.second_ms;
    assert_int_equal(sqs_hold_seconds(b->sqs, slot), 3);
    slot->received_ms -= 3 * b->fake.second_ms;
    assert_int_equal(sqs_hold_seconds(b->sqs, slot), 0);
    slot->visible_ms = 0;
    UNTIL(b, slot->lapsed);
    assert_int_equal(b->fake.count[SQS_VISIBILITY_BATCH], 0);
}

/* Settled while an extension of it is wanted, or is on its way. */
static void test_settled_meanwhile(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 8;
    bench_put(b, 30);
    bench_start(b);
    UNTIL(b, b->n_held == 30);
    UNTIL(b, b->sqs->work[SQS_WORK_EXTEND].out > 0);
    bench_settle(b, 10, bench_ack);
    bench_settle(b, 10, bench_failed);
    sqs_work_add(b->sqs, b->sqs->slots[29], SQS_WORK_EXTEND);
    assert_int_equal(b->sqs->work[SQS_WORK_EXTEND].ready_n, 1);
    bench_settle(b, 10, bench_ack);
    assert_int_equal(b->sqs->work[SQS_WORK_EXTEND].ready_n, 0);
    UNTIL(b, b->sqs->source.settling == 0);
    UNTIL(b, b->sqs->work[SQS_WORK_EXTEND].out == 0);
    assert_int_equal(b->sqs->work[SQS_WORK_EXTEND].n, 0);
    assert_int_equal(b->sqs->work[SQS_WORK_DELETE].n, 0);
    assert_int_equal(b->sqs->n_held, 0);
    assert_int_equal(fake_left(&b->fake), 10);
    bench_consume(b, 40);
}

/* ---- giving back */

static void test_unrun_is_given_back_at_once(void **state)
{
    struct mapping *b = *state;
    b->credit = 4; /* so that no poll is open, which would receive them again */
    bench_put(b, 4);
    bench_start(b);
    UNTIL(b, b->n_held == 4);
    b->credit = 0;
    bench_settle(b, 2, bench_unrun);
    bench_settle(b, 2, bench_failed);
    UNTIL(b, b->sqs->source.settling == 0);
    int64_t now = loop_now(b->loop);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(b->fake.m[i].releases, i < 2 ? 1 : 0);
        assert_true(i < 2 ? b->fake.m[i].visible_ms <= now : b->fake.m[i].visible_ms > now);
        assert_int_equal(b->fake.m[i].deletes, 0);
    }
}

static void test_bury_deletes(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 1);
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    bench_settle(b, 1, (struct decision){VERDICT_BURY, 0, true});
    UNTIL(b, b->sqs->source.settling == 0);
    assert_int_equal(b->fake.m[0].deletes, 1);
}

/* A release that fails is tried a few times only: the timeout does it anyway. */
static void test_release_failures(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 1);
    fake_fail(&b->fake, SQS_VISIBILITY_BATCH, 1000, 500, "");
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    b->credit = 0;
    bench_settle(b, 1, bench_unrun);
    UNTIL(b, b->sqs->source.settling == 0);
    assert_int_equal(b->fake.count[SQS_VISIBILITY_BATCH], 3);
}

/* ---- stop */

static void test_stop_when_idle(void **state)
{
    struct mapping *b = *state;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 1);
    int64_t start = loop_now(b->loop);
    sqs_source.stop(&b->sqs->source);
    sqs_source.stop(&b->sqs->source);
    assert_int_equal(b->sqs->source.settling, 1);
    UNTIL(b, b->sqs->source.settling == 0);
    assert_int_equal(b->settled_calls, 1);
    assert_int_equal(b->sqs->n_polls, 0);
    assert_true(loop_now(b->loop) - start < 5000); /* not the twenty seconds of the poll */
}

static void test_stop_before_the_queue_is_found(void **state)
{
    struct mapping *b = *state;
    b->fake.missing = true;
    bench_start(b);
    sqs_source.stop(&b->sqs->source);
    assert_int_equal(b->sqs->source.settling, 0);
    bench_for(b, 60);
    assert_true(b->fake.count[SQS_GET_URL] <= 1);
}

/* What a poll still brings after the stop goes back at once. */
static void test_stop_gives_back_late_messages(void **state)
{
    struct mapping *b = *state;
    b->timing.stop_ms = 20000;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 1);
    int64_t start = loop_now(b->loop);
    sqs_source.stop(&b->sqs->source);
    bench_put(b, 7);
    UNTIL(b, b->sqs->source.settling == 0);
    assert_true(loop_now(b->loop) - start < 5000); /* nothing more is waited for */
    assert_int_equal(b->emitted, 0);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(b->fake.m[i].receives, 1);
        assert_int_equal(b->fake.m[i].releases, 1);
    }
    assert_int_equal(b->fake.open_polls, 0);
    assert_int_equal(b->settled_calls, 1);
}

/* Work in flight comes home while the source is stopped: still held, then deleted or given back. */
static void test_stop_with_work_in_flight(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 8;
    b->credit = 6;
    bench_put(b, 6);
    bench_start(b);
    UNTIL(b, b->n_held == 6);
    sqs_source.stop(&b->sqs->source);
    bench_settle(b, 2, bench_unrun);
    bench_for(b, 10 * b->fake.second_ms);
    assert_int_equal(b->emitted, 6);
    assert_true(b->fake.m[5].extensions >= 1);
    bench_settle(b, 4, bench_ack);
    UNTIL(b, b->sqs->source.settling == 0);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(b->fake.m[i].receives, 1);
    assert_int_equal(fake_left(&b->fake), 2);
}

static void test_stop_gives_back_what_waits(void **state)
{
    struct mapping *b = *state;
    b->sqs->queue = "arn:aws:sqs:us-east-1:000000000000:q.fifo";
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 1);
    b->credit = 0;
    fake_put(&b->fake, "x", "a");
    fake_put(&b->fake, "x", "a");
    UNTIL(b, b->sqs->n_waiting == 2);
    sqs_source.stop(&b->sqs->source);
    UNTIL(b, b->sqs->source.settling == 0);
    assert_int_equal(b->fake.m[0].releases + b->fake.m[1].releases, 2);
}

/* The drain was cut: closed with everything still out. */
static void test_close_at_any_time(void **state)
{
    struct mapping *b = *state;
    for (int steps = 0; steps < 40; steps += 4) {
        bench_put(b, 30);
        b->sqs->stopping = false;
        bench_start(b);
        for (int i = 0; i < steps; i++) {
            if (b->n_held > 8)
                bench_settle(b, 8, i % 3 ? bench_ack : bench_unrun);
            bench_turn(b);
        }
        if (steps % 8)
            sqs_source.stop(&b->sqs->source);
        sqs_source.close(&b->sqs->source);
        list_each(&b->held, it) record_free(container_of(it, struct record, node));
        b->n_held = 0;
        b->sqs->n_polls = b->sqs->promised = 0;
        b->fake.promised = b->fake.promised_max = 0;
        list_each(&b->fake.polls, it)
        {
            struct fake_call *c = container_of(it, struct fake_call, node);
            http_abort(c->req);
            fake_free_call(c);
        }
    }
    bench_for(b, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH(test_held_messages_stay),
        BENCH(test_extension_failures),
        BENCH(test_no_extension_at_all),
        BENCH(test_lapsed),
        BENCH(test_twelve_hours),
        BENCH(test_settled_meanwhile),
        BENCH(test_unrun_is_given_back_at_once),
        BENCH(test_bury_deletes),
        BENCH(test_release_failures),
        BENCH(test_stop_when_idle),
        BENCH(test_stop_before_the_queue_is_found),
        BENCH(test_stop_gives_back_late_messages),
        BENCH(test_stop_with_work_in_flight),
        BENCH(test_stop_gives_back_what_waits),
        BENCH(test_close_at_any_time),
    };
    log_setup(getenv("LOUD") ? LOG_DEBUG : LOG_ERROR, LOG_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
