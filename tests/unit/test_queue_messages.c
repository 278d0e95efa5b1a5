/* test_queue_messages.c - one message of a queue between its send and its end, to the millisecond:
 * handles that are late, attempts that are repeated, receivers that leave, orders that hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue_bench.h"

/* ---- handles */

/* AWS: a FIFO queue refuses the handle once the message is visible again; a standard queue deletes
 * with the latest handle for as long as nobody else has received the message. */
static void test_late_delete(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true), standard = bench_settings(false);
    struct queue *f = bench_create(b, "f.fifo", &fifo), *s = bench_create(b, "s", &standard);
    struct bench_got of_f, of_s;
    bench_send(b, f, "a", "g");
    bench_send(b, s, "a", NULL);
    bench_receive(b, f, &of_f, 1, NULL);
    bench_receive(b, s, &of_s, 1, NULL);
    bench_until(b, 31000);
    assert_int_equal(bench_delete(b, f, of_f.receipts[0]), QUEUE_HANDLE_EXPIRED);
    assert_int_equal(bench_delete(b, s, of_s.receipts[0]), QUEUE_OK);
    assert_receives(b, f, "a");
    assert_receives(b, s, "");
    bench_free(b);
}

static void test_handle_of_an_earlier_receive(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct queue *q = bench_create(b, "s", &standard);
    struct bench_got first, second;
    bench_send(b, q, "a", NULL);
    bench_receive(b, q, &first, 1, NULL);
    bench_until(b, 30000);
    bench_receive(b, q, &second, 1, NULL);
    assert_int_equal(second.receives[0], 2);
    assert_int_equal(bench_delete(b, q, first.receipts[0]), QUEUE_OK);
    assert_int_equal(bench_touch(b, q, first.receipts[0], 0), QUEUE_NOT_IN_FLIGHT);
    assert_int_equal(queue_counts(q).in_flight, 1);
    assert_int_equal(bench_touch(b, q, second.receipts[0], 0), QUEUE_OK);
    assert_receives(b, q, "a");
    bench_free(b);
}

/* Twelve hours since the receive, not since the change. */
static void test_visibility_at_most_twelve_hours(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct queue *q = bench_create(b, "s", &standard);
    struct bench_got g;
    bench_send(b, q, "a", NULL);
    bench_receive(b, q, &g, 1, NULL);
    assert_int_equal(bench_touch(b, q, g.receipts[0], QUEUE_VISIBILITY_MAX_S), QUEUE_OK);
    bench_until(b, 10000);
    assert_int_equal(bench_touch(b, q, g.receipts[0], QUEUE_VISIBILITY_MAX_S), QUEUE_TOO_LONG);
    assert_int_equal(bench_touch(b, q, g.receipts[0], QUEUE_VISIBILITY_MAX_S - 10), QUEUE_OK);
    bench_free(b);
}

static void test_bytes_of_what_is_left(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct queue *q = bench_create(b, "s", &standard);
    struct bench_got g;
    bench_send(b, q, "a", NULL);
    uint64_t one = queue_counts(q).bytes;
    bench_send(b, q, "b", NULL);
    assert_int_equal(queue_counts(q).bytes, 2 * one);
    bench_receive(b, q, &g, 1, NULL);
    assert_int_equal(bench_delete(b, q, g.receipts[0]), QUEUE_OK);
    assert_int_equal(queue_counts(q).bytes, one);
    bench_free(b);
}

/* ---- order */

/* What came back stands behind what was sent before it came back, and before what came later. */
static void test_returned_among_the_new(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    standard.retention_s = 120; /* ages that differ by a tenth of a second are told apart */
    struct queue *q = bench_create(b, "s", &standard);
    struct bench_got g;
    bench_send(b, q, "a", NULL);
    bench_receive(b, q, &g, 1, NULL);
    bench_until(b, 20000);
    bench_send(b, q, "b", NULL);
    bench_until(b, 40000);
    bench_send(b, q, "c", NULL);
    assert_receives(b, q, "b a c");
    bench_free(b);
}

