/* aws_bench.h - an AWS client, and a server in the same loop that checks what arrives. */
#ifndef TESTS_UNIT_AWS_BENCH_H
#define TESTS_UNIT_AWS_BENCH_H

#include "base/mem.h"
#include "io/aws_client.h"
#include "io/aws_profile.h"
#include "io/http_server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A server that keeps the last request as text, and our side with a loop of its own. */
struct bench {
    struct loop *loop;
    struct http_client *http;
    struct http_server *server;
    struct http_listener *listener;
    char dir[64], url[64];
    struct timer guard;
    char path[256], query[256], host[128], date[64], token[128], authorization[512], sha[80];
    char body[256];
    enum sigv4_verdict verdict;
    struct credentials known;
    int requests, done;
    bool silent; /* keeps requests instead of answering */
    struct list kept;
};

static inline struct bench *bench_of_guard(struct timer *t)
{
    return container_of(t, struct bench, guard);
}

static inline void on_guard(struct timer *t)
{
    loop_stop(bench_of_guard(t)->loop);
}

static inline void copy(char *to, size_t n, struct slice s)
{
    snprintf(to, n, SLICE_FMT, SLICE_ARG(s));
}

struct gathered {
    struct sigv4_header v[32];
    size_t n;
};

static inline void gather(void *ctx, struct slice name, struct slice value)
{
    struct gathered *g = ctx;
    if (g->n < ARRAY_LEN(g->v))
        g->v[g->n++] = (struct sigv4_header){name, value};
}

static inline void on_request(struct http_request *req)
{
    struct bench *b = req->ctx;
    b->requests++;
    copy(b->path, sizeof b->path, req->path);
    copy(b->query, sizeof b->query, req->query);
    copy(b->body, sizeof b->body, req->body);
    copy(b->host, sizeof b->host, http_request_header(req, "Host"));
    copy(b->date, sizeof b->date, http_request_header(req, "X-Amz-Date"));
    copy(b->token, sizeof b->token, http_request_header(req, "X-Amz-Security-Token"));
    copy(b->authorization, sizeof b->authorization, http_request_header(req, "Authorization"));
    copy(b->sha, sizeof b->sha, http_request_header(req, "X-Amz-Content-Sha256"));
    struct gathered g = {.n = 0};
    http_request_headers(req, gather, &g);
    struct sigv4_request r = {.method = req->method,
                              .path = req->path,
                              .query = req->query,
                              .headers = g.v,
                              .n_headers = g.n,
                              .payload = req->body,
                              .path_once = strstr(b->authorization, "/s3/") != NULL};
    b->verdict =
        b->known.access_key ? sigv4_verify(&r, &b->known, loop_wall(b->loop)) : SIGV4_MISSING;
    if (b->silent) {
        list_append(&b->kept, &req->node);
        loop_stop(b->loop);
        return;
    }
    http_reply(req, 200, NULL, 0, SLICE("fine"));
}

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",  "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_PROFILE",        "AWS_CONFIG_FILE",       "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ENDPOINT_URL",   "AWS_ENDPOINT_URL_SQS",  "AWS_REGION",
    "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3",   "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
};

static inline int bench_open(void **state)
{
    struct bench *b = mem_alloc(sizeof *b);
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    snprintf(b->dir, sizeof b->dir, "/tmp/aws_client.XXXXXX");
    if (!mkdtemp(b->dir))
        return -1;
    setenv("HOME", b->dir, 1);
    list_init(&b->kept);
    b->loop = loop_new(&err);
    b->http = http_client_new(b->loop);
    b->server = http_server_new(b->loop, &err);
    b->listener = http_listen(b->server, "127.0.0.1", 0, 1 << 20, on_request, b, &err);
    snprintf(b->url, sizeof b->url, "http://127.0.0.1:%d", http_listener_port(b->listener));
    b->guard.fire = on_guard;
    *state = b;
    return 0;
}

static inline int bench_close(void **state)
{
    struct bench *b = *state;
    char command[128];
    timer_stop(b->loop, &b->guard);
    list_each(&b->kept, it)
    {
        list_remove(it);
        http_abort(container_of(it, struct http_request, node));
    }
    http_client_free(b->http);
    http_listener_close(b->listener);
    http_server_free(b->server);
    loop_free(b->loop);
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "%s/.aws/%s", b->dir, i ? "config" : "credentials");
        unlink(command);
    }
    snprintf(command, sizeof command, "%s/.aws", b->dir);
    rmdir(command);
    rmdir(b->dir);
    free(b);
    return 0;
}

static inline void write_file(struct bench *b, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/.aws", b->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/.aws/%s", b->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    fclose(f);
}

struct caller {
    struct aws_call call;
    struct bench *bench;
    struct aws_client *client;
    int again; /* starts itself so often from inside done */
};

static inline void on_done(struct aws_call *call)
{
    struct caller *c = container_of(call, struct caller, call);
    c->bench->done++;
    if (c->again-- > 0) {
        aws_call_clear(call);
        aws_call_start(c->client, call);
        return;
    }
    loop_stop(c->bench->loop);
}

static inline struct aws_client *client_of(struct bench *b, const char *region,
                                           const struct option_map *services)
{
    struct error err;
    struct aws_client_options o = {region, services};
    struct aws_client *c = aws_client_new(b->loop, b->http, &o, &err);
    if (!c)
        fail_msg("%s", err.text);
    return c;
}

static inline void prepare(struct caller *c, struct bench *b, struct aws_client *client)
{
    *c = (struct caller){.bench = b, .client = client};
    c->call.service = "sqs";
    c->call.path = "/";
    c->call.body = SLICE("{\"a\":1}");
    c->call.timeout_ms = 5000;
    c->call.max_response_bytes = 4096;
    c->call.done = on_done;
}

static inline void run(struct caller *c)
{
    struct bench *b = c->bench;
    int before = b->done;
    aws_call_start(c->client, &c->call);
    assert_int_equal(b->done, before); /* never from inside */
    timer_start(b->loop, &b->guard, 10000);
    loop_run(b->loop);
    timer_stop(b->loop, &b->guard);
}

static inline void call_once(struct bench *b, struct aws_client *client)
{
    struct caller c;
    prepare(&c, b, client);
    run(&c);
    assert_int_equal(c.call.http.result, HTTP_DONE);
    assert_int_equal(c.call.http.status, 200);
    assert_string_equal(c.call.http.response.p, "fine");
    aws_call_clear(&c.call);
}

#define WITH_BENCH(f) cmocka_unit_test_setup_teardown(f, bench_open, bench_close)

#endif
