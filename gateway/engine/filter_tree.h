/* filter_tree.h - the names that patterns ask for, as one tree; only for filter*.c.
 * Built once, read by every event. A path is split at its dots; so is the name of an event's member
 * while it is looked up, which makes {"a.b": 1} and {"a": {"b": 1}} the same (spec 3.5). */
#ifndef ENGINE_FILTER_TREE_H
#define ENGINE_FILTER_TREE_H

#include "base/arena.h"

enum { FILTER_NONE = UINT32_MAX }; /* no path, no member */

struct filter_node {
    struct slice name;
    uint32_t path; /* that ends here, or FILTER_NONE */
    uint32_t n;    /* children */
    /* Bit l: some child's name has l bytes (63: 63 or more); of stems: which has children itself.
     * Most names of an event are refused by this alone. */
    uint64_t lengths, stems;
    struct filter_node **slots; /* hash by name; mask + 1 of them, NULL: no children */
    uint32_t mask;
};

struct filter_tree {
    struct arena arena;
    struct filter_node root;
    uint32_t n_paths;
};

void filter_tree_init(struct filter_tree *);
void filter_tree_free(struct filter_tree *);
/* Number of the path, the same for the same path; borrows its bytes. Numbers begin at 0. */
uint32_t filter_tree_add(struct filter_tree *, struct slice path);
/* Where a member's name leads to; NULL: nobody asks for it. */
const struct filter_node *filter_tree_find(const struct filter_node *, struct slice name);

/* Of any bytes; the same in one process only. */
uint64_t filter_tree_hash(struct slice, uint64_t seed);

#endif
