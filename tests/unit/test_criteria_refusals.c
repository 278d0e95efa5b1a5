/* test_criteria_refusals.c - FilterCriteria: which patterns are refused, and which are remarked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals),
        cmocka_unit_test(limits),
        cmocka_unit_test(operators_of_the_bus_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
