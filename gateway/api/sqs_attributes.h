/* sqs_attributes.h - the attributes of queues as CreateQueue, SetQueueAttributes and
 * GetQueueAttributes know them. Names, ranges and choices are those of queue_options. For sqs_*.c.
 */
#ifndef API_SQS_ATTRIBUTES_H
#define API_SQS_ATTRIBUTES_H

#include "api/sqs_in.h"

enum { SQS_ATTRIBUTES_MAX_GIVEN = 100 };

void sqs_attributes_defaults(struct queue_settings *, bool fifo);
/* Puts the attributes of map (may be NULL) into *settings, and checks the whole; texts go into the
 * call's arena. name: the queue's. false: call->problem is set. */
bool sqs_attributes_apply(struct sqs_call *, const struct json *map, struct slice name,
                          struct queue_settings *settings) MUST_CHECK;
/* The first attribute in which two settings differ; NULL: none. */
const char *sqs_attributes_difference(const struct queue_settings *, const struct queue_settings *);
/* Writes the map of those named in list (NULL: of none). false: call->problem is set, an unknown
 * name; look before begin. */
bool sqs_attributes_known(struct sqs_call *, const struct json *list) MUST_CHECK;
void sqs_attributes_write(struct sqs_call *, const struct json *list, struct sqs_out *);

#endif
