/* queue.c - the service of all queues: opening and closing it, finding queues, their life. */
#include "engine/queue_state.h"

#include "base/mem.h"
#include "engine/queue_index.h"
#include "engine/queue_load.h"
#include "engine/queue_move.h"
#include "engine/queue_receive.h"
#include "engine/queue_settings.h"
#include "engine/queue_sweep.h"
#include "engine/queue_wipe.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int64_t queue_wall(const struct queues *s, int64_t loop_ms)
{
    return loop_ms + loop_wall(s->loop) - loop_now(s->loop);
}

int64_t queue_loop_time(const struct queues *s, int64_t unix_ms)
{
    return unix_ms - loop_wall(s->loop) + loop_now(s->loop);
}

/* ---- the service */

static void service_free(struct queues *s)
{
    while (!list_empty(&s->all)) {
        struct queue *q = container_of(s->all.next, struct queue, node);
        q->live = false;
        q->pending = 1;
        queue_unhold(q);
    }
    map_free(&s->names);
    map_free(&s->creating);
    free(s->sorted);
    queue_pool_free(&s->pool);
    free(s->region);
    free(s->account);
    free(s);
}

struct queues *queues_open(struct loop *loop, struct spool *spool, const char *region,
                           const char *account_id, uint64_t (*random)(void), struct error *err)
{
    struct queues *s = mem_alloc(sizeof *s);
    s->loop = loop;
    s->spool = spool;
    s->region = mem_strdup(region);
    s->account = mem_strdup(account_id);
    s->random = random;
    s->next_owner = 1;
    queue_pool_init(&s->pool);
    map_init(&s->names);
    map_init(&s->creating);
    list_init(&s->all);
    list_init(&s->later);
    list_init(&s->wipes);
    if (queue_load(s, err))
        return s;
    s->closing = true;
    service_free(s);
    return NULL;
}

void queues_close(struct queues *s)
{
    if (s == NULL)
        return;
    s->closing = true;
    list_each(&s->all, it)
    {
        struct queue *q = container_of(it, struct queue, node);
        queue_receive_end(q, QUEUE_OK);
        queue_sweep_stop(q);
        queue_move_stop(q);
    }
    queue_wipe_stop(s);
    while (!list_empty(&s->later)) {
        struct queue_later *l = container_of(s->later.next, struct queue_later, node);
        queue_later_cancel(l);
        l->run(l);
    }
    if (s->pending == 0)
        service_free(s);
}

void queue_submit(struct queues *s, struct queue *q, struct spool_op *op)
{
    s->pending++;
    if (q != NULL)
        queue_hold(q);
    spool_submit(s->spool, op);
}

void queue_settled(struct queues *s, struct queue *q)
{
    if (q != NULL)
        queue_unhold(q);
    s->pending--;
    if (s->closing && s->pending == 0)
        service_free(s);
}

enum queue_status queue_status_of(const struct spool_op *op)
{
    return op->ok ? QUEUE_OK : op->full ? QUEUE_FULL : QUEUE_BROKEN;
}

/* ---- answers from the loop */

static void later_run(struct task *t)
{
    struct queue_later *l = container_of(t, struct queue_later, task);
    list_remove(&l->node);
    l->run(l);
}

void queue_later(struct queues *s, struct queue_later *l, void (*run)(struct queue_later *))
{
    l->service = s;
    l->run = run;
    list_append(&s->later, &l->node);
    task_init(&l->task, later_run);
    loop_defer(s->loop, &l->task);
}

void queue_later_cancel(struct queue_later *l)
{
    if (l->service == NULL)
        return;
    task_cancel(&l->task);
    list_remove(&l->node);
}

/* ---- one queue */

