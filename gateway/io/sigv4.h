/* sigv4.h - AWS Signature Version 4, for header-signed requests; own canonicalisation because
 * libcurl's is wrong in places (PITFALLS 6.1). Pure: time is a parameter. */
#ifndef IO_SIGV4_H
#define IO_SIGV4_H

#include "base/buf.h"
#include "base/digest.h"

enum {
    SIGV4_HEADERS_MAX = 64,            /* signed headers of one request */
    SIGV4_QUERY_MAX = 512,             /* query parameters of one request */
    SIGV4_SKEW_MS = 15 * 60 * 1000,    /* how far a received request's clock may be off */
    SIGV4_KEYS = 8,                    /* derived keys kept by struct sigv4_keys */
    SIGV4_KEY_OF_MAX = 256,            /* longer secrets are derived anew each time */
    SIGV4_CANONICAL_MAX = 1024 * 1024, /* bytes of a canonical request */
};

struct credentials {
    const char *access_key, *secret_key;
    const char *session_token; /* NULL: none */
};

/* Derived signing keys by (secret, date, region, service). Zeroed first, no clean-up needed; holds
 * secrets: explicit_bzero it at the end. */
struct sigv4_keys {
    struct sigv4_key {
        char of[SIGV4_KEY_OF_MAX]; /* what it was derived from; empty: unused */
        uint8_t key[SHA256_LEN];
    } v[SIGV4_KEYS];
    unsigned next;
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
    int64_t time_ms;         /* must be the time in x-amz-date */
    bool path_once;          /* S3: the path is not encoded a second time, nor normalised */
    struct sigv4_keys *keys; /* NULL: the key is derived anew (4 HMACs) */
};

/* Appends the value of the Authorization header. false: over one of the limits above, or out is
 * full. */
bool sigv4_authorization(const struct sigv4_request *, const struct credentials *, struct buf *out);
/* Steps, for tests against AWS's published vectors. */
bool sigv4_canonical_request(const struct sigv4_request *, struct buf *out);
void sigv4_string_to_sign(const struct sigv4_request *, struct slice canonical, struct buf *out);

enum sigv4_verdict {
    SIGV4_VALID,
    SIGV4_MISSING,     /* no Authorization header */
    SIGV4_MALFORMED,   /* not AWS4-HMAC-SHA256, a part is missing, host or x-amz-date is not signed,
                          the scope's date, region or service is another */
    SIGV4_UNKNOWN_KEY, /* another access key or session token */
    SIGV4_EXPIRED,     /* x-amz-date is more than SIGV4_SKEW_MS from now */
    SIGV4_MISMATCH,    /* the signature is another */
};

/* Checks a received request. headers: all that came, in order, Authorization among them; region
 * and service: those required, NULL: what the request's scope says; time_ms is not used. */
enum sigv4_verdict sigv4_verify(const struct sigv4_request *, const struct credentials *,
                                int64_t now_ms);

#endif
