/* test_sqs_wire.c - SQS requests and answers in both protocols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/sqs_wire.h"
#include <stdlib.h>
#include <string.h>

/* ---- requests ---- */

static const struct sqs_entry two[] = {{SLICE("AQ/b+c=="), 30}, {SLICE("\"x\"\n"), 0}};

static const struct {
    struct sqs_request request;
    const char *json, *query;
} requests[] = {
    {{.op = SQS_RECEIVE,
      .queue_url = SLICE("http://h/0/q"),
      .max_messages = 7,
      .wait_s = 20,
      .visibility_s = -1},
     "{\"QueueUrl\":\"http://h/0/q\",\"AttributeNames\":[\"All\"],\"MessageSystemAttributeNames\":["
     "\"All\"],\"MessageAttributeNames\":[\"All\"],\"MaxNumberOfMessages\":7,\"WaitTimeSeconds\":"
     "20}",
     "Action=ReceiveMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Fh%2F0%2Fq&AttributeName.1=All"
     "&MessageSystemAttributeName.1=All&MessageAttributeName.1=All&MaxNumberOfMessages=7"
     "&WaitTimeSeconds=20"},
    {{.op = SQS_RECEIVE,
      .queue_url = SLICE("u"),
      .max_messages = 1,
      .wait_s = 0,
      .visibility_s = 0},
     "{\"QueueUrl\":\"u\",\"AttributeNames\":[\"All\"],\"MessageSystemAttributeNames\":[\"All\"],"
     "\"MessageAttributeNames\":[\"All\"],\"MaxNumberOfMessages\":1,\"WaitTimeSeconds\":0,"
     "\"VisibilityTimeout\":0}",
     "Action=ReceiveMessage&Version=2012-11-05&QueueUrl=u&AttributeName.1=All"
     "&MessageSystemAttributeName.1=All&MessageAttributeName.1=All&MaxNumberOfMessages=1"
     "&WaitTimeSeconds=0&VisibilityTimeout=0"},
    {{.op = SQS_DELETE_BATCH, .queue_url = SLICE("u"), .entries = two, .n_entries = 2},
     "{\"QueueUrl\":\"u\",\"Entries\":[{\"Id\":\"0\",\"ReceiptHandle\":\"AQ/b+c==\"},"
     "{\"Id\":\"1\",\"ReceiptHandle\":\"\\\"x\\\"\\n\"}]}",
     "Action=DeleteMessageBatch&Version=2012-11-05&QueueUrl=u"
     "&DeleteMessageBatchRequestEntry.1.Id=0"
     "&DeleteMessageBatchRequestEntry.1.ReceiptHandle=AQ%2Fb%2Bc%3D%3D"
     "&DeleteMessageBatchRequestEntry.2.Id=1"
     "&DeleteMessageBatchRequestEntry.2.ReceiptHandle=%22x%22%0A"},
    {{.op = SQS_VISIBILITY_BATCH, .queue_url = SLICE("u"), .entries = two, .n_entries = 1},
     "{\"QueueUrl\":\"u\",\"Entries\":[{\"Id\":\"0\",\"ReceiptHandle\":\"AQ/b+c==\","
     "\"VisibilityTimeout\":30}]}",
     "Action=ChangeMessageVisibilityBatch&Version=2012-11-05&QueueUrl=u"
     "&ChangeMessageVisibilityBatchRequestEntry.1.Id=0"
     "&ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=AQ%2Fb%2Bc%3D%3D"
     "&ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout=30"},
    {{.op = SQS_GET_URL, .name = SLICE("q.fifo"), .owner = SLICE("000000000000")},
     "{\"QueueName\":\"q.fifo\",\"QueueOwnerAWSAccountId\":\"000000000000\"}",
     "Action=GetQueueUrl&Version=2012-11-05&QueueName=q.fifo&QueueOwnerAWSAccountId=000000000000"},
    {{.op = SQS_GET_URL, .name = SLICE("q")},
     "{\"QueueName\":\"q\"}",
     "Action=GetQueueUrl&Version=2012-11-05&QueueName=q"},
    {{.op = SQS_GET_ATTRIBUTES, .queue_url = SLICE("u")},
     "{\"QueueUrl\":\"u\",\"AttributeNames\":[\"All\"]}",
     "Action=GetQueueAttributes&Version=2012-11-05&QueueUrl=u&AttributeName.1=All"},
};

