/* spool_rows_scan.c - reads everything at start: notes, and messages with what was done to them. */
#include "engine/spool_rows.h"

bool spool_rows_is_wiped(const struct spool_rows *r, uint64_t id)
{
    for (size_t i = 0; i < r->wipes.n; i++)
        if (id >= r->wipes.v[i].id && id <= r->wipes.v[i].to_id)
            return true;
    return false;
}

static bool scan_notes(struct spool_db *db,
                       void (*on_note)(void *ctx, struct slice name, struct slice value), void *ctx)
{
    while (spool_db_step(db, SPOOL_SQL_NOTES))
        on_note(ctx, spool_db_blob(db, SPOOL_SQL_NOTES, 0), spool_db_blob(db, SPOOL_SQL_NOTES, 1));
    return spool_db_reset(db, SPOOL_SQL_NOTES) == SPOOL_DB_OK;
}

/* The state that belongs to a message: both are read in order of id, side by side. */
static void merge_state(struct spool_db *db, bool *left, struct spool_row *row)
{
    while (*left && (uint64_t)spool_db_int(db, SPOOL_SQL_STATES, 0) < row->id)
        *left = spool_db_step(db, SPOOL_SQL_STATES);
    bool mine = *left && (uint64_t)spool_db_int(db, SPOOL_SQL_STATES, 0) == row->id;
    row->due_ms = mine ? spool_db_int(db, SPOOL_SQL_STATES, 1) : 0;
    row->takes = mine ? (uint32_t)spool_db_int(db, SPOOL_SQL_STATES, 2) : 0;
    row->first_ms = mine ? spool_db_int(db, SPOOL_SQL_STATES, 3) : 0;
}

static bool scan_rows(struct spool_rows *r, void (*on_row)(void *ctx, const struct spool_row *),
                      void *ctx)
{
    struct spool_db *db = r->db;
    struct spool_row row = {0};
    bool left = spool_db_step(db, SPOOL_SQL_STATES);
    r->bytes = 0;
    while (spool_db_step(db, SPOOL_SQL_ROWS)) {
        row.id = (uint64_t)spool_db_int(db, SPOOL_SQL_ROWS, 0);
        row.born_ms = spool_db_int(db, SPOOL_SQL_ROWS, 1);
        row.key = spool_db_blob(db, SPOOL_SQL_ROWS, 2);
        row.bytes = row.key.n + (uint64_t)spool_db_int(db, SPOOL_SQL_ROWS, 3);
        r->bytes += (int64_t)row.bytes;
        merge_state(db, &left, &row);
        if (r->wipes.n == 0 || !spool_rows_is_wiped(r, row.id))
            on_row(ctx, &row);
    }
    r->committed_bytes = r->bytes;
    bool states_ok = spool_db_reset(db, SPOOL_SQL_STATES) == SPOOL_DB_OK;
    return spool_db_reset(db, SPOOL_SQL_ROWS) == SPOOL_DB_OK && states_ok;
}

bool spool_rows_scan(struct spool_rows *r,
                     void (*on_note)(void *ctx, struct slice name, struct slice value),
                     void (*on_row)(void *ctx, const struct spool_row *), void *ctx,
                     struct error *err)
{
    return (scan_notes(r->db, on_note, ctx) && scan_rows(r, on_row, ctx)) ||
           spool_db_failed(r->db, err);
}
