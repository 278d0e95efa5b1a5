/* test_base_text.c - base64, UTF-8, times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/timefmt.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static void base64_follows_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *coded;
    } vectors[] = {{"", ""},
                   {"f", "Zg=="},
                   {"fo", "Zm8="},
                   {"foo", "Zm9v"},
                   {"foob", "Zm9vYg=="},
                   {"fooba", "Zm9vYmE="},
                   {"foobar", "Zm9vYmFy"},
                   {"\xfb\xff\xbf", "+/+/"}};
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct slice plain = slice_of(vectors[i].plain), coded = slice_of(vectors[i].coded);
        buf_clear(&b);
        assert_true(base64_encode(&b, plain));
        assert_string_equal(b.p, vectors[i].coded);
        assert_int_equal(base64_encoded_len(plain.n), coded.n);
        buf_clear(&b);
        assert_true(base64_decode(&b, coded));
        assert_true(slice_eq(buf_slice(&b), plain));
    }
    buf_free(&b);
}

static void base64_goes_round_for_every_byte(void **state)
{
    (void)state;
    unsigned char all[256 + 2];
    struct buf coded, plain;
    buf_init(&coded, 4096);
    buf_init(&plain, 4096);
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (unsigned char)(i * 167);
    for (size_t n = 0; n <= sizeof all; n++) {
        buf_clear(&coded);
        buf_clear(&plain);
        assert_true(base64_encode(&coded, (struct slice){(const char *)all, n}));
        assert_true(base64_decode(&plain, buf_slice(&coded)));
        assert_int_equal(plain.n, n);
        if (n)
            assert_memory_equal(plain.p, all, n);
    }
    buf_free(&coded);
    buf_free(&plain);
}

static void base64_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",    "Zg",     "Zg=",   "Zg= =", "=",    "====",     "Zh==",     "Zm9=",    "Zg=v",
        "Z===", "Zm9v\n", "Zm 9v", "Zm-v",  "Zm_v", "Zg==Zg==", "Zm9vZg=v", "Zm\xc3v", "*m9v"};
    struct buf b;
    buf_init(&b, 100);
    buf_str(&b, "keep");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(base64_decode(&b, slice_of(bad[i])));
        assert_string_equal(b.p, "keep");
    }
    assert_false(base64_decode(&b, (struct slice){"Zm9\0", 4}));
    for (size_t at = 0; at < 12; at++) { /* each place of each group */
        char text[] = "Zm9vZm9vZm9v";
        text[at] = '*';
        assert_false(base64_decode(&b, slice_of(text)));
        text[at] = '=';
        assert_false(base64_decode(&b, slice_of(text))); /* at the end: stray bits */
    }
    assert_string_equal(b.p, "keep");
    buf_free(&b);
    buf_init(&b, 4);
    assert_true(base64_decode(&b, SLICE("Zm9vYg=="))); /* exactly the limit */
    assert_false(base64_encode(&b, SLICE("f")));
    assert_true(b.full);
    buf_free(&b);
    buf_init(&b, 3);
    assert_false(base64_decode(&b, SLICE("Zm9vYg==")));
    buf_free(&b);
}

/* The slow way, by the definition: decode, then ask whether it was the shortest form. */
static bool is_utf8_by_definition(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = p[i] < 0x80       ? 1
                     : p[i] >> 5 == 6  ? 2
                     : p[i] >> 4 == 14 ? 3
                     : p[i] >> 3 == 30 ? 4
                                       : 0;
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (len == 0 || len > n - i)
            return false;
        uint32_t cp = len == 1 ? p[i] : p[i] & (0x7Fu >> len);
        for (size_t k = 1; k < len; k++) {
            if (p[i + k] >> 6 != 2)
                return false;
            cp = cp << 6 | (p[i + k] & 0x3F);
        }
        if (cp < least[len] || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
            return false;
        i += len;
    }
    return true;
}

static void utf8_agrees_with_the_definition(void **state)
{
    (void)state;
    unsigned char p[4];
    for (uint32_t v = 0; v < 1u << 24; v += v < 0xC00000 ? 251 : 1) {
        p[0] = (unsigned char)(v >> 16);
        p[1] = (unsigned char)(v >> 8);
        p[2] = (unsigned char)v;
        p[3] = (unsigned char)(0x7E + v % 3 * 0x21); /* 7E, 9F, C0 */
        if (utf8_valid((struct slice){(const char *)p, 4}) != is_utf8_by_definition(p, 4))
            fail_msg("%02x %02x %02x %02x", p[0], p[1], p[2], p[3]);
    }
}

