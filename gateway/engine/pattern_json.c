/* pattern_json.c - the tokens of a pattern, with the messages of the parser behind EventBridge. */
#include "engine/pattern_json.h"
#include "engine/pattern_text.h"

#include <stdio.h>
#include <string.h>

#define VALUES "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

void pattern_json_init(struct pattern_json *j, struct slice text, struct arena *arena,
                       struct pattern_error *err)
{
    *j = (struct pattern_json){.text = text, .arena = arena, .err = err};
}

static const char *kind_name(const struct pattern_json *j)
{
    return !j->depth ? "root" : j->scopes[j->depth - 1].object ? "Object" : "Array";
}

/* The character at j->at is in the way; the column told is its own. */
static bool unexpected(struct pattern_json *j, const char *wanted)
{
    return pattern_json_fail(j, j->at, "Unexpected character (%s): %s",
                             pattern_text_char(slice_from(j->text, j->at)).text, wanted);
}

static bool end_within(struct pattern_json *j)
{
    return pattern_json_fail(j, j->at, "Unexpected end-of-input within/between %s entries",
                             kind_name(j));
}

/* False: a control character that is no white space. */
static bool skip_blanks(struct pattern_json *j)
{
    for (; j->at < j->text.n; j->at++) {
        unsigned char c = (unsigned char)j->text.p[j->at];
        if (c > ' ')
            return true;
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return pattern_json_fail(j, j->at,
                                     "Illegal character ((CTRL-CHAR, code %u)): only regular white "
                                     "space (\\r, \\n, \\t) is allowed between tokens",
                                     c);
    }
    return true;
}

/* To the first byte of the next thing, which must be there. */
static bool reach(struct pattern_json *j)
{
    if (!skip_blanks(j))
        return false;
    return j->at < j->text.n || end_within(j);
}

static bool open_scope(struct pattern_json *j)
{
    if (j->depth == PATTERN_DEPTH_MAX)
        return pattern_json_fail(j, j->token_at,
                                 "Document nesting depth (%d) exceeds the maximum allowed (%d)",
                                 PATTERN_DEPTH_MAX + 1, PATTERN_DEPTH_MAX);
    j->scopes[j->depth++] =
        (struct pattern_scope){.object = j->token == TOKEN_OBJECT, .at = j->token_at};
    return true;
}

static bool close_scope(struct pattern_json *j, char mark)
{
    const struct pattern_scope *scope = j->depth ? &j->scopes[j->depth - 1] : NULL;
    size_t at = j->at++;
    if (!scope || scope->object != (mark == '}')) {
        unsigned line = 1, column = 1;
        if (scope)
            pattern_json_place(j->text, scope->at, true, &line, &column);
        return pattern_json_fail(
            j, at,
            "Unexpected close marker '%c': expected '%c' (for %s starting at line: %u, "
            "column: %u)",
            mark, mark == '}' ? ']' : '}', kind_name(j), line, column);
    }
    j->depth--;
    j->token = mark == '}' ? TOKEN_OBJECT_END : TOKEN_ARRAY_END;
    j->token_at = at;
    j->word = (struct slice){j->text.p + at, 1};
    return true;
}

