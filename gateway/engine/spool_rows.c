/* spool_rows.c - puts, takes, moves and drops rows of the spool's tables inside transactions. */
#include "engine/spool_rows.h"
#include "base/mem.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* One piece of a wipe: about the work of one group commit. */
    PIECE_ROWS = 500,
    PIECE_BYTES = 2 * 1024 * 1024,
};

/* ---- transactions */

bool spool_rows_init(struct spool_rows *r, struct spool_db *db, struct error *err)
{
    *r = (struct spool_rows){.db = db};
    struct spool_wipes *w = &r->wipes;
    while (spool_db_step(db, SPOOL_SQL_WIPES)) {
        w->v = mem_realloc(w->v, (w->n + 1) * sizeof *w->v);
        w->v[w->n++] = (struct spool_wipe){(uint64_t)spool_db_int(db, SPOOL_SQL_WIPES, 0),
                                           (uint64_t)spool_db_int(db, SPOOL_SQL_WIPES, 1)};
    }
    return spool_db_reset(db, SPOOL_SQL_WIPES) == SPOOL_DB_OK || spool_db_failed(db, err);
}

void spool_rows_fini(struct spool_rows *r)
{
    assert(!r->wipes_changed);
    free(r->wipes.v);
}

enum spool_db_status spool_rows_begin(struct spool_rows *r, bool synced)
{
    r->new_rows = false;
    return spool_db_begin(r->db, synced);
}

enum spool_db_status spool_rows_commit(struct spool_rows *r)
{
    enum spool_db_status status = spool_db_commit(r->db, r->new_rows);
    if (status != SPOOL_DB_OK)
        return status;
    r->committed_bytes = r->bytes;
    if (r->wipes_changed)
        free(r->committed_wipes.v);
    r->wipes_changed = false;
    return SPOOL_DB_OK;
}

void spool_rows_rollback(struct spool_rows *r)
{
    spool_db_rollback(r->db);
    r->bytes = r->committed_bytes;
    if (!r->wipes_changed)
        return;
    free(r->wipes.v);
    r->wipes = r->committed_wipes;
    r->wipes_changed = false;
}

/* ---- statements */

static enum spool_db_status run_on(struct spool_rows *r, enum spool_sql which, uint64_t id)
{
    spool_db_bind_int(r->db, which, 1, (int64_t)id);
    return spool_db_run(r->db, which);
}

static enum spool_db_status run_on_two(struct spool_rows *r, enum spool_sql which, uint64_t id,
                                       uint64_t to_id)
{
    spool_db_bind_int(r->db, which, 2, (int64_t)to_id);
    return run_on(r, which, id);
}

/* Bytes of a row and of its head. *found false: it is not there. */
static enum spool_db_status size_of(struct spool_rows *r, uint64_t id, int64_t *bytes,
                                    int64_t *head_bytes, bool *found)
{
    spool_db_bind_int(r->db, SPOOL_SQL_SIZE, 1, (int64_t)id);
    *found = spool_db_step(r->db, SPOOL_SQL_SIZE);
    if (*found) {
        *bytes = spool_db_int(r->db, SPOOL_SQL_SIZE, 0);
        *head_bytes = spool_db_int(r->db, SPOOL_SQL_SIZE, 1);
    }
    return spool_db_reset(r->db, SPOOL_SQL_SIZE);
}

static bool is_fresh(const struct spool_change *c)
{
    return c->due_ms == 0 && c->takes == 0 && c->first_ms == 0;
}

/* No row says the same as zeros, and is cheaper. */
static enum spool_db_status set_state(struct spool_rows *r, uint64_t id,
                                      const struct spool_change *c)
{
    if (is_fresh(c))
        return run_on(r, SPOOL_SQL_DROP_STATE, id);
    spool_db_bind_int(r->db, SPOOL_SQL_STATE, 2, c->due_ms);
    spool_db_bind_int(r->db, SPOOL_SQL_STATE, 3, c->takes);
    spool_db_bind_int(r->db, SPOOL_SQL_STATE, 4, c->first_ms);
    return run_on(r, SPOOL_SQL_STATE, id);
}

/* ---- wiping */

/* The list is copied at its first change in a transaction, so that a rollback restores it. */
static void change_wipes(struct spool_rows *r)
{
    size_t bytes = r->wipes.n * sizeof *r->wipes.v;
    if (!r->wipes_changed) {
        r->committed_wipes = r->wipes;
        r->wipes.v = mem_alloc_raw(bytes + sizeof *r->wipes.v);
        if (bytes > 0)
            memcpy(r->wipes.v, r->committed_wipes.v, bytes);
    }
    r->wipes_changed = true;
}

