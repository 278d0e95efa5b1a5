/* test_aws_account.c - which endpoint, which region, which credentials. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aws_bench.h"

static void expect_endpoint(struct bench *b, const char *want)
{
    struct aws_client *client = client_of(b, "us-east-1", NULL);
    char *got = aws_client_endpoint(client, "sqs", NULL);
    assert_string_equal(got, want);
    free(got);
    aws_client_free(client);
}

static void test_endpoint_order(void **state)
{
    struct bench *b = *state;
    expect_endpoint(b, "https://sqs.us-east-1.amazonaws.com");
    write_file(b, "config", "[default]\nendpoint_url = http://profile:1\n");
    expect_endpoint(b, "http://profile:1");
    write_file(b, "config",
               "[default]\nendpoint_url = http://profile:1\nservices = mine\n\n"
               "[services other]\nsqs =\n  endpoint_url = http://wrong:1\n"
               "[services mine]\nlambda =\n  endpoint_url = http://wrong:2\n"
               "sqs =\n  endpoint_url = http://service:2\n");
    expect_endpoint(b, "http://service:2");
    setenv("AWS_ENDPOINT_URL", "http://env:3", 1);
    expect_endpoint(b, "http://env:3");
    setenv("AWS_ENDPOINT_URL_SQS", "http://env-sqs:4", 1);
    expect_endpoint(b, "http://env-sqs:4");
    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    expect_endpoint(b, "https://sqs.us-east-1.amazonaws.com");
    const char *name = "sqs", *url = "http://file:5";
    struct option_map services = {&name, &url, 1};
    struct aws_client *client = client_of(b, "us-east-1", &services);
    char *got = aws_client_endpoint(client, "sqs", NULL);
    assert_string_equal(got, "http://file:5");
    free(got);
    aws_client_free(client);
}

static void expect_region(struct bench *b, const char *configured, const char *want)
{
    struct aws_client *client = client_of(b, configured, NULL);
    char *got = aws_client_endpoint(client, "sqs", NULL);
    char *full = mem_printf("https://sqs.%s.amazonaws.com", want);
    assert_string_equal(got, full);
    free(full);
    free(got);
    aws_client_free(client);
}

static void test_region_order(void **state)
{
    struct bench *b = *state;
    write_file(b, "config", "[default]\nregion=eu-north-1\n");
    expect_region(b, NULL, "eu-north-1");
    setenv("AWS_DEFAULT_REGION", "eu-south-1", 1);
    expect_region(b, NULL, "eu-south-1");
    setenv("AWS_REGION", "eu-west-3", 1);
    expect_region(b, NULL, "eu-west-3");
    expect_region(b, "sa-east-1", "sa-east-1");
}

static void test_profile_and_refresh(void **state)
{
    struct bench *b = *state;
    setenv("AWS_PROFILE", "work", 1);
    setenv("AWS_ENDPOINT_URL", b->url, 1);
    write_file(b, "config",
               "[default]\naws_access_key_id=wrong\naws_secret_access_key=wrong\n"
               "[profile work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = two=2\n");
    b->known = (struct credentials){"AKIDWORK", "two=2", NULL};
    struct aws_client *client = client_of(b, "us-east-1", NULL);
    call_once(b, client);
    assert_int_equal(b->verdict, SIGV4_VALID);
    write_file(b, "credentials",
               "# comment\n[work]\r\naws_access_key_id = AKIDNEW\r\n"
               "aws_secret_access_key = three\r\naws_session_token = tok\r\n");
    call_once(b, client);
    assert_int_equal(b->verdict, SIGV4_VALID);
    aws_client_refresh(client);
    b->known = (struct credentials){"AKIDNEW", "three", "tok"};
    call_once(b, client);
    assert_int_equal(b->verdict, SIGV4_VALID);
    /* what cannot be read leaves the old ones, and a refresh comes once a second at most */
    write_file(b, "credentials", "[work]\naws_access_key_id = AKIDHALF\n");
    write_file(b, "config", "");
    aws_client_refresh(client);
    call_once(b, client);
    assert_int_equal(b->verdict, SIGV4_VALID);
    aws_client_free(client);
}

static void expect_error(struct bench *b, const char *part)
{
    struct error err;
    struct aws_client_options o = {"us-east-1", NULL};
    assert_null(aws_client_new(b->loop, b->http, &o, &err));
    if (!strstr(err.text, part))
        fail_msg("%s", err.text);
}

static void test_bad_settings(void **state)
{
    struct bench *b = *state;
    setenv("AWS_PROFILE", "none", 1);
    expect_error(b, "The config profile (none) could not be found");
    unsetenv("AWS_PROFILE");
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    expect_error(b, "Partial credentials found in the environment, missing: aws_secret_access_key");
    unsetenv("AWS_ACCESS_KEY_ID");
    write_file(b, "credentials", "[default]\naws_secret_access_key = very-secret\n");
    expect_error(b, "Partial credentials found in the profile, missing: aws_access_key_id");
    char *big = mem_alloc(AWS_PROFILE_FILE_MAX + 2);
    memset(big, '#', AWS_PROFILE_FILE_MAX);
    write_file(b, "config", big);
    expect_error(b, "missing: aws_access_key_id"); /* exactly as large as may be */
    big[AWS_PROFILE_FILE_MAX] = '#';
    write_file(b, "config", big);
    free(big);
    expect_error(b, "larger than 1048576 bytes");
    setenv("AWS_CONFIG_FILE", b->dir, 1); /* a directory */
    expect_error(b, "cannot read");
}

static void test_ini(void **state)
{
    (void)state;
    static const char text[] = "a = outside\n"
                               "[default]\n"
                               "a=1\n"
                               "  b = not a setting of its own\n"
                               "c = x = y\n"
                               "[profile   spaced  name]\n"
                               "a = 2\n"
                               "; a = 3\n"
                               "a = 4\n"
                               "[ trimmed ] ; rest\n"
                               "\ta = nested\n"
                               "s3 =\n"
                               "\tb = 5\n"
                               "\t  c = 6\n"
                               "d = 7\n"
                               "  b = 8\n"
                               "[unclosed\n"
                               "a = 9";
    static const struct {
        const char *section, *key, *sub, *want;
    } cases[] = {
        {"default", "a", NULL, "1"},
        {"default", "b", NULL, ""},
        {"default", "a", "b", "not a setting of its own"},
        {"default", "c", NULL, "x = y"},
        {"profile spaced name", "a", NULL, "4"},
        {"trimmed", "a", NULL, ""},
        {"trimmed", "s3", "b", "5"},
        {"trimmed", "s3", "c", "6"},
        {"trimmed", "s3", NULL, ""},
        {"trimmed", "d", NULL, "7"},
        {"trimmed", "d", "b", "8"},
        {"trimmed", "d", "c", ""},
        {"unclosed", "a", NULL, ""},
        {"none", "a", NULL, ""},
        {"defaul", "a", NULL, ""},
        {"default1", "a", NULL, ""},
        {"profile spacedname", "a", NULL, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice got =
            aws_profile_find(SLICE(text), cases[i].section, cases[i].key, cases[i].sub);
        if (!slice_is(got, cases[i].want))
            fail_msg("case %zu: " SLICE_FMT, i, SLICE_ARG(got));
    }
    assert_int_equal(aws_profile_find(SLICE_NONE, "default", "a", NULL).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(test_endpoint_order),      WITH_BENCH(test_region_order),
        WITH_BENCH(test_profile_and_refresh), WITH_BENCH(test_bad_settings),
        cmocka_unit_test(test_ini),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
