/* test_sqs_work.c - deletes, releases and extensions when things happen while they are out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sqs_bench.h"
#include <unistd.h>

#define JSON_ERROR(type) "{\"__type\":\"com.amazonaws.sqs#" type "\",\"message\":\"told so\"}"

/* Ten are sent at once, fewer when the turn is over. */
static void test_ten_go_at_once(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 19);
    bench_start(b);
    UNTIL(b, b->n_held == 19);
    bench_settle(b, 9, bench_ack);
    assert_int_equal(b->sqs->work[SQS_WORK_DELETE].out, 0);
    bench_settle(b, 1, bench_ack);
    assert_int_equal(b->sqs->work[SQS_WORK_DELETE].out, 1);
    bench_settle(b, 9, bench_ack);
    assert_int_equal(b->sqs->work[SQS_WORK_DELETE].out, 1);
    bench_consume(b, 19);
    assert_int_equal(b->fake.count[SQS_DELETE_BATCH], 2);
}

/* Received again while its delete is out: AWS may say that all is well though only the latest
 * handle deletes. */
static void test_received_again_while_delete_is_out(void **state)
{
    struct mapping *b = *state;
    b->fake.old_handles_ignored = true;
    bench_put(b, 10);
    bench_start(b);
    UNTIL(b, b->n_held == 10);
    b->fake.park = true;
    bench_settle(b, 10, bench_ack);
    UNTIL(b, !list_empty(&b->fake.parked));
    b->fake.m[3].visible_ms = 0;
    UNTIL(b, b->fake.m[3].receives == 2);
    bench_for(b, 10);
    fake_unpark(&b->fake);
    bench_consume(b, 10);
    assert_int_equal(b->fake.count[SQS_DELETE_BATCH], 2);
    assert_int_equal(b->emitted, 10);
}

/* As long as it is hidden, a message that cannot be deleted is not given up. */
static void test_delete_is_patient(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 1);
    fake_fail(&b->fake, SQS_DELETE_BATCH, 12, 500, "");
    bench_start(b);
    bench_consume(b, 1);
    assert_int_equal(b->fake.count[SQS_DELETE_BATCH], 13);
    assert_int_equal(b->emitted, 1);
    assert_int_equal((int)metric_value(b->sqs->undeleted), 0);
}

/* A message that may have spoiled a request shares none with others. */
static void test_suspects_go_alone(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 4);
    bench_start(b);
    UNTIL(b, b->n_held == 4);
    b->sqs->slots[1]->alone = true;
    bench_settle(b, 4, bench_ack);
    bench_consume(b, 4);
    assert_int_equal(b->fake.count[SQS_DELETE_BATCH], 3); /* one, the suspect, the other two */
    assert_int_equal(b->fake.entries_max, 2);
}

/* One extension at a time is wanted for a message, however slow the answer. */
static void test_slow_extension(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 8;
    bench_put(b, 2);
    bench_start(b);
    UNTIL(b, b->n_held == 2);
    b->fake.park = true;
    UNTIL(b, !list_empty(&b->fake.parked));
    bench_for(b, 3 * b->fake.second_ms); /* several sweeps */
    assert_int_equal(b->fake.count[SQS_VISIBILITY_BATCH], 1);
    assert_int_equal(b->sqs->work[SQS_WORK_EXTEND].n, 2);
    fake_unpark(&b->fake);
    UNTIL(b, b->sqs->work[SQS_WORK_EXTEND].n == 0);
    assert_int_equal(b->fake.m[0].extensions, 1);
    assert_int_equal(b->fake.m[1].extensions, 1);
}

/* Settled while its extension is out, and the slot is used anew before the answer. */
static void test_slot_used_anew_while_extension_is_out(void **state)
{
    struct mapping *b = *state;
    b->fake.visibility_s = 8;
    b->credit = 1;
    bench_put(b, 1);
    bench_start(b);
    UNTIL(b, b->n_held == 1);
    b->fake.park = true;
    UNTIL(b, !list_empty(&b->fake.parked));
    bench_settle(b, 1, bench_failed);
    bench_put(b, 1);
    UNTIL(b, b->n_held == 1);
    assert_int_equal(b->sqs->n_slots, 1);
    struct sqs_slot *slot = b->sqs->slots[0];
    assert_string_equal(slot->id, "m-1");
    int64_t visible = slot->visible_ms;
    bool asked = slot->extending;
    fake_unpark(&b->fake);
    bench_for(b, 20);
    assert_int_equal(slot->visible_ms, visible);
    assert_int_equal(slot->extending, asked);
    assert_int_equal(b->sqs->work[SQS_WORK_EXTEND].n, 0);
}

/* At most sixteen delete requests at a time; the rest follows. */
static void test_requests_at_once(void **state)
{
    struct mapping *b = *state;
    b->credit = 300;
    bench_put(b, 300);
    bench_start(b);
    UNTIL(b, b->n_held == 300);
    b->fake.park = true;
    for (int i = 0; i < 30; i++)
        bench_settle(b, 10, bench_ack);
    assert_int_equal(b->sqs->work[SQS_WORK_DELETE].out, 16);
    UNTIL(b, b->fake.count[SQS_DELETE_BATCH] == 16);
    bench_for(b, 20);
    assert_int_equal(b->fake.count[SQS_DELETE_BATCH], 16);
    assert_int_equal(b->sqs->source.settling, 300);
    fake_unpark(&b->fake);
    bench_consume(b, 300);
    assert_int_equal(b->fake.count[SQS_DELETE_BATCH], 30);
    assert_int_equal(b->settled_calls, 1);
}

static void test_expired_credentials(void **state)
{
    struct mapping *b = *state;
    bench_put(b, 3);
    fake_fail(&b->fake, SQS_GET_URL, 1, 403, JSON_ERROR("ExpiredToken"));
    fake_fail(&b->fake, SQS_RECEIVE, 2, 403, JSON_ERROR("ExpiredToken"));
    fake_fail(&b->fake, SQS_DELETE_BATCH, 2, 403, JSON_ERROR("ExpiredToken"));
    bench_start(b);
    bench_consume(b, 3);
    assert_int_equal(b->emitted, 3);
}

static void write_credentials(const char *path, const char *key)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "[default]\naws_access_key_id=%s\naws_secret_access_key=s\n", key);
    fclose(f);
}

/* New credentials in the profile are picked up when the old ones are refused. */
static void test_credentials_are_read_again(void **state)
{
    struct mapping *b = *state;
    struct error err;
    char path[] = "/tmp/sqs_credentials.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_credentials(path, "AKIDOLD");
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    aws_client_free(b->env.aws);
    struct aws_client_options o = {"us-east-1", &b->services};
    b->env.aws = aws_client_new(b->loop, b->env.http, &o, &err);
    b->fake.wanted_key = "AKIDOLD";
    bench_put(b, 3);
    bench_start(b);
    bench_consume(b, 3);
    b->fake.wanted_key = "AKIDNEW";
    write_credentials(path, "AKIDNEW");
    bench_put(b, 3);
    bench_consume(b, 6);
    UNTIL(b, b->problem[0] == '\0' && b->fake.open_polls > 0);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH(test_ten_go_at_once),
        BENCH(test_received_again_while_delete_is_out),
        BENCH(test_delete_is_patient),
        BENCH(test_suspects_go_alone),
        BENCH(test_slow_extension),
        BENCH(test_slot_used_anew_while_extension_is_out),
        BENCH(test_requests_at_once),
        BENCH(test_expired_credentials),
        BENCH(test_credentials_are_read_again),
    };
    log_setup(getenv("LOUD") ? LOG_DEBUG : LOG_ERROR, LOG_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
