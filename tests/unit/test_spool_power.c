/* test_spool_power.c - power cuts at any moment, also after a disk that failed and works again:
 * what was told is there, what was refused is not, nothing is half there; of what was told relaxed
 * the last may be lost, but nothing from between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "power_disk.h"
#include "spool_model.h"
#include <time.h>

enum {
    CUTS = 60,
    OPS_MOST = 400,
    FAULTY_CUTS = 12,
    YOUNG_CUTS = 40,
    ENDS = 4,
    DEADLINE_S = 20,
    RETRY_MS = 5,
    ENDLESS = 1 << 30
};

static struct world {
    struct fixture *f;
    struct model model;
    struct flight {
        struct job job;
        struct model_op op;
        struct timer retry;
    } flights[MODEL_OPS];
    uint32_t left;     /* operations until the cut */
    uint32_t fault_at; /* so many left: the disk fails; 0: never */
    bool cut;
    uint32_t told, refused;
} w;

static void go(struct flight *f);

static bool is_cut(void)
{
    w.cut = w.cut || atomic_load(&disk.cut);
    return w.cut;
}

static void on_done(struct spool_op *op)
{
    struct flight *f = container_of(op, struct flight, job.op);
    w.f->waiting--;
    if (is_cut()) { /* nobody hears of it any more */
        if (w.f->waiting == 0)
            loop_stop(w.f->loop);
        return;
    }
    f->op.stage = op->ok ? MODEL_DONE : MODEL_REFUSED;
    model_apply(&w.model, &f->op);
    w.told += op->ok;
    w.refused += !op->ok;
    if (op->ok)
        go(f);
    else
        timer_start(w.f->loop, &f->retry, RETRY_MS);
}

static void on_retry(struct timer *t)
{
    if (is_cut()) {
        if (w.f->waiting == 0)
            loop_stop(w.f->loop);
        return;
    }
    w.left++; /* the one that was refused does not count */
    go(container_of(t, struct flight, retry));
}

static void go(struct flight *f)
{
    if (w.left > 0 && w.left == w.fault_at) {
        atomic_store(&disk.fail_sync, 1 + (int)model_random(&w.model, 2));
        w.fault_at = 0;
    }
    if (w.left > 0 && --w.left == 0) {
        w.cut = true;
        char folder[80];
        snprintf(folder, sizeof folder, "%s/cut", w.f->folder);
        disk_power_cut(folder);
        loop_stop(w.f->loop);
        return;
    }
    do
        f->op = model_next(&w.model);
    while (f->op.n == 0);
    model_fill(&f->job, &f->op);
    f->op.stage = MODEL_BEGUN;
    model_apply(&w.model, &f->op);
    f->job.op.changes = f->job.changes;
    f->job.op.done = on_done;
    w.f->waiting++;
    spool_submit(w.f->spool, &f->job.op);
}

static void run_until_the_cut(uint32_t ops, uint32_t fault_at)
{
    w.left = ops;
    w.fault_at = fault_at;
    w.cut = false;
    for (size_t i = 0; i < MODEL_OPS && !w.cut; i++) {
        w.flights[i].retry.fire = on_retry;
        go(&w.flights[i]);
    }
    if (!w.cut)
        loop_run(w.f->loop);
    fixture_wait(w.f);
    for (size_t i = 0; i < MODEL_OPS; i++)
        timer_stop(w.f->loop, &w.flights[i].retry);
    fixture_close(w.f);
}

/* The files as the cut left them take the place of the others. */
static void use_what_is_left(struct fixture *f)
{
    disk_forget();
    static const char *const ends[] = {"", "-wal"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char from[128], to[128];
        snprintf(from, sizeof from, "%s/cut/spool%s", f->folder, ends[i]);
        snprintf(to, sizeof to, "%s%s", f->path, ends[i]);
        unlink(to);
        rename(from, to);
    }
}

static void after_the_cut(struct fixture *f)
{
    use_what_is_left(f);
    model_check(&w.model, f, true);
    fixture_close(f);
    for (size_t i = 0; i < MODEL_OPS; i++)
        spool_op_clear(&w.flights[i].job.op);
}

static int setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    w = (struct world){.f = *state};
    w.model.random = disk.random = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)w.model.random);
    char folder[80];
    snprintf(folder, sizeof folder, "%s/cut", w.f->folder);
    return mkdir(folder, 0700);
}

static int teardown(void **state)
{
    char folder[80];
    snprintf(folder, sizeof folder, "%s/cut", w.f->folder);
    rmdir(folder);
    return fixture_teardown(state);
}

static void open_and_watch(struct fixture *f)
{
    disk_watch(f->path);
    struct seen s;
    if (!fixture_open(f) || !fixture_scan(f, &s))
        fail_msg("%s", f->err.text);
}

