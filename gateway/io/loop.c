/* loop.c - the real loop: libuv watches descriptors and signals, the core holds timers and tasks.
 */
#include "base/log.h"
#include "base/mem.h"
#include "io/loop_core.h"
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

enum {
    SLOW_TURN_US = 50 * 1000,
    SLOW_LOG_EVERY_MS = 1000,
    TASKS_PER_TURN = 256,           /* then descriptors get their turn, so that none starves */
    LONGEST_SLEEP_MS = 3600 * 1000, /* always armed: libuv does not wait when nothing is */
};

struct real_loop {
    struct loop core; /* first: struct loop * points here */
    uv_loop_t uv;
    uv_timer_t alarm;
    int64_t woken_us; /* when the present turn began */
    int64_t cpu_us;   /* the thread's processor time then */
    bool awake;       /* woken_us is of the present turn */
    int64_t next_slow_log_ms;
};

/* libuv frees a handle only after its close callback: it lives on its own, apart from the watch. */
struct poll {
    uv_poll_t uv;
    struct real_loop *loop;
    struct watch *watch; /* NULL: stopped */
    int fd;
    uint32_t events; /* what libuv is watching for now */
};

struct signal_handler {
    uv_signal_t uv;
    void (*on_signal)(int signo, void *ctx);
    void *ctx;
};

static struct real_loop *real(struct loop *l)
{
    assert(l->destroy != NULL);
    return (struct real_loop *)(void *)l;
}

static int64_t cpu_now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The first callback after the sleep sets the clock for the turn. */
static void wake(struct real_loop *r)
{
    if (r->awake)
        return;
    r->awake = true;
    r->woken_us = loop_core_read_clock(&r->core);
    r->cpu_us = cpu_now_us();
}

static void on_alarm(uv_timer_t *t)
{
    (void)t; /* waking is all it is for */
}

static void free_handle(uv_handle_t *h)
{
    free(h->data);
}

static void close_handle(uv_handle_t *h, void *ctx)
{
    (void)ctx;
    if (!uv_is_closing(h))
        uv_close(h, h->data != NULL ? free_handle : NULL);
}

static void real_loop_destroy(struct loop *l)
{
    struct real_loop *r = real(l);
    uv_walk(&r->uv, close_handle, NULL);
    uv_run(&r->uv, UV_RUN_DEFAULT);
    int open = uv_loop_close(&r->uv);
    assert(open == 0);
    (void)open;
    loop_core_fini(&r->core);
    free(r);
}

struct loop *loop_new(struct error *err)
{
    struct real_loop *r = mem_alloc(sizeof *r);
    loop_core_init(&r->core);
    r->core.destroy = real_loop_destroy;
    int rc = uv_loop_init(&r->uv);
    if (rc != 0) {
        error_set(err, ERROR_SYSTEM, "event loop: %s", uv_strerror(rc));
        free(r);
        return NULL;
    }
    r->uv.data = r;
    uv_timer_init(&r->uv, &r->alarm);
    /* A peer that hangs up while we write must be an error of that write, not the end of us. */
    signal(SIGPIPE, SIG_IGN);
    loop_core_read_clock(&r->core);
    return &r->core;
}

/* ---- turns */

/* Little processor time in a slow turn means that we waited: for a disk, or for a processor. */
static void report_slow(struct real_loop *r, int64_t now_us, int64_t fds_us, int64_t timers_us)
{
    int64_t turn_us = now_us - r->woken_us;
    if (turn_us < SLOW_TURN_US || r->core.now_ms < r->next_slow_log_ms)
        return;
    r->next_slow_log_ms = r->core.now_ms + SLOW_LOG_EVERY_MS;
    log_warn(NULL,
             "slow turn of the event loop: %lld ms, %lld of them computing (descriptors %lld, "
             "timers %lld, tasks %lld)",
             (long long)turn_us / 1000, (long long)(cpu_now_us() - r->cpu_us) / 1000,
             (long long)fds_us / 1000, (long long)timers_us / 1000,
             (long long)(turn_us - fds_us - timers_us) / 1000);
}

/* Everything between two sleeps that is not a descriptor's callback. */
static void work(struct real_loop *r)
{
    wake(r);
    int64_t begin_us = loop_core_read_clock(&r->core);
    loop_core_run_tasks(&r->core, TASKS_PER_TURN);
    int64_t timers_us = 0;
    if (loop_core_next_due(&r->core) <= r->core.now_ms) {
        int64_t before_us = loop_clock_us(&r->core);
        loop_core_fire_due(&r->core);
        timers_us = loop_clock_us(&r->core) - before_us;
        loop_core_run_tasks(&r->core, TASKS_PER_TURN);
    }
    report_slow(r, loop_clock_us(&r->core), begin_us - r->woken_us, timers_us);
    r->awake = false;
}

