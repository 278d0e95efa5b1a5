/* pattern_text.c - strings of a pattern: unescaping them, naming them and telling where they are.
 */
#include "engine/pattern_text.h"

#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = 96 };

static PRINTF(4, 0) void tell(struct pattern_json *j, size_t at, bool place, const char *fmt,
                              va_list ap)
{
    struct pattern_error *err = j->err;
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    err->at = at;
    err->line = err->column = 0;
    if (place)
        pattern_json_place(j->text, j->at, true, &err->line, &err->column);
}

bool pattern_json_fail(struct pattern_json *j, size_t at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tell(j, at, true, fmt, ap);
    va_end(ap);
    return false;
}

bool pattern_json_plain(struct pattern_json *j, size_t at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tell(j, at, false, fmt, ap);
    va_end(ap);
    return false;
}

void pattern_json_place(struct slice text, size_t at, bool units, unsigned *line, unsigned *column)
{
    unsigned l = 1, c = 1;
    if (at > text.n)
        at = text.n;
    for (size_t i = 0; i < at; i++) {
        unsigned char b = (unsigned char)text.p[i];
        if (b == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
            continue;
        if (b == '\n' || b == '\r') {
            l++;
            c = 1;
        } else if ((b & 0xC0) != 0x80) {
            c += units && b >= 0xF0 ? 2 : 1;
        }
    }
    *line = l;
    *column = c;
}

/* Code point at the start of valid UTF-8 or of a surrogate's three bytes, and its length. */
static uint32_t code_point(const unsigned char *p, size_t *n)
{
    if (*p < 0x80) {
        *n = 1;
        return *p;
    }
    *n = *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;
    uint32_t cp = *p & (0xFFu >> (*n + 1));
    for (size_t i = 1; i < *n; i++)
        cp = cp << 6 | (p[i] & 0x3Fu);
    return cp;
}

struct pattern_shown pattern_json_show(struct slice s)
{
    struct pattern_shown shown;
    size_t out = 0, len;
    for (size_t i = 0; i < s.n; i += len) {
        uint32_t cp = code_point((const unsigned char *)s.p + i, &len);
        if (out + len > SHOWN_BYTES) {
            memcpy(shown.text + out, "...", 3);
            out += 3;
            break;
        }
        if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0)) {
            out += (size_t)snprintf(shown.text + out, 7, "\\u%04x", (unsigned)cp);
        } else if (cp >= 0xD800 && cp < 0xE000) {
            shown.text[out++] = '?';
        } else {
            memcpy(shown.text + out, s.p + i, len);
            out += len;
        }
    }
    shown.text[out] = '\0';
    return shown;
}

struct pattern_shown pattern_text_char(struct slice s)
{
    struct pattern_shown shown;
    size_t n;
    unsigned cp = code_point((const unsigned char *)s.p, &n);
    if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0))
        snprintf(shown.text, sizeof shown.text, "(CTRL-CHAR, code %u)", cp);
    else if (cp > 255)
        snprintf(shown.text, sizeof shown.text, "'%.*s' (code %u / 0x%x)", (int)n, s.p, cp, cp);
    else
        snprintf(shown.text, sizeof shown.text, "'%.*s' (code %u)", (int)n, s.p, cp);
    return shown;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits after \u at j->at. */
static bool read_unit(struct pattern_json *j, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, j->at++) {
        if (j->at >= j->text.n)
            return pattern_json_fail(j, j->at,
                                     "Unexpected end-of-input in character escape "
                                     "sequence");
        int digit = hex_digit(j->text.p[j->at]);
        if (digit < 0)
            return pattern_json_fail(
                j, j->at,
                "Unexpected character (%s): expected a hex-digit for character escape "
                "sequence",
                pattern_text_char(slice_from(j->text, j->at)).text);
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

/* Also a surrogate, which utf8_put does not take. */
static size_t put(char *out, uint32_t cp)
{
    unsigned char *p = (unsigned char *)out;
    if (cp < 0x80) {
        p[0] = (unsigned char)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, cp >>= 6)
        p[i] = (unsigned char)(0x80 | (cp & 0x3F));
    p[0] = (unsigned char)(0xF00u >> n | cp);
    return n;
}

static bool read_surrogates(struct pattern_json *j, uint32_t *cp)
{
    const char *p = j->text.p + j->at;
    if (*cp < 0xD800 || *cp >= 0xDC00 || j->text.n - j->at < 6 || p[0] != '\\' || p[1] != 'u')
        return true;
    size_t at = j->at;
    uint32_t low;
    j->at += 2;
    if (!read_unit(j, &low))
        return false;
    if (low >= 0xDC00 && low < 0xE000)
        *cp = 0x10000 + ((*cp - 0xD800) << 10) + (low - 0xDC00);
    else
        j->at = at;
    return true;
}

/* One escape at j->at, behind its backslash; never longer unescaped than written. */
static bool read_escape(struct pattern_json *j, const char *end, char *out, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (j->at >= j->text.n)
        return pattern_json_fail(j, j->at, "%s", end);
    char c = j->text.p[j->at];
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        j->at++;
        *out = to[known - from];
        *n = 1;
        return true;
    }
    if (c != 'u')
        return pattern_json_fail(j, j->at, "Unrecognized character escape %s",
                                 pattern_text_char(slice_from(j->text, j->at)).text);
    uint32_t cp;
    j->at++;
    if (!read_unit(j, &cp) || !read_surrogates(j, &cp))
        return false;
    *n = put(out, cp);
    return true;
}

/* To the closing quote, or to the first byte that cannot be taken as it is. */
static size_t plain_run(const struct pattern_json *j)
{
    size_t i = j->at;
    while (i < j->text.n && (unsigned char)j->text.p[i] >= 0x20 && j->text.p[i] != '"' &&
           j->text.p[i] != '\\')
        i++;
    return i - j->at;
}

/* Of the string as it is written, or of what there is of it; unescaped it is no longer. */
static size_t written_length(const struct pattern_json *j, size_t from)
{
    size_t i = from;
    while (i < j->text.n && j->text.p[i] != '"')
        i += j->text.p[i] == '\\' ? 2 : 1;
    return (i < j->text.n ? i : j->text.n) - from;
}

bool pattern_text_read(struct pattern_json *j, const char *where, const char *end,
                       struct slice *out)
{
    char *copy = NULL;
    size_t from = j->at, n = 0, one = 0;
    for (;;) {
        size_t run = plain_run(j);
        if (copy)
            memcpy(copy + n, j->text.p + j->at, run);
        j->at += run;
        n += run;
        if (j->at >= j->text.n)
            return pattern_json_fail(j, j->at, "%s", end);
        unsigned char c = (unsigned char)j->text.p[j->at];
        if (c == '"')
            break;
        if (c != '\\')
            return pattern_json_fail(j, j->at,
                                     "Illegal unquoted character ((CTRL-CHAR, code %u)): has to be "
                                     "escaped using backslash to be included in %s",
                                     c, where);
        if (!copy) {
            copy = arena_alloc(j->arena, written_length(j, from));
            memcpy(copy, j->text.p + from, n);
        }
        j->at++;
        if (!read_escape(j, end, copy + n, &one))
            return false;
        n += one;
    }
    j->at++;
    *out = (struct slice){copy ? copy : j->text.p + from, n};
    return true;
}
