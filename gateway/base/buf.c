/* buf.c - growable bytes with a hard limit. */
#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 64 };

/* What p points at before the first allocation; const, so that writing there faults. */
static const char nothing[1];

static char *no_bytes(void)
{
    return (char *)(uintptr_t)nothing;
}

void buf_init(struct buf *b, size_t limit_bytes)
{
    *b = (struct buf){.p = no_bytes(), .limit = limit_bytes};
}

void buf_free(struct buf *b)
{
    if (b->cap)
        free(b->p);
    buf_init(b, b->limit);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->full = false;
    if (b->cap)
        b->p[0] = '\0';
}

/* cap does not count the spare byte. */
static bool grow(struct buf *b, size_t more)
{
    if (b->full || more > b->limit - b->n) {
        b->full = true;
        return false;
    }
    size_t want = b->n + more, cap = b->cap ? b->cap : FIRST_BYTES - 1;
    while (cap < want)
        cap = cap > SIZE_MAX / 4 ? want : cap * 2 + 1;
    if (cap > b->limit)
        cap = b->limit;
    b->p = mem_realloc(b->cap ? b->p : NULL, cap + 1);
    b->p[b->n] = '\0';
    b->cap = cap;
    return true;
}

bool buf_reserve(struct buf *b, size_t more)
{
    if (!b->full && more <= b->cap - b->n)
        return true;
    return grow(b, more);
}

bool buf_add(struct buf *b, const void *p, size_t n)
{
    if (b->full || n > b->cap - b->n) {
        if (!grow(b, n))
            return false;
    }
    if (n == 0)
        return true; /* p may be NULL */
    memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
    return true;
}

bool buf_put(struct buf *b, struct slice s)
{
    return buf_add(b, s.p, s.n);
}

bool buf_str(struct buf *b, const char *cstr)
{
    return buf_add(b, cstr, strlen(cstr));
}

bool buf_char(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    bool ok = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return ok;
}

bool buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int need = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (need < 0 || !buf_reserve(b, (size_t)need))
        return false;
    if (need == 0)
        return true;
    vsnprintf(b->p + b->n, (size_t)need + 1, fmt, ap);
    b->n += (size_t)need;
    return true;
}

struct slice buf_slice(const struct buf *b)
{
    return b->n ? (struct slice){b->p, b->n} : SLICE_NONE;
}

char *buf_steal(struct buf *b)
{
    char *p = b->cap ? b->p : mem_strdup("");
    buf_init(b, b->limit);
    return p;
}
