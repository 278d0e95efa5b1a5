/* test_criteria.c - FilterCriteria: which records pass: keys and kinds of data of every source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/json_out.h"
#include "engine/criteria.h"
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
    if (c == NULL)
        print_error("%s: %s\n", pattern, err.text);
    assert_non_null(c);
    return c;
}

/* The record around a body, with the attributes that all have. */
static void sqs_record(struct buf *out, const char *body)
{
    struct json_out o;
    buf_init(out, 1 << 20);
    json_out_init(&o, out);
    json_object(&o);
    json_kv_cstr(&o, "messageId", "m-1");
    if (body != NULL)
        json_kv_cstr(&o, "body", body);
    json_key(&o, "messageAttributes");
    json_raw(&o, SLICE("{\"colour\":{\"stringValue\":\"red\",\"dataType\":\"String\"}}"));
    json_kv_cstr(&o, "eventSourceARN", "arn:aws:sqs:us-east-1:000000000000:q");
    json_end(&o);
}

/* {"topic":"t","value":BASE64}, {"kinesis":{"data":BASE64,"partitionKey":"p"}} */
static void coded_record(struct buf *out, const struct criteria_data *data, struct slice bytes)
{
    buf_init(out, 1 << 20);
    bool stream = data == &kinesis;
    buf_str(out, stream ? "{\"kinesis\":{\"partitionKey\":\"p\",\"data\":\""
                        : "{\"topic\":\"t\",\"value\":\"");
    assert_true(base64_encode(out, bytes));
    buf_str(out, stream ? "\"},\"eventName\":\"aws:kinesis:record\"}" : "\"}");
}

struct row {
    const char *data, *pattern;
    bool passes;
};

static void expect(const struct criteria_data *data, const struct row *r, struct slice json)
{
    struct buf why;
    buf_init(&why, 10000);
    struct criteria *c = one(data, r->pattern);
    bool passes = criteria_pass(c, json, &why);
    if (passes != r->passes)
        print_error("%s on %s: %s\n", r->pattern, json.p, why.p);
    assert_int_equal(passes, r->passes);
    assert_int_equal(criteria_pass(c, json, NULL), r->passes); /* memory is used again */
    assert_int_equal(why.n > 0, !r->passes);
    if (why.n > 0)
        assert_ptr_equal(memchr(why.p, '\n', why.n), why.p + why.n - 1);
    buf_free(&why);
    criteria_free(c);
}

