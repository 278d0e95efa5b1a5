/* aws_client.c - finds endpoints and credentials the way the AWS SDKs do, signs calls, sends them.
 */
#include "io/aws_client.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "io/aws_account.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADERS_TEXT_MAX = 64 * 1024, USUAL_TEXT = 400, OWN_HEADERS = 5, REFRESH_LEAST_MS = 1000 };

struct aws_client {
    struct loop *loop;
    struct http_client *http;
    struct aws_account account;
    struct sigv4_keys keys;
    int64_t refreshed_ms;
    struct list out; /* struct trip */
};

/* A call on its way. */
struct trip {
    struct credentials by;
    struct list node;
    struct aws_client *client;
    struct aws_call *call;
    char *url;
    struct buf text; /* of our own header lines, each NUL-terminated */
    struct buf authorization;
    const char **lines; /* of all headers */
    struct task fail;   /* it cannot be sent at all */
};

/* ---- account ---- */

void aws_client_refresh(struct aws_client *c)
{
    int64_t now = loop_now(c->loop);
    struct error err;
    if (now - c->refreshed_ms < REFRESH_LEAST_MS)
        return;
    c->refreshed_ms = now;
    if (!aws_account_refresh(&c->account, &err))
        log_warn(NULL, "AWS credentials not refreshed: %s", err.text);
}

char *aws_client_endpoint(struct aws_client *c, const char *service, const char *region)
{
    char *own = aws_account_own_endpoint(&c->account, service);
    return own ? own : aws_account_aws_endpoint(&c->account, service, region);
}

/* ---- calls ---- */

struct url_parts {
    struct slice host, path; /* host with its port unless it is the scheme's own */
};

static struct url_parts split_url(const char *url)
{
    struct slice rest = slice_of(url);
    const char *mark = strstr(url, "://");
    bool tls = slice_starts(rest, "https:");
    if (mark)
        rest = slice_from(rest, (size_t)(mark - url) + 3);
    struct url_parts u = {.path = rest};
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    u.host = (struct slice){rest.p, n};
    u.path = slice_from(rest, n);
    const char *at = memrchr(u.host.p, '@', u.host.n);
    if (at)
        u.host = slice_from(u.host, (size_t)(at - u.host.p) + 1);
    const char *port = tls ? ":443" : ":80";
    if (slice_ends(u.host, port))
        u.host.n -= strlen(port);
    u.path = slice_cut(&u.path, '?');
    return u;
}

static char *join_url(const char *base, const char *path, const char *query)
{
    struct slice b = slice_of(base);
    while (slice_ends(b, "/"))
        b.n--;
    return mem_printf(SLICE_FMT "%s%s%s%s", SLICE_ARG(b), *path == '/' ? "" : "/", path,
                      query ? "?" : "", query ? query : "");
}

static void free_trip(struct trip *t)
{
    task_cancel(&t->fail);
    list_remove(&t->node);
    t->call->impl = NULL;
    if (t->text.cap) /* holds the session token */
        explicit_bzero(t->text.p, t->text.cap);
    buf_free(&t->text);
    buf_free(&t->authorization);
    free(t->lines);
    free(t->url);
    free(t);
}

static void end_trip(struct trip *t)
{
    struct aws_call *call = t->call;
    free_trip(t);
    call->done(call);
}

static void on_done(struct http_call *http)
{
    end_trip(container_of(http, struct aws_call, http)->impl);
}

static void on_fail(struct task *task)
{
    end_trip(container_of(task, struct trip, fail));
}

static void refuse(struct trip *t, const char *why)
{
    t->call->http.result = HTTP_NO_CONNECT;
    snprintf(t->call->http.detail, sizeof t->call->http.detail, "%s", why);
    loop_defer(t->client->loop, &t->fail);
}

/* name with its colon and blank. */
static void put_line(struct trip *t, const char *name, struct slice value)
{
    buf_str(&t->text, name);
    buf_put(&t->text, value);
    buf_char(&t->text, '\0');
}

/* Our own header lines in text, one after the other with a NUL between. */
static size_t write_own_headers(struct trip *t, bool sign, const char *amz_date)
{
    struct url_parts u = split_url(t->url);
    size_t n = 1;
    buf_reserve(&t->text, USUAL_TEXT);
    put_line(t, "Host: ", u.host);
    if (!sign)
        return n;
    put_line(t, "X-Amz-Date: ", slice_of(amz_date));
    n++;
    if (t->by.session_token) {
        put_line(t, "X-Amz-Security-Token: ", slice_of(t->by.session_token));
        n++;
    }
    if (strcmp(t->call->service, "s3") == 0) {
        uint8_t hash[SHA256_LEN];
        char hex[2 * SHA256_LEN + 1];
        digest_sha256(t->call->body, hash);
        digest_hex(hash, sizeof hash, hex);
        put_line(t, "X-Amz-Content-Sha256: ", slice_of(hex));
        n++;
    }
    return n;
}