/* Deletes rows from id on, at least one: *more when some are left. */
static enum spool_db_status delete_piece(struct spool_rows *r, struct spool_wipe range,
                                         uint64_t *last, bool *more)
{
    int64_t bytes = 0;
    size_t rows = 0;
    *more = false;
    spool_db_bind_int(r->db, SPOOL_SQL_RANGE, 1, (int64_t)range.id);
    spool_db_bind_int(r->db, SPOOL_SQL_RANGE, 2, (int64_t)range.to_id);
    while (!*more && spool_db_step(r->db, SPOOL_SQL_RANGE)) {
        *more = rows == PIECE_ROWS || bytes >= PIECE_BYTES;
        if (*more)
            continue;
        *last = (uint64_t)spool_db_int(r->db, SPOOL_SQL_RANGE, 0);
        bytes += spool_db_int(r->db, SPOOL_SQL_RANGE, 1);
        rows++;
    }
    enum spool_db_status status = spool_db_reset(r->db, SPOOL_SQL_RANGE);
    if (status != SPOOL_DB_OK || rows == 0)
        return status;
    r->bytes -= bytes;
    status = run_on_two(r, SPOOL_SQL_DROP_RANGE, range.id, *last);
    return status == SPOOL_DB_OK ? run_on_two(r, SPOOL_SQL_DROP_STATES, range.id, *last) : status;
}

/* The range ends at the last row that is there: rows that come later are not of it. */
static enum spool_db_status wipe_later(struct spool_rows *r, struct spool_wipe range)
{
    spool_db_bind_int(r->db, SPOOL_SQL_LAST, 1, (int64_t)range.id);
    spool_db_bind_int(r->db, SPOOL_SQL_LAST, 2, (int64_t)range.to_id);
    if (spool_db_step(r->db, SPOOL_SQL_LAST))
        range.to_id = (uint64_t)spool_db_int(r->db, SPOOL_SQL_LAST, 0);
    enum spool_db_status status = spool_db_reset(r->db, SPOOL_SQL_LAST);
    if (status == SPOOL_DB_OK)
        status = run_on_two(r, SPOOL_SQL_WIPE, range.id, range.to_id);
    if (status != SPOOL_DB_OK)
        return status;
    change_wipes(r);
    r->wipes.v = mem_realloc(r->wipes.v, (r->wipes.n + 1) * sizeof *r->wipes.v);
    r->wipes.v[r->wipes.n++] = range;
    return SPOOL_DB_OK;
}

static enum spool_db_status wipe(struct spool_rows *r, struct spool_change *c, struct buf *out)
{
    (void)out;
    uint64_t last = c->id;
    bool more;
    enum spool_db_status status =
        delete_piece(r, (struct spool_wipe){c->id, c->to_id}, &last, &more);
    if (status != SPOOL_DB_OK || !more)
        return status;
    return wipe_later(r, (struct spool_wipe){last + 1, c->to_id});
}

/* Takes the wipe at index i one piece further; *more: it is still there. */
static enum spool_db_status sweep(struct spool_rows *r, size_t i, bool *more)
{
    struct spool_wipe range = r->wipes.v[i];
    uint64_t last;
    enum spool_db_status status = delete_piece(r, range, &last, more);
    if (status != SPOOL_DB_OK || *more)
        return status;
    change_wipes(r);
    r->wipes.v[i] = r->wipes.v[--r->wipes.n];
    return run_on(r, SPOOL_SQL_DROP_WIPE, range.id);
}

/* A new row may not be lost to an old wipe. */
static enum spool_db_status make_way(struct spool_rows *r, uint64_t id)
{
    enum spool_db_status status = SPOOL_DB_OK;
    for (size_t i = 0; i < r->wipes.n && status == SPOOL_DB_OK;) {
        bool more = id < r->wipes.v[i].id || id > r->wipes.v[i].to_id;
        if (more)
            i++;
        else
            status = sweep(r, i, &more);
    }
    return status;
}

enum spool_db_status spool_rows_sweep(struct spool_rows *r)
{
    if (r->wipes.n == 0)
        return SPOOL_DB_OK;
    bool more;
    enum spool_db_status status = spool_rows_begin(r, true);
    if (status == SPOOL_DB_OK)
        status = sweep(r, 0, &more);
    if (status == SPOOL_DB_OK)
        status = spool_rows_commit(r);
    if (status != SPOOL_DB_OK)
        spool_rows_rollback(r);
    return status;
}

