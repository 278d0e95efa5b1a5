/* sqs_load.c - calls an SQS server on many kept connections from one thread: rates and times.
 *
 * sqs_load ADDRESS QUEUE-URL MODE CLIENTS SECONDS [BYTES] -> one JSON line. MODE is
 *   send   one message a request, of BYTES (256 unless told); times are of requests
 *   batch  ten messages a request
 *   take   ReceiveMessage of ten, DeleteMessageBatch of them; times are of receives; a client ends
 *          when the queue is empty
 *   poll   one waiting long poll, one sender that sends 5 ms after the poll began to wait; times
 *          are from before the send to the poll's answer
 * rate is messages a second. The first fifth is warm-up. */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 10, REQUEST_MAX = 1 << 17, PAUSE_NS = 5000000 };

struct request {
    char data[REQUEST_MAX];
    size_t n;
};

struct client {
    int fd;
    char *data;
    size_t n, cap;
    int64_t sent_us;
    long deleting;       /* messages of the DeleteMessageBatch under way; 0: none is */
    struct request *own; /* the DeleteMessageBatch */
};

struct load {
    const char *address, *url;
    struct client *clients;
    size_t n, live;
    int epoll;
    bool takes;
    long each;         /* messages of a sending request */
    struct request to; /* the same each time */
    int64_t start_us, last_us, cpu_us;
    uint64_t messages;
    struct bench_times times, deletes;
};

__attribute__((format(printf, 2, 3))) static void put(struct request *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    t->n += (size_t)vsnprintf(t->data + t->n, sizeof t->data - t->n, fmt, ap);
    va_end(ap);
    if (t->n >= sizeof t->data)
        bench_die("a request is too large");
}

/* The head, with room for the length, which request_end fills in. */
static void request_begin(const struct load *l, struct request *t, const char *operation)
{
    t->n = 0;
    put(t,
        "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-amz-json-1.0\r\n"
        "X-Amz-Target: AmazonSQS.%s\r\nContent-Length: %8s\r\n\r\n{\"QueueUrl\":\"%s\",",
        l->address, operation, "", l->url);
}

static void request_end(struct request *t)
{
    put(t, "}");
    char *body = memmem(t->data, t->n, "\r\n\r\n", 4), digits[24];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%8zu", t->n - 4 - (size_t)(body - t->data));
    memcpy(body - n, digits, n);
}

static void make_send(struct load *l, size_t bytes)
{
    struct request *t = &l->to;
    char *body = malloc(bytes + 1);
    if (body == NULL)
        bench_die("out of memory");
    memset(body, 'x', bytes);
    body[bytes] = '\0';
    request_begin(l, t, l->each == 1 ? "SendMessage" : "SendMessageBatch");
    if (l->each == 1)
        put(t, "\"MessageBody\":\"%s\"", body);
    else
        put(t, "\"Entries\":[");
    for (long i = 0; i < l->each && l->each > 1; i++)
        put(t, "%s{\"Id\":\"%ld\",\"MessageBody\":\"%s\"}", i ? "," : "", i, body);
    if (l->each > 1)
        put(t, "]");
    request_end(t);
    free(body);
}

static void make_receive(const struct load *l, struct request *t, int wait_s)
{
    request_begin(l, t, "ReceiveMessage");
    put(t, "\"MaxNumberOfMessages\":%d,\"WaitTimeSeconds\":%d", BATCH, wait_s);
    request_end(t);
}

/* One DeleteMessageBatch for the handles of a ReceiveMessage answer; how many. */
static long make_delete(const struct load *l, struct request *t, const struct bench_message *m)
{
    static const char mark[] = "\"ReceiptHandle\":\"";
    const char *at = m->body, *end = m->body + m->body_n;
    long n = 0;
    request_begin(l, t, "DeleteMessageBatch");
    put(t, "\"Entries\":[");
    while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL) {
        at += sizeof mark - 1;
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (quote == NULL)
            break;
        put(t, "%s{\"Id\":\"%ld\",\"ReceiptHandle\":\"%.*s\"}", n ? "," : "", n, (int)(quote - at),
            at);
        n++;
    }
    put(t, "]");
    request_end(t);
    return n;
}

static void check(const struct bench_message *m)
{
    if (m->status != 200 || memmem(m->body, m->body_n, "\"Failed\":[{", 11) != NULL)
        bench_die("%d %.*s", m->status, (int)m->body_n, m->body);
}

/* ---- many clients */

static void client_call(struct client *c, const struct request *t)
{
    c->sent_us = bench_now_us();
    bench_send(c->fd, t->data, t->n);
}

/* False: not complete. */
static bool client_read(struct client *c, struct bench_message *m)
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
    long took = bench_parse(c->data, c->n, m);
    if (took < 0)
        bench_die("not HTTP: %.200s", c->data);
    if (took > 0)
        c->n = 0;
    return took > 0;
}

/* What the answer counts for, and the client's next request; none when it ends. */
static void client_next(struct load *l, struct client *c, const struct bench_message *m)
{
    int64_t now = bench_now_us();
    bool counts = c->sent_us >= l->start_us;
    if (counts && c->deleting == 0)
        bench_times_add(&l->times, now - c->sent_us);
    else if (counts)
        bench_times_add(&l->deletes, now - c->sent_us);
    if (counts)
        l->messages += (uint64_t)(l->takes ? c->deleting : l->each);
    l->last_us = now;
    if (!l->takes || c->deleting > 0) {
        c->deleting = 0;
        client_call(c, &l->to);
        return;
    }
    c->deleting = make_delete(l, c->own, m);
    if (c->deleting > 0)
        client_call(c, c->own);
    else
        l->live--;
}

