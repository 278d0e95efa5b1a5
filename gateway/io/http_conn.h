/* http_conn.h - inside of the HTTP server: a connection with its present request. For
 * http_server.c and http_conn.c only. */
#ifndef IO_HTTP_CONN_H
#define IO_HTTP_CONN_H

#include "io/http_listen.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

enum { HTTP_CONN_POOL_BYTES = 64 * 1024 }; /* for request and response headers */

enum http_conn_state {
    HTTP_CONN_FRESH,    /* accepted, nothing asked yet */
    HTTP_CONN_IDLE,     /* between requests: may stay for ever */
    HTTP_CONN_READING,  /* from the request line to the end of the body */
    HTTP_CONN_OPEN,     /* the handler has it */
    HTTP_CONN_REPLYING, /* from http_reply until the answer is written */
};

/* HTTP/1.1 has one request at a time. */
struct http_conn {
    struct http_request req;
    struct list node; /* in listener->conns */
    struct http_listener *listener;
    struct MHD_Connection *mhd;
    struct MHD_Response *response; /* NULL in HTTP_CONN_REPLYING: drop the connection */
    unsigned status;
    int fd;
    enum http_conn_state state;
    bool headers_done;
    bool suspended; /* the daemon does not look at it until it is resumed */
    int64_t progress_ms;
    uint64_t acked; /* while replying, as of progress_ms */
    size_t drained;
    struct buf uri, body;
};

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct watch watch;
    struct task run;
    struct timer again, sweep;
    struct list listeners;
    struct http_conn *adopting;
    size_t n_conns;
    size_t body_bytes; /* held for all requests together */
    int64_t stall_ms;
    bool closing;
};

struct http_conn *http_conn_new(struct http_listener *, int fd);
/* Frees a closed listener with its last connection. */
void http_conn_free(struct http_conn *);
void http_conn_progress(struct http_conn *); /* something moved: not stalled */
/* Shuts the socket down: what was written still arrives, then the daemon sees the end. */
void http_conn_hang_up(struct http_conn *);
void http_conn_begin(struct http_conn *, const char *target); /* a request line was read */
/* Stores a piece of the body, or drains it; false: too much even for that, or too much of all
 * connections together: it must be dropped. */
bool http_conn_body(struct http_conn *, const char *p, size_t n) MUST_CHECK;
void http_conn_hand_over(struct http_conn *); /* complete: the handler gets it */
void http_conn_reset(struct http_conn *);     /* answered */

void http_conn_sweep(struct timer *);       /* fire of http_server.sweep */
void http_conn_watch(struct http_server *); /* arms the sweep when there is a connection */

#endif
