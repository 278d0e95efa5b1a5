/* origins.c - the four kinds of source, with origins that remember what really happened. */
#include "base/json_out.h"
#include "tests/sim/world.h"
#include <stdio.h>
#include <string.h>

static struct route *route_of(struct source *s)
{
    return container_of(s, struct route, source);
}

static size_t key_of(const struct route *rt, size_t i)
{
    return i % rt->keys;
}

/* A body and the pattern that wants it and no other. */
static const struct {
    const char *body, *pattern;
} shapes[SHAPES] = {
    {"{\\\"kind\\\":\\\"a\\\"}", "{\"body\":{\"kind\":[\"a\"]}}"},
    {"{\\\"kind\\\":\\\"b\\\",\\\"n\\\":7}",
     "{\"body\":{\"kind\":[{\"prefix\":\"b\"}],\"n\":[{\"exists\":true}]}}"},
    {"plain", "{\"body\":[\"plain\"]}"},
    {"[]", "{\"shape\":[3]}"},
};

void origin_choose_filter(struct route *rt)
{
    struct option_list *filters = &rt->source.settings.filters;
    enum { ALL = (1 << SHAPES) - 1 };
    rt->wanted = rt->kind == KIND_HTTP || chance(50) ? ALL : 1 + (unsigned)below(ALL - 1);
    if (rt->kind != KIND_HTTP && chance(5))
        rt->wanted = 0;
    rt->patterns[0] = "{\"shape\":[9]}";
    *filters = (struct option_list){rt->patterns, rt->wanted == 0};
    for (size_t i = 0; i < SHAPES; i++)
        if (rt->wanted != ALL && (rt->wanted >> i & 1) != 0)
            rt->patterns[filters->n++] = shapes[i].pattern;
}

static void emit(struct route *rt, size_t i)
{
    struct message *m = &rt->m[i];
    char id[24], key[24], json[128];
    int n_id = snprintf(id, sizeof id, "%zu", i);
    int n_key = snprintf(key, sizeof key, "k%zu", key_of(rt, i));
    int n_json = snprintf(json, sizeof json, "{\"id\":%zu,\"shape\":%u,\"body\":\"%s\"}", i,
                          m->shape, shapes[m->shape].body);
    bool keyed = rt->kind == KIND_FIFO || rt->kind == KIND_LOG;
    REQUIRE(m->at == AT_ORIGIN);
    m->at = AT_GATEWAY;
    struct record *r =
        record_new((struct slice){id, (size_t)n_id}, (struct slice){key, keyed ? (size_t)n_key : 0},
                   (struct slice){json, (size_t)n_json});
    m->wanted = (rt->wanted >> m->shape & 1) != 0;
    m->emitted_ms = loop_now(rt->source.env->loop);
    r->token[0] = i;
    r->token[1] = m->receives;
    r->attempts = m->receives++;
    source_emit(&rt->source, r);
}

static bool to_dlq(struct route *rt, struct message *m)
{
    if (rt->max_receives == 0 || m->receives < rt->max_receives)
        return false;
    m->at = AT_DLQ;
    /* the promise: no message is given up by its queue without having run (a crash or a drain may
     * spend a receive; so may a FIFO group that had to be split) */
    REQUIRE(m->runs > 0 || rt->world->crashes > 0 || rt->world->drained || rt->splits);
    return true;
}

/* A receive gives up to ten, of a group only when nothing of it was out before this receive. */
static void fetch_some(struct route *rt)
{
    bool closed[MAX_KEYS] = {false};
    for (size_t i = 0; rt->kind == KIND_FIFO && i < rt->n; i++)
        if (rt->m[i].at == AT_GATEWAY || rt->m[i].at == AT_HIDDEN)
            closed[key_of(rt, i)] = true;
    size_t got = 0;
    size_t most = rt->kind == KIND_FIFO ? (size_t)rt->source.settings.batch_size : 10;
    for (size_t i = 0; i < rt->n && got < most && source_credit(&rt->source) > 0; i++) {
        struct message *m = &rt->m[i];
        if (m->at != AT_ORIGIN || closed[key_of(rt, i)])
            continue;
        if (to_dlq(rt, m))
            continue;
        emit(rt, i);
        got++;
    }
}

