/* sqs_redrive.c - policies of dead-letter queues. */
#include "api/sqs_redrive.h"

#include "api/sqs_address.h"
#include <inttypes.h>
#include <stdio.h>

enum { POLICY_MAX = 64 * 1024, RECEIVES_MAX = 1000, SOURCES_MAX = 10 };

static bool invalid(struct sqs_call *c, const char *attribute, struct slice text, const char *why)
{
    return sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                           "Value " SLICE_FMT " for parameter %s is invalid. Reason: %s",
                           SLICE_ARG(text), attribute, why);
}

/* ---- RedrivePolicy ---- */

static bool is_redrive(struct sqs_call *c, struct slice text, const char *why)
{
    return invalid(c, "RedrivePolicy", text, why);
}

static bool read_count(struct sqs_call *c, struct slice text, const struct json *value,
                       int64_t *count)
{
    char why[160];
    *count = 0;
    if (!json_int(value, count) && !slice_int(json_text(value), count))
        *count = -1;
    if (*count >= 1 && *count <= RECEIVES_MAX)
        return true;
    snprintf(why, sizeof why,
             "Invalid value for maxReceiveCount: %" PRId64
             ", valid values are from 1 to 1000 both inclusive.",
             *count);
    return is_redrive(c, text, why);
}

/* Does the dead-letter queue take messages of that queue? */
static bool allows(struct sqs_call *c, const struct queue *dead, struct slice self)
{
    const char *policy = queue_settings(dead)->redrive_allow;
    if (policy == NULL)
        return true;
    struct json *root = json_parse(slice_of(policy), POLICY_MAX, NULL);
    struct slice kind = json_text(json_get(root, "redrivePermission"));
    bool ok = slice_is(kind, "allowAll");
    const char *arn = arena_printf(&c->arena, "arn:aws:sqs:%s:%s:" SLICE_FMT, c->api->env->region,
                                   c->api->env->account_id, SLICE_ARG(self));
    if (slice_is(kind, "byQueue"))
        for (const struct json *j = json_first(json_get(root, "sourceQueueArns")); j != NULL;
             j = json_after(j))
            ok |= slice_is(json_text(j), arn);
    json_free(root);
    return ok;
}

static bool check_target(struct sqs_call *c, struct slice text, struct slice arn, struct slice self,
                         bool fifo)
{
    if (!sqs_address_is_arn(arn))
        return is_redrive(c, text, "Invalid value for deadLetterTargetArn.");
    if (!slice_starts(arn, "arn:aws:sqs:"))
        return is_redrive(c, text, "Only SQS queues are valid resources for deadLetterTargetArn.");
    if (slice_ends(arn, ".fifo") != fifo)
        return is_redrive(c, text, "Dead-letter queue must be same type of queue as the source.");
    const struct queue *dead = queues_find_arn(c->api->queues, arn);
    if (dead == NULL)
        return is_redrive(c, text, "Dead letter target does not exist.");
    if (slice_is(self, queue_name(dead)))
        return is_redrive(c, text, "A queue cannot be its own dead-letter queue.");
    return allows(c, dead, self) ||
           is_redrive(c, text,
                      "The dead-letter queue's RedriveAllowPolicy does not allow this "
                      "source queue.");
}

static bool read_object(struct sqs_call *c, const struct json *root, struct slice text,
                        struct slice self, struct queue_settings *s)
{
    const struct json *count = json_get(root, "maxReceiveCount");
    const struct json *arn = json_get(root, "deadLetterTargetArn");
    int64_t receives;
    if (json_type(root) != JSON_OBJECT)
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                               "Invalid value for the parameter RedrivePolicy. Reason: Redrive "
                               "policy is not a valid JSON map.");
    for (const struct json *j = json_first(root); j != NULL; j = json_after(j))
        if (!slice_is(json_name(j), "maxReceiveCount") &&
            !slice_is(json_name(j), "deadLetterTargetArn"))
            return is_redrive(c, text,
                              "Only following attributes are supported: [maxReceiveCount, "
                              "deadLetterTargetArn].");
    if (count == NULL)
        return is_redrive(c, text,
                          "Redrive policy does not contain mandatory attribute: maxReceiveCount.");
    if (arn == NULL)
        return is_redrive(
            c, text, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
    if (!read_count(c, text, count, &receives) ||
        !check_target(c, text, json_text(arn), self, s->fifo))
        return false;
    s->dead_arn = arena_dup(&c->arena, json_text(arn));
    s->max_receives = receives;
    return true;
}

