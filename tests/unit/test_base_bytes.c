/* test_base_bytes.c - slice, buf, arena, mem, error, list: the bytes under everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/list.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void slice_compares(void **state)
{
    (void)state;
    const struct slice null_slice = {NULL, 0};
    assert_int_equal(slice_of(NULL).n, 0);
    assert_non_null(slice_of(NULL).p);
    assert_true(slice_eq(SLICE("ab"), SLICE("ab")));
    assert_false(slice_eq(SLICE("ab"), SLICE("abc")));
    assert_false(slice_eq(SLICE("ab"), SLICE("ac")));
    assert_true(slice_eq(null_slice, SLICE("")));
    assert_true(slice_is(SLICE("x"), "x"));
    assert_true(slice_is(SLICE(""), NULL));
    assert_false(slice_is(SLICE("a\0b"), "a"));
    assert_true(slice_is_ci(SLICE("Content-TYPE"), "content-type"));
    assert_false(slice_is_ci(SLICE("content_type"), "content-type"));
    assert_false(slice_is_ci(SLICE("[["), "{{")); /* differ in bit 5 only */
    assert_false(slice_is_ci(SLICE("a"), "ab"));
    assert_true(slice_starts(SLICE("arn:aws"), "arn:"));
    assert_false(slice_starts(SLICE("ar"), "arn:"));
    assert_true(slice_ends(SLICE("q.fifo"), ".fifo"));
    assert_false(slice_ends(SLICE("fifo"), ".fifo"));
    assert_true(slice_ends(null_slice, ""));
}

static void slice_cuts(void **state)
{
    (void)state;
    assert_true(slice_is(slice_trim(SLICE(" \t\r\n a b \n")), "a b"));
    assert_int_equal(slice_trim(SLICE(" \t ")).n, 0);
    assert_true(slice_is(slice_from(SLICE("abc"), 1), "bc"));
    assert_int_equal(slice_from(SLICE("abc"), 9).n, 0);
    struct slice rest = SLICE("a,,b");
    assert_true(slice_is(slice_cut(&rest, ','), "a"));
    assert_true(slice_is(slice_cut(&rest, ','), ""));
    assert_true(slice_is(rest, "b"));
    assert_true(slice_is(slice_cut(&rest, ','), "b"));
    assert_int_equal(rest.n, 0);
    assert_int_equal(slice_cut(&rest, ',').n, 0);
    char *copy = slice_dup((struct slice){"a\0b", 3});
    assert_memory_equal(copy, "a\0b", 4);
    free(copy);
    copy = slice_dup((struct slice){NULL, 0});
    assert_string_equal(copy, "");
    free(copy);
}

static void slice_reads_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"007", 7},
                {"42", 42},
                {"-42", -42},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1a",
                                      "0x10",
                                      "1e3",
                                      "--1",
                                      "1.0",
                                      "/",
                                      ":",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "92233720368547758070",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t v = 77;
        assert_true(slice_int(slice_of(good[i].text), &v));
        assert_true(v == good[i].value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t v = 77;
        assert_false(slice_int(slice_of(bad[i]), &v));
        assert_true(v == 77);
    }
}

static void buf_grows_and_keeps_nul(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    assert_string_equal(b.p, "");
    assert_int_equal(b.cap, 0);
    buf_clear(&b);
    assert_true(buf_add(&b, NULL, 0));
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(buf_char(&b, (char)('a' + i % 26)));
        assert_int_equal(strlen(b.p), i + 1);
    }
    assert_true(buf_str(&b, "xyz"));
    assert_true(buf_put(&b, SLICE("123")));
    assert_true(buf_printf(&b, "%d-%s", 7, "seven"));
    assert_true(slice_ends(buf_slice(&b), "xyz1237-seven"));
    assert_int_equal(strlen(b.p), b.n);
    buf_free(&b);
    assert_string_equal(b.p, "");
    assert_int_equal(buf_slice(&b).n, 0);
    buf_free(&b);
}

static void buf_stops_at_its_limit(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_true(buf_str(&b, "123456789"));
    assert_false(buf_str(&b, "ab"));
    assert_true(b.full);
    assert_string_equal(b.p, "123456789");
    assert_false(buf_char(&b, 'c')); /* would fit, but something is already missing before it */
    assert_false(buf_reserve(&b, 1));
    assert_false(buf_printf(&b, "%d", 1));
    assert_int_equal(b.n, 9);
    buf_clear(&b);
    assert_false(b.full);
    assert_true(buf_str(&b, "1234567890"));
    assert_false(b.full);
    assert_int_equal(b.cap, 10);
    assert_false(buf_printf(&b, "%s", "x"));
    assert_true(b.full);
    buf_free(&b);
    assert_false(b.full);
    assert_int_equal(b.limit, 10);
    assert_true(buf_printf(&b, "%s", "0123456789"));
    assert_string_equal(b.p, "0123456789");
    buf_free(&b);
    buf_init(&b, 0);
    assert_false(buf_char(&b, 'x'));
    assert_true(buf_printf(&b, "%s", "") == false); /* full stays full */
    buf_free(&b);
    buf_init(&b, SIZE_MAX);
    assert_true(buf_str(&b, "x"));
    buf_free(&b);
}

