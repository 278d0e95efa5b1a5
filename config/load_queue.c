/* load_queue.c - the section Queues: queues that live in the gateway's own store. */
#include "base/json_out.h"
#include "config/load.h"
#include "config/names.h"

#include <stdlib.h>
#include <string.h>

enum { TAGS_MAX = 50 };

static const char fifo_suffix[] = ".fifo";

/* A queue as the file writes it: what the engine's table cannot say is read here. */
struct queue_file {
    struct queue_settings settings;
    const char *name;
};

const struct option load_queue_options[] = {
    OPT_STRING(struct queue_file, name, "QueueName", NULL, 0,
               "The queue's name; its key in this section is one already, and must be the same."),
    OPT_END};

/* RedriveAllowPolicy, which the engine takes as JSON text. */
struct allow_policy {
    const char *permission;
    struct option_list sources;
};

static const struct option allow_options[] = {
    OPT_STRING(struct allow_policy, permission, "redrivePermission", NULL, OPTION_REQUIRED,
               "Which queues may use this one as their dead-letter queue."),
    OPT_LIST(struct allow_policy, sources, "sourceQueueArns", NULL, 0, "With byQueue: which."),
    OPT_END};

/* ---- names ---- */

static bool is_fifo_name(struct slice name)
{
    return slice_ends(name, fifo_suffix);
}

static bool is_queue_name(struct slice name)
{
    size_t n = is_fifo_name(name) ? name.n - (sizeof fifo_suffix - 1) : name.n;
    for (size_t i = 0; i < n; i++) {
        char c = name.p[i];
        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' &&
            c != '_')
            return false;
    }
    return n > 0 && name.n <= QUEUE_NAME_MAX;
}

static const char *name_rule(bool fifo)
{
    return fifo ? "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
                  "underscores, must end with .fifo suffix and be 1 to 80 in length"
                : "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in "
                  "length";
}

/* The name in an ARN of this gateway's region and account; false: another's, or no ARN. */
static bool own_name(const struct load *load, const char *arn, struct slice *name)
{
    const struct gateway_settings *g = &load->catalog->gateway;
    const char *const parts[] = {"arn:aws:sqs", g->region, g->account_id};
    *name = slice_of(arn);
    if (!slice_starts(*name, parts[0]))
        return false;
    *name = slice_from(*name, strlen(parts[0]));
    for (size_t i = 1; i < ARRAY_LEN(parts); i++) {
        if (name->n == 0 || name->p[0] != ':' || !slice_starts(slice_from(*name, 1), parts[i]))
            return false;
        *name = slice_from(*name, 1 + strlen(parts[i]));
    }
    if (name->n == 0 || name->p[0] != ':')
        return false;
    *name = slice_from(*name, 1);
    return is_queue_name(*name);
}

/* The queue of this file that an ARN names; NULL: none. */
static const struct catalog_queue *by_arn(const struct load *load, const char *arn)
{
    struct slice name;
    return own_name(load, arn, &name) ? map_get(&load->queues, name) : NULL;
}

/* ---- one queue ---- */

static const char *queue_refusal(const void *ctx, struct slice name, struct arena *arena)
{
    (void)ctx;
    return names_refusal(NAMES_QUEUE, name, arena);
}

static bool check_members(struct load *load, const struct yaml_node *node)
{
    static const char *const others[] = {"Tags", NULL};
    static const struct option *const tables[] = {queue_options, load_queue_options, NULL};
    static const struct option_members members = {
        .tables = tables, .others = others, .refusal = queue_refusal};
    return option_check_members(&load->options, &members, node);
}

/* A name that ends in .fifo is FIFO; FifoQueue may say so again, and must not say otherwise. */
static bool settle_fifo(struct load *load, const struct yaml_node *node, struct queue_file *q)
{
    const struct yaml_node *said = yaml_find(node, "FifoQueue");
    bool named = is_fifo_name(node->key);
    bool agrees = said == NULL || q->settings.fifo == named;
    q->settings.fifo = named;
    if (!agrees)
        yaml_problem(&load->problems, said, NULL, "%s", name_rule(!named));
    return agrees;
}

