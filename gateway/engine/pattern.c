/* pattern.c - compiles one event pattern: its objects, its fields and its $or. */
#include "engine/pattern.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "engine/pattern_parts.h"
#include <stdlib.h>
#include <string.h>

/* Paths of nested fields repeat the names around them: a bound on the product. */
enum { PATH_BYTES_MAX = 16 * 1024 * 1024 };

static bool read_object(struct pattern_compile *, struct pattern_all *, bool in_or);

static struct pattern_item *add_item(struct pattern_compile *c, struct pattern_all *all)
{
    struct pattern_item *item = arena_alloc(&c->pattern->arena, sizeof *item);
    if (all->last)
        all->last->next = item;
    else
        all->first = item;
    all->last = item;
    return item;
}

static void push_name(struct pattern_compile *c, struct slice name)
{
    if (c->names++)
        buf_char(&c->path, '.');
    buf_put(&c->path, name);
}

static bool read_field(struct pattern_compile *c, struct pattern_all *all)
{
    struct arena *arena = &c->pattern->arena;
    struct pattern_field *field = arena_alloc(arena, sizeof *field);
    struct slice path = buf_slice(&c->path);
    c->path_bytes += path.n;
    if (c->path.full || c->path_bytes > PATH_BYTES_MAX)
        return pattern_json_plain(&c->json, c->json.token_at,
                                  "Names of nested fields take more than %d bytes together",
                                  PATH_BYTES_MAX);
    field->path = (struct slice){arena_dup(arena, path), path.n};
    field->at = c->json.token_at;
    if (!pattern_value_read(c, field))
        return false;
    add_item(c, all)->field = field;
    all->n++;
    return true;
}

static size_t capped(size_t combos)
{
    return combos > PATTERN_BRANCHES_MAX ? PATTERN_BRANCHES_MAX + 1 : combos;
}

struct any_list {
    struct pattern_all *p;
    size_t n, cap;
};

static bool read_any(struct pattern_compile *c, struct any_list *any)
{
    struct pattern_json *j = &c->json;
    for (;;) {
        if (!pattern_json_next(j))
            return false;
        if (j->token == TOKEN_ARRAY_END)
            break;
        if (j->token != TOKEN_OBJECT)
            return pattern_json_fail(j, j->token_at,
                                     "Only JSON object is allowed in array of $or relationship.");
        if (any->n == any->cap) {
            any->cap = any->cap ? 2 * any->cap : 8;
            any->p = mem_realloc(any->p, any->cap * sizeof *any->p);
        }
        any->p[any->n] = (struct pattern_all){.combos = 1};
        if (!read_object(c, &any->p[any->n++], true))
            return false;
    }
    if (any->n < 2)
        return pattern_json_fail(j, j->token_at,
                                 "There must have at least 2 Objects in $or relationship.");
    return true;
}

/* At the name. */
static bool read_or(struct pattern_compile *c, struct pattern_all *all)
{
    struct pattern_json *j = &c->json;
    if (!c->or_at)
        c->or_at = j->token_at;
    if (!pattern_json_next(j))
        return false;
    if (j->token != TOKEN_ARRAY)
        return pattern_json_fail(j, j->token_at, "It must be an Array followed with $or.");
    struct any_list any = {0};
    bool ok = read_any(c, &any);
    if (ok) {
        struct pattern_item *item = add_item(c, all);
        struct pattern_all *kept = arena_alloc(&c->pattern->arena, any.n * sizeof *kept);
        memcpy(kept, any.p, any.n * sizeof *kept);
        item->any = kept;
        item->n_any = any.n;
        for (size_t i = 0; i < any.n; i++) {
            item->combos = capped(item->combos + kept[i].combos);
            all->n += kept[i].n;
        }
        all->combos = capped(all->combos * item->combos);
    }
    free(any.p);
    return ok;
}

/* At the name of a field. */
static bool read_member(struct pattern_compile *c, struct pattern_all *all, bool in_or)
{
    struct pattern_json *j = &c->json;
    struct slice name = j->word;
    size_t path_was = c->path.n;
    if (in_or && pattern_or_reserved(name))
        return pattern_json_fail(j, j->token_at,
                                 "%s is Ruler reserved fieldName which cannot be used inside $or.",
                                 pattern_json_show(name).text);
    push_name(c, name);
    size_t name_at = j->token_at;
    if (!pattern_json_next(j))
        return false;
    bool ok;
    if (j->token == TOKEN_OBJECT)
        ok = read_object(c, all, in_or);
    else if (j->token == TOKEN_ARRAY)
        ok = read_field(c, all);
    else
        ok = pattern_json_fail(j, name_at, "\"%s\" must be an object or an array",
                               pattern_json_show(name).text);
    c->path.n = path_was;
    c->names--;
    return ok;
}

/* At the OBJECT; to its end. */
static bool read_object(struct pattern_compile *c, struct pattern_all *all, bool in_or)
{
    struct pattern_json *j = &c->json;
    size_t at = j->token_at;
    bool any = false;
    for (;;) {
        if (!pattern_json_next(j))
            return false;
        if (j->token == TOKEN_OBJECT_END)
            break;
        any = true;
        bool is_or = slice_is(j->word, "$or") && !pattern_or_is_field(j);
        if (!(is_or ? read_or(c, all) : read_member(c, all, in_or)))
            return false;
    }
    return any || pattern_json_fail(j, at, "Empty objects are not allowed");
}

static bool compile(struct pattern_compile *c)
{
    struct pattern_json *j = &c->json;
    struct pattern_all all = {.combos = 1};
    if (!pattern_json_next(j))
        return false;
    if (j->token != TOKEN_OBJECT)
        return pattern_json_fail(j, j->token_at, "Filter is not an object");
    return read_object(c, &all, false) && pattern_json_end(j) && pattern_branch_make(c, &all);
}

static bool readable(struct slice text, size_t limit_bytes, struct pattern_error *err)
{
    struct pattern_json j;
    pattern_json_init(&j, text, NULL, err);
    if (text.n > limit_bytes)
        return pattern_json_plain(&j, limit_bytes, "Event pattern is longer than %zu bytes",
                                  limit_bytes);
    size_t valid = utf8_valid_prefix(text);
    j.at = valid;
    return valid == text.n || pattern_json_fail(&j, valid, "Invalid UTF-8 in the event pattern");
}

struct pattern *pattern_new(struct slice text, size_t limit_bytes, struct pattern_error *err)
{
    if (!readable(text, limit_bytes, err))
        return NULL;
    struct pattern *p = mem_alloc(sizeof *p);
    struct pattern_compile c = {.pattern = p};
    arena_init(&p->arena);
    p->text = (struct slice){arena_dup(&p->arena, text), text.n};
    pattern_json_init(&c.json, p->text, &p->arena, err);
    buf_init(&c.path, text.n + PATTERN_DEPTH_MAX);
    bool ok = compile(&c);
    buf_free(&c.path);
    free(c.values.p);
    free(c.parts.p);
    free(c.runs.p);
    if (ok)
        return p;
    pattern_free(p);
    return NULL;
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    arena_free(&p->arena);
    free(p);
}

void pattern_place(struct slice text, size_t at, unsigned *line, unsigned *column)
{
    pattern_json_place(text, at, false, line, column);
}
