/* test_queue_waiters.c - many receives wait in one queue, and most of who asked have left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/queue.h"
#include "spool_fixture.h"

enum { GONE = 5000, AT_ONCE = 256 };

static struct world {
    struct fixture *f;
    struct queues *queues;
    struct queue *queue;
    struct waiter {
        struct queue_receive receive;
        bool there;
        size_t got;
    } waiters[GONE + 1];
    size_t waiting;
    size_t asked, asked_most; /* calls of alive with nothing else in between */
    struct task tick;
} w;

static uint64_t pick(void)
{
    static uint64_t x = 7;
    return x = x * 6364136223846793005u + 1442695040888963407u;
}

static void created(struct queue_admin *a)
{
    assert_int_equal(a->status, QUEUE_OK);
    w.queue = a->queue;
    loop_stop(w.f->loop);
}

static int setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    w = (struct world){.f = *state};
    if (!fixture_open(w.f))
        return -1;
    w.queues = queues_open(w.f->loop, w.f->spool, "us-east-1", "000000000000", pick, &w.f->err);
    const struct queue_settings settings = {
        .visibility_s = 30, .retention_s = 3600, .max_bytes = 1024};
    const struct option_map none = {0};
    struct queue_admin admin = {.done = created};
    queue_create(w.queues, SLICE("q"), &settings, &none, &admin);
    loop_run(w.f->loop);
    return w.queue != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_close(w.f);
    queues_close(w.queues);
    return fixture_teardown(state);
}

static bool alive(struct queue_receive *r)
{
    w.asked++;
    w.asked_most = w.asked > w.asked_most ? w.asked : w.asked_most;
    return container_of(r, struct waiter, receive)->there;
}

/* Goes round with the other tasks as long as somebody waits. */
static void tick(struct task *t)
{
    w.asked = 0;
    if (w.waiting > 0)
        loop_defer(w.f->loop, t);
}

static void received(struct queue_receive *r)
{
    container_of(r, struct waiter, receive)->got = r->n;
    assert_int_equal(r->status, QUEUE_OK);
    if (--w.waiting == 0)
        loop_stop(w.f->loop);
}

static void wait_one(struct waiter *one, bool there)
{
    one->there = there;
    one->receive = (struct queue_receive){
        .max = 1, .visibility_s = -1, .wait_ms = 20000, .alive = alive, .done = received};
    w.waiting++;
    queue_receive(w.queue, &one->receive);
}

static void sent(struct queue_send *s)
{
    assert_int_equal(s->entries[0].status, QUEUE_OK);
}

/* The one message finds the one who is still there, and no turn of the loop asks all of them. */
static void those_who_left_are_passed_over_a_few_at_a_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < GONE; i++)
        wait_one(&w.waiters[i], false);
    wait_one(&w.waiters[GONE], true);
    static const char md5[] = "9dd4e461268c8034f5c8564e155c67a6";
    struct queue_send_entry entry = {
        .body = SLICE("x"), .md5_body = {md5, 32}, .sender = SLICE("me"), .delay_s = -1};
    struct queue_send send = {.entries = &entry, .n = 1, .done = sent};
    queue_send(w.queue, &send);
    task_init(&w.tick, tick);
    loop_defer(w.f->loop, &w.tick);
    loop_run(w.f->loop);
    for (size_t i = 0; i < GONE; i++)
        assert_int_equal(w.waiters[i].got, 0);
    assert_int_equal(w.waiters[GONE].got, 1);
    assert_in_range(w.asked_most, 1, AT_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(those_who_left_are_passed_over_a_few_at_a_time, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
