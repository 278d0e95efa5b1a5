/* sqs_attributes_out.c - attributes of queues: what GetQueueAttributes tells. */
#include "api/sqs_attributes.h"
#include "api/sqs_redrive.h"

enum { POLICY_BYTES = 64 * 1024, NAMES_MAX = 100 };

struct view {
    const struct queue *queue;
    const struct queue_settings *settings;
    struct queue_counts counts;
};

static void put_visible(struct sqs_out *o, const char *name, const struct view *v)
{
    sqs_out_pair_i64(o, name, (int64_t)v->counts.visible);
}

static void put_in_flight(struct sqs_out *o, const char *name, const struct view *v)
{
    sqs_out_pair_i64(o, name, (int64_t)v->counts.in_flight);
}

static void put_delayed(struct sqs_out *o, const char *name, const struct view *v)
{
    sqs_out_pair_i64(o, name, (int64_t)v->counts.delayed);
}

static void put_created(struct sqs_out *o, const char *name, const struct view *v)
{
    sqs_out_pair_i64(o, name, v->counts.created_s);
}

static void put_modified(struct sqs_out *o, const char *name, const struct view *v)
{
    sqs_out_pair_i64(o, name, v->counts.modified_s);
}

static void put_arn(struct sqs_out *o, const char *name, const struct view *v)
{
    sqs_out_pair(o, slice_of(name), slice_of(queue_arn(v->queue)));
}

static void put_redrive(struct sqs_out *o, const char *name, const struct view *v)
{
    struct buf text;
    if (v->settings->dead_arn == NULL)
        return;
    buf_init(&text, POLICY_BYTES);
    sqs_redrive_print(v->settings, &text);
    sqs_out_pair(o, slice_of(name), buf_slice(&text));
    buf_free(&text);
}

static void put_allow(struct sqs_out *o, const char *name, const struct view *v)
{
    if (v->settings->redrive_allow != NULL)
        sqs_out_pair(o, slice_of(name), slice_of(v->settings->redrive_allow));
}

static void put_encryption(struct sqs_out *o, const char *name, const struct view *v)
{
    (void)v;
    sqs_out_pair(o, slice_of(name), SLICE("false"));
}

static void put_nothing(struct sqs_out *o, const char *name, const struct view *v)
{
    (void)o;
    (void)name;
    (void)v;
}

/* Of the table of settings. */
static void put_option(struct sqs_out *o, const char *name, const struct view *v)
{
    for (const struct option *opt = queue_options; opt->name != NULL; opt++) {
        const char *field = (const char *)v->settings + opt->offset;
        if (opt->type == OPTION_STRING || !slice_is(slice_of(name), opt->name))
            continue;
        if (opt->type == OPTION_INT)
            sqs_out_pair_i64(o, name, *(const int64_t *)(const void *)field);
        else if (opt->type == OPTION_BOOL)
            sqs_out_pair(o, slice_of(name),
                         *(const bool *)(const void *)field ? SLICE("true") : SLICE("false"));
        else
            sqs_out_pair(o, slice_of(name),
                         slice_of(opt->choices[*(const int64_t *)(const void *)field]));
    }
}

static const struct {
    const char *name;
    void (*put)(struct sqs_out *, const char *name, const struct view *);
    bool fifo; /* only FIFO queues have it */
} attributes[] = {
    {"QueueArn", put_arn, false},
    {"ApproximateNumberOfMessages", put_visible, false},
    {"ApproximateNumberOfMessagesNotVisible", put_in_flight, false},
    {"ApproximateNumberOfMessagesDelayed", put_delayed, false},
    {"CreatedTimestamp", put_created, false},
    {"LastModifiedTimestamp", put_modified, false},
    {"VisibilityTimeout", put_option, false},
    {"MaximumMessageSize", put_option, false},
    {"MessageRetentionPeriod", put_option, false},
    {"DelaySeconds", put_option, false},
    {"ReceiveMessageWaitTimeSeconds", put_option, false},
    {"RedrivePolicy", put_redrive, false},
    {"RedriveAllowPolicy", put_allow, false},
    {"FifoQueue", put_option, true},
    {"ContentBasedDeduplication", put_option, true},
    {"DeduplicationScope", put_option, true},
    {"FifoThroughputLimit", put_option, true},
    {"SqsManagedSseEnabled", put_encryption, false},
    {"Policy", put_nothing, false},
    {"KmsMasterKeyId", put_nothing, false},
    {"KmsDataKeyReusePeriodSeconds", put_nothing, false},
};

static bool is_attribute(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (slice_is(name, attributes[i].name))
            return true;
    return slice_is(name, "All");
}

bool sqs_attributes_known(struct sqs_call *c, const struct json *list)
{
    if (json_count(list) > NAMES_MAX)
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE, "More than %d AttributeNames.",
                               NAMES_MAX);
    for (const struct json *j = json_first(list); j != NULL; j = json_after(j)) {
        struct slice name;
        if (!sqs_in_value(c, j, &name))
            return false;
        if (!is_attribute(name))
            return sqs_problem_set(&c->problem, SQS_ERROR_ATTRIBUTE_NAME,
                                   "Unknown Attribute " SLICE_FMT ".", SLICE_ARG(name));
    }
    return true;
}

static bool is_wanted(const struct json *list, const char *name)
{
    for (const struct json *j = json_first(list); j != NULL; j = json_after(j))
        if (slice_is(json_text(j), name) || slice_is(json_text(j), "All"))
            return true;
    return false;
}

void sqs_attributes_write(struct sqs_call *c, const struct json *list, struct sqs_out *o)
{
    const struct view v = {c->queue, queue_settings(c->queue), queue_counts(c->queue)};
    if (json_count(list) == 0)
        return;
    sqs_out_map(o, "Attributes", SQS_OUT_ATTRIBUTE);
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if ((v.settings->fifo || !attributes[i].fifo) && is_wanted(list, attributes[i].name))
            attributes[i].put(o, attributes[i].name, &v);
    sqs_out_map_end(o);
}
