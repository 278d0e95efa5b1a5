/* test_pattern_fold.c - case folding, character by character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "engine/pattern.h"
#include <string.h>

static void test_rows(void **state)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        {"", ""},
        {"AZaz@[`{09", "azaz@[`{09"},
        {"\xc3\x84\xc3\xb6", "\xc3\xa4\xc3\xb6"},                 /* A and o with dots */
        {"\xc3\x97\xc3\x9f\xc3\xb7", "\xc3\x97\xc3\x9f\xc3\xb7"}, /* times, sharp s, divided */
        {"\xe1\xba\x9e", "\xc3\x9f"},                             /* capital sharp s */
        {"\xce\xa3\xcf\x82\xcf\x83", "\xcf\x83\xcf\x83\xcf\x83"}, /* the sigmas are one */
        {"\xd0\x96\xd1\x8f", "\xd0\xb6\xd1\x8f"},                 /* Cyrillic */
        {"\xe2\x84\xaa", "k"},                                    /* Kelvin sign */
        {"\xc8\xba", "\xe2\xb1\xa5"},                             /* grows by a byte */
        {"\xc4\xb0\xc4\xb1", "\xc4\xb0\xc4\xb1"},                 /* the Turkish i are others */
        {"\xc4\x80\xc4\x81\xc4\x82", "\xc4\x81\xc4\x81\xc4\x83"}, /* every other one */
        {"\xf0\x90\x90\x80", "\xf0\x90\x90\xa8"}, /* Deseret, beyond the first plane */
        {"\xed\xa0\xbd"
         "A",
         "\xed\xa0\xbd"
         "a"}, /* a lone surrogate stays */
        {"\xc3", "\xc3"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[64];
        size_t n = pattern_fold(slice_of(rows[i].in), out);
        assert_int_equal(n, strlen(rows[i].want));
        assert_memory_equal(out, rows[i].want, n);
    }
}

/* Over all of Unicode: folding again changes nothing, and no more than twice the room is used. */
static void test_all(void **state)
{
    size_t changed = 0;
    (void)state;
    for (uint32_t cp = 1; cp < 0x110000; cp++) {
        if (cp >= 0xD800 && cp < 0xE000)
            continue;
        struct buf b;
        char once[16], twice[16];
        buf_init(&b, 16);
        utf8_put(&b, cp);
        size_t n = pattern_fold(buf_slice(&b), once);
        assert_true(n <= 2 * b.n);
        assert_true(utf8_valid((struct slice){once, n}));
        assert_int_equal(pattern_fold((struct slice){once, n}, twice), n);
        assert_memory_equal(once, twice, n);
        changed += n != b.n || memcmp(once, b.p, n) != 0;
        buf_free(&b);
    }
    assert_true(changed > 1300 && changed < 1600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