/* filter-patterns.md 1, and what it leaves open: a bare scalar is text, and also itself. */
static const struct row sqs_rows[] = {
    {"plain", "{\"body\":[\"plain\"]}", true},
    {"plain", "{\"body\":[\"other\"]}", false},
    {"plain", "{\"body\":[{\"prefix\":\"pl\"}]}", true},
    {"plain", "{\"body\":{\"a\":[1]}}", false},
    {"plain", "{\"body\":{\"a\":[{\"exists\":false}]}}", false},
    {"{\"a\":1}", "{\"body\":{\"a\":[1]}}", true},
    {"{\"a\":1}", "{\"body\":{\"a\":[2]}}", false},
    {"{\"a\":1}", "{\"body\":{\"b\":[{\"exists\":false}]}}", true},
    {"  {\"a\" : 1}\n", "{\"body\":{\"a\":[1]}}", true},
    {"{\"a\":{\"b\":\"x\"}}", "{\"body\":{\"a\":{\"b\":[\"x\"]}}}", true},
    {"{\"a\":{\"b\":\"x\"}}", "{\"body.a\":{\"b\":[\"x\"]}}", true},
    {"{\"a\":1}", "{\"body\":[\"{\\\"a\\\":1}\"]}", false},
    {"{\"a\":1}", "{\"body\":[{\"prefix\":\"{\"}]}", false},
    {"{\"a\":1}", "{\"body\":[{\"exists\":false}]}", false},
    {"[\"x\"]", "{\"body\":[\"x\"]}", false},
    {"[{\"a\":1},{\"a\":2}]", "{\"body\":{\"a\":[2]}}", true},
    {"{\"a\":1", "{\"body\":{\"a\":[1]}}", false},
    {"{\"a\":1", "{\"body\":[{\"prefix\":\"{\"}]}", true},
    {"{\"a\":1}", "{\"messageAttributes\":{\"colour\":{\"stringValue\":[\"red\"]}}}", true},
    {"plain", "{\"messageAttributes\":{\"colour\":{\"stringValue\":[\"red\"]}}}", true},
    {"plain", "{\"messageAttributes\":{\"colour\":{\"stringValue\":[\"blue\"]}}}", false},
    {"{\"a\":1}", "{\"eventSourceARN\":[{\"prefix\":\"arn:aws:sqs:\"}],\"body\":{\"a\":[1]}}",
     true},
    {"plain", "{\"eventSourceARN\":[{\"prefix\":\"arn:aws:sqs:\"}],\"body\":{\"a\":[1]}}", false},
    {"{\"a\":1}", "{\"messageId\":[\"m-2\"],\"body\":{\"a\":[1]}}", false},
    {"5", "{\"body\":[5]}", true},
    {"5", "{\"body\":[\"5\"]}", true},
    {"5", "{\"body\":[6]}", false},
    {"5", "{\"body\":{\"a\":[5]}}", false},
    {"\"x\"", "{\"body\":[\"x\"]}", true},
    {"\"x\"", "{\"body\":[\"\\\"x\\\"\"]}", true},
    {"true", "{\"body\":[true]}", true},
    {"null", "{\"body\":[null]}", true},
    {"plain", "{\"bodyguard\":[{\"exists\":false}]}", true},
    {"x", "{\"body\":[\"x\"],\"body.a\":[{\"exists\":false}]}", false},
    {"", "{\"body\":[\"\"]}", true},
    {"", "{\"body\":[null]}", false},
    {"tab\there \"quoted\" \xc3\xa9 \x01",
     "{\"body\":[\"tab\\there \\\"quoted\\\" \xc3\xa9 \\u0001\"]}", true},
    {"{\"a\":\"\\\"\\\\\\u00e9\\ud83d\\ude00\"}",
     "{\"body\":{\"a\":[\"\\\"\\\\\xc3\xa9\xf0\x9f\x98\x80\"]}}", true},
    {NULL, "{\"body\":{\"a\":[1]}}", false},
    {NULL, "{\"body\":[{\"exists\":false}]}", true},
    /* $or: each branch with what it asks of the data */
    {"plain", "{\"$or\":[{\"body\":{\"a\":[1]}},{\"messageId\":[\"m-1\"]}]}", true},
    {"plain", "{\"$or\":[{\"body\":{\"a\":[1]}},{\"body\":[\"plain\"]}]}", true},
    {"{\"a\":1}", "{\"$or\":[{\"body\":{\"a\":[1]}},{\"body\":[\"plain\"]}]}", true},
    {"{\"a\":2}", "{\"$or\":[{\"body\":{\"a\":[1]}},{\"body\":[\"plain\"]}]}", false},
};

static void sqs_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sqs_rows); i++) {
        struct buf json;
        sqs_record(&json, sqs_rows[i].data);
        expect(&sqs, &sqs_rows[i], buf_slice(&json));
        buf_free(&json);
    }
}

static const struct row kinesis_rows[] = {
    {"{\"a\":1}", "{\"data\":{\"a\":[1]}}", true},
    {"{\"a\":1}", "{\"data\":{\"a\":[2]}}", false},
    {"plain", "{\"data\":{\"a\":[1]}}", false},
    {"plain", "{\"data\":{\"a\":[{\"exists\":false}]}}", false},
    {"\xff\xfe", "{\"data\":{\"a\":[{\"exists\":false}]}}", false},
    {"\xff\xfe", "{\"eventName\":[\"aws:kinesis:record\"]}", true},
    {"plain", "{\"kinesis\":{\"partitionKey\":[\"p\"]}}", true},
    {"plain", "{\"kinesis\":{\"partitionKey\":[\"q\"]}}", false},
    {"{\"a\":1}", "{\"kinesis\":{\"partitionKey\":[\"p\"]},\"data\":{\"a\":[1]}}", true},
    /* the documented key is data; kinesis.data is base64 text like any other member */
    {"{\"a\":1}", "{\"kinesis\":{\"data\":{\"a\":[1]}}}", false},
};

