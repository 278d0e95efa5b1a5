/* test_http_text.c - percent escapes, query parameters and header blocks as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/http_client.h"
#include "io/http_server.h"
#include <string.h>

static void percent_escapes_are_decoded_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out; /* NULL: refused */
    } cases[] = {
        {"", ""},         {"plain", "plain"},
        {"a+b", "a+b"},   {"%41%6a%6A", "Ajj"},
        {"%2F%2f", "//"}, {"%", NULL},
        {"%4", NULL},     {"a%4", NULL},
        {"%zz", NULL},    {"%4g", NULL},
        {"%%41", NULL},   {"%e2%82%ac", "\xe2\x82\xac"},
        {"%25", "%"},     {"100%25%20", "100% "},
        {"%-1", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 100);
        bool ok = http_percent_decode(slice_of(cases[i].in), &out);
        assert_int_equal(ok, cases[i].out != NULL);
        if (ok)
            assert_string_equal(out.p, cases[i].out);
        buf_free(&out);
    }
    struct buf out;
    buf_init(&out, 3);
    assert_true(http_percent_decode(SLICE("%00%ff"), &out));
    assert_int_equal(out.n, 2);
    assert_memory_equal(out.p, "\0\xff", 2);
    assert_false(http_percent_decode(SLICE("ab"), &out)); /* does not fit */
    buf_free(&out);
}

static void check_query(const char *query, const char *name, const char *want)
{
    struct buf out;
    buf_init(&out, 100);
    bool found = http_query_get(slice_of(query), name, &out);
    assert_int_equal(found, want != NULL);
    if (found)
        assert_string_equal(out.p, want);
    buf_free(&out);
}

static void query_parameters_are_found_by_name(void **state)
{
    (void)state;
    check_query("", "a", NULL);
    check_query("a", "a", "");
    check_query("a=", "a", "");
    check_query("a=1&b=2", "a", "1");
    check_query("a=1&b=2", "b", "2");
    check_query("a=1&b=2", "c", NULL);
    check_query("ab=1&a=2", "a", "2");
    check_query("a=1&a=2", "a", "1");
    check_query("&&a=x%26y&", "a", "x&y");
    check_query("%41=yes", "A", "yes");
    check_query("A=no", "a", NULL);
    check_query("a=b=c", "a", "b=c");
    check_query("a=%", "a", NULL);
    check_query("%zz=1&b=2", "b", "2");
}

static void check_header(const char *block, const char *name, const char *want)
{
    struct http_call call = {.status = 200};
    buf_init(&call.response_headers, 1000);
    buf_str(&call.response_headers, block);
    struct slice value = http_call_header(&call, name);
    assert_true(slice_is(value, want));
    http_call_clear(&call);
}

static void the_last_header_of_a_name_counts(void **state)
{
    (void)state;
    static const char block[] = "HTTP/1.1 200 OK\r\nA: 1\r\na:\t two words \r\nB:\r\nnonsense\r\n"
                                "C: x:y\r\n\r\n";
    check_header(block, "A", "two words");
    check_header(block, "b", "");
    check_header(block, "c", "x:y");
    check_header(block, "d", "");
    check_header("", "a", "");
    check_header("a: no newline", "A", "no newline");
}

static void a_base_url_is_scheme_host_port_and_path(void **state)
{
    (void)state;
    static const char *const good[] = {"http://h",        "https://h",           "http://h:1",
                                       "http://h:65535/", "http://[::1]:80/a/b", "http://[::1]",
                                       "http://1.2.3.4/x"};
    static const char *const bad[] = {
        "",           "h",           "ftp://h",    "http://",        "http:///x",    "http://h:",
        "http://h:0", "http://h:-1", "http://h:x", "http://h:65536", "http://[::1",  "http://u:p@h",
        "http://h?q", "http://h#f",  "http://a b", "http://h\n",     "http://[::1]x"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!http_base_url(slice_of(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (http_base_url(slice_of(bad[i])))
            fail_msg("taken: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_escapes_are_decoded_or_refused),
        cmocka_unit_test(query_parameters_are_found_by_name),
        cmocka_unit_test(the_last_header_of_a_name_counts),
        cmocka_unit_test(a_base_url_is_scheme_host_port_and_path),
    };
    return cmocka_run_group_tests_name("http_text", tests, NULL, NULL);
}
