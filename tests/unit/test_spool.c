/* test_spool.c - every kind of change, their order, their unity, the byte cap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spool_fixture.h"
#include <sched.h>

static int setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    return fixture_open(*state) ? 0 : -1;
}

static void what_was_put_is_read_back_and_survives(void **state)
{
    struct fixture *f = *state;
    uint64_t id = spool_id(7, 42);
    struct spool_change c = change_put(id, "a body");
    c.due_ms = 5000;
    c.takes = 2;
    c.first_ms = 4000;
    struct job j = {0};
    assert_true(fixture_do(f, &j, c));
    assert_true(fixture_has(f, id, "a body"));
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 1);
    assert_true(s.rows[0].id == id);
    assert_int_equal(s.rows[0].born_ms, c.born_ms);
    assert_int_equal(s.rows[0].due_ms, 5000);
    assert_int_equal(s.rows[0].takes, 2);
    assert_int_equal(s.rows[0].first_ms, 4000);
    assert_int_equal(s.rows[0].bytes, strlen("group") + strlen("head") + strlen("a body"));
    assert_string_equal(s.keys[0], "group");
    assert_true(fixture_has(f, id, "a body"));
}

static void the_highest_owner_and_empty_slices_are_fine(void **state)
{
    struct fixture *f = *state;
    uint64_t last = spool_id(SPOOL_OWNER_MAX, (1ULL << SPOOL_SEQUENCE_BITS) - 1);
    assert_true(last == INT64_MAX);
    struct job j = {0};
    assert_true(fixture_do(f, &j, (struct spool_change){.kind = SPOOL_PUT, .id = last}));
    assert_true(fixture_put(f, 0, "first"));
    assert_true(fixture_has(f, last, ""));
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 2);
    assert_true(s.rows[0].id == 0 && s.rows[1].id == last);
    assert_int_equal(s.rows[1].bytes, 0);
    assert_string_equal(s.keys[1], "");
}

static void bytes_of_any_value_and_size_pass(void **state)
{
    struct fixture *f = *state;
    static char big[300000];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7);
    struct job j = {0};
    struct spool_change c = {.kind = SPOOL_PUT,
                             .id = 1,
                             .key = SLICE("\0k"),
                             .head = {big, 20000},
                             .body = {big, sizeof big}};
    assert_true(fixture_do(f, &j, c));
    assert_true(fixture_do(f, &j, (struct spool_change){.kind = SPOOL_READ, .id = 1}));
    assert_true(slice_eq(j.changes[0].head, (struct slice){big, 20000}));
    assert_true(slice_eq(j.changes[0].body, (struct slice){big, sizeof big}));
    spool_op_clear(&j.op);
    assert_int_equal(spool_bytes(f->spool), 2 + 20000 + sizeof big);
}

static void take_gives_rows_and_keeps_what_it_was_told(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_put(f, 1, "one"));
    assert_true(fixture_put(f, 3, "three"));
    struct job j = {0};
    for (uint64_t id = 1; id <= 3; id++)
        job_add(&j,
                (struct spool_change){
                    .kind = SPOOL_TAKE, .id = id, .due_ms = 9000, .takes = 1, .first_ms = 8000});
    job_submit(f, &j);
    fixture_wait(f);
    assert_true(j.op.ok);
    assert_true(j.changes[0].found && !j.changes[1].found && j.changes[2].found);
    assert_true(slice_is(j.changes[0].head, "head") && slice_is(j.changes[0].body, "one"));
    assert_true(slice_is(j.changes[2].head, "head") && slice_is(j.changes[2].body, "three"));
    spool_op_clear(&j.op);
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(s.rows[i].due_ms, 9000);
        assert_int_equal(s.rows[i].takes, 1);
        assert_int_equal(s.rows[i].first_ms, 8000);
    }
}

static void read_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct job j = {0};
    struct spool_change c = change_put(1, "x");
    c.takes = 3;
    assert_true(fixture_do(f, &j, c));
    assert_true(fixture_has(f, 1, "x"));
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.rows[0].takes, 3);
}

static void due_moves_the_time_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct job j = {0};
    struct spool_change taken = change_put(1, "x");
    taken.takes = 3;
    taken.first_ms = 77;
    taken.due_ms = 100;
    assert_true(fixture_do(f, &j, taken));
    assert_true(fixture_put(f, 2, "fresh"));
    for (uint64_t id = 1; id <= 3; id++) {
        assert_true(fixture_do(
            f, &j, (struct spool_change){.kind = SPOOL_DUE, .id = id, .due_ms = 500, .takes = 9}));
        assert_int_equal(j.changes[0].found, id < 3);
    }
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 2);
    assert_int_equal(s.rows[0].due_ms, 500);
    assert_int_equal(s.rows[0].takes, 3);
    assert_int_equal(s.rows[0].first_ms, 77);
    assert_int_equal(s.rows[1].due_ms, 500);
    assert_int_equal(s.rows[1].takes, 0);
}

static void dropped_is_gone_with_its_state(void **state)
{
    struct fixture *f = *state;
    struct job j = {0};
    struct spool_change c = change_put(1, "x");
    c.takes = 3;
    assert_true(fixture_do(f, &j, c));
    assert_true(fixture_drop(f, 1));
    assert_false(fixture_drop(f, 1));
    assert_int_equal(spool_bytes(f->spool), 0);
    assert_false(fixture_has(f, 1, "x"));
    assert_true(fixture_put(f, 1, "again")); /* finds no state of the one before */
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 1);
    assert_int_equal(s.rows[0].takes, 0);
}

