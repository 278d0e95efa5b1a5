/* spool_space.h - room on the disk, taken before it is needed: so that on a full disk what is in
 * the log still finds its way into the file, and rows can be dropped. For spool*.c. */
#ifndef ENGINE_SPOOL_SPACE_H
#define ENGINE_SPOOL_SPACE_H

#include "base/base.h"

struct spool_space {
    int file, log; /* descriptors of the file and its log; -1: not open */
    int64_t reserved_bytes;
};

void spool_space_init(struct spool_space *);
/* After SQLite opened both. A file system that cannot reserve is fine. */
void spool_space_open(struct spool_space *, const char *path, int64_t log_bytes);
/* After SQLite closed both: its locks are the process's, and end with any descriptor. */
void spool_space_close(struct spool_space *);
/* The file will have that many bytes. False: the disk is full. */
bool spool_space_reserve(struct spool_space *, int64_t bytes);
/* A checkpoint cut the file to its length, and with that the reservation. */
void spool_space_forget(struct spool_space *);

bool spool_space_is_short(int sys); /* does this errno say that there is no room? */

/* Cuts off what is in the log behind its first bytes. */
void spool_space_cut_log(struct spool_space *, int64_t bytes);
/* Has the system begin to write a part of the log; the next sync waits for that much less. */
void spool_space_write_log(const struct spool_space *, int64_t from, int64_t to);
/* Writes a part of the log again, as it is, so that the next sync is one of it too. */
bool spool_space_rewrite_log(struct spool_space *, int64_t from, int64_t to) MUST_CHECK;

#endif
