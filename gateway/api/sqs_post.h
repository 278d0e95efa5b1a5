/* sqs_post.h - one message as SendMessage and the entries of SendMessageBatch describe it: reading,
 * checking, handing over. For sqs_*.c. */
#ifndef API_SQS_POST_H
#define API_SQS_POST_H

#include "api/sqs_in.h"

struct sqs_post {
    struct slice body, group, dedup_id, trace; /* p == NULL: not given */
    int64_t delay_s;
    bool delayed; /* delay_s was given */
    const struct json *typed, *system;
    size_t bytes;            /* that count: body, and names, types and values of attributes */
    struct slice attributes; /* canonical JSON; empty: none */
    char md5_body[33], md5_attributes[33], md5_system[33]; /* "": none */
    struct sqs_problem problem;                            /* of this message alone */
};

/* Reads object. false: call->problem is set, a member has the wrong type. */
bool sqs_post_read(struct sqs_call *, const struct json *object, struct sqs_post *) MUST_CHECK;
/* Checks it against the queue and computes the hashes. body_name is what the body is called if it
 * is missing. false: post->problem is set. */
bool sqs_post_check(struct sqs_call *, struct sqs_post *, const struct queue_settings *,
                    const char *body_name) MUST_CHECK;
/* A queue that is FIFO: group and deduplication id. false: post->problem is set. */
bool sqs_post_check_fifo(struct sqs_post *, const struct queue_settings *,
                         enum sqs_error no_group) MUST_CHECK;
/* Borrows from post. */
void sqs_post_fill(const struct sqs_call *, const struct sqs_post *, struct queue_send_entry *);
/* Letters, digits and punctuation, 1 to 128 of them: ids of groups, deduplication and receives. */
bool sqs_post_is_id(struct slice);

#endif
