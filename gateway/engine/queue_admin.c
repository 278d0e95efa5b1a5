/* queue_admin.c - creating, changing, deleting and purging queues: a note on disk, then the index.
 */

#include "base/mem.h"
#include "engine/queue_index.h"
#include "engine/queue_move.h"
#include "engine/queue_receive.h"
#include "engine/queue_settings.h"
#include "engine/queue_sweep.h"
#include "engine/queue_wipe.h"
#include <stdio.h>
#include <stdlib.h>

enum { NOTE_LIMIT_BYTES = 256 * 1024, PURGE_PAUSE_MS = 60000, CHANGES_MAX = 16, AT_ONCE = 16384 };

struct admin_job {
    struct spool_op op;
    struct queue_later later;
    struct queue *q;
    struct queue_admin *admin;
    void (*apply)(struct admin_job *); /* when it is on disk */
    void (*revoke)(struct admin_job *);
    bool creates;
    struct queue_settings settings;
    struct option_map tags;
    int64_t modified_s;
    struct spool_change changes[CHANGES_MAX];
    char def_name[32], tags_name[32], owner[16];
    struct buf def, tags_text;
};

static struct admin_job *new_job(struct queue *q, struct queue_admin *admin)
{
    struct admin_job *job = mem_alloc(sizeof *job);
    job->q = q;
    job->admin = admin;
    job->modified_s = queue_wall(q->service, queue_now(q)) / 1000;
    buf_init(&job->def, NOTE_LIMIT_BYTES);
    buf_init(&job->tags_text, NOTE_LIMIT_BYTES);
    return job;
}

static void finish(struct admin_job *job, enum queue_status status)
{
    struct queue_admin *admin = job->admin;
    queue_settings_free(&job->settings);
    queue_tags_free(&job->tags);
    buf_free(&job->def);
    buf_free(&job->tags_text);
    free(job);
    admin->status = status;
    admin->done(admin);
}

static void run_later(struct queue_later *l)
{
    struct admin_job *job = container_of(l, struct admin_job, later);
    finish(job, job->admin->status);
}

static void answer_later(struct admin_job *job, enum queue_status status)
{
    job->admin->status = status;
    queue_later(job->q->service, &job->later, run_later);
}

/* A job for a queue that is there; NULL: the answer is on its way. */
static struct admin_job *live_job(struct queue *q, struct queue_admin *admin)
{
    struct admin_job *job = new_job(q, admin);
    admin->queue = q;
    if (q->live)
        return job;
    answer_later(job, QUEUE_GONE);
    return NULL;
}

static void noted(struct spool_op *op)
{
    struct admin_job *job = container_of(op, struct admin_job, op);
    struct queue *q = job->q;
    struct queues *s = q->service;
    enum queue_status status = queue_status_of(op);
    if (op->ok && job->apply != NULL)
        job->apply(job);
    if (!op->ok && job->revoke != NULL)
        job->revoke(job);
    if (job->creates && job->admin->queue == NULL && op->ok)
        status = QUEUE_BROKEN; /* the twin's note failed */
    spool_op_clear(op);
    finish(job, status);
    queue_settled(s, q);
}

static void submit(struct admin_job *job)
{
    job->op.changes = job->changes;
    job->op.done = noted;
    queue_submit(job->q->service, job->q, &job->op);
}

/* ---- notes: one for the settings, one for the tags, so that changes of both do not undo each
 * other
 */

static void note_settings(struct admin_job *job, bool deleted)
{
    struct queue *q = job->q;
    struct json_out j;
    json_out_init(&j, &job->def);
    json_object(&j);
    json_kv_cstr(&j, "name", q->name);
    json_kv_i64(&j, "created", q->created_s);
    json_kv_i64(&j, "modified", job->modified_s);
    json_kv_i64(&j, "deleted", deleted);
    json_kv_i64(&j, "declared", job->settings.declared);
    json_key(&j, "settings");
    queue_settings_write(&j, &job->settings);
    json_end(&j);
    (void)snprintf(job->def_name, sizeof job->def_name, "queue.def.%06x", (unsigned)q->owner);
    job->changes[job->op.n++] = (struct spool_change){
        .kind = SPOOL_NOTE, .head = slice_of(job->def_name), .body = buf_slice(&job->def)};
}

static void note_tags(struct admin_job *job)
{
    struct json_out j;
    json_out_init(&j, &job->tags_text);
    queue_tags_write(&j, &job->tags);
    (void)snprintf(job->tags_name, sizeof job->tags_name, "queue.tags.%06x",
                   (unsigned)job->q->owner);
    job->changes[job->op.n++] = (struct spool_change){
        .kind = SPOOL_NOTE,
        .head = slice_of(job->tags_name),
        .body = job->tags.n > 0 ? buf_slice(&job->tags_text) : SLICE_NONE,
    };
}

/* No owner number is ever given out twice. */
static void note_owner(struct admin_job *job)
{
    (void)snprintf(job->owner, sizeof job->owner, "%u", (unsigned)job->q->service->next_owner);
    job->changes[job->op.n++] = (struct spool_change){
        .kind = SPOOL_NOTE, .head = SLICE("queue.owner"), .body = slice_of(job->owner)};
}

/* No queue is without it, and it never changes. */
static void note_secret(struct admin_job *job)
{
    struct queues *s = job->q->service;
    if (!s->secret_noted)
        job->changes[job->op.n++] =
            (struct spool_change){.kind = SPOOL_NOTE,
                                  .head = SLICE("queue.secret"),
                                  .body = {(const char *)s->secret, sizeof s->secret}};
}

/* ---- create */

static void created(struct admin_job *job)
{
    struct queue *q = job->q;
    q->service->secret_noted = true;
    (void)map_del(&q->service->creating, slice_of(q->name));
    queue_publish(q);
    job->admin->queue = q;
}

