/* test_json_in.c - what is taken, what is refused, and what a tree says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json_in.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_valid(struct slice s)
{
    size_t at;
    return json_valid(s, &at);
}

static bool parses(struct slice s)
{
    struct json *root = json_parse(s, 1 << 20, NULL);
    json_free(root);
    return root != NULL;
}

static const char *const good[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "12",
    "-1.5",
    "1e5",
    "1E+5",
    "0.1e-7",
    "\"\"",
    " \t\r\n1 \n",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    "[1,2]",
    "[[],[[]],{}]",
    "{\"a\":1}",
    "{ \"a\" : [ 1 , { } ] , \"b\" : \"c\" }",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\"",
    "\"\\ud83d\\ude00\"",
    "\"gr\xc3\xbc\xc3\x9f, more than eight\"",
    "{\"a\":1,\"a\":2}",
    "\"\x7f\"",
    "1e400",
    "[1e-999]",
    "{\"\":0}",
    "\"1234567\\n1234567\"",
};

static const char *const bad[] = {
    "",
    " ",
    "{} xyz",
    "[] []",
    "1 2",
    "01",
    "-01",
    "00",
    "1.",
    ".5",
    "-",
    "+1",
    "1e",
    "1e+",
    "0x1",
    "NaN",
    "Infinity",
    "nul",
    "truex",
    "True",
    "nullnull",
    "'a'",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u\"",
    "\"a\nb\"",
    "\"a\tb\"",
    "\"\x01\"",
    "\"1234567\x1f\"",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,]",
    "[,1]",
    "[1 2]",
    "[1}",
    "]",
    "{",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "{1:1}",
    "{\"a\":}",
    "{,}",
    "{]",
    "}",
    "[]]",
    "{}}",
    "{\"a\":1]",
    "[1:2]",
    "\"\xff\"",
    "\"\xc3\"",
    "\"\xed\xa0\x80\"",
    "\xef\xbb\xbf{}",
    "\xc3\xa9",
    "[1]\xff",
    "// x\n1",
    "1 //",
    "\f1",
    "\v1",
    ",",
    ":",
    "\"a\" \"b\"",
    "{\"a\":1 \"b\":2}",
};

static void takes_json_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!is_valid(slice_of(good[i])) || !parses(slice_of(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (is_valid(slice_of(bad[i])) || parses(slice_of(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_false(is_valid((struct slice){NULL, 0}));
    assert_false(is_valid(SLICE("1\0")));
    assert_false(is_valid(SLICE("\"a\0b\"")));
    assert_false(is_valid(SLICE("\"\\\0\"")));
}

/* RFC 8259 allows them, so user data may carry them; a tree of C strings cannot. */
static void tree_is_stricter_than_the_grammar(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\"\\u0000\"",      "\"\\ud800\"",        "\"\\udc00\"",
        "\"\\ud800x\"",     "\"\\ud800\\n\"",     "\"\\ud800\\u0041\"",
        "{\"a\\u0000\":1}", "\"\\ud800\\ud800\"", "[\"\\uDFFF\"]"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_true(is_valid(slice_of(texts[i])));
        assert_false(parses(slice_of(texts[i])));
    }
    char number[101] = {0};
    for (size_t n = 1; n < sizeof number; n++) { /* read whole, or refused, never cut */
        number[n - 1] = '7';
        assert_true(is_valid(slice_of(number)));
        struct json *root = json_parse(slice_of(number), 1000, NULL);
        assert_true(root == NULL || json_num(root, 0) == strtod(number, NULL));
        assert_true(root != NULL || n > 63);
        json_free(root);
    }
}

