/* test_runtime.c - invocations through the Runtime API, against a client that misbehaves in every
 * way that real ones do. */
#include "runtime_fixture.h"

#include "runtime_client.h"

static void test_answer(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    fixture_open(f);
    trip_go(f, &t, "{\"some\":\"event\"}");
    assert_int_equal(t.d.reply.outcome, OUTCOME_OK);
    assert_body(&t, "{\"some\":\"event\"}");
    assert_null(t.d.reply.function_error);
    trip_clear(&t);
    fixture_free(f);
}

static void test_headers(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    char expected[200];
    fixture_open(f);
    trip_go(f, &t, "headers");
    const char *head = t.d.reply.body.p;
    snprintf(expected, sizeof expected, "Lambda-Runtime-Aws-Request-Id: %s\r\n", t.d.request_id);
    assert_contains(head, expected);
    assert_contains(head, "Content-Type: application/json\r\n");
    assert_contains(head, "Lambda-Runtime-Invoked-Function-Arn: "
                          "arn:aws:lambda:eu-west-1:000000000000:function:fn\r\n");
    assert_contains(head, "Lambda-Runtime-Trace-Id: Root=1-");
    assert_contains(head, "Lambda-Runtime-Invocation-Id: ");
    assert_lacks(head, "Client-Context");
    const char *deadline = strstr(head, "Lambda-Runtime-Deadline-Ms: ");
    assert_non_null(deadline);
    int64_t left = strtoll(deadline + 28, NULL, 10) - loop_wall(f->env.loop);
    assert_true(left > 8000 && left <= 10000);
    trip_clear(&t);

    t = (struct trip){.f = f};
    t.d = (struct delivery){.payload = SLICE("headers"),
                            .invoked_arn = "arn:x:alias",
                            .trace = "Root=1-2-3",
                            .client_context = "{\n\"custom\":1}",
                            .timeout_ms = 1000,
                            .done = trip_done,
                            .request_id = "one"};
    f->waiting++;
    runtime_sink.send(&f->runtime.sink, &t.d);
    fixture_run(f);
    assert_contains(t.d.reply.body.p, "Function-Arn: arn:x:alias\r\n");
    assert_contains(t.d.reply.body.p, "Trace-Id: Root=1-2-3\r\n");
    assert_contains(t.d.reply.body.p, "Client-Context: { \"custom\":1}\r\n");
    trip_clear(&t);
    fixture_free(f);
}

