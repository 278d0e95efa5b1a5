/* http_pair.h - for the HTTP tests: a loop with a server, a client and raw sockets in it. */
#ifndef TESTS_HTTP_PAIR_H
#define TESTS_HTTP_PAIR_H

#include "io/http_client.h"
#include "io/http_server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAIR_DEADLINE_MS = 30000, PAIR_BODY_MAX = 8 * 1024 * 1024 };

struct pair {
    struct loop *loop;
    struct http_server *server;
    struct http_listener *listener;
    struct http_client *client;
    char base[64]; /* of the URL: http://127.0.0.1:PORT */
    struct list held;
    size_t n_held, handled;
    struct timer tick;
    int64_t deadline;
    bool (*until)(struct pair *);
    size_t want; /* for until */
    bool late;
    unsigned ticks;
    /* raw connection */
    int fd;
    bool eof;
    struct buf got;
    /* calls that came back */
    size_t done;
};

static inline void pair_tick(struct timer *t)
{
    struct pair *p = container_of(t, struct pair, tick);
    p->late = loop_now(p->loop) > p->deadline;
    if (p->late || p->until(p))
        loop_stop(p->loop);
    else
        timer_start(p->loop, t, 1);
}

/* Runs the loop until it is so; fails after a deadline. */
static inline void pair_run(struct pair *p, bool (*until)(struct pair *))
{
    p->until = until;
    p->deadline = loop_now(p->loop) + PAIR_DEADLINE_MS;
    p->tick.fire = pair_tick;
    timer_start(p->loop, &p->tick, 0);
    loop_run(p->loop);
    timer_stop(p->loop, &p->tick);
    assert_false(p->late);
}

/* ---- handlers */

/* Answers with the request as text, so that the test sees what the handler saw. */
static inline void pair_echo(struct http_request *req)
{
    struct pair *p = req->ctx;
    struct buf out;
    p->handled++;
    buf_init(&out, 2 * PAIR_BODY_MAX);
    buf_printf(&out, SLICE_FMT " " SLICE_FMT " [" SLICE_FMT "]\n", SLICE_ARG(req->method),
               SLICE_ARG(req->path), SLICE_ARG(req->query));
    buf_put(&out, req->body);
    const struct http_header h[] = {{"Content-Type", SLICE("text/plain")},
                                    {"X-Test", http_request_header(req, "x-test")}};
    http_reply_buf(req, req->too_large ? 413 : 200, h, 2, &out);
}

static inline void pair_hold(struct http_request *req)
{
    struct pair *p = req->ctx;
    p->handled++;
    p->n_held++;
    list_append(&p->held, &req->node);
}

static inline struct http_request *pair_release(struct pair *p)
{
    struct http_request *req = container_of(p->held.next, struct http_request, node);
    assert_false(list_empty(&p->held));
    list_remove(&req->node);
    p->n_held--;
    return req;
}

static inline bool pair_has_held(struct pair *p)
{
    return p->n_held >= p->want;
}

static inline void pair_hold_until(struct pair *p, size_t n)
{
    p->want = n;
    pair_run(p, pair_has_held);
}

/* ---- raw connection */

