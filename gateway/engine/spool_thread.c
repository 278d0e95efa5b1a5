/* spool_thread.c - group commit: all that waits becomes one transaction, and what the disk says to
 * that becomes the answer of each operation. */
#include "engine/spool_thread.h"
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RECOVER_FIRST_MS = 100,
    RECOVER_MOST_MS = 30 * 1000,
    REST_MS = 1000,                    /* after housekeeping failed, for want of room mostly */
    LOG_AGAIN_BYTES = 4 * 1024 * 1024, /* more of log before a failed checkpoint is tried again */
    SHRINK_PAGES = 64,
    SHRINK_EVERY_MS = 10,
    FULL_AGAIN_MS = 60 * 1000, /* a full store is told about no more often */
};

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct spool_op *op_of(struct list *node)
{
    return container_of(node, struct spool_op, node);
}

/* ---- trouble */

static void set_suspect(struct spool_thread *t)
{
    snprintf(t->why, sizeof t->why, "%s", spool_db_why(t->rows.db));
    if (!t->suspect) {
        if (now_ms() - t->recovered_at_ms > RECOVER_MOST_MS)
            t->recover_wait_ms = RECOVER_FIRST_MS;
        spool_db_disown(t->rows.db);
        log_error(&t->log, "the disk failed: %s; nothing is accepted until it works again", t->why);
    }
    t->suspect = true;
    t->recover_at_ms = now_ms() + t->recover_wait_ms;
    t->recover_wait_ms *= 2;
    if (t->recover_wait_ms > RECOVER_MOST_MS)
        t->recover_wait_ms = RECOVER_MOST_MS;
}

static void try_recover(struct spool_thread *t)
{
    if (now_ms() < t->recover_at_ms)
        return;
    if (!spool_db_recover(t->rows.db)) {
        set_suspect(t);
        return;
    }
    t->suspect = false;
    t->recovered_at_ms = now_ms();
    log_info(&t->log, "the disk works again");
}

static void tell_full(struct spool_thread *t, const char *why)
{
    int64_t now = now_ms();
    if (t->full_again_ms > now)
        return;
    t->full_again_ms = now + FULL_AGAIN_MS;
    log_warn(&t->log, "new messages are refused: %s", why);
}

static void refuse(struct spool_thread *t, struct spool_op *op, bool full, const char *why)
{
    if (full)
        tell_full(t, why);
    spool_op_clear(op);
    op->ok = false;
    op->full = full;
    snprintf(op->why, sizeof op->why, "%s", why);
    for (size_t i = 0; i < op->n; i++)
        if (op->changes[i].kind == SPOOL_TAKE || op->changes[i].kind == SPOOL_READ)
            op->changes[i].head = op->changes[i].body = SLICE_NONE;
}

/* ---- one operation inside a transaction */

static int64_t bytes_put(const struct spool_op *op)
{
    int64_t sum = 0;
    for (size_t i = 0; i < op->n; i++) {
        const struct spool_change *c = &op->changes[i];
        if (c->kind == SPOOL_PUT)
            sum += (int64_t)(c->key.n + c->head.n + c->body.n);
    }
    return sum;
}

/* The block holds head and body of each row found, one after the other. */
static void set_slices(struct spool_op *op)
{
    char *p = op->block;
    for (size_t i = 0; i < op->n; i++) {
        struct spool_change *c = &op->changes[i];
        if (!c->found || (c->kind != SPOOL_TAKE && c->kind != SPOOL_READ))
            continue;
        c->head.p = p;
        c->body.p = p + c->head.n;
        p += c->head.n + c->body.n;
    }
}

/* What a refusal leaves in op is its answer; other failures are the caller's. *work grows by the
 * bytes that passed. */
static enum spool_db_status apply(struct spool_thread *t, struct spool_op *op, size_t *work)
{
    int64_t more = bytes_put(op);
    op->ok = true;
    op->full = false;
    if (more > 0 && t->max_bytes > 0 && t->rows.bytes + more > t->max_bytes) {
        refuse(t, op, true, "the store is full, by StoreMaxBytes");
        return SPOOL_DB_OK;
    }
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    enum spool_db_status status = SPOOL_DB_OK;
    for (size_t i = 0; i < op->n && status == SPOOL_DB_OK; i++)
        status = spool_rows_apply(&t->rows, &op->changes[i], &out);
    *work += (size_t)more + out.n;
    if (status == SPOOL_DB_OK && out.n > 0) {
        op->block = buf_steal(&out);
        set_slices(op);
    }
    buf_free(&out);
    return status;
}

/* ---- groups */

