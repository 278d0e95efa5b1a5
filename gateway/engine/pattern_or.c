/* pattern_or.c - tells a $or that relates objects from a field that has this name. */
#include "engine/pattern_parts.h"

/* Also names that are kept for operators to come. */
static const char *const reserved[] = {
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
};

bool pattern_or_reserved(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (slice_is(name, reserved[i]))
            return true;
    return false;
}

static size_t behind_blanks(struct slice s, size_t i)
{
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\r'))
        i++;
    return i;
}

/* i is at a quote. */
static size_t behind_string(struct slice s, size_t i)
{
    for (i++; i < s.n && s.p[i] != '"'; i++)
        if (s.p[i] == '\\')
            i++;
    return i < s.n ? i + 1 : s.n;
}

/* To the comma or bracket that ends the element. */
static size_t behind_element(struct slice s, size_t i)
{
    size_t depth = 0;
    while (i < s.n) {
        char c = s.p[i];
        if (c == '"') {
            i = behind_string(s, i);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}'))
            break;
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        i++;
    }
    return i;
}

/* i is at an object: its first name is an operator's. */
static bool is_expression(struct slice s, size_t i)
{
    size_t from = behind_blanks(s, i + 1);
    if (from >= s.n || s.p[from] != '"')
        return false;
    size_t end = behind_string(s, from);
    return end >= from + 2 && pattern_or_reserved((struct slice){s.p + from + 1, end - from - 2});
}

/* A field when no element could be part of an $or: each is a plain value or an expression. The
 * array has been opened together with the name; mistakes are told by who reads it then. */
bool pattern_or_is_field(const struct pattern_json *j)
{
    if (j->next != TOKEN_ARRAY)
        return false;
    struct slice s = j->text;
    size_t i = behind_blanks(s, j->at);
    if (i >= s.n || s.p[i] == ']')
        return false;
    for (;;) {
        if (s.p[i] == '{' && !is_expression(s, i))
            return false;
        i = behind_element(s, i);
        if (i >= s.n || s.p[i] != ',')
            return i < s.n;
        i = behind_blanks(s, i + 1);
        if (i >= s.n)
            return false;
    }
}
