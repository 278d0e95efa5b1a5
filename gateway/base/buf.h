/* buf.h - growable bytes with a hard limit.
 * One spare byte keeps p[n] == 0, so p is a C string (p is never NULL after buf_init). Reaching the
 * limit sets `full` and drops what does not fit, once and for all: check `full` at the end instead
 * of every append. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"
#include <stdarg.h>

struct buf {
    char *p;
    size_t n, cap, limit;
    bool full; /* something did not fit */
};

void buf_init(struct buf *, size_t limit_bytes); /* allocates nothing yet */
void buf_free(struct buf *);                     /* back to the state after buf_init */
void buf_clear(struct buf *);                    /* n = 0, full = false; keeps the memory */
bool buf_reserve(struct buf *, size_t more);     /* room for more bytes at p + n; false: full */
bool buf_add(struct buf *, const void *p, size_t n);
bool buf_put(struct buf *, struct slice s);
bool buf_str(struct buf *, const char *cstr);
bool buf_char(struct buf *, char c);
bool buf_printf(struct buf *, const char *fmt, ...) PRINTF(2, 3);
bool buf_vprintf(struct buf *, const char *fmt, va_list) PRINTF(2, 0);
struct slice buf_slice(const struct buf *); /* borrows until the next change */
char *buf_steal(struct buf *); /* returns the NUL-terminated bytes, free() them; buf is as new */

#endif
