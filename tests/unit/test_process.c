/* test_process.c - children: output, ends, failures to start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "process_wait.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    struct loop *loop;
    struct process *p;
    struct timer deadline;
    struct buf out, err; /* lines, each with its newline */
    size_t lines, longest;
    int status, exits;
    bool late, free_in_line, free_in_exit;
    const char *stop_at; /* a line that ends the loop */
};

static const char *const env[] = {"PATH=/usr/bin:/bin", "GREETING=hello", NULL};

static void on_line(void *ctx, int stream, struct slice line)
{
    struct run *r = ctx;
    struct buf *b = stream == 1 ? &r->out : &r->err;
    r->lines++;
    if (line.n > r->longest)
        r->longest = line.n;
    buf_put(b, line);
    buf_char(b, '\n');
    if (r->free_in_line) {
        process_free(r->p);
        r->p = NULL;
        loop_stop(r->loop);
    }
    if (r->stop_at != NULL && slice_is(line, r->stop_at))
        loop_stop(r->loop);
}

static void on_exit_of(void *ctx, int status)
{
    struct run *r = ctx;
    r->status = status;
    r->exits++;
    if (r->free_in_exit) {
        process_free(r->p);
        r->p = NULL;
    }
    loop_stop(r->loop);
}

static void on_deadline(struct timer *t)
{
    struct run *r = container_of(t, struct run, deadline);
    r->late = true;
    loop_stop(r->loop);
}

static int setup(void **state)
{
    struct run *r = calloc(1, sizeof *r);
    struct error err;
    r->loop = loop_new(&err);
    r->deadline.fire = on_deadline;
    buf_init(&r->out, 1 << 24);
    buf_init(&r->err, 1 << 24);
    *state = r;
    return r->loop == NULL;
}

static int teardown(void **state)
{
    struct run *r = *state;
    process_free(r->p);
    timer_stop(r->loop, &r->deadline);
    loop_free(r->loop);
    buf_free(&r->out);
    buf_free(&r->err);
    free(r);
    return 0;
}

static bool spawn(struct run *r, const char *const *argv, const char *cwd, const char *input,
                  struct error *err)
{
    struct process_spec spec = {.argv = argv,
                                .envp = env,
                                .cwd = cwd,
                                .stdin_text = slice_of(input),
                                .on_line = on_line,
                                .on_exit = on_exit_of,
                                .ctx = r};
    r->p = process_spawn(r->loop, &spec, err);
    return r->p != NULL;
}

static void shell(struct run *r, const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct error err = {0};
    if (!spawn(r, argv, NULL, "", &err))
        fail_msg("%s", err.text);
}

static void go(struct run *r)
{
    timer_start(r->loop, &r->deadline, DEADLINE_MS);
    loop_run(r->loop);
    timer_stop(r->loop, &r->deadline);
    assert_false(r->late);
}

static void output_environment_and_status_arrive(void **state)
{
    struct run *r = *state;
    shell(r, "echo $GREETING; echo oops >&2; echo; printf 'no newline'; exit 7");
    assert_true(process_pid(r->p) > 0);
    go(r);
    assert_string_equal(r->out.p, "hello\n\nno newline\n");
    assert_string_equal(r->err.p, "oops\n");
    assert_true(WIFEXITED(r->status));
    assert_int_equal(WEXITSTATUS(r->status), 7);
    assert_int_equal(r->exits, 1);
    process_kill(r->p, SIGTERM); /* harmless after the end */
    assert_int_equal(process_peak_mb(r->p), 0);
}

static void stdin_is_the_text_or_nothing(void **state)
{
    struct run *r = *state;
    const char *const argv[] = {"cat", NULL};
    struct error err;
    assert_true(spawn(r, argv, NULL, "one\ntwo\n", &err));
    go(r);
    assert_string_equal(r->out.p, "one\ntwo\n");
    process_free(r->p);
    buf_clear(&r->out);
    shell(r, "cat; readlink /proc/self/fd/0");
    go(r);
    assert_string_equal(r->out.p, "/dev/null\n");
}

static void the_directory_is_changed_before_the_start(void **state)
{
    struct run *r = *state;
    const char *const argv[] = {"pwd", NULL};
    struct error err;
    assert_true(spawn(r, argv, "/usr", "", &err));
    go(r);
    assert_string_equal(r->out.p, "/usr\n");
}

