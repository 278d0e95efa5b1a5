/* test_runtime_pool.c - which process gets an event, how processes start, fail, rest and end. */
#include "runtime_fixture.h"

#include "runtime_client.h"

static long pid_of(const struct trip *t)
{
    assert_true(t->done);
    long pid = strtol(t->d.reply.body.p, NULL, 10);
    assert_true(pid > 1);
    return pid;
}

static bool all_rest(struct fixture *f)
{
    return f->runtime.starting == 0 && f->runtime.returning == 0;
}

/* An event for whoever is at rest, and its process at rest again. */
static long ask_pid(struct fixture *f)
{
    struct trip t;
    trip_go(f, &t, "pid");
    long pid = pid_of(&t);
    trip_clear(&t);
    fixture_until(f, all_rest, NULL);
    return pid;
}

static void test_reuse(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip a, b;
    fixture_open(f);
    trip_send(f, &a, "pid", 10000);
    trip_send(f, &b, "pid", 10000);
    fixture_run(f);
    trip_clear(&a);
    trip_clear(&b);
    fixture_until(f, all_rest, NULL);
    assert_int_equal(f->runtime.alive, 2);
    long pid = ask_pid(f);
    assert_int_equal(ask_pid(f), pid); /* the most recently used one */
    assert_int_equal(ask_pid(f), pid);
    assert_int_equal(f->runtime.alive, 2);

    /* Back to back: the next event comes before the process has asked for it. */
    for (int i = 0; i < 20; i++) {
        trip_go(f, &a, "pid");
        trip_clear(&a);
    }
    assert_int_equal(f->runtime.alive, 2);
    fixture_free(f);
}

static void test_one_event_per_slot(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip hang, pid;
    fixture_open(f);
    trip_send(f, &hang, "hang", 60000);
    trip_send(f, &pid, "pid", 10000);
    f->waiting = 1; /* the other one never comes */
    fixture_run(f);
    assert_true(pid.done);
    assert_int_equal(f->runtime.alive, 2);
    runtime_sink.cancel(&f->runtime.sink, &hang.d);
    trip_clear(&pid);
    fixture_free(f);
    assert_false(hang.done);
}

static bool three_slots(struct fixture *f)
{
    return !list_empty(&f->runtime.idle) &&
           container_of(f->runtime.idle.next, struct runtime_sandbox, idle)->n_polls == 3;
}

static void test_several_slots(void **state)
{
    (void)state;
    struct fixture *f = fixture_client("several");
    struct trip t[3];
    f->settings.provisioned = 1;
    fixture_open(f);
    fixture_until(f, three_slots, NULL);
    for (size_t i = 0; i < 3; i++)
        trip_send(f, &t[i], "x", 10000);
    fixture_run(f);
    /* All three came from a process that answers only when it has three. */
    long pid = pid_of(&t[0]);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(t[i].d.reply.outcome, OUTCOME_OK);
        assert_int_equal(pid_of(&t[i]), pid);
        trip_clear(&t[i]);
    }
    fixture_free(f);

    f = fixture_client("several");
    f->settings.provisioned = 1;
    fixture_open(f);
    fixture_until(f, three_slots, NULL);
    trip_send(f, &t[0], "hang", 10000);
    trip_send(f, &t[1], "x", 200);
    trip_send(f, &t[2], "x", 10000);
    fixture_run(f);
    assert_int_equal(t[1].d.reply.outcome, OUTCOME_TIMEOUT);
    assert_int_equal(t[0].d.reply.outcome, OUTCOME_FAILED);
    assert_int_equal(t[2].d.reply.outcome, OUTCOME_FAILED);
    assert_contains(t[2].d.reply.body.p, "Runtime exited with error: signal: killed");
    for (size_t i = 0; i < 3; i++)
        trip_clear(&t[i]);
    fixture_free(f);
}

static void test_init_failures(void **state)
{
    (void)state;
    struct trip t;
    struct fixture *f = fixture_client("init-error");
    fixture_open(f);
    trip_go(f, &t, "x");
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_body(&t, "{\"errorMessage\":\"no module\",\"errorType\":"
                    "\"Runtime.ImportModuleError\",\"stackTrace\":[]}");
    assert_string_equal(t.d.reply.detail, "Runtime.ImportModuleError: no module");
    trip_clear(&t);
    fixture_free(f);

    f = fixture_client("init-exit");
    fixture_open(f);
    trip_go(f, &t, "x");
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_contains(t.d.reply.body.p, "Runtime exited with error: exit status 7");
    trip_clear(&t);
    fixture_free(f);
}

static void test_init_hangs(void **state)
{
    (void)state;
    struct trip t;
    char mark[100];
    struct fixture *f = fixture_client("init-hang");
    f->runtime.init_ms = 100;
    f->settings.timeout_s = 1;
    fixture_open(f);
    int64_t began = loop_clock_us(f->env.loop);
    trip_go(f, &t, "x");
    int64_t took = (loop_clock_us(f->env.loop) - began) / 1000;
    assert_true(took >= 1100 && took < 3000); /* once init_ms, once the function's timeout */
    assert_int_equal(t.d.reply.outcome, OUTCOME_TIMEOUT);
    assert_contains(t.d.reply.body.p, "Sandbox.Timedout");
    assert_contains(t.d.reply.body.p, "Task timed out after 1.00 seconds");
    trip_clear(&t);
    fixture_free(f);

    f = fixture_client("init-hang-once");
    snprintf(mark, sizeof mark, "%s/mark", f->dir);
    fixture_variable(f, "MARK", mark);
    f->runtime.init_ms = 200;
    fixture_open(f);
    trip_go(f, &t, "x");
    assert_int_equal(t.d.reply.outcome, OUTCOME_OK);
    trip_clear(&t);
    fixture_free(f);
}

