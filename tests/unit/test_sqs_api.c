/* test_sqs_api.c - the SQS API over JSON: messages from their sending to their deletion, and every
 * way in which a request about them can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sqs_api_service.h"

#define VALUE   "InvalidParameterValue", "InvalidParameterValueException"
#define MISSING "MissingParameter", "MissingRequiredParameterException"
#define BOTH(e) e, e
#define OWN(e)  "AWS.SimpleQueueService." e, e

static const char bad_text[] =
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
    "#xE000 to #xFFFD | #x10000 to #x10FFFF";

/* A receive of one message, at once visible again. */
static void receive(struct service *s, const char *more)
{
    char body[500];
    snprintf(body, sizeof body, "{'QueueUrl':'q','VisibilityTimeout':0%s}", more);
    expect_ok(s, "ReceiveMessage", body);
    assert_int_equal(json_count(service_at(s, "Messages")), 1);
}

static void a_message_comes_back_with_all_it_was_sent_with(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    expect_ok(
        s, "SendMessage",
        "{'QueueUrl':'http://any/123456789012/q','MessageBody':'Test Message','MessageGroupId'"
        ":'tenant','MessageAttributes':{'Hello':{'DataType':'String','StringValue':'World'}},"
        "'MessageSystemAttributes':{'AWSTraceHeader':{'DataType':'String','StringValue':"
        "'some-trace-id'}}}");
    assert_string_equal(service_text(s, "MD5OfMessageBody"), "d1d4180b7e411c4be86b00fb2ee103eb");
    assert_string_equal(service_text(s, "MD5OfMessageAttributes"),
                        "7db7fb1ba7f41366a8ea5eb18220b26d");
    assert_string_equal(service_text(s, "MD5OfMessageSystemAttributes"),
                        "fdce4f2818803f2f73becc09a54792c0");
    assert_null(service_at(s, "SequenceNumber"));
    char *id = strdup(service_text(s, "MessageId"));
    receive(s, ",'AttributeNames':['SenderId','SentTimestamp'],'MessageSystemAttributeNames':["
               "'All'],'MessageAttributeNames':['All']");
    assert_string_equal(service_text(s, "Messages", "0", "MessageId"), id);
    assert_string_equal(service_text(s, "Messages", "0", "Body"), "Test Message");
    assert_string_equal(service_text(s, "Messages", "0", "MD5OfBody"),
                        "d1d4180b7e411c4be86b00fb2ee103eb");
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "SenderId"), "123456789012");
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "ApproximateReceiveCount"),
                        "1");
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "AWSTraceHeader"),
                        "some-trace-id");
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "MessageGroupId"), "tenant");
    assert_string_equal(
        service_text(s, "Messages", "0", "MessageAttributes", "Hello", "StringValue"), "World");
    assert_string_equal(service_text(s, "Messages", "0", "MD5OfMessageAttributes"),
                        "7db7fb1ba7f41366a8ea5eb18220b26d");
    free(id);
}

/* Hashes as AWS answered them: over those that are returned. */
static void attributes_are_selected_by_name_and_prefix(void **state)
{
    struct service *s = *state;
    static const struct {
        const char *names, *md5;
        size_t n;
    } cases[] = {{"'All'", "4c360f3fdafd970e05fae2f149d997f5", 3},
                 {"'.*'", "4c360f3fdafd970e05fae2f149d997f5", 3},
                 {"'General','Hello'", "fca026605781cb4126a1e9044df24232", 2},
                 {"'Hello','Foo'", "a311262e065454b75da111d535b8dacd", 1},
                 {"'Hel.*'", "83fee93c1bcd8b9a5a923ffacdc636c7", 2},
                 {"'Foo','hello'", NULL, 0}};
    service_queue(s, "q", "");
    expect_ok(s, "SendMessage",
              "{'QueueUrl':'q','MessageBody':'msg','MessageAttributes':{'Hello':{'DataType':"
              "'String','StringValue':'There'},'General':{'DataType':'String','StringValue':"
              "'Kenobi'},'Help.Me':{'DataType':'String','StringValue':'Me'}}}");
    assert_string_equal(service_text(s, "MD5OfMessageAttributes"), cases[0].md5);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char more[100];
        snprintf(more, sizeof more, ",'MessageAttributeNames':[%s]", cases[i].names);
        receive(s, more);
        assert_int_equal(json_count(service_at(s, "Messages", "0", "MessageAttributes")),
                         cases[i].n);
        assert_non_null(service_at(s, "Messages", "0", "MessageAttributes"));
        const struct json *md5 = service_at(s, "Messages", "0", "MD5OfMessageAttributes");
        if (cases[i].md5 == NULL)
            assert_null(md5);
        else
            assert_string_equal(json_text(md5).p, cases[i].md5);
    }
    receive(s, "");
    assert_null(service_at(s, "Messages", "0", "MessageAttributes"));
    assert_null(service_at(s, "Messages", "0", "Attributes"));
    receive(s, ",'AttributeNames':['ApproximateReceiveCount']");
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "ApproximateReceiveCount"),
                        "8");
    assert_int_equal(json_count(service_at(s, "Messages", "0", "Attributes")), 1);
}

