/* spool_sql.h - the schema of the spool's file and every statement that touches it; docs/spool.md
 * tells why it is so. For spool_db.c and the test that looks at the query plans. */
#ifndef ENGINE_SPOOL_SQL_H
#define ENGINE_SPOOL_SQL_H

enum {
    SPOOL_SCHEMA = 1, /* user_version of files that this program writes */
    SPOOL_PAGE_BYTES = 8192,
    SPOOL_APPLICATION_ID = 0x7073746b, /* "pstk": tells a spool from other SQLite files */
};

/* spool_sql_steps[v] leads from schema v to v + 1; a file of schema 0 is empty. */
extern const char *const spool_sql_steps[SPOOL_SCHEMA];
/* Run in this order on each new connection; the first ones matter only before the file exists. */
extern const char *const spool_sql_settings[];
extern const char spool_sql_synced[], spool_sql_unsynced[]; /* between transactions */
extern const char spool_sql_is_empty[];                     /* one row: number of tables and such */
extern const char spool_sql_much_free[];                    /* one row, 1: many free pages */
extern const char spool_sql_check[]; /* one row, 1: the file is sound; else it fails */

enum spool_sql {
    SPOOL_SQL_BEGIN,
    SPOOL_SQL_COMMIT,
    SPOOL_SQL_PUT,         /* id, born_ms, key, head, body */
    SPOOL_SQL_GET,         /* id -> head, body */
    SPOOL_SQL_GET_RANGE,   /* id, to_id -> id, head, body */
    SPOOL_SQL_SIZE,        /* id -> bytes, bytes of head */
    SPOOL_SQL_DROP,        /* id */
    SPOOL_SQL_RENAME,      /* id, to_id */
    SPOOL_SQL_REWRITE,     /* id, to_id, head */
    SPOOL_SQL_STATE,       /* id, due_ms, takes, first_ms */
    SPOOL_SQL_DUE,         /* id, due_ms */
    SPOOL_SQL_DROP_STATE,  /* id */
    SPOOL_SQL_NOTE,        /* name, value */
    SPOOL_SQL_DROP_NOTE,   /* name */
    SPOOL_SQL_RANGE,       /* id, to_id -> id, bytes */
    SPOOL_SQL_DROP_RANGE,  /* id, to_id */
    SPOOL_SQL_DROP_STATES, /* id, to_id */
    SPOOL_SQL_LAST,        /* id, to_id -> the highest id; no row: none */
    SPOOL_SQL_WIPE,        /* id, to_id */
    SPOOL_SQL_DROP_WIPE,   /* id */
    SPOOL_SQL_WIPES,       /* -> id, to_id */
    SPOOL_SQL_NOTES,       /* -> name, value */
    SPOOL_SQL_ROWS,        /* -> id, born_ms, key, bytes of head and body */
    SPOOL_SQL_PAGES,       /* -> pages of the file, with the open transaction */
    SPOOL_SQL_STATES,      /* -> id, due_ms, takes, first_ms */
    SPOOL_SQL_N
};
extern const char *const spool_sql_text[SPOOL_SQL_N];

#endif
