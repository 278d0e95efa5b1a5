/* pattern_json.h - JSON of a pattern, token by token; only for pattern*.c.
 * Reads ahead exactly as far as the parser behind EventBridge does, for two reasons: which of two
 * mistakes is told depends on it, and the column that is told is how far was read. The value after
 * a name is begun together with the name; the inside of a string is read when it is asked for or
 * passed over. */
#ifndef ENGINE_PATTERN_JSON_H
#define ENGINE_PATTERN_JSON_H

#include "engine/pattern.h"

enum pattern_token {
    TOKEN_NONE, /* the text is over */
    TOKEN_OBJECT,
    TOKEN_OBJECT_END,
    TOKEN_ARRAY,
    TOKEN_ARRAY_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_NULL,
};

struct pattern_scope {
    bool object, used; /* used: something stood in it already */
    size_t at;         /* of its bracket */
};

struct pattern_json {
    struct slice text; /* valid UTF-8 */
    size_t at;         /* read so far */
    struct arena *arena;
    enum pattern_token token;
    size_t token_at;
    struct slice word;       /* NAME, NUMBER; STRING once it was read */
    enum pattern_token next; /* begun together with the name; else NONE */
    size_t next_at;
    bool unread; /* at stands inside a string */
    struct pattern_scope scopes[PATTERN_DEPTH_MAX];
    unsigned depth;
    struct pattern_error *err;
};

/* text stays where it is; words without escapes point into it, the others into the arena. */
void pattern_json_init(struct pattern_json *, struct slice text, struct arena *,
                       struct pattern_error *);
/* To the next token; false: *err is filled. */
bool pattern_json_next(struct pattern_json *) MUST_CHECK;
/* Text of the token as it counts: a string's unescaped to UTF-8, a number as written, else the
 * token itself. A lone surrogate becomes its three bytes (WTF-8), which no valid UTF-8 holds. */
bool pattern_json_word(struct pattern_json *, struct slice *out) MUST_CHECK;
/* No more than blanks follow. */
bool pattern_json_end(struct pattern_json *) MUST_CHECK;

/* Fill *err and return false. at: of what is wrong; line and column are those of the place read to,
 * _plain tells none (0). */
bool pattern_json_fail(struct pattern_json *, size_t at, const char *fmt, ...) PRINTF(3, 4);
bool pattern_json_plain(struct pattern_json *, size_t at, const char *fmt, ...) PRINTF(3, 4);

struct pattern_shown {
    char text[200];
};
/* A word as it may stand in a message: cut, valid UTF-8, control characters escaped. */
struct pattern_shown pattern_json_show(struct slice);

/* pattern_place; units: columns are UTF-16 units, as in Java, instead of characters. */
void pattern_json_place(struct slice text, size_t at, bool units, unsigned *line, unsigned *column);

#endif
