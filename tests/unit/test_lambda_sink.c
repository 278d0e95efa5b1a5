/* test_lambda_sink.c - what the answers of an Invoke API, and of an emulator, mean. */
#include "sink_peer.h"

extern const struct sink_ops lambda_sink;

union lambda_store {
    struct sink sink;
    char bytes[512];
};

static void set(union lambda_store *store, const char *name, const void *value, size_t n)
{
    for (const struct option *o = lambda_sink.options; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0) {
            memcpy(store->bytes + o->offset, value, n);
            return;
        }
    fail_msg("no option %s", name);
}

static void set_string(union lambda_store *store, const char *name, const char *value)
{
    set(store, name, &value, sizeof value);
}

static struct sink *make(union lambda_store *store, const char *url, bool emulator)
{
    memset(store, 0, sizeof *store);
    assert_true(lambda_sink.size <= sizeof *store);
    store->sink.ops = &lambda_sink;
    set_string(store, "InvokeEndpoint", url);
    set(store, "Emulator", &emulator, sizeof emulator);
    return &store->sink;
}

static void test_check(void **state)
{
    (void)state;
    union lambda_store store;
    struct error err = {0};
    struct sink *s = make(&store, "http://h", false);
    assert_true(lambda_sink.check(s, &err));
    set_string(&store, "FunctionName", "arn:aws:lambda:us-east-1:000000000000:function:f:live");
    assert_true(lambda_sink.check(s, &err));
    set_string(&store, "FunctionName", "a/../b");
    assert_false(lambda_sink.check(s, &err));
    set_string(&store, "FunctionName", "f");
    set_string(&store, "Qualifier", "a&b");
    assert_false(lambda_sink.check(s, &err));
    assert_false(lambda_sink.check(make(&store, "h:80", false), &err));
    s = make(&store, "http://h", true);
    assert_true(lambda_sink.check(s, &err));
    set_string(&store, "FunctionName", "other");
    assert_false(lambda_sink.check(s, &err));
}

static void test_request(void **state)
{
    (void)state;
    union lambda_store store;
    struct peer *p = peer_new();
    struct sink *s = make(&store, p->url, false);
    set_string(&store, "FunctionName", "arn:aws:lambda:eu-west-1:1:function:f");
    set_string(&store, "Qualifier", "$LATEST");
    peer_open(p, s, &lambda_sink);
    struct peer_trip t = {
        .d = {.client_context = "{\"custom\":1}", .trace = "Root=1-a-b", .log_tail = true}};
    p->body = "\"fine\"";
    p->headers[0] = (struct http_header){"X-Amz-Log-Result", SLICE("aGVsbG8=")};
    p->n_headers = 1;
    peer_go(p, s, &t);
    static const char *const expected[] = {
        "POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af/invocations?",
        "/invocations?Qualifier=%24LATEST\n",
        "X-Amz-Invocation-Type: RequestResponse\n",
        "X-Amz-Log-Type: Tail\n",
        "X-Amzn-Trace-Id: Root=1-a-b\n",
        "X-Amz-Client-Context: eyJjdXN0b20iOjF9\n",
        "\n{\"a\":1}",
    };
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        if (strcasestr(p->seen, expected[i]) == NULL)
            fail_msg("%s is not in\n%s", expected[i], p->seen);
    assert_int_equal(t.d.reply.outcome, OUTCOME_OK);
    assert_string_equal(t.d.reply.body.p, "\"fine\"");
    assert_string_equal(t.d.reply.log_tail.p, "hello");
    delivery_clear(&t.d);
    s->ops->close(s);
    peer_free(p);
}

static void test_answers(void **state)
{
    (void)state;
    union lambda_store store;
    struct peer *p = peer_new();
    static const char own[] = "{\"errorType\":\"Bad\",\"errorMessage\":\"m\"}";
    static const char late[] = "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"x\"}";
    static const char old[] = "{\"errorMessage\":\"2026 6d Task timed out after 1.00 seconds\"}";
    static const char missing[] =
        "{\"errorType\":\"ResourceNotFoundException\",\"errorMessage\":\"status 404 Function not "
        "found: arn\"}";
    const struct peer_case cases[] = {
        {200, "1", NULL, NULL, OUTCOME_OK, -1, "1"},
        {200, own, NULL, NULL, OUTCOME_OK, -1, own}, /* the header decides, not the body */
        {200, own, "X-Amz-Function-Error", "Unhandled", OUTCOME_FAILED, -1, own},
        {200, late, "X-Amz-Function-Error", "Unhandled", OUTCOME_TIMEOUT, -1, late},
        {200, old, "X-Amz-Function-Error", "Unhandled", OUTCOME_TIMEOUT, -1, old},
        {429, "{\"message\":\"Rate Exceeded.\"}", "Retry-After", "2", OUTCOME_THROTTLED, 2000,
         NULL},
        {404, "{\"Message\":\"Function not found: arn\"}", "x-amzn-ErrorType",
         "ResourceNotFoundException", OUTCOME_UNREACHABLE, -1, missing},
        {413, "{}", NULL, NULL, OUTCOME_REJECTED, -1, NULL},
        {400, "{}", "x-amzn-ErrorType", "InvalidRequestContentException:http://x", OUTCOME_REJECTED,
         -1, NULL},
        {400, "{}", "x-amzn-ErrorType", "InvalidParameterValueException", OUTCOME_UNREACHABLE, -1,
         NULL},
        {403, "{}", NULL, NULL, OUTCOME_UNREACHABLE, -1, NULL},
        {500, "", NULL, NULL, OUTCOME_UNREACHABLE, -1, NULL},
        {502, own, NULL, NULL, OUTCOME_UNREACHABLE, -1, NULL},
        {-1, "", NULL, NULL, OUTCOME_UNREACHABLE, -1, NULL},
    };
    struct sink *s = make(&store, p->url, false);
    peer_open(p, s, &lambda_sink);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        peer_check(p, s, &cases[i]);
    assert_non_null(strstr(p->seen, "/functions/fn/invocations?\n"));
    s->ops->close(s);
    peer_free(p);
}

