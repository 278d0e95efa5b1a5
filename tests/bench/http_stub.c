/* http_stub.c - answers every request at once: a function over HTTP, a Lambda Invoke API, or the
 * Runtime API of one client, to find what the other side can do by itself.
 *
 * http_stub plain|runtime [SECONDS] -> prints its port; runtime: then the events answered per
 * second. */
#include "bench.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool runtime_api;
static atomic_uint_fast64_t answered;

static size_t answer(const struct bench_message *m, char *out, size_t cap)
{
    static const char event[] = "{\"key1\":\"value1\",\"key2\":\"value2\",\"n\":1}";
    static const char arn[] = "arn:aws:lambda:us-east-1:000000000000:function:f";
    if (!runtime_api)
        return (size_t)snprintf(out, cap,
                                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                "X-Amz-Executed-Version: $LATEST\r\nContent-Length: 4\r\n\r\nnull");
    if (m->head_n > 4 && memcmp(m->head, "GET ", 4) == 0) {
        uint_fast64_t n = atomic_load_explicit(&answered, memory_order_relaxed);
        return (size_t)snprintf(
            out, cap,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-%012llx\r\n"
            "Lambda-Runtime-Deadline-Ms: 1999999999999\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: %s\r\n"
            "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n"
            "Content-Length: %zu\r\n\r\n%s",
            (unsigned long long)n, arn, sizeof event - 1, event);
    }
    atomic_fetch_add_explicit(&answered, 1, memory_order_relaxed);
    return (size_t)snprintf(out, cap,
                            "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"
                            "Content-Length: 16\r\n\r\n{\"status\":\"OK\"}\n");
}

static void *serve(void *arg)
{
    struct bench_conn c;
    struct bench_message m;
    char out[1024];
    bench_conn_open(&c, (int)(intptr_t)arg);
    while (bench_conn_read(&c, &m)) {
        size_t n = answer(&m, out, sizeof out);
        if (send(c.fd, out, n, MSG_NOSIGNAL) != (ssize_t)n)
            break;
    }
    bench_conn_close(&c);
    return NULL;
}

static void *accept_all(void *arg)
{
    int listener = (int)(intptr_t)arg, one = 1;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd < 0)
            return NULL;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
            bench_die("no thread");
        pthread_detach(thread);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2)
        bench_die("http_stub plain|runtime [SECONDS]");
    runtime_api = strcmp(argv[1], "runtime") == 0;
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 1e9;
    unsigned port = 0;
    int listener = bench_listen(&port);
    printf("%u\n", port);
    fflush(stdout);
    pthread_t thread;
    if (pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener) != 0)
        bench_die("no thread");
    if (!runtime_api) {
        pthread_join(thread, NULL);
        return 0;
    }
    while (atomic_load(&answered) == 0)
        usleep(1000);
    usleep((useconds_t)(seconds * 0.2e6)); /* warm-up */
    uint_fast64_t before = atomic_load(&answered);
    int64_t begun = bench_now_us();
    usleep((useconds_t)(seconds * 0.8e6));
    double took = (double)(bench_now_us() - begun) / 1e6;
    printf("{\"rate\":%.1f}\n", (double)(atomic_load(&answered) - before) / took);
    return 0;
}
