/* sqs_typed.c - message attributes as they are sent. */
#include "api/sqs_typed.h"

#include "base/base64.h"
#include "io/sqs_wire.h"
#include <string.h>

enum { NAME_BYTES = 256, CANONICAL_MAX = 16 * 1024 * 1024 };

static const char list_values[] =
    "Message attribute list values in SendMessage operation are not supported.";

/* ---- texts ---- */

/* Something below a space, or the first byte of U+FFFE and U+FFFF: a closer look is worth it. */
static bool word_odd(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t ef = w ^ (ones * 0xEF);
    return (((w - ones * 0x20) & ~w) | ((ef - ones) & ~ef)) & high;
}

bool sqs_typed_is_text(struct slice s)
{
    size_t i = 0;
    while (i < s.n) {
        uint64_t word;
        if (s.n - i >= sizeof word) {
            memcpy(&word, s.p + i, sizeof word);
            if (!word_odd(word)) {
                i += sizeof word;
                continue;
            }
        }
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return false;
        if (c == 0xEF && s.n - i > 2 && (unsigned char)s.p[i + 1] == 0xBF &&
            (unsigned char)s.p[i + 2] >= 0xBE)
            return false;
        i++;
    }
    return true;
}

static size_t skip_digits(struct slice s, size_t i)
{
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    return i;
}

static size_t skip_sign(struct slice s, size_t i)
{
    return i < s.n && (s.p[i] == '+' || s.p[i] == '-') ? i + 1 : i;
}

static bool is_number(struct slice s)
{
    size_t from = skip_sign(s, 0), i = skip_digits(s, from), digits = i - from;
    if (i < s.n && s.p[i] == '.') {
        from = i + 1;
        i = skip_digits(s, from);
        digits += i - from;
    }
    if (digits == 0)
        return false;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        from = skip_sign(s, i + 1);
        i = skip_digits(s, from);
        if (i == from || i - from > 3)
            return false;
    }
    return i == s.n;
}

/* ---- one attribute ---- */

/* Reads the value of one; its name stays the member's. */
static bool read_one(struct sqs_call *c, const struct json *member, struct sqs_typed *t, bool *list)
{
    struct slice text, binary;
    const struct json *texts, *binaries;
    if (json_type(member) != JSON_OBJECT)
        return sqs_problem_set(&c->problem, SQS_ERROR_SYNTAX, "Expected null or map");
    if (!sqs_in_text(c, member, "DataType", &t->type) ||
        !sqs_in_text(c, member, "StringValue", &text) ||
        !sqs_in_text(c, member, "BinaryValue", &binary) ||
        !sqs_in_list(c, member, "StringListValues", &texts) ||
        !sqs_in_list(c, member, "BinaryListValues", &binaries))
        return false;
    *list = json_count(texts) > 0 || json_count(binaries) > 0;
    t->name = json_name(member);
    t->binary = slice_starts(t->type, "Binary");
    t->value = t->binary ? binary : text;
    return true;
}

/* Of members with one name the last counts. */
static bool is_last(const struct json *map, const struct json *member)
{
    return json_get(map, json_name(member).p) == member;
}

bool sqs_typed_read(struct sqs_call *c, const struct json *map, size_t *bytes)
{
    size_t total = 0;
    for (const struct json *m = json_first(map); m != NULL; m = json_after(m)) {
        struct sqs_typed t;
        bool list;
        if (!read_one(c, m, &t, &list))
            return false;
        size_t pad =
            t.binary && slice_ends(t.value, "==") ? 2 : t.binary && slice_ends(t.value, "=");
        size_t n = t.binary ? t.value.n / 4 * 3 - (t.value.n >= 4 ? pad : 0) : t.value.n;
        total += t.name.n + t.type.n + n;
    }
    *bytes = total;
    return true;
}

static bool check_name(struct slice name, struct sqs_problem *p)
{
    const char *why = NULL;
    if (name.n == 0)
        why = "The request must contain non-empty message (user) attribute names.";
    else if (name.n > NAME_BYTES)
        why = "Message (user) attribute name must be shorter than 256 bytes.";
    else if ((name.n >= 4 && slice_is_ci((struct slice){name.p, 4}, "aws.")) ||
             (name.n >= 7 && slice_is_ci((struct slice){name.p, 7}, "amazon.")))
        why = "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. These "
              "strings are reserved for internal use.";
    else if (name.p[0] == '.')
        why = "Message (user) attribute name must not begin with character '.'.";
    else if (name.p[name.n - 1] == '.')
        why = "Message (user) attribute name must not end with character '.'.";
    else if (memmem(name.p, name.n, "..", 2) != NULL)
        why = "Message (user) attribute name must not have successive '.' characters.";
    for (size_t i = 0; i < name.n && why == NULL; i++) {
        char ch = name.p[i];
        if ((ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') && (ch < '0' || ch > '9') &&
            memchr("_-.", ch, 3) == NULL)
            why = "Message (user) attributes name can only contain upper and lower score "
                  "characters, digits, periods, hyphens and underscores. ";
    }
    return why == NULL || sqs_problem_set(p, SQS_ERROR_VALUE, "%s", why);
}

/* String, Number or Binary, or one of them with a label behind a dot. */
static bool is_type(struct slice type)
{
    static const char *const kinds[] = {"String", "Number", "Binary"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i]);
        if (slice_starts(type, kinds[i]))
            return type.n == n || (type.p[n] == '.' && type.n > n + 1);
    }
    return false;
}

#define ABOUT(t) SLICE_ARG((t)->name)

