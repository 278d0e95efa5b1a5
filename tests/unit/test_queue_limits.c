/* test_queue_limits.c - what bounds a queue and its work: messages in flight, ages, clocks that are
 * set back, failing stores, purges that stop half-way, the rate of moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue_bench.h"

enum { FLIGHT_MAX = 120000, ATTEMPTS_MAX = 10000, HOUR_MS = 3600000 };

/* Sends n messages, ten at a time; each in a group of its own when fifo. */
static void send_many(struct bench *b, struct queue *q, size_t n, bool fifo)
{
    for (size_t sent = 0; sent < n; sent += QUEUE_BATCH_MAX) {
        struct bench_sent s = {.bench = b};
        struct queue_send_entry entries[QUEUE_BATCH_MAX];
        char keys[QUEUE_BATCH_MAX][24];
        s.pub = (struct queue_send){.entries = entries, .done = bench_send_done};
        for (; s.pub.n < QUEUE_BATCH_MAX && sent + s.pub.n < n; s.pub.n++) {
            (void)snprintf(keys[s.pub.n], sizeof keys[0], "k%zu", sent + s.pub.n);
            struct slice key = fifo ? slice_of(keys[s.pub.n]) : SLICE_NONE;
            entries[s.pub.n] = (struct queue_send_entry){
                .body = SLICE("x"), .group = key, .dedup_id = key, .delay_s = -1};
        }
        b->waiting++;
        queue_send(q, &s.pub);
        bench_wait(b);
    }
    assert_int_equal(queue_counts(q).visible, n);
}

/* ---- in flight */

static void test_in_flight_at_most(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct queue *q = bench_create(b, "s", &standard);
    struct bench_got g;
    send_many(b, q, FLIGHT_MAX + 10, false);
    for (size_t out = 0; out + 7 <= FLIGHT_MAX; out += 7)
        bench_receive(b, q, &g, 7, NULL);
    bench_receive(b, q, &g, 7, NULL);
    assert_int_equal(g.n, FLIGHT_MAX % 7);
    assert_int_equal(queue_counts(q).in_flight, FLIGHT_MAX);
    bench_receive_start(b, q, &g, 7, NULL);
    bench_wait(b);
    assert_int_equal(g.pub.status, QUEUE_OVER_LIMIT);
    bench_free(b);
}

/* The oldest attempts are forgotten before there are too many. */
static void test_attempts_at_most(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    struct bench_got g;
    char attempt[24];
    send_many(b, q, ATTEMPTS_MAX + 1, true);
    for (size_t i = 0; i <= ATTEMPTS_MAX; i++) {
        (void)snprintf(attempt, sizeof attempt, "try%zu", i);
        bench_receive(b, q, &g, 1, attempt);
        assert_int_equal(g.n, 1);
    }
    bench_receive(b, q, &g, 1, "try1");
    assert_int_equal(g.n, 1);
    bench_receive(b, q, &g, 1, "try0");
    assert_int_equal(g.n, 0);
    bench_free(b);
}

/* ---- who waits */

static bool gone(struct queue_receive *r)
{
    (void)r;
    return false;
}

/* A client that left in its long poll costs no write; the next in line is served. */
static void test_waiter_that_left(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct queue *q = bench_create(b, "s", &standard);
    struct bench_got left = {.bench = b}, stays = {.bench = b};
    left.pub = (struct queue_receive){.max = 1, .visibility_s = -1, .wait_ms = 20000};
    left.pub.alive = gone;
    left.pub.done = bench_receive_done;
    stays.pub = (struct queue_receive){
        .max = 1, .visibility_s = -1, .wait_ms = 20000, .done = bench_receive_done};
    b->waiting += 2;
    queue_receive(q, &left.pub);
    queue_receive(q, &stays.pub);
    uint64_t commits = b->disk.commits;
    bench_send(b, q, "a", NULL);
    assert_string_equal(left.bodies, "");
    assert_string_equal(stays.bodies, "a");
    assert_int_equal(stays.receives[0], 1);
    assert_int_equal(b->disk.commits, commits + 2);
    bench_free(b);
}

/* A receive that comes when a message has come, but before those who wait were served, waits
 * behind them. */
struct late {
    struct bench_sent sent;
    struct queue *q;
    struct bench_got got;
};

