/* power_disk.h - a disk that can lose its power, run full or break, under SQLite's system calls:
 * they are the ones defined here, for this test's whole process. Beside the real files it keeps
 * what would be on the platters: what was written is pending until an fdatasync; at a power cut
 * any part of what is pending may be there or not, in sectors. */
#ifndef TESTS_POWER_DISK_H
#define TESTS_POWER_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DISK_FILES = 4, DISK_SECTOR = 512 };

struct disk_write {
    int64_t at; /* -1: a truncation to n */
    size_t n;
    char *data;
};

struct disk_file {
    ino_t ino;
    char name[64]; /* without its directory */
    char *durable; /* what a power cut cannot take */
    size_t n, cap;
    struct disk_write *pending;
    size_t n_pending;
};

static struct {
    pthread_mutex_t lock;
    bool watched; /* keep track of what is durable */
    struct disk_file files[DISK_FILES];
    uint64_t random;
    /* faults */
    _Atomic int fail_sync;       /* this many fdatasync fail with EIO */
    const char *cut_folder;      /* where to write what a power cut during an fdatasync leaves */
    _Atomic int cut_at;          /* that of so many after one has failed; 0: none */
    _Atomic bool cut;            /* it has happened */
    _Atomic int fail_read_errno; /* every pread fails */
    _Atomic int write_errno;     /* what needs more blocks than these fails with it */
    const char *path;            /* of the file; its log is beside it */
    int64_t blocks;              /* that both may have; fixed before write_errno is set */
    _Atomic bool log_only;       /* but only of a file whose name ends in -wal */
    _Atomic bool no_reserving;   /* blocks cannot be reserved, as on some file systems */
    _Atomic int syncs, failed;   /* counted */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline uint32_t disk_random(uint32_t below)
{
    disk.random = disk.random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((disk.random >> 33) % below);
}

static inline void disk_size(struct disk_file *f, size_t n)
{
    if (n > f->cap) {
        f->cap = n * 2;
        f->durable = realloc(f->durable, f->cap);
        if (f->durable == NULL)
            abort();
    }
    if (n > f->n)
        memset(f->durable + f->n, 0, n - f->n);
    f->n = n;
}

static inline void disk_name(int fd, char *name, size_t size)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%.60s", slash != NULL ? slash + 1 : path);
}

/* What is there before the first write is on the platters. */
static inline void disk_meet(struct disk_file *f, int fd, const struct stat *st)
{
    disk_name(fd, f->name, sizeof f->name);
    f->ino = st->st_ino;
    disk_size(f, (size_t)st->st_size);
    if (f->n > 0 && syscall(SYS_pread64, fd, f->durable, f->n, 0L) != (long)f->n)
        abort();
}

/* Inside the lock, before the change. NULL: not one to watch. */
static inline struct disk_file *disk_file(int fd)
{
    struct stat st;
    if (!disk.watched || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return NULL;
    struct disk_file *unused = NULL;
    for (size_t i = 0; i < DISK_FILES; i++) {
        if (disk.files[i].ino == st.st_ino)
            return &disk.files[i];
        if (disk.files[i].ino == 0)
            unused = &disk.files[i];
    }
    if (unused == NULL)
        abort();
    disk_meet(unused, fd, &st);
    return unused;
}

static inline void disk_pend(struct disk_file *f, int64_t at, const void *data, size_t n)
{
    f->pending = realloc(f->pending, (f->n_pending + 1) * sizeof *f->pending);
    char *copy = data != NULL ? malloc(n + 1) : NULL;
    if (f->pending == NULL || (data != NULL && copy == NULL))
        abort();
    if (copy != NULL)
        memcpy(copy, data, n);
    f->pending[f->n_pending++] = (struct disk_write){at, n, copy};
}

/* Brings a pending write to the platters: whole, or each sector by chance. */
static inline void disk_land(struct disk_file *f, const struct disk_write *w, bool whole)
{
    if (w->at < 0) {
        if (whole || disk_random(2) == 0)
            disk_size(f, w->n);
        return;
    }
    size_t at = (size_t)w->at;
    for (size_t i = 0; i < w->n;) {
        size_t end = ((at + i) / DISK_SECTOR + 1) * DISK_SECTOR - at;
        end = end < w->n ? end : w->n;
        if (whole || disk_random(2) == 0) {
            if (at + end > f->n)
                disk_size(f, at + end);
            memcpy(f->durable + at + i, w->data + i, end - i);
        }
        i = end;
    }
}

static inline void disk_settle(struct disk_file *f, bool whole)
{
    for (size_t i = 0; i < f->n_pending; i++) {
        disk_land(f, &f->pending[i], whole);
        free(f->pending[i].data);
    }
    free(f->pending);
    f->pending = NULL;
    f->n_pending = 0;
}

static inline void disk_free(struct disk_file *f)
{
    disk_settle(f, true);
    free(f->durable);
    *f = (struct disk_file){0};
}

/* ---- SQLite's system calls */

#define DISK_CALL __attribute__((visibility("default")))

/* Of 512 bytes; of the file and its log, or of the log alone. */
static inline int64_t disk_blocks(void)
{
    struct stat st;
    char log[PATH_MAX];
    snprintf(log, sizeof log, "%s-wal", disk.path);
    int64_t n = stat(log, &st) == 0 ? st.st_blocks : 0;
    return n + (!atomic_load(&disk.log_only) && stat(disk.path, &st) == 0 ? st.st_blocks : 0);
}

static inline bool disk_is_full(int fd, int64_t end)
{
    struct stat st;
    char name[64];
    int fault = atomic_load(&disk.write_errno);
    if (fault == 0 || fstat(fd, &st) != 0 || end <= st.st_blocks * 512)
        return false;
    disk_name(fd, name, sizeof name);
    bool counts = !atomic_load(&disk.log_only) || strstr(name, "-wal") != NULL;
    if (!counts || disk_blocks() + (end + 511) / 512 - st.st_blocks <= disk.blocks)
        return false;
    atomic_fetch_add(&disk.failed, 1);
    errno = fault;
    return true;
}

DISK_CALL int fallocate(int fd, int mode, off_t at, off_t n)
{
    if (atomic_load(&disk.no_reserving)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return disk_is_full(fd, at + n) ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, n);
}

DISK_CALL ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    if (disk_is_full(fd, at + (int64_t)n))
        return -1;
    pthread_mutex_lock(&disk.lock);
    struct disk_file *f = disk_file(fd);
    ssize_t done = syscall(SYS_pwrite64, fd, p, n, at);
    if (f != NULL && done > 0)
        disk_pend(f, at, p, (size_t)done);
    pthread_mutex_unlock(&disk.lock);
    return done;
}