static void test_requests(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 65536);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        sqs_wire_request(&out, SQS_JSON, &requests[i].request);
        assert_string_equal(out.p, requests[i].json);
        buf_clear(&out);
        sqs_wire_request(&out, SQS_QUERY, &requests[i].request);
        assert_string_equal(out.p, requests[i].query);
        buf_clear(&out);
    }
    buf_free(&out);
}

static void test_headers(void **state)
{
    (void)state;
    size_t n;
    const char *const *h = sqs_wire_headers(SQS_JSON, SQS_DELETE_BATCH, &n);
    assert_int_equal(n, 3);
    assert_string_equal(h[0], "Content-Type: application/x-amz-json-1.0");
    assert_string_equal(h[1], "X-Amz-Target: AmazonSQS.DeleteMessageBatch");
    assert_string_equal(h[2], "x-amzn-query-mode: true");
    h = sqs_wire_headers(SQS_QUERY, SQS_DELETE_BATCH, &n);
    assert_int_equal(n, 1);
    assert_string_equal(h[0], "Content-Type: application/x-www-form-urlencoded");
}

/* ---- answers ---- */

static enum sqs_read read_text(struct sqs_answer *a, enum sqs_protocol p, enum sqs_op op,
                               int status, const char *text)
{
    return sqs_wire_read(a, p, op, status, slice_of(text));
}

static const char messages_json[] =
    "{\"Messages\":[{\"MessageId\":\"id-1\",\"ReceiptHandle\":\"r\\/1\",\"MD5OfBody\":\"m1\","
    "\"Body\":\"a\\\"\\u00e9\\ud83d\\ude00\\n\",\"Attributes\":{\"SenderId\":\"AIDA\","
    "\"ApproximateReceiveCount\":\"2\",\"SentTimestamp\":1545082649183},"
    "\"MD5OfMessageAttributes\":\"m2\",\"MessageAttributes\":{\"s\":{\"StringValue\":\"x\","
    "\"DataType\":\"String.custom\"},\"b\":{\"BinaryValue\":\"AAE=\",\"DataType\":\"Binary\"},"
    "\"odd\":{\"DataType\":\"String\"}}},"
    "{\"MessageId\":\"id-2\",\"ReceiptHandle\":\"r2\",\"Body\":\"\"},"
    "{\"MessageId\":\"no handle\",\"Body\":\"x\"},{\"ReceiptHandle\":\"no id\",\"Body\":\"x\"},"
    "{\"MessageId\":\"no body\",\"ReceiptHandle\":\"r\"},7,null]}";

static const char messages_xml[] =
    "<?xml version=\"1.0\"?>\n<!-- made by hand -->\n"
    "<ReceiveMessageResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">\n"
    " <ReceiveMessageResult>\n"
    "  <Message><MessageId>id-1</MessageId><ReceiptHandle>r/1</ReceiptHandle>"
    "<MD5OfBody>m1</MD5OfBody><Body>a&quot;&#233;&#x1F600;&#10;</Body>"
    "<Attribute><Name>SenderId</Name><Value>AIDA</Value></Attribute>"
    "<Attribute><Name>ApproximateReceiveCount</Name><Value>2</Value></Attribute>"
    "<Attribute><Name>SentTimestamp</Name><Value>1545082649183</Value></Attribute>"
    "<Attribute><Name>odd</Name></Attribute>"
    "<MD5OfMessageAttributes>m2</MD5OfMessageAttributes>"
    "<MessageAttribute><Name>s</Name><Value><StringValue>x</StringValue>"
    "<DataType>String.custom</DataType></Value></MessageAttribute>"
    "<MessageAttribute><Name>b</Name><Value><BinaryValue>AAE=</BinaryValue>"
    "<DataType>Binary</DataType></Value></MessageAttribute></Message>\n"
    "  <ns:Message a='>'><MessageId>id-2</MessageId><ReceiptHandle>r2</ReceiptHandle><Body/>"
    "</ns:Message>\n"
    "  <Message><MessageId>no handle</MessageId><Body>x</Body></Message>"
    "  <Message><ReceiptHandle>no id</ReceiptHandle><Body>x</Body></Message>"
    "  <Message><MessageId>no body</MessageId><ReceiptHandle>r</ReceiptHandle></Message>"
    "  <Message><MessageId>nested</MessageId><ReceiptHandle>r</ReceiptHandle><Body><b/></Body>"
    "</Message>"
    "  <Message/></ReceiveMessageResult>"
    "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></ReceiveMessageResponse>\n";