/* What AWS calls unknown on a standard queue would be ignored there. */
static bool check_fifo_members(struct load *load, const struct yaml_node *node)
{
    static const char *const only_fifo[] = {"ContentBasedDeduplication", "DeduplicationScope",
                                            "FifoThroughputLimit"};
    bool ok = true;
    for (size_t i = 0; i < ARRAY_LEN(only_fifo) && !is_fifo_name(node->key); i++) {
        const struct yaml_node *at = yaml_find(node, only_fifo[i]);
        if (at == NULL)
            continue;
        ok = false;
        yaml_problem(&load->problems, at, NULL,
                     "Unknown Attribute %s. (it belongs to FIFO queues, whose names end in .fifo)",
                     only_fifo[i]);
    }
    return ok;
}

/* The mapping {redrivePermission, sourceQueueArns} becomes the text that the API would be given;
 * text stays. */
static bool settle_allow(struct load *load, struct yaml_node *policy)
{
    static const struct option *const tables[] = {allow_options, NULL};
    static const struct option_members members = {.tables = tables};
    struct allow_policy allow = {.permission = NULL};
    struct buf out;
    struct json_out json;
    if (policy == NULL || policy->type != YAML_MAPPING || policy->bad)
        return policy == NULL || !policy->bad;
    bool ok = option_check_members(&load->options, &members, policy);
    policy->bad = !option_apply(&load->options, allow_options, &allow, policy) || !ok;
    if (policy->bad)
        return false;
    buf_init(&out, LOAD_TEXT_MAX_BYTES);
    json_out_init(&json, &out);
    json_object(&json);
    json_kv_cstr(&json, "redrivePermission", allow.permission);
    if (yaml_find(policy, "sourceQueueArns") != NULL) {
        json_key(&json, "sourceQueueArns");
        json_array(&json);
        for (size_t i = 0; i < allow.sources.n; i++)
            json_cstr(&json, allow.sources.v[i]);
        json_end(&json);
    }
    json_end(&json);
    policy->type = YAML_SCALAR;
    policy->text = slice_of(load_keep_text(load, &out));
    policy->first = NULL;
    policy->count = 0;
    return true;
}

/* What the engine's check cannot see: which members were written, and whose ARN it is. */
static bool check_redrive(struct load *load, const struct yaml_node *node,
                          const struct queue_settings *s)
{
    const struct gateway_settings *g = &load->catalog->gateway;
    const struct yaml_node *policy = yaml_find(node, "RedrivePolicy");
    const char *missing = s->dead_arn == NULL                            ? "deadLetterTargetArn"
                          : yaml_find(policy, "maxReceiveCount") == NULL ? "maxReceiveCount"
                                                                         : NULL;
    struct slice name;
    if (policy == NULL)
        return true;
    if (missing != NULL)
        yaml_problem(&load->problems, policy, NULL,
                     "Redrive policy does not contain mandatory attribute: %s.", missing);
    else if (!own_name(load, s->dead_arn, &name))
        yaml_problem(&load->problems, policy, "deadLetterTargetArn",
                     "Value '%s' for parameter RedrivePolicy is invalid. Reason: Dead letter "
                     "target does not exist. (it must be arn:aws:sqs:%s:%s:NAME)",
                     s->dead_arn, g->region, g->account_id);
    else if (is_fifo_name(name) != s->fifo)
        yaml_problem(&load->problems, policy, "deadLetterTargetArn",
                     "Value '%s' for parameter RedrivePolicy is invalid. Reason: Dead-letter queue "
                     "must be same type of queue as the source.",
                     s->dead_arn);
    else
        return true;
    return false;
}

