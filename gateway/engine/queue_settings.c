/* queue_settings.c - the attributes of a queue: their table, what no range can check, copies, and
 * how they are written down. */
#include "engine/queue_settings.h"

#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALLOW_LIMIT_BYTES = 16384, ALLOW_ARNS_MAX = 10 };

static const char *const scopes[] = {"queue", "messageGroup", NULL};
static const char *const limits[] = {"perQueue", "perMessageGroupId", NULL};

#define S struct queue_settings
const struct option queue_options[] = {
    OPT_INT(S, visibility_s, "VisibilityTimeout", "30", 0, QUEUE_VISIBILITY_MAX_S, 0,
            "seconds for which a received message stays hidden"),
    OPT_INT(S, delay_s, "DelaySeconds", "0", 0, 900, 0,
            "seconds before a new message can be received"),
    OPT_INT(S, retention_s, "MessageRetentionPeriod", "345600", 60, 1209600, 0,
            "seconds after which a message is dropped"),
    OPT_INT(S, max_bytes, "MaximumMessageSize", "1048576", 1024, QUEUE_BODY_MAX, 0,
            "most bytes of a message, attributes included"),
    OPT_INT(S, wait_s, "ReceiveMessageWaitTimeSeconds", "0", 0, 20, 0,
            "seconds that a receive waits for a message when it does not say"),
    OPT_BOOL(S, fifo, "FifoQueue", "false", 0,
             "order and deduplication; the name must end in .fifo"),
    OPT_BOOL(S, content_dedup, "ContentBasedDeduplication", "false", 0,
             "FIFO: the SHA-256 of the body is the deduplication id of a message without one"),
    OPT_CHOICE(S, dedup_per_group, "DeduplicationScope", "queue", scopes, 0,
               "FIFO: where a deduplication id counts"),
    OPT_CHOICE(S, throughput_per_group, "FifoThroughputLimit", "perQueue", limits, 0,
               "FIFO: told to clients; nothing is limited here"),
    OPT_STRING(S, dead_arn, "RedrivePolicy.deadLetterTargetArn", NULL, 0,
               "queue for messages that were received too often"),
    OPT_INT(S, max_receives, "RedrivePolicy.maxReceiveCount", "10", 1, 1000, 0,
            "receives after which a message goes to the dead-letter queue"),
    OPT_STRING(S, redrive_allow, "RedriveAllowPolicy", NULL, 0,
               "JSON text: which queues may name this one as their dead-letter queue"),
    OPT_END,
};
#undef S

/* ---- checks */

