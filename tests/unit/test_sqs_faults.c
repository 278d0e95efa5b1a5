/* test_sqs_faults.c - the SQS source when the queue, its server or the network misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sqs_bench.h"

#define JSON_ERROR(type) "{\"__type\":\"com.amazonaws.sqs#" type "\",\"message\":\"told so\"}"

static void test_missing_queue(void **state)
{
    struct mapping *b = *state;
    b->fake.missing = true;
    bench_put(b, 5);
    bench_start(b);
    UNTIL(b, b->fake.count[SQS_GET_URL] >= 4);
    assert_string_equal(b->problem,
                        "Error occurred while ReceiveMessage. SQS Error Code: "
                        "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified "
                        "queue does not exist.");
    assert_int_equal(b->problems, 1);
    b->fake.missing = false;
    bench_consume(b, 5);
    assert_string_equal(b->problem, "");
    b->fake.missing = true; /* deleted under way */
    b->fake.promised = 0;
    UNTIL(b, list_empty(&b->fake.polls) || b->fake.open_polls > 0);
    list_each(&b->fake.polls, it)
    {
        struct fake_call *c = container_of(it, struct fake_call, node);
        fake_answer(c->req, 400, JSON_ERROR("QueueDoesNotExist"));
        fake_free_call(c);
    }
    b->fake.open_polls = 0;
    int before = b->fake.count[SQS_GET_URL];
    UNTIL(b, b->fake.count[SQS_GET_URL] > before + 2);
    assert_non_null(strstr(b->problem, "NonExistentQueue"));
    b->fake.missing = false;
    bench_put(b, 5);
    bench_consume(b, 10);
    assert_string_equal(b->problem, "");
}

static void test_short_visibility(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 2;
    bench_put(b, 1);
    bench_start(b);
    UNTIL(b, b->fake.count[SQS_GET_ATTRIBUTES] >= 3);
    assert_string_equal(
        b->problem, "Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds");
    assert_int_equal(b->fake.count[SQS_RECEIVE], 0);
    b->fake.visibility_s = 3; /* equal is enough */
    bench_consume(b, 1);
    assert_string_equal(b->problem, "");
}

static void test_attributes_are_watched(void **state)
{
    struct mapping *b = *state;
    b->timing.refresh_ms = 20;
    b->timing.wait_s = 1;
    bench_start(b);
    UNTIL(b, b->fake.count[SQS_GET_ATTRIBUTES] >= 3);
    assert_int_equal(b->problems, 0);
    fake_fail(&b->fake, SQS_GET_ATTRIBUTES, 2, 500, ""); /* disturbs nobody */
    UNTIL(b, b->fake.fault[SQS_GET_ATTRIBUTES].times == 0);
    int before = b->fake.count[SQS_GET_ATTRIBUTES];
    UNTIL(b, b->fake.count[SQS_GET_ATTRIBUTES] > before + 1);
    assert_int_equal(b->problems, 0);
    b->fake.visibility_s = 1;
    UNTIL(b, b->problems == 1);
    b->fake.visibility_s = 30;
    UNTIL(b, b->problem[0] == '\0');
    bench_put(b, 3);
    bench_consume(b, 3);
}

static void test_receive_storm(void **state)
{
    struct mapping *b = *state;
    static const struct {
        int status;
        const char *body;
    } storms[] = {
        {503, "<html>no</html>"},
        {500, JSON_ERROR("InternalError")},
        {429, "slow"},
        {400, JSON_ERROR("RequestThrottled")},
        {403, JSON_ERROR("OverLimit")},
        {200, "{\"Messages\":[{\"MessageId\":"},
        {200, "{\"Messages\":7}"},
        {200, "<html>hello</html>"},
        {404, "nothing here"},
        {0, NULL},
    };
    b->credit = 200;
    bench_start(b);
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(storms); i++) {
        bench_put(b, 20);
        n += 20;
        fake_fail(&b->fake, SQS_RECEIVE, 5, storms[i].status, storms[i].body);
        bench_consume(b, n);
        UNTIL(b, b->problem[0] == '\0' && b->sqs->poll_failures == 0);
    }
    assert_int_equal(b->emitted, n);
    assert_int_equal(b->fake.m[0].receives, 1);
    assert_true(b->problems > 0);
}

