/* bench.h - what the measuring programs share: clocks, blocking sockets, reading HTTP messages. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t bench_now_us(void);
int64_t bench_cpu_us(void); /* of this process, user and system */
/* Says why on stderr and ends the program. */
_Noreturn void bench_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "HOST:PORT" of the loopback, no scheme. Ends the program when nobody listens. */
int bench_connect(const char *address);
int bench_listen(unsigned *port); /* 127.0.0.1; *port 0: any, set */
void bench_send(int fd, const char *data, size_t n);

/* One message inside a buffer: request or response, by Content-Length or chunked. */
struct bench_message {
    const char *head, *body;
    size_t head_n, body_n; /* of a chunked body: with its framing */
    int status;            /* 0: a request */
};
/* How many bytes it takes, 0 when it is not complete, -1 when it is not HTTP. */
long bench_parse(const char *data, size_t n, struct bench_message *m);
/* The value of a header (lower or mixed case), its length in *n; NULL when it is not there. */
const char *bench_header(const struct bench_message *m, const char *name, size_t *n);

/* A blocking connection that is read message by message. */
struct bench_conn {
    int fd;
    char *data;
    size_t n, cap, used;
};
void bench_conn_open(struct bench_conn *c, int fd);
bool bench_conn_read(struct bench_conn *c, struct bench_message *m); /* false: closed */
void bench_conn_close(struct bench_conn *c);

/* Times in µs, kept for their percentiles. Not for several threads. */
struct bench_times {
    uint32_t *us;
    size_t n, cap;
};
void bench_times_add(struct bench_times *t, int64_t us);
int64_t bench_times_at(struct bench_times *t, double share); /* 0.5: the median; sorts */

#endif
