/* test_sqs_api_query.c - the SQS API over forms and XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sqs_api_service.h"

#define NS   " xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">"
#define HEAD "<?xml version=\"1.0\"?>"

/* The answer with what differs from run to run taken out: the text of each such element. */
static void blank(struct service *s)
{
    static const char *const elements[] = {"<RequestId>", "<MessageId>", "<ReceiptHandle>",
                                           "<TaskHandle>", "<StartedTimestamp>"};
    for (size_t i = 0; i < ARRAY_LEN(elements); i++)
        for (char *p = s->body.p; (p = strstr(p, elements[i])) != NULL;) {
            p += strlen(elements[i]);
            char *end = strchr(p, '<');
            memmove(p, end, strlen(end) + 1);
        }
    s->body.n = strlen(s->body.p);
}

static void expect_xml(struct service *s, const char *path, const char *form, int status,
                       const char *xml)
{
    service_form(s, path, form);
    blank(s);
    if (s->status != status || strcmp(s->body.p, xml) != 0)
        fail_msg("%s: %d\n%s\nwanted %d\n%s", form, s->status, s->body.p, status, xml);
    assert_string_equal(s->kind.p, "text/xml");
    assert_int_equal(s->id.n, 36);
    assert_int_equal(s->fault.n, 0);
}

#define RESULT(op, text)                                                                           \
    HEAD "<" op "Response" NS "<" op "Result>" text "</" op "Result><ResponseMetadata><RequestId>" \
         "</RequestId></ResponseMetadata></" op "Response>"
#define NO_RESULT(op)                                                                              \
    HEAD "<" op "Response" NS "<ResponseMetadata><RequestId></RequestId></ResponseMetadata></" op  \
         "Response>"
#define ERROR(code, text)                                                                          \
    HEAD "<ErrorResponse" NS "<Error><Type>Sender</Type><Code>" code "</Code><Message>" text       \
         "</Message><Detail/></Error><RequestId></RequestId></ErrorResponse>"

static void messages_in_xml(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    expect_xml(s, "/",
               "Action=SendMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Fh%2F123456789012%2Fq"
               "&MessageBody=a+%26%3Cb%3E%0D%C3%A9&MessageAttribute.1.Name=Hello"
               "&MessageAttribute.1.Value.DataType=String"
               "&MessageAttribute.1.Value.StringValue=World&MessageAttribute.2.Name=bin"
               "&MessageAttribute.2.Value.DataType=Binary"
               "&MessageAttribute.2.Value.BinaryValue=AP8B&MessageSystemAttribute.1.Name="
               "AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String"
               "&MessageSystemAttribute.1.Value.StringValue=some-trace-id",
               200,
               RESULT("SendMessage", "<MessageId></MessageId><MD5OfMessageBody>"
                                     "ba9debe276bb75066d12340faae67bd4</MD5OfMessageBody>"
                                     "<MD5OfMessageAttributes>41979f9919e512dd6e1faa9280ba039d"
                                     "</MD5OfMessageAttributes><MD5OfMessageSystemAttributes>"
                                     "fdce4f2818803f2f73becc09a54792c0"
                                     "</MD5OfMessageSystemAttributes>"));
    expect_xml(s, "/123456789012/q",
               "Action=ReceiveMessage&Version=2012-11-05&AttributeName.1=SenderId"
               "&AttributeName.2=ApproximateReceiveCount&MessageAttributeName.1=Hel.*"
               "&MaxNumberOfMessages=10&VisibilityTimeout=0",
               200,
               RESULT("ReceiveMessage",
                      "<Message><MessageId></MessageId><ReceiptHandle></ReceiptHandle><MD5OfBody>"
                      "ba9debe276bb75066d12340faae67bd4</MD5OfBody><Body>a "
                      "&amp;&lt;b&gt;&#xD;\xc3\xa9</Body><Attribute><Name>SenderId</Name><Value>"
                      "123456789012</Value></Attribute><Attribute><Name>ApproximateReceiveCount"
                      "</Name><Value>1</Value></Attribute><MD5OfMessageAttributes>"
                      "7db7fb1ba7f41366a8ea5eb18220b26d</MD5OfMessageAttributes><MessageAttribute>"
                      "<Name>Hello</Name><Value><StringValue>World</StringValue><DataType>String"
                      "</DataType></Value></MessageAttribute></Message>"));
    expect_xml(s, "/123456789012/q",
               "Action=ReceiveMessage&Version=2012-11-05&MessageAttributeName=All", 200,
               RESULT("ReceiveMessage",
                      "<Message><MessageId></MessageId><ReceiptHandle></ReceiptHandle><MD5OfBody>"
                      "ba9debe276bb75066d12340faae67bd4</MD5OfBody><Body>a "
                      "&amp;&lt;b&gt;&#xD;\xc3\xa9</Body><MD5OfMessageAttributes>"
                      "41979f9919e512dd6e1faa9280ba039d</MD5OfMessageAttributes><MessageAttribute>"
                      "<Name>Hello</Name><Value><StringValue>World</StringValue><DataType>String"
                      "</DataType></Value></MessageAttribute><MessageAttribute><Name>bin</Name>"
                      "<Value><BinaryValue>AP8B</BinaryValue><DataType>Binary</DataType></Value>"
                      "</MessageAttribute></Message>"));
    expect_xml(s, "/123456789012/q", "Action=ReceiveMessage&Version=2012-11-05", 200,
               RESULT("ReceiveMessage", ""));
}

