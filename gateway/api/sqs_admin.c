/* sqs_admin.c - operations on one queue as a whole: its attributes, its tags, its end. */
#include "api/sqs_attributes.h"
#include "api/sqs_ops.h"
#include "api/sqs_tags.h"
#include "api/sqs_turn.h"
#include "base/mem.h"

struct admin {
    struct queue_admin op;
    struct sqs_call *call;
    const char *name; /* of the queue, which may be gone; in the call's arena */
};

static void on_done(struct queue_admin *op)
{
    struct admin *a = container_of(op, struct admin, op);
    struct sqs_call *c = a->call;
    if (!sqs_call_alive(c))
        return;
    if (op->status == QUEUE_OK)
        sqs_call_done(c);
    else if (op->status == QUEUE_PURGING)
        sqs_call_fail(c, SQS_ERROR_PURGING,
                      "Only one PurgeQueue operation on %s is allowed every 60 seconds.", a->name);
    else
        sqs_call_status(c, op->status);
}

static struct queue_admin *admin_new(struct sqs_call *c)
{
    struct admin *a = mem_alloc(sizeof *a);
    a->call = c;
    a->name = arena_dup(&c->arena, slice_of(queue_name(c->queue)));
    a->op.done = on_done;
    c->state = a;
    return &a->op;
}

void sqs_admin_delete(struct sqs_call *c)
{
    queue_delete(c->queue, admin_new(c));
}

void sqs_admin_purge(struct sqs_call *c)
{
    queue_purge(c->queue, admin_new(c));
}

/* ---- attributes ---- */

void sqs_admin_get_attributes(struct sqs_call *c)
{
    struct sqs_out out;
    const struct json *list;
    if (!sqs_in_list(c, c->root, "AttributeNames", &list) || !sqs_attributes_known(c, list)) {
        sqs_call_refuse(c);
        return;
    }
    sqs_call_begin(c, &out, 1024);
    sqs_attributes_write(c, list, &out);
    sqs_call_send(c, &out);
}

void sqs_admin_set_attributes(struct sqs_call *c)
{
    struct queue_settings settings = *queue_settings(c->queue);
    const struct json *map;
    if (!sqs_turn_take(c, slice_of(queue_name(c->queue))))
        return;
    bool ok = sqs_in_map(c, c->root, "Attributes", &map);
    if (ok && json_count(map) == 0)
        ok = sqs_problem_set(&c->problem, SQS_ERROR_MISSING,
                             "The request must contain the parameter Attribute.Name.");
    if (ok && sqs_attributes_apply(c, map, slice_of(queue_name(c->queue)), &settings))
        queue_set(c->queue, &settings, admin_new(c));
    else
        sqs_call_refuse(c);
}

/* ---- tags ---- */

void sqs_admin_tag(struct sqs_call *c)
{
    struct option_map tags;
    const struct json *map;
    if (!sqs_turn_take(c, slice_of(queue_name(c->queue))))
        return;
    bool ok = sqs_in_map(c, c->root, "Tags", &map);
    if (ok && json_count(map) == 0)
        ok = sqs_problem_set(&c->problem, SQS_ERROR_MISSING,
                             "The request must contain the parameter Tags.");
    if (ok && sqs_tags_merge(c, queue_tags(c->queue), map, queue_name(c->queue), &tags))
        queue_set_tags(c->queue, &tags, admin_new(c));
    else
        sqs_call_refuse(c);
}

void sqs_admin_untag(struct sqs_call *c)
{
    struct option_map tags;
    const struct json *list;
    if (!sqs_turn_take(c, slice_of(queue_name(c->queue))))
        return;
    bool ok = sqs_in_list(c, c->root, "TagKeys", &list);
    if (ok && json_count(list) == 0)
        ok = sqs_problem_set(&c->problem, SQS_ERROR_MISSING,
                             "The request must contain the parameter TagKeys.");
    if (ok && sqs_tags_without(c, queue_tags(c->queue), list, &tags))
        queue_set_tags(c->queue, &tags, admin_new(c));
    else
        sqs_call_refuse(c);
}

void sqs_admin_tags(struct sqs_call *c)
{
    struct sqs_out out;
    const struct option_map *tags = queue_tags(c->queue);
    sqs_call_begin(c, &out, 1024);
    sqs_out_map(&out, "Tags", SQS_OUT_TAG);
    for (size_t i = 0; i < tags->n; i++)
        sqs_out_pair(&out, slice_of(tags->names[i]), slice_of(tags->values[i]));
    sqs_out_map_end(&out);
    sqs_call_send(c, &out);
}