/* A receiver that left before its answer has received nothing: order, count, visibility. */
static void test_receiver_leaves(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct queue *q = bench_create(b, "s", &standard);
    struct bench_got g;
    for (const char *body = "abcd"; *body != '\0'; body++)
        bench_send(b, q, (const char[]){*body, '\0'}, NULL);
    bench_receive_start(b, q, &g, 3, NULL);
    bench_cancel(b, &g);
    bench_until(b, 1000);
    bench_receive(b, q, &g, QUEUE_BATCH_MAX, NULL);
    assert_string_equal(g.bodies, "a b c d");
    for (size_t i = 0; i < g.n; i++)
        assert_int_equal(g.receives[i], 1);
    bench_restart(b);
    q = bench_find(b, "s");
    assert_int_equal(queue_counts(q).in_flight, 4);
    bench_until(b, 31000);
    bench_receive(b, q, &g, 1, NULL);
    assert_int_equal(g.receives[0], 2);
    bench_free(b);
}

/* ---- ReceiveRequestAttemptId */

static void test_attempt_is_repeated(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    struct bench_got first, again;
    bench_send(b, q, "a", "g");
    bench_send(b, q, "b", "g");
    bench_receive(b, q, &first, 10, "try");
    bench_until(b, 20000);
    bench_receive(b, q, &again, 10, "try");
    assert_string_equal(again.bodies, "a b");
    assert_int_equal(again.receives[0], 1);
    assert_string_equal(again.receipts[0], first.receipts[0]);
    /* the visibility began anew */
    bench_until(b, 49000);
    assert_receives(b, q, "");
    bench_until(b, 50000);
    assert_receives(b, q, "a b");
    bench_free(b);
}

/* A change of the visibility ends the attempt, also for what is received later under it; the next
 * receive begins another. */
static void test_attempt_ends_by_a_change(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    struct bench_got g;
    bench_send(b, q, "a", "g");
    bench_receive(b, q, &g, 10, "one");
    assert_int_equal(bench_touch(b, q, g.receipts[0], 5), QUEUE_OK);
    bench_receive(b, q, &g, 10, "one");
    assert_int_equal(g.n, 0);
    bench_until(b, 5000);
    bench_receive(b, q, &g, 10, "two");
    assert_int_equal(g.receives[0], 2);
    bench_receive(b, q, &g, 10, "two");
    assert_string_equal(g.bodies, "a");
    assert_int_equal(g.receives[0], 2);
    bench_free(b);
}

/* The one who repeats an attempt leaves as well: it is still that attempt's, not visible. */
static void test_repeated_attempt_leaves(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    struct bench_got g;
    bench_send(b, q, "a", "g");
    bench_receive(b, q, &g, 10, "try");
    bench_receive_start(b, q, &g, 10, "try");
    bench_cancel(b, &g);
    bench_until(b, 1000);
    assert_receives(b, q, "");
    bench_receive(b, q, &g, 10, "try");
    assert_string_equal(g.bodies, "a");
    assert_int_equal(g.receives[0], 1);
    bench_free(b);
}

/* ---- deduplication */

/* The five minutes do not end while the message is on its way to a slow disk. */
static void test_twin_of_a_slow_send(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    struct bench_sent first, second;
    bench_commit_takes(b, 400000);
    bench_send_start(b, q, &first, "a", "g", "same");
    bench_until(b, 301000);
    bench_send_start(b, q, &second, "b", "g", "same");
    bench_commit_takes(b, 0);
    bench_wait(b);
    assert_int_equal(second.entry.status, QUEUE_OK);
    assert_string_equal(second.entry.id, first.entry.id);
    assert_receives(b, q, "a");
    bench_free(b);
}

static void turn_notes_round(struct fake_disk *d)
{
    for (size_t i = 0; i < d->n_notes / 2; i++) {
        struct fake_note n = d->notes[i];
        d->notes[i] = d->notes[d->n_notes - 1 - i];
        d->notes[d->n_notes - 1 - i] = n;
    }
}

/* Two notes of one id are on disk, the older one because it could not be deleted: the younger one
 * counts after a restart, in whichever order they are read. */
static void older_note(bool turned)
{
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    struct bench_sent first, second, third;
    bench_send_start(b, q, &first, "a", "g", "same");
    bench_wait(b);
    bench_fail(b, true);
    bench_until(b, 300500);
    bench_fail(b, false);
    bench_send_start(b, q, &second, "b", "g", "same");
    bench_wait(b);
    assert_string_not_equal(second.entry.id, first.entry.id);
    if (turned)
        turn_notes_round(&b->disk);
    bench_restart(b);
    q = bench_find(b, "f.fifo");
    bench_until(b, 310000);
    bench_send_start(b, q, &third, "c", "g", "same");
    bench_wait(b);
    assert_string_equal(third.entry.id, second.entry.id);
    assert_receives(b, q, "a b");
    bench_free(b);
}