static void binary_values_and_odd_text_survive(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    service_raw(
        s, "SendMessage",
        "{\"QueueUrl\":\"q\",\"MessageBody\":\"\\u00e9\\t\\r\\n\\\"\\ud83d\\ude00\xc3\xa9\","
        "\"MessageAttributes\":{\"b\":{\"DataType\":\"Binary.png\",\"BinaryValue\":"
        "\"AP8B\"},\"n\":{\"DataType\":\"Number\",\"StringValue\":\"1493147359900\"}}}");
    assert_int_equal(s->status, 200);
    receive(s, ",'MessageAttributeNames':['b']");
    assert_string_equal(service_text(s, "Messages", "0", "Body"),
                        "\xc3\xa9\t\r\n\"\xf0\x9f\x98\x80\xc3\xa9");
    assert_string_equal(service_text(s, "Messages", "0", "MessageAttributes", "b", "BinaryValue"),
                        "AP8B");
    assert_string_equal(service_text(s, "Messages", "0", "MessageAttributes", "b", "DataType"),
                        "Binary.png");
}

/* Numbers and booleans where texts should be are taken as texts, as AWS does. */
static void scalars_become_texts(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "'DelaySeconds':0,'ReceiveMessageWaitTimeSeconds':null");
    expect_ok(s, "SendMessage",
              "{'QueueUrl':'q','MessageBody':false,'MessageAttributes':{'attrib1':{'DataType':"
              "'String','StringValue':2345},'attrib2':{'DataType':'String','StringValue':true}}}");
    assert_string_equal(service_text(s, "MD5OfMessageBody"), "68934a3e9455fa72420237eb05902327");
    assert_string_equal(service_text(s, "MD5OfMessageAttributes"),
                        "c92eae09ef2c14cd949cc265ebc9cb50");
}

static void messages_are_refused_in_the_words_of_aws(void **state)
{
    struct service *s = *state;
    static const struct {
        const char *member;
        const char *code, *type, *message;
    } cases[] = {
        {"'x':1", MISSING, "The request must contain the parameter MessageBody."},
        {"'MessageBody':''", MISSING, "The request must contain the parameter MessageBody."},
        {"'MessageBody':{}", "MalformedInput", "SerializationException",
         "Start of structure or map found where not expected."},
        {"'MessageBody':['a']", "MalformedInput", "SerializationException",
         "Start of list found where not expected"},
        {"'MessageBody':'a','DelaySeconds':'x'", "MalformedInput", "SerializationException",
         "STRING_VALUE can not be converted to an Integer"},
        {"'MessageBody':'a','DelaySeconds':-1", VALUE,
         "Value -1 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= "
         "900."},
        {"'MessageBody':'a\\u0001'", BOTH("InvalidMessageContents"), bad_text},
        {"'MessageBody':'a\\u0000'", BOTH("InvalidMessageContents"), bad_text},
        {"'MessageBody':'a\\ud800'", BOTH("InvalidMessageContents"), bad_text},
        {"'MessageBody':'1234567\\uffff'", BOTH("InvalidMessageContents"), bad_text},
        {"'MessageBody':'a','MessageDeduplicationId':'1'", VALUE,
         "Value 1 for parameter MessageDeduplicationId is invalid. Reason: The request include "
         "parameter that is not valid for this queue type."},
        {"'MessageBody':'a','MessageGroupId':'a b'", VALUE,
         "Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only "
         "include alphanumeric and punctuation characters. 1 to 128 in length."},
        {"'MessageBody':'a','MessageSystemAttributes':{'Hello':{'DataType':'String','StringValue':"
         "'x'}}",
         VALUE, "Message system attribute name 'Hello' is invalid."},
    };
    service_queue(s, "q", "");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[600];
        snprintf(body, sizeof body, "{'QueueUrl':'q',%s}", cases[i].member);
        expect_error(s, "SendMessage", body, 400, cases[i].code, cases[i].type, cases[i].message);
    }
}

