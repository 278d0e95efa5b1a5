/* http_fake.h - for the HTTP client's tests: a server that reads whole requests and then does what
 * it is told, byte by byte. */
#ifndef TESTS_HTTP_FAKE_H
#define TESTS_HTTP_FAKE_H

#include "http_pair.h"

enum { FAKE_CONNS = 64 };

struct fake_conn {
    struct watch watch;
    struct fake *fake;
    struct buf in;
};

struct fake {
    struct pair *pair;
    struct watch listening;
    struct fake_conn conns[FAKE_CONNS];
    size_t n_conns; /* ever accepted */
    size_t requests;
    struct buf last; /* the last request, as sent */
    /* the n-th request (from 0) gets replies[n]; NULL or beyond: closed without an answer. "" keeps
     * silent. A reply that ends with \v closes after it. */
    const char *const *replies;
    size_t n_replies;
};

static inline void fake_close(struct fake_conn *c)
{
    if (c->watch.fd < 0)
        return;
    watch_stop(c->fake->pair->loop, &c->watch);
    close(c->watch.fd);
    c->watch.fd = -1;
    buf_free(&c->in);
}

static inline void fake_answer(struct fake_conn *c)
{
    struct fake *f = c->fake;
    size_t n = f->requests++;
    const char *reply = n < f->n_replies ? f->replies[n] : NULL;
    buf_clear(&f->last);
    buf_put(&f->last, buf_slice(&c->in));
    buf_clear(&c->in);
    if (reply != NULL && *reply != '\0') {
        size_t len = strlen(reply);
        bool last = reply[len - 1] == '\v';
        assert_true(send(c->watch.fd, reply, len - last, MSG_NOSIGNAL) >= 0);
        if (last)
            fake_close(c);
    } else if (reply == NULL) {
        fake_close(c);
    }
}

static inline bool fake_whole(const struct buf *in)
{
    const char *end = strstr(in->p, "\r\n\r\n");
    const char *length = strstr(in->p, "Content-Length: ");
    size_t body = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
    return end != NULL && in->n >= (size_t)(end + 4 - in->p) + body;
}

static inline void fake_read(struct watch *w, uint32_t events)
{
    (void)events;
    struct fake_conn *c = container_of(w, struct fake_conn, watch);
    char text[65536];
    ssize_t n = recv(w->fd, text, sizeof text, MSG_DONTWAIT);
    if (n > 0)
        buf_add(&c->in, text, (size_t)n);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        fake_close(c);
    else if (fake_whole(&c->in))
        fake_answer(c);
}

static inline void fake_accept(struct watch *w, uint32_t events)
{
    (void)events;
    struct fake *f = container_of(w, struct fake, listening);
    assert_true(f->n_conns < FAKE_CONNS);
    struct fake_conn *c = &f->conns[f->n_conns++];
    c->fake = f;
    buf_init(&c->in, PAIR_BODY_MAX);
    c->watch = (struct watch){
        .fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC), .events = WATCH_READ, .ready = fake_read};
    assert_true(watch_start(f->pair->loop, &c->watch));
}

static inline void fake_start(struct fake *f, struct pair *p, const char *const *replies, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(f, 0, sizeof *f);
    f->pair = p;
    f->replies = replies;
    f->n_replies = n;
    buf_init(&f->last, PAIR_BODY_MAX);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    f->listening = (struct watch){.fd = fd, .events = WATCH_READ, .ready = fake_accept};
    assert_true(watch_start(p->loop, &f->listening));
    snprintf(p->base, sizeof p->base, "http://127.0.0.1:%u", ntohs(a.sin_port));
}

static inline void fake_close_all(struct fake *f)
{
    for (size_t i = 0; i < f->n_conns; i++)
        fake_close(&f->conns[i]);
}

static inline void fake_stop(struct fake *f)
{
    fake_close_all(f);
    watch_stop(f->pair->loop, &f->listening);
    close(f->listening.fd);
    buf_free(&f->last);
}

#endif
