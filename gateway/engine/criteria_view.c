/* criteria_view.c - cuts patterns into views: which branches count with which kind of data. */
#include "engine/criteria_view.h"

#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

enum { TEXT_ONLY = 1, BELOW = 2 }; /* what a branch asks of the data: as a whole, members of it */

static bool is_below(struct slice path, const char *key)
{
    size_t n = strlen(key);
    return path.n > n && slice_starts(path, key) && path.p[n] == '.';
}

static bool is_data(const struct pattern_field *f, const char *key)
{
    return slice_is(f->path, key) || is_below(f->path, key);
}

static unsigned asks(const struct pattern_branch *b, const char *key)
{
    unsigned a = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (slice_is(b->fields[i]->path, key))
            a |= TEXT_ONLY;
        else if (is_below(b->fields[i]->path, key))
            a |= BELOW;
    }
    return a;
}

/* Kinds of data with which a branch that asks so counts as it is. */
static const unsigned kinds_of[] = {
    [0] = CRITERIA_ANY,
    [TEXT_ONLY] = CRITERIA_TEXT | CRITERIA_ABSENT,
    [BELOW] = CRITERIA_JSON | CRITERIA_ABSENT,
    [TEXT_ONLY | BELOW] = CRITERIA_ABSENT,
};

void criteria_view_init(struct criteria_views *vs)
{
    *vs = (struct criteria_views){.n = 0};
    arena_init(&vs->arena);
}

void criteria_view_free(struct criteria_views *vs)
{
    arena_free(&vs->arena);
    free(vs->v);
}

/* The branches array has room for all of the pattern's. */
static struct criteria_view *view_of(struct criteria_views *vs, const struct pattern *p,
                                     size_t filter, unsigned kinds, size_t first)
{
    for (size_t i = first; i < vs->n; i++)
        if (vs->v[i].kinds == kinds)
            return &vs->v[i];
    vs->v = mem_realloc(vs->v, (vs->n + 1) * sizeof *vs->v);
    struct criteria_view *v = &vs->v[vs->n++];
    *v = (struct criteria_view){.pattern = *p, .filter = filter, .kinds = kinds};
    v->pattern.branches = arena_alloc(&vs->arena, p->n_branches * sizeof *v->pattern.branches);
    v->pattern.n_branches = 0;
    return v;
}

static struct pattern_branch without_data(struct criteria_views *vs, const struct pattern_branch *b,
                                          const char *key)
{
    const struct pattern_field **fields = arena_alloc(&vs->arena, b->n * sizeof *fields);
    struct pattern_branch rest = {fields, 0};
    for (size_t i = 0; i < b->n; i++)
        if (!is_data(b->fields[i], key))
            fields[rest.n++] = b->fields[i];
    return rest;
}

static void add(struct criteria_view *v, struct pattern_branch b)
{
    struct pattern_branch *branches =
        (struct pattern_branch *)(uintptr_t)v->pattern.branches; /* our own array */
    branches[v->pattern.n_branches++] = b;
}

void criteria_view_cut(struct criteria_views *vs, const struct criteria_data *data,
                       const struct pattern *p, size_t filter)
{
    size_t first = vs->n;
    for (size_t i = 0; i < p->n_branches; i++) {
        const struct pattern_branch *b = &p->branches[i];
        unsigned asked = asks(b, data->key), kinds = kinds_of[asked];
        vs->looks |= asked != 0;
        vs->texts |= asked == TEXT_ONLY;
        add(view_of(vs, p, filter, kinds, first), *b);
        if (!data->lenient || kinds == CRITERIA_ANY)
            continue;
        unsigned others = CRITERIA_ANY & ~kinds;
        struct pattern_branch rest = without_data(vs, b, data->key);
        if (rest.n == 0)
            vs->always |= others;
        else
            add(view_of(vs, p, filter, others, first), rest);
    }
}

const struct pattern *const *criteria_view_patterns(struct criteria_views *vs)
{
    const struct pattern **all = arena_alloc(&vs->arena, (vs->n + 1) * sizeof *all);
    for (size_t i = 0; i < vs->n; i++)
        all[i] = &vs->v[i].pattern;
    return all;
}