bool sqs_redrive_read(struct sqs_call *c, struct slice text, struct slice self,
                      struct queue_settings *s)
{
    if (text.n == 0) {
        s->dead_arn = NULL;
        return true;
    }
    struct json *root = json_parse(text, POLICY_MAX, NULL);
    bool ok = read_object(c, root, text, self, s);
    json_free(root);
    return ok;
}

void sqs_redrive_print(const struct queue_settings *s, struct buf *out)
{
    struct json_out o;
    json_out_init(&o, out);
    json_object(&o);
    json_kv_cstr(&o, "deadLetterTargetArn", s->dead_arn);
    json_kv_i64(&o, "maxReceiveCount", s->max_receives);
    json_end(&o);
}

/* ---- RedriveAllowPolicy ---- */

#define CANNOT "Amazon SQS can't create the redrive allow policy"

static bool is_allow(struct sqs_call *c, struct slice text, const char *why)
{
    return invalid(c, "RedriveAllowPolicy", text, why);
}

static bool odd_format(struct sqs_call *c)
{
    return sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                           "Invalid value for the parameter RedriveAllowPolicy. Reason: " CANNOT
                           ", as it\u2019s in an unsupported format.");
}

static bool check_sources(struct sqs_call *c, const struct json *arns, struct slice text)
{
    if (arns != NULL && json_type(arns) != JSON_ARRAY)
        return odd_format(c);
    size_t n = json_count(arns);
    if (n == 0)
        return is_allow(c, text,
                        CANNOT ". When you specify the byQueue permission type, you must also "
                               "specify one or more sourceQueueArns values.");
    if (n > SOURCES_MAX)
        return is_allow(c, text,
                        CANNOT ". The maximum number of source queue ARNs you can specify is 10.");
    for (const struct json *j = json_first(arns); j != NULL; j = json_after(j))
        if (!sqs_address_is_arn(json_text(j)))
            return odd_format(c);
    return true;
}

static bool check_allow(struct sqs_call *c, const struct json *root, struct slice text)
{
    struct slice kind = json_text(json_get(root, "redrivePermission"));
    const struct json *arns = json_get(root, "sourceQueueArns");
    if (json_type(root) != JSON_OBJECT)
        return odd_format(c);
    for (const struct json *j = json_first(root); j != NULL; j = json_after(j))
        if (!slice_is(json_name(j), "redrivePermission") &&
            !slice_is(json_name(j), "sourceQueueArns"))
            return odd_format(c);
    if (slice_is(kind, "byQueue"))
        return check_sources(c, arns, text);
    if (!slice_is(kind, "allowAll") && !slice_is(kind, "denyAll"))
        return odd_format(c);
    return arns == NULL || is_allow(c, text,
                                    CANNOT ". To specify one or more source queue ARNs, you must "
                                           "set redrivePermission to byQueue.");
}

bool sqs_redrive_read_allow(struct sqs_call *c, struct slice text, struct queue_settings *s)
{
    if (text.n == 0) {
        s->redrive_allow = NULL;
        return true;
    }
    struct json *root = json_parse(text, POLICY_MAX, NULL);
    bool ok = check_allow(c, root, text);
    json_free(root);
    if (ok)
        s->redrive_allow = arena_dup(&c->arena, text);
    return ok;
}
