/* runtime_fixture.h - a runtime sink on a real loop, with real processes, for the tests of it. */
#ifndef RUNTIME_FIXTURE_H
#define RUNTIME_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/rand.h"
#include "sinks/runtime.h"
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct sink_ops runtime_sink;

enum { PATIENCE_MS = 20000, VARIABLES_MAX = 8 };

struct fixture {
    struct env env;
    struct function_settings settings;
    struct runtime runtime;
    bool open;
    char dir[64];
    const char *command[3];
    const char *names[VARIABLES_MAX], *values[VARIABLES_MAX];
    unsigned waiting; /* trips out; the loop stops at 0 */
    struct timer patience;
    bool out_of_patience;
    struct timer poll;
    bool (*until)(struct fixture *);
    void *until_ctx;
};

struct trip {
    struct delivery d;
    struct fixture *f;
    bool done;
};

static void fixture_tired(struct timer *t)
{
    struct fixture *f = container_of(t, struct fixture, patience);
    f->out_of_patience = true;
    loop_stop(f->env.loop);
}

static void fixture_poll(struct timer *t)
{
    struct fixture *f = container_of(t, struct fixture, poll);
    if (f->until(f))
        loop_stop(f->env.loop);
    else
        timer_start(f->env.loop, t, 5);
}

static void fixture_run(struct fixture *f)
{
    timer_start(f->env.loop, &f->patience, PATIENCE_MS);
    loop_run(f->env.loop);
    timer_stop(f->env.loop, &f->patience);
    assert_false(f->out_of_patience);
}

/* Runs the loop until cond holds; looks every few milliseconds. */
static inline void fixture_until(struct fixture *f, bool (*cond)(struct fixture *), void *ctx)
{
    f->until = cond;
    f->until_ctx = ctx;
    timer_start(f->env.loop, &f->poll, 0);
    fixture_run(f);
}

static inline void fixture_variable(struct fixture *f, const char *name, const char *value)
{
    size_t n = f->settings.environment.n++;
    assert_true(n < VARIABLES_MAX);
    f->names[n] = name;
    f->values[n] = value;
}

static inline void fixture_write(const struct fixture *f, const char *name, const char *text,
                                 mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static inline struct fixture *fixture_new(void)
{
    struct error err = {0};
    struct fixture *f = mem_alloc(sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/penstock-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->env.region = "eu-west-1";
    f->env.loop = loop_new(&err);
    assert_non_null(f->env.loop);
    f->env.server = http_server_new(f->env.loop, &err);
    assert_non_null(f->env.server);
    f->settings = (struct function_settings){
        .name = "fn",
        .arn = "arn:aws:lambda:eu-west-1:000000000000:function:fn",
        .timeout_s = 3,
        .memory_mb = 128,
        .reserved = -1,
        .environment = {f->names, f->values, 0},
    };
    f->runtime.sink = (struct sink){
        .ops = &runtime_sink, .env = &f->env, .function = &f->settings, .log = {"function", "fn"}};
    f->runtime.code_uri = f->dir;
    f->patience.fire = fixture_tired;
    f->poll.fire = fixture_poll;
    return f;
}

/* The scripted client of runtime_client.h, in this mode. */
static inline struct fixture *fixture_client(const char *mode)
{
    static char self[512];
    struct fixture *f = fixture_new();
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    f->command[0] = self;
    f->command[1] = "client";
    f->runtime.command = (struct option_list){f->command, 2};
    if (mode != NULL)
        fixture_variable(f, "MODE", mode);
    return f;
}

static inline void fixture_open(struct fixture *f)
{
    struct error err = {0};
    if (!runtime_sink.check(&f->runtime.sink, &err) || !runtime_sink.open(&f->runtime.sink, &err))
        fail_msg("%s", err.text);
    f->open = true;
}

static inline void fixture_close(struct fixture *f)
{
    if (f->open)
        runtime_sink.close(&f->runtime.sink);
    f->open = false;
}

static int fixture_unlink(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void fixture_free(struct fixture *f)
{
    fixture_close(f);
    http_server_free(f->env.server);
    loop_free(f->env.loop);
    nftw(f->dir, fixture_unlink, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
}

static void trip_done(struct delivery *d)
{
    struct trip *t = container_of(d, struct trip, d);
    assert_false(t->done);
    t->done = true;
    if (--t->f->waiting == 0)
        loop_stop(t->f->env.loop);
}

static inline void trip_send(struct fixture *f, struct trip *t, const char *event,
                             int64_t timeout_ms)
{
    *t = (struct trip){.f = f};
    t->d.payload = slice_of(event);
    t->d.timeout_ms = timeout_ms;
    t->d.log_tail = true;
    t->d.done = trip_done;
    rand_uuid(t->d.request_id);
    f->waiting++;
    runtime_sink.send(&f->runtime.sink, &t->d);
    assert_false(t->done); /* never from inside send */
}

static inline void trip_go(struct fixture *f, struct trip *t, const char *event)
{
    trip_send(f, t, event, 10000);
    fixture_run(f);
    assert_true(t->done);
}

static inline void trip_clear(struct trip *t)
{
    delivery_clear(&t->d);
}

static inline void assert_body(const struct trip *t, const char *expected)
{
    assert_string_equal(t->d.reply.body.p, expected);
}

static inline void assert_contains(const char *text, const char *part)
{
    if (text == NULL || strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, text != NULL ? text : "(null)");
}

static inline void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("\"%s\" is in \"%s\"", part, text);
}

static inline bool alive(long pid)
{
    return kill((pid_t)pid, 0) == 0;
}

static inline bool until_dead(struct fixture *f)
{
    return !alive(*(const long *)f->until_ctx);
}

static inline int fixture_main(const struct CMUnitTest *tests, size_t n)
{
    struct error err = {0};
    signal(SIGPIPE, SIG_IGN);
    log_setup(LOG_ERROR, LOG_LOGFMT);
    if (!process_setup(&err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int failed = _cmocka_run_group_tests("runtime", tests, n, NULL, NULL);
    process_teardown();
    return failed;
}

#endif