static void test_environment(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    fixture_variable(f, "TABLE", "orders");
    fixture_variable(f, "LANG", "xx");
    setenv("AWS_ENDPOINT_URL_SQS", "http://there", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
    setenv("PENSTOCK_PRIVATE", "no", 1);
    f->runtime.handler = "app.main";
    fixture_open(f);
    trip_go(f, &t, "environment");
    const char *env = t.d.reply.body.p;
    char root[100];
    snprintf(root, sizeof root, "LAMBDA_TASK_ROOT=%s\n", f->dir);
    static const char *const expected[] = {
        "TABLE=orders\n",
        "LANG=xx\n",
        "_HANDLER=app.main\n",
        "AWS_LAMBDA_FUNCTION_NAME=fn\n",
        "AWS_LAMBDA_FUNCTION_VERSION=$LATEST\n",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128\n",
        "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/fn\n",
        "AWS_LAMBDA_LOG_STREAM_NAME=20",
        "/[$LATEST]",
        "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand\n",
        "AWS_LAMBDA_RUNTIME_API=127.0.0.1:",
        "AWS_REGION=eu-west-1\n",
        "AWS_DEFAULT_REGION=eu-west-1\n",
        "AWS_ENDPOINT_URL_SQS=http://there\n",
        "AWS_SECRET_ACCESS_KEY=s3cret\n",
        "LAMBDA_RUNTIME_DIR=",
        "TZ=:UTC\n",
        "PATH=",
    };
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_contains(env, expected[i]);
    assert_contains(env, root);
    assert_lacks(env, "PENSTOCK_PRIVATE");
    assert_lacks(env, "AWS_EXECUTION_ENV");
    assert_lacks(env, "AWS_LAMBDA_MAX_CONCURRENCY");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_ENDPOINT_URL_SQS");
    trip_clear(&t);
    fixture_free(f);
}

static void test_function_errors(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    fixture_open(f);
    trip_go(f, &t, "error");
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_string_equal(t.d.reply.function_error, "Unhandled");
    assert_body(&t, "{\"errorMessage\":\"no\",\"errorType\":\"Bad\"}");
    assert_string_equal(t.d.reply.detail, "Bad: no"); /* the body's type, not the header's */
    trip_clear(&t);
    trip_go(f, &t, "untyped");
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_body(&t, "{\"errorMessage\":\"no\"}");
    assert_string_equal(t.d.reply.detail, "Runtime.Odd: no");
    trip_clear(&t);
    trip_go(f, &t, "stream");
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_body(&t, "{\"errorType\":\"TypeError\",\"errorMessage\":\"broke\"}");
    trip_clear(&t);
    trip_go(f, &t, "stream-bad");
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_body(&t, "{\"errorType\":\"Runtime.Unknown\",\"errorMessage\":\"TypeError\"}");
    trip_clear(&t);
    trip_go(f, &t, "empty");
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_contains(t.d.reply.body.p, "\"errorType\":\"Runtime.Unknown\"");
    trip_clear(&t);
    fixture_free(f);
}

static void test_refused_requests(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    fixture_open(f);
    trip_go(f, &t, "refusals");
    assert_body(&t, "400 400 400 404 404 405 403 404");
    trip_clear(&t);
    trip_go(f, &t, "twice");
    assert_body(&t, "once");
    trip_clear(&t);
    trip_go(f, &t, "last");
    assert_body(&t, "400");
    trip_clear(&t);
    fixture_free(f);

    f = fixture_client("early-response");
    fixture_open(f);
    trip_go(f, &t, "last");
    assert_body(&t, "403");
    trip_clear(&t);
    fixture_free(f);
}

static void test_too_large(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip first, second;
    fixture_open(f);
    trip_go(f, &first, "large");
    assert_int_equal(first.d.reply.outcome, OUTCOME_FAILED);
    assert_body(&first, "{\"errorType\":\"Function.ResponseSizeTooLarge\",\"errorMessage\":"
                        "\"Response payload size exceeded maximum allowed payload size "
                        "(6291556 bytes).\"}");
    trip_go(f, &second, "statuses");
    assert_body(&second, "413 202");
    trip_clear(&first);
    trip_clear(&second);
    fixture_free(f);
}

static void check_exit(const char *event, const char *expected)
{
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    char text[300];
    fixture_open(f);
    trip_go(f, &t, event);
    assert_int_equal(t.d.reply.outcome, OUTCOME_FAILED);
    assert_string_equal(t.d.reply.function_error, "Unhandled");
    snprintf(text, sizeof text,
             "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: %s Error: %s\"}",
             t.d.request_id, expected);
    assert_body(&t, text);
    assert_contains(t.d.reply.log_tail.p, "Status: error\tError Type: Runtime.ExitError");
    trip_clear(&t);
    trip_go(f, &t, "again"); /* by another process */
    assert_body(&t, "again");
    trip_clear(&t);
    fixture_free(f);
}

static void test_exits(void **state)
{
    (void)state;
    check_exit("exit 3", "Runtime exited with error: exit status 3");
    check_exit("exit 0", "Runtime exited without providing a reason");
    check_exit("kill", "Runtime exited with error: signal: killed");
    check_exit("half", "Runtime exited with error: exit status 5");
}

static void test_last_words(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    fixture_open(f);
    for (int i = 0; i < 30; i++) {
        struct trip t;
        trip_go(f, &t, "words");
        assert_int_equal(t.d.reply.outcome, OUTCOME_OK);
        assert_body(&t, "goodbye");
        trip_clear(&t);
    }
    fixture_free(f);
}

static void test_timeout(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    char text[300];
    fixture_open(f);
    trip_go(f, &t, "pid");
    long pid = strtol(t.d.reply.body.p, NULL, 10);
    trip_clear(&t);
    trip_send(f, &t, "hang", 150);
    fixture_run(f);
    assert_int_equal(t.d.reply.outcome, OUTCOME_TIMEOUT);
    assert_string_equal(t.d.reply.function_error, "Unhandled");
    snprintf(text, sizeof text,
             "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: %s Error: Task "
             "timed out after 0.15 seconds\"}",
             t.d.request_id);
    assert_body(&t, text);
    assert_contains(t.d.reply.log_tail.p, "Error: Task timed out after 0.15 seconds\nEND ");
    assert_contains(t.d.reply.log_tail.p, "\tStatus: timeout\n");
    trip_clear(&t);
    fixture_until(f, until_dead, &pid);
    trip_go(f, &t, "pid");
    assert_int_not_equal(strtol(t.d.reply.body.p, NULL, 10), pid);
    trip_clear(&t);
    fixture_free(f);
}

static void test_output(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    struct trip t;
    char text[300];
    fixture_open(f);
    trip_go(f, &t, "print");
    const char *tail = t.d.reply.log_tail.p;
    snprintf(text, sizeof text,
             "START RequestId: %s Version: $LATEST\nfirst line\nsecond line\nEND RequestId: %s\n"
             "REPORT RequestId: %s\tDuration: ",
             t.d.request_id, t.d.request_id, t.d.request_id);
    assert_memory_equal(tail, text, strlen(text));
    assert_contains(tail, " ms\tBilled Duration: ");
    assert_contains(tail, " ms\tMemory Size: 128 MB\tMax Memory Used: ");
    assert_contains(tail, " MB\tInit Duration: ");
    trip_clear(&t);
    trip_go(f, &t, "print");
    assert_lacks(t.d.reply.log_tail.p, "Init Duration");
    trip_clear(&t);
    trip_go(f, &t, "long"); /* a line that is longer than the whole tail */
    assert_int_equal(t.d.reply.log_tail.n, RUNTIME_TAIL_BYTES);
    assert_contains(t.d.reply.log_tail.p, "efgh\nEND RequestId"); /* 5000 letters end with h */
    trip_clear(&t);
    trip_go(f, &t, "flood"); /* 20 MB of it */
    assert_body(&t, "flooded");
    assert_int_equal(t.d.reply.log_tail.n, RUNTIME_TAIL_BYTES);
    assert_contains(t.d.reply.log_tail.p, "ffff\nEND RequestId");
    trip_clear(&t);
    fixture_free(f);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "client") == 0)
        return client_main();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_function_errors),
        cmocka_unit_test(test_refused_requests),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_exits),
        cmocka_unit_test(test_last_words),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_output),
    };
    return fixture_main(tests, ARRAY_LEN(tests));
}