static void hand_back(struct spool_thread *t, struct list *ops)
{
    atomic_store_explicit(&t->bytes, t->rows.bytes, memory_order_relaxed);
    mailbox_post_all(t->out, ops);
}

static bool is_empty(const struct spool_thread *t, const struct list *todo)
{
    return list_empty(todo) || todo->next == &t->stop;
}

/* Moves operations from todo to group while they fit into one transaction. */
static enum spool_db_status apply_some(struct spool_thread *t, struct list *todo,
                                       struct list *group, size_t max_rows)
{
    size_t rows = 0, work = 0;
    enum spool_db_status status = SPOOL_DB_OK;
    while (status == SPOOL_DB_OK && rows < max_rows && work < SPOOL_GROUP_BYTES &&
           !is_empty(t, todo)) {
        struct list *node = todo->next;
        list_remove(node);
        list_append(group, node);
        status = apply(t, op_of(node), &work);
        rows += op_of(node)->n;
    }
    return status;
}

/* Relaxed ones need no sync, unless the last one is long ago. */
static bool must_sync(const struct spool_thread *t, const struct list *todo)
{
    return !op_of(todo->next)->relaxed ||
           (t->unsynced_ms != 0 && now_ms() - t->unsynced_ms >= SPOOL_RELAXED_MS);
}

/* One transaction; on failure nothing of it stays, but the operations are in group. */
static enum spool_db_status commit_some(struct spool_thread *t, struct list *todo,
                                        struct list *group, size_t max_rows)
{
    bool synced = must_sync(t, todo);
    enum spool_db_status status = spool_rows_begin(&t->rows, synced);
    if (status == SPOOL_DB_OK)
        status = apply_some(t, todo, group, max_rows);
    if (status == SPOOL_DB_OK)
        status = spool_rows_commit(&t->rows);
    if (status != SPOOL_DB_OK)
        spool_rows_rollback(&t->rows);
    else if (synced)
        t->unsynced_ms = 0;
    else if (t->unsynced_ms == 0)
        t->unsynced_ms = now_ms();
    return status;
}

/* A group failed: its operations one by one, so that a bad one fails alone. */
static void commit_each(struct spool_thread *t, struct list *group)
{
    struct list todo, done;
    list_init(&todo);
    list_init(&done);
    list_splice(&todo, group);
    list_each(&todo, node) spool_op_clear(op_of(node));
    while (!list_empty(&todo)) {
        struct list *node = todo.next;
        enum spool_db_status status =
            t->suspect ? SPOOL_DB_SUSPECT : commit_some(t, &todo, &done, 1);
        if (status == SPOOL_DB_SUSPECT && !t->suspect)
            set_suspect(t);
        if (!list_empty(&todo) && todo.next == node) {
            list_remove(node); /* not even begun */
            list_append(&done, node);
        }
        if (status != SPOOL_DB_OK)
            refuse(t, op_of(node), status == SPOOL_DB_FULL,
                   t->suspect ? t->why : spool_db_why(t->rows.db));
    }
    list_splice(group, &done);
}

static void commit_group(struct spool_thread *t, struct list *todo)
{
    struct list group;
    list_init(&group);
    enum spool_db_status status = commit_some(t, todo, &group, SPOOL_GROUP_ROWS);
    if (status == SPOOL_DB_SUSPECT)
        set_suspect(t);
    if (status == SPOOL_DB_FULL) /* the log may start anew, and then deleting works */
        (void)spool_db_checkpoint(t->rows.db);
    if (status != SPOOL_DB_OK) {
        if (list_empty(&group)) { /* BEGIN failed */
            struct list *first = todo->next;
            list_remove(first);
            list_append(&group, first);
        }
        commit_each(t, &group);
    }
    hand_back(t, &group);
}

static void refuse_all(struct spool_thread *t, struct list *todo)
{
    struct list group;
    list_init(&group);
    while (!is_empty(t, todo)) {
        struct list *node = todo->next;
        list_remove(node);
        list_append(&group, node);
        refuse(t, op_of(node), false, t->why);
    }
    hand_back(t, &group);
}

static void take_in(struct spool_thread *t)
{
    struct list came;
    list_init(&came);
    mailbox_take(t->in, &came);
    while (!list_empty(&came)) {
        struct list *node = came.next;
        list_remove(node);
        list_append(node != &t->stop && op_of(node)->relaxed ? &t->relaxed : &t->todo, node);
        t->begun = true;
    }
}

static void commit_relaxed(struct spool_thread *t)
{
    while (!list_empty(&t->relaxed) && !t->suspect)
        commit_group(t, &t->relaxed);
}

