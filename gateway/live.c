/* live.c - starts, retires and sweeps functions and mappings. */
#include "gateway/live.h"

#include "base/mem.h"
#include "base/rand.h"
#include <stdlib.h>
#include <string.h>

enum { SWEEP_MS = 20 };

struct live_catalog {
    struct list node;
    struct catalog *catalog;
    size_t users; /* functions and mappings whose memory it holds */
};

struct live_function {
    struct list node;
    struct live *live;
    struct live_catalog *home;
    const struct catalog_function *spec;
    struct function *function;
    size_t mappings;
    bool retired;
};

struct live_mapping {
    struct list node;
    struct live *live;
    struct live_catalog *home;
    const struct catalog_event *spec;
    struct live_function *function;
    struct mapping *mapping;
    bool started, draining, idle;
};

static void on_sweep(struct timer *t);

void live_init(struct live *l, const struct env *env, int64_t concurrency)
{
    *l = (struct live){.env = env};
    account_init(&l->account, env->loop, concurrency);
    map_init(&l->functions);
    list_init(&l->all_functions);
    list_init(&l->all_mappings);
    list_init(&l->catalogs);
    l->sweep.fire = on_sweep;
}

/* ---- functions ---- */

static bool start_function(struct live *l, struct live_catalog *home,
                           const struct catalog_function *spec, struct error *err)
{
    struct sink *sink = spec->sink;
    sink->env = l->env;
    if (!sink->ops->open(sink, err))
        return false;
    struct live_function *lf = mem_alloc(sizeof *lf);
    lf->live = l;
    lf->home = home;
    lf->spec = spec;
    lf->function = function_new(l->env, &l->account, &spec->settings, sink);
    home->users++;
    list_append(&l->all_functions, &lf->node);
    return true;
}

static void retire_function(struct live_function *lf)
{
    lf->retired = true;
    function_retire(lf->function);
    map_del(&lf->live->functions, slice_of(lf->spec->settings.name));
}

static void end_function(struct live_function *lf)
{
    struct sink *sink = lf->spec->sink;
    function_free(lf->function);
    sink->ops->close(sink);
    list_remove(&lf->node);
    lf->home->users--;
    free(lf);
}

/* ---- mappings ---- */

static void on_idle(void *ctx)
{
    struct live_mapping *lm = ctx;
    lm->idle = true;
    timer_start(lm->live->env->loop, &lm->live->sweep, 0);
}

static void retire_mapping(struct live_mapping *lm)
{
    if (lm->draining)
        return;
    lm->draining = true;
    if (lm->started)
        mapping_drain(lm->mapping, on_idle, lm);
    else
        on_idle(lm);
}

static void end_mapping(struct live_mapping *lm)
{
    if (lm->started)
        lm->spec->source->ops->close(lm->spec->source);
    mapping_free(lm->mapping);
    list_remove(&lm->node);
    lm->function->mappings--;
    lm->home->users--;
    free(lm);
}

static void add_mapping(struct live *l, struct live_catalog *home, const struct catalog_event *spec,
                        struct live_function *lf)
{
    struct live_mapping *lm = mem_alloc(sizeof *lm);
    lm->live = l;
    lm->home = home;
    lm->spec = spec;
    lm->function = lf;
    lf->mappings++;
    home->users++;
    list_append(&l->all_mappings, &lm->node);
}

static bool name_is_free(const struct live *l, const struct live_mapping *mine)
{
    for (const struct list *it = l->all_mappings.next; it != &l->all_mappings; it = it->next) {
        const struct live_mapping *lm =
            (const void *)((const char *)it - offsetof(struct live_mapping, node));
        if (lm != mine && lm->started && strcmp(lm->spec->name, mine->spec->name) == 0)
            return false;
    }
    return true;
}