static void check_messages(const struct sqs_answer *a)
{
    assert_int_equal(a->n_messages, 2);
    assert_int_equal(a->skipped, 5);
    const struct sqs_message *m = a->messages;
    assert_true(slice_is(m->id, "id-1"));
    assert_true(slice_is(m->receipt, "r/1"));
    assert_true(slice_is(m->body, "a\"\303\251\360\237\230\200\n"));
    assert_true(slice_is(m->md5_body, "m1"));
    assert_true(slice_is(m->md5_attributes, "m2"));
    assert_int_equal(m->n_attributes, 3);
    assert_true(slice_is(m->attributes[0].name, "SenderId"));
    assert_true(slice_is(sqs_wire_attribute(m, "SentTimestamp"), "1545082649183"));
    assert_true(slice_is(sqs_wire_attribute(m, "ApproximateReceiveCount"), "2"));
    assert_int_equal(sqs_wire_attribute(m, "none").n, 0);
    assert_int_equal(m->n_typed, 2);
    assert_true(slice_is(m->typed[0].name, "s"));
    assert_true(slice_is(m->typed[0].type, "String.custom"));
    assert_false(m->typed[0].binary);
    assert_true(slice_is(m->typed[1].value, "AAE="));
    assert_true(m->typed[1].binary);
    m++;
    assert_true(slice_is(m->id, "id-2"));
    assert_int_equal(m->body.n, 0);
    assert_null(m->md5_body.p);
    assert_null(m->md5_attributes.p);
    assert_int_equal(m->n_attributes, 0);
    assert_int_equal(m->n_typed, 0);
}

static void test_messages(void **state)
{
    (void)state;
    struct sqs_answer a;
    assert_int_equal(read_text(&a, SQS_JSON, SQS_RECEIVE, 200, messages_json), SQS_READ_OK);
    check_messages(&a);
    sqs_answer_free(&a);
    assert_int_equal(read_text(&a, SQS_QUERY, SQS_RECEIVE, 200, messages_xml), SQS_READ_OK);
    check_messages(&a);
    sqs_answer_free(&a);
}

/* Cut anywhere, an answer is never understood, and never read beyond its end. */
static void test_cut_answers(void **state)
{
    (void)state;
    for (int p = SQS_JSON; p <= SQS_QUERY; p++) {
        struct slice whole = p == SQS_JSON ? SLICE(messages_json) : SLICE(messages_xml);
        for (size_t n = 0; n + 2 < whole.n; n++) {
            char *copy = mem_alloc_raw(n + 1);
            memcpy(copy, whole.p, n);
            struct sqs_answer a;
            enum sqs_read got =
                sqs_wire_read(&a, (enum sqs_protocol)p, SQS_RECEIVE, 200, (struct slice){copy, n});
            assert_true(got != SQS_READ_OK || (n == 0 && p == SQS_JSON));
            sqs_answer_free(&a);
            free(copy);
        }
    }
}

