/* api_sign.c - who may ask: the signature of a request to the Lambda API, when the gateway has
 * credentials. */
#include "api/api_parts.h"
#include "io/sigv4.h"

struct headers {
    struct sigv4_header v[SIGV4_HEADERS_MAX];
    size_t n;
};

static void add_header(void *ctx, struct slice name, struct slice value)
{
    struct headers *h = ctx;
    if (h->n < ARRAY_LEN(h->v))
        h->v[h->n++] = (struct sigv4_header){name, value};
}

static const struct {
    struct api_error error;
    const char *text;
} refusals[] = {
    [SIGV4_MISSING] = {{403, "MissingAuthenticationTokenException", NULL, "message", NULL},
                       "Missing Authentication Token"},
    [SIGV4_MALFORMED] = {{403, "IncompleteSignatureException", NULL, "message", NULL},
                         "Authorization header requires 'Credential', 'SignedHeaders' and "
                         "'Signature' parameters of AWS4-HMAC-SHA256 for the service 'lambda', and "
                         "'host' and 'x-amz-date' among the signed headers."},
    [SIGV4_UNKNOWN_KEY] = {{403, "UnrecognizedClientException", NULL, "message", NULL},
                           "The security token included in the request is invalid."},
    [SIGV4_EXPIRED] = {{403, "InvalidSignatureException", NULL, "message", NULL},
                       "Signature expired: its date is more than 15 minutes from the gateway's "
                       "clock."},
    [SIGV4_MISMATCH] = {{403, "InvalidSignatureException", NULL, "message", NULL},
                        "The request signature we calculated does not match the signature you "
                        "provided. Check your AWS Secret Access Key and signing method. Consult "
                        "the service documentation for details."},
};

bool api_is_signed(struct api *a, struct http_request *req)
{
    struct headers headers = {.n = 0};
    if (a->env->own_credentials == NULL)
        return true;
    http_request_headers(req, add_header, &headers);
    const struct sigv4_request r = {.method = req->method,
                                    .path = req->path,
                                    .query = req->query,
                                    .headers = headers.v,
                                    .n_headers = headers.n,
                                    .payload = req->body,
                                    .service = "lambda"};
    enum sigv4_verdict verdict = sigv4_verify(&r, a->env->own_credentials, loop_wall(a->env->loop));
    if (verdict == SIGV4_VALID)
        return true;
    api_reply_error(req, &refusals[verdict].error, "", "%s", refusals[verdict].text);
    return false;
}
