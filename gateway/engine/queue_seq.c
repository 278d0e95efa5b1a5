/* queue_seq.c - sequence numbers of a queue: never used twice, also when all messages are gone. A
 * note on disk says up to where they may have been used; it is moved ahead in large steps. */
#include "engine/queue_state.h"

#include <stdio.h>

enum { STEP = 1 << 16 };

uint64_t queue_seq_next(struct queue *q)
{
    return q->next_seq++;
}

bool queue_seq_note(struct queue *q, struct queue_seq_note *note, struct spool_change *change)
{
    bool must = q->next_seq > q->reserved;
    bool early = q->next_seq + STEP / 2 > q->asked;
    if (!must && !early)
        return false;
    if (early)
        q->asked = q->next_seq + STEP;
    note->bound = q->asked;
    (void)snprintf(note->name, sizeof note->name, "queue.seq.%06x", (unsigned)q->owner);
    (void)snprintf(note->value, sizeof note->value, "%llu", (unsigned long long)note->bound);
    *change = (struct spool_change){
        .kind = SPOOL_NOTE, .head = slice_of(note->name), .body = slice_of(note->value)};
    return true;
}

void queue_seq_noted(struct queue *q, const struct queue_seq_note *note, bool ok)
{
    if (ok && note->bound > q->reserved)
        q->reserved = note->bound;
    else if (!ok)
        q->asked = q->reserved; /* the next operation asks again */
}
