/* queue_attempt.c - what was given out under a ReceiveRequestAttemptId, for five minutes, so that a
 * client that lost the answer gets the same messages again. Not kept across a restart. */
#include "base/mem.h"
#include "engine/queue_index.h"
#include "engine/queue_receive.h"
#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS_MAX = 10000 };

struct attempt {
    struct list node; /* in attempts_old */
    int64_t at_ms;
    char *id;
    size_t n;
    struct queue_attempt_part parts[];
};

static void drop(struct queue *q, struct attempt *a)
{
    (void)map_del(&q->attempts, slice_of(a->id));
    list_remove(&a->node);
    free(a->id);
    free(a);
}

static void drop_old(struct queue *q, size_t most)
{
    while (!list_empty(&q->attempts_old)) {
        struct attempt *a = container_of(q->attempts_old.next, struct attempt, node);
        if (q->attempts.n <= most && a->at_ms + QUEUE_ATTEMPT_MS > queue_now(q))
            return;
        drop(q, a);
    }
}

void queue_attempt_keep(struct queue *q, struct slice id, const struct queue_attempt_part *parts,
                        size_t n)
{
    struct attempt *before = map_get(&q->attempts, id);
    if (before != NULL)
        drop(q, before);
    drop_old(q, ATTEMPTS_MAX - 1);
    struct attempt *a = mem_alloc(sizeof *a + n * sizeof *parts);
    a->at_ms = queue_now(q);
    a->id = slice_dup(id);
    a->n = n;
    memcpy(a->parts, parts, n * sizeof *parts);
    list_append(&q->attempts_old, &a->node);
    (void)map_set(&q->attempts, id, a);
}

static struct queue_entry *unchanged(struct queue *q, const struct queue_attempt_part *part)
{
    struct queue_entry *e = queue_table_get(&q->table, part->seq);
    bool same = e != NULL && e->state == QUEUE_ENTRY_FLIGHT && e->busy == 0 && !e->touched &&
                e->takes == part->takes;
    return same ? e : NULL;
}

size_t queue_attempt_again(struct queue *q, struct slice id, struct queue_entry **out, size_t max)
{
    drop_old(q, ATTEMPTS_MAX);
    struct attempt *a = map_get(&q->attempts, id);
    if (a == NULL || a->n > max)
        return 0;
    size_t n = 0;
    while (n < a->n && (out[n] = unchanged(q, &a->parts[n])) != NULL)
        n++;
    if (n < a->n) {
        drop(q, a);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        queue_index_detach(q, out[i]);
    return n;
}

void queue_attempt_free(struct queue *q)
{
    drop_old(q, 0);
    map_free(&q->attempts);
}