static void buf_reserves_and_gives_away(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    assert_true(buf_reserve(&b, 4096));
    assert_false(buf_reserve(&b, SIZE_MAX));
    assert_true(b.full);
    buf_clear(&b);
    memset(b.p, 'x', 4096);
    b.n = 4096;
    b.p[b.n] = '\0';
    char *p = buf_steal(&b);
    assert_int_equal(strlen(p), 4096);
    free(p);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.limit, 4096);
    p = buf_steal(&b);
    assert_string_equal(p, "");
    free(p);
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    static const size_t sizes[] = {0, 1, 7, 16, 100, 8192, 8193, 100000, 3};
    char *seen[ARRAY_LEN(sizes)];
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        seen[i] = arena_alloc(&a, sizes[i]);
        assert_int_equal((uintptr_t)seen[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(seen[i][k], 0);
        memset(seen[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) /* none overlaps another */
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(seen[i][k], (int)i + 1);
    assert_string_equal(arena_dup(&a, SLICE("copy")), "copy");
    assert_string_equal(arena_dup(&a, (struct slice){NULL, 0}), "");
    assert_string_equal(arena_printf(&a, "%s/%d", "orders", 3), "orders/3");
    assert_string_equal(arena_printf(&a, "%s", ""), "");
    arena_free(&a);
    assert_null(a.blocks);
    arena_free(&a);
}

static void mem_copies(void **state)
{
    (void)state;
    char *s = mem_strdup("text");
    assert_string_equal(s, "text");
    s = mem_realloc(s, 100);
    assert_string_equal(s, "text");
    free(s);
    s = mem_printf("%03d", 7);
    assert_string_equal(s, "007");
    free(s);
    free(mem_alloc(0));
    free(mem_alloc_raw(0));
    const unsigned char *zero = mem_alloc(64);
    for (int i = 0; i < 64; i++)
        assert_int_equal(zero[i], 0);
    free((void *)(uintptr_t)zero);
}

static void error_keeps_code_and_text(void **state)
{
    (void)state;
    struct error e = {.sys = 5};
    assert_false(error_set(&e, ERROR_LIMIT, "%d of %s", 3, "these"));
    assert_int_equal(e.code, ERROR_LIMIT);
    assert_int_equal(e.sys, 0);
    assert_string_equal(e.text, "3 of these");
    errno = ENOENT;
    assert_false(error_sys(&e, "open %s", "/x"));
    assert_int_equal(e.code, ERROR_SYSTEM);
    assert_int_equal(e.sys, ENOENT);
    assert_string_equal(e.text, "open /x: No such file or directory");
    assert_false(error_set(NULL, ERROR_CONFIG, "x"));
    assert_false(error_sys(NULL, "x"));
    char *wide = mem_alloc(2000);
    memset(wide, 'w', 1999);
    errno = EPERM;
    assert_false(error_sys(&e, "%s", wide));
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    free(wide);
}

struct item {
    int id;
    struct list node;
};

static int list_ids(struct list *l)
{
    int ids = 0;
    list_each(l, it) ids = ids * 10 + container_of(it, struct item, node)->id;
    return ids;
}

static void list_links(void **state)
{
    (void)state;
    struct list a, b;
    struct item items[4] = {{.id = 1}, {.id = 2}, {.id = 3}, {.id = 4}};
    list_init(&a);
    list_init(&b);
    assert_true(list_empty(&a));
    list_splice(&a, &b);
    assert_true(list_empty(&a));
    list_append(&a, &items[1].node);
    list_prepend(&a, &items[0].node);
    list_append(&b, &items[2].node);
    list_append(&b, &items[3].node);
    list_splice(&a, &b);
    assert_true(list_empty(&b));
    assert_int_equal(list_ids(&a), 1234);
    list_each(&a, it) if (container_of(it, struct item, node)->id % 2) list_remove(it);
    assert_int_equal(list_ids(&a), 24);
    list_remove(&items[0].node);
    assert_int_equal(list_ids(&a), 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slice_compares),
        cmocka_unit_test(slice_cuts),
        cmocka_unit_test(slice_reads_integers),
        cmocka_unit_test(buf_grows_and_keeps_nul),
        cmocka_unit_test(buf_stops_at_its_limit),
        cmocka_unit_test(buf_reserves_and_gives_away),
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(mem_copies),
        cmocka_unit_test(error_keeps_code_and_text),
        cmocka_unit_test(list_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
