/* filter_index_build.c - decides under which of its tests each branch is registered, and makes the
 * index of them. */
#include "engine/filter_index.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* How an alternative is reached from a value. */
enum way { BY_HASH, BY_HEAD, BY_TAIL, BY_RANGE, BY_ASKING };

/* What a registration costs in each event that has the path, in candidates. */
enum { HEAD_COST = 2, RANGE_COST = 8, ASKING_COST = 64, ANYTHING_COST = 4096 };

struct build {
    struct filter_index *index;
    const struct filter_plan *plan;
    uint32_t *uses;          /* of each test: branches that ask it */
    uint32_t *access;        /* of each branch: the test it is registered under */
    bool *chosen;            /* of each test: some branch is */
    struct filter_key *keys; /* of all tests, by hash: how often is a value asked for? */
    uint32_t n_keys;
};

static struct slice head_of(const struct pattern_value *v)
{
    if (v->kind == PATTERN_PREFIX)
        return v->text;
    return v->kind == PATTERN_WILDCARD && v->n_parts ? v->parts[0].text : SLICE_NONE;
}

static struct slice tail_of(const struct pattern_value *v)
{
    if (v->kind == PATTERN_SUFFIX)
        return v->text;
    return v->kind == PATTERN_WILDCARD && v->n_parts ? v->parts[v->n_parts - 1].text : SLICE_NONE;
}

static enum way way_of(const struct pattern_value *v)
{
    switch (v->kind) {
    case PATTERN_STRING:
    case PATTERN_NUMBER:
    case PATTERN_TRUE:
    case PATTERN_FALSE:
    case PATTERN_NULL:
    case PATTERN_EQUALS_CI:
        return BY_HASH;
    case PATTERN_PREFIX:
    case PATTERN_SUFFIX:
    case PATTERN_WILDCARD:
        return head_of(v).n && head_of(v).n >= tail_of(v).n ? BY_HEAD
               : tail_of(v).n                               ? BY_TAIL
                                                            : BY_ASKING;
    case PATTERN_RANGE:
        return BY_RANGE;
    default:
        return BY_ASKING;
    }
}

/* The hash that a value has which the alternative, reached by a hash, asks for. */
static uint64_t hash_of(uint32_t path, const struct pattern_value *v)
{
    struct slice head = head_of(v), tail = tail_of(v);
    enum way way = way_of(v);
    uint64_t hash = filter_index_seed(path, way == BY_HEAD ? FILTER_TAG_HEAD : FILTER_TAG_TAIL);
    if (way == BY_HEAD)
        for (size_t i = 0; i < head.n; i++)
            hash = filter_index_byte(hash, head.p[i]);
    else if (way == BY_TAIL)
        for (size_t i = tail.n; i > 0; i--)
            hash = filter_index_byte(hash, tail.p[i - 1]);
    else if (v->kind == PATTERN_EQUALS_CI)
        hash = filter_index_folded(path, v->text);
    else
        hash = filter_index_exact(path,
                                  v->kind == PATTERN_STRING   ? FILTER_STRING
                                  : v->kind == PATTERN_NUMBER ? FILTER_NUMBER
                                  : v->kind == PATTERN_TRUE   ? FILTER_TRUE
                                  : v->kind == PATTERN_FALSE  ? FILTER_FALSE
                                                              : FILTER_NULL,
                                  v->text, v->low);
    return hash;
}

/* One alternative that has to be asked makes the whole test so. */
static bool is_asked(const struct pattern_field *field)
{
    for (size_t i = 0; i < field->n; i++)
        if (way_of(&field->values[i]) == BY_ASKING)
            return true;
    return false;
}

static int by_hash(const void *a, const void *b)
{
    const struct filter_key *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->test > y->test) - (x->test < y->test);
}

/* Keys of all tests, or of those that are chosen; sorted. */
static struct filter_key *keys_of(const struct build *b, bool all, uint32_t *n)
{
    size_t cap = 1;
    const struct filter_test *tests = b->plan->tests;
    for (uint32_t t = 0; t < b->plan->n_tests; t++)
        cap += tests[t].field->n;
    struct filter_key *keys = mem_alloc(cap * sizeof *keys);
    *n = 0;
    for (uint32_t t = 0; t < b->plan->n_tests; t++) {
        const struct pattern_field *field = tests[t].field;
        if (tests[t].absent || is_asked(field) || (!all && !b->chosen[t]))
            continue;
        for (size_t i = 0; i < field->n; i++)
            if (way_of(&field->values[i]) != BY_RANGE)
                keys[(*n)++] = (struct filter_key){hash_of(tests[t].path, &field->values[i]), t};
    }
    qsort(keys, *n, sizeof *keys, by_hash);
    return keys;
}

