/* queue_world.c - builds a world from a seed, runs queues in it, crashes them, drains them. */
#include "tests/queuesim/queue_world.h"

#include "base/mem.h"
#include "engine/queue_state.h"
#include "io/loop_core.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world *world;

uint64_t world_random(void)
{
    uint64_t x = world->rng;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return world->rng = x;
}

uint64_t below(uint64_t n)
{
    return n == 0 ? 0 : (world_random() >> 11) % n;
}

bool chance(unsigned percent)
{
    return below(100) < percent;
}

static void build_slot(struct world *w, size_t i, bool fifo)
{
    struct slot *s = &w->slots[i];
    static const char *const names[SLOTS] = {"main", "dead", "other", "rest"};
    (void)snprintf(s->name, sizeof s->name, "%s%s", names[i], fifo ? ".fifo" : "");
    s->settings = (struct queue_settings){
        .visibility_s = 1 + (int64_t)below(5),
        .delay_s = chance(25) ? (int64_t)below(4) : 0,
        .retention_s = w->retention_ms / 1000,
        .max_bytes = 262144,
        .fifo = fifo,
        .dedup_per_group = fifo && chance(30),
        .content_dedup = fifo && chance(30),
        .max_receives = 1 + (int64_t)below(4),
    };
    if (i % 2 == 0 && chance(60)) {
        (void)snprintf(s->dead_arn, sizeof s->dead_arn, "arn:aws:sqs:us-east-1:000000000000:%s%s",
                       names[i + 1], fifo ? ".fifo" : "");
        s->settings.dead_arn = s->dead_arn;
    }
}

void world_build(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    world = w;
    require_seed = seed;
    w->seed = seed;
    w->rng = seed * 0x9e3779b97f4a7c15u + 0x1234567;
    for (int i = 0; i < 8; i++)
        (void)world_random();
    w->loop = loop_new_virtual();
    bool calm = chance(30);
    w->faults = (struct fake_spool_faults){
        .random = world_random,
        .fail_percent = calm ? 0 : (unsigned)below(12),
        .commit_ms = (int64_t)below(chance(20) ? 400 : 8),
        .told_ms = (int64_t)below(chance(20) ? 200 : 4),
    };
    w->retention_ms = chance(25) ? 60000 : 345600000;
    bool fifo_first = chance(50);
    for (size_t i = 0; i < SLOTS; i++)
        build_slot(w, i, (i < 2) == fifo_first);
}

void world_tell(const struct world *w)
{
    for (size_t i = 0; i < SLOTS; i++) {
        const struct queue_settings *s = &w->slots[i].settings;
        require_tell("queue %zu %s: visibility %d delay %d dead %s after %d", i, w->slots[i].name,
                     (int)s->visibility_s, (int)s->delay_s, s->dead_arn != NULL ? s->dead_arn : "-",
                     (int)s->max_receives);
    }
    require_tell("faults %u%%, commit %d ms, told %d ms", w->faults.fail_percent,
                 (int)w->faults.commit_ms, (int)w->faults.told_ms);
}

void world_start(struct world *w)
{
    struct error err;
    struct fake_spool_faults calm = w->faults;
    w->spool = fake_spool_open(w->loop, &w->disk, &calm);
    w->queues = queues_open(w->loop, w->spool, "us-east-1", "000000000000", world_random, &err);
    REQUIRE(w->queues != NULL);
    for (size_t i = 0; i < SLOTS; i++) {
        w->slots[i].q = queues_find(w->queues, slice_of(w->slots[i].name));
        if (w->slots[i].q == NULL)
            client_open(w, i);
        else
            w->slots[i].owner = w->slots[i].q->owner;
        if (w->slots[i].q != NULL)
            check_bytes(w, i);
    }
    for (size_t i = 0; i < CLIENTS && !w->draining; i++) {
        w->clients[i].w = w;
        w->clients[i].tick.fire = client_tick;
        timer_start(w->loop, &w->clients[i].tick, (int64_t)below(50));
    }
}

static void stop(struct world *w)
{
    for (size_t i = 0; i < CLIENTS; i++)
        timer_stop(w->loop, &w->clients[i].tick);
    w->epoch++;
    fake_spool_crash(w->spool);
    queues_close(w->queues);
    fake_spool_free(w->spool);
    client_forget(w);
    w->queues = NULL;
    w->spool = NULL;
    REQUIRE(list_empty(&w->loop->tasks));
}

/* Notes come in no order. */
static void shuffle_notes(struct fake_disk *d)
{
    for (size_t i = d->n_notes; i > 1; i--) {
        size_t j = below(i);
        struct fake_note note = d->notes[i - 1];
        d->notes[i - 1] = d->notes[j];
        d->notes[j] = note;
    }
}

void world_crash(struct world *w)
{
    require_tell("crash");
    stop(w);
    REQUIRE(w->loop->n == 0);
    w->crashes++;
    if (chance(50)) {
        w->cuts++;
        fake_disk_power_cut(&w->disk, below(w->disk.n_unsynced + 1), check_lost);
    }
    fake_disk_sync(&w->disk); /* the system brings to the disk what it has */
    shuffle_notes(&w->disk);
    if (chance(30)) /* down for a while */
        w->loop->now_ms += (int64_t)below(chance(30) ? 400000 : 5000);
    check_disk(w);
}

void world_drain(struct world *w)
{
    w->draining = true;
    for (size_t i = 0; i < CLIENTS; i++)
        timer_stop(w->loop, &w->clients[i].tick);
    struct fake_spool_faults calm = w->faults;
    calm.fail_percent = 0; /* some that failed before are still to be told */
    fake_spool_set_faults(w->spool, &calm);
    client_drain(w);
}

bool world_empty(const struct world *w)
{
    return w->disk.n == 0 && w->pending == 0 && fake_spool_idle(w->spool);
}

void world_end(struct world *w)
{
    for (size_t i = 0; i < w->n_messages; i++) {
        const struct message *m = &w->messages[i];
        bool old = m->called_ms + w->retention_ms <= loop_now(w->loop);
        REQUIRE(!m->acked || m->duplicate || m->maybe || old || m->received);
        REQUIRE(!m->back || old); /* it was to be received once more */
    }
    stop(w);
    fake_disk_free(&w->disk);
    loop_free(w->loop);
}
