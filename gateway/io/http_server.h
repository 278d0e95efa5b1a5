/* http_server.h - HTTP/1.1 servers by libmicrohttpd inside our loop: one daemon, any number of
 * listeners, each with its own handler. The handler gets a whole request and answers it now or
 * later with http_reply, exactly once. Loop thread only. */
#ifndef IO_HTTP_SERVER_H
#define IO_HTTP_SERVER_H

#include "base/buf.h"
#include "io/loop.h"

struct http_server;
struct http_listener;

/* Owned by the server from the handler's call to http_reply; all slices borrow from it. */
struct http_request {
    struct slice method;
    struct slice path;  /* as sent: not decoded, without the query */
    struct slice query; /* as sent, without '?' */
    struct slice body;
    bool too_large;   /* the body passed the listener's limit: it was drained, body is empty */
    void *ctx;        /* the listener's */
    struct list node; /* for the handler's own lists until http_reply; initialised */
    void *user;       /* for the handler */
};

struct http_header {
    const char *name;
    struct slice value;
};

typedef void http_handler(struct http_request *);

struct http_server *http_server_new(struct loop *, struct error *);
void http_server_free(struct http_server *); /* answers what is open with 503 and closes */
/* Is an answer still being written on a listener that was closed? */
bool http_server_finishing(const struct http_server *);
/* A connection is dropped when nothing moves for this long inside a request or an answer, or when
 * it never asks anything; 60 s unless set. Between requests and while a handler has the request
 * there is no limit. */
void http_server_set_stall(struct http_server *, int64_t ms);

/* host is a numeric address; port 0 picks one. NULL and *err when it cannot be bound. */
struct http_listener *http_listen(struct http_server *, const char *host, uint16_t port,
                                  size_t max_body_bytes, http_handler *, void *ctx, struct error *);
uint16_t http_listener_port(const struct http_listener *);
/* Stops accepting at once; open requests still may be answered, their connections then close. */
void http_listener_close(struct http_listener *);

struct slice http_request_header(const struct http_request *, const char *name); /* empty: absent */
bool http_request_has_header(const struct http_request *, const char *name);
struct slice http_request_trailer(const struct http_request *, const char *name);
/* Calls f for each header in order; values as sent. */
void http_request_headers(const struct http_request *,
                          void (*f)(void *ctx, struct slice name, struct slice value), void *ctx);
/* Moves the body out; the caller frees it. req->body is empty afterwards. */
struct buf http_request_take_body(struct http_request *);
/* Percent-decoded value of a query parameter into out; false when absent. */
bool http_query_get(struct slice query, const char *name, struct buf *out);
/* Percent-decodes s into out ('+' stays); false on bad escapes. */
bool http_percent_decode(struct slice s, struct buf *out);

/* Answers and ends the request: req is gone afterwards. Copies headers and body. Content-Length is
 * set; Date too. A client that is gone is not an error. A status outside 200 to 999 becomes 500; a
 * header that HTTP does not allow (line breaks, Content-Length) is left out. */
void http_reply(struct http_request *, int status, const struct http_header *, size_t n,
                struct slice body);
/* The same, with a body that is taken over without a copy (body is as new afterwards). */
void http_reply_buf(struct http_request *, int status, const struct http_header *, size_t n,
                    struct buf *body);
/* Drops the connection without an answer. */
void http_abort(struct http_request *);
/* Is the client still there, as far as its socket tells now? For requests that wait long: while the
 * handler has one, nobody else notices that its client has left. */
bool http_request_alive(const struct http_request *);

#endif
