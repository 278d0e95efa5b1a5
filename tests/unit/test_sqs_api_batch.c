/* test_sqs_api_batch.c - the SQS API: batches, receipt handles, and what FIFO queues ask for. */
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

static const struct {
    const char *operation, *entry;
} batches[] = {
    {"SendMessageBatch", "SendMessageBatchRequestEntry"},
    {"DeleteMessageBatch", "DeleteMessageBatchRequestEntry"},
    {"ChangeMessageVisibilityBatch", "ChangeMessageVisibilityBatchRequestEntry"},
};

/* What is wrong with a batch is checked alike for all three. */
static void whole_batches_are_refused(void **state)
{
    struct service *s = *state;
    char text[200];
    service_queue(s, "q", "");
    for (size_t i = 0; i < ARRAY_LEN(batches); i++) {
        const char *op = batches[i].operation;
        expect_error(s, op, "{'QueueUrl':'q'}", 400, MISSING,
                     "The request must contain the parameter Entries.");
        snprintf(text, sizeof text, "There should be at least one %s in the request.",
                 batches[i].entry);
        expect_error(s, op, "{'QueueUrl':'q','Entries':[]}", 400, OWN("EmptyBatchRequest"), text);
        expect_error(s, op, "{'QueueUrl':'q','Entries':[1,2,3,4,5,6,7,8,9,10,11]}", 400,
                     OWN("TooManyEntriesInBatchRequest"),
                     "Maximum number of entries per request are 10. You have sent 11.");
        snprintf(text, sizeof text, "The request must contain the parameter %s.2.Id.",
                 batches[i].entry);
        expect_error(s, op, "{'QueueUrl':'q','Entries':[{'Id':'a'},{'x':1}]}", 400, MISSING, text);
        expect_error(s, op, "{'QueueUrl':'q','Entries':[{'Id':'a'},{'Id':'a'}]}", 400,
                     OWN("BatchEntryIdsNotDistinct"), "Id a repeated.");
        expect_error(s, op, "{'QueueUrl':'q','Entries':[{'Id':[]}]}", 400, "MalformedInput",
                     "SerializationException", "Start of list found where not expected");
        expect_error(s, op, "{'QueueUrl':'q','Entries':['a']}", 400, "MalformedInput",
                     "SerializationException", "Expected null or structure");
    }
    static const char *const ids[] = {"", " ", "\xc3\xa9", "a:b", "a.b"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        snprintf(text, sizeof text, "{'QueueUrl':'q','Entries':[{'Id':'%s'}]}", ids[i]);
        expect_error(s, "DeleteMessageBatch", text, 400, OWN("InvalidBatchEntryId"),
                     "A batch entry id can only contain alphanumeric characters, hyphens and "
                     "underscores. It can be at most 80 letters long.");
    }
    snprintf(text, sizeof text, "{'QueueUrl':'q','Entries':[{'Id':'%080d','MessageBody':'x'}]}", 0);
    expect_ok(s, "SendMessageBatch", text);
    snprintf(text, sizeof text, "{'QueueUrl':'q','Entries':[{'Id':'%081d','MessageBody':'x'}]}", 0);
    service_ask(s, "SendMessageBatch", text);
    assert_int_equal(s->status, 400);
}

static void expect_failed(const struct service *s, const char *index, const char *id,
                          const char *code, const char *message)
{
    assert_string_equal(service_text(s, "Failed", index, "Id"), id);
    assert_string_equal(service_text(s, "Failed", index, "Code"), code);
    assert_string_equal(service_text(s, "Failed", index, "Message"), message);
    assert_true(json_true(service_at(s, "Failed", index, "SenderFault")));
}

