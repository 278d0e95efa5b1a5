/* test_sqs_event.c - the SQS source's events, byte for byte, and the refusals of its options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_in.h"
#include "tests/unit/sqs_bench.h"

/* ---- golden events */

static void read_golden(const char *name, const char *kind, struct buf *to)
{
    char path[128], chunk[4096];
    snprintf(path, sizeof path, "tests/golden/sqs/%s.%s", name, kind);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s cannot be read; run in the project's folder", path);
    buf_init(to, 1 << 20);
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(to, chunk, n);
    fclose(f);
}

static void check_golden(const char *name, enum sqs_protocol protocol, bool window, bool fifo)
{
    struct buf answer, want, got;
    struct sqs_answer a;
    read_golden(name, protocol == SQS_JSON ? "json" : "xml", &answer);
    read_golden(name, "event", &want);
    buf_init(&got, 1 << 20);
    assert_int_equal(sqs_wire_read(&a, protocol, SQS_RECEIVE, 200, buf_slice(&answer)),
                     SQS_READ_OK);
    assert_int_equal(a.n_messages, 1);
    const char *arn = fifo ? "arn:aws:sqs:us-east-2:123456789012:my-queue.fifo"
                           : "arn:aws:sqs:us-east-2:123456789012:my-queue";
    sqs_event_write(&got, a.messages, slice_of(arn), SLICE("us-east-2"), window);
    assert_string_equal(got.p, want.p);
    sqs_answer_free(&a);
    buf_free(&answer);
    buf_free(&want);
    buf_free(&got);
}

static void test_golden(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool window, fifo;
    } cases[] = {{"standard", false, false},  {"window", true, false}, {"odd_body", false, false},
                 {"attributes", true, false}, {"fifo", false, true},   {"no_hash", false, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_golden(cases[i].name, SQS_JSON, cases[i].window, cases[i].fifo);
        check_golden(cases[i].name, SQS_QUERY, cases[i].window, cases[i].fifo);
    }
}

/* The sample is what the source itself writes. */
static void test_sample(void **state)
{
    (void)state;
    struct json *root = json_parse(slice_of(sqs_source.sample), 1 << 16, NULL);
    assert_non_null(root);
    const struct json *r = json_first(json_get(root, "Records"));
    struct sqs_attribute attributes[8];
    struct sqs_typed typed = {SLICE("colour"), SLICE("String"), SLICE("red"), false};
    struct sqs_message m = {.id = json_text(json_get(r, "messageId")),
                            .receipt = json_text(json_get(r, "receiptHandle")),
                            .body = json_text(json_get(r, "body")),
                            .attributes = attributes,
                            .typed = &typed,
                            .n_typed = 1};
    const struct json *it = json_first(json_get(r, "attributes"));
    for (; it; it = json_after(it))
        attributes[m.n_attributes++] = (struct sqs_attribute){json_name(it), json_text(it)};
    struct buf out;
    buf_init(&out, 1 << 16);
    buf_str(&out, "{\"Records\":[");
    sqs_event_write(&out, &m, json_text(json_get(r, "eventSourceARN")),
                    json_text(json_get(r, "awsRegion")), false);
    buf_str(&out, "]}");
    assert_string_equal(out.p, sqs_source.sample);
    buf_free(&out);
    json_free(root);
}

/* ---- check */

#define ARN(name) "arn:aws:sqs:us-east-1:000000000000:" name

struct option_case {
    const char *queue;
    int64_t batch, window, concurrency, least, most;
    const char *error; /* NULL: accepted */
};

