/* option.c - the values of one mapping into the fields of a struct, or why that cannot be. */
#include "config/option.h"

#include "base/timefmt.h"
#include "base/utf8.h"
#include "config/text_file.h"
#include <assert.h>
#include <string.h>

struct setting {
    const struct option_context *ctx;
    const struct option *option;
    void *field;
};

static bool aws_words(const struct setting *s)
{
    return s->ctx->aws && (s->option->flags & OPTION_X) == 0;
}

/* What AWS's texts call the member: every part of its name begins in lower case. */
static const char *aws_name(const struct setting *s)
{
    char *name = arena_dup(s->ctx->arena, slice_of(s->option->name));
    for (char *p = name; *p != '\0'; p++)
        if ((p == name || p[-1] == '.') && *p >= 'A' && *p <= 'Z')
            *p = (char)(*p + ('a' - 'A'));
    return name;
}

static const char *shown(const struct setting *s, const struct yaml_node *node)
{
    if ((s->option->flags & OPTION_SECRET) != 0 && node->type == YAML_SCALAR && !node->null)
        return "a secret value";
    return yaml_describe(s->ctx->arena, node);
}

/* A long form of CloudFormation's functions stands where a value should. */
static const char *cloudformation_key(const struct yaml_node *node)
{
    if (node->type != YAML_MAPPING || node->count != 1)
        return NULL;
    struct slice key = node->first->key;
    return slice_is(key, "Ref") || slice_starts(key, "Fn::") ? key.p : NULL;
}

static bool expected(const struct setting *s, const struct yaml_node *node, const char *what)
{
    const char *function = cloudformation_key(node);
    if (node->bad)
        return false;
    if (function != NULL)
        yaml_problem(s->ctx->problems, node, NULL,
                     "%s is resolved by CloudFormation, not here: write the ARN itself (or "
                     "${ENV_NAME})",
                     function);
    else
        yaml_problem(s->ctx->problems, node, NULL, "expected %s, found %s", what, shown(s, node));
    return false;
}

/* A scalar that says something; otherwise tells what was expected. */
static bool is_value(const struct setting *s, const struct yaml_node *node, const char *what)
{
    if (node->bad)
        return false;
    if (node->type != YAML_SCALAR || node->null)
        return expected(s, node, what);
    return true;
}

static bool out_of_range(const struct setting *s, const struct yaml_node *node, bool above)
{
    const struct option *o = s->option;
    char min[32], max[32];
    if (aws_words(s)) {
        yaml_problem(s->ctx->problems, node, NULL,
                     "Value '%s' at '%s' failed to satisfy constraint: Member must have value "
                     "%s than or equal to %lld",
                     node->text.p, aws_name(s), above ? "less" : "greater",
                     (long long)(above ? o->max : o->min));
        return false;
    }
    if (o->type == OPTION_DURATION) {
        option_duration_text(o->min, min, sizeof min);
        option_duration_text(o->max, max, sizeof max);
        yaml_problem(s->ctx->problems, node, NULL, "%s is out of range: %s to %s", shown(s, node),
                     min, max);
    } else {
        yaml_problem(s->ctx->problems, node, NULL, "%s is out of range: %lld to %lld",
                     shown(s, node), (long long)o->min, (long long)o->max);
    }
    return false;
}

static bool in_range(const struct setting *s, const struct yaml_node *node, int64_t value)
{
    const struct option *o = s->option;
    if (o->min == 0 && o->max == 0)
        return true;
    if (value < o->min || value > o->max)
        return out_of_range(s, node, value > o->max);
    return true;
}

/* 010 is 8 for YAML 1.1 and 10 for YAML 1.2: nobody should have to know. */
static bool is_ambiguous(struct slice text)
{
    if (text.n > 0 && text.p[0] == '-')
        text = slice_from(text, 1);
    return text.n > 1 && text.p[0] == '0';
}

static bool set_int(const struct setting *s, const struct yaml_node *node)
{
    int64_t value;
    if (!is_value(s, node, "a whole number"))
        return false;
    if (is_ambiguous(node->text) || !slice_int(node->text, &value))
        return expected(s, node, "a whole number");
    if (!in_range(s, node, value))
        return false;
    *(int64_t *)s->field = value;
    return true;
}

static bool set_bool(const struct setting *s, const struct yaml_node *node)
{
    static const char what[] = "true or false";
    if (!is_value(s, node, what))
        return false;
    struct slice t = node->text;
    bool yes = slice_is(t, "true") || slice_is(t, "True") || slice_is(t, "TRUE");
    bool no = slice_is(t, "false") || slice_is(t, "False") || slice_is(t, "FALSE");
    if (!yes && !no)
        return expected(s, node, what);
    *(bool *)s->field = yes;
    return true;
}

