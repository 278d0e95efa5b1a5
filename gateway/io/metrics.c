/* metrics.c - counters, gauges and histograms by name and labels, and their Prometheus text. */
#include "io/metrics.h"
#include "base/map.h"
#include "base/mem.h"
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double bounds[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,
                                1,     2,     5,     10,   30,   60,   300, 900};
static const char *const bound_names[] = {"0.001", "0.002", "0.005", "0.01", "0.02", "0.05",
                                          "0.1",   "0.2",   "0.5",   "1",    "2",    "5",
                                          "10",    "30",    "60",    "300",  "900"};
enum { BOUNDS = ARRAY_LEN(bounds) };
static_assert(ARRAY_LEN(bounds) == ARRAY_LEN(bound_names), "one name per bound");

static const char *const type_names[] = {"counter", "gauge", "histogram"};

struct metric {
    struct family *family;
    char *labels;
    size_t holds;
    double value;       /* histogram: the sum */
    uint64_t count;     /* histogram: of observations */
    uint64_t buckets[]; /* histogram: BOUNDS of them, not cumulated */
};

struct family {
    char *name, *help;
    enum metric_type type;
    struct map metrics; /* by labels */
};

struct metrics {
    struct map families; /* by name */
};

struct metrics *metrics_new(void)
{
    struct metrics *m = mem_alloc(sizeof *m);
    map_init(&m->families);
    return m;
}

static void metric_free(struct metric *m)
{
    free(m->labels);
    free(m);
}

static void family_free(struct family *f)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&f->metrics, &at, &key, &value))
        metric_free(value);
    map_free(&f->metrics);
    free(f->name);
    free(f->help);
    free(f);
}

void metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&m->families, &at, &key, &value))
        family_free(value);
    map_free(&m->families);
    free(m);
}

static struct family *family_get(struct metrics *m, enum metric_type type, const char *name,
                                 const char *help)
{
    struct family *f = map_get(&m->families, slice_of(name));
    if (f == NULL) {
        f = mem_alloc(sizeof *f);
        f->name = mem_strdup(name);
        f->help = mem_strdup(help);
        f->type = type;
        map_init(&f->metrics);
        map_set(&m->families, slice_of(name), f);
    }
    assert(f->type == type);
    return f;
}

struct metric *metrics_get(struct metrics *m, enum metric_type type, const char *name,
                           const char *help, const char *labels)
{
    struct family *f = family_get(m, type, name, help);
    struct metric *x = map_get(&f->metrics, slice_of(labels));
    if (x == NULL) {
        size_t n = type == METRIC_HISTOGRAM ? BOUNDS : 0;
        x = mem_alloc(sizeof *x + n * sizeof x->buckets[0]);
        x->family = f;
        x->labels = mem_strdup(labels);
        map_set(&f->metrics, slice_of(labels), x);
    }
    x->holds++;
    return x;
}

void metrics_put(struct metrics *m, struct metric *x)
{
    if (x == NULL)
        return;
    assert(x->holds > 0);
    if (--x->holds > 0)
        return;
    struct family *f = x->family;
    map_del(&f->metrics, slice_of(x->labels));
    metric_free(x);
    if (f->metrics.n > 0)
        return;
    map_del(&m->families, slice_of(f->name));
    family_free(f);
}

static void put_escaped(struct buf *out, const char *s, bool quotes)
{
    for (; *s != '\0'; s++) {
        if (*s == '\n')
            buf_str(out, "\\n");
        else if (*s == '\\' || (quotes && *s == '"'))
            buf_printf(out, "\\%c", *s);
        else
            buf_char(out, *s);
    }
}

void metrics_label(struct buf *out, const char *name, const char *value)
{
    if (out->n > 0)
        buf_char(out, ',');
    buf_printf(out, "%s=\"", name);
    put_escaped(out, value, true);
    buf_char(out, '"');
}

void metric_inc(struct metric *x)
{
    x->value++;
}

void metric_add(struct metric *x, double by)
{
    x->value += by;
}

void metric_set(struct metric *x, double to)
{
    x->value = to;
}

void metric_observe(struct metric *x, double seconds)
{
    assert(x->family->type == METRIC_HISTOGRAM);
    x->count++;
    x->value += seconds;
    for (size_t i = 0; i < BOUNDS; i++) {
        if (seconds <= bounds[i]) {
            x->buckets[i]++;
            return;
        }
    }
}

double metric_value(const struct metric *x)
{
    return x->family->type == METRIC_HISTOGRAM ? (double)x->count : x->value;
}

/* ---- text */

static void put_number(struct buf *out, double v)
{
    if (isnan(v) || isinf(v)) {
        buf_str(out, isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        double back = strtod(text, NULL);
        if (back >= v && back <= v)
            break;
    }
    buf_str(out, text);
}

static void put_line(struct buf *out, const struct metric *x, const char *suffix, const char *le,
                     double v)
{
    buf_printf(out, "%s%s", x->family->name, suffix);
    if (x->labels[0] != '\0' || le != NULL) {
        buf_printf(out, "{%s", x->labels);
        if (le != NULL)
            buf_printf(out, "%sle=\"%s\"", x->labels[0] != '\0' ? "," : "", le);
        buf_char(out, '}');
    }
    buf_char(out, ' ');
    put_number(out, v);
    buf_char(out, '\n');
}

static void put_metric(struct buf *out, const struct metric *x)
{
    if (x->family->type != METRIC_HISTOGRAM) {
        put_line(out, x, "", NULL, x->value);
        return;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < BOUNDS; i++) {
        sum += x->buckets[i];
        put_line(out, x, "_bucket", bound_names[i], (double)sum);
    }
    put_line(out, x, "_bucket", "+Inf", (double)x->count);
    put_line(out, x, "_sum", NULL, x->value);
    put_line(out, x, "_count", NULL, (double)x->count);
}

static int by_name(const void *a, const void *b)
{
    const struct family *const *fa = a, *const *fb = b;
    return strcmp((*fa)->name, (*fb)->name);
}

static int by_labels(const void *a, const void *b)
{
    const struct metric *const *xa = a, *const *xb = b;
    return strcmp((*xa)->labels, (*xb)->labels);
}

/* Returns the values of m in order; free() it. */
static void **sorted(const struct map *m, int (*order)(const void *, const void *))
{
    void **all = mem_alloc((m->n + 1) * sizeof *all);
    size_t at = 0, n = 0;
    struct slice key;
    while (n < m->n && map_next(m, &at, &key, &all[n]))
        n++;
    qsort(all, n, sizeof *all, order);
    return all;
}

static void put_family(struct buf *out, const struct family *f)
{
    buf_printf(out, "# HELP %s ", f->name);
    put_escaped(out, f->help, false);
    buf_printf(out, "\n# TYPE %s %s\n", f->name, type_names[f->type]);
    void **all = sorted(&f->metrics, by_labels);
    for (size_t i = 0; i < f->metrics.n; i++)
        put_metric(out, all[i]);
    free(all);
}

void metrics_render(const struct metrics *m, struct buf *out)
{
    void **all = sorted(&m->families, by_name);
    for (size_t i = 0; i < m->families.n; i++)
        put_family(out, all[i]);
    free(all);
}