static void utf8_prefix_and_bad_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t good, bad;
    } cases[] = {
        {"plain ascii, longer than a word\xff", 31, 1},
        {"12345678\xC3", 8, 1},
        {"\xE2\x82\xAC\xE2\x82", 3, 2},
        {"\xF0\x9F\x98\x80\xF0\x9F\x98", 4, 3},
        {"\xED\xA0\x80", 0, 1},     /* a surrogate */
        {"\xC0\xAF", 0, 1},         /* overlong */
        {"\xF4\x90\x80\x80", 0, 1}, /* over U+10FFFF */
        {"\x80", 0, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice s = slice_of(cases[i].text);
        assert_int_equal(utf8_valid_prefix(s), cases[i].good);
        assert_false(utf8_valid(s));
        assert_int_equal(utf8_bad_len(slice_from(s, cases[i].good)), cases[i].bad);
    }
    assert_true(utf8_valid(SLICE_NONE));
    assert_true(utf8_valid((struct slice){NULL, 0}));
    assert_true(utf8_valid((struct slice){"a\0b", 3}));
}

static void utf8_puts_code_points(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    static const uint32_t points[] = {0x41, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFD, 0x10000, 0x10FFFF};
    for (size_t i = 0; i < ARRAY_LEN(points); i++)
        utf8_put(&b, points[i]);
    assert_string_equal(b.p, "A\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBD\xF0\x90\x80\x80"
                             "\xF4\x8F\xBF\xBF");
    assert_true(utf8_valid(buf_slice(&b)));
    buf_free(&b);
}

static void timefmt_writes_times(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *iso, *amz, *http;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z", "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "1969-12-31T23:59:59.999Z", "19691231T235959Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
        {1795256118123, "2026-11-21T10:15:18.123Z", "20261121T101518Z",
         "Sat, 21 Nov 2026 10:15:18 GMT"},
        {951782400000, "2000-02-29T00:00:00.000Z", "20000229T000000Z",
         "Tue, 29 Feb 2000 00:00:00 GMT"},
        {4107542399999, "2100-02-28T23:59:59.999Z", "21000228T235959Z",
         "Sun, 28 Feb 2100 23:59:59 GMT"},
        {4107542400000, "2100-03-01T00:00:00.000Z", "21000301T000000Z",
         "Mon, 01 Mar 2100 00:00:00 GMT"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z", "99991231T235959Z",
         "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z", "00000101T000000Z",
         "Sat, 01 Jan 0000 00:00:00 GMT"},
    };
    char out[TIMEFMT_MAX];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        timefmt_iso(cases[i].ms, out);
        assert_string_equal(out, cases[i].iso);
        timefmt_amz(cases[i].ms, out);
        assert_string_equal(out, cases[i].amz);
        timefmt_http(cases[i].ms, out);
        assert_string_equal(out, cases[i].http);
    }
}

/* The first and the last day of each month of ten thousand years. */
static void timefmt_knows_every_month(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int64_t day_ms = 86400000;
    int64_t ms = -62167219200000; /* 0000-01-01 */
    for (int year = 0; year < 10000; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 0; month < 12; month++) {
            int days = lengths[month] + (month == 1 && leap);
            char first[TIMEFMT_MAX], last[TIMEFMT_MAX], want[64];
            timefmt_amz(ms, first);
            timefmt_amz(ms + (days - 1) * day_ms, last);
            snprintf(want, sizeof want, "%04d%02d01T000000Z", year, month + 1);
            assert_string_equal(first, want);
            snprintf(want, sizeof want, "%04d%02d%02dT000000Z", year, month + 1, days);
            assert_string_equal(last, want);
            ms += days * day_ms;
        }
    }
}

static void timefmt_reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"250ms", 250},  {"20s", 20000},   {"5m", 300000},
                {"1h", 3600000}, {"1d", 86400000}, {"0", 0},
                {"0ms", 0},      {"7", 7000},      {"9223372036854775807ms", INT64_MAX}};
    static const char *const bad[] = {"",
                                      "s",
                                      "-1s",
                                      "+1s",
                                      "1.5s",
                                      "1 s",
                                      " 1s",
                                      "1s ",
                                      "1w",
                                      "1sm",
                                      "1S",
                                      "1h30m",
                                      "9223372036854775808ms",
                                      "9223372036854775807s",
                                      "106751991168d"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t ms = -1;
        assert_true(timefmt_duration(slice_of(good[i].text), &ms));
        assert_true(ms == good[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t ms;
        if (timefmt_duration(slice_of(bad[i]), &ms))
            fail_msg("%s was taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_follows_the_rfc),
        cmocka_unit_test(base64_goes_round_for_every_byte),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(utf8_agrees_with_the_definition),
        cmocka_unit_test(utf8_prefix_and_bad_bytes),
        cmocka_unit_test(utf8_puts_code_points),
        cmocka_unit_test(timefmt_writes_times),
        cmocka_unit_test(timefmt_knows_every_month),
        cmocka_unit_test(timefmt_reads_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
