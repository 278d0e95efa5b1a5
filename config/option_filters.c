/* option_filters.c - FilterCriteria as SAM writes it: {Filters: [{Pattern: JSON}]}. */
#include "base/json_in.h"
#include "config/names.h"
#include "config/option.h"

enum { PATTERN_TEXT_MAX_BYTES = 1024 * 1024 };

static bool expected(const struct option_context *ctx, const struct yaml_node *node,
                     const char *what)
{
    if (!node->bad)
        yaml_problem(ctx->problems, node, NULL, "expected %s, found %s", what,
                     yaml_describe(ctx->arena, node));
    return false;
}

/* Refuses every member but one. */
static bool only(const struct option_context *ctx, const struct yaml_node *mapping,
                 const char *name)
{
    const char *const names[] = {name, NULL};
    bool ok = true;
    for (const struct yaml_node *it = mapping->first; it != NULL; it = it->next) {
        if (slice_is(it->key, name))
            continue;
        ok = false;
        if (names_nearest(it->key, names) != NULL)
            yaml_problem(ctx->problems, it, NULL, "unknown member %s; did you mean %s?", it->key.p,
                         name);
        else
            yaml_problem(ctx->problems, it, NULL, "unknown member %s; only %s can stand here",
                         it->key.p, name);
    }
    return ok;
}

/* What is not quoted and would be a number or a word of JSON is that; everything else is text. */
static void put_scalar(struct json_out *out, const struct yaml_node *node)
{
    size_t at;
    struct slice t = node->text;
    bool word = !node->quoted && t.n > 0 && t.p[0] != '"' && json_valid(t, &at);
    if (word)
        json_raw(out, t);
    else if (node->null)
        json_null(out);
    else
        json_str(out, t);
}

/* False: a part of it was reported as unusable already. */
static bool put_node(struct json_out *out, const struct yaml_node *node)
{
    bool ok = !node->bad;
    if (node->type == YAML_SCALAR) {
        put_scalar(out, node);
        return ok;
    }
    bool object = node->type == YAML_MAPPING;
    if (object)
        json_object(out);
    else
        json_array(out);
    for (const struct yaml_node *it = node->first; it != NULL; it = it->next) {
        if (object)
            json_key_slice(out, it->key);
        ok &= put_node(out, it);
    }
    json_end(out);
    return ok;
}

/* The pattern as text; NULL: reported. Written as YAML or JSON itself instead of as a string with
 * JSON in it, it means the same. */
static const char *pattern_of(const struct option_context *ctx, const struct yaml_node *node)
{
    static const char what[] = "text that holds a pattern in JSON";
    const char *text = NULL;
    if (node->bad)
        return NULL;
    if (node->type == YAML_SCALAR && !node->null)
        return node->text.p;
    if (node->type != YAML_MAPPING) {
        (void)expected(ctx, node, what);
        return NULL;
    }
    struct buf b;
    struct json_out out;
    buf_init(&b, PATTERN_TEXT_MAX_BYTES);
    json_out_init(&out, &b);
    if (put_node(&out, node) && !b.full)
        text = arena_dup(ctx->arena, buf_slice(&b));
    else if (b.full)
        (void)expected(ctx, node, what);
    buf_free(&b);
    return text;
}

static bool add_filter(const struct option_context *ctx, const struct yaml_node *node,
                       struct option_list *list)
{
    const char **place = &list->v[list->n++];
    if (!yaml_is_mapping(ctx->problems, node))
        return false;
    bool ok = only(ctx, node, "Pattern");
    const struct yaml_node *pattern = yaml_find(node, "Pattern");
    *place = pattern != NULL ? pattern_of(ctx, pattern) : NULL;
    if (pattern == NULL)
        yaml_problem(ctx->problems, node, "Pattern", "is required");
    return ok && *place != NULL;
}

bool option_set_filters(const struct option_context *ctx, const struct option *o,
                        const struct yaml_node *node, struct option_list *list)
{
    if (!yaml_is_mapping(ctx->problems, node))
        return false;
    bool ok = only(ctx, node, "Filters");
    const struct yaml_node *filters = yaml_find(node, "Filters");
    *list = (struct option_list){.n = 0};
    if (filters == NULL)
        return ok;
    if (filters->bad || filters->type != YAML_SEQUENCE)
        return expected(ctx, filters, "a list of filters");
    if (filters->count > (size_t)o->max) {
        yaml_problem(ctx->problems, filters, NULL, "%zu filters are too many: at most %lld",
                     filters->count, (long long)o->max);
        return false;
    }
    list->v = arena_alloc(ctx->arena, (filters->count + 1) * sizeof *list->v);
    for (const struct yaml_node *it = filters->first; it != NULL; it = it->next)
        ok &= add_filter(ctx, it, list);
    return ok;
}

const struct yaml_node *option_filter_node(const struct yaml_node *criteria, size_t i)
{
    const struct yaml_node *filters = yaml_find(criteria, "Filters");
    const struct yaml_node *it = filters != NULL ? filters->first : NULL;
    while (it != NULL && i-- > 0)
        it = it->next;
    return yaml_find(it, "Pattern");
}
