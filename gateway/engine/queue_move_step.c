/* queue_move_step.c - the work of a message move task: a few messages read, given new heads and
 * numbers, moved together with the task's note in one operation of the spool. */
#include "engine/queue_head.h"
#include "engine/queue_index.h"
#include "engine/queue_move.h"
#include "engine/queue_receipt.h"

#include "base/mem.h"
#include <stdlib.h>

enum { STEP_MAX = QUEUE_BATCH_MAX, HEAD_SPARE = 128, PAUSE_MS = 100 };

struct queue_move_step {
    struct spool_op read, move;
    struct queue_move_task *task;
    struct queue *q, *to;
    size_t n, n_move; /* messages in hand; the first n_move of them are being moved */
    struct queue_entry *entries[STEP_MAX];
    struct spool_change reads[STEP_MAX], moves[STEP_MAX + 2];
    uint64_t seqs[STEP_MAX];
    uint32_t bytes[STEP_MAX];
    int64_t born_ms;
    const char *failure; /* what stopped us behind those */
    bool seq_noted;
    struct queue_seq_note seq_note;
    struct buf note;
    char *heads;
};

/* How many at a time, and how long that lasts. */
static size_t batch_of(const struct queue_move_task *t)
{
    uint64_t left = t->pub.to_move - t->pub.moved;
    int64_t n = t->pub.rate == 0 || t->pub.rate >= STEP_MAX * 10 ? STEP_MAX : t->pub.rate / 10;
    n = n > 0 ? n : 1;
    return left < (uint64_t)n ? (size_t)left : (size_t)n;
}

static bool goes_on(const struct queue *q)
{
    return q->live && !q->service->closing;
}

static void next_step(struct queue_move_task *t, int64_t pause_ms)
{
    if (goes_on(t->q))
        timer_start(t->q->service->loop, &t->tick, pause_ms);
}

/* Those from i on go back to where they were. */
static void put_back(struct queue_move_step *s, size_t from)
{
    for (size_t i = s->n; i > from; i--)
        queue_index_release(s->q, s->entries[i - 1], true);
    s->n = from;
}

static void step_free(struct queue_move_step *s)
{
    struct queue *q = s->q;
    s->task->step = NULL;
    spool_op_clear(&s->read);
    buf_free(&s->note);
    free(s->heads);
    free(s);
    queue_settled(q->service, q);
}

/* ---- moved */

static void arrive(struct queue_move_step *s, size_t i)
{
    struct queue_head h;
    struct queue *to = s->to;
    if (s->seqs[i] < to->wiped_below || !queue_head_read(s->moves[i].head, &h))
        return;
    to->bytes += s->bytes[i];
    queue_index_add(to, s->seqs[i], s->born_ms, 0, h.fields[QUEUE_HEAD_GROUP]);
}

static void moved(struct spool_op *op)
{
    struct queue_move_step *s = container_of(op, struct queue_move_step, move);
    struct queue_move_task *t = s->task;
    size_t n = s->n_move;
    if (s->seq_noted)
        queue_seq_noted(s->to, &s->seq_note, op->ok);
    for (size_t i = 0; op->ok && i < n; i++) {
        if (s->moves[i].found)
            arrive(s, i);
        queue_index_remove(s->q, s->entries[i]);
    }
    if (op->ok) {
        t->pub.moved += n;
        s->q->moved += n;
    }
    put_back(s, 0);
    spool_op_clear(op);
    queue_unhold(s->to);
    if (op->ok && s->failure != NULL && goes_on(s->q))
        queue_move_end(t, QUEUE_MOVE_FAILED, s->failure);
    else if (op->ok)
        next_step(t, t->pub.rate > 0 ? (int64_t)n * 1000 / t->pub.rate : 0);
    else
        next_step(t, QUEUE_RETRY_MS);
    step_free(s);
}

/* ---- read */

/* Where this message goes; NULL: nowhere, and s->failure says why. */
static struct queue *destination(struct queue_move_step *s, const struct queue_head *h)
{
    const struct queue_move_task *t = s->task;
    struct slice arn =
        t->destination != NULL ? slice_of(t->destination) : h->fields[QUEUE_HEAD_DEAD_SOURCE];
    struct queue *to = arn.n > 0 ? queues_find_arn(s->q->service, arn) : NULL;
    if (arn.n == 0)
        s->failure = "CouldNotDetermineMessageSource";
    else if (to == NULL || to->settings.fifo != s->q->settings.fifo)
        s->failure = "AWS.SimpleQueueService.NonExistentQueue";
    return s->failure == NULL ? to : NULL;
}

