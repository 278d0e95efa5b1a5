/* cli_queue.h - what the subcommands of `penstock queue` share; only for cli_queue*.c. */
#ifndef GATEWAY_CLI_QUEUE_H
#define GATEWAY_CLI_QUEUE_H

#include "base/json_in.h"
#include "base/json_out.h"
#include "engine/queue.h"
#include "gateway/cli.h"
#include "gateway/cli_call.h"

enum { QUEUE_CLI_TEXT_MAX = 64 * 1024 };

struct queue_cli {
    struct cli_args *args;
    const char *api, *usage;
    int least, most;       /* operands */
    struct cli_peer *peer; /* opened by the first call */
    int code;              /* enum cli_exit */
    bool lenient;          /* a service that says no is not told: the answer is left out */
};

struct queue_answer {
    struct http_call http;
    struct json *root; /* NULL: no JSON */
};

/* Options are taken: only operands may be left. False: told, and code is set. */
bool queue_cli_operands(struct queue_cli *);
/* One operation of the SQS API, its members in body. False: told, and code is set. Free the answer
 * in both cases. */
bool queue_cli_call(struct queue_cli *, const char *operation, const struct buf *body,
                    struct queue_answer *);
/* The same for a GET of our own. */
bool queue_cli_get(struct queue_cli *, const char *path, const char *query, struct queue_answer *);
void queue_answer_free(struct queue_answer *);

/* Starts a request's body: an object with QueueUrl of that queue in it. False: told. */
bool queue_cli_body(struct queue_cli *, const char *name, struct buf *, struct json_out *);
/* The ARN of a queue, appended. False: told. */
bool queue_cli_arn(struct queue_cli *, const char *name, struct buf *out);
/* Appends text so that it stays one line and cannot harm a terminal, at most max bytes of it. */
void queue_cli_show(struct buf *out, struct slice text, size_t max);
/* "850 ms", "1.2 s", "3 min", "5 h", "2 d"; negative: "-" */
void queue_cli_age(int64_t ms, char out[32]);

/* Each takes its operands from args. */
void queue_cli_list(struct queue_cli *);
void queue_cli_peek(struct queue_cli *);
void queue_cli_send(struct queue_cli *);
void queue_cli_purge(struct queue_cli *);
void queue_cli_redrive(struct queue_cli *);

#endif