static inline int raw_connect(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static inline void pair_connect(struct pair *p)
{
    p->fd = raw_connect(http_listener_port(p->listener));
    assert_true(p->fd >= 0);
    p->eof = false;
    buf_clear(&p->got);
}

static inline void pair_send(struct pair *p, const char *text)
{
    size_t n = strlen(text);
    assert_int_equal(send(p->fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

static inline void pair_read(struct pair *p)
{
    char text[65536];
    ssize_t n;
    while (!p->eof && (n = recv(p->fd, text, sizeof text, 0)) != -1) {
        buf_add(&p->got, text, (size_t)n);
        p->eof = n == 0;
    }
    if (!p->eof && errno == ECONNRESET)
        p->eof = true;
}

static inline bool pair_at_eof(struct pair *p)
{
    pair_read(p);
    return p->eof;
}

/* A whole answer with a Content-Length, or the end. */
static inline bool pair_answered(struct pair *p)
{
    pair_read(p);
    const char *end = strstr(p->got.p, "\r\n\r\n");
    const char *length = strstr(p->got.p, "Content-Length: ");
    if (end != NULL && length != NULL && length < end)
        return (size_t)(p->got.p + p->got.n - end - 4) >= strtoul(length + 16, NULL, 10);
    return p->eof;
}

static inline bool pair_has_text(struct pair *p)
{
    pair_read(p);
    return p->got.n > 0;
}

static inline bool pair_answered_or_eof(struct pair *p)
{
    return pair_answered(p) || p->eof;
}

/* A few turns of the loop: what was sent to the server has been seen by then. */
static inline bool pair_has_run(struct pair *p)
{
    return ++p->ticks % 4 == 0;
}

static inline bool until_clock(struct pair *p)
{
    return loop_clock_us(p->loop) > (int64_t)p->want;
}

/* CPU time that an otherwise quiet loop used in that time. */
static inline int64_t pair_cpu_ms(struct pair *p, int64_t wall_ms)
{
    struct timespec a, b;
    p->want = (size_t)(loop_clock_us(p->loop) + wall_ms * 1000);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    pair_run(p, until_clock);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    return (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
}

static inline void pair_expect(struct pair *p, const char *text)
{
    if (strstr(p->got.p, text) == NULL)
        fail_msg("\"%s\" is not in \"%.300s\"", text, p->got.p);
}

static inline void pair_hang_up(struct pair *p)
{
    close(p->fd);
    p->fd = -1;
}

/* ---- calls */

/* A call that knows its pair. */
struct pair_call {
    struct http_call http;
    struct pair *pair;
    char url[256];
};

static inline void call_done(struct http_call *call)
{
    struct pair_call *c = container_of(call, struct pair_call, http);
    c->pair->done++;
}

static inline void call_init(struct pair *p, struct pair_call *c, const char *method,
                             const char *path)
{
    *c = (struct pair_call){.pair = p};
    snprintf(c->url, sizeof c->url, "%s%s", p->base, path);
    c->http.method = method;
    c->http.url = c->url;
    c->http.timeout_ms = PAIR_DEADLINE_MS;
    c->http.max_response_bytes = 2 * PAIR_BODY_MAX;
    c->http.done = call_done;
}

static inline bool pair_calls_done(struct pair *p)
{
    return p->done >= p->want;
}

static inline void call_run(struct pair *p, struct pair_call *c)
{
    p->want = p->done + 1;
    http_client_start(p->client, &c->http);
    pair_run(p, pair_calls_done);
}

/* ---- set-up */

static inline void pair_open(struct pair *p, http_handler *handler, size_t max_body)
{
    struct error err = {0};
    p->listener = http_listen(p->server, "127.0.0.1", 0, max_body, handler, p, &err);
    if (p->listener == NULL)
        fail_msg("%s", err.text);
    snprintf(p->base, sizeof p->base, "http://127.0.0.1:%u", http_listener_port(p->listener));
}

static inline int pair_setup(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    struct error err;
    p->loop = loop_new(&err);
    p->server = http_server_new(p->loop, &err);
    p->client = http_client_new(p->loop);
    p->fd = -1;
    list_init(&p->held);
    buf_init(&p->got, 2 * PAIR_BODY_MAX);
    *state = p;
    return p->server == NULL || p->client == NULL;
}

static inline int pair_teardown(void **state)
{
    struct pair *p = *state;
    http_client_free(p->client);
    http_server_free(p->server);
    loop_free(p->loop);
    buf_free(&p->got);
    if (p->fd >= 0)
        close(p->fd);
    free(p);
    return 0;
}

#define PAIR(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)

#endif
