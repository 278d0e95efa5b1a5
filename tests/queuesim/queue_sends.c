/* queue_sends.c - simulated sends, and what their answers promise. */
#include "tests/queuesim/queue_act.h"

#include <stdio.h>
#include <string.h>

/* An earlier message with the same deduplication id, in scope and not five minutes old. */
static struct message *original(struct world *w, const struct message *m, bool acked)
{
    for (size_t i = 0; i < w->n_messages && m->twin >= 0; i++) {
        struct message *o = &w->messages[i];
        bool scope = !w->slots[m->slot].settings.dedup_per_group || o->group == m->group;
        if (o != m && o->twin == m->twin && o->slot == m->slot && scope && o->acked == acked &&
            !o->duplicate && o->called_ms <= m->called_ms && o->called_ms + 300000 > m->called_ms)
            return o;
    }
    return NULL;
}

static void sent_one(struct act *a, size_t i)
{
    struct world *w = a->w;
    const struct queue_send_entry *e = &a->sends[i];
    struct message *m = &w->messages[a->numbers[i]];
    require_tell("sent %zu to %zu group %u: status %d", a->numbers[i], a->slot, m->group,
                 (int)e->status);
    if (e->status != QUEUE_OK) {
        REQUIRE(e->status == QUEUE_GONE || w->faults.fail_percent > 0);
        m->maybe = true;
        return;
    }
    m->acked = true;
    m->sequence = e->sequence;
    for (size_t j = 0; j < w->n_messages && m->twin >= 0; j++) {
        const struct message *o = &w->messages[j];
        if (o != m && o->acked && o->slot == m->slot && o->sequence == e->sequence &&
            o->called_ms <= m->called_ms)
            m->duplicate = true;
    }
    const struct message *first = original(w, m, true);
    if (first != NULL && !first->maybe && !w->clock_moved) {
        REQUIRE(m->duplicate);
        REQUIRE(strcmp(first->id, e->id) == 0 || w->redriven);
    }
    REQUIRE(!m->duplicate || first != NULL || w->clock_moved);
    if (original(w, m, false) != NULL)
        m->maybe = true; /* perhaps that one was sent, but not answered */
    if (m->id[0] == '\0' && !m->maybe)
        memcpy(m->id, e->id, sizeof m->id);
}

static void sent(struct queue_send *send)
{
    struct act *a = container_of(send, struct act, send);
    if (!act_heard(a))
        return;
    for (size_t i = 0; i < send->n; i++)
        sent_one(a, i);
}

static void fill_entry(struct act *a, size_t i)
{
    struct world *w = a->w;
    const struct slot *s = &w->slots[a->slot];
    size_t number = w->n_messages++;
    struct message *m = &w->messages[number];
    *m = (struct message){.slot = a->slot, .called_ms = a->called_ms, .twin = -1};
    m->group = (unsigned)below(GROUPS);
    if (s->settings.fifo && chance(30))
        m->twin = (int)below(6);
    a->numbers[i] = number;
    (void)snprintf(a->bodies[i], sizeof a->bodies[i], "%zu is the number", number);
    (void)snprintf(a->groups[i], sizeof a->groups[i], "g%u", m->group);
    (void)snprintf(a->twins[i], sizeof a->twins[i], m->twin >= 0 ? "twin%zu" : "own%zu",
                   m->twin >= 0 ? (size_t)m->twin : number);
    bool by_content = s->settings.content_dedup && m->twin < 0;
    a->sends[i] = (struct queue_send_entry){
        .body = slice_of(a->bodies[i]),
        .group = s->settings.fifo ? slice_of(a->groups[i]) : SLICE_NONE,
        .dedup_id = s->settings.fifo && !by_content ? slice_of(a->twins[i]) : SLICE_NONE,
        .attributes = SLICE("{}"),
        .md5_body = SLICE("0123456789abcdef0123456789abcdef"),
        .sender = SLICE("me"),
        .delay_s = chance(20) ? (int64_t)below(6) : -1,
    };
}

void act_send(struct world *w, struct client *c, size_t slot)
{
    size_t n = chance(70) ? 1 : 1 + below(QUEUE_BATCH_MAX);
    if (w->slots[slot].q == NULL || w->n_messages + n > MESSAGES_MAX)
        return;
    struct act *a = act_new(w, c, slot);
    for (size_t i = 0; i < n; i++)
        fill_entry(a, i);
    a->send = (struct queue_send){.entries = a->sends, .n = n, .done = sent};
    w->sends += n;
    w->calling = true;
    queue_send(w->slots[slot].q, &a->send);
    w->calling = false;
}
