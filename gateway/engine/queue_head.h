/* queue_head.h - what of a message is neither its body nor in the columns of its row: the head. */
#ifndef ENGINE_QUEUE_HEAD_H
#define ENGINE_QUEUE_HEAD_H

#include "base/slice.h"

enum queue_head_field {
    QUEUE_HEAD_ID, /* MessageId */
    QUEUE_HEAD_MD5_BODY,
    QUEUE_HEAD_MD5_ATTRIBUTES,
    QUEUE_HEAD_SENDER,
    QUEUE_HEAD_GROUP,
    QUEUE_HEAD_DEDUP_ID,
    QUEUE_HEAD_DEAD_SOURCE,
    QUEUE_HEAD_TRACE,
    QUEUE_HEAD_ATTRIBUTES,
    QUEUE_HEAD_FIELDS
};

struct queue_head {
    int64_t sent_ms; /* unix */
    struct slice fields[QUEUE_HEAD_FIELDS];
};

size_t queue_head_size(const struct queue_head *);
size_t queue_head_write(const struct queue_head *, char *out); /* returns the size */
/* Borrows from bytes. False: not a head. */
bool queue_head_read(struct slice bytes, struct queue_head *out) MUST_CHECK;

#endif