static void not_created(struct admin_job *job)
{
    (void)map_del(&job->q->service->creating, slice_of(job->q->name));
}

/* Two asked for the same name at the same time: the first one's queue is it. */
static void created_by_twin(struct admin_job *job)
{
    job->admin->queue = job->q->live ? job->q : NULL;
}

static void create_with_twin(struct queue *twin, struct queue_admin *admin)
{
    struct admin_job *job = new_job(twin, admin);
    job->creates = true;
    job->apply = created_by_twin;
    note_owner(job);
    submit(job);
}

void queue_create(struct queues *s, struct slice name, const struct queue_settings *settings,
                  const struct option_map *tags, struct queue_admin *admin)
{
    struct queue *twin = map_get(&s->creating, name);
    admin->queue = NULL;
    if (twin != NULL) {
        create_with_twin(twin, admin);
        return;
    }
    struct queue *q = queue_new(s, s->next_owner++, name);
    struct admin_job *job = new_job(q, admin);
    (void)map_set(&s->creating, name, q);
    queue_settings_copy(&job->settings, settings);
    queue_settings_copy(&q->settings, settings);
    queue_tags_copy(&job->tags, tags);
    queue_tags_copy(&q->tags, tags);
    q->created_s = q->modified_s = job->modified_s;
    note_settings(job, false);
    note_tags(job);
    note_owner(job);
    note_secret(job);
    job->creates = true;
    job->apply = created;
    job->revoke = not_created;
    submit(job);
}

/* ---- set */

static void apply_settings(struct admin_job *job)
{
    struct queue *q = job->q;
    struct queue_settings before = q->settings;
    q->settings = job->settings;
    job->settings = before;
    q->modified_s = job->modified_s;
    queue_sweep_soon(q);
    if (q->settings.fifo)
        queue_index_redelay(q);
    queue_receive_kick(q);
}

void queue_set(struct queue *q, const struct queue_settings *settings, struct queue_admin *admin)
{
    struct admin_job *job = live_job(q, admin);
    if (job == NULL)
        return;
    queue_settings_copy(&job->settings, settings);
    job->settings.fifo = q->settings.fifo;
    job->apply = apply_settings;
    note_settings(job, false);
    submit(job);
}

static void apply_tags(struct admin_job *job)
{
    struct option_map before = job->q->tags;
    job->q->tags = job->tags;
    job->tags = before;
}

void queue_set_tags(struct queue *q, const struct option_map *tags, struct queue_admin *admin)
{
    struct admin_job *job = live_job(q, admin);
    if (job == NULL)
        return;
    queue_tags_copy(&job->tags, tags);
    job->apply = apply_tags;
    note_tags(job);
    submit(job);
}

/* ---- delete: the note says so at once, the rows go afterwards */

static void deleted(struct admin_job *job)
{
    struct queue *q = job->q;
    struct queue_wipe *w = mem_alloc(sizeof *w);
    w->service = q->service;
    w->owner = q->owner;
    w->end = q->next_seq;
    w->at = queue_index_lowest(q);
    if (w->at > w->end)
        w->at = 1;
    queue_wipe_start(w);
    queue_forget(q);
}

/* The name may have been given to another meanwhile; then this one stays out of sight, and the
 * next start, which finds two, keeps the younger. */
static void not_deleted(struct admin_job *job)
{
    struct queue *q = job->q;
    struct slice name = slice_of(q->name);
    if (queues_find(q->service, name) != NULL || map_get(&q->service->creating, name) != NULL)
        return;
    queue_publish(q);
    queue_sweep_wake(q);
    queue_move_resume(q);
}

void queue_delete(struct queue *q, struct queue_admin *admin)
{
    struct admin_job *job = live_job(q, admin);
    if (job == NULL)
        return;
    admin->queue = NULL;
    queue_settings_copy(&job->settings, &q->settings);
    job->apply = deleted;
    job->revoke = not_deleted;
    queue_receive_end(q, QUEUE_GONE);
    queue_sweep_stop(q);
    queue_move_stop(q);
    note_settings(job, true);
    job->op.n += queue_move_drop(q, job->changes + job->op.n, CHANGES_MAX - job->op.n);
    queue_hide(q);
    submit(job);
}

/* ---- purge */

static void purged(struct queue_wipe *w)
{
    struct admin_job *job = w->impl;
    struct queue *q = w->q;
    queue_index_cut_below(q, w->at);
    q->wiped_below = w->at;
    q->wiping = false;
    if (w->status != QUEUE_OK)
        q->purged_ms = INT64_MIN;
    queue_receive_kick(q);
    queue_sweep_wake(q);
    finish(job, w->status);
}

void queue_purge(struct queue *q, struct queue_admin *admin)
{
    struct admin_job *job = live_job(q, admin);
    if (job == NULL)
        return;
    if (q->wiping || (q->purged_ms != INT64_MIN && q->purged_ms + PURGE_PAUSE_MS > queue_now(q))) {
        answer_later(job, QUEUE_PURGING);
        return;
    }
    q->wiping = true;
    q->purged_ms = queue_now(q);
    if (q->next_seq == 1) {
        q->wiping = false;
        answer_later(job, QUEUE_OK);
        return;
    }
    struct queue_wipe *w = mem_alloc(sizeof *w);
    w->service = q->service;
    w->q = q;
    w->owner = q->owner;
    w->end = q->next_seq;
    w->at = 1;
    /* What is being sent right now has a number above all that are there. */
    if (queue_index_messages(q) > AT_ONCE)
        w->at = queue_index_lowest(q);
    else
        w->step = w->end - 1;
    w->done = purged;
    w->impl = job;
    queue_wipe_start(w);
}
