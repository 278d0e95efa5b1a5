/* pattern_number.c - numbers of a pattern, and the ranges of numeric. */
#include "engine/pattern_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number without what does not count: 0.digits * 10^exponent, no zero at either end. */
struct decimal {
    char digits[24];
    size_t n;
    int64_t exponent;
    bool fits; /* no more digits than a double can ask for */
};

static void add_digit(struct decimal *d, char c, size_t *zeros)
{
    if (c == '0') {
        *zeros += d->n > 0;
        return;
    }
    if (d->n + *zeros + 1 > sizeof d->digits) {
        d->fits = false;
        return;
    }
    memset(d->digits + d->n, '0', *zeros);
    d->n += *zeros;
    *zeros = 0;
    d->digits[d->n++] = c;
}

/* s is a JSON number. */
static struct decimal decimal_of(struct slice s)
{
    struct decimal d = {.fits = true};
    size_t i = s.n && s.p[0] == '-', zeros = 0;
    bool point = false;
    int64_t power = 0, sign = 1;
    for (; i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
        if (s.p[i] == '.') {
            point = true;
            continue;
        }
        add_digit(&d, s.p[i], &zeros);
        bool leads = d.n == 0;
        d.exponent += point ? (leads ? -1 : 0) : (leads ? 0 : 1);
    }
    if (i < s.n && (s.p[++i] == '-' || s.p[i] == '+'))
        sign = s.p[i++] == '-' ? -1 : 1;
    for (; i < s.n && power < INT32_MAX; i++)
        power = 10 * power + (s.p[i] - '0');
    d.exponent = d.n ? d.exponent + sign * power : 0;
    return d;
}

static bool same(const struct decimal *a, const struct decimal *b)
{
    return a->fits && b->fits && a->n == b->n && a->exponent == b->exponent &&
           memcmp(a->digits, b->digits, a->n) == 0;
}

bool pattern_number(struct slice literal, double *out)
{
    char text[64];
    struct decimal wanted = decimal_of(literal);
    if (!wanted.fits || wanted.exponent < -400 || wanted.exponent > 400)
        return false;
    /* strtod is given few digits, whatever was written. */
    snprintf(text, sizeof text, "%s0.%.*se%d", literal.n && literal.p[0] == '-' ? "-" : "",
             (int)wanted.n, wanted.digits, (int)wanted.exponent);
    *out = wanted.n ? strtod(text, NULL) : 0;
    if (!isfinite(*out))
        return false;
    for (int precision = 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, *out);
        if (strtod(text, NULL) != *out)
            continue;
        struct decimal shortest = decimal_of((struct slice){text, strlen(text)});
        return same(&wanted, &shortest);
    }
    return false;
}

/* At the operand of op; a number it must be. */
static bool read_bound(struct pattern_compile *c, const char *op, double *out)
{
    struct pattern_json *j = &c->json;
    if (j->token != TOKEN_NUMBER)
        return pattern_json_fail(j, j->token_at, "Value of %s must be numeric", op);
    return pattern_number(j->word, out) ||
           pattern_json_fail(j, j->token_at, "Cannot compare number : %s",
                             pattern_json_show(j->word).text);
}

/* At what follows the lower bound, which is no end. */
static bool read_top(struct pattern_compile *c, struct pattern_value *v)
{
    struct pattern_json *j = &c->json;
    struct slice op;
    if (!pattern_json_word(j, &op))
        return false;
    if (j->token != TOKEN_STRING)
        return pattern_json_fail(j, j->token_at, "Bad value in numeric range: %s",
                                 pattern_json_show(op).text);
    v->high_open = slice_is(op, "<");
    if (!v->high_open && !slice_is(op, "<="))
        return pattern_json_fail(j, j->token_at, "Bad numeric range operator: %s",
                                 pattern_json_show(op).text);
    if (!pattern_json_next(j) || !read_bound(c, v->high_open ? "<" : "<=", &v->high))
        return false;
    size_t at = j->token_at;
    if (!pattern_json_next(j))
        return false;
    if (j->token != TOKEN_ARRAY_END)
        return pattern_json_fail(j, j->token_at, "Too many terms in numeric range expression");
    return v->low < v->high || pattern_json_fail(j, at, "Bottom must be less than top");
}

/* Behind the operator, at what follows; to the end of the array. */
static bool read_range(struct pattern_compile *c, struct pattern_value *v, struct slice op)
{
    struct pattern_json *j = &c->json;
    bool equal = slice_is(op, "="), below = op.p[0] == '<';
    v->kind = equal ? PATTERN_NUMBER : PATTERN_RANGE;
    v->low = -INFINITY;
    v->high = INFINITY;
    v->text = equal ? j->word : SLICE_NONE;
    *(below ? &v->high_open : &v->low_open) = op.n == 1 && !equal;
    char name[] = {op.p[0], op.n == 2 ? '=' : '\0', '\0'};
    if (!read_bound(c, equal ? "equals" : name, below ? &v->high : &v->low) ||
        !pattern_json_next(j))
        return false;
    if (j->token == TOKEN_ARRAY_END)
        return true;
    if (equal || below)
        return pattern_json_fail(j, j->token_at, "%s", pattern_value_too_many);
    return read_top(c, v);
}

static bool is_operator(struct slice op)
{
    return slice_is(op, "=") || slice_is(op, "<") || slice_is(op, "<=") || slice_is(op, ">") ||
           slice_is(op, ">=");
}

bool pattern_number_read(struct pattern_compile *c, struct pattern_value *v)
{
    struct pattern_json *j = &c->json;
    struct slice op;
    if (!pattern_json_next(j))
        return false;
    if (j->token != TOKEN_ARRAY)
        return pattern_json_fail(j, j->token_at, "Value of numeric must be an array.");
    if (!pattern_json_next(j) || !pattern_json_word(j, &op))
        return false;
    if (j->token != TOKEN_STRING)
        return pattern_json_fail(j, j->token_at, "Invalid member in numeric match: %s",
                                 pattern_json_show(op).text);
    size_t at = j->token_at;
    if (!pattern_json_next(j))
        return false;
    if (!is_operator(op))
        return pattern_json_fail(j, at, "Unrecognized numeric range operator: %s",
                                 pattern_json_show(op).text);
    return read_range(c, v, op) && pattern_value_end(c, pattern_value_too_many);
}
