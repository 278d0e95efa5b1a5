/* test_json_out.c - what is written is JSON, and exactly this JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_in.h"
#include "base/json_out.h"
#include "base/mem.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(void **state)
{
    static struct buf b;
    buf_init(&b, 1 << 20);
    *state = &b;
    return 0;
}

static int finish(void **state)
{
    buf_free(*state);
    return 0;
}

static void commas_come_by_themselves(void **state)
{
    struct buf *b = *state;
    struct json_out o;
    json_out_init(&o, b);
    json_object(&o);
    json_kv_cstr(&o, "a", "x");
    json_kv_i64(&o, "b", -1);
    json_key(&o, "c");
    json_array(&o);
    json_bool(&o, true);
    json_bool(&o, false);
    json_null(&o);
    json_object(&o);
    json_end(&o);
    json_array(&o);
    json_end(&o);
    json_raw(&o, SLICE("{\"n\": 1.50}"));
    json_end(&o);
    json_key_slice(&o, SLICE("d\"\n"));
    json_object(&o);
    json_kv_str(&o, "", SLICE(""));
    json_end(&o);
    json_kv_cstr(&o, "e", NULL);
    json_end(&o);
    assert_string_equal(b->p, "{\"a\":\"x\",\"b\":-1,\"c\":[true,false,null,{},[],{\"n\": 1.50}],"
                              "\"d\\\"\\n\":{\"\":\"\"},\"e\":\"\"}");
}

static void strings_are_escaped(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"\"\\/", "\\\"\\\\/"},
        {"\b\t\n\f\r", "\\b\\t\\n\\f\\r"},
        {"\x01\x0b\x1f\x7f", "\\u0001\\u000b\\u001f\x7f"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xc3(", "\xef\xbf\xbd("},
        {"\xe2\x82z", "\xef\xbf\xbdz"}, /* one for the whole broken sequence */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf0\x9f\x98", "\xef\xbf\xbd"},
        {"12345678\"12345678\"", "12345678\\\"12345678\\\""},
    };
    struct buf *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(b);
        json_escape(b, slice_of(cases[i].in));
        assert_string_equal(b->p, cases[i].out);
    }
    buf_clear(b);
    json_escape(b, SLICE("a\0b"));
    assert_string_equal(b->p, "a\\u0000b");
    buf_clear(b);
    json_escape(b, (struct slice){NULL, 0});
    assert_int_equal(b->n, 0);
}

/* Any bytes, at any alignment, become a string that our own reader takes and that says the same
 * when the bytes were text. */
