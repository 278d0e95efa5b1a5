/* json_scan.c - JSON read in place: strings sixteen bytes at a time where the processor can, eight
 * elsewhere. */
#include "base/json_scan.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

void json_scan_init(struct json_scan *s, struct slice text)
{
    s->p = text.p;
    s->end = text.p + text.n;
    s->depth = 0;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline void skip_blanks(struct json_scan *s)
{
    while (s->p < s->end && is_blank(*s->p))
        s->p++;
}

void json_scan_blanks(struct json_scan *s)
{
    skip_blanks(s);
}

/* ---- strings */

/* From p over bytes that mean themselves: stops before a quote, a backslash, a control character
 * or a byte that is not ASCII, and at the end. */
static inline const char *plain_run(const char *p, const char *end)
{
#ifdef __SSE2__
    /* Bytes from 0x80 on are negative, so that one comparison finds them and the controls. */
    const __m128i space = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"'),
                  back = _mm_set1_epi8('\\');
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i odd = _mm_or_si128(_mm_cmplt_epi8(x, space),
                                   _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, back)));
        unsigned mask = (unsigned)_mm_movemask_epi8(odd);
        if (mask)
            return p + __builtin_ctz(mask);
        p += 16;
    }
#endif
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        uint64_t quoted = w ^ (ones * '"'), escaped = w ^ (ones * '\\');
        if ((w | (w - ones * 0x20) | ((quoted - ones) & ~quoted) | ((escaped - ones) & ~escaped)) &
            high)
            break;
        p += 8;
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}

static inline bool is_tail(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* p is at a byte from 0x80 on: behind the sequence it begins, or NULL (Unicode table 3-7). */
static const char *sequence(const char *p, const char *end)
{
    unsigned char c = (unsigned char)p[0], d = end - p > 1 ? (unsigned char)p[1] : 0;
    if (c < 0xC2 || c > 0xF4 || !is_tail((char)d))
        return NULL;
    if (c < 0xE0)
        return p + 2;
    if (end - p < 3 || !is_tail(p[2]))
        return NULL;
    if (c < 0xF0)
        return (c == 0xE0 && d < 0xA0) || (c == 0xED && d > 0x9F) ? NULL : p + 3;
    if (end - p < 4 || !is_tail(p[3]) || (c == 0xF0 && d < 0x90) || (c == 0xF4 && d > 0x8F))
        return NULL;
    return p + 4;
}

static inline int hex_value(char c)
{
    char low = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* p is at a backslash: behind the escape, or NULL. */
static const char *escape(const char *p, const char *end)
{
    if (end - p < 2)
        return NULL;
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        if (end - p < 6)
            return NULL;
        for (int i = 2; i < 6; i++)
            if (hex_value(p[i]) < 0)
                return NULL;
        return p + 6;
    default:
        return NULL;
    }
}

bool json_scan_string(struct json_scan *s, struct slice *raw, bool *escapes)
{
    const char *from = s->p + 1, *p = from, *end = s->end, *next;
    *escapes = false;
    for (;; p = next) {
        p = plain_run(p, end);
        next = NULL;
        if (p < end && *p == '"')
            break;
        if (p < end && *p == '\\') {
            next = escape(p, end);
            *escapes = true;
        } else if (p < end && (unsigned char)*p >= 0x80) {
            next = sequence(p, end);
        }
        if (!next) {
            s->p = p;
            return false;
        }
    }
    s->p = p + 1;
    *raw = (struct slice){from, (size_t)(p - from)};
    return true;
}

/* ---- numbers and words */

static inline bool digits(struct json_scan *s)
{
    const char *from = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from;
}

static bool number(struct json_scan *s)
{
    s->p += *s->p == '-';
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p | 0x20) == 'e') {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        return digits(s);
    }
    return true;
}

static bool word(struct json_scan *s, const char *text, size_t n)
{
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
        return false;
    s->p += n;
    return true;
}

