/* runtime_pool.c - which process gets the next event, and how many processes there are. */
#include "sinks/runtime.h"

#include <signal.h>

static size_t provisioned(const struct runtime *r)
{
    int64_t n = r->sink.function->provisioned;
    return n > 0 ? (size_t)n : 0;
}

struct runtime_call *runtime_pool_take(struct runtime *r)
{
    if (list_empty(&r->queue))
        return NULL;
    struct runtime_call *call = container_of(r->queue.next, struct runtime_call, node);
    list_remove(&call->node);
    r->queued--;
    return call;
}

void runtime_pool_work(struct runtime *r)
{
    loop_defer(r->sink.env->loop, &r->work);
}

void runtime_pool_returning(struct runtime_sandbox *sb, bool returning)
{
    if (sb->returning == returning)
        return;
    sb->returning = returning;
    sb->runtime->returning += returning ? 1 : (size_t)-1;
}

/* How many processes must start for those who wait: a process that has just answered will ask
 * again before a new one could. */
static size_t missing(struct runtime *r)
{
    size_t coming = r->returning < r->queued ? r->returning : r->queued;
    size_t want = r->queued - coming;
    if (coming > 0 && !timer_armed(&r->late))
        timer_start(r->sink.env->loop, &r->late, RUNTIME_RETURN_MS);
    return want < RUNTIME_STARTS_MAX ? want : RUNTIME_STARTS_MAX;
}

static void start_missing(struct task *t)
{
    struct runtime *r = container_of(t, struct runtime, work);
    size_t tries = 0;
    for (size_t want = missing(r); r->starting < want && tries < RUNTIME_STARTS_PER_TURN;) {
        tries++;
        if (runtime_sandbox_start(r, RUNTIME_ON_DEMAND) == NULL)
            break; /* that cost one waiting delivery */
    }
    while (r->alive < provisioned(r) && r->starting < RUNTIME_STARTS_MAX &&
           !timer_armed(&r->refill) && tries < RUNTIME_STARTS_PER_TURN) {
        tries++;
        runtime_sandbox_start(r, RUNTIME_PROVISIONED);
    }
    if (tries > 0)
        timer_start(r->sink.env->loop, &r->late, 0); /* the rest, after the others had their turn */
}

/* Who has not come back by now is not waited for. */
static void stop_waiting(struct timer *t)
{
    struct runtime *r = container_of(t, struct runtime, late);
    int64_t due = loop_now(r->sink.env->loop) - RUNTIME_RETURN_MS;
    list_each(&r->sandboxes, it)
    {
        struct runtime_sandbox *sb = container_of(it, struct runtime_sandbox, node);
        if (sb->used_ms <= due)
            runtime_pool_returning(sb, false);
    }
    runtime_pool_work(r);
}

static void refill(struct timer *t)
{
    runtime_pool_work(container_of(t, struct runtime, refill));
}

static bool rests(const struct runtime_sandbox *sb)
{
    return sb->state == RUNTIME_READY && list_empty(&sb->calls);
}

/* Milliseconds until it may be stopped, -1: it stays. A process that rests without asking for
 * events is stuck and goes even when it is provisioned. */
static int64_t time_left(const struct runtime *r, const struct runtime_sandbox *sb)
{
    if (!rests(sb) || (sb->n_polls > 0 && r->alive <= provisioned(r)))
        return -1;
    int64_t left = sb->used_ms + r->idle_ms - loop_now(r->sink.env->loop);
    return left > 0 ? left : 0;
}

/* Stops what was not used for idle_ms, down to the provisioned ones. */
static void reap(struct timer *t)
{
    struct runtime *r = container_of(t, struct runtime, reap);
    int64_t next = r->idle_ms;
    list_each(&r->sandboxes, it)
    {
        struct runtime_sandbox *sb = container_of(it, struct runtime_sandbox, node);
        int64_t left = time_left(r, sb);
        if (left == 0) {
            sb->expected = true;
            runtime_sandbox_end(sb, SIGTERM);
        } else if (left > 0 && left < next) {
            next = left;
        }
    }
    runtime_pool_work(r);
    if (r->alive > 0)
        timer_start(r->sink.env->loop, &r->reap, next);
}

void runtime_pool_ready(struct runtime *r)
{
    if (!timer_armed(&r->reap))
        timer_start(r->sink.env->loop, &r->reap, r->idle_ms);
}

void runtime_pool_open(struct runtime *r)
{
    list_init(&r->queue);
    list_init(&r->sandboxes);
    list_init(&r->idle);
    task_init(&r->work, start_missing);
    r->reap.fire = reap;
    r->refill.fire = refill;
    r->late.fire = stop_waiting;
    if (provisioned(r) > 0)
        runtime_pool_work(r);
}

void runtime_pool_close(struct runtime *r)
{
    struct loop *loop = r->sink.env->loop;
    task_cancel(&r->work);
    timer_stop(loop, &r->reap);
    timer_stop(loop, &r->refill);
    timer_stop(loop, &r->late);
    list_each(&r->sandboxes, it)
        process_kill(container_of(it, struct runtime_sandbox, node)->process, SIGTERM);
    while (!list_empty(&r->sandboxes))
        runtime_sandbox_free(container_of(r->sandboxes.next, struct runtime_sandbox, node));
}

static struct http_request *take_poll(struct runtime_sandbox *sb)
{
    struct http_request *poll = container_of(sb->polls.next, struct http_request, node);
    list_remove(&poll->node);
    if (--sb->n_polls == 0)
        list_remove(&sb->idle);
    return poll;
}

void runtime_pool_send(struct runtime *r, struct runtime_call *call)
{
    if (list_empty(&r->idle)) {
        list_append(&r->queue, &call->node);
        r->queued++;
        runtime_pool_work(r);
        return;
    }
    struct runtime_sandbox *sb = container_of(r->idle.next, struct runtime_sandbox, idle);
    runtime_call_begin(call, sb, take_poll(sb));
}

void runtime_pool_poll(struct runtime_sandbox *sb, struct http_request *poll)
{
    struct runtime *r = sb->runtime;
    runtime_pool_returning(sb, false);
    bool gone = sb->state == RUNTIME_ENDING || sb->ended;
    struct runtime_call *call = gone ? NULL : runtime_pool_take(r);
    if (call != NULL) {
        runtime_call_begin(call, sb, poll);
        return;
    }
    /* The newest goes first: of a client that gave up and asked again it is the living one. */
    list_prepend(&sb->polls, &poll->node);
    sb->n_polls++;
    sb->used_ms = loop_now(r->sink.env->loop);
    if (gone)
        return;
    list_remove(&sb->idle);
    list_prepend(&r->idle, &sb->idle);
}