struct queue *queue_new(struct queues *s, uint32_t owner, struct slice name)
{
    struct queue *q = mem_alloc(sizeof *q);
    q->service = s;
    q->owner = owner;
    q->name = slice_dup(name);
    q->arn = mem_printf("arn:aws:sqs:%s:%s:%s", s->region, s->account, q->name);
    q->next_seq = 1;
    q->purged_ms = INT64_MIN;
    queue_index_init(q);
    queue_receive_init(q);
    queue_sweep_init(q);
    list_init(&q->moves);
    list_append(&s->all, &q->node);
    return q;
}

static void queue_free(struct queue *q)
{
    list_remove(&q->node);
    queue_sweep_stop(q);
    queue_attempt_free(q);
    queue_move_free(q);
    queue_index_free(q);
    queue_dedup_free(&q->dedup);
    queue_settings_free(&q->settings);
    queue_tags_free(&q->tags);
    free(q->name);
    free(q->arn);
    free(q);
}

void queue_hold(struct queue *q)
{
    q->pending++;
}

void queue_unhold(struct queue *q)
{
    assert(q->pending > 0);
    q->pending--;
    if (q->pending == 0 && !q->live)
        queue_free(q);
}

/* The first in the order of names that is not before name. */
static size_t place_of(const struct queues *s, struct slice name)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct slice at = slice_of(s->sorted[middle]->name);
        size_t n = at.n < name.n ? at.n : name.n;
        int order = n > 0 ? memcmp(at.p, name.p, n) : 0;
        if (order < 0 || (order == 0 && at.n < name.n))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void queue_publish(struct queue *q)
{
    struct queues *s = q->service;
    q->live = true;
    (void)map_set(&s->names, slice_of(q->name), q);
    if (s->n == s->cap) {
        s->cap = s->cap > 0 ? s->cap * 2 : 16;
        s->sorted = mem_realloc(s->sorted, s->cap * sizeof(struct queue *));
    }
    size_t at = place_of(s, slice_of(q->name));
    memmove(&s->sorted[at + 1], &s->sorted[at], (s->n - at) * sizeof(struct queue *));
    s->sorted[at] = q;
    s->n++;
}

void queue_hide(struct queue *q)
{
    struct queues *s = q->service;
    if (!q->live)
        return;
    q->live = false;
    (void)map_del(&s->names, slice_of(q->name));
    size_t at = place_of(s, slice_of(q->name));
    memmove(&s->sorted[at], &s->sorted[at + 1], (s->n - at - 1) * sizeof(struct queue *));
    s->n--;
}

struct queue *queues_find(struct queues *s, struct slice name)
{
    return map_get(&s->names, name);
}

struct queue *queues_find_arn(struct queues *s, struct slice arn)
{
    struct slice name = arn;
    for (int i = 0; i < 5; i++)
        (void)slice_cut(&name, ':');
    struct queue *q = queues_find(s, name);
    return q != NULL && slice_is(arn, q->arn) ? q : NULL;
}

struct queue *queues_next(struct queues *s, struct queue *at, struct slice prefix)
{
    size_t i = place_of(s, at != NULL ? slice_of(at->name) : prefix);
    if (at != NULL && i < s->n && s->sorted[i] == at)
        i++;
    if (i >= s->n)
        return NULL;
    struct slice name = slice_of(s->sorted[i]->name);
    bool fits = name.n >= prefix.n && slice_eq((struct slice){name.p, prefix.n}, prefix);
    return fits ? s->sorted[i] : NULL;
}

struct queue *queue_dead_target(const struct queue *q)
{
    if (q->settings.dead_arn == NULL)
        return NULL;
    struct queue *to = queues_find_arn(q->service, slice_of(q->settings.dead_arn));
    return to != NULL && to != q && to->settings.fifo == q->settings.fifo ? to : NULL;
}

const char *queue_name(const struct queue *q)
{
    return q->name;
}

const char *queue_arn(const struct queue *q)
{
    return q->arn;
}

const struct queue_settings *queue_settings(const struct queue *q)
{
    return &q->settings;
}

const struct option_map *queue_tags(const struct queue *q)
{
    return &q->tags;
}