static void batches_in_xml(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    expect_xml(s, "/123456789012/q",
               "Action=SendMessageBatch&Version=2012-11-05&SendMessageBatchRequestEntry.1.Id=a"
               "&SendMessageBatchRequestEntry.1.MessageBody=x&SendMessageBatchRequestEntry.2.Id=b"
               "&SendMessageBatchRequestEntry.2.MessageBody=y"
               "&SendMessageBatchRequestEntry.2.DelaySeconds=901"
               "&SendMessageBatchRequestEntry.3.Id=c&SendMessageBatchRequestEntry.3.MessageBody=z"
               "&SendMessageBatchRequestEntry.3.MessageAttribute.1.Name=Hello"
               "&SendMessageBatchRequestEntry.3.MessageAttribute.1.Value.DataType=String"
               "&SendMessageBatchRequestEntry.3.MessageAttribute.1.Value.StringValue=World",
               200,
               RESULT("SendMessageBatch",
                      "<SendMessageBatchResultEntry><Id>a</Id><MessageId></MessageId>"
                      "<MD5OfMessageBody>9dd4e461268c8034f5c8564e155c67a6</MD5OfMessageBody>"
                      "</SendMessageBatchResultEntry><SendMessageBatchResultEntry><Id>c</Id>"
                      "<MessageId></MessageId><MD5OfMessageBody>fbade9e36a3f36d3d676c1b808451dd7"
                      "</MD5OfMessageBody><MD5OfMessageAttributes>7db7fb1ba7f41366a8ea5eb18220b26d"
                      "</MD5OfMessageAttributes></SendMessageBatchResultEntry>"
                      "<BatchResultErrorEntry><Id>b</Id><Code>InvalidParameterValue</Code><Message>"
                      "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must "
                      "be &gt;= 0 and &lt;= 900.</Message><SenderFault>true</SenderFault>"
                      "</BatchResultErrorEntry>"));
    expect_xml(
        s, "/123456789012/q",
        "Action=DeleteMessageBatch&Version=2012-11-05"
        "&DeleteMessageBatchRequestEntry.1.Id=a"
        "&DeleteMessageBatchRequestEntry.1.ReceiptHandle=x",
        200,
        RESULT("DeleteMessageBatch",
               "<BatchResultErrorEntry><Id>a</Id><Code>ReceiptHandleIsInvalid</Code><Message>"
               "The input receipt handle &quot;x&quot; is not a valid receipt handle."
               "</Message><SenderFault>true</SenderFault></BatchResultErrorEntry>"));
    expect_xml(s, "/123456789012/q", "Action=DeleteMessageBatch&Version=2012-11-05", 400,
               ERROR("AWS.SimpleQueueService.EmptyBatchRequest",
                     "There should be at least one DeleteMessageBatchRequestEntry in the "
                     "request."));
}

