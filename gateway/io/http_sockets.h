/* http_sockets.h - the descriptors of http_client.c, by number. A descriptor that we opened stays
 * watched while its connection idles: two system calls less per request. */
#ifndef IO_HTTP_SOCKETS_H
#define IO_HTTP_SOCKETS_H

#include "io/loop.h"

struct http_socket;
struct http_sockets {
    struct loop *loop;
    void (*ready)(void *ctx, int fd, uint32_t events); /* only for what is wanted */
    void *ctx;
    struct http_socket **v;
    size_t n;
};

void http_sockets_init(struct http_sockets *, struct loop *,
                       void (*ready)(void *ctx, int fd, uint32_t events), void *ctx);
void http_sockets_free(struct http_sockets *);
int http_sockets_open(struct http_sockets *, int family, int type, int protocol); /* -1: failed */
int http_sockets_close(struct http_sockets *, int fd);
/* Also for a descriptor that somebody else opened; that one must be unwanted before it is closed.
 */
bool http_sockets_want(struct http_sockets *, int fd, uint32_t events) MUST_CHECK;
void http_sockets_unwant(struct http_sockets *, int fd);

#endif
