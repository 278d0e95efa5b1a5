/* filter_state.h - the inside of a filter: the plan, and what is known of the event at hand; only
 * for filter*.c. */
#ifndef ENGINE_FILTER_STATE_H
#define ENGINE_FILTER_STATE_H

#include "engine/filter_event.h"
#include "engine/filter_index.h"
#include "engine/filter_join.h"
#include "engine/filter_plan.h"

/* An answer: members that hold what was asked for, ascending, in the filter's pool. */
struct filter_answer {
    uint32_t round; /* in which it was given; of another round: unknown */
    uint32_t at, n;
};

struct filter {
    const struct pattern **patterns; /* borrowed, but for the array */
    struct filter_plan plan;
    struct filter_index index;
    bool indexed; /* enough branches for the index to pay */
    struct filter_event event;
    struct filter_join join;
    struct filter_answer *answers; /* of each test: leaves that match */
    struct filter_answer *anys;    /* of each path: leaves */
    uint32_t round;
    uint32_t *pool; /* of answers; those of one branch are no more than twice the leaves */
    uint32_t n_pool, cap_pool;
    struct filter_item *items; /* of the branch at hand */
    uint64_t *bits;            /* of each pattern: it matches */
    uint32_t *matched;
    size_t n_patterns, n_words;
};

/* Does any leaf meet the test, which {"exists": false} is no part of? */
bool filter_state_finds(struct filter *, uint32_t test);
/* Does the test alone, without regard to arrays, let the event pass? */
bool filter_state_alone(struct filter *, uint32_t test);
/* Does the branch match? */
bool filter_state_branch(struct filter *, const struct filter_branch *);
/* Forgets all answers. */
void filter_state_forget(struct filter *);
/* Between two events: gives back what the last one did not need of much memory. */
void filter_state_shrink(struct filter *);
size_t filter_state_bytes(const struct filter *); /* that grow with the event and are kept */

#endif
