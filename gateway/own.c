/* own.c - opens the store, keeps the file's queues, and hands requests to the SQS service. */
#include "gateway/own.h"

#include "api/sqs_api.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "gateway/own_gauges.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct own {
    const struct env *env;
    struct spool *spool;
    struct queues *queues;
    struct sqs_api *api;
    char *base_url, *path, *access_key, *secret_key;
    int64_t max_bytes;
    struct credentials credentials;
    struct sqs_api_options options;
    struct own_gauges gauges;
    size_t changing; /* queues on their way to the disk */
    bool starting;   /* the loop runs only for them */
};

static const struct log_scope scope = {"gateway", "queues"};

/* ---- the store, when it is needed ---- */

static bool open_store(struct own *o, struct error *err)
{
    const struct env *env = o->env;
    struct spool_options spool = {.path = o->path, .max_bytes = o->max_bytes};
    o->spool = spool_open(env->loop, &spool, err);
    if (o->spool == NULL)
        return false;
    o->queues = queues_open(env->loop, o->spool, env->region, env->account_id, rand_u64, err);
    if (o->queues == NULL) {
        spool_close(o->spool);
        o->spool = NULL;
        return false;
    }
    o->api = sqs_api_new(env, o->queues, &o->options);
    return true;
}

/* One change of a queue that the file asks for. */
struct change {
    struct queue_admin admin;
    struct own *own;
    char *name;
    const char *what; /* static */
};

static void on_changed(struct queue_admin *admin)
{
    struct change *c = container_of(admin, struct change, admin);
    struct own *o = c->own;
    if (admin->status != QUEUE_OK)
        log_error(&scope, "queue %s could not be %s: the store does not take it", c->name, c->what);
    else
        log_info(&scope, "queue %s is %s", c->name, c->what);
    free(c->name);
    free(c);
    if (--o->changing == 0 && o->starting)
        loop_stop(o->env->loop);
}

static struct change *change_new(struct own *o, const char *name, const char *what)
{
    struct change *c = mem_alloc(sizeof *c);
    c->admin.done = on_changed;
    c->own = o;
    c->name = mem_strdup(name);
    c->what = what;
    o->changing++;
    return c;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool same_settings(const struct queue_settings *a, const struct queue_settings *b)
{
    return a->visibility_s == b->visibility_s && a->delay_s == b->delay_s &&
           a->retention_s == b->retention_s && a->max_bytes == b->max_bytes &&
           a->wait_s == b->wait_s && a->fifo == b->fifo && a->content_dedup == b->content_dedup &&
           a->dedup_per_group == b->dedup_per_group &&
           a->throughput_per_group == b->throughput_per_group &&
           same_text(a->dead_arn, b->dead_arn) && a->max_receives == b->max_receives &&
           same_text(a->redrive_allow, b->redrive_allow) && a->declared == b->declared;
}

static bool has_tag(const struct option_map *m, const char *name, const char *value)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->names[i], name) == 0)
            return same_text(m->values[i], value);
    return false;
}

/* Names are distinct; their order is not told by anybody. */
static bool same_tags(const struct option_map *a, const struct option_map *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; i < a->n && same; i++)
        same = has_tag(b, a->names[i], a->values[i]);
    return same;
}

static struct queue_settings settings_of(const struct catalog_queue *want)
{
    struct queue_settings settings = want->settings;
    settings.declared = true;
    return settings;
}

static void make_queue(struct own *o, const struct catalog_queue *want)
{
    struct queue_settings settings = settings_of(want);
    queue_create(o->queues, slice_of(want->name), &settings, &want->tags,
                 &change_new(o, want->name, "created")->admin);
}

/* One that is not there is being made. */
static void keep_queue(struct own *o, const struct catalog_queue *want)
{
    struct queue *q = queues_find(o->queues, slice_of(want->name));
    struct queue_settings settings = settings_of(want);
    if (q == NULL)
        return;
    if (!same_settings(queue_settings(q), &settings))
        queue_set(q, &settings, &change_new(o, want->name, "changed")->admin);
    if (!same_tags(queue_tags(q), &want->tags))
        queue_set_tags(q, &want->tags, &change_new(o, want->name, "tagged")->admin);
}

static void drop_queue(struct own *o, struct queue *q)
{
    const char *name = queue_name(q);
    struct queue_counts n = queue_counts(q);
    uint64_t messages = n.visible + n.in_flight + n.delayed;
    if (messages > 0)
        log_warn(&scope,
                 "queue %s is not in the file any more, but holds %llu message%s: it is kept", name,
                 (unsigned long long)messages, messages == 1 ? "" : "s");
    else
        queue_delete(q, &change_new(o, name, "deleted")->admin);
}

