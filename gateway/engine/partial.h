/* partial.h - reads batchItemFailures; sqs.md 5, streams.md. */
#ifndef ENGINE_PARTIAL_H
#define ENGINE_PARTIAL_H

#include "engine/source.h"

enum partial { PARTIAL_NONE, PARTIAL_SOME, PARTIAL_ALL /* malformed: the whole batch failed */ };

/* Marks record->failed for the ids that body lists. why (may be NULL) gets the reason of ALL. */
enum partial partial_read(struct slice body, struct batch *, const char **why);

#endif
