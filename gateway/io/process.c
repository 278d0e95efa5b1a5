/* process.c - a child while it lives: its lines of output, its end, and the end of its group. */
#include "io/process.h"
#include "base/buf.h"
#include "base/mem.h"
#include "io/process_exec.h"
#include "io/process_guard.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,            /* per stream and turn: a flood must not starve the loop */
    LAST_READ_BYTES = 2 * 1024 * 1024, /* after the end; more than a pipe holds */
};

struct stream {
    struct watch watch;
    struct process *process;
    int number;      /* 1 or 2 */
    struct buf line; /* the piece of a line that waits for its end */
};

struct process {
    struct loop *loop;
    void (*on_line)(void *ctx, int stream, struct slice line);
    void (*on_exit)(void *ctx, int status);
    void *ctx;
    struct watch pidfd;
    struct stream streams[2];
    pid_t pid;
    bool ended; /* reaped */
    bool freed; /* by its owner, while we were calling it */
    unsigned calling;
};

/* ---- output */

static void deliver(struct stream *s, struct slice line)
{
    struct process *p = s->process;
    if (p->on_line != NULL && !p->freed)
        p->on_line(p->ctx, s->number, line);
}

/* Takes one piece of text without its newline; end: a newline follows. */
static void add_piece(struct stream *s, struct slice piece, bool end)
{
    while (s->line.n + piece.n > PROCESS_LINE_MAX) {
        size_t fits = PROCESS_LINE_MAX - s->line.n;
        buf_add(&s->line, piece.p, fits);
        deliver(s, buf_slice(&s->line));
        buf_clear(&s->line);
        piece = slice_from(piece, fits);
    }
    if (end && s->line.n == 0) {
        deliver(s, piece);
        return;
    }
    buf_put(&s->line, piece);
    if (!end)
        return;
    deliver(s, buf_slice(&s->line));
    buf_clear(&s->line);
}

static void add_text(struct stream *s, struct slice text)
{
    while (text.n > 0 && !s->process->freed) {
        const char *newline = memchr(text.p, '\n', text.n);
        size_t n = newline != NULL ? (size_t)(newline - text.p) : text.n;
        add_piece(s, (struct slice){text.p, n}, newline != NULL);
        text = slice_from(text, n + 1);
    }
}

static void stream_close(struct stream *s)
{
    if (s->watch.fd < 0)
        return;
    watch_stop(s->process->loop, &s->watch);
    close(s->watch.fd);
    s->watch.fd = -1;
    if (s->line.n > 0)
        deliver(s, buf_slice(&s->line));
    buf_free(&s->line);
}

static void stream_read(struct stream *s, size_t most)
{
    char text[READ_BYTES];
    while (most > 0 && s->watch.fd >= 0) {
        ssize_t n = read(s->watch.fd, text, most < sizeof text ? most : sizeof text);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            stream_close(s);
            return;
        }
        add_text(s, (struct slice){text, (size_t)n});
        most -= (size_t)n;
    }
}

static void release(struct process *p)
{
    if (--p->calling == 0 && p->freed)
        free(p);
}

static void on_output(struct watch *w, uint32_t events)
{
    (void)events;
    struct stream *s = container_of(w, struct stream, watch);
    struct process *p = s->process;
    p->calling++;
    stream_read(s, READ_BYTES);
    release(p);
}

void process_read_output(struct process *p)
{
    p->calling++;
    for (size_t i = 0; i < ARRAY_LEN(p->streams); i++) {
        struct stream *s = &p->streams[i];
        stream_read(s, LAST_READ_BYTES);
        if (s->line.n > 0)
            deliver(s, buf_slice(&s->line));
        buf_clear(&s->line);
    }
    release(p);
}

/* ---- the end */

/* The group is killed while its leader is a zombie: until it is reaped its number stays taken. */
static int reap(struct process *p)
{
    int status = 0;
    kill(-p->pid, SIGKILL);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR) {
    }
    p->ended = true;
    process_guard_leave(p->pid);
    watch_stop(p->loop, &p->pidfd);
    close(p->pidfd.fd);
    return status;
}

static void on_end(struct watch *w, uint32_t events)
{
    (void)events;
    struct process *p = container_of(w, struct process, pidfd);
    p->calling++;
    int status = reap(p);
    for (size_t i = 0; i < ARRAY_LEN(p->streams); i++) {
        stream_read(&p->streams[i], LAST_READ_BYTES);
        stream_close(&p->streams[i]);
    }
    if (p->on_exit != NULL && !p->freed)
        p->on_exit(p->ctx, status);
    release(p);
}

void process_kill(struct process *p, int signo)
{
    if (!p->ended)
        kill(-p->pid, signo);
}

void process_free(struct process *p)
{
    if (p == NULL || p->freed)
        return;
    p->freed = true; /* no callback from here on */
    p->calling++;
    if (!p->ended)
        reap(p);
    for (size_t i = 0; i < ARRAY_LEN(p->streams); i++)
        stream_close(&p->streams[i]);
    release(p);
}

/* ---- the beginning */

bool process_setup(struct error *err)
{
    /* descriptors 0 to 2 must be taken, or a pipe of ours would be mistaken for a standard stream
     */
    int fd;
    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= 2) {
    }
    if (fd < 0)
        return error_sys(err, "/dev/null");
    close(fd);
    process_exec_setup();
    return process_guard_start(err);
}

const char *process_mark(void)
{
    return process_guard_mark();
}

void process_teardown(void)
{
    process_guard_stop();
}

static bool stream_open(struct process *p, int number, int fd)
{
    struct stream *s = &p->streams[number - 1];
    s->process = p;
    s->number = number;
    s->watch = (struct watch){.fd = fd, .events = WATCH_READ, .ready = on_output};
    buf_init(&s->line, PROCESS_LINE_MAX);
    return watch_start(p->loop, &s->watch);
}

struct process *process_spawn(struct loop *loop, const struct process_spec *spec, struct error *err)
{
    int out[2];
    pid_t pid = process_exec(spec, out, err);
    if (pid < 0)
        return NULL;
    struct process *p = mem_alloc(sizeof *p);
    p->loop = loop;
    p->on_line = spec->on_line;
    p->on_exit = spec->on_exit;
    p->ctx = spec->ctx;
    p->pid = pid;
    p->pidfd = (struct watch){.fd = pidfd_open(pid, 0), .events = WATCH_READ, .ready = on_end};
    bool watched = stream_open(p, 1, out[0]);
    watched = stream_open(p, 2, out[1]) && watched;
    if (watched && p->pidfd.fd >= 0 && watch_start(loop, &p->pidfd))
        return p;
    error_sys(err, "cannot watch %s", spec->argv[0]);
    process_free(p);
    return NULL;
}

int process_pid(const struct process *p)
{
    return p->pid;
}

int64_t process_peak_mb(const struct process *p)
{
    char path[64], line[256];
    long long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", p->pid);
    FILE *f = p->ended ? NULL : fopen(path, "re");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "VmHWM: %lld kB", &kb) == 1)
            break;
    }
    fclose(f);
    return (kb + 1023) / 1024;
}
