/* queue_checks.c - what must be true: of the disk, of the counts, of every answer to a receive. */
#include "tests/queuesim/queue_world.h"

#include "io/loop_core.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_EVERY = 16 };

size_t check_number(const struct fake_row *r)
{
    return (size_t)strtoul(r->body, NULL, 10);
}

struct fake_row *check_row(const struct world *w, size_t message)
{
    for (size_t i = 0; i < w->disk.n; i++)
        if (check_number(&w->disk.rows[i]) == message)
            return &w->disk.rows[i];
    return NULL;
}

void check_disk(struct world *w)
{
    static unsigned char copies[MESSAGES_MAX];
    memset(copies, 0, sizeof copies);
    for (size_t i = 0; i < w->disk.n; i++) {
        size_t number = check_number(&w->disk.rows[i]);
        REQUIRE(number < w->n_messages && copies[number] == 0); /* in one place */
        copies[number] = 1;
        REQUIRE(!w->messages[number].gone);
        REQUIRE(!w->messages[number].duplicate);
    }
    for (size_t i = 0; i < w->n_messages; i++) {
        const struct message *m = &w->messages[i];
        bool old = m->called_ms + w->retention_ms <= loop_now(w->loop);
        REQUIRE(!m->acked || m->duplicate || m->maybe || old || copies[i] == 1);
        REQUIRE(!m->back || old || copies[i] == 1);
    }
}

/* All that may be forgotten: of a standard queue, and nothing but these. */
void check_lost(const struct fake_row *r, bool deleted)
{
    struct message *m = &world->messages[check_number(r)];
    require_tell("lost: %zu is back at %u receives%s", check_number(r), (unsigned)r->takes,
                 deleted ? ", its delete" : "");
    world->lost++;
    world->backs += deleted;
    for (size_t i = 0; i < SLOTS; i++) {
        if (world->slots[i].owner != r->id >> 40 || world->slots[i].settings.fifo)
            continue;
        m->receives = r->takes;
        m->hold_ms = 0;
        if (deleted) {
            m->back = true;
            m->gone = false;
        }
    }
}

/* ---- counts: what the index says against the disk, when nothing is under way */

struct tally {
    uint64_t visible, in_flight, delayed;
    bool unsure; /* something is due just now */
};

static struct tally recount(const struct world *w, const struct slot *s)
{
    struct tally t = {0};
    int64_t now = loop_wall(w->loop);
    uint64_t end = spool_id(s->owner + 1, 0);
    for (size_t i = fake_disk_place(&w->disk, spool_id(s->owner, 0));
         i < w->disk.n && w->disk.rows[i].id < end; i++) {
        const struct fake_row *r = &w->disk.rows[i];
        int64_t due = r->due_ms;
        if (s->settings.fifo && r->takes == 0)
            due = r->born_ms + queue_settings(s->q)->delay_s * 1000;
        if (due >= now - 1 && due <= now + 1)
            t.unsure = true;
        if (due <= now)
            t.visible++;
        else if (r->takes == 0)
            t.delayed++;
        else
            t.in_flight++;
    }
    return t;
}

static void check_counts(struct world *w)
{
    for (size_t i = 0; i < SLOTS; i++) {
        const struct slot *s = &w->slots[i];
        if (s->q == NULL)
            continue;
        struct tally t = recount(w, s);
        struct queue_counts c = queue_counts(s->q);
        uint64_t all = t.visible + t.in_flight + t.delayed;
        REQUIRE(c.visible + c.in_flight + c.delayed == all);
        if (t.unsure || w->clock_moved || w->faults.fail_percent > 0 || s->settings.fifo)
            continue;
        REQUIRE(c.visible == t.visible && c.in_flight == t.in_flight && c.delayed == t.delayed);
        REQUIRE((c.oldest_ms >= 0) == (all > 0));
    }
}