static void a_batch_may_fail_in_part(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "'MaximumMessageSize':1024");
    expect_ok(s, "SendMessageBatch",
              "{'QueueUrl':'q','Entries':[{'Id':'1','MessageBody':'some message','MessageAttributes"
              "':{'data1':{'DataType':'Number','StringValue':'1'},'data2':{'DataType':'Number',"
              "'StringValue':'2'}}},{'Id':'2'},{'Id':'3','MessageBody':'x','DelaySeconds':901},"
              "{'Id':'4','MessageBody':'some message 2','MessageSystemAttributes':{'AWSTraceHeader'"
              ":{'DataType':'String','StringValue':'some-value'}}}]}");
    assert_int_equal(json_count(service_at(s, "Successful")), 2);
    assert_string_equal(service_text(s, "Successful", "0", "Id"), "1");
    assert_string_equal(service_text(s, "Successful", "0", "MD5OfMessageBody"),
                        "df49b60423903e095b80d9b4a92eb065");
    assert_string_equal(service_text(s, "Successful", "0", "MD5OfMessageAttributes"),
                        "b53b5acf24e7fd9567705bd8027b1c76");
    assert_string_equal(service_text(s, "Successful", "1", "Id"), "4");
    assert_string_equal(service_text(s, "Successful", "1", "MD5OfMessageSystemAttributes"),
                        "a3263a0cbc09023ccd431feb61438309");
    assert_int_equal(json_count(service_at(s, "Failed")), 2);
    expect_failed(s, "0", "2", "MissingParameter",
                  "The request must contain the parameter "
                  "SendMessageBatchRequestEntry.2.MessageBody.");
    expect_failed(
        s, "1", "3", "InvalidParameterValue",
        "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= "
        "0 and <= 900.");
    expect_ok(s, "SendMessageBatch", "{'QueueUrl':'q','Entries':[{'Id':'1'}]}");
    assert_int_equal(json_count(service_at(s, "Successful")), 0);
    assert_non_null(service_at(s, "Successful"));
}

static void a_batch_has_a_size(void **state)
{
    struct service *s = *state;
    struct buf body;
    buf_init(&body, 4 << 20);
    service_queue(s, "q", "");
    for (int extra = 0; extra < 2; extra++) {
        buf_clear(&body);
        buf_printf(&body,
                   "{'QueueUrl':'q','Entries':[{'Id':'1','MessageBody':'%0*d'},{'Id':'2',"
                   "'MessageBody':'%0*d'}]}",
                   524288, 0, 524288 + extra, 0);
        if (extra == 0)
            expect_ok(s, "SendMessageBatch", body.p);
        else
            expect_error(
                s, "SendMessageBatch", body.p, 400, OWN("BatchRequestTooLong"),
                "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 "
                "bytes.");
    }
    buf_free(&body);
}

/* ---- receipt handles ---- */

/* Sends and receives one message; its handle. */
static char *taken(struct service *s, const char *queue, const char *send, int visibility_s)
{
    char body[200];
    snprintf(body, sizeof body, "{'QueueUrl':'%s','MessageBody':'x'%s}", queue, send);
    expect_ok(s, "SendMessage", body);
    snprintf(body, sizeof body, "{'QueueUrl':'%s','VisibilityTimeout':%d}", queue, visibility_s);
    expect_ok(s, "ReceiveMessage", body);
    return strdup(service_text(s, "Messages", "0", "ReceiptHandle"));
}

static void with_handle(struct service *s, const char *operation, const char *queue,
                        const char *handle, const char *more)
{
    char body[500];
    snprintf(body, sizeof body, "{'QueueUrl':'%s','ReceiptHandle':'%s'%s}", queue, handle, more);
    service_ask(s, operation, body);
}

static void handles_delete_and_hide(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    service_queue(s, "other", "");
    char *handle = taken(s, "q", "", 100);
    with_handle(s, "ChangeMessageVisibility", "q", handle, ",'VisibilityTimeout':43200");
    assert_int_equal(s->status, 200);
    assert_int_equal(s->body.n, 0);
    with_handle(s, "ChangeMessageVisibility", "q", handle, ",'VisibilityTimeout':0");
    assert_int_equal(s->status, 200);
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'q'}");
    free(handle);
    handle = strdup(service_text(s, "Messages", "0", "ReceiptHandle"));
    with_handle(s, "DeleteMessage", "other", handle, "");
    assert_int_equal(s->status, 400);
    assert_string_equal(s->fault.p, "ReceiptHandleIsInvalid;Sender");
    for (int i = 0; i < 2; i++) { /* deleted before: that is what was wanted */
        with_handle(s, "DeleteMessage", "q", handle, "");
        assert_int_equal(s->status, 200);
        assert_int_equal(s->body.n, 0);
        assert_string_equal(s->kind.p, "application/x-amz-json-1.0");
    }
    with_handle(s, "ChangeMessageVisibility", "q", handle, ",'VisibilityTimeout':1");
    assert_int_equal(s->status, 400);
    assert_non_null(strstr(s->body.p, "Message does not exist or is not available for visibility "
                                      "timeout change."));
    free(handle);
}