static void sleep_until_something(struct real_loop *r)
{
    if (!list_empty(&r->core.tasks)) {
        uv_run(&r->uv, UV_RUN_NOWAIT);
        return;
    }
    log_flush();
    uv_update_time(&r->uv);
    int64_t now_ms = loop_clock_us(&r->core) / 1000; /* now_ms of the core is before the work */
    int64_t wait_ms = loop_core_next_due(&r->core) - now_ms;
    wait_ms = wait_ms < 0 ? 0 : wait_ms > LONGEST_SLEEP_MS ? LONGEST_SLEEP_MS : wait_ms;
    /* uv_run fires what is due before it polls and then would sleep without end: the repeat of
     * one millisecond bounds that sleep when the alarm goes off in between. */
    uv_timer_start(&r->alarm, on_alarm, (uint64_t)wait_ms, 1);
    uv_run(&r->uv, wait_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
}

void loop_run(struct loop *l)
{
    struct real_loop *r = real(l);
    l->stopping = false;
    work(r);
    while (!l->stopping) {
        sleep_until_something(r);
        work(r);
    }
    log_flush();
}

/* ---- signals */

static void on_uv_signal(uv_signal_t *uv, int signo)
{
    struct signal_handler *s = uv->data;
    wake(uv->loop->data);
    s->on_signal(signo, s->ctx);
}

bool loop_signal(struct loop *l, int signo, void (*on_signal)(int signo, void *ctx), void *ctx,
                 struct error *err)
{
    struct real_loop *r = real(l);
    struct signal_handler *s = mem_alloc(sizeof *s);
    s->on_signal = on_signal;
    s->ctx = ctx;
    int rc = uv_signal_init(&r->uv, &s->uv);
    if (rc != 0) {
        free(s);
        return error_set(err, ERROR_SYSTEM, "signal %d: %s", signo, uv_strerror(rc));
    }
    s->uv.data = s;
    rc = uv_signal_start(&s->uv, on_uv_signal, signo);
    if (rc != 0) {
        uv_close((uv_handle_t *)&s->uv, free_handle);
        return error_set(err, ERROR_SYSTEM, "signal %d: %s", signo, uv_strerror(rc));
    }
    return true;
}

/* ---- descriptors */

static void on_poll(uv_poll_t *uv, int status, int events);

static bool poll_apply(struct poll *p, uint32_t events)
{
    int wanted = ((events & WATCH_READ) != 0 ? UV_READABLE : 0) |
                 ((events & WATCH_WRITE) != 0 ? UV_WRITABLE : 0);
    if (uv_poll_start(&p->uv, wanted, on_poll) != 0)
        return false;
    p->events = events;
    return true;
}

static void on_poll(uv_poll_t *uv, int status, int events)
{
    struct poll *p = uv->data;
    wake(p->loop);
    uint32_t ready = ((events & UV_READABLE) != 0 ? (uint32_t)WATCH_READ : 0U) |
                     ((events & UV_WRITABLE) != 0 ? (uint32_t)WATCH_WRITE : 0U);
    if (status < 0) {
        ready = WATCH_READ | WATCH_WRITE;
        p->events = 0; /* libuv stops a handle when its descriptor reports an error */
    }
    p->watch->ready(p->watch, ready);
    if (status < 0 && p->watch != NULL && p->events == 0)
        (void)poll_apply(p, p->watch->events);
}

bool watch_start(struct loop *l, struct watch *w)
{
    struct real_loop *r = real(l);
    struct poll *p = w->impl;
    if (p != NULL && p->fd != w->fd) {
        watch_stop(l, w);
        p = NULL;
    }
    if (p != NULL)
        return p->events == w->events || poll_apply(p, w->events);
    p = mem_alloc(sizeof *p);
    if (uv_poll_init(&r->uv, &p->uv, w->fd) != 0) {
        free(p);
        return false;
    }
    p->uv.data = p;
    p->loop = r;
    p->watch = w;
    p->fd = w->fd;
    w->impl = p;
    if (poll_apply(p, w->events))
        return true;
    watch_stop(l, w);
    return false;
}

void watch_stop(struct loop *l, struct watch *w)
{
    (void)l;
    struct poll *p = w->impl;
    if (p == NULL)
        return;
    w->impl = NULL;
    p->watch = NULL;
    uv_close((uv_handle_t *)&p->uv, free_handle);
}