static void any_bytes_become_a_valid_string(void **state)
{
    struct buf *b = *state;
    static const char *const pieces[] = {"a",        "\"",       "\\",           "\n",
                                         "\x01",     "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                         "12345678", "\xff",     "\xe2\x82"};
    uint32_t random = 88172645u;
    for (int round = 0; round < 3000; round++) {
        struct buf in;
        buf_init(&in, 1 << 16);
        bool text = round % 2 == 0;
        for (int i = 0; i < 40 + round % 200; i++) {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            buf_str(&in, pieces[random % (text ? ARRAY_LEN(pieces) - 2 : ARRAY_LEN(pieces))]);
        }
        struct json_out o;
        buf_clear(b);
        json_out_init(&o, b);
        json_str(&o, buf_slice(&in));
        struct error err;
        struct json *root = json_parse(buf_slice(b), b->n, &err);
        if (!root)
            fail_msg("%s: %s", err.text, b->p);
        if (text)
            assert_true(slice_eq(json_text(root), buf_slice(&in)));
        json_free(root);
        buf_free(&in);
    }
}

static void broken_text_takes_linear_time(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    char *bad = mem_alloc_raw(N);
    memset(bad, 0x80, N);
    struct buf b;
    buf_init(&b, 4 * N);
    json_escape(&b, (struct slice){bad, N});
    assert_false(b.full);
    assert_int_equal(b.n, 3 * N);
    buf_free(&b);
    free(bad);
}

static void limit_holds_while_escaping(void **state)
{
    (void)state;
    char quotes[3000];
    memset(quotes, '"', sizeof quotes);
    for (size_t limit = 5990; limit < 6010; limit++) {
        struct buf b;
        buf_init(&b, limit);
        json_escape(&b, (struct slice){quotes, sizeof quotes});
        assert_true(b.full == (limit < 6000));
        assert_true(b.n <= limit);
        if (!b.full)
            assert_int_equal(b.n, 6000);
        buf_free(&b);
    }
}

static void integers_keep_every_digit(void **state)
{
    struct buf *b = *state;
    static const int64_t values[] = {0, 7, -7, 10, 9007199254740993, INT64_MAX, INT64_MIN};
    static const char *const texts[] = {
        "0", "7", "-7", "10", "9007199254740993", "9223372036854775807", "-9223372036854775808"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct json_out o;
        buf_clear(b);
        json_out_init(&o, b);
        json_i64(&o, values[i]);
        assert_string_equal(b->p, texts[i]);
    }
}

static void doubles_are_short_and_exact(void **state)
{
    struct buf *b = *state;
    static const struct {
        double d;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1.0, "1"},
                 {-0.0, "-0"},
                 {1700000000000000, "1700000000000000"},
                 {4503735555481361.0, "4503735555481361"},
                 {1e18, "1e+18"},
                 {-1e19, "-1e+19"},
                 {1e300, "1e+300"},
                 {5e-324, "4.94065645841247e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {9007199254740994.0, "9007199254740994"},
                 {NAN, "null"},
                 {INFINITY, "null"},
                 {-INFINITY, "null"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_out o;
        buf_clear(b);
        json_out_init(&o, b);
        json_double(&o, cases[i].d);
        assert_string_equal(b->p, cases[i].text);
        if (isfinite(cases[i].d))
            assert_true(strtod(b->p, NULL) == cases[i].d);
    }
}

static void two_values(struct json_out *o)
{
    json_null(o);
    json_null(o);
}

static void value_without_key(struct json_out *o)
{
    json_object(o);
    json_null(o);
}

static void key_in_array(struct json_out *o)
{
    json_array(o);
    json_key(o, "k");
}

static void key_twice(struct json_out *o)
{
    json_object(o);
    json_key(o, "k");
    json_key(o, "k");
}

static void end_after_key(struct json_out *o)
{
    json_object(o);
    json_key(o, "k");
    json_end(o);
}

static void end_too_often(struct json_out *o)
{
    json_object(o);
    json_end(o);
    json_end(o);
}

static void too_deep(struct json_out *o)
{
    for (int i = 0; i <= JSON_OUT_DEPTH; i++)
        json_array(o);
}

/* Each misuse ends a child process by its assertion. */
static void misuse_is_an_assertion(void **state)
{
    (void)state;
    static void (*const misuses[])(struct json_out *) = {
        two_values,    value_without_key, key_in_array, key_twice,
        end_after_key, end_too_often,     too_deep};
    for (size_t i = 0; i < ARRAY_LEN(misuses); i++) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            struct buf b;
            struct json_out o;
            signal(SIGABRT, SIG_DFL);
            close(STDERR_FILENO);
            buf_init(&b, 1000);
            json_out_init(&o, &b);
            misuses[i](&o);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("misuse %zu was let through", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commas_come_by_themselves, start, finish),
        cmocka_unit_test_setup_teardown(strings_are_escaped, start, finish),
        cmocka_unit_test_setup_teardown(any_bytes_become_a_valid_string, start, finish),
        cmocka_unit_test(broken_text_takes_linear_time),
        cmocka_unit_test(limit_holds_while_escaping),
        cmocka_unit_test_setup_teardown(integers_keep_every_digit, start, finish),
        cmocka_unit_test_setup_teardown(doubles_are_short_and_exact, start, finish),
        cmocka_unit_test(misuse_is_an_assertion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
