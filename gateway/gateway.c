/* gateway.c - one process: environment, live set, API, signals, drain. */
#include "gateway/gateway.h"

#include "api/api.h"
#include "base/mem.h"
#include "gateway/live.h"
#include "gateway/own.h"
#include "io/aws_client.h"
#include "io/http_client.h"
#include "io/http_server.h"
#include "io/metrics.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gateway {
    char *path;
    struct catalog *first; /* until live takes it */
    struct env env;
    struct aws_client_options aws_options;
    struct live live;
    bool live_ready, started;
    struct own *own;
    char *base_url; /* of the Api, as our own source reaches it */
    struct api_host host;
    struct api *api;
    char *gateway_text, *region, *account_id;
    int64_t drain_ms;
    struct timer deadline, settle;
    bool draining, cut, rested;
};

enum { CUT_MS = 250 };

static const struct log_scope scope = {"gateway", "penstock"};

/* ---- what the API asks ---- */

static struct function *host_function(void *ctx, struct slice name)
{
    return live_function(&((struct gateway *)ctx)->live, name);
}

static void host_report(void *ctx)
{
    struct gateway *g = ctx;
    if (g->live_ready) /* the Api listens before */
        live_report(&g->live);
    if (g->own != NULL)
        own_report(g->own);
}

static bool host_ready(void *ctx)
{
    const struct gateway *g = ctx;
    return g->started && !g->draining;
}

static bool host_handle(void *ctx, struct http_request *req)
{
    const struct gateway *g = ctx;
    return g->own != NULL && own_handle(g->own, req);
}

static const char *own_endpoint_of(const struct env *env, const char *arn)
{
    const struct gateway *g = (const void *)((const char *)env - offsetof(struct gateway, env));
    return own_endpoint(g->own, arn);
}

static void host_problems(void *ctx, struct buf *out)
{
    struct gateway *g = ctx;
    if (g->live_ready)
        live_problems(&g->live, out);
}

/* ---- drain ---- */

static void stop_when_quiet(struct timer *t)
{
    struct gateway *g = container_of(t, struct gateway, settle);
    bool answered = api_pending(g->api) == 0 && own_pending(g->own) == 0;
    if (g->rested && answered && !http_server_finishing(g->env.server))
        loop_stop(g->env.loop);
    else
        timer_start(g->env.loop, &g->settle, 5);
}

static void on_rested(void *ctx)
{
    struct gateway *g = ctx;
    g->rested = true;
    api_stop(g->api); /* not before: our own mappings delete their messages through it */
    own_stop(g->own);
}

static void on_patience_over(struct timer *t)
{
    loop_stop(container_of(t, struct gateway, deadline)->env.loop);
}

/* What is out is cancelled; the little that remains to be told gets a moment. */
static void cut(struct gateway *g)
{
    g->cut = true;
    api_cancel(g->api);
    live_cut(&g->live);
    g->deadline.fire = on_patience_over;
    timer_start(g->env.loop, &g->deadline, CUT_MS);
}

static void on_deadline(struct timer *t)
{
    struct gateway *g = container_of(t, struct gateway, deadline);
    log_warn(&scope, "the drain took longer than %lld ms and is cut short", (long long)g->drain_ms);
    cut(g);
}

static void on_stop_signal(int signo, void *ctx)
{
    struct gateway *g = ctx;
    if (g->draining) {
        log_warn(&scope, "second signal %d: stopping at once", signo);
        cut(g);
        return;
    }
    log_info(&scope, "signal %d: draining for at most %lld ms", signo, (long long)g->drain_ms);
    g->draining = true;
    live_drain(&g->live, on_rested, g);
    timer_start(g->env.loop, &g->deadline, g->drain_ms);
    timer_start(g->env.loop, &g->settle, 0);
}

/* ---- reload ---- */

static void on_reload_signal(int signo, void *ctx)
{
    (void)signo;
    struct gateway *g = ctx;
    if (g->draining)
        return;
    struct catalog_errors errors = {0};
    struct catalog *c = catalog_load(g->path, &errors);
    for (size_t i = 0; i < errors.n; i++)
        log_error(&scope, "reload: %s", errors.lines[i]);
    catalog_errors_free(&errors);
    if (c == NULL) {
        log_error(&scope, "reload: the file has errors; the old configuration stays in force");
        return;
    }
    if (strcmp(c->gateway_text, g->gateway_text) != 0)
        log_warn(&scope, "reload: of Gateway and Services only ConcurrentExecutions, Drain, "
                         "LogLevel and LogFormat are taken over; other changes need a restart");
    struct gateway_settings now = c->gateway;
    struct error err = {0};
    own_prepare(g->own, c);
    if (!live_apply(&g->live, c, &err)) {
        log_error(&scope, "reload: %s; the old configuration stays in force", err.text);
        return;
    }
    own_apply(g->own, g->live.current);
    g->drain_ms = now.drain_ms;
    log_setup((enum log_level)now.log_level, (enum log_format)now.log_format);
    log_info(&scope, "reload: done");
}

/* ---- start ---- */