static void test_emulator_answers(void **state)
{
    (void)state;
    union lambda_store store;
    struct peer *p = peer_new();
    static const char own[] = "{\"errorType\":\"Bad\",\"errorMessage\":\"m\"}";
    static const char half[] = "{\"errorType\":\"Bad\",\"errorMessage\":7}";
    static const char late[] =
        "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: "
        "6d1c8a3e-0000-4000-8000-000000000001 Error: Task timed out after 5.00 seconds\"}";
    const struct peer_case cases[] = {
        {200, "1", NULL, NULL, OUTCOME_OK, -1, "1"},
        {200, own, NULL, NULL, OUTCOME_FAILED, -1, own},
        {200, half, NULL, NULL, OUTCOME_OK, -1, half},
        {200, "{}", "Error-Type", "Function.Bad", OUTCOME_FAILED, -1, "{}"},
        {200, "Task timed out after 5.00 seconds", NULL, NULL, OUTCOME_TIMEOUT, -1, late},
        {400, "", NULL, NULL, OUTCOME_THROTTLED, -1, NULL},
        {400, "{}", "Error-Type", "Client.Bad", OUTCOME_REJECTED, -1, NULL},
        {502, own, NULL, NULL, OUTCOME_FAILED, -1, own},
        {502, "", NULL, NULL, OUTCOME_FAILED, -1, NULL},
        {504, "", NULL, NULL, OUTCOME_UNREACHABLE, -1, NULL},
        {500, "", NULL, NULL, OUTCOME_UNREACHABLE, -1, NULL},
    };
    struct sink *s = make(&store, p->url, true);
    peer_open(p, s, &lambda_sink);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        peer_check(p, s, &cases[i]);
    assert_non_null(strstr(p->seen, "/functions/function/invocations?\n"));
    s->ops->close(s);
    peer_free(p);
}

static void answer_one(struct timer *t)
{
    struct peer *p = container_of(t, struct peer, patience);
    if (p->n_held == 0) {
        timer_start(p->env.loop, t, 2);
        return;
    }
    assert_int_equal(p->n_held, 1); /* never two at a time */
    struct http_request *req = container_of(p->held.next, struct http_request, node);
    list_remove(&req->node);
    p->n_held--;
    http_reply(req, 200, NULL, 0, SLICE("ok"));
    timer_start(p->env.loop, t, 10);
}

static void test_emulator_is_serial(void **state)
{
    (void)state;
    union lambda_store store;
    struct peer *p = peer_new();
    struct peer_trip t[5] = {0};
    struct sink *s = make(&store, p->url, true);
    peer_open(p, s, &lambda_sink);
    p->status = 0;
    for (size_t i = 0; i < 5; i++)
        peer_send(p, s, &t[i]);
    s->ops->cancel(s, &t[1].d); /* waits */
    s->ops->cancel(s, &t[4].d);
    p->waiting = 3;
    p->patience.fire = answer_one;
    timer_start(p->env.loop, &p->patience, 0);
    loop_run(p->env.loop);
    timer_stop(p->env.loop, &p->patience);
    assert_int_equal(p->asked, 3);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(t[i].done, i != 1 && i != 4);
        delivery_clear(&t[i].d);
    }

    s->ops->close(s);
    peer_free(p);
}

static void stop_when_held(struct timer *t)
{
    struct peer *p = container_of(t, struct peer, patience);
    if (p->n_held > 0)
        loop_stop(p->env.loop);
    else
        timer_start(p->env.loop, t, 2);
}

static void test_cancel(void **state)
{
    (void)state;
    for (int emulator = 0; emulator < 2; emulator++) {
        union lambda_store store;
        struct peer *p = peer_new();
        struct peer_trip t[2] = {0};
        struct sink *s = make(&store, p->url, emulator);
        peer_open(p, s, &lambda_sink);
        p->status = 0;
        peer_send(p, s, &t[0]);
        p->patience.fire = stop_when_held;
        timer_start(p->env.loop, &p->patience, 0);
        loop_run(p->env.loop);
        peer_send(p, s, &t[1]);
        s->ops->cancel(s, &t[0].d); /* it is out; the next one goes */
        p->waiting = 1;
        p->status = 200;
        p->body = "later";
        p->patience.fire = peer_tired;
        peer_run(p);
        assert_string_equal(t[1].d.reply.body.p, "later");
        assert_false(t[0].done);
        delivery_clear(&t[1].d);
        s->ops->close(s);
        peer_free(p);
    }
}

static void test_too_large(void **state)
{
    (void)state;
    union lambda_store store;
    struct peer *p = peer_new();
    struct peer_trip t = {0};
    struct sink *s = make(&store, p->url, false);
    char *big = mem_alloc((size_t)RESPONSE_MAX_BYTES + 2);
    memset(big, 'x', (size_t)RESPONSE_MAX_BYTES + 1);
    p->body = big;
    peer_open(p, s, &lambda_sink);
    peer_go(p, s, &t);
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_non_null(strstr(t.d.reply.body.p, "Function.ResponseSizeTooLarge"));
    delivery_clear(&t.d);
    free(big);
    s->ops->close(s);
    peer_free(p);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("AWS_ACCESS_KEY_ID", "key", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_emulator_answers),
        cmocka_unit_test(test_emulator_is_serial),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
