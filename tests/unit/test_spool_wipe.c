/* test_spool_wipe.c - ranges that are wiped: at once for whoever asks, piece by piece on disk; and
 * the plans of all statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/spool_sql.h"
#include "spool_fixture.h"
#include <sched.h>
#include <sqlite3.h>

enum { MANY = 3000, ROW_BYTES = 5 + 4 + 1 };

static int setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    return fixture_open(*state) ? 0 : -1;
}

/* Rows 1 to n, each taken once. */
static void fill(struct fixture *f, uint64_t n)
{
    struct job *jobs = calloc(n / FIXTURE_CHANGES + 1, sizeof *jobs), *j = jobs;
    assert_non_null(jobs);
    for (uint64_t id = 1; id <= n; id++) {
        if (j->op.n == FIXTURE_CHANGES)
            job_submit(f, j++);
        job_add(j, change_put(id, "x"))->takes = 1;
    }
    job_submit(f, j);
    fixture_wait(f);
    for (; j >= jobs; j--)
        assert_true(j->op.ok);
    free(jobs);
}

static struct spool_change change_wipe(uint64_t id, uint64_t to_id)
{
    return (struct spool_change){.kind = SPOOL_WIPE, .id = id, .to_id = to_id};
}

static void wait_for_bytes(const struct fixture *f, int64_t bytes)
{
    while (spool_bytes(f->spool) != bytes)
        sched_yield(); /* a hang is the failure */
}

static void a_range_goes_and_its_neighbours_stay(void **state)
{
    struct fixture *f = *state;
    fill(f, 10);
    struct job j = {0};
    assert_true(fixture_do(f, &j, change_wipe(3, 8)));
    assert_int_equal(spool_bytes(f->spool), 4 * ROW_BYTES);
    assert_true(fixture_put(f, 5, "new"));
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 5);
    static const uint64_t left[] = {1, 2, 5, 9, 10};
    for (size_t i = 0; i < s.n; i++) {
        assert_true(s.rows[i].id == left[i]);
        assert_int_equal(s.rows[i].takes, left[i] != 5);
    }
    assert_true(fixture_do(f, &j, change_wipe(100, 200)));
}

/* The wipe and what finds it unfinished are in one transaction, before any piece more. */
static void many_are_gone_at_once(void **state)
{
    struct fixture *f = *state;
    fill(f, MANY);
    static const enum spool_kind kinds[] = {SPOOL_READ, SPOOL_TAKE, SPOOL_DUE, SPOOL_DROP,
                                            SPOOL_MOVE};
    struct job j = {0};
    job_add(&j, change_wipe(2, MANY - 1));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        job_add(&j, (struct spool_change){
                        .kind = kinds[i], .id = MANY - 2, .to_id = MANY + 5, .takes = 2});
    job_add(&j, (struct spool_change){.kind = SPOOL_READ, .id = MANY});
    job_submit(f, &j);
    fixture_wait(f);
    assert_true(j.op.ok);
    for (size_t i = 1; i <= ARRAY_LEN(kinds); i++)
        assert_false(j.changes[i].found);
    assert_true(j.changes[ARRAY_LEN(kinds) + 1].found);
    spool_op_clear(&j.op);
    wait_for_bytes(f, 2 * ROW_BYTES);
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 2);
}

static void a_new_row_is_not_lost_to_an_old_wipe(void **state)
{
    struct fixture *f = *state;
    fill(f, MANY);
    struct job j = {0};
    job_add(&j, change_wipe(1, MANY));
    job_add(&j, change_wipe(0, 2 * MANY));
    job_add(&j, change_put(MANY - 1, "n"));
    job_add(&j, change_put(MANY + 1, "n"));
    job_submit(f, &j);
    fixture_wait(f);
    assert_true(j.op.ok);
    wait_for_bytes(f, 2 * ROW_BYTES);
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 2);
    assert_true(s.rows[0].id == MANY - 1 && s.rows[0].takes == 0);
    assert_true(s.rows[1].id == MANY + 1);
}