static bool open_env(struct gateway *g, struct error *err)
{
    const struct catalog *c = g->first;
    struct env *e = &g->env;
    e->region = g->region;
    e->account_id = g->account_id;
    g->aws_options = (struct aws_client_options){.region = g->region, .services = &c->services};
    return (e->loop = loop_new(err)) != NULL && (e->metrics = metrics_new()) != NULL &&
           (e->http = http_client_new(e->loop)) != NULL &&
           (e->server = http_server_new(e->loop, err)) != NULL &&
           (e->aws = aws_client_new(e->loop, e->http, &g->aws_options, err)) != NULL;
}

static bool open_signals(struct gateway *g, struct error *err)
{
    struct loop *l = g->env.loop;
    signal(SIGPIPE, SIG_IGN);
    return loop_signal(l, SIGTERM, on_stop_signal, g, err) &&
           loop_signal(l, SIGINT, on_stop_signal, g, err) &&
           loop_signal(l, SIGHUP, on_reload_signal, g, err);
}

/* Where we reach what listens on host. */
static const char *reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

/* HOST:PORT, checked by the catalog */
static bool open_api(struct gateway *g, const char *address, struct error *err)
{
    const char *colon = strrchr(address, ':');
    int64_t port = 0;
    if (colon == NULL || !slice_int(slice_of(colon + 1), &port) || port < 0 || port > UINT16_MAX)
        return error_set(err, ERROR_CONFIG, "Gateway.Api: '%s' is not HOST:PORT", address);
    struct slice name = {address, (size_t)(colon - address)};
    bool v6 = slice_starts(name, "[");
    char *host = slice_dup(v6 ? (struct slice){name.p + 1, name.n - 2} : name);
    g->host = (struct api_host){.ctx = g,
                                .function = host_function,
                                .report = host_report,
                                .ready = host_ready,
                                .problems = host_problems,
                                .handle = host_handle};
    g->api = api_open(&g->env, &g->host, host, (uint16_t)port, err);
    if (g->api != NULL)
        g->base_url = mem_printf(v6 ? "http://[%s]:%u" : "http://%s:%u", reachable(host),
                                 (unsigned)api_port(g->api));
    free(host);
    return g->api != NULL;
}

/* The Api listens first, because mappings reach our own queues through it; it is not ready before
 * everything else is. */
static bool start(struct gateway *g, struct error *err)
{
    struct catalog *c = g->first;
    if (!open_env(g, err) || !open_api(g, c->gateway.api, err))
        return false;
    g->own = own_open(&g->env, c, g->base_url, err);
    if (g->own == NULL || !open_signals(g, err))
        return false;
    g->env.own_endpoint = own_endpoint_of;
    g->env.own_credentials = own_credentials(g->own);
    live_init(&g->live, &g->env, c->gateway.concurrent_executions);
    g->live_ready = true;
    g->first = NULL;
    g->started = live_apply(&g->live, c, err);
    return g->started;
}

struct gateway *gateway_new(const char *config_path, struct catalog *c, struct error *err)
{
    struct gateway *g = mem_alloc(sizeof *g);
    g->path = mem_strdup(config_path);
    g->first = c;
    g->gateway_text = mem_strdup(c->gateway_text);
    g->region = mem_strdup(c->gateway.region);
    g->account_id = mem_strdup(c->gateway.account_id);
    g->drain_ms = c->gateway.drain_ms;
    g->deadline.fire = on_deadline;
    g->settle.fire = stop_when_quiet;
    if (start(g, err))
        return g;
    gateway_free(g);
    return NULL;
}

uint16_t gateway_api_port(const struct gateway *g)
{
    return api_port(g->api);
}

enum gateway_exit gateway_run(struct gateway *g)
{
    loop_run(g->env.loop);
    log_info(&scope, g->cut ? "stopped; the drain was cut short" : "stopped; everything came home");
    return g->cut ? GATEWAY_CUT : GATEWAY_DRAINED;
}

/* After a start that failed halfway: what has begun comes to rest first. */
static void rest(struct gateway *g)
{
    struct loop *l = g->env.loop;
    if (!g->rested && !g->draining) {
        live_drain(&g->live, on_rested, g);
        live_cut(&g->live);
        timer_start(l, &g->settle, 0);
        loop_run(l);
    }
    timer_stop(l, &g->deadline);
    timer_stop(l, &g->settle);
}

void gateway_free(struct gateway *g)
{
    if (g == NULL)
        return;
    struct env *e = &g->env;
    if (g->live_ready)
        rest(g);
    if (g->live_ready && !g->rested) /* cut, and still something did not let go: leave it to exit */
        return;
    api_close(g->api);
    if (g->live_ready)
        live_free(&g->live);
    own_close(g->own);
    aws_client_free(e->aws);
    http_client_free(e->http);
    http_server_free(e->server);
    metrics_free(e->metrics);
    loop_free(e->loop);
    catalog_free(g->first);
    free(g->path);
    free(g->base_url);
    free(g->gateway_text);
    free(g->region);
    free(g->account_id);
    free(g);
}
