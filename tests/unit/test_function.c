/* test_function.c - concurrency slots: reservations, the shared rest, and whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/function.h"

static struct loop *loop;
static struct account account;
static struct env env;
static struct function_settings reserved = {.name = "r", .timeout_s = 3, .reserved = 2};
static struct function_settings shared = {.name = "s", .timeout_s = 3, .reserved = -1};
static struct delivery *sent;

static void send(struct sink *k, struct delivery *d)
{
    (void)k;
    sent = d;
}

static void cancel(struct sink *k, struct delivery *d)
{
    (void)k;
    assert_ptr_equal(d, sent);
    sent = NULL;
}

static const struct sink_ops ops = {.type = "test", .send = send, .cancel = cancel};
static struct sink sink = {.ops = &ops};

static int setup(void **state)
{
    (void)state;
    loop = loop_new_virtual();
    env = (struct env){.loop = loop};
    account_init(&account, loop, 5);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static void test_a_reservation_is_its_own_and_nobody_elses(void **state)
{
    (void)state;
    struct function *r = function_new(&env, &account, &reserved, &sink);
    struct function *s = function_new(&env, &account, &shared, &sink);
    assert_int_equal(function_free_slots(r), 2);
    assert_int_equal(function_free_slots(s), 3);
    for (int i = 0; i < 3; i++)
        assert_true(function_take_slot(s));
    assert_false(function_take_slot(s));
    assert_true(function_take_slot(r));
    assert_true(function_take_slot(r));
    assert_false(function_take_slot(r));
    for (int i = 0; i < 3; i++)
        function_give_slot(s);
    function_give_slot(r);
    function_give_slot(r);
    function_free(r);
    function_free(s);
    assert_int_equal(account.reserved, 0);
    assert_int_equal(account.in_flight, 0);
}

static void test_a_reservation_of_zero_throttles_everything(void **state)
{
    (void)state;
    struct function_settings none = {.name = "n", .timeout_s = 3, .reserved = 0};
    struct function *f = function_new(&env, &account, &none, &sink);
    assert_false(function_take_slot(f));
    function_free(f);
}

static void test_a_retired_reservation_keeps_what_is_in_flight(void **state)
{
    (void)state;
    struct function *old = function_new(&env, &account, &reserved, &sink);
    struct function *s = function_new(&env, &account, &shared, &sink);
    assert_true(function_take_slot(old));
    struct function *new = function_new(&env, &account, &reserved, &sink);
    assert_int_equal(function_free_slots(s), 1);
    function_retire(old);
    function_retire(old);
    assert_int_equal(function_free_slots(old), 0);
    assert_false(function_take_slot(old));
    assert_int_equal(function_free_slots(s), 2);
    function_give_slot(old);
    assert_int_equal(function_free_slots(s), 3);
    account_set_limit(&account, 7);
    assert_int_equal(function_free_slots(s), 5);
    account_set_limit(&account, 5);
    function_free(old);
    assert_int_equal(account.reserved, 2);
    function_free(new);
    function_free(s);
    assert_int_equal(account.reserved, 0);
}

static char turns[8];
static struct function *contended;
struct waiter {
    struct slot_waiter w;
    char name;
    int wants;
};

static void ready(struct slot_waiter *w)
{
    struct waiter *x = container_of(w, struct waiter, w);
    if (!function_take_slot(contended)) {
        function_wait(contended, w);
        return;
    }
    size_t n = 0;
    while (turns[n] != '\0')
        n++;
    turns[n] = x->name;
    if (--x->wants > 0)
        function_wait(contended, w);
}

static void test_those_who_wait_take_turns(void **state)
{
    (void)state;
    struct function_settings one = {.name = "one", .timeout_s = 3, .reserved = 1};
    contended = function_new(&env, &account, &one, &sink);
    struct waiter a = {.name = 'a', .wants = 2, .w.ready = ready};
    struct waiter b = {.name = 'b', .wants = 2, .w.ready = ready};
    list_init(&a.w.node);
    list_init(&b.w.node);
    assert_true(function_take_slot(contended));
    function_wait(contended, &a.w);
    function_wait(contended, &a.w);
    function_wait(contended, &b.w);
    for (int i = 0; i < 4; i++) {
        function_give_slot(contended);
        while (loop_step(loop))
            ;
    }
    assert_string_equal(turns, "abab");
    function_give_slot(contended);
    function_free(contended);
}

static int dones;

static void on_done(struct delivery *d)
{
    assert_int_equal(function_free_slots(contended), 1);
    assert_int_equal(d->reply.outcome, OUTCOME_FAILED);
    dones++;
}

static void test_a_slot_is_back_before_done_and_after_cancel(void **state)
{
    (void)state;
    struct function_settings one = {.name = "one", .timeout_s = 7, .reserved = 1};
    contended = function_new(&env, &account, &one, &sink);
    struct delivery d = {.done = on_done};
    assert_true(function_take_slot(contended));
    function_send(contended, &d);
    assert_ptr_equal(sent, &d);
    assert_int_equal(d.timeout_ms, 7000);
    assert_int_not_equal(d.request_id[0], '\0');
    delivery_fail(&d, OUTCOME_FAILED, "Test.Error", "it \"%s\"", "broke");
    assert_string_equal(d.reply.body.p,
                        "{\"errorType\":\"Test.Error\",\"errorMessage\":\"it \\\"broke\\\"\"}");
    assert_string_equal(d.reply.function_error, "Unhandled");
    delivery_done(&d);
    assert_int_equal(dones, 1);
    delivery_clear(&d);

    assert_true(function_take_slot(contended));
    function_send(contended, &d);
    function_cancel(contended, &d);
    assert_null(sent);
    assert_int_equal(function_free_slots(contended), 1);
    assert_int_equal(dones, 1);
    function_free(contended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reservation_is_its_own_and_nobody_elses),
        cmocka_unit_test(test_a_reservation_of_zero_throttles_everything),
        cmocka_unit_test(test_a_retired_reservation_keeps_what_is_in_flight),
        cmocka_unit_test(test_those_who_wait_take_turns),
        cmocka_unit_test(test_a_slot_is_back_before_done_and_after_cancel),
    };
    return cmocka_run_group_tests_name("function", tests, setup, teardown);
}
