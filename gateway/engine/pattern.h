/* pattern.h - one event pattern, compiled: which fields of an event must have which values.
 * Spec: filter-patterns.md 2 to 4; where that is silent, aws/event-ruler decides, the engine that
 * EventBridge runs. Immutable once made; any thread. docs/filter.md tells the design. */
#ifndef ENGINE_PATTERN_H
#define ENGINE_PATTERN_H

#include "base/arena.h"

/* What one alternative of a field asks of a value. */
enum pattern_kind {
    PATTERN_STRING, /* text, all of it */
    PATTERN_NUMBER, /* low; NAN: no double is it (pattern_number), only the same text matches */
    PATTERN_TRUE,
    PATTERN_FALSE,
    PATTERN_NULL,
    PATTERN_PREFIX,
    PATTERN_SUFFIX,
    PATTERN_PREFIX_CI, /* text is folded (pattern_fold) */
    PATTERN_SUFFIX_CI,
    PATTERN_EQUALS_CI,
    PATTERN_WILDCARD, /* parts */
    PATTERN_RANGE,    /* low, high; infinite where there is no bound */
    PATTERN_CIDR,     /* address, bits; a plain string that is an address is one, with all bits */
    PATTERN_EXISTS,
    PATTERN_ABSENT, /* {"exists": false} */
    PATTERN_BUT,    /* none of parts */
};

struct pattern_value {
    enum pattern_kind kind;
    struct slice text; /* UTF-8, escapes undone; a lone surrogate is its three bytes, as in WTF-8;
                          NUMBER, CIDR: as written */
    const struct pattern_value
        *parts; /* BUT: what must not match; WILDCARD: the literal runs
                   between the stars (kind STRING), first and last may be "" */
    size_t n_parts;
    double low, high;
    bool low_open, high_open; /* RANGE: the bound itself is outside */
    unsigned char address[16];
    unsigned char address_bytes; /* 4 or 16 */
    unsigned char bits;          /* of the address that count */
    size_t at;                   /* byte offset in the pattern's text */
};

/* One leaf of the pattern: at least one of its values must match. */
struct pattern_field {
    struct slice path; /* names joined by dots: "a.b" is the same as a within b (spec 3.5) */
    const struct pattern_value *values;
    size_t n;
    size_t at; /* of the array in the pattern's text */
};

/* All fields must match; sorted by path, each path once (of duplicates the last counts). */
struct pattern_branch {
    const struct pattern_field *const *fields;
    size_t n;
};

/* It matches when any branch does: one without $or, else one a combination. */
struct pattern {
    struct arena arena;
    struct slice text; /* as given */
    const struct pattern_branch *branches;
    size_t n_branches;
    size_t beyond_at;   /* of the first operator that AWS documents for the bus only, */
    const char *beyond; /* and its name; NULL: none. For the warning of a mapping's filter */
};

enum { PATTERN_BRANCHES_MAX = 1000, PATTERN_DEPTH_MAX = 100 };

struct pattern_error {
    char text[512]; /* EventBridge's reason, without "Event pattern is not valid. Reason: " */
    size_t at;      /* byte offset of the offending token */
    unsigned line, column; /* as EventBridge would tell them; 0: it tells none */
};

/* Copies text. NULL and *err when EventBridge would refuse it; with its text (spec 4) as far as
 * known. limit_bytes: longer is refused before it is read. */
struct pattern *pattern_new(struct slice text, size_t limit_bytes,
                            struct pattern_error *err) MUST_CHECK;
void pattern_free(struct pattern *); /* NULL is fine */

/* Where in a text a byte stands: 1-based, counted in characters. */
void pattern_place(struct slice text, size_t at, unsigned *line, unsigned *column);

/* A JSON number as a double. False: no double is that number, because it is too large or has digits
 * that the shortest decimal of the double has not; *out may be changed. */
bool pattern_number(struct slice literal, double *out) MUST_CHECK;

/* Bytes of the address that s is, 4 or 16 (::ffff:0:0/96 counts as 4); 0: it is none. out has 16
 * bytes, of which the others are 0. */
unsigned pattern_address(struct slice s, unsigned char out[16]);

/* Simple case folding, character by character; into out, which may be no longer than in needs:
 * returns the length, at most in.n * 2. */
size_t pattern_fold(struct slice in, char *out);

#endif
