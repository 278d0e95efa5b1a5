/* process_exec.c - from a specification to a running program: descriptors, fork, exec, and why not.
 */
#include "io/process_exec.h"
#include "base/mem.h"
#include "io/process_guard.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum step { STEP_STREAMS, STEP_CHDIR, STEP_EXEC };

/* What a child that could not start writes to its parent. */
struct failure {
    enum step step;
    int sys;
};

struct start {
    char *path; /* of the program */
    int stdin_fd, stdout_fd, stderr_fd, report_fd;
    pid_t parent;
};

static struct rlimit files_before;

void process_exec_setup(void)
{
    (void)getrlimit(RLIMIT_NOFILE, &files_before);
}

/* ---- before the fork */

static bool runnable(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static struct slice search_path(const char *const *envp)
{
    for (; *envp != NULL; envp++) {
        if (strncmp(*envp, "PATH=", 5) == 0)
            return slice_of(*envp + 5);
    }
    return SLICE("/usr/local/bin:/usr/bin:/bin");
}

/* Returns a new string; NULL when the program is nowhere. */
static char *find_program(const struct process_spec *spec)
{
    const char *name = spec->argv[0];
    if (strchr(name, '/') != NULL)
        return mem_strdup(name);
    struct slice path = search_path(spec->envp);
    while (path.n > 0) {
        struct slice dir = slice_cut(&path, ':');
        if (dir.n == 0 || dir.p[0] != '/')
            continue;
        char *full = mem_printf(SLICE_FMT "/%s", SLICE_ARG(dir), name);
        if (runnable(full))
            return full;
        free(full);
    }
    return NULL;
}

static bool write_all(int fd, struct slice s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno != EINTR)
            return false;
        s = slice_from(s, n > 0 ? (size_t)n : 0);
    }
    return true;
}

static int open_stdin(struct slice text)
{
    if (text.n == 0)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("stdin", MFD_CLOEXEC);
    if (fd >= 0 && (!write_all(fd, text) || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- in the child: async-signal-safe calls only */

static _Noreturn void give_up(const struct start *s, enum step step)
{
    struct failure f = {step, errno};
    (void)!write(s->report_fd, &f, sizeof f);
    _exit(127);
}

static void reset_signals(void)
{
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child(const struct start *s, const struct process_spec *spec)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != s->parent) /* it died before the line above */
        _exit(127);
    process_guard_enter(getpid());
    reset_signals();
    if (files_before.rlim_cur > 0)
        setrlimit(RLIMIT_NOFILE, &files_before);
    if (dup2(s->stdin_fd, 0) < 0 || dup2(s->stdout_fd, 1) < 0 || dup2(s->stderr_fd, 2) < 0)
        give_up(s, STEP_STREAMS);
    /* ours close themselves; this is for those of libraries, and may be forbidden to us */
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (spec->cwd != NULL && chdir(spec->cwd) != 0)
        give_up(s, STEP_CHDIR);
    char *const *argv, *const *envp; /* exec's parameters lack a const, though it only reads */
    memcpy(&argv, &spec->argv, sizeof argv);
    memcpy(&envp, &spec->envp, sizeof envp);
    execve(s->path, argv, envp);
    give_up(s, STEP_EXEC);
}

/* ---- after the fork */

static const char *exec_reason(int sys, const char *path)
{
    if (sys == ENOENT && access(path, F_OK) == 0)
        return "the interpreter of its first line does not exist";
    if (sys == ENOENT)
        return "no such file";
    if (sys == EACCES)
        return "not executable: permission denied";
    if (sys == ENOEXEC)
        return "not executable: no #! line?";
    return strerror(sys);
}

static void explain(const struct failure *f, const struct start *s, const struct process_spec *spec,
                    struct error *err)
{
    if (f->step == STEP_CHDIR)
        error_set(err, ERROR_SYSTEM, "cannot start %s: directory %s: %s", spec->argv[0], spec->cwd,
                  strerror(f->sys));
    else if (f->step == STEP_EXEC)
        error_set(err, ERROR_SYSTEM, "cannot start %s: %s", s->path, exec_reason(f->sys, s->path));
    else
        error_set(err, ERROR_SYSTEM, "cannot start %s: %s", spec->argv[0], strerror(f->sys));
    if (err != NULL)
        err->sys = f->sys;
}

/* The report's pipe closes by itself when exec succeeds. */
static bool started(int fd, struct failure *f)
{
    ssize_t n;
    do
        n = read(fd, f, sizeof *f);
    while (n < 0 && errno == EINTR);
    return n != (ssize_t)sizeof *f;
}

static pid_t fork_child(struct start *s, const struct process_spec *spec)
{
    sigset_t all, before;
    s->parent = getpid();
    sigfillset(&all);
    /* a handler of ours must not run in the child: it would speak to our own loop */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        child(s, spec);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static void close_all(const int *fd, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fd[i] >= 0)
            close(fd[i]);
    }
}

int process_exec(const struct process_spec *spec, int out[2], struct error *err)
{
    int fd[7] = {-1, -1, -1, -1, -1, -1, -1}; /* stdin, then read and write ends of three pipes */
    struct failure f;
    pid_t pid = -1;
    struct start s = {.path = find_program(spec)};
    if (s.path == NULL) {
        error_set(err, ERROR_SYSTEM, "cannot start %s: not found in PATH", spec->argv[0]);
        return -1;
    }
    fd[0] = open_stdin(spec->stdin_text);
    if (fd[0] < 0 || pipe2(fd + 1, O_CLOEXEC) != 0 || pipe2(fd + 3, O_CLOEXEC) != 0 ||
        pipe2(fd + 5, O_CLOEXEC) != 0)
        goto fail;
    s.stdin_fd = fd[0];
    s.stdout_fd = fd[2];
    s.stderr_fd = fd[4];
    s.report_fd = fd[6];
    pid = fork_child(&s, spec);
    if (pid < 0)
        goto fail;
    close(fd[6]);
    fd[6] = -1;
    if (started(fd[5], &f)) {
        out[0] = fd[1];
        out[1] = fd[3];
        fd[1] = fd[3] = -1;
        (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
        (void)fcntl(out[1], F_SETFL, O_NONBLOCK);
    } else {
        explain(&f, &s, spec, err);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        process_guard_leave(pid);
        pid = -1;
    }
    goto out;
fail:
    error_sys(err, "cannot start %s", spec->argv[0]);
out:
    close_all(fd, ARRAY_LEN(fd));
    free(s.path);
    return pid;
}