static void receive_at_once(struct queue_send *s)
{
    struct late *l = container_of(s, struct late, sent.pub);
    struct bench *b = l->sent.bench;
    b->waiting--;
    bench_receive_start(b, l->q, &l->got, 1, NULL);
}

static void test_nobody_overtakes_who_waits(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct late l = {.q = bench_create(b, "s", &standard)};
    struct bench_got first = {.bench = b};
    first.pub = (struct queue_receive){
        .max = 1, .visibility_s = -1, .wait_ms = 20000, .done = bench_receive_done};
    b->waiting++;
    queue_receive(l.q, &first.pub);
    bench_send_start(b, l.q, &l.sent, "a", NULL, NULL);
    l.sent.pub.done = receive_at_once;
    bench_wait(b);
    assert_string_equal(first.bodies, "a");
    assert_string_equal(l.got.bodies, "");
    bench_free(b);
}

/* ---- failing stores */

/* A repeated attempt that the store refuses changes nothing: its messages stay hidden for as long
 * as they were. */
static void test_repeated_attempt_fails(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    struct bench_got g;
    bench_send(b, q, "a", "g");
    bench_receive(b, q, &g, 1, "try");
    bench_until(b, 10000);
    bench_fail(b, true);
    bench_receive_start(b, q, &g, 1, "try");
    bench_wait(b);
    assert_int_not_equal(g.pub.status, QUEUE_OK);
    bench_fail(b, false);
    bench_until(b, 29000);
    assert_receives(b, q, "");
    bench_until(b, 30000);
    assert_receives(b, q, "a");
    bench_free(b);
}

/* Two sends of one deduplication id are under way and the first fails: so does the second, which
 * wrote nothing. */
static void test_twin_of_a_failed_send(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    struct bench_sent first, second;
    bench_send_start(b, q, &first, "a", "g", "same");
    bench_send_start(b, q, &second, "b", "g", "same");
    bench_fail(b, true);
    while (b->disk.fails == 0)
        assert_true(loop_step(b->loop));
    bench_fail(b, false);
    bench_wait(b);
    assert_int_not_equal(first.entry.status, QUEUE_OK);
    assert_int_not_equal(second.entry.status, QUEUE_OK);
    assert_receives(b, q, "");
    bench_free(b);
}

/* ---- ages */

static void test_too_old_while_the_store_fails(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    standard.retention_s = 60;
    struct queue *q = bench_create(b, "s", &standard);
    bench_send(b, q, "a", NULL);
    bench_until(b, 30000);
    bench_send(b, q, "b", NULL);
    uint64_t two = queue_counts(q).bytes;
    bench_fail(b, true);
    bench_until(b, 65000);
    assert_int_equal(queue_counts(q).visible, 2);
    bench_fail(b, false);
    bench_until(b, 70000);
    assert_int_equal(queue_counts(q).visible, 1);
    assert_int_equal(queue_counts(q).bytes, two / 2);
    assert_int_equal(b->disk.n, 1);
    bench_until(b, 95000);
    assert_int_equal(b->disk.n, 0);
    assert_int_equal(queue_counts(q).bytes, 0);
    bench_free(b);
}

static size_t notes_of(const struct bench *b, const char *kind)
{
    size_t n = 0;
    for (size_t i = 0; i < b->disk.n_notes; i++)
        n += strncmp(b->disk.notes[i].name, kind, strlen(kind)) == 0;
    return n;
}

static void test_deduplication_ids_are_forgotten(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    send_many(b, q, 25, true);
    assert_int_equal(notes_of(b, "queue.dedup."), 3);
    bench_until(b, 299999);
    assert_int_equal(notes_of(b, "queue.dedup."), 3);
    bench_until(b, 305000);
    assert_int_equal(notes_of(b, "queue.dedup."), 0);
    bench_free(b);
}

/* ---- clocks */

static struct queue *restart_an_hour_ago(struct bench *b, const char *name)
{
    bench_crash(b);
    b->loop->wall_offset_ms -= HOUR_MS;
    bench_open(b);
    return bench_find(b, name);
}