static void test_persistent_fault_is_told(void **state)
{
    struct mapping *b = *state;
    fake_fail(&b->fake, SQS_RECEIVE, 100, 503, "<html/>");
    bench_start(b);
    UNTIL(b, b->problem[0]);
    assert_string_equal(b->problem,
                        "Error occurred while ReceiveMessage. SQS Error Code: HTTP 503. SQS Error "
                        "Message: The answer has no error document.");
    assert_true(b->fake.count[SQS_RECEIVE] >= 3); /* once is no problem yet */
    b->fake.fault[SQS_RECEIVE].times = 0;
    int64_t healed = loop_now(b->loop);
    UNTIL(b, b->problem[0] == '\0'); /* at once, not when a long poll is over */
    assert_true(loop_now(b->loop) - healed < 20 * b->fake.second_ms);
    bench_put(b, 1);
    bench_consume(b, 1);
    fake_fail(&b->fake, SQS_RECEIVE, 1, 400, JSON_ERROR("InvalidAddress"));
    bench_put(b, 1);
    bench_consume(b, 2);
    UNTIL(b, b->problems == 2); /* what waiting does not mend: at once */
    assert_non_null(strstr(b->last_problem, "InvalidAddress. SQS Error Message: told so"));
}

static void test_strange_messages(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 2);
    fake_fail(&b->fake, SQS_RECEIVE, 1, 200,
              "{\"Messages\":[{\"MessageId\":\"x\",\"Body\":\"no handle\"},null,[],"
              "{\"MessageId\":\"y\",\"MessageId\":\"m-1\",\"ReceiptHandle\":\"1-9\",\"Body\":1,"
              "\"Body\":\"z\",\"Attributes\":{\"SentTimestamp\":\"never\","
              "\"ApproximateReceiveCount\":\"-7\",\"ApproximateReceiveCount\":{}}}]}");
    bench_start(b);
    bench_consume(b, 2);
    assert_int_equal(b->problems, 0);
}

/* Requests for deletion fail in every way; each message is deleted in the end, none comes twice. */
static void test_delete_failures(void **state)
{
    struct mapping *b = *state;
    static const struct {
        int status;
        const char *body;
    } faults[] = {
        {500, ""},     {0, NULL},
        {429, "slow"}, {200, "{\"Successful\":["},
        {404, "?"},    {400, JSON_ERROR("ThrottlingException")},
        {200, "{}"},   {200, ""},
    };
    bench_start(b);
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        bench_put(b, 15);
        n += 15;
        fake_fail(&b->fake, SQS_DELETE_BATCH, 3, faults[i].status, faults[i].body);
        bench_consume(b, n);
        assert_int_equal(b->fake.fault[SQS_DELETE_BATCH].times, 0);
    }
    assert_int_equal(b->emitted, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(b->fake.m[i].deletes, 1);
    assert_int_equal((int)metric_value(b->sqs->undeleted), 0);
}

/* An entry fails, or is not mentioned at all: only that one is tried again. */
static void test_half_answers(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 10);
    b->fake.bad_entry = "4-1";
    b->fake.bad_code = "InternalError";
    bench_start(b);
    UNTIL(b, b->n_held == 10);
    bench_settle(b, 10, bench_ack);
    UNTIL(b, b->fake.count[SQS_DELETE_BATCH] >= 4);
    assert_int_equal(fake_left(&b->fake), 1);
    assert_int_equal(b->sqs->source.settling, 1);
    b->fake.bad_entry = NULL;
    bench_consume(b, 10);
    bench_put(b, 10);
    b->fake.omit_entry = true;
    UNTIL(b, b->n_held == 10);
    bench_settle(b, 10, bench_ack);
    UNTIL(b, fake_left(&b->fake) == 1);
    b->fake.omit_entry = false;
    bench_consume(b, 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(b->fake.m[i].deletes, 1);
}

