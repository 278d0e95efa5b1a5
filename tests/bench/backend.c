/* backend.c - the gateway's own HTTP and Invoke backends without its front door: deliveries that
 * are sent again as soon as they are answered, as many at once as asked for.
 *
 * backend url|lambda URL CONCURRENCY SECONDS -> one JSON line. The first fifth is warm-up. */
#include "bench.h"

#include "base/base.h"
#include "engine/sink.h"
#include "io/aws_client.h"
#include "io/http_client.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct sink_ops http_sink, lambda_sink;

enum { STORE_BYTES = 1024, CHECK_EVERY = 64 };
enum { REQUEST_ID_BYTES = 36 };

static struct sink *sink;
static struct loop *loop;
static unsigned long answered, counted;
static int64_t start_us, stop_us, cpu_us = -1;

static void send_one(struct delivery *d)
{
    delivery_clear(d);
    d->timeout_ms = 10000;
    sink->ops->send(sink, d);
}

static void on_done(struct delivery *d)
{
    if (d->reply.outcome != OUTCOME_OK)
        bench_die("%s", d->reply.detail);
    if (answered++ % CHECK_EVERY == 0) {
        int64_t now = bench_now_us();
        if (cpu_us < 0 && now >= start_us) {
            cpu_us = bench_cpu_us();
            start_us = now;
        }
        if (now >= stop_us)
            loop_stop(loop);
    }
    counted += cpu_us >= 0;
    send_one(d);
}

static struct sink *make(const struct env *env, const struct function_settings *function,
                         const char *kind, const char *url)
{
    static union {
        struct sink sink;
        char bytes[STORE_BYTES];
    } store;
    const struct sink_ops *ops = strcmp(kind, "url") == 0 ? &http_sink : &lambda_sink;
    const char *member = ops == &http_sink ? "Url" : "InvokeEndpoint";
    struct error err = {0};
    if (ops->size > sizeof store)
        bench_die("the sink is larger than thought");
    for (const struct option *o = ops->options; o->name != NULL; o++)
        if (strcmp(o->name, member) == 0)
            memcpy(store.bytes + o->offset, &url, sizeof url);
    store.sink = (struct sink){.ops = ops, .env = env, .function = function};
    if (!ops->check(&store.sink, &err) || !ops->open(&store.sink, &err))
        bench_die("%s", err.text);
    return &store.sink;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        bench_die("backend url|lambda URL CONCURRENCY SECONDS");
    size_t n = strtoul(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL);
    static const struct option_map none;
    static const struct function_settings function = {
        .name = "f", .arn = "arn:aws:lambda:us-east-1:000000000000:function:f"};
    struct error err = {0};
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 1);
    loop = loop_new(&err);
    struct env env = {.loop = loop, .region = "us-east-1", .account_id = "000000000000"};
    env.http = loop != NULL ? http_client_new(loop) : NULL;
    const struct aws_client_options aws = {.region = "us-east-1", .services = &none};
    env.aws = loop != NULL ? aws_client_new(loop, env.http, &aws, &err) : NULL;
    struct delivery *all = calloc(n ? n : 1, sizeof *all);
    if (env.aws == NULL || all == NULL)
        bench_die("%s", err.text);
    sink = make(&env, &function, argv[1], argv[2]);
    int64_t begun = bench_now_us();
    start_us = begun + (int64_t)(seconds * 0.2e6);
    stop_us = begun + (int64_t)(seconds * 1e6);
    for (size_t i = 0; i < n; i++) {
        all[i].payload = SLICE("{\"key1\":\"value1\",\"key2\":\"value2\",\"n\":1}");
        all[i].done = on_done;
        memcpy(all[i].request_id, "8476a536-e9f4-11e8-9739-2dfe598c3fcd", REQUEST_ID_BYTES + 1);
        send_one(&all[i]);
    }
    loop_run(loop);
    double took = (double)(bench_now_us() - start_us) / 1e6;
    printf("{\"rate\":%.1f,\"cpu_us\":%.2f}\n", (double)counted / took,
           (double)(bench_cpu_us() - cpu_us) / (double)(counted ? counted : 1));
    return 0;
}
