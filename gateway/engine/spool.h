/* spool.h - messages that survive: one SQLite file, one thread, group commit. The loop submits
 * operations and is told when they are on disk; it alone decides what they mean. The spool knows
 * rows, not queues: which message is due, visible or in which order, is the index of its owner
 * (engine/queue.c now, the asynchronous spool source later), rebuilt by spool_scan at start.
 * docs/spool.md tells the schema and how one table carries queues, async events and dead letters.
 *
 * A row's id is owner << 40 | sequence: rows of one owner lie together, in the order they came.
 * Owner numbers are given out by whoever keeps the owners (as notes) and are never used again. */
#ifndef ENGINE_SPOOL_H
#define ENGINE_SPOOL_H

#include "base/error.h"
#include "base/list.h"
#include "base/slice.h"
#include "io/loop.h"

enum { SPOOL_SEQUENCE_BITS = 40, SPOOL_KEY_MAX = 512, SPOOL_OWNER_MAX = (1 << 23) - 1 };
enum { SPOOL_RELAXED_MS = 20 }; /* what is relaxed is synced when it is as old */

static inline uint64_t spool_id(uint32_t owner, uint64_t sequence)
{
    return (uint64_t)owner << SPOOL_SEQUENCE_BITS | sequence;
}

enum spool_kind {
    SPOOL_PUT,  /* a new row: id, key, head, body, born_ms, due_ms, takes, first_ms */
    SPOOL_TAKE, /* sets due_ms, takes, first_ms; reads head and body back */
    SPOOL_READ, /* reads head and body back, changes nothing */
    SPOOL_DUE,  /* sets due_ms */
    SPOOL_DROP, /* deletes the row; one that is gone is fine */
    SPOOL_MOVE, /* id becomes to_id, with due_ms, takes, first_ms as given; head is replaced if set,
                   born_ms if not 0 */
    SPOOL_WIPE, /* deletes all rows from id to to_id, both included */
    SPOOL_NOTE, /* name := body (name in head); an empty body deletes the note */
};

/* One change. Slices are borrowed until done, except those that TAKE and READ fill: these live in
 * one block that the operation owns until spool_op_clear. */
struct spool_change {
    enum spool_kind kind;
    uint64_t id, to_id;
    int64_t born_ms;   /* PUT: unix ms of acceptance; MOVE: 0 keeps it */
    int64_t due_ms;    /* unix ms before which it is not to be given out; 0: at once */
    int64_t first_ms;  /* unix ms of the first take; 0: never */
    uint32_t takes;    /* times given out */
    struct slice key;  /* ordering key, at most SPOOL_KEY_MAX bytes; may be empty */
    struct slice head; /* the owner's own: attributes, ids */
    struct slice body;
    bool found; /* TAKE, READ, MOVE, DUE, DROP: the row was there */
};

/* All changes of one operation are on disk, or none. Owned by the submitter, zeroed first; stays
 * until done. Operations take effect, and their done comes, in the order of spool_submit; refused
 * ones too. Relaxed ones keep that order among themselves, and may overtake the others. */
struct spool_op {
    struct list node;
    struct spool_change *changes;
    size_t n;
    void (*done)(struct spool_op *); /* on the loop, after the commit; never inside submit */
    /* TAKE, DUE, DROP and READ only: done comes when the end of the process can take nothing away
     * any more; a power cut can, for about SPOOL_RELAXED_MS: the last relaxed ones, never one
     * without all that were told after it, and never one that a strict operation was told after. */
    bool relaxed;
    bool ok;
    bool full;     /* not ok because of the byte cap or a full disk: later it may work */
    char why[128]; /* not ok: for logs */
    void *block;   /* what TAKE and READ read */
};

struct spool_options {
    const char *path;  /* of the database; a sibling PATH.lock keeps a second gateway out */
    int64_t max_bytes; /* cap of the rows' bytes; 0: none. PUT beyond it is refused as full */
};

struct spool;

/* Opens, migrates, starts the thread. False texts name the file and the remedy: read-only, locked
 * by another gateway, newer schema, not a database, damaged. */
struct spool *spool_open(struct loop *, const struct spool_options *, struct error *);
/* Waits until everything submitted is on disk, then closes; done is still called, from here. Never
 * from inside done. */
void spool_close(struct spool *);
void spool_submit(struct spool *, struct spool_op *);
void spool_op_clear(struct spool_op *);    /* frees what TAKE and READ brought */
int64_t spool_bytes(const struct spool *); /* bytes of rows that count against max_bytes */

/* At start, before the first submit, synchronously: every note, then every row in order of id,
 * without bodies. Slices are valid during the call. */
struct spool_row {
    uint64_t id;
    int64_t born_ms, due_ms, first_ms;
    uint32_t takes;
    struct slice key;
    uint64_t bytes;
};
bool spool_scan(struct spool *, void (*on_note)(void *ctx, struct slice name, struct slice value),
                void (*on_row)(void *ctx, const struct spool_row *), void *ctx,
                struct error *) MUST_CHECK;

#endif
