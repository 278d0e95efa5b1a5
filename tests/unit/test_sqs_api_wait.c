/* test_sqs_api_wait.c - the SQS API: long polls, changes that take turns, the end of the service,
 * and who may ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/timefmt.h"
#include "sqs_api_service.h"

static const char *const json_headers[] = {"Content-Type: application/x-amz-json-1.0",
                                           "X-Amz-Target: AmazonSQS.ReceiveMessage"};
static const char poll_text[] = "{\"QueueUrl\":\"q\",\"WaitTimeSeconds\":20}";

static void start(struct service *s, struct pair_call *c, const char *const *headers,
                  const char *body)
{
    call_init(s->pair, c, "POST", "/");
    c->http.headers = headers;
    c->http.n_headers = 2;
    c->http.body = slice_of(body);
    http_client_start(s->pair->client, &c->http);
}

static struct service *watched; /* what pair_run's conditions look at */

static bool polls_are_in(struct pair *p)
{
    return sqs_api_pending(watched->api) >= p->want;
}

static void wait_for_polls(struct service *s, size_t n)
{
    watched = s;
    s->pair->want = n;
    pair_run(s->pair, polls_are_in);
}

static void wait_for_answers(struct service *s, size_t n)
{
    s->pair->want = n;
    pair_run(s->pair, pair_calls_done);
}

static void a_long_poll_wakes_for_a_message(void **state)
{
    struct service *s = *state;
    struct pair_call polls[2];
    service_queue(s, "q", "");
    s->pair->done = 0;
    start(s, &polls[0], json_headers, poll_text);
    start(s, &polls[1], json_headers, poll_text);
    wait_for_polls(s, 2);
    expect_ok(s, "SendMessageBatch",
              "{'QueueUrl':'q','Entries':[{'Id':'1','MessageBody':'a'},{'Id':'2','MessageBody':"
              "'b'}]}");
    wait_for_answers(s, 2);
    for (size_t i = 0; i < ARRAY_LEN(polls); i++) {
        service_keep(s, &polls[i]);
        assert_int_equal(json_count(service_at(s, "Messages")), 1);
    }
    assert_int_equal(sqs_api_pending(s->api), 0);
}