static void queues_in_xml(void **state)
{
    struct service *s = *state;
    char want[500];
    service_form(s, "/",
                 "Action=CreateQueue&Version=2012-11-05&QueueName=q&Attribute.1.Name="
                 "VisibilityTimeout&Attribute.1.Value=7&Attribute.2.Name=DelaySeconds&Attribute.2."
                 "Value=1&Tag.1.Key=a%26b&Tag.1.Value=c");
    blank(s);
    snprintf(want, sizeof want, RESULT("CreateQueue", "<QueueUrl>%s/123456789012/q</QueueUrl>"),
             s->pair->base);
    assert_string_equal(s->body.p, want);
    expect_xml(s, "/123456789012/q", "Action=ListQueueTags&Version=2012-11-05", 200,
               RESULT("ListQueueTags", "<Tag><Key>a&amp;b</Key><Value>c</Value></Tag>"));
    expect_xml(s, "/123456789012/q",
               "Action=TagQueue&Version=2012-11-05&Tag.1.Key=k&Tag.1.Value=v&Tag.2.Key=k2", 200,
               NO_RESULT("TagQueue"));
    expect_xml(s, "/123456789012/q", "Action=UntagQueue&Version=2012-11-05&TagKey.1=a%26b", 200,
               NO_RESULT("UntagQueue"));
    expect_xml(s, "/123456789012/q", "Action=ListQueueTags&Version=2012-11-05", 200,
               RESULT("ListQueueTags", "<Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>k2</Key>"
                                       "<Value></Value></Tag>"));
    expect_xml(s, "/queue/q",
               "Action=SetQueueAttributes&Version=2012-11-05&Attribute.Name=DelaySeconds&"
               "Attribute.Value=9",
               200, NO_RESULT("SetQueueAttributes"));
    expect_xml(s, "/queue/eu-west-1/123456789012/q",
               "Action=GetQueueAttributes&Version=2012-11-05&AttributeName.1=DelaySeconds&"
               "AttributeName.2=VisibilityTimeout",
               200,
               RESULT("GetQueueAttributes",
                      "<Attribute><Name>VisibilityTimeout</Name><Value>7</Value></Attribute>"
                      "<Attribute><Name>DelaySeconds</Name><Value>9</Value></Attribute>"));
    expect_xml(s, "/123456789012/q", "Action=PurgeQueue&Version=2012-11-05", 200,
               NO_RESULT("PurgeQueue"));
    expect_xml(s, "/123456789012/q", "Action=PurgeQueue&Version=2012-11-05", 403,
               ERROR("AWS.SimpleQueueService.PurgeQueueInProgress",
                     "Only one PurgeQueue operation on q is allowed every 60 seconds."));
    expect_xml(s, "/123456789012/q", "Action=DeleteQueue&Version=2012-11-05", 200,
               NO_RESULT("DeleteQueue"));
    expect_xml(s, "/", "Action=ListQueues&Version=2012-11-05", 200, RESULT("ListQueues", ""));
}

static void pages_of_queues(void **state)
{
    struct service *s = *state;
    static const char *const names[] = {"page0", "page1", "page2", "other"};
    char text[200];
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        service_queue(s, names[i], "");
    expect_ok(s, "ListQueues", "{'QueueNamePrefix':'page','MaxResults':2}");
    assert_int_equal(json_count(service_at(s, "QueueUrls")), 2);
    snprintf(text, sizeof text, "{'QueueNamePrefix':'page','MaxResults':2,'NextToken':'%s'}",
             service_text(s, "NextToken"));
    expect_ok(s, "DeleteQueue", "{'QueueUrl':'page1'}"); /* the one that the token names */
    expect_ok(s, "ListQueues", text);
    assert_int_equal(json_count(service_at(s, "QueueUrls")), 1);
    assert_true(slice_ends(json_text(service_at(s, "QueueUrls", "0")), "/page2"));
    assert_null(service_at(s, "NextToken"));
    expect_ok(s, "ListQueues", "{}");
    assert_int_equal(json_count(service_at(s, "QueueUrls")), 3);
    expect_error(s, "ListQueues", "{'MaxResults':1001}", 400, "InvalidParameterValue",
                 "InvalidParameterValueException",
                 "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer "
                 "between 1 and 1000.");
    expect_error(s, "ListQueues", "{'NextToken':'x'}", 400, "InvalidParameterValue",
                 "InvalidParameterValueException", "Invalid or expired next token.");
}

