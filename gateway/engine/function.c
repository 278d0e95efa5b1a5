/* function.c - concurrency slots and metrics of a function; the sink does the talking. */
#include "engine/function.h"

#include "base/mem.h"
#include "base/rand.h"
#include "engine/function_delivery.h"
#include "io/metrics.h"
#include <assert.h>
#include <stdlib.h>

const struct option function_options[] = {
    OPT_STRING(struct function_settings, description, "Description", NULL, 0,
               "What the function is for; shown, not used."),
    OPT_INT(struct function_settings, timeout_s, "Timeout", "3", 1, 900, 0,
            "Seconds after which an invocation is stopped."),
    OPT_INT(struct function_settings, memory_mb, "MemorySize", "128", 128, 10240, 0,
            "Megabytes that the function is told it has (AWS_LAMBDA_FUNCTION_MEMORY_SIZE)."),
    OPT_INT(struct function_settings, reserved, "ReservedConcurrentExecutions", NULL, 0, 1000000,
            OPTION_UNSET,
            "Most invocations at once, set aside for this function; 0 throttles every call."),
    OPT_INT(struct function_settings, provisioned,
            "ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions", "0", 1, 1000000, 0,
            "Processes that are started early and kept ready."),
    OPT_MAP(struct function_settings, environment, "Environment.Variables", 0,
            "Environment variables of the function."),
    OPT_END};

struct function {
    const struct env *env;
    struct account *account;
    const struct function_settings *settings;
    struct sink *sink;
    int64_t in_flight;
    bool retired;
    struct list waiters; /* of a function with a reservation; the others wait at the account */
    struct task wake;
    struct metric *invocations, *errors, *throttles, *duration, *concurrent;
};

static int64_t account_free_slots(const struct account *a)
{
    int64_t n = a->limit - a->reserved - a->in_flight;
    return n > 0 ? n : 0;
}

/* One look for the first in line, who queues again at the end if it wants more. */
static void wake_first(struct list *waiters)
{
    struct slot_waiter *w = container_of(waiters->next, struct slot_waiter, node);
    list_remove(&w->node);
    w->ready(w);
}

static size_t length(const struct list *l)
{
    size_t n = 0;
    for (const struct list *it = l->next; it != l; it = it->next)
        n++;
    return n;
}

static void account_wake(struct task *t)
{
    struct account *a = container_of(t, struct account, wake);
    for (size_t n = length(&a->waiters); n > 0 && account_free_slots(a) > 0; n--)
        if (!list_empty(&a->waiters))
            wake_first(&a->waiters);
}

static void function_wake(struct task *t)
{
    struct function *f = container_of(t, struct function, wake);
    for (size_t n = length(&f->waiters); n > 0 && function_free_slots(f) > 0; n--)
        if (!list_empty(&f->waiters))
            wake_first(&f->waiters);
}

void account_init(struct account *a, struct loop *loop, int64_t limit)
{
    *a = (struct account){.limit = limit, .loop = loop};
    list_init(&a->waiters);
    task_init(&a->wake, account_wake);
}

static void account_freed(struct account *a)
{
    if (!list_empty(&a->waiters))
        loop_defer(a->loop, &a->wake);
}

void account_set_limit(struct account *a, int64_t limit)
{
    a->limit = limit;
    account_freed(a);
}

static struct metric *metric_for(const struct function *f, enum metric_type type, const char *name,
                                 const char *help)
{
    if (f->env->metrics == NULL)
        return NULL;
    struct buf labels;
    buf_init(&labels, 1024);
    metrics_label(&labels, "function", f->settings->name);
    struct metric *m = metrics_get(f->env->metrics, type, name, help, labels.p);
    buf_free(&labels);
    return m;
}

