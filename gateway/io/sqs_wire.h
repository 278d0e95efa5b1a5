/* sqs_wire.h - SQS on the wire in both protocols, AWS JSON 1.0 and query/XML: requests are written,
 * answers are read. Shared by the source and by whatever else talks to queues. No I/O.
 * Spec: sqs.md 8. */
#ifndef IO_SQS_WIRE_H
#define IO_SQS_WIRE_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    SQS_BATCH_MAX = 10,       /* entries of one batch request, messages of one receive */
    SQS_ATTRIBUTES_MAX = 256, /* of one kind on one message: more, and the message is skipped */
    SQS_VISIBILITY_MAX_S = 12 * 3600,
};

enum sqs_protocol { SQS_JSON, SQS_QUERY };

enum sqs_op {
    SQS_RECEIVE,          /* ReceiveMessage */
    SQS_DELETE_BATCH,     /* DeleteMessageBatch */
    SQS_VISIBILITY_BATCH, /* ChangeMessageVisibilityBatch */
    SQS_GET_URL,          /* GetQueueUrl */
    SQS_GET_ATTRIBUTES,   /* GetQueueAttributes, all of them */
};
const char *sqs_wire_op_name(enum sqs_op);

struct sqs_entry {
    struct slice receipt;
    int64_t visibility_s; /* SQS_VISIBILITY_BATCH */
};

struct sqs_request {
    enum sqs_op op;
    struct slice queue_url;          /* all but SQS_GET_URL */
    int64_t max_messages, wait_s;    /* SQS_RECEIVE */
    int64_t visibility_s;            /* SQS_RECEIVE; -1: the queue's own */
    const struct sqs_entry *entries; /* *_BATCH; the Id of an entry is its index */
    size_t n_entries;                /* 1 to SQS_BATCH_MAX */
    struct slice name, owner;        /* SQS_GET_URL; owner may be empty */
};

/* Appends the body of the request. All requests are POST to "/". */
void sqs_wire_request(struct buf *out, enum sqs_protocol, const struct sqs_request *);
/* The header lines that go with it, static text. */
const char *const *sqs_wire_headers(enum sqs_protocol, enum sqs_op, size_t *n);

struct sqs_attribute {
    struct slice name, value;
};

struct sqs_typed {
    struct slice name, type;
    struct slice value; /* binary: base64, as it came */
    bool binary;
};

struct sqs_message {
    struct slice id, receipt, body;
    struct slice md5_body, md5_attributes; /* p == NULL: not sent */
    struct sqs_attribute *attributes;      /* system attributes, in the order they came */
    size_t n_attributes;
    struct sqs_typed *typed; /* message attributes, in the order they came */
    size_t n_typed;
};
struct slice sqs_wire_attribute(const struct sqs_message *, const char *name); /* empty: none */
/* MD5 over the message attributes, sqs.md 8.5. false: none, or a binary value is not base64. */
bool sqs_wire_md5(const struct sqs_message *, char hex[33]);

enum sqs_read {
    SQS_READ_OK,
    SQS_READ_FAULT,   /* the service says no: fault, code and text are set */
    SQS_READ_FOREIGN, /* the other end does not speak this protocol */
    SQS_READ_GARBLED, /* it does, but this answer cannot be understood; text says why */
};

enum sqs_fault {
    SQS_FAULT_OTHER,
    SQS_FAULT_NO_QUEUE,
    SQS_FAULT_BUSY,        /* throttled or broken for the moment: 5xx, 429, OverLimit, … */
    SQS_FAULT_CREDENTIALS, /* expired, unknown, or not allowed */
    SQS_FAULT_HANDLE,      /* this receipt handle is of no use (any more) */
};

struct sqs_result {
    bool answered, ok; /* an answer may leave entries out */
    enum sqs_fault fault;
    struct slice code, text;
};

/* All slices live until sqs_answer_free. */
struct sqs_answer {
    enum sqs_fault fault; /* SQS_READ_FAULT */
    struct slice code;    /* query code, "AWS.SimpleQueueService.NonExistentQueue" */
    struct slice text;
    struct sqs_message *messages; /* SQS_RECEIVE, at most SQS_BATCH_MAX */
    size_t n_messages;
    size_t skipped; /* messages without id, handle or body, and those over the limit */
    struct sqs_result results[SQS_BATCH_MAX]; /* *_BATCH, by index of the entry */
    struct slice queue_url;                   /* SQS_GET_URL */
    struct sqs_attribute *attributes;         /* SQS_GET_ATTRIBUTES */
    size_t n_attributes;
    struct arena arena;
    struct json *json;
    char *plain; /* decoded text of XML */
};

/* Reads an answer of any HTTP status. *to is set up here; sqs_answer_free it whatever comes back.
 * Borrows body only during the call. */
enum sqs_read sqs_wire_read(struct sqs_answer *to, enum sqs_protocol, enum sqs_op, int http_status,
                            struct slice body);
void sqs_answer_free(struct sqs_answer *);

#endif
