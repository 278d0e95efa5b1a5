/* pattern_value.c - the alternatives of one field: plain values and match expressions. */
#include "base/mem.h"
#include "engine/pattern_parts.h"

#include <math.h>
#include <string.h>

const char pattern_value_one_key[] = "Only one key allowed in match expression";
const char pattern_value_too_many[] = "Too many elements in numeric expression";

struct pattern_value *pattern_value_add(struct pattern_list *list, size_t at)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 8;
        list->p = mem_realloc(list->p, list->cap * sizeof *list->p);
    }
    list->p[list->n] = (struct pattern_value){.at = at};
    return &list->p[list->n++];
}

const struct pattern_value *pattern_value_take(struct pattern_list *list, struct arena *arena,
                                               size_t *n)
{
    struct pattern_value *kept = arena_alloc(arena, list->n * sizeof *kept);
    if (list->n)
        memcpy(kept, list->p, list->n * sizeof *kept);
    *n = list->n;
    list->n = 0;
    return kept;
}

bool pattern_value_string(struct pattern_compile *c, const char *message, struct slice *out)
{
    struct pattern_json *j = &c->json;
    if (!pattern_json_next(j))
        return false;
    if (j->token != TOKEN_STRING)
        return pattern_json_fail(j, j->token_at, "%s", message);
    return pattern_json_word(j, out);
}

bool pattern_value_end(struct pattern_compile *c, const char *message)
{
    struct pattern_json *j = &c->json;
    if (!pattern_json_next(j))
        return false;
    return j->token == TOKEN_OBJECT_END || pattern_json_fail(j, j->token_at, "%s", message);
}

struct slice pattern_value_fold(struct pattern_compile *c, struct slice s)
{
    char *folded = arena_alloc(&c->pattern->arena, 2 * s.n + 1);
    return (struct slice){folded, pattern_fold(s, folded)};
}

void pattern_value_beyond(struct pattern_compile *c, size_t at, const char *name)
{
    if (c->pattern->beyond)
        return;
    c->pattern->beyond = name;
    c->pattern->beyond_at = at;
}

/* An operator of one string, whose kind the value has already. */
static bool read_text(struct pattern_compile *c, struct pattern_value *v, const char *message)
{
    return pattern_value_string(c, message, &v->text) &&
           pattern_value_end(c, pattern_value_one_key);
}

static bool read_exactly(struct pattern_compile *c, struct pattern_value *v)
{
    v->kind = PATTERN_STRING;
    return read_text(c, v, "exact match pattern must be a string");
}

static bool read_ignoring(struct pattern_compile *c, struct pattern_value *v)
{
    v->kind = PATTERN_EQUALS_CI;
    if (!read_text(c, v, "equals-ignore-case match pattern must be a string"))
        return false;
    v->text = pattern_value_fold(c, v->text);
    return true;
}

struct affix {
    enum pattern_kind kind, ignoring;
    const char *message, *no_name, *unsupported, *beyond;
};

static bool read_affix_ignoring(struct pattern_compile *c, struct pattern_value *v,
                                const struct affix *affix)
{
    struct pattern_json *j = &c->json;
    if (!pattern_json_next(j))
        return false;
    if (j->token != TOKEN_NAME)
        return pattern_json_fail(j, j->token_at, "%s", affix->no_name);
    if (!slice_is(j->word, "equals-ignore-case"))
        return pattern_json_fail(j, j->token_at, "%s: %s", affix->unsupported,
                                 pattern_json_show(j->word).text);
    pattern_value_beyond(c, j->token_at, affix->beyond);
    v->kind = affix->ignoring;
    if (!read_text(c, v, "equals-ignore-case match pattern must be a string") ||
        !pattern_value_end(c, pattern_value_one_key))
        return false;
    v->text = pattern_value_fold(c, v->text);
    return true;
}

static bool read_affix(struct pattern_compile *c, struct pattern_value *v,
                       const struct affix *affix)
{
    struct pattern_json *j = &c->json;
    if (j->next == TOKEN_OBJECT)
        return pattern_json_next(j) && read_affix_ignoring(c, v, affix);
    v->kind = affix->kind;
    return read_text(c, v, affix->message);
}

static bool read_prefix(struct pattern_compile *c, struct pattern_value *v)
{
    static const struct affix prefix = {
        PATTERN_PREFIX,
        PATTERN_PREFIX_CI,
        "prefix match pattern must be a string",
        "Prefix expression name not found",
        "Unsupported prefix pattern",
        "prefix with equals-ignore-case",
    };
    return read_affix(c, v, &prefix);
}

