/* fake_spool.h - a spool in memory for the queue simulation: the disk outlives a crash, operations
 * take their time, some fail. */
#ifndef QUEUESIM_FAKE_SPOOL_H
#define QUEUESIM_FAKE_SPOOL_H

#include "engine/spool.h"

struct fake_row {
    uint64_t id;
    int64_t born_ms, due_ms, first_ms;
    uint32_t takes;
    char *key, *head, *body;
    size_t key_n, head_n, body_n;
};

struct fake_note {
    char *name, *value;
    size_t n;
};

/* What a relaxed operation changed: how it was before; with its texts when it was dropped. */
struct fake_undo {
    struct fake_row row;
    bool dropped;
};

/* What is on disk, or with the system. Zeroed = empty. */
struct fake_disk {
    struct fake_row *rows; /* by id */
    size_t n, cap;
    struct fake_note *notes;
    size_t n_notes, cap_notes;
    struct fake_undo *unsynced; /* oldest first: since the last operation that was not relaxed */
    size_t n_unsynced, cap_unsynced;
    uint64_t commits, fails;
};

struct fake_spool_faults {
    uint64_t (*random)(void);
    unsigned fail_percent;
    int64_t commit_ms, told_ms; /* at most */
};

struct spool *fake_spool_open(struct loop *, struct fake_disk *, const struct fake_spool_faults *);
/* Nothing more gets to the disk: what is under way fails, what comes fails. */
void fake_spool_crash(struct spool *);
void fake_spool_free(struct spool *); /* all have been told */
bool fake_spool_idle(const struct spool *);
void fake_spool_set_faults(struct spool *, const struct fake_spool_faults *);

struct fake_row *fake_disk_find(const struct fake_disk *, uint64_t id); /* NULL: none */
size_t fake_disk_place(const struct fake_disk *, uint64_t id);          /* first row not before */
/* After a crash: the last of the relaxed changes, n of them, never reached the disk. */
void fake_disk_power_cut(struct fake_disk *, size_t n,
                         void (*lost)(const struct fake_row *, bool dropped));
void fake_disk_sync(struct fake_disk *); /* nothing can be lost any more */
void fake_disk_free(struct fake_disk *);

#endif