static const struct catalog_queue *find(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->n_queues; i++)
        if (strcmp(c->queues[i].name, name) == 0)
            return &c->queues[i];
    return NULL;
}

/* A queue that a client made is nothing to the file. */
static void drop_queues(struct own *o, const struct catalog *c)
{
    struct queue *next = queues_next(o->queues, NULL, SLICE_NONE);
    while (next != NULL) {
        struct queue *q = next;
        next = queues_next(o->queues, q, SLICE_NONE);
        if (queue_settings(q)->declared && find(c, queue_name(q)) == NULL)
            drop_queue(o, q);
    }
}

void own_prepare(struct own *o, const struct catalog *c)
{
    struct error err = {0};
    if (o->queues == NULL && c->n_queues == 0)
        return;
    if (o->queues == NULL && !open_store(o, &err)) {
        log_error(&scope, "the store cannot be opened: %s", err.text);
        return;
    }
    for (size_t i = 0; i < c->n_queues; i++)
        if (queues_find(o->queues, slice_of(c->queues[i].name)) == NULL)
            make_queue(o, &c->queues[i]);
}

void own_apply(struct own *o, const struct catalog *c)
{
    if (o->queues == NULL)
        return;
    drop_queues(o, c);
    for (size_t i = 0; i < c->n_queues; i++)
        keep_queue(o, &c->queues[i]);
}

static struct own *own_new(const struct env *env, const struct gateway_settings *g,
                           const char *base_url)
{
    struct own *o = mem_alloc(sizeof *o);
    o->env = env;
    own_gauges_init(&o->gauges, env->metrics);
    o->base_url = mem_strdup(base_url);
    o->path = mem_strdup(g->store);
    o->max_bytes = g->store_max_bytes;
    o->options.base_url = o->base_url;
    if (g->access_key != NULL) {
        o->access_key = mem_strdup(g->access_key);
        o->secret_key = mem_strdup(g->secret_key);
        o->credentials = (struct credentials){o->access_key, o->secret_key, NULL};
        o->options.credentials = &o->credentials;
    }
    return o;
}

struct own *own_open(const struct env *env, const struct catalog *c, const char *base_url,
                     struct error *err)
{
    struct own *o = own_new(env, &c->gateway, base_url);
    bool needed = c->n_queues > 0 || access(o->path, F_OK) == 0;
    if (needed && !open_store(o, err)) {
        own_close(o);
        return NULL;
    }
    o->starting = true;
    own_prepare(o, c);
    own_apply(o, c);
    if (o->changing > 0)
        loop_run(env->loop);
    o->starting = false;
    return o;
}

const char *own_endpoint(struct own *o, const char *arn)
{
    bool ours = o->queues != NULL && queues_find_arn(o->queues, slice_of(arn)) != NULL;
    return ours ? o->base_url : NULL;
}

/* The first one makes the store: a gateway without queues needs no file. */
static bool is_about_queues(const struct http_request *req)
{
    return slice_starts(http_request_header(req, "X-Amz-Target"), "AmazonSQS.") ||
           slice_starts(req->path, "/_penstock/queues/") ||
           memmem(req->query.p, req->query.n, "Action=", 7) != NULL ||
           slice_starts(http_request_header(req, "Content-Type"),
                        "application/x-www-form-urlencoded");
}

bool own_handle(struct own *o, struct http_request *req)
{
    struct error err = {0};
    if (o->api == NULL && !is_about_queues(req))
        return false;
    if (o->api == NULL && !open_store(o, &err)) {
        log_error(&scope, "the store cannot be opened: %s", err.text);
        struct http_header h = {"Content-Type", SLICE("text/plain")};
        http_reply(req, 503, &h, 1, SLICE("the store cannot be opened; the log says why\n"));
        return true;
    }
    return sqs_api_handle(o->api, req);
}

const struct credentials *own_credentials(const struct own *o)
{
    return o->options.credentials;
}

void own_stop(struct own *o)
{
    if (o->api != NULL)
        sqs_api_stop(o->api);
}

void own_report(struct own *o)
{
    own_gauges_report(&o->gauges, o->queues);
}

size_t own_pending(const struct own *o)
{
    return o->api != NULL ? sqs_api_pending(o->api) : 0;
}

void own_close(struct own *o)
{
    if (o == NULL)
        return;
    own_gauges_free(&o->gauges);
    if (o->api != NULL)
        sqs_api_free(o->api);
    if (o->queues != NULL)
        queues_close(o->queues);
    if (o->spool != NULL)
        spool_close(o->spool);
    free(o->base_url);
    free(o->path);
    free(o->access_key);
    free(o->secret_key);
    free(o);
}