/* Of the spool itself, which also has a lock file. */
DISK_CALL ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return pwrite64(fd, p, n, at);
}

DISK_CALL ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    int fault = atomic_load(&disk.fail_read_errno);
    if (fault != 0) {
        atomic_fetch_add(&disk.failed, 1);
        errno = fault;
        return -1;
    }
    return syscall(SYS_pread64, fd, p, n, at);
}

DISK_CALL int ftruncate64(int fd, off64_t n)
{
    pthread_mutex_lock(&disk.lock);
    struct disk_file *f = disk_file(fd);
    int rc = (int)syscall(SYS_ftruncate, fd, n);
    if (f != NULL && rc == 0)
        disk_pend(f, -1, NULL, (size_t)n);
    pthread_mutex_unlock(&disk.lock);
    return rc;
}

/* Not SQLite's: of the spool itself, which also has a lock file. */
DISK_CALL int ftruncate(int fd, off_t n)
{
    return n > 0 ? ftruncate64(fd, n) : (int)syscall(SYS_ftruncate, fd, n);
}

/* Inside the lock. Writes what is on the platters into `folder`. The real files go on. */
static inline void disk_cut_power(const char *folder)
{
    for (size_t i = 0; i < DISK_FILES; i++) {
        struct disk_file *f = &disk.files[i];
        if (f->ino == 0)
            continue;
        disk_settle(f, false);
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, f->name);
        FILE *out = fopen(path, "w");
        if (out == NULL || fwrite(f->durable, 1, f->n, out) != f->n || fclose(out) != 0)
            abort();
    }
    disk.watched = false;
}

/* A failed one loses: the kernel then takes the pages for clean and never writes them again. */
DISK_CALL int fdatasync(int fd)
{
    pthread_mutex_lock(&disk.lock);
    struct disk_file *f = disk_file(fd);
    bool fails = atomic_load(&disk.fail_sync) > 0;
    if (!fails && f != NULL && atomic_load(&disk.cut_at) > 0 && atomic_load(&disk.failed) > 0 &&
        atomic_fetch_sub(&disk.cut_at, 1) == 1) {
        disk_cut_power(disk.cut_folder);
        atomic_store(&disk.cut, true);
        f = NULL;
    }
    if (f != NULL)
        disk_settle(f, !fails);
    pthread_mutex_unlock(&disk.lock);
    atomic_fetch_add(&disk.syncs, 1);
    if (!fails)
        return 0; /* the real files are not what survives here */
    atomic_fetch_sub(&disk.fail_sync, 1);
    atomic_fetch_add(&disk.failed, 1);
    errno = EIO;
    return -1;
}

/* Inode numbers are used again. Names, unlike bytes, are taken for durable at once. */
DISK_CALL int unlink(const char *path)
{
    struct stat st;
    pthread_mutex_lock(&disk.lock);
    bool known = stat(path, &st) == 0;
    for (size_t i = 0; known && i < DISK_FILES; i++)
        if (disk.files[i].ino == st.st_ino)
            disk_free(&disk.files[i]);
    pthread_mutex_unlock(&disk.lock);
    return (int)syscall(SYS_unlink, path);
}

/* ---- the test's side */

/* From now on what is durable is known; of this file from the beginning. */
static inline void disk_watch(const char *path)
{
    pthread_mutex_lock(&disk.lock);
    disk.watched = true;
    int fd = open(path, O_RDWR);
    if (fd >= 0) {
        (void)disk_file(fd);
        close(fd);
    }
    pthread_mutex_unlock(&disk.lock);
}

static inline void disk_forget(void)
{
    pthread_mutex_lock(&disk.lock);
    for (size_t i = 0; i < DISK_FILES; i++)
        disk_free(&disk.files[i]);
    pthread_mutex_unlock(&disk.lock);
}

/* From now on file and log have no more blocks than they have now. */
static inline void disk_fill(const char *path, int how)
{
    disk.path = path;
    disk.blocks = disk_blocks();
    atomic_store(&disk.failed, 0);
    atomic_store(&disk.write_errno, how);
}

/* Now. */
static inline void disk_power_cut(const char *folder)
{
    pthread_mutex_lock(&disk.lock);
    disk_cut_power(folder);
    pthread_mutex_unlock(&disk.lock);
}

#endif