static void test_older_note(void **state)
{
    (void)state;
    older_note(false);
    older_note(true);
}

/* ---- sequence numbers */

/* Two sends are under way; the first, which notes how far numbers are used, fails. The number of
 * the second is not used again when it is gone and the gateway starts anew. */
static void test_numbers_are_never_used_twice(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct queue *q = bench_create(b, "s", &standard);
    struct bench_sent failed, kept, later;
    struct bench_got g;
    bench_send_start(b, q, &failed, "a", NULL, NULL);
    bench_send_start(b, q, &kept, "b", NULL, NULL);
    uint64_t fails = b->disk.fails;
    bench_fail(b, true);
    while (b->disk.fails == fails)
        assert_true(loop_step(b->loop));
    bench_fail(b, false);
    bench_wait(b);
    assert_int_not_equal(failed.entry.status, QUEUE_OK);
    assert_int_equal(kept.entry.status, QUEUE_OK);
    bench_receive(b, q, &g, 10, NULL);
    assert_string_equal(g.bodies, "b");
    assert_int_equal(bench_delete(b, q, g.receipts[0]), QUEUE_OK);
    bench_restart(b);
    q = bench_find(b, "s");
    for (int i = 0; i < 3; i++) {
        bench_send_start(b, q, &later, "c", NULL, NULL);
        bench_wait(b);
        assert_string_not_equal(later.entry.id, kept.entry.id);
    }
    bench_free(b);
}

/* ---- dead letters */

/* In its dead-letter queue a standard message keeps its age, a FIFO message begins anew, under a
 * deduplication id that no other can have. */
static void test_age_of_a_dead_letter(void **state)
{
    (void)state;
    for (int fifo = 0; fifo <= 1; fifo++) {
        struct bench *b = bench_new();
        struct queue_settings of_dead = bench_settings(fifo), of_q = bench_settings(fifo);
        const char *group = fifo ? "g" : NULL;
        struct queue *dead = bench_create(b, fifo ? "d.fifo" : "d", &of_dead);
        of_q.dead_arn = queue_arn(dead);
        struct queue *q = bench_create(b, fifo ? "q.fifo" : "q", &of_q);
        struct bench_got first, then;
        bench_send(b, q, "a", group);
        int64_t sent_ms = loop_wall(b->loop);
        bench_receive(b, q, &first, 1, NULL);
        bench_until(b, 60000);
        assert_receives(b, q, "");
        bench_receive(b, dead, &then, 1, NULL);
        assert_string_equal(then.bodies, "a");
        assert_string_equal(then.ids[0], first.ids[0]);
        assert_int_equal(then.receives[0], 2);
        assert_int_equal(then.sent_ms[0], fifo ? sent_ms + 60000 : sent_ms);
        assert_int_equal(queue_counts(dead).oldest_ms, fifo ? 0 : 60000);
        if (fifo)
            assert_string_equal(then.dedup_ids[0], first.ids[0]);
        bench_restart(b);
        dead = bench_find(b, fifo ? "d.fifo" : "d");
        assert_int_equal(queue_counts(dead).oldest_ms, fifo ? 0 : 60000);
        bench_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_delete),
        cmocka_unit_test(test_handle_of_an_earlier_receive),
        cmocka_unit_test(test_visibility_at_most_twelve_hours),
        cmocka_unit_test(test_bytes_of_what_is_left),
        cmocka_unit_test(test_returned_among_the_new),
        cmocka_unit_test(test_receiver_leaves),
        cmocka_unit_test(test_attempt_is_repeated),
        cmocka_unit_test(test_attempt_ends_by_a_change),
        cmocka_unit_test(test_repeated_attempt_leaves),
        cmocka_unit_test(test_twin_of_a_slow_send),
        cmocka_unit_test(test_older_note),
        cmocka_unit_test(test_numbers_are_never_used_twice),
        cmocka_unit_test(test_age_of_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
