/* pattern_wildcard.c - the text of a wildcard, cut at its stars. */
#include "engine/pattern_parts.h"

#include <string.h>

/* i is at a backslash, whose positions are told as within the quoted text. */
static bool escapes(struct slice s, size_t i)
{
    return i + 1 < s.n && (s.p[i + 1] == '*' || s.p[i + 1] == '\\');
}

static void add_run(struct pattern_compile *c, char *p, size_t n, size_t at)
{
    struct pattern_value *run = pattern_value_add(&c->runs, at);
    run->kind = PATTERN_STRING;
    run->text = (struct slice){p, n};
}

bool pattern_wildcard_read(struct pattern_compile *c, struct slice text, size_t at,
                           struct pattern_value *v)
{
    struct arena *arena = &c->pattern->arena;
    char *run = arena_alloc(arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char b = text.p[i];
        if (b == '*') {
            if (i + 1 < text.n && text.p[i + 1] == '*')
                return pattern_json_fail(&c->json, at, "Consecutive wildcard characters at pos %zu",
                                         i + 1);
            add_run(c, run, n, at);
            run += n;
            n = 0;
            continue;
        }
        if (b == '\\') {
            if (!escapes(text, i))
                return pattern_json_fail(&c->json, at, "Invalid escape character at pos %zu",
                                         i + 1);
            b = text.p[++i];
        }
        run[n++] = b;
    }
    add_run(c, run, n, at);
    v->kind = PATTERN_WILDCARD;
    v->text = text;
    v->parts = pattern_value_take(&c->runs, arena, &v->n_parts);
    return true;
}
