/* sqs_error.h - the errors of SQS in both protocols. For sqs_*.c. */
#ifndef API_SQS_ERROR_H
#define API_SQS_ERROR_H

#include "base/slice.h"
#include <stdarg.h>

enum sqs_error {
    SQS_ERROR_NO_QUEUE,
    SQS_ERROR_QUEUE_EXISTS,
    SQS_ERROR_VALUE,   /* InvalidParameterValue */
    SQS_ERROR_MISSING, /* MissingParameter */
    SQS_ERROR_ATTRIBUTE_NAME,
    SQS_ERROR_ATTRIBUTE_VALUE,
    SQS_ERROR_CONTENTS, /* InvalidMessageContents */
    SQS_ERROR_BATCH_EMPTY,
    SQS_ERROR_BATCH_ENTRIES, /* TooManyEntriesInBatchRequest */
    SQS_ERROR_BATCH_SAME_ID,
    SQS_ERROR_BATCH_ID,
    SQS_ERROR_BATCH_BYTES,
    SQS_ERROR_HANDLE,
    SQS_ERROR_PURGING,
    SQS_ERROR_OVER_LIMIT,
    SQS_ERROR_UNSUPPORTED,
    SQS_ERROR_ADDRESS,
    SQS_ERROR_RESOURCE, /* ResourceNotFoundException */
    SQS_ERROR_SYNTAX,
    SQS_ERROR_OPERATION,
    SQS_ERROR_NOT_SIGNED,
    SQS_ERROR_TOKEN,
    SQS_ERROR_SIGNATURE,
    SQS_ERROR_INCOMPLETE,
    SQS_ERROR_UNAVAILABLE, /* later it may work */
    SQS_ERROR_FAILURE,
};

struct sqs_error_facts {
    const char *code; /* of the query protocol, x-amzn-query-error and batch results */
    const char *type; /* __type */
    int status;
    bool sender; /* the client's fault */
};
const struct sqs_error_facts *sqs_error_facts(enum sqs_error);

/* What is wrong with a request, or with one entry of a batch. Zeroed: nothing. */
struct sqs_problem {
    enum sqs_error error;
    char *text; /* NULL: nothing is wrong */
};
/* Keeps the first problem; returns false, so that `return sqs_problem_set(…)` reads well. */
bool sqs_problem_set(struct sqs_problem *, enum sqs_error, const char *fmt, ...) PRINTF(3, 4);
bool sqs_problem_vset(struct sqs_problem *, enum sqs_error, const char *fmt, va_list) PRINTF(3, 0);
void sqs_problem_clear(struct sqs_problem *);

#endif
