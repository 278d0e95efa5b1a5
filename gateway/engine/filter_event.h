/* filter_event.h - one event as patterns see it: the leaves that some path names, and in which
 * elements of which arrays they stand; only for filter*.c. One thread; used again for every event,
 * borrows the event's bytes until the next one. */
#ifndef ENGINE_FILTER_EVENT_H
#define ENGINE_FILTER_EVENT_H

#include "engine/filter.h"
#include "engine/filter_tree.h"

enum filter_kind {
    FILTER_STRING,
    FILTER_NUMBER,
    FILTER_TRUE,
    FILTER_FALSE,
    FILTER_NULL,
};

struct filter_leaf {
    const char *p; /* as written; of strings without the quotes */
    uint32_t n;
    uint32_t next;   /* of the same path, or FILTER_NONE */
    uint32_t member; /* the innermost element that it stands in, directly or beneath objects */
    uint8_t kind;
    bool escapes;             /* to be undone before it is compared */
    bool plain;               /* never was JSON */
    uint32_t text_at, text_n; /* in the event's text, once the escapes were undone; else 0 */
};

/* One element of one array that has an object or an array in it; number 0 is the whole event.
 * In the order of the text, so that what is inside a member has numbers up to end. A scalar that is
 * itself the element is not inside of one: any scalar of an array may go with any other. */
struct filter_member {
    uint32_t parent; /* the member around; of 0: 0 */
    uint32_t array;  /* number of the array */
    uint32_t end;    /* first member that is not inside */
};

struct filter_path {
    uint32_t first, last, n; /* leaves; FILTER_NONE, none */
    bool inside;             /* some of them stand in members */
};

struct filter_event {
    struct filter_leaf *leaves;
    struct filter_member *members;
    struct filter_path *paths; /* one for each of the tree */
    uint32_t *touched;         /* paths that have leaves */
    uint32_t n_leaves, cap_leaves, n_members, cap_members, n_touched, n_paths, n_arrays;
    struct buf name; /* of a member whose name has escapes */
    struct buf text; /* strings without their escapes */
    size_t n_text;   /* bytes that they can take at most */
};

enum { FILTER_EVENT_MAX = 1 << 30 }; /* bytes; more is refused */

void filter_event_init(struct filter_event *, uint32_t n_paths);
void filter_event_free(struct filter_event *);
/* False: *at tells where the text is wrong; in the graft's value, counted from event.n on. */
bool filter_event_read(struct filter_event *, const struct filter_tree *, struct slice event,
                       const struct filter_graft *, size_t *at) MUST_CHECK;
/* What a leaf means: of a string its characters, escapes undone once and for all. */
struct slice filter_event_text(struct filter_event *, uint32_t leaf);
size_t filter_event_bytes(const struct filter_event *); /* of memory that is kept */

#endif
