/* runtime.c - functions as processes of ours that speak the Runtime API: the backend's face. */
#include "sinks/runtime.h"

#include <stdlib.h>

extern const struct sink_ops runtime_sink;

static const struct option options[] = {
    OPT_STRING(struct runtime, name, "Runtime", NULL, OPTION_SELECTS,
               "What runs the code: provided, provided.al2, provided.al2023 (CodeUri/bootstrap), "
               "python3.* or nodejs*.x (this machine's interpreter)."),
    OPT_STRING(struct runtime, handler, "Handler", NULL, 0,
               "FILE.FUNCTION for Python and Node.js, also in folders; others get it as _HANDLER."),
    OPT_STRING(struct runtime, code_uri, "CodeUri", ".", OPTION_PATH,
               "The directory with the code; the processes' working directory."),
    OPT_LIST(struct runtime, command, "Command", NULL, OPTION_X | OPTION_SELECTS,
             "Program and arguments of any Runtime API client, instead of Runtime."),
    OPT_END,
};

static struct runtime *runtime_of(struct sink *s)
{
    return container_of(s, struct runtime, sink);
}

static bool check(struct sink *s, struct error *err)
{
    return runtime_check(runtime_of(s), err);
}

static void default_to(int64_t *value, int64_t dflt)
{
    if (*value == 0)
        *value = dflt;
}

static bool open_pool(struct sink *s, struct error *err)
{
    struct runtime *r = runtime_of(s);
    r->root = realpath(r->code_uri, NULL);
    if (r->root == NULL)
        return error_sys(err, "CodeUri: %.300s", r->code_uri);
    default_to(&r->init_ms, 10 * 1000);
    default_to(&r->idle_ms, 5 * 60 * 1000);
    default_to(&r->stop_ms, 2 * 1000);
    default_to(&r->backoff_min_ms, 1000);
    default_to(&r->backoff_max_ms, 60 * 1000);
    runtime_pool_open(r);
    return true;
}

static void send_delivery(struct sink *s, struct delivery *d)
{
    struct runtime *r = runtime_of(s);
    runtime_pool_send(r, runtime_call_new(r, d));
}

static void cancel(struct sink *s, struct delivery *d)
{
    struct runtime *r = runtime_of(s);
    struct runtime_call *call = d->impl;
    struct runtime_sandbox *sandbox = call->sandbox;
    if (sandbox == NULL)
        r->queued--;
    runtime_call_free(call);
    /* Its result is unwanted, and there is no other way to stop it. */
    if (sandbox != NULL)
        runtime_sandbox_end(sandbox, 9);
}

static void close_pool(struct sink *s)
{
    struct runtime *r = runtime_of(s);
    runtime_pool_close(r);
    free(r->root);
    r->root = NULL;
}

const struct sink_ops runtime_sink = {
    .type = "runtime",
    .doc = "Processes started by the gateway that speak the Lambda Runtime API.",
    .size = sizeof(struct runtime),
    .options = options,
    .check = check,
    .open = open_pool,
    .send = send_delivery,
    .cancel = cancel,
    .close = close_pool,
};
