/* filter.h - many event patterns against one event: which of them match, in one reading of it.
 * The patterns' paths are one tree of names; the event is read once, from its bytes, and only
 * the leaves that some path names are kept; an index from values to patterns picks the few that can
 * match, and one verifier decides each of them. docs/filter.md. One thread at a time: the memory of
 * a match belongs to the filter and is used again. */
#ifndef ENGINE_FILTER_H
#define ENGINE_FILTER_H

#include "base/buf.h"
#include "engine/pattern.h"

struct filter;

/* Borrows the patterns, which must outlive it; the array itself is copied. */
struct filter *filter_new(const struct pattern *const *patterns, size_t n);
void filter_free(struct filter *); /* NULL is fine */

/* A member of the event at whose place another text is read: the body of an SQS message, parsed. */
struct filter_graft {
    struct slice key;   /* top-level member whose own value is passed over: "body" */
    struct slice value; /* JSON (json) or plain text */
    bool json;
    bool absent; /* nothing stands there */
};

struct filter_match {
    const uint32_t *matched; /* numbers of the patterns that match, ascending; the filter's own,
                                until the next match */
    size_t n;
};

/* event: one JSON object (RFC 8259; invalid UTF-8, depth over 200 and 1 GB are refused). False: it
 * is none, or the graft's value is no JSON though it should be; *at says where, in the graft's
 * value counted from event.n on. graft may be NULL. */
bool filter_match(struct filter *, struct slice event, const struct filter_graft *graft,
                  struct filter_match *out, size_t *at) MUST_CHECK;

/* Why a pattern does not match: the field that failed, in the branch that came furthest, and the
 * first value that stood there. After a filter_match of the same filter that did not match it, on
 * the same event and graft, which must still be there. */
struct filter_reason {
    const struct pattern_field *field; /* NULL: every field finds a value, but not in the same
                                          elements of arrays */
    struct slice value;                /* JSON text from the event; empty: nothing there */
    size_t values;                     /* how many values stood there */
};
struct filter_reason filter_why(struct filter *, uint32_t pattern);
/* The same as one line: `line 3: "detail.state" is "stopped", wanted ["running"]`. */
void filter_why_text(struct filter *, uint32_t pattern, struct buf *out);

#endif
