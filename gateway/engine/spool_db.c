/* spool_db.c - the spool's file by SQLite: opening, statements, transactions, log, recovery. */
#include "engine/spool_db.h"
#include "base/mem.h"
#include "engine/spool_log.h"
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_RESERVED_BYTES = 20 * 1024 * 1024, SPARE_PAGES = 128 /* left alone by new rows */ };

struct spool_db {
    sqlite3 *sql;
    sqlite3_stmt *st[SPOOL_SQL_N];
    struct spool_space space;
    struct spool_log log;
    bool synced;  /* how SQLite commits now */
    bool damaged; /* SQLite found something that cannot be: recovery reads everything */
    char *path;
    int rc; /* why the last status was not OK */
    char why[128];
};

/* ---- errors */

/* What failed, by SQLite's code; why, by what the system said, if anything. */
static void set_why(struct spool_db *db, int rc, int sys)
{
    const char *what = sqlite3_errmsg(db->sql);
    if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
        what = "fsync failed";
    else if (rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_TRUNCATE)
        what = "writing failed";
    else if (rc == SQLITE_IOERR_READ || rc == SQLITE_IOERR_SHORT_READ ||
             ((rc & 0xff) == SQLITE_CORRUPT && sys == EIO))
        what = "reading failed";
    char room[64];
    db->rc = rc;
    snprintf(db->why, sizeof db->why, "%s%s%s", what, sys != 0 ? ": " : "",
             sys != 0 ? strerror_r(sys, room, sizeof room) : "");
}

/* errno was cleared before the call: sqlite3_system_errno knows nothing of a failed COMMIT. */
static enum spool_db_status status_of(struct spool_db *db, int rc)
{
    bool of_disk = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CORRUPT;
    int sys = of_disk ? errno : 0;
    if (rc == SQLITE_OK)
        return SPOOL_DB_OK;
    set_why(db, rc, sys);
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return SPOOL_DB_FULL;
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_READ || rc == SQLITE_IOERR_SHORT_READ)
            return SPOOL_DB_REFUSED; /* bad for who wants these bytes; what is written is safe */
        return rc == SQLITE_IOERR_WRITE && spool_space_is_short(sys) ? SPOOL_DB_FULL
                                                                     : SPOOL_DB_SUSPECT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        if (sys == EIO) /* SQLite says so too when the disk cannot read */
            return SPOOL_DB_REFUSED;
        db->damaged = true;
        return SPOOL_DB_SUSPECT;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
        return SPOOL_DB_SUSPECT;
    default:
        return SPOOL_DB_REFUSED;
    }
}

const char *spool_db_why(const struct spool_db *db)
{
    return db->why;
}

/* Says in err what a newcomer can act on. */
static bool open_failed(struct spool_db *db, int rc, struct error *err)
{
    static const struct {
        int code;
        const char *text;
    } remedies[] = {
        {SQLITE_BUSY, "in use by another program; end it, then start again"},
        {SQLITE_NOTADB, "not a database; choose another path, or move the file away"},
        {SQLITE_READONLY, "read-only; the gateway must be able to write it and its directory"},
        {SQLITE_FULL, "the disk is full"},
    };
    int code = rc & 0xff;
    for (size_t i = 0; i < ARRAY_LEN(remedies); i++)
        if (remedies[i].code == code)
            return error_set(err, ERROR_STORE, "%s: %s", db->path, remedies[i].text);
    if (code == SQLITE_CORRUPT)
        return error_set(err, ERROR_STORE,
                         "%s: damaged (%s); restore it from a copy, or save what is left with "
                         "`sqlite3 FILE .recover`",
                         db->path, sqlite3_errmsg(db->sql));
    errno = code == SQLITE_IOERR || code == SQLITE_CANTOPEN ? sqlite3_system_errno(db->sql) : 0;
    return errno != 0 ? error_sys(err, "%s: %s", db->path, sqlite3_errstr(rc))
                      : error_set(err, ERROR_STORE, "%s: %s", db->path, sqlite3_errmsg(db->sql));
}

/* ---- opening */

/* The one value of the first row; *out stays when there is none. */
static int query_int(struct spool_db *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL);
    if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    return rc == SQLITE_OK ? sqlite3_finalize(st) : rc;
}

