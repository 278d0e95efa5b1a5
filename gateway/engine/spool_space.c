/* spool_space.c - reserves blocks for the spool's file and its log. */
#include "engine/spool_space.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_BYTES = 1024 * 1024, COPY_BYTES = 16 * 1024 };

void spool_space_init(struct spool_space *s)
{
    *s = (struct spool_space){.file = -1, .log = -1};
}

bool spool_space_is_short(int sys)
{
    return sys == ENOSPC || sys == EDQUOT || sys == EFBIG;
}

static bool reserve(int fd, int64_t from, int64_t to)
{
    return fd < 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, from, to - from) == 0 ||
           (errno != ENOSPC && errno != EDQUOT);
}

/* fallocate does not look at RLIMIT_FSIZE when the size stays; growing will. */
static bool may_be_so_large(int64_t bytes)
{
    struct rlimit most;
    return getrlimit(RLIMIT_FSIZE, &most) != 0 || most.rlim_cur == RLIM_INFINITY ||
           (rlim_t)bytes <= most.rlim_cur;
}

void spool_space_open(struct spool_space *s, const char *path, int64_t log_bytes)
{
    char *log = mem_printf("%s-wal", path);
    s->file = open(path, O_RDWR | O_CLOEXEC);
    s->log = open(log, O_RDWR | O_CLOEXEC);
    (void)reserve(s->log, 0, log_bytes); /* if not now, then as it grows */
    free(log);
}

void spool_space_close(struct spool_space *s)
{
    if (s->file >= 0)
        close(s->file);
    if (s->log >= 0)
        close(s->log);
    spool_space_init(s);
}

bool spool_space_reserve(struct spool_space *s, int64_t bytes)
{
    struct stat st;
    if (bytes <= s->reserved_bytes || s->file < 0 || fstat(s->file, &st) != 0)
        return true;
    int64_t to = st.st_size; /* what the file has needs no reservation */
    if (bytes > to) {
        if (!may_be_so_large(bytes))
            return false;
        to = (bytes / STEP_BYTES + 1) * STEP_BYTES;
        if (!reserve(s->file, st.st_size, to) && !reserve(s->file, st.st_size, to = bytes))
            return false;
    }
    s->reserved_bytes = to;
    return true;
}

void spool_space_forget(struct spool_space *s)
{
    s->reserved_bytes = 0;
}

void spool_space_cut_log(struct spool_space *s, int64_t bytes)
{
    struct stat st;
    if (s->log >= 0 && fstat(s->log, &st) == 0 && st.st_size > bytes &&
        ftruncate(s->log, bytes) != 0)
        return; /* the disk is broken: one who starts on it again may find what was refused */
}

/* Does not wait, and what fails is told by the sync: its answer says nothing. */
void spool_space_write_log(const struct spool_space *s, int64_t from, int64_t to)
{
    if (s->log >= 0)
        (void)sync_file_range(s->log, from, to - from, SYNC_FILE_RANGE_WRITE);
}

bool spool_space_rewrite_log(struct spool_space *s, int64_t from, int64_t to)
{
    char copy[COPY_BYTES];
    while (from < to) {
        size_t n = to - from < COPY_BYTES ? (size_t)(to - from) : sizeof copy;
        ssize_t got = s->log >= 0 ? pread(s->log, copy, n, from) : -1;
        if (got <= 0 || pwrite(s->log, copy, (size_t)got, from) != got)
            return false;
        from += got;
    }
    return true;
}
