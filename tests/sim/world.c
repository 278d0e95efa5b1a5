/* world.c - builds a world from a seed, runs gateways in it, and states the invariants. */
#include "tests/sim/world.h"
#include "io/loop_core.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world *world;

uint64_t world_random(void)
{
    uint64_t x = world->rng;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return world->rng = x;
}

uint64_t below(uint64_t n)
{
    return n == 0 ? 0 : world_random() % n;
}

bool chance(unsigned percent)
{
    return below(100) < percent;
}

void world_fail(const char *text, const char *file, int line)
{
    fprintf(stderr, "seed %" PRIu64 " failed at step %lu, t=%" PRId64 " ms: %s:%d: %s\n",
            world->seed, world->steps, loop_now(world->env.loop), file, line, text);
    fprintf(stderr, "replay: build/dev/tests/sim/sim --seed %" PRIu64 "\n", world->seed);
    exit(1);
}

static void build_function(struct world *w, size_t i)
{
    struct sink_fn *fn = &w->fn[i];
    fn->world = w;
    fn->settings = (struct function_settings){
        .name = "f", .timeout_s = 3, .reserved = chance(50) ? 1 + (int64_t)below(6) : -1};
    fn->sink = (struct sink){.ops = &sim_function, .env = &w->env, .function = &fn->settings};
    bool calm = chance(30);
    fn->p_fail = calm ? 0 : (unsigned)below(30);
    fn->p_throttle = calm ? 0 : (unsigned)below(30);
    fn->p_timeout = calm ? 0 : (unsigned)below(20);
    fn->p_lost = calm ? 0 : (unsigned)below(10);
    fn->p_partial = calm ? 0 : (unsigned)below(30);
    fn->p_malformed = calm ? 0 : (unsigned)below(15);
    fn->most = chance(25) ? 1 + below(20) : SIZE_MAX;
    fn->latency_ms = 1 + (int64_t)below(chance(30) ? 2000 : 40);
}

static const struct source_ops *const kinds[] = {&sim_queue, &sim_fifo, &sim_log, &sim_http};
static const unsigned kind_flags[] = {SOURCE_REDELIVERS, SOURCE_REDELIVERS | SOURCE_ORDERED,
                                      SOURCE_ORDERED, SOURCE_ANSWERS};
static const char *partial_type[] = {"ReportBatchItemFailures"};

static void build_settings(struct route *rt, bool poisoned)
{
    struct mapping_settings *s = &rt->source.settings;
    *s = (struct mapping_settings){.enabled = true, .max_concurrency = -1, .max_age_s = -1};
    s->batch_size = rt->kind == KIND_HTTP   ? 1
                    : rt->kind == KIND_FIFO ? 1 + (int64_t)below(10)
                                            : 1 + (int64_t)below(40);
    s->window_s =
        (rt->kind == KIND_QUEUE || rt->kind == KIND_LOG) && chance(30) ? (int64_t)below(3) : 0;
    if (rt->kind != KIND_LOG && rt->kind != KIND_HTTP && chance(40))
        s->max_concurrency = 2 + (int64_t)below(8);
    if (rt->kind != KIND_HTTP && chance(50))
        s->response_types = (struct option_list){partial_type, 1};
    s->max_attempts = -1;
    if (rt->kind == KIND_LOG) {
        s->max_attempts = poisoned || chance(50) ? 1 + (int64_t)below(4) : -1;
        s->bisect = chance(50);
        s->max_age_s = chance(30) ? 1 + (int64_t)below(4) : -1;
    }
}

