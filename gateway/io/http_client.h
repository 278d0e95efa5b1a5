/* http_client.h - HTTP requests by libcurl on the loop; each started call ends exactly once.
 * A request is never re-sent silently (PITFALLS 6.2). Redirects are not followed, no proxy unless
 * the URL's owner asks, TLS certificates are verified. Loop thread only. */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include "base/buf.h"
#include "io/loop.h"

enum http_result {
    HTTP_DONE,       /* status and body are valid, whatever the status says */
    HTTP_NO_CONNECT, /* refused, unresolved, TLS failed: the request was not sent */
    HTTP_BROKEN,     /* connection ended after the request may have been read */
    HTTP_TIMEOUT,    /* timeout_ms passed */
    HTTP_TOO_LARGE,  /* the answer passed max_response_bytes */
    HTTP_GARBLED,    /* not HTTP */
};

/* Owned by the caller, zeroed first, must stay until done or cancel. */
struct http_call {
    const char *method, *url;   /* borrowed until done */
    const char *const *headers; /* "Name: value" lines, borrowed until done */
    size_t n_headers;
    struct slice body;  /* borrowed until done; always sent with Content-Length */
    int64_t timeout_ms; /* whole call; 0: none */
    size_t max_response_bytes;
    void (*done)(struct http_call *); /* from the loop, never from inside http_client_start */

    enum http_result result; /* from here on: valid from done on */
    int status;
    struct buf response, response_headers; /* caller frees with http_call_clear */
    char detail[160];                      /* curl's words when result != HTTP_DONE */
    void *impl;                            /* the client's, while it is out */
};

struct http_client;
struct http_client *http_client_new(struct loop *);
void http_client_free(struct http_client *); /* cancels what is out */
void http_client_start(struct http_client *, struct http_call *);
void http_client_cancel(struct http_client *,
                        struct http_call *); /* done is then never called; harmless when not out */
/* Value of the last response header of that name, trimmed; empty when absent. */
struct slice http_call_header(const struct http_call *, const char *name);
/* http(s)://HOST[:PORT][/PATH], as bases of addresses are: no blanks, credentials, query or
 * fragment. */
bool http_base_url(struct slice);
void http_call_clear(struct http_call *); /* frees the response buffers; not the call */

#endif