static void test_none(void **state)
{
    (void)state;
    static const char *const json[] = {"", "{}", "{\"Messages\":[]}", "{\"Messages\":null}",
                                       " {} "};
    static const char *const xml[] = {
        "<ReceiveMessageResponse><ReceiveMessageResult/></ReceiveMessageResponse>",
        "<ReceiveMessageResponse><ReceiveMessageResult></ReceiveMessageResult>"
        "</ReceiveMessageResponse>"};
    struct sqs_answer a;
    for (size_t i = 0; i < ARRAY_LEN(json); i++) {
        assert_int_equal(read_text(&a, SQS_JSON, SQS_RECEIVE, 200, json[i]), SQS_READ_OK);
        assert_int_equal(a.n_messages + a.skipped, 0);
        sqs_answer_free(&a);
    }
    for (size_t i = 0; i < ARRAY_LEN(xml); i++) {
        assert_int_equal(read_text(&a, SQS_QUERY, SQS_RECEIVE, 200, xml[i]), SQS_READ_OK);
        assert_int_equal(a.n_messages + a.skipped, 0);
        sqs_answer_free(&a);
    }
}

/* A server that sends more than was asked for is not followed. */
static void test_too_many(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_str(&text, "{\"Messages\":[");
    for (int i = 0; i < 25; i++)
        buf_printf(&text, "%s{\"MessageId\":\"%d\",\"ReceiptHandle\":\"r\",\"Body\":\"b\"}",
                   i ? "," : "", i);
    buf_str(&text, "]}");
    struct sqs_answer a;
    assert_int_equal(read_text(&a, SQS_JSON, SQS_RECEIVE, 200, text.p), SQS_READ_OK);
    assert_int_equal(a.n_messages, SQS_BATCH_MAX);
    assert_int_equal(a.skipped, 15);
    sqs_answer_free(&a);
    buf_clear(&text);
    buf_str(&text, "{\"Messages\":[{\"MessageId\":\"i\",\"ReceiptHandle\":\"r\",\"Body\":\"b\","
                   "\"Attributes\":{");
    for (int i = 0; i <= SQS_ATTRIBUTES_MAX; i++)
        buf_printf(&text, "%s\"a%d\":\"x\"", i ? "," : "", i);
    buf_str(&text, "}}]}");
    assert_int_equal(read_text(&a, SQS_JSON, SQS_RECEIVE, 200, text.p), SQS_READ_OK);
    assert_int_equal(a.n_messages, 0);
    assert_int_equal(a.skipped, 1);
    sqs_answer_free(&a);
    buf_free(&text);
}

static void check_results(const struct sqs_answer *a)
{
    assert_true(a->results[0].answered && a->results[0].ok);
    assert_true(a->results[1].answered && !a->results[1].ok);
    assert_int_equal(a->results[1].fault, SQS_FAULT_HANDLE);
    assert_true(slice_is(a->results[1].code, "ReceiptHandleIsInvalid"));
    assert_false(a->results[2].answered);
    assert_true(a->results[3].answered && !a->results[3].ok);
    assert_int_equal(a->results[3].fault, SQS_FAULT_BUSY);
    assert_true(slice_is(a->results[3].text, "later"));
    assert_int_equal(a->results[4].fault, SQS_FAULT_HANDLE);
}

