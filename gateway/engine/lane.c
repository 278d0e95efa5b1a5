/* lane.c - the queue of one ordering unit and the rule that says when a batch of it is due. */
#include "engine/lane.h"

#include "base/mem.h"
#include "engine/mapping_state.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void on_window(struct timer *t)
{
    mapping_kick(container_of(t, struct lane, window)->mapping);
}

struct lane *lane_new(struct mapping *m, struct slice key)
{
    struct lane *l = mem_alloc(sizeof *l + key.n + 1);
    char *copy = (char *)(l + 1);
    if (key.n > 0)
        memcpy(copy, key.p, key.n);
    l->mapping = m;
    l->key = (struct slice){copy, key.n};
    l->limit = (size_t)m->source->settings.batch_size;
    l->window.fire = on_window;
    l->exclusive = (m->source->flags & SOURCE_ORDERED) != 0 && mapping_redelivers(m);
    bool ordered = (m->source->flags & SOURCE_ORDERED) != 0 && !mapping_redelivers(m);
    l->parallel = ordered ? 1 : UINT32_MAX;
    list_init(&l->queue);
    list_init(&l->filtered);
    list_append(&m->lanes, &l->node);
    map_init(&l->busy);
    return l;
}

void lane_free(struct lane *l)
{
    assert(l->queued == 0 && l->n_filtered == 0 && l->out == 0);
    timer_stop(l->mapping->env->loop, &l->window);
    list_remove(&l->node);
    map_free(&l->busy);
    free(l);
}

static void count_in(struct lane *l, const struct record *r)
{
    l->queued++;
    l->queued_json_bytes += r->json.n + 1;
    l->mapping->counts.waiting++;
}

void lane_put(struct lane *l, struct record *r)
{
    r->order = l->next_order++;
    if (r->filtered) {
        list_append(&l->filtered, &r->node);
        l->n_filtered++;
        l->mapping->counts.waiting++;
        return;
    }
    list_append(&l->queue, &r->node);
    count_in(l, r);
}

void lane_put_back(struct lane *l, struct record *r)
{
    list_prepend(&l->queue, &r->node);
    count_in(l, r);
}

void lane_remove(struct lane *l, struct record *r)
{
    list_remove(&r->node);
    l->mapping->counts.waiting--;
    if (r->filtered) {
        l->n_filtered--;
        return;
    }
    l->queued--;
    l->queued_json_bytes -= r->json.n + 1;
}

struct record *lane_next(struct lane *l, struct record *after)
{
    struct list *it = after == NULL ? l->queue.next : after->node.next;
    for (; it != &l->queue; it = it->next) {
        struct record *r = container_of(it, struct record, node);
        if (!l->exclusive || map_get(&l->busy, r->key) == NULL)
            return r;
    }
    return NULL;
}

struct record *lane_next_of(struct lane *l, const struct record *r, struct slice key)
{
    for (struct list *it = r->node.next; it != &l->queue; it = it->next) {
        struct record *next = container_of(it, struct record, node);
        if (slice_eq(next->key, key))
            return next;
    }
    return NULL;
}

static bool is_full(const struct lane *l)
{
    size_t room = PAYLOAD_MAX_BYTES - l->mapping->source->envelope_bytes;
    return l->queued >= l->limit || l->queued_json_bytes > room;
}

bool lane_due(struct lane *l)
{
    if (l->out >= l->parallel)
        return false;
    const struct record *first = lane_next(l, NULL);
    if (first == NULL)
        return false;
    struct loop *loop = l->mapping->env->loop;
    int64_t window_ms = l->mapping->source->settings.window_s * 1000;
    int64_t left = first->born_ms + window_ms - loop_now(loop);
    if (window_ms <= 0 || is_full(l) || left <= 0) {
        timer_stop(loop, &l->window);
        return true;
    }
    if (!timer_armed(&l->window))
        timer_start(loop, &l->window, left);
    return false;
}

void lane_mark(struct lane *l, const struct record *r)
{
    if (!l->exclusive)
        return;
    uintptr_t n = (uintptr_t)map_get(&l->busy, r->key);
    map_set(&l->busy, r->key, (void *)(n + 1));
}

void lane_unmark(struct lane *l, const struct record *r)
{
    if (!l->exclusive)
        return;
    uintptr_t n = (uintptr_t)map_get(&l->busy, r->key);
    assert(n > 0);
    if (n == 1)
        map_del(&l->busy, r->key);
    else
        map_set(&l->busy, r->key, (void *)(n - 1));
}

bool lane_holds(const struct lane *l, struct slice key)
{
    for (const struct list *it = l->queue.next; it != &l->queue; it = it->next) {
        const struct record *r = (const void *)((const char *)it - offsetof(struct record, node));
        if (slice_eq(r->key, key))
            return true;
    }
    return false;
}

void lane_grow(struct lane *l)
{
    size_t most = (size_t)l->mapping->source->settings.batch_size;
    l->limit = l->limit > most / 2 ? most : l->limit * 2;
}