/* ---- choosing */

/* How many branches ask for something that the hash is of. */
static uint64_t users(const struct build *b, uint64_t hash)
{
    uint32_t low = 0, high = b->n_keys;
    uint64_t n = 0;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (b->keys[mid].hash < hash)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < b->n_keys && b->keys[low].hash == hash; low++)
        n += b->uses[b->keys[low].test];
    return n;
}

static uint64_t cost_of(const struct build *b, const struct filter_test *test)
{
    uint64_t cost = 0;
    for (size_t i = 0; i < test->field->n; i++) {
        const struct pattern_value *v = &test->field->values[i];
        enum way way = way_of(v);
        if (v->kind == PATTERN_EXISTS || v->kind == PATTERN_BUT)
            cost += ANYTHING_COST;
        else if (way == BY_ASKING)
            cost += ASKING_COST;
        else if (way == BY_RANGE)
            cost += RANGE_COST;
        else
            cost += users(b, hash_of(test->path, v)) + (way == BY_HASH ? 0 : HEAD_COST);
    }
    return cost;
}

static void choose(struct build *b)
{
    const struct filter_plan *plan = b->plan;
    uint64_t *costs = mem_alloc((plan->n_tests + 1) * sizeof *costs);
    for (uint32_t i = 0; i < plan->n_asked; i++)
        b->uses[plan->asked[i]]++;
    b->keys = keys_of(b, true, &b->n_keys);
    for (uint32_t t = 0; t < plan->n_tests; t++)
        costs[t] = cost_of(b, &plan->tests[t]);
    for (uint32_t i = 0; i < plan->n_branches; i++) {
        const struct filter_branch *branch = &plan->branches[i];
        b->access[i] = FILTER_NONE;
        for (uint32_t k = 0; k < branch->n; k++) {
            uint32_t t = plan->asked[branch->first + k];
            if (!plan->tests[t].absent &&
                (b->access[i] == FILTER_NONE || costs[t] < costs[b->access[i]]))
                b->access[i] = t;
        }
        if (b->access[i] != FILTER_NONE)
            b->chosen[b->access[i]] = true;
    }
    free(costs);
}

/* ---- what is registered */

static uint32_t *numbers(struct build *b, size_t n)
{
    return arena_alloc(&b->index->arena, (n + 1) * sizeof(uint32_t));
}

static void list_branches(struct build *b)
{
    struct filter_index *ix = b->index;
    uint32_t n_tests = b->plan->n_tests, n = b->plan->n_branches;
    ix->first = numbers(b, n_tests + 1);
    ix->branches = numbers(b, n);
    ix->always = numbers(b, n);
    for (uint32_t i = 0; i < n; i++)
        if (b->access[i] == FILTER_NONE)
            ix->always[ix->n_always++] = i;
        else
            ix->first[b->access[i] + 1]++;
    for (uint32_t t = 0; t < n_tests; t++)
        ix->first[t + 1] += ix->first[t];
    uint32_t *next = mem_alloc((n_tests + 1) * sizeof *next);
    memcpy(next, ix->first, n_tests * sizeof *next);
    for (uint32_t i = 0; i < n; i++)
        if (b->access[i] != FILTER_NONE)
            ix->branches[next[b->access[i]]++] = i;
    free(next);
}

static void make_keys(struct build *b)
{
    struct filter_index *ix = b->index;
    ix->keys = keys_of(b, false, &ix->n_keys);
    ix->mask = 3;
    while (ix->mask < 2 * ix->n_keys)
        ix->mask = 2 * ix->mask + 1;
    ix->slots = numbers(b, ix->mask);
    memset(ix->slots, 0xFF, (ix->mask + 1) * sizeof *ix->slots);
    for (uint32_t i = 0; i < ix->n_keys; i++) {
        uint64_t hash = ix->keys[i].hash;
        if (i && ix->keys[i - 1].hash == hash)
            continue;
        uint32_t slot = (uint32_t)(hash >> 32 ^ hash);
        while (ix->slots[slot & ix->mask] != FILTER_NONE)
            slot++;
        ix->slots[slot & ix->mask] = i;
    }
}

