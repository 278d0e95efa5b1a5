/* sqs_address.h - which queue a request is about: QueueUrls, paths and ARNs. For sqs_*.c. */
#ifndef API_SQS_ADDRESS_H
#define API_SQS_ADDRESS_H

#include "api/sqs_call.h"

/* Is it "/", /ACCOUNT/NAME or /queue/…: where requests of the query protocol come in? */
bool sqs_address_is_path(struct slice path);
/* Fills call->queue from QueueUrl, else from the path. false: call->problem is set. */
bool sqs_address_resolve(struct sqs_call *) MUST_CHECK;
/* The same for /_penstock/queues/NAME/peek. */
bool sqs_address_resolve_name(struct sqs_call *, struct slice name) MUST_CHECK;
bool sqs_address_no_queue(struct sqs_call *); /* sets the problem; returns false */
/* arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE with nothing empty but, perhaps, REGION */
bool sqs_address_is_arn(struct slice);

#endif
