/* lane.h - an ordering unit of a mapping: its queue, and when a batch of it is due. Unordered and
 * FIFO mappings have one lane, streams one per ordering key. */
#ifndef ENGINE_LANE_H
#define ENGINE_LANE_H

#include "base/map.h"
#include "engine/batch.h"

struct lane {
    struct list node; /* in mapping->lanes */
    struct mapping *mapping;
    struct slice key; /* own copy behind the struct */
    struct list queue;
    size_t queued, queued_json_bytes;
    struct list filtered; /* settled without a function; of held sources in their turn */
    size_t n_filtered;
    uint64_t next_order; /* of the next record that is put */
    unsigned out;        /* batches out of this lane, settled ones not counted */
    unsigned parallel;   /* most batches out at once */
    size_t limit;        /* adaptive batch limit: halves on failure, doubles on success */
    bool exclusive;      /* FIFO: of one key only one batch may be out */
    struct map busy;     /* exclusive: keys that are out, to their number of records */
    struct timer window;
};

struct lane *lane_new(struct mapping *, struct slice key);
void lane_free(struct lane *);                      /* empty, nothing out */
void lane_put(struct lane *, struct record *);      /* at the end; also a filtered one */
void lane_put_back(struct lane *, struct record *); /* at the head */
/* First record from `after` on (NULL: the head) that may go now; NULL: none. */
struct record *lane_next(struct lane *, struct record *after);
/* The next record with that key behind r, out or not; NULL: none. */
struct record *lane_next_of(struct lane *, const struct record *r, struct slice key);
void lane_remove(struct lane *, struct record *); /* from where it waits */
/* Is a batch due? Arms the window timer when it is only a matter of time. */
bool lane_due(struct lane *);
void lane_mark(struct lane *, const struct record *);   /* its key goes out */
void lane_unmark(struct lane *, const struct record *); /* and is back */
bool lane_holds(const struct lane *, struct slice key); /* does a record with that key wait? */
void lane_grow(struct lane *);                          /* after a success */

#endif
