/* sqs_select.h - which attributes of a message a receiver asked for, and writing them. For
 * sqs_*.c. */
#ifndef API_SQS_SELECT_H
#define API_SQS_SELECT_H

#include "api/sqs_in.h"

struct sqs_select {
    unsigned system;          /* bits, in the order of sqs_select.c */
    bool typed_all;           /* every message attribute */
    const struct json *typed; /* else a list of names and prefixes; NULL: none; the call's tree */
};

enum { SQS_SELECT_ALL = ~0u };

/* Reads AttributeNames, MessageSystemAttributeNames and MessageAttributeNames. false:
 * call->problem is set. */
bool sqs_select_read(struct sqs_call *, struct sqs_select *) MUST_CHECK;
void sqs_select_write_system(const struct sqs_select *, struct sqs_out *,
                             const struct queue_message *);
/* Message attributes and their hash: over those that are written. */
void sqs_select_write_typed(const struct sqs_select *, struct sqs_out *,
                            const struct queue_message *);

#endif
