/* filter_why.c - tells people why a pattern does not match. */
#include "base/json_scan.h"
#include "base/utf8.h"
#include "engine/filter_state.h"

enum { SHOWN_BYTES = 64 };

/* ---- which field */

/* The first test of the branch that fails alone, its n when none does; *passed: how many do not. */
static uint32_t first_failure(struct filter *f, const struct filter_branch *branch,
                              uint32_t *passed)
{
    uint32_t first = branch->n;
    *passed = 0;
    filter_state_forget(f);
    for (uint32_t i = 0; i < branch->n; i++) {
        if (filter_state_alone(f, f->plan.asked[branch->first + i]))
            ++*passed;
        else if (first == branch->n)
            first = i;
    }
    return first;
}

static const struct filter_leaf *first_leaf(const struct filter *f, uint32_t path)
{
    uint32_t leaf = f->event.paths[path].first;
    return leaf == FILTER_NONE ? NULL : &f->event.leaves[leaf];
}

/* As it stands in the event, with its quotes. */
static struct slice written(const struct filter_leaf *leaf)
{
    bool quoted = leaf->kind == FILTER_STRING && !leaf->plain;
    return (struct slice){leaf->p - quoted, leaf->n + 2u * quoted};
}

/* The field of the branch that came furthest, in *test; FILTER_NONE: no field fails alone. */
static const struct pattern_field *find(struct filter *f, uint32_t pattern, uint32_t *test)
{
    const struct pattern *p = f->patterns[pattern];
    const struct pattern_field *field = NULL;
    uint32_t low = 0, high = f->plan.n_branches, best = 0;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (f->plan.branches[mid].pattern < pattern)
            low = mid + 1;
        else
            high = mid;
    }
    *test = FILTER_NONE;
    for (size_t i = 0; i < p->n_branches; i++) {
        const struct filter_branch *branch = &f->plan.branches[low + i];
        uint32_t passed, first = first_failure(f, branch, &passed);
        if (first == branch->n) {
            *test = FILTER_NONE;
            return NULL;
        }
        if (field && passed <= best)
            continue;
        best = passed;
        field = p->branches[i].fields[first];
        *test = f->plan.asked[branch->first + first];
    }
    return field;
}

struct filter_reason filter_why(struct filter *f, uint32_t pattern)
{
    uint32_t test;
    struct filter_reason reason = {.field = find(f, pattern, &test), .value = SLICE_NONE};
    if (!reason.field)
        return reason;
    uint32_t path = f->plan.tests[test].path;
    const struct filter_leaf *leaf = first_leaf(f, path);
    reason.values = f->event.paths[path].n;
    if (leaf)
        reason.value = written(leaf);
    return reason;
}

/* ---- as text */

/* One character of s (not empty) as it may stand in a line; returns the bytes of s it takes. Code
 * points below U+0100 that are controls have one or two bytes. */
static size_t show_char(struct buf *out, struct slice s, bool quoting)
{
    unsigned char c = (unsigned char)s.p[0];
    if (c < 0x20 || c == 0x7F) {
        buf_printf(out, "\\u%04x", c);
        return 1;
    }
    if (c < 0x80) {
        if (quoting && (c == '"' || c == '\\'))
            buf_char(out, '\\');
        buf_char(out, (char)c);
        return 1;
    }
    size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (n > s.n || !utf8_valid((struct slice){s.p, n})) {
        buf_str(out, "\xEF\xBF\xBD");
        return utf8_bad_len(s);
    }
    if (c == 0xC2 && (unsigned char)s.p[1] < 0xA0)
        buf_printf(out, "\\u%04x", (unsigned char)s.p[1]);
    else
        buf_add(out, s.p, n);
    return n;
}

/* quoting: s is text and is put in quotes; else it is JSON already. */
static void show(struct buf *out, struct slice s, bool quoting)
{
    size_t i = 0;
    if (quoting)
        buf_char(out, '"');
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (i + (c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 1) > SHOWN_BYTES) {
            buf_str(out, "...");
            break;
        }
        i += show_char(out, slice_from(s, i), quoting);
    }
    if (quoting)
        buf_char(out, '"');
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r' || c == '\t';
}

/* The alternatives as they stand in the pattern, on one line. */
static void show_wanted(struct buf *out, const struct pattern *pattern,
                        const struct pattern_field *field)
{
    struct json_scan s;
    struct slice text = slice_from(pattern->text, field->at);
    json_scan_init(&s, text);
    if (json_scan_value(&s))
        text.n = (size_t)(s.p - text.p);
    char line[4 * SHOWN_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < text.n && n < sizeof line; i++) {
        if (!is_break(text.p[i])) {
            line[n++] = text.p[i];
            continue;
        }
        /* A break and the indent behind it are one blank, or none at the brackets. */
        while (i + 1 < text.n && (is_break(text.p[i + 1]) || text.p[i + 1] == ' '))
            i++;
        if (n && line[n - 1] != '[' && line[n - 1] != '{' && line[n - 1] != ' ' && i + 1 < text.n &&
            text.p[i + 1] != ']' && text.p[i + 1] != '}')
            line[n++] = ' ';
    }
    show(out, (struct slice){line, n}, false);
}

static void show_found(struct buf *out, const struct filter *f, const struct filter_reason *reason,
                       uint32_t path)
{
    const struct filter_leaf *leaf = first_leaf(f, path);
    if (!leaf) {
        buf_str(out, " is missing");
        return;
    }
    buf_str(out, " is ");
    show(out, reason->value, leaf->plain);
    if (reason->values > 1)
        buf_printf(out, " (first of %zu values)", reason->values);
}

void filter_why_text(struct filter *f, uint32_t pattern, struct buf *out)
{
    uint32_t test;
    const struct pattern *p = f->patterns[pattern];
    struct filter_reason reason = filter_why(f, pattern);
    unsigned line, column;
    if (!find(f, pattern, &test)) {
        buf_str(out, "every field finds a value, but not in the same elements of arrays");
        return;
    }
    pattern_place(p->text, reason.field->at, &line, &column);
    buf_printf(out, "line %u: ", line);
    show(out, reason.field->path, true);
    show_found(out, f, &reason, f->plan.tests[test].path);
    buf_str(out, ", wanted ");
    show_wanted(out, p, reason.field);
}