/* A handle that is of no use is done with, alone or spoiling a whole request. */
static void test_invalid_handles(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 10);
    b->fake.bad_entry = "3-1";
    b->fake.bad_code = "ReceiptHandleIsInvalid";
    bench_start(b);
    UNTIL(b, b->n_held == 10);
    bench_settle(b, 10, bench_ack);
    UNTIL(b, b->sqs->source.settling == 0);
    assert_int_equal(b->fake.count[SQS_DELETE_BATCH], 1);
    assert_int_equal(fake_left(&b->fake), 1);
    b->fake.m[3].deleted = true;
    bench_put(b, 10);
    UNTIL(b, b->n_held == 10);
    fake_fail(&b->fake, SQS_DELETE_BATCH, 1, 400, JSON_ERROR("ReceiptHandleIsInvalid"));
    bench_settle(b, 10, bench_ack);
    UNTIL(b, b->sqs->source.settling == 0);
    assert_int_equal(b->fake.count[SQS_DELETE_BATCH], 1 + 1 + 10);
    assert_int_equal(fake_left(&b->fake), 0);
    bench_put(b, 1);
    UNTIL(b, b->n_held == 1);
    fake_fail(&b->fake, SQS_DELETE_BATCH, 1, 400, JSON_ERROR("InvalidAddress"));
    bench_settle(b, 1, bench_ack);
    UNTIL(b, b->sqs->source.settling == 0);
    assert_int_equal((int)metric_value(b->sqs->undeleted), 1); /* it will come again: counted */
}

/* It cannot be deleted for longer than it is hidden: given up, counted, it comes again. */
static void test_delete_gives_up(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 4;
    bench_put(b, 1);
    fake_fail(&b->fake, SQS_DELETE_BATCH, 100000, 500, "");
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    b->credit = 0;
    bench_settle(b, 1, bench_ack);
    assert_int_equal(b->sqs->source.settling, 1);
    UNTIL(b, b->sqs->source.settling == 0);
    assert_true(b->fake.count[SQS_DELETE_BATCH] >= 5);
    assert_int_equal((int)metric_value(b->sqs->undeleted), 1);
    b->credit = 100;
    b->fake.fault[SQS_DELETE_BATCH].times = 0;
    sqs_source.pump(&b->sqs->source);
    bench_consume(b, 2);
}

/* Received again while it waits to be deleted: the function does not see it a second time. */
static void test_duplicate_while_deleting(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 1);
    b->fake.old_handles_fail = true;
    fake_fail(&b->fake, SQS_DELETE_BATCH, 3, 500, "");
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    b->fake.m[0].visible_ms = 0;
    bench_settle(b, 1, bench_ack);
    UNTIL(b, b->fake.m[0].deleted);
    UNTIL(b, b->sqs->source.settling == 0);
    assert_int_equal(b->fake.m[0].receives, 2);
    assert_int_equal(b->emitted, 1);
}

/* So many cannot be deleted that it stops asking for more. */
static void test_backlog_holds_polls(void **state)
{
    struct mapping *b = *state;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 1);
    b->sqs->work[SQS_WORK_DELETE].n += 2000;
    bench_put(b, 5);
    UNTIL(b, b->n_held == 5);
    bench_for(b, 30);
    assert_int_equal(b->fake.open_polls, 0);
    b->sqs->work[SQS_WORK_DELETE].n -= 2000;
    bench_consume(b, 5);
    UNTIL(b, b->fake.open_polls > 0);
}

static const char *nobody_there(const struct env *env, const char *arn)
{
    (void)env;
    (void)arn;
    return "http://127.0.0.1:1";
}

