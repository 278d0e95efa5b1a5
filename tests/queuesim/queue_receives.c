/* queue_receives.c - simulated receives, deletes and changes of visibility. */
#include "engine/queue_head.h"
#include "tests/queuesim/queue_act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- receive */

static void keep_hand(struct act *a, const struct queue_message *m)
{
    struct hand *h = &a->w->hands[below(HANDS)];
    *h = (struct hand){.used = true, .slot = a->slot, .takes = m->receives};
    h->message = (size_t)strtoul(m->body.p, NULL, 10);
    memcpy(h->receipt, m->receipt, sizeof h->receipt);
    memcpy(h->id, m->id, sizeof h->id);
}

static void received(struct queue_receive *r)
{
    struct act *a = container_of(r, struct act, receive);
    struct world *w = a->w;
    timer_stop(w->loop, &a->cancel);
    if (!act_heard(a))
        return;
    a->client->receiving--;
    REQUIRE(r->status == QUEUE_OK || r->status == QUEUE_GONE || w->faults.fail_percent > 0);
    REQUIRE(r->status == QUEUE_OK || r->n == 0);
    REQUIRE(r->n <= r->max);
    w->receives += r->n;
    check_received(w, a->slot, r, a->called_ms, a->attempt);
    if (w->draining) {
        act_delete_all(a);
        return;
    }
    for (size_t i = 0; i < r->n; i++)
        keep_hand(a, &r->messages[i]);
}

static bool alive(struct queue_receive *r)
{
    struct act *a = container_of(r, struct act, receive);
    REQUIRE(!a->answered);
    return a->w->draining || chance(95);
}

static void cancel(struct timer *t)
{
    struct act *a = container_of(t, struct act, cancel);
    a->answered = true;
    a->client->receiving--;
    a->w->pending--;
    queue_receive_cancel(&a->receive);
}

void act_receive(struct world *w, struct client *c, size_t slot)
{
    if (w->slots[slot].q == NULL)
        return;
    struct act *a = act_new(w, c, slot);
    a->receive = (struct queue_receive){
        .max = 1 + below(QUEUE_BATCH_MAX),
        .visibility_s = w->draining  ? 20
                        : chance(50) ? -1
                                     : (int64_t)below(6),
        .wait_ms = w->draining  ? 5000
                   : chance(50) ? 0
                                : (int64_t)below(8000),
        .alive = chance(50) ? alive : NULL,
        .done = received,
    };
    if (w->slots[slot].settings.fifo && !w->draining && chance(20)) {
        a->attempt = 1 + (int)below(3);
        (void)snprintf(a->attempt_id, sizeof a->attempt_id, "try%d", a->attempt);
        a->receive.attempt_id = slice_of(a->attempt_id);
        for (size_t i = 0; i < w->n_messages; i++) /* it may set another visibility */
            if (w->messages[i].attempt == a->attempt)
                w->messages[i].hold_ms = 0;
    }
    a->cancel.fire = cancel;
    if (!w->draining && chance(15))
        timer_start(w->loop, &a->cancel, (int64_t)below(50));
    c->receiving++;
    w->calling = true;
    queue_receive(w->slots[slot].q, &a->receive);
    w->calling = false;
}

/* ---- delete, change */

/* Is this the handle of the last receive, as far as the disk knows? A redriven message is another
 * one. */
static const struct fake_row *row_of(const struct world *w, const struct hand *h)
{
    const struct fake_row *row = check_row(w, h->message);
    struct queue_head head;
    bool same = row != NULL && row->id >> 40 == w->slots[h->slot].owner &&
                queue_head_read((struct slice){row->head, row->head_n}, &head) &&
                slice_is(head.fields[QUEUE_HEAD_ID], h->id);
    return same ? row : NULL;
}

static bool is_latest(const struct world *w, const struct hand *h)
{
    const struct fake_row *row = row_of(w, h);
    return row != NULL && row->takes == h->takes;
}

static bool is_lost(const struct world *w, const struct hand *h)
{
    const struct fake_row *row = row_of(w, h);
    return row != NULL && row->takes < h->takes;
}

static void deleted(struct queue_touch *t)
{
    struct act *a = container_of(t, struct act, touch);
    struct world *w = a->w;
    if (!act_heard(a))
        return;
    for (size_t i = 0; i < t->n; i++) {
        struct message *m = &w->messages[a->hands[i].message];
        enum queue_status status = a->touches[i].status;
        REQUIRE(
            status == QUEUE_OK || status == QUEUE_GONE || w->faults.fail_percent > 0 ||
            (status == QUEUE_HANDLE_EXPIRED && w->slots[a->slot].settings.fifo && !a->in_time[i]));
        require_tell("deleted %zu from %zu: status %d", a->hands[i].message, a->slot, (int)status);
        if (status != QUEUE_OK)
            continue;
        REQUIRE(!a->in_time[i] || !is_latest(w, &a->hands[i]));
        REQUIRE(!a->lost[i] || row_of(w, &a->hands[i]) == NULL);
        w->late += a->lost[i];
        if ((a->in_time[i] || a->lost[i]) && check_row(w, a->hands[i].message) == NULL)
            m->gone = true;
    }
    if (w->draining)
        client_drain(w);
}

