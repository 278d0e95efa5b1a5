/* spool_thread.c - group commit: all that waits becomes one transaction, and what the disk says to
 * that becomes the answer of each operation. */
#include "engine/spool_house.h"
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FULL_AGAIN_MS = 60 * 1000 }; /* a full store is told about no more often */

static struct spool_op *op_of(struct list *node)
{
    return container_of(node, struct spool_op, node);
}

/* ---- refusing */

static void tell_full(struct spool_thread *t, const char *why)
{
    int64_t now = spool_house_now_ms();
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
    enum spool_db_status status = spool_rows_apply(&t->rows, op->changes, op->n, &out);
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

/* One transaction; on failure nothing of it stays, but the operations are in group. */
static enum spool_db_status commit_some(struct spool_thread *t, struct list *todo,
                                        struct list *group, size_t max_rows)
{
    bool synced = !op_of(todo->next)->relaxed;
    enum spool_db_status status = spool_rows_begin(&t->rows, synced);
    if (status == SPOOL_DB_OK)
        status = apply_some(t, todo, group, max_rows);
    if (status == SPOOL_DB_OK)
        status = spool_rows_commit(&t->rows);
    if (status == SPOOL_DB_OK && synced) /* one that changes nothing has synced nothing */
        status = spool_db_sync(t->rows.db);
    if (status != SPOOL_DB_OK)
        spool_rows_rollback(&t->rows);
    else if (synced)
        t->unsynced_ms = 0;
    else if (t->unsynced_ms == 0)
        t->unsynced_ms = spool_house_now_ms();
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
            spool_house_suspect(t);
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
        spool_house_suspect(t);
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
    while (!list_empty(&t->relaxed) && !t->suspect) {
        commit_group(t, &t->relaxed);
        if (is_empty(t, &t->todo)) /* else the next group syncs */
            spool_house_sync_old(t);
    }
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

/* ---- the thread */

static void *thread_main(void *arg)
{
    struct spool_thread *t = arg;
    while (!t->stopping) {
        if (list_empty(&t->todo) && list_empty(&t->relaxed))
            mailbox_wait(t->in, spool_house_sleep_ms(t));
        take_in(t);
        if (t->suspect)
            spool_house_recover(t);
        if (list_empty(&t->todo) && list_empty(&t->relaxed)) {
            spool_house_when_idle(t);
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
            spool_house_after_group(t);
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
