/* test_loop.c - turns, timers, tasks, descriptors and signals of the real loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop_jobs.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static void stop_run(struct task *t)
{
    struct job *j = container_of(t, struct job, task);
    note(j->mark);
    loop_stop(j->loop);
}

static void stop_fire(struct timer *t)
{
    struct job *j = container_of(t, struct job, timer);
    note(j->mark);
    loop_stop(j->loop);
}

static int setup(void **state)
{
    struct error err;
    trace[0] = '\0';
    *state = loop_new(&err);
    return *state == NULL;
}

static int teardown(void **state)
{
    loop_free(*state);
    return 0;
}

static void a_timer_restarted_by_itself_does_not_starve_the_rest(void **state)
{
    struct loop *l = *state;
    struct job a = job_make(l, 'a'), end = job_make(l, '.');
    a.next = &a;
    a.delay_ms = 0;
    end.timer.fire = stop_fire;
    timer_start(l, &a.timer, 0);
    timer_start(l, &end.timer, 3);
    loop_run(l);
    assert_non_null(strstr(trace, "aa"));
    timer_stop(l, &a.timer);
}

static void timers_of_the_real_loop_keep_their_time(void **state)
{
    struct loop *l = *state;
    struct job a = job_make(l, 'a'), b = job_make(l, 'b'), end = job_make(l, '.');
    a.next = &b;
    a.delay_ms = 5;
    end.timer.fire = stop_fire;
    int64_t before = loop_clock_us(l);
    timer_start(l, &end.timer, 60);
    timer_start(l, &a.timer, 30);
    loop_run(l);
    int64_t took_us = loop_clock_us(l) - before;
    assert_string_equal(trace, "ab.");
    assert_in_range(took_us, 58000, 5000000);
    assert_true(loop_wall(l) > 1600000000000);
}

/* A thousand short sleeps: each must end by its timer, nothing else happens meanwhile. */
static int sleeps_left;

static void short_sleep(struct timer *t)
{
    struct job *j = container_of(t, struct job, timer);
    if (--sleeps_left > 0)
        timer_start(j->loop, t, sleeps_left % 3);
    else
        loop_stop(j->loop);
}

static void no_sleep_without_end(void **state)
{
    struct loop *l = *state;
    struct job a = job_make(l, 'a');
    a.timer.fire = short_sleep;
    sleeps_left = 300;
    timer_start(l, &a.timer, 1);
    int64_t before = loop_clock_us(l);
    loop_run(l);
    assert_true(loop_clock_us(l) - before < 20000000);
    assert_int_equal(sleeps_left, 0);
}

struct pipe_job {
    struct watch watch;
    struct loop *loop;
    uint32_t seen;
    int calls, stop_after;
    struct job *defer;
};

static void pipe_ready(struct watch *w, uint32_t events)
{
    struct pipe_job *j = container_of(w, struct pipe_job, watch);
    j->seen |= events;
    char c[8];
    if ((events & WATCH_READ) != 0 && (w->events & WATCH_READ) != 0 && read(w->fd, c, sizeof c) < 0)
        assert_true(errno == EAGAIN || errno == ENOTCONN || errno == ECONNRESET);
    if (j->defer != NULL)
        loop_defer(j->loop, &j->defer->task);
    if (++j->calls == j->stop_after)
        loop_stop(j->loop);
}

