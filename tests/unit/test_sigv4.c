/* test_sigv4.c - signatures against AWS's published suite and against botocore's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sigv4_vectors.h"

/* made with botocore 1.44.5 (SigV4Auth, S3SigV4Auth) */
static const struct vector botocore[] = {
    {"ARN in the path", "POST",
     "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aorders/"
     "invocations",
     "",
     "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\nX-Amz-Invocation-Type:"
     "Event\n",
     "{\"a\":1}", "us-east-1", "lambda", false, 1795256118000,
     "943903655a90041a51425e175ec0b9f3a5ef3c831b2759d5ae35723b6d284e51"},
    {"ARN and qualifier", "POST",
     "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aorders/"
     "invocations",
     "Qualifier=%24LATEST", "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n",
     "{}", "us-east-1", "lambda", false, 1795256118000,
     "87e2bbd0d85d4d013a65d01be53920f3cfadbf422917b5d8148a1b78a2f31a55"},
    {"repeated keys", "GET", "/", "b=2&a=2&a=10&a=1&B=9&a-b=3&a.b=4",
     "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n", "", "us-east-1",
     "lambda", false, 1795256118000,
     "1cc025243a44659a7eb484c69edeb2a29659a56121c57e4a9a4e14f154a45dc6"},
    {"escaped query", "GET", "/x", "k%20y=v%2Fw%3D%26&z=%E6%97%A5%E6%9C%AC&empty=",
     "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n", "", "us-east-1",
     "lambda", false, 1795256118000,
     "384d7b9b5d084af8c126587545fa34a499f59ee18893649a06d938b3cfdfc935"},
    {"prefix keys", "GET", "/", "ab=1&a=2&a1=3&a_=4",
     "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n", "", "us-east-1",
     "lambda", false, 1795256118000,
     "d9e167b5b099f0043afb6cc07ca977fbca4ced626b4740018408769b03ace3ca"},
    {"raw UTF-8 path", "GET", "/caf\303\251/%E6%97%A5", "",
     "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n", "", "us-east-1",
     "lambda", false, 1795256118000,
     "02300957175684e695eba1a382654e4d98c2c1ae98567af275e736345336c4db"},
    {"dots and slashes", "GET", "/a/./b//../c/", "",
     "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n", "", "us-east-1",
     "lambda", false, 1795256118000,
     "a085b3a154247a7daddb7f1528db321abe0e0a4b09290898590c6c8ffddfaa24"},
    {"dots at the end", "GET", "/a/b/..", "",
     "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n", "", "us-east-1",
     "lambda", false, 1795256118000,
     "43fa04fbfcffb605d5778cdedebdf01c81c19445f12caa7306579a97becd5a14"},
    {"above the root", "GET", "/../../x", "",
     "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n", "", "us-east-1",
     "lambda", false, 1795256118000,
     "377d619e96b0b16788d8308962380d540ed16bb7a25180769ad547ad71dff77d"},
    {"odd path characters", "GET", "/a!b*c'(d)$e,f;g=h@i+j~k%2Fl", "",
     "Host:lambda.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n", "", "us-east-1",
     "lambda", false, 1795256118000,
     "a4afcc107b9e3939a4b7f4806b8055d274da2aacce31da0454f834ae6e3d8fa3"},
    {"folded headers", "POST", "/", "",
     "Host:sqs.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\nContent-Type: "
     "application/json ;   charset=utf-8  \nX-Amz-Target:AmazonSQS.ReceiveMessage\n",
     "{\"QueueUrl\":\"q\"}", "us-east-1", "sqs", false, 1795256118000,
     "27bfeef63e343b1edda9334c4c077f9077711d7ebbecc32f8776b23af532d980"},
    {"session token", "POST", "/", "",
     "Host:127.0.0.1:9324\nX-Amz-Date:20261121T101518Z\nX-Amz-Security-Token:FwoGZXIvYXdzEXAMPLE///"
     "///////wEaDExample+token==\nContent-Type:application/"
     "x-amz-json-1.0\nx-amzn-query-mode:true\nX-Amz-Target:AmazonSQS.ReceiveMessage\n",
     "{\"QueueUrl\":\"http://h/\303\251\"}", "us-east-1", "sqs", false, 1795256118000,
     "790fd219d273f7e06b498802566003ff5616fb73b0a2b99f2e92627d22638978"},
    {"other region", "POST", "/", "",
     "Host:sqs.eu-central-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\n",
     "Action=GetQueueUrl&Version=2012-11-05", "eu-central-1", "sqs", false, 1795256118000,
     "452a3a1c99be79b8b3784e34c5a4c7c6deb2c507b044511cf0ebd43e431b21e1"},
    {"S3 key", "PUT", "/bkt/a%20b//../%C3%A9%2B", "",
     "Host:s3.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\nX-Amz-Content-SHA256:"
     "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n",
     "hello", "us-east-1", "s3", true, 1795256118000,
     "0db044e582cd53fee58f00fd5ee4f748e29f6e68421e3bedc5a4ce029a5ae999"},
    {"S3 list", "GET", "/bkt", "list-type=2&prefix=a%2Fb&delimiter=%2F",
     "Host:s3.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\nX-Amz-Content-SHA256:"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
     "", "us-east-1", "s3", true, 1795256118000,
     "9357b5a92cff3d9cefc8d67efcc8389056a3deedc03a62f1b1481d4207f98c9d"},
    {"S3 value-less key", "GET", "/bkt", "acl=",
     "Host:s3.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\nX-Amz-Content-SHA256:"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
     "", "us-east-1", "s3", true, 1795256118000,
     "7c42793f649af7c5a7decca150d49eb88dcbe9a989abe3961d1a5aff4ce7be73"},
    {"S3 value-less key, no equals sign", "GET", "/bkt", "acl",
     "Host:s3.us-east-1.amazonaws.com\nX-Amz-Date:20261121T101518Z\nX-Amz-Content-SHA256:"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
     "", "us-east-1", "s3", true, 1795256118000,
     "7c42793f649af7c5a7decca150d49eb88dcbe9a989abe3961d1a5aff4ce7be73"},
};

