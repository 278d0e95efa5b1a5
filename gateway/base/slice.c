/* slice.c - comparing, cutting and reading borrowed text. */
#include "base/slice.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

struct slice slice_of(const char *cstr)
{
    return cstr ? (struct slice){cstr, strlen(cstr)} : SLICE_NONE;
}

bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_is(struct slice a, const char *cstr)
{
    return slice_eq(a, slice_of(cstr));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool slice_is_ci(struct slice a, const char *cstr)
{
    struct slice b = slice_of(cstr);
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool slice_starts(struct slice s, const char *prefix)
{
    struct slice p = slice_of(prefix);
    return s.n >= p.n && slice_eq((struct slice){s.p, p.n}, p);
}

bool slice_ends(struct slice s, const char *suffix)
{
    struct slice e = slice_of(suffix);
    return s.n >= e.n && slice_eq(slice_from(s, s.n - e.n), e);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    while (s.n && is_blank(s.p[0]))
        s = slice_from(s, 1);
    return s;
}

struct slice slice_from(struct slice s, size_t off)
{
    if (off == 0)
        return s; /* p may be NULL in an empty slice */
    if (off > s.n)
        off = s.n;
    return (struct slice){s.p + off, s.n - off};
}

struct slice slice_cut(struct slice *rest, char sep)
{
    const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    struct slice head = *rest;
    if (!at) {
        *rest = slice_from(*rest, rest->n);
        return head;
    }
    head.n = (size_t)(at - rest->p);
    *rest = slice_from(*rest, head.n + 1);
    return head;
}

char *slice_dup(struct slice s)
{
    char *copy = mem_alloc_raw(s.n + 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

bool slice_int(struct slice s, int64_t *out)
{
    bool minus = s.n && s.p[0] == '-';
    size_t i = minus;
    int64_t v = 0;
    if (i == s.n)
        return false;
    /* Counts downwards: the negative range is the larger one. */
    for (; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, (int64_t)digit, &v))
            return false;
    }
    if (!minus && v == INT64_MIN)
        return false;
    *out = minus ? v : -v;
    return true;
}