/* The queue's own waiting time counts when the request says nothing. */
static void the_queue_says_how_long_to_wait(void **state)
{
    struct service *s = *state;
    struct pair_call poll;
    service_queue(s, "q", "'ReceiveMessageWaitTimeSeconds':'20'");
    s->pair->done = 0;
    start(s, &poll, json_headers, "{\"QueueUrl\":\"q\"}");
    wait_for_polls(s, 1);
    expect_ok(s, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':0}");
    assert_string_equal(s->body.p, "{}");
    assert_int_equal(sqs_api_pending(s->api), 1);
    expect_ok(s, "SendMessage", "{'QueueUrl':'q','MessageBody':'a'}");
    wait_for_answers(s, 1);
    service_keep(s, &poll);
    assert_string_equal(service_text(s, "Messages", "0", "Body"), "a");
}

/* A client that has left gets nothing: the message goes to the next one, received once. */
static void who_has_left_gets_no_message(void **state)
{
    struct service *s = *state;
    struct pair_call poll;
    char text[300];
    service_queue(s, "q", "");
    pair_connect(s->pair);
    snprintf(text, sizeof text,
             "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             strlen(poll_text), poll_text);
    pair_send(s->pair, text);
    wait_for_polls(s, 1);
    pair_hang_up(s->pair);
    s->pair->done = 0;
    start(s, &poll, json_headers,
          "{\"QueueUrl\":\"q\",\"WaitTimeSeconds\":20,\"AttributeNames\":[\"All\"]}");
    wait_for_polls(s, 2);
    expect_ok(s, "SendMessage", "{'QueueUrl':'q','MessageBody':'a'}");
    wait_for_answers(s, 1);
    service_keep(s, &poll);
    assert_string_equal(service_text(s, "Messages", "0", "Body"), "a");
    assert_string_equal(service_text(s, "Messages", "0", "Attributes", "ApproximateReceiveCount"),
                        "1");
}

static void deleting_a_queue_ends_its_polls(void **state)
{
    struct service *s = *state;
    struct pair_call poll;
    service_queue(s, "q", "");
    s->pair->done = 0;
    start(s, &poll, json_headers, poll_text);
    wait_for_polls(s, 1);
    expect_ok(s, "DeleteQueue", "{'QueueUrl':'q'}");
    wait_for_answers(s, 1);
    service_keep(s, &poll);
    assert_int_equal(s->status, 400);
    assert_string_equal(s->fault.p, "AWS.SimpleQueueService.NonExistentQueue;Sender");
}

static void many_polls_wait_and_end_when_the_service_stops(void **state)
{
    struct service *s = *state;
    enum { MANY = 200 };
    static struct pair_call polls[MANY];
    service_queue(s, "q", "");
    s->pair->done = 0;
    for (size_t i = 0; i < MANY; i++)
        start(s, &polls[i], json_headers, poll_text);
    wait_for_polls(s, MANY);
    sqs_api_stop(s->api);
    wait_for_answers(s, MANY);
    for (size_t i = 0; i < MANY; i++) {
        service_keep(s, &polls[i]);
        assert_int_equal(s->status, 200);
        assert_string_equal(s->body.p, "{}");
    }
    service_raw(s, "ReceiveMessage", poll_text); /* from here on nobody waits */
    assert_string_equal(s->body.p, "{}");
}

/* What the store has when the service goes away is answered, and comes back to nobody. */
static void the_end_answers_everybody(void **state)
{
    struct service *s = *state;
    static const char *const names[] = {"SendMessage", "CreateQueue", "CreateQueue",
                                        "ReceiveMessage"};
    static const char *const bodies[] = {"{\"QueueUrl\":\"q\",\"MessageBody\":\"x\"}",
                                         "{\"QueueName\":\"new\"}", "{\"QueueName\":\"new\"}",
                                         poll_text};
    struct pair_call calls[ARRAY_LEN(names)];
    char targets[ARRAY_LEN(names)][64];
    const char *headers[ARRAY_LEN(names)][2];
    service_queue(s, "q", "");
    s->pair->done = 0;
    s->hold = true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(targets[i], sizeof targets[i], "X-Amz-Target: AmazonSQS.%s", names[i]);
        headers[i][0] = json_headers[0];
        headers[i][1] = targets[i];
        start(s, &calls[i], headers[i], bodies[i]);
    }
    service_release(s, ARRAY_LEN(names));
    service_stop(s);
    wait_for_answers(s, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        service_keep(s, &calls[i]);
        assert_int_equal(s->status, i == 3 ? 200 : 503);
        if (i < 3)
            assert_string_equal(s->fault.p, "ServiceUnavailable;Receiver");
    }
}

/* Changes that come at once begin each with what the one before has left. */
static void changes_take_turns(void **state)
{
    struct service *s = *state;
    static const char *const operations[] = {"SetQueueAttributes", "SetQueueAttributes",
                                             "TagQueue",           "TagQueue",
                                             "CreateQueue",        "CreateQueue"};
    static const char *const bodies[] = {
        "{\"QueueUrl\":\"q\",\"Attributes\":{\"DelaySeconds\":\"7\"}}",
        "{\"QueueUrl\":\"q\",\"Attributes\":{\"VisibilityTimeout\":\"8\"}}",
        "{\"QueueUrl\":\"q\",\"Tags\":{\"a\":\"1\"}}",
        "{\"QueueUrl\":\"q\",\"Tags\":{\"b\":\"2\"}}",
        "{\"QueueName\":\"n\",\"Attributes\":{\"DelaySeconds\":\"1\"}}",
        "{\"QueueName\":\"n\",\"Attributes\":{\"DelaySeconds\":\"2\"}}"};
    struct pair_call calls[ARRAY_LEN(operations)];
    char targets[ARRAY_LEN(operations)][64];
    const char *headers[ARRAY_LEN(operations)][2];
    service_queue(s, "q", "");
    s->pair->done = 0;
    s->hold = true;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        snprintf(targets[i], sizeof targets[i], "X-Amz-Target: AmazonSQS.%s", operations[i]);
        headers[i][0] = json_headers[0];
        headers[i][1] = targets[i];
        start(s, &calls[i], headers[i], bodies[i]);
    }
    service_release(s, ARRAY_LEN(operations));
    wait_for_answers(s, ARRAY_LEN(operations));
    int refused = 0;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        service_keep(s, &calls[i]);
        refused += s->status == 400;
        assert_true(s->status == 200 || strcmp(s->fault.p, "QueueAlreadyExists;Sender") == 0);
    }
    assert_int_equal(refused, 1);
    expect_ok(s, "GetQueueAttributes", "{'QueueUrl':'q','AttributeNames':['All']}");
    assert_string_equal(service_text(s, "Attributes", "DelaySeconds"), "7");
    assert_string_equal(service_text(s, "Attributes", "VisibilityTimeout"), "8");
    expect_ok(s, "ListQueueTags", "{'QueueUrl':'q'}");
    assert_int_equal(json_count(service_at(s, "Tags")), 2);
}

