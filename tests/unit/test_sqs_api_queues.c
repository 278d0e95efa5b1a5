/* test_sqs_api_queues.c - the SQS API: queues, their attributes and tags, dead letters and moves.
 */
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
#define ARN     "arn:aws:sqs:eu-west-1:123456789012:"
#define NO_QUEUE                                                                                   \
    400, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist",                           \
        "The specified queue does not exist."

static void queues_are_made_once(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "'VisibilityTimeout':'5','DelaySeconds':'1'");
    service_queue(s, "q", "");
    service_queue(s, "q", "'DelaySeconds':'1'");
    expect_error(s, "CreateQueue", "{'QueueName':'q','Attributes':{'DelaySeconds':'2'}}", 400,
                 "QueueAlreadyExists", "QueueNameExists",
                 "A queue already exists with the same name and a different value for attribute "
                 "DelaySeconds");
    expect_ok(s, "DeleteQueue", "{'QueueUrl':'q'}");
    expect_error(s, "DeleteQueue", "{'QueueUrl':'q'}", NO_QUEUE);
    service_queue(s, "q", "'DelaySeconds':'2'");
}

static void names_are_checked(void **state)
{
    struct service *s = *state;
    static const char standard[] =
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
    static const char fifo[] =
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
        "underscores, must end with .fifo suffix and be 1 to 80 in length.";
    static const struct {
        const char *name, *attributes, *text;
    } cases[] = {
        {"a.b", "", standard},
        {"\xc3\xa9", "", standard},
        {"q.fifo", "", standard},
        {"123456789.123456789.123456789.123456789.123456789.123456789.123456789.1234567890x", "",
         standard},
        {"q", "'FifoQueue':'true'", fifo},
        {".fifo", "'FifoQueue':'true'", fifo},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[300];
        snprintf(body, sizeof body, "{'QueueName':'%s','Attributes':{%s}}", cases[i].name,
                 cases[i].attributes);
        expect_error(s, "CreateQueue", body, 400, VALUE, cases[i].text);
    }
    expect_error(s, "CreateQueue", "{'QueueName':''}", 400, VALUE, "Queue name cannot be empty");
    expect_error(s, "CreateQueue", "{}", 400, MISSING,
                 "The request must contain the parameter QueueName.");
    expect_error(s, "CreateQueue", "{'QueueName':'q','Attributes':{'FifoQueue':'false'}}", 400,
                 BOTH("InvalidAttributeName"), "Unknown Attribute FifoQueue.");
    expect_error(s, "GetQueueUrl", "{'QueueName':''}", 400, VALUE,
                 "Value for parameter QueueName is invalid. Reason: Must specify a queue name.");
}

static const struct {
    const char *queue, *attribute;
    const char *code, *type, *message;
} bad_attributes[] = {
    {"q", "'DelaySeconds':'901'", BOTH("InvalidAttributeValue"),
     "Invalid value for the parameter DelaySeconds."},
    {"q", "'DelaySeconds':' 6'", BOTH("InvalidAttributeValue"),
     "Invalid value for the parameter DelaySeconds."},
    {"q", "'DelaySeconds':''", BOTH("InvalidAttributeValue"),
     "Invalid value for the parameter DelaySeconds."},
    {"q", "'VisibilityTimeout':true", BOTH("InvalidAttributeValue"),
     "Invalid value for the parameter VisibilityTimeout."},
    {"q", "'MaximumMessageSize':'1023'", BOTH("InvalidAttributeValue"),
     "Invalid value for the parameter MaximumMessageSize."},
    {"q", "'MessageRetentionPeriod':'1209601'", BOTH("InvalidAttributeValue"),
     "Invalid value for the parameter MessageRetentionPeriod."},
    {"q", "'ReceiveMessageWaitTimeSeconds':'-1'", BOTH("InvalidAttributeValue"),
     "Invalid value for the parameter ReceiveMessageWaitTimeSeconds."},
    {"q", "'DelaySeconds':{}", "MalformedInput", "SerializationException",
     "Start of structure or map found where not expected."},
    {"q", "'Foo':'1'", BOTH("InvalidAttributeName"), "Unknown Attribute Foo."},
    {"q", "'QueueArn':'1'", BOTH("InvalidAttributeName"), "Unknown Attribute QueueArn."},
    {"q", "'RedrivePolicy.maxReceiveCount':'1'", BOTH("InvalidAttributeName"),
     "Unknown Attribute RedrivePolicy.maxReceiveCount."},
    {"q", "'FifoQueue':'true'", BOTH("InvalidAttributeName"), "Unknown Attribute FifoQueue."},
    {"q", "'ContentBasedDeduplication':'true'", BOTH("InvalidAttributeName"),
     "Unknown Attribute ContentBasedDeduplication."},
    {"q", "'FifoThroughputLimit':'perQueue'", BOTH("InvalidAttributeName"),
     "You can specify the FifoThroughputLimit only when FifoQueue is set to true."},
    {"f.fifo", "'FifoQueue':'false'", BOTH("InvalidAttributeValue"),
     "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not "
     "supported."},
    {"f.fifo", "'DeduplicationScope':'group'", BOTH("InvalidAttributeValue"),
     "Invalid value for the parameter DeduplicationScope."},
    {"f.fifo", "'FifoThroughputLimit':'perMessageGroupId'", VALUE,
     "The perMessageGroupId value is allowed only when the value for DeduplicationScope is "
     "messageGroup."},
    {"q", "'Policy':'{}'", OWN("UnsupportedOperation"),
     "The attribute Policy is not supported: these queues have one owner and no encryption of "
     "their own."},
    {"q", "'SqsManagedSseEnabled':'true'", OWN("UnsupportedOperation"),
     "The attribute SqsManagedSseEnabled is not supported: these queues have one owner and no "
     "encryption of their own."},
    {"q", "", MISSING, "The request must contain the parameter Attribute.Name."},
};

