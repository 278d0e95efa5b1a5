/* sqs_ops.c - the table of SQS's operations. */
#include "api/sqs_ops.h"

#include "api/sqs_address.h"

/* Who may do what is not ours to say: there is one owner, and no policy. */
static void refuse_permission(struct sqs_call *c)
{
    sqs_call_fail(c, SQS_ERROR_UNSUPPORTED,
                  "%s is not supported: these queues have one owner, who may do everything.",
                  c->op->name);
}

/* By how often they come. */
static const struct sqs_operation operations[] = {
    {"SendMessage", sqs_send_one, true, true},
    {"ReceiveMessage", sqs_receive, true, true},
    {"DeleteMessage", sqs_touch_delete, true, false},
    {"DeleteMessageBatch", sqs_touch_delete_batch, true, true},
    {"SendMessageBatch", sqs_send_batch, true, true},
    {"ChangeMessageVisibility", sqs_touch_visibility, true, false},
    {"ChangeMessageVisibilityBatch", sqs_touch_visibility_batch, true, true},
    {"GetQueueAttributes", sqs_admin_get_attributes, true, true},
    {"GetQueueUrl", sqs_list_url, false, true},
    {"CreateQueue", sqs_create, false, true},
    {"DeleteQueue", sqs_admin_delete, true, false},
    {"ListQueues", sqs_list_queues, false, true},
    {"SetQueueAttributes", sqs_admin_set_attributes, true, false},
    {"PurgeQueue", sqs_admin_purge, true, false},
    {"TagQueue", sqs_admin_tag, true, false},
    {"UntagQueue", sqs_admin_untag, true, false},
    {"ListQueueTags", sqs_admin_tags, true, true},
    {"ListDeadLetterSourceQueues", sqs_list_dead_sources, true, true},
    {"StartMessageMoveTask", sqs_move_start, false, true},
    {"CancelMessageMoveTask", sqs_move_cancel, false, true},
    {"ListMessageMoveTasks", sqs_move_list, false, true},
    {"AddPermission", refuse_permission, true, false},
    {"RemovePermission", refuse_permission, true, false},
};

const struct sqs_operation sqs_ops_peek = {"Peek", sqs_receive_peek, true, true};

const struct sqs_operation *sqs_ops_find(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        if (slice_is(name, operations[i].name))
            return &operations[i];
    return NULL;
}

void sqs_ops_run(struct sqs_call *c)
{
    if (c->op->on_queue && !sqs_address_resolve(c))
        sqs_call_refuse(c);
    else
        c->op->run(c);
}
