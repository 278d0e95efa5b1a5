/* expand.c - puts the environment's values where the file names them. */
#include "config/expand.h"

#include "base/buf.h"
#include "base/utf8.h"
#include <string.h>

struct expander {
    const char *(*env)(const char *name);
    struct arena *arena;
    struct problems *problems;
    size_t total; /* bytes made so far */
};

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.n > 0;
}

/* s begins behind "${". Appends the value, returns the rest; false: reported. */
static bool put_variable(struct expander *x, struct yaml_node *node, struct slice *s,
                         struct buf *out)
{
    const char *end = memchr(s->p, '}', s->n);
    if (end == NULL) {
        yaml_problem(x->problems, node, NULL, "${ without } (write $${ for the two characters)");
        return false;
    }
    struct slice name = {s->p, (size_t)(end - s->p)};
    *s = slice_from(*s, name.n + 1);
    if (!is_name(name)) {
        yaml_problem(x->problems, node, NULL,
                     "${" SLICE_FMT "} does not name an environment variable (write $${ for the "
                     "two characters)",
                     SLICE_ARG(name));
        return false;
    }
    const char *value = x->env(arena_dup(x->arena, name));
    if (value == NULL) {
        yaml_problem(x->problems, node, NULL, "environment variable " SLICE_FMT " is not set",
                     SLICE_ARG(name));
        return false;
    }
    if (!utf8_valid(slice_of(value))) {
        yaml_problem(x->problems, node, NULL,
                     "the value of environment variable " SLICE_FMT " is not UTF-8 text",
                     SLICE_ARG(name));
        return false;
    }
    buf_str(out, value);
    return true;
}

static bool expand_text(struct expander *x, struct yaml_node *node, struct buf *out)
{
    struct slice s = node->text;
    while (s.n > 0) {
        if (slice_starts(s, "$${")) {
            buf_str(out, "${");
            s = slice_from(s, 3);
        } else if (slice_starts(s, "${")) {
            s = slice_from(s, 2);
            if (!put_variable(x, node, &s, out))
                return false;
        } else {
            const char *next = memchr(s.p + 1, '$', s.n - 1);
            size_t n = next != NULL ? (size_t)(next - s.p) : s.n;
            buf_put(out, (struct slice){s.p, n});
            s = slice_from(s, n);
        }
    }
    x->total += out->n;
    if (!out->full && x->total <= EXPAND_MAX_TOTAL)
        return true;
    yaml_problem(x->problems, node, NULL, "longer than %d bytes once its variables are filled in",
                 EXPAND_MAX_BYTES);
    return false;
}

static void expand_scalar(struct expander *x, struct yaml_node *node)
{
    if (node->text.n < 2 || memmem(node->text.p, node->text.n, "${", 2) == NULL)
        return;
    struct buf out;
    buf_init(&out, EXPAND_MAX_BYTES);
    if (expand_text(x, node, &out))
        node->text = (struct slice){arena_dup(x->arena, buf_slice(&out)), out.n};
    else
        node->bad = true;
    buf_free(&out);
}

static void expand_node(struct expander *x, struct yaml_node *node)
{
    if (node->type == YAML_SCALAR)
        expand_scalar(x, node);
    for (struct yaml_node *it = node->first; it != NULL; it = it->next)
        expand_node(x, it);
}

void expand_tree(struct yaml_node *root, const char *(*env)(const char *name), struct arena *arena,
                 struct problems *problems)
{
    struct expander x = {.env = env, .arena = arena, .problems = problems};
    expand_node(&x, root);
}
