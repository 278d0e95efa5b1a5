/* sqs_typed.h - message attributes: checking them, their hash, their canonical JSON. For sqs_*.c.
 */
#ifndef API_SQS_TYPED_H
#define API_SQS_TYPED_H

#include "api/sqs_in.h"

enum { SQS_TYPED_MAX = 10 };

/* Bytes that count for the size of a message. false: call->problem is set, a wrong type. Those that
 * were read here do not set the call's problem again below. */
bool sqs_typed_read(struct sqs_call *, const struct json *map, size_t *bytes) MUST_CHECK;
/* map may be NULL. Hash and canonical JSON of a message's own attributes; in the call's arena.
 * false: *problem is set. */
bool sqs_typed_check(struct sqs_call *, const struct json *map, struct slice *canonical,
                     char md5[33], struct sqs_problem *problem) MUST_CHECK;
/* The same for MessageSystemAttributes, of which there is AWSTraceHeader. */
bool sqs_typed_check_system(struct sqs_call *, const struct json *map, struct slice *trace,
                            char md5[33], struct sqs_problem *problem) MUST_CHECK;
/* Can text stand in a message? */
bool sqs_typed_is_text(struct slice);
#define SQS_TYPED_BAD_TEXT                                                                         \
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "   \
    "#xE000 to #xFFFD | #x10000 to #x10FFFF"

#endif