/* A changed mapping starts when its former self is idle: two of them would compete. */
static void start_mappings(struct live *l)
{
    list_each(&l->all_mappings, it)
    {
        struct live_mapping *lm = container_of(it, struct live_mapping, node);
        if (lm->started || lm->draining || !name_is_free(l, lm))
            continue;
        lm->started = true;
        struct source *source = lm->spec->source;
        source->env = l->env;
        struct mapping_options o = {
            .function = lm->function->function, .source = source, .random = rand_u64};
        lm->mapping = mapping_new(l->env, &o);
        struct error err = {0};
        if (!mapping_start(lm->mapping, &err)) {
            log_error(&source->log, "cannot start: %s", err.text);
            source_problem(source, err.text);
        }
    }
}

/* ---- sweeping ---- */

static void sweep_catalogs(struct live *l)
{
    list_each(&l->catalogs, it)
    {
        struct live_catalog *lc = container_of(it, struct live_catalog, node);
        if (lc->users > 0 || lc->catalog == l->current)
            continue;
        list_remove(&lc->node);
        catalog_free(lc->catalog);
        free(lc);
    }
}

/* True: something retired has not come to rest. */
static bool sweep(struct live *l)
{
    bool busy = false;
    list_each(&l->all_mappings, it)
    {
        struct live_mapping *lm = container_of(it, struct live_mapping, node);
        if (lm->idle)
            end_mapping(lm);
        else
            busy |= lm->draining;
    }
    list_each(&l->all_functions, it2)
    {
        struct live_function *lf = container_of(it2, struct live_function, node);
        if (!lf->retired)
            continue;
        if (lf->mappings == 0 && function_in_flight(lf->function) == 0)
            end_function(lf);
        else
            busy = true;
    }
    sweep_catalogs(l);
    return busy;
}

static void on_sweep(struct timer *t)
{
    struct live *l = container_of(t, struct live, sweep);
    bool busy = sweep(l);
    if (!l->draining)
        start_mappings(l);
    if (busy)
        timer_start(l->env->loop, &l->sweep, SWEEP_MS);
    else if (l->draining && list_empty(&l->all_mappings) && l->rested != NULL) {
        void (*rested)(void *) = l->rested;
        l->rested = NULL;
        rested(l->ctx);
    }
}

/* ---- applying a catalog ---- */

static struct live_mapping *find_mapping(struct live *l, const char *name)
{
    list_each(&l->all_mappings, it)
    {
        struct live_mapping *lm = container_of(it, struct live_mapping, node);
        if (!lm->draining && strcmp(lm->spec->name, name) == 0)
            return lm;
    }
    return NULL;
}

static const struct catalog_function *find_spec(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->n_functions; i++)
        if (strcmp(c->functions[i].settings.name, name) == 0)
            return &c->functions[i];
    return NULL;
}

static bool same_function(const struct live_function *lf, const struct catalog_function *spec)
{
    return spec != NULL && strcmp(lf->spec->text, spec->text) == 0;
}

static const struct catalog_event *find_event(const struct catalog_function *f, const char *name)
{
    for (size_t i = 0; f != NULL && i < f->n_events; i++)
        if (strcmp(f->events[i].name, name) == 0)
            return &f->events[i];
    return NULL;
}

static void retire_old(struct live *l, const struct catalog *c)
{
    list_each(&l->all_mappings, it)
    {
        struct live_mapping *lm = container_of(it, struct live_mapping, node);
        const char *name = lm->function->spec->settings.name;
        const struct catalog_function *f = find_spec(c, name);
        const struct catalog_event *e = find_event(f, lm->spec->name);
        if (e == NULL || strcmp(e->text, lm->spec->text) != 0 || !same_function(lm->function, f))
            retire_mapping(lm);
    }
    list_each(&l->all_functions, it2)
    {
        struct live_function *lf = container_of(it2, struct live_function, node);
        bool entered = map_get(&l->functions, slice_of(lf->spec->settings.name)) == lf;
        if (entered && !same_function(lf, find_spec(c, lf->spec->settings.name)))
            retire_function(lf);
    }
}

