/* http_conn.c - connections of the HTTP server: their present request, their idleness, their end.
 */
#include "io/http_conn.h"
#include "base/mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAIN_MAX_BYTES = 64 * 1024 * 1024,
    BODIES_MAX_BYTES = 512 * 1024 * 1024, /* of all requests that are not answered yet */
    KEEP_BODY_BYTES = 16 * 1024,          /* an idle connection keeps no more than this */
    SWEEPS_PER_STALL = 8,
};

struct http_conn *http_conn_new(struct http_listener *l, int fd)
{
    struct http_conn *c = mem_alloc(sizeof *c);
    list_init(&c->req.node);
    list_append(&l->conns, &c->node);
    c->listener = l;
    c->fd = fd;
    buf_init(&c->uri, HTTP_CONN_POOL_BYTES);
    buf_init(&c->body, l->max_body_bytes);
    http_conn_progress(c);
    l->server->n_conns++;
    return c;
}

static void drop_body(struct http_conn *c)
{
    c->listener->server->body_bytes -= c->body.n;
    buf_free(&c->body);
}

void http_conn_free(struct http_conn *c)
{
    struct http_listener *l = c->listener;
    list_remove(&c->node);
    list_remove(&c->req.node);
    l->server->n_conns--;
    buf_free(&c->uri);
    drop_body(c);
    free(c);
    if (l->closed && list_empty(&l->conns))
        http_listen_free(l);
}

void http_conn_progress(struct http_conn *c)
{
    c->progress_ms = loop_now(c->listener->loop);
}

void http_conn_hang_up(struct http_conn *c)
{
    shutdown(c->fd, SHUT_RDWR);
}

/* ---- a request */

/* The target may be a whole URL, as proxies send it. */
static void split_target(struct http_conn *c)
{
    struct slice target = buf_slice(&c->uri);
    if (slice_starts(target, "http://") || slice_starts(target, "https://")) {
        target = slice_from(target, target.p[4] == 's' ? 8 : 7);
        const char *path = memchr(target.p, '/', target.n);
        target = path != NULL ? slice_from(target, (size_t)(path - target.p)) : SLICE("/");
    }
    c->req.path = slice_cut(&target, '?');
    c->req.query = target;
}

void http_conn_begin(struct http_conn *c, const char *target)
{
    c->state = HTTP_CONN_READING;
    c->headers_done = false;
    c->drained = 0;
    http_conn_progress(c);
    buf_clear(&c->uri);
    buf_str(&c->uri, target);
    c->req = (struct http_request){.ctx = c->listener->ctx};
    list_init(&c->req.node);
    split_target(c);
}

bool http_conn_body(struct http_conn *c, const char *p, size_t n)
{
    struct http_server *s = c->listener->server;
    http_conn_progress(c);
    if (!c->req.too_large && n <= c->body.limit - c->body.n) {
        buf_add(&c->body, p, n);
        s->body_bytes += n;
        return s->body_bytes <= BODIES_MAX_BYTES;
    }
    c->req.too_large = true;
    drop_body(c);
    c->drained += n;
    return c->drained <= DRAIN_MAX_BYTES;
}

void http_conn_hand_over(struct http_conn *c)
{
    c->state = HTTP_CONN_OPEN;
    c->req.body = buf_slice(&c->body);
    if (c->listener->closed)
        http_reply(&c->req, 503, NULL, 0, SLICE_NONE);
    else
        c->listener->handler(&c->req);
}

void http_conn_reset(struct http_conn *c)
{
    c->state = HTTP_CONN_IDLE;
    c->listener->server->body_bytes -= c->body.n;
    buf_clear(&c->body);
    if (c->body.cap > KEEP_BODY_BYTES)
        buf_free(&c->body);
    if (c->listener->closed)
        http_conn_hang_up(c);
}

struct buf http_request_take_body(struct http_request *req)
{
    struct http_conn *c = container_of(req, struct http_conn, req);
    struct buf taken = c->body;
    c->listener->server->body_bytes -= taken.n;
    buf_init(&c->body, c->listener->max_body_bytes);
    req->body = SLICE_NONE;
    return taken;
}

bool http_request_alive(const struct http_request *req)
{
    const struct http_conn *c =
        (const struct http_conn *)(const void *)((const char *)req -
                                                 offsetof(struct http_conn, req));
    char next;
    ssize_t n = recv(c->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

/* ---- connections on which nothing moves */

static bool stalled(struct http_conn *c, int64_t stall_ms)
{
    if (c->state == HTTP_CONN_IDLE || c->state == HTTP_CONN_OPEN)
        return false;
    if (c->state == HTTP_CONN_REPLYING) {
        uint64_t acked = http_listen_acked(c->fd);
        if (acked != c->acked)
            http_conn_progress(c);
        c->acked = acked;
    }
    return loop_now(c->listener->loop) - c->progress_ms > stall_ms;
}

static void sweep(struct http_listener *l, int64_t stall_ms)
{
    list_each(&l->conns, it)
    {
        struct http_conn *c = container_of(it, struct http_conn, node);
        if (stalled(c, stall_ms))
            http_conn_hang_up(c);
    }
}

void http_conn_sweep(struct timer *t)
{
    struct http_server *s = container_of(t, struct http_server, sweep);
    list_each(&s->listeners, it) sweep(container_of(it, struct http_listener, node), s->stall_ms);
    http_conn_watch(s);
}

void http_conn_watch(struct http_server *s)
{
    if (s->n_conns > 0 && !timer_armed(&s->sweep))
        timer_start(s->loop, &s->sweep, s->stall_ms / SWEEPS_PER_STALL + 1);
}

/* ---- a listener's end */

bool http_server_finishing(const struct http_server *s)
{
    list_each(&s->listeners, it)
    {
        const struct http_listener *l = container_of(it, struct http_listener, node);
        list_each(&l->conns, it2)
        {
            const struct http_conn *c = container_of(it2, struct http_conn, node);
            if (l->closed && c->state == HTTP_CONN_REPLYING)
                return true;
        }
    }
    return false;
}

void http_listener_close(struct http_listener *l)
{
    http_listen_stop(l);
    list_each(&l->conns, it)
    {
        struct http_conn *c = container_of(it, struct http_conn, node);
        if (c->state == HTTP_CONN_IDLE || c->state == HTTP_CONN_FRESH)
            http_conn_hang_up(c);
    }
    if (list_empty(&l->conns))
        http_listen_free(l);
}
