/* sqs_tags.h - tags of queues: reading, checking, merging. For sqs_*.c. */
#ifndef API_SQS_TAGS_H
#define API_SQS_TAGS_H

#include "api/sqs_in.h"

enum { SQS_TAGS_MAX = 50 };

/* to becomes from with the tags of map (may be NULL) put over it; in the call's arena. name: the
 * queue's, for the text. false: call->problem is set. */
bool sqs_tags_merge(struct sqs_call *, const struct option_map *from, const struct json *map,
                    const char *name, struct option_map *to) MUST_CHECK;
/* to becomes from without the keys of list. false: call->problem is set. */
bool sqs_tags_without(struct sqs_call *, const struct option_map *from, const struct json *list,
                      struct option_map *to) MUST_CHECK;

#endif
