/* runtime_sandbox.c - one process: its start, its readiness, its end. */
#include "sinks/runtime.h"

#include "base/mem.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

static struct loop *loop_of(const struct runtime_sandbox *sb)
{
    return sb->runtime->sink.env->loop;
}

/* Provisioned processes are started again later and later, until one does well; several that fail
 * together count once. */
static void back_off(struct runtime *r)
{
    if (timer_armed(&r->refill))
        return;
    r->backoff_ms = r->backoff_ms == 0 ? r->backoff_min_ms : 2 * r->backoff_ms;
    if (r->backoff_ms > r->backoff_max_ms)
        r->backoff_ms = r->backoff_max_ms;
    timer_start(r->sink.env->loop, &r->refill, r->backoff_ms);
}

/* No event goes there any more; counted out once. */
static void leave_service(struct runtime_sandbox *sb)
{
    if (sb->state == RUNTIME_ENDING)
        return;
    if (sb->state == RUNTIME_STARTING)
        sb->runtime->starting--;
    sb->runtime->alive--;
    sb->state = RUNTIME_ENDING;
    runtime_pool_returning(sb, false);
    list_remove(&sb->idle);
}

static void end_listener(struct runtime_sandbox *sb)
{
    while (!list_empty(&sb->polls)) {
        struct http_request *poll = container_of(sb->polls.next, struct http_request, node);
        list_remove(&poll->node);
        http_abort(poll);
    }
    http_listener_close(sb->listener);
}

void runtime_sandbox_free(struct runtime_sandbox *sb)
{
    leave_service(sb);
    timer_stop(loop_of(sb), &sb->limit);
    list_remove(&sb->node);
    process_free(sb->process);
    runtime_report_dropped(sb);
    end_listener(sb);
    free(sb);
}

static void log_end(const struct runtime *r, const char *when, int status)
{
    if (WIFSIGNALED(status))
        log_warn(&r->sink.log, "runtime ended %s: signal %d", when, WTERMSIG(status));
    else
        log_warn(&r->sink.log, "runtime ended %s: exit status %d", when, WEXITSTATUS(status));
}

/* It ended before it asked for an event: the oldest waiting delivery pays for it. */
static void init_failed(struct runtime *r, int status)
{
    struct runtime_call *call = runtime_pool_take(r);
    if (call != NULL)
        runtime_call_exited(call, status);
    else
        log_end(r, "during init", status);
}

/* Everything it had sent has been read by now. */
static void conclude(struct runtime_sandbox *sb)
{
    struct runtime *r = sb->runtime;
    bool starting = sb->state == RUNTIME_STARTING;
    if (!sb->expected) {
        back_off(r);
        if (!starting && list_empty(&sb->calls))
            log_end(r, "while it was idle", sb->status);
    }
    leave_service(sb);
    while (!list_empty(&sb->calls))
        runtime_call_exited(container_of(sb->calls.next, struct runtime_call, node), sb->status);
    if (starting)
        init_failed(r, sb->status);
    runtime_sandbox_free(sb);
    runtime_pool_work(r);
}

/* An answer that it sent just before its end may still be in the socket: it counts. */
static void on_exit_of(void *ctx, int status)
{
    struct runtime_sandbox *sb = ctx;
    sb->ended = true;
    sb->status = status;
    list_remove(&sb->idle);
    timer_start(loop_of(sb), &sb->limit, 1);
}

/* Killed at its init limit: AWS tries once more, with the function's timeout as the limit. */
static void init_timed_out(struct runtime_sandbox *sb)
{
    struct runtime *r = sb->runtime;
    sb->expected = true;
    runtime_sandbox_end(sb, SIGKILL);
    if (sb->start != RUNTIME_SECOND_TRY) {
        log_warn(&r->sink.log, "runtime did not ask for an event within %lld ms, trying once more",
                 (long long)r->init_ms);
        if (r->queued == 0 && sb->start != RUNTIME_PROVISIONED)
            return;
        runtime_sandbox_start(r, RUNTIME_SECOND_TRY);
        return;
    }
    back_off(r);
    struct runtime_call *call = runtime_pool_take(r);
    if (call != NULL) {
        struct delivery *d = call->delivery;
        int64_t limit = r->sink.function->timeout_s;
        delivery_fail(d, OUTCOME_TIMEOUT, "Sandbox.Timedout",
                      "RequestId: %s Error: Task timed out after %lld.00 seconds", d->request_id,
                      (long long)limit);
        runtime_call_done(call, "timeout");
    }
    runtime_pool_work(r);
}

