/* http_listen.c - the server's own listening sockets: bind, and accept a bounded number per turn.
 */
#include "io/http_listen.h"
#include "base/log.h"
#include "base/mem.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ACCEPTS_PER_TURN = 64, BACKLOG = 1024, PAUSE_MS = 200, WARN_EVERY_MS = 10 * 1000 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t address_of(const char *host, uint16_t port, union address *a)
{
    memset(a, 0, sizeof *a);
    if (inet_pton(AF_INET, host, &a->v4.sin_addr) == 1) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons(port);
        return sizeof a->v4;
    }
    if (inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons(port);
        return sizeof a->v6;
    }
    return 0;
}

static uint16_t port_of(int fd)
{
    union address a = {0};
    socklen_t n = sizeof a;
    if (getsockname(fd, &a.any, &n) != 0)
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

/* A vanished peer is noticed by the kernel: idle connections have no time limit of their own. */
static void set_options(int fd)
{
    int on = 1, idle_s = 60, interval_s = 15, probes = 4;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

uint64_t http_listen_acked(int fd)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 ? info.tcpi_bytes_acked : 0;
}

static void resume_accepting(struct timer *t)
{
    struct http_listener *l = container_of(t, struct http_listener, pause);
    if (!watch_start(l->loop, &l->watch))
        timer_start(l->loop, &l->pause, PAUSE_MS);
}

/* The waiting connection would wake us again and again. */
static void pause_accepting(struct http_listener *l, int sys)
{
    watch_stop(l->loop, &l->watch);
    timer_start(l->loop, &l->pause, PAUSE_MS);
    if (loop_now(l->loop) < l->next_warning_ms)
        return;
    l->next_warning_ms = loop_now(l->loop) + WARN_EVERY_MS;
    log_warn(NULL, "port %u: cannot accept connections: %s", l->port, strerror(sys));
}

static void on_connection(struct watch *w, uint32_t events)
{
    (void)events;
    struct http_listener *l = container_of(w, struct http_listener, watch);
    for (int i = 0; i < ACCEPTS_PER_TURN && !l->closed; i++) {
        union address from;
        socklen_t n = sizeof from;
        int fd = accept4(w->fd, &from.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            http_server_adopt(l, fd, &from.any, n);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(l, errno);
            return;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
    }
}

static int bind_socket(const char *host, uint16_t port, struct error *err)
{
    union address a;
    socklen_t n = address_of(host, port, &a);
    if (n == 0) {
        error_set(err, ERROR_CONFIG, "%s is not a numeric address", host);
        return -1;
    }
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        set_options(fd); /* accepted sockets inherit them */
        if (bind(fd, &a.any, n) == 0 && listen(fd, BACKLOG) == 0)
            return fd;
    }
    error_sys(err, "cannot listen on %s port %u", host, port);
    if (fd >= 0)
        close(fd);
    return -1;
}

struct http_listener *http_listen_new(struct http_server *server, struct loop *loop,
                                      const char *host, uint16_t port, struct error *err)
{
    int fd = bind_socket(host, port, err);
    if (fd < 0)
        return NULL;
    struct http_listener *l = mem_alloc(sizeof *l);
    list_init(&l->node);
    list_init(&l->conns);
    l->server = server;
    l->loop = loop;
    l->pause.fire = resume_accepting;
    l->watch = (struct watch){.fd = fd, .events = WATCH_READ, .ready = on_connection};
    l->port = port_of(fd);
    if (watch_start(loop, &l->watch))
        return l;
    error_sys(err, "cannot watch the listening socket of port %u", l->port);
    close(fd);
    free(l);
    return NULL;
}

uint16_t http_listener_port(const struct http_listener *l)
{
    return l->port;
}

void http_listen_stop(struct http_listener *l)
{
    if (l->closed)
        return;
    l->closed = true;
    timer_stop(l->loop, &l->pause);
    watch_stop(l->loop, &l->watch);
    close(l->watch.fd);
}

void http_listen_free(struct http_listener *l)
{
    http_listen_stop(l);
    list_remove(&l->node);
    free(l);
}
