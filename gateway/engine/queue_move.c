/* queue_move.c - message move tasks: start, cancel, list, and the notes that let them go on after a
 * restart. */
#include "engine/queue_move.h"

#include "base/json_out.h"
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_LIMIT_BYTES = 4096, DROPS_MAX = 4 };

static const char *const states[] = {"RUNNING", "COMPLETED", "CANCELLING", "CANCELLED", "FAILED"};
static const char *const failures[] = {"AWS.SimpleQueueService.NonExistentQueue",
                                       "CouldNotDetermineMessageSource"};

static struct queue_move_task *task_of(struct list *node)
{
    return container_of(node, struct queue_move_task, node);
}

static bool runs(const struct queue_move_task *t)
{
    return t->pub.state == QUEUE_MOVE_RUNNING || t->pub.state == QUEUE_MOVE_CANCELLING;
}

static void task_free(struct queue_move_task *t)
{
    timer_stop(t->q->service->loop, &t->tick);
    list_remove(&t->node);
    free(t->destination);
    free(t);
}

static struct queue_move_task *task_new(struct queue *q, uint64_t number, struct slice destination)
{
    struct queue_move_task *t = mem_alloc(sizeof *t);
    t->q = q;
    t->number = number;
    t->tick.fire = queue_move_tick;
    t->pub.source_arn = q->arn;
    if (destination.n > 0)
        t->pub.destination_arn = t->destination = slice_dup(destination);
    (void)snprintf(t->note_name, sizeof t->note_name, "queue.move.%06x.%llu", (unsigned)q->owner,
                   (unsigned long long)number);
    list_init(&t->node);
    return t;
}

/* ---- notes */

struct spool_change queue_move_note(struct queue_move_task *t, uint64_t moved, struct buf *out)
{
    struct json_out j;
    buf_init(out, NOTE_LIMIT_BYTES);
    json_out_init(&j, out);
    json_object(&j);
    json_kv_cstr(&j, "handle", t->pub.handle);
    json_kv_cstr(&j, "destination", t->destination != NULL ? t->destination : "");
    json_kv_cstr(&j, "state", states[t->pub.state]);
    json_kv_cstr(&j, "failure", t->pub.failure != NULL ? t->pub.failure : "");
    json_kv_i64(&j, "rate", t->pub.rate);
    json_kv_i64(&j, "moved", (int64_t)(t->pub.moved + moved));
    json_kv_i64(&j, "to_move", (int64_t)t->pub.to_move);
    json_kv_i64(&j, "started", t->pub.started_ms);
    json_end(&j);
    return (struct spool_change){
        .kind = SPOOL_NOTE, .head = slice_of(t->note_name), .body = buf_slice(out)};
}

static int64_t number_of(const struct json *j, const char *key)
{
    int64_t n = 0;
    return json_int(json_get(j, key), &n) ? n : 0;
}

void queue_move_read(struct queue *q, uint64_t number, const struct json *j)
{
    struct queue_move_task *t = task_new(q, number, json_text(json_get(j, "destination")));
    struct slice handle = json_text(json_get(j, "handle"));
    (void)snprintf(t->pub.handle, sizeof t->pub.handle, SLICE_FMT, SLICE_ARG(handle));
    for (unsigned i = 0; i < ARRAY_LEN(states); i++)
        if (slice_is(json_text(json_get(j, "state")), states[i]))
            t->pub.state = i;
    for (unsigned i = 0; i < ARRAY_LEN(failures); i++)
        if (slice_is(json_text(json_get(j, "failure")), failures[i]))
            t->pub.failure = failures[i];
    t->pub.rate = number_of(j, "rate");
    t->pub.moved = (uint64_t)number_of(j, "moved");
    t->pub.to_move = (uint64_t)number_of(j, "to_move");
    t->pub.started_ms = number_of(j, "started");
    struct list *after = &q->moves;
    while (after->next != &q->moves && task_of(after->next)->number > number)
        after = after->next;
    list_prepend(after, &t->node);
}

struct note_op {
    struct spool_op op;
    struct queue *q;
    struct spool_change changes[1 + DROPS_MAX];
    char dropped[DROPS_MAX][QUEUE_MOVE_NAME];
    struct buf note;
};