/* New backends open before anything old is touched, so that a failure leaves the old state. */
static bool open_new(struct live *l, struct live_catalog *home, struct error *err)
{
    const struct catalog *c = home->catalog;
    for (size_t i = 0; i < c->n_functions; i++) {
        const struct catalog_function *spec = &c->functions[i];
        const struct live_function *old = map_get(&l->functions, slice_of(spec->settings.name));
        if (old != NULL && same_function(old, spec))
            continue;
        if (!start_function(l, home, spec, err))
            return false;
    }
    return true;
}

static void undo_open(struct live *l, const struct live_catalog *home)
{
    list_each(&l->all_functions, it)
    {
        struct live_function *lf = container_of(it, struct live_function, node);
        if (lf->home == home)
            end_function(lf);
    }
    sweep_catalogs(l);
}

static void enter_new(struct live *l, struct live_catalog *home)
{
    list_each(&l->all_functions, it)
    {
        struct live_function *lf = container_of(it, struct live_function, node);
        if (lf->home == home)
            map_set(&l->functions, slice_of(lf->spec->settings.name), lf);
    }
    const struct catalog *c = home->catalog;
    for (size_t i = 0; i < c->n_functions; i++) {
        const struct catalog_function *f = &c->functions[i];
        struct live_function *lf = map_get(&l->functions, slice_of(f->settings.name));
        for (size_t j = 0; j < f->n_events; j++) {
            const struct catalog_event *e = &f->events[j];
            if (!e->source->settings.enabled)
                log_info(&e->source->log, "is disabled (Enabled: false)");
            else if (find_mapping(l, e->name) == NULL)
                add_mapping(l, home, e, lf);
        }
    }
}

bool live_apply(struct live *l, struct catalog *c, struct error *err)
{
    struct live_catalog *home = mem_alloc(sizeof *home);
    home->catalog = c;
    list_append(&l->catalogs, &home->node);
    if (!open_new(l, home, err)) {
        undo_open(l, home);
        return false;
    }
    retire_old(l, c);
    l->current = c;
    account_set_limit(&l->account, c->gateway.concurrent_executions);
    enter_new(l, home);
    timer_start(l->env->loop, &l->sweep, 0);
    return true;
}

struct function *live_function(struct live *l, struct slice name)
{
    struct live_function *lf = map_get(&l->functions, name);
    return lf == NULL ? NULL : lf->function;
}

void live_report(struct live *l)
{
    list_each(&l->all_mappings, it)
    {
        struct live_mapping *lm = container_of(it, struct live_mapping, node);
        if (lm->mapping != NULL)
            mapping_report(lm->mapping);
    }
}

void live_problems(struct live *l, struct buf *out)
{
    list_each(&l->all_mappings, it)
    {
        struct live_mapping *lm = container_of(it, struct live_mapping, node);
        if (lm->mapping != NULL && mapping_problem(lm->mapping) != NULL)
            buf_printf(out, "mapping %s: %s\n", lm->spec->name, mapping_problem(lm->mapping));
    }
}

void live_drain(struct live *l, void (*rested)(void *ctx), void *ctx)
{
    l->draining = true;
    l->rested = rested;
    l->ctx = ctx;
    list_each(&l->all_mappings, it) retire_mapping(container_of(it, struct live_mapping, node));
    timer_start(l->env->loop, &l->sweep, 0);
}

void live_cut(struct live *l)
{
    list_each(&l->all_mappings, it)
    {
        struct live_mapping *lm = container_of(it, struct live_mapping, node);
        if (lm->mapping != NULL && lm->draining)
            mapping_cut(lm->mapping);
    }
}

void live_free(struct live *l)
{
    timer_stop(l->env->loop, &l->sweep);
    list_each(&l->all_mappings, it) end_mapping(container_of(it, struct live_mapping, node));
    list_each(&l->all_functions, it2) end_function(container_of(it2, struct live_function, node));
    l->current = NULL;
    sweep_catalogs(l);
    map_free(&l->functions);
}