static void a_child_has_no_descriptors_of_ours_and_default_signals(void **state)
{
    struct run *r = *state;
    int fd = open("/dev/null", O_RDONLY); /* not close-on-exec, on purpose */
    shell(r, "i=3; while [ $i -lt 64 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; "
             "exec grep -E 'SigBlk|SigIgn' /proc/self/status");
    go(r);
    close(fd);
    unsigned long long blocked = 1, ignored = 1;
    assert_int_equal(sscanf(r->out.p, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    /* 32 and 33 are the C library's own; it lets nobody change them, so we may have inherited them
     */
    static const unsigned long long of_libc = 3ull << 31;
    assert_int_equal(blocked | (ignored & ~of_libc), 0);
}

static void refused(struct run *r, const char *program, const char *cwd, const char *reason)
{
    const char *const argv[] = {program, NULL};
    struct error err = {0};
    assert_false(spawn(r, argv, cwd, "", &err));
    if (strstr(err.text, program) == NULL || strstr(err.text, reason) == NULL)
        fail_msg("\"%s\" does not name %s and \"%s\"", err.text, program, reason);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void what_cannot_start_is_explained(void **state)
{
    struct run *r = *state;
    char dir[] = "/tmp/test_process.XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/prog", dir);
    refused(r, "no-such-program-here", NULL, "not found in PATH");
    refused(r, path, NULL, "no such file");
    write_file(path, "echo hi\n", 0755);
    refused(r, path, NULL, "no #! line");
    write_file(path, "#!/nowhere/sh\n", 0755);
    refused(r, path, NULL, "interpreter");
    write_file(path, "#!/bin/sh\n", 0644);
    refused(r, path, NULL, "permission");
    refused(r, "/bin/true", "/no/such/dir", "/no/such/dir");
    unlink(path);
    rmdir(dir);
    assert_int_equal(r->exits, 0);
}

static void a_line_is_cut_at_its_limit(void **state)
{
    struct run *r = *state;
    shell(r, "head -c 65536 /dev/zero | tr '\\0' a; echo; head -c 200000 /dev/zero | tr '\\0' b; "
             "echo; echo end");
    go(r);
    assert_int_equal(r->longest, PROCESS_LINE_MAX);
    assert_int_equal(r->lines, 1 + 4 + 1);
    assert_int_equal(r->out.n, 65536 + 200000 + 3 + 6);
    assert_string_equal(r->out.p + r->out.n - 4, "end\n");
}

static void a_flood_of_output_is_complete_and_leaves_room_for_others(void **state)
{
    struct run *r = *state;
    shell(r, "i=0; while [ $i -lt 200 ]; do head -c 16383 /dev/zero | tr '\\0' x; echo; "
             "i=$((i+1)); done");
    go(r);
    assert_int_equal(r->lines, 200);
    assert_int_equal(r->out.n, 200 * 16384);
}

static void an_endless_flood_does_not_starve_timers(void **state)
{
    struct run *r = *state;
    shell(r, "exec cat /dev/zero");
    timer_start(r->loop, &r->deadline, 50);
    loop_run(r->loop);
    assert_true(r->late);
    assert_int_equal(r->exits, 0);
}

static void a_signal_reaches_the_whole_group(void **state)
{
    struct run *r = *state;
    r->stop_at = "ready";
    shell(r, "trap 'wait; echo outer; exit 3' TERM; "
             "sh -c 'trap \"echo inner; exit\" TERM; echo ready; while :; do sleep 0.01; done' & "
             "wait; wait");
    go(r);
    assert_true(process_peak_mb(r->p) >= 1);
    r->stop_at = NULL;
    process_kill(r->p, SIGTERM);
    go(r);
    assert_non_null(strstr(r->out.p, "inner\n"));
    assert_true(r->exits == 1);
}

static void the_group_dies_with_its_leader(void **state)
{
    struct run *r = *state;
    shell(r, "sleep 1000 & echo $!; exec sleep 0");
    go(r);
    wait_gone((pid_t)strtol(r->out.p, NULL, 10));
    assert_int_equal(r->status, 0);
}

static void output_from_before_the_end_is_there_at_the_end(void **state)
{
    struct run *r = *state;
    /* the grandchild keeps the pipe open: the end must not wait for it */
    shell(r, "sleep 1000 & head -c 60000 /dev/zero | tr '\\0' y; echo; echo last");
    go(r);
    assert_string_equal(r->out.p + r->out.n - 5, "last\n");
    assert_int_equal(r->out.n, 60001 + 5);
}

static void output_can_be_read_at_once(void **state)
{
    struct run *r = *state;
    shell(r, "echo now; printf piece; exec sleep 1000");
    for (int i = 0; i < DEADLINE_MS / 10 && r->lines < 2; i++) {
        poll(NULL, 0, 10);
        process_read_output(r->p);
    }
    assert_string_equal(r->out.p, "now\npiece\n");
    pid_t pid = process_pid(r->p);
    process_free(r->p);
    r->p = NULL;
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(r->exits, 0);
}

static void it_may_be_freed_inside_its_callbacks(void **state)
{
    struct run *r = *state;
    r->free_in_line = true;
    shell(r, "echo a; echo b; echo c; exec sleep 1000");
    go(r);
    assert_int_equal(r->lines, 1);
    assert_int_equal(r->exits, 0);
    r->free_in_line = false;
    r->free_in_exit = true;
    shell(r, "echo d");
    go(r);
    assert_int_equal(r->exits, 1);
    assert_null(r->p);
}

static void teardown_ends_the_guardian(void **state)
{
    struct run *r = *state;
    struct error err;
    assert_true(process_setup(&err));
    assert_true(process_setup(&err)); /* twice is once */
    shell(r, "exit 0");
    go(r);
    process_teardown();
    process_teardown();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

#define RUN(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(output_environment_and_status_arrive),
        RUN(stdin_is_the_text_or_nothing),
        RUN(the_directory_is_changed_before_the_start),
        RUN(a_child_has_no_descriptors_of_ours_and_default_signals),
        RUN(what_cannot_start_is_explained),
        RUN(a_line_is_cut_at_its_limit),
        RUN(a_flood_of_output_is_complete_and_leaves_room_for_others),
        RUN(an_endless_flood_does_not_starve_timers),
        RUN(a_signal_reaches_the_whole_group),
        RUN(the_group_dies_with_its_leader),
        RUN(output_from_before_the_end_is_there_at_the_end),
        RUN(output_can_be_read_at_once),
        RUN(it_may_be_freed_inside_its_callbacks),
        RUN(teardown_ends_the_guardian),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