static void on_fetched(struct task *t)
{
    struct route *rt = container_of(t, struct route, fetched);
    if (source_credit(&rt->source) > 0)
        fetch_some(rt);
}

static void queue_pump(struct source *s)
{
    struct route *rt = route_of(s);
    loop_defer(s->env->loop, &rt->fetched);
}

static void on_visible(struct timer *t)
{
    struct message *m = container_of(t, struct message, again);
    struct route *rt = m->route;
    REQUIRE(m->at == AT_HIDDEN);
    m->at = AT_ORIGIN;
    if (rt->mapping != NULL && !rt->world->crashing)
        loop_defer(rt->source.env->loop, &rt->fetched);
}

static void hide(struct route *rt, struct message *m, int64_t ms)
{
    m->at = AT_HIDDEN;
    m->again.fire = on_visible;
    timer_start(rt->source.env->loop, &m->again, ms);
}

/* What no filter wants never runs. Where records come again by themselves nothing needs to wait. */
static void acknowledged(struct route *rt, struct message *m)
{
    if (m->wanted) {
        REQUIRE(m->good > 0);
        return;
    }
    m->filtered++;
    rt->filtered++;
    REQUIRE(m->filtered == 1);
    REQUIRE(rt->kind == KIND_LOG || m->emitted_ms == loop_now(rt->source.env->loop));
}

/* I1, I2: settled once for each emit; never acknowledged without success or a committed burial. */
static void settle_one(struct route *rt, const struct record *r)
{
    struct message *m = &rt->m[r->token[0]];
    REQUIRE(m->at == AT_GATEWAY && !m->out);
    REQUIRE(r->token[1] + 1 == m->receives);
    switch (r->decision.verdict) {
    case VERDICT_ACK:
        acknowledged(rt, m);
        m->at = AT_END;
        break;
    case VERDICT_BURY:
        REQUIRE(m->wanted && m->buried > 0);
        m->at = AT_END;
        break;
    case VERDICT_RELEASE:
        REQUIRE(m->wanted);
        if (!r->decision.counts && rt->kind == KIND_QUEUE)
            REQUIRE(rt->world->drained);
        hide(rt, m, rt->visibility_ms);
        break;
    default:
        REQUIRE(!"a verdict of the engine's own reached settle");
    }
}

static void queue_settle(struct source *s, const struct batch *b)
{
    struct route *rt = route_of(s);
    if (rt->world->crashing)
        return;
    for (const struct record *r = batch_first(b); r != NULL; r = batch_next(b, r))
        settle_one(rt, r);
}

/* ---- a log: partitions with positions ---- */

static void log_fetch(struct task *t)
{
    struct route *rt = container_of(t, struct route, fetched);
    for (bool any = true; any && source_credit(&rt->source) > 0;) {
        any = false;
        for (size_t k = 0; k < rt->keys && source_credit(&rt->source) > 0; k++)
            if (rt->next[k] < rt->n) {
                size_t i = rt->next[k];
                rt->next[k] += rt->keys;
                emit(rt, i);
                any = true;
            }
    }
}

/* Given up only when the attempts are spent in tries that ran, or by age; each on its own. */
static void check_buried(const struct route *rt, const struct record *r)
{
    const struct mapping_settings *s = &rt->source.settings;
    int64_t age_ms = loop_now(rt->source.env->loop) - r->born_ms + r->age_ms;
    bool old = s->max_age_s >= 0 && age_ms >= s->max_age_s * 1000;
    bool spent = s->max_attempts >= 0 && (int64_t)rt->m[r->token[0]].runs >= s->max_attempts;
    REQUIRE(old || spent || rt->splits);
}

