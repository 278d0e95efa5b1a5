/* sqs_hold.c - extends the visibility of what is held, so that nothing reappears while it waits for
 * a slot or runs, and a message that waits spends none of its receives. */
#include "sources/sqs_impl.h"

enum { SWEEP_LEAST_MS = 10, SWEEP_MOST_MS = 5000 };

/* Extend when less than this is left. */
static int64_t threshold_ms(const struct sqs *s)
{
    int64_t half = s->visibility_s * s->timing->second_ms / 2;
    int64_t run = (s->source.function->timeout_s + s->timing->margin_s) * s->timing->second_ms;
    return half < run ? half : run;
}

int64_t sqs_hold_seconds(const struct sqs *s, const struct sqs_slot *slot)
{
    int64_t end = slot->received_ms + SQS_VISIBILITY_MAX_S * s->timing->second_ms;
    int64_t left = (end - loop_now(s->source.env->loop)) / s->timing->second_ms;
    if (left < 0)
        left = 0;
    return left < s->visibility_s ? left : s->visibility_s;
}

void sqs_hold_extended(struct sqs *s, struct sqs_slot *slot, int64_t sent_ms, int64_t seconds)
{
    slot->visible_ms = sent_ms + seconds * s->timing->second_ms;
}

void sqs_hold_start(struct sqs *s)
{
    int64_t pause = threshold_ms(s) / 4;
    if (pause > SWEEP_MOST_MS)
        pause = SWEEP_MOST_MS;
    if (pause < SWEEP_LEAST_MS)
        pause = SWEEP_LEAST_MS;
    if (s->n_held > 0 && !timer_armed(&s->sweep))
        timer_start(s->source.env->loop, &s->sweep, pause);
}

static void on_sweep(struct timer *t)
{
    struct sqs *s = container_of(t, struct sqs, sweep);
    int64_t soon = loop_now(s->source.env->loop) + threshold_ms(s);
    for (size_t i = 0; i < s->n_slots; i++) {
        struct sqs_slot *slot = s->slots[i];
        if (slot->state != SQS_SLOT_HELD || slot->extending || slot->lapsed ||
            slot->visible_ms > soon)
            continue;
        if (sqs_hold_seconds(s, slot) > 0)
            sqs_work_add(s, slot, SQS_WORK_EXTEND);
        else
            slot->lapsed = true;
    }
    sqs_hold_start(s);
}

void sqs_hold_init(struct sqs *s)
{
    s->sweep.fire = on_sweep;
}

void sqs_hold_close(struct sqs *s)
{
    timer_stop(s->source.env->loop, &s->sweep);
}