/* Messages and ids from what is now the future count as new, not as younger than new. */
static void test_clock_set_back(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings fifo = bench_settings(true);
    struct queue *q = bench_create(b, "f.fifo", &fifo);
    struct bench_sent first, twin, later;
    bench_send_start(b, q, &first, "a", "g", "same");
    bench_wait(b);
    q = restart_an_hour_ago(b, "f.fifo");
    assert_int_equal(queue_counts(q).oldest_ms, 0);
    bench_until(b, 299000);
    bench_send_start(b, q, &twin, "b", "g", "same");
    bench_wait(b);
    assert_string_equal(twin.entry.id, first.entry.id);
    assert_int_equal(queue_counts(q).oldest_ms, 299000);
    bench_until(b, 301000);
    bench_send_start(b, q, &later, "c", "g", "same");
    bench_wait(b);
    assert_string_not_equal(later.entry.id, first.entry.id);
    bench_free(b);
}

/* A row that says it is delayed for years is not: 15 minutes are the most a queue can ask for. */
static void test_delay_from_the_store_is_bounded(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    standard.delay_s = 900;
    struct queue *q = bench_create(b, "s", &standard);
    bench_send(b, q, "a", NULL);
    b->disk.rows[0].due_ms += 1000 * INT64_C(86400000);
    bench_restart(b);
    q = bench_find(b, "s");
    assert_int_equal(queue_counts(q).delayed, 1);
    bench_until(b, 900000);
    assert_receives(b, q, "a");
    bench_free(b);
}

/* ---- purges */

/* A purge of many messages goes in steps; one that fails half-way leaves the rest, and its bytes.
 */
static void test_purge_stops_half_way(void **state)
{
    (void)state;
    enum { MANY = 40000, STEP = 16384 };
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct queue *q = bench_create(b, "s", &standard);
    struct bench_admin a = {.pub = {.done = bench_admin_done}, .bench = b};
    send_many(b, q, MANY, false);
    uint64_t bytes = queue_counts(q).bytes;
    b->waiting++;
    queue_purge(q, &a.pub);
    while (b->disk.n == MANY)
        assert_true(loop_step(b->loop));
    bench_fail(b, true);
    bench_wait(b);
    bench_fail(b, false);
    assert_int_not_equal(a.pub.status, QUEUE_OK);
    assert_int_equal(b->disk.n, MANY - STEP);
    assert_int_equal(queue_counts(q).visible, MANY - STEP);
    assert_int_equal(queue_counts(q).bytes, bytes / MANY * (MANY - STEP));
    bench_free(b);
}

/* ---- moves */

static const struct queue_move *first_move(struct queue *q)
{
    const struct queue_move *m = NULL;
    assert_int_equal(queue_moves(q, &m, 1), 1);
    return m;
}

static void test_moves_per_second(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false);
    struct queue *from = bench_create(b, "from", &standard), *to = bench_create(b, "to", &standard);
    char handle[64];
    send_many(b, from, 40, false);
    assert_int_equal(queue_move_start(from, to, 20, handle), QUEUE_OK);
    bench_until(b, 950);
    assert_int_equal(first_move(from)->state, QUEUE_MOVE_RUNNING);
    assert_in_range(queue_counts(to).visible, 18, 22);
    bench_until(b, 2500);
    assert_int_equal(first_move(from)->state, QUEUE_MOVE_COMPLETED);
    assert_int_equal(queue_counts(to).visible, 40);
    bench_free(b);
}

static void test_moves_to_the_same_kind_only(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct queue_settings standard = bench_settings(false), fifo = bench_settings(true);
    struct queue *from = bench_create(b, "from.fifo", &fifo);
    struct queue *to = bench_create(b, "to", &standard);
    char handle[64];
    bench_send(b, from, "a", "g");
    assert_int_equal(queue_move_start(from, to, 0, handle), QUEUE_OK);
    bench_until(b, 1000);
    assert_int_equal(first_move(from)->state, QUEUE_MOVE_FAILED);
    assert_int_equal(queue_counts(to).visible, 0);
    assert_receives(b, from, "a");
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_flight_at_most),
        cmocka_unit_test(test_attempts_at_most),
        cmocka_unit_test(test_waiter_that_left),
        cmocka_unit_test(test_nobody_overtakes_who_waits),
        cmocka_unit_test(test_repeated_attempt_fails),
        cmocka_unit_test(test_twin_of_a_failed_send),
        cmocka_unit_test(test_too_old_while_the_store_fails),
        cmocka_unit_test(test_deduplication_ids_are_forgotten),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_delay_from_the_store_is_bounded),
        cmocka_unit_test(test_purge_stops_half_way),
        cmocka_unit_test(test_moves_per_second),
        cmocka_unit_test(test_moves_to_the_same_kind_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
