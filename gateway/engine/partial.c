/* partial.c - batchItemFailures, row by row as the table of sqs.md 5. */
#include "engine/partial.h"

#include "base/json_in.h"
#include "base/map.h"
#include "engine/batch.h"

static enum partial malformed(const char **why, const char *text)
{
    if (why != NULL)
        *why = text;
    return PARTIAL_ALL;
}

static enum partial mark(const struct json *failures, const struct map *by_id, const char **why)
{
    if (json_count(failures) == 0)
        return PARTIAL_NONE;
    for (const struct json *f = json_first(failures); f != NULL; f = json_after(f)) {
        const struct json *id = json_get(f, "itemIdentifier");
        if (json_type(id) != JSON_STRING || json_text(id).n == 0)
            return malformed(why, "an entry of batchItemFailures has no itemIdentifier");
        struct record *r = map_get(by_id, json_text(id));
        if (r == NULL)
            return malformed(why, "an itemIdentifier names no record of the batch");
        r->failed = true;
    }
    return PARTIAL_SOME;
}

static enum partial read_object(const struct json *root, struct batch *b, const char **why)
{
    const struct json *failures = json_get(root, "batchItemFailures");
    if (json_type(failures) == JSON_NULL)
        return PARTIAL_NONE;
    if (json_type(failures) != JSON_ARRAY)
        return malformed(why, "batchItemFailures is not an array");
    struct map by_id;
    map_init(&by_id);
    list_each(&b->records, it)
    {
        struct record *r = container_of(it, struct record, node);
        map_set(&by_id, r->id, r);
    }
    enum partial p = mark(failures, &by_id, why);
    map_free(&by_id);
    return p;
}

static bool says_nothing(struct slice text)
{
    return text.n == 0 || slice_is(text, "null") || slice_is(text, "\"\"") ||
           slice_is(text, "[]") || slice_is(text, "{}");
}

enum partial partial_read(struct slice body, struct batch *b, const char **why)
{
    struct slice text = slice_trim(body);
    if (says_nothing(text))
        return PARTIAL_NONE;
    struct json *root = json_parse(text, RESPONSE_MAX_BYTES, NULL);
    if (root == NULL)
        return malformed(why, "the response is not JSON");
    enum partial p = PARTIAL_NONE;
    if (json_type(root) == JSON_OBJECT)
        p = read_object(root, b, why);
    else if (json_type(root) != JSON_ARRAY || json_count(root) > 0)
        p = malformed(why, "the response is not an object");
    json_free(root);
    return p;
}