static bool set_duration(const struct setting *s, const struct yaml_node *node)
{
    static const char what[] = "a duration (250ms, 20s, 5m, 1h, 1d)";
    int64_t ms;
    if (!is_value(s, node, what))
        return false;
    if (!timefmt_duration(node->text, &ms))
        return expected(s, node, what);
    if (!in_range(s, node, ms))
        return false;
    *(int64_t *)s->field = ms;
    return true;
}

static const char *join_choices(const struct setting *s)
{
    const char *const *c = s->option->choices;
    const char *all = c[0];
    for (size_t i = 1; c[i] != NULL; i++)
        all = arena_printf(s->ctx->arena, "%s, %s", all, c[i]);
    return all;
}

/* Index of the value among the choices; -1: reported. */
static int64_t choose(const struct setting *s, const struct yaml_node *node)
{
    const char *const *c = s->option->choices;
    for (int64_t i = 0; c[i] != NULL; i++)
        if (slice_is(node->text, c[i]))
            return i;
    if (aws_words(s))
        yaml_problem(s->ctx->problems, node, NULL,
                     "Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum "
                     "value set: [%s]",
                     node->text.p, aws_name(s), join_choices(s));
    else
        yaml_problem(s->ctx->problems, node, NULL, "%s is not one of %s", shown(s, node),
                     join_choices(s));
    return -1;
}

static bool set_choice(const struct setting *s, const struct yaml_node *node)
{
    if (!is_value(s, node, arena_printf(s->ctx->arena, "one of %s", join_choices(s))))
        return false;
    int64_t i = choose(s, node);
    if (i >= 0)
        *(int64_t *)s->field = i;
    return i >= 0;
}

/* Relative to the directory of the configuration file, and without a leading "./". */
static const char *resolve(const struct setting *s, struct slice path)
{
    if (path.p[0] == '/')
        return path.p;
    while (slice_starts(path, "./")) {
        path = slice_from(path, 2);
        while (slice_starts(path, "/"))
            path = slice_from(path, 1);
    }
    if (path.n == 0 || slice_is(path, "."))
        return s->ctx->base_dir;
    bool root = slice_is(slice_of(s->ctx->base_dir), "/");
    return arena_printf(s->ctx->arena, "%s/%s", root ? "" : s->ctx->base_dir, path.p);
}

/* "file:PATH" is the content of that file without its last line end. */
static const char *read_secret(const struct setting *s, const struct yaml_node *node)
{
    struct error err = {.code = ERROR_NONE};
    struct buf content;
    const char *secret = NULL;
    struct slice path = slice_from(node->text, sizeof "file:" - 1);
    if (s->ctx->no_files)
        return "";
    if (path.n == 0) {
        yaml_problem(s->ctx->problems, node, NULL, "file: needs the path of a file");
        return NULL;
    }
    buf_init(&content, OPTION_SECRET_MAX_BYTES);
    bool ok = text_file_read(resolve(s, path), &content, &err);
    struct slice text = buf_slice(&content);
    if (ok && text.n > 0 && text.p[text.n - 1] == '\n')
        text.n--;
    if (ok && text.n > 0 && text.p[text.n - 1] == '\r')
        text.n--;
    if (ok && text.n == 0)
        (void)error_set(&err, ERROR_CONFIG, "is empty");
    else if (ok && (memchr(text.p, '\0', text.n) != NULL || !utf8_valid(text)))
        (void)error_set(&err, ERROR_CONFIG, "is not text");
    else if (ok)
        secret = arena_dup(s->ctx->arena, text);
    if (secret == NULL)
        yaml_problem(s->ctx->problems, node, NULL, "%s: %s", resolve(s, path), err.text);
    buf_free(&content);
    return secret;
}

/* The value as text, by the option's flags; NULL: reported. */
static const char *text_of(const struct setting *s, const struct yaml_node *node)
{
    unsigned flags = s->option->flags;
    if (!is_value(s, node, "text"))
        return NULL;
    if ((flags & OPTION_SECRET) != 0 && slice_starts(node->text, "file:"))
        return read_secret(s, node);
    bool needed =
        (flags & (OPTION_REQUIRED | OPTION_SELECTS)) != 0 && s->option->type == OPTION_STRING;
    if (node->text.n == 0 && (needed || (flags & OPTION_PATH) != 0)) {
        yaml_problem(s->ctx->problems, node, NULL, "must not be empty");
        return NULL;
    }
    if ((flags & OPTION_PATH) == 0)
        return node->text.p;
    if (memmem(node->text.p, node->text.n, "://", 3) != NULL) {
        yaml_problem(s->ctx->problems, node, NULL, "%s: expected a path on this machine, not a URL",
                     shown(s, node));
        return NULL;
    }
    return resolve(s, node->text);
}

