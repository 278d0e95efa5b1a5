/* test_criteria_edges.c - FilterCriteria: which patterns are refused or remarked; records at the
 * edges of what can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_out.h"
#include "engine/criteria.h"
#include "engine/pattern.h"
#include <stdlib.h>
#include <string.h>

static const struct criteria_data sqs = {.key = "body"};
static const struct criteria_data kinesis = {
    .key = "data", .path = "kinesis.data", .base64 = true, .object_only = true};
static const struct criteria_data dynamodb = {
    .key = "dynamodb", .parsed = true, .object_only = true};
static const struct criteria_data kafka = {.key = "value", .base64 = true, .lenient = true};

static struct criteria *one(const struct criteria_data *data, const char *pattern)
{
    struct error err = {.code = ERROR_NONE};
    struct slice text = slice_of(pattern);
    struct criteria *c = criteria_new(data, &text, 1, &err);
    assert_non_null(c);
    return c;
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const struct criteria_data *data;
        const char *pattern;
        size_t at;
    } rows[] = {
        {&sqs, "{\"body\":\"x\"}", 1},
        {&sqs, "", 0},
        {&sqs, "nonsense", 0},
        {&kinesis, "{\"data\":[\"x\"]}", 8},
        {&kinesis, "{\"$or\":[{\"data\":{\"a\":[1]}},{\"data\":[1]}]}", 35},
        {&dynamodb, "{\"dynamodb\":[{\"exists\":true}]}", 12},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = {.code = ERROR_NONE};
        struct pattern_error why = {.at = 99};
        struct slice p[] = {SLICE("{\"a\":[1]}"), slice_of(rows[i].pattern)};
        assert_false(criteria_check(rows[i].data, p[1], &why));
        if (rows[i].at > 0)
            assert_int_equal(why.at, rows[i].at);
        assert_null(criteria_new(rows[i].data, p, 2, &err));
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_true(slice_starts(slice_of(err.text), "Filters[1].Pattern: "));
        assert_non_null(strstr(err.text, why.text));
    }
    struct pattern_error why;
    assert_true(criteria_check(&sqs, SLICE("{\"body\":[\"x\"]}"), &why));
    assert_true(criteria_check(&kafka, SLICE("{\"value\":[\"x\"]}"), &why));
    assert_string_equal(criteria_refusal, "Invalid filter pattern definition.");
}

/* Characters are counted, not bytes; filters up to ten. */
static void limits(void **state)
{
    (void)state;
    struct pattern_error why;
    struct error err;
    struct buf p;
    buf_init(&p, 100000);
    buf_str(&p, "{\"a\":[\"");
    for (int i = 0; i < 4086; i++)
        buf_str(&p, "\xc3\xa9");
    buf_str(&p, "\"]}"); /* 4096 characters, 8182 bytes */
    assert_true(criteria_check(&sqs, buf_slice(&p), &why));
    buf_str(&p, " ");
    assert_false(criteria_check(&sqs, buf_slice(&p), &why));
    assert_string_equal(why.text, "the pattern has more than 4096 characters");
    buf_free(&p);
    struct slice many[11];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = SLICE("{\"a\":[1]}");
    assert_null(criteria_new(&sqs, many, 11, &err));
    struct criteria *c = criteria_new(&sqs, many, 10, &err);
    assert_non_null(c);
    struct buf out;
    buf_init(&out, 1000);
    criteria_warnings(c, &out);
    assert_string_equal(out.p, "10 filters; AWS takes more than 5 only with a raised quota\n");
    criteria_free(c);
    buf_clear(&out);
    c = criteria_new(&sqs, many, 5, &err);
    criteria_warnings(c, &out);
    assert_int_equal(out.n, 0);
    criteria_free(c);
    buf_free(&out);
}

static void operators_of_the_bus_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
    } rows[] = {
        {"{\"body\":[{\"wildcard\":\"a*b\"}]}", "wildcard"},
        {"{\"body\":[{\"cidr\":\"10.0.0.0/8\"}]}", "cidr"},
        {"{\"body\":[{\"anything-but\":{\"prefix\":\"x\"}}]}", "anything-but"},
        {"{\"body\":[{\"anything-but\":\"x\"}]}", NULL},
        {"{\"body\":[{\"numeric\":[\">\",1]},{\"suffix\":\"x\"},null]}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out;
        buf_init(&out, 1000);
        struct criteria *c = one(&sqs, rows[i].pattern);
        criteria_warnings(c, &out);
        assert_int_equal(out.n > 0, rows[i].name != NULL);
        if (rows[i].name != NULL) {
            assert_true(slice_starts(buf_slice(&out), "Filters[0].Pattern: "));
            assert_non_null(strstr(out.p, rows[i].name));
        }
        buf_clear(&out);
        criteria_remark(&sqs, slice_of(rows[i].pattern), &out);
        assert_int_equal(out.n > 0, rows[i].name != NULL);
        criteria_free(c);
        buf_free(&out);
    }
}

