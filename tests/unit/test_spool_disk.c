/* test_spool_disk.c - disks that are full, cannot be read, or lose the file under the spool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "power_disk.h"
#include "spool_fixture.h"
#include <time.h>

enum { BIG = 60000, HUGE = 200000, GROWN = 20, SMALL = 1600 };

static char big[BIG + 1], huge[HUGE + 1];

static int setup(void **state)
{
    memset(big, 'b', BIG);
    memset(huge, 'h', HUGE);
    if (fixture_setup(state) != 0)
        return -1;
    return fixture_open(*state) ? 0 : -1;
}

static int teardown(void **state)
{
    atomic_store(&disk.write_errno, 0);
    atomic_store(&disk.fail_read_errno, 0);
    atomic_store(&disk.fail_sync, 0);
    atomic_store(&disk.log_only, false);
    atomic_store(&disk.no_reserving, false);
    return fixture_teardown(state);
}

static void fill(struct fixture *f)
{
    for (uint64_t id = 1; id <= GROWN; id++)
        assert_true(fixture_put(f, id, big));
}

static void a_full_disk_refuses_and_goes_on_by(struct fixture *f, int how)
{
    fill(f);
    disk_fill(f->path, how);
    struct job j = {0};
    uint64_t id = GROWN;
    do
        id++;
    while (fixture_do(f, &j, change_put(id, big)) && id < 10 * GROWN);
    assert_false(j.op.ok);
    assert_true(j.op.full);
    assert_int_not_equal(j.op.why[0], '\0');
    assert_true(atomic_load(&disk.failed) > 0);
    int64_t bytes = spool_bytes(f->spool);
    assert_int_equal(bytes, (int64_t)(id - 1) * (BIG + 9));
    assert_true(fixture_has(f, 1, big)); /* reading needs no room */
    atomic_store(&disk.write_errno, 0);
    assert_true(fixture_put(f, id, big));
    struct seen s;
    assert_true(fixture_reopen(f, &s));
    assert_int_equal(s.n, id);
}

static void a_full_disk_refuses_until_there_is_room(void **state)
{
    a_full_disk_refuses_and_goes_on_by(*state, ENOSPC);
}

static void a_quota_is_a_full_disk(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    atomic_store(&disk.no_reserving, true);
    assert_true(fixture_open(f));
    a_full_disk_refuses_and_goes_on_by(f, EDQUOT);
}

/* As many as need pages of their own for what is known of them when they are taken. */
static void fill_small(struct fixture *f, uint64_t id, uint64_t n)
{
    static struct job jobs[SMALL / FIXTURE_CHANGES + 1];
    memset(jobs, 0, sizeof jobs);
    for (uint64_t i = 0; i < n; i++)
        job_add(&jobs[i / FIXTURE_CHANGES], change_put(id + i, ""));
    for (size_t i = 0; i < ARRAY_LEN(jobs) && jobs[i].op.n > 0; i++)
        job_submit(f, &jobs[i]);
    fixture_wait(f);
    assert_true(jobs[0].op.ok);
}

/* Every other one needs no sync. */
static bool do_either(struct fixture *f, struct spool_change c)
{
    struct job j = {.op.relaxed = c.id % 2 == 0};
    job_add(&j, c);
    job_submit(f, &j);
    fixture_wait(f);
    spool_op_clear(&j.op);
    return j.op.ok;
}

static void on_a_full_disk_rows_can_be_taken_and_dropped(void **state)
{
    struct fixture *f = *state;
    fill_small(f, 1, SMALL);
    uint64_t id = SMALL;
    for (int i = 0; i < 320; i++) /* the log was emptied meanwhile, at 16 MB */
        assert_true(fixture_put(f, ++id, big));
    disk_fill(f->path, ENOSPC);
    struct job j = {0};
    while (fixture_do(f, &j, change_put(++id, big)))
        assert_true(id < 2 * SMALL);
    assert_true(j.op.full);
    while (fixture_do(f, &j, change_put(++id, ""))) /* to the last page */
        assert_true(id < 20 * SMALL);
    for (uint64_t i = 1; i < id; i++)
        assert_true(do_either(f, (struct spool_change){.kind = SPOOL_TAKE, .id = i, .takes = 1}));
    for (uint64_t i = 1; i < id; i++)
        assert_true(do_either(f, (struct spool_change){.kind = SPOOL_DROP, .id = i, .takes = 1}));
    assert_int_equal(spool_bytes(f->spool), 0);
    assert_true(fixture_put(f, 1, big)); /* in their place */
}

/* It starts anew when it cannot grow. */
static void a_log_that_cannot_grow_is_emptied(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    atomic_store(&disk.no_reserving, true);
    assert_true(fixture_open(f));
    fill(f);
    atomic_store(&disk.log_only, true);
    disk_fill(f->path, ENOSPC);
    for (uint64_t id = GROWN + 1; id <= 5 * GROWN; id++)
        assert_true(fixture_put(f, id, big));
    assert_in_range(atomic_load(&disk.failed), 1, 3 * GROWN);
}

