/* sqs_in.c - typed access to the members of a request, with the words of AWS's parser. */
#include "api/sqs_in.h"

#include <inttypes.h>

static bool syntax(struct sqs_call *c, const struct json *found, const char *scalar)
{
    const char *text = scalar;
    if (json_type(found) == JSON_OBJECT)
        text = "Start of structure or map found where not expected.";
    if (json_type(found) == JSON_ARRAY)
        text = "Start of list found where not expected";
    return sqs_problem_set(&c->problem, SQS_ERROR_SYNTAX, "%s", text);
}

bool sqs_in_value(struct sqs_call *c, const struct json *value, struct slice *out)
{
    int64_t n;
    *out = (struct slice){NULL, 0};
    switch (json_type(value)) {
    case JSON_NULL:
        return true;
    case JSON_STRING:
        *out = json_text(value);
        return true;
    case JSON_BOOL:
        *out = json_true(value) ? SLICE("true") : SLICE("false");
        return true;
    case JSON_NUMBER:
        if (!json_int(value, &n))
            return syntax(c, value, "NUMBER_VALUE can not be converted to a String");
        *out = slice_of(arena_printf(&c->arena, "%" PRId64, n));
        return true;
    default:
        return syntax(c, value, "");
    }
}

bool sqs_in_text(struct sqs_call *c, const struct json *object, const char *name, struct slice *out)
{
    return sqs_in_value(c, json_get(object, name), out);
}

bool sqs_in_need(struct sqs_call *c, const struct json *object, const char *name, struct slice *out)
{
    if (!sqs_in_text(c, object, name, out))
        return false;
    return out->n > 0 || sqs_problem_set(&c->problem, SQS_ERROR_MISSING,
                                         "The request must contain the parameter %s.", name);
}

bool sqs_in_int(struct sqs_call *c, const struct json *object, const char *name, int64_t *out)
{
    const struct json *value = json_get(object, name);
    switch (json_type(value)) {
    case JSON_NULL:
        return true;
    case JSON_NUMBER:
        return json_int(value, out) ||
               syntax(c, value, "NUMBER_VALUE can not be converted to an Integer");
    case JSON_BOOL:
        return syntax(c, value, "BOOLEAN_VALUE can not be converted to an Integer");
    default:
        return syntax(c, value, "STRING_VALUE can not be converted to an Integer");
    }
}

static bool container(struct sqs_call *c, const struct json *object, const char *name,
                      enum json_type want, const struct json **out)
{
    *out = json_get(object, name);
    if (*out == NULL || json_type(*out) == want)
        return true;
    if (json_type(*out) != JSON_NULL)
        return syntax(c, *out, "Expected list or map");
    *out = NULL;
    return true;
}

bool sqs_in_list(struct sqs_call *c, const struct json *object, const char *name,
                 const struct json **out)
{
    return container(c, object, name, JSON_ARRAY, out);
}

bool sqs_in_map(struct sqs_call *c, const struct json *object, const char *name,
                const struct json **out)
{
    return container(c, object, name, JSON_OBJECT, out);
}
