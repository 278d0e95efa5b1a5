/* json_out.c - writes JSON into a buf. */
#include "base/json_out.h"

#include "base/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_out_init(struct json_out *o, struct buf *b)
{
    *o = (struct json_out){.buf = b};
}

/* Before every value: the comma, and the check that a value may stand here. */
static void begin_value(struct json_out *o)
{
    assert(o->depth == 0 ? !o->comma : o->keyed || o->array[o->depth - 1]);
    if (o->comma && !o->keyed)
        buf_char(o->buf, ',');
    o->comma = true;
    o->keyed = false;
}

static void open_level(struct json_out *o, bool array)
{
    begin_value(o);
    assert(o->depth < JSON_OUT_DEPTH);
    buf_char(o->buf, array ? '[' : '{');
    o->array[o->depth++] = array;
    o->comma = false;
}

void json_object(struct json_out *o)
{
    open_level(o, false);
}

void json_array(struct json_out *o)
{
    open_level(o, true);
}

void json_end(struct json_out *o)
{
    assert(o->depth > 0 && !o->keyed);
    buf_char(o->buf, o->array[--o->depth] ? ']' : '}');
    o->comma = true;
}

void json_key_slice(struct json_out *o, struct slice key)
{
    assert(o->depth > 0 && !o->array[o->depth - 1] && !o->keyed);
    buf_add(o->buf, ",\"" + !o->comma, 1 + (size_t)o->comma);
    json_escape(o->buf, key);
    buf_add(o->buf, "\":", 2);
    o->comma = o->keyed = true;
}

void json_key(struct json_out *o, const char *key)
{
    json_key_slice(o, slice_of(key));
}

void json_str(struct json_out *o, struct slice s)
{
    begin_value(o);
    buf_char(o->buf, '"');
    json_escape(o->buf, s);
    buf_char(o->buf, '"');
}

void json_cstr(struct json_out *o, const char *s)
{
    json_str(o, slice_of(s));
}

static void put_i64(struct buf *b, int64_t v)
{
    char text[20];
    size_t at = sizeof text;
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (v < 0)
        text[--at] = '-';
    buf_add(b, text + at, sizeof text - at);
}

void json_i64(struct json_out *o, int64_t v)
{
    begin_value(o);
    put_i64(o->buf, v);
}

void json_double(struct json_out *o, double d)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    if (!isfinite(d)) {
        json_null(o);
        return;
    }
    begin_value(o);
    if (d > -exact && d < exact && d == (double)(int64_t)d && !(d == 0 && signbit(d))) {
        put_i64(o->buf, (int64_t)d);
        return;
    }
    char text[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, d);
        if (strtod(text, NULL) == d)
            break;
    }
    buf_str(o->buf, text);
}

void json_bool(struct json_out *o, bool v)
{
    begin_value(o);
    buf_put(o->buf, v ? SLICE("true") : SLICE("false"));
}

void json_null(struct json_out *o)
{
    begin_value(o);
    buf_put(o->buf, SLICE("null"));
}

void json_raw(struct json_out *o, struct slice json)
{
    begin_value(o);
    buf_put(o->buf, json);
}

void json_kv_str(struct json_out *o, const char *key, struct slice v)
{
    json_key(o, key);
    json_str(o, v);
}

void json_kv_cstr(struct json_out *o, const char *key, const char *v)
{
    json_key(o, key);
    json_cstr(o, v);
}

void json_kv_i64(struct json_out *o, const char *key, int64_t v)
{
    json_key(o, key);
    json_i64(o, v);
}

/* Does any byte of the word need a look? Control characters, quote, backslash, not ASCII. False
 * alarms cost only time. */
static bool word_special(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t quote = w ^ (ones * '"'), back = w ^ (ones * '\\');
    return ((w - ones * 0x20) | (quote - ones) | (back - ones) | w) & high;
}

static bool byte_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static size_t plain_run(const char *p, size_t n)
{
    size_t i = 0;
    uint64_t word;
    for (; n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        if (word_special(word))
            break;
    }
    while (i < n && byte_plain((unsigned char)p[i]))
        i++;
    return i;
}

static void escape_ascii(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_form[] = "btn.fr"; /* 8 to 13, without 11 */
    char out[6] = {'\\', (char)c};
    size_t n = 2;
    if (c >= 8 && c <= 13 && c != 11) {
        out[1] = short_form[c - 8];
    } else if (c < 0x20) {
        memcpy(out + 1, "u00", 3);
        out[4] = hex[c >> 4];
        out[5] = hex[c & 15];
        n = 6;
    }
    buf_add(b, out, n);
}

/* Bytes over 0x7F only: a sequence never reaches beyond them. */
static void escape_high(struct buf *b, struct slice s)
{
    for (;;) {
        size_t good = utf8_valid_prefix(s);
        buf_add(b, s.p, good);
        s = slice_from(s, good);
        if (s.n == 0)
            return;
        buf_put(b, SLICE("\xEF\xBF\xBD")); /* U+FFFD */
        s = slice_from(s, utf8_bad_len(s));
    }
}

void json_escape(struct buf *b, struct slice s)
{
    while (s.n && !b->full) {
        size_t n = plain_run(s.p, s.n);
        buf_add(b, s.p, n);
        s = slice_from(s, n);
        for (n = 0; n < s.n && (unsigned char)s.p[n] >= 0x80;)
            n++;
        if (n)
            escape_high(b, (struct slice){s.p, n});
        s = slice_from(s, n);
        for (n = 0; n < s.n && (unsigned char)s.p[n] < 0x80 && !byte_plain((unsigned char)s.p[n]);)
            escape_ascii(b, (unsigned char)s.p[n++]);
        s = slice_from(s, n);
    }
}
