/* sqs_loop.c - the bare receive-delete loop on an SQS server: what a gateway cannot exceed.
 *
 * sqs_loop ADDRESS QUEUE-URL MESSAGES CONNECTIONS -> one JSON line. Ends when MESSAGES were
 * deleted. sqs_loop ADDRESS QUEUE-URL MESSAGES CONNECTIONS send BYTES: fills the queue instead.
 * sqs_loop ADDRESS QUEUE-URL MESSAGES 1 watch: bodies are times of sending (seconds since 1970); a
 * line for each message as it arrives: time of arrival, time of sending. */
#include "bench.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *address, *queue_url;
static bool watches;
static long wanted;
static size_t body_bytes;
static atomic_long done;

struct text {
    char data[1 << 17];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    t->n += (size_t)vsnprintf(t->data + t->n, sizeof t->data - t->n, fmt, ap);
    va_end(ap);
    if (t->n >= sizeof t->data)
        bench_die("a request is too large");
}

static void call(struct bench_conn *c, const char *operation, const struct text *body,
                 struct bench_message *m)
{
    char head[512];
    int n = snprintf(head, sizeof head,
                     "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-amz-json-1.0\r\n"
                     "X-Amz-Target: AmazonSQS.%s\r\nContent-Length: %zu\r\n\r\n",
                     address, operation, body->n);
    struct text *whole = malloc(sizeof *whole);
    if (whole == NULL)
        bench_die("out of memory");
    memcpy(whole->data, head, (size_t)n);
    memcpy(whole->data + n, body->data, body->n);
    bench_send(c->fd, whole->data, (size_t)n + body->n);
    free(whole);
    if (!bench_conn_read(c, m) || m->status != 200)
        bench_die("%s: %d %.*s", operation, m->status, (int)m->body_n, m->body);
}

/* One DeleteMessageBatch for the handles of a ReceiveMessage answer; how many. */
static long delete_all(const struct bench_message *received, struct text *out)
{
    static const char mark[] = "\"ReceiptHandle\":\"";
    const char *at = received->body, *end = received->body + received->body_n;
    long n = 0;
    out->n = 0;
    put(out, "{\"QueueUrl\":\"%s\",\"Entries\":[", queue_url);
    while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL) {
        at += sizeof mark - 1;
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (quote == NULL)
            break;
        put(out, "%s{\"Id\":\"%ld\",\"ReceiptHandle\":\"%.*s\"}", n ? "," : "", n,
            (int)(quote - at), at);
        n++;
    }
    put(out, "]}");
    return n;
}

static void print_arrivals(const struct bench_message *received)
{
    static const char mark[] = "\"Body\":\"";
    const char *at = received->body, *end = received->body + received->body_n;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL) {
        at += sizeof mark - 1;
        printf("%lld.%06ld %.*s\n", (long long)now.tv_sec, now.tv_nsec / 1000, 17, at);
    }
    fflush(stdout);
}

static void *take_all(void *arg)
{
    (void)arg;
    struct bench_conn c;
    struct bench_message m;
    struct text *receive = calloc(1, sizeof *receive), *out = calloc(1, sizeof *out);
    if (receive == NULL || out == NULL)
        bench_die("out of memory");
    bench_conn_open(&c, bench_connect(address));
    put(receive,
        "{\"QueueUrl\":\"%s\",\"MaxNumberOfMessages\":10,\"WaitTimeSeconds\":%d,"
        "\"MessageSystemAttributeNames\":[\"All\"],\"MessageAttributeNames\":[\"All\"]}",
        queue_url, watches ? 20 : 1);
    while (atomic_load(&done) < wanted) {
        call(&c, "ReceiveMessage", receive, &m);
        if (watches)
            print_arrivals(&m);
        long n = delete_all(&m, out);
        if (n == 0)
            continue;
        call(&c, "DeleteMessageBatch", out, &m);
        atomic_fetch_add(&done, n);
    }
    bench_conn_close(&c);
    free(receive);
    free(out);
    return NULL;
}

static void *send_all(void *arg)
{
    (void)arg;
    struct bench_conn c;
    struct bench_message m;
    struct text *out = calloc(1, sizeof *out);
    char *body = malloc(body_bytes + 1);
    if (out == NULL || body == NULL)
        bench_die("out of memory");
    memset(body, 'x', body_bytes);
    body[body_bytes] = '\0';
    bench_conn_open(&c, bench_connect(address));
    for (long first; (first = atomic_fetch_add(&done, 10)) < wanted;) {
        out->n = 0;
        put(out, "{\"QueueUrl\":\"%s\",\"Entries\":[", queue_url);
        for (long i = first; i < first + 10 && i < wanted; i++)
            put(out, "%s{\"Id\":\"%ld\",\"MessageBody\":\"%s\"}", i > first ? "," : "", i, body);
        put(out, "]}");
        call(&c, "SendMessageBatch", out, &m);
    }
    bench_conn_close(&c);
    free(body);
    free(out);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        bench_die("sqs_loop ADDRESS QUEUE-URL MESSAGES CONNECTIONS [send BYTES|watch]");
    enum { MOST = 64 };
    pthread_t threads[MOST];
    address = argv[1];
    queue_url = argv[2];
    wanted = strtol(argv[3], NULL, 10);
    size_t n = strtoul(argv[4], NULL, 10);
    watches = argc > 5 && strcmp(argv[5], "watch") == 0;
    bool sends = argc > 6 && strcmp(argv[5], "send") == 0;
    body_bytes = sends ? strtoul(argv[6], NULL, 10) : 0;
    if (n < 1 || n > MOST || body_bytes > 8192)
        bench_die("1 to %d connections, bodies to 8192 bytes", MOST);
    int64_t begun = bench_now_us();
    for (size_t i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, sends ? send_all : take_all, NULL) != 0)
            bench_die("no thread");
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    double took = (double)(bench_now_us() - begun) / 1e6;
    printf("{\"rate\":%.1f,\"seconds\":%.3f,\"cpu_us\":%.2f}\n", (double)wanted / took, took,
           (double)bench_cpu_us() / (double)wanted);
    return 0;
}
