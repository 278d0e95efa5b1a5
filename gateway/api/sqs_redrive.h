/* sqs_redrive.h - RedrivePolicy and RedriveAllowPolicy: reading, checking, printing. For sqs_*.c.
 */
#ifndef API_SQS_REDRIVE_H
#define API_SQS_REDRIVE_H

#include "api/sqs_call.h"

/* text as it is given; empty: no policy. Texts of settings are put into the call's arena. self: the
 * queue's name. false: call->problem is set. */
bool sqs_redrive_read(struct sqs_call *, struct slice text, struct slice self,
                      struct queue_settings *) MUST_CHECK;
bool sqs_redrive_read_allow(struct sqs_call *, struct slice text,
                            struct queue_settings *) MUST_CHECK;
/* Appends {"deadLetterTargetArn":…,"maxReceiveCount":…}. */
void sqs_redrive_print(const struct queue_settings *, struct buf *out);

#endif