static void what_was_told_survives_power_cuts(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < CUTS; i++) {
        open_and_watch(f);
        run_until_the_cut(1 + model_random(&w.model, OPS_MOST), 0);
        after_the_cut(f);
    }
    print_message("%u operations told done, %u of them relaxed, %u of these lost, %u drops, "
                  "%d syncs\n",
                  w.told, w.model.told_relaxed, w.model.lost, w.model.lost_drops,
                  atomic_load(&disk.syncs));
    assert_true(w.told > CUTS && w.refused == 0);
    assert_true(w.model.lost_drops > 0 && w.model.told_relaxed > 4 * w.model.lost);
}

/* The one that failed was refused; later ones, once the disk works again, must not hang on it. */
static void a_failed_sync_loses_nothing_that_is_told(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < FAULTY_CUTS; i++) {
        open_and_watch(f);
        run_until_the_cut(300, 1 + model_random(&w.model, 290));
        after_the_cut(f);
        atomic_store(&disk.fail_sync, 0);
    }
    print_message("%u operations told done, %u refused, %d syncs failed\n", w.told, w.refused,
                  atomic_load(&disk.failed));
    assert_true(atomic_load(&disk.failed) >= FAULTY_CUTS && w.refused >= FAULTY_CUTS / 2);
}

/* What was relaxed must be on disk before the file is changed by it: seen while the log is short,
 * and no older copy of the page is in it. */
static void a_power_cut_while_recovering_leaves_no_hole(void **state)
{
    struct fixture *f = *state;
    char folder[80];
    snprintf(folder, sizeof folder, "%s/cut", f->folder);
    disk.cut_folder = folder;
    for (int i = 0; i < YOUNG_CUTS; i++) {
        open_and_watch(f);
        atomic_store(&disk.failed, 0);
        atomic_store(&disk.cut, false);
        atomic_store(&disk.cut_at, model_random(&w.model, 4) == 0 ? 1 : 2);
        run_until_the_cut(ENDLESS, ENDLESS - 8 - model_random(&w.model, 12));
        assert_true(atomic_load(&disk.cut));
        atomic_store(&disk.cut, false);
        after_the_cut(f);
        atomic_store(&disk.fail_sync, 0);
    }
    print_message("%u operations told done, %u of them relaxed, %u of these lost\n", w.told,
                  w.model.told_relaxed, w.model.lost);
}

/* ---- drops whose sync is somebody else's */

static bool do_relaxed(struct fixture *f, enum spool_kind kind, uint64_t id, bool *found)
{
    struct job j = {.op.relaxed = true};
    job_add(&j, (struct spool_change){.kind = kind, .id = id});
    job_submit(f, &j);
    fixture_wait(f);
    *found = j.changes[0].found;
    spool_op_clear(&j.op);
    return j.op.ok;
}

static void cut_and_reopen(struct fixture *f, struct seen *s)
{
    char folder[80];
    snprintf(folder, sizeof folder, "%s/cut", f->folder);
    disk_power_cut(folder);
    fixture_close(f);
    use_what_is_left(f);
    if (!fixture_open(f) || !fixture_scan(f, s))
        fail_msg("%s", f->err.text);
}

/* A purge of what was just deleted finds no row; when it is told, nothing may come back. */
static void one_that_changes_nothing_syncs_what_was_before_it(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 0; i < ENDS; i++) {
        bool found;
        struct seen s;
        struct job j = {0};
        open_and_watch(f);
        assert_true(fixture_put(f, 1 + i, "x"));
        assert_true(do_relaxed(f, SPOOL_DROP, 1 + i, &found) && found);
        struct spool_change wipe = {.kind = SPOOL_WIPE, .id = 1, .to_id = 1 + i};
        assert_true(fixture_do(f, &j, wipe));
        cut_and_reopen(f, &s);
        assert_int_equal(s.n, 0);
        fixture_close(f);
    }
}

/* Told, then the sync by age fails: it is gone for all readers, and on disk once the disk works. */
static void what_was_dropped_stays_so_when_its_sync_fails(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 0; i < ENDS; i++) {
        bool found;
        struct seen s;
        open_and_watch(f);
        assert_true(fixture_put(f, 1 + i, "x"));
        atomic_store(&disk.failed, 0);
        atomic_store(&disk.fail_sync, 1 + (int)(i % 2));
        assert_true(do_relaxed(f, SPOOL_DROP, 1 + i, &found) && found);
        time_t until = time(NULL) + DEADLINE_S;
        while (atomic_load(&disk.failed) == 0 && time(NULL) < until)
            (void)do_relaxed(f, SPOOL_READ, 1 + i, &found);
        assert_true(atomic_load(&disk.failed) > 0);
        while (!do_relaxed(f, SPOOL_READ, 1 + i, &found))
            continue;
        assert_false(found);
        cut_and_reopen(f, &s);
        assert_int_equal(s.n, 0);
        fixture_close(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_told_survives_power_cuts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_sync_loses_nothing_that_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_power_cut_while_recovering_leaves_no_hole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_that_changes_nothing_syncs_what_was_before_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_dropped_stays_so_when_its_sync_fails, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