void check_bytes(const struct world *w, size_t slot)
{
    const struct slot *s = &w->slots[slot];
    uint64_t bytes = 0, end = spool_id(s->owner + 1, 0);
    for (size_t i = fake_disk_place(&w->disk, spool_id(s->owner, 0));
         i < w->disk.n && w->disk.rows[i].id < end; i++) {
        const struct fake_row *r = &w->disk.rows[i];
        bytes += r->key_n + r->head_n + r->body_n;
    }
    REQUIRE(queue_counts(s->q).bytes == bytes);
}

void check_step(struct world *w)
{
    if (w->steps % COUNT_EVERY != 0)
        return;
    if (w->steps % (COUNT_EVERY * 16) == 0)
        check_disk(w);
    if (fake_spool_idle(w->spool) && list_empty(&w->loop->tasks) && w->loop->n > 0 &&
        w->loop->heap[0]->due_ms > w->loop->now_ms)
        check_counts(w);
}

/* ---- receives */

/* Nobody overtakes within a group: what lies before on disk comes in the same answer. */
static void check_order(const struct world *w, const struct slot *s, const struct queue_receive *r,
                        size_t at)
{
    const struct queue_message *m = &r->messages[at];
    for (size_t i = fake_disk_place(&w->disk, spool_id(s->owner, 0)); i < w->disk.n; i++) {
        const struct fake_row *row = &w->disk.rows[i];
        uint64_t sequence =
            UINT64_C(10000000000000000000) + ((row->id & ((UINT64_C(1) << 40) - 1)) << 8);
        if (row->id >> 40 != s->owner || sequence >= m->sequence)
            return;
        if (!slice_eq(m->group, (struct slice){row->key, row->key_n}))
            continue;
        bool before = false;
        for (size_t j = 0; j < at; j++)
            before = before || r->messages[j].sequence == sequence;
        REQUIRE(before);
    }
}

static void check_message(struct world *w, size_t slot, const struct queue_message *m,
                          int64_t hold_ms, int attempt)
{
    size_t number = (size_t)strtoul(m->body.p, NULL, 10);
    REQUIRE(number < w->n_messages);
    struct message *known = &w->messages[number];
    int64_t now = loop_now(w->loop);
    require_tell("received %zu from %zu, count %u, attempt %d", number, slot, (unsigned)m->receives,
                 attempt);
    REQUIRE(!known->gone && !known->duplicate);
    bool again = attempt > 0 && known->attempt == attempt;
    REQUIRE(again || known->hold_ms <= now); /* never in two hands */
    known->attempt = attempt;
    if (known->id[0] != '\0' && strcmp(known->id, m->id) != 0) {
        REQUIRE(w->redriven); /* a new message, then */
        known->receives = 0;
    } else {
        REQUIRE(m->receives > known->receives || (again && m->receives == known->receives));
    }
    memcpy(known->id, m->id, sizeof known->id);
    known->receives = m->receives;
    known->received = true;
    known->back = false;
    REQUIRE(m->first_ms > 0 && m->sent_ms > 0);
    const struct fake_row *row = check_row(w, number);
    known->hold_ms = again ? 0 : hold_ms; /* the same client may be changing it right now */
    if (row == NULL || row->id >> 40 != w->slots[slot].owner || row->takes != m->receives)
        return;
    int64_t due_ms = row->due_ms > 0 ? row->due_ms - loop_wall(w->loop) + now : 0;
    if (!w->clock_moved && !again && due_ms > 0) {
        REQUIRE(due_ms >= hold_ms);
        known->hold_ms = due_ms;
    }
}

void check_received(struct world *w, size_t slot, const struct queue_receive *r, int64_t asked_ms,
                    int attempt)
{
    int64_t seconds = r->visibility_s >= 0 ? r->visibility_s : 0;
    int64_t hold_ms = seconds > 0 ? asked_ms + seconds * 1000 : 0;
    for (size_t i = 0; i < r->n; i++) {
        if (w->slots[slot].settings.fifo)
            check_order(w, &w->slots[slot], r, i);
        check_message(w, slot, &r->messages[i], hold_ms, attempt);
    }
}