static void test_unreachable(void **state)
{
    struct mapping *b = *state;
    b->env.own_endpoint = nobody_there;
    bench_start(b);
    UNTIL(b, b->problem[0]);
    assert_true(slice_starts(slice_of(b->problem), "SQS cannot be reached: "));
    b->env.own_endpoint = NULL;
    bench_put(b, 1);
    bench_consume(b, 1);
    assert_string_equal(b->problem, "");
}

/* A server that answers at once that there is nothing is not asked in a tight loop. */
static void test_no_long_polling(void **state)
{
    struct mapping *b = *state;
    fake_fail(&b->fake, SQS_RECEIVE, 1000000, 200, "{}");
    b->timing.backoff_ms = 10;
    bench_start(b);
    UNTIL(b, b->fake.count[SQS_RECEIVE] >= 3);
    b->fake.count[SQS_RECEIVE] = 0;
    bench_for(b, 500);
    assert_true(b->fake.count[SQS_RECEIVE] <= 12);
    assert_int_equal(b->problems, 0);
    b->fake.fault[SQS_RECEIVE].times = 0;
    bench_put(b, 30);
    bench_consume(b, 30);
}

/* After failures one poll tries, however many pollers are wished for. */
static void test_one_probe(void **state)
{
    struct mapping *b = *state;
    b->sqs->min_pollers = 20;
    fake_fail(&b->fake, SQS_RECEIVE, 1000000, 500, "");
    bench_start(b);
    UNTIL(b, b->sqs->poll_failures >= 2);
    int before = b->fake.count[SQS_RECEIVE];
    unsigned failures = b->sqs->poll_failures;
    UNTIL(b, b->sqs->poll_failures >= failures + 4);
    assert_true(b->fake.count[SQS_RECEIVE] - before <= 6);
    b->fake.fault[SQS_RECEIVE].times = 0;
    UNTIL(b, b->fake.open_polls > 0);
    bench_put(b, 5);
    UNTIL(b, b->fake.open_polls >= 20);
}

/* Large messages: fewer polls at a time, so that their answers fit. */
static void test_large_messages(void **state)
{
    struct mapping *b = *state;
    bench_start(b);
    UNTIL(b, b->fake.open_polls == 1);
    b->sqs->mean_bytes = 3 << 20;
    b->sqs->target = 8;
    sqs_source.pump(&b->sqs->source);
    assert_int_equal(b->sqs->n_polls, 2); /* 2 x 10 x 3 MiB */
    bench_put(b, 20);
    bench_consume(b, 20);
    assert_true(b->sqs->mean_bytes < 3 << 20);
}

static void test_no_sqs_there(void **state)
{
    struct mapping *b = *state;
    fake_fail(&b->fake, SQS_GET_URL, 5, 404, "<html>no such page</html>");
    bench_start(b);
    UNTIL(b, b->problem[0]);
    assert_string_equal(b->problem, "The endpoint for sqs does not answer as SQS does.");
    assert_int_equal(b->fake.count[SQS_GET_URL], 2); /* both protocols, at once */
    bench_put(b, 1);
    bench_consume(b, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH(test_missing_queue),
        BENCH(test_short_visibility),
        BENCH(test_attributes_are_watched),
        BENCH(test_receive_storm),
        BENCH(test_persistent_fault_is_told),
        BENCH(test_strange_messages),
        BENCH(test_delete_failures),
        BENCH(test_half_answers),
        BENCH(test_invalid_handles),
        BENCH(test_delete_gives_up),
        BENCH(test_duplicate_while_deleting),
        BENCH(test_backlog_holds_polls),
        BENCH(test_unreachable),
        BENCH(test_no_sqs_there),
        BENCH(test_no_long_polling),
        BENCH(test_one_probe),
        BENCH(test_large_messages),
    };
    log_setup(getenv("LOUD") ? LOG_DEBUG : LOG_ERROR, LOG_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