static void a_descriptor_wakes_the_loop_and_its_task_runs_before_the_next_sleep(void **state)
{
    struct loop *l = *state;
    int fd[2];
    assert_int_equal(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
    struct job end = job_make(l, '.');
    end.task.run = stop_run;
    struct pipe_job p = {.watch = {.fd = fd[0], .events = WATCH_READ, .ready = pipe_ready},
                         .loop = l,
                         .defer = &end};
    assert_true(watch_start(l, &p.watch));
    assert_true(watch_start(l, &p.watch));
    assert_int_equal(write(fd[1], "x", 1), 1);
    loop_run(l);
    assert_int_equal(p.calls, 1);
    assert_int_equal(p.seen, WATCH_READ);
    watch_stop(l, &p.watch);
    watch_stop(l, &p.watch);
    close(fd[0]);
    close(fd[1]);
}

static void a_hangup_is_reported_as_ready(void **state)
{
    struct loop *l = *state;
    int fd[2];
    assert_int_equal(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
    struct pipe_job r = {.watch = {.fd = fd[0], .events = WATCH_READ, .ready = pipe_ready},
                         .loop = l,
                         .stop_after = 1};
    assert_true(watch_start(l, &r.watch));
    close(fd[1]);
    loop_run(l);
    assert_true((r.seen & WATCH_READ) != 0);
    watch_stop(l, &r.watch);
    close(fd[0]);
    /* the writing end of a pipe that nobody reads reports an error; twice: it stays reported */
    assert_int_equal(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
    struct pipe_job w = {.watch = {.fd = fd[1], .events = WATCH_WRITE, .ready = pipe_ready},
                         .loop = l,
                         .stop_after = 2};
    close(fd[0]);
    assert_true(watch_start(l, &w.watch));
    loop_run(l);
    assert_int_equal(w.calls, 2);
    assert_int_equal(w.seen, WATCH_READ | WATCH_WRITE);
    watch_stop(l, &w.watch);
    close(fd[1]);
}

static void wanted_events_can_change(void **state)
{
    struct loop *l = *state;
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    struct pipe_job p = {.watch = {.fd = fd[0], .events = WATCH_READ, .ready = pipe_ready},
                         .loop = l,
                         .stop_after = 1};
    assert_true(watch_start(l, &p.watch));
    p.watch.events = WATCH_WRITE;
    assert_true(watch_start(l, &p.watch));
    loop_run(l);
    assert_int_equal(p.seen, WATCH_WRITE);
    p.watch.events = 0;
    assert_true(watch_start(l, &p.watch));
    struct job end = job_make(l, '.');
    end.timer.fire = stop_fire;
    timer_start(l, &end.timer, 5);
    loop_run(l);
    assert_int_equal(p.calls, 1);
    watch_stop(l, &p.watch);
    close(fd[0]);
    close(fd[1]);
}

static void a_number_that_was_closed_and_used_again_can_be_watched(void **state)
{
    struct loop *l = *state;
    for (int i = 0; i < 50; i++) {
        int fd[2];
        assert_int_equal(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
        struct pipe_job p = {.watch = {.fd = fd[0], .events = WATCH_READ, .ready = pipe_ready},
                             .loop = l,
                             .stop_after = 1};
        assert_true(watch_start(l, &p.watch));
        watch_stop(l, &p.watch);
        close(fd[0]);
        close(fd[1]);
        assert_int_equal(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
        p.watch.fd = fd[0];
        assert_true(watch_start(l, &p.watch));
        assert_int_equal(write(fd[1], "x", 1), 1);
        if (i % 2 == 0)
            loop_run(l);
        watch_stop(l, &p.watch);
        close(fd[0]);
        close(fd[1]);
    }
}

static void a_bad_descriptor_is_refused(void **state)
{
    struct pipe_job p = {.watch = {.fd = 9999, .events = WATCH_READ, .ready = pipe_ready}};
    assert_false(watch_start(*state, &p.watch));
    assert_null(p.watch.impl);
}

static void stop_both(struct watch *w, uint32_t events)
{
    (void)events;
    struct pipe_job *j = container_of(w, struct pipe_job, watch);
    struct pipe_job *other = (struct pipe_job *)(void *)j->defer;
    watch_stop(j->loop, w);
    watch_stop(j->loop, &other->watch);
    close(w->fd);
    close(other->watch.fd);
    j->calls++;
    loop_stop(j->loop);
}

static void one_callback_may_stop_another_that_is_ready_too(void **state)
{
    struct loop *l = *state;
    int a[2], b[2];
    assert_int_equal(pipe2(a, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(pipe2(b, O_NONBLOCK | O_CLOEXEC), 0);
    struct pipe_job p = {.watch = {.fd = a[0], .events = WATCH_READ, .ready = stop_both},
                         .loop = l};
    struct pipe_job q = {.watch = {.fd = b[0], .events = WATCH_READ, .ready = stop_both},
                         .loop = l};
    p.defer = (struct job *)(void *)&q;
    q.defer = (struct job *)(void *)&p;
    assert_true(watch_start(l, &p.watch));
    assert_true(watch_start(l, &q.watch));
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_int_equal(write(b[1], "x", 1), 1);
    loop_run(l);
    assert_int_equal(p.calls + q.calls, 1);
    close(a[1]);
    close(b[1]);
}

static void on_signal(int signo, void *ctx)
{
    note(signo == SIGUSR1 ? '1' : '2');
    if (trace[1] != '\0')
        loop_stop(ctx);
}

static void signals_arrive_also_those_from_before_the_run(void **state)
{
    struct loop *l = *state;
    struct error err;
    assert_true(loop_signal(l, SIGUSR1, on_signal, l, &err));
    assert_true(loop_signal(l, SIGUSR2, on_signal, l, &err));
    raise(SIGUSR1);
    raise(SIGUSR2);
    loop_run(l);
    assert_string_equal(trace, "12");
    assert_false(loop_signal(l, SIGKILL, on_signal, l, &err));
}

static void requeue(struct task *t)
{
    struct job *j = container_of(t, struct job, task);
    loop_defer(j->loop, t);
}

static void a_task_that_queues_itself_does_not_starve_descriptors(void **state)
{
    struct loop *l = *state;
    int fd[2];
    assert_int_equal(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
    struct job greedy = job_make(l, 'g');
    greedy.task.run = requeue;
    struct pipe_job p = {.watch = {.fd = fd[0], .events = WATCH_READ, .ready = pipe_ready},
                         .loop = l,
                         .stop_after = 1};
    assert_true(watch_start(l, &p.watch));
    assert_int_equal(write(fd[1], "x", 1), 1);
    loop_defer(l, &greedy.task);
    loop_run(l);
    assert_int_equal(p.calls, 1);
    task_cancel(&greedy.task);
    watch_stop(l, &p.watch);
    close(fd[0]);
    close(fd[1]);
}

static void burn(struct task *t)
{
    struct job *j = container_of(t, struct job, task);
    int64_t end = loop_clock_us(j->loop) + 60000;
    while (loop_clock_us(j->loop) < end) {
    }
    loop_stop(j->loop);
}

static void a_slow_turn_is_told_once_a_second(void **state)
{
    struct loop *l = *state;
    char text[2000] = {0};
    int fd[2], saved = dup(2);
    assert_int_equal(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
    struct job slow = job_make(l, 's');
    slow.task.run = burn;
    assert_int_equal(dup2(fd[1], 2), 2);
    for (int i = 0; i < 3; i++) {
        loop_defer(l, &slow.task);
        loop_run(l);
    }
    dup2(saved, 2);
    ssize_t n = read(fd[0], text, sizeof text - 1);
    assert_true(n > 0);
    const char *first = strstr(text, "slow turn of the event loop: ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "slow turn"));
    close(fd[0]);
    close(fd[1]);
    close(saved);
}

#define REAL(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REAL(a_timer_restarted_by_itself_does_not_starve_the_rest),
        REAL(timers_of_the_real_loop_keep_their_time),
        REAL(no_sleep_without_end),
        REAL(a_descriptor_wakes_the_loop_and_its_task_runs_before_the_next_sleep),
        REAL(a_hangup_is_reported_as_ready),
        REAL(wanted_events_can_change),
        REAL(a_number_that_was_closed_and_used_again_can_be_watched),
        REAL(a_bad_descriptor_is_refused),
        REAL(one_callback_may_stop_another_that_is_ready_too),
        REAL(signals_arrive_also_those_from_before_the_run),
        REAL(a_slow_turn_is_told_once_a_second),
        REAL(a_task_that_queues_itself_does_not_starve_descriptors),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
