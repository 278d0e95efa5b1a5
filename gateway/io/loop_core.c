/* loop_core.c - timer heap, deferred tasks and clock of the loop, and the virtual loop of the
 * simulation; free of libraries so that the simulation links it alone. */
#include "io/loop_core.h"
#include "base/mem.h"
#include <assert.h>
#include <stdlib.h>
#include <time.h>

enum {
    VIRTUAL_START_MS = 1000,
    CLOCK_STEP_MS = 5, /* smaller differences of the wall clock are noise of reading two clocks */
    FIRST_HEAP = 64,
};
static const int64_t VIRTUAL_EPOCH_MS = 1767225600000; /* 2026-01-01 */

static int64_t clock_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void loop_core_init(struct loop *l)
{
    *l = (struct loop){.now_ms = VIRTUAL_START_MS, .wall_offset_ms = VIRTUAL_EPOCH_MS};
    list_init(&l->tasks);
}

void loop_core_fini(struct loop *l)
{
    assert(l->n == 0);
    free(l->heap);
}

int64_t loop_core_read_clock(struct loop *l)
{
    int64_t mono_us = clock_us(CLOCK_MONOTONIC);
    int64_t offset_ms = (clock_us(CLOCK_REALTIME) - mono_us) / 1000;
    int64_t moved = offset_ms - l->wall_offset_ms;
    if (moved > CLOCK_STEP_MS || moved < -CLOCK_STEP_MS)
        l->wall_offset_ms = offset_ms;
    l->now_ms = mono_us / 1000;
    return mono_us;
}

int64_t loop_now(const struct loop *l)
{
    return l->now_ms;
}

int64_t loop_wall(const struct loop *l)
{
    return l->now_ms + l->wall_offset_ms;
}

int64_t loop_clock_us(const struct loop *l)
{
    return l->destroy != NULL ? clock_us(CLOCK_MONOTONIC) : l->now_ms * 1000;
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
}

struct loop *loop_new_virtual(void)
{
    struct loop *l = mem_alloc(sizeof *l);
    loop_core_init(l);
    return l;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    if (l->destroy != NULL) {
        l->destroy(l);
        return;
    }
    loop_core_fini(l);
    free(l);
}

/* ---- deferred tasks */

void task_init(struct task *t, void (*run)(struct task *))
{
    list_init(&t->node);
    t->run = run;
}

static bool task_queued(const struct task *t)
{
    return t->node.next != NULL && !list_empty(&t->node);
}

void loop_defer(struct loop *l, struct task *t)
{
    if (!task_queued(t))
        list_append(&l->tasks, &t->node);
}

void task_cancel(struct task *t)
{
    if (task_queued(t))
        list_remove(&t->node);
}

void loop_core_run_tasks(struct loop *l, size_t max)
{
    for (; max > 0 && !list_empty(&l->tasks); max--) {
        struct task *t = container_of(l->tasks.next, struct task, node);
        list_remove(&t->node);
        t->run(t);
    }
}

/* ---- timers */

static void heap_set(struct loop *l, size_t i, struct timer *t)
{
    l->heap[i] = t;
    t->pos = i + 1;
}

static void heap_up(struct loop *l, size_t i)
{
    struct timer *t = l->heap[i];
    for (; i > 0 && l->heap[(i - 1) / 2]->due_ms > t->due_ms; i = (i - 1) / 2)
        heap_set(l, i, l->heap[(i - 1) / 2]);
    heap_set(l, i, t);
}

static void heap_down(struct loop *l, size_t i)
{
    struct timer *t = l->heap[i];
    for (size_t child; (child = 2 * i + 1) < l->n; i = child) {
        if (child + 1 < l->n && l->heap[child + 1]->due_ms < l->heap[child]->due_ms)
            child++;
        if (l->heap[child]->due_ms >= t->due_ms)
            break;
        heap_set(l, i, l->heap[child]);
    }
    heap_set(l, i, t);
}

bool timer_armed(const struct timer *t)
{
    return t->pos != 0;
}

void timer_stop(struct loop *l, struct timer *t)
{
    if (t->pos == 0)
        return;
    size_t i = t->pos - 1;
    t->pos = 0;
    struct timer *last = l->heap[--l->n];
    if (last == t)
        return;
    heap_set(l, i, last);
    heap_up(l, i);
    heap_down(l, last->pos - 1);
}

void timer_start(struct loop *l, struct timer *t, int64_t delay_ms)
{
    int64_t delay = delay_ms > 0 ? delay_ms : 0;
    t->due_ms = delay < INT64_MAX - l->now_ms ? l->now_ms + delay : INT64_MAX;
    if (t->pos != 0) {
        heap_up(l, t->pos - 1);
        heap_down(l, t->pos - 1);
        return;
    }
    if (l->n == l->cap) {
        l->cap = l->cap > 0 ? l->cap * 2 : FIRST_HEAP;
        l->heap = mem_realloc(l->heap, l->cap * sizeof *l->heap);
    }
    heap_set(l, l->n++, t);
    heap_up(l, l->n - 1);
}

int64_t loop_core_next_due(const struct loop *l)
{
    return l->n > 0 ? l->heap[0]->due_ms : INT64_MAX;
}

static void fire_first(struct loop *l)
{
    struct timer *t = l->heap[0];
    timer_stop(l, t);
    t->fire(t);
}

void loop_core_fire_due(struct loop *l)
{
    for (size_t left = l->n; left > 0 && loop_core_next_due(l) <= l->now_ms; left--)
        fire_first(l);
}

bool loop_step(struct loop *l)
{
    assert(l->destroy == NULL);
    if (!list_empty(&l->tasks)) {
        loop_core_run_tasks(l, 1);
        return true;
    }
    if (l->n == 0)
        return false;
    if (loop_core_next_due(l) > l->now_ms)
        l->now_ms = loop_core_next_due(l);
    fire_first(l);
    return true;
}
