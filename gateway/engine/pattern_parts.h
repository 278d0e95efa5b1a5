/* pattern_parts.h - what the parts of the compiler share while one pattern is compiled; only for
 * pattern*.c. Every reader is called at a token and returns false when *json.err was filled. */
#ifndef ENGINE_PATTERN_PARTS_H
#define ENGINE_PATTERN_PARTS_H

#include "base/buf.h"
#include "engine/pattern_json.h"

/* Values while their number is not known. */
struct pattern_list {
    struct pattern_value *p;
    size_t n, cap;
};

/* A field, or an $or, in the order of the text; they are AND-ed. */
struct pattern_item {
    struct pattern_item *next;
    struct pattern_field *field;   /* NULL: an $or */
    size_t rank;                   /* of the field's path among all */
    const struct pattern_all *any; /* of an $or: its objects */
    size_t n_any;
    size_t combos; /* of an $or; counted no further than PATTERN_BRANCHES_MAX + 1 */
};
struct pattern_all {
    struct pattern_item *first, *last;
    size_t combos, n; /* n: fields beneath */
};

struct pattern_compile {
    struct pattern_json json;
    struct pattern *pattern;
    struct buf path;   /* of the object that is read, without a dot at its end */
    unsigned names;    /* in path */
    size_t path_bytes; /* of all fields */
    size_t or_at;      /* of the first $or */
    struct pattern_list values, parts, runs; /* of a field, of an anything-but, of a wildcard */
};

/* pattern_value.c: at the ARRAY; to its end. */
bool pattern_value_read(struct pattern_compile *, struct pattern_field *) MUST_CHECK;
/* Returns a new value of the list, for the token the compiler is at; until the next one. */
struct pattern_value *pattern_value_add(struct pattern_list *, size_t at);
/* Empties the list into the arena. */
const struct pattern_value *pattern_value_take(struct pattern_list *, struct arena *, size_t *n);
/* Next token must be a string; else message. */
bool pattern_value_string(struct pattern_compile *, const char *message,
                          struct slice *out) MUST_CHECK;
/* Next token must close the object; else message. */
bool pattern_value_end(struct pattern_compile *, const char *message) MUST_CHECK;
struct slice pattern_value_fold(struct pattern_compile *, struct slice);
/* Remembers the first. name is constant. */
void pattern_value_beyond(struct pattern_compile *, size_t at, const char *name);

extern const char pattern_value_one_key[], pattern_value_too_many[]; /* messages */

/* pattern_but.c: the operand of anything-but; up to the end of the object around it. */
bool pattern_but_read(struct pattern_compile *, struct pattern_value *) MUST_CHECK;

/* pattern_number.c: the operand of numeric, the same. */
bool pattern_number_read(struct pattern_compile *, struct pattern_value *) MUST_CHECK;

/* pattern_address.c: the operand of cidr. */
bool pattern_address_cidr(struct pattern_compile *, struct slice operand,
                          struct pattern_value *) MUST_CHECK;

/* pattern_wildcard.c: text, which stands at `at`, into parts. */
bool pattern_wildcard_read(struct pattern_compile *, struct slice text, size_t at,
                           struct pattern_value *) MUST_CHECK;

/* pattern_cost.c: no more than EventBridge takes. */
bool pattern_cost_fits(const struct pattern_field *);

/* pattern_or.c: at the name $or; the lookahead says whether it is that of a field. */
bool pattern_or_is_field(const struct pattern_json *);
bool pattern_or_reserved(struct slice name);

/* pattern_branch.c: from the tree to the branches. */
bool pattern_branch_make(struct pattern_compile *, const struct pattern_all *) MUST_CHECK;

#endif