struct function *function_new(const struct env *env, struct account *account,
                              const struct function_settings *settings, struct sink *sink)
{
    struct function *f = mem_alloc(sizeof *f);
    *f = (struct function){.env = env, .account = account, .settings = settings, .sink = sink};
    list_init(&f->waiters);
    task_init(&f->wake, function_wake);
    if (settings->reserved >= 0)
        account->reserved += settings->reserved;
    f->invocations = metric_for(f, METRIC_COUNTER, "penstock_invocations_total",
                                "Invocations that ran, failed ones included.");
    f->errors = metric_for(f, METRIC_COUNTER, "penstock_errors_total", "Invocations that failed.");
    f->throttles = metric_for(f, METRIC_COUNTER, "penstock_throttles_total",
                              "Invocations that were turned away: no slot, 429, not reachable.");
    f->duration = metric_for(f, METRIC_HISTOGRAM, "penstock_duration_seconds",
                             "Time from sending an event to the function's answer.");
    f->concurrent =
        metric_for(f, METRIC_GAUGE, "penstock_concurrent_executions", "Invocations in flight.");
    return f;
}

void function_free(struct function *f)
{
    if (f == NULL)
        return;
    assert(f->in_flight == 0 && list_empty(&f->waiters));
    task_cancel(&f->wake);
    function_retire(f);
    struct metric *all[] = {f->invocations, f->errors, f->throttles, f->duration, f->concurrent};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i] != NULL)
            metrics_put(f->env->metrics, all[i]);
    free(f);
}

const struct function_settings *function_settings(const struct function *f)
{
    return f->settings;
}

struct sink *function_sink(const struct function *f)
{
    return f->sink;
}

int64_t function_in_flight(const struct function *f)
{
    return f->in_flight;
}

static bool reserved(const struct function *f)
{
    return f->settings->reserved >= 0;
}

void function_retire(struct function *f)
{
    if (f->retired)
        return;
    f->retired = true;
    if (reserved(f))
        f->account->reserved -= f->settings->reserved - f->in_flight;
    account_freed(f->account);
}

int64_t function_free_slots(const struct function *f)
{
    if (f->retired)
        return 0;
    if (!reserved(f))
        return account_free_slots(f->account);
    int64_t n = f->settings->reserved - f->in_flight;
    return n > 0 ? n : 0;
}

static void count(struct metric *m)
{
    if (m != NULL)
        metric_inc(m);
}

/* A function and its former self, which is being retired, share one gauge. */
static void count_running(const struct function *f, double by)
{
    if (f->concurrent != NULL)
        metric_add(f->concurrent, by);
}

bool function_take_slot(struct function *f)
{
    if (function_free_slots(f) == 0)
        return false;
    f->in_flight++;
    if (!reserved(f))
        f->account->in_flight++;
    return true;
}

void function_give_slot(struct function *f)
{
    assert(f->in_flight > 0);
    f->in_flight--;
    if (reserved(f) && !f->retired) {
        if (!list_empty(&f->waiters))
            loop_defer(f->env->loop, &f->wake);
        return;
    }
    if (reserved(f))
        f->account->reserved--;
    else
        f->account->in_flight--;
    account_freed(f->account);
}

void function_wait(struct function *f, struct slot_waiter *w)
{
    if (list_empty(&w->node))
        list_append(reserved(f) ? &f->waiters : &f->account->waiters, &w->node);
}

void function_unwait(struct slot_waiter *w)
{
    list_remove(&w->node);
}

void function_count_throttle(struct function *f)
{
    count(f->throttles);
}

void function_send(struct function *f, struct delivery *d)
{
    d->function = f;
    d->sent_us = loop_clock_us(f->env->loop);
    d->timeout_ms = f->settings->timeout_s * 1000;
    if (d->request_id[0] == '\0')
        rand_uuid(d->request_id);
    count_running(f, 1);
    f->sink->ops->send(f->sink, d);
}

void function_cancel(struct function *f, struct delivery *d)
{
    f->sink->ops->cancel(f->sink, d);
    d->function = NULL;
    function_give_slot(f);
    count_running(f, -1);
}

void function_delivery_ended(struct delivery *d)
{
    struct function *f = d->function;
    if (f == NULL)
        return;
    d->function = NULL;
    function_give_slot(f);
    count_running(f, -1);
    enum outcome o = d->reply.outcome;
    if (o == OUTCOME_THROTTLED || o == OUTCOME_UNREACHABLE || o == OUTCOME_REJECTED) {
        count(f->throttles);
        return;
    }
    count(f->invocations);
    if (o != OUTCOME_OK)
        count(f->errors);
    if (f->duration != NULL)
        metric_observe(f->duration, (double)(loop_clock_us(f->env->loop) - d->sent_us) * 1e-6);
}