static bool migrate(struct spool_db *db, struct error *err)
{
    int64_t version = 0, application = 0, tables = 0;
    int rc = query_int(db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK)
        rc = query_int(db, "PRAGMA application_id", &application);
    if (rc == SQLITE_OK)
        rc = query_int(db, spool_sql_is_empty, &tables);
    if (rc != SQLITE_OK)
        return open_failed(db, rc, err);
    if (application != SPOOL_APPLICATION_ID && (application != 0 || tables != 0 || version != 0))
        return error_set(err, ERROR_STORE,
                         "%s: an SQLite database of another program; choose another path",
                         db->path);
    if (version < 0 || version > SPOOL_SCHEMA)
        return error_set(err, ERROR_STORE,
                         "%s: written by a newer penstock (schema %lld, this one knows %d); start "
                         "the newer penstock, or choose another path",
                         db->path, (long long)version, SPOOL_SCHEMA);
    for (; version < SPOOL_SCHEMA; version++) {
        rc = sqlite3_exec(db->sql, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (rc == SQLITE_OK)
            rc = sqlite3_exec(db->sql, spool_sql_steps[version], NULL, NULL, NULL);
        if (rc == SQLITE_OK)
            rc = sqlite3_exec(db->sql, "COMMIT", NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            return open_failed(db, rc, err);
    }
    return true;
}

static int count_frames(void *ctx, sqlite3 *sql, const char *name, int frames)
{
    (void)sql;
    (void)name;
    struct spool_db *db = ctx;
    spool_log_committed(&db->log, frames, db->synced);
    return SQLITE_OK;
}

static bool prepare_all(struct spool_db *db, struct error *err)
{
    for (size_t i = 0; i < SPOOL_SQL_N; i++) {
        int rc = sqlite3_prepare_v3(db->sql, spool_sql_text[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &db->st[i], NULL);
        if (rc == SQLITE_ERROR)
            return error_set(err, ERROR_STORE, "%s: damaged: %s", db->path,
                             sqlite3_errmsg(db->sql));
        if (rc != SQLITE_OK)
            return open_failed(db, rc, err);
    }
    return true;
}

static bool set_up(struct spool_db *db, struct error *err)
{
    int rc = sqlite3_open_v2(
        db->path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return open_failed(db, rc, err);
    sqlite3_extended_result_codes(db->sql, 1);
    for (size_t i = 0; spool_sql_settings[i] != NULL; i++) {
        rc = sqlite3_exec(db->sql, spool_sql_settings[i], NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            return open_failed(db, rc, err);
    }
    if (sqlite3_db_readonly(db->sql, "main") == 1)
        return open_failed(db, SQLITE_READONLY, err);
    int64_t logged = 0;
    rc = query_int(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &logged);
    if (rc == SQLITE_OK && logged != 1)
        return error_set(err, ERROR_STORE, "%s: SQLite cannot keep a log there", db->path);
    sqlite3_wal_hook(db->sql, count_frames, db);
    return migrate(db, err) && prepare_all(db, err);
}

struct spool_db *spool_db_open(const char *path, struct error *err)
{
    struct spool_db *db = mem_alloc(sizeof *db);
    db->path = mem_strdup(path);
    db->synced = true;
    spool_space_init(&db->space);
    if (set_up(db, err)) {
        spool_space_open(&db->space, path, LOG_RESERVED_BYTES);
        return db;
    }
    spool_db_close(db);
    return NULL;
}

void spool_db_close(struct spool_db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < SPOOL_SQL_N; i++)
        sqlite3_finalize(db->st[i]);
    sqlite3_close(db->sql);
    spool_space_close(&db->space);
    free(db->path);
    free(db);
}

/* ---- statements */

void spool_db_bind_int(struct spool_db *db, enum spool_sql which, int at, int64_t value)
{
    sqlite3_bind_int64(db->st[which], at, value);
}

void spool_db_bind(struct spool_db *db, enum spool_sql which, int at, struct slice s)
{
    /* Without an address SQLite would bind NULL. */
    sqlite3_bind_blob64(db->st[which], at, s.n > 0 ? s.p : "", s.n, SQLITE_STATIC);
}

bool spool_db_step(struct spool_db *db, enum spool_sql which)
{
    errno = 0;
    return sqlite3_step(db->st[which]) == SQLITE_ROW;
}

int64_t spool_db_int(struct spool_db *db, enum spool_sql which, int at)
{
    return sqlite3_column_int64(db->st[which], at);
}

struct slice spool_db_blob(struct spool_db *db, enum spool_sql which, int at)
{
    const char *p = sqlite3_column_blob(db->st[which], at);
    return (struct slice){p != NULL ? p : "", (size_t)sqlite3_column_bytes(db->st[which], at)};
}

enum spool_db_status spool_db_reset(struct spool_db *db, enum spool_sql which)
{
    return status_of(db, sqlite3_reset(db->st[which]));
}

enum spool_db_status spool_db_run(struct spool_db *db, enum spool_sql which)
{
    (void)spool_db_step(db, which);
    return spool_db_reset(db, which);
}

bool spool_db_changed(struct spool_db *db)
{
    return sqlite3_changes(db->sql) > 0;
}

enum spool_db_status spool_db_begin(struct spool_db *db, bool synced)
{
    if (db->synced != synced) {
        const char *sql = synced ? spool_sql_synced : spool_sql_unsynced;
        int rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            return status_of(db, rc);
        db->synced = synced;
    }
    return spool_db_run(db, SPOOL_SQL_BEGIN);
}

/* New rows may use the spare pages only as far as others inside the file are free. */
static bool has_room(struct spool_db *db, int64_t pages, bool new_rows)
{
    int64_t spare = new_rows ? SPARE_PAGES : 0, unused = 0;
    if (spool_space_reserve(&db->space, (pages + spare) * SPOOL_PAGE_BYTES))
        return true;
    return spare > 0 && query_int(db, "PRAGMA freelist_count", &unused) == SQLITE_OK &&
           unused >= spare && spool_space_reserve(&db->space, pages * SPOOL_PAGE_BYTES);
}

enum spool_db_status spool_db_commit(struct spool_db *db, bool new_rows)
{
    bool counted = spool_db_step(db, SPOOL_SQL_PAGES);
    int64_t pages = counted ? spool_db_int(db, SPOOL_SQL_PAGES, 0) : 0;
    enum spool_db_status status = spool_db_reset(db, SPOOL_SQL_PAGES);
    if (status != SPOOL_DB_OK)
        return status;
    if (!has_room(db, pages, new_rows)) {
        snprintf(db->why, sizeof db->why, "the disk is full");
        return SPOOL_DB_FULL;
    }
    return spool_db_run(db, SPOOL_SQL_COMMIT);
}

void spool_db_rollback(struct spool_db *db)
{
    if (!sqlite3_get_autocommit(db->sql))
        (void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
}

bool spool_db_failed(struct spool_db *db, struct error *err)
{
    return open_failed(db, db->rc, err);
}

/* ---- the log and the disk */

int64_t spool_db_log_bytes(const struct spool_db *db)
{
    return spool_log_bytes(&db->log);
}

void spool_db_begin_sync(struct spool_db *db)
{
    spool_log_begin_sync(&db->log, &db->space);
}

/* By SQLite's own descriptor: an error of the disk is told to each descriptor once. */
enum spool_db_status spool_db_sync(struct spool_db *db)
{
    sqlite3_file *log = NULL;
    if (!spool_log_is_unsynced(&db->log))
        return SPOOL_DB_OK;
    (void)sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    errno = 0;
    int rc = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    if (rc == SQLITE_OK)
        spool_log_synced(&db->log);
    return status_of(db, rc);
}

static enum spool_db_status checkpoint(struct spool_db *db, int mode)
{
    int frames = 0, copied = 0, moved = 0;
    errno = 0;
    int rc = sqlite3_wal_checkpoint_v2(db->sql, "main", mode, &frames, &copied);
    spool_space_forget(&db->space);
    if (rc != SQLITE_OK)
        return status_of(db, rc);
    spool_log_copied(&db->log, frames == copied);
    if (sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
        moved) {
        snprintf(db->why, sizeof db->why, "the file was moved or deleted while in use");
        return SPOOL_DB_SUSPECT;
    }
    return SPOOL_DB_OK;
}

enum spool_db_status spool_db_checkpoint(struct spool_db *db)
{
    return checkpoint(db, SQLITE_CHECKPOINT_PASSIVE);
}

void spool_db_disown(struct spool_db *db)
{
    spool_log_disown(&db->log, &db->space);
}

/* After a failed fsync the kernel takes pages for clean that never reached the disk. They are those
 * of what was just refused, or copies of what the log still holds: SQLite writes both again in the
 * same places. That everything committed can be brought to the file, synced, and the log be thrown
 * away, is the proof that the disk works. */
bool spool_db_recover(struct spool_db *db)
{
    spool_db_rollback(db);
    if (!spool_log_restore(&db->log, &db->space))
        return false;
    if (db->damaged) {
        int64_t ignored = 0;
        if (query_int(db, spool_sql_check, &ignored) != SQLITE_OK || ignored != 1)
            return false;
    }
    bool works = checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE) == SPOOL_DB_OK;
    db->log.unsure = !works; /* the sync that failed may have been the log's */
    db->damaged = db->damaged && !works;
    return works;
}

enum spool_db_status spool_db_shrink(struct spool_db *db, int pages, bool *more)
{
    int64_t much = 0;
    *more = false;
    int rc = query_int(db, spool_sql_much_free, &much);
    if (rc == SQLITE_OK && much != 0) {
        char sql[64];
        snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", pages);
        rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);
        *more = rc == SQLITE_OK;
    }
    return status_of(db, rc);
}