/* ---- changes */

static enum spool_db_status put(struct spool_rows *r, struct spool_change *c, struct buf *out)
{
    (void)out;
    struct spool_db *db = r->db;
    spool_db_bind_int(db, SPOOL_SQL_PUT, 2, c->born_ms);
    spool_db_bind(db, SPOOL_SQL_PUT, 3, c->key);
    spool_db_bind(db, SPOOL_SQL_PUT, 4, c->head);
    spool_db_bind(db, SPOOL_SQL_PUT, 5, c->body);
    enum spool_db_status status = run_on(r, SPOOL_SQL_PUT, c->id);
    if (status != SPOOL_DB_OK)
        return status;
    r->new_rows = true;
    r->bytes += (int64_t)(c->key.n + c->head.n + c->body.n);
    return is_fresh(c) ? SPOOL_DB_OK : set_state(r, c->id, c);
}

/* Head and body are in the columns from at on. */
static void keep_row(struct spool_db *db, enum spool_sql which, int at, struct spool_change *c,
                     struct buf *out)
{
    struct slice head = spool_db_blob(db, which, at), body = spool_db_blob(db, which, at + 1);
    c->found = true;
    c->head.n = head.n;
    c->body.n = body.n;
    buf_put(out, head);
    buf_put(out, body);
}

static enum spool_db_status read_row(struct spool_rows *r, struct spool_change *c, struct buf *out)
{
    spool_db_bind_int(r->db, SPOOL_SQL_GET, 1, (int64_t)c->id);
    if (spool_db_step(r->db, SPOOL_SQL_GET))
        keep_row(r->db, SPOOL_SQL_GET, 0, c, out);
    return spool_db_reset(r->db, SPOOL_SQL_GET);
}

static enum spool_db_status take(struct spool_rows *r, struct spool_change *c, struct buf *out)
{
    enum spool_db_status status = read_row(r, c, out);
    return status == SPOOL_DB_OK && c->found ? set_state(r, c->id, c) : status;
}

static enum spool_db_status set_due(struct spool_rows *r, struct spool_change *c, struct buf *out)
{
    (void)out;
    enum spool_db_status status = run_on_two(r, SPOOL_SQL_DUE, c->id, (uint64_t)c->due_ms);
    c->found = status == SPOOL_DB_OK && spool_db_changed(r->db);
    if (status != SPOOL_DB_OK || c->found)
        return status;
    int64_t bytes, head_bytes;
    status = size_of(r, c->id, &bytes, &head_bytes, &c->found);
    const struct spool_change first = {.due_ms = c->due_ms};
    return status == SPOOL_DB_OK && c->found ? set_state(r, c->id, &first) : status;
}

static enum spool_db_status drop(struct spool_rows *r, struct spool_change *c, struct buf *out)
{
    (void)out;
    int64_t bytes = 0, head_bytes;
    enum spool_db_status status = size_of(r, c->id, &bytes, &head_bytes, &c->found);
    if (status != SPOOL_DB_OK || !c->found)
        return status;
    r->bytes -= bytes;
    status = run_on(r, SPOOL_SQL_DROP, c->id);
    return status == SPOOL_DB_OK ? run_on(r, SPOOL_SQL_DROP_STATE, c->id) : status;
}

static enum spool_db_status move(struct spool_rows *r, struct spool_change *c, struct buf *out)
{
    (void)out;
    int64_t bytes, head_bytes = 0;
    enum spool_db_status status = size_of(r, c->id, &bytes, &head_bytes, &c->found);
    if (status != SPOOL_DB_OK || !c->found)
        return status;
    enum spool_sql which = c->head.n > 0 ? SPOOL_SQL_REWRITE : SPOOL_SQL_RENAME;
    if (which == SPOOL_SQL_REWRITE) {
        spool_db_bind(r->db, which, 3, c->head);
        r->bytes += (int64_t)c->head.n - head_bytes;
    }
    status = run_on_two(r, which, c->id, c->to_id);
    if (status == SPOOL_DB_OK && c->to_id != c->id)
        status = run_on(r, SPOOL_SQL_DROP_STATE, c->id);
    return status == SPOOL_DB_OK ? set_state(r, c->to_id, c) : status;
}

static enum spool_db_status note(struct spool_rows *r, struct spool_change *c, struct buf *out)
{
    (void)out;
    enum spool_sql which = c->body.n > 0 ? SPOOL_SQL_NOTE : SPOOL_SQL_DROP_NOTE;
    spool_db_bind(r->db, which, 1, c->head);
    if (which == SPOOL_SQL_NOTE)
        spool_db_bind(r->db, which, 2, c->body);
    return spool_db_run(r->db, which);
}

