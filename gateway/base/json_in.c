/* json_in.c - strict reading of JSON: our own validator first, then cJSON, which on its own takes
 * trailing bytes, "01", raw control characters, broken UTF-8 and \u0000 (PITFALLS 4.2). */
#include "base/json_in.h"

#include "base/utf8.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

enum { DEPTH_MAX = 200 };

struct scan {
    const char *p, *end;
    bool tree; /* also refuse the escapes that a C string of UTF-8 cannot hold */
};

static bool is_digit(const struct scan *s)
{
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static bool is_next(const struct scan *s, char c)
{
    return s->p < s->end && *s->p == c;
}

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static bool scan_digits(struct scan *s)
{
    if (!is_digit(s))
        return false;
    while (is_digit(s))
        s->p++;
    return true;
}

static bool scan_number(struct scan *s)
{
    if (is_next(s, '-'))
        s->p++;
    if (is_next(s, '0'))
        s->p++;
    else if (!scan_digits(s))
        return false;
    if (is_next(s, '.')) {
        s->p++;
        if (!scan_digits(s))
            return false;
    }
    if (is_next(s, 'e') || is_next(s, 'E')) {
        s->p++;
        if (is_next(s, '+') || is_next(s, '-'))
            s->p++;
        return scan_digits(s);
    }
    return true;
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* Four hex digits at p; -1 when they are not. */
static int32_t hex4(const struct scan *s)
{
    int32_t v = 0;
    if (s->end - s->p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = s->p[i];
        char low = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            v = v * 16 + (c - '0');
        else if (low >= 'a' && low <= 'f')
            v = v * 16 + (low - 'a' + 10);
        else
            return -1;
    }
    return v;
}

/* p is after "\u". */
static bool scan_unicode(struct scan *s)
{
    int32_t unit = hex4(s);
    if (unit < 0)
        return false;
    if (s->tree && (unit == 0 || (unit >= 0xDC00 && unit < 0xE000)))
        return false;
    s->p += 4;
    if (!s->tree || unit < 0xD800 || unit >= 0xDC00)
        return true;
    if (!scan_word(s, "\\u"))
        return false;
    unit = hex4(s);
    if (unit < 0xDC00 || unit >= 0xE000)
        return false;
    s->p += 4;
    return true;
}

static bool scan_escape(struct scan *s)
{
    s->p++;
    if (s->p == s->end || *s->p == '\0' || !strchr("\"\\/bfnrtu", *s->p))
        return false;
    return *s->p++ != 'u' || scan_unicode(s);
}

/* Some byte of the word is a control character, quote or backslash, or perhaps is. */
static bool word_special(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t quote = w ^ (ones * '"'), back = w ^ (ones * '\\');
    return (((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) | ((back - ones) & ~back)) & high;
}

/* UTF-8 was checked before, for the whole text. */
static bool scan_string(struct scan *s)
{
    s->p++;
    for (;;) {
        uint64_t word;
        while ((size_t)(s->end - s->p) >= sizeof word) {
            memcpy(&word, s->p, sizeof word);
            if (word_special(word))
                break;
            s->p += sizeof word;
        }
        while (s->p < s->end && (unsigned char)*s->p >= 0x20 && *s->p != '"' && *s->p != '\\')
            s->p++;
        if (s->p == s->end || (unsigned char)*s->p < 0x20)
            return false;
        if (*s->p == '"') {
            s->p++;
            return true;
        }
        if (!scan_escape(s))
            return false;
    }
}

static bool scan_scalar(struct scan *s)
{
    switch (*s->p) {
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        return scan_number(s);
    }
}

/* From before a key to before its value. */
static bool scan_key(struct scan *s)
{
    skip_blanks(s);
    if (!is_next(s, '"') || !scan_string(s))
        return false;
    skip_blanks(s);
    if (!is_next(s, ':'))
        return false;
    s->p++;
    return true;
}

/* After a value: closes what ends here and stands before the next value, or at the end of all. */
static bool scan_after(struct scan *s, const char *closers, size_t *depth)
{
    for (;;) {
        skip_blanks(s);
        if (*depth == 0)
            return true;
        if (is_next(s, ',')) {
            s->p++;
            return closers[*depth - 1] == ']' || scan_key(s);
        }
        if (!is_next(s, closers[*depth - 1]))
            return false;
        s->p++;
        --*depth;
    }
}

static bool scan_text(struct scan *s)
{
    char closers[DEPTH_MAX];
    size_t depth = 0;
    do {
        skip_blanks(s);
        if (s->p == s->end)
            return false;
        if (*s->p == '{' || *s->p == '[') {
            if (depth == DEPTH_MAX)
                return false;
            char closer = *s->p == '{' ? '}' : ']';
            s->p++;
            skip_blanks(s);
            closers[depth++] = closer;
            if (is_next(s, closer)) {
                if (!scan_after(s, closers, &depth))
                    return false;
            } else if (closer == '}' && !scan_key(s)) {
                return false;
            }
        } else if (!scan_scalar(s) || !scan_after(s, closers, &depth)) {
            return false;
        }
    } while (depth);
    return s->p == s->end;
}

static bool scan_all(struct slice text, bool tree, size_t *at)
{
    *at = 0;
    if (text.n == 0)
        return false;
    size_t utf8 = utf8_valid_prefix(text);
    struct scan s = {.p = text.p, .end = text.p + utf8, .tree = tree};
    bool ok = scan_text(&s) && utf8 == text.n;
    *at = (size_t)(s.p - text.p);
    return ok;
}

bool json_valid(struct slice text, size_t *at)
{
    return scan_all(text, false, at);
}

static const cJSON *node(const struct json *j)
{
    return (const cJSON *)(const void *)j;
}

static const struct json *face(const cJSON *c)
{
    return (const struct json *)(const void *)c;
}

struct json *json_parse(struct slice text, size_t limit_bytes, struct error *err)
{
    size_t at;
    if (text.n > limit_bytes) {
        error_set(err, ERROR_LIMIT, "JSON of %zu bytes, more than %zu", text.n, limit_bytes);
        return NULL;
    }
    if (!scan_all(text, true, &at)) {
        error_set(err, ERROR_FORMAT, "not valid JSON at byte %zu", at);
        return NULL;
    }
    const char *parsed = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text.p, text.n, &parsed, 0);
    /* Releases without Debian's patches read at most 63 characters of a number. */
    if (root && slice_trim(slice_from(text, (size_t)(parsed - text.p))).n == 0)
        return (struct json *)(void *)root;
    cJSON_Delete(root);
    error_set(err, ERROR_FORMAT, "JSON with a number that is too long");
    return NULL;
}

void json_free(struct json *root)
{
    cJSON_Delete((cJSON *)(void *)root);
}

enum json_type json_type(const struct json *j)
{
    switch (j ? node(j)->type & 0xFF : cJSON_NULL) {
    case cJSON_False:
    case cJSON_True:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

const struct json *json_get(const struct json *object, const char *key)
{
    const struct json *found = NULL;
    if (json_type(object) != JSON_OBJECT)
        return NULL;
    for (const struct json *m = json_first(object); m; m = json_after(m))
        if (strcmp(node(m)->string, key) == 0)
            found = m;
    return found;
}

const struct json *json_first(const struct json *j)
{
    enum json_type type = json_type(j);
    return type == JSON_ARRAY || type == JSON_OBJECT ? face(node(j)->child) : NULL;
}

const struct json *json_after(const struct json *j)
{
    return j ? face(node(j)->next) : NULL;
}

size_t json_count(const struct json *j)
{
    size_t n = 0;
    for (const struct json *m = json_first(j); m; m = json_after(m))
        n++;
    return n;
}

struct slice json_name(const struct json *member)
{
    return slice_of(member ? node(member)->string : NULL);
}

struct slice json_text(const struct json *string)
{
    return slice_of(json_type(string) == JSON_STRING ? node(string)->valuestring : NULL);
}

bool json_int(const struct json *number, int64_t *out)
{
    const double first_inexact = 9007199254740992.0; /* 2^53, which 2^53 + 1 reads as, too */
    if (json_type(number) != JSON_NUMBER)
        return false;
    double d = node(number)->valuedouble;
    if (!(d > -first_inexact && d < first_inexact) || d != floor(d))
        return false;
    *out = (int64_t)d;
    return true;
}

double json_num(const struct json *number, double dflt)
{
    return json_type(number) == JSON_NUMBER && isfinite(node(number)->valuedouble)
               ? node(number)->valuedouble
               : dflt;
}

bool json_true(const struct json *j)
{
    return j && (node(j)->type & 0xFF) == cJSON_True;
}
