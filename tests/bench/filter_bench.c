/* filter_bench.c - event patterns beside a bare parse of the same event by cJSON.
 *
 * filter_bench [SECONDS] -> one line of JSON for each figure: events of 1 KB and 250 KB against
 * 1, 5 and 1,000 patterns of a usual mix, and against 1,000 that all ask for one value. Each is
 * measured in turns with cJSON's parse and free; ratio is ours to cJSON's. */
#include "bench.h"

#include "base/buf.h"
#include "base/json_in.h"
#include "engine/filter.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EVENTS = 16, SMALL = 1000, LARGE = 250 * 1000, PATTERNS = 1000, TURNS = 9 };

static double seconds = 0.5;
static uint64_t state = 88172645463325252u;
static struct buf events[EVENTS];

/* The same numbers in every run. */
static unsigned draw(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 33) % n);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The i-th of n patterns, of all PATTERNS; of a few, each is of another kind. */
static unsigned number(unsigned i, unsigned n)
{
    return n == PATTERNS ? i : i * (PATTERNS / n) + i;
}

/* ---- events */

static void add_item(struct buf *b, unsigned i)
{
    static const char *const states[] = {"running", "stopped", "pending", "terminated"};
    buf_printf(b,
               "{\"itemId\":\"i-%08x%08x\",\"sku\":\"SKU-%05u\",\"quantity\":%u,\"price\":%u.%02u,"
               "\"state\":\"%s\",\"tags\":[\"t%u\",\"blue\"],\"note\":\"line %u \\u00b7 \\\"as is"
               "\\\"\",\"fragile\":%s}",
               draw(1u << 31), draw(1u << 31), draw(100000), draw(100), draw(1000), draw(100),
               states[draw(4)], draw(50), i, draw(2) ? "true" : "false");
}

/* Every second one is for one of n patterns. */
static void make_event(struct buf *b, size_t size, unsigned n)
{
    unsigned k = draw(2) ? number(draw(n), n) : draw(PATTERNS);
    buf_init(b, 1 << 20);
    buf_printf(b,
               "{\"version\":\"0\",\"id\":\"%08x-53b5-4f1e-9c1c-%012u\",\"detail-type\":"
               "\"Order %u Changed\",\"source\":\"com.example.shop%u\",\"account\":\"%012u\","
               "\"time\":\"2024-05-0%uT12:%02u:%02uZ\",\"region\":\"eu-central-1\",\"resources\":"
               "[\"arn:aws:sqs:eu-central-1:123456789012:queue%u\"],\"detail\":{\"orderId\":"
               "\"o-%u\",\"path\":\"/api/v%u/orders/%u/items/%u\",\"amount\":%u.%02u,\"value\":",
               draw(1u << 31), draw(1u << 31), k, k, k, 1 + draw(9), draw(60), draw(60), k,
               draw(1u << 31), k, draw(10000), draw(100), draw(20000), draw(100));
    if (draw(2))
        buf_printf(b, "%u", draw(10000));
    else
        buf_printf(b, "\"a%ub%uc%u\"", draw(1000), draw(1000), draw(1000));
    buf_printf(b, ",\"state\":\"running\",\"customer\":{\"name\":\"Ann Example\",\"address\":"
                  "{\"street\":\"1 Long Road\",\"city\":\"Springfield\",\"zip\":\"12345\"}},"
                  "\"items\":[");
    for (unsigned i = 0; i == 0 || b->n + 200 < size; i++) {
        if (i)
            buf_char(b, ',');
        add_item(b, i);
    }
    buf_str(b, "]}}");
}

/* ---- patterns */

/* What rules usually ask: who sent it, what it is, and a little of what is in it. */
static void usual(struct buf *b, unsigned k)
{
    static const char *const texts[] = {
        "{\"source\":[\"com.example.shop%u\"],\"detail-type\":[\"Order %u Changed\"]}",
        "{\"source\":[\"com.example.shop%u\"],\"detail\":{\"state\":[\"running\",\"v%u\"]}}",
        "{\"detail-type\":[\"Order %u Changed\"],\"detail\":{\"amount\":[{\"numeric\":"
        "[\">\",%u,\"<=\",15000.5]}]}}",
        "{\"source\":[\"com.example.shop%u\"],\"detail\":{\"state\":[{\"anything-but\":"
        "[\"stopped\",\"s%u\"]}]}}",
        "{\"resources\":[{\"prefix\":\"arn:aws:sqs:eu-central-1:123456789012:queue%u\"}],"
        "\"account\":[{\"anything-but\":\"%u\"}]}",
        "{\"detail\":{\"path\":[{\"wildcard\":\"/api/v%u/*/items/*\"}],\"orderId\":"
        "[{\"prefix\":\"o-\"},\"%u\"]}}",
        "{\"source\":[\"com.example.shop%u\"],\"detail\":{\"error\":[{\"exists\":false}],"
        "\"orderId\":[{\"exists\":true},\"%u\"]}}",
        "{\"account\":[\"%012u\"],\"detail\":{\"items\":{\"sku\":[{\"prefix\":\"SKU-0\"}],"
        "\"quantity\":[{\"numeric\":[\"<\",%u]}]}}}",
    };
    buf_printf(b, texts[k % (sizeof texts / sizeof *texts)], k, k);
}