static bool is_word_char(unsigned char c)
{
    return c >= 0x80 || c == '_' || c == '$' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* A bare word: true, false, null, or one that JSON does not have. */
static bool read_bare(struct pattern_json *j, enum pattern_token *out)
{
    size_t from = j->at;
    while (j->at < j->text.n && is_word_char((unsigned char)j->text.p[j->at]))
        j->at++;
    struct slice word = {j->text.p + from, j->at - from};
    if (slice_is(word, "true"))
        *out = TOKEN_TRUE;
    else if (slice_is(word, "false"))
        *out = TOKEN_FALSE;
    else if (slice_is(word, "null"))
        *out = TOKEN_NULL;
    else
        return pattern_json_fail(j, from, "Unrecognized token '%s': was expecting " VALUES,
                                 pattern_json_show(word).text);
    j->word = word;
    return true;
}

static bool is_digit(const struct pattern_json *j)
{
    return j->at < j->text.n && j->text.p[j->at] >= '0' && j->text.p[j->at] <= '9';
}

/* One digit at least; the column told is behind what stands instead. */
static bool digits(struct pattern_json *j, const char *wanted)
{
    if (!is_digit(j)) {
        if (j->at >= j->text.n)
            return pattern_json_fail(j, j->at, "Unexpected end-of-input in a Number value");
        struct slice rest = slice_from(j->text, j->at);
        size_t at = j->at++;
        return pattern_json_fail(j, at, "Unexpected character (%s) in numeric value: %s",
                                 pattern_text_char(rest).text, wanted);
    }
    while (is_digit(j))
        j->at++;
    return true;
}

static bool read_number(struct pattern_json *j)
{
    size_t from = j->at;
    const char *p = j->text.p;
    if (p[j->at] == '-')
        j->at++;
    bool zero = j->at < j->text.n && p[j->at] == '0';
    size_t whole = j->at;
    if (!digits(j, "expected digit (0-9) to follow minus sign, for valid numeric value"))
        return false;
    if (zero && j->at > whole + 1)
        return pattern_json_fail(j, from, "Invalid numeric value: Leading zeroes not allowed");
    if (j->at < j->text.n && p[j->at] == '.') {
        j->at++;
        if (!digits(j, "Decimal point not followed by a digit"))
            return false;
    }
    if (j->at < j->text.n && (p[j->at] == 'e' || p[j->at] == 'E')) {
        j->at++;
        if (j->at < j->text.n && (p[j->at] == '+' || p[j->at] == '-'))
            j->at++;
        if (!digits(j, "Exponent indicator not followed by a digit"))
            return false;
    }
    j->word = (struct slice){p + from, j->at - from};
    return true;
}

/* What a value begins with; all of it, except that a string is left unread. */
static bool begin_value(struct pattern_json *j, enum pattern_token *out)
{
    unsigned char c = (unsigned char)j->text.p[j->at];
    if (c == '"' || c == '{' || c == '[') {
        *out = c == '"' ? TOKEN_STRING : c == '{' ? TOKEN_OBJECT : TOKEN_ARRAY;
        j->unread = c == '"';
        j->at++;
        return true;
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        *out = TOKEN_NUMBER;
        return read_number(j);
    }
    if (is_word_char(c))
        return read_bare(j, out);
    return unexpected(j, c == '}' ? "expected a value" : "expected a valid value " VALUES);
}

/* A name, its colon, and the beginning of its value. The value's word would overwrite the name's,
 * so a number or bare word is cut from the text again when its turn comes. */
static bool read_name(struct pattern_json *j)
{
    struct slice name;
    if (j->text.p[j->at] != '"')
        return unexpected(j, "was expecting double-quote to start field name");
    j->token = TOKEN_NAME;
    j->token_at = j->at++;
    if (!pattern_text_read(j, "name", "Unexpected end-of-input in field name", &name) || !reach(j))
        return false;
    if (j->text.p[j->at] != ':')
        return unexpected(j, "was expecting a colon to separate field name and value");
    j->at++;
    if (!reach(j))
        return false;
    j->next_at = j->at;
    if (!begin_value(j, &j->next))
        return false;
    j->word = name;
    return true;
}

static bool take_next(struct pattern_json *j)
{
    j->token = j->next;
    j->token_at = j->next_at;
    j->next = TOKEN_NONE;
    j->word = (struct slice){j->text.p + j->token_at, j->at - j->token_at};
    return (j->token != TOKEN_OBJECT && j->token != TOKEN_ARRAY) || open_scope(j);
}

static bool expected_close(struct pattern_json *j)
{
    unsigned line, column;
    pattern_json_place(j->text, j->scopes[j->depth - 1].at, true, &line, &column);
    return pattern_json_fail(j, j->at,
                             "Unexpected end-of-input: expected close marker for %s (start marker "
                             "at line: %u, column: %u)",
                             kind_name(j), line, column);
}

static bool read_comma(struct pattern_json *j, struct pattern_scope *scope)
{
    if (!scope->used) {
        scope->used = true;
        return true;
    }
    if (j->text.p[j->at] != ',')
        return unexpected(j, scope->object ? "was expecting comma to separate Object entries"
                                           : "was expecting comma to separate Array entries");
    j->at++;
    return reach(j);
}

bool pattern_json_next(struct pattern_json *j)
{
    struct slice passed;
    if (j->next != TOKEN_NONE)
        return take_next(j);
    if (j->unread && !pattern_json_word(j, &passed))
        return false;
    if (!skip_blanks(j))
        return false;
    struct pattern_scope *scope = j->depth ? &j->scopes[j->depth - 1] : NULL;
    if (j->at >= j->text.n) {
        j->token = TOKEN_NONE;
        j->token_at = j->at;
        return !scope || expected_close(j);
    }
    char c = j->text.p[j->at];
    if (c == ']' || c == '}')
        return close_scope(j, c);
    if (scope && !read_comma(j, scope))
        return false;
    if (scope && scope->object)
        return read_name(j);
    j->next_at = j->at;
    return begin_value(j, &j->next) && take_next(j);
}

bool pattern_json_word(struct pattern_json *j, struct slice *out)
{
    if (j->token == TOKEN_STRING && j->unread) {
        j->unread = false;
        if (!pattern_text_read(j, "string value",
                               "Unexpected end-of-input: was expecting closing quote for a string "
                               "value",
                               &j->word))
            return false;
    }
    *out = j->word;
    return true;
}

bool pattern_json_end(struct pattern_json *j)
{
    if (!skip_blanks(j))
        return false;
    return j->at >= j->text.n || unexpected(j, "was expecting the end of the pattern");
}
