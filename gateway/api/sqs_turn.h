/* sqs_turn.h - changes to one queue as a whole come one after the other: each begins with what the
 * one before has left. For sqs_*.c. */
#ifndef API_SQS_TURN_H
#define API_SQS_TURN_H

#include "api/sqs_call.h"

/* false: another change of the queue of that name is under way; the call's operation runs again
 * when that is over. The turn ends with the call. */
bool sqs_turn_take(struct sqs_call *, struct slice name) MUST_CHECK;
void sqs_turn_end(struct sqs_call *);    /* harmless without a turn */
void sqs_turn_abandon(struct sqs_api *); /* those that wait are answered */
void sqs_turn_wake(struct task *);       /* run of api->wake */

#endif