/* All ask for the one value that has no exact answer. */
static void unkind(struct buf *b, unsigned k)
{
    if (k % 2)
        buf_printf(b, "{\"detail\":{\"value\":[{\"wildcard\":\"*%ub*c%u*\"}]}}", k % 100, k % 10);
    else
        buf_printf(b, "{\"detail\":{\"value\":[{\"numeric\":[\">=\",%u,\"<\",%u]}]}}", 10 * k,
                   10 * k + 25);
}

static const struct pattern *compiled(void (*write)(struct buf *, unsigned), unsigned k)
{
    struct buf text;
    struct pattern_error err;
    buf_init(&text, 4096);
    write(&text, k);
    struct pattern *p = pattern_new(buf_slice(&text), 4096, &err);
    if (!p)
        bench_die("%s: %s", text.p, err.text);
    buf_free(&text);
    return p;
}

/* ---- measuring: ns per event */

struct figure {
    double ns, matches;
};

static struct figure measure(struct filter *f)
{
    struct figure figure = {0, 0};
    int64_t until = now_ns() + (int64_t)(seconds / TURNS * 1e9), begun = now_ns(), now;
    size_t n = 0, matches = 0, at;
    do {
        for (size_t i = 0; i < EVENTS; i++, n++) {
            struct slice event = buf_slice(&events[i]);
            struct filter_match m;
            if (f == NULL) {
                cJSON *root = cJSON_ParseWithLength(event.p, event.n);
                matches += root != NULL;
                cJSON_Delete(root);
            } else if (filter_match(f, event, NULL, &m, &at)) {
                matches += m.n;
            } else {
                bench_die("not JSON at %zu: %.80s", at, event.p + at);
            }
        }
        now = now_ns();
    } while (now < until);
    figure.ns = (double)(now - begun) / (double)n;
    figure.matches = (double)matches / (double)n;
    return figure;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, TURNS, sizeof *values, by_value);
    return values[TURNS / 2];
}

static void run(const char *name, size_t size, unsigned n, void (*write)(struct buf *, unsigned))
{
    static const struct pattern *patterns[PATTERNS];
    double ours[TURNS], theirs[TURNS], matches = 0, bytes = 0;
    for (unsigned i = 0; i < n; i++)
        patterns[i] = compiled(write, number(i, n));
    for (size_t i = 0; i < EVENTS; i++) {
        make_event(&events[i], size, n);
        bytes += (double)events[i].n / EVENTS;
    }
    struct filter *f = filter_new(patterns, n);
    for (int turn = 0; turn < TURNS; turn++) {
        struct figure figure = measure(f);
        ours[turn] = figure.ns;
        matches = figure.matches;
        theirs[turn] = measure(NULL).ns;
    }
    double ns = median(ours), cjson = median(theirs);
    printf(
        "{\"name\": \"%s\", \"bytes\": %.0f, \"patterns\": %u, \"ns\": %.0f, \"mb_per_s\": %.0f, "
        "\"events_per_s\": %.0f, \"matches\": %.3f, \"cjson_ns\": %.0f, \"ratio\": %.3f}\n",
        name, bytes, n, ns, bytes / ns * 1e3, 1e9 / ns, matches, cjson, ns / cjson);
    fflush(stdout);
    filter_free(f);
    for (unsigned i = 0; i < n; i++)
        pattern_free((struct pattern *)(uintptr_t)patterns[i]);
    for (size_t i = 0; i < EVENTS; i++)
        buf_free(&events[i]);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds = strtod(argv[1], NULL);
    static const struct {
        const char *name;
        size_t size;
    } sizes[] = {{"small", SMALL}, {"large", LARGE}};
    for (size_t i = 0; i < 2; i++) {
        state = 88172645463325252u;
        run(sizes[i].name, sizes[i].size, 1, usual);
        run(sizes[i].name, sizes[i].size, 5, usual);
        run(sizes[i].name, sizes[i].size, PATTERNS, usual);
        run(i == 0 ? "small-unkind" : "large-unkind", sizes[i].size, PATTERNS, unkind);
    }
    return 0;
}
