/* http_server.c - requests and replies by libmicrohttpd, whose epoll descriptor our loop watches.
 */
#include "base/log.h"
#include "base/mem.h"
#include "io/http_conn.h"
#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS_MAX = 20000,
    STALL_MS = 60 * 1000,
    LAST_RUNS = 64,
};

static struct http_conn *conn_of(struct http_request *req)
{
    return container_of(req, struct http_conn, req);
}

static const struct http_conn *conn_of_const(const struct http_request *req)
{
    return (const struct http_conn *)(const void *)((const char *)req -
                                                    offsetof(struct http_conn, req));
}

/* ---- running the daemon */

/* What the daemon left undone must be done before the loop sleeps: its epoll descriptor does not
 * tell (PITFALLS 3.1). */
static void run_daemon(struct http_server *s)
{
    MHD_run(s->daemon);
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (MHD_get_timeout(s->daemon, &wait_ms) != MHD_YES)
        timer_stop(s->loop, &s->again);
    else
        timer_start(s->loop, &s->again, (int64_t)wait_ms);
}

static void on_epoll(struct watch *w, uint32_t events)
{
    (void)events;
    struct http_server *s = container_of(w, struct http_server, watch);
    loop_defer(s->loop, &s->run);
}

static void on_run(struct task *t)
{
    run_daemon(container_of(t, struct http_server, run));
}

static void on_again(struct timer *t)
{
    run_daemon(container_of(t, struct http_server, again));
}

/* ---- connections */

static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = cls;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct http_conn *c = *socket_context;
        if (c->response != NULL)
            MHD_destroy_response(c->response);
        http_conn_free(c);
        return;
    }
    s->adopting->mhd = mhd;
    *socket_context = s->adopting;
    s->adopting = NULL;
}

void http_server_adopt(struct http_listener *l, int fd, const struct sockaddr *from, socklen_t n)
{
    struct http_server *s = l->server;
    struct http_conn *c = http_conn_new(l, fd);
    s->adopting = c;
    MHD_add_connection(s->daemon, fd, from, n);
    if (s->adopting != NULL) { /* refused: the daemon has closed the socket and told nobody */
        s->adopting = NULL;
        http_conn_free(c);
    }
    http_conn_watch(s);
}

/* ---- a request comes in */

/* The only place where the request's target is seen as it was sent. */
static void *on_target(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    (void)cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_conn *c = info->socket_context;
    http_conn_begin(c, uri != NULL ? uri : "");
    return c;
}

static size_t keep_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

static enum MHD_Result send_reply(struct http_conn *c)
{
    if (c->response == NULL)
        return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(c->mhd, c->status, c->response);
    MHD_destroy_response(c->response);
    c->response = NULL;
    return queued;
}

/* An answer that is there at once goes out at once: to suspend and resume would cost two system
 * calls and one more round of the daemon. */
static enum MHD_Result complete(struct http_conn *c)
{
    if (c->listener->server->closing)
        return MHD_NO;
    http_conn_hand_over(c);
    if (c->state == HTTP_CONN_REPLYING)
        return send_reply(c);
    MHD_suspend_connection(c->mhd);
    c->suspended = true;
    return MHD_YES;
}

/* Called for the headers, for each piece of the body, at its end, and once more after resuming. */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_n, void **context)
{
    (void)cls;
    (void)mhd;
    (void)url;
    (void)version;
    struct http_conn *c = *context;
    if (c->state == HTTP_CONN_REPLYING)
        return send_reply(c);
    if (!c->headers_done) {
        c->headers_done = true;
        c->req.method = slice_of(method);
        http_conn_progress(c);
        return MHD_YES;
    }
    if (*upload_n == 0)
        return complete(c);
    bool go_on = http_conn_body(c, upload, *upload_n);
    *upload_n = 0;
    return go_on ? MHD_YES : MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)mhd;
    (void)code;
    if (*context != NULL)
        http_conn_reset(*context);
}

/* ---- the answer goes out */

static void finish(struct http_conn *c, unsigned status, struct MHD_Response *response)
{
    assert(c->state == HTTP_CONN_OPEN);
    struct http_server *s = c->listener->server;
    if (response != NULL && c->listener->closed)
        MHD_add_response_header(response, "Connection", "close");
    c->state = HTTP_CONN_REPLYING;
    c->status = status;
    c->response = response;
    http_conn_progress(c);
    if (!c->suspended)
        return;
    c->suspended = false;
    MHD_resume_connection(c->mhd);
    loop_defer(s->loop, &s->run);
}

static void add_header(struct MHD_Response *r, const struct http_header *h)
{
    char small[256];
    char *value = h->value.n < sizeof small ? small : mem_alloc_raw(h->value.n + 1);
    memcpy(value, h->value.p, h->value.n);
    value[h->value.n] = '\0';
    if (MHD_add_response_header(r, h->name, value) != MHD_YES)
        log_debug(NULL, "response header %s was left out: not valid", h->name);
    if (value != small)
        free(value);
}

/* Takes bytes, which came from malloc. */
static void reply(struct http_request *req, int status, const struct http_header *h, size_t n_h,
                  char *bytes, size_t n)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(n, bytes, MHD_RESPMEM_MUST_FREE);
    if (r == NULL)
        free(bytes);
    for (size_t i = 0; r != NULL && i < n_h; i++)
        add_header(r, &h[i]);
    bool valid = status >= 200 && status <= 999;
    finish(conn_of(req), valid ? (unsigned)status : 500U, r);
}

