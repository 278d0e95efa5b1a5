/* test_sigv4_verify.c - received signatures: which are good, and why the others are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sigv4_vectors.h"

/* A signed request as a server receives it. */
struct received {
    struct sigv4_header headers[32];
    struct sigv4_request r;
    struct buf authorization;
};

static void receive(struct received *to, const struct vector *v, const struct credentials *by)
{
    to->r = request_of(v, to->headers);
    buf_init(&to->authorization, 4096);
    assert_true(sigv4_authorization(&to->r, by, &to->authorization));
    to->headers[to->r.n_headers++] =
        (struct sigv4_header){SLICE("AUTHORIZATION"), buf_slice(&to->authorization)};
    to->headers[to->r.n_headers++] = (struct sigv4_header){SLICE("User-Agent"), SLICE("x")};
    to->r.region = to->r.service = NULL;
    to->r.time_ms = 0;
}

static void test_verify_accepts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(published); i++) {
        struct received got;
        receive(&got, &published[i], &example);
        assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS), SIGV4_VALID);
        assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS + SIGV4_SKEW_MS), SIGV4_VALID);
        assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS - SIGV4_SKEW_MS), SIGV4_VALID);
        assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS + SIGV4_SKEW_MS + 1),
                         SIGV4_EXPIRED);
        assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS - SIGV4_SKEW_MS - 1),
                         SIGV4_EXPIRED);
        got.r.region = "us-east-1";
        got.r.service = "service";
        assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS), SIGV4_VALID);
        got.r.service = "lambda";
        assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS), SIGV4_MALFORMED);
        got.r.service = NULL;
        got.r.region = "eu-west-1";
        assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS), SIGV4_MALFORMED);
        buf_free(&got.authorization);
    }
}

static void test_verify_refuses_changes(void **state)
{
    (void)state;
    const struct vector *v = &published[ARRAY_LEN(published) - 1];
    const struct credentials other_key = {"AKIDOTHER", example.secret_key, NULL};
    const struct credentials other_secret = {example.access_key, "x", NULL};
    struct received got;
    receive(&got, v, &example);
    assert_int_equal(sigv4_verify(&got.r, &other_key, SUITE_MS), SIGV4_UNKNOWN_KEY);
    assert_int_equal(sigv4_verify(&got.r, &other_secret, SUITE_MS), SIGV4_MISMATCH);
    got.r.payload = SLICE("Param1=value2");
    assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS), SIGV4_MISMATCH);
    got.r.payload = slice_of(v->body);
    got.r.path = SLICE("/other");
    assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS), SIGV4_MISMATCH);
    got.r.path = slice_of(v->path);
    got.r.query = SLICE("a=1");
    assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS), SIGV4_MISMATCH);
    got.r.query = SLICE_NONE;
    got.headers[2].value = SLICE("text/plain");
    assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS), SIGV4_MISMATCH);
    got.headers[2].name = SLICE("X-Gone");
    assert_int_equal(sigv4_verify(&got.r, &example, SUITE_MS), SIGV4_MISMATCH);
    buf_free(&got.authorization);
}

static void test_verify_token(void **state)
{
    (void)state;
    struct credentials with = example;
    struct received got;
    with.session_token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    receive(&got, &published[12], &with);
    assert_int_equal(sigv4_verify(&got.r, &with, SUITE_MS), SIGV4_VALID);
    with.session_token = "another";
    assert_int_equal(sigv4_verify(&got.r, &with, SUITE_MS), SIGV4_UNKNOWN_KEY);
    buf_free(&got.authorization);
    receive(&got, &published[0], &with);
    assert_int_equal(sigv4_verify(&got.r, &with, SUITE_MS), SIGV4_UNKNOWN_KEY);
    buf_free(&got.authorization);
}

#define GOOD_SIG  "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
#define GOOD_CRED "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"

static void test_verify_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *authorization, *date;
        enum sigv4_verdict want;
    } cases[] = {
        {"AWS4-HMAC-SHA256 " GOOD_CRED ",SignedHeaders=host;x-amz-date," GOOD_SIG,
         "20150830T123600Z", SIGV4_VALID},
        {"", "20150830T123600Z", SIGV4_MALFORMED},
        {"Bearer abc", "20150830T123600Z", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256", "20150830T123600Z", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 " GOOD_CRED ", SignedHeaders=host;x-amz-date", "20150830T123600Z",
         SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 " GOOD_CRED ", " GOOD_SIG, "20150830T123600Z", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date, " GOOD_SIG, "20150830T123600Z",
         SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=/, SignedHeaders=host;x-amz-date, " GOOD_SIG,
         "20150830T123600Z", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws3_request, "
         "SignedHeaders=host;x-amz-date, " GOOD_SIG,
         "20150830T123600Z", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 " GOOD_CRED ", SignedHeaders=host, " GOOD_SIG, "20150830T123600Z",
         SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 " GOOD_CRED ", SignedHeaders=x-amz-date, " GOOD_SIG, "20150830T123600Z",
         SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 " GOOD_CRED ", SignedHeaders=host;x-amz-date, " GOOD_SIG,
         "20150831T123600Z", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 " GOOD_CRED ", SignedHeaders=host;x-amz-date, " GOOD_SIG, "20150830",
         SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 " GOOD_CRED ", SignedHeaders=host;x-amz-date, " GOOD_SIG,
         "20150830T1236 0Z", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 " GOOD_CRED ", SignedHeaders=host;x-amz-date, " GOOD_SIG,
         "20150830T123601Z", SIGV4_MISMATCH},
        {"AWS4-HMAC-SHA256 " GOOD_CRED ", SignedHeaders=host;x-amz-date;x-none, " GOOD_SIG,
         "20150830T123600Z", SIGV4_MISMATCH},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sigv4_header headers[] = {
            {SLICE("host"), SLICE("example.amazonaws.com")},
            {SLICE("x-amz-date"), slice_of(cases[i].date)},
            {SLICE("authorization"), slice_of(cases[i].authorization)},
        };
        struct sigv4_request r = {SLICE("GET"), SLICE("/"), SLICE_NONE, headers, 3,   SLICE_NONE,
                                  NULL,         NULL,       0,          false,   NULL};
        if (sigv4_verify(&r, &example, SUITE_MS) != cases[i].want)
            fail_msg("case %zu: %d", i, (int)sigv4_verify(&r, &example, SUITE_MS));
        r.n_headers = 2;
        assert_int_equal(sigv4_verify(&r, &example, SUITE_MS), SIGV4_MISSING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_accepts),
        cmocka_unit_test(test_verify_refuses_changes),
        cmocka_unit_test(test_verify_token),
        cmocka_unit_test(test_verify_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
