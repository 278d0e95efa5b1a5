/* sigv4_verify.c - checks the signature that a received request carries. */
#include "io/sigv4.h"

#include <string.h>

struct claim {
    struct slice access_key, date, region, service; /* of the credential scope */
    struct slice names;                             /* SignedHeaders */
    struct slice signature;
};

/* Cuts "/LAST" off the end of *s. */
static struct slice cut_last(struct slice *s)
{
    for (size_t i = s->n; i > 0; i--)
        if (s->p[i - 1] == '/') {
            struct slice last = slice_from(*s, i);
            s->n = i - 1;
            return last;
        }
    struct slice all = *s;
    s->n = 0;
    return all;
}

static bool parse_scope(struct slice credential, struct claim *c)
{
    if (!slice_is(cut_last(&credential), "aws4_request"))
        return false;
    c->service = cut_last(&credential);
    c->region = cut_last(&credential);
    c->date = cut_last(&credential);
    c->access_key = credential; /* may hold slashes itself, hence from the end */
    return c->service.n && c->region.n && c->date.n == 8 && c->access_key.n;
}

static bool parse_claim(struct slice text, struct claim *c)
{
    *c = (struct claim){0};
    if (!slice_is(slice_cut(&text, ' '), "AWS4-HMAC-SHA256"))
        return false;
    struct slice credential = SLICE_NONE;
    while (text.n) {
        struct slice value = slice_trim(slice_cut(&text, ','));
        struct slice name = slice_cut(&value, '=');
        if (slice_is(name, "Credential"))
            credential = value;
        else if (slice_is(name, "SignedHeaders"))
            c->names = value;
        else if (slice_is(name, "Signature"))
            c->signature = value;
    }
    return c->names.n && c->signature.n == 2 * SHA256_LEN && parse_scope(credential, c);
}

static const struct sigv4_header *find(const struct sigv4_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (slice_is_ci(r->headers[i].name, name))
            return &r->headers[i];
    return NULL;
}

static bool digits(struct slice s, size_t at, size_t n, int64_t *out)
{
    return slice_int((struct slice){s.p + at, n}, out) && *out >= 0 && s.p[at] != '+';
}

/* 20150830T123600Z as unix milliseconds. */
static bool parse_date(struct slice s, int64_t *out)
{
    int64_t y, mon, d, h, min, sec;
    if (s.n != 16 || s.p[8] != 'T' || s.p[15] != 'Z')
        return false;
    if (!digits(s, 0, 4, &y) || !digits(s, 4, 2, &mon) || !digits(s, 6, 2, &d) ||
        !digits(s, 9, 2, &h) || !digits(s, 11, 2, &min) || !digits(s, 13, 2, &sec))
        return false;
    if (y < 1970 || mon < 1 || mon > 12 || d < 1 || d > 31 || h > 23 || min > 59 || sec > 60)
        return false;
    /* days since the epoch, with the year beginning in March */
    int64_t yy = mon <= 2 ? y - 1 : y, era = yy / 400, yoe = yy - era * 400;
    int64_t doy = (153 * (mon + (mon > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
    *out = (((days * 24 + h) * 60 + min) * 60 + sec) * 1000;
    return true;
}

/* Compares in a time that does not depend on where they differ. */
static bool same_secret(struct slice a, struct slice b)
{
    unsigned diff = a.n != b.n;
    for (size_t i = 0; i < a.n && i < b.n; i++)
        diff |= (unsigned)(unsigned char)a.p[i] ^ (unsigned char)b.p[i];
    return diff == 0;
}

static bool names_have(struct slice names, const char *name)
{
    while (names.n)
        if (slice_is_ci(slice_cut(&names, ';'), name))
            return true;
    return false;
}

/* Those of the received headers that the claim names, in the order they came. false: one of the
 * names did not come, or there are too many. */
static bool select_signed(const struct sigv4_request *r, struct slice names,
                          struct sigv4_header *out, size_t *n)
{
    *n = 0;
    while (names.n) {
        struct slice name = slice_cut(&names, ';');
        size_t before = *n;
        for (size_t i = 0; i < r->n_headers; i++) {
            struct slice have = r->headers[i].name;
            if (have.n != name.n || strncasecmp(have.p, name.p, name.n) != 0)
                continue;
            if (*n == SIGV4_HEADERS_MAX)
                return false;
            out[(*n)++] = r->headers[i];
        }
        if (*n == before)
            return false;
    }
    return true;
}

/* The scope's text as C strings, because the request holds C strings. */
struct scope_text {
    char region[64], service[64];
};

static bool fill_scope(struct sigv4_request *r, const struct claim *c, struct scope_text *t)
{
    if ((r->region && !slice_is(c->region, r->region)) ||
        (r->service && !slice_is(c->service, r->service)))
        return false;
    if (c->region.n >= sizeof t->region || c->service.n >= sizeof t->service)
        return false;
    *t = (struct scope_text){0};
    memcpy(t->region, c->region.p, c->region.n);
    memcpy(t->service, c->service.p, c->service.n);
    r->region = t->region;
    r->service = t->service;
    return true;
}

static bool right_signature(const struct sigv4_request *r, const struct credentials *known,
                            struct slice signature)
{
    struct buf text;
    buf_init(&text, 16 * 1024);
    bool ok = sigv4_authorization(r, known, &text);
    struct slice s = buf_slice(&text);
    ok = ok && s.n > signature.n && same_secret(slice_from(s, s.n - 2 * SHA256_LEN), signature);
    buf_free(&text);
    return ok;
}

enum sigv4_verdict sigv4_verify(const struct sigv4_request *received,
                                const struct credentials *known, int64_t now_ms)
{
    const struct sigv4_header *authorization = find(received, "authorization");
    if (!authorization)
        return SIGV4_MISSING;
    struct claim claim;
    struct sigv4_request r = *received;
    struct scope_text scope;
    const struct sigv4_header *date = find(received, "x-amz-date");
    if (!parse_claim(authorization->value, &claim) || !fill_scope(&r, &claim, &scope) || !date ||
        !parse_date(slice_trim(date->value), &r.time_ms) ||
        memcmp(slice_trim(date->value).p, claim.date.p, 8) != 0 ||
        !names_have(claim.names, "host") || !names_have(claim.names, "x-amz-date"))
        return SIGV4_MALFORMED;
    const struct sigv4_header *token = find(received, "x-amz-security-token");
    if (!slice_is(claim.access_key, known->access_key) ||
        (known->session_token &&
         (!token || !same_secret(slice_trim(token->value), slice_of(known->session_token)))))
        return SIGV4_UNKNOWN_KEY;
    if (r.time_ms > now_ms + SIGV4_SKEW_MS || r.time_ms < now_ms - SIGV4_SKEW_MS)
        return SIGV4_EXPIRED;
    struct sigv4_header chosen[SIGV4_HEADERS_MAX];
    if (!select_signed(received, claim.names, chosen, &r.n_headers))
        return SIGV4_MISMATCH;
    r.headers = chosen;
    return right_signature(&r, known, claim.signature) ? SIGV4_VALID : SIGV4_MISMATCH;
}