static void a_moved_row_is_not_lost_to_an_old_wipe(void **state)
{
    struct fixture *f = *state;
    fill(f, MANY);
    assert_true(fixture_put(f, 2 * MANY, "m"));
    struct job j = {0};
    job_add(&j, change_wipe(1, MANY));
    job_add(&j, (struct spool_change){.kind = SPOOL_MOVE, .id = 2 * MANY, .to_id = MANY - 1});
    job_submit(f, &j);
    fixture_wait(f);
    assert_true(j.op.ok && j.changes[1].found);
    wait_for_bytes(f, ROW_BYTES);
    assert_true(fixture_has(f, MANY - 1, "m"));
}

static void an_unfinished_wipe_goes_on_after_a_restart(void **state)
{
    struct fixture *f = *state;
    fill(f, MANY);
    struct job j = {0};
    assert_true(fixture_do(f, &j, change_wipe(1, MANY - 1)));
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, 1);
    assert_true(s.rows[0].id == MANY);
    assert_true(spool_bytes(f->spool) > ROW_BYTES); /* else the test tests nothing */
    assert_false(fixture_has(f, MANY - 1, "x"));
    wait_for_bytes(f, ROW_BYTES);
}

static void a_wipe_that_fails_wipes_nothing(void **state)
{
    struct fixture *f = *state;
    fill(f, MANY);
    struct job j = {0};
    job_add(&j, change_wipe(1, MANY - 1));
    job_add(&j, change_put(MANY, "its id is taken"));
    job_submit(f, &j);
    fixture_wait(f);
    assert_false(j.op.ok);
    assert_true(fixture_has(f, 1, "x"));
    assert_true(fixture_has(f, MANY - 1, "x"));
    assert_int_equal(spool_bytes(f->spool), MANY * ROW_BYTES);
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, MANY);
}

static void the_file_becomes_smaller(void **state)
{
    struct fixture *f = *state;
    static char body[100001];
    memset(body, 'b', sizeof body - 1);
    for (uint64_t id = 1; id <= 300; id++)
        assert_true(fixture_put(f, id, body));
    struct stat before, after;
    fixture_close(f);
    assert_int_equal(stat(f->path, &before), 0);
    assert_true(fixture_open(f));
    struct job j = {0};
    assert_true(fixture_do(f, &j, change_wipe(1, 300)));
    do { /* when it is idle */
        sched_yield();
        assert_int_equal(stat(f->path, &after), 0);
    } while (after.st_size > before.st_size / 2);
}

/* ---- plans */

static void every_statement_finds_its_rows_by_their_key(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    size_t searches = 0, scans = 0;
    for (size_t i = 0; i < SPOOL_SQL_N; i++) {
        char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", spool_sql_text[i]);
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *plan = (const char *)sqlite3_column_text(st, 3);
            bool key = strstr(plan, "USING INTEGER PRIMARY KEY") != NULL ||
                       strstr(plan, "USING PRIMARY KEY (name=?)") != NULL;
            bool all = strncmp(plan, "SCAN ", 5) == 0 && strstr(plan, "USING") == NULL &&
                       (i == SPOOL_SQL_ROWS || i == SPOOL_SQL_STATES || i == SPOOL_SQL_NOTES ||
                        i == SPOOL_SQL_WIPES);
            if (!key && !all)
                fail_msg("%s\n%s", spool_sql_text[i], plan);
            searches += key;
            scans += all;
        }
        sqlite3_finalize(st);
        sqlite3_free(sql);
    }
    sqlite3_close(db);
    assert_int_equal(searches, 14);
    assert_int_equal(scans, 4);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_range_goes_and_its_neighbours_stay),
        T(many_are_gone_at_once),
        T(a_new_row_is_not_lost_to_an_old_wipe),
        T(a_moved_row_is_not_lost_to_an_old_wipe),
        T(an_unfinished_wipe_goes_on_after_a_restart),
        T(a_wipe_that_fails_wipes_nothing),
        T(the_file_becomes_smaller),
        T(every_statement_finds_its_rows_by_their_key),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
