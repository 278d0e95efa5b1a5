/* json_in.h - strict reading of JSON: a tree for our own protocols, a validator for user data.
 * The tree never re-serialises user data (PITFALLS 4.1): what must pass through stays bytes.
 * Refused by both: trailing bytes, invalid UTF-8, raw control characters, "01", depth over 200. By
 * the tree also: \u0000 and lone surrogates in strings, input over limit_bytes. Of duplicate keys
 * the last counts. */
#ifndef BASE_JSON_IN_H
#define BASE_JSON_IN_H

#include "base/error.h"
#include "base/slice.h"

struct json; /* a node of a tree; borrows from its root */
enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* NULL and *err on bad input. text is not kept. json_free the root. */
struct json *json_parse(struct slice text, size_t limit_bytes, struct error *err) MUST_CHECK;
void json_free(struct json *root);

/* All of these accept NULL and nodes of the wrong type: absent, empty, false, the default. */
enum json_type json_type(const struct json *);                           /* NULL node: JSON_NULL */
const struct json *json_get(const struct json *object, const char *key); /* case-sensitive */
const struct json *json_first(const struct json *array_or_object);
const struct json *json_after(const struct json *); /* next sibling */
size_t json_count(const struct json *array_or_object);
struct slice json_name(const struct json *member); /* its key */
struct slice json_text(const struct json *string);
bool json_int(const struct json *number, int64_t *out);  /* whole numbers below 2^53 only */
double json_num(const struct json *number, double dflt); /* 1e400: dflt */
bool json_true(const struct json *);

/* Is text one JSON value (RFC 8259), without building anything? On false *at is the byte offset. */
bool json_valid(struct slice text, size_t *at) MUST_CHECK;

#endif
