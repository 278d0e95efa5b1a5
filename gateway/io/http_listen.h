/* http_listen.h - listening sockets, shared by http_listen.c and http_server.c only. */
#ifndef IO_HTTP_LISTEN_H
#define IO_HTTP_LISTEN_H

#include "io/http_server.h"
#include <sys/socket.h>

struct http_listener {
    struct list node; /* among the server's */
    struct list conns;
    struct http_server *server;
    struct loop *loop;
    struct watch watch;
    struct timer pause; /* out of descriptors: accepting goes on when it fires */
    int64_t next_warning_ms;
    http_handler *handler;
    void *ctx;
    size_t max_body_bytes;
    uint16_t port;
    bool closed;
};

/* NULL and *err when it cannot be bound. */
struct http_listener *http_listen_new(struct http_server *, struct loop *, const char *host,
                                      uint16_t port, struct error *);
void http_listen_stop(struct http_listener *); /* closes the socket; idempotent */
void http_listen_free(struct http_listener *);
uint64_t http_listen_acked(int fd); /* bytes of answers that the peer has confirmed */

/* http_server.c: takes the accepted socket, whatever happens. */
void http_server_adopt(struct http_listener *, int fd, const struct sockaddr *, socklen_t);

#endif