static void open_clients(struct load *l)
{
    l->clients = calloc(l->n, sizeof *l->clients);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->clients == NULL || l->epoll < 0)
        bench_die("out of memory");
    for (l->live = 0; l->live < l->n; l->live++) {
        struct client *c = &l->clients[l->live];
        *c = (struct client){.fd = bench_connect(l->address), .cap = 1 << 16};
        c->data = malloc(c->cap);
        c->own = malloc(sizeof *c->own);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        if (c->data == NULL || c->own == NULL || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
            bench_die("out of memory");
    }
}

static void drive(struct load *l, double seconds)
{
    struct epoll_event events[64];
    struct bench_message m;
    int64_t now = bench_now_us(), stop = now + (int64_t)(seconds * 1e6);
    l->start_us = now + (int64_t)(seconds * 0.2e6);
    l->cpu_us = -1;
    for (size_t i = 0; i < l->n; i++)
        client_call(&l->clients[i], &l->to);
    while (now < stop && l->live > 0) {
        int n = epoll_wait(l->epoll, events, 64, 1000);
        now = bench_now_us();
        if (l->cpu_us < 0 && now >= l->start_us)
            l->cpu_us = bench_cpu_us();
        for (int i = 0; i < n; i++) {
            if (!client_read(events[i].data.ptr, &m))
                continue;
            check(&m);
            client_next(l, events[i].data.ptr, &m);
        }
    }
    if (l->messages == 0)
        bench_die("nothing was measured: too few messages");
}

/* ---- one long poll and its sender */

static void answer(struct bench_conn *c, struct bench_message *m)
{
    if (!bench_conn_read(c, m))
        bench_die("a connection was closed");
    check(m);
}

static void poll_once(struct load *l, struct bench_conn *poll, struct bench_conn *sender,
                      struct request *receive, struct request *delete)
{
    struct bench_message m;
    bench_send(poll->fd, receive->data, receive->n);
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    int64_t begun = bench_now_us();
    bench_send(sender->fd, l->to.data, l->to.n);
    answer(poll, &m);
    int64_t now = bench_now_us();
    if (begun >= l->start_us) {
        bench_times_add(&l->times, now - begun);
        l->messages++;
    }
    if (make_delete(l, delete, &m) != 1)
        bench_die("the poll was not answered by the one message");
    answer(sender, &m);
    bench_send(sender->fd, delete->data, delete->n);
    answer(sender, &m);
}

static void drive_poll(struct load *l, double seconds)
{
    struct bench_conn poll, sender;
    struct request *receive = malloc(sizeof *receive), *delete = malloc(sizeof *delete);
    if (receive == NULL || delete == NULL)
        bench_die("out of memory");
    bench_conn_open(&poll, bench_connect(l->address));
    bench_conn_open(&sender, bench_connect(l->address));
    make_receive(l, receive, 20);
    int64_t stop = bench_now_us() + (int64_t)(seconds * 1e6);
    l->start_us = stop - (int64_t)(seconds * 0.8e6);
    l->cpu_us = bench_cpu_us();
    while ((l->last_us = bench_now_us()) < stop)
        poll_once(l, &poll, &sender, receive, delete);
    bench_conn_close(&poll);
    bench_conn_close(&sender);
    free(receive);
    free(delete);
}

int main(int argc, char **argv)
{
    static struct load l;
    if (argc < 6)
        bench_die("sqs_load ADDRESS QUEUE-URL send|batch|take|poll CLIENTS SECONDS [BYTES]");
    const char *mode = argv[3];
    double seconds = strtod(argv[5], NULL);
    size_t bytes = argc > 6 ? strtoul(argv[6], NULL, 10) : 256;
    l.address = argv[1];
    l.url = argv[2];
    l.n = strtoul(argv[4], NULL, 10);
    l.takes = strcmp(mode, "take") == 0;
    l.each = strcmp(mode, "batch") == 0 ? BATCH : 1;
    if (l.n < 1 || l.n > 4096 || bytes < 1 || bytes > 8192 || seconds <= 0)
        bench_die("1 to 4096 clients, bodies of 1 to 8192 bytes");
    if (l.takes)
        make_receive(&l, &l.to, 0);
    else
        make_send(&l, bytes);
    if (strcmp(mode, "poll") == 0) {
        drive_poll(&l, seconds);
    } else {
        open_clients(&l);
        drive(&l, seconds);
    }
    double took = (double)(l.last_us - l.start_us) / 1e6;
    printf(
        "{\"rate\":%.1f,\"messages\":%llu,\"p50_us\":%lld,\"p99_us\":%lld,\"delete_p50_us\":%lld,"
        "\"delete_p99_us\":%lld,\"cpu_us\":%.2f}\n",
        (double)l.messages / took, (unsigned long long)l.messages,
        (long long)bench_times_at(&l.times, 0.5), (long long)bench_times_at(&l.times, 0.99),
        (long long)bench_times_at(&l.deletes, 0.5), (long long)bench_times_at(&l.deletes, 0.99),
        (double)(bench_cpu_us() - l.cpu_us) / (double)l.messages);
    return 0;
}