static void errors_in_xml(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    expect_xml(s, "/123456789012/none", "Action=DeleteQueue&Version=2012-11-05", 400,
               ERROR("AWS.SimpleQueueService.NonExistentQueue",
                     "The specified queue does not exist for this wsdl version."));
    expect_xml(s, "/1/q", "Action=DeleteQueue&Version=2012-11-05", 400,
               ERROR("AWS.SimpleQueueService.NonExistentQueue",
                     "The specified queue does not exist for this wsdl version."));
    expect_xml(s, "/", "Action=DeleteQueue&Version=2012-11-05&QueueUrl=http%3A%2F%2Fh%2F", 404,
               ERROR("InvalidAddress", "The address http://h/ is not valid for this endpoint."));
    expect_xml(s, "/", "Action=DeleteQueue&Version=2012-11-05", 400,
               ERROR("MissingParameter", "The request must contain the parameter QueueUrl."));
    expect_xml(s, "/", "Action=Fly&Version=2012-11-05", 400,
               ERROR("InvalidAction", "The action Fly is not valid for this endpoint."));
    expect_xml(
        s, "/123456789012/q", "Action=SendMessage&Version=2012-11-05&MessageBody=a%00", 400,
        ERROR("InvalidMessageContents",
              "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 "
              "to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"));
    /* what XML cannot say, and what lies beside it */
    expect_xml(
        s, "/123456789012/q",
        "Action=GetQueueAttributes&Version=2012-11-05&AttributeName.1=%01%3C%09%1F%0D%EF%BF%BE"
        "%EF%BF%BF%EF%BF%BD%EF%BE%BE%EF%BB%BFz",
        400,
        ERROR("InvalidAttributeName",
              "Unknown Attribute \uFFFD&lt;\t\uFFFD&#xD;\uFFFD\uFFFD\uFFFD\xEF\xBE\xBE"
              "\xEF\xBB\xBFz."));
    static const char unreadable[] =
        ERROR("MalformedInput",
              "The form is not readable: escapes, UTF-8, or more than 2000 parameters.");
    expect_xml(s, "/", "Action=ListQueues&Version=2012-11-05&x=%f", 400, unreadable);
    expect_xml(s, "/", "Action=ListQueues&Version=2012-11-05&x=%ff", 400, unreadable);
    expect_xml(s, "/123456789012/q",
               "Action=ReceiveMessage&Version=2012-11-05&MaxNumberOfMessages=x", 400,
               ERROR("MalformedInput", "STRING_VALUE can not be converted to an Integer"));
    struct buf many;
    buf_init(&many, 1 << 20);
    buf_str(&many, "Action=ListQueues&Version=2012-11-05");
    for (int i = 0; i < 2000; i++)
        buf_printf(&many, "&a%d=1", i);
    expect_xml(s, "/", many.p, 400, unreadable);
    buf_free(&many);
}

/* What is not SQS goes on to whoever else lives at this address. */
static void others_are_left_alone(void **state)
{
    struct service *s = *state;
    static const char *const sns[] = {"Content-Type: application/x-www-form-urlencoded"};
    static const char *const events[] = {"X-Amz-Target: AWSEvents.PutEvents"};
    service_queue(s, "q", "");
    service_call(s, "GET", "/healthz", NULL, 0, SLICE_NONE);
    service_call(s, "GET", "/123456789012/q", NULL, 0, SLICE_NONE);
    service_call(s, "GET", "/other?Action=ListQueues&Version=2012-11-05", NULL, 0, SLICE_NONE);
    service_call(s, "POST", "/", events, 1, SLICE("{}"));
    service_call(s, "POST", "/", NULL, 0, SLICE("Action=ListQueues&Version=2012-11-05"));
    service_call(s, "POST", "/", sns, 1, SLICE("Action=Publish&Version=2010-03-31"));
    service_call(s, "POST", "/", sns, 1, SLICE("Action=ListTopics"));
    assert_int_equal(s->others, 7);
    service_call(s, "GET", "/123456789012/q?Action=SendMessage&MessageBody=x", NULL, 0, SLICE_NONE);
    assert_int_equal(s->status, 200);
    service_call(s, "POST", "/?Action=ListQueues&Version=2012-11-05", NULL, 0, SLICE_NONE);
    assert_int_equal(s->status, 200);
    assert_int_equal(s->others, 7);
    /* who cannot be read is SQS's, unless he says that he is not */
    service_form(s, "/123456789012/q", "Action=SendMessage&MessageBody=%zz");
    assert_int_equal(s->status, 400);
    assert_non_null(strstr(s->body.p, "<Code>MalformedInput</Code>"));
    service_form(s, "/", "Action=Publish&Message=%zz&Version=2010-03-31");
    assert_int_equal(s->others, 8);
    expect_error(s, "Fly", "{}", 400, "InvalidAction", "UnknownOperationException",
                 "The operation Fly is not one of SQS.");
    expect_error(s, "ListQueues", "{]", 400, "MalformedInput", "SerializationException",
                 "The request is not a JSON object.");
    expect_error(s, "ListQueues", "[]", 400, "MalformedInput", "SerializationException",
                 "The request is not a JSON object.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE(messages_in_xml), SERVICE(batches_in_xml), SERVICE(queues_in_xml),
        SERVICE(pages_of_queues), SERVICE(errors_in_xml),  SERVICE(others_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