static bool read_suffix(struct pattern_compile *c, struct pattern_value *v)
{
    static const struct affix suffix = {
        PATTERN_SUFFIX,
        PATTERN_SUFFIX_CI,
        "suffix match pattern must be a string",
        "Suffix expression name not found",
        "Unsupported suffix pattern",
        "suffix with equals-ignore-case",
    };
    return read_affix(c, v, &suffix);
}

static bool read_exists(struct pattern_compile *c, struct pattern_value *v)
{
    struct pattern_json *j = &c->json;
    if (!pattern_json_next(j))
        return false;
    if (j->token != TOKEN_TRUE && j->token != TOKEN_FALSE)
        return pattern_json_fail(j, j->token_at,
                                 "exists match pattern must be either true or false.");
    v->kind = j->token == TOKEN_TRUE ? PATTERN_EXISTS : PATTERN_ABSENT;
    return pattern_value_end(c, pattern_value_one_key);
}

static bool read_cidr(struct pattern_compile *c, struct pattern_value *v)
{
    struct slice operand;
    /* The other operator in this message is EventBridge's own. */
    return pattern_value_string(c, "prefix match pattern must be a string", &operand) &&
           pattern_address_cidr(c, operand, v) && pattern_value_end(c, pattern_value_one_key);
}

static bool read_wildcard(struct pattern_compile *c, struct pattern_value *v)
{
    struct slice text;
    return pattern_value_string(c, "wildcard match pattern must be a string", &text) &&
           pattern_wildcard_read(c, text, c->json.token_at, v) &&
           pattern_value_end(c, pattern_value_one_key);
}

static const struct operator
{
    const char *name;
    bool (*read)(struct pattern_compile *, struct pattern_value *);
    bool beyond; /* not among those of event source mappings */
}
operators[] = {
    {"exactly", read_exactly, true},
    {"prefix", read_prefix, false},
    {"suffix", read_suffix, false},
    {"numeric", pattern_number_read, false},
    {"anything-but", pattern_but_read, false},
    {"exists", read_exists, false},
    {"cidr", read_cidr, true},
    {"equals-ignore-case", read_ignoring, false},
    {"wildcard", read_wildcard, true},
};

/* At the OBJECT; to its end. */
static bool read_expression(struct pattern_compile *c, struct pattern_value *v)
{
    struct pattern_json *j = &c->json;
    if (!pattern_json_next(j))
        return false;
    if (j->token != TOKEN_NAME)
        return pattern_json_fail(j, j->token_at, "Match expression name not found");
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (!slice_is(j->word, operators[i].name))
            continue;
        if (operators[i].beyond)
            pattern_value_beyond(c, j->token_at, operators[i].name);
        return operators[i].read(c, v);
    }
    return pattern_json_fail(j, j->token_at, "Unrecognized match type %s",
                             pattern_json_show(j->word).text);
}

static bool read_string(struct pattern_compile *c, struct pattern_value *v)
{
    if (!pattern_json_word(&c->json, &v->text))
        return false;
    v->kind = PATTERN_STRING;
    v->address_bytes = (unsigned char)pattern_address(v->text, v->address);
    if (v->address_bytes) {
        v->kind = PATTERN_CIDR;
        v->bits = (unsigned char)(8 * v->address_bytes);
    }
    return true;
}

static bool read_value(struct pattern_compile *c, struct pattern_value *v)
{
    struct pattern_json *j = &c->json;
    switch (j->token) {
    case TOKEN_OBJECT:
        return read_expression(c, v);
    case TOKEN_STRING:
        return read_string(c, v);
    case TOKEN_NUMBER:
        v->kind = PATTERN_NUMBER;
        v->text = j->word;
        if (!pattern_number(j->word, &v->low))
            v->low = NAN;
        return true;
    case TOKEN_TRUE:
    case TOKEN_FALSE:
    case TOKEN_NULL:
        v->kind = j->token == TOKEN_TRUE    ? PATTERN_TRUE
                  : j->token == TOKEN_FALSE ? PATTERN_FALSE
                                            : PATTERN_NULL;
        return true;
    default:
        return pattern_json_fail(j, j->token_at,
                                 "Match value must be String, number, true, false, or null");
    }
}

bool pattern_value_read(struct pattern_compile *c, struct pattern_field *field)
{
    struct pattern_json *j = &c->json;
    size_t at = j->token_at;
    for (;;) {
        if (!pattern_json_next(j))
            return false;
        if (j->token == TOKEN_ARRAY_END)
            break;
        if (!read_value(c, pattern_value_add(&c->values, j->token_at)))
            return false;
    }
    if (!c->values.n)
        return pattern_json_fail(j, at, "Empty arrays are not allowed");
    field->values = pattern_value_take(&c->values, &c->pattern->arena, &field->n);
    return true;
}
