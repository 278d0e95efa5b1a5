/* sqs_api_service.h - for the tests of the SQS API: the service on real queues and a real store in
 * a directory of its own, and a client that speaks both protocols to it. */
#ifndef TESTS_UNIT_SQS_API_SERVICE_H
#define TESTS_UNIT_SQS_API_SERVICE_H

#include "api/sqs_api.h"
#include "base/json_in.h"
#include "base/rand.h"
#include "http_pair.h"

enum { SERVICE_BODY_MAX = 6 * 1024 * 1024, SERVICE_HEADERS = 8 };

struct service {
    struct pair *pair;
    struct http_listener *listener;
    char folder[64], path[96];
    struct spool *spool;
    struct queues *queues;
    struct env env;
    struct credentials keys;
    struct sqs_api_options options;
    struct sqs_api *api;
    size_t others; /* requests that the service left alone */
    bool hold;     /* keep requests until service_release */
    struct list held;
    size_t n_held;
    /* the last answer */
    int status;
    struct buf body, fault, kind, id; /* x-amzn-query-error, content-type, x-amzn-requestid */
    struct json *root;
};

static inline void service_handle(struct http_request *req)
{
    struct service *s = req->ctx;
    if (s->hold) {
        list_append(&s->held, &req->node);
        s->n_held++;
        return;
    }
    if (sqs_api_handle(s->api, req))
        return;
    s->others++;
    http_reply(req, 404, NULL, 0, SLICE("not SQS"));
}

static inline void service_start(struct service *s)
{
    struct error err = {0};
    const struct spool_options o = {.path = s->path};
    s->spool = spool_open(s->pair->loop, &o, &err);
    if (s->spool == NULL)
        fail_msg("%s", err.text);
    s->queues = queues_open(s->pair->loop, s->spool, "eu-west-1", "123456789012", rand_u64, &err);
    if (s->queues == NULL)
        fail_msg("%s", err.text);
    s->env =
        (struct env){.loop = s->pair->loop, .region = "eu-west-1", .account_id = "123456789012"};
    s->options.base_url = "http://base:1";
    s->api = sqs_api_new(&s->env, s->queues, &s->options);
}

static inline void service_stop(struct service *s)
{
    sqs_api_free(s->api);
    s->api = NULL;
    if (s->queues != NULL)
        queues_close(s->queues);
    if (s->spool != NULL)
        spool_close(s->spool);
    s->queues = NULL;
    s->spool = NULL;
}

static inline int service_setup(void **state)
{
    struct service *s = calloc(1, sizeof *s);
    struct error err = {0};
    if (pair_setup((void **)&s->pair) != 0)
        return -1;
    snprintf(s->folder, sizeof s->folder, "/tmp/penstock-sqs-XXXXXX");
    if (mkdtemp(s->folder) == NULL)
        return -1;
    snprintf(s->path, sizeof s->path, "%s/spool", s->folder);
    list_init(&s->held);
    buf_init(&s->body, 64 << 20);
    buf_init(&s->fault, 1000);
    buf_init(&s->kind, 1000);
    buf_init(&s->id, 1000);
    s->listener =
        http_listen(s->pair->server, "127.0.0.1", 0, SERVICE_BODY_MAX, service_handle, s, &err);
    snprintf(s->pair->base, sizeof s->pair->base, "http://127.0.0.1:%u",
             http_listener_port(s->listener));
    s->pair->listener = s->listener;
    service_start(s);
    *state = s;
    return 0;
}

static inline int service_teardown(void **state)
{
    struct service *s = *state;
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".lock"};
    service_stop(s);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", s->path, ends[i]);
        unlink(name);
    }
    int rc = rmdir(s->folder);
    json_free(s->root);
    buf_free(&s->body);
    buf_free(&s->fault);
    buf_free(&s->kind);
    buf_free(&s->id);
    void *pair = s->pair;
    pair_teardown(&pair);
    free(s);
    return rc;
}

#define SERVICE(f) cmocka_unit_test_setup_teardown(f, service_setup, service_teardown)

/* ---- requests ---- */

static inline void service_keep(struct service *s, struct pair_call *c)
{
    assert_int_equal(c->http.result, HTTP_DONE);
    s->status = c->http.status;
    buf_clear(&s->body);
    buf_clear(&s->fault);
    buf_clear(&s->kind);
    buf_clear(&s->id);
    buf_put(&s->body, buf_slice(&c->http.response));
    buf_put(&s->fault, http_call_header(&c->http, "x-amzn-query-error"));
    buf_put(&s->kind, http_call_header(&c->http, "content-type"));
    buf_put(&s->id, http_call_header(&c->http, "x-amzn-requestid"));
    json_free(s->root);
    s->root = json_parse(buf_slice(&s->body), 64 << 20, NULL);
    http_call_clear(&c->http);
}

