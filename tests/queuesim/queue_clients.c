/* queue_clients.c - clients of the queues: what they do next, and the rarer calls. */
#include "tests/queuesim/queue_act.h"

#include "base/mem.h"
#include "engine/queue_state.h"
#include "io/loop_core.h"
#include <stdlib.h>

struct act *act_new(struct world *w, struct client *c, size_t slot)
{
    struct act *a = mem_alloc(sizeof *a);
    a->w = w;
    a->client = c;
    a->epoch = w->epoch;
    a->slot = slot;
    a->called_ms = loop_now(w->loop);
    a->next = w->acts;
    w->acts = a;
    w->pending++;
    return a;
}

void act_void(struct act *a)
{
    a->answered = true;
    a->w->pending--;
}

bool act_heard(struct act *a)
{
    REQUIRE(!a->answered);
    REQUIRE(!a->w->calling);
    a->answered = true;
    if (a->epoch != a->w->epoch)
        return false;
    a->w->pending--;
    return true;
}

void client_forget(struct world *w)
{
    for (struct act *a = w->acts, *next; a != NULL; a = next) {
        next = a->next;
        timer_stop(w->loop, &a->cancel);
        free(a);
    }
    w->acts = NULL;
    w->pending = 0;
    for (size_t i = 0; i < w->n_messages; i++)
        if (!w->messages[i].acked)
            w->messages[i].maybe = true;
    for (size_t i = 0; i < CLIENTS; i++)
        w->clients[i].receiving = 0;
    for (size_t i = 0; i < SLOTS; i++)
        w->slots[i].opening = false;
}

/* From now on any message may have gone with a queue, or with a purge of one. */
static void all_maybe(struct world *w)
{
    for (size_t i = 0; i < w->n_messages; i++) {
        w->messages[i].maybe = true;
        w->messages[i].back = false;
    }
}

/* ---- queues come, change and go */

static void take_slot(struct world *w, size_t slot, struct queue *q)
{
    w->slots[slot].q = q;
    if (q != NULL)
        w->slots[slot].owner = q->owner;
}

static void opened(struct queue_admin *admin)
{
    struct act *a = container_of(admin, struct act, admin);
    struct world *w = a->w;
    if (!act_heard(a))
        return;
    REQUIRE(admin->status == QUEUE_OK || w->faults.fail_percent > 0);
    REQUIRE((admin->status == QUEUE_OK) == (admin->queue != NULL));
    w->slots[a->slot].opening = false;
    take_slot(w, a->slot, admin->queue);
}

void client_open(struct world *w, size_t slot)
{
    struct slot *s = &w->slots[slot];
    const char *names[] = {"team"}, *values[] = {"x"};
    struct option_map tags = {names, values, 1};
    if (s->opening)
        return;
    for (size_t i = 0; i < w->n_messages; i++)
        if (w->messages[i].slot == slot) {
            w->messages[i].sequence = 0;
            w->messages[i].twin = -1;
        }
    for (size_t i = 0; i < HANDS; i++)
        if (w->hands[i].slot == slot)
            w->hands[i].used = false;
    s->opening = true;
    struct act *a = act_new(w, &w->clients[0], slot);
    a->admin.done = opened;
    w->calling = true;
    queue_create(w->queues, slice_of(s->name), &s->settings, &tags, &a->admin);
    w->calling = false;
}

static void closed(struct queue_admin *admin)
{
    struct act *a = container_of(admin, struct act, admin);
    struct world *w = a->w;
    if (!act_heard(a))
        return;
    REQUIRE(admin->status == QUEUE_OK || w->faults.fail_percent > 0);
    take_slot(w, a->slot, queues_find(w->queues, slice_of(w->slots[a->slot].name)));
    REQUIRE((w->slots[a->slot].q == NULL) == (admin->status == QUEUE_OK));
    w->slots[a->slot].opening = false;
    if (w->slots[a->slot].q == NULL)
        client_open(w, a->slot);
}

static void act_delete_queue(struct world *w, size_t slot)
{
    if (w->slots[slot].q == NULL)
        return;
    all_maybe(w);
    struct act *a = act_new(w, &w->clients[0], slot);
    a->admin.done = closed;
    w->calling = true;
    queue_delete(w->slots[slot].q, &a->admin);
    w->calling = false;
    w->slots[slot].q = NULL;
    w->slots[slot].opening = true;
}