static void test_cannot_start(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct trip t;
    char path[100];
    f->runtime.name = "provided.al2023";
    fixture_write(f, "bootstrap", "#!/no/such/interpreter\n", 0755);
    fixture_open(f);
    snprintf(path, sizeof path, "%s/bootstrap", f->dir);
    assert_int_equal(unlink(path), 0);
    trip_go(f, &t, "x");
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_contains(t.d.reply.body.p, "\"errorType\":\"Runtime.InvalidEntrypoint\"");
    trip_clear(&t);
    fixture_free(f);
}

static void test_cancel(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t, queued;
    fixture_open(f);
    long pid = ask_pid(f);
    trip_send(f, &t, "hang", 60000);
    trip_send(f, &queued, "x", 60000);
    runtime_sink.cancel(&f->runtime.sink, &queued.d);
    runtime_sink.cancel(&f->runtime.sink, &t.d);
    f->waiting = 0;
    fixture_until(f, until_dead, &pid);
    assert_false(t.done || queued.done);
    assert_int_equal(f->runtime.queued, 0);
    trip_go(f, &t, "again");
    assert_body(&t, "again");
    trip_clear(&t);
    fixture_free(f);
}

static bool two_ready(struct fixture *f)
{
    return f->runtime.alive == 2 && f->runtime.starting == 0;
}

static bool other_two_ready(struct fixture *f)
{
    return two_ready(f) && !alive(*(const long *)f->until_ctx);
}

static void test_provisioned(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    f->settings.provisioned = 2;
    f->runtime.backoff_min_ms = 50;
    f->runtime.idle_ms = 50;
    fixture_open(f);
    fixture_until(f, two_ready, NULL);
    trip_go(f, &t, "environment");
    assert_contains(t.d.reply.body.p, "AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency\n");
    trip_clear(&t);
    long pid = ask_pid(f);
    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    fixture_until(f, other_two_ready, &pid);
    assert_true(f->runtime.backoff_ms >= 50);
    trip_go(f, &t, "pid");
    assert_int_equal(f->runtime.backoff_ms, 0); /* one did well */
    trip_clear(&t);
    fixture_free(f);
}

static bool backoff_at_most(struct fixture *f)
{
    return f->runtime.backoff_ms == f->runtime.backoff_max_ms;
}

static void test_provisioned_backs_off(void **state)
{
    (void)state;
    struct fixture *f = fixture_client("init-exit");
    f->settings.provisioned = 1;
    f->runtime.backoff_min_ms = 20;
    f->runtime.backoff_max_ms = 70;
    fixture_open(f);
    int64_t began = loop_now(f->env.loop);
    fixture_until(f, backoff_at_most, NULL);
    assert_true(loop_now(f->env.loop) - began >= 20 + 40);
    fixture_free(f);
}

static void test_provisioned_fails_with_nobody_waiting(void **state)
{
    (void)state;
    struct fixture *f = fixture_client("init-error");
    f->settings.provisioned = 1;
    f->runtime.backoff_min_ms = 5;
    f->runtime.backoff_max_ms = 70;
    fixture_open(f);
    fixture_until(f, backoff_at_most, NULL);
    fixture_free(f);

    f = fixture_new();
    char path[100];
    f->runtime.name = "provided";
    f->settings.provisioned = 1;
    f->runtime.backoff_min_ms = 5;
    f->runtime.backoff_max_ms = 70;
    fixture_write(f, "bootstrap", "#!/bin/sh\n", 0755);
    fixture_open(f);
    snprintf(path, sizeof path, "%s/bootstrap", f->dir);
    assert_int_equal(unlink(path), 0);
    fixture_until(f, backoff_at_most, NULL);
    fixture_free(f);
}

static bool none_alive(struct fixture *f)
{
    return f->runtime.alive == 0;
}

static void test_idle_ones_end(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    f->runtime.idle_ms = 60;
    fixture_open(f);
    long pid = ask_pid(f);
    fixture_until(f, until_dead, &pid);
    assert_int_equal(f->runtime.alive, 0);
    trip_go(f, &t, "silent"); /* answers, and never asks again */
    trip_clear(&t);
    fixture_until(f, none_alive, NULL);
    fixture_free(f);
}

static void test_stubborn_ones_are_killed(void **state)
{
    (void)state;
    struct fixture *f = fixture_client("stubborn");
    f->runtime.idle_ms = 30;
    f->runtime.stop_ms = 60;
    fixture_open(f);
    long pid = ask_pid(f);
    fixture_until(f, until_dead, &pid);
    fixture_free(f);
}

static void test_nothing_stays(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    fixture_open(f);
    trip_go(f, &t, "grandchild");
    long child = pid_of(&t), pid = ask_pid(f);
    assert_true(alive(child));
    trip_clear(&t);
    fixture_close(f);
    fixture_until(f, until_dead, &pid);
    fixture_until(f, until_dead, &child);
    fixture_free(f);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "client") == 0)
        return client_main();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_one_event_per_slot),
        cmocka_unit_test(test_several_slots),
        cmocka_unit_test(test_init_failures),
        cmocka_unit_test(test_init_hangs),
        cmocka_unit_test(test_cannot_start),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_provisioned),
        cmocka_unit_test(test_provisioned_backs_off),
        cmocka_unit_test(test_provisioned_fails_with_nobody_waiting),
        cmocka_unit_test(test_idle_ones_end),
        cmocka_unit_test(test_stubborn_ones_are_killed),
        cmocka_unit_test(test_nothing_stays),
    };
    return fixture_main(tests, ARRAY_LEN(tests));
}