static void log_settle(struct source *s, const struct batch *b)
{
    struct route *rt = route_of(s);
    if (rt->world->crashing)
        return;
    for (const struct record *r = batch_first(b); r != NULL; r = batch_next(b, r)) {
        size_t i = (size_t)r->token[0], k = key_of(rt, i);
        struct message *m = &rt->m[i];
        REQUIRE(m->at == AT_GATEWAY && !m->out);
        if (r->decision.verdict == VERDICT_RELEASE) {
            REQUIRE(rt->world->drained);
            m->at = AT_HIDDEN;
            continue;
        }
        if (r->decision.verdict == VERDICT_ACK) {
            acknowledged(rt, m);
        } else {
            REQUIRE(m->wanted && (m->buried > 0 || !rt->world->graveyard_on));
            check_buried(rt, r);
        }
        REQUIRE(rt->committed[k] == i); /* positions move one by one, in order */
        rt->committed[k] += rt->keys;
        m->at = AT_END;
    }
}

/* ---- answering: a client waits for each ---- */

static void http_settle(struct source *s, const struct batch *b)
{
    struct route *rt = route_of(s);
    if (rt->world->crashing)
        return;
    for (const struct record *r = batch_first(b); r != NULL; r = batch_next(b, r)) {
        struct message *m = &rt->m[r->token[0]];
        REQUIRE(m->at == AT_GATEWAY && !m->answered && !m->out);
        if (r->decision.verdict == VERDICT_ACK)
            REQUIRE(batch_count(b) == 1 && m->good == 1 && batch_reply(b)->outcome == OUTCOME_OK);
        else
            REQUIRE(r->decision.verdict == VERDICT_RELEASE && m->runs <= 1 &&
                    batch_reply(b)->outcome != OUTCOME_OK);
        m->answered = true;
        m->at = AT_END;
    }
}

/* ---- shared ---- */

static bool sim_open(struct source *s, struct error *err)
{
    (void)s;
    (void)err;
    return true;
}

static bool sim_check(struct source *s, struct error *err)
{
    (void)s;
    (void)err;
    return true;
}

static void sim_encode(struct source *s, const struct batch *b, struct json_out *out)
{
    const struct route *rt = route_of(s);
    json_object(out);
    json_kv_i64(out, "Route", rt - rt->world->routes);
    json_key(out, "Records");
    json_array(out);
    for (const struct record *r = batch_first(b); r != NULL; r = batch_next(b, r))
        json_raw(out, r->json);
    json_end(out);
    json_end(out);
}

static void sim_stop(struct source *s)
{
    task_cancel(&route_of(s)->fetched);
}

static const struct criteria_data sim_data = {.key = "body"};

#define SIM_SOURCE(name, settle_fn)                                                                \
    {                                                                                              \
        .type = name, .size = sizeof(struct route), .check = sim_check, .open = sim_open,          \
        .data = &sim_data, .pump = queue_pump, .encode = sim_encode, .settle = (settle_fn),        \
        .stop = sim_stop, .close = sim_stop                                                        \
    }
const struct source_ops sim_queue = SIM_SOURCE("queue", queue_settle);
const struct source_ops sim_fifo = SIM_SOURCE("fifo", queue_settle);
const struct source_ops sim_log = SIM_SOURCE("log", log_settle);
const struct source_ops sim_http = SIM_SOURCE("http", http_settle);

void origin_reset(struct route *rt)
{
    task_init(&rt->fetched, rt->kind == KIND_LOG ? log_fetch : on_fetched);
    for (size_t i = 0; i < rt->n; i++) {
        struct message *m = &rt->m[i];
        m->out = false;
        if (rt->kind == KIND_LOG && m->at != AT_END)
            m->at = AT_ORIGIN;
        else if (rt->kind == KIND_HTTP && m->at == AT_GATEWAY)
            m->at = AT_END; /* the client's connection broke */
        else if (m->at == AT_GATEWAY)
            hide(rt, m, rt->visibility_ms);
    }
    for (size_t k = 0; k < rt->keys; k++)
        rt->next[k] = rt->committed[k];
}

bool origin_finished(const struct route *rt)
{
    for (size_t i = 0; i < rt->n; i++)
        if (rt->m[i].at != AT_END && rt->m[i].at != AT_DLQ)
            return false;
    return true;
}