static void move_carries_the_body_and_sets_the_rest(void **state)
{
    struct fixture *f = *state;
    struct job j = {0};
    struct spool_change c = change_put(1, "body");
    c.takes = 3;
    assert_true(fixture_do(f, &j, c));
    assert_true(fixture_put(f, 2, "other"));
    assert_true(fixture_do(f, &j,
                           (struct spool_change){.kind = SPOOL_MOVE,
                                                 .id = 1,
                                                 .to_id = spool_id(2, 1),
                                                 .takes = 1,
                                                 .due_ms = 66,
                                                 .head = SLICE("another head")}));
    assert_true(j.changes[0].found);
    assert_true(fixture_do(
        f, &j, (struct spool_change){.kind = SPOOL_MOVE, .id = 2, .to_id = spool_id(2, 2)}));
    assert_true(fixture_do(f, &j, (struct spool_change){.kind = SPOOL_MOVE, .id = 2, .to_id = 9}));
    assert_false(j.changes[0].found);
    assert_int_equal(spool_bytes(f->spool), 5 + 12 + 4 + 5 + 4 + 5);
    assert_false(fixture_has(f, 1, "body"));
    assert_true(fixture_do(f, &j, (struct spool_change){.kind = SPOOL_READ, .id = spool_id(2, 1)}));
    assert_true(slice_is(j.changes[0].head, "another head"));
    assert_true(slice_is(j.changes[0].body, "body"));
    spool_op_clear(&j.op);
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 2);
    assert_true(s.rows[0].id == spool_id(2, 1) && s.rows[1].id == spool_id(2, 2));
    assert_int_equal(s.rows[0].born_ms, c.born_ms);
    assert_int_equal(s.rows[0].takes, 1);
    assert_int_equal(s.rows[0].due_ms, 66);
    assert_string_equal(s.keys[0], "group");
    assert_int_equal(s.rows[1].takes, 0);
    assert_int_equal(spool_bytes(f->spool), 5 + 12 + 4 + 5 + 4 + 5);
}

static void notes_are_kept_replaced_and_deleted(void **state)
{
    struct fixture *f = *state;
    static const char *const steps[][2] = {{"b", "1"}, {"a", "2"}, {"c", "3"},
                                           {"a", "4"}, {"c", ""},  {"never", ""}};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct job j = {0};
        assert_true(fixture_do(f, &j,
                               (struct spool_change){.kind = SPOOL_NOTE,
                                                     .head = slice_of(steps[i][0]),
                                                     .body = slice_of(steps[i][1])}));
    }
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_string_equal(s.notes, "a=4;b=1;");
    assert_int_equal(s.n, 0);
}

static void operations_take_effect_in_order_and_are_told_in_order(void **state)
{
    struct fixture *f = *state;
    struct job jobs[20] = {0};
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i].mark = (char)('a' + (int)i);
        bool put = i % 2 == 0; /* the same row again and again: only in order does this work */
        job_add(&jobs[i],
                put ? change_put(1, "x") : (struct spool_change){.kind = SPOOL_DROP, .id = 1});
        job_submit(f, &jobs[i]);
    }
    fixture_wait(f);
    assert_string_equal(f->order, "abcdefghijklmnopqrst");
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        assert_true(jobs[i].op.ok && (i % 2 == 0 || jobs[i].changes[0].found));
}

static void done_comes_from_the_loop_only(void **state)
{
    struct fixture *f = *state;
    struct job j = {0};
    job_add(&j, change_put(1, "x"));
    job_submit(f, &j);
    while (spool_bytes(f->spool) == 0)
        sched_yield(); /* it is on disk now, and handed back at once */
    assert_false(j.done);
    fixture_wait(f);
    assert_true(j.done);
}

