/* sqs_error.c - codes, types and statuses of SQS's errors. */
#include "api/sqs_error.h"

#include "base/mem.h"
#include "base/utf8.h"
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 8192 };

#define SERVICE "AWS.SimpleQueueService."
#define OWN     "com.amazonaws.sqs#"
#define COMMON  "com.amazon.coral.service#" /* what the model of SQS does not know */

static const struct sqs_error_facts facts[] = {
    [SQS_ERROR_NO_QUEUE] = {SERVICE "NonExistentQueue", OWN "QueueDoesNotExist", 400, true},
    [SQS_ERROR_QUEUE_EXISTS] = {"QueueAlreadyExists", OWN "QueueNameExists", 400, true},
    [SQS_ERROR_VALUE] = {"InvalidParameterValue", COMMON "InvalidParameterValueException", 400,
                         true},
    [SQS_ERROR_MISSING] = {"MissingParameter", COMMON "MissingRequiredParameterException", 400,
                           true},
    [SQS_ERROR_ATTRIBUTE_NAME] = {"InvalidAttributeName", OWN "InvalidAttributeName", 400, true},
    [SQS_ERROR_ATTRIBUTE_VALUE] = {"InvalidAttributeValue", OWN "InvalidAttributeValue", 400, true},
    [SQS_ERROR_CONTENTS] = {"InvalidMessageContents", OWN "InvalidMessageContents", 400, true},
    [SQS_ERROR_BATCH_EMPTY] = {SERVICE "EmptyBatchRequest", OWN "EmptyBatchRequest", 400, true},
    [SQS_ERROR_BATCH_ENTRIES] = {SERVICE "TooManyEntriesInBatchRequest",
                                 OWN "TooManyEntriesInBatchRequest", 400, true},
    [SQS_ERROR_BATCH_SAME_ID] = {SERVICE "BatchEntryIdsNotDistinct", OWN "BatchEntryIdsNotDistinct",
                                 400, true},
    [SQS_ERROR_BATCH_ID] = {SERVICE "InvalidBatchEntryId", OWN "InvalidBatchEntryId", 400, true},
    [SQS_ERROR_BATCH_BYTES] = {SERVICE "BatchRequestTooLong", OWN "BatchRequestTooLong", 400, true},
    [SQS_ERROR_HANDLE] = {"ReceiptHandleIsInvalid", OWN "ReceiptHandleIsInvalid", 400, true},
    [SQS_ERROR_PURGING] = {SERVICE "PurgeQueueInProgress", OWN "PurgeQueueInProgress", 403, true},
    [SQS_ERROR_OVER_LIMIT] = {"OverLimit", OWN "OverLimit", 403, true},
    [SQS_ERROR_UNSUPPORTED] = {SERVICE "UnsupportedOperation", OWN "UnsupportedOperation", 400,
                               true},
    [SQS_ERROR_ADDRESS] = {"InvalidAddress", OWN "InvalidAddress", 404, true},
    [SQS_ERROR_RESOURCE] = {"ResourceNotFoundException", OWN "ResourceNotFoundException", 404,
                            true},
    [SQS_ERROR_SYNTAX] = {"MalformedInput", COMMON "SerializationException", 400, true},
    [SQS_ERROR_OPERATION] = {"InvalidAction", COMMON "UnknownOperationException", 400, true},
    [SQS_ERROR_NOT_SIGNED] = {"MissingAuthenticationToken",
                              COMMON "MissingAuthenticationTokenException", 403, true},
    [SQS_ERROR_TOKEN] = {"InvalidClientTokenId", COMMON "UnrecognizedClientException", 403, true},
    [SQS_ERROR_SIGNATURE] = {"SignatureDoesNotMatch", COMMON "InvalidSignatureException", 403,
                             true},
    [SQS_ERROR_INCOMPLETE] = {"IncompleteSignature", COMMON "IncompleteSignatureException", 400,
                              true},
    [SQS_ERROR_UNAVAILABLE] = {"ServiceUnavailable", COMMON "ServiceUnavailableException", 503,
                               false},
    [SQS_ERROR_FAILURE] = {"InternalError", COMMON "InternalFailure", 500, false},
};

const struct sqs_error_facts *sqs_error_facts(enum sqs_error e)
{
    return &facts[e];
}

bool sqs_problem_vset(struct sqs_problem *p, enum sqs_error error, const char *fmt, va_list args)
{
    char text[TEXT_MAX];
    if (p->text != NULL)
        return false;
    vsnprintf(text, sizeof text, fmt, args);
    /* what was cut off may have left half a character */
    struct slice whole = slice_of(text);
    whole.n = utf8_valid_prefix(whole);
    *p = (struct sqs_problem){error, slice_dup(whole)};
    return false;
}

bool sqs_problem_set(struct sqs_problem *p, enum sqs_error error, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    sqs_problem_vset(p, error, fmt, args);
    va_end(args);
    return false;
}

void sqs_problem_clear(struct sqs_problem *p)
{
    free(p->text);
    p->text = NULL;
}
