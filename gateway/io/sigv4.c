/* sigv4.c - makes AWS Signature Version 4 signatures and checks those of others. */
#include "io/sigv4.h"

#include "base/mem.h"
#include "base/timefmt.h"
#include <stdlib.h>
#include <string.h>

enum { USUAL_CANONICAL = 1000, USUAL_TEXT = 250 }; /* bytes that save growing step by step */

static const char algorithm[] = "AWS4-HMAC-SHA256";

static bool unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void percent(struct buf *out, char c)
{
    static const char hex[] = "0123456789ABCDEF";
    unsigned u = (unsigned char)c;
    char text[3] = {'%', hex[u >> 4], hex[u & 15]};
    buf_add(out, text, sizeof text);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Path segments without "", "." and what ".." takes away, as every SDK does it: a trailing slash
 * stays only when something stands before it. */
static void put_path(const struct sigv4_request *r, struct buf *out)
{
    if (r->path_once) {
        buf_put(out, r->path.n ? r->path : SLICE("/"));
        return;
    }
    size_t start = out->n;
    struct slice rest = r->path;
    while (rest.n) {
        struct slice part = slice_cut(&rest, '/');
        if (part.n == 0 || slice_is(part, "."))
            continue;
        if (slice_is(part, "..")) {
            while (out->n > start && out->p[out->n - 1] != '/')
                out->n--;
            if (out->n > start)
                out->n--;
            continue;
        }
        buf_char(out, '/');
        while (part.n) {
            size_t n = 0;
            while (n < part.n && unreserved(part.p[n]))
                n++;
            buf_add(out, part.p, n);
            if (n < part.n)
                percent(out, part.p[n++]);
            part = slice_from(part, n);
        }
    }
    if (out->n == start || slice_ends(r->path, "/"))
        buf_char(out, '/');
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One canonical spelling whatever the sender chose: %2f becomes %2F, a raw ':' becomes %3A. */
static void put_query_text(struct slice s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' && s.n - i > 2 && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0) {
            c = (char)(hex_value(s.p[i + 1]) * 16 + hex_value(s.p[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (unreserved(c))
            buf_char(out, c);
        else
            percent(out, c);
    }
}

struct pair {
    struct slice name, value;
};

static int bytes_cmp(struct slice a, struct slice b)
{
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int pair_cmp(const void *va, const void *vb)
{
    const struct pair *a = va, *b = vb;
    int c = bytes_cmp(a->name, b->name);
    return c ? c : bytes_cmp(a->value, b->value);
}

static bool put_query(const struct sigv4_request *r, struct buf *out)
{
    struct slice rest = r->query;
    if (rest.n == 0)
        return true;
    struct pair *pairs = mem_alloc(SIGV4_QUERY_MAX * sizeof *pairs);
    struct buf text;
    buf_init(&text, SIGV4_CANONICAL_MAX);
    size_t n = 0;
    bool fits = buf_reserve(&text, 3 * rest.n + 1); /* so that the slices into it stay valid */
    while (rest.n && fits) {
        struct slice value = slice_cut(&rest, '&');
        if (value.n == 0)
            continue;
        if (n == SIGV4_QUERY_MAX) {
            fits = false;
            break;
        }
        struct slice name = slice_cut(&value, '=');
        size_t at = text.n;
        put_query_text(name, &text);
        pairs[n].name = (struct slice){text.p + at, text.n - at};
        at = text.n;
        put_query_text(value, &text);
        pairs[n].value = (struct slice){text.p + at, text.n - at};
        n++;
    }
    if (fits)
        qsort(pairs, n, sizeof *pairs, pair_cmp);
    for (size_t i = 0; i < n && fits; i++) {
        if (i)
            buf_char(out, '&');
        buf_put(out, pairs[i].name);
        buf_char(out, '=');
        buf_put(out, pairs[i].value);
    }
    buf_free(&text);
    free(pairs);
    return fits;
}

/* The headers to be signed by name, equal names in the order they came. */
struct sorted {
    const struct sigv4_header *v[SIGV4_HEADERS_MAX];
    size_t n;
};

static int name_cmp(struct slice a, struct slice b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int c = (unsigned char)lower(a.p[i]) - (unsigned char)lower(b.p[i]);
        if (c)
            return c;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static bool sort_headers(const struct sigv4_request *r, struct sorted *to)
{
    to->n = 0;
    if (r->n_headers > SIGV4_HEADERS_MAX)
        return false;
    for (size_t i = 0; i < r->n_headers; i++) {
        size_t at = to->n++;
        while (at > 0 && name_cmp(to->v[at - 1]->name, r->headers[i].name) > 0) {
            to->v[at] = to->v[at - 1];
            at--;
        }
        to->v[at] = &r->headers[i];
    }
    return true;
}

static bool same_name(const struct sorted *s, size_t i)
{
    return i > 0 && name_cmp(s->v[i - 1]->name, s->v[i]->name) == 0;
}

static void put_lower(struct slice s, struct buf *out)
{
    if (!buf_put(out, s))
        return;
    for (char *p = out->p + out->n - s.n; p < out->p + out->n; p++)
        *p = lower(*p);
}

static bool blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void put_folded(struct slice s, struct buf *out)
{
    size_t start = out->n;
    while (s.n) {
        size_t gap = 0, n = 0;
        while (gap < s.n && blank(s.p[gap]))
            gap++;
        s = slice_from(s, gap);
        while (n < s.n && !blank(s.p[n]))
            n++;
        if (gap && n && out->n > start)
            buf_char(out, ' ');
        buf_add(out, s.p, n);
        s = slice_from(s, n);
    }
}

static void put_headers(const struct sorted *s, struct buf *out)
{
    for (size_t i = 0; i < s->n; i++) {
        if (same_name(s, i)) {
            buf_char(out, ',');
        } else {
            if (i)
                buf_char(out, '\n');
            put_lower(s->v[i]->name, out);
            buf_char(out, ':');
        }
        put_folded(s->v[i]->value, out);
    }
    if (s->n)
        buf_char(out, '\n');
}

static void put_names(const struct sorted *s, struct buf *out)
{
    for (size_t i = 0; i < s->n; i++) {
        if (same_name(s, i))
            continue;
        if (i)
            buf_char(out, ';');
        put_lower(s->v[i]->name, out);
    }
}

static void put_hash(struct slice s, struct buf *out)
{
    uint8_t hash[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];
    digest_sha256(s, hash);
    digest_hex(hash, sizeof hash, hex);
    buf_str(out, hex);
}

bool sigv4_canonical_request(const struct sigv4_request *r, struct buf *out)
{
    struct sorted headers;
    if (!sort_headers(r, &headers))
        return false;
    buf_put(out, r->method);
    buf_char(out, '\n');
    put_path(r, out);
    buf_char(out, '\n');
    if (!put_query(r, out))
        return false;
    buf_char(out, '\n');
    put_headers(&headers, out);
    buf_char(out, '\n');
    put_names(&headers, out);
    buf_char(out, '\n');
    put_hash(r->payload, out);
    return !out->full;
}

static void put_scope(const struct sigv4_request *r, const char *amz_date, struct buf *out)
{
    buf_add(out, amz_date, 8);
    buf_char(out, '/');
    buf_str(out, r->region);
    buf_char(out, '/');
    buf_str(out, r->service);
    buf_str(out, "/aws4_request");
}

void sigv4_string_to_sign(const struct sigv4_request *r, struct slice canonical, struct buf *out)
{
    char date[TIMEFMT_MAX];
    timefmt_amz(r->time_ms, date);
    buf_str(out, algorithm);
    buf_char(out, '\n');
    buf_str(out, date);
    buf_char(out, '\n');
    put_scope(r, date, out);
    buf_char(out, '\n');
    put_hash(canonical, out);
}

static void hmac(const uint8_t key[SHA256_LEN], struct slice data, uint8_t out[SHA256_LEN])
{
    uint8_t copy[SHA256_LEN];
    memcpy(copy, key, sizeof copy);
    digest_hmac_sha256((struct slice){(const char *)copy, sizeof copy}, data, out);
    explicit_bzero(copy, sizeof copy);
}

static void derive(const struct sigv4_request *r, const char *secret, const char *date,
                   uint8_t key[SHA256_LEN])
{
    char *first = mem_printf("AWS4%s", secret);
    digest_hmac_sha256(slice_of(first), (struct slice){date, 8}, key);
    explicit_bzero(first, strlen(first));
    free(first);
    hmac(key, slice_of(r->region), key);
    hmac(key, slice_of(r->service), key);
    hmac(key, SLICE("aws4_request"), key);
}

static void signing_key(const struct sigv4_request *r, const char *secret, uint8_t key[SHA256_LEN])
{
    char date[TIMEFMT_MAX], of[SIGV4_KEY_OF_MAX];
    timefmt_amz(r->time_ms, date);
    size_t need = 8 + strlen(r->region) + strlen(r->service) + strlen(secret) + sizeof "\n\n\n";
    if (!r->keys || need > sizeof of) {
        derive(r, secret, date, key);
        return;
    }
    char *at = stpcpy(stpcpy(mempcpy(of, date, 8), "\n"), r->region);
    stpcpy(stpcpy(stpcpy(stpcpy(at, "\n"), r->service), "\n"), secret);
    struct sigv4_key *k = NULL;
    for (size_t i = 0; i < SIGV4_KEYS && !k; i++)
        if (strcmp(r->keys->v[i].of, of) == 0)
            k = &r->keys->v[i];
    if (!k) {
        k = &r->keys->v[r->keys->next++ % SIGV4_KEYS];
        derive(r, secret, date, k->key);
        memcpy(k->of, of, need);
    }
    memcpy(key, k->key, sizeof k->key);
    explicit_bzero(of, sizeof of);
}

/* 64 hexadecimal digits and NUL. */
static bool signature(const struct sigv4_request *r, const char *secret,
                      char hex[2 * SHA256_LEN + 1])
{
    struct buf canonical, text;
    buf_init(&canonical, SIGV4_CANONICAL_MAX);
    buf_init(&text, 4096);
    buf_reserve(&canonical, USUAL_CANONICAL);
    buf_reserve(&text, USUAL_TEXT);
    bool ok = sigv4_canonical_request(r, &canonical);
    if (ok) {
        sigv4_string_to_sign(r, buf_slice(&canonical), &text);
        ok = !text.full;
    }
    if (ok) {
        uint8_t key[SHA256_LEN], mac[SHA256_LEN];
        signing_key(r, secret, key);
        hmac(key, buf_slice(&text), mac);
        explicit_bzero(key, sizeof key);
        digest_hex(mac, sizeof mac, hex);
    }
    buf_free(&canonical);
    buf_free(&text);
    return ok;
}

bool sigv4_authorization(const struct sigv4_request *r, const struct credentials *c,
                         struct buf *out)
{
    char hex[2 * SHA256_LEN + 1], date[TIMEFMT_MAX];
    struct sorted headers;
    if (!sort_headers(r, &headers) || !signature(r, c->secret_key, hex))
        return false;
    timefmt_amz(r->time_ms, date);
    buf_str(out, algorithm);
    buf_str(out, " Credential=");
    buf_str(out, c->access_key);
    buf_char(out, '/');
    put_scope(r, date, out);
    buf_str(out, ", SignedHeaders=");
    put_names(&headers, out);
    buf_str(out, ", Signature=");
    buf_str(out, hex);
    return !out->full;
}
