/* spool_log.h - how far the log has got: what is committed in it, what is on disk, and how both
 * stay true after a sync has failed. Counted in frames: one page each. For spool_db.c. */
#ifndef ENGINE_SPOOL_LOG_H
#define ENGINE_SPOOL_LOG_H

#include "engine/spool_space.h"

struct spool_log {
    int64_t frames;    /* in the log, and not all of them in the file */
    int64_t committed; /* in the log, or more */
    int64_t synced;    /* of frames: what a power cut leaves */
    int64_t begun;     /* of frames: what the system was told to write */
    bool unsure;       /* those behind the synced ones are to be written again */
};

void spool_log_committed(struct spool_log *, int64_t frames, bool synced); /* all there are now */
/* A checkpoint: they are synced; all_in_file: the next commit starts the log anew. */
void spool_log_copied(struct spool_log *, bool all_in_file);
void spool_log_synced(struct spool_log *); /* all that is committed */
bool spool_log_is_unsynced(const struct spool_log *);
void spool_log_begin_sync(struct spool_log *, struct spool_space *); /* see spool_db_begin_sync */
int64_t spool_log_bytes(const struct spool_log *);                   /* not yet in the main file */
/* See spool_db_disown. */
void spool_log_disown(struct spool_log *, struct spool_space *);
/* What was committed and not synced may be lost on disk and yet pass for clean in memory: written
 * again it is part of the next sync. False: it cannot be written now. */
bool spool_log_restore(struct spool_log *, struct spool_space *);

#endif