static void tags_have_limits(void **state)
{
    struct service *s = *state;
    struct buf body;
    buf_init(&body, 100000);
    service_queue(s, "q", "");
    buf_str(&body, "{'QueueUrl':'q','Tags':{");
    for (int i = 0; i < 50; i++)
        buf_printf(&body, "%s'k%d':'v'", i ? "," : "", i);
    buf_str(&body, "}}");
    expect_ok(s, "TagQueue", body.p);
    expect_ok(s, "TagQueue", "{'QueueUrl':'q','Tags':{'k7':'other'}}");
    expect_error(s, "TagQueue", "{'QueueUrl':'q','Tags':{'one more':'v'}}", 400,
                 "InvalidParameterValue", "InvalidParameterValueException",
                 "Too many tags added for queue q.");
    expect_error(s, "TagQueue", "{'QueueUrl':'q','Tags':{'':'v'}}", 400, "InvalidParameterValue",
                 "InvalidParameterValueException",
                 "Tag keys must be between 1 and 128 characters in length.");
    expect_error(s, "UntagQueue", "{'QueueUrl':'q'}", 400, "MissingParameter",
                 "MissingRequiredParameterException",
                 "The request must contain the parameter TagKeys.");
    buf_free(&body);
}

static void a_look_changes_nothing(void **state)
{
    struct service *s = *state;
    service_queue(s, "q", "");
    expect_ok(s, "SendMessage",
              "{'QueueUrl':'q','MessageBody':'a','MessageAttributes':{'Hello':{'DataType':"
              "'String','StringValue':'World'}}}");
    for (int i = 0; i < 2; i++) {
        service_call(s, "GET", "/_penstock/queues/q/peek?max=3", NULL, 0, SLICE_NONE);
        assert_int_equal(s->status, 200);
        assert_string_equal(
            service_text(s, "Messages", "0", "Attributes", "ApproximateReceiveCount"), "0");
        assert_string_equal(
            service_text(s, "Messages", "0", "MessageAttributes", "Hello", "StringValue"), "World");
        assert_null(service_at(s, "Messages", "0", "ReceiptHandle"));
    }
    service_call(s, "GET", "/_penstock/queues/q/peek?max=11", NULL, 0, SLICE_NONE);
    assert_int_equal(s->status, 400);
    service_call(s, "GET", "/_penstock/queues/none/peek", NULL, 0, SLICE_NONE);
    assert_string_equal(s->fault.p, "AWS.SimpleQueueService.NonExistentQueue;Sender");
}

/* ---- signatures ---- */

