/* spool_log.c - what of the log is committed and what is synced, in frames and bytes. */
#include "engine/spool_log.h"

#include "engine/spool_sql.h"

enum { HEADER_BYTES = 32, FRAME_BYTES = SPOOL_PAGE_BYTES + 24, BEGIN_FRAMES = 24 };

static int64_t place_of(int64_t frame)
{
    return HEADER_BYTES + frame * FRAME_BYTES;
}

void spool_log_committed(struct spool_log *l, int64_t frames, bool synced)
{
    l->frames = l->committed = frames;
    if (synced)
        l->synced = frames;
}

void spool_log_copied(struct spool_log *l, bool all_in_file)
{
    if (all_in_file)
        l->frames = l->begun = 0;
    l->synced = l->frames;
}

void spool_log_synced(struct spool_log *l)
{
    l->synced = l->frames;
}

bool spool_log_is_unsynced(const struct spool_log *l)
{
    return l->synced < l->frames;
}

void spool_log_begin_sync(struct spool_log *l, struct spool_space *space)
{
    if (l->begun < l->synced)
        l->begun = l->synced;
    if (l->frames - l->begun < BEGIN_FRAMES)
        return;
    spool_space_write_log(space, place_of(l->begun), place_of(l->frames));
    l->begun = l->frames;
}

int64_t spool_log_bytes(const struct spool_log *l)
{
    return l->frames * FRAME_BYTES;
}

void spool_log_disown(struct spool_log *l, struct spool_space *space)
{
    l->unsure = true;
    spool_log_restore(l, space);
    spool_space_cut_log(space, place_of(l->committed));
}

bool spool_log_restore(struct spool_log *l, struct spool_space *space)
{
    if (l->unsure)
        l->unsure = !spool_space_rewrite_log(space, place_of(l->synced), place_of(l->frames));
    return !l->unsure;
}