static inline bool scalar(struct json_scan *s)
{
    struct slice raw;
    bool escapes;
    switch (*s->p) {
    case '"':
        return json_scan_string(s, &raw, &escapes);
    case 't':
        return word(s, "true", 4);
    case 'f':
        return word(s, "false", 5);
    case 'n':
        return word(s, "null", 4);
    default:
        return number(s);
    }
}

/* ---- objects and arrays */

bool json_scan_open(struct json_scan *s)
{
    if (s->depth == JSON_SCAN_DEPTH)
        return false;
    s->closers[s->depth++] = *s->p++ == '{' ? '}' : ']';
    return true;
}

bool json_scan_empty(struct json_scan *s)
{
    skip_blanks(s);
    if (s->p == s->end || *s->p != s->closers[s->depth - 1])
        return false;
    s->p++;
    s->depth--;
    return true;
}

bool json_scan_comma(struct json_scan *s, bool *more)
{
    skip_blanks(s);
    if (s->p == s->end)
        return false;
    *more = *s->p == ',';
    if (!*more) {
        if (*s->p != s->closers[s->depth - 1])
            return false;
        s->depth--;
    }
    s->p++;
    if (*more)
        skip_blanks(s);
    return true;
}

bool json_scan_name(struct json_scan *s, struct slice *raw, bool *escapes)
{
    skip_blanks(s);
    if (s->p == s->end || *s->p != '"' || !json_scan_string(s, raw, escapes))
        return false;
    skip_blanks(s);
    if (s->p == s->end || *s->p != ':')
        return false;
    s->p++;
    skip_blanks(s);
    return true;
}

/* After a value: closes what ends here; p is at the next value, or depth is back at base. */
static inline bool to_next(struct json_scan *s, unsigned base)
{
    struct slice raw;
    bool escapes, more;
    while (s->depth > base) {
        if (!json_scan_comma(s, &more))
            return false;
        if (more)
            return s->closers[s->depth - 1] == ']' || json_scan_name(s, &raw, &escapes);
    }
    return true;
}

bool json_scan_value(struct json_scan *s)
{
    unsigned base = s->depth;
    struct slice raw;
    bool escapes;
    do {
        if (s->p == s->end)
            return false;
        if (*s->p != '{' && *s->p != '[') {
            if (!scalar(s) || !to_next(s, base))
                return false;
            continue;
        }
        bool object = *s->p == '{';
        if (!json_scan_open(s))
            return false;
        if (json_scan_empty(s)) {
            if (!to_next(s, base))
                return false;
        } else if (object && !json_scan_name(s, &raw, &escapes)) {
            return false;
        }
    } while (s->depth > base);
    return true;
}

/* ---- unescaping */

static uint32_t unit(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 4 | (uint32_t)hex_value(p[i]);
    return v;
}

/* Also a surrogate, which utf8_put does not take. */
static size_t put(char *out, uint32_t cp)
{
    unsigned char *p = (unsigned char *)out;
    size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    if (n == 1) {
        p[0] = (unsigned char)cp;
        return 1;
    }
    for (size_t i = n - 1; i > 0; i--, cp >>= 6)
        p[i] = (unsigned char)(0x80 | (cp & 0x3F));
    p[0] = (unsigned char)((0xF00u >> n & 0xFF) | cp);
    return n;
}

/* p is at a backslash; *out gets what it means. Behind the escape. */
static const char *undo(const char *p, const char *end, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (p[1] != 'u') {
        *(*out)++ = to[strchr(from, p[1]) - from];
        return p + 2;
    }
    uint32_t cp = unit(p + 2);
    p += 6;
    if (cp >= 0xD800 && cp < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        uint32_t low = unit(p + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
            p += 6;
        }
    }
    *out += put(*out, cp);
    return p;
}

size_t json_scan_unescape(struct slice raw, char *out)
{
    const char *p = raw.p, *end = raw.p + raw.n;
    char *to = out;
    while (p < end) {
        const char *back = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((back ? back : end) - p);
        memcpy(to, p, run);
        to += run;
        p = back ? undo(back, end, &to) : end;
    }
    return (size_t)(to - out);
}
