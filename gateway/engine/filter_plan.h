/* filter_plan.h - what all patterns of a filter ask, each question once; only for filter*.c.
 * A test is one field: a path and alternatives. Many patterns share tests, so that one answer per
 * event does for all of them. Built once, then read only. */
#ifndef ENGINE_FILTER_PLAN_H
#define ENGINE_FILTER_PLAN_H

#include "engine/filter.h"
#include "engine/filter_tree.h"

struct filter_test {
    const struct pattern_field *field; /* of the first pattern that asks */
    uint32_t path;
    bool absent; /* {"exists": false} is among the alternatives */
    bool value;  /* and something else */
    bool whole;  /* every leaf that matches counts, not only one outside of arrays */
};

struct filter_branch {
    uint32_t pattern;
    uint32_t first, n; /* its tests, in the order of their paths: from asked[first] on */
    bool absences;
};

struct filter_plan {
    struct filter_tree tree;
    struct filter_test *tests;
    struct filter_branch *branches; /* ascending by pattern */
    uint32_t *asked;
    uint32_t n_tests, cap_tests, n_branches, n_asked;
    uint32_t *slots, mask; /* hash of tests; only while it is built */
};

void filter_plan_init(struct filter_plan *, const struct pattern *const *patterns, size_t n);
void filter_plan_free(struct filter_plan *);

#endif
