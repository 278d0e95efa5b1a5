/* test_json_scan.c - the scanner takes what the validator takes, and undoes escapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_in.h"
#include "base/json_scan.h"

#include <stdlib.h>
#include <string.h>

/* From memory that ends where the text ends, so that ASan sees a byte too many. */
static bool takes(struct slice text, size_t *at)
{
    char *copy = malloc(text.n + !text.n);
    assert_non_null(copy);
    memcpy(copy, text.p, text.n);
    struct json_scan s;
    json_scan_init(&s, (struct slice){copy, text.n});
    json_scan_blanks(&s);
    bool ok = json_scan_value(&s);
    if (ok) {
        json_scan_blanks(&s);
        ok = s.p == s.end;
    }
    *at = (size_t)(s.p - copy);
    free(copy);
    return ok;
}

static const char *const texts[] = {
    "null",
    "true",
    "false",
    "nul",
    "truE",
    "0",
    "-0",
    "-",
    "01",
    "1.",
    "1.5",
    ".5",
    "1e",
    "1e+",
    "1E-7",
    "12345678901234567890",
    "\"\"",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12",
    "\"\\u",
    "\"\\u12G4\"",
    "\"\\u00e9\"",
    "\"\\ud83d\"",
    "\"\\ud83d\\ude00\"",
    "\"\t\"",
    "\"\x7f\"",
    "\"\xc3\xa9\"",
    "\"\xc3\"",
    "\"\xc3",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xe0\x9f\xbf\"",
    "\"\xe2\x82\xac\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\xf0\x8f\xbf\xbf\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xf5\x80\x80\x80\"",
    "\"\xf0\x9f\x98",
    "\"\xff\"",
    "\"0123456789abcdef\"",
    "\"0123456789abcde\\n0123456789abcdef0\"",
    "\"0123456789abcdef0123456\xc3\xa9\"",
    "\"0123456789abcdef\x1f\"",
    "\"01234567\x01\"",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    "[,]",
    "[1,]",
    "[1,2]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1}",
    "{a:1}",
    "{\"a\" 1}",
    " { \"a\" : [ 1 , { } , [ ] ] , \"b\" : \"c\" } ",
    "{\"a\":1]",
    "[1}",
    "[[[]]",
    "[]]",
    "1 1",
    "",
    " ",
    "\"a\" x",
    "[\"a\",{\"b\":[{\"c\":null}]}]",
    "\xef\xbb\xbf{}",
    "{\"\":0}",
    "{\"a\":1,\"a\":2}",
    "[1e400,-0.0e-0]",
    "[true,false,null,tru]",
    "\"\\u\"",
    "[\"\\u0000\"]",
};

static void test_agrees_with_the_validator(void **unused)
{
    (void)unused;
    size_t taken = 0;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        size_t at, valid_at;
        struct slice text = slice_of(texts[i]);
        bool valid = json_valid(text, &valid_at);
        if (takes(text, &at) != valid)
            fail_msg("%s", texts[i]);
        assert_true(at <= text.n);
        taken += valid;
        if (valid)
            assert_int_equal(at, text.n);
    }
    assert_true(taken > 20 && taken < ARRAY_LEN(texts) - 20);
}

/* A wrong byte at every place of a long string, so that every stride meets one. */
static void test_every_place(void **unused)
{
    (void)unused;
    static const char bad[] = {'"', '\\', '\x1f', '\0', '\x80', '\xff'};
    char text[64];
    for (size_t n = 2; n < sizeof text; n++) {
        for (size_t i = 1; i + 1 < n; i++) {
            for (size_t k = 0; k < sizeof bad; k++) {
                size_t at, valid_at;
                memset(text, 'a', n);
                text[0] = text[n - 1] = '"';
                text[i] = bad[k];
                struct slice s = {text, n};
                assert_int_equal(takes(s, &at), json_valid(s, &valid_at));
            }
        }
    }
}

static void test_depth(void **unused)
{
    (void)unused;
    char text[2 * JSON_SCAN_DEPTH + 2];
    for (size_t depth = JSON_SCAN_DEPTH; depth <= JSON_SCAN_DEPTH + 1; depth++) {
        size_t at, valid_at;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        struct slice s = {text, 2 * depth};
        assert_int_equal(takes(s, &at), depth == JSON_SCAN_DEPTH);
        assert_int_equal(json_valid(s, &valid_at), depth == JSON_SCAN_DEPTH);
    }
}

static void test_place_of_the_mistake(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t at;
    } rows[] = {
        {"{\"a\":tru}", 5}, {"[1,2,x]", 5},      {"[\"abc\x01\"]", 5}, {"{\"a\":1 \"b\":2}", 7},
        {"[1}", 2},         {"\"\xc3\x28\"", 1}, {"[1,2] x", 6},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t at;
        assert_false(takes(slice_of(rows[i].text), &at));
        if (at != rows[i].at)
            fail_msg("%s: %zu", rows[i].text, at);
    }
}

static void test_unescape(void **unused)
{
    (void)unused;
    static const struct {
        const char *raw, *text;
    } rows[] = {
        {"plain", "plain"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"a\\u0041z", "aAz"},
        {"\\u00e9\\u20AC", "\xc3\xa9\xe2\x82\xac"},
        {"\\ud83d\\ude00!", "\xf0\x9f\x98\x80!"},
        {"\\ud83d", "\xed\xa0\xbd"},
        {"\\ude00x", "\xed\xb8\x80x"},
        {"\\ud83d\\u0041", "\xed\xa0\xbd"
                           "A"},
        {"\\ud83d\\n", "\xed\xa0\xbd\n"},
        {"\xc3\xa9\\n", "\xc3\xa9\n"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[64];
        size_t n = json_scan_unescape(slice_of(rows[i].raw), out);
        assert_true(n <= strlen(rows[i].raw));
        assert_int_equal(n, strlen(rows[i].text));
        assert_memory_equal(out, rows[i].text, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_the_validator),
        cmocka_unit_test(test_every_place),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_place_of_the_mistake),
        cmocka_unit_test(test_unescape),
    };
    return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