static void add_length(uint32_t *lengths, uint32_t *n, size_t length)
{
    uint32_t low = 0, high = *n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (lengths[mid] < length)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < *n && lengths[low] == length)
        return;
    memmove(lengths + low + 1, lengths + low, (*n - low) * sizeof *lengths);
    lengths[low] = (uint32_t)length;
    ++*n;
}

static void shelve(struct filter_shelf *shelf, const struct filter_test *test, uint32_t number)
{
    if (is_asked(test->field)) {
        shelf->others[shelf->n_others++] = number;
        return;
    }
    for (size_t i = 0; i < test->field->n; i++) {
        const struct pattern_value *v = &test->field->values[i];
        enum way way = way_of(v);
        if (way == BY_HEAD)
            add_length(shelf->heads, &shelf->n_heads, head_of(v).n);
        else if (way == BY_TAIL)
            add_length(shelf->tails, &shelf->n_tails, tail_of(v).n);
        else if (way == BY_RANGE)
            shelf->ranges[shelf->n_ranges++] =
                (struct filter_range){.low = v->low, .high = v->high, .test = number};
        else
            *(v->kind == PATTERN_EQUALS_CI ? &shelf->folds : &shelf->values) = true;
    }
}

static int by_low(const void *a, const void *b)
{
    const struct filter_range *x = a, *y = b;
    return (x->low > y->low) - (x->low < y->low);
}

static double raise(struct filter_range *ranges, uint32_t from, uint32_t end)
{
    uint32_t mid = from + (end - from) / 2;
    double highest = ranges[mid].high, other;
    if (from < mid && (other = raise(ranges, from, mid)) > highest)
        highest = other;
    if (mid + 1 < end && (other = raise(ranges, mid + 1, end)) > highest)
        highest = other;
    ranges[mid].highest = highest;
    return highest;
}

static void make_shelves(struct build *b)
{
    struct filter_index *ix = b->index;
    uint32_t n_paths = b->plan->tree.n_paths;
    size_t *room = mem_alloc((n_paths + 1) * sizeof *room);
    ix->shelves = arena_alloc(&ix->arena, (n_paths + 1) * sizeof *ix->shelves);
    for (uint32_t t = 0; t < b->plan->n_tests; t++)
        if (b->chosen[t])
            room[b->plan->tests[t].path] += b->plan->tests[t].field->n;
    for (uint32_t p = 0; p < n_paths; p++) {
        struct filter_shelf *shelf = &ix->shelves[p];
        if (!room[p])
            continue;
        shelf->heads = numbers(b, room[p]);
        shelf->tails = numbers(b, room[p]);
        shelf->others = numbers(b, room[p]);
        shelf->ranges = arena_alloc(&ix->arena, room[p] * sizeof *shelf->ranges);
    }
    free(room);
    for (uint32_t t = 0; t < b->plan->n_tests; t++)
        if (b->chosen[t])
            shelve(&ix->shelves[b->plan->tests[t].path], &b->plan->tests[t], t);
    for (uint32_t p = 0; p < n_paths; p++) {
        struct filter_shelf *shelf = &ix->shelves[p];
        if (!shelf->n_ranges)
            continue;
        qsort(shelf->ranges, shelf->n_ranges, sizeof *shelf->ranges, by_low);
        raise(shelf->ranges, 0, shelf->n_ranges);
    }
}

void filter_index_init(struct filter_index *ix, const struct filter_plan *plan)
{
    struct build b = {.index = ix, .plan = plan};
    *ix = (struct filter_index){0};
    arena_init(&ix->arena);
    b.uses = mem_alloc((plan->n_tests + 1) * sizeof *b.uses);
    b.access = mem_alloc((plan->n_branches + 1) * sizeof *b.access);
    b.chosen = mem_alloc((plan->n_tests + 1) * sizeof *b.chosen);
    choose(&b);
    list_branches(&b);
    make_keys(&b);
    make_shelves(&b);
    ix->n_tests = plan->n_tests;
    ix->seen = numbers(&b, plan->n_tests);
    ix->found = numbers(&b, plan->n_tests);
    free(b.uses);
    free(b.access);
    free(b.chosen);
    free(b.keys);
}

void filter_index_free(struct filter_index *ix)
{
    arena_free(&ix->arena);
    free(ix->keys);
}