static void test_results(void **state)
{
    (void)state;
    struct sqs_answer a;
    assert_int_equal(
        read_text(&a, SQS_JSON, SQS_DELETE_BATCH, 200,
                  "{\"Successful\":[{\"Id\":\"0\"},{\"Id\":\"11\"},{\"Id\":7},{}],\"Failed\":["
                  "{\"Id\":\"1\",\"SenderFault\":true,\"Code\":\"ReceiptHandleIsInvalid\"},"
                  "{\"Id\":\"3\",\"Code\":\"InternalError\",\"Message\":\"later\"},"
                  "{\"Id\":\"4\",\"Code\":\"InvalidParameterValue\"},{\"Id\":\"x\"}]}"),
        SQS_READ_OK);
    check_results(&a);
    sqs_answer_free(&a);
    assert_int_equal(
        read_text(&a, SQS_QUERY, SQS_DELETE_BATCH, 200,
                  "<DeleteMessageBatchResponse><DeleteMessageBatchResult>"
                  "<DeleteMessageBatchResultEntry><Id>0</Id></DeleteMessageBatchResultEntry>"
                  "<BatchResultErrorEntry><Id>1</Id><Code>ReceiptHandleIsInvalid</Code>"
                  "<SenderFault>true</SenderFault></BatchResultErrorEntry>"
                  "<BatchResultErrorEntry><Id>3</Id><Code>InternalError</Code>"
                  "<Message>later</Message></BatchResultErrorEntry>"
                  "<BatchResultErrorEntry><Id>4</Id><Code>InvalidParameterValue</Code>"
                  "</BatchResultErrorEntry><BatchResultErrorEntry><Id>99</Id>"
                  "</BatchResultErrorEntry></DeleteMessageBatchResult>"
                  "</DeleteMessageBatchResponse>"),
        SQS_READ_OK);
    check_results(&a);
    sqs_answer_free(&a);
}

static void test_queue(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "{\"QueueUrl\":\"http://h/000000000000/q\"}",
        "<GetQueueUrlResponse><GetQueueUrlResult><QueueUrl><![CDATA[http://h/]]>000000000000/q"
        "</QueueUrl></GetQueueUrlResult></GetQueueUrlResponse>"};
    static const char *const attributes[] = {
        "{\"Attributes\":{\"VisibilityTimeout\":\"30\",\"QueueArn\":\"a\"}}",
        "<GetQueueAttributesResponse><GetQueueAttributesResult>"
        "<Attribute><Name>VisibilityTimeout</Name><Value>30</Value></Attribute>"
        "<Attribute><Name>QueueArn</Name><Value>a</Value></Attribute>"
        "</GetQueueAttributesResult></GetQueueAttributesResponse>"};
    struct sqs_answer a;
    for (int p = SQS_JSON; p <= SQS_QUERY; p++) {
        assert_int_equal(read_text(&a, (enum sqs_protocol)p, SQS_GET_URL, 200, urls[p]),
                         SQS_READ_OK);
        assert_true(slice_is(a.queue_url, "http://h/000000000000/q"));
        sqs_answer_free(&a);
        assert_int_equal(
            read_text(&a, (enum sqs_protocol)p, SQS_GET_ATTRIBUTES, 200, attributes[p]),
            SQS_READ_OK);
        assert_int_equal(a.n_attributes, 2);
        assert_true(slice_is(a.attributes[0].name, "VisibilityTimeout"));
        assert_true(slice_is(a.attributes[0].value, "30"));
        sqs_answer_free(&a);
    }
}

static void test_md5(void **state)
{
    (void)state;
    char hex[33];
    struct sqs_typed one[] = {{SLICE("timestamp"), SLICE("Number"), SLICE("1493147359900"), false}};
    struct sqs_message m = {.typed = one, .n_typed = 1};
    assert_true(sqs_wire_md5(&m, hex));
    assert_string_equal(hex, "235c5c510d26fb653d073faed50ae77c");
    struct sqs_typed several[] = {{SLICE("s"), SLICE("String.custom"), SLICE("x"), false},
                                  {SLICE("b"), SLICE("Binary"), SLICE("AAH/"), true},
                                  {SLICE("ba"), SLICE("Number"), SLICE("1"), false}};
    m = (struct sqs_message){.typed = several, .n_typed = 3};
    assert_true(sqs_wire_md5(&m, hex));
    assert_string_equal(hex, "c662f3257f44269b1e0da62b8dfac283");
    several[1].value = SLICE("not base64");
    assert_false(sqs_wire_md5(&m, hex));
    m.n_typed = 0;
    assert_false(sqs_wire_md5(&m, hex));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests), cmocka_unit_test(test_headers),
        cmocka_unit_test(test_messages), cmocka_unit_test(test_cut_answers),
        cmocka_unit_test(test_none),     cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_results),  cmocka_unit_test(test_queue),
        cmocka_unit_test(test_md5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
