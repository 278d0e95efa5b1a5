/* cli_call.h - how subcommands talk to a running gateway: one request after the other over one
 * connection, signed when the environment has credentials. */
#ifndef GATEWAY_CLI_CALL_H
#define GATEWAY_CLI_CALL_H

#include "io/http_client.h"

#define CLI_API "http://127.0.0.1:9001" /* --api when it is not given */

struct cli_peer;

/* command: "queue", for messages. NULL: said why on stderr. Borrows both texts. */
struct cli_peer *cli_peer_new(const char *command, const char *api);
void cli_peer_free(struct cli_peer *);

struct cli_request {
    const char *method;
    const char *path, *query; /* as on the wire; query may be NULL */
    const char *service;      /* whose API it is, for the signature: "sqs", "lambda" */
    const char *const *headers;
    size_t n_headers; /* at most CLI_HEADERS_MAX */
    struct slice body;
    int64_t timeout_ms;
    size_t max_response_bytes;
};
enum { CLI_HEADERS_MAX = 8 };

/* Waits for the answer. False: there is none, said why on stderr; else any HTTP status.
 * http_call_clear(answer) in both cases. */
bool cli_call(struct cli_peer *, const struct cli_request *, struct http_call *answer);

/* Appends text with everything but unreserved characters percent-encoded. */
bool cli_percent_encode(struct buf *out, const char *text);

#endif