/* What is not written now is written by the next step, or begun again after a restart. */
static void noted(struct spool_op *op)
{
    struct note_op *n = container_of(op, struct note_op, op);
    struct queue *q = n->q;
    spool_op_clear(op);
    buf_free(&n->note);
    free(n);
    queue_settled(q->service, q);
}

/* Writes the note of t, drops the oldest of too many finished tasks. */
static void save(struct queue_move_task *t)
{
    struct queue *q = t->q;
    struct note_op *n = mem_alloc(sizeof *n);
    size_t count = 0, dropped = 0;
    n->q = q;
    n->changes[0] = queue_move_note(t, 0, &n->note);
    list_each(&q->moves, it)
    {
        struct queue_move_task *old = task_of(it);
        if (++count <= QUEUE_MOVES_MAX || runs(old) || dropped == DROPS_MAX)
            continue;
        memcpy(n->dropped[dropped], old->note_name, QUEUE_MOVE_NAME);
        n->changes[1 + dropped] =
            (struct spool_change){.kind = SPOOL_NOTE, .head = slice_of(n->dropped[dropped])};
        dropped++;
        task_free(old);
    }
    n->op = (struct spool_op){.changes = n->changes, .n = 1 + dropped, .done = noted};
    queue_submit(q->service, q, &n->op);
}

size_t queue_move_drop(struct queue *q, struct spool_change *changes, size_t max)
{
    size_t n = 0;
    list_each(&q->moves, it) if (n < max) changes[n++] =
        (struct spool_change){.kind = SPOOL_NOTE, .head = slice_of(task_of(it)->note_name)};
    return n;
}

/* ---- life */

void queue_move_end(struct queue_move_task *t, int state, const char *failure)
{
    t->pub.state = (unsigned)state;
    t->pub.failure = failure;
    save(t);
}

void queue_move_resume(struct queue *q)
{
    list_each(&q->moves, it) if (runs(task_of(it)) && task_of(it)->step == NULL)
        timer_start(q->service->loop, &task_of(it)->tick, 0);
}

void queue_move_stop(struct queue *q)
{
    list_each(&q->moves, it) timer_stop(q->service->loop, &task_of(it)->tick);
}

void queue_move_free(struct queue *q)
{
    while (!list_empty(&q->moves))
        task_free(task_of(q->moves.next));
}

enum queue_status queue_move_start(struct queue *source, struct queue *destination, int64_t rate,
                                   char handle[64])
{
    if (!source->live || (destination != NULL && !destination->live))
        return QUEUE_GONE;
    list_each(&source->moves, it) if (runs(task_of(it))) return QUEUE_BUSY;
    uint64_t number = list_empty(&source->moves) ? 1 : task_of(source->moves.next)->number + 1;
    struct queue_move_task *t =
        task_new(source, number, slice_of(destination != NULL ? destination->arn : NULL));
    struct queues *s = source->service;
    (void)snprintf(t->pub.handle, sizeof t->pub.handle, "%016llx%016llx",
                   (unsigned long long)s->random(), (unsigned long long)s->random());
    t->pub.rate = rate;
    t->pub.to_move = queue_counts(source).visible;
    t->pub.started_ms = queue_wall(s, queue_now(source));
    list_prepend(&source->moves, &t->node);
    save(t);
    timer_start(s->loop, &t->tick, 0);
    memcpy(handle, t->pub.handle, sizeof t->pub.handle);
    return QUEUE_OK;
}

bool queue_move_cancel(struct queues *s, struct slice handle, uint64_t *moved)
{
    for (size_t i = 0; i < s->n; i++)
        list_each(&s->sorted[i]->moves, it)
        {
            struct queue_move_task *t = task_of(it);
            if (t->pub.state != QUEUE_MOVE_RUNNING || !slice_is(handle, t->pub.handle))
                continue;
            *moved = t->pub.moved;
            t->pub.state = QUEUE_MOVE_CANCELLING;
            if (t->step == NULL)
                timer_start(s->loop, &t->tick, 0);
            return true;
        }
    return false;
}

size_t queue_moves(struct queue *source, const struct queue_move **out, size_t max)
{
    size_t n = 0;
    list_each(&source->moves, it) if (n < max) out[n++] = &task_of(it)->pub;
    return n;
}
