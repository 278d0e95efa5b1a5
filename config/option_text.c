/* option_text.c - options as text: the canonical values of a struct, and types for people. */
#include "base/digest.h"
#include "base/mem.h"
#include "config/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Equal secrets must give equal text, and no text may give away a secret. */
static void print_text(struct json_out *out, const struct option *o, const char *text)
{
    if (text == NULL) {
        json_null(out);
        return;
    }
    if ((o->flags & OPTION_SECRET) == 0) {
        json_cstr(out, text);
        return;
    }
    uint8_t digest[SHA256_LEN];
    char shown[sizeof "sha256:" + 2 * SHA256_LEN] = "sha256:";
    digest_sha256(slice_of(text), digest);
    digest_hex(digest, sizeof digest, shown + sizeof "sha256:" - 1);
    json_cstr(out, shown);
}

static void print_list(struct json_out *out, const struct option *o, const struct option_list *list)
{
    json_array(out);
    for (size_t i = 0; i < list->n; i++)
        print_text(out, o, list->v[i]);
    json_end(out);
}

struct pair {
    const char *name, *value;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

static void print_map(struct json_out *out, const struct option *o, const struct option_map *map)
{
    struct pair *pairs = mem_alloc((map->n + 1) * sizeof *pairs);
    for (size_t i = 0; i < map->n; i++)
        pairs[i] = (struct pair){map->names[i], map->values[i]};
    qsort(pairs, map->n, sizeof *pairs, by_name);
    json_object(out);
    for (size_t i = 0; i < map->n; i++) {
        json_key(out, pairs[i].name);
        print_text(out, o, pairs[i].value);
    }
    json_end(out);
    free(pairs);
}

static void print_value(struct json_out *out, const struct option *o, const void *field)
{
    switch (o->type) {
    case OPTION_INT:
    case OPTION_DURATION:
        json_i64(out, *(const int64_t *)field);
        break;
    case OPTION_CHOICE:
        json_cstr(out, o->choices[*(const int64_t *)field]);
        break;
    case OPTION_BOOL:
        json_bool(out, *(const bool *)field);
        break;
    case OPTION_STRING:
        print_text(out, o, *(const char *const *)field);
        break;
    case OPTION_LIST:
    case OPTION_FILTERS:
        print_list(out, o, field);
        break;
    case OPTION_MAP:
        print_map(out, o, field);
        break;
    }
}

void option_print(struct json_out *out, const struct option *table, const void *object)
{
    json_object(out);
    for (const struct option *o = table; o->name != NULL; o++) {
        json_key(out, o->name);
        print_value(out, o, (const char *)object + o->offset);
    }
    json_end(out);
}

void option_duration_text(int64_t ms, char *out, size_t n)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(units) && (ms == 0 || ms % units[i].ms != 0))
        i++;
    if (ms == 0)
        i = 3;
    snprintf(out, n, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

static void describe_choices(const struct option *o, struct buf *out)
{
    for (size_t i = 0; o->choices[i] != NULL; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", o->choices[i]);
}

static void describe_range(const struct option *o, struct buf *out)
{
    char min[32], max[32];
    if (o->min == 0 && o->max == 0)
        return;
    if (o->type == OPTION_INT) {
        buf_printf(out, ", %lld to %lld", (long long)o->min, (long long)o->max);
        return;
    }
    option_duration_text(o->min, min, sizeof min);
    option_duration_text(o->max, max, sizeof max);
    buf_printf(out, ", %s to %s", min, max);
}

void option_describe(const struct option *o, struct buf *out)
{
    static const char *const words[] = {
        [OPTION_INT] = "whole number",
        [OPTION_BOOL] = "true or false",
        [OPTION_STRING] = "text",
        [OPTION_DURATION] = "duration",
        [OPTION_CHOICE] = "one of ",
        [OPTION_LIST] = "list of text",
        [OPTION_MAP] = "mapping of names to text",
        [OPTION_FILTERS] = "{Filters: [{Pattern: JSON}]}, at most ",
    };
    bool path = (o->flags & OPTION_PATH) != 0 && o->type == OPTION_STRING;
    bool chosen = o->type == OPTION_LIST && o->choices != NULL;
    buf_str(out, path ? "path" : chosen ? "list of " : words[o->type]);
    if (o->type == OPTION_FILTERS)
        buf_printf(out, "%lld", (long long)o->max);
    if (o->type == OPTION_CHOICE || chosen)
        describe_choices(o, out);
    if (o->type == OPTION_INT || o->type == OPTION_DURATION)
        describe_range(o, out);
    if ((o->flags & OPTION_SECRET) != 0)
        buf_str(out, ", secret (or file:PATH)");
}