static bool set_string(const struct setting *s, const struct yaml_node *node)
{
    const char *text = text_of(s, node);
    if (text != NULL)
        *(const char **)s->field = text;
    return text != NULL;
}

static bool add_item(const struct setting *s, const struct yaml_node *node,
                     struct option_list *list)
{
    const char *text = text_of(s, node);
    if (text == NULL || (s->option->choices != NULL && choose(s, node) < 0))
        return false;
    list->v[list->n++] = text;
    return true;
}

static bool set_list(const struct setting *s, const struct yaml_node *node)
{
    struct option_list list = {.n = 0};
    bool ok = true;
    if (node->bad)
        return false;
    if (node->type == YAML_MAPPING || node->null)
        return expected(s, node, "a list");
    list.v = arena_alloc(s->ctx->arena, (node->count + 1) * sizeof *list.v);
    if (node->type == YAML_SCALAR)
        ok = add_item(s, node, &list);
    for (const struct yaml_node *it = node->first; it != NULL; it = it->next)
        ok &= add_item(s, it, &list);
    *(struct option_list *)s->field = list;
    return ok;
}

static bool set_map(const struct setting *s, const struct yaml_node *node)
{
    struct option_map map = {.n = 0};
    bool ok = true;
    if (node->bad)
        return false;
    if (node->type != YAML_MAPPING)
        return expected(s, node, "a mapping (Name: value)");
    map.names = arena_alloc(s->ctx->arena, (node->count + 1) * sizeof *map.names);
    map.values = arena_alloc(s->ctx->arena, (node->count + 1) * sizeof *map.values);
    for (const struct yaml_node *it = node->first; it != NULL; it = it->next) {
        const char *text = text_of(s, it);
        ok &= text != NULL;
        map.names[map.n] = it->key.p;
        map.values[map.n] = text != NULL ? text : "";
        map.n++;
    }
    *(struct option_map *)s->field = map;
    return ok;
}

static bool set_filters(const struct setting *s, const struct yaml_node *node)
{
    return option_set_filters(s->ctx, s->option, node, s->field);
}

typedef bool set_function(const struct setting *, const struct yaml_node *);
static set_function *const setters[] = {
    [OPTION_INT] = set_int,           [OPTION_BOOL] = set_bool,       [OPTION_STRING] = set_string,
    [OPTION_DURATION] = set_duration, [OPTION_CHOICE] = set_choice,   [OPTION_LIST] = set_list,
    [OPTION_MAP] = set_map,           [OPTION_FILTERS] = set_filters,
};

/* Defaults are written by us and may lie outside of the range on purpose (0 for "off"). */
static void set_default(const struct setting *s)
{
    const struct option *o = s->option;
    int64_t *number = s->field;
    struct slice text = slice_of(o->dflt);
    bool ok = true;
    switch (o->type) {
    case OPTION_INT:
        *number = (o->flags & OPTION_UNSET) != 0 ? -1 : 0;
        ok = o->dflt == NULL || slice_int(text, number);
        break;
    case OPTION_DURATION:
        *number = 0;
        ok = o->dflt == NULL || timefmt_duration(text, number);
        break;
    case OPTION_BOOL:
        *(bool *)s->field = slice_is(text, "true");
        break;
    case OPTION_STRING:
        *(const char **)s->field =
            o->dflt != NULL && (o->flags & OPTION_PATH) != 0 ? resolve(s, text) : o->dflt;
        break;
    case OPTION_CHOICE:
        *number = 0;
        while (o->dflt != NULL && !slice_is(text, o->choices[*number]))
            ++*number;
        break;
    case OPTION_LIST:
    case OPTION_FILTERS:
        *(struct option_list *)s->field = (struct option_list){.n = 0};
        break;
    case OPTION_MAP:
        *(struct option_map *)s->field = (struct option_map){.n = 0};
        break;
    }
    assert(ok);
    (void)ok;
}

bool option_apply(const struct option_context *ctx, const struct option *table, void *object,
                  const struct yaml_node *mapping)
{
    bool ok = true;
    for (const struct option *o = table; o->name != NULL; o++) {
        struct setting s = {ctx, o, (char *)object + o->offset};
        const struct yaml_node *node = yaml_find(mapping, o->name);
        set_default(&s);
        if (node != NULL) {
            ok &= setters[o->type](&s, node);
        } else if ((o->flags & OPTION_REQUIRED) != 0) {
            ok = false;
            if (mapping != NULL && !mapping->bad)
                yaml_problem(ctx->problems, mapping, o->name, "is required: %s", o->doc);
        }
    }
    return ok;
}