static void message_attributes_are_checked(void **state)
{
    struct service *s = *state;
    static const struct {
        const char *attribute;
        const char *code, *type, *message;
    } cases[] = {
        {"'':{'DataType':'String','StringValue':'x'}", VALUE,
         "The request must contain non-empty message (user) attribute names."},
        {"'Hello':{}", VALUE,
         "The message (user) attribute 'Hello' must contain a non-empty message attribute value."},
        {"'Hello':{'StringValue':'x'}", VALUE,
         "The message (user) attribute 'Hello' must contain a non-empty message attribute type."},
        {"'Hello':{'DataType':'String','StringValue':''}", VALUE,
         "Message (user) attribute 'Hello' must contain a non-empty value of type 'String'."},
        {"'Hello':{'DataType':'Binary','StringValue':'x'}", VALUE,
         "Message (user) attribute 'Hello' must contain a non-empty value of type 'Binary'."},
        {"'Hello':{'DataType':'Binary','BinaryValue':'x'}", VALUE, "A BinaryValue is not base64."},
        {"'Hello':{'DataType':'Number','StringValue':'world'}", VALUE,
         "Can't cast the value of message (user) attribute 'Hello' to a number."},
        {"'Hello':{'DataType':'Number','StringValue':'1e'}", VALUE,
         "Can't cast the value of message (user) attribute 'Hello' to a number."},
        {"'Hello':{'DataType':'Strings','StringValue':'x'}", VALUE,
         "The type of message (user) attribute 'Hello' is invalid. You must use only the following "
         "supported type prefixes: Binary, Number, String."},
        {"'Hello':{'DataType':'StringList','StringListValues':['x']}", OWN("UnsupportedOperation"),
         "Message attribute list values in SendMessage operation are not supported."},
        {"'aws.x':{'DataType':'String','StringValue':'x'}", VALUE,
         "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. These strings "
         "are reserved for internal use."},
        {"'a b':{'DataType':'String','StringValue':'x'}", VALUE,
         "Message (user) attributes name can only contain upper and lower score characters, "
         "digits, periods, hyphens and underscores. "},
        {"'a':{'DataType':'String','StringValue':'\\u0002'}", BOTH("InvalidMessageContents"),
         bad_text},
        {"'a':7", "MalformedInput", "SerializationException", "Expected null or map"},
    };
    service_queue(s, "q", "");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[600];
        snprintf(body, sizeof body, "{'QueueUrl':'q','MessageBody':'b','MessageAttributes':{%s}}",
                 cases[i].attribute);
        expect_error(s, "SendMessage", body, 400, cases[i].code, cases[i].type, cases[i].message);
    }
    static const char *const numbers[] = {"0", "-1", "+1.5", ".5", "1.", "1e-10", "00012", "1E128"};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        char body[600];
        snprintf(body, sizeof body,
                 "{'QueueUrl':'q','MessageBody':'b','MessageAttributes':{'n':{'DataType':'Number',"
                 "'StringValue':'%s'}}}",
                 numbers[i]);
        expect_ok(s, "SendMessage", body);
    }
}

/* Ten are allowed; of one name the last counts. */
static void attributes_are_counted(void **state)
{
    struct service *s = *state;
    struct buf body;
    buf_init(&body, 10000);
    service_queue(s, "q", "");
    for (int most = 10; most <= 11; most++) {
        buf_clear(&body);
        buf_str(&body, "{'QueueUrl':'q','MessageBody':'b','MessageAttributes':{");
        for (int i = 0; i < most; i++)
            buf_printf(&body, "%s'a%d':{'DataType':'String','StringValue':'x'}", i ? "," : "", i);
        buf_str(&body, "}}");
        if (most == 10)
            expect_ok(s, "SendMessage", body.p);
        else
            expect_error(s, "SendMessage", body.p, 400, VALUE,
                         "Number of message attributes [11] exceeds the allowed maximum [10].");
    }
    expect_ok(s, "SendMessage",
              "{'QueueUrl':'q','MessageBody':'b','MessageAttributes':{'Hello':{'DataType':'Number',"
              "'StringValue':'x'},'Hello':{'DataType':'String','StringValue':'World'}}}");
    assert_string_equal(service_text(s, "MD5OfMessageAttributes"),
                        "7db7fb1ba7f41366a8ea5eb18220b26d");
    buf_free(&body);
}