static void attributes_are_checked(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    service_queue(s, "f.fifo", "'FifoQueue':'true'");
    for (size_t i = 0; i < ARRAY_LEN(bad_attributes); i++) {
        char body[300];
        snprintf(body, sizeof body, "{'QueueUrl':'%s','Attributes':{%s}}", bad_attributes[i].queue,
                 bad_attributes[i].attribute);
        expect_error(s, "SetQueueAttributes", body, 400, bad_attributes[i].code,
                     bad_attributes[i].type, bad_attributes[i].message);
    }
    expect_ok(s, "SetQueueAttributes",
              "{'QueueUrl':'q','Attributes':{'Policy':'','KmsMasterKeyId':'',"
              "'SqsManagedSseEnabled':'false'}}");
    expect_error(s, "GetQueueAttributes", "{'QueueUrl':'q','AttributeNames':['All','Foo']}", 400,
                 BOTH("InvalidAttributeName"), "Unknown Attribute Foo.");
}

static void attributes_are_told(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    expect_ok(s, "GetQueueAttributes", "{'QueueUrl':'q','AttributeNames':['All']}");
    assert_int_equal(json_count(service_at(s, "Attributes")), 12);
    assert_string_equal(service_text(s, "Attributes", "QueueArn"), ARN "q");
    assert_string_equal(service_text(s, "Attributes", "MaximumMessageSize"), "1048576");
    assert_string_equal(service_text(s, "Attributes", "MessageRetentionPeriod"), "345600");
    expect_ok(s, "SetQueueAttributes",
              "{'QueueUrl':'q','Attributes':{'DelaySeconds':'420','VisibilityTimeout':69}}");
    expect_ok(s, "GetQueueAttributes",
              "{'QueueUrl':'q','AttributeNames':['DelaySeconds','VisibilityTimeout',"
              "'RedrivePolicy']}");
    assert_string_equal(s->body.p, "{\"Attributes\":{\"VisibilityTimeout\":\"69\","
                                   "\"DelaySeconds\":\"420\"}}");
    expect_ok(s, "GetQueueAttributes", "{'QueueUrl':'q'}");
    assert_string_equal(s->body.p, "{}");
    service_queue(s, "f.fifo", "'FifoQueue':'true','DeduplicationScope':'messageGroup'");
    expect_ok(s, "GetQueueAttributes",
              "{'QueueUrl':'f.fifo','AttributeNames':['FifoQueue','ContentBasedDeduplication',"
              "'DeduplicationScope','FifoThroughputLimit']}");
    assert_string_equal(s->body.p,
                        "{\"Attributes\":{\"FifoQueue\":\"true\",\"ContentBasedDeduplication\":"
                        "\"false\",\"DeduplicationScope\":\"messageGroup\","
                        "\"FifoThroughputLimit\":\"perQueue\"}}");
}

#define CANNOT "Amazon SQS can't create the redrive allow policy"
static const char odd[] = "Invalid value for the parameter RedriveAllowPolicy. Reason: " CANNOT
                          ", as it\xe2\x80\x99s in an unsupported format.";