/* The relaxed ones are told before the others wait for the disk; then a group of the others, which
 * brings both to the disk. More of them may have come meanwhile: a full group costs no more. */
static void commit_both(struct spool_thread *t)
{
    if (!list_empty(&t->relaxed)) {
        commit_relaxed(t);
        take_in(t);
        commit_relaxed(t);
    }
    if (!t->suspect && !is_empty(t, &t->todo))
        commit_group(t, &t->todo);
}

/* ---- keeping house, between groups */

static void judge(struct spool_thread *t, enum spool_db_status status)
{
    if (status == SPOOL_DB_SUSPECT)
        set_suspect(t);
    else if (status != SPOOL_DB_OK)
        t->rest_until_ms = now_ms() + REST_MS;
}

static void checkpoint(struct spool_thread *t)
{
    enum spool_db_status status = spool_db_checkpoint(t->rows.db);
    if (status == SPOOL_DB_OK)
        t->unsynced_ms = 0;
    judge(t, status);
    t->log_due_bytes = spool_db_log_bytes(t->rows.db) + LOG_AGAIN_BYTES;
    if (t->log_due_bytes < SPOOL_LOG_BYTES)
        t->log_due_bytes = SPOOL_LOG_BYTES;
}

static void sweep(struct spool_thread *t)
{
    judge(t, spool_rows_sweep(&t->rows));
    atomic_store_explicit(&t->bytes, t->rows.bytes, memory_order_relaxed);
}

static void shrink(struct spool_thread *t)
{
    judge(t, spool_db_shrink(t->rows.db, SHRINK_PAGES, &t->shrinking));
}

static bool may_keep_house(const struct spool_thread *t)
{
    return !t->suspect && now_ms() >= t->rest_until_ms;
}

static void after_group(struct spool_thread *t)
{
    if (t->rows.wipes.n > 0 && may_keep_house(t))
        sweep(t);
    if (spool_db_log_bytes(t->rows.db) >= t->log_due_bytes && !t->suspect)
        checkpoint(t);
}

/* Nothing came for the time that sleep_ms asked for. */
static void when_idle(struct spool_thread *t)
{
    if (!may_keep_house(t))
        return;
    if (t->rows.wipes.n > 0) {
        after_group(t);
        return;
    }
    shrink(t);
    if (!t->shrinking && spool_db_log_bytes(t->rows.db) > 0 && may_keep_house(t))
        checkpoint(t);
}

static int until(int64_t at_ms)
{
    int64_t left = at_ms - now_ms();
    return left < 0 ? 0 : (int)left;
}

/* -1: for ever. Before the first operation the connection may be in use by spool_scan. */
static int sleep_ms(const struct spool_thread *t)
{
    bool idle = t->rows.wipes.n == 0 && !t->shrinking && spool_db_log_bytes(t->rows.db) == 0;
    if (!t->begun || (idle && !t->suspect))
        return -1;
    if (t->suspect)
        return until(t->recover_at_ms);
    if (until(t->rest_until_ms) > 0)
        return until(t->rest_until_ms);
    return t->rows.wipes.n > 0 ? 0 : t->shrinking ? SHRINK_EVERY_MS : SPOOL_IDLE_MS;
}

static void *thread_main(void *arg)
{
    struct spool_thread *t = arg;
    while (!t->stopping) {
        if (list_empty(&t->todo) && list_empty(&t->relaxed))
            mailbox_wait(t->in, sleep_ms(t));
        take_in(t);
        if (t->suspect)
            try_recover(t);
        if (list_empty(&t->todo) && list_empty(&t->relaxed)) {
            when_idle(t);
            continue;
        }
        if (t->suspect) {
            refuse_all(t, &t->relaxed);
            refuse_all(t, &t->todo);
        } else {
            commit_both(t);
        }
        t->stopping = t->todo.next == &t->stop && list_empty(&t->relaxed);
        if (!t->stopping)
            after_group(t);
    }
    list_remove(&t->stop);
    assert(list_empty(&t->todo));
    return NULL;
}

bool spool_thread_start(struct spool_thread *t, struct error *err)
{
    list_init(&t->todo);
    list_init(&t->relaxed);
    list_init(&t->stop);
    t->log_due_bytes = SPOOL_LOG_BYTES;
    atomic_init(&t->bytes, t->rows.bytes);
    sigset_t all, before; /* signals are for the loop thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&t->id, NULL, thread_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errno == 0 || error_sys(err, "store thread");
}

void spool_thread_stop(struct spool_thread *t)
{
    mailbox_post(t->in, &t->stop);
    pthread_join(t->id, NULL);
}
