/* option_members.c - finds the members of a mapping that nothing would read, and names them. */
#include "config/names.h"
#include "config/option.h"

#include <string.h>

enum { MAX_CANDIDATES = 200 };

struct walk {
    const struct option_context *ctx;
    const struct option_members *members;
    bool ok;
};

/* What an option name says about prefix: the part behind it; empty when it is prefix itself. */
static bool below(const char *name, struct slice prefix, struct slice *part, bool *leaf)
{
    struct slice rest = slice_of(name);
    if (prefix.n > 0) {
        if (!slice_starts(rest, prefix.p) || rest.n <= prefix.n || rest.p[prefix.n] != '.')
            return false;
        rest = slice_from(rest, prefix.n + 1);
    }
    *part = slice_cut(&rest, '.');
    *leaf = rest.n == 0;
    return true;
}

enum kind { UNKNOWN, LEAF, GROUP };

static enum kind kind_of(const struct walk *w, struct slice prefix, struct slice key)
{
    struct slice part;
    bool leaf;
    const char *const *others = w->members->others;
    for (size_t i = 0; prefix.n == 0 && others != NULL && others[i] != NULL; i++)
        if (slice_is(key, others[i]))
            return LEAF;
    for (const struct option *const *t = w->members->tables; *t != NULL; t++)
        for (const struct option *o = *t; o->name != NULL; o++)
            if (below(o->name, prefix, &part, &leaf) && slice_eq(part, key))
                return leaf ? LEAF : GROUP;
    return UNKNOWN;
}

static const char *nearest(const struct walk *w, struct slice prefix, struct slice key)
{
    const char *candidates[MAX_CANDIDATES + 1];
    size_t n = 0;
    struct slice part;
    bool leaf;
    const char *const *others = w->members->others;
    for (size_t i = 0; prefix.n == 0 && others != NULL && others[i] != NULL; i++)
        if (n < MAX_CANDIDATES)
            candidates[n++] = others[i];
    for (const struct option *const *t = w->members->tables; *t != NULL; t++)
        for (const struct option *o = *t; o->name != NULL; o++)
            if (n < MAX_CANDIDATES && below(o->name, prefix, &part, &leaf))
                candidates[n++] = arena_dup(w->ctx->arena, part);
    candidates[n] = NULL;
    return names_nearest(key, candidates);
}

static void refuse(struct walk *w, struct slice prefix, const struct yaml_node *node)
{
    const char *why = NULL, *near = NULL;
    w->ok = false;
    if (prefix.n == 0 && w->members->refusal != NULL)
        why = w->members->refusal(w->members->ctx, node->key, w->ctx->arena);
    if (why == NULL)
        near = nearest(w, prefix, node->key);
    if (why != NULL)
        yaml_problem(w->ctx->problems, node, NULL, "%s", why);
    else if (near != NULL)
        yaml_problem(w->ctx->problems, node, NULL, "unknown member %s; did you mean %s?",
                     node->key.p, near);
    else
        yaml_problem(w->ctx->problems, node, NULL, "unknown member %s", node->key.p);
}

static void walk_mapping(struct walk *w, struct slice prefix, const struct yaml_node *mapping)
{
    for (const struct yaml_node *it = mapping->first; it != NULL; it = it->next) {
        enum kind kind = kind_of(w, prefix, it->key);
        if (kind == UNKNOWN) {
            refuse(w, prefix, it);
        } else if (kind == GROUP && !yaml_is_mapping(w->ctx->problems, it)) {
            w->ok = false;
        } else if (kind == GROUP) {
            const char *path = prefix.n == 0
                                   ? it->key.p
                                   : arena_printf(w->ctx->arena, "%s.%s", prefix.p, it->key.p);
            walk_mapping(w, slice_of(path), it);
        }
    }
}

bool option_check_members(const struct option_context *ctx, const struct option_members *members,
                          const struct yaml_node *mapping)
{
    struct walk w = {.ctx = ctx, .members = members, .ok = true};
    walk_mapping(&w, SLICE_NONE, mapping);
    return w.ok;
}

const struct option *option_by_name(const struct option *table, const char *name)
{
    for (const struct option *o = table; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}
