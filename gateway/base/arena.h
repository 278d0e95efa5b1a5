/* arena.h - many small allocations, freed at once; for configuration, which lives and dies whole.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_block;
struct arena {
    struct arena_block *blocks;
};

void arena_init(struct arena *);
void arena_free(struct arena *);
void *arena_alloc(struct arena *, size_t n)
    __attribute__((returns_nonnull)); /* zeroed, aligned for any type */
char *arena_dup(struct arena *, struct slice) __attribute__((returns_nonnull)); /* NUL-terminated */
char *arena_printf(struct arena *, const char *fmt, ...) PRINTF(2, 3);

#endif
