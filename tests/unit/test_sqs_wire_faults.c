/* test_sqs_wire_faults.c - SQS answers that say no, or nothing that can be understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/sqs_wire.h"
#include <string.h>

static enum sqs_read read_text(struct sqs_answer *a, enum sqs_protocol p, enum sqs_op op,
                               int status, const char *text)
{
    return sqs_wire_read(a, p, op, status, slice_of(text));
}

static const struct {
    enum sqs_protocol protocol;
    int status;
    const char *body;
    enum sqs_fault fault;
    const char *code, *text;
} fault_cases[] = {
    {SQS_JSON, 400, "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"whatever\"}",
     SQS_FAULT_NO_QUEUE, "AWS.SimpleQueueService.NonExistentQueue",
     "The specified queue does not exist."},
    {SQS_JSON, 400, "{\"__type\":\"AWS.SimpleQueueService.NonExistentQueue\"}", SQS_FAULT_NO_QUEUE,
     "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."},
    {SQS_QUERY, 400,
     "<ErrorResponse><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue"
     "</Code><Message>The specified queue does not exist for this wsdl version.</Message>"
     "<Detail/></Error><RequestId>x</RequestId></ErrorResponse>",
     SQS_FAULT_NO_QUEUE, "AWS.SimpleQueueService.NonExistentQueue",
     "The specified queue does not exist."},
    {SQS_JSON, 403,
     "{\"__type\":\"com.amazon.coral.service#ExpiredTokenException\","
     "\"Message\":\"old\"}",
     SQS_FAULT_CREDENTIALS, "ExpiredTokenException", "old"},
    {SQS_JSON, 400, "{\"__type\":\"x#RequestThrottled\",\"message\":\"slow\"}", SQS_FAULT_BUSY,
     "RequestThrottled", "slow"},
    {SQS_JSON, 403, "{\"__type\":\"OverLimit\"}", SQS_FAULT_BUSY, "OverLimit", ""},
    {SQS_JSON, 403, "{\"__type\":\"SomethingElse\"}", SQS_FAULT_CREDENTIALS, "SomethingElse", ""},
    {SQS_JSON, 500, "{\"__type\":\"SomethingElse\"}", SQS_FAULT_BUSY, "SomethingElse", ""},
    {SQS_JSON, 400, "{\"__type\":\"InvalidAddress\",\"message\":7}", SQS_FAULT_OTHER,
     "InvalidAddress", ""},
    {SQS_QUERY, 503,
     "<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error>"
     "</ErrorResponse>",
     SQS_FAULT_BUSY, "ServiceUnavailable", ""},
    {SQS_QUERY, 403,
     "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error>"
     "</ErrorResponse>",
     SQS_FAULT_CREDENTIALS, "SignatureDoesNotMatch", ""},
    {SQS_JSON, 503, "<html>upstream</html>", SQS_FAULT_BUSY, "HTTP 503", NULL},
    {SQS_JSON, 502, "", SQS_FAULT_BUSY, "HTTP 502", NULL},
    {SQS_QUERY, 500, "{}", SQS_FAULT_BUSY, "HTTP 500", NULL},
    {SQS_JSON, 429, "no", SQS_FAULT_BUSY, "HTTP 429", NULL},
    {SQS_JSON, 403, "no", SQS_FAULT_CREDENTIALS, "HTTP 403", NULL},
    {SQS_JSON, 301, "", SQS_FAULT_OTHER, "HTTP 301", NULL},
    {SQS_JSON, 500, "{\"__type\":\"", SQS_FAULT_BUSY, "HTTP 500", NULL},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fault_cases); i++) {
        struct sqs_answer a;
        enum sqs_read got = read_text(&a, fault_cases[i].protocol, SQS_RECEIVE,
                                      fault_cases[i].status, fault_cases[i].body);
        if (got != SQS_READ_FAULT || a.fault != fault_cases[i].fault ||
            !slice_is(a.code, fault_cases[i].code) ||
            (fault_cases[i].text && !slice_is(a.text, fault_cases[i].text)))
            fail_msg("case %zu: %d %d " SLICE_FMT " " SLICE_FMT, i, (int)got, (int)a.fault,
                     SLICE_ARG(a.code), SLICE_ARG(a.text));
        sqs_answer_free(&a);
    }
}

static void test_foreign(void **state)
{
    (void)state;
    static const struct {
        enum sqs_protocol protocol;
        int status;
        const char *body;
    } cases[] = {
        {SQS_JSON, 404, "not found"},
        {SQS_JSON, 400, "<ErrorResponse><Error><Code>MissingAction</Code></Error></ErrorResponse>"},
        {SQS_JSON, 415, ""},
        {SQS_JSON, 400, "{\"message\":\"no type\"}"},
        {SQS_JSON, 400, "{\"__type\":"},
        {SQS_JSON, 200, "<html/>"},
        {SQS_JSON, 200, "[]"},
        {SQS_QUERY, 400, "{\"__type\":\"x\"}"},
        {SQS_QUERY, 200, "{}"},
        {SQS_QUERY, 200, ""},
        {SQS_QUERY, 404, "<html><body>no</body></html>"},
        {SQS_QUERY, 200, "<html><body>hello</body></html>"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sqs_answer a;
        enum sqs_read got =
            read_text(&a, cases[i].protocol, SQS_RECEIVE, cases[i].status, cases[i].body);
        if (got != SQS_READ_FOREIGN)
            fail_msg("case %zu: %d", i, (int)got);
        sqs_answer_free(&a);
    }
}

#define RESULT(x)                                                                                  \
    "<ReceiveMessageResponse><ReceiveMessageResult>" x                                             \
    "</ReceiveMessageResult></ReceiveMessageResponse>"

static void test_garbled(void **state)
{
    (void)state;
    static const struct {
        enum sqs_protocol protocol;
        enum sqs_op op;
        const char *body;
    } cases[] = {
        {SQS_JSON, SQS_RECEIVE, "{\"Messages\":{}}"},
        {SQS_JSON, SQS_RECEIVE, "{\"Messages\":[]} x"},
        {SQS_JSON, SQS_RECEIVE, "{\"Messages\":[{\"Body\":\"\xff\"}]}"},
        {SQS_JSON, SQS_RECEIVE, "{\"Messages\":[{\"Body\":\"\\u0000\"}]}"},
        {SQS_JSON, SQS_GET_URL, "{}"},
        {SQS_JSON, SQS_GET_URL, "{\"QueueUrl\":\"\"}"},
        {SQS_JSON, SQS_GET_URL, "{\"QueueUrl\":[]}"},
        {SQS_QUERY, SQS_GET_URL, RESULT("")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("</x>")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("<a><b></a></b>")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("&nbsp;")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("&#0;")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("&#xD800;")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("&#x110000;")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("&#;")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("&#x;")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("& ")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("\xff")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("<![CDATA[x]]")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("<>")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("<a b='>")},
        {SQS_QUERY, SQS_RECEIVE, RESULT("") "<more/>"},
        {SQS_QUERY, SQS_RECEIVE, RESULT("") "more"},
        {SQS_QUERY, SQS_RECEIVE, "<!DOCTYPE x [<!ENTITY a \"b\">]>" RESULT("&a;")},
        {SQS_QUERY, SQS_RECEIVE,
         RESULT("<a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></a></a>"
                "</a>")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sqs_answer a;
        enum sqs_read got = read_text(&a, cases[i].protocol, cases[i].op, 200, cases[i].body);
        if (got != SQS_READ_GARBLED || a.text.n == 0)
            fail_msg("case %zu: %d", i, (int)got);
        sqs_answer_free(&a);
    }
}

/* A NUL would end an id early when it is kept as a C string. */
static void test_nul_in_xml(void **state)
{
    (void)state;
    struct sqs_answer a;
    char text[] = RESULT("<Message><MessageId>a?b</MessageId></Message>");
    *strchr(text, '?') = '\0';
    assert_int_equal(sqs_wire_read(&a, SQS_QUERY, SQS_RECEIVE, 200, SLICE(text)), SQS_READ_GARBLED);
    sqs_answer_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_garbled),
        cmocka_unit_test(test_nul_in_xml),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