/* Texts of the engine name the parameter that they are about. */
static void report_settings(struct load *load, const struct yaml_node *node,
                            const struct error *err)
{
    static const char *const about[] = {"RedriveAllowPolicy", "FifoThroughputLimit"};
    const struct yaml_node *at = node;
    for (size_t i = 0; i < ARRAY_LEN(about); i++)
        if (strstr(err->text, about[i]) != NULL && yaml_find(node, about[i]) != NULL)
            at = yaml_find(node, about[i]);
    yaml_problem(&load->problems, at, NULL, "%s", err->text);
}

/* ---- tags ---- */

static const char *tag_part(const struct yaml_node *tag, const char *part, size_t max)
{
    const struct yaml_node *node = yaml_find(tag, part);
    if (node == NULL || node->type != YAML_SCALAR || node->bad || node->text.n > max)
        return NULL;
    return node->null ? "" : node->text.p;
}

static bool add_tag(struct load *load, const struct yaml_node *tag, struct option_map *tags)
{
    const char *key = tag_part(tag, "Key", 128), *value = tag_part(tag, "Value", 256);
    if (tag->bad)
        return false;
    if (key == NULL || key[0] == '\0' || value == NULL || tag->count != 2) {
        yaml_problem(&load->problems, tag, NULL,
                     "expected {Key: 1 to 128 characters, Value: 0 to 256 characters}, found %s",
                     yaml_describe(&load->catalog->arena, tag));
        return false;
    }
    if (slice_starts(slice_of(key), "aws:")) {
        yaml_problem(&load->problems, tag, "Key", "'%s': tags that begin with aws: are reserved",
                     key);
        return false;
    }
    for (size_t i = 0; i < tags->n; i++)
        if (strcmp(tags->names[i], key) == 0) {
            yaml_problem(&load->problems, tag, "Key", "'%s' stands twice", key);
            return false;
        }
    tags->names[tags->n] = key;
    tags->values[tags->n++] = value;
    return true;
}

static bool load_tags(struct load *load, const struct yaml_node *node, struct option_map *tags)
{
    struct arena *arena = &load->catalog->arena;
    const struct yaml_node *list = yaml_find(node, "Tags");
    bool ok = true;
    if (list == NULL || list->bad)
        return list == NULL;
    if (list->type != YAML_SEQUENCE || list->count > TAGS_MAX) {
        yaml_problem(&load->problems, list, NULL,
                     "expected a list of at most %d {Key, Value}, found %s", TAGS_MAX,
                     yaml_describe(arena, list));
        return false;
    }
    tags->names = arena_alloc(arena, (list->count + 1) * sizeof *tags->names);
    tags->values = arena_alloc(arena, (list->count + 1) * sizeof *tags->values);
    for (const struct yaml_node *it = list->first; it != NULL; it = it->next)
        ok &= add_tag(load, it, tags);
    return ok;
}

/* ---- texts ---- */

/* Of what the gateway acts on, so that order and way of writing make no difference. */
static const char *canonical(struct load *load, const struct catalog_queue *q)
{
    static const struct option tags[] = {OPT_MAP(struct catalog_queue, tags, "Tags", 0, "Tags."),
                                         OPT_END};
    struct buf out;
    struct json_out json;
    buf_init(&out, LOAD_TEXT_MAX_BYTES);
    json_out_init(&json, &out);
    json_array(&json);
    option_print(&json, queue_options, &q->settings);
    option_print(&json, tags, q);
    json_end(&json);
    return load_keep_text(load, &out);
}