static void purged(struct queue_admin *admin)
{
    struct act *a = container_of(admin, struct act, admin);
    if (!act_heard(a))
        return;
    REQUIRE(admin->status == QUEUE_OK || admin->status == QUEUE_PURGING ||
            admin->status == QUEUE_GONE || a->w->faults.fail_percent > 0);
}

static void act_purge(struct world *w, size_t slot)
{
    if (w->slots[slot].q == NULL)
        return;
    all_maybe(w);
    struct act *a = act_new(w, &w->clients[0], slot);
    a->admin.done = purged;
    w->calling = true;
    queue_purge(w->slots[slot].q, &a->admin);
    w->calling = false;
}

static void set_done(struct queue_admin *admin)
{
    struct act *a = container_of(admin, struct act, admin);
    if (act_heard(a))
        REQUIRE(admin->status == QUEUE_OK || admin->status == QUEUE_GONE ||
                a->w->faults.fail_percent > 0);
}

static void act_set(struct world *w, size_t slot)
{
    struct slot *s = &w->slots[slot];
    if (s->q == NULL)
        return;
    struct act *a = act_new(w, &w->clients[0], slot);
    a->settings = *queue_settings(s->q);
    a->settings.visibility_s = 1 + (int64_t)below(5);
    a->settings.delay_s = (int64_t)below(4);
    a->admin.done = set_done;
    w->calling = true;
    if (chance(50))
        queue_set(s->q, &a->settings, &a->admin);
    else
        queue_set_tags(s->q, queue_tags(s->q), &a->admin);
    w->calling = false;
}

/* ---- redrive */

static void act_move(struct world *w)
{
    char handle[64];
    uint64_t moved;
    const struct queue_move *tasks[10];
    size_t from = chance(50) ? 1 : 3;
    struct queue *source = w->slots[from].q, *to = w->slots[from - 1].q;
    if (source == NULL || to == NULL)
        return;
    size_t n = queue_moves(source, tasks, 10);
    REQUIRE(n <= 10);
    for (size_t i = 0; i < n; i++)
        REQUIRE(tasks[i]->moved <= tasks[i]->to_move);
    if (n > 0 && chance(20)) {
        bool was_running = tasks[0]->state == QUEUE_MOVE_RUNNING;
        bool cancelled = queue_move_cancel(w->queues, slice_of(tasks[0]->handle), &moved);
        REQUIRE(cancelled == was_running);
        return;
    }
    enum queue_status status = queue_move_start(source, chance(50) ? to : NULL,
                                                chance(50) ? 0 : 1 + (int64_t)below(50), handle);
    REQUIRE(status == QUEUE_OK || status == QUEUE_BUSY);
    w->redriven = true;
}

/* ---- turns */

static void act_rare(struct world *w, size_t slot)
{
    unsigned what = (unsigned)below(100);
    if (what < 40)
        act_set(w, slot);
    else if (what < 80)
        act_move(w);
    else if (what < 85)
        act_purge(w, slot);
    else if (what < 88)
        act_delete_queue(w, slot);
    else if (what < 92) {
        w->clock_moved = true; /* the wall clock only */
        w->loop->wall_offset_ms += (int64_t)below(7200000) - 3600000;
    }
}

void client_tick(struct timer *t)
{
    struct client *c = container_of(t, struct client, tick);
    struct world *w = c->w;
    size_t slot = chance(60) ? 0 : below(SLOTS);
    unsigned what = w->consuming ? 30 + (unsigned)below(65) : (unsigned)below(100);
    if (w->slots[slot].q == NULL)
        client_open(w, slot);
    else if (what < 30)
        act_send(w, c, slot);
    else if (what < 60 && c->receiving < 3)
        act_receive(w, c, slot);
    else if (what < 85)
        act_touch(w, c, true);
    else if (what < 95)
        act_touch(w, c, false);
    else
        act_rare(w, slot);
    int64_t pause = (int64_t)below(chance(80) ? 60 : 3000);
    if (chance(1))
        pause = (int64_t)below(200000);
    timer_start(w->loop, &c->tick, pause);
}

void client_drain(struct world *w)
{
    for (size_t i = 0; i < SLOTS && w->disk.n > 0; i++)
        if (w->clients[i].receiving == 0)
            act_receive(w, &w->clients[i], i);
}
