/* sink.h - where bytes go and one answer comes back: functions now, queues, topics and files later.
 * One of the two vtables. Loop thread only. */
#ifndef ENGINE_SINK_H
#define ENGINE_SINK_H

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/option.h"
#include "io/loop.h"

enum outcome {
    OUTCOME_OK,
    OUTCOME_FAILED,      /* the function ran and failed, or crashed */
    OUTCOME_TIMEOUT,     /* it ran and was stopped at its timeout */
    OUTCOME_THROTTLED,   /* 429, busy, runtime not ready: it did not run */
    OUTCOME_UNREACHABLE, /* no answer, 5xx: try again, not counted */
    OUTCOME_REJECTED,    /* the backend will never take this payload (413, invalid) */
};
const char *outcome_name(enum outcome);

/* What an event reaches its function with and what came back; invoke-api.md 1 and 7. */
struct reply {
    enum outcome outcome;
    int status;                 /* HTTP status of the backend; 0: none */
    int64_t retry_after_ms;     /* -1: none */
    struct buf body;            /* the function's result or error body; owned by the delivery */
    const char *function_error; /* "Unhandled" when the function failed, else NULL; static text */
    struct buf log_tail;        /* last 4 KB of its log, when log_tail was asked for */
    char detail[200];           /* for logs: why it is not OK; no secrets, no payload */
};

enum { PAYLOAD_MAX_BYTES = 6 * 1024 * 1024, RESPONSE_MAX_BYTES = 6 * 1024 * 1024 + 100 };

/* One trip. Embedded in whoever sends it, zeroed first; stays until done or sink_cancel. */
struct delivery {
    struct slice payload;       /* borrowed by the sink until done() */
    char request_id[40];        /* UUID; set by the sender */
    const char *invoked_arn;    /* as invoked, qualifier kept; NULL: the function's; borrowed */
    const char *trace;          /* X-Amzn-Trace-Id; NULL: the sink makes one; borrowed */
    const char *client_context; /* JSON text, decoded; NULL: none; borrowed */
    int64_t timeout_ms;         /* the function's timeout */
    bool log_tail;              /* reply.log_tail is wanted */
    void (*done)(struct delivery *);
    struct reply reply; /* valid from done() until delivery_clear */
    /* the engine's and the sink's while it is out */
    struct function *function;
    int64_t sent_us;
    void *impl;
};

/* Sinks end a delivery with this, exactly once, from the loop, never from inside send. reply must
 * be filled; buffers move into it. */
void delivery_done(struct delivery *);
/* Fills reply as an error body {"errorType","errorMessage"} and its detail; function_error is set
 * for FAILED and TIMEOUT. */
void delivery_fail(struct delivery *, enum outcome, const char *error_type, const char *fmt, ...)
    PRINTF(4, 5);
void delivery_clear(struct delivery *); /* frees the reply's buffers; ready for another send */

struct http_client;
struct http_server;
struct metrics;
struct aws_client;
struct credentials;
struct function_settings;

/* What adapters may use; lives as long as the gateway. */
struct env {
    struct loop *loop;
    struct http_client *http;
    struct http_server *server;
    struct metrics *metrics;
    struct aws_client *aws;
    const char *region, *account_id;
    /* Base URL of our own Api when the ARN names something that lives in this gateway (an embedded
     * queue), else NULL; may be asked at each request. NULL function: nothing does. */
    const char *(*own_endpoint)(const struct env *, const char *arn);
    const struct credentials *own_credentials; /* that our own Api wants; NULL: none */
};

struct sink;
struct sink_ops {
    const char *type;
    const char *doc;              /* one sentence, for help and reference */
    size_t size;                  /* of the struct that starts with struct sink */
    const struct option *options; /* members of the function that choose and configure it */
    /* Fills in defaults that depend on others and refuses what cannot work; no I/O beyond looking
     * at files. `penstock check` calls it too. */
    bool (*check)(struct sink *, struct error *);
    bool (*open)(struct sink *, struct error *);
    void (*send)(struct sink *,
                 struct delivery *); /* one delivery_done for each, never from inside */
    void (*cancel)(struct sink *, struct delivery *); /* delivery_done is then never called */
    void (*close)(struct sink *); /* nothing is out any more; frees what open made */
};

struct sink {
    const struct sink_ops *ops;
    const struct env *env;
    const struct function_settings *function; /* whose backend it is; borrowed */
    struct log_scope log;
};

/* A function as the configuration describes it, whatever its backend. The member table is
 * function_options in engine/function.c. */
struct function_settings {
    const char *name, *arn; /* arn without qualifier */
    const char *description;
    int64_t timeout_s, memory_mb;
    int64_t reserved;    /* -1: none */
    int64_t provisioned; /* processes kept ready */
    struct option_map environment;
};

#endif
