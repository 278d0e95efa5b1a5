/* handler.c - a function in C: the least a Runtime API client can do, as `bootstrap`. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    if (api == NULL)
        bench_die("AWS_LAMBDA_RUNTIME_API is not set");
    struct bench_conn c;
    bench_conn_open(&c, bench_connect(api));
    char next[256], head[512];
    int next_n =
        snprintf(next, sizeof next,
                 "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n", api);
    struct bench_message m;
    for (;;) {
        size_t n;
        bench_send(c.fd, next, (size_t)next_n);
        if (!bench_conn_read(&c, &m) || m.status != 200)
            return 1;
        const char *id = bench_header(&m, "Lambda-Runtime-Aws-Request-Id", &n);
        if (id == NULL || n > 64)
            return 1;
        static const char body[] = "{\"statusCode\":200}";
        int head_n =
            snprintf(head, sizeof head,
                     "POST /2018-06-01/runtime/invocation/%.*s/response HTTP/1.1\r\nHost: "
                     "%s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     (int)n, id, api, sizeof body - 1, body);
        bench_send(c.fd, head, (size_t)head_n);
        if (!bench_conn_read(&c, &m) || m.status != 202)
            return 1;
    }
}
