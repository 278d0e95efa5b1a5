/* spool_db.h - SQLite as the spool needs it: one connection, its statements, its log, and what its
 * errors mean. The only place that knows SQLite; for spool*.c. One thread at a time. */
#ifndef ENGINE_SPOOL_DB_H
#define ENGINE_SPOOL_DB_H

#include "base/error.h"
#include "base/slice.h"
#include "engine/spool_sql.h"

struct spool_db;

enum spool_db_status {
    SPOOL_DB_OK,
    SPOOL_DB_FULL,    /* no room: nothing of it stays, later it may work */
    SPOOL_DB_REFUSED, /* this change cannot be, others can: its id is taken, its body too large */
    SPOOL_DB_SUSPECT, /* the disk failed, or the file is damaged: spool_db_recover first */
};

/* Opens or creates, brings the schema up to date. The texts of *err name file and remedy. */
struct spool_db *spool_db_open(const char *path, struct error *err);
/* Brings everything from the log into the file and removes the log, unless it is suspect. */
void spool_db_close(struct spool_db *);

/* ---- statements: bind from 1 on, step while there are rows, columns from 0 on, reset */
void spool_db_bind_int(struct spool_db *, enum spool_sql, int at, int64_t);
void spool_db_bind(struct spool_db *, enum spool_sql, int at, struct slice); /* until reset */
bool spool_db_step(struct spool_db *, enum spool_sql);                       /* true: a row */
int64_t spool_db_int(struct spool_db *, enum spool_sql, int at);
struct slice spool_db_blob(struct spool_db *, enum spool_sql, int at); /* until step or reset */
enum spool_db_status spool_db_reset(struct spool_db *, enum spool_sql);
enum spool_db_status spool_db_run(struct spool_db *, enum spool_sql); /* step and reset */
bool spool_db_changed(struct spool_db *);          /* did the last statement change a row? */
const char *spool_db_why(const struct spool_db *); /* why the last status was not OK */
/* The same for people at start: returns false. */
bool spool_db_failed(struct spool_db *, struct error *);

/* Not synced: what it commits is with the system, and on disk with the next synced commit, sync or
 * checkpoint; until then a power cut takes it, and all that came after it. */
enum spool_db_status spool_db_begin(struct spool_db *, bool synced);
/* FULL also when the disk has no room for the file to grow: the log must always fit into it. New
 * rows leave some of that room to the rest: takes need a little. */
enum spool_db_status spool_db_commit(struct spool_db *, bool new_rows);
/* Ends the transaction, which a failed COMMIT leaves open; harmless outside of one. */
void spool_db_rollback(struct spool_db *);

/* ---- between transactions */
int64_t spool_db_log_bytes(const struct spool_db *); /* not yet in the main file */
/* Has the system begin to write what spool_db_sync will wait for, when it is much. */
void spool_db_begin_sync(struct spool_db *);
/* What was committed so far is on disk then, though not in the main file. */
enum spool_db_status spool_db_sync(struct spool_db *);
enum spool_db_status spool_db_checkpoint(struct spool_db *);
/* Gives free pages back to the file system, at most `pages`; *more: there are many left. */
enum spool_db_status spool_db_shrink(struct spool_db *, int pages, bool *more);
/* After SUSPECT, once, and at once: a failed commit may have left all of itself in the log; a
 * restart must not find there what was refused. And it must find what was committed but not synced.
 */
void spool_db_disown(struct spool_db *);
/* After SUSPECT: true when everything committed is known to be on disk again. Slow. */
bool spool_db_recover(struct spool_db *);

#endif