static void build_route(struct world *w, size_t i)
{
    struct route *rt = &w->routes[i];
    rt->world = w;
    rt->kind = (enum kind)below(4);
    rt->n = 1 + below(chance(20) ? MAX_MESSAGES : 50);
    rt->keys = rt->kind == KIND_FIFO || rt->kind == KIND_LOG ? 1 + below(MAX_KEYS) : 1;
    rt->visibility_ms = 1 + (int64_t)below(500);
    snprintf(rt->name, sizeof rt->name, "f/e%zu", i);
    unsigned p_poison = chance(50) ? (unsigned)below(15) : 0;
    bool poisoned = false;
    for (size_t j = 0; j < rt->n; j++) {
        rt->m[j].route = rt;
        rt->m[j].poison = chance(p_poison);
        poisoned |= rt->m[j].poison;
        rt->m[j].shape = (unsigned)below(SHAPES);
    }
    if (rt->kind == KIND_QUEUE || rt->kind == KIND_FIFO)
        rt->max_receives = poisoned || chance(50) ? 1 + (unsigned)below(4) : 0;
    build_settings(rt, poisoned);
    origin_choose_filter(rt);
    for (size_t k = 0; k < rt->keys; k++)
        rt->committed[k] = k;
    rt->source.ops = kinds[rt->kind];
    rt->source.env = &w->env;
    rt->source.flags = kind_flags[rt->kind];
    rt->source.log = (struct log_scope){"mapping", rt->name};
    rt->source.envelope_bytes = 32;
}

void world_build(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    world = w;
    w->seed = seed;
    w->rng = seed * 0x9e3779b97f4a7c15ull + 1;
    for (int i = 0; i < 8; i++)
        world_random();
    w->env.loop = loop_new_virtual();
    account_init(&w->account, w->env.loop, 0);
    w->graveyard.world = w;
    w->graveyard.sink = (struct sink){.ops = &sim_graveyard, .env = &w->env};
    w->graveyard_on = chance(70);
    w->p_grave = (unsigned)below(60);
    w->n_fn = 1 + below(MAX_FUNCTIONS);
    for (size_t i = 0; i < w->n_fn; i++)
        build_function(w, i);
    w->n_routes = 1 + below(MAX_ROUTES);
    for (size_t i = 0; i < w->n_routes; i++)
        build_route(w, i);
}

void world_start(struct world *w)
{
    int64_t reserved = 0;
    for (size_t i = 0; i < w->n_fn; i++)
        if (w->fn[i].settings.reserved > 0)
            reserved += w->fn[i].settings.reserved;
    account_init(&w->account, w->env.loop, reserved + 1 + (int64_t)below(12));
    for (size_t i = 0; i < w->n_fn; i++)
        w->fn[i].function = function_new(&w->env, &w->account, &w->fn[i].settings, &w->fn[i].sink);
    for (size_t i = 0; i < w->n_routes; i++) {
        struct route *rt = &w->routes[i];
        origin_reset(rt);
        rt->idle = false;
        rt->filtered = 0;
        if (w->steps > 0 && chance(30)) /* changed meanwhile */
            origin_choose_filter(rt);
        bool log = rt->kind == KIND_LOG;
        struct mapping_options o = {
            .function = w->fn[i % w->n_fn].function,
            .source = &rt->source,
            .graveyard = log && w->graveyard_on ? &w->graveyard.sink : NULL,
            .random = world_random,
            .max_records = rt->max_records = 1 + below(200),
        };
        rt->splits = w->fn[i % w->n_fn].most < (size_t)rt->source.settings.batch_size;
        rt->source.function = &w->fn[i % w->n_fn].settings;
        rt->mapping = mapping_new(&w->env, &o);
        REQUIRE(mapping_start(rt->mapping, NULL));
    }
}

static void take_down(struct world *w)
{
    for (size_t i = 0; i < w->n_routes; i++) {
        struct route *rt = &w->routes[i];
        rt->source.ops->close(&rt->source);
        mapping_free(rt->mapping);
        rt->mapping = NULL;
        REQUIRE(rt->sends_out == 0);
    }
    for (size_t i = 0; i < w->n_fn; i++) {
        function_free(w->fn[i].function);
        w->fn[i].function = NULL;
    }
    REQUIRE(w->account.in_flight == 0 && w->account.reserved == 0);
}

