/* test_spool_rows.c - what the spool's tables say after a change was taken back, and what they keep
 * of a message across a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spool_fixture.h"

enum { MANY = 12000, A = 1, B = MANY + 1, ROW_BYTES = 5 + 4 + 1 };

static int setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    return fixture_open(*state) ? 0 : -1;
}

static void fill(struct fixture *f, uint64_t from, uint64_t n)
{
    struct job *jobs = calloc(n / FIXTURE_CHANGES + 1, sizeof *jobs), *j = jobs;
    assert_non_null(jobs);
    for (uint64_t id = from; id < from + n; id++) {
        if (j->op.n == FIXTURE_CHANGES)
            job_submit(f, j++);
        job_add(j, change_put(id, "x"));
    }
    job_submit(f, j);
    fixture_wait(f);
    for (; j >= jobs; j--)
        assert_true(j->op.ok);
    free(jobs);
}

static struct spool_change change_wipe(uint64_t id, uint64_t n)
{
    return (struct spool_change){.kind = SPOOL_WIPE, .id = id, .to_id = id + n - 1};
}

static bool found(struct fixture *f, uint64_t id)
{
    struct job j = {0};
    bool is = fixture_do(f, &j, (struct spool_change){.kind = SPOOL_READ, .id = id}) &&
              j.changes[0].found;
    spool_op_clear(&j.op);
    return is;
}

/* A is being wiped, piece by piece, when an operation that wipes B as well fails: B is there again,
 * and A stays wiped. */
static void a_wipe_taken_back_leaves_the_others(void **state)
{
    struct fixture *f = *state;
    struct job a = {0}, both = {0}, read = {0};
    fill(f, A, MANY);
    fill(f, B, MANY);
    job_add(&a, change_wipe(A, MANY));
    job_add(&both, change_wipe(B, MANY - 1));
    job_add(&both, change_put(B + MANY - 1, "its id is taken"));
    job_add(&read, (struct spool_change){.kind = SPOOL_READ, .id = A + MANY - 1});
    job_submit(f, &a);
    job_submit(f, &both);
    job_submit(f, &read);
    fixture_wait(f);
    assert_true(a.op.ok);
    assert_false(both.op.ok);
    assert_true(read.op.ok);
    assert_false(read.changes[0].found);
    assert_true(found(f, B));
    assert_false(found(f, A + MANY - 2));
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, MANY);
    assert_int_equal(s.rows[0].id, B);
}

/* The bytes that a former run left are known, also when the first operation is taken back. */
static void bytes_of_a_former_run_stay(void **state)
{
    struct fixture *f = *state;
    struct job twice = {0};
    struct seen s;
    fill(f, A, 3);
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(spool_bytes(f->spool), 3 * ROW_BYTES);
    job_add(&twice, change_put(10, "x"));
    job_add(&twice, change_put(10, "x"));
    job_submit(f, &twice);
    fixture_wait(f);
    assert_false(twice.op.ok);
    assert_int_equal(spool_bytes(f->spool), 3 * ROW_BYTES);
    assert_true(fixture_put(f, 11, "x"));
    assert_int_equal(spool_bytes(f->spool), 4 * ROW_BYTES);
}

/* Each of the three says alone that a message is not as new. */
static void each_part_of_the_state_is_kept(void **state)
{
    struct fixture *f = *state;
    struct job j = {0};
    struct spool_change due = change_put(1, "x"), takes = due, first = due;
    due.due_ms = 7;
    takes.id = 2;
    takes.takes = 8;
    first.id = 3;
    first.first_ms = 9;
    job_add(&j, due);
    job_add(&j, takes);
    job_add(&j, first);
    job_submit(f, &j);
    fixture_wait(f);
    assert_true(j.op.ok);
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(s.rows[i].due_ms, i == 0 ? 7 : 0);
        assert_int_equal(s.rows[i].takes, i == 1 ? 8 : 0);
        assert_int_equal(s.rows[i].first_ms, i == 2 ? 9 : 0);
    }
}

/* ---- neighbours, which are taken and dropped together */

/* Changes of this kind on the ids from first on, in one operation; what they say of found before
 * means nothing. */
static void do_run(struct fixture *f, struct job *j, enum spool_kind kind, uint64_t first, size_t n)
{
    *j = (struct job){0};
    for (size_t i = 0; i < n; i++)
        job_add(j, (struct spool_change){
                       .kind = kind, .id = first + i, .takes = 5, .due_ms = 6, .found = true});
    job_submit(f, j);
    fixture_wait(f);
    assert_true(j->op.ok);
}

static void a_run_of_drops_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct job j;
    fill(f, 1, 3);
    do_run(f, &j, SPOOL_TAKE, 1, 3);
    spool_op_clear(&j.op);
    do_run(f, &j, SPOOL_DROP, 1, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(j.changes[i].found, i < 3);
    assert_int_equal(spool_bytes(f->spool), 0);
    fill(f, 1, 3);
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(s.rows[i].takes, 0);
}

static void a_run_of_takes_with_a_gap(void **state)
{
    struct fixture *f = *state;
    struct job j;
    fill(f, 1, 1);
    fill(f, 3, 1);
    do_run(f, &j, SPOOL_TAKE, 1, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(j.changes[i].found, i != 1);
        assert_true(i == 1 || slice_is(j.changes[i].body, "x"));
    }
    spool_op_clear(&j.op);
    fill(f, 2, 1);
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(s.rows[i].takes, i == 1 ? 0 : 5);
}

/* What is being wiped is not there, for runs as for single changes. */
static void a_run_of_what_is_being_wiped(void **state)
{
    struct fixture *f = *state;
    struct job wipe = {0}, takes = {0};
    fill(f, A, MANY);
    job_add(&wipe, change_wipe(A, MANY));
    for (uint64_t id = A + MANY - 3; id < A + MANY; id++)
        job_add(&takes, (struct spool_change){.kind = SPOOL_TAKE, .id = id, .takes = 1});
    job_submit(f, &wipe);
    job_submit(f, &takes);
    fixture_wait(f);
    assert_true(takes.op.ok);
    for (size_t i = 0; i < 3; i++)
        assert_false(takes.changes[i].found);
    spool_op_clear(&takes.op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_wipe_taken_back_leaves_the_others, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(bytes_of_a_former_run_stay, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(each_part_of_the_state_is_kept, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_run_of_drops_leaves_nothing, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_run_of_takes_with_a_gap, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_run_of_what_is_being_wiped, setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
