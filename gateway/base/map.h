/* map.h - open-addressing hash from string to pointer; copies its keys, never owns its values.
 * The hash is seeded per process, so that a peer cannot choose colliding keys. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/slice.h"

struct map_entry;
struct map {
    struct map_entry *slots;
    size_t n, used, cap; /* n live entries; used = live + deleted */
};

void map_init(struct map *); /* allocates nothing yet */
void map_free(struct map *);
void *map_get(const struct map *, struct slice key); /* NULL when absent */
void *map_set(struct map *, struct slice key,
              void *value);                    /* returns the value before; value != NULL */
void *map_del(struct map *, struct slice key); /* returns the value before */
/* Walks all entries in no order: start with *at = 0, false at the end. No changes meanwhile. */
bool map_next(const struct map *, size_t *at, struct slice *key, void **value);

#endif
