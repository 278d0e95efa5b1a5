/* test_excerpt.c - the line with the caret, aligned whatever the line holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/excerpt.h"

#include <stdio.h>
#include <string.h>

static void expect_at(struct slice text, size_t at, const char *want)
{
    struct buf out;
    buf_init(&out, 65536);
    excerpt_put(&out, text, at);
    assert_string_equal(out.p, want);
    buf_free(&out);
}

static void expect(const char *text, const char *before, const char *want)
{
    expect_at(slice_of(text), (size_t)(strstr(text, before) - text), want);
}

static void the_caret_stands_under_the_character(void **state)
{
    (void)state;
    expect("{\"a\": 1}", "1", "   1 | {\"a\": 1}\n     |       ^\n");
    expect("{\"a\": 1}", "{", "   1 | {\"a\": 1}\n     | ^\n");
    expect("{\n  \"a\": 1\n}", "1", "   2 |   \"a\": 1\n     |        ^\n");
    expect("{\r\n  \"a\": 1\r\n}", "1", "   2 |   \"a\": 1\n     |        ^\n");
    expect("{\n}", "}", "   2 | }\n     | ^\n");
}

static void the_end_is_behind_the_last_character(void **state)
{
    (void)state;
    expect_at(SLICE("{\"a\""), 4, "   1 | {\"a\"\n     |     ^\n");
    expect_at(SLICE("{\"a\""), 400, "   1 | {\"a\"\n     |     ^\n");
    expect_at(SLICE("{\n"), 2, "   2 | \n     | ^\n");
    expect_at(SLICE("ab\r\ncd"), 2, "   1 | ab\n     |   ^\n");
    expect_at(SLICE("ab\r\ncd"), 3, "   1 | ab\n     |   ^\n");
    expect_at(SLICE(""), 0, "   1 | \n     | ^\n");
}

static void columns_are_those_of_a_terminal(void **state)
{
    (void)state;
    expect("\"ü€\": 1", "1", "   1 | \"ü€\": 1\n     |       ^\n");
    expect("\"日本\": 1", "1", "   1 | \"日本\": 1\n     |         ^\n");
    expect("\"😀\": 1", "1", "   1 | \"😀\": 1\n     |       ^\n");
    expect("\"e\u0301\": 1", "1", "   1 | \"e\u0301\": 1\n     |      ^\n");
    expect("\t\t\"a\": 1", "1", "   1 |   \"a\": 1\n     |        ^\n");
    expect_at(SLICE("\"日\": 1"), 2, "   1 | \"日\": 1\n     |  ^\n"); /* within a character */
}

static void nothing_harms_a_terminal(void **state)
{
    (void)state;
    expect("a\033[32m: 1", "1", "   1 | a�[32m: 1\n     |         ^\n");
    expect("a\u202eb\xc2\x9b"
           "1",
           "1", "   1 | a�b�1\n     |     ^\n");
    expect("a\xff\xe2\x82\xc0z 1", "1", "   1 | a���z 1\n     |       ^\n");
    expect_at(SLICE("a\0b1"), 3, "   1 | a�b1\n     |    ^\n");
}

static void a_long_line_is_cut_around_the_place(void **state)
{
    (void)state;
    char text[1000], want[400];
    memset(text, 'x', sizeof text);
    text[500] = '!';
    snprintf(want, sizeof want, "   1 | …%.*s!%.*s…\n     | %73s^\n", 72, text, 47, text, "");
    expect_at((struct slice){text, sizeof text}, 500, want);
    snprintf(want, sizeof want, "   1 | …%.*s!\n     | %73s^\n", 72, text, "");
    expect_at((struct slice){text, 501}, 500, want);
    snprintf(want, sizeof want, "   1 | %.*s…\n     |  ^\n", 120, text);
    expect_at((struct slice){text, 500}, 1, want);
}

static void a_line_without_columns_is_cut_too(void **state)
{
    (void)state;
    static char marks[200000], broken[200000];
    for (size_t i = 0; i < sizeof marks; i += 2) {
        marks[i] = (char)0xCC;
        marks[i + 1] = (char)0x81;
    }
    memset(broken, 0x80, sizeof broken);
    struct buf out;
    buf_init(&out, 4096);
    excerpt_put(&out, (struct slice){marks, sizeof marks}, sizeof marks / 2);
    excerpt_put(&out, (struct slice){broken, sizeof broken}, sizeof broken / 2);
    assert_false(out.full);
    buf_free(&out);
}

static void texts_are_made_safe(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    excerpt_safe(&out, SLICE("a\tü\n\033b\xff\r"), 100);
    assert_string_equal(out.p, "a ü\n�b��");
    buf_clear(&out);
    excerpt_safe(&out, SLICE("abü"), 3);
    assert_string_equal(out.p, "ab…");
    buf_clear(&out);
    excerpt_safe(&out, SLICE("abü"), 4);
    assert_string_equal(out.p, "abü");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_caret_stands_under_the_character),
        cmocka_unit_test(the_end_is_behind_the_last_character),
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test(nothing_harms_a_terminal),
        cmocka_unit_test(a_long_line_is_cut_around_the_place),
        cmocka_unit_test(a_line_without_columns_is_cut_too),
        cmocka_unit_test(texts_are_made_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