static void check_vectors(const struct vector *v, size_t n, struct sigv4_keys *keys)
{
    for (size_t i = 0; i < n; i++) {
        struct sigv4_header headers[16];
        struct sigv4_request r = request_of(&v[i], headers);
        r.keys = keys;
        struct buf out;
        buf_init(&out, 4096);
        assert_true(sigv4_authorization(&r, &example, &out));
        if (!slice_ends(buf_slice(&out), v[i].signature)) {
            struct buf canonical;
            buf_init(&canonical, 65536);
            assert_true(sigv4_canonical_request(&r, &canonical));
            print_message("%s:\n%s\n", v[i].name, canonical.p);
            fail_msg("%s: %s", v[i].name, out.p);
        }
        buf_free(&out);
    }
}

static void test_published(void **state)
{
    (void)state;
    check_vectors(published, ARRAY_LEN(published), NULL);
}

static void test_botocore(void **state)
{
    (void)state;
    check_vectors(botocore, ARRAY_LEN(botocore), NULL);
}

/* More scopes than the cache holds, twice: a wrong hit would give a wrong signature. */
static void test_cached_keys(void **state)
{
    (void)state;
    struct sigv4_keys keys = {0};
    for (int round = 0; round < 2; round++) {
        check_vectors(published, ARRAY_LEN(published), &keys);
        check_vectors(botocore, ARRAY_LEN(botocore), &keys);
    }
    assert_true(keys.next >= 4); /* service/us-east-1, lambda, sqs, sqs/eu, s3 */
    unsigned before = keys.next;
    check_vectors(published, 1, &keys);
    assert_int_equal(keys.next, before);
    struct sigv4_header headers[16];
    struct sigv4_request r = request_of(&published[0], headers);
    r.keys = &keys;
    struct credentials other = {"AKIDEXAMPLE", "another", NULL};
    struct buf out;
    buf_init(&out, 4096);
    assert_true(sigv4_authorization(&r, &other, &out));
    assert_false(slice_ends(buf_slice(&out), published[0].signature));
    assert_int_equal(keys.next, before + 1);
    buf_free(&out);
}

static void test_steps(void **state)
{
    (void)state;
    struct sigv4_header headers[16];
    struct sigv4_request r = request_of(&published[0], headers);
    struct buf canonical, text, out;
    buf_init(&canonical, 4096);
    buf_init(&text, 4096);
    buf_init(&out, 4096);
    assert_true(sigv4_canonical_request(&r, &canonical));
    assert_string_equal(canonical.p,
                        "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
                        "host;x-amz-date\n"
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sigv4_string_to_sign(&r, buf_slice(&canonical), &text);
    assert_string_equal(text.p, "AWS4-HMAC-SHA256\n20150830T123600Z\n"
                                "20150830/us-east-1/service/aws4_request\n"
                                "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63");
    assert_true(sigv4_authorization(&r, &example, &out));
    assert_string_equal(
        out.p, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
               "SignedHeaders=host;x-amz-date, "
               "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    buf_free(&canonical);
    buf_free(&text);
    buf_free(&out);
}

static void test_limits(void **state)
{
    (void)state;
    struct sigv4_header headers[16], many[SIGV4_HEADERS_MAX + 1];
    struct sigv4_request r = request_of(&published[0], headers);
    struct buf out, query;
    buf_init(&out, SIGV4_CANONICAL_MAX);
    buf_init(&query, 65536);
    for (int i = 0; i < SIGV4_QUERY_MAX; i++)
        buf_printf(&query, "&&k%d=v", i);
    r.query = buf_slice(&query);
    assert_true(sigv4_canonical_request(&r, &out));
    buf_str(&query, "&one=more");
    r.query = buf_slice(&query);
    assert_false(sigv4_canonical_request(&r, &out));
    r.query = SLICE_NONE;
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct sigv4_header){SLICE("x"), SLICE("y")};
    r.headers = many;
    r.n_headers = ARRAY_LEN(many);
    assert_false(sigv4_authorization(&r, &example, &out));
    r.n_headers--;
    assert_true(sigv4_authorization(&r, &example, &out));
    buf_free(&out);
    buf_free(&query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),   cmocka_unit_test(test_botocore),
        cmocka_unit_test(test_cached_keys), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
