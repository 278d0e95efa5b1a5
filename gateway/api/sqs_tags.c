/* sqs_tags.c - tags of queues. */
#include "api/sqs_tags.h"

#include "base/utf8.h"
#include <string.h>

enum { KEY_CHARS = 128, VALUE_CHARS = 256, GIVEN_MAX = 1000 };

static size_t characters(struct slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

static bool wrong(struct sqs_call *c, const char *why)
{
    return sqs_problem_set(&c->problem, SQS_ERROR_VALUE, "%s", why);
}

static bool check(struct sqs_call *c, struct slice key, struct slice value)
{
    if (key.n == 0 || characters(key) > KEY_CHARS)
        return wrong(c, "Tag keys must be between 1 and 128 characters in length.");
    if (key.n >= 4 && slice_is_ci((struct slice){key.p, 4}, "aws:"))
        return wrong(c, "Tag keys that begin with 'aws:' are reserved for internal use.");
    return characters(value) <= VALUE_CHARS ||
           wrong(c, "Tag values must be between 0 and 256 characters in length.");
}

/* Room for all that from has, and for as many as a queue may have. */
static void begin(struct sqs_call *c, const struct option_map *from, struct option_map *to)
{
    size_t room = from->n + SQS_TAGS_MAX + 1;
    *to = (struct option_map){.names = arena_alloc(&c->arena, room * sizeof *to->names),
                              .values = arena_alloc(&c->arena, room * sizeof *to->values)};
}

static void add(struct sqs_call *c, struct option_map *to, const char *key, const char *value)
{
    to->names[to->n] = arena_dup(&c->arena, slice_of(key));
    to->values[to->n++] = arena_dup(&c->arena, slice_of(value));
}

static bool put(struct sqs_call *c, struct option_map *to, struct slice key, struct slice value,
                const char *name)
{
    size_t i = 0;
    while (i < to->n && !slice_is(key, to->names[i]))
        i++;
    if (i == to->n && to->n >= SQS_TAGS_MAX)
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE, "Too many tags added for queue %s.",
                               name);
    if (i == to->n)
        to->names[to->n++] = arena_dup(&c->arena, key);
    to->values[i] = arena_dup(&c->arena, value);
    return true;
}

bool sqs_tags_merge(struct sqs_call *c, const struct option_map *from, const struct json *map,
                    const char *name, struct option_map *to)
{
    begin(c, from, to);
    for (size_t i = 0; i < from->n; i++)
        add(c, to, from->names[i], from->values[i] != NULL ? from->values[i] : "");
    if (json_count(map) > GIVEN_MAX)
        return wrong(c, "Too many tags.");
    for (const struct json *j = json_first(map); j != NULL; j = json_after(j)) {
        struct slice value;
        if (!sqs_in_value(c, j, &value) || !check(c, json_name(j), value) ||
            !put(c, to, json_name(j), value, name))
            return false;
    }
    return true;
}

bool sqs_tags_without(struct sqs_call *c, const struct option_map *from, const struct json *list,
                      struct option_map *to)
{
    begin(c, from, to);
    for (const struct json *j = json_first(list); j != NULL; j = json_after(j))
        if (json_type(j) != JSON_STRING)
            return sqs_problem_set(&c->problem, SQS_ERROR_SYNTAX, "TagKeys must be strings.");
    for (size_t i = 0; i < from->n; i++) {
        bool gone = false;
        for (const struct json *j = json_first(list); j != NULL && !gone; j = json_after(j))
            gone = slice_is(json_text(j), from->names[i]);
        if (!gone)
            add(c, to, from->names[i], from->values[i] != NULL ? from->values[i] : "");
    }
    return true;
}
