/* json_out.h - writes JSON into a buf; commas are put by itself, text is escaped, numbers keep
 * every digit. No white space. Misuse (a value where a key must stand) is an assertion. */
#ifndef BASE_JSON_OUT_H
#define BASE_JSON_OUT_H

#include "base/buf.h"

enum { JSON_OUT_DEPTH = 32 };

struct json_out {
    struct buf *buf;
    unsigned depth;
    bool array[JSON_OUT_DEPTH]; /* kind of each open level */
    bool comma;                 /* the next value or key needs a comma before it */
    bool keyed;                 /* a key was just written */
};

void json_out_init(struct json_out *, struct buf *); /* borrows the buf */
void json_object(struct json_out *);
void json_array(struct json_out *);
void json_end(struct json_out *); /* closes the innermost object or array */
void json_key(struct json_out *, const char *key);
void json_key_slice(struct json_out *, struct slice key);
/* Escapes ", \ and control characters only; bytes that are not UTF-8 become U+FFFD. */
void json_str(struct json_out *, struct slice);
void json_cstr(struct json_out *, const char *);
void json_i64(struct json_out *, int64_t);
void json_double(struct json_out *,
                 double); /* shortest form that reads back the same; NaN/Inf: null */
void json_bool(struct json_out *, bool);
void json_null(struct json_out *);
void json_raw(struct json_out *, struct slice); /* finished JSON, verbatim */
/* key and value together */
void json_kv_str(struct json_out *, const char *key, struct slice);
void json_kv_cstr(struct json_out *, const char *key, const char *);
void json_kv_i64(struct json_out *, const char *key, int64_t);
/* Appends s escaped, without quotes. */
void json_escape(struct buf *, struct slice s);

#endif