static void on_a_full_disk_only_what_does_not_fit_is_refused(void **state)
{
    struct fixture *f = *state;
    fill(f);
    disk_fill(f->path, ENOSPC);
    static const enum spool_kind kinds[] = {SPOOL_TAKE, SPOOL_DUE, SPOOL_PUT, SPOOL_DROP,
                                            SPOOL_READ};
    struct job jobs[ARRAY_LEN(kinds)] = {0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        jobs[i].mark = (char)('a' + (int)i);
        struct spool_change c = {.kind = kinds[i], .id = 1 + i, .takes = 1, .due_ms = 5};
        job_add(&jobs[i], kinds[i] == SPOOL_PUT ? change_put(101, "small") : c);
    }
    for (uint64_t i = 1; i < FIXTURE_CHANGES; i++) /* together more than is reserved at a time */
        job_add(&jobs[2], change_put(200 + i, huge));
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        job_submit(f, &jobs[i]);
    fixture_wait(f);
    assert_string_equal(f->order, "abcde");
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        assert_int_equal(jobs[i].op.ok, i != 2);
        assert_int_equal(jobs[i].changes[0].found, i != 2);
        spool_op_clear(&jobs[i].op);
    }
    assert_true(jobs[2].op.full);
    assert_false(fixture_has(f, 101, "small"));
    assert_false(fixture_has(f, 201, huge));
    assert_false(fixture_has(f, 4, big));
}

static void what_cannot_be_read_is_refused_and_the_rest_works(void **state)
{
    struct fixture *f = *state;
    fill(f);
    fixture_close(f);
    assert_true(fixture_open(f)); /* nothing of it in SQLite's cache */
    atomic_store(&disk.fail_read_errno, EIO);
    struct job j = {0};
    assert_false(fixture_do(f, &j, (struct spool_change){.kind = SPOOL_TAKE, .id = 1}));
    assert_false(j.op.full);
    assert_non_null(strstr(j.op.why, "reading failed: Input/output error"));
    atomic_store(&disk.fail_read_errno, 0);
    assert_true(fixture_has(f, 1, big));
    assert_true(fixture_put(f, 1000, "works"));
}

static void an_unreadable_file_ends_the_scan(void **state)
{
    struct fixture *f = *state;
    fill(f);
    fixture_close(f);
    assert_true(fixture_open(f));
    atomic_store(&disk.fail_read_errno, EIO);
    struct seen s;
    assert_false(fixture_scan(f, &s));
    assert_non_null(strstr(f->err.text, f->path));
}

/* Until recovery nothing is even tried: what comes meanwhile is refused at once. */
static void a_broken_disk_refuses_all_and_does_not_hold_up_the_end(void **state)
{
    struct fixture *f = *state;
    assert_true(fixture_put(f, 1, "before"));
    atomic_store(&disk.fail_sync, 1000000);
    struct job jobs[3] = {0};
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        job_add(&jobs[i], change_put(2 + i, "never"));
        job_submit(f, &jobs[i]);
    }
    fixture_wait(f);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        assert_false(jobs[i].op.ok || jobs[i].op.full);
        assert_string_equal(jobs[i].op.why, "fsync failed: Input/output error");
    }
    struct job last = {0};
    job_add(&last, change_put(9, "never"));
    job_submit(f, &last);
    fixture_close(f);
    assert_true(last.done && !last.op.ok);
    atomic_store(&disk.fail_sync, 0);
    struct seen s;
    assert_true(fixture_open(f) && fixture_scan(f, &s));
    assert_int_equal(s.n, 1);
    assert_true(fixture_has(f, 1, "before"));
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Puts rows until that is answered as wanted. */
static void put_until(struct fixture *f, struct job *j, uint64_t *id, bool ok)
{
    int64_t deadline = now_ms() + 20000;
    do {
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL); /* the spool must be idle once */
        assert_true(now_ms() < deadline);
    } while (fixture_do(f, j, (struct spool_change){.kind = SPOOL_READ, .id = ++*id}) != ok);
}

static void a_file_that_was_moved_away_is_noticed(void **state)
{
    struct fixture *f = *state;
    char away[128];
    snprintf(away, sizeof away, "%s.away", f->path);
    assert_int_equal(rename(f->path, away), 0);
    assert_true(fixture_put(f, 1, "x"));
    struct job j = {0};
    uint64_t id = 100;
    put_until(f, &j, &id, false);
    assert_false(j.op.full);
    assert_non_null(strstr(j.op.why, "moved or deleted"));
    assert_int_equal(rename(away, f->path), 0);
    put_until(f, &j, &id, true);
    assert_true(fixture_has(f, 1, "x"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_full_disk_refuses_until_there_is_room),
        T(a_quota_is_a_full_disk),
        T(on_a_full_disk_rows_can_be_taken_and_dropped),
        T(a_log_that_cannot_grow_is_emptied),
        T(on_a_full_disk_only_what_does_not_fit_is_refused),
        T(what_cannot_be_read_is_refused_and_the_rest_works),
        T(an_unreadable_file_ends_the_scan),
        T(a_broken_disk_refuses_all_and_does_not_hold_up_the_end),
        T(a_file_that_was_moved_away_is_noticed),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