static const struct {
    const char *attribute, *value, *reason; /* reason NULL: whole text in value's place below */
} bad_policies[] = {
    {"RedrivePolicy", "{}",
     "Redrive policy does not contain mandatory attribute: maxReceiveCount."},
    {"RedrivePolicy", "{\"maxReceiveCount\":5}",
     "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."},
    {"RedrivePolicy", "{\"deadLetterTargetArn\":\"" ARN "dead\",\"maxReceiveCount\":-36}",
     "Invalid value for maxReceiveCount: -36, valid values are from 1 to 1000 both inclusive."},
    {"RedrivePolicy", "{\"deadLetterTargetArn\": \"dummy\", \"maxReceiveCount\": 42}",
     "Invalid value for deadLetterTargetArn."},
    {"RedrivePolicy", "{\"deadLetterTargetArn\":\"arn:aws:sns:a:1:b\",\"maxReceiveCount\":5}",
     "Only SQS queues are valid resources for deadLetterTargetArn."},
    {"RedrivePolicy", "{\"deadLetterTargetArn\":\"" ARN "d.fifo\",\"maxReceiveCount\":5}",
     "Dead-letter queue must be same type of queue as the source."},
    {"RedrivePolicy", "{\"deadLetterTargetArn\":\"" ARN "none\",\"maxReceiveCount\":5}",
     "Dead letter target does not exist."},
    {"RedrivePolicy", "{\"deadLetterTargetArn\":\"" ARN "q\",\"maxReceiveCount\":5}",
     "A queue cannot be its own dead-letter queue."},
    {"RedrivePolicy", "{\"deadLetterTargetArn\":\"" ARN "closed\",\"maxReceiveCount\":5}",
     "The dead-letter queue's RedriveAllowPolicy does not allow this source queue."},
    {"RedrivePolicy",
     "{\"deadLetterTargetArn\":\"" ARN "dead\",\"maxReceiveCount\":5,\"dummy\":\"x\"}",
     "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn]."},
    {"RedrivePolicy", " ", NULL},
    {"RedrivePolicy", "[]", NULL},
    {"RedriveAllowPolicy", "[]", NULL},
    {"RedriveAllowPolicy", "{}", NULL},
    {"RedriveAllowPolicy", "{\"redrivePermission\":\"ALL\"}", NULL},
    {"RedriveAllowPolicy", "{\"redrivePermission\":\"allowAll\",\"x\":1}", NULL},
    {"RedriveAllowPolicy", "{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":\"a\"}", NULL},
    {"RedriveAllowPolicy", "{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[1]}", NULL},
    {"RedriveAllowPolicy", "{\"redrivePermission\":\"byQueue\"}",
     CANNOT ". When you specify the byQueue permission type, you must also specify one or more "
            "sourceQueueArns values."},
    {"RedriveAllowPolicy", "{\"redrivePermission\":\"denyAll\",\"sourceQueueArns\":[\"" ARN "x\"]}",
     CANNOT ". To specify one or more source queue ARNs, you must set redrivePermission to "
            "byQueue."},
};

static void policies_are_checked(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    service_queue(s, "dead", "");
    service_queue(s, "closed", "'RedriveAllowPolicy':'{\\'redrivePermission\\':\\'denyAll\\'}'");
    for (size_t i = 0; i < ARRAY_LEN(bad_policies); i++) {
        char want[600];
        struct buf body;
        buf_init(&body, 1000);
        buf_printf(&body, "{\"QueueUrl\":\"q\",\"Attributes\":{\"%s\":\"",
                   bad_policies[i].attribute);
        for (const char *p = bad_policies[i].value; *p; p++)
            buf_printf(&body, *p == '"' ? "\\%c" : "%c", *p);
        buf_str(&body, "\"}}");
        if (bad_policies[i].reason != NULL)
            snprintf(want, sizeof want, "Value %s for parameter %s is invalid. Reason: %s",
                     bad_policies[i].value, bad_policies[i].attribute, bad_policies[i].reason);
        else
            snprintf(want, sizeof want, "%s",
                     strcmp(bad_policies[i].attribute, "RedrivePolicy") == 0
                         ? "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy "
                           "is not a valid JSON map."
                         : odd);
        service_raw(s, "SetQueueAttributes", body.p);
        assert_int_equal(s->status, 400);
        assert_string_equal(s->fault.p, "InvalidParameterValue;Sender");
        assert_string_equal(service_text(s, "message"), want);
        buf_free(&body);
    }
}