/* Asks for the list of queues, signed with these keys at that time. */
static void ask_signed(struct service *s, const struct credentials *keys, int64_t time_ms)
{
    static const char body[] = "{}";
    char date[TIMEFMT_MAX], host[64], date_line[64];
    struct buf auth;
    timefmt_amz(time_ms, date);
    snprintf(host, sizeof host, "127.0.0.1:%u", http_listener_port(s->listener));
    const struct sigv4_header signed_headers[] = {{SLICE("host"), slice_of(host)},
                                                  {SLICE("x-amz-date"), slice_of(date)}};
    const struct sigv4_request r = {.method = SLICE("POST"),
                                    .path = SLICE("/"),
                                    .headers = signed_headers,
                                    .n_headers = 2,
                                    .payload = slice_of(body),
                                    .region = "us-east-1",
                                    .service = "sqs",
                                    .time_ms = time_ms};
    buf_init(&auth, 4096);
    buf_str(&auth, "Authorization: ");
    assert_true(sigv4_authorization(&r, keys, &auth));
    snprintf(date_line, sizeof date_line, "X-Amz-Date: %s", date);
    const char *const headers[] = {"X-Amz-Target: AmazonSQS.ListQueues", date_line, auth.p};
    service_call(s, "POST", "/", headers, 3, slice_of(body));
    buf_free(&auth);
}

static void requests_are_signed_when_there_are_credentials(void **state)
{
    struct service *s = *state;
    static const struct credentials ours = {"AKIDEXAMPLE", "secret", NULL};
    static const struct credentials other_key = {"AKIDOTHER", "secret", NULL};
    static const struct credentials other_secret = {"AKIDEXAMPLE", "guess", NULL};
    int64_t now = loop_wall(s->pair->loop);
    sqs_api_free(s->api);
    s->options.credentials = &ours;
    s->api = sqs_api_new(&s->env, s->queues, &s->options);
    ask_signed(s, &ours, now);
    assert_int_equal(s->status, 200);
    ask_signed(s, &other_key, now);
    assert_int_equal(s->status, 403);
    assert_string_equal(s->fault.p, "InvalidClientTokenId;Sender");
    assert_string_equal(service_text(s, "message"),
                        "The security token included in the request is invalid.");
    ask_signed(s, &other_secret, now);
    assert_int_equal(s->status, 403);
    assert_string_equal(s->fault.p, "SignatureDoesNotMatch;Sender");
    ask_signed(s, &ours, now - SIGV4_SKEW_MS - 60000);
    assert_string_equal(s->fault.p, "SignatureDoesNotMatch;Sender");
    assert_true(slice_starts(json_text(service_at(s, "message")), "Signature expired: "));
    ask_signed(s, &ours, now + SIGV4_SKEW_MS + 60000);
    assert_true(slice_starts(json_text(service_at(s, "message")), "Signature not yet current: "));
    service_ask(s, "ListQueues", "{}");
    assert_int_equal(s->status, 403);
    assert_string_equal(s->fault.p, "MissingAuthenticationToken;Sender");
    service_form(s, "/", "Action=ListQueues&Version=2012-11-05");
    assert_int_equal(s->status, 403);
    assert_non_null(strstr(s->body.p, "<Code>MissingAuthenticationToken</Code>"));
    service_call(s, "GET", "/_penstock/queues/q/peek", NULL, 0, SLICE_NONE);
    assert_int_equal(s->status, 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE(a_long_poll_wakes_for_a_message),
        SERVICE(the_queue_says_how_long_to_wait),
        SERVICE(who_has_left_gets_no_message),
        SERVICE(deleting_a_queue_ends_its_polls),
        SERVICE(many_polls_wait_and_end_when_the_service_stops),
        SERVICE(the_end_answers_everybody),
        SERVICE(changes_take_turns),
        SERVICE(tags_have_limits),
        SERVICE(a_look_changes_nothing),
        SERVICE(requests_are_signed_when_there_are_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
