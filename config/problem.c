/* problem.c - the list of problems, sorted and made safe for a terminal. */
#include "config/problem.h"

#include "base/buf.h"
#include "base/excerpt.h"
#include "base/mem.h"
#include "base/utf8.h"
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_BYTES = 1500, EXCERPT_MAX_BYTES = 4096 };

struct problem {
    unsigned line;
    size_t order; /* qsort is not stable */
    char *text;
    char *excerpt; /* NULL: none */
};

void problem_init(struct problems *p, const char *file)
{
    *p = (struct problems){.file = file};
}

static void free_problem(struct problem *it)
{
    free(it->text);
    free(it->excerpt);
}

void problem_free(struct problems *p)
{
    for (size_t i = 0; i < p->n; i++)
        free_problem(&p->v[i]);
    free(p->v);
    problem_init(p, p->file);
}

/* The text may hold what the file holds: a terminal must not obey it. */
static void add_safe(struct buf *out, struct slice s)
{
    size_t whole = utf8_valid_prefix(s);
    for (size_t i = 0; i < whole; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\n')
            buf_str(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_char(out, (char)c);
    }
    if (whole < s.n)
        buf_str(out, "…");
}

void problem_addv(struct problems *p, unsigned line, const char *path, const char *fmt,
                  va_list args)
{
    p->total++;
    if (p->n == PROBLEM_MAX_KEPT)
        return;
    char raw[LINE_MAX_BYTES];
    int used = path[0] == '\0' ? 0 : snprintf(raw, sizeof raw, "%s: ", path);
    size_t at = used < LINE_MAX_BYTES ? (size_t)used : sizeof raw - 1;
    used = vsnprintf(raw + at, sizeof raw - at, fmt, args);
    struct buf safe;
    buf_init(&safe, 8 * LINE_MAX_BYTES);
    add_safe(&safe, slice_of(raw));
    if ((size_t)used >= sizeof raw - at && !slice_ends(buf_slice(&safe), "…"))
        buf_str(&safe, "…");
    p->v = mem_realloc(p->v, (p->n + 1) * sizeof *p->v);
    p->v[p->n] = (struct problem){.line = line, .order = p->n, .text = buf_steal(&safe)};
    p->n++;
}

void problem_add(struct problems *p, unsigned line, const char *path, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    problem_addv(p, line, path, fmt, args);
    va_end(args);
}

void problem_excerpt(struct problems *p, struct slice text, size_t at)
{
    if (p->n == 0 || p->n != p->total || p->v[p->n - 1].excerpt != NULL)
        return;
    struct buf out;
    buf_init(&out, EXCERPT_MAX_BYTES);
    excerpt_put(&out, text, at);
    p->v[p->n - 1].excerpt = buf_steal(&out);
}

static int by_line(const void *a, const void *b)
{
    const struct problem *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

void problem_report(struct problems *p, struct catalog_errors *out)
{
    out->n = 0;
    out->lines = mem_alloc((PROBLEM_MAX_LINES + 1) * sizeof *out->lines);
    out->excerpts = mem_alloc((PROBLEM_MAX_LINES + 1) * sizeof *out->excerpts);
    if (p->n > 1)
        qsort(p->v, p->n, sizeof *p->v, by_line);
    for (size_t i = 0; i < p->n && i < PROBLEM_MAX_LINES; i++) {
        struct problem *it = &p->v[i];
        out->excerpts[out->n] = it->excerpt;
        it->excerpt = NULL;
        out->lines[out->n++] = it->line == 0 ? mem_printf("%s: %s", p->file, it->text)
                                             : mem_printf("%s:%u: %s", p->file, it->line, it->text);
    }
    if (p->total > PROBLEM_MAX_LINES)
        out->lines[out->n++] = mem_printf("… and %zu more", p->total - PROBLEM_MAX_LINES);
}