static void on_idle(void *ctx)
{
    struct route *rt = ctx;
    REQUIRE(!rt->idle);
    rt->idle = true;
}

static bool all_idle(const struct world *w)
{
    bool idle = true;
    for (size_t i = 0; i < w->n_routes; i++)
        idle &= w->routes[i].idle;
    return idle;
}

void world_crash(struct world *w)
{
    w->crashing = true;
    w->crashes++;
    for (size_t i = 0; i < w->n_routes; i++) {
        mapping_drain(w->routes[i].mapping, on_idle, &w->routes[i]);
        mapping_cut(w->routes[i].mapping);
    }
    loop_core_run_tasks(w->env.loop, SIZE_MAX);
    REQUIRE(all_idle(w));
    take_down(w);
    w->crashing = false;
}

/* I6: what was out comes home or is cut, what waited is given back, and the mapping says so. */
void world_drain(struct world *w)
{
    w->drained = true;
    for (size_t i = 0; i < w->n_routes; i++)
        mapping_drain(w->routes[i].mapping, on_idle, &w->routes[i]);
    unsigned long patience = below(200);
    while (!all_idle(w)) {
        if (patience-- == 0)
            for (size_t i = 0; i < w->n_routes; i++)
                mapping_cut(w->routes[i].mapping);
        REQUIRE(loop_step(w->env.loop));
        world_check(w);
    }
    for (size_t i = 0; i < w->n_routes; i++) {
        struct mapping_counts c = mapping_counts(w->routes[i].mapping);
        REQUIRE(c.waiting == 0 && c.in_flight == 0 && mapping_held(w->routes[i].mapping) == 0);
    }
    take_down(w);
    for (size_t i = 0; i < w->n_routes; i++)
        for (size_t j = 0; j < w->routes[i].n; j++)
            REQUIRE(w->routes[i].m[j].at != AT_GATEWAY);
}

void world_check(struct world *w)
{
    int64_t in_flight = 0;
    for (size_t i = 0; i < w->n_routes; i++) {
        const struct route *rt = &w->routes[i];
        if (rt->mapping == NULL)
            continue;
        struct mapping_counts c = mapping_counts(rt->mapping);
        REQUIRE(c.accepted == c.done + c.filtered + c.dead + c.released + c.waiting + c.in_flight);
        REQUIRE(c.filtered == rt->filtered);
        REQUIRE(mapping_held(rt->mapping) == c.waiting + c.in_flight);        /* I5 */
        REQUIRE(mapping_lanes(rt->mapping) <= mapping_held(rt->mapping) + 1); /* I8 */
        REQUIRE(mapping_held(rt->mapping) <= rt->max_records);
        const struct mapping_settings *set = &rt->source.settings;
        if (set->max_concurrency > 0) /* what cannot run soon stays in the queue */
            REQUIRE(mapping_held(rt->mapping) <=
                    (size_t)(2 * set->max_concurrency * set->batch_size));
        in_flight += rt->sends_out;
    }
    REQUIRE(in_flight <= w->account.limit);
}

void world_end(struct world *w)
{
    for (size_t i = 0; i < w->n_routes; i++) {
        struct route *rt = &w->routes[i];
        REQUIRE(origin_finished(rt)); /* nothing lost, nothing stuck */
        for (size_t j = 0; j < rt->n; j++) {
            const struct message *m = &rt->m[j];
            bool told = rt->kind == KIND_HTTP || m->at == AT_DLQ;
            bool discarded = rt->kind == KIND_LOG && !w->graveyard_on;
            REQUIRE(m->good > 0 || m->buried > 0 || m->filtered > 0 || told || discarded);
            REQUIRE(!m->poison || m->good == 0 || rt->source.settings.response_types.n == 0);
        }
        REQUIRE(mapping_held(rt->mapping) == 0);
    }
    take_down(w);
}

void world_free(struct world *w)
{
    loop_free(w->env.loop);
}
