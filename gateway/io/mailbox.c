/* mailbox.c - a locked list and an eventfd that is readable exactly while the list is not empty. */
#include "io/mailbox.h"
#include "base/mem.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
    pthread_mutex_t lock;
    struct list items;
    int fd;
};

struct mailbox *mailbox_new(struct error *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        error_sys(err, "eventfd");
        return NULL;
    }
    struct mailbox *m = mem_alloc(sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    list_init(&m->items);
    m->fd = fd;
    return m;
}

void mailbox_free(struct mailbox *m)
{
    if (m == NULL)
        return;
    assert(list_empty(&m->items));
    pthread_mutex_destroy(&m->lock);
    close(m->fd);
    free(m);
}

/* Both run inside the lock: outside of it the counter of one change could overtake that of the
 * next, and the receiver would sleep on a full box or spin on an empty one. */
static void signal_filled(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    assert(n == (ssize_t)sizeof one);
    (void)n;
}

static void signal_emptied(int fd)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    assert(n == (ssize_t)sizeof count);
    (void)n;
}

void mailbox_post_all(struct mailbox *m, struct list *items)
{
    if (list_empty(items))
        return;
    pthread_mutex_lock(&m->lock);
    bool was_empty = list_empty(&m->items);
    list_splice(&m->items, items);
    if (was_empty)
        signal_filled(m->fd);
    pthread_mutex_unlock(&m->lock);
}

void mailbox_post(struct mailbox *m, struct list *item)
{
    struct list one;
    list_init(&one);
    list_append(&one, item);
    mailbox_post_all(m, &one);
}

void mailbox_take(struct mailbox *m, struct list *out)
{
    pthread_mutex_lock(&m->lock);
    if (!list_empty(&m->items)) {
        signal_emptied(m->fd);
        list_splice(out, &m->items);
    }
    pthread_mutex_unlock(&m->lock);
}

void mailbox_wait(struct mailbox *m, int timeout_ms)
{
    struct pollfd p = {.fd = m->fd, .events = POLLIN};
    int rc = poll(&p, 1, timeout_ms);
    assert(rc >= 0 || errno == EINTR);
    (void)rc;
}

int mailbox_fd(const struct mailbox *m)
{
    return m->fd;
}
