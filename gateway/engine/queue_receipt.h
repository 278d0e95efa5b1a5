/* queue_receipt.h - receipt handles and message ids: nobody but this store can make one. */
#ifndef ENGINE_QUEUE_RECEIPT_H
#define ENGINE_QUEUE_RECEIPT_H

#include "base/slice.h"

enum { QUEUE_RECEIPT_ROOM = 96, QUEUE_ID_ROOM = 40 };

struct queue_receipt {
    uint32_t owner, takes; /* which receive of the message it was */
    uint64_t seq;
};

void queue_receipt_write(const uint64_t secret[2], const struct queue_receipt *,
                         char out[QUEUE_RECEIPT_ROOM]);
/* False: not one of ours. */
bool queue_receipt_read(const uint64_t secret[2], struct slice,
                        struct queue_receipt *out) MUST_CHECK;
/* The MessageId of a new message: a UUID that follows from its place, so that whoever remembers the
 * place (deduplication) knows the id. */
void queue_receipt_message_id(const uint64_t secret[2], uint64_t id, char out[QUEUE_ID_ROOM]);
/* SipHash-2-4, keyed: for a memory of texts that is itself too small to hold them. */
uint64_t queue_receipt_hash(const uint64_t secret[2], uint64_t tweak, const void *p, size_t n);

#endif