static void on_limit(struct timer *t)
{
    struct runtime_sandbox *sb = container_of(t, struct runtime_sandbox, limit);
    if (sb->ended)
        conclude(sb);
    else if (sb->state == RUNTIME_STARTING)
        init_timed_out(sb);
    else
        process_kill(sb->process, SIGKILL);
}

void runtime_sandbox_end(struct runtime_sandbox *sb, int signo)
{
    leave_service(sb);
    if (sb->ended)
        return;
    process_kill(sb->process, signo);
    if (signo != SIGKILL)
        timer_start(loop_of(sb), &sb->limit, sb->runtime->stop_ms);
    else
        timer_stop(loop_of(sb), &sb->limit);
}

/* Nothing of the function ran. What may be better soon is not the function's fault. */
static void start_failed(struct runtime *r, enum runtime_start start, const struct error *err)
{
    log_error(&r->sink.log, "cannot start the runtime: %s", err->text);
    struct runtime_call *call = start == RUNTIME_PROVISIONED ? NULL : runtime_pool_take(r);
    if (call == NULL) {
        back_off(r);
        return;
    }
    struct delivery *d = call->delivery;
    bool passing = err->sys == EAGAIN || err->sys == ENOMEM || err->sys == EMFILE ||
                   err->sys == ENFILE || err->sys == EADDRINUSE;
    if (passing)
        delivery_fail(d, OUTCOME_UNREACHABLE, "ServiceException", "%s", err->text);
    else
        delivery_fail(d, OUTCOME_FAILED, "Runtime.InvalidEntrypoint", "RequestId: %s Error: %s",
                      d->request_id, err->text);
    runtime_call_done(call, NULL);
}

static bool spawn(struct runtime_sandbox *sb, struct error *err)
{
    struct runtime *r = sb->runtime;
    struct arena arena;
    arena_init(&arena);
    const struct process_spec spec = {
        .argv = runtime_argv(r, &arena),
        .envp = runtime_env(r, sb->start, http_listener_port(sb->listener), &arena),
        .cwd = r->root,
        .stdin_text = runtime_bootstrap(r->kind),
        .on_line = runtime_report_line,
        .on_exit = on_exit_of,
        .ctx = sb,
    };
    sb->spawned_us = loop_clock_us(loop_of(sb));
    sb->process = process_spawn(loop_of(sb), &spec, err);
    arena_free(&arena);
    return sb->process != NULL;
}

struct runtime_sandbox *runtime_sandbox_start(struct runtime *r, enum runtime_start start)
{
    struct error err = {.code = ERROR_NONE};
    struct runtime_sandbox *sb = mem_alloc(sizeof *sb);
    sb->runtime = r;
    sb->start = start;
    list_init(&sb->idle);
    list_init(&sb->polls);
    list_init(&sb->calls);
    sb->limit.fire = on_limit;
    sb->listener =
        http_listen(r->sink.env->server, "127.0.0.1", 0, RESPONSE_MAX_BYTES, runtime_api, sb, &err);
    if (sb->listener == NULL || !spawn(sb, &err)) {
        if (sb->listener != NULL)
            http_listener_close(sb->listener);
        free(sb);
        start_failed(r, start, &err);
        return NULL;
    }
    list_append(&r->sandboxes, &sb->node);
    r->starting++;
    r->alive++;
    bool second = start == RUNTIME_SECOND_TRY;
    timer_start(loop_of(sb), &sb->limit, second ? r->sink.function->timeout_s * 1000 : r->init_ms);
    return sb;
}

void runtime_sandbox_ready(struct runtime_sandbox *sb)
{
    if (sb->state != RUNTIME_STARTING || sb->ended)
        return;
    sb->state = RUNTIME_READY;
    sb->runtime->starting--;
    timer_stop(loop_of(sb), &sb->limit);
    runtime_pool_ready(sb->runtime);
    sb->init_us = loop_clock_us(loop_of(sb)) - sb->spawned_us;
}

void runtime_sandbox_init_error(struct runtime_sandbox *sb, struct http_request *req)
{
    struct runtime *r = sb->runtime;
    struct runtime_call *call = runtime_pool_take(r);
    back_off(r);
    sb->expected = true;
    leave_service(sb);
    if (!sb->ended)
        timer_start(loop_of(sb), &sb->limit, r->stop_ms); /* it should go by itself now */
    if (call == NULL) {
        log_warn(&r->sink.log, "runtime reported an error during init: " SLICE_FMT,
                 (int)(req->body.n < 500 ? req->body.n : 500), req->body.p);
        return;
    }
    runtime_call_error(call, req);
    runtime_call_done(call, NULL);
}