static const struct option_case option_cases[] = {
    {ARN("q"), 10, 0, -1, -1, -1, NULL},
    {ARN("q"), 1, 300, 2, -1, -1, NULL},
    {ARN("q"), 10000, 1, -1, 2, 2000, NULL},
    {ARN("q"), 10, 0, -1, 200, -1, NULL},
    {ARN("q"), 10, 0, -1, -1, 2, NULL},
    {ARN("q.fifo"), 10, 0, 1000, -1, -1, NULL},
    {"arn:aws-cn:sqs:cn-north-1:000000000000:q", 10, 0, -1, -1, -1, NULL},
    {ARN("q"), 11, 0, -1, -1, -1,
     "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than "
     "10"},
    {ARN("q.fifo"), 10, 1, -1, -1, -1, "Batching window is not supported for FIFO queues"},
    {ARN("q.fifo"), 11, 1, -1, -1, -1, "Batching window is not supported for FIFO queues"},
    {ARN("q.fifo"), 11, 0, -1, -1, -1, "BatchSize must be between 1 and 10 for FIFO queues"},
    {ARN("q"), 10, 0, 2, 2, -1,
     "ScalingConfig.MaximumConcurrency and ProvisionedPollerConfig cannot be used together"},
    {ARN("q"), 10, 0, 2, -1, 2,
     "ScalingConfig.MaximumConcurrency and ProvisionedPollerConfig cannot be used together"},
    {ARN("q"), 10, 0, -1, 5, 4,
     "ProvisionedPollerConfig.MinimumPollers must not be greater than MaximumPollers"},
    {"q", 10, 0, -1, -1, -1, "is not the ARN of an SQS queue"},
    {"", 10, 0, -1, -1, -1, "is not the ARN of an SQS queue"},
    {"http://127.0.0.1:9324/000000000000/q", 10, 0, -1, -1, -1, "is not the ARN"},
    {"arn:aws:sns:us-east-1:000000000000:q", 10, 0, -1, -1, -1, "is not the ARN"},
    {"arn:aws:sqs::000000000000:q", 10, 0, -1, -1, -1, "is not the ARN"},
    {"arn:aws:sqs:us-east-1::q", 10, 0, -1, -1, -1, "is not the ARN"},
    {"arn:aws:sqs:us-east-1:000000000000", 10, 0, -1, -1, -1, "is not the ARN"},
    {ARN(""), 10, 0, -1, -1, -1, "is not the ARN"},
    {ARN(".fifo"), 10, 0, -1, -1, -1, "is not the ARN"},
    {ARN("q:x"), 10, 0, -1, -1, -1, "is not the ARN"},
    {ARN("q/x"), 10, 0, -1, -1, -1, "is not the ARN"},
    {"arn:aws:sqs:a-region-with-a-name-that-is-far-too-long:000000000000:q", 10, 0, -1, -1, -1,
     "is not the ARN"},
    {ARN("a12345678901234567890123456789012345678901234567890123456789012345678901234567890"), 10,
     0, -1, -1, -1, "is not the ARN"},
};

static void test_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(option_cases); i++) {
        const struct option_case *c = &option_cases[i];
        struct sqs s = {.queue = c->queue, .min_pollers = c->least, .max_pollers = c->most};
        s.source.settings.batch_size = c->batch;
        s.source.settings.window_s = c->window;
        s.source.settings.max_concurrency = c->concurrency;
        struct error err = {.text = ""};
        bool ok = sqs_source.check(&s.source, &err);
        if (ok != (c->error == NULL) || (c->error && !strstr(err.text, c->error)))
            fail_msg("case %zu: %s", i, err.text);
        if (!ok)
            continue;
        assert_string_equal(s.source.arn, c->queue);
        assert_int_equal(s.source.flags & SOURCE_REDELIVERS, SOURCE_REDELIVERS);
        assert_int_equal(s.source.flags & SOURCE_ORDERED,
                         strstr(c->queue, ".fifo") ? SOURCE_ORDERED : 0);
        assert_int_equal(s.source.envelope_bytes, 14);
        assert_int_equal(s.source.settings.max_attempts, -1);
        assert_int_equal(s.source.settings.max_age_s, -1);
    }
}

static const struct option *option_of(const char *name)
{
    for (const struct option *o = sqs_source.options; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    fail_msg("no option %s", name);
    return NULL;
}

static void test_options(void **state)
{
    (void)state;
    static const struct {
        const char *name, *dflt;
        int64_t min, max;
    } ranges[] = {{"BatchSize", "10", 1, 10000},
                  {"MaximumBatchingWindowInSeconds", "0", 0, 300},
                  {"ScalingConfig.MaximumConcurrency", NULL, 2, 1000},
                  {"ProvisionedPollerConfig.MinimumPollers", NULL, 2, 200},
                  {"ProvisionedPollerConfig.MaximumPollers", NULL, 2, 2000}};
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        const struct option *o = option_of(ranges[i].name);
        assert_int_equal(o->min, ranges[i].min);
        assert_int_equal(o->max, ranges[i].max);
        if (ranges[i].dflt)
            assert_string_equal(o->dflt, ranges[i].dflt);
        else
            assert_int_equal(o->flags & OPTION_UNSET, OPTION_UNSET);
    }
    assert_int_equal(option_of("Queue")->flags & OPTION_REQUIRED, OPTION_REQUIRED);
    assert_string_equal(option_of("Enabled")->dflt, "true");
    assert_string_equal(option_of("FunctionResponseTypes")->choices[0], "ReportBatchItemFailures");
    size_t n = 0;
    for (const struct option *o = sqs_source.options; o->name; o++)
        n++;
    assert_int_equal(n, 9); /* what is not enforced is not in the table */
}

/* ---- waiting between tries */

static void test_backoff(void **state)
{
    (void)state;
    int64_t longest = 0;
    for (unsigned n = 1; n < 40; n++)
        for (int i = 0; i < 200; i++) {
            int64_t whole = n < 9 ? 100 << (n - 1) : 20000;
            int64_t got = sqs_backoff(100, 20000, n);
            whole = whole < 20000 ? whole : 20000;
            assert_true(got >= whole / 2 && got <= whole);
            longest = got > longest ? got : longest;
        }
    assert_true(longest > 15000);
    assert_int_equal(sqs_backoff(1, 1, 5) >= 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),  cmocka_unit_test(test_sample),
        cmocka_unit_test(test_check),   cmocka_unit_test(test_options),
        cmocka_unit_test(test_backoff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
