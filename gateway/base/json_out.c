/* json_out.c - writes JSON into a buf. */
#include "base/json_out.h"

#include "base/utf8.h"

#include <assert.h>
#include <endian.h>
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
    buf_put(o->buf, o->comma ? SLICE(",\"") : SLICE("\""));
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

/* A word whose first byte is the lowest one on every machine. */
static uint64_t load_word(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

/* How many of the word's first bytes go out as they are: up to the first control character, quote,
 * backslash or byte over 0x7F. Borrows raise false alarms only above a true one. */
static size_t plain_bytes(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t quote = w ^ (ones * '"'), back = w ^ (ones * '\\');
    uint64_t alarm = ((w - ones * 0x20) | (quote - ones) | (back - ones) | w) & high;
    return alarm ? (size_t)__builtin_ctzll(alarm) / 8 : sizeof w;
}

/* One ASCII character; at most six bytes. */
static char *escape_ascii(char *q, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_form[] = "btn.fr"; /* 8 to 13, without 11 */
    if (c >= 0x20) {
        if (c == '"' || c == '\\')
            *q++ = '\\';
        *q++ = (char)c;
        return q;
    }
    *q++ = '\\';
    if (c >= 8 && c <= 13 && c != 11) {
        *q++ = short_form[c - 8];
        return q;
    }
    memcpy(q, "u00", 3);
    q[3] = hex[c >> 4];
    q[4] = hex[c & 15];
    return q + 5;
}

enum { STEP_BYTES = 64 }; /* the most that one step of escape_some writes */

/* Text that begins with a byte over 0x7F. */
static char *escape_high(char *q, struct slice *in)
{
    struct slice head = {in->p, in->n < STEP_BYTES ? in->n : STEP_BYTES};
    size_t n = 0;
    while (n < head.n && (unsigned char)head.p[n] >= 0x80)
        n++;
    head.n = n;
    size_t good = utf8_valid_prefix(head);
    if (good == 0) {
        memcpy(q, "\xEF\xBF\xBD", 3); /* U+FFFD */
        *in = slice_from(*in, utf8_bad_len(head));
        return q + 3;
    }
    memcpy(q, head.p, good);
    *in = slice_from(*in, good);
    return q + good;
}

/* Escapes as much of *in as surely fits into room, and cuts it off. Returns the bytes written. */
static size_t escape_some(char *out, size_t room, struct slice *in)
{
    char *q = out, *last = out + room - STEP_BYTES;
    while (in->n && q <= last) {
        if (in->n >= sizeof(uint64_t)) {
            size_t n = plain_bytes(load_word(in->p));
            memcpy(q, in->p, sizeof(uint64_t)); /* what is not plain is written over */
            q += n;
            in->p += n;
            in->n -= n;
            if (n == sizeof(uint64_t))
                continue;
        }
        if ((unsigned char)in->p[0] >= 0x80) {
            q = escape_high(q, in);
            continue;
        }
        q = escape_ascii(q, (unsigned char)in->p[0]);
        in->p++;
        in->n--;
    }
    return (size_t)(q - out);
}

void json_escape(struct buf *b, struct slice s)
{
    char piece[1024];
    while (s.n && !b->full) {
        size_t likely = s.n + s.n / 8 + 2 * STEP_BYTES;
        if (likely <= b->limit - b->n && buf_reserve(b, likely)) {
            b->n += escape_some(b->p + b->n, b->cap - b->n, &s);
            b->p[b->n] = '\0';
        } else { /* close to the limit */
            buf_add(b, piece, escape_some(piece, sizeof piece, &s));
        }
    }
}
