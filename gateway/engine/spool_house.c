/* spool_house.c - what the store thread does beside its groups: brings the log into the file,
 * wipes, gives room back, and gets over a disk that failed. */
#include "engine/spool_house.h"
#include <stdio.h>
#include <time.h>

enum {
    RECOVER_FIRST_MS = 100,
    RECOVER_MOST_MS = 30 * 1000,
    REST_MS = 1000,                    /* after housekeeping failed, for want of room mostly */
    LOG_AGAIN_BYTES = 4 * 1024 * 1024, /* more of log before a failed checkpoint is tried again */
    SHRINK_PAGES = 64,
    SHRINK_EVERY_MS = 10,
};

int64_t spool_house_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- trouble */

void spool_house_suspect(struct spool_thread *t)
{
    snprintf(t->why, sizeof t->why, "%s", spool_db_why(t->rows.db));
    if (!t->suspect) {
        if (spool_house_now_ms() - t->recovered_at_ms > RECOVER_MOST_MS)
            t->recover_wait_ms = RECOVER_FIRST_MS;
        spool_db_disown(t->rows.db);
        log_error(&t->log, "the disk failed: %s; nothing is accepted until it works again", t->why);
    }
    t->suspect = true;
    t->recover_at_ms = spool_house_now_ms() + t->recover_wait_ms;
    t->recover_wait_ms *= 2;
    if (t->recover_wait_ms > RECOVER_MOST_MS)
        t->recover_wait_ms = RECOVER_MOST_MS;
}

void spool_house_recover(struct spool_thread *t)
{
    if (spool_house_now_ms() < t->recover_at_ms)
        return;
    if (!spool_db_recover(t->rows.db)) {
        spool_house_suspect(t);
        return;
    }
    t->suspect = false;
    t->unsynced_ms = 0;
    t->recovered_at_ms = spool_house_now_ms();
    log_info(&t->log, "the disk works again");
}

/* ---- between groups */

static void judge(struct spool_thread *t, enum spool_db_status status)
{
    if (status == SPOOL_DB_SUSPECT)
        spool_house_suspect(t);
    else if (status != SPOOL_DB_OK)
        t->rest_until_ms = spool_house_now_ms() + REST_MS;
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

static int64_t sync_at_ms(const struct spool_thread *t)
{
    return t->unsynced_ms + SPOOL_RELAXED_MS;
}

void spool_house_sync_old(struct spool_thread *t)
{
    if (t->suspect || t->unsynced_ms == 0)
        return;
    if (spool_house_now_ms() < sync_at_ms(t)) {
        spool_db_begin_sync(t->rows.db);
        return;
    }
    enum spool_db_status status = spool_db_sync(t->rows.db);
    if (status == SPOOL_DB_OK)
        t->unsynced_ms = 0;
    else
        spool_house_suspect(t);
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
    return !t->suspect && spool_house_now_ms() >= t->rest_until_ms;
}

void spool_house_after_group(struct spool_thread *t)
{
    if (t->rows.wipes.n > 0 && may_keep_house(t))
        sweep(t);
    if (spool_db_log_bytes(t->rows.db) >= t->log_due_bytes && !t->suspect)
        checkpoint(t);
    spool_house_sync_old(t); /* also when every strict group fails */
}

/* What needs a sync gets it first: the silence for the rest begins after that. */
void spool_house_when_idle(struct spool_thread *t)
{
    bool unsynced = t->unsynced_ms != 0;
    spool_house_sync_old(t);
    if (unsynced || !may_keep_house(t))
        return;
    if (t->rows.wipes.n > 0) {
        spool_house_after_group(t);
        return;
    }
    shrink(t);
    if (!t->shrinking && spool_db_log_bytes(t->rows.db) > 0 && may_keep_house(t))
        checkpoint(t);
}

static int until(int64_t at_ms)
{
    int64_t left = at_ms - spool_house_now_ms();
    return left < 0 ? 0 : (int)left;
}

/* Before the first operation the connection may be in use by spool_scan. */
int spool_house_sleep_ms(const struct spool_thread *t)
{
    bool idle = t->rows.wipes.n == 0 && !t->shrinking && spool_db_log_bytes(t->rows.db) == 0;
    if (!t->begun || (idle && !t->suspect))
        return -1;
    if (t->suspect)
        return until(t->recover_at_ms);
    if (t->unsynced_ms != 0)
        return until(sync_at_ms(t));
    if (until(t->rest_until_ms) > 0)
        return until(t->rest_until_ms);
    return t->rows.wipes.n > 0 ? 0 : t->shrinking ? SHRINK_EVERY_MS : SPOOL_IDLE_MS;
}
