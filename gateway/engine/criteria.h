/* criteria.h - FilterCriteria of a mapping: which records reach the function.
 * Spec: filter-patterns.md 1 (keys per source, data that is not JSON). Loop thread only. */
#ifndef ENGINE_CRITERIA_H
#define ENGINE_CRITERIA_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

/* What a source tells about its records; constant. */
struct criteria_data {
    const char *key;  /* in a pattern: "body", "data", "dynamodb", "value" */
    const char *path; /* in the record, when it is not there: "kinesis.data"; NULL: key */
    bool base64;      /* the data is base64 of what is meant */
    bool parsed;      /* the data is JSON already, nothing to decode (DynamoDB) */
    bool object_only; /* a pattern whose data key is no object is refused (Kinesis, DynamoDB) */
    bool lenient;     /* pattern and data of different kinds: only the other keys count (Kafka, MQ);
                         else the record is dropped */
};

enum { CRITERIA_FILTERS_MAX = 10, CRITERIA_FILTERS_USUAL = 5, CRITERIA_PATTERN_MAX = 4096 };

struct criteria;
struct pattern_error;

/* May the pattern stand in Filters? Else *err says why, and where in it. */
bool criteria_check(const struct criteria_data *, struct slice pattern,
                    struct pattern_error *err) MUST_CHECK;
/* What AWS would refuse of a pattern that may stand there: one line without its end, or nothing. */
void criteria_remark(const struct criteria_data *, struct slice pattern, struct buf *out);

/* Patterns as given in Filters[].Pattern; copied. n = 0 gives NULL without an error: everything
 * passes. On failure NULL and *err: for the file with place and reason; criteria_refusal is what
 * the API answers. */
struct criteria *criteria_new(const struct criteria_data *, const struct slice *patterns, size_t n,
                              struct error *err) MUST_CHECK;
void criteria_free(struct criteria *); /* NULL is fine */
extern const char criteria_refusal[];  /* "Invalid filter pattern definition." */

/* What AWS would refuse though we accept it (operators of the bus, more than 5 filters): appended
 * to out, one line each. */
void criteria_warnings(const struct criteria *, struct buf *out);

/* Does the record, as it will stand in the event, reach the function? json is not changed. why may
 * be NULL; when false and why is given, one line is appended that says what failed. A record that
 * cannot be read passes: nothing is thrown away unread. */
bool criteria_pass(struct criteria *, struct slice json, struct buf *why);

#endif