static bool service_call_over; /* others may be out meanwhile: of the call below alone */

static inline void service_call_done(struct http_call *call)
{
    (void)call;
    service_call_over = true;
}

static inline bool service_call_is_over(struct pair *p)
{
    (void)p;
    return service_call_over;
}

static inline void service_call(struct service *s, const char *method, const char *path,
                                const char *const *headers, size_t n, struct slice body)
{
    struct pair_call c;
    call_init(s->pair, &c, method, path);
    c.http.headers = headers;
    c.http.n_headers = n;
    c.http.body = body;
    c.http.done = service_call_done;
    service_call_over = false;
    http_client_start(s->pair->client, &c.http);
    pair_run(s->pair, service_call_is_over);
    service_keep(s, &c);
}

/* So that JSON can be read in C: ' stands for ". */
static inline char *quoted(const char *text)
{
    char *copy = strdup(text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    return copy;
}

static inline void service_raw(struct service *s, const char *operation, const char *body)
{
    char target[100];
    const char *const headers[] = {"Content-Type: application/x-amz-json-1.0", target};
    snprintf(target, sizeof target, "X-Amz-Target: AmazonSQS.%s", operation);
    service_call(s, "POST", "/", headers, 2, slice_of(body));
}

/* ' stands for " in body. */
static inline void service_ask(struct service *s, const char *operation, const char *body)
{
    char *text = quoted(body);
    service_raw(s, operation, text);
    free(text);
}

static inline void service_form(struct service *s, const char *path, const char *form)
{
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded"};
    service_call(s, "POST", path, headers, 1, slice_of(form));
}

static struct service *service_held_by; /* whom the condition below looks at */

static inline bool service_holds(struct pair *p)
{
    return service_held_by->n_held >= p->want;
}

/* When n requests are held: all of them at once, before anything else happens. */
static inline void service_release(struct service *s, size_t n)
{
    service_held_by = s;
    s->pair->want = n;
    pair_run(s->pair, service_holds);
    s->hold = false;
    while (!list_empty(&s->held)) {
        struct http_request *req = container_of(s->held.next, struct http_request, node);
        list_remove(&req->node);
        service_handle(req);
    }
}

/* ---- answers ---- */

/* A member of the last answer, by names and indices: service_at(s, "Messages", "0", "Body"). */
static inline const struct json *service_at_(const struct service *s, const char *const *path)
{
    const struct json *j = s->root;
    for (; *path != NULL && j != NULL; path++) {
        if (json_type(j) != JSON_ARRAY) {
            j = json_get(j, *path);
            continue;
        }
        long i = strtol(*path, NULL, 10);
        for (j = json_first(j); i > 0 && j != NULL; i--)
            j = json_after(j);
    }
    return j;
}
#define service_at(s, ...)   service_at_(s, (const char *const[]){__VA_ARGS__, NULL})
#define service_text(s, ...) json_text(service_at_(s, (const char *const[]){__VA_ARGS__, NULL})).p

static inline void expect_ok(struct service *s, const char *operation, const char *body)
{
    service_ask(s, operation, body);
    if (s->status != 200)
        fail_msg("%s %s: %d %s", operation, body, s->status, s->body.p);
}

/* code: of the query protocol, as in x-amzn-query-error; type: behind the '#'. */
static inline void expect_error(struct service *s, const char *operation, const char *body,
                                int status, const char *code, const char *type, const char *message)
{
    char fault[128];
    service_ask(s, operation, body);
    const char *got = strchr(service_text(s, "__type"), '#');
    if (s->status != status || got == NULL || strcmp(got + 1, type) != 0 ||
        strcmp(service_text(s, "message"), message) != 0)
        fail_msg("%s %.200s: %d %.500s\nwanted %d %s %s", operation, body, s->status, s->body.p,
                 status, type, message);
    snprintf(fault, sizeof fault, "%s;%s", code, status < 500 ? "Sender" : "Receiver");
    assert_string_equal(s->fault.p, fault);
    assert_string_equal(s->kind.p, "application/x-amz-json-1.0");
    assert_int_equal(s->id.n, 36);
}

/* The queue's URL begins with what the client called us. */
static inline void service_queue(struct service *s, const char *name, const char *attributes)
{
    char body[1000], url[200];
    snprintf(body, sizeof body, "{'QueueName':'%s','Attributes':{%s}}", name, attributes);
    expect_ok(s, "CreateQueue", body);
    snprintf(url, sizeof url, "%s/123456789012/%s", s->pair->base, name);
    assert_string_equal(service_text(s, "QueueUrl"), url);
}

#endif
