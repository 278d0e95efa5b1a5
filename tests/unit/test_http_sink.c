/* test_http_sink.c - what the answers of a URL mean. */
#include "sink_peer.h"

#include "base/timefmt.h"

extern const struct sink_ops http_sink;

/* struct http is the sink's own; its one option is set through the table, as the loader does. */
union http_store {
    struct sink sink;
    char bytes[256];
};

static struct sink *make(union http_store *store, const char *url)
{
    memset(store, 0, sizeof *store);
    assert_true(http_sink.size <= sizeof *store);
    memcpy(store->bytes + http_sink.options[0].offset, &url, sizeof url);
    store->sink.ops = &http_sink;
    return &store->sink;
}

static void test_check(void **state)
{
    (void)state;
    union http_store store;
    struct error err = {0};
    static const char *const good[] = {"http://localhost", "https://h:1/p?q=1", "http://[::1]:8/"};
    static const char *const bad[] = {"",          "localhost:80",  "ftp://h/",     "http://",
                                      "http:///p", "http://u:p@h/", "http://h/a b", "http://h/\n",
                                      "https://"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(http_sink.check(make(&store, good[i]), &err));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(http_sink.check(make(&store, bad[i]), &err));
}

static void test_answers(void **state)
{
    (void)state;
    union http_store store;
    struct peer *p = peer_new();
    static const char own[] = "{\"errorType\":\"Bad\",\"errorMessage\":\"m\"}";
    static const char none[] = "{\"errorType\":\"HTTP.500\",\"errorMessage\":"
                               "\"The function's URL answered with status 500\"}";
    const struct peer_case cases[] = {
        {200, "{\"ok\":1}", NULL, NULL, OUTCOME_OK, -1, "{\"ok\":1}"},
        {204, "", NULL, NULL, OUTCOME_OK, -1, ""},
        {429, "x", "Retry-After", "3", OUTCOME_THROTTLED, 3000, NULL},
        {503, "x", NULL, NULL, OUTCOME_THROTTLED, -1, NULL},
        {503, "x", "Retry-After", "soon", OUTCOME_THROTTLED, -1, NULL},
        {503, "x", "Retry-After", "-5", OUTCOME_THROTTLED, -1, NULL},
        {503, "x", "Retry-After", "Sat, 01 Jan 2000 00:00:00 GMT", OUTCOME_THROTTLED, 0, NULL},
        {413, "x", NULL, NULL, OUTCOME_REJECTED, -1, NULL},
        {500, own, NULL, NULL, OUTCOME_FAILED, -1, own},
        {500, "oops", NULL, NULL, OUTCOME_FAILED, -1, none},
        {500, "{\"errorType\":1}", NULL, NULL, OUTCOME_FAILED, -1, none},
        {404, own, NULL, NULL, OUTCOME_FAILED, -1, own},
        {302, "", NULL, NULL, OUTCOME_FAILED, -1, NULL},
        {-1, "", NULL, NULL, OUTCOME_UNREACHABLE, -1, NULL},
    };
    struct sink *s = make(&store, p->url);
    peer_open(p, s, &http_sink);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        peer_check(p, s, &cases[i]);
    s->ops->close(s);
    peer_free(p);
}

static void test_retry_date(void **state)
{
    (void)state;
    union http_store store;
    struct peer *p = peer_new();
    struct peer_trip t = {0};
    char date[TIMEFMT_MAX];
    struct sink *s = make(&store, p->url);
    peer_open(p, s, &http_sink);
    timefmt_http(loop_wall(p->env.loop) + 30000, date);
    p->status = 503;
    p->headers[0] = (struct http_header){"Retry-After", slice_of(date)};
    p->n_headers = 1;
    peer_go(p, s, &t);
    assert_true(t.d.reply.retry_after_ms > 20000 && t.d.reply.retry_after_ms <= 30000);
    delivery_clear(&t.d);
    s->ops->close(s);
    peer_free(p);
}

static void test_request(void **state)
{
    (void)state;
    union http_store store;
    struct peer *p = peer_new();
    char url[100];
    snprintf(url, sizeof url, "%s/hook?k=v", p->url);
    struct sink *s = make(&store, url);
    peer_open(p, s, &http_sink);
    struct peer_trip t = {.d = {.client_context = "{\"custom\":\n{}}", .trace = "Root=1-a-b"}};
    peer_go(p, s, &t);
    static const char *const expected[] = {
        "POST /hook?k=v\n",
        "Content-Type: application/json\n",
        "Lambda-Runtime-Aws-Request-Id: 6d1c8a3e-0000-4000-8000-000000000001\n",
        "Lambda-Runtime-Deadline-Ms: 1",
        "Function-Arn: arn:aws:lambda:eu-west-1:000000000000:function:fn\n",
        "X-Amzn-Trace-Id: Root=1-a-b\n",
        "Lambda-Runtime-Client-Context: {\"custom\": {}}\n",
        "\n{\"a\":1}",
    };
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        if (strstr(p->seen, expected[i]) == NULL)
            fail_msg("%s is not in\n%s", expected[i], p->seen);
    delivery_clear(&t.d);
    t = (struct peer_trip){0};
    peer_go(p, s, &t);
    assert_non_null(strstr(p->seen, "X-Amzn-Trace-Id: Root=1-"));
    assert_null(strstr(p->seen, "Client-Context"));
    delivery_clear(&t.d);
    s->ops->close(s);
    peer_free(p);
}

static void test_no_answer(void **state)
{
    (void)state;
    union http_store store;
    struct peer *p = peer_new();
    struct sink *s = make(&store, p->url);
    peer_open(p, s, &http_sink);
    p->status = 0;
    struct peer_trip t = {.d = {.timeout_ms = 100}};
    peer_go(p, s, &t);
    assert_int_equal(t.d.reply.outcome, OUTCOME_TIMEOUT);
    assert_string_equal(t.d.reply.body.p,
                        "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: "
                        "6d1c8a3e-0000-4000-8000-000000000001 Error: Task timed out after 0.10 "
                        "seconds\"}");
    delivery_clear(&t.d);

    struct peer_trip cancelled = {0};
    peer_send(p, s, &cancelled);
    s->ops->cancel(s, &cancelled.d);
    p->waiting = 0;
    p->status = 200;
    p->body = "fine";
    t = (struct peer_trip){0};
    peer_go(p, s, &t);
    assert_string_equal(t.d.reply.body.p, "fine");
    assert_false(cancelled.done);
    delivery_clear(&t.d);
    s->ops->close(s);
    peer_free(p);
}

static void test_nobody_there(void **state)
{
    (void)state;
    union http_store store;
    struct peer *p = peer_new();
    struct peer_trip t = {0};
    struct sink *s = make(&store, p->url);
    peer_open(p, s, &http_sink);
    http_listener_close(p->listener);
    peer_go(p, s, &t);
    assert_int_equal(t.d.reply.outcome, OUTCOME_UNREACHABLE);
    delivery_clear(&t.d);
    s->ops->close(s);
    peer_free(p);
}

static void test_too_large(void **state)
{
    (void)state;
    union http_store store;
    struct peer *p = peer_new();
    struct peer_trip t = {0};
    struct sink *s = make(&store, p->url);
    size_t n = RESPONSE_MAX_BYTES + 1;
    char *big = mem_alloc(n + 1);
    memset(big, 'x', n);
    p->body = big;
    peer_open(p, s, &http_sink);
    peer_go(p, s, &t);
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_non_null(strstr(t.d.reply.body.p, "Function.ResponseSizeTooLarge"));
    delivery_clear(&t.d);
    big[RESPONSE_MAX_BYTES] = '\0';
    peer_go(p, s, &t);
    assert_int_equal(t.d.reply.outcome, OUTCOME_OK);
    assert_int_equal(t.d.reply.body.n, RESPONSE_MAX_BYTES);
    delivery_clear(&t.d);
    free(big);
    s->ops->close(s);
    peer_free(p);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),      cmocka_unit_test(test_answers),
        cmocka_unit_test(test_retry_date), cmocka_unit_test(test_request),
        cmocka_unit_test(test_no_answer),  cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
