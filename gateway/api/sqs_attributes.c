/* sqs_attributes.c - attributes of queues: reading and checking. */
#include "api/sqs_attributes.h"

#include "api/sqs_redrive.h"
#include <string.h>

/* What a member of Attributes is. */
enum kind { UNKNOWN, OPTION, REDRIVE, REDRIVE_ALLOW, REFUSED };

static const char *const refused[] = {"Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds",
                                      "SqsManagedSseEnabled"};
static const char *const only_fifo[] = {"ContentBasedDeduplication", "DeduplicationScope",
                                        "FifoThroughputLimit"};

/* Texts and members of policies have readers of their own. */
static const struct option *find_option(struct slice name)
{
    for (const struct option *o = queue_options; o->name != NULL; o++)
        if (o->type != OPTION_STRING && strchr(o->name, '.') == NULL && slice_is(name, o->name))
            return o;
    return NULL;
}

static enum kind kind_of(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (slice_is(name, refused[i]))
            return REFUSED;
    if (slice_is(name, "RedrivePolicy"))
        return REDRIVE;
    if (slice_is(name, "RedriveAllowPolicy"))
        return REDRIVE_ALLOW;
    return find_option(name) != NULL ? OPTION : UNKNOWN;
}

/* ---- values ---- */

static bool read_bool(struct slice text, bool *out)
{
    *out = slice_is_ci(text, "true");
    return *out || slice_is_ci(text, "false");
}

static bool read_number(const struct option *o, struct slice text, int64_t *out)
{
    return text.n > 0 && text.p[0] != '-' && slice_int(text, out) && *out >= o->min &&
           *out <= o->max;
}

static bool read_choice(const struct option *o, struct slice text, int64_t *out)
{
    for (int64_t i = 0; o->choices[i] != NULL; i++)
        if (slice_is(text, o->choices[i])) {
            *out = i;
            return true;
        }
    return false;
}

static bool read_value(const struct option *o, struct slice text, struct queue_settings *s)
{
    void *field = (char *)s + o->offset;
    if (o->type == OPTION_BOOL)
        return read_bool(text, field);
    return o->type == OPTION_CHOICE ? read_choice(o, text, field) : read_number(o, text, field);
}

void sqs_attributes_defaults(struct queue_settings *s, bool fifo)
{
    *s = (struct queue_settings){0};
    for (const struct option *o = queue_options; o->name != NULL; o++) {
        void *field = (char *)s + o->offset;
        struct slice text = slice_of(o->dflt);
        if (o->type == OPTION_INT && !slice_int(text, field))
            *(int64_t *)field = 0;
        else if (o->type == OPTION_BOOL || o->type == OPTION_CHOICE)
            (void)read_value(o, text, s);
    }
    s->fifo = fifo;
}

/* ---- one attribute ---- */

static bool unknown(struct sqs_call *c, struct slice name)
{
    return sqs_problem_set(&c->problem, SQS_ERROR_ATTRIBUTE_NAME,
                           "Unknown Attribute " SLICE_FMT ".", SLICE_ARG(name));
}

static bool bad_value(struct sqs_call *c, struct slice name, const char *why)
{
    return sqs_problem_set(&c->problem, SQS_ERROR_ATTRIBUTE_VALUE,
                           "Invalid value for the parameter " SLICE_FMT ".%s", SLICE_ARG(name),
                           why);
}

/* What would mean nothing here is refused, unless it asks for what there is: no policy, no
 * encryption. */
static bool refuse(struct sqs_call *c, struct slice name, struct slice value)
{
    bool off = slice_is(name, "SqsManagedSseEnabled") && slice_is_ci(value, "false");
    return off || value.n == 0 ||
           sqs_problem_set(&c->problem, SQS_ERROR_UNSUPPORTED,
                           "The attribute " SLICE_FMT
                           " is not supported: these queues have one owner and no encryption of "
                           "their own.",
                           SLICE_ARG(name));
}

static bool fits_type(struct sqs_call *c, struct slice name, bool fifo)
{
    for (size_t i = 0; i < ARRAY_LEN(only_fifo) && !fifo; i++)
        if (slice_is(name, only_fifo[i]))
            return i == 0 ? unknown(c, name)
                          : sqs_problem_set(&c->problem, SQS_ERROR_ATTRIBUTE_NAME,
                                            "You can specify the %s only when FifoQueue is set to "
                                            "true.",
                                            only_fifo[i]);
    return true;
}

static bool apply_fifo(struct sqs_call *c, struct slice name, struct slice value, bool fifo)
{
    bool wanted;
    if (!read_bool(value, &wanted))
        return bad_value(c, name, "");
    if (!fifo)
        return unknown(c, name);
    return wanted || bad_value(c, name, " Reason: Modifying queue type is not supported.");
}

static bool apply_one(struct sqs_call *c, const struct json *member, struct slice self,
                      struct queue_settings *s)
{
    struct slice name = json_name(member), value;
    if (!sqs_in_value(c, member, &value))
        return false;
    if (value.p == NULL)
        return true;
    switch (kind_of(name)) {
    case REFUSED:
        return refuse(c, name, value);
    case REDRIVE:
        return sqs_redrive_read(c, value, self, s);
    case REDRIVE_ALLOW:
        return sqs_redrive_read_allow(c, value, s);
    case UNKNOWN:
        return unknown(c, name);
    case OPTION:
        break;
    }
    if (slice_is(name, "FifoQueue"))
        return apply_fifo(c, name, value, s->fifo);
    return fits_type(c, name, s->fifo) &&
           (read_value(find_option(name), value, s) || bad_value(c, name, ""));
}

/* ---- all of them ---- */

bool sqs_attributes_apply(struct sqs_call *c, const struct json *map, struct slice name,
                          struct queue_settings *s)
{
    struct error err = {.code = ERROR_NONE};
    if (json_count(map) > SQS_ATTRIBUTES_MAX_GIVEN)
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE, "More than %d attributes.",
                               SQS_ATTRIBUTES_MAX_GIVEN);
    for (const struct json *j = json_first(map); j != NULL; j = json_after(j))
        if (json_get(map, json_name(j).p) == j && !apply_one(c, j, name, s)) /* the last counts */
            return false;
    if (s->throughput_per_group != 0 && s->dedup_per_group == 0)
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                               "The perMessageGroupId value is allowed only when the value for "
                               "DeduplicationScope is messageGroup.");
    const char *text = arena_dup(&c->arena, name);
    return queue_settings_check(s, text, &err) ||
           sqs_problem_set(&c->problem, SQS_ERROR_VALUE, "%s", err.text);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same(const struct option *o, const struct queue_settings *a,
                 const struct queue_settings *b)
{
    const char *fa = (const char *)a + o->offset, *fb = (const char *)b + o->offset;
    if (o->type == OPTION_STRING)
        return same_text(*(const char *const *)(const void *)fa,
                         *(const char *const *)(const void *)fb);
    if (o->type == OPTION_BOOL)
        return *(const bool *)(const void *)fa == *(const bool *)(const void *)fb;
    return *(const int64_t *)(const void *)fa == *(const int64_t *)(const void *)fb;
}

const char *sqs_attributes_difference(const struct queue_settings *a,
                                      const struct queue_settings *b)
{
    for (const struct option *o = queue_options; o->name != NULL; o++)
        if (!same(o, a, b))
            return slice_starts(slice_of(o->name), "RedrivePolicy.") ? "RedrivePolicy" : o->name;
    return NULL;
}
