/* sqs_turn.c - who may change a queue now. */
#include "api/sqs_turn.h"

#include "api/sqs_ops.h"
#include "base/mem.h"
#include <stdlib.h>

struct sqs_turn {
    struct list node; /* in api->turns, in the order they came: the first of a name has its turn */
    struct sqs_call *call;
    struct slice name; /* in the call's arena */
    bool waits;
};

static bool is_first(const struct sqs_api *api, const struct sqs_turn *t)
{
    list_each(&api->turns, it)
    {
        const struct sqs_turn *other = container_of(it, struct sqs_turn, node);
        if (slice_eq(other->name, t->name))
            return other == t;
    }
    return false;
}

bool sqs_turn_take(struct sqs_call *c, struct slice name)
{
    if (c->turn != NULL)
        return true;
    struct sqs_turn *t = mem_alloc(sizeof *t);
    t->call = c;
    t->name = (struct slice){arena_dup(&c->arena, name), name.n};
    list_append(&c->api->turns, &t->node);
    c->turn = t;
    t->waits = !is_first(c->api, t);
    return !t->waits;
}

void sqs_turn_end(struct sqs_call *c)
{
    if (c->turn == NULL)
        return;
    list_remove(&c->turn->node);
    free(c->turn);
    c->turn = NULL;
    if (!list_empty(&c->api->turns))
        loop_defer(c->api->env->loop, &c->api->wake);
}

static struct sqs_turn *next_ready(struct sqs_api *api)
{
    list_each(&api->turns, it)
    {
        struct sqs_turn *t = container_of(it, struct sqs_turn, node);
        if (t->waits && is_first(api, t))
            return t;
    }
    return NULL;
}

void sqs_turn_wake(struct task *task)
{
    struct sqs_api *api = container_of(task, struct sqs_api, wake);
    for (struct sqs_turn *t = next_ready(api); t != NULL; t = next_ready(api)) {
        t->waits = false;
        sqs_ops_run(t->call);
    }
}

void sqs_turn_abandon(struct sqs_api *api)
{
    list_each(&api->turns, it)
    {
        struct sqs_turn *t = container_of(it, struct sqs_turn, node);
        if (t->waits)
            sqs_call_fail(t->call, SQS_ERROR_UNAVAILABLE, "The service is shutting down.");
    }
}
