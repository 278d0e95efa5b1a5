/* queue_act.h - one call of a simulated client, and what it needs until its answer. */
#ifndef QUEUESIM_QUEUE_ACT_H
#define QUEUESIM_QUEUE_ACT_H

#include "tests/queuesim/queue_world.h"

struct act {
    struct act *next;
    struct world *w;
    struct client *client;
    unsigned epoch;
    bool answered;
    size_t slot;
    int64_t called_ms;
    struct queue_send send;
    struct queue_send_entry sends[QUEUE_BATCH_MAX];
    size_t numbers[QUEUE_BATCH_MAX];
    char bodies[QUEUE_BATCH_MAX][40], groups[QUEUE_BATCH_MAX][16], twins[QUEUE_BATCH_MAX][32];
    struct queue_receive receive;
    struct timer cancel;
    int attempt;
    char attempt_id[16];
    struct queue_touch touch;
    struct queue_touch_entry touches[QUEUE_BATCH_MAX];
    struct hand hands[QUEUE_BATCH_MAX];
    bool latest[QUEUE_BATCH_MAX];      /* of the last receive, by the disk */
    bool in_time[QUEUE_BATCH_MAX];     /* and hidden for us: it must work */
    bool lost[QUEUE_BATCH_MAX];        /* of a receive that a power cut took: likewise */
    unsigned changes[QUEUE_BATCH_MAX]; /* which change of the message this is */
    struct queue_admin admin;
    struct queue_settings settings;
};

struct act *act_new(struct world *, struct client *, size_t slot);
/* False: nobody hears the answer, the gateway had crashed. */
bool act_heard(struct act *);
void act_void(struct act *); /* it was not called after all */

void act_send(struct world *, struct client *, size_t slot);
void act_receive(struct world *, struct client *, size_t slot);
void act_touch(struct world *, struct client *, bool deletes);
void act_delete_all(struct act *); /* what was received */

#endif
