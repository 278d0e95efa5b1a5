/* http_client.c - HTTP requests by libcurl's multi_socket interface, driven by our loop. */
#include "io/http_client.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/http_sockets.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADERS_MAX_BYTES = 256 * 1024,
    CONNECT_MS = 10 * 1000,
    IDLE_MAX_S = 30, /* below the keep-alive time of servers: curl may reuse a dying connection */
    IDLE_CONNECTIONS = 1024,
    SPARE_TRANSFERS = 256,
};

struct transfer {
    struct list node; /* in client->out, ->ended or ->spare */
    struct http_client *client;
    struct http_call *call;
    CURL *easy;
    struct curl_slist *lines; /* lent to curl: an array, chained by us, whose texts are borrowed */
    size_t lines_cap;
    CURLcode code;
    unsigned sendings; /* how often curl set out to write the request */
    bool too_large;
    char words[CURL_ERROR_SIZE];
};

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct timer timer;
    struct task deliver;
    struct list out, ended, spare;
    size_t n_spare;
    struct http_sockets sockets;
};

static enum http_result result_of(const struct transfer *t)
{
    if (t->too_large)
        return HTTP_TOO_LARGE;
    if (t->code == CURLE_OK)
        return HTTP_DONE;
    if (t->sendings == 0)
        return HTTP_NO_CONNECT;
    switch (t->code) {
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMEOUT;
    case CURLE_UNSUPPORTED_PROTOCOL: /* the answer is not HTTP/1 */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return HTTP_GARBLED;
    default:
        return HTTP_BROKEN;
    }
}

static const char *words_of(const struct transfer *t)
{
    if (t->too_large)
        return "the answer is larger than allowed";
    if (t->code == CURLE_ABORTED_BY_CALLBACK)
        return "the connection ended before an answer";
    return t->words[0] != '\0' ? t->words : curl_easy_strerror(t->code);
}

static void transfer_destroy(struct transfer *t)
{
    list_remove(&t->node);
    curl_easy_cleanup(t->easy);
    free(t->lines);
    free(t);
}

static void transfer_put(struct transfer *t)
{
    t->call->impl = NULL;
    if (t->client->n_spare >= SPARE_TRANSFERS) {
        transfer_destroy(t);
        return;
    }
    t->client->n_spare++;
    list_remove(&t->node);
    list_prepend(&t->client->spare, &t->node);
}

static void on_deliver(struct task *task)
{
    struct http_client *c = container_of(task, struct http_client, deliver);
    if (list_empty(&c->ended))
        return;
    struct transfer *t = container_of(c->ended.next, struct transfer, node);
    struct http_call *call = t->call;
    call->result = result_of(t);
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (call->result == HTTP_DONE)
        call->status = (int)status;
    else
        snprintf(call->detail, sizeof call->detail, "%.*s", (int)sizeof call->detail - 1,
                 words_of(t));
    transfer_put(t);
    if (!list_empty(&c->ended))
        loop_defer(c->loop, &c->deliver);
    call->done(call); /* last: it may free the client */
}

static void transfer_ended(struct transfer *t, CURLcode code)
{
    t->code = code;
    list_remove(&t->node);
    list_append(&t->client->ended, &t->node);
    loop_defer(t->client->loop, &t->client->deliver);
}

static void collect(struct http_client *c)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE)
            continue;
        char *private = NULL;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
        struct transfer *t = (struct transfer *)(void *)private;
        transfer_ended(t, m->data.result);
        curl_multi_remove_handle(c->multi, t->easy);
    }
}

/* ---- curl's timer and descriptors */

static void act(struct http_client *c, curl_socket_t fd, int events)
{
    int running;
    curl_multi_socket_action(c->multi, fd, events, &running);
    collect(c);
}

static void on_timer(struct timer *t)
{
    act(container_of(t, struct http_client, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout_wanted(CURLM *multi, long ms, void *ctx)
{
    (void)multi;
    struct http_client *c = ctx;
    ms < 0 ? timer_stop(c->loop, &c->timer) : timer_start(c->loop, &c->timer, ms);
    return 0;
}

static void on_ready(void *ctx, int fd, uint32_t events)
{
    act(ctx, fd,
        ((events & WATCH_READ) != 0 ? CURL_CSELECT_IN : 0) |
            ((events & WATCH_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)purpose;
    struct http_client *c = ctx;
    int fd = http_sockets_open(&c->sockets, a->family, a->socktype, a->protocol);
    return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

static int on_close(void *ctx, curl_socket_t fd)
{
    struct http_client *c = ctx;
    return http_sockets_close(&c->sockets, fd);
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *sockp)
{
    (void)easy, (void)sockp;
    struct http_client *c = ctx;
    if (what == CURL_POLL_REMOVE)
        return http_sockets_unwant(&c->sockets, fd), 0;
    uint32_t events = ((what & CURL_POLL_IN) != 0 ? (uint32_t)WATCH_READ : 0U) |
                      ((what & CURL_POLL_OUT) != 0 ? (uint32_t)WATCH_WRITE : 0U);
    return http_sockets_want(&c->sockets, fd, events) ? 0 : -1;
}

/* ---- one transfer */

/* curl writes a request again when a reused connection dies before the answer, although the peer
 * may have read it (PITFALLS 6.2): only what certainly was not sent may be sent a second time. */
static int on_sending(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    struct transfer *t = ctx;
    long sent = 0;
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    return t->sendings++ > 0 && sent > 0 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    struct buf *b = &t->call->response;
    if (b->n == 0) {
        curl_off_t length = 0;
        curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        t->too_large = length > 0 && (uint64_t)length > b->limit;
        if (length > 0 && !t->too_large)
            buf_reserve(b, (size_t)length);
    }
    if (!t->too_large)
        t->too_large = !buf_add(b, p, size * n);
    return t->too_large ? 0 : size * n;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    struct buf *b = &t->call->response_headers;
    if (slice_starts((struct slice){p, size * n}, "HTTP/"))
        buf_clear(b); /* of an interim answer before */
    t->too_large = !buf_add(b, p, size * n);
    return t->too_large ? 0 : size * n;
}

static CURL *easy_new(struct transfer *t)
{
    static const struct {
        CURLoption option;
        long value;
    } fixed[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_PATH_AS_IS, 1},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_MAXAGE_CONN, IDLE_MAX_S},
        {CURLOPT_TCP_KEEPALIVE, 1},
        {CURLOPT_DNS_CACHE_TIMEOUT, 60},
        {CURLOPT_QUICK_EXIT, 1}, /* never wait for a resolver thread */
    };
    CURL *e = curl_easy_init();
    if (e == NULL)
        abort();
    curl_easy_setopt(e, CURLOPT_PRIVATE, t);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->words);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_sending);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t->client);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, t->client);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_USERAGENT, "penstock/" PENSTOCK_VERSION);
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        curl_easy_setopt(e, fixed[i].option, fixed[i].value);
    return e;
}

