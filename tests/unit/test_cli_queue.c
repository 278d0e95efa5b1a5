/* test_cli_queue.c - how `penstock queue` shows what came from elsewhere: texts and ages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/cli_queue.h"
#include <string.h>

static void texts_stay_on_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
        size_t max;
    } cases[] = {
        {"plain ö 日", "plain ö 日", 100},
        {"a\nb\tc\rd\a\v\f\b", "a\\nb\\tc\\rd\\a\\v\\f\\b", 100},
        {"\x1b[31mred\x7f", "\\x1b[31mred\\x7f", 100},
        {"c1 \xc2\x9b"
         "31m",
         "c1 \\x9b31m", 100},
        {"nbsp \xc2\xa0.", "nbsp \xc2\xa0.", 100},
        {"abcdef", "abc…", 3},
        {"abc", "abc", 3},
        {"aö", "a…", 2}, /* not in the middle of a character */
        {"a\xff z", "a…", 100},
        {"a\xc2", "a…", 100},
        {"", "", 10},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 1000);
        queue_cli_show(&out, slice_of(cases[i].text), cases[i].max);
        assert_string_equal(out.n > 0 ? out.p : "", cases[i].shown);
        buf_free(&out);
    }
}

static void ages(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *shown;
    } cases[] = {
        {-1, "-"},        {0, "0 ms"},         {999, "999 ms"},    {1000, "1.0 s"},
        {1290, "1.2 s"},  {119999, "119.9 s"}, {120000, "2 min"},  {7199999, "119 min"},
        {7200000, "2 h"}, {172799999, "47 h"}, {172800000, "2 d"}, {INT64_MAX, "106751991167 d"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char shown[32];
        queue_cli_age(cases[i].ms, shown);
        assert_string_equal(shown, cases[i].shown);
    }
}

static void names_become_paths(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    assert_true(cli_percent_encode(&out, "a-b_c.fifo~/ö?x=1"));
    assert_string_equal(out.p, "a-b_c.fifo~%2F%C3%B6%3Fx%3D1");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_stay_on_one_line),
        cmocka_unit_test(ages),
        cmocka_unit_test(names_become_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