static void dead_letters_go_and_come_back(void **state)
{
    struct service *s = *state;
    service_queue(s, "dead",
                  "'RedriveAllowPolicy':'{\\'redrivePermission\\':\\'byQueue\\',"
                  "\\'sourceQueueArns\\':[\\'" ARN "q\\']}'");
    service_queue(s, "q",
                  "'RedrivePolicy':'{\\'maxReceiveCount\\':\\'1\\',\\'deadLetterTargetArn\\':"
                  "\\'" ARN "dead\\'}'");
    expect_ok(s, "GetQueueAttributes", "{'QueueUrl':'q','AttributeNames':['RedrivePolicy']}");
    assert_string_equal(service_text(s, "Attributes", "RedrivePolicy"),
                        "{\"deadLetterTargetArn\":\"" ARN "dead\",\"maxReceiveCount\":1}");
    expect_ok(s, "ListDeadLetterSourceQueues", "{'QueueUrl':'dead'}");
    assert_int_equal(json_count(service_at(s, "queueUrls")), 1);
    expect_ok(s, "ListDeadLetterSourceQueues", "{'QueueUrl':'q'}");
    assert_string_equal(s->body.p, "{\"queueUrls\":[]}");
    expect_ok(s, "SendMessage", "{'QueueUrl':'q','MessageBody':'x'}");
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'q','VisibilityTimeout':0}");
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'q','VisibilityTimeout':0}");
    assert_string_equal(s->body.p, "{}");
    expect_ok(s, "ReceiveMessage",
              "{'QueueUrl':'dead','VisibilityTimeout':0,'AttributeNames':['All']}");
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "DeadLetterQueueSourceArn"),
                        ARN "q");
    expect_ok(s, "StartMessageMoveTask", "{'SourceArn':'" ARN "dead'}");
    assert_true(json_text(service_at(s, "TaskHandle")).n > 0);
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':20}");
    assert_string_equal(service_text(s, "Messages", "0", "Body"), "x");
    do
        expect_ok(s, "ListMessageMoveTasks", "{'SourceArn':'" ARN "dead','MaxResults':10}");
    while (strcmp(service_text(s, "Results", "0", "Status"), "RUNNING") == 0);
    assert_string_equal(service_text(s, "Results", "0", "Status"), "COMPLETED");
    assert_string_equal(service_text(s, "Results", "0", "SourceArn"), ARN "dead");
    assert_null(service_at(s, "Results", "0", "TaskHandle"));
    assert_non_null(service_at(s, "Results", "0", "StartedTimestamp"));
}

static void moves_are_refused_in_the_words_of_aws(void **state)
{
    struct service *s = *state;
    service_queue(s, "dead", "");
    service_queue(s, "d.fifo", "'FifoQueue':'true'");
    service_queue(s, "q",
                  "'RedrivePolicy':'{\\'maxReceiveCount\\':1,\\'deadLetterTargetArn\\':\\'" ARN
                  "dead\\'}'");
    static const struct {
        const char *operation, *member;
        int status;
        const char *code, *type, *message;
    } cases[] = {
        {"StartMessageMoveTask", "'x':1", 400, MISSING,
         "The request must contain the parameter SourceArn."},
        {"StartMessageMoveTask", "'SourceArn':'dead'", 400, VALUE,
         "You must use this format to specify the SourceArn: "
         "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"},
        {"ListMessageMoveTasks", "'SourceArn':'" ARN "none'", 404,
         BOTH("ResourceNotFoundException"),
         "The resource that you specified for the SourceArn parameter doesn't exist."},
        {"StartMessageMoveTask", "'SourceArn':'" ARN "q'", 400, VALUE,
         "Source queue must be configured as a Dead Letter Queue."},
        {"StartMessageMoveTask", "'SourceArn':'" ARN "dead','DestinationArn':'" ARN "none'", 404,
         BOTH("ResourceNotFoundException"),
         "The resource that you specified for the DestinationArn parameter doesn't exist."},
        {"StartMessageMoveTask", "'SourceArn':'" ARN "dead','DestinationArn':'" ARN "dead'", 400,
         VALUE, "Source queue arn and destination queue arn cannot be the same."},
        {"StartMessageMoveTask", "'SourceArn':'" ARN "dead','DestinationArn':'" ARN "d.fifo'", 400,
         VALUE, "The source queue and destination queue must be of the same queue type."},
        {"StartMessageMoveTask", "'SourceArn':'" ARN "dead','MaxNumberOfMessagesPerSecond':0", 400,
         VALUE,
         "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a "
         "number that's between 1 and 500."},
        {"CancelMessageMoveTask", "'TaskHandle':'none'", 404, BOTH("ResourceNotFoundException"),
         "Task does not exist."},
        {"CancelMessageMoveTask",
         "'TaskHandle':'123456789 123456789 123456789 123456789 "
         "123456789 123456789 123456789'",
         400, VALUE, "Value for parameter TaskHandle is invalid."},
        {"AddPermission", "'QueueUrl':'q'", 400, OWN("UnsupportedOperation"),
         "AddPermission is not supported: these queues have one owner, who may do everything."},
        {"RemovePermission", "'QueueUrl':'q'", 400, OWN("UnsupportedOperation"),
         "RemovePermission is not supported: these queues have one owner, who may do everything."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[300];
        snprintf(body, sizeof body, "{%s}", cases[i].member);
        expect_error(s, cases[i].operation, body, cases[i].status, cases[i].code, cases[i].type,
                     cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE(queues_are_made_once),
        SERVICE(names_are_checked),
        SERVICE(attributes_are_checked),
        SERVICE(attributes_are_told),
        SERVICE(policies_are_checked),
        SERVICE(dead_letters_go_and_come_back),
        SERVICE(moves_are_refused_in_the_words_of_aws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