static void kinesis_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinesis_rows); i++) {
        struct buf json;
        coded_record(&json, &kinesis, slice_of(kinesis_rows[i].data));
        expect(&kinesis, &kinesis_rows[i], buf_slice(&json));
        buf_free(&json);
    }
}

/* Of another kind: only what else the pattern asks for counts. */
static const struct row kafka_rows[] = {
    {"{\"a\":1}", "{\"value\":{\"a\":[1]}}", true},
    {"{\"a\":1}", "{\"value\":{\"a\":[2]}}", false},
    {"plain", "{\"value\":[\"plain\"]}", true},
    {"plain", "{\"value\":[\"other\"]}", false},
    {"plain", "{\"value\":{\"a\":[1]}}", true},
    {"plain", "{\"topic\":[\"t\"],\"value\":{\"a\":[1]}}", true},
    {"plain", "{\"topic\":[\"u\"],\"value\":{\"a\":[1]}}", false},
    {"{\"a\":1}", "{\"value\":[\"plain\"]}", true},
    {"{\"a\":1}", "{\"topic\":[\"u\"],\"value\":[\"plain\"]}", false},
    {"\xff\xfe", "{\"value\":{\"a\":[1]}}", true},
    {"\xff\xfe", "{\"value\":[\"x\"]}", true},
    {"\xff\xfe", "{\"topic\":[\"u\"],\"value\":[\"x\"]}", false},
    {"plain", "{\"$or\":[{\"topic\":[\"u\"],\"value\":{\"a\":[1]}},{\"topic\":[\"v\"]}]}", false},
    {"7", "{\"value\":[7]}", true},
};

static void kafka_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kafka_rows); i++) {
        struct buf json;
        coded_record(&json, &kafka, slice_of(kafka_rows[i].data));
        expect(&kafka, &kafka_rows[i], buf_slice(&json));
        buf_free(&json);
    }
}

static void not_base64_is_not_utf8(void **state)
{
    (void)state;
    struct slice json = SLICE("{\"topic\":\"t\",\"value\":\"%%%\"}");
    expect(&kafka, &(struct row){NULL, "{\"value\":[\"x\"],\"topic\":[\"t\"]}", true}, json);
    expect(&kafka, &(struct row){NULL, "{\"value\":[\"x\"],\"topic\":[\"u\"]}", false}, json);
    json = SLICE("{\"kinesis\":{\"data\":\"%%%\"}}");
    expect(&kinesis, &(struct row){NULL, "{\"data\":{\"a\":[{\"exists\":false}]}}", false}, json);
}

