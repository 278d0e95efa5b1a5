/* queue.h - SQS-compatible queues on the spool: what AWS does with a message between SendMessage
 * and its end. No protocol, no texts of requests: api/sqs_*.c speaks. The index of what is visible,
 * in flight, delayed, grouped and deduplicated lives here, in memory, a few bytes a waiting message
 * (ranges of ids for those never received); every change is on disk before it is told.
 * Spec: sqs.md 5-8; docs/queues.md. Loop thread only; time comes from the loop (loop_wall). */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include "base/option.h"
#include "engine/spool.h"
#include "io/loop.h"

enum {
    QUEUE_BATCH_MAX = 10,
    QUEUE_BODY_MAX = 1024 * 1024, /* MaximumMessageSize, and of a whole batch */
    QUEUE_NAME_MAX = 80,
    QUEUE_VISIBILITY_MAX_S = 43200,
};

/* Attributes as SetQueueAttributes knows them; also the Properties of AWS::SQS::Queue. */
struct queue_settings {
    int64_t visibility_s, delay_s, retention_s, max_bytes, wait_s;
    bool fifo, content_dedup;
    int64_t dedup_per_group;      /* DeduplicationScope; 0: queue, 1: messageGroup */
    int64_t throughput_per_group; /* FifoThroughputLimit; 0: perQueue, 1: perMessageGroupId */
    const char *dead_arn;         /* RedrivePolicy.deadLetterTargetArn; NULL: none */
    int64_t max_receives;
    const char *redrive_allow; /* RedriveAllowPolicy as given (JSON); NULL: none */
    bool declared; /* no attribute: the file asks for it, not a client; kept over restarts */
};
extern const struct option
    queue_options[]; /* AWS::SQS::Queue properties into struct queue_settings */
/* Checks what no range can: texts of the spec. */
bool queue_settings_check(const struct queue_settings *, const char *name, struct error *);

struct queues; /* the service */
struct queue;  /* one queue; valid until it is deleted */

/* Reads notes and rows of the spool; borrows it. */
struct queues *queues_open(struct loop *, struct spool *, const char *region,
                           const char *account_id, uint64_t (*random)(void), struct error *);
void queues_close(struct queues *); /* waiting receives get their empty answer */

struct queue *queues_find(struct queues *, struct slice name);
struct queue *queues_find_arn(struct queues *, struct slice arn);
/* In order of names; prefix may be empty. *at starts NULL. */
struct queue *queues_next(struct queues *, struct queue *at, struct slice prefix);

const char *queue_name(const struct queue *);
const char *queue_arn(const struct queue *);
const struct queue_settings *queue_settings(const struct queue *);
/* Tags: NULL value when absent; at most 50. */
const struct option_map *queue_tags(const struct queue *);
struct queue_counts {
    uint64_t visible, in_flight, delayed, bytes;
    int64_t created_s, modified_s;
    int64_t oldest_ms; /* age of the oldest; -1: empty */
    /* since the process began; moved: to a dead-letter queue or by a move task, away from here */
    uint64_t sent, received, deleted, moved;
};
struct queue_counts queue_counts(const struct queue *);

enum queue_status {
    QUEUE_OK,
    QUEUE_FULL,           /* the store is full: later it may work */
    QUEUE_BROKEN,         /* the store failed */
    QUEUE_GONE,           /* the queue was deleted meanwhile */
    QUEUE_HANDLE_INVALID, /* not a handle of this queue */
    QUEUE_NOT_IN_FLIGHT,  /* the handle's message is visible again, or gone */
    QUEUE_HANDLE_EXPIRED, /* FIFO: deleted after its visibility ended */
    QUEUE_TOO_LONG,       /* ChangeMessageVisibility beyond 12 h since the receive */
    QUEUE_PURGING,        /* PurgeQueue within 60 s of another */
    QUEUE_BUSY,           /* one message move task at a time per source queue */
    QUEUE_OVER_LIMIT,     /* receive: 120,000 messages of a standard queue are in flight */
};

