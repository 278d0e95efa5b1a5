/* load.c - posts to an HTTP address on many kept connections from one thread and tells the rate.
 *
 * load ADDRESS PATH CONNECTIONS SECONDS [BODY-FILE] -> one JSON line. The first fifth is warm-up.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    int fd;
    char *data;
    size_t n, cap;
    int64_t sent_us;
};

static char *request;
static size_t request_n;

static char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        bench_die("cannot read %s", path);
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    char *data = malloc((size_t)size + 1);
    if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size)
        bench_die("cannot read %s", path);
    fclose(f);
    *n = (size_t)size;
    return data;
}

static void make_request(const char *address, const char *path, const char *file,
                         const char *header)
{
    static char small[] = "{\"key1\":\"value1\",\"key2\":\"value2\",\"n\":1}";
    size_t n = sizeof small - 1;
    const char *body = file ? read_file(file, &n) : small;
    request = malloc(n + 1024);
    if (request == NULL)
        bench_die("out of memory");
    request_n = (size_t)snprintf(request, 1024,
                                 "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: "
                                 "application/json\r\nContent-Length: %zu\r\n%s%s\r\n",
                                 path, address, n, header ? header : "", header ? "\r\n" : "");
    memcpy(request + request_n, body, n);
    request_n += n;
}

static void post(struct client *c)
{
    c->sent_us = bench_now_us();
    bench_send(c->fd, request, request_n);
}

/* 0: not complete, else the status. */
static int take(struct client *c)
{
    if (c->n == c->cap) {
        c->cap *= 2;
        c->data = realloc(c->data, c->cap);
        if (c->data == NULL)
            bench_die("out of memory");
    }
    ssize_t r = recv(c->fd, c->data + c->n, c->cap - c->n, 0);
    if (r <= 0)
        bench_die("a connection was closed");
    c->n += (size_t)r;
    struct bench_message m;
    long took = bench_parse(c->data, c->n, &m);
    if (took < 0)
        bench_die("not HTTP: %.200s", c->data);
    if (took == 0)
        return 0;
    c->n = 0;
    return bench_header(&m, "X-Amz-Function-Error", &(size_t){0}) ? 599 : m.status;
}

struct tally {
    struct bench_times times;
    uint64_t ok, other;
    int64_t cpu_us;
};

static void drive(int epoll, int64_t start, int64_t stop, struct tally *t)
{
    struct epoll_event events[64];
    for (int64_t now = bench_now_us(); now < stop;) {
        int n = epoll_wait(epoll, events, 64, 1000);
        now = bench_now_us();
        if (t->cpu_us < 0 && now >= start)
            t->cpu_us = bench_cpu_us();
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            int status = take(c);
            if (status == 0)
                continue;
            if (c->sent_us >= start) {
                if (status / 100 == 2) {
                    t->ok++;
                    bench_times_add(&t->times, bench_now_us() - c->sent_us);
                } else {
                    t->other++;
                }
            }
            post(c);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 5)
        bench_die("load ADDRESS PATH CONNECTIONS SECONDS [BODY-FILE|- [HEADER]]");
    size_t n = strtoul(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL);
    make_request(argv[1], argv[2], argc > 5 && strcmp(argv[5], "-") != 0 ? argv[5] : NULL,
                 argc > 6 ? argv[6] : NULL);
    struct client *clients = calloc(n ? n : 1, sizeof *clients);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (clients == NULL || epoll < 0)
        bench_die("out of memory");
    for (size_t i = 0; i < n; i++) {
        struct client *c = &clients[i];
        c->fd = bench_connect(argv[1]);
        c->cap = 1 << 14;
        c->data = malloc(c->cap);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        if (c->data == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
            bench_die("out of memory");
        post(c);
    }
    struct tally t = {.cpu_us = -1};
    int64_t begun = bench_now_us(), start = begun + (int64_t)(seconds * 0.2e6);
    int64_t stop = start + (int64_t)(seconds * 0.8e6);
    drive(epoll, start, stop, &t);
    double took = (double)(bench_now_us() - start) / 1e6;
    printf("{\"rate\":%.1f,\"ok\":%llu,\"other\":%llu,\"p50_us\":%lld,\"p99_us\":%lld,"
           "\"cpu_us\":%.2f}\n",
           (double)t.ok / took, (unsigned long long)t.ok, (unsigned long long)t.other,
           (long long)bench_times_at(&t.times, 0.5), (long long)bench_times_at(&t.times, 0.99),
           t.ok ? (double)(bench_cpu_us() - t.cpu_us) / (double)t.ok : 0.0);
    return 0;
}
