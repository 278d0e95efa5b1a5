/* test_pattern_json.c - patterns that are no JSON, the order in which mistakes are met, where they
 * are, and the limits. */
#include "tests/unit/pattern_rows.h"

#include "base/buf.h"
#include "base/utf8.h"

#define VALUES    "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
#define LIST_TYPE "Inside anything but list, start|null|boolean is not supported."
#define PREFIX    "prefix match pattern must be a string"

static void test_json(void **state)
{
    static const struct row rows[] = {
        {"x", "Unrecognized token 'x': was expecting " VALUES, 2, 0},
        {"{\"a\":[tru]}", "Unrecognized token 'tru': was expecting " VALUES, 10, 6},
        {"{\"a\":[truex]}", "Unrecognized token 'truex': was expecting " VALUES, 12, 6},
        {"{\"a\":]", "Unexpected character (']' (code 93)): expected a valid value " VALUES, 6, 5},
        {"{\"a\":}", "Unexpected character ('}' (code 125)): expected a value", 6, 5},
        {"{\"a\":[1,]}", "Unexpected character (']' (code 93)): expected a valid value " VALUES, 9,
         8},
        {"{'a':[1]}",
         "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 2,
         1},
        {"{\"a\":[1],}",
         "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
         10, 9},
        {"{\"a\" [1]}",
         "Unexpected character ('[' (code 91)): was expecting a colon to separate field name and "
         "value",
         6, 5},
        {"{\"a\":[1 2]}",
         "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 9,
         8},
        {"{\"a\":[1]\"b\":[1]}",
         "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries", 9,
         8},
        {"{\"a\":[01]}", "Invalid numeric value: Leading zeroes not allowed", 9, 6},
        {"{\"a\":[-]}",
         "Unexpected character (']' (code 93)) in numeric value: expected digit (0-9) to follow "
         "minus "
         "sign, for valid numeric value",
         9, 7},
        {"{\"a\":[1.]}",
         "Unexpected character (']' (code 93)) in numeric value: Decimal point not followed by a "
         "digit",
         10, 8},
        {"{\"a\":[1e]}",
         "Unexpected character (']' (code 93)) in numeric value: Exponent indicator not followed "
         "by a "
         "digit",
         10, 8},
    };
    (void)state;
    refuse_all(rows, ARRAY_LEN(rows));
}

static void test_json_ends(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[1",
         "Unexpected end-of-input: expected close marker for Array (start marker at line: 1, "
         "column: 6)",
         8, 7},
        {"{\"a\":", "Unexpected end-of-input within/between Object entries", 6, 5},
        {"{\"a\":[1,", "Unexpected end-of-input within/between Array entries", 9, 8},
        {"{\"a", "Unexpected end-of-input in field name", 4, 3},
        {"{\"a\":[\"x", "Unexpected end-of-input: was expecting closing quote for a string value",
         9, 8},
        {"{\"a\":[-", "Unexpected end-of-input in a Number value", 8, 7},
        {"{\"a\":[\"\\u00", "Unexpected end-of-input in character escape sequence", 12, 11},
        {"{\"a\":[\"\\", "Unexpected end-of-input: was expecting closing quote for a string value",
         9, 8},
        {"{\"a\" \x7f",
         "Unexpected character ((CTRL-CHAR, code 127)): was expecting a colon to separate field "
         "name "
         "and value",
         6, 5},
        {"{\"$or\":[\"x\"", "Only JSON object is allowed in array of $or relationship.", 10, 8},
        {"{\"a\":[1}",
         "Unexpected close marker '}': expected ']' (for Array starting at line: 1, column: 6)", 9,
         7},
        {"{\"a\":{\"b\":[1]]",
         "Unexpected close marker ']': expected '}' (for Object starting at line: 1, column: 6)",
         15, 13},
        {"}", "Unexpected close marker '}': expected ']' (for root starting at line: 1, column: 1)",
         2, 0},
        {"{\"a\":[\"\\q\"]}", "Unrecognized character escape 'q' (code 113)", 9, 8},
        {"{\"a\":[\"\\u00g0\"]}",
         "Unexpected character ('g' (code 103)): expected a hex-digit for character escape "
         "sequence",
         12, 11},
        {"{\"a\":[\"\t\"]}",
         "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using backslash to "
         "be "
         "included in string value",
         8, 7},
        {"{\"a\":[\x01]}",
         "Illegal character ((CTRL-CHAR, code 1)): only regular white space (\\r, \\n, \\t) is "
         "allowed "
         "between tokens",
         7, 6},
        {"{\"a\":[+1]}", "Unexpected character ('+' (code 43)): expected a valid value " VALUES, 7,
         6},
        {"{\"\xe2\x82\xac\"\xe2\x82\xac",
         "Unexpected character ('\xe2\x82\xac' (code 8364 / 0x20ac)): was expecting a colon to "
         "separate field name and value",
         5, 6},
    };
    (void)state;
    refuse_all(rows, ARRAY_LEN(rows));
}