static void a_bad_operation_fails_whole_and_alone(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_put(f, 50, "taken id"));
    struct job jobs[9] = {0};
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i].mark = (char)('a' + (int)i);
        job_add(&jobs[i], change_put(2 * i + 1, "first"));
        job_add(&jobs[i], (struct spool_change){.kind = SPOOL_NOTE,
                                                .head = {&jobs[i].mark, 1},
                                                .body = SLICE("noted")});
        job_add(&jobs[i], change_put(i == 4 ? 50 : 2 * i + 2, "second"));
        job_submit(f, &jobs[i]);
    }
    fixture_wait(f);
    assert_string_equal(f->order, "abcdefghi");
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        assert_int_equal(jobs[i].op.ok, i != 4);
        assert_int_equal(fixture_has(f, 2 * i + 1, "first"), i != 4);
    }
    assert_false(jobs[4].op.full);
    assert_non_null(strstr(jobs[4].op.why, "UNIQUE"));
    assert_true(fixture_has(f, 50, "taken id"));
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 17);
    assert_string_equal(s.notes,
                        "a=noted;b=noted;c=noted;d=noted;f=noted;g=noted;h=noted;i=noted;");
    assert_int_equal(spool_bytes(f->spool), 8 * (9 + 5) + 8 * (9 + 6) + 9 + 8);
}

static void a_failed_take_gives_nothing(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_put(f, 1, "one"));
    struct job j = {0};
    job_add(&j, (struct spool_change){.kind = SPOOL_TAKE, .id = 1, .takes = 1});
    job_add(&j, change_put(1, "id is taken"));
    job_submit(f, &j);
    fixture_wait(f);
    assert_false(j.op.ok);
    assert_null(j.op.block);
    assert_int_equal(j.changes[0].body.n, 0);
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.rows[0].takes, 0);
}

static int setup_capped(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    struct fixture *f = *state;
    f->max_bytes = 100;
    return fixture_open(f) ? 0 : -1;
}

static void the_cap_refuses_puts_and_lets_the_rest_through(void **state)
{
    struct fixture *f = *state;
    static const char body40[] = "0123456789012345678901234567890123456789";
    assert_true(fixture_put(f, 1, body40)); /* 49 bytes */
    struct job jobs[3] = {0};               /* in one group */
    job_add(&jobs[0], change_put(2, body40));
    job_add(&jobs[1], change_put(3, body40));
    job_add(&jobs[2], (struct spool_change){.kind = SPOOL_TAKE, .id = 2, .takes = 1});
    for (size_t i = 0; i < 3; i++)
        job_submit(f, &jobs[i]);
    fixture_wait(f);
    assert_true(jobs[0].op.ok && !jobs[1].op.ok && jobs[2].op.ok);
    assert_true(jobs[1].op.full);
    assert_non_null(strstr(jobs[1].op.why, "the store is full"));
    assert_true(jobs[2].changes[0].found);
    spool_op_clear(&jobs[2].op);
    assert_int_equal(spool_bytes(f->spool), 98);
    struct seen s; /* counts what was there before, too */
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(spool_bytes(f->spool), 98);
    assert_false(fixture_put(f, 3, body40));
    assert_true(fixture_drop(f, 1));
    assert_true(fixture_put(f, 3, body40));
}

static void closing_waits_for_what_was_submitted(void **state)
{
    struct fixture *f = *state;
    struct job jobs[16] = {0};
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        job_add(&jobs[i], change_put(i + 1, "x"));
        job_submit(f, &jobs[i]);
    }
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        assert_true(jobs[i].done && jobs[i].op.ok);
    assert_int_equal(s.n, 16);
}

static void the_log_is_gone_after_a_clean_end(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_put(f, 1, "x"));
    char name[128];
    snprintf(name, sizeof name, "%s-wal", f->path);
    struct stat st;
    assert_int_equal(stat(name, &st), 0);
    fixture_close(f);
    assert_int_equal(stat(name, &st), -1);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(what_was_put_is_read_back_and_survives),
        T(the_highest_owner_and_empty_slices_are_fine),
        T(bytes_of_any_value_and_size_pass),
        T(take_gives_rows_and_keeps_what_it_was_told),
        T(read_changes_nothing),
        T(due_moves_the_time_and_nothing_else),
        T(dropped_is_gone_with_its_state),
        T(move_carries_the_body_and_sets_the_rest),
        T(notes_are_kept_replaced_and_deleted),
        T(operations_take_effect_in_order_and_are_told_in_order),
        T(done_comes_from_the_loop_only),
        T(a_bad_operation_fails_whole_and_alone),
        T(a_failed_take_gives_nothing),
        T(closing_waits_for_what_was_submitted),
        T(the_log_is_gone_after_a_clean_end),
        cmocka_unit_test_setup_teardown(the_cap_refuses_puts_and_lets_the_rest_through,
                                        setup_capped, fixture_teardown),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