static void a_message_that_is_visible_again_stays_so(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    service_queue(s, "q.fifo", "'FifoQueue':'true','ContentBasedDeduplication':'true'");
    char *old = taken(s, "q", "", 0), *ordered = taken(s, "q.fifo", ",'MessageGroupId':'g'", 0);
    with_handle(s, "ChangeMessageVisibility", "q", old, ",'VisibilityTimeout':100");
    assert_int_equal(s->status, 200);
    assert_int_equal(s->body.n, 0);
    with_handle(s, "ChangeMessageVisibility", "q.fifo", ordered, ",'VisibilityTimeout':100");
    assert_int_equal(s->status, 400);
    assert_non_null(strstr(s->body.p, "not available for visibility timeout change."));
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'q.fifo'}");
    assert_int_equal(json_count(service_at(s, "Messages")), 1);
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'q','VisibilityTimeout':50}");
    assert_int_equal(json_count(service_at(s, "Messages")), 1);
    /* of the receive before the last: not this one's business any more */
    with_handle(s, "ChangeMessageVisibility", "q", old, ",'VisibilityTimeout':0");
    assert_int_equal(s->status, 400);
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'q'}");
    assert_null(service_at(s, "Messages"));
    free(old);
    free(ordered);
}

static void handles_are_refused_in_the_words_of_aws(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    expect_error(s, "DeleteMessage", "{'QueueUrl':'q'}", 400, MISSING,
                 "The request must contain the parameter ReceiptHandle.");
    expect_error(s, "DeleteMessage", "{'QueueUrl':'q','ReceiptHandle':'x y'}", 400,
                 BOTH("ReceiptHandleIsInvalid"),
                 "The input receipt handle \"x y\" is not a valid receipt handle.");
    expect_error(s, "ChangeMessageVisibility", "{'QueueUrl':'q','ReceiptHandle':'x'}", 400, MISSING,
                 "The request must contain the parameter VisibilityTimeout.");
    expect_error(
        s, "ChangeMessageVisibility",
        "{'QueueUrl':'q','ReceiptHandle':'x','VisibilityTimeout':43201}", 400, VALUE,
        "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 "
        "and 43200.");
    expect_ok(s, "ChangeMessageVisibilityBatch",
              "{'QueueUrl':'q','Entries':[{'Id':'a','VisibilityTimeout':1},{'Id':'b',"
              "'ReceiptHandle':'x'},{'Id':'c','ReceiptHandle':'x','VisibilityTimeout':-85},{'Id':"
              "'d','ReceiptHandle':'x','VisibilityTimeout':5}]}");
    assert_int_equal(json_count(service_at(s, "Successful")), 0);
    expect_failed(s, "0", "a", "MissingParameter",
                  "The request must contain the parameter ReceiptHandle.");
    expect_failed(s, "1", "b", "MissingParameter",
                  "The request must contain the parameter "
                  "ChangeMessageVisibilityBatchRequestEntry.2.VisibilityTimeout.");
    expect_failed(s, "2", "c", "InvalidParameterValue",
                  "Value -85 for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout "
                  "must be an integer between 0 and 43200.");
    expect_failed(s, "3", "d", "ReceiptHandleIsInvalid",
                  "The input receipt handle \"x\" is not a valid receipt handle.");
}

static void handles_in_batches(void **state)
{
    struct service *s = *state;
    char body[600];
    service_queue(s, "q", "");
    char *one = taken(s, "q", "", 100), *two = taken(s, "q", "", 100);
    snprintf(body, sizeof body,
             "{'QueueUrl':'q','Entries':[{'Id':'1','ReceiptHandle':'%s'},{'Id':'2','ReceiptHandle'"
             ":'dummy'},{'Id':'3','ReceiptHandle':'%s'}]}",
             one, two);
    expect_ok(s, "DeleteMessageBatch", body);
    assert_string_equal(service_text(s, "Successful", "0", "Id"), "1");
    assert_string_equal(service_text(s, "Successful", "1", "Id"), "3");
    expect_failed(s, "0", "2", "ReceiptHandleIsInvalid",
                  "The input receipt handle \"dummy\" is not a valid receipt handle.");
    expect_ok(s, "GetQueueAttributes", "{'QueueUrl':'q','AttributeNames':['All']}");
    assert_string_equal(service_text(s, "Attributes", "ApproximateNumberOfMessagesNotVisible"),
                        "0");
    free(one);
    free(two);
}

