/* test_spool_crash.c - kill -9 again and again: what was told is there, nothing is half there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spool_model.h"
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

enum { ROUNDS = 60, LONGEST_US = 40000, WRITER_FD = 9 };

/* ---- the writer: a process of its own, works until it is killed */

static struct writer {
    struct fixture f;
    struct model model;
    struct flight {
        struct job job;
        struct model_op op;
    } flights[MODEL_OPS];
} w;

static void tell(struct model_op *op, enum model_stage stage)
{
    op->stage = stage;
    model_apply(&w.model, op);
    if (write(WRITER_FD, op, sizeof *op) != sizeof *op)
        _exit(3);
}

static void go(struct flight *f);

static void on_done(struct spool_op *op)
{
    struct flight *f = container_of(op, struct flight, job.op);
    if (!op->ok)
        _exit(4);
    tell(&f->op, MODEL_DONE);
    go(f);
}

static void go(struct flight *f)
{
    do
        f->op = model_next(&w.model);
    while (f->op.n == 0);
    model_fill(&f->job, &f->op);
    tell(&f->op, MODEL_BEGUN);
    f->job.op.changes = f->job.changes;
    f->job.op.done = on_done;
    spool_submit(w.f.spool, &f->job.op);
}

static int writer(const char *path, uint64_t seed)
{
    static struct model_found found;
    snprintf(w.f.path, sizeof w.f.path, "%s", path);
    w.f.loop = loop_new(&w.f.err);
    w.model.random = seed;
    if (w.f.loop == NULL || !fixture_open(&w.f) ||
        !spool_scan(w.f.spool, model_on_note, model_on_row, &found, &w.f.err))
        return 2;
    memcpy(w.model.rows, found.rows, sizeof found.rows);
    for (size_t i = 0; i < MODEL_OPS; i++)
        go(&w.flights[i]);
    loop_run(w.f.loop);
    return 0;
}

/* ---- the test */

static pid_t start_writer(const struct fixture *f, uint64_t seed, int *from)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    char number[32], program[] = "/proc/self/exe", path[sizeof f->path];
    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    memcpy(path, f->path, sizeof path);
    char *argv[] = {program, path, number, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, fds[0]);
    posix_spawn_file_actions_adddup2(&actions, fds[1], WRITER_FD);
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, program, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    *from = fds[0];
    return pid;
}

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Reads events; kills the writer some time after the first; returns how many were told done. */
static size_t listen_and_kill(struct model *m, pid_t pid, int from, int64_t after_us)
{
    size_t done = 0;
    int64_t kill_at = 0;
    struct model_op op;
    for (;;) {
        if (kill_at != 0 && now_us() >= kill_at) {
            kill(pid, SIGKILL);
            kill_at = INT64_MAX;
        }
        struct pollfd p = {.fd = from, .events = POLLIN};
        poll(&p, 1, kill_at == INT64_MAX ? -1 : 1);
        if (p.revents == 0)
            continue;
        ssize_t n = read(from, &op, sizeof op);
        if (n == 0)
            return done;
        assert_int_equal(n, sizeof op);
        model_apply(m, &op);
        done += op.stage == MODEL_DONE;
        if (kill_at == 0)
            kill_at = now_us() + after_us;
    }
}

static void what_was_told_survives_every_kill(void **state)
{
    struct fixture *f = *state;
    static struct model m;
    m.random = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)m.random);
    size_t done = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int from, status;
        pid_t pid = start_writer(f, m.random + (uint64_t)round, &from);
        done += listen_and_kill(&m, pid, from, model_random(&m, LONGEST_US));
        close(from);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        model_check(&m, f, false);
        fixture_close(f);
    }
    print_message("%zu operations told done in %d rounds\n", done, ROUNDS);
    assert_true(done > 10 * ROUNDS && m.told_relaxed > ROUNDS);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return writer(argv[1], strtoull(argv[2], NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_told_survives_every_kill, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