/* ---- runs: neighbours in one statement */

static enum spool_db_status drop_run(struct spool_rows *r, struct spool_change *c, size_t n)
{
    uint64_t first = c->id, last = first + n - 1;
    bool any = false;
    spool_db_bind_int(r->db, SPOOL_SQL_RANGE, 1, (int64_t)first);
    spool_db_bind_int(r->db, SPOOL_SQL_RANGE, 2, (int64_t)last);
    while (spool_db_step(r->db, SPOOL_SQL_RANGE)) {
        c[(uint64_t)spool_db_int(r->db, SPOOL_SQL_RANGE, 0) - first].found = any = true;
        r->bytes -= spool_db_int(r->db, SPOOL_SQL_RANGE, 1);
    }
    enum spool_db_status status = spool_db_reset(r->db, SPOOL_SQL_RANGE);
    if (status != SPOOL_DB_OK || !any)
        return status;
    status = run_on_two(r, SPOOL_SQL_DROP_RANGE, first, last);
    return status == SPOOL_DB_OK ? run_on_two(r, SPOOL_SQL_DROP_STATES, first, last) : status;
}

static enum spool_db_status take_run(struct spool_rows *r, struct spool_change *c, size_t n,
                                     struct buf *out)
{
    uint64_t first = c->id;
    spool_db_bind_int(r->db, SPOOL_SQL_GET_RANGE, 1, (int64_t)first);
    spool_db_bind_int(r->db, SPOOL_SQL_GET_RANGE, 2, (int64_t)(first + n - 1));
    while (spool_db_step(r->db, SPOOL_SQL_GET_RANGE)) {
        uint64_t id = (uint64_t)spool_db_int(r->db, SPOOL_SQL_GET_RANGE, 0);
        keep_row(r->db, SPOOL_SQL_GET_RANGE, 1, &c[id - first], out);
    }
    enum spool_db_status status = spool_db_reset(r->db, SPOOL_SQL_GET_RANGE);
    for (size_t i = 0; i < n && status == SPOOL_DB_OK; i++)
        if (c[i].found)
            status = set_state(r, c[i].id, &c[i]);
    return status;
}

/* How many of the first changes one statement can do; 1: they have nothing in common. */
static size_t run_length(const struct spool_rows *r, const struct spool_change *c, size_t n)
{
    size_t run = 1;
    if (r->wipes.n > 0 || (c->kind != SPOOL_DROP && c->kind != SPOOL_TAKE))
        return 1;
    while (run < n && c[run].kind == c->kind && c[run].id == c->id + run)
        run++;
    return run;
}

static enum spool_db_status apply_one(struct spool_rows *r, struct spool_change *c, struct buf *out)
{
    static enum spool_db_status (*const verbs[])(struct spool_rows *, struct spool_change *,
                                                 struct buf *) = {
        [SPOOL_PUT] = put,   [SPOOL_TAKE] = take, [SPOOL_READ] = read_row, [SPOOL_DUE] = set_due,
        [SPOOL_DROP] = drop, [SPOOL_MOVE] = move, [SPOOL_WIPE] = wipe,     [SPOOL_NOTE] = note,
    };
    if (r->wipes.n > 0 && c->kind != SPOOL_WIPE && c->kind != SPOOL_NOTE) {
        if (c->kind != SPOOL_PUT && spool_rows_is_wiped(r, c->id))
            return SPOOL_DB_OK;
        enum spool_db_status status = SPOOL_DB_OK;
        if (c->kind == SPOOL_PUT || c->kind == SPOOL_MOVE)
            status = make_way(r, c->kind == SPOOL_PUT ? c->id : c->to_id);
        if (status != SPOOL_DB_OK)
            return status;
    }
    return verbs[c->kind](r, c, out);
}

enum spool_db_status spool_rows_apply(struct spool_rows *r, struct spool_change *c, size_t n,
                                      struct buf *out)
{
    enum spool_db_status status = SPOOL_DB_OK;
    for (size_t i = 0, run; i < n && status == SPOOL_DB_OK; i += run) {
        run = run_length(r, &c[i], n - i);
        for (size_t j = i; j < i + run; j++)
            c[j].found = false;
        if (run == 1)
            status = apply_one(r, &c[i], out);
        else if (c[i].kind == SPOOL_DROP)
            status = drop_run(r, &c[i], run);
        else
            status = take_run(r, &c[i], run, out);
    }
    return status;
}
