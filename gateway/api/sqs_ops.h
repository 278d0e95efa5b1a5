/* sqs_ops.h - the operations of SQS, one function each, and the table of them. For sqs_*.c. */
#ifndef API_SQS_OPS_H
#define API_SQS_OPS_H

#include "api/sqs_call.h"

/* NULL: SQS has no such operation. */
const struct sqs_operation *sqs_ops_find(struct slice name);
extern const struct sqs_operation sqs_ops_peek; /* ours: a receive that changes nothing */

/* Finds the queue, if it takes one, and runs call->op; call->root is there. */
void sqs_ops_run(struct sqs_call *);

/* sqs_send.c */
void sqs_send_one(struct sqs_call *);
void sqs_send_batch(struct sqs_call *);
/* sqs_receive.c */
void sqs_receive(struct sqs_call *);
void sqs_receive_peek(struct sqs_call *);
/* sqs_touch.c */
void sqs_touch_delete(struct sqs_call *);
void sqs_touch_delete_batch(struct sqs_call *);
void sqs_touch_visibility(struct sqs_call *);
void sqs_touch_visibility_batch(struct sqs_call *);
/* sqs_create.c */
void sqs_create(struct sqs_call *);
/* sqs_admin.c */
void sqs_admin_delete(struct sqs_call *);
void sqs_admin_purge(struct sqs_call *);
void sqs_admin_get_attributes(struct sqs_call *);
void sqs_admin_set_attributes(struct sqs_call *);
void sqs_admin_tag(struct sqs_call *);
void sqs_admin_untag(struct sqs_call *);
void sqs_admin_tags(struct sqs_call *);
/* sqs_list.c */
void sqs_list_url(struct sqs_call *);
void sqs_list_queues(struct sqs_call *);
void sqs_list_dead_sources(struct sqs_call *);
/* sqs_move.c */
void sqs_move_start(struct sqs_call *);
void sqs_move_cancel(struct sqs_call *);
void sqs_move_list(struct sqs_call *);

#endif
