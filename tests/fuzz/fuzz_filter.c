/* fuzz_filter.c - any pattern against any event: what is read is what the validator takes, a
 * pattern that is made of the event's own values matches it, and many patterns together say what
 * each says alone. Input: a pattern, a NUL, an event. */
#include "base/json_in.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "engine/filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { EVENT_MAX = 4096, PATTERN_MAX = 1 << 20, MADE = 9, DEPTH = 90 };

static uint64_t state;

static unsigned draw(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 33) % n);
}

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* ---- a pattern that the event must match */

struct maker {
    struct json_scan scan;
    struct buf *out;
    size_t fields;
};

static size_t boundary(struct slice s, size_t at)
{
    while (at < s.n && ((unsigned char)s.p[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static void put_operator(struct buf *out, const char *name, struct slice a, const char *middle,
                         struct slice b)
{
    buf_printf(out, "{\"%s\":\"", name);
    buf_put(out, a);
    buf_str(out, middle);
    buf_put(out, b);
    buf_str(out, "\"}");
}

static void put_string(struct buf *out, struct slice raw, bool escapes)
{
    size_t head = boundary(raw, draw((unsigned)raw.n + 1));
    struct slice first = {raw.p, head}, rest = slice_from(raw, head);
    bool stars = raw.n && memchr(raw.p, '*', raw.n);
    switch (draw(escapes ? 4 : stars ? 6 : 7)) {
    case 0:
        put_operator(out, "exactly", raw, "", SLICE_NONE);
        break;
    case 1:
        put_operator(out, "equals-ignore-case", raw, "", SLICE_NONE);
        break;
    case 2:
        put_operator(out, "anything-but", raw, "x", SLICE_NONE);
        break;
    case 3:
        buf_char(out, '"');
        buf_put(out, raw);
        buf_char(out, '"');
        break;
    case 4:
        put_operator(out, "prefix", first, "", SLICE_NONE);
        break;
    case 5:
        put_operator(out, "suffix", rest, "", SLICE_NONE);
        break;
    default:
        put_operator(out, "wildcard", first, "*",
                     slice_from(rest, boundary(rest, draw((unsigned)rest.n + 1))));
    }
}

static void put_number(struct buf *out, struct slice raw)
{
    double x;
    if (draw(2) && pattern_number(raw, &x) && fabs(x) < 1e300)
        buf_printf(out, "{\"numeric\":[\">\",%.6g,\"<=\",%.6g]}", x - fabs(x) / 2 - 1,
                   x + fabs(x) / 2 + 1);
    else if (draw(2))
        buf_str(out, "{\"anything-but\":[\"1\",\"2\"]}");
    else
        buf_put(out, raw);
}

/* At a scalar: alternatives of which one at least is met. */
static void put_alternatives(struct maker *m)
{
    struct json_scan *s = &m->scan;
    const char *from = s->p;
    bool escapes;
    struct slice raw;
    buf_char(m->out, '[');
    if (draw(4) == 0)
        buf_str(m->out, "{\"exists\":false},\"never\",");
    if (*from == '"') {
        require(json_scan_string(s, &raw, &escapes));
        put_string(m->out, raw, escapes);
    } else {
        require(json_scan_value(s));
        raw = (struct slice){from, (size_t)(s->p - from)};
        if (draw(5) == 0)
            buf_str(m->out, "{\"exists\":true}");
        else if (*from == 't' || *from == 'f' || *from == 'n')
            buf_put(m->out, raw);
        else
            put_number(m->out, raw);
    }
    buf_char(m->out, ']');
    m->fields++;
}

static bool make_object(struct maker *m);

/* At an array: goes on at one of its elements, whose scan is then at the end of that element;
 * false: there is none, all is read. */
static bool enter_array(struct maker *m, unsigned *deep)
{
    struct json_scan ahead = m->scan;
    unsigned n = 0;
    bool more = true;
    require(json_scan_open(&ahead));
    if (json_scan_empty(&ahead)) {
        m->scan = ahead;
        return false;
    }
    for (; more; n++)
        require(json_scan_value(&ahead) && json_scan_comma(&ahead, &more));
    unsigned chosen = draw(n);
    require(json_scan_open(&m->scan));
    require(!json_scan_empty(&m->scan));
    while (chosen--)
        require(json_scan_value(&m->scan) && json_scan_comma(&m->scan, &more));
    ++*deep;
    return true;
}

/* At a value: writes its pattern behind what is written; false: nothing that could be asked of it,
 * all is read. */
static bool make_value(struct maker *m)
{
    struct json_scan *s = &m->scan;
    unsigned deep = 0;
    bool made = true, more;
    while (made && *s->p == '[')
        made = enter_array(m, &deep);
    if (made && *s->p == '{' && s->depth >= DEPTH) {
        require(json_scan_value(s));
        made = false;
    } else if (made && *s->p == '{') {
        made = make_object(m);
    } else if (made) {
        put_alternatives(m);
    }
    while (deep--)
        for (more = true; more;)
            if (!json_scan_comma(s, &more) || (more && !json_scan_value(s)))
                abort();
    return made;
}

static bool is_or(struct slice raw)
{
    char name[EVENT_MAX];
    return raw.n <= sizeof name &&
           slice_is((struct slice){name, json_scan_unescape(raw, name)}, "$or");
}

/* At an object: some of its members. False: none, nothing is written, all is read. */
static bool make_object(struct maker *m)
{
    struct json_scan *s = &m->scan;
    struct buf *out = m->out;
    size_t begin = out->n, n = 0;
    bool more = true, escapes;
    struct slice name;
    require(json_scan_open(s));
    buf_char(out, '{');
    if (json_scan_empty(s))
        more = false;
    while (more) {
        size_t undo = out->n;
        require(json_scan_name(s, &name, &escapes));
        buf_str(out, n ? ",\"" : "\"");
        buf_put(out, name);
        buf_str(out, "\":");
        bool passed = is_or(name) || draw(3) == 0 || s->depth >= DEPTH;
        if (passed)
            require(json_scan_value(s));
        if (passed || !make_value(m))
            out->n = undo;
        else
            n++;
        require(json_scan_comma(s, &more));
    }
    buf_char(out, '}');
    if (n == 0)
        out->n = begin;
    return n > 0;
}

static struct pattern *make_pattern(struct slice event)
{
    struct buf text;
    struct pattern_error err;
    struct pattern *p = NULL;
    buf_init(&text, PATTERN_MAX);
    struct maker m = {.out = &text};
    json_scan_init(&m.scan, event);
    json_scan_blanks(&m.scan);
    if (make_object(&m) && !text.full) {
        p = pattern_new(buf_slice(&text), PATTERN_MAX, &err);
        require(p || strstr(err.text, "too complex"));
    }
    buf_free(&text);
    return p;
}

/* ---- checks */

static void check_why(struct filter *f, uint32_t pattern)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    filter_why_text(f, pattern, &text);
    require(text.n > 0 && !text.full && utf8_valid(buf_slice(&text)));
    for (size_t i = 0; i < text.n; i++)
        require((unsigned char)text.p[i] >= 0x20);
    buf_free(&text);
}

static bool alone(const struct pattern *p, struct slice event, const struct filter_graft *graft)
{
    struct filter *f = filter_new(&p, 1);
    struct filter_match m;
    size_t at;
    require(filter_match(f, event, graft, &m, &at));
    bool matches = m.n == 1;
    if (!matches)
        check_why(f, 0);
    filter_free(f);
    return matches;
}

static void check_together(const struct pattern *const *patterns, size_t n, struct slice event,
                           const struct filter_graft *graft)
{
    struct filter *f = filter_new(patterns, n);
    struct filter_match m;
    size_t at, k = 0;
    for (int turn = 0; turn < 2; turn++) {
        require(filter_match(f, event, graft, &m, &at));
        k = 0;
        for (size_t i = 0; i < n; i++) {
            bool in = k < m.n && m.matched[k] == i;
            k += in;
            require(in == alone(patterns[i], event, graft));
        }
        require(k == m.n);
    }
    filter_free(f);
}

static void check_all(struct pattern *given, struct slice event)
{
    const struct pattern *patterns[MADE + 1];
    size_t n = 0;
    for (size_t i = 0; i < MADE; i++) {
        struct pattern *made = make_pattern(event);
        if (!made)
            continue;
        require(alone(made, event, NULL));
        patterns[n++] = made;
    }
    patterns[n++] = given;
    check_together(patterns, n, event, NULL);
    struct filter_graft graft = {.key = SLICE("body"), .value = event, .json = draw(2)};
    check_together(patterns, n, event, &graft);
    for (size_t i = 0; i + 1 < n; i++)
        pattern_free((struct pattern *)(uintptr_t)patterns[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
    if (!nul || n - (size_t)(nul - data) > EVENT_MAX)
        return 0;
    struct slice text = {(const char *)data, (size_t)(nul - data)};
    struct slice event = {(const char *)nul + 1, n - text.n - 1};
    struct pattern_error err;
    struct pattern *given = pattern_new(text, PATTERN_MAX, &err);
    if (!given)
        given = pattern_new(SLICE("{\"a\":{\"b\":[1,{\"exists\":false}]}}"), PATTERN_MAX, &err);
    state = 0x9E3779B97F4A7C15u + n;
    for (size_t i = 0; i < n; i++)
        state = (state ^ data[i]) * 0x100000001B3u;
    state |= 1;
    const struct pattern *one = given;
    struct filter *f = filter_new(&one, 1);
    struct filter_match m;
    size_t at, valid_at;
    bool object = slice_trim(event).n && slice_trim(event).p[0] == '{';
    bool valid = json_valid(event, &valid_at) && object;
    require(filter_match(f, event, NULL, &m, &at) == valid);
    require(at <= n);
    filter_free(f);
    if (valid)
        check_all(given, event);
    pattern_free(given);
    return 0;
}