/* Of two mistakes the one that is met first; the value after a name is met with the name. */
static void test_order(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[{\"prefix\":[1 2", PREFIX, 18, 16},
        {"{\"a\":[{\"foo\":tru", "Unrecognized token 'tru': was expecting " VALUES, 17, 13},
        {"{\"a\":[{\"foo\":\"\\q", "Unrecognized match type foo", 15, 7},
        {"{\"a\":[{\"anything-but\":[\"x\",1,true", LIST_TYPE, 34, 29},
        {"{\"a\":[],\"b\":", "Empty arrays are not allowed", 8, 5},
        {"{\"a\":[{\"wildcard\":\"**\"", "Consecutive wildcard characters at pos 1", 23, 18},
        {"{\"a\":[{\"numeric\":[\"!=\",x", "Unrecognized token 'x': was expecting " VALUES, 25, 23},
        {"{\"a\":[{\"wildcard\":\"*a*a*a*a*a*a*\"}],\"b\":[]}", "Empty arrays are not allowed", 43,
         40},
    };
    (void)state;
    refuse_all(rows, ARRAY_LEN(rows));
}

static void test_lines(void **state)
{
    struct pattern_error err;
    (void)state;
    assert_null(pattern_new(SLICE("{\"a\":[1],\r\n \"b\"\n:\r 7}"), LIMIT, &err));
    assert_string_equal(err.text, "\"b\" must be an object or an array");
    assert_int_equal(err.line, 4);
    assert_int_equal(err.column, 3);
    assert_int_equal(err.at, 12);
    /* In Java a character beyond the first plane counts twice. */
    assert_null(pattern_new(SLICE("{\"\xf0\x9f\x98\x80\":7}"), LIMIT, &err));
    assert_string_equal(err.text, "\"\xf0\x9f\x98\x80\" must be an object or an array");
    assert_int_equal(err.column, 8);
}

static void test_names_are_cut(void **state)
{
    char name[400];
    struct buf b;
    struct pattern_error err;
    (void)state;
    memset(name, 'n', sizeof name);
    buf_init(&b, 8192);
    buf_str(&b, "{\"a\":[{\"");
    buf_add(&b, name, sizeof name);
    buf_str(&b, "\":1}]}");
    assert_null(pattern_new(buf_slice(&b), LIMIT, &err));
    assert_true(strlen(err.text) < 160);
    assert_true(slice_ends(slice_of(err.text), "nnn..."));
    buf_free(&b);
    assert_null(pattern_new(SLICE("{\"\\u0000\\n\\ud800\\u009b\":1}"), LIMIT, &err));
    assert_string_equal(err.text, "\"\\u0000\\u000a?\\u009b\" must be an object or an array");
    for (int i = 0; i < 50; i++) {
        buf_init(&b, 8192);
        buf_str(&b, "{\"");
        buf_add(&b, name, 70 + (size_t)i);
        buf_str(&b, "\xe2\x82\xac\xf0\x9f\x98\x80\\u0001\":1}");
        assert_null(pattern_new(buf_slice(&b), LIMIT, &err));
        assert_true(utf8_valid(slice_of(err.text)));
        buf_free(&b);
    }
}