void http_reply(struct http_request *req, int status, const struct http_header *h, size_t n_h,
                struct slice body)
{
    char *copy = mem_alloc_raw(body.n + 1);
    memcpy(copy, body.p, body.n);
    reply(req, status, h, n_h, copy, body.n);
}

void http_reply_buf(struct http_request *req, int status, const struct http_header *h, size_t n_h,
                    struct buf *body)
{
    size_t n = body->n;
    reply(req, status, h, n_h, buf_steal(body), n);
}

void http_abort(struct http_request *req)
{
    finish(conn_of(req), 0, NULL);
}

/* ---- looking at a request */

static struct slice lookup(const struct http_request *req, enum MHD_ValueKind kind,
                           const char *name, bool *found)
{
    const char *value = NULL;
    size_t n = 0;
    *found = MHD_lookup_connection_value_n(conn_of_const(req)->mhd, kind, name, strlen(name),
                                           &value, &n) == MHD_YES;
    return *found && value != NULL ? (struct slice){value, n} : SLICE_NONE;
}

struct slice http_request_header(const struct http_request *req, const char *name)
{
    bool found;
    return lookup(req, MHD_HEADER_KIND, name, &found);
}

bool http_request_has_header(const struct http_request *req, const char *name)
{
    bool found;
    lookup(req, MHD_HEADER_KIND, name, &found);
    return found;
}

struct slice http_request_trailer(const struct http_request *req, const char *name)
{
    bool found;
    return lookup(req, MHD_FOOTER_KIND, name, &found);
}

struct header_walk {
    void (*f)(void *ctx, struct slice name, struct slice value);
    void *ctx;
};

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                 size_t name_n, const char *value, size_t value_n)
{
    (void)kind;
    struct header_walk *w = cls;
    struct slice v = value != NULL ? (struct slice){value, value_n} : SLICE_NONE;
    w->f(w->ctx, (struct slice){name, name_n}, v);
    return MHD_YES;
}

void http_request_headers(const struct http_request *req,
                          void (*f)(void *ctx, struct slice name, struct slice value), void *ctx)
{
    struct header_walk w = {f, ctx};
    MHD_get_connection_values_n(conn_of_const(req)->mhd, MHD_HEADER_KIND, on_header, &w);
}

/* ---- the server */

static void on_log(void *cls, const char *fmt, va_list args) PRINTF(2, 0);
static void on_log(void *cls, const char *fmt, va_list args)
{
    (void)cls;
    if (!log_enabled(LOG_DEBUG))
        return;
    char text[256];
    vsnprintf(text, sizeof text, fmt, args);
    log_debug(NULL, "http: %s", text);
}

static struct MHD_Daemon *start_daemon(struct http_server *s)
{
    unsigned flags =
        MHD_USE_NO_LISTEN_SOCKET | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_access, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONN_POOL_BYTES,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_END);
}

struct http_server *http_server_new(struct loop *loop, struct error *err)
{
    struct http_server *s = mem_alloc(sizeof *s);
    s->loop = loop;
    s->stall_ms = STALL_MS;
    list_init(&s->listeners);
    task_init(&s->run, on_run);
    s->again.fire = on_again;
    s->sweep.fire = http_conn_sweep;
    s->daemon = start_daemon(s);
    if (s->daemon == NULL) {
        error_sys(err, "HTTP server");
        free(s);
        return NULL;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    s->watch = (struct watch){.fd = info->epoll_fd, .events = WATCH_READ, .ready = on_epoll};
    if (watch_start(loop, &s->watch))
        return s;
    error_set(err, ERROR_SYSTEM, "HTTP server: cannot watch its descriptor");
    http_server_free(s);
    return NULL;
}

void http_server_set_stall(struct http_server *s, int64_t ms)
{
    s->stall_ms = ms;
}

struct http_listener *http_listen(struct http_server *s, const char *host, uint16_t port,
                                  size_t max_body_bytes, http_handler *handler, void *ctx,
                                  struct error *err)
{
    struct http_listener *l = http_listen_new(s, s->loop, host, port, err);
    if (l == NULL)
        return NULL;
    l->max_body_bytes = max_body_bytes;
    l->handler = handler;
    l->ctx = ctx;
    list_append(&s->listeners, &l->node);
    return l;
}

static void answer_open(struct http_listener *l)
{
    list_each(&l->conns, it)
    {
        struct http_conn *c = container_of(it, struct http_conn, node);
        if (c->state == HTTP_CONN_OPEN)
            http_reply(&c->req, 503, NULL, 0, SLICE_NONE);
    }
}

void http_server_free(struct http_server *s)
{
    if (s == NULL)
        return;
    s->closing = true;
    list_each(&s->listeners, it)
    {
        struct http_listener *l = container_of(it, struct http_listener, node);
        http_listen_stop(l);
        answer_open(l);
    }
    /* resumes everybody, as stopping demands, and writes what fits into the sockets' buffers */
    for (int i = 0; i < LAST_RUNS; i++)
        run_daemon(s);
    watch_stop(s->loop, &s->watch);
    MHD_stop_daemon(s->daemon);
    task_cancel(&s->run);
    timer_stop(s->loop, &s->again);
    timer_stop(s->loop, &s->sweep);
    list_each(&s->listeners, it) http_listen_free(container_of(it, struct http_listener, node));
    free(s);
}