static bool read_queue(struct load *load, struct catalog_queue *q, struct queue_file *file,
                       struct yaml_node *node)
{
    struct yaml_node *members = node->null && !node->bad ? NULL : node;
    struct yaml_node *allow = yaml_find(members, "RedriveAllowPolicy");
    if (members != NULL && !yaml_is_mapping(&load->problems, members))
        return false;
    bool ok = members == NULL || check_members(load, members);
    ok &= settle_allow(load, allow);
    bool applied = option_apply(&load->options, queue_options, &file->settings, members);
    ok &= option_apply(&load->options, load_queue_options, file, members);
    ok &= load_tags(load, members, &q->tags);
    ok &= applied && settle_fifo(load, node, file) && check_fifo_members(load, node);
    if (file->name != NULL && strcmp(file->name, node->key.p) != 0) {
        ok = false;
        yaml_problem(&load->problems, yaml_find(node, "QueueName"), NULL,
                     "'%s' is not the queue's name below Queues, '%s'", file->name, node->key.p);
    }
    return ok && check_redrive(load, node, &file->settings);
}

static void load_queue(struct load *load, struct catalog_queue *q, struct yaml_node *node)
{
    struct queue_file file = {.name = NULL};
    struct error err = {.code = ERROR_NONE};
    if (!is_queue_name(node->key)) {
        yaml_problem(&load->problems, node, NULL, "%s", name_rule(is_fifo_name(node->key)));
        return;
    }
    q->name = node->key.p;
    if (!read_queue(load, q, &file, node))
        return;
    q->settings = file.settings;
    if (queue_settings_check(&q->settings, q->name, &err))
        q->text = canonical(load, q);
    else
        report_settings(load, node, &err);
}

/* ---- what queues say of each other, and events of queues ---- */

/* The dead-letter queue may also be one that an API call made: only what is here is looked at. */
static void check_allowed(struct load *load, const struct catalog_queue *q,
                          const struct yaml_node *node)
{
    const struct gateway_settings *g = &load->catalog->gateway;
    const struct catalog_queue *dead =
        q->text != NULL && q->settings.dead_arn != NULL ? by_arn(load, q->settings.dead_arn) : NULL;
    const char *policy = dead != NULL && dead->text != NULL ? dead->settings.redrive_allow : NULL;
    if (policy == NULL || strstr(policy, "\"allowAll\"") != NULL ||
        strstr(policy, arena_printf(&load->catalog->arena, "\"arn:aws:sqs:%s:%s:%s\"", g->region,
                                    g->account_id, q->name)) != NULL)
        return;
    yaml_problem(
        &load->problems, yaml_find(node, "RedrivePolicy"), "deadLetterTargetArn",
        "Value '%s' for parameter RedrivePolicy is invalid. Reason: The RedriveAllowPolicy "
        "of %s does not allow this source queue.",
        q->settings.dead_arn, dead->name);
}

void load_check_queue(struct load *load, const struct source *source, const struct yaml_node *event)
{
    if (source->arn == NULL || strcmp(source->ops->type, "SQS") != 0)
        return;
    const struct catalog_queue *q = by_arn(load, source->arn);
    if (q == NULL || q->text == NULL || q->settings.visibility_s >= source->function->timeout_s)
        return;
    yaml_problem(&load->problems, event, NULL,
                 "Queue visibility timeout: %lld seconds is less than Function timeout: %lld "
                 "seconds",
                 (long long)q->settings.visibility_s, (long long)source->function->timeout_s);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct catalog_queue *)a)->name, ((const struct catalog_queue *)b)->name);
}

void load_queues(struct load *load, const struct yaml_node *section)
{
    struct catalog *c = load->catalog;
    if (section == NULL)
        return;
    c->n_queues = section->count;
    c->queues = arena_alloc(&c->arena, (section->count + 1) * sizeof *c->queues);
    size_t i = 0;
    for (struct yaml_node *it = section->first; it != NULL; it = it->next)
        load_queue(load, &c->queues[i++], it);
    for (i = 0; i < c->n_queues; i++)
        if (c->queues[i].name != NULL)
            (void)map_set(&load->queues, slice_of(c->queues[i].name), &c->queues[i]);
    i = 0;
    for (const struct yaml_node *it = section->first; it != NULL; it = it->next)
        check_allowed(load, &c->queues[i++], it);
    if (load->problems.total == 0)
        qsort(c->queues, c->n_queues, sizeof *c->queues, by_name);
}
