/* test_aws_client.c - signed and unsigned calls, and what arrives at the other end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aws_bench.h"

static void test_unsigned_to_own_endpoint(void **state)
{
    struct bench *b = *state;
    const char *name = "sqs", *url = b->url;
    struct option_map services = {&name, &url, 1};
    struct aws_client *client = client_of(b, "eu-west-1", &services);
    call_once(b, client);
    assert_string_equal(b->authorization, "");
    assert_string_equal(b->date, "");
    assert_string_equal(b->host, b->url + strlen("http://"));
    assert_string_equal(b->path, "/");
    assert_string_equal(b->body, "{\"a\":1}");
    char *endpoint = aws_client_endpoint(client, "sqs", NULL);
    assert_string_equal(endpoint, b->url);
    free(endpoint);
    endpoint = aws_client_endpoint(client, "lambda", NULL);
    assert_string_equal(endpoint, "https://lambda.eu-west-1.amazonaws.com");
    free(endpoint);
    endpoint = aws_client_endpoint(client, "lambda", "cn-north-1");
    assert_string_equal(endpoint, "https://lambda.cn-north-1.amazonaws.com.cn");
    free(endpoint);
    aws_client_free(client);
}

static void test_signed_from_environment(void **state)
{
    struct bench *b = *state;
    setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret/one", 1);
    setenv("AWS_SESSION_TOKEN", "token==", 1);
    setenv("AWS_ENDPOINT_URL", b->url, 1);
    b->known = (struct credentials){"AKIDENV", "secret/one", "token=="};
    struct aws_client *client = client_of(b, "eu-west-1", NULL);
    call_once(b, client);
    assert_int_equal(b->verdict, SIGV4_VALID);
    assert_string_equal(b->token, "token==");
    assert_non_null(strstr(b->authorization, "/eu-west-1/sqs/aws4_request"));
    assert_non_null(strstr(b->authorization, "host;x-amz-date;x-amz-security-token"));
    b->known.secret_key = "another";
    call_once(b, client);
    assert_int_equal(b->verdict, SIGV4_MISMATCH);
    aws_client_free(client);
}

static void test_odd_paths_and_headers(void **state)
{
    struct bench *b = *state;
    setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    b->known = (struct credentials){"AKIDENV", "secret", NULL};
    struct aws_client *client = client_of(b, "us-east-1", NULL);
    struct caller c;
    prepare(&c, b, client);
    const char *headers[] = {"X-Amz-Invocation-Type: Event", "Content-Type:  a/b;   c=d "};
    char *base = mem_printf("%s/prefix/", b->url);
    c.call.endpoint = base;
    c.call.service = "lambda";
    c.call.region = "ap-south-1";
    c.call.path = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax/invocations";
    c.call.query = "Qualifier=%24LATEST&b&a=1";
    c.call.headers = headers;
    c.call.n_headers = 2;
    run(&c);
    assert_int_equal(c.call.http.status, 200);
    assert_string_equal(b->path, "/prefix/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax/invocations");
    assert_string_equal(b->query, "Qualifier=%24LATEST&b&a=1");
    assert_int_equal(b->verdict, SIGV4_VALID);
    assert_non_null(strstr(b->authorization, "/ap-south-1/lambda/"));
    assert_non_null(
        strstr(b->authorization, "content-type;host;x-amz-date;x-amz-invocation-type,"));
    aws_call_clear(&c.call);
    prepare(&c, b, client);
    c.call.endpoint = base;
    c.call.service = "s3";
    c.call.path = "/bkt/a%20b//..";
    run(&c);
    assert_int_equal(c.call.http.status, 200);
    assert_int_equal(b->verdict, SIGV4_VALID);
    assert_string_equal(b->sha, "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
    aws_call_clear(&c.call);
    free(base);
    aws_client_free(client);
}

static void test_aws_itself_needs_credentials(void **state)
{
    struct bench *b = *state;
    struct aws_client *client = client_of(b, "us-east-1", NULL);
    struct caller c;
    prepare(&c, b, client);
    run(&c);
    assert_int_equal(b->done, 1);
    assert_int_equal(c.call.http.result, HTTP_NO_CONNECT);
    assert_non_null(strstr(c.call.http.detail, "no AWS credentials"));
    aws_call_clear(&c.call);
    aws_client_free(client);

    setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    client = client_of(b, NULL, NULL);
    prepare(&c, b, client);
    run(&c);
    assert_int_equal(c.call.http.result, HTTP_NO_CONNECT);
    assert_non_null(strstr(c.call.http.detail, "no region"));
    aws_call_clear(&c.call);
    aws_client_free(client);
}

static void test_cancel(void **state)
{
    struct bench *b = *state;
    struct aws_client *client = client_of(b, "us-east-1", NULL);
    struct caller c, d;
    b->silent = true;
    prepare(&c, b, client);
    c.call.endpoint = b->url;
    run(&c);
    assert_int_equal(b->requests, 1);
    aws_call_cancel(client, &c.call);
    aws_call_cancel(client, &c.call);
    prepare(&d, b, client); /* AWS itself: waits to be refused */
    aws_call_start(client, &d.call);
    aws_call_cancel(client, &d.call);
    prepare(&d, b, client);
    aws_call_start(client, &d.call);
    d.call.endpoint = b->url;
    aws_client_free(client);
    timer_start(b->loop, &b->guard, 50);
    loop_run(b->loop);
    assert_int_equal(b->done, 0);
    aws_call_clear(&c.call);
    aws_call_clear(&d.call);
}

static void test_again_from_done(void **state)
{
    struct bench *b = *state;
    struct aws_client *client = client_of(b, "us-east-1", NULL);
    struct caller c;
    prepare(&c, b, client);
    c.call.endpoint = b->url;
    c.again = 5;
    run(&c);
    assert_int_equal(b->done, 6);
    assert_int_equal(b->requests, 6);
    assert_int_equal(c.call.http.status, 200);
    aws_call_clear(&c.call);
    aws_client_free(client);
}

static void test_too_many_headers(void **state)
{
    struct bench *b = *state;
    struct aws_client *client = client_of(b, "us-east-1", NULL);
    struct caller c;
    const char *lines[SIGV4_HEADERS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        lines[i] = "X-A: b";
    prepare(&c, b, client);
    c.call.endpoint = b->url;
    c.call.headers = lines;
    c.call.n_headers = ARRAY_LEN(lines);
    run(&c);
    assert_int_equal(c.call.http.result, HTTP_NO_CONNECT);
    assert_int_equal(b->requests, 0);
    aws_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(test_unsigned_to_own_endpoint),
        WITH_BENCH(test_signed_from_environment),
        WITH_BENCH(test_odd_paths_and_headers),
        WITH_BENCH(test_aws_itself_needs_credentials),
        WITH_BENCH(test_cancel),
        WITH_BENCH(test_again_from_done),
        WITH_BENCH(test_too_many_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
