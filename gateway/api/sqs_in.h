/* sqs_in.h - reads the members of a request; a member of the wrong type is the problem of the
 * whole call. null is absent. For sqs_*.c. */
#ifndef API_SQS_IN_H
#define API_SQS_IN_H

#include "api/sqs_call.h"

/* All of these: false: call->problem is set. Texts live as long as the call's tree. */

/* out->p is NULL when absent. Numbers and booleans are texts, too. */
bool sqs_in_text(struct sqs_call *, const struct json *object, const char *name,
                 struct slice *out) MUST_CHECK;
/* Absent or empty is a problem: it must be there. */
bool sqs_in_need(struct sqs_call *, const struct json *object, const char *name,
                 struct slice *out) MUST_CHECK;
/* *out stays as it is when absent. */
bool sqs_in_int(struct sqs_call *, const struct json *object, const char *name,
                int64_t *out) MUST_CHECK;
/* *out is NULL when absent; else a list, or a map (an object). */
bool sqs_in_list(struct sqs_call *, const struct json *object, const char *name,
                 const struct json **out) MUST_CHECK;
bool sqs_in_map(struct sqs_call *, const struct json *object, const char *name,
                const struct json **out) MUST_CHECK;
/* A value that is itself wanted as a text: an item of a list, a value of a map. */
bool sqs_in_value(struct sqs_call *, const struct json *value, struct slice *out) MUST_CHECK;

#endif
