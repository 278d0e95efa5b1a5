/* test_loop_core.c - timers and tasks under the virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop_jobs.h"
#include <stdlib.h>

enum { MANY = 2000 };

static void virtual_time_jumps_to_the_next_timer(void **state)
{
    (void)state;
    trace[0] = '\0';
    struct loop *l = loop_new_virtual();
    int64_t start = loop_now(l), wall = loop_wall(l);
    struct job a = job_make(l, 'a'), b = job_make(l, 'b'), c = job_make(l, 'c');
    timer_start(l, &a.timer, 86400000);
    timer_start(l, &b.timer, 10);
    loop_defer(l, &c.task);
    assert_true(loop_step(l));
    assert_int_equal(loop_now(l), start);
    assert_true(loop_step(l));
    assert_int_equal(loop_now(l), start + 10);
    assert_true(loop_step(l));
    assert_int_equal(loop_now(l), start + 86400000);
    assert_int_equal(loop_wall(l), wall + 86400000);
    assert_int_equal(loop_clock_us(l), loop_now(l) * 1000);
    assert_false(loop_step(l));
    assert_string_equal(trace, "cba");
    loop_free(l);
}

static void tasks_go_before_timers(void **state)
{
    (void)state;
    trace[0] = '\0';
    struct loop *l = loop_new_virtual();
    struct job a = job_make(l, 'a'), b = job_make(l, 'b'), c = job_make(l, 'c'),
               d = job_make(l, 'd');
    a.next = &b;
    timer_start(l, &d.timer, 0);
    loop_defer(l, &a.task);
    loop_defer(l, &c.task);
    while (loop_step(l)) {
    }
    assert_string_equal(trace, "acbd");
    loop_free(l);
}

static void a_task_is_queued_once_and_can_be_cancelled(void **state)
{
    (void)state;
    trace[0] = '\0';
    struct loop *l = loop_new_virtual();
    struct job a = job_make(l, 'a'), b = job_make(l, 'b');
    struct task fresh;
    task_cancel(&a.task); /* zeroed: not queued */
    task_init(&fresh, job_run);
    task_cancel(&fresh);
    loop_defer(l, &a.task);
    loop_defer(l, &a.task);
    loop_defer(l, &b.task);
    task_cancel(&b.task);
    task_cancel(&b.task);
    assert_true(loop_step(l));
    assert_false(loop_step(l));
    assert_string_equal(trace, "a");
    loop_free(l);
}

struct heap_job {
    struct timer timer;
    int64_t want_ms; /* -1: stopped */
    int fired;
    struct loop *loop;
};

static int64_t last_due;

static void heap_fire(struct timer *t)
{
    struct heap_job *j = container_of(t, struct heap_job, timer);
    assert_int_equal(loop_now(j->loop), j->want_ms);
    assert_true(j->want_ms >= last_due);
    last_due = j->want_ms;
    j->fired++;
}

/* Random starts, restarts and stops: what is armed fires in order, once, at its time. */
static void timers_fire_in_order_whatever_happens_to_them(void **state)
{
    (void)state;
    struct loop *l = loop_new_virtual();
    struct heap_job *jobs = calloc(MANY, sizeof *jobs);
    assert_non_null(jobs);
    uint32_t rnd = 12345;
    for (size_t i = 0; i < MANY; i++)
        jobs[i] = (struct heap_job){.timer.fire = heap_fire, .want_ms = -1, .loop = l};
    for (size_t step = 0; step < 5 * MANY; step++) {
        rnd = rnd * 1664525U + 1013904223U;
        struct heap_job *j = &jobs[(rnd >> 8) % MANY];
        rnd = rnd * 1664525U + 1013904223U;
        int64_t delay = (int64_t)((rnd >> 8) % 1000);
        if ((rnd & 0x80000000U) != 0 && timer_armed(&j->timer)) {
            timer_stop(l, &j->timer);
            j->want_ms = -1;
        } else {
            timer_start(l, &j->timer, delay);
            j->want_ms = loop_now(l) + delay;
        }
    }
    last_due = 0;
    while (loop_step(l)) {
    }
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(jobs[i].fired, jobs[i].want_ms >= 0);
    free(jobs);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_time_jumps_to_the_next_timer),
        cmocka_unit_test(tasks_go_before_timers),
        cmocka_unit_test(a_task_is_queued_once_and_can_be_cancelled),
        cmocka_unit_test(timers_fire_in_order_whatever_happens_to_them),
    };
    return cmocka_run_group_tests_name("loop_core", tests, NULL, NULL);
}
