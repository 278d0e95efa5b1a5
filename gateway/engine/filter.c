/* filter.c - many patterns against one event. */
#include "engine/filter.h"

#include "base/mem.h"
#include "engine/filter_state.h"

#include <stdlib.h>
#include <string.h>

/* Candidates that the joins of one event may try; a few milliseconds. */
enum { SEARCH_BUDGET = 1000 * 1000 };
/* Fewer branches are all looked at. */
enum { INDEXED_FROM = 8 };

static uint32_t widest_branch(const struct filter_plan *p)
{
    uint32_t widest = 0;
    for (uint32_t i = 0; i < p->n_branches; i++)
        if (p->branches[i].n > widest)
            widest = p->branches[i].n;
    return widest;
}

struct filter *filter_new(const struct pattern *const *patterns, size_t n)
{
    struct filter *f = mem_alloc(sizeof *f);
    f->patterns = mem_alloc((n + 1) * sizeof(struct pattern *));
    if (n)
        memcpy(f->patterns, patterns, n * sizeof(struct pattern *));
    filter_plan_init(&f->plan, patterns, n);
    f->indexed = f->plan.n_branches >= INDEXED_FROM;
    if (f->indexed)
        filter_index_init(&f->index, &f->plan);
    filter_event_init(&f->event, f->plan.tree.n_paths);
    f->answers = mem_alloc((f->plan.n_tests + 1) * sizeof *f->answers);
    f->anys = mem_alloc((f->plan.tree.n_paths + 1) * sizeof *f->anys);
    f->items = mem_alloc((widest_branch(&f->plan) + 1) * sizeof *f->items);
    f->n_patterns = n;
    f->n_words = n / 64 + 1;
    f->bits = mem_alloc(f->n_words * sizeof *f->bits);
    f->matched = mem_alloc((n + 1) * sizeof *f->matched);
    return f;
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    free(f->patterns);
    filter_index_free(&f->index);
    filter_plan_free(&f->plan);
    filter_event_free(&f->event);
    filter_join_free(&f->join);
    free(f->answers);
    free(f->anys);
    free(f->items);
    free(f->pool);
    free(f->bits);
    free(f->matched);
    free(f);
}

static void decide(struct filter *f, const struct filter_branch *branch)
{
    uint64_t *word = &f->bits[branch->pattern / 64], bit = (uint64_t)1 << branch->pattern % 64;
    if (!(*word & bit) && filter_state_branch(f, branch))
        *word |= bit;
}

/* The branches that are registered under a test. */
static void decide_of(struct filter *f, uint32_t test)
{
    const struct filter_index *ix = &f->index;
    for (uint32_t i = ix->first[test]; i < ix->first[test + 1]; i++)
        decide(f, &f->plan.branches[ix->branches[i]]);
}

static void decide_path(struct filter *f, uint32_t path)
{
    struct filter_index *ix = &f->index;
    const struct filter_shelf *shelf = &ix->shelves[path];
    bool probed =
        shelf->values || shelf->folds || shelf->n_heads || shelf->n_tails || shelf->n_ranges;
    for (uint32_t i = f->event.paths[path].first; probed && i != FILTER_NONE;
         i = f->event.leaves[i].next) {
        struct filter_view view = filter_value_view(&f->event, i);
        filter_index_probe(ix, path, &view);
    }
    for (uint32_t i = 0; i < shelf->n_others; i++)
        if (filter_state_finds(f, shelf->others[i]))
            decide_of(f, shelf->others[i]);
}

static void decide_indexed(struct filter *f)
{
    struct filter_index *ix = &f->index;
    filter_index_begin(ix);
    for (uint32_t i = 0; i < f->event.n_touched; i++)
        decide_path(f, f->event.touched[i]);
    for (uint32_t i = 0; i < ix->n_found; i++)
        decide_of(f, ix->found[i]);
    for (uint32_t i = 0; i < ix->n_always; i++)
        decide(f, &f->plan.branches[ix->always[i]]);
}

/* Numbers of the patterns whose bits are set; the bits are clear afterwards. */
static size_t collect(struct filter *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n_words; i++)
        for (; f->bits[i]; f->bits[i] &= f->bits[i] - 1)
            f->matched[n++] = (uint32_t)(64 * i + (size_t)__builtin_ctzll(f->bits[i]));
    return n;
}

bool filter_match(struct filter *f, struct slice event, const struct filter_graft *graft,
                  struct filter_match *out, size_t *at)
{
    *out = (struct filter_match){.matched = f->matched};
    filter_state_shrink(f);
    filter_state_forget(f);
    f->join.budget = SEARCH_BUDGET;
    if (!filter_event_read(&f->event, &f->plan.tree, event, graft, at))
        return false;
    if (f->indexed)
        decide_indexed(f);
    for (uint32_t i = 0; i < f->plan.n_branches && !f->indexed; i++)
        decide(f, &f->plan.branches[i]);
    out->n = collect(f);
    return true;
}
