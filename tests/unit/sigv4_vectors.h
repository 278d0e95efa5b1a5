/* sigv4_vectors.h - requests and the signatures that they must get. */
#ifndef TESTS_UNIT_SIGV4_VECTORS_H
#define TESTS_UNIT_SIGV4_VECTORS_H

#include "io/sigv4.h"

struct vector {
    const char *name, *method, *path, *query;
    const char *headers; /* NAME:VALUE lines */
    const char *body, *region, *service;
    bool s3;
    int64_t time_ms;
    const char *signature;
};

static const struct credentials example = {"AKIDEXAMPLE",
                                           "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL};

#define SUITE_HOST "Host:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n"
#define SUITE_MS   1440938160000
#define SUITE(name, method, path, query, headers, body, signature)                                 \
    {                                                                                              \
        name, method, path, query, SUITE_HOST headers, body, "us-east-1", "service", false,        \
            SUITE_MS, signature                                                                    \
    }
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* AWS Signature Version 4 test suite */
static const struct vector published[] = {
    SUITE("get-vanilla", "GET", "/", "", "", "",
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    SUITE("get-unreserved", "GET", "/" UNRESERVED, "", "", "",
          "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
    SUITE("get-utf8", "GET", "/\341\210\264", "", "", "",
          "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    SUITE("get-space", "GET", "/example space/", "", "", "",
          "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
    SUITE("get-slash", "GET", "//", "", "", "",
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    SUITE("get-slash-dot-slash", "GET", "/./", "", "", "",
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    SUITE("get-relative", "GET", "/example/..", "", "", "",
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    SUITE("get-relative-relative", "GET", "/example1/example2/../..", "", "", "",
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    SUITE("get-vanilla-query-order-key-case", "GET", "/", "Param2=value2&Param1=value1", "", "",
          "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    SUITE("get-vanilla-query-order-encoded", "GET", "/",
          "Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "", "",
          "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"),
    SUITE("get-vanilla-query-unreserved", "GET", "/", UNRESERVED "=" UNRESERVED, "", "",
          "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
    SUITE("get-vanilla-utf8-query", "GET", "/", "\341\210\264=bar", "", "",
          "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
    SUITE("get-vanilla-with-session-token", "GET", "/", "",
          "X-Amz-Security-Token:"
          "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267\n",
          "", "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
    SUITE("get-header-key-duplicate", "GET", "/", "",
          "My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n", "",
          "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
    SUITE("get-header-value-order", "GET", "/", "",
          "My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2\n", "",
          "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"),
    SUITE("get-header-value-trim", "GET", "/", "",
          "My-Header1: value1\nMy-Header2: \"a   b   c\"\n", "",
          "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    SUITE("post-vanilla", "POST", "/", "", "", "",
          "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    SUITE("post-vanilla-query", "POST", "/", "Param1=value1", "", "",
          "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
    SUITE("post-header-value-case", "POST", "/", "", "My-Header1:VALUE1\n", "",
          "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
    SUITE("post-x-www-form-urlencoded", "POST", "/", "",
          "Content-Type:application/x-www-form-urlencoded\nContent-Length:13\n"
          "x-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e\n",
          "Param1=value1", "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"),
};

static inline struct sigv4_request request_of(const struct vector *v, struct sigv4_header *headers)
{
    struct sigv4_request r = {.method = slice_of(v->method),
                              .path = slice_of(v->path),
                              .query = slice_of(v->query),
                              .headers = headers,
                              .payload = slice_of(v->body),
                              .region = v->region,
                              .service = v->service,
                              .time_ms = v->time_ms,
                              .path_once = v->s3};
    struct slice lines = slice_of(v->headers);
    while (lines.n) {
        struct slice value = slice_cut(&lines, '\n');
        struct slice name = slice_cut(&value, ':');
        headers[r.n_headers++] = (struct sigv4_header){name, value};
    }
    return r;
}

#endif
