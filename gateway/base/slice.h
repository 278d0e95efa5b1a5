/* slice.h - pointer and length; borrows, never owns, is not NUL-terminated unless said so. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include "base/base.h"

struct slice {
    const char *p;
    size_t n;
};

#define SLICE(lit)   ((struct slice){(lit), sizeof(lit) - 1})
#define SLICE_NONE   ((struct slice){"", 0})
#define SLICE_FMT    "%.*s"
#define SLICE_ARG(s) (int)(s).n, (s).p

struct slice slice_of(const char *cstr); /* NULL gives an empty slice */
bool slice_eq(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *cstr);
bool slice_is_ci(struct slice a, const char *cstr); /* ASCII case ignored */
bool slice_starts(struct slice s, const char *prefix);
bool slice_ends(struct slice s, const char *suffix);
struct slice slice_trim(struct slice s);             /* without blanks, tabs, CR, LF at both ends */
struct slice slice_from(struct slice s, size_t off); /* the rest from off on; off is clamped */
/* Cuts *rest at the first sep: returns what is before it, *rest becomes what is after it (empty at
 * the end). */
struct slice slice_cut(struct slice *rest, char sep);
char *slice_dup(struct slice s); /* returns a new NUL-terminated string */
/* Whole slice is one decimal integer within int64; else false. */
bool slice_int(struct slice s, int64_t *out) MUST_CHECK;

#endif