/* Body, names, types and values count together. */
static void the_size_of_a_message_has_a_limit(void **state)
{
    struct service *s = *state;
    struct buf body;
    buf_init(&body, 8 << 20);
    service_queue(s, "q", "'MaximumMessageSize':'1024'");
    service_queue(s, "large", "");
    for (size_t extra = 0; extra < 2; extra++) {
        buf_clear(&body);
        buf_printf(&body,
                   "{'QueueUrl':'q','MessageBody':'%0*d','MessageAttributes':{'Yolo':{"
                   "'DataType':'Number.customtype','StringValue':'12345678901234567890'},"
                   "'bin':{'DataType':'Binary','BinaryValue':'AP8BAQ=='}}}",
                   (int)(1024 - 41 - 13 + extra), 0);
        if (extra == 0)
            expect_ok(s, "SendMessage", body.p);
        else
            expect_error(s, "SendMessage", body.p, 400, VALUE,
                         "One or more parameters are invalid. Reason: Message must be shorter than "
                         "1024 bytes.");
        buf_clear(&body);
        buf_printf(&body, "{'QueueUrl':'large','MessageBody':'%0*d'}", (int)(1048576 + extra), 0);
        if (extra == 0)
            expect_ok(s, "SendMessage", body.p);
        else
            expect_error(s, "SendMessage", body.p, 400, VALUE,
                         "One or more parameters are invalid. Reason: Message must be shorter than "
                         "1048576 bytes.");
    }
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'large'}");
    assert_int_equal(json_text(service_at(s, "Messages", "0", "Body")).n, 1048576);
    buf_clear(&body);
    buf_printf(&body, "{'QueueUrl':'large','MessageBody':'%0*d'}", SERVICE_BODY_MAX, 0);
    expect_error(s, "SendMessage", body.p, 400, VALUE,
                 "One or more parameters are invalid. Reason: Message must be shorter than 1048576 "
                 "bytes.");
    buf_free(&body);
}

static void receives_are_refused_in_the_words_of_aws(void **state)
{
    struct service *s = *state;
    static const struct {
        const char *member;
        const char *code, *type, *message;
    } cases[] = {
        {"'MaxNumberOfMessages':11", VALUE,
         "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, "
         "if provided."},
        {"'MaxNumberOfMessages':0", VALUE,
         "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, "
         "if provided."},
        {"'WaitTimeSeconds':21", VALUE,
         "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if "
         "provided."},
        {"'VisibilityTimeout':43201", VALUE,
         "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= "
         "43200, if provided."},
        {"'AttributeNames':['Foo']", BOTH("InvalidAttributeName"), "Unknown Attribute Foo."},
        {"'MessageSystemAttributeNames':['all']", BOTH("InvalidAttributeName"),
         "Unknown Attribute all."},
        {"'MessageAttributeNames':[1]", "MalformedInput", "SerializationException",
         "MessageAttributeNames must be strings."},
        {"'MessageAttributeNames':'All'", "MalformedInput", "SerializationException",
         "Expected list or map"},
        {"'WaitTimeSeconds':1.5", "MalformedInput", "SerializationException",
         "NUMBER_VALUE can not be converted to an Integer"},
        {"'ReceiveRequestAttemptId':'x'", VALUE,
         "Value x for parameter ReceiveRequestAttemptId is invalid. Reason: The request include "
         "parameter that is not valid for this queue type."},
    };
    service_queue(s, "q", "");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[300];
        snprintf(body, sizeof body, "{'QueueUrl':'q',%s}", cases[i].member);
        expect_error(s, "ReceiveMessage", body, 400, cases[i].code, cases[i].type,
                     cases[i].message);
    }
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'q'}");
    assert_string_equal(s->body.p, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE(a_message_comes_back_with_all_it_was_sent_with),
        SERVICE(attributes_are_selected_by_name_and_prefix),
        SERVICE(binary_values_and_odd_text_survive),
        SERVICE(scalars_become_texts),
        SERVICE(messages_are_refused_in_the_words_of_aws),
        SERVICE(message_attributes_are_checked),
        SERVICE(attributes_are_counted),
        SERVICE(the_size_of_a_message_has_a_limit),
        SERVICE(receives_are_refused_in_the_words_of_aws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
