/* record.h - one message on its way: made by a source, owned by the engine from source_emit on,
 * freed by the engine after settle. Spec: HOUSE 5. */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "base/list.h"
#include "base/slice.h"

enum verdict {
    VERDICT_NONE,
    VERDICT_ACK,     /* done, or filtered out: the source acknowledges */
    VERDICT_RETRY,   /* inside the engine only; settle never sees it */
    VERDICT_BISECT,  /* inside the engine only; settle never sees it */
    VERDICT_RELEASE, /* the source takes it back, to be given again */
    VERDICT_BURY,    /* dead; its failure record is already durable: the source acknowledges */
};

struct decision {
    enum verdict verdict;
    int64_t delay_ms; /* RETRY, RELEASE: not before */
    bool counts; /* the try used up an attempt; false also when it never ran (drain, throttle) */
};

struct record {
    struct list node;         /* in a lane, then in a batch */
    uint64_t token[2];        /* the source's own handle; nobody else looks inside */
    struct slice id;          /* itemIdentifier of batchItemFailures; empty = none */
    struct slice key;         /* ordering key; empty = unordered */
    struct slice json;        /* this record as it will stand in the event: finished JSON */
    int64_t born_ms;          /* loop_now() at emit; set by the engine */
    int64_t age_ms;           /* age it already had then */
    uint32_t attempts;        /* deliveries before this one, as the source knows them */
    uint64_t order;           /* in its lane; set by the engine */
    bool filtered;            /* matched no filter: ACK without a function; set by the engine */
    bool failed;              /* named in batchItemFailures */
    struct decision decision; /* valid inside settle() */
    char data[];
};

/* One block; copies all three. The caller sets token, age_ms and attempts. */
struct record *record_new(struct slice id, struct slice key, struct slice json);
void record_free(struct record *); /* only for records that were never emitted; NULL is fine */

/* What it costs against the memory bounds. */
static inline size_t record_bytes(const struct record *r)
{
    return sizeof *r + r->id.n + r->key.n + r->json.n;
}

#endif
