/* pattern_but.c - anything-but: what its operand forbids. */
#include "engine/pattern_parts.h"

/* What may stand between anything-but and its strings. */
struct inner {
    const char *name;
    enum pattern_kind kind;
    const char *message; /* something else than a string */
    const char *beyond;
};

static const struct inner plain = {NULL, PATTERN_STRING, NULL, NULL};

static const struct inner inners[] = {
    {"equals-ignore-case", PATTERN_EQUALS_CI,
     "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
     "anything-but with equals-ignore-case"},
    {"prefix", PATTERN_PREFIX, "prefix/suffix match pattern must be a string",
     "anything-but with prefix"},
    {"suffix", PATTERN_SUFFIX, "prefix/suffix match pattern must be a string",
     "anything-but with suffix"},
    {"wildcard", PATTERN_WILDCARD, "wildcard match pattern must be a string",
     "anything-but with wildcard"},
};

/* At the OBJECT; to its first value. */
static const struct inner *read_inner(struct pattern_compile *c)
{
    struct pattern_json *j = &c->json;
    if (!pattern_json_next(j))
        return NULL;
    if (j->token != TOKEN_NAME) {
        (void)pattern_json_fail(j, j->token_at, "Anything-But expression name not found");
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(inners); i++) {
        if (!slice_is(j->word, inners[i].name))
            continue;
        pattern_value_beyond(c, j->token_at, inners[i].beyond);
        return pattern_json_next(j) ? &inners[i] : NULL;
    }
    (void)pattern_json_fail(j, j->token_at, "Unsupported anything-but pattern: %s",
                            pattern_json_show(j->word).text);
    return NULL;
}

static bool read_number(struct pattern_compile *c, struct pattern_value *part, bool single)
{
    struct pattern_json *j = &c->json;
    part->kind = PATTERN_NUMBER;
    part->text = j->word;
    if (pattern_number(j->word, &part->low))
        return true;
    struct pattern_shown word = pattern_json_show(j->word);
    return single ? pattern_json_plain(j, j->token_at, "Cannot compare number : %s", word.text)
                  : pattern_json_fail(j, j->token_at, "Cannot compare number : %s", word.text);
}

/* At one of the forbidden values. */
static bool read_part(struct pattern_compile *c, const struct inner *inner, bool single)
{
    struct pattern_json *j = &c->json;
    struct pattern_value *part = pattern_value_add(&c->parts, j->token_at);
    if (!inner->name && j->token == TOKEN_NUMBER)
        return read_number(c, part, single);
    if (j->token != TOKEN_STRING)
        return pattern_json_fail(
            j, j->token_at, "%s",
            inner->name ? inner->message
                        : "Inside anything but list, start|null|boolean is not supported.");
    part->kind = inner->kind;
    if (!pattern_json_word(j, &part->text))
        return false;
    if ((inner->kind == PATTERN_PREFIX || inner->kind == PATTERN_SUFFIX) && !part->text.n)
        return pattern_json_fail(j, j->token_at, "Null prefix/suffix not allowed");
    if (inner->kind == PATTERN_EQUALS_CI)
        part->text = pattern_value_fold(c, part->text);
    return true;
}

/* At the ARRAY; to its end. */
static bool read_parts(struct pattern_compile *c, const struct inner *inner)
{
    struct pattern_json *j = &c->json;
    size_t numbers = 0, at = j->token_at;
    for (;;) {
        if (!pattern_json_next(j))
            return false;
        if (j->token == TOKEN_ARRAY_END)
            break;
        if (!read_part(c, inner, false))
            return false;
        numbers += j->token == TOKEN_NUMBER;
    }
    if (inner->name || (c->parts.n && (!numbers || numbers == c->parts.n)))
        return true;
    return pattern_json_fail(j, at,
                             "Inside anything but list, either all values are number or string, "
                             "mixed type is not supported");
}

bool pattern_but_read(struct pattern_compile *c, struct pattern_value *v)
{
    struct pattern_json *j = &c->json;
    const struct inner *inner = &plain;
    if (!pattern_json_next(j))
        return false;
    if (j->token == TOKEN_OBJECT && !(inner = read_inner(c)))
        return false;
    if (j->token != TOKEN_ARRAY && j->token != TOKEN_STRING && j->token != TOKEN_NUMBER)
        return pattern_json_fail(
            j, j->token_at,
            "Value of anything-but must be an array or single string/number value.");
    if (!(j->token == TOKEN_ARRAY ? read_parts(c, inner) : read_part(c, inner, true)))
        return false;
    for (size_t i = 0; inner->kind == PATTERN_WILDCARD && i < c->parts.n; i++)
        if (!pattern_wildcard_read(c, c->parts.p[i].text, c->parts.p[i].at, &c->parts.p[i]))
            return false;
    v->kind = PATTERN_BUT;
    v->parts = pattern_value_take(&c->parts, &c->pattern->arena, &v->n_parts);
    return pattern_value_end(c, pattern_value_too_many) &&
           (!inner->name || pattern_value_end(c, pattern_value_too_many));
}
