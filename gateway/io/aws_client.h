/* aws_client.h - where AWS services live, with which credentials, and signed requests to them.
 * Endpoints and credentials follow the AWS SDKs: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the
 * profile files (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE), AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; Services of our file win. Without a Region in our file:
 * AWS_REGION, AWS_DEFAULT_REGION, the profile's. */
#ifndef IO_AWS_CLIENT_H
#define IO_AWS_CLIENT_H

#include "base/option.h"
#include "io/http_client.h"
#include "io/sigv4.h"

struct aws_client;

struct aws_client_options {
    const char *region;                /* the file's Region; borrowed for the client's life */
    const struct option_map *services; /* the file's Services: service name to URL; may be NULL */
};

struct aws_client *aws_client_new(struct loop *, struct http_client *,
                                  const struct aws_client_options *, struct error *);
void aws_client_free(struct aws_client *);

/* One signed POST. Owned by the caller, zeroed first, must stay until done or cancel. */
struct aws_call {
    struct http_call http; /* result, status, response: see http_client.h */
    const char *service;   /* "sqs", "lambda": endpoint and signing name */
    const char *endpoint;  /* NULL: resolved; else this base URL (InvokeEndpoint, tests) */
    const struct credentials *credentials; /* NULL: resolved; borrowed until done */
    const char *region;                    /* NULL: the client's */
    const char *path;           /* as on the wire, "/" or percent-encoded; borrowed until done */
    const char *query;          /* raw, NULL: none */
    const char *const *headers; /* extra "Name: value" lines, borrowed until done; all are signed */
    size_t n_headers;
    struct slice body; /* borrowed until done */
    int64_t timeout_ms;
    size_t max_response_bytes;
    void (*done)(struct aws_call *); /* from the loop, once */
    void *impl;
};

void aws_call_start(struct aws_client *,
                    struct aws_call *); /* without credentials: sent unsigned to own endpoints,
                                           HTTP_NO_CONNECT with a clear detail to AWS itself */
void aws_call_cancel(struct aws_client *, struct aws_call *);
void aws_call_clear(struct aws_call *);
/* Re-reads credentials from environment and profile (after ExpiredToken or 403), at most once a
 * second; what cannot be read leaves the old ones in place and is logged. */
void aws_client_refresh(struct aws_client *);
/* Base URL for a service in a region, for logs and queue URLs; returns a new string. */
char *aws_client_endpoint(struct aws_client *, const char *service, const char *region);

#endif