static bool name_ok(struct slice n, bool fifo)
{
    if (n.n == 0 || n.n > QUEUE_NAME_MAX)
        return false;
    if (fifo) {
        if (!slice_ends(n, ".fifo") || n.n == sizeof ".fifo" - 1)
            return false;
        n.n -= sizeof ".fifo" - 1;
    }
    for (size_t i = 0; i < n.n; i++) {
        char c = n.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

static bool check_fifo(const struct queue_settings *s, struct error *err)
{
    if (!s->fifo) {
        const char *name = s->content_dedup          ? "ContentBasedDeduplication"
                           : s->dedup_per_group != 0 ? "DeduplicationScope"
                           : s->throughput_per_group ? "FifoThroughputLimit"
                                                     : NULL;
        return name == NULL || error_set(err, ERROR_CONFIG, "Unknown Attribute %s.", name);
    }
    if (s->throughput_per_group != 0 && s->dedup_per_group == 0)
        return error_set(err, ERROR_CONFIG,
                         "Value perMessageGroupId for parameter FifoThroughputLimit is invalid. "
                         "Reason: DeduplicationScope must be messageGroup.");
    return true;
}

/* arn:aws:sqs:REGION:ACCOUNT:NAME */
static bool is_queue_arn(struct slice rest)
{
    struct slice parts[6];
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        parts[i] = i + 1 < ARRAY_LEN(parts) ? slice_cut(&rest, ':') : rest;
    return slice_is(parts[0], "arn") && slice_starts(parts[1], "aws") &&
           slice_is(parts[2], "sqs") && parts[3].n > 0 && parts[4].n > 0 &&
           name_ok(parts[5], slice_ends(parts[5], ".fifo"));
}

static bool check_dead(const struct queue_settings *s, struct error *err)
{
    if (s->dead_arn == NULL)
        return true;
    const char *why = NULL;
    if (!is_queue_arn(slice_of(s->dead_arn)))
        why = "Invalid value for deadLetterTargetArn.";
    else if (s->max_receives < 1 || s->max_receives > 1000)
        why = "Invalid value for maxReceiveCount.";
    else if (slice_ends(slice_of(s->dead_arn), ".fifo") != s->fifo)
        why = "Dead-letter queue must be same type of queue as the source.";
    if (why == NULL)
        return true;
    return error_set(
        err, ERROR_CONFIG,
        "Value {\"deadLetterTargetArn\":\"%s\",\"maxReceiveCount\":%lld} for parameter "
        "RedrivePolicy is invalid. Reason: %s",
        s->dead_arn, (long long)s->max_receives, why);
}

static const char *allow_problem(const struct json *root)
{
    struct slice kind = json_text(json_get(root, "redrivePermission"));
    const struct json *arns = json_get(root, "sourceQueueArns");
    bool by_queue = slice_is(kind, "byQueue");
    if (json_type(root) != JSON_OBJECT)
        return "Must be a JSON object.";
    if (!by_queue && !slice_is(kind, "allowAll") && !slice_is(kind, "denyAll"))
        return "redrivePermission must be allowAll, denyAll or byQueue.";
    if (!by_queue)
        return arns == NULL ? NULL : "sourceQueueArns is only allowed with byQueue.";
    if (json_type(arns) != JSON_ARRAY || json_count(arns) == 0 || json_count(arns) > ALLOW_ARNS_MAX)
        return "byQueue needs 1 to 10 sourceQueueArns.";
    for (const struct json *a = json_first(arns); a != NULL; a = json_after(a))
        if (json_type(a) != JSON_STRING || !is_queue_arn(json_text(a)))
            return "sourceQueueArns must be ARNs of queues.";
    return NULL;
}

static bool check_allow(const struct queue_settings *s, struct error *err)
{
    if (s->redrive_allow == NULL)
        return true;
    struct json *root = json_parse(slice_of(s->redrive_allow), ALLOW_LIMIT_BYTES, NULL);
    const char *why = root == NULL ? "Must be a JSON object." : allow_problem(root);
    json_free(root);
    return why == NULL ||
           error_set(err, ERROR_CONFIG,
                     "Value %.200s for parameter RedriveAllowPolicy is invalid. Reason: %s",
                     s->redrive_allow, why);
}

bool queue_settings_check(const struct queue_settings *s, const char *name, struct error *err)
{
    if (!name_ok(slice_of(name), s->fifo))
        return error_set(
            err, ERROR_CONFIG, "%s",
            s->fifo ? "The name of a FIFO queue can only include alphanumeric characters, hyphens, "
                      "or underscores, must end with .fifo suffix and be 1 to 80 in length."
                    : "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 "
                      "in length");
    return check_fifo(s, err) && check_dead(s, err) && check_allow(s, err);
}

/* ---- copies */

static void put_string(const char **field, const char *value)
{
    *field = value != NULL ? mem_strdup(value) : NULL;
}

void queue_settings_copy(struct queue_settings *to, const struct queue_settings *from)
{
    *to = *from;
    put_string(&to->dead_arn, from->dead_arn);
    put_string(&to->redrive_allow, from->redrive_allow);
}

static void free_string(const char **field)
{
    free((void *)(uintptr_t)*field);
    *field = NULL;
}

void queue_settings_free(struct queue_settings *s)
{
    free_string(&s->dead_arn);
    free_string(&s->redrive_allow);
}

void queue_tags_copy(struct option_map *to, const struct option_map *from)
{
    *to = (struct option_map){0};
    if (from == NULL || from->n == 0)
        return;
    to->names = mem_alloc(from->n * sizeof *to->names);
    to->values = mem_alloc(from->n * sizeof *to->values);
    for (; to->n < from->n; to->n++) {
        put_string(&to->names[to->n], from->names[to->n]);
        put_string(&to->values[to->n], from->values[to->n]);
    }
}

void queue_tags_free(struct option_map *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free_string(&m->names[i]);
        free_string(&m->values[i]);
    }
    free(m->names);
    free(m->values);
    *m = (struct option_map){0};
}

/* ---- JSON, by the table */

void queue_settings_write(struct json_out *j, const struct queue_settings *s)
{
    json_object(j);
    for (const struct option *o = queue_options; o->name != NULL; o++) {
        const void *field = (const char *)s + o->offset;
        if (o->type == OPTION_BOOL)
            json_kv_i64(j, o->name, *(const bool *)field);
        else if (o->type != OPTION_STRING)
            json_kv_i64(j, o->name, *(const int64_t *)field);
        else if (*(const char *const *)field != NULL)
            json_kv_cstr(j, o->name, *(const char *const *)field);
    }
    json_end(j);
}

void queue_settings_read(struct queue_settings *s, const struct json *j)
{
    *s = (struct queue_settings){0};
    for (const struct option *o = queue_options; o->name != NULL; o++) {
        void *field = (char *)s + o->offset;
        const struct json *value = json_get(j, o->name);
        int64_t number = 0;
        if (o->type == OPTION_STRING) {
            if (json_type(value) == JSON_STRING)
                *(const char **)field = slice_dup(json_text(value));
            continue;
        }
        if (!json_int(value, &number) && o->type == OPTION_INT &&
            !slice_int(slice_of(o->dflt), &number))
            number = 0;
        if (o->type == OPTION_BOOL)
            *(bool *)field = number != 0;
        else
            *(int64_t *)field = number;
    }
}

void queue_tags_write(struct json_out *j, const struct option_map *m)
{
    json_object(j);
    for (size_t i = 0; i < m->n; i++)
        json_kv_cstr(j, m->names[i], m->values[i] != NULL ? m->values[i] : "");
    json_end(j);
}

void queue_tags_read(struct option_map *m, const struct json *j)
{
    *m = (struct option_map){0};
    size_t n = json_count(j);
    if (json_type(j) != JSON_OBJECT || n == 0)
        return;
    m->names = mem_alloc(n * sizeof *m->names);
    m->values = mem_alloc(n * sizeof *m->values);
    for (const struct json *v = json_first(j); v != NULL; v = json_after(v), m->n++) {
        m->names[m->n] = slice_dup(json_name(v));
        m->values[m->n] = slice_dup(json_text(v));
    }
}
