/* queue_receive.h - receives, inside of the queues: who waits, what is being taken for whom, what
 * was given out under which ReceiveRequestAttemptId. */
#ifndef ENGINE_QUEUE_RECEIVE_H
#define ENGINE_QUEUE_RECEIVE_H

#include "engine/queue_state.h"

/* ---- queue_receive.c */
void queue_receive_init(struct queue *);
/* Something became visible, or nothing will: those who wait are served from the loop. */
void queue_receive_kick(struct queue *);
/* All who wait get their empty answer. */
void queue_receive_end(struct queue *, enum queue_status);

/* One queue_receive from call to done. */
struct queue_receive_job {
    struct list node; /* in waiters */
    struct timer deadline;
    struct queue_later later;
    struct queue *q;
    struct queue_receive *r; /* NULL: cancelled while its messages were being taken */
    int64_t visibility_ms;
    bool waiting, impatient;
    char *attempt; /* ReceiveRequestAttemptId; NULL: none */
};
/* Frees the job, calls done. */
void queue_receive_answer(struct queue_receive_job *, enum queue_status);

/* ---- queue_take.c */
/* The entries, from hand, for this job: on disk, then answered. again: a repeated attempt, the
 * receive counts stay. */
void queue_take(struct queue_receive_job *, struct queue_entry **, size_t n, bool again);

/* ---- queue_attempt.c */
struct queue_attempt_part {
    uint64_t seq;
    uint32_t takes;
};
void queue_attempt_keep(struct queue *, struct slice attempt, const struct queue_attempt_part *,
                        size_t n);
/* The entries given out under it, detached, when none was changed since and max allows; else 0. */
size_t queue_attempt_again(struct queue *, struct slice attempt, struct queue_entry **, size_t max);
void queue_attempt_free(struct queue *);

/* ---- queue_peek.c */
/* Fills m from a row; false: it is not a message. */
bool queue_message_read(const struct queue *, const struct spool_change *, struct queue_message *m);

#endif
