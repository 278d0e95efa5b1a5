/* sqs_out.c - answers in JSON and in XML. */
#include "api/sqs_out.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OUT_MAX = 256 * 1024 * 1024 }; /* ten messages of 1 MiB, every character escaped */

void sqs_out_init(struct sqs_out *o, bool xml, size_t likely_bytes)
{
    *o = (struct sqs_out){.xml = xml};
    buf_init(&o->buf, OUT_MAX);
    buf_reserve(&o->buf, likely_bytes);
    json_out_init(&o->json, &o->buf);
}

void sqs_out_free(struct sqs_out *o)
{
    buf_free(&o->buf);
}

/* ---- XML ---- */

void sqs_out_open(struct sqs_out *o, const char *element)
{
    buf_char(&o->buf, '<');
    buf_str(&o->buf, element);
    buf_char(&o->buf, '>');
}

void sqs_out_close(struct sqs_out *o, const char *element)
{
    buf_str(&o->buf, "</");
    buf_str(&o->buf, element);
    buf_char(&o->buf, '>');
}

/* NULL: goes out as it is. A reader of XML makes a line feed of a carriage return that is not
 * escaped. */
static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#xD;";
    default:
        return NULL;
    }
}

/* Bytes of what XML cannot say at all: control characters, U+FFFE and U+FFFF. Of all texts only
 * those that errors quote have it. */
static size_t unspeakable(struct slice s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    if (c < ' ')
        return c != '\t' && c != '\n' && c != '\r';
    return c == 0xef && s.n - i >= 3 && (unsigned char)s.p[i + 1] == 0xbf &&
                   (unsigned char)s.p[i + 2] >= 0xbe
               ? 3
               : 0;
}

void sqs_out_escape(struct buf *b, struct slice s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        size_t bad = unspeakable(s, i);
        const char *e = bad > 0 ? "\uFFFD" : entity(s.p[i]);
        if (e == NULL)
            continue;
        buf_add(b, s.p + from, i - from);
        buf_str(b, e);
        i += bad > 0 ? bad - 1 : 0;
        from = i + 1;
    }
    buf_add(b, s.p + from, s.n - from);
}

static void element(struct sqs_out *o, const char *name, struct slice text)
{
    sqs_out_open(o, name);
    sqs_out_escape(&o->buf, text);
    sqs_out_close(o, name);
}

/* ---- both ---- */

void sqs_out_text(struct sqs_out *o, const char *name, struct slice text)
{
    if (o->xml)
        element(o, name, text);
    else
        json_kv_str(&o->json, name, text);
}

void sqs_out_cstr(struct sqs_out *o, const char *name, const char *text)
{
    sqs_out_text(o, name, slice_of(text));
}

static struct slice decimal(char text[24], int64_t n)
{
    int len = snprintf(text, 24, "%" PRId64, n);
    return (struct slice){text, (size_t)len};
}

void sqs_out_i64(struct sqs_out *o, const char *name, int64_t n)
{
    char text[24];
    if (o->xml)
        element(o, name, decimal(text, n));
    else
        json_kv_i64(&o->json, name, n);
}

void sqs_out_bool(struct sqs_out *o, const char *name, bool value)
{
    if (o->xml) {
        element(o, name, value ? SLICE("true") : SLICE("false"));
        return;
    }
    json_key(&o->json, name);
    json_bool(&o->json, value);
}

void sqs_out_list(struct sqs_out *o, const char *name, const char *item)
{
    o->element = item;
    if (o->xml)
        return;
    json_key(&o->json, name);
    json_array(&o->json);
}

void sqs_out_item(struct sqs_out *o)
{
    if (o->xml)
        sqs_out_open(o, o->element);
    else
        json_object(&o->json);
}

void sqs_out_item_end(struct sqs_out *o)
{
    if (o->xml)
        sqs_out_close(o, o->element);
    else
        json_end(&o->json);
}

void sqs_out_item_text(struct sqs_out *o, struct slice text)
{
    if (o->xml)
        element(o, o->element, text);
    else
        json_str(&o->json, text);
}

void sqs_out_list_end(struct sqs_out *o)
{
    if (!o->xml)
        json_end(&o->json);
}

void sqs_out_map(struct sqs_out *o, const char *name, const char *item, const char *key,
                 const char *value)
{
    o->pair[0] = item;
    o->pair[1] = key;
    o->pair[2] = value;
    if (o->xml)
        return;
    json_key(&o->json, name);
    json_object(&o->json);
}

void sqs_out_pair(struct sqs_out *o, struct slice key, struct slice value)
{
    if (!o->xml) {
        json_key_slice(&o->json, key);
        json_str(&o->json, value);
        return;
    }
    sqs_out_open(o, o->pair[0]);
    element(o, o->pair[1], key);
    element(o, o->pair[2], value);
    sqs_out_close(o, o->pair[0]);
}

void sqs_out_pair_i64(struct sqs_out *o, const char *key, int64_t value)
{
    char text[24];
    sqs_out_pair(o, slice_of(key), decimal(text, value));
}

void sqs_out_map_end(struct sqs_out *o)
{
    if (!o->xml)
        json_end(&o->json);
}
