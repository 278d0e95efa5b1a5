/* yaml_node.c - finding nodes and telling where they stand. */
#include "base/buf.h"
#include "base/utf8.h"
#include "config/yaml.h"

struct yaml_node *yaml_get(const struct yaml_node *mapping, struct slice key)
{
    if (mapping == NULL || mapping->type != YAML_MAPPING)
        return NULL;
    for (struct yaml_node *it = mapping->first; it != NULL; it = it->next)
        if (slice_eq(it->key, key))
            return it;
    return NULL;
}

struct yaml_node *yaml_find(const struct yaml_node *mapping, const char *dotted)
{
    struct slice rest = slice_of(dotted);
    struct yaml_node *node = yaml_get(mapping, slice_cut(&rest, '.'));
    while (node != NULL && rest.n > 0)
        node = yaml_get(node, slice_cut(&rest, '.'));
    return node;
}

unsigned yaml_line(const struct yaml_node *node)
{
    return node->key_line != 0 ? node->key_line : node->line;
}

static size_t index_of(const struct yaml_node *item)
{
    size_t i = 0;
    for (const struct yaml_node *it = item->parent->first; it != item; it = it->next)
        i++;
    return i;
}

char *yaml_path(struct arena *arena, const struct yaml_node *node)
{
    const struct yaml_node *chain[YAML_MAX_DEPTH + 1];
    size_t n = 0;
    for (; node->parent != NULL; node = node->parent)
        if (!node->silent)
            chain[n++] = node;
    struct buf out;
    buf_init(&out, YAML_MAX_BYTES);
    while (n-- > 0) {
        const struct yaml_node *it = chain[n];
        if (it->key_line == 0)
            buf_printf(&out, "[%zu]", index_of(it));
        else
            buf_printf(&out, "%s%s", out.n > 0 ? "." : "", it->key.p);
    }
    char *path = arena_dup(arena, buf_slice(&out));
    buf_free(&out);
    return path;
}

const char *yaml_describe(struct arena *arena, const struct yaml_node *node)
{
    enum { SHOWN_BYTES = 80 };
    if (node->type == YAML_MAPPING)
        return "a mapping";
    if (node->type == YAML_SEQUENCE)
        return "a list";
    if (node->null)
        return "nothing";
    if (node->text.n <= SHOWN_BYTES)
        return arena_printf(arena, "'%s'", node->text.p);
    size_t whole = utf8_valid_prefix((struct slice){node->text.p, SHOWN_BYTES});
    return arena_printf(arena, "'%.*s…'", (int)whole, node->text.p);
}

void yaml_problem(struct problems *problems, const struct yaml_node *node, const char *member,
                  const char *fmt, ...)
{
    if (problems->n == PROBLEM_MAX_KEPT) {
        problems->total++;
        return;
    }
    struct arena scratch;
    arena_init(&scratch);
    char *path = yaml_path(&scratch, node);
    if (member != NULL)
        path = arena_printf(&scratch, "%s%s%s", path, path[0] != '\0' ? "." : "", member);
    va_list args;
    va_start(args, fmt);
    problem_addv(problems, yaml_line(node), path, fmt, args);
    va_end(args);
    arena_free(&scratch);
}

bool yaml_is_mapping(struct problems *problems, const struct yaml_node *node)
{
    if (node->bad || node->type == YAML_MAPPING)
        return !node->bad;
    struct arena scratch;
    arena_init(&scratch);
    yaml_problem(problems, node, NULL, "expected a mapping (Name: value), found %s",
                 yaml_describe(&scratch, node));
    arena_free(&scratch);
    return false;
}
