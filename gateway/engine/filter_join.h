/* filter_join.h - can all fields of a branch be met in the same elements of the event's arrays?
 * Only for filter*.c. docs/filter.md tells why this is no search. Pure but for its scratch memory.
 */
#ifndef ENGINE_FILTER_JOIN_H
#define ENGINE_FILTER_JOIN_H

#include "engine/filter_event.h"

enum filter_wish {
    FILTER_MUST,   /* a leaf of hits must be chosen */
    FILTER_ABSENT, /* no leaf of any may be consistent with what the fields before have chosen */
    FILTER_EITHER, /* FILTER_ABSENT, or else FILTER_MUST */
};

/* One field, in the order of their paths. Lists are of members, ascending, each once. */
struct filter_item {
    enum filter_wish wish;
    const uint32_t *hits, *any; /* hits: MUST, EITHER; any: ABSENT, EITHER. Borrowed */
    uint32_t n_hits, n_any;
    uint32_t hit_at, any_at; /* 0; how far filter_join has come */
};

struct filter_join {
    const struct filter_member *members; /* borrowed */
    uint32_t n_arrays;
    struct filter_item *items;
    uint32_t n_items;
    uint64_t budget; /* candidates that may still be tried in this event, where trying is needed */
    struct filter_part *parts; /* scratch, a stack: fields that are still to be met */
    uint32_t n_parts, cap_parts;
    uint32_t *chosen; /* scratch: the member chosen of each array, else FILTER_NONE */
    uint32_t cap_chosen;
    uint32_t *trail; /* scratch: the arrays in the order in which they were chosen */
    uint32_t n_trail, cap_trail;
};

/* All zero but for the first five is a good beginning. Linear in the lists and members; only where
 * one element holds two arrays of the same path (a name that occurs twice), or where absence
 * depends on a choice between an array and a value beside it, that element is searched by trying:
 * what is not found within the budget is taken as not there. */
bool filter_join(struct filter_join *);
void filter_join_free(struct filter_join *);

/* A field that must still be met within the member at hand; only for filter_join*.c. */
struct filter_part {
    uint32_t item;
    uint32_t array; /* beneath which its leaves stand; FILTER_NONE: already taken along */
    enum filter_wish wish;
};
void filter_join_push(struct filter_join *, struct filter_part);
/* Parts begin to end within member, by trying. */
bool filter_join_search(struct filter_join *, uint32_t member, uint32_t begin, uint32_t end);

#endif
