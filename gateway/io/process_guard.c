/* process_guard.c - kills what the gateway's children left behind when the gateway is gone, however
 * it went: the guardian sees the end of a pipe that only the gateway holds open. */
#include "io/process_guard.h"
#include "base/log.h"
#include "base/rand.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    GROUPS_MAX = 4096, /* more are left to the parent-death signal and the mark */
    SWEEPS_MAX = 50,   /* of processes that fork while they are being killed */
    ENVIRONMENT_MAX = 1 << 20,
};

/* The writing end; the one piece of state that must be reachable between fork and exec. */
static int pipe_fd = -1;
static pid_t guardian = -1;
static char mark[64]; /* NAME=value of this run, in the environment of every child */

/* ---- the guardian itself, forked before there was any thread */

static void groups_change(pid_t *groups, size_t *n, int32_t word)
{
    if (word > 0 && *n < GROUPS_MAX)
        groups[(*n)++] = word;
    for (size_t i = 0; word < 0 && i < *n; i++) {
        if (groups[i] == -word) {
            groups[i] = groups[--*n];
            return;
        }
    }
}

/* Reads the environment of a process into memory; a foreign or dead one is empty. */
static bool is_marked(const char *pid)
{
    static char environment[ENVIRONMENT_MAX];
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t n = 0;
    for (ssize_t got; (got = read(fd, environment + n, sizeof environment - n)) > 0;)
        n += (size_t)got;
    close(fd);
    return memmem(environment, n, mark, strlen(mark)) != NULL;
}

/* Daemons left their group, and kept the environment. */
static bool sweep(void)
{
    bool found = false;
    DIR *proc = opendir("/proc");
    for (struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid > 1 && pid != getpid() && is_marked(e->d_name))
            found |= kill((pid_t)pid, SIGKILL) == 0;
    }
    if (proc != NULL)
        closedir(proc);
    return found;
}

static void guard(int fd)
{
    static pid_t groups[GROUPS_MAX];
    size_t n = 0;
    int32_t words[64];
    for (;;) {
        ssize_t got = read(fd, words, sizeof words);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        for (size_t i = 0; i < (size_t)got / sizeof words[0]; i++)
            groups_change(groups, &n, words[i]);
    }
    for (size_t i = 0; i < n; i++)
        kill(-groups[i], SIGKILL);
    for (int i = 0; i < SWEEPS_MAX && sweep(); i++) {
    }
    _exit(0);
}

static void become_guardian(int read_fd, int write_fd)
{
    static const int deaf[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < ARRAY_LEN(deaf); i++)
        signal(deaf[i], SIG_IGN);
    setsid();
    prctl(PR_SET_NAME, "penstock-guard");
    close(write_fd); /* or the end of the pipe would never come */
    if (dup2(read_fd, 0) != 0)
        _exit(1);
    (void)close_range(1, ~0U, 0);
    if (chdir("/") != 0)
        _exit(1);
    guard(0);
}

/* ---- the gateway's side */

bool process_guard_start(struct error *err)
{
    int fd[2];
    if (pipe_fd >= 0)
        return true;
    snprintf(mark, sizeof mark, "PENSTOCK_RUN=%016llx", (unsigned long long)rand_u64());
    if (pipe2(fd, O_CLOEXEC) != 0)
        return error_sys(err, "pipe for the guardian");
    pid_t pid = fork();
    if (pid < 0) {
        close(fd[0]);
        close(fd[1]);
        return error_sys(err, "fork of the guardian");
    }
    if (pid == 0)
        become_guardian(fd[0], fd[1]);
    close(fd[0]);
    /* above the standard descriptors, where a child's dup2 would overwrite it */
    pipe_fd = fcntl(fd[1], F_DUPFD_CLOEXEC, 10);
    close(fd[1]);
    guardian = pid;
    return pipe_fd >= 0 ? true : error_sys(err, "pipe for the guardian");
}

const char *process_guard_mark(void)
{
    return mark[0] == '\0' ? NULL : mark;
}

void process_guard_stop(void)
{
    if (guardian < 0)
        return;
    if (pipe_fd >= 0)
        close(pipe_fd);
    pipe_fd = -1;
    while (waitpid(guardian, NULL, 0) < 0 && errno == EINTR) {
    }
    guardian = -1;
}

/* One word is written whole or not at all: it is shorter than PIPE_BUF. */
static bool tell(int32_t word)
{
    ssize_t n;
    do
        n = write(pipe_fd, &word, sizeof word);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof word;
}

/* Without a guardian the child still has its parent-death signal. */
void process_guard_enter(pid_t group)
{
    if (pipe_fd >= 0)
        (void)tell(group);
}

void process_guard_leave(pid_t group)
{
    if (pipe_fd >= 0 && !tell(-group)) {
        log_error(NULL, "the guardian process is gone: functions' own children may outlive us");
        close(pipe_fd);
        pipe_fd = -1;
    }
}
