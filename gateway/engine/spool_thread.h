/* spool_thread.h - the store thread: takes operations from one mailbox, commits them in groups,
 * hands them back through another. For spool.c. */
#ifndef ENGINE_SPOOL_THREAD_H
#define ENGINE_SPOOL_THREAD_H

#include "base/log.h"
#include "engine/spool_rows.h"
#include "io/mailbox.h"
#include <pthread.h>
#include <stdatomic.h>

enum {
    SPOOL_GROUP_ROWS = 200,
    SPOOL_GROUP_BYTES = 1024 * 1024,
    SPOOL_LOG_BYTES = 16 * 1024 * 1024, /* then it goes into the file, busy or not */
    SPOOL_IDLE_MS = 200,                /* of silence, then it goes into the file */
};

struct spool_thread {
    struct mailbox *in, *out; /* of struct spool_op's node */
    struct log_scope log;
    int64_t max_bytes;     /* 0: no cap */
    _Atomic int64_t bytes; /* of all rows, as committed; anyone may read it */
    struct list stop;      /* posted instead of an operation */
    pthread_t id;
    /* the rest is the thread's own from start to stop */
    struct spool_rows rows;
    struct list todo;    /* operations, and at the end stop */
    struct list relaxed; /* the relaxed ones */
    int64_t unsynced_ms; /* monotonic: the first commit since the last sync; 0: none */
    bool begun, stopping;
    bool suspect;          /* nothing is promised until recovery succeeds */
    int64_t recover_at_ms; /* monotonic */
    int64_t recovered_at_ms;
    int64_t recover_wait_ms;
    int64_t rest_until_ms; /* no housekeeping before */
    int64_t log_due_bytes; /* size of the log at which it goes into the file */
    int64_t full_again_ms; /* a full store is not told about before */
    bool shrinking;
    char why[128];
};

/* rows, in, out, log and max_bytes are set. */
bool spool_thread_start(struct spool_thread *, struct error *) MUST_CHECK;
/* Waits until everything posted has been handed back and the thread has ended. */
void spool_thread_stop(struct spool_thread *);

#endif
