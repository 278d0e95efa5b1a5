/* test_process_guard.c - a gateway that is killed hard leaves no process behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "process_wait.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};

/* A gateway in miniature; prints the numbers of its child and grandchild. */
static void tell_pid(void *ctx, int stream, struct slice line)
{
    (void)stream;
    int fd = *(int *)ctx;
    if (write(fd, line.p, line.n) < 0 || write(fd, "\n", 1) < 0)
        _exit(9);
}

static void miniature(int fd)
{
    struct error err;
    if (!process_setup(&err))
        _exit(8);
    struct loop *l = loop_new(&err);
    const char *const argv[] = {
        "sh", "-c", "trap '' TERM HUP INT; sleep 1000 & echo $$ $!; sleep 1000; sleep 1000", NULL};
    struct process_spec spec = {.argv = argv, .envp = env, .on_line = tell_pid, .ctx = &fd};
    if (process_spawn(l, &spec, &err) == NULL)
        _exit(7);
    loop_run(l);
    _exit(6);
}

static void killed_hard_it_leaves_nothing_behind(void **state)
{
    (void)state;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int fd[2], numbers[2];
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    pid_t gateway = fork();
    if (gateway == 0)
        miniature(fd[1]);
    close(fd[1]);
    FILE *f = fdopen(fd[0], "r");
    assert_int_equal(fscanf(f, "%d %d", &numbers[0], &numbers[1]), 2);
    assert_int_equal(kill(numbers[0], 0), 0);
    assert_int_equal(kill(numbers[1], 0), 0);
    kill(gateway, SIGKILL);
    wait_gone(gateway);
    wait_gone(numbers[0]);
    wait_gone(numbers[1]);
    fclose(f);
    /* the guardian goes too: no child is left */
    for (int i = 0; i < DEADLINE_MS / 10 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
        poll(NULL, 0, 10);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_hard_it_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("process_guard", tests, NULL, NULL);
}
