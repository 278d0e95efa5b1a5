/* sigv4.h - AWS Signature Version 4, for header-signed requests; own canonicalisation because
 * libcurl's is wrong in places (PITFALLS 6.1). Pure: time is a parameter. */
#ifndef IO_SIGV4_H
#define IO_SIGV4_H

#include "base/buf.h"

struct credentials {
    const char *access_key, *secret_key;
    const char *session_token; /* NULL: none */
};

struct sigv4_header {
    struct slice name, value; /* any case, any blanks: canonicalised here */
};

struct sigv4_request {
    struct slice method, path, query;   /* as on the wire: path percent-encoded once, query raw */
    const struct sigv4_header *headers; /* those to be signed; host and x-amz-date among them */
    size_t n_headers;
    struct slice payload;
    const char *region, *service;
    int64_t time_ms; /* must be the time in x-amz-date */
    bool path_once;  /* S3: the path is not encoded a second time, nor normalised */
};

/* Appends the value of the Authorization header. */
void sigv4_authorization(const struct sigv4_request *, const struct credentials *, struct buf *out);
/* Steps, for tests against AWS's published vectors. */
void sigv4_canonical_request(const struct sigv4_request *, struct buf *out);
void sigv4_string_to_sign(const struct sigv4_request *, struct slice canonical, struct buf *out);

#endif
