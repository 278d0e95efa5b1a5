/* sqs_slots.c - the messages that were received and are not yet done with, by token and by id. */
#include "base/mem.h"
#include "sources/sqs_impl.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

void sqs_slots_init(struct sqs *s)
{
    list_init(&s->free_slots);
    map_init(&s->by_id);
}

void sqs_slots_close(struct sqs *s)
{
    for (size_t i = 0; i < s->n_slots; i++) {
        free(s->slots[i]->id);
        free(s->slots[i]->receipt);
        free(s->slots[i]);
    }
    free(s->slots);
    s->slots = NULL;
    s->n_slots = s->cap_slots = s->n_held = 0;
    map_free(&s->by_id);
    list_init(&s->free_slots);
}

struct sqs_slot *sqs_slots_find(struct sqs *s, struct slice id)
{
    return map_get(&s->by_id, id);
}

/* As many slots as there are messages held or being deleted: bounded by credit and backlog. */
static struct sqs_slot *new_slot(struct sqs *s)
{
    if (!list_empty(&s->free_slots)) {
        struct sqs_slot *slot = container_of(s->free_slots.next, struct sqs_slot, node);
        list_remove(&slot->node);
        return slot;
    }
    if (s->n_slots == s->cap_slots) {
        s->cap_slots = s->cap_slots ? 2 * s->cap_slots : 64;
        s->slots = mem_realloc(s->slots, s->cap_slots * sizeof(struct sqs_slot *));
    }
    struct sqs_slot *slot = mem_alloc(sizeof *slot);
    list_init(&slot->node);
    slot->index = (uint32_t)s->n_slots;
    s->slots[s->n_slots++] = slot;
    return slot;
}

static void stamp(struct sqs *s, struct sqs_slot *slot, const struct sqs_message *m)
{
    free(slot->receipt);
    slot->receipt = slice_dup(m->receipt);
    slot->version++;
    slot->lapsed = false;
    slot->received_ms = loop_now(s->source.env->loop);
    slot->visible_ms = slot->received_ms + s->visibility_s * s->timing->second_ms;
}

struct sqs_slot *sqs_slots_take(struct sqs *s, const struct sqs_message *m)
{
    struct sqs_slot *slot = new_slot(s);
    slot->generation++;
    slot->version = 0;
    slot->state = SQS_SLOT_HELD;
    slot->tries = 0;
    slot->extending = slot->alone = false;
    slot->id = slice_dup(m->id);
    map_set(&s->by_id, m->id, slot);
    stamp(s, slot, m);
    s->n_held++;
    return slot;
}

void sqs_slots_renew(struct sqs *s, struct sqs_slot *slot, const struct sqs_message *m)
{
    stamp(s, slot, m);
}

struct sqs_slot *sqs_slots_get(struct sqs *s, const uint64_t token[2])
{
    assert(token[0] < s->n_slots && s->slots[token[0]]->generation == token[1]);
    struct sqs_slot *slot = s->slots[token[0]];
    assert(slot->state == SQS_SLOT_HELD);
    return slot;
}

void sqs_slots_drop(struct sqs *s, struct sqs_slot *slot)
{
    if (slot->state == SQS_SLOT_HELD)
        s->n_held--;
    map_del(&s->by_id, slice_of(slot->id));
    free(slot->id);
    free(slot->receipt);
    slot->id = slot->receipt = NULL;
    slot->state = SQS_SLOT_FREE;
    slot->generation++; /* requests that are out about it find nobody */
    list_remove(&slot->node);
    list_append(&s->free_slots, &slot->node);
}