static void dynamodb_is_json_already(void **state)
{
    (void)state;
    struct slice json = SLICE("{\"eventName\":\"INSERT\",\"dynamodb\":{\"Keys\":{\"id\":{\"N\":"
                              "\"5\"}},\"NewImage\":{\"name\":{\"S\":\"x\"}}}}");
    static const struct row rows[] = {
        {NULL, "{\"dynamodb\":{\"Keys\":{\"id\":{\"N\":[\"5\"]}}}}", true},
        {NULL, "{\"dynamodb\":{\"Keys\":{\"id\":{\"N\":[5]}}}}", false},
        {NULL, "{\"eventName\":[\"INSERT\",\"MODIFY\"]}", true},
        {NULL, "{\"eventName\":[\"REMOVE\"]}", false},
        {NULL, "{\"dynamodb\":{\"OldImage\":{\"name\":{\"S\":[{\"exists\":false}]}}}}", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect(&dynamodb, &rows[i], json);
}

/* No source writes such records today; what stands there is taken for what it is. */
static void data_that_is_no_string(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        struct row row;
    } cases[] = {
        {"{\"body\":null}", {NULL, "{\"body\":[{\"exists\":false}]}", true}},
        {"{\"body\":null}", {NULL, "{\"body\":{\"a\":[1]}}", false}},
        {"{\"body\":57}", {NULL, "{\"body\":[57]}", true}},
        {"{\"body\":57}", {NULL, "{\"body\":[\"57\"]}", true}},
        {"{\"body\":{\"a\":1}}", {NULL, "{\"body\":{\"a\":[1]}}", true}},
        {"{\"body\":[{\"a\":1}]}", {NULL, "{\"body\":{\"a\":[2]}}", false}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(&sqs, &cases[i].row, slice_of(cases[i].json));
}

/* As deep as JSON may be here, and deeper: then it is plain text. */
static void deep_bodies(void **state)
{
    (void)state;
    enum { DEPTH = 200 };
    for (int deeper = 0; deeper < 2; deeper++) {
        struct buf body, json;
        buf_init(&body, 10000);
        for (int i = 0; i < DEPTH - 1 + deeper; i++)
            buf_char(&body, '[');
        buf_str(&body, "{\"a\":1}");
        for (int i = 0; i < DEPTH - 1 + deeper; i++)
            buf_char(&body, ']');
        sqs_record(&json, body.p);
        expect(&sqs, &(struct row){NULL, "{\"body\":{\"a\":[1]}}", deeper == 0}, buf_slice(&json));
        expect(&sqs, &(struct row){NULL, "{\"body\":{\"a\":[2]}}", false}, buf_slice(&json));
        expect(&sqs, &(struct row){NULL, "{\"body\":[{\"prefix\":\"[[\"}]}", deeper == 1},
               buf_slice(&json));
        buf_free(&body);
        buf_free(&json);
    }
}

static void any_filter_is_enough(void **state)
{
    (void)state;
    const struct slice patterns[] = {SLICE("{\"body\":{\"a\":[1]}}"), SLICE("{\"body\":[\"x\"]}"),
                                     SLICE("{\"messageId\":[\"m-9\"]}")};
    static const struct {
        const char *body;
        bool passes;
    } rows[] = {{"{\"a\":1}", true}, {"{\"a\":2}", false}, {"x", true}, {"y", false}};
    struct error err;
    struct criteria *c = criteria_new(&sqs, patterns, ARRAY_LEN(patterns), &err);
    assert_non_null(c);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf json, why;
        buf_init(&why, 10000);
        sqs_record(&json, rows[i].body);
        assert_int_equal(criteria_pass(c, buf_slice(&json), &why), rows[i].passes);
        if (!rows[i].passes)
            assert_non_null(strstr(why.p, "Filters[2]: "));
        buf_free(&json);
        buf_free(&why);
    }
    criteria_free(c);
}

static void reasons(void **state)
{
    (void)state;
    static const struct {
        const char *body, *pattern, *said;
    } rows[] = {
        {"plain", "{\"body\":{\"a\":[1]}}", "\"body\" is plain text, the pattern wants JSON\n"},
        {"{\"a\":1}", "{\"body\":[\"x\"]}", "\"body\" is JSON, the pattern wants plain text\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf json, why;
        buf_init(&why, 10000);
        sqs_record(&json, rows[i].body);
        struct criteria *c = one(&sqs, rows[i].pattern);
        assert_false(criteria_pass(c, buf_slice(&json), &why));
        assert_string_equal(why.p, rows[i].said);
        criteria_free(c);
        buf_free(&json);
        buf_free(&why);
    }
    struct buf json, why;
    buf_init(&why, 10000);
    sqs_record(&json, "{\"kind\":\"loud\"}");
    struct criteria *c = one(&sqs, "{\"body\":{\"kind\":[\"quiet\"]}}");
    assert_false(criteria_pass(c, buf_slice(&json), &why));
    assert_non_null(strstr(why.p, "body.kind"));
    assert_non_null(strstr(why.p, "loud"));
    assert_non_null(strstr(why.p, "quiet"));
    criteria_free(c);
    buf_free(&json);
    buf_free(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqs_table),
        cmocka_unit_test(kinesis_table),
        cmocka_unit_test(kafka_table),
        cmocka_unit_test(not_base64_is_not_utf8),
        cmocka_unit_test(dynamodb_is_json_already),
        cmocka_unit_test(data_that_is_no_string),
        cmocka_unit_test(deep_bodies),
        cmocka_unit_test(any_filter_is_enough),
        cmocka_unit_test(reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