static void exact_length_needs_no_nul(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        size_t n = strlen(good[i]);
        char *exact = malloc(n); /* the sanitizer sees a read behind it */
        memcpy(exact, good[i], n);
        assert_true(is_valid((struct slice){exact, n}));
        assert_true(parses((struct slice){exact, n}));
        for (size_t cut = 0; cut < n; cut++)
            parses((struct slice){exact + cut, n - cut});
        free(exact);
    }
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (unsigned depth = 199; depth <= 201; depth++) {
        buf_clear(&b);
        for (unsigned i = 0; i < depth; i++)
            buf_str(&b, i % 2 ? "{\"a\":" : "[");
        buf_char(&b, '1');
        for (unsigned i = depth; i-- > 0;)
            buf_char(&b, i % 2 ? '}' : ']');
        assert_true(is_valid(buf_slice(&b)) == (depth <= 200));
        assert_true(parses(buf_slice(&b)) == (depth <= 200));
    }
    buf_clear(&b);
    for (int i = 0; i < 500000; i++)
        buf_char(&b, '[');
    assert_false(is_valid(buf_slice(&b)));
    buf_free(&b);
    struct error err;
    assert_null(json_parse(SLICE("[1]"), 2, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
    struct json *root = json_parse(SLICE("[1]"), 3, &err);
    assert_non_null(root);
    json_free(root);
    assert_null(json_parse(SLICE("[1 ,x]"), 100, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    assert_non_null(strstr(err.text, "byte 4"));
}

static void says_where_it_broke(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {{"", 0},   {"x", 0},    {"[1,x]", 3}, {"{} x", 3}, {"[\"a\xff\"]", 3},
                 {"[1", 2}, {"1\xff", 1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t at = 99;
        assert_false(json_valid(slice_of(cases[i].text), &at));
        assert_int_equal(at, cases[i].at);
    }
}

static void tree_is_read(void **state)
{
    (void)state;
    struct json *root =
        json_parse(SLICE("{\"s\":\"t\\u00e9xt\",\"n\":-12,\"b\":true,\"f\":false,\"z\":null,"
                         "\"a\":[1,\"two\",{}],\"S\":\"upper\",\"n\":5,\"\":\"empty\"}"),
                   1000, NULL);
    assert_non_null(root);
    int64_t v = 0;
    assert_int_equal(json_type(root), JSON_OBJECT);
    assert_int_equal(json_count(root), 9);
    assert_true(slice_is(json_text(json_get(root, "s")), "t\xc3\xa9xt"));
    assert_true(slice_is(json_text(json_get(root, "S")), "upper"));
    assert_true(slice_is(json_text(json_get(root, "")), "empty"));
    assert_null(json_get(root, "missing"));
    assert_true(json_int(json_get(root, "n"), &v)); /* the last one */
    assert_int_equal(v, 5);
    assert_true(json_true(json_get(root, "b")));
    assert_false(json_true(json_get(root, "f")));
    assert_int_equal(json_type(json_get(root, "f")), JSON_BOOL);
    assert_int_equal(json_type(json_get(root, "z")), JSON_NULL);
    const struct json *array = json_get(root, "a"), *item = json_first(array);
    assert_int_equal(json_type(array), JSON_ARRAY);
    assert_int_equal(json_count(array), 3);
    assert_true(json_num(item, 0) == 1);
    item = json_after(item);
    assert_true(slice_is(json_text(item), "two"));
    assert_int_equal(json_name(item).n, 0);
    item = json_after(item);
    assert_int_equal(json_type(item), JSON_OBJECT);
    assert_null(json_first(item));
    assert_null(json_after(item));
    assert_true(slice_is(json_name(json_first(root)), "s"));
    json_free(root);
}

static void wrong_types_give_defaults(void **state)
{
    (void)state;
    struct json *root = json_parse(SLICE("[\"text\",1]"), 100, NULL);
    const struct json *text = json_first(root);
    int64_t v = 3;
    assert_int_equal(json_type(NULL), JSON_NULL);
    assert_null(json_get(NULL, "a"));
    assert_null(json_get(root, "a"));
    assert_null(json_first(NULL));
    assert_null(json_first(text));
    assert_null(json_after(NULL));
    assert_int_equal(json_count(NULL), 0);
    assert_int_equal(json_count(text), 0);
    assert_int_equal(json_name(NULL).n, 0);
    assert_int_equal(json_text(NULL).n, 0);
    assert_int_equal(json_text(root).n, 0);
    assert_int_equal(json_text(json_after(text)).n, 0);
    assert_false(json_int(NULL, &v));
    assert_false(json_int(text, &v));
    assert_int_equal(v, 3);
    assert_true(json_num(text, 2.5) == 2.5);
    assert_true(json_num(NULL, 2.5) == 2.5);
    assert_false(json_true(NULL));
    assert_false(json_true(text));
    json_free(NULL);
    json_free(root);
}

static void integers_are_exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool whole;
        int64_t v;
    } cases[] = {{"0", true, 0},
                 {"-0", true, 0},
                 {"2147483648", true, 2147483648},
                 {"-3000000000", true, -3000000000},
                 {"1e3", true, 1000},
                 {"5.0", true, 5},
                 {"9007199254740991", true, 9007199254740991},
                 {"-9007199254740991", true, -9007199254740991},
                 {"9007199254740992", false, 0},
                 {"9007199254740993", false, 0},
                 {"1.5", false, 0},
                 {"1e400", false, 0},
                 {"-1e400", false, 0},
                 {"1e18", false, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json *root = json_parse(slice_of(cases[i].text), 100, NULL);
        int64_t v = 77;
        assert_int_equal(json_int(root, &v), cases[i].whole);
        assert_true(v == (cases[i].whole ? cases[i].v : 77));
        assert_true(isfinite(json_num(root, 1)));
        json_free(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_json_and_nothing_else),
        cmocka_unit_test(tree_is_stricter_than_the_grammar),
        cmocka_unit_test(exact_length_needs_no_nul),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(says_where_it_broke),
        cmocka_unit_test(tree_is_read),
        cmocka_unit_test(wrong_types_give_defaults),
        cmocka_unit_test(integers_are_exact_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
