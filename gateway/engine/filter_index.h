/* filter_index.h - from a value of an event to the branches that may match because of it; only for
 * filter*.c. Each branch is registered under one of its tests, the one that the fewest share: where
 * that test finds nothing, the branch is not looked at. May name too many, never too few. */
#ifndef ENGINE_FILTER_INDEX_H
#define ENGINE_FILTER_INDEX_H

#include "engine/filter_plan.h"
#include "engine/filter_value.h"

struct filter_key;   /* a hash and the test that is registered under it */
struct filter_range; /* numbers from low to high and their test */

/* What is registered under one path. */
struct filter_shelf {
    uint32_t *heads, *tails; /* lengths of the literal beginnings and ends, ascending */
    uint32_t n_heads, n_tails;
    struct filter_range *ranges; /* by low */
    uint32_t n_ranges;
    uint32_t *others; /* tests that no value leads to: to be asked */
    uint32_t n_others;
    bool values, folds; /* there are exact values; some of them without regard to case */
};

struct filter_index {
    struct arena arena;
    struct filter_shelf *shelves; /* of each path */
    struct filter_key *keys;      /* by hash */
    uint32_t *slots, mask;        /* hash to its first key */
    uint32_t n_keys;
    uint32_t *first; /* of each test: where its branches begin in branches; n_tests + 1 of them */
    uint32_t *branches;
    uint32_t *always; /* branches that no test can stand for */
    uint32_t n_always;
    uint32_t *seen; /* of each test: the event that found it */
    uint32_t n_tests, event;
    uint32_t *found; /* tests, each once in an event */
    uint32_t n_found;
};

void filter_index_init(struct filter_index *, const struct filter_plan *);
void filter_index_free(struct filter_index *);
void filter_index_begin(struct filter_index *); /* a new event: nothing is found */
/* A value of the path: tests that it may meet are appended to found. */
void filter_index_probe(struct filter_index *, uint32_t path, const struct filter_view *);

/* For filter_index*.c. */
struct filter_key {
    uint64_t hash;
    uint32_t test;
};
struct filter_range {
    double low, high, highest; /* highest: of the half that this one is the middle of */
    uint32_t test;
};

enum filter_tag { FILTER_TAG_EXACT, FILTER_TAG_FOLDED, FILTER_TAG_HEAD, FILTER_TAG_TAIL };
/* Hashes that grow by one byte; what they are of depends on path and tag. */
uint64_t filter_index_seed(uint32_t path, enum filter_tag);
uint64_t filter_index_byte(uint64_t hash, char c);
uint64_t filter_index_exact(uint32_t path, enum filter_kind, struct slice text, double number);
uint64_t filter_index_folded(uint32_t path, struct slice text);
const struct filter_key *filter_index_find(const struct filter_index *, uint64_t hash);

#endif
