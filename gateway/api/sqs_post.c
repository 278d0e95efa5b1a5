/* sqs_post.c - messages as they are sent. */
#include "api/sqs_post.h"

#include "api/sqs_typed.h"
#include "base/digest.h"

enum { DELAY_MAX_S = 900, ID_MAX = 128 };

bool sqs_post_read(struct sqs_call *c, const struct json *object, struct sqs_post *p)
{
    size_t bytes = 0, uncounted = 0;
    *p = (struct sqs_post){.delay_s = INT64_MIN};
    if (!sqs_in_text(c, object, "MessageBody", &p->body) ||
        !sqs_in_text(c, object, "MessageGroupId", &p->group) ||
        !sqs_in_text(c, object, "MessageDeduplicationId", &p->dedup_id) ||
        !sqs_in_int(c, object, "DelaySeconds", &p->delay_s) ||
        !sqs_in_map(c, object, "MessageAttributes", &p->typed) ||
        !sqs_in_map(c, object, "MessageSystemAttributes", &p->system) ||
        !sqs_typed_read(c, p->typed, &bytes) || !sqs_typed_read(c, p->system, &uncounted))
        return false;
    p->delayed = p->delay_s != INT64_MIN;
    p->bytes = p->body.n + bytes;
    return true;
}

bool sqs_post_is_id(struct slice id)
{
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] <= ' ' || id.p[i] > '~')
            return false;
    return id.n > 0 && id.n <= ID_MAX;
}

static bool check_id(struct sqs_post *p, struct slice id, const char *name)
{
    return id.p == NULL || sqs_post_is_id(id) ||
           sqs_problem_set(&p->problem, SQS_ERROR_VALUE,
                           "Value " SLICE_FMT
                           " for parameter %s is invalid. Reason: %s can only include alphanumeric "
                           "and punctuation characters. 1 to 128 in length.",
                           SLICE_ARG(id), name, name);
}

static bool check_body(struct sqs_post *p, const struct queue_settings *s, const char *body_name)
{
    if (p->body.n == 0)
        return sqs_problem_set(&p->problem, SQS_ERROR_MISSING,
                               "The request must contain the parameter %s.", body_name);
    if (p->bytes > (size_t)s->max_bytes)
        return sqs_problem_set(&p->problem, SQS_ERROR_VALUE,
                               "One or more parameters are invalid. Reason: Message must be "
                               "shorter than %lld bytes.",
                               (long long)s->max_bytes);
    if (!sqs_typed_is_text(p->body))
        return sqs_problem_set(&p->problem, SQS_ERROR_CONTENTS, SQS_TYPED_BAD_TEXT);
    return true;
}

static bool check_delay(struct sqs_post *p, const struct queue_settings *s)
{
    if (s->fifo && p->delay_s == 0) /* SDKs send 0 for "nothing" */
        p->delayed = false;
    if (!p->delayed)
        return true;
    if (s->fifo)
        return sqs_problem_set(&p->problem, SQS_ERROR_VALUE,
                               "Value %lld for parameter DelaySeconds is invalid. Reason: The "
                               "request include parameter that is not valid for this queue type.",
                               (long long)p->delay_s);
    return (p->delay_s >= 0 && p->delay_s <= DELAY_MAX_S) ||
           sqs_problem_set(&p->problem, SQS_ERROR_VALUE,
                           "Value %lld for parameter DelaySeconds is invalid. Reason: DelaySeconds "
                           "must be >= 0 and <= 900.",
                           (long long)p->delay_s);
}

bool sqs_post_check_fifo(struct sqs_post *p, const struct queue_settings *s,
                         enum sqs_error no_group)
{
    if (!s->fifo)
        return true;
    if (p->group.n == 0)
        return sqs_problem_set(&p->problem, no_group,
                               "The request must contain the parameter MessageGroupId.");
    return p->dedup_id.n > 0 || s->content_dedup ||
           sqs_problem_set(&p->problem, SQS_ERROR_VALUE,
                           "The queue should either have ContentBasedDeduplication enabled or "
                           "MessageDeduplicationId provided explicitly");
}

static bool check_ids(struct sqs_post *p, const struct queue_settings *s)
{
    if (!s->fifo && p->dedup_id.n > 0)
        return sqs_problem_set(&p->problem, SQS_ERROR_VALUE,
                               "Value " SLICE_FMT
                               " for parameter MessageDeduplicationId is invalid. Reason: The "
                               "request include parameter that is not valid for this queue type.",
                               SLICE_ARG(p->dedup_id));
    if (p->group.n == 0)
        p->group.p = NULL;
    if (p->dedup_id.n == 0)
        p->dedup_id.p = NULL;
    return check_id(p, p->group, "MessageGroupId") &&
           check_id(p, p->dedup_id, "MessageDeduplicationId");
}

bool sqs_post_check(struct sqs_call *c, struct sqs_post *p, const struct queue_settings *s,
                    const char *body_name)
{
    if (!check_body(p, s, body_name) || !check_delay(p, s) ||
        !sqs_post_check_fifo(p, s, SQS_ERROR_MISSING) || !check_ids(p, s))
        return false;
    if (!sqs_typed_check(c, p->typed, &p->attributes, p->md5_attributes, &p->problem) ||
        !sqs_typed_check_system(c, p->system, &p->trace, p->md5_system, &p->problem))
        return false;
    uint8_t hash[MD5_LEN];
    digest_md5(p->body, hash);
    digest_hex(hash, sizeof hash, p->md5_body);
    return true;
}

static struct slice or_empty(struct slice s)
{
    return s.p != NULL ? s : SLICE_NONE;
}

void sqs_post_fill(const struct sqs_call *c, const struct sqs_post *p, struct queue_send_entry *e)
{
    *e = (struct queue_send_entry){.body = p->body,
                                   .group = or_empty(p->group),
                                   .dedup_id = or_empty(p->dedup_id),
                                   .attributes = p->attributes,
                                   .trace = or_empty(p->trace),
                                   .md5_body = {p->md5_body, 32},
                                   .md5_attributes = slice_of(p->md5_attributes),
                                   .sender = slice_of(c->api->env->account_id),
                                   .delay_s = p->delayed ? p->delay_s : -1};
}
