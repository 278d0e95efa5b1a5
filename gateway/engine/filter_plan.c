/* filter_plan.c - takes the patterns of a filter apart into tests that are shared. */
#include "engine/filter_plan.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_TESTS = 16 };

static uint64_t hash_number(double d, uint64_t seed)
{
    char bytes[sizeof d];
    memcpy(bytes, &d, sizeof d);
    return filter_tree_hash((struct slice){bytes, sizeof bytes}, seed);
}

static uint64_t hash_value(const struct pattern_value *v, uint64_t seed)
{
    seed = filter_tree_hash(v->text, seed + (uint64_t)v->kind);
    seed = hash_number(v->low, hash_number(v->high, seed));
    for (size_t i = 0; i < v->n_parts; i++)
        seed = filter_tree_hash(v->parts[i].text, hash_number(v->parts[i].low, seed));
    return seed;
}

static bool same_number(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool same_value(const struct pattern_value *a, const struct pattern_value *b)
{
    if (a->kind != b->kind || !slice_eq(a->text, b->text) || a->n_parts != b->n_parts ||
        !same_number(a->low, b->low) || !same_number(a->high, b->high) ||
        a->low_open != b->low_open || a->high_open != b->high_open || a->bits != b->bits ||
        a->address_bytes != b->address_bytes || memcmp(a->address, b->address, 16) != 0)
        return false;
    for (size_t i = 0; i < a->n_parts; i++) /* parts have no parts but wildcards' runs */
        if (!same_value(&a->parts[i], &b->parts[i]))
            return false;
    return true;
}

static bool same_test(const struct filter_test *t, const struct pattern_field *f, uint32_t path)
{
    if (t->path != path || t->field->n != f->n)
        return false;
    for (size_t i = 0; i < f->n && t->field != f; i++)
        if (!same_value(&t->field->values[i], &f->values[i]))
            return false;
    return true;
}

static void place(struct filter_plan *p, uint32_t test, uint64_t hash)
{
    uint32_t i = (uint32_t)hash;
    while (p->slots[i & p->mask] != FILTER_NONE)
        i++;
    p->slots[i & p->mask] = test;
}

static uint64_t hash_test(const struct pattern_field *f, uint32_t path)
{
    uint64_t hash = path;
    for (size_t i = 0; i < f->n; i++)
        hash = hash_value(&f->values[i], hash);
    return hash;
}

static void widen(struct filter_plan *p)
{
    p->cap_tests = p->cap_tests ? 2 * p->cap_tests : FIRST_TESTS;
    p->tests = mem_realloc(p->tests, p->cap_tests * sizeof *p->tests);
    p->mask = 2 * p->cap_tests - 1;
    p->slots = mem_realloc(p->slots, (p->mask + 1) * sizeof *p->slots);
    memset(p->slots, 0xFF, (p->mask + 1) * sizeof *p->slots);
    for (uint32_t i = 0; i < p->n_tests; i++)
        place(p, i, hash_test(p->tests[i].field, p->tests[i].path));
}

static uint32_t test_of(struct filter_plan *p, const struct pattern_field *f)
{
    uint32_t path = filter_tree_add(&p->tree, f->path);
    uint64_t hash = hash_test(f, path);
    if (p->n_tests == p->cap_tests)
        widen(p);
    for (uint32_t i = (uint32_t)hash;; i++) {
        uint32_t test = p->slots[i & p->mask];
        if (test == FILTER_NONE)
            break;
        if (same_test(&p->tests[test], f, path))
            return test;
    }
    struct filter_test t = {.field = f, .path = path};
    for (size_t i = 0; i < f->n; i++)
        *(f->values[i].kind == PATTERN_ABSENT ? &t.absent : &t.value) = true;
    place(p, p->n_tests, hash);
    p->tests[p->n_tests] = t;
    return p->n_tests++;
}

static void add_branch(struct filter_plan *p, const struct pattern_branch *from, uint32_t pattern)
{
    struct filter_branch *branch = &p->branches[p->n_branches++];
    *branch = (struct filter_branch){.pattern = pattern, .first = p->n_asked};
    for (size_t i = 0; i < from->n; i++) {
        uint32_t test = test_of(p, from->fields[i]);
        p->asked[p->n_asked++] = test;
        branch->absences |= p->tests[test].absent;
    }
    branch->n = p->n_asked - branch->first;
    for (uint32_t i = 0; i < branch->n; i++)
        p->tests[p->asked[branch->first + i]].whole |= branch->absences;
}

void filter_plan_init(struct filter_plan *p, const struct pattern *const *patterns, size_t n)
{
    size_t branches = 0, asked = 0;
    *p = (struct filter_plan){0};
    filter_tree_init(&p->tree);
    for (size_t i = 0; i < n; i++) {
        branches += patterns[i]->n_branches;
        for (size_t k = 0; k < patterns[i]->n_branches; k++)
            asked += patterns[i]->branches[k].n;
    }
    p->branches = mem_alloc((branches + 1) * sizeof *p->branches);
    p->asked = mem_alloc((asked + 1) * sizeof *p->asked);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < patterns[i]->n_branches; k++)
            add_branch(p, &patterns[i]->branches[k], (uint32_t)i);
    free(p->slots);
    p->slots = NULL;
}

void filter_plan_free(struct filter_plan *p)
{
    filter_tree_free(&p->tree);
    free(p->tests);
    free(p->branches);
    free(p->asked);
    free(p->slots);
}
