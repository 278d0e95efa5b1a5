/* option_thing.h - a struct with a field of every type, its table, and helpers to fill it from
 * text. For one test program each. */
#ifndef OPTION_THING_H
#define OPTION_THING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "config/option.h"
#include <string.h>

struct thing {
    int64_t size, unset, wait_ms, color, deep;
    bool on;
    const char *name, *dir, *password;
    struct option_list colors, words;
    struct option_map vars, secrets;
};

static const char *const colors[] = {"red", "green", NULL};
static const struct option table[] = {
    OPT_INT(struct thing, size, "BatchSize", "10", 1, 10000, 0, "How many."),
    OPT_INT(struct thing, unset, "Reserved", NULL, 0, 100, OPTION_UNSET, "Set aside."),
    OPT_INT(struct thing, deep, "ScalingConfig.MaximumConcurrency", NULL, 2, 1000, OPTION_UNSET,
            "At once."),
    OPT_BOOL(struct thing, on, "Enabled", "true", 0, "On or off."),
    OPT_STRING(struct thing, name, "Queue", NULL, OPTION_REQUIRED, "The queue's ARN."),
    OPT_STRING(struct thing, dir, "CodeUri", ".", OPTION_PATH, "A directory."),
    OPT_STRING(struct thing, password, "Password", NULL, OPTION_SECRET, "Secret."),
    OPT_DURATION(struct thing, wait_ms, "Drain", "20s", 1000, 3600000, OPTION_X, "How long."),
    OPT_CHOICE(struct thing, color, "Color", "green", colors, 0, "Which."),
    OPT_LIST(struct thing, colors, "Colors", colors, 0, "Which ones."),
    OPT_LIST(struct thing, words, "Command", NULL, OPTION_X | OPTION_SELECTS, "Words."),
    OPT_MAP(struct thing, vars, "Environment.Variables", 0, "Variables."),
    OPT_MAP(struct thing, secrets, "Headers", OPTION_SECRET, "Headers."),
    OPT_END};

struct fixture {
    struct arena arena;
    struct problems problems;
    struct option_context ctx;
    struct thing thing;
    bool ok;
};

static const char *refusal(const void *ctx, struct slice name, struct arena *arena)
{
    (void)ctx;
    return slice_is(name, "Role") ? arena_printf(arena, "Role is not for us") : NULL;
}

/* Reads text by the table, in AWS's words or our own. */
static inline void apply(struct fixture *f, const char *text, const char *base_dir, bool aws)
{
    static const struct option *const tables[] = {table, NULL};
    static const char *const others[] = {"Events", NULL};
    static const struct option_members members = {
        .tables = tables, .others = others, .refusal = refusal};
    memset(&f->thing, 0x5a, sizeof f->thing);
    arena_init(&f->arena);
    problem_init(&f->problems, "f.yaml");
    f->ctx = (struct option_context){
        .arena = &f->arena, .problems = &f->problems, .base_dir = base_dir, .aws = aws};
    struct yaml_node *root = yaml_read(slice_of(text), &f->arena, &f->problems);
    assert_non_null(root);
    f->ok = option_check_members(&f->ctx, &members, root);
    f->ok &= option_apply(&f->ctx, table, &f->thing, root);
}

static inline void clear(struct fixture *f)
{
    problem_free(&f->problems);
    arena_free(&f->arena);
}

static inline void expect_problems(struct fixture *f, const char *text, const char *expected)
{
    struct catalog_errors errors;
    struct buf out;
    buf_init(&out, 100000);
    problem_report(&f->problems, &errors);
    for (size_t i = 0; i < errors.n; i++)
        buf_printf(&out, "%s%s", i > 0 ? "\n" : "", errors.lines[i] + strlen("f.yaml:"));
    if (strcmp(out.p, expected) != 0)
        print_error("for\n%s\n", text);
    assert_string_equal(out.p, expected);
    catalog_errors_free(&errors);
    buf_free(&out);
}

#endif
