/* own.h - what lives inside this gateway: the store, the queues on it, and their SQS service. */
#ifndef GATEWAY_OWN_H
#define GATEWAY_OWN_H

#include "config/catalog.h"
#include "io/http_server.h"

struct own;

/* Brings the queues of the store in step with the file; runs the loop until that is on disk. The
 * store is opened when the file has queues or the store is there, else with the first request
 * about queues. A queue that the file had and has no more is deleted when it is empty, else kept
 * and reported. base_url is where the Api is reached (copied). */
struct own *own_open(const struct env *, const struct catalog *, const char *base_url,
                     struct error *);
/* The same at a reload, in two steps: queues that are missing are made, for mappings that want
 * them; when the catalog is in force, others are changed and dropped. */
void own_prepare(struct own *, const struct catalog *);
void own_apply(struct own *, const struct catalog *);
/* Base URL of our Api when the ARN names one of our queues, else NULL. */
const char *own_endpoint(struct own *, const char *arn);
/* True: it was for the SQS service or about queues, and will be answered. */
bool own_handle(struct own *, struct http_request *);
const struct credentials *own_credentials(const struct own *); /* what our Api wants; NULL: none */
void own_stop(struct own *);   /* receives that wait get their empty answer, now and from here on */
void own_report(struct own *); /* brings the metrics of queues up to date */
size_t own_pending(const struct own *); /* requests that are not answered yet */
/* Waiting receives are answered, what was submitted gets on disk, the store is closed. */
void own_close(struct own *);

#endif