/* ---- changes to queues: all are on disk when done comes ---- */
struct queue_admin {
    void (*done)(struct queue_admin *); /* from the loop, once */
    enum queue_status status;
    struct queue *queue; /* create: the new one */
    void *impl;
};
/* settings are copied. The name is free and valid: the caller looked. */
void queue_create(struct queues *, struct slice name, const struct queue_settings *,
                  const struct option_map *tags, struct queue_admin *);
void queue_set(struct queue *, const struct queue_settings *, struct queue_admin *);
void queue_set_tags(struct queue *, const struct option_map *, struct queue_admin *);
void queue_delete(struct queue *, struct queue_admin *);
void queue_purge(struct queue *, struct queue_admin *);

/* ---- messages ---- */
struct queue_send_entry {
    struct slice body, group, dedup_id; /* dedup_id empty with content_dedup: SHA-256 of the body */
    struct slice attributes; /* MessageAttributes as canonical JSON object, {} or empty: none */
    struct slice trace;      /* AWSTraceHeader */
    struct slice md5_body, md5_attributes; /* hex; attributes may be empty */
    struct slice sender;                   /* SenderId */
    int64_t delay_s;                       /* -1: the queue's */
    /* filled */
    enum queue_status status;
    char id[40];       /* MessageId; of the first one for a duplicate */
    uint64_t sequence; /* FIFO SequenceNumber */
};
struct queue_send {
    struct queue_send_entry *entries; /* borrowed until done */
    size_t n;
    void (*done)(struct queue_send *);
    void *impl;
};
void queue_send(struct queue *, struct queue_send *);

struct queue_message {
    struct slice body, attributes, trace, group, dedup_id, md5_body, md5_attributes, sender,
        dead_source;
    char id[40], receipt[96];
    uint64_t sequence;
    int64_t sent_ms, first_ms;
    uint32_t receives;
};
struct queue_receive {
    size_t max;           /* 1..10 */
    int64_t visibility_s; /* -1: the queue's */
    int64_t wait_ms;      /* 0: answer at once */
    struct slice
        attempt_id; /* FIFO ReceiveRequestAttemptId; may be empty; borrowed during the call */
    /* Is the one who asked still there? Called before messages are given out; NULL: yes. */
    bool (*alive)(struct queue_receive *);
    void (*done)(struct queue_receive *);
    enum queue_status status;
    struct queue_message *messages; /* the queue's, n of them; valid inside done */
    size_t n;
    void *impl;
};
void queue_receive(struct queue *, struct queue_receive *);
void queue_receive_cancel(struct queue_receive *); /* done is then not called */

/* peek: the same, but nothing changes: receive counts, visibility. From the oldest visible on. */
void queue_peek(struct queue *, struct queue_receive *);

struct queue_touch_entry {
    struct slice receipt;
    int64_t visibility_s; /* change */
    enum queue_status status;
};
struct queue_touch {
    struct queue_touch_entry *entries; /* borrowed until done */
    size_t n;
    void (*done)(struct queue_touch *);
    void *impl;
};
void queue_delete_messages(struct queue *, struct queue_touch *); /* deleted before: OK, as AWS */
void queue_change_visibility(struct queue *, struct queue_touch *);

/* ---- message move tasks (redrive) ---- */
struct queue_move {
    char handle[64];                          /* TaskHandle */
    const char *source_arn, *destination_arn; /* destination NULL: to where each came from */
    enum {
        QUEUE_MOVE_RUNNING,
        QUEUE_MOVE_COMPLETED,
        QUEUE_MOVE_CANCELLING,
        QUEUE_MOVE_CANCELLED,
        QUEUE_MOVE_FAILED
    } state;
    int64_t rate;            /* messages per second, 1..500; 0: as fast as it goes */
    uint64_t moved, to_move; /* ApproximateNumberOfMessages… */
    int64_t started_ms;
    const char *failure;
};
/* QUEUE_BUSY: one runs. Only for a queue that is somebody's dead-letter queue: the caller looked.
 */
enum queue_status queue_move_start(struct queue *source, struct queue *destination, int64_t rate,
                                   char handle[64]);
bool queue_move_cancel(struct queues *, struct slice handle,
                       uint64_t *moved); /* false: none runs */
/* The last tasks of a source, newest first; returns how many, at most max. */
size_t queue_moves(struct queue *source, const struct queue_move **out, size_t max);

#endif
