/* api.h - the Api address: Lambda's Invoke, health and metrics. Loop thread only. */
#ifndef API_API_H
#define API_API_H

#include "engine/function.h"
#include "io/http_server.h"

/* What the API asks of the gateway that runs it. */
struct api_host {
    void *ctx;
    struct function *(*function)(void *ctx, struct slice name); /* NULL: unknown */
    void (*report)(void *ctx);                                  /* brings the metrics up to date */
    bool (*ready)(void *ctx);                                   /* started, not draining */
    bool (*handle)(void *ctx, struct http_request *); /* another service of ours: true = taken */
    void (*problems)(void *ctx, struct buf *out);     /* one line per mapping that cannot work */
};

struct api;

/* host is borrowed. NULL and *err when the address cannot be bound. */
struct api *api_open(const struct env *, const struct api_host *host, const char *address,
                     uint16_t port, struct error *err);
uint16_t api_port(const struct api *);
void api_stop(struct api *);            /* accepts no more; what is out is answered */
size_t api_pending(const struct api *); /* invocations out */
void api_cancel(struct api *);          /* what is out is cancelled and answered with 503 */
/* api_cancel, and frees. */
void api_close(struct api *);

#endif
