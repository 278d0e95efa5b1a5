/* mem.h - allocation that cannot fail: out of memory ends the process.
 * Sizes that a peer controls are compared with a limit before they come here. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/base.h"

void *mem_alloc(size_t n) __attribute__((returns_nonnull, malloc));     /* zeroed; free() it */
void *mem_alloc_raw(size_t n) __attribute__((returns_nonnull, malloc)); /* not zeroed */
void *mem_realloc(void *p, size_t n) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((returns_nonnull, malloc));
char *mem_printf(const char *fmt, ...) PRINTF(1, 2); /* returns a new string */

#endif