/* ---- FIFO ---- */

static const char no_dedup[] = "The queue should either have ContentBasedDeduplication enabled or "
                               "MessageDeduplicationId provided explicitly";

static void fifo_queues_ask_for_more(void **state)
{
    struct service *s = *state;
    service_queue(s, "q.fifo", "'FifoQueue':'true'");
    expect_error(s, "SendMessage", "{'QueueUrl':'q.fifo','MessageBody':'x'}", 400, MISSING,
                 "The request must contain the parameter MessageGroupId.");
    expect_error(s, "SendMessage", "{'QueueUrl':'q.fifo','MessageBody':'x','MessageGroupId':'g'}",
                 400, VALUE, no_dedup);
    expect_error(s, "SendMessage",
                 "{'QueueUrl':'q.fifo','MessageBody':'x','MessageGroupId':'g',"
                 "'MessageDeduplicationId':'1','DelaySeconds':2}",
                 400, VALUE,
                 "Value 2 for parameter DelaySeconds is invalid. Reason: The request include "
                 "parameter that is not valid for this queue type.");
    expect_error(s, "SendMessageBatch",
                 "{'QueueUrl':'q.fifo','Entries':[{'Id':'1','MessageBody':'x'}]}", 400, VALUE,
                 "The request must contain the parameter MessageGroupId.");
    expect_error(s, "SendMessageBatch",
                 "{'QueueUrl':'q.fifo','Entries':[{'Id':'1','MessageBody':'x','MessageGroupId':'g'}"
                 "]}",
                 400, VALUE, no_dedup);
    expect_ok(s, "SendMessage",
              "{'QueueUrl':'q.fifo','MessageBody':'x','MessageGroupId':'g','DelaySeconds':0,"
              "'MessageDeduplicationId':'1'}");
    char *sequence = strdup(service_text(s, "SequenceNumber"));
    char *id = strdup(service_text(s, "MessageId"));
    assert_int_equal(strlen(sequence), 20);
    expect_ok(s, "SendMessage",
              "{'QueueUrl':'q.fifo','MessageBody':'y','MessageGroupId':'g',"
              "'MessageDeduplicationId':'1'}");
    assert_string_equal(service_text(s, "SequenceNumber"), sequence);
    assert_string_equal(service_text(s, "MessageId"), id);
    expect_ok(s, "ReceiveMessage",
              "{'QueueUrl':'q.fifo','AttributeNames':['All'],'ReceiveRequestAttemptId':'try'}");
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "SequenceNumber"), sequence);
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "MessageGroupId"), "g");
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "MessageDeduplicationId"),
                        "1");
    free(sequence);
    free(id);
}

static void a_fifo_handle_expires(void **state)
{
    struct service *s = *state;
    char want[300];
    service_queue(s, "q.fifo", "'FifoQueue':true,'ContentBasedDeduplication':'true'");
    char *handle = taken(s, "q.fifo", ",'MessageGroupId':'g'", 0);
    with_handle(s, "DeleteMessage", "q.fifo", handle, "");
    snprintf(want, sizeof want,
             "Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has "
             "expired.",
             handle);
    assert_int_equal(s->status, 400);
    assert_string_equal(s->fault.p, "InvalidParameterValue;Sender");
    assert_string_equal(service_text(s, "message"), want);
    free(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE(whole_batches_are_refused),
        SERVICE(a_batch_may_fail_in_part),
        SERVICE(a_batch_has_a_size),
        SERVICE(handles_delete_and_hide),
        SERVICE(a_message_that_is_visible_again_stays_so),
        SERVICE(handles_are_refused_in_the_words_of_aws),
        SERVICE(handles_in_batches),
        SERVICE(fifo_queues_ask_for_more),
        SERVICE(a_fifo_handle_expires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