static void no_filters_pass_everything(void **state)
{
    (void)state;
    struct error err = {.code = ERROR_NONE};
    assert_null(criteria_new(&sqs, NULL, 0, &err));
    assert_int_equal(err.code, ERROR_NONE);
    assert_true(criteria_pass(NULL, SLICE("{}"), NULL));
    struct buf out;
    buf_init(&out, 100);
    criteria_warnings(NULL, &out);
    assert_int_equal(out.n, 0);
    criteria_free(NULL);
}

/* What cannot be read is not thrown away. */
static void unreadable_records_pass(void **state)
{
    (void)state;
    struct criteria *c = one(&sqs, "{\"messageId\":[\"m\"]}");
    assert_true(criteria_pass(c, SLICE("[1]"), NULL));
    assert_true(criteria_pass(c, SLICE("{\"messageId\":"), NULL));
    assert_false(criteria_pass(c, SLICE("{\"messageId\":\"n\"}"), NULL));
    criteria_free(c);
    c = one(&sqs, "{\"body\":{\"a\":[1]}}");
    static const char *const broken[] = {"",
                                         "{",
                                         "{\"",
                                         "{\"body",
                                         "{\"body\"",
                                         "{\"body\":",
                                         "{\"body\":\"",
                                         "{\"body\":\"\\",
                                         "{\"body\":\"\\u",
                                         "{\"body\":\"{\\\"a\\\":1}\"",
                                         "{\"x\":[1,{",
                                         "}"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        assert_true(criteria_pass(c, slice_of(broken[i]), NULL));
    criteria_free(c);
}

/* A bare scalar counts as itself for patterns of plain text only. */
static void scalars_are_no_objects(void **state)
{
    (void)state;
    const struct slice patterns[] = {SLICE("{\"body\":[\"x\"]}"),
                                     SLICE("{\"body\":{\"a\":[{\"exists\":false}]}}")};
    struct error err;
    struct criteria *c = criteria_new(&sqs, patterns, ARRAY_LEN(patterns), &err);
    assert_non_null(c);
    assert_false(criteria_pass(c, SLICE("{\"body\":\"5\"}"), NULL));
    assert_true(criteria_pass(c, SLICE("{\"body\":\"\\\"x\\\"\"}"), NULL));
    assert_true(criteria_pass(c, SLICE("{\"body\":\"{}\"}"), NULL));
    criteria_free(c);
}

/* One big body, then a small one: what was needed for the big one is not kept. */
static void big_bodies(void **state)
{
    (void)state;
    enum { BIG = 3 * 1024 * 1024 };
    char *body = malloc(BIG);
    assert_non_null(body);
    memset(body, '\n', BIG);
    memcpy(body, "{\"a\":1}", 7);
    body[BIG - 1] = '\0';
    struct criteria *c = one(&sqs, "{\"body\":{\"a\":[1]}}");
    struct buf json;
    struct json_out o;
    buf_init(&json, 3 * BIG);
    json_out_init(&o, &json);
    json_object(&o);
    json_kv_cstr(&o, "body", body);
    json_end(&o);
    assert_true(criteria_pass(c, buf_slice(&json), NULL));
    assert_true(criteria_pass(c, SLICE("{\"body\":\"{\\\"a\\\":1}\"}"), NULL));
    assert_false(criteria_pass(c, SLICE("{\"body\":\"{\\\"a\\\":2}\"}"), NULL));
    buf_free(&json);
    free(body);
    criteria_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals),
        cmocka_unit_test(no_filters_pass_everything),
        cmocka_unit_test(unreadable_records_pass),
        cmocka_unit_test(scalars_are_no_objects),
        cmocka_unit_test(big_bodies),

        cmocka_unit_test(limits),
        cmocka_unit_test(operators_of_the_bus_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