static void touch(struct act *a, bool deletes)
{
    struct world *w = a->w;
    for (size_t i = 0; i < a->touch.n; i++) {
        struct message *m = &w->messages[a->hands[i].message];
        a->latest[i] = is_latest(w, &a->hands[i]);
        a->in_time[i] = a->latest[i] && m->receives == a->hands[i].takes &&
                        m->hold_ms > a->called_ms && !w->clock_moved;
        a->lost[i] = is_lost(w, &a->hands[i]);
        REQUIRE(!a->lost[i] || !w->slots[a->slot].settings.fifo);
        require_tell("%s %zu takes %u of %zu to %d", deletes ? "delete" : "change",
                     a->hands[i].message, (unsigned)a->hands[i].takes, a->slot,
                     (int)a->touches[i].visibility_s);
        a->touches[i].receipt = slice_of(a->hands[i].receipt);
        a->changes[i] = deletes ? m->changes : ++m->changes;
        int64_t hold_ms = a->called_ms + a->touches[i].visibility_s * 1000;
        if (deletes && (a->latest[i] || a->lost[i])) {
            m->maybe = true;
            m->back = false;
        } else if (!deletes && m->hold_ms > hold_ms)
            m->hold_ms = hold_ms;
    }
    a->touch.entries = a->touches;
    w->calling = true;
    if (deletes)
        queue_delete_messages(w->slots[a->slot].q, &a->touch);
    else
        queue_change_visibility(w->slots[a->slot].q, &a->touch);
    w->calling = false;
}

void act_delete_all(struct act *a)
{
    struct world *w = a->w;
    struct act *next = act_new(w, a->client, a->slot);
    if (a->receive.n == 0 || w->slots[a->slot].q == NULL) {
        act_void(next);
        client_drain(w);
        return;
    }
    for (size_t i = 0; i < a->receive.n; i++) {
        const struct queue_message *m = &a->receive.messages[i];
        next->hands[i] = (struct hand){.slot = a->slot, .takes = m->receives};
        next->hands[i].message = (size_t)strtoul(m->body.p, NULL, 10);
        memcpy(next->hands[i].receipt, m->receipt, sizeof m->receipt);
        memcpy(next->hands[i].id, m->id, sizeof m->id);
    }
    next->touch = (struct queue_touch){.n = a->receive.n, .done = deleted};
    touch(next, true);
}

static void changed(struct queue_touch *t)
{
    struct act *a = container_of(t, struct act, touch);
    struct world *w = a->w;
    if (!act_heard(a))
        return;
    for (size_t i = 0; i < t->n; i++) {
        struct message *m = &w->messages[a->hands[i].message];
        enum queue_status status = a->touches[i].status;
        REQUIRE(status == QUEUE_OK || status == QUEUE_GONE || status == QUEUE_NOT_IN_FLIGHT ||
                w->faults.fail_percent > 0);
        const struct fake_row *row = check_row(w, a->hands[i].message);
        require_tell("changed %zu: status %d", a->hands[i].message, (int)status);
        if (status == QUEUE_OK && row != NULL && !w->clock_moved && is_latest(w, &a->hands[i]) &&
            m->receives == a->hands[i].takes && m->changes == a->changes[i])
            m->hold_ms = row->due_ms > 0 ? row->due_ms - loop_wall(w->loop) + loop_now(w->loop) : 0;
    }
}

void act_touch(struct world *w, struct client *c, bool deletes)
{
    struct hand *first = &w->hands[below(HANDS)];
    if (!first->used || w->slots[first->slot].q == NULL)
        return;
    struct act *a = act_new(w, c, first->slot);
    size_t most = chance(60) ? 1 : 1 + below(QUEUE_BATCH_MAX);
    for (struct hand *h = first; h < w->hands + HANDS && a->touch.n < most; h++) {
        if (!h->used || h->slot != a->slot)
            continue;
        a->touches[a->touch.n].visibility_s = deletes ? 0 : (int64_t)below(6);
        a->hands[a->touch.n++] = *h;
        if (deletes && chance(70))
            h->used = false;
    }
    a->touch.done = deletes ? deleted : changed;
    touch(a, deletes);
}