static struct transfer *transfer_get(struct http_client *c)
{
    if (c->n_spare > 0) {
        struct transfer *t = container_of(c->spare.next, struct transfer, node);
        list_remove(&t->node);
        c->n_spare--;
        return t;
    }
    struct transfer *t = mem_alloc(sizeof *t);
    t->client = c;
    t->easy = easy_new(t);
    return t;
}

static void set_method(CURL *e, const struct http_call *call)
{
    struct slice m = slice_of(call->method);
    const char *natural = "POST";
    if (call->body.n > 0 || slice_is(m, "POST") || slice_is(m, "PUT") || slice_is(m, "PATCH")) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body.n > 0 ? call->body.p : "");
    } else if (slice_is(m, "HEAD")) {
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
        natural = "HEAD";
    } else {
        curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
        natural = "GET";
    }
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, slice_is(m, natural) ? NULL : call->method);
}

static void set_headers(struct transfer *t)
{
    /* without a value: what curl would add by itself is left out */
    static const char *const unwanted[] = {"Expect:", "Content-Type:"};
    const struct http_call *call = t->call;
    size_t n = ARRAY_LEN(unwanted) + call->n_headers;
    if (t->lines_cap < n) {
        t->lines = mem_realloc(t->lines, n * sizeof *t->lines);
        t->lines_cap = n;
    }
    for (size_t i = 0; i < n; i++) {
        bool own = i < ARRAY_LEN(unwanted);
        const char *line = own ? unwanted[i] : call->headers[i - ARRAY_LEN(unwanted)];
        /* curl's member is not const, though it only reads */
        memcpy(&t->lines[i].data, &line, sizeof line);
        t->lines[i].next = i + 1 < n ? &t->lines[i + 1] : NULL;
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines);
}

/* With the first request, not before: initialising the TLS library costs two megabytes and some
 * milliseconds, which a gateway without remote ends need not pay. */
static void open_multi(struct http_client *c)
{
    c->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
    if (c->multi == NULL) {
        log_error(NULL, "libcurl cannot be initialised: out of memory");
        abort();
    }
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    /* No limit on connections in use: a delete must never wait behind idle long polls. Who starts
     * calls bounds them: polls by their cap, invocations by their slots. */
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
}

void http_client_start(struct http_client *c, struct http_call *call)
{
    if (c->multi == NULL)
        open_multi(c);
    struct transfer *t = transfer_get(c);
    t->call = call;
    t->sendings = 0;
    t->too_large = false;
    t->words[0] = '\0';
    call->impl = t;
    buf_init(&call->response, call->max_response_bytes);
    buf_init(&call->response_headers, HEADERS_MAX_BYTES);
    int64_t connect_ms =
        call->timeout_ms > 0 && call->timeout_ms < CONNECT_MS ? call->timeout_ms : CONNECT_MS;
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(t->easy, CURLOPT_URL, call->url);
    set_method(t->easy, call);
    set_headers(t);
    list_append(&c->out, &t->node);
    if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK)
        transfer_ended(t, CURLE_FAILED_INIT);
}

void http_client_cancel(struct http_client *c, struct http_call *call)
{
    struct transfer *t = call->impl;
    if (t == NULL)
        return;
    curl_multi_remove_handle(c->multi, t->easy); /* harmless when it has ended */
    transfer_put(t);
}

/* ---- the client */

struct http_client *http_client_new(struct loop *loop)
{
    struct http_client *c = mem_alloc(sizeof *c);
    c->loop = loop;
    c->timer.fire = on_timer;
    task_init(&c->deliver, on_deliver);
    list_init(&c->out);
    list_init(&c->ended);
    list_init(&c->spare);
    http_sockets_init(&c->sockets, loop, on_ready, c);
    return c;
}

void http_client_free(struct http_client *c)
{
    if (c == NULL)
        return;
    list_splice(&c->out, &c->ended);
    list_each(&c->out, it) http_client_cancel(c, container_of(it, struct transfer, node)->call);
    list_each(&c->spare, it2) transfer_destroy(container_of(it2, struct transfer, node));
    bool opened = c->multi != NULL;
    if (opened)
        curl_multi_cleanup(c->multi);
    http_sockets_free(&c->sockets);
    timer_stop(c->loop, &c->timer);
    task_cancel(&c->deliver);
    free(c);
    if (opened)
        curl_global_cleanup();
}
