/* sqs_batch.h - what all batch operations have in common: the entries of the request, and the
 * failed ones in the answer. For sqs_*.c. */
#ifndef API_SQS_BATCH_H
#define API_SQS_BATCH_H

#include "api/sqs_in.h"

struct sqs_batch {
    const struct json *entries[QUEUE_BATCH_MAX];
    struct slice ids[QUEUE_BATCH_MAX];
    size_t n; /* 1 to QUEUE_BATCH_MAX */
};

/* entry: its name in the query protocol. false: call->problem is set. */
bool sqs_batch_read(struct sqs_call *, const char *entry, struct sqs_batch *) MUST_CHECK;

/* The answer: first all that went well between begin and middle, then the failed ones. */
void sqs_batch_begin(struct sqs_out *, const char *element);
void sqs_batch_middle(struct sqs_out *);
void sqs_batch_failed(struct sqs_out *, struct slice id, const struct sqs_problem *);
void sqs_batch_end(struct sqs_out *);

#endif
