/* sqs_api.h - SQS at the Api address: AWS JSON 1.0 and query/XML, every operation, on the queues of
 * the engine; and GET /_penstock/queues/NAME/peek?max=N, a look that changes nothing.
 * Spec: sqs.md 8; docs/api-sqs.md. Loop thread only. */
#ifndef API_SQS_API_H
#define API_SQS_API_H

#include "engine/queue.h"
#include "engine/sink.h"
#include "io/http_server.h"
#include "io/sigv4.h"

struct sqs_api_options {
    /* http://HOST:PORT, the beginning of QueueUrls in answers to requests without a Host header;
     * with one they begin with it, so that clients in containers get a URL that works for them. */
    const char *base_url;
    const struct credentials *credentials; /* requests must be signed with them; NULL: no check */
};

struct sqs_api;

/* Region and account are those of env. Borrows everything. */
struct sqs_api *sqs_api_new(const struct env *, struct queues *, const struct sqs_api_options *);
/* Answers everything that is open: long polls empty, what is at the store with 503. Before
 * queues_close. */
void sqs_api_free(struct sqs_api *);

/* true: it is an SQS request; it is or will be answered. false: it is none and is untouched. */
bool sqs_api_handle(struct sqs_api *, struct http_request *);

/* Long polls get their empty answer now and do not wait any more from here on. */
void sqs_api_stop(struct sqs_api *);
size_t sqs_api_pending(const struct sqs_api *); /* requests that are not answered yet */

#endif
