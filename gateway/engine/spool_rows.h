/* spool_rows.h - what each change of an operation does to the spool's tables, and how many bytes
 * the rows have. For spool*.c. One thread at a time. */
#ifndef ENGINE_SPOOL_ROWS_H
#define ENGINE_SPOOL_ROWS_H

#include "base/buf.h"
#include "engine/spool.h"
#include "engine/spool_db.h"

/* Ranges of ids whose rows are as good as deleted, across restarts; they go piece by piece. */
struct spool_wipes {
    struct spool_wipe {
        uint64_t id, to_id;
    } * v;
    size_t n;
};

struct spool_rows {
    struct spool_db *db; /* borrowed */
    int64_t bytes;       /* of all rows, with the open transaction; known after spool_rows_scan */
    int64_t committed_bytes;
    struct spool_wipes wipes, committed_wipes;
    bool wipes_changed, new_rows; /* in the open transaction */
};

/* Reads what a former run left to wipe. */
bool spool_rows_init(struct spool_rows *, struct spool_db *, struct error *) MUST_CHECK;
void spool_rows_fini(struct spool_rows *);

enum spool_db_status spool_rows_begin(struct spool_rows *, bool synced); /* spool_db_begin */
enum spool_db_status spool_rows_commit(struct spool_rows *);
void spool_rows_rollback(struct spool_rows *); /* after any failure */
/* Changes inside a transaction. What TAKE and READ read goes to the end of out, head then body, in
 * the order of the changes; of the slices only the lengths are set. */
enum spool_db_status spool_rows_apply(struct spool_rows *, struct spool_change *, size_t n,
                                      struct buf *out);
bool spool_rows_is_wiped(const struct spool_rows *, uint64_t id); /* as good as deleted */
/* In a transaction of its own: deletes the next piece of what is to be wiped. */
enum spool_db_status spool_rows_sweep(struct spool_rows *);

/* See spool_scan. */
bool spool_rows_scan(struct spool_rows *,
                     void (*on_note)(void *ctx, struct slice name, struct slice value),
                     void (*on_row)(void *ctx, const struct spool_row *), void *ctx,
                     struct error *) MUST_CHECK;

#endif