static bool check_value(const struct sqs_typed *t, struct sqs_problem *p)
{
    if (t->value.n == 0)
        return sqs_problem_set(p, SQS_ERROR_VALUE,
                               "Message (user) attribute '" SLICE_FMT
                               "' must contain a non-empty value of type '" SLICE_FMT "'.",
                               ABOUT(t), SLICE_ARG(t->type));
    if (slice_starts(t->type, "Number") && !is_number(t->value))
        return sqs_problem_set(p, SQS_ERROR_VALUE,
                               "Can't cast the value of message (user) attribute '" SLICE_FMT
                               "' to a number.",
                               ABOUT(t));
    if (!t->binary && !sqs_typed_is_text(t->value))
        return sqs_problem_set(p, SQS_ERROR_CONTENTS, SQS_TYPED_BAD_TEXT);
    return true;
}

static bool check_one(const struct sqs_typed *t, bool list, struct sqs_problem *p)
{
    if (!check_name(t->name, p))
        return false;
    if (list)
        return sqs_problem_set(p, SQS_ERROR_UNSUPPORTED, "%s", list_values);
    if (t->type.n == 0)
        return sqs_problem_set(p, SQS_ERROR_VALUE,
                               "The message (user) attribute '" SLICE_FMT
                               "' must contain a non-empty message attribute %s.",
                               ABOUT(t), t->value.n > 0 ? "type" : "value");
    if (t->type.n > NAME_BYTES)
        return sqs_problem_set(p, SQS_ERROR_VALUE,
                               "Message (user) attribute type must be shorter than 256 bytes.");
    if (!is_type(t->type) || !sqs_typed_is_text(t->type))
        return sqs_problem_set(p, SQS_ERROR_VALUE,
                               "The type of message (user) attribute '" SLICE_FMT
                               "' is invalid. You must use only the following supported type "
                               "prefixes: Binary, Number, String.",
                               ABOUT(t));
    return check_value(t, p);
}

/* ---- all of them ---- */

static void write_canonical(struct json_out *o, const struct sqs_typed *t)
{
    json_key_slice(o, t->name);
    json_object(o);
    json_kv_str(o, t->binary ? "BinaryValue" : "StringValue", t->value);
    json_kv_str(o, "DataType", t->type);
    json_end(o);
}

/* In the call's arena. */
static struct slice canonical_of(struct sqs_call *c, const struct sqs_message *m)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, CANONICAL_MAX);
    json_out_init(&json, &out);
    json_object(&json);
    for (size_t i = 0; i < m->n_typed; i++)
        write_canonical(&json, &m->typed[i]);
    json_end(&json);
    struct slice kept = {arena_dup(&c->arena, buf_slice(&out)), out.n};
    buf_free(&out);
    return kept;
}

static bool hash(const struct sqs_message *m, char md5[33], struct sqs_problem *p)
{
    md5[0] = '\0';
    if (m->n_typed == 0 || sqs_wire_md5(m, md5))
        return true;
    return sqs_problem_set(p, SQS_ERROR_VALUE, "A BinaryValue is not base64.");
}

bool sqs_typed_check(struct sqs_call *c, const struct json *map, struct slice *canonical,
                     char md5[33], struct sqs_problem *problem)
{
    struct sqs_typed typed[SQS_TYPED_MAX];
    struct sqs_message m = {.typed = typed};
    size_t n = json_count(map);
    *canonical = SLICE_NONE;
    md5[0] = '\0';
    if (n > SQS_TYPED_MAX)
        return sqs_problem_set(problem, SQS_ERROR_VALUE,
                               "Number of message attributes [%zu] exceeds the allowed maximum "
                               "[%d].",
                               n, SQS_TYPED_MAX);
    for (const struct json *j = json_first(map); j != NULL; j = json_after(j)) {
        bool list;
        if (!is_last(map, j))
            continue;
        if (!read_one(c, j, &typed[m.n_typed], &list) ||
            !check_one(&typed[m.n_typed], list, problem))
            return false;
        m.n_typed++;
    }
    if (m.n_typed == 0)
        return true;
    *canonical = canonical_of(c, &m);
    return hash(&m, md5, problem);
}

bool sqs_typed_check_system(struct sqs_call *c, const struct json *map, struct slice *trace,
                            char md5[33], struct sqs_problem *problem)
{
    struct sqs_typed typed;
    struct sqs_message m = {.typed = &typed};
    *trace = SLICE_NONE;
    md5[0] = '\0';
    for (const struct json *j = json_first(map); j != NULL; j = json_after(j)) {
        bool list;
        if (!read_one(c, j, &typed, &list))
            return false;
        if (!slice_is(typed.name, "AWSTraceHeader"))
            return sqs_problem_set(problem, SQS_ERROR_VALUE,
                                   "Message system attribute name '" SLICE_FMT "' is invalid.",
                                   SLICE_ARG(typed.name));
        if (list)
            return sqs_problem_set(problem, SQS_ERROR_UNSUPPORTED, "%s", list_values);
        if (!slice_is(typed.type, "String") || typed.value.n == 0)
            return sqs_problem_set(problem, SQS_ERROR_VALUE,
                                   "Message (system) attribute 'AWSTraceHeader' must contain a "
                                   "non-empty value of type 'String'.");
        if (!sqs_typed_is_text(typed.value))
            return sqs_problem_set(problem, SQS_ERROR_CONTENTS, SQS_TYPED_BAD_TEXT);
        *trace = typed.value;
        m.n_typed = 1;
    }
    return hash(&m, md5, problem);
}
