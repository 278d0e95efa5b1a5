/* spool.c - the loop's side of the spool: opens and locks the file, submits, tells what is done. */
#include "engine/spool.h"
#include "base/mem.h"
#include "engine/spool_thread.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct spool {
    struct loop *loop;
    struct watch watch;
    size_t out; /* operations submitted and not done */
    bool telling;
    int lock_fd;
    char *path;
    struct spool_db *db;
    struct spool_thread thread;
};

/* ---- opening */

static bool check_place(const char *path, struct error *err)
{
    char *copy = mem_strdup(path);
    const char *folder = dirname(copy);
    struct stat st;
    bool ok = true;
    if (stat(folder, &st) != 0)
        ok = error_sys(err, "%s: its directory %s", path, folder);
    else if (!S_ISDIR(st.st_mode))
        ok = error_set(err, ERROR_STORE, "%s: %s is not a directory", path, folder);
    else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        ok = error_set(err, ERROR_STORE, "%s: not a regular file", path);
    free(copy);
    return ok;
}

/* The lock file stays: to remove it would let two gateways hold locks on two files of one name. */
static int lock_path(const char *path, struct error *err)
{
    char *name = mem_printf("%s.lock", path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_sys(err, "%s: cannot be written", name);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        char owner[32] = "";
        ssize_t n = errno == EWOULDBLOCK ? pread(fd, owner, sizeof owner - 1, 0) : 0;
        if (errno == EWOULDBLOCK)
            error_set(err, ERROR_STORE,
                      "%s: another gateway (process %.*s) has it open; end that one, or choose "
                      "another path",
                      path, n > 0 ? (int)n : 1, n > 0 ? owner : "?");
        else
            error_sys(err, "%s: cannot be locked", name);
        close(fd);
        fd = -1;
    } else if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d", (int)getpid()) < 0) {
        error_sys(err, "%s: cannot be written", name);
        close(fd);
        fd = -1;
    }
    free(name);
    return fd;
}

/* Bodies are nobody else's business; SQLite gives its log the rights of the file. */
static bool make_private(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_sys(err, "%s: cannot be written", path);
    close(fd);
    return true;
}

static void on_done(struct watch *w, uint32_t events);

static bool start(struct spool *s, const struct spool_options *o, struct error *err)
{
    if (!check_place(s->path, err))
        return false;
    s->lock_fd = lock_path(s->path, err);
    if (s->lock_fd < 0 || !make_private(s->path, err))
        return false;
    s->db = spool_db_open(s->path, err);
    struct spool_thread *t = &s->thread;
    if (s->db == NULL || !spool_rows_init(&t->rows, s->db, err) ||
        (t->in = mailbox_new(err)) == NULL || (t->out = mailbox_new(err)) == NULL)
        return false;
    t->log = (struct log_scope){"spool", s->path};
    t->max_bytes = o->max_bytes;
    s->watch = (struct watch){.fd = mailbox_fd(t->out), .events = WATCH_READ, .ready = on_done};
    if (!watch_start(s->loop, &s->watch))
        return error_set(err, ERROR_SYSTEM, "%s: its mailbox cannot be watched", s->path);
    return spool_thread_start(t, err);
}

/* Everything but the thread. */
static void tear_down(struct spool *s)
{
    if (s->watch.impl != NULL)
        watch_stop(s->loop, &s->watch);
    spool_rows_fini(&s->thread.rows);
    spool_db_close(s->db);
    mailbox_free(s->thread.in);
    mailbox_free(s->thread.out);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->path);
    free(s);
}

struct spool *spool_open(struct loop *l, const struct spool_options *o, struct error *err)
{
    struct spool *s = mem_alloc(sizeof *s);
    s->loop = l;
    s->lock_fd = -1;
    s->path = mem_strdup(o->path);
    if (start(s, o, err))
        return s;
    tear_down(s);
    return NULL;
}

/* ---- operations */

void spool_submit(struct spool *s, struct spool_op *op)
{
    for (size_t i = 0; i < op->n; i++) {
        const struct spool_change *c = &op->changes[i];
        assert(c->key.n <= SPOOL_KEY_MAX && c->id <= INT64_MAX && c->to_id <= INT64_MAX);
        assert(!op->relaxed || c->kind == SPOOL_TAKE || c->kind == SPOOL_READ ||
               c->kind == SPOOL_DUE || c->kind == SPOOL_DROP);
        (void)c;
    }
    assert(op->block == NULL);
    s->out++;
    mailbox_post(s->thread.in, &op->node);
}

void spool_op_clear(struct spool_op *op)
{
    free(op->block);
    op->block = NULL;
}

static void tell(struct spool *s)
{
    struct list ready;
    list_init(&ready);
    mailbox_take(s->thread.out, &ready);
    s->telling = true;
    while (!list_empty(&ready)) {
        struct spool_op *op = container_of(ready.next, struct spool_op, node);
        list_remove(&op->node);
        s->out--;
        op->done(op);
    }
    s->telling = false;
}

static void on_done(struct watch *w, uint32_t events)
{
    (void)events;
    tell(container_of(w, struct spool, watch));
}

void spool_close(struct spool *s)
{
    if (s == NULL)
        return;
    assert(!s->telling);
    while (s->out > 0) {
        mailbox_wait(s->thread.out, -1);
        tell(s);
    }
    spool_thread_stop(&s->thread);
    tear_down(s);
}

int64_t spool_bytes(const struct spool *s)
{
    return atomic_load_explicit(&s->thread.bytes, memory_order_relaxed);
}

/* The thread sleeps until the first operation: until then its connection is ours. */
bool spool_scan(struct spool *s, void (*on_note)(void *ctx, struct slice name, struct slice value),
                void (*on_row)(void *ctx, const struct spool_row *), void *ctx, struct error *err)
{
    if (!spool_rows_scan(&s->thread.rows, on_note, on_row, ctx, err))
        return false;
    atomic_store_explicit(&s->thread.bytes, s->thread.rows.bytes, memory_order_relaxed);
    return true;
}
