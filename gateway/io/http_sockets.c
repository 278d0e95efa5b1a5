/* http_sockets.c - which of the HTTP client's descriptors are watched, and for what. */
#include "io/http_sockets.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct http_socket {
    struct watch watch;
    struct http_sockets *table;
    bool ours;
    bool idle; /* nothing is wanted */
    ino_t inode;
};

void http_sockets_init(struct http_sockets *t, struct loop *loop,
                       void (*ready)(void *ctx, int fd, uint32_t events), void *ctx)
{
    *t = (struct http_sockets){.loop = loop, .ready = ready, .ctx = ctx};
}

static struct http_socket *find(const struct http_sockets *t, int fd)
{
    return (size_t)fd < t->n ? t->v[fd] : NULL;
}

static void on_ready(struct watch *w, uint32_t events)
{
    struct http_socket *s = container_of(w, struct http_socket, watch);
    if (s->idle) /* closed by the server, most likely: curl finds out when it needs it again */
        watch_stop(s->table->loop, w);
    else
        s->table->ready(s->table->ctx, w->fd, events);
}

static struct http_socket *add(struct http_sockets *t, int fd)
{
    if ((size_t)fd >= t->n) {
        size_t n = (size_t)fd * 2 + 64;
        t->v = mem_realloc(t->v, n * sizeof *t->v);
        memset(t->v + t->n, 0, (n - t->n) * sizeof *t->v);
        t->n = n;
    }
    struct http_socket *s = mem_alloc(sizeof *s);
    s->watch = (struct watch){.fd = fd, .ready = on_ready};
    s->table = t;
    t->v[fd] = s;
    return s;
}

static ino_t inode_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static void drop(struct http_sockets *t, int fd)
{
    struct http_socket *s = find(t, fd);
    if (s == NULL)
        return;
    watch_stop(t->loop, &s->watch);
    t->v[fd] = NULL;
    free(s);
}

int http_sockets_open(struct http_sockets *t, int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd >= 0) {
        struct http_socket *s = add(t, fd);
        s->ours = true;
        s->inode = inode_of(fd);
    }
    return fd;
}

int http_sockets_close(struct http_sockets *t, int fd)
{
    drop(t, fd);
    return close(fd);
}

bool http_sockets_want(struct http_sockets *t, int fd, uint32_t events)
{
    struct http_socket *s = find(t, fd);
    if (s == NULL)
        s = add(t, fd);
    s->idle = false;
    s->watch.events = events;
    return watch_start(t->loop, &s->watch);
}

void http_sockets_unwant(struct http_sockets *t, int fd)
{
    /* curl 7.88 closes a socket that is not connected yet without telling us (cf_socket_close) */
    struct http_socket *s = find(t, fd);
    if (s != NULL && s->ours && s->inode != 0 && inode_of(fd) == s->inode)
        s->idle = true;
    else
        drop(t, fd);
}

void http_sockets_free(struct http_sockets *t)
{
    for (size_t fd = 0; fd < t->n; fd++)
        drop(t, (int)fd);
    free(t->v);
}
