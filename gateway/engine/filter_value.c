/* filter_value.c - one value of an event against one alternative of a pattern. */
#include "engine/filter_value.h"

#include <math.h>
#include <string.h>

/* ---- numbers */

/* Up to 15 digits and a small power of ten give the nearest double with one exact operation, and
 * its shortest decimal is what was written: no need for the general case. */
static bool plain_number(struct slice s, double *out)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (s.n > 17)
        return false;
    bool minus = s.n && s.p[0] == '-';
    size_t i = minus, places = 0, digits = 0;
    uint64_t value = 0;
    bool point = false;
    for (; i < s.n; i++) {
        char c = s.p[i];
        if (c == '.') {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            return false;
        value = 10 * value + (uint64_t)(c - '0');
        digits++;
        places += point;
    }
    if (digits > 15)
        return false;
    *out = (double)value / powers[places];
    if (minus)
        *out = -*out;
    return true;
}

double filter_value_number(struct slice literal)
{
    double number;
    if (plain_number(literal, &number) || pattern_number(literal, &number))
        return number;
    return NAN;
}

struct filter_view filter_value_view(struct filter_event *e, uint32_t leaf)
{
    struct filter_view view = {.kind = e->leaves[leaf].kind, .text = filter_event_text(e, leaf)};
    if (view.kind == FILTER_NUMBER)
        view.number = filter_value_number(view.text);
    return view;
}

static bool number_is(const struct pattern_value *v, const struct filter_view *view)
{
    if (view->kind != FILTER_NUMBER)
        return false;
    return isnan(view->number) ? slice_eq(view->text, v->text) : view->number == v->low;
}

static bool in_range(const struct pattern_value *v, const struct filter_view *view)
{
    double x = view->number; /* NAN is in none */
    return view->kind == FILTER_NUMBER && (v->low_open ? x > v->low : x >= v->low) &&
           (v->high_open ? x < v->high : x <= v->high);
}

/* ---- strings */

static bool starts(struct slice s, struct slice head)
{
    return s.n >= head.n && memcmp(s.p, head.p, head.n) == 0;
}

static bool ends(struct slice s, struct slice tail)
{
    return s.n >= tail.n && memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0;
}

/* Bytes of the character that begins at p, or of the one that ends before p (backwards). */
static size_t char_bytes(const char *p, size_t left, bool backwards)
{
    size_t n = 1;
    if (backwards)
        while (n < left && n < 4 && ((unsigned char)p[-(ptrdiff_t)n] & 0xC0) == 0x80)
            n++;
    else
        while (n < left && n < 4 && ((unsigned char)p[n] & 0xC0) == 0x80)
            n++;
    return n;
}

/* One character folded: into out, which takes 8 bytes; returns how many it has. */
static size_t folded(const char *p, size_t n, char *out)
{
    if (n == 1 && (unsigned char)*p < 0x80) {
        *out = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        return 1;
    }
    return pattern_fold((struct slice){p, n}, out);
}

/* s, folded character by character, begins with text, which is folded; *used: bytes of s. */
static bool starts_folded(struct slice s, struct slice text, size_t *used)
{
    char fold[8];
    size_t at = 0;
    *used = 0;
    while (at < text.n) {
        if (*used == s.n)
            return false;
        size_t n = char_bytes(s.p + *used, s.n - *used, false);
        size_t n_fold = folded(s.p + *used, n, fold);
        if (n_fold > text.n - at || memcmp(fold, text.p + at, n_fold) != 0)
            return false;
        at += n_fold;
        *used += n;
    }
    return true;
}

static bool ends_folded(struct slice s, struct slice text)
{
    char fold[8];
    size_t left = text.n;
    while (left) {
        if (s.n == 0)
            return false;
        size_t n = char_bytes(s.p + s.n, s.n, true);
        size_t n_fold = folded(s.p + s.n - n, n, fold);
        if (n_fold > left || memcmp(fold, text.p + left - n_fold, n_fold) != 0)
            return false;
        left -= n_fold;
        s.n -= n;
    }
    return true;
}

static bool equals_folded(struct slice s, struct slice text)
{
    size_t used;
    return starts_folded(s, text, &used) && used == s.n;
}

/* The runs between the stars, in their order; taking each as early as it comes is enough. */
static bool fits_wildcard(const struct pattern_value *v, struct slice s)
{
    if (v->n_parts == 0)
        return s.n == 0;
    struct slice head = v->parts[0].text, tail = v->parts[v->n_parts - 1].text;
    if (v->n_parts == 1)
        return slice_eq(s, head);
    if (s.n < head.n + tail.n || !starts(s, head) || !ends(s, tail))
        return false;
    s = (struct slice){s.p + head.n, s.n - head.n - tail.n};
    for (size_t i = 1; i + 1 < v->n_parts; i++) {
        struct slice run = v->parts[i].text;
        const char *found = run.n ? memmem(s.p, s.n, run.p, run.n) : s.p;
        if (!found)
            return false;
        s = slice_from(s, (size_t)(found - s.p) + run.n);
    }
    return true;
}

static bool in_network(const struct pattern_value *v, struct slice s)
{
    unsigned char address[16];
    if (s.n > 45 || pattern_address(s, address) != v->address_bytes)
        return false;
    size_t whole = v->bits / 8;
    unsigned rest = v->bits % 8;
    return memcmp(address, v->address, whole) == 0 &&
           (!rest || (address[whole] ^ v->address[whole]) >> (8 - rest) == 0);
}

static bool string_matches(const struct pattern_value *v, struct slice s)
{
    size_t used;
    switch (v->kind) {
    case PATTERN_STRING:
        return slice_eq(s, v->text);
    case PATTERN_PREFIX:
        return starts(s, v->text);
    case PATTERN_SUFFIX:
        return ends(s, v->text);
    case PATTERN_PREFIX_CI:
        return starts_folded(s, v->text, &used);
    case PATTERN_SUFFIX_CI:
        return ends_folded(s, v->text);
    case PATTERN_EQUALS_CI:
        return equals_folded(s, v->text);
    case PATTERN_WILDCARD:
        return fits_wildcard(v, s);
    case PATTERN_CIDR:
        return in_network(v, s);
    default:
        return false;
    }
}

/* ---- all */

static bool plain_matches(const struct pattern_value *v, const struct filter_view *view)
{
    switch (v->kind) {
    case PATTERN_NUMBER:
        return number_is(v, view);
    case PATTERN_RANGE:
        return in_range(v, view);
    case PATTERN_TRUE:
        return view->kind == FILTER_TRUE;
    case PATTERN_FALSE:
        return view->kind == FILTER_FALSE;
    case PATTERN_NULL:
        return view->kind == FILTER_NULL;
    case PATTERN_EXISTS:
        return true;
    default:
        return view->kind == FILTER_STRING && string_matches(v, view->text);
    }
}

bool filter_value_matches(const struct pattern_value *v, const struct filter_view *view)
{
    if (v->kind != PATTERN_BUT)
        return plain_matches(v, view);
    for (size_t i = 0; i < v->n_parts; i++)
        if (plain_matches(&v->parts[i], view))
            return false;
    return true;
}

bool filter_value_any(const struct pattern_field *field, const struct filter_view *view)
{
    bool string = view->kind == FILTER_STRING;
    for (size_t i = 0; i < field->n; i++) {
        const struct pattern_value *v = &field->values[i];
        /* Long lists are of plain strings: their lengths tell most of them apart. */
        if (v->kind == PATTERN_STRING && (!string || v->text.n != view->text.n))
            continue;
        if (filter_value_matches(v, view))
            return true;
    }
    return false;
}
