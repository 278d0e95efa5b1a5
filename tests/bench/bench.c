/* bench.c - clocks, sockets, HTTP messages and percentiles for the measuring programs. */
#include "bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t bench_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t bench_cpu_us(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return ((int64_t)r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 + r.ru_utime.tv_usec +
           r.ru_stime.tv_usec;
}

void bench_die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int bench_connect(const char *address)
{
    const char *colon = strrchr(address, ':');
    struct sockaddr_in a = loopback((unsigned)strtoul(colon ? colon + 1 : address, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        bench_die("cannot connect to %s", address);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int bench_listen(unsigned *port)
{
    struct sockaddr_in a = loopback(*port);
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        bench_die("cannot listen on port %u", *port);
    *port = ntohs(a.sin_port);
    return fd;
}

void bench_send(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t w = send(fd, data, n, MSG_NOSIGNAL);
        if (w <= 0)
            bench_die("the peer closed while we sent");
        data += w;
        n -= (size_t)w;
    }
}

/* ---- HTTP ---- */

const char *bench_header(const struct bench_message *m, const char *name, size_t *n)
{
    size_t len = strlen(name);
    const char *end = m->head + m->head_n;
    const char *line = memchr(m->head, '\n', m->head_n);
    while (line != NULL && ++line < end) {
        if ((size_t)(end - line) > len && line[len] == ':' && strncasecmp(line, name, len) == 0) {
            const char *v = line + len + 1;
            while (*v == ' ')
                v++;
            *n = strcspn(v, "\r\n");
            return v;
        }
        line = memchr(line, '\n', (size_t)(end - line));
    }
    return NULL;
}

/* Bytes of a chunked body with its trailers, 0 when it is not complete. */
static size_t chunked_length(const char *body, size_t n)
{
    size_t at = 0;
    for (;;) {
        const char *nl = memchr(body + at, '\n', n - at);
        if (nl == NULL)
            return 0;
        size_t size = strtoull(body + at, NULL, 16);
        at = (size_t)(nl - body) + 1;
        if (size == 0)
            break;
        if (n - at < size + 2)
            return 0;
        at += size + 2;
    }
    for (;;) {
        const char *nl = memchr(body + at, '\n', n - at);
        if (nl == NULL)
            return 0;
        bool last = nl - (body + at) <= 1;
        at = (size_t)(nl - body) + 1;
        if (last)
            return at;
    }
}

long bench_parse(const char *data, size_t n, struct bench_message *m)
{
    const char *end = memmem(data, n, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    *m = (struct bench_message){.head = data, .head_n = (size_t)(end - data) + 2};
    m->body = end + 4;
    if (n > 12 && memcmp(data, "HTTP/1.", 7) == 0)
        m->status = (int)strtol(data + 9, NULL, 10);
    size_t have = n - (size_t)(m->body - data), vn;
    const char *v = bench_header(m, "content-length", &vn);
    if (v != NULL) {
        m->body_n = strtoull(v, NULL, 10);
    } else if ((v = bench_header(m, "transfer-encoding", &vn)) != NULL && vn == 7) {
        m->body_n = chunked_length(m->body, have);
        if (m->body_n == 0)
            return 0;
    } else if (m->status != 0 && m->status != 204 && m->status / 100 != 1) {
        return -1;
    }
    return have < m->body_n ? 0 : (long)((size_t)(m->body - data) + m->body_n);
}

void bench_conn_open(struct bench_conn *c, int fd)
{
    *c = (struct bench_conn){.fd = fd, .cap = 1 << 16};
    c->data = malloc(c->cap);
    if (c->data == NULL)
        bench_die("out of memory");
}

bool bench_conn_read(struct bench_conn *c, struct bench_message *m)
{
    if (c->used > 0) {
        c->n -= c->used;
        if (c->n > 0)
            memmove(c->data, c->data + c->used, c->n);
        c->used = 0;
    }
    for (;;) {
        long took = c->n > 0 ? bench_parse(c->data, c->n, m) : 0;
        if (took < 0)
            bench_die("not HTTP: %.200s", c->data);
        if (took > 0) {
            c->used = (size_t)took;
            return true;
        }
        if (c->n == c->cap) {
            c->cap *= 2;
            c->data = realloc(c->data, c->cap);
            if (c->data == NULL)
                bench_die("out of memory");
        }
        ssize_t r = recv(c->fd, c->data + c->n, c->cap - c->n, 0);
        if (r <= 0)
            return false;
        c->n += (size_t)r;
    }
}

void bench_conn_close(struct bench_conn *c)
{
    close(c->fd);
    free(c->data);
}

/* ---- percentiles ---- */

void bench_times_add(struct bench_times *t, int64_t us)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 1 << 16;
        t->us = realloc(t->us, t->cap * sizeof *t->us);
        if (t->us == NULL)
            bench_die("out of memory");
    }
    t->us[t->n++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int64_t bench_times_at(struct bench_times *t, double share)
{
    if (t->n == 0)
        return -1;
    qsort(t->us, t->n, sizeof *t->us, by_value);
    size_t i = (size_t)((double)t->n * share);
    return t->us[i < t->n ? i : t->n - 1];
}
