/* cli_call.c - one request to a running gateway and its answer, for subcommands. */
#include "gateway/cli_call.h"

#include "base/mem.h"
#include "base/timefmt.h"
#include "io/sigv4.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_HEADERS = 4, LINE_MAX_BYTES = 16 * 1024, URL_MAX_BYTES = 64 * 1024 };

struct cli_peer {
    const char *command;
    struct slice api; /* without / at its end */
    struct loop *loop;
    struct http_client *http;
    struct credentials credentials; /* access_key NULL: requests are not signed */
    const char *region;
};

/* A request on its way. */
struct once {
    struct http_call call;
    struct loop *loop;
    struct buf url, lines[OWN_HEADERS];
    const char *headers[OWN_HEADERS + CLI_HEADERS_MAX];
    size_t n;
};

static const char *environment(const char *name, const char *dflt)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : dflt;
}

static void find_credentials(struct cli_peer *p)
{
    p->region = environment("AWS_REGION", environment("AWS_DEFAULT_REGION", "us-east-1"));
    p->credentials = (struct credentials){environment("AWS_ACCESS_KEY_ID", NULL),
                                          environment("AWS_SECRET_ACCESS_KEY", NULL),
                                          environment("AWS_SESSION_TOKEN", NULL)};
    if (p->credentials.secret_key == NULL)
        p->credentials.access_key = NULL;
}

struct cli_peer *cli_peer_new(const char *command, const char *api)
{
    struct error err = {0};
    struct cli_peer *p = mem_alloc(sizeof *p);
    p->command = command;
    p->api = slice_of(api);
    while (slice_ends(p->api, "/"))
        p->api.n--;
    find_credentials(p);
    p->loop = loop_new(&err);
    p->http = p->loop == NULL ? NULL : http_client_new(p->loop);
    if (p->http != NULL)
        return p;
    fprintf(stderr, "penstock %s: %s\n", command, err.text);
    cli_peer_free(p);
    return NULL;
}

void cli_peer_free(struct cli_peer *p)
{
    if (p == NULL)
        return;
    http_client_free(p->http);
    loop_free(p->loop);
    free(p);
}

bool cli_percent_encode(struct buf *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-_.~", c) != NULL;
        if (plain)
            buf_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", (unsigned)c);
    }
    return !out->full;
}

static void add_line(struct once *o, size_t own, const char *name, struct slice value)
{
    buf_printf(&o->lines[own], "%s: " SLICE_FMT, name, SLICE_ARG(value));
    o->headers[o->n++] = o->lines[own].p;
}

/* What is between :// and the path. */
static struct slice host_of(struct slice url, struct slice *path)
{
    const char *mark = memmem(url.p, url.n, "://", 3);
    struct slice rest = mark == NULL ? url : slice_from(url, (size_t)(mark - url.p) + 3);
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/')
        n++;
    *path = slice_from(rest, n);
    rest.n = n;
    const char *port = slice_starts(url, "https:") ? ":443" : ":80";
    if (slice_ends(rest, port))
        rest.n -= strlen(port);
    return rest;
}

static bool sign(struct cli_peer *p, const struct cli_request *r, struct once *o)
{
    struct sigv4_header headers[OWN_HEADERS + CLI_HEADERS_MAX];
    char date[TIMEFMT_MAX];
    int64_t now = loop_wall(p->loop);
    struct slice path;
    timefmt_amz(now, date);
    add_line(o, 0, "Host", host_of(p->api, &path));
    add_line(o, 1, "X-Amz-Date", slice_of(date));
    if (p->credentials.session_token != NULL)
        add_line(o, 2, "X-Amz-Security-Token", slice_of(p->credentials.session_token));
    for (size_t i = 0; i < o->n; i++) {
        struct slice value = slice_of(o->headers[i]);
        headers[i].name = slice_cut(&value, ':');
        headers[i].value = value;
    }
    char *whole = mem_printf(SLICE_FMT "%s", SLICE_ARG(path), r->path);
    const struct sigv4_request request = {.method = slice_of(r->method),
                                          .path = slice_of(whole),
                                          .query = slice_of(r->query),
                                          .headers = headers,
                                          .n_headers = o->n,
                                          .payload = r->body,
                                          .region = p->region,
                                          .service = r->service,
                                          .time_ms = now};
    buf_str(&o->lines[3], "Authorization: ");
    bool ok = sigv4_authorization(&request, &p->credentials, &o->lines[3]);
    o->headers[o->n++] = o->lines[3].p;
    free(whole);
    return ok;
}

static void on_done(struct http_call *c)
{
    loop_stop(container_of(c, struct once, call)->loop);
}

static bool prepare(struct cli_peer *p, const struct cli_request *r, struct once *o)
{
    buf_init(&o->url, URL_MAX_BYTES);
    for (size_t i = 0; i < OWN_HEADERS; i++)
        buf_init(&o->lines[i], LINE_MAX_BYTES);
    buf_printf(&o->url, SLICE_FMT "%s%s%s", SLICE_ARG(p->api), r->path, r->query != NULL ? "?" : "",
               r->query != NULL ? r->query : "");
    for (size_t i = 0; i < r->n_headers && i < CLI_HEADERS_MAX; i++)
        o->headers[o->n++] = r->headers[i];
    o->loop = p->loop;
    return (p->credentials.access_key == NULL || sign(p, r, o)) && !o->url.full;
}

bool cli_call(struct cli_peer *p, const struct cli_request *r, struct http_call *answer)
{
    struct once o = {.n = 0};
    bool ok = prepare(p, r, &o);
    if (ok) {
        o.call = (struct http_call){.method = r->method,
                                    .url = o.url.p,
                                    .headers = o.headers,
                                    .n_headers = o.n,
                                    .body = r->body,
                                    .timeout_ms = r->timeout_ms,
                                    .max_response_bytes = r->max_response_bytes,
                                    .done = on_done};
        http_client_start(p->http, &o.call);
        loop_run(p->loop);
        ok = o.call.result == HTTP_DONE;
        if (!ok)
            fprintf(stderr, "penstock %s: cannot reach " SLICE_FMT ": %s\n", p->command,
                    SLICE_ARG(p->api), o.call.detail);
    } else {
        fprintf(stderr, "penstock %s: the request is too long\n", p->command);
    }
    *answer = o.call;
    buf_free(&o.url);
    for (size_t i = 0; i < OWN_HEADERS; i++) {
        if (o.lines[i].cap > 0) /* the session token */
            explicit_bzero(o.lines[i].p, o.lines[i].cap);
        buf_free(&o.lines[i]);
    }
    return ok;
}
