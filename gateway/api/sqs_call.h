/* sqs_call.h - one request to the SQS API from its reading to its answer. For sqs_*.c. */
#ifndef API_SQS_CALL_H
#define API_SQS_CALL_H

#include "api/sqs_api.h"
#include "api/sqs_error.h"
#include "api/sqs_out.h"
#include "base/arena.h"
#include "base/json_in.h"

struct sqs_call;

struct sqs_operation {
    const char *name;
    void (*run)(struct sqs_call *); /* ends in one of the sqs_call_* that answer, now or later */
    bool on_queue;                  /* call->queue is there when it runs */
    bool result;                    /* the answer has members */
};

struct sqs_api {
    const struct env *env;
    struct queues *queues;
    struct sqs_api_options options;
    struct sigv4_keys keys;
    struct list calls; /* not answered yet */
    size_t n_calls;
    struct list turns; /* struct sqs_turn */
    struct task wake;
    bool stopping;
};

struct sqs_call {
    struct list node;    /* in api->calls */
    struct sqs_api *api; /* NULL: the API is gone and the client answered; only to be freed */
    struct http_request *req;
    const struct sqs_operation *op;
    bool query; /* protocol */
    struct json *root;
    struct sqs_turn *turn; /* NULL: has none */
    struct queue *queue;   /* valid while op->run runs, not later */
    struct arena arena;
    struct sqs_problem problem;
    void *state; /* the operation's own, freed with the call */
    void (*drop)(void *state);
    /* Ends the wait of a long poll with what there is; NULL: it does not wait. */
    void (*hurry)(struct sqs_call *);
};

struct sqs_call *sqs_call_new(struct sqs_api *, struct http_request *, bool query);
/* The engine has answered: is there still somebody to tell? false: the call was freed. */
bool sqs_call_alive(struct sqs_call *);
/* The API goes away while the engine has the call: the client is told, the call stays. */
void sqs_call_orphan(struct sqs_call *);

/* These end the call. */
void sqs_call_fail(struct sqs_call *, enum sqs_error, const char *fmt, ...) PRINTF(3, 4);
void sqs_call_refuse(struct sqs_call *);                    /* with call->problem */
void sqs_call_done(struct sqs_call *);                      /* no result */
void sqs_call_status(struct sqs_call *, enum queue_status); /* one that is not QUEUE_OK */
/* Begin an answer, write its members, send it. */
void sqs_call_begin(struct sqs_call *, struct sqs_out *, size_t likely_bytes);
void sqs_call_send(struct sqs_call *, struct sqs_out *);

/* The error that a status of the engine is. */
enum sqs_error sqs_call_error_of(enum queue_status);
const char *sqs_call_text_of(enum queue_status);
/* http://HOST:PORT/ACCOUNT/NAME, in the call's arena. */
struct slice sqs_call_url(struct sqs_call *, const struct queue *);

#endif
