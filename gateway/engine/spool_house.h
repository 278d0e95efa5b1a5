/* spool_house.h - what the store thread does beside its groups. For spool_thread.c. */
#ifndef ENGINE_SPOOL_HOUSE_H
#define ENGINE_SPOOL_HOUSE_H

#include "engine/spool_thread.h"

int64_t spool_house_now_ms(void); /* monotonic */
/* The disk failed, with what spool_db_why says: nothing is promised until it works again. */
void spool_house_suspect(struct spool_thread *);
void spool_house_recover(struct spool_thread *); /* tries to, when it is time */
/* Syncs what has been waiting for it for SPOOL_RELAXED_MS; what is younger is prepared for it. */
void spool_house_sync_old(struct spool_thread *);
void spool_house_after_group(struct spool_thread *);
/* How long the thread may wait for operations; -1: for ever. */
int spool_house_sleep_ms(const struct spool_thread *);
/* None came in that time. */
void spool_house_when_idle(struct spool_thread *);

#endif