/* Fills lines: n_own from text, then the call's. */
static size_t collect_lines(struct trip *t, size_t n_own)
{
    size_t n = 0;
    const char *p = t->text.p;
    for (; n < n_own; n++, p += strlen(p) + 1)
        t->lines[n] = p;
    for (size_t i = 0; i < t->call->n_headers; i++)
        t->lines[n++] = t->call->headers[i];
    return n;
}

static bool write_authorization(struct trip *t, size_t n_lines, int64_t time_ms)
{
    const struct aws_client *c = t->client;
    const struct aws_call *call = t->call;
    struct sigv4_header headers[SIGV4_HEADERS_MAX];
    for (size_t i = 0; i < n_lines; i++) {
        struct slice value = slice_of(t->lines[i]);
        headers[i].name = slice_cut(&value, ':');
        headers[i].value = value;
    }
    struct sigv4_request r = {
        .method = SLICE("POST"),
        .path = split_url(t->url).path,
        .query = slice_of(call->query),
        .headers = headers,
        .n_headers = n_lines,
        .payload = call->body,
        .region = aws_account_region(&c->account, call->region),
        .service = call->service,
        .time_ms = time_ms,
        .path_once = strcmp(call->service, "s3") == 0,
        .keys = &t->client->keys,
    };
    buf_reserve(&t->authorization, USUAL_TEXT);
    buf_str(&t->authorization, "Authorization: ");
    return sigv4_authorization(&r, &t->by, &t->authorization);
}

/* false: too many headers, or they are too long. */
static bool prepare(struct trip *t, bool sign)
{
    struct aws_call *call = t->call;
    int64_t now = loop_wall(t->client->loop);
    char date[TIMEFMT_MAX];
    if (call->n_headers > SIGV4_HEADERS_MAX - OWN_HEADERS)
        return false;
    timefmt_amz(now, date);
    t->lines = mem_alloc((call->n_headers + OWN_HEADERS) * sizeof *t->lines);
    size_t n = collect_lines(t, write_own_headers(t, sign, date));
    if (sign) {
        if (!write_authorization(t, n, now))
            return false;
        t->lines[n++] = t->authorization.p;
    }
    call->http.headers = t->lines;
    call->http.n_headers = n;
    return !t->text.full;
}

void aws_call_start(struct aws_client *c, struct aws_call *call)
{
    assert(!call->impl && call->service && call->done);
    struct trip *t = mem_alloc(sizeof *t);
    t->client = c;
    t->call = call;
    list_append(&c->out, &t->node);
    task_init(&t->fail, on_fail);
    buf_init(&t->text, HEADERS_TEXT_MAX);
    buf_init(&t->authorization, HEADERS_TEXT_MAX);
    call->impl = t;

    char *base = call->endpoint ? mem_strdup(call->endpoint)
                                : aws_account_own_endpoint(&c->account, call->service);
    t->by = call->credentials != NULL
                ? *call->credentials
                : (struct credentials){c->account.access_key, c->account.secret_key,
                                       c->account.session_token};
    bool sign = t->by.access_key != NULL, own = base != NULL;
    if (!own)
        base = aws_account_aws_endpoint(&c->account, call->service, call->region);
    t->url = join_url(base, call->path ? call->path : "/", call->query);
    free(base);
    call->http.method = "POST";
    call->http.url = t->url;
    call->http.body = call->body;
    call->http.timeout_ms = call->timeout_ms;
    call->http.max_response_bytes = call->max_response_bytes;
    call->http.done = on_done;
    if (!own && !sign)
        refuse(t, "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a "
                  "profile, or name an endpoint under Services");
    else if (!own && !call->region && !c->account.region)
        refuse(t, "no region: set Region or AWS_REGION");
    else if (!prepare(t, sign))
        refuse(t, "the request has too many headers");
    else
        http_client_start(c->http, &call->http);
}

void aws_call_cancel(struct aws_client *c, struct aws_call *call)
{
    if (!call->impl)
        return;
    http_client_cancel(c->http, &call->http);
    free_trip(call->impl);
}

void aws_call_clear(struct aws_call *call)
{
    http_call_clear(&call->http);
}

/* ---- life ---- */

struct aws_client *aws_client_new(struct loop *loop, struct http_client *http,
                                  const struct aws_client_options *o, struct error *err)
{
    struct aws_client *c = mem_alloc(sizeof *c);
    c->loop = loop;
    c->http = http;
    c->refreshed_ms = INT64_MIN / 2;
    list_init(&c->out);
    if (!aws_account_load(&c->account, o->region, o->services, err)) {
        free(c);
        return NULL;
    }
    return c;
}

void aws_client_free(struct aws_client *c)
{
    if (!c)
        return;
    list_each(&c->out, it) aws_call_cancel(c, container_of(it, struct trip, node)->call);
    aws_account_free(&c->account);
    explicit_bzero(&c->keys, sizeof c->keys);
    free(c);
}