static void test_limits(void **state)
{
    struct pattern_error err;
    struct buf b;
    (void)state;
    assert_null(pattern_new(SLICE("{\"a\":[1]}"), 8, &err));
    assert_string_equal(err.text, "Event pattern is longer than 8 bytes");
    assert_int_equal(err.line, 0);
    struct pattern *p = pattern_new(SLICE("{\"a\":[1]}"), 9, &err);
    assert_non_null(p);
    pattern_free(p);
    assert_null(pattern_new(SLICE("{\"a\":[\"\xff\"]}"), LIMIT, &err));
    assert_string_equal(err.text, "Invalid UTF-8 in the event pattern");
    assert_int_equal(err.at, 7);
    for (int depth = PATTERN_DEPTH_MAX - 1; depth <= PATTERN_DEPTH_MAX; depth++) {
        buf_init(&b, 8192);
        for (int i = 0; i < depth; i++)
            buf_str(&b, "{\"a\":");
        buf_str(&b, "[1]");
        for (int i = 0; i < depth; i++)
            buf_char(&b, '}');
        p = pattern_new(buf_slice(&b), LIMIT, &err);
        assert_int_equal(p != NULL, depth < PATTERN_DEPTH_MAX);
        pattern_free(p);
        buf_free(&b);
    }
    assert_string_equal(err.text, "Document nesting depth (101) exceeds the maximum allowed (100)");
    pattern_free(NULL);
}

static void test_combinations(void **state)
{
    struct pattern_error err;
    struct buf b;
    (void)state;
    for (int groups = 3; groups <= 4; groups++) {
        buf_init(&b, 8192);
        for (int i = 0; i < groups; i++) {
            buf_printf(&b, "%s\"$or\":[", i ? "," : "{");
            for (int k = 0; k < (i < 3 ? 10 : 2); k++)
                buf_printf(&b, "%s{\"f%d\":[%d]}", k ? "," : "", i, k);
            buf_str(&b, "]");
        }
        buf_str(&b, "}");
        struct pattern *p = pattern_new(buf_slice(&b), LIMIT, &err);
        assert_int_equal(p != NULL, groups == 3);
        if (p)
            assert_int_equal(p->n_branches, PATTERN_BRANCHES_MAX);
        pattern_free(p);
        buf_free(&b);
    }
    assert_string_equal(err.text, "Event pattern contains more than 1000 rule combinations");
    assert_int_equal(err.at, 1);
}

/* What is small as text but large when it is multiplied out. */
static void test_products(void **state)
{
    struct pattern_error err;
    struct buf b;
    (void)state;
    buf_init(&b, LIMIT);
    for (int i = 0; i < 3; i++) {
        buf_str(&b, i ? "],\"$or\":[" : "{\"$or\":[");
        for (int k = 0; k < 10; k++)
            buf_printf(&b, "%s{\"f%d\":[%d]}", k ? "," : "", i, k);
    }
    buf_str(&b, "]");
    size_t base = b.n;
    for (int fields = 997; fields <= 998; fields++) {
        b.n = base;
        for (int i = 0; i < fields; i++)
            buf_printf(&b, ",\"x%d\":[1]", i);
        buf_str(&b, "}");
        struct pattern *p = pattern_new(buf_slice(&b), LIMIT, &err);
        assert_int_equal(p != NULL, fields == 997);
        pattern_free(p);
    }
    assert_string_equal(err.text, "Event pattern has too many fields for 1000 rule combinations");
    buf_free(&b);
}

static void test_long_paths(void **state)
{
    struct pattern_error err;
    struct buf b;
    (void)state;
    buf_init(&b, LIMIT);
    buf_str(&b, "{\"");
    for (int i = 0; i < 20000; i++)
        buf_char(&b, 'n');
    buf_str(&b, "\":{\"a\":[1]");
    for (int i = 0; i < 900; i++)
        buf_printf(&b, ",\"%d\":[1]", i);
    buf_str(&b, "}}");
    assert_null(pattern_new(buf_slice(&b), LIMIT, &err));
    assert_string_equal(err.text, "Names of nested fields take more than 16777216 bytes together");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),          cmocka_unit_test(test_json_ends),
        cmocka_unit_test(test_order),         cmocka_unit_test(test_lines),
        cmocka_unit_test(test_names_are_cut), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_products),      cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_combinations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
