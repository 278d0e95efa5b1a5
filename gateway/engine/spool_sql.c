/* spool_sql.c - the text of the spool's schema and statements. */
#include "engine/spool_sql.h"
#include "base/base.h"
#include <assert.h>

/* Bodies come last: whoever reads ids, times, keys and lengths never touches an overflow page.
 * All times are unix milliseconds. */
const char *const spool_sql_steps[SPOOL_SCHEMA] = {
    "CREATE TABLE message(id INTEGER PRIMARY KEY, born_ms INTEGER NOT NULL, key BLOB NOT NULL,"
    " head BLOB NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE state(id INTEGER PRIMARY KEY, due_ms INTEGER NOT NULL, takes INTEGER NOT NULL,"
    " first_ms INTEGER NOT NULL);"
    "CREATE TABLE wipe(id INTEGER PRIMARY KEY, to_id INTEGER NOT NULL);"
    "CREATE TABLE note(name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "PRAGMA application_id = 1886614635; PRAGMA user_version = 1;",
};
static_assert(SPOOL_APPLICATION_ID == 1886614635, "the same number in the text above");

/* EXCLUSIVE: no other program may open the file while we live. SQLite before 3.51.3 corrupts a log
 * that two connections reset at once; and without sharing, the log's index is plain memory. */
const char *const spool_sql_settings[] = {
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA page_size = 8192",
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA journal_size_limit = 33554432",
    "PRAGMA cache_size = -6144",
    "PRAGMA mmap_size = 0",
    "PRAGMA secure_delete = OFF",
    "PRAGMA temp_store = MEMORY",
    NULL,
};

const char spool_sql_synced[] = "PRAGMA synchronous = FULL";
const char spool_sql_unsynced[] = "PRAGMA synchronous = NORMAL";
const char spool_sql_is_empty[] = "SELECT count(*) FROM sqlite_schema";
/* Some are kept: a queue that fills and empties need not fight for its pages. */
const char spool_sql_much_free[] = "SELECT freelist_count > max(1024, page_count / 4)"
                                   " FROM pragma_freelist_count, pragma_page_count";
const char spool_sql_check[] = "SELECT 1 / (quick_check = 'ok') FROM pragma_quick_check(1)";

const char *const spool_sql_text[SPOOL_SQL_N] = {
    [SPOOL_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SPOOL_SQL_COMMIT] = "COMMIT",
    [SPOOL_SQL_PUT] = "INSERT INTO message VALUES(?1, ?2, ?3, ?4, ?5)",
    [SPOOL_SQL_GET] = "SELECT head, body FROM message WHERE id = ?1",
    [SPOOL_SQL_GET_RANGE] = "SELECT id, head, body FROM message WHERE id BETWEEN ?1 AND ?2"
                            " ORDER BY id",
    [SPOOL_SQL_SIZE] = "SELECT length(key) + length(head) + length(body), length(head)"
                       " FROM message WHERE id = ?1",
    [SPOOL_SQL_DROP] = "DELETE FROM message WHERE id = ?1",
    [SPOOL_SQL_RENAME] = "UPDATE message SET id = ?2 WHERE id = ?1",
    [SPOOL_SQL_REWRITE] = "UPDATE message SET id = ?2, head = ?3 WHERE id = ?1",
    [SPOOL_SQL_STATE] = "INSERT OR REPLACE INTO state VALUES(?1, ?2, ?3, ?4)",
    [SPOOL_SQL_DUE] = "UPDATE state SET due_ms = ?2 WHERE id = ?1",
    [SPOOL_SQL_DROP_STATE] = "DELETE FROM state WHERE id = ?1",
    [SPOOL_SQL_NOTE] = "INSERT OR REPLACE INTO note VALUES(?1, ?2)",
    [SPOOL_SQL_DROP_NOTE] = "DELETE FROM note WHERE name = ?1",
    [SPOOL_SQL_RANGE] = "SELECT id, length(key) + length(head) + length(body) FROM message"
                        " WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
    [SPOOL_SQL_DROP_RANGE] = "DELETE FROM message WHERE id BETWEEN ?1 AND ?2",
    [SPOOL_SQL_DROP_STATES] = "DELETE FROM state WHERE id BETWEEN ?1 AND ?2",
    [SPOOL_SQL_LAST] = "SELECT id FROM message WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1",
    [SPOOL_SQL_WIPE] = "INSERT INTO wipe VALUES(?1, ?2)"
                       " ON CONFLICT(id) DO UPDATE SET to_id = max(to_id, excluded.to_id)",
    [SPOOL_SQL_DROP_WIPE] = "DELETE FROM wipe WHERE id = ?1",
    [SPOOL_SQL_WIPES] = "SELECT id, to_id FROM wipe ORDER BY id",
    [SPOOL_SQL_NOTES] = "SELECT name, value FROM note ORDER BY name",
    [SPOOL_SQL_ROWS] = "SELECT id, born_ms, key, length(head) + length(body) FROM message"
                       " ORDER BY id",
    [SPOOL_SQL_PAGES] = "PRAGMA page_count",
    [SPOOL_SQL_STATES] = "SELECT id, due_ms, takes, first_ms FROM state ORDER BY id",
};
