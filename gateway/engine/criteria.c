/* criteria.c - FilterCriteria: the patterns of a mapping against one record after another. Each
 * pattern is cut into views by what its branches ask of the data, so that data of another kind can
 * be told apart from data that does not match (filter-patterns.md 1). */
#include "engine/criteria.h"

#include "base/json_in.h"
#include "base/mem.h"
#include "engine/criteria_data.h"
#include "engine/criteria_view.h"
#include "engine/filter.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char criteria_refusal[] = "Invalid filter pattern definition.";

struct criteria {
    const struct criteria_data *data;
    struct pattern *patterns[CRITERIA_FILTERS_MAX];
    size_t n;
    struct criteria_views views;
    struct filter *filter; /* of the views, in their order */
    struct criteria_scratch scratch;
};

/* ---- making ---- */

static size_t characters(struct slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static bool fail(struct pattern_error *err, struct slice text, size_t at, const char *fmt, ...)
    PRINTF(4, 5);

static bool fail(struct pattern_error *err, struct slice text, size_t at, const char *fmt, ...)
{
    va_list args;
    *err = (struct pattern_error){.at = at};
    pattern_place(text, at, &err->line, &err->column);
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    return false;
}

/* Kinesis, DynamoDB: the data cannot be compared as a whole. */
static bool check_object(const struct criteria_data *data, const struct pattern *p,
                         struct pattern_error *err)
{
    if (!data->object_only)
        return true;
    for (size_t i = 0; i < p->n_branches; i++)
        for (size_t j = 0; j < p->branches[i].n; j++) {
            const struct pattern_field *f = p->branches[i].fields[j];
            if (slice_is(f->path, data->key))
                return fail(err, p->text, f->at, "\"%s\" must be an object", data->key);
        }
    return true;
}

static struct pattern *compile(const struct criteria_data *data, struct slice text,
                               struct pattern_error *err)
{
    if (characters(text) > CRITERIA_PATTERN_MAX) {
        (void)fail(err, text, 0, "the pattern has more than %d characters", CRITERIA_PATTERN_MAX);
        return NULL;
    }
    struct pattern *p = pattern_new(text, 4 * CRITERIA_PATTERN_MAX, err);
    if (p != NULL && !check_object(data, p, err)) {
        pattern_free(p);
        p = NULL;
    }
    return p;
}

bool criteria_check(const struct criteria_data *data, struct slice text, struct pattern_error *err)
{
    struct pattern *p = compile(data, text, err);
    pattern_free(p);
    return p != NULL;
}

struct criteria *criteria_new(const struct criteria_data *data, const struct slice *patterns,
                              size_t n, struct error *err)
{
    struct pattern_error why;
    if (n == 0)
        return NULL;
    if (n > CRITERIA_FILTERS_MAX) {
        (void)error_set(err, ERROR_CONFIG, "Filters: %zu are too many, at most %d are allowed", n,
                        CRITERIA_FILTERS_MAX);
        return NULL;
    }
    struct criteria *c = mem_alloc(sizeof *c);
    c->data = data;
    criteria_data_init(&c->scratch);
    criteria_view_init(&c->views);
    for (size_t i = 0; i < n; i++) {
        c->patterns[i] = compile(data, patterns[i], &why);
        if (c->patterns[i] == NULL) {
            (void)error_set(err, ERROR_CONFIG, "Filters[%zu].Pattern: %s (line %u, column %u)", i,
                            why.text, why.line, why.column);
            criteria_free(c);
            return NULL;
        }
        c->n++;
        criteria_view_cut(&c->views, data, c->patterns[i], i);
    }
    c->filter = filter_new(criteria_view_patterns(&c->views), c->views.n);
    return c;
}

void criteria_free(struct criteria *c)
{
    if (c == NULL)
        return;
    filter_free(c->filter);
    criteria_view_free(&c->views);
    criteria_data_free(&c->scratch);
    for (size_t i = 0; i < c->n; i++)
        pattern_free(c->patterns[i]);
    free(c);
}

/* ---- what AWS would say ---- */

static void remark(const struct pattern *p, struct buf *out)
{
    if (p->beyond != NULL)
        buf_printf(out, "%s is documented for event buses, not for FilterCriteria", p->beyond);
}

void criteria_remark(const struct criteria_data *data, struct slice text, struct buf *out)
{
    struct pattern_error err;
    struct pattern *p = compile(data, text, &err);
    if (p != NULL)
        remark(p, out);
    pattern_free(p);
}

void criteria_warnings(const struct criteria *c, struct buf *out)
{
    if (c == NULL)
        return;
    if (c->n > CRITERIA_FILTERS_USUAL)
        buf_printf(out, "%zu filters; AWS takes more than %d only with a raised quota\n", c->n,
                   CRITERIA_FILTERS_USUAL);
    for (size_t i = 0; i < c->n; i++) {
        if (c->patterns[i]->beyond == NULL)
            continue;
        buf_printf(out, "Filters[%zu].Pattern: ", i);
        remark(c->patterns[i], out);
        buf_char(out, '\n');
    }
}

/* ---- matching ---- */

/* One record on its way through; the filter's reasons need graft and record until the end. */
struct look {
    struct criteria *c;
    struct slice json;
    struct criteria_value value;
    struct filter_graft graft;
    bool grafted;
};

static void graft(struct look *l, bool json)
{
    l->grafted = l->c->views.looks;
    l->graft = (struct filter_graft){.key = slice_of(l->c->data->key),
                                     .value = l->value.text,
                                     .json = json,
                                     .absent = l->value.kind == CRITERIA_ABSENT ||
                                               l->value.kind == CRITERIA_BINARY};
}

enum answer { NO, YES, UNREADABLE };

/* wanted: views that name one of these kinds count. */
static enum answer ask(struct look *l, unsigned kinds)
{
    const struct criteria *c = l->c;
    struct filter_match m;
    size_t at;
    if (!filter_match(c->filter, l->json, l->grafted ? &l->graft : NULL, &m, &at))
        return UNREADABLE;
    for (size_t i = 0; i < m.n; i++)
        if ((c->views.v[m.matched[i]].kinds & kinds) != 0)
            return YES;
    return NO;
}

static bool is_json(struct slice text)
{
    size_t at;
    return json_valid(text, &at);
}

static enum answer decide(struct look *l)
{
    const struct criteria *c = l->c;
    enum answer a = NO;
    if ((c->views.always & l->value.kind) != 0)
        return YES;
    graft(l, l->value.kind == CRITERIA_JSON);
    a = ask(l, l->value.kind);
    if (a == NO && l->value.kind == CRITERIA_TEXT && c->views.texts && is_json(l->value.text)) {
        graft(l, true);
        a = ask(l, CRITERIA_TEXT);
    }
    return a;
}

static const char *other_kind(enum criteria_kind kind)
{
    if (kind == CRITERIA_TEXT)
        return "is plain text, the pattern wants JSON";
    return kind == CRITERIA_JSON ? "is JSON, the pattern wants plain text" : "is not UTF-8";
}

/* Of each filter the first view that could have matched, or that none could. */
static void tell(const struct look *l, struct buf *why)
{
    const struct criteria *c = l->c;
    for (size_t i = 0; i < c->n; i++) {
        size_t v = 0;
        while (v < c->views.n &&
               (c->views.v[v].filter != i || (c->views.v[v].kinds & l->value.kind) == 0))
            v++;
        if (c->n > 1)
            buf_printf(why, "%sFilters[%zu]: ", i > 0 ? "; " : "", i);
        if (v < c->views.n)
            filter_why_text(c->filter, (uint32_t)v, why);
        else
            buf_printf(why, "\"%s\" %s", c->data->key, other_kind(l->value.kind));
    }
    buf_char(why, '\n');
}

bool criteria_pass(struct criteria *c, struct slice json, struct buf *why)
{
    if (c == NULL)
        return true;
    struct look l = {.c = c, .json = json, .value = {CRITERIA_ABSENT, SLICE_NONE}};
    if (c->views.looks)
        l.value = criteria_data_find(&c->scratch, c->data, json);
    enum answer a = decide(&l);
    if (a == NO && why != NULL)
        tell(&l, why);
    return a != NO;
}