/* AWS: a message that was moved is a new one: its id, its time, its receive count. */
static size_t new_head(struct queue_move_step *s, size_t i, struct queue_head *h, char *out)
{
    char id[QUEUE_ID_ROOM];
    queue_receipt_message_id(s->q->service->secret, spool_id(s->to->owner, s->seqs[i]), id);
    h->fields[QUEUE_HEAD_ID] = slice_of(id);
    h->fields[QUEUE_HEAD_DEAD_SOURCE] = SLICE_NONE;
    h->sent_ms = queue_wall(s->q->service, s->born_ms);
    return queue_head_write(h, out);
}

static void plan_one(struct queue_move_step *s, size_t i, struct queue_head *h, char **at)
{
    s->seqs[i] = queue_seq_next(s->to);
    size_t n = new_head(s, i, h, *at);
    s->bytes[i] = (uint32_t)(n + s->reads[i].body.n);
    s->entries[i]->bytes = s->bytes[i];
    s->moves[i] = (struct spool_change){
        .kind = SPOOL_MOVE,
        .id = s->reads[i].id,
        .to_id = spool_id(s->to->owner, s->seqs[i]),
        .born_ms = queue_wall(s->q->service, s->born_ms),
        .head = {*at, n},
    };
    *at += n;
    s->n_move = i + 1;
}

/* The first ones that have the same destination. One that is gone is only forgotten. */
static void plan(struct queue_move_step *s)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->n; i++)
        bytes += s->reads[i].head.n + HEAD_SPARE;
    char *at = s->heads = mem_alloc_raw(bytes);
    s->born_ms = queue_now(s->q);
    for (size_t i = 0; i < s->n; i++) {
        struct queue_head h;
        if (!s->reads[i].found || s->entries[i]->gone)
            return;
        if (!queue_head_read(s->reads[i].head, &h)) {
            s->failure = "CouldNotDetermineMessageSource";
            return;
        }
        struct queue *to = destination(s, &h);
        if (to == NULL || (s->to != NULL && s->to != to))
            return;
        s->to = to;
        plan_one(s, i, &h, &at);
    }
}

/* Nothing to move: the first one is gone, or cannot go anywhere. */
static void plan_failed(struct queue_move_step *s)
{
    struct queue_move_task *t = s->task;
    bool ok = s->read.ok;
    if (ok && !s->reads[0].found)
        queue_index_remove(s->q, s->entries[0]);
    put_back(s, 0);
    if (ok && s->failure != NULL && goes_on(s->q))
        queue_move_end(t, QUEUE_MOVE_FAILED, s->failure);
    else
        next_step(t, ok ? 0 : QUEUE_RETRY_MS);
    step_free(s);
}

static void read_done(struct spool_op *op)
{
    struct queue_move_step *s = container_of(op, struct queue_move_step, read);
    if (op->ok && goes_on(s->q))
        plan(s);
    if (s->n_move == 0) {
        plan_failed(s);
        return;
    }
    put_back(s, s->n_move);
    size_t n = s->n_move;
    s->moves[n] = queue_move_note(s->task, n, &s->note);
    s->seq_noted = queue_seq_note(s->to, &s->seq_note, &s->moves[n + 1]);
    s->move = (struct spool_op){.changes = s->moves, .n = n + 1 + s->seq_noted, .done = moved};
    queue_hold(s->to);
    spool_submit(s->q->service->spool, &s->move);
}

/* ---- begin */

static size_t pop(struct queue_move_step *s, size_t max)
{
    struct queue_group *group = NULL;
    while (s->n < max) {
        struct queue_entry *e = queue_index_pop(s->q, &group);
        if (e == NULL)
            break;
        e->busy++;
        s->reads[s->n] =
            (struct spool_change){.kind = SPOOL_READ, .id = spool_id(s->q->owner, e->seq)};
        s->entries[s->n++] = e;
    }
    return s->n;
}

void queue_move_tick(struct timer *timer)
{
    struct queue_move_task *t = container_of(timer, struct queue_move_task, tick);
    struct queue *q = t->q;
    if (t->pub.state == QUEUE_MOVE_CANCELLING) {
        queue_move_end(t, QUEUE_MOVE_CANCELLED, NULL);
        return;
    }
    if (t->pub.moved >= t->pub.to_move) {
        queue_move_end(t, QUEUE_MOVE_COMPLETED, NULL);
        return;
    }
    if (q->wiping) {
        timer_start(q->service->loop, &t->tick, PAUSE_MS);
        return;
    }
    struct queue_move_step *s = mem_alloc(sizeof *s);
    s->task = t;
    s->q = q;
    if (pop(s, batch_of(t)) == 0) {
        free(s);
        queue_move_end(t, QUEUE_MOVE_COMPLETED, NULL);
        return;
    }
    t->step = s;
    s->read = (struct spool_op){.changes = s->reads, .n = s->n, .done = read_done};
    queue_submit(q->service, q, &s->read);
}
