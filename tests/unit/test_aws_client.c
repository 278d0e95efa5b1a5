/* test_aws_client.c - where calls go, with which credentials, and what arrives at the other end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/aws_client.h"
#include "io/aws_profile.h"
#include "io/http_server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A server that keeps the last request as text, and our side with a loop of its own. */
struct bench {
    struct loop *loop;
    struct http_client *http;
    struct http_server *server;
    struct http_listener *listener;
    char dir[64], url[64];
    struct timer guard;
    char path[256], query[256], host[128], date[64], token[128], authorization[512], sha[80];
    char body[256];
    enum sigv4_verdict verdict;
    struct credentials known;
    int requests, done;
    bool silent; /* keeps requests instead of answering */
    struct list kept;
};

static struct bench *bench_of_guard(struct timer *t)
{
    return container_of(t, struct bench, guard);
}

static void on_guard(struct timer *t)
{
    loop_stop(bench_of_guard(t)->loop);
}

static void copy(char *to, size_t n, struct slice s)
{
    snprintf(to, n, SLICE_FMT, SLICE_ARG(s));
}

struct gathered {
    struct sigv4_header v[32];
    size_t n;
};

static void gather(void *ctx, struct slice name, struct slice value)
{
    struct gathered *g = ctx;
    if (g->n < ARRAY_LEN(g->v))
        g->v[g->n++] = (struct sigv4_header){name, value};
}

static void on_request(struct http_request *req)
{
    struct bench *b = req->ctx;
    b->requests++;
    copy(b->path, sizeof b->path, req->path);
    copy(b->query, sizeof b->query, req->query);
    copy(b->body, sizeof b->body, req->body);
    copy(b->host, sizeof b->host, http_request_header(req, "Host"));
    copy(b->date, sizeof b->date, http_request_header(req, "X-Amz-Date"));
    copy(b->token, sizeof b->token, http_request_header(req, "X-Amz-Security-Token"));
    copy(b->authorization, sizeof b->authorization, http_request_header(req, "Authorization"));
    copy(b->sha, sizeof b->sha, http_request_header(req, "X-Amz-Content-Sha256"));
    struct gathered g = {.n = 0};
    http_request_headers(req, gather, &g);
    struct sigv4_request r = {.method = req->method,
                              .path = req->path,
                              .query = req->query,
                              .headers = g.v,
                              .n_headers = g.n,
                              .payload = req->body,
                              .path_once = strstr(b->authorization, "/s3/") != NULL};
    b->verdict =
        b->known.access_key ? sigv4_verify(&r, &b->known, loop_wall(b->loop)) : SIGV4_MISSING;
    if (b->silent) {
        list_append(&b->kept, &req->node);
        loop_stop(b->loop);
        return;
    }
    http_reply(req, 200, NULL, 0, SLICE("fine"));
}

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",  "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_PROFILE",        "AWS_CONFIG_FILE",       "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ENDPOINT_URL",   "AWS_ENDPOINT_URL_SQS",  "AWS_REGION",
    "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3",   "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
};

static int bench_open(void **state)
{
    struct bench *b = mem_alloc(sizeof *b);
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    snprintf(b->dir, sizeof b->dir, "/tmp/aws_client.XXXXXX");
    if (!mkdtemp(b->dir))
        return -1;
    setenv("HOME", b->dir, 1);
    list_init(&b->kept);
    b->loop = loop_new(&err);
    b->http = http_client_new(b->loop, &err);
    b->server = http_server_new(b->loop, &err);
    b->listener = http_listen(b->server, "127.0.0.1", 0, 1 << 20, on_request, b, &err);
    snprintf(b->url, sizeof b->url, "http://127.0.0.1:%d", http_listener_port(b->listener));
    b->guard.fire = on_guard;
    *state = b;
    return 0;
}

static int bench_close(void **state)
{
    struct bench *b = *state;
    char command[128];
    timer_stop(b->loop, &b->guard);
    list_each(&b->kept, it)
    {
        list_remove(it);
        http_abort(container_of(it, struct http_request, node));
    }
    http_client_free(b->http);
    http_listener_close(b->listener);
    http_server_free(b->server);
    loop_free(b->loop);
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "%s/.aws/%s", b->dir, i ? "config" : "credentials");
        unlink(command);
    }
    snprintf(command, sizeof command, "%s/.aws", b->dir);
    rmdir(command);
    rmdir(b->dir);
    free(b);
    return 0;
}

static void write_file(struct bench *b, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/.aws", b->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/.aws/%s", b->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    fclose(f);
}

struct caller {
    struct aws_call call;
    struct bench *bench;
    struct aws_client *client;
    int again; /* starts itself so often from inside done */
};

static void on_done(struct aws_call *call)
{
    struct caller *c = container_of(call, struct caller, call);
    c->bench->done++;
    if (c->again-- > 0) {
        aws_call_clear(call);
        aws_call_start(c->client, call);
        return;
    }
    loop_stop(c->bench->loop);
}

static struct aws_client *client_of(struct bench *b, const char *region,
                                    const struct option_map *services)
{
    struct error err;
    struct aws_client_options o = {region, services};
    struct aws_client *c = aws_client_new(b->loop, b->http, &o, &err);
    if (!c)
        fail_msg("%s", err.text);
    return c;
}

static void prepare(struct caller *c, struct bench *b, struct aws_client *client)
{
    *c = (struct caller){.bench = b, .client = client};
    c->call.service = "sqs";
    c->call.path = "/";
    c->call.body = SLICE("{\"a\":1}");
    c->call.timeout_ms = 5000;
    c->call.max_response_bytes = 4096;
    c->call.done = on_done;
}

static void run(struct caller *c)
{
    struct bench *b = c->bench;
    int before = b->done;
    aws_call_start(c->client, &c->call);
    assert_int_equal(b->done, before); /* never from inside */
    timer_start(b->loop, &b->guard, 10000);
    loop_run(b->loop);
    timer_stop(b->loop, &b->guard);
}

static void call_once(struct bench *b, struct aws_client *client)
{
    struct caller c;
    prepare(&c, b, client);
    run(&c);
    assert_int_equal(c.call.http.result, HTTP_DONE);
    assert_int_equal(c.call.http.status, 200);
    assert_string_equal(c.call.http.response.p, "fine");
    aws_call_clear(&c.call);
}

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

#define WITH_BENCH(f) cmocka_unit_test_setup_teardown(f, bench_open, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(test_unsigned_to_own_endpoint),
        WITH_BENCH(test_signed_from_environment),
        WITH_BENCH(test_odd_paths_and_headers),
        WITH_BENCH(test_aws_itself_needs_credentials),
        WITH_BENCH(test_endpoint_order),
        WITH_BENCH(test_region_order),
        WITH_BENCH(test_profile_and_refresh),
        WITH_BENCH(test_bad_settings),
        WITH_BENCH(test_cancel),
        WITH_BENCH(test_again_from_done),
        WITH_BENCH(test_too_many_headers),
        cmocka_unit_test(test_ini),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
