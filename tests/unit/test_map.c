/* test_map.c - the map against a plain array as its model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 500, STEPS = 200000 };

static struct slice key_text(char room[16], size_t i)
{
    int n = snprintf(room, 16, "key-%zu", i);
    return (struct slice){room, (size_t)n};
}

static void empty_map_answers(void **state)
{
    (void)state;
    struct map m;
    map_init(&m);
    size_t at = 0;
    struct slice key;
    void *value;
    assert_null(map_get(&m, SLICE("a")));
    assert_null(map_del(&m, SLICE("a")));
    assert_false(map_next(&m, &at, &key, &value));
    map_free(&m);
    map_free(&m);
}

static void keys_are_copied_bytes(void **state)
{
    (void)state;
    struct map m;
    int a, b, c;
    char name[] = "name";
    map_init(&m);
    assert_null(map_set(&m, slice_of(name), &a));
    name[0] = 'N';
    assert_ptr_equal(map_get(&m, SLICE("name")), &a);
    assert_null(map_get(&m, SLICE("Name")));
    assert_ptr_equal(map_set(&m, SLICE("name"), &b), &a);
    assert_null(map_set(&m, SLICE(""), &c));
    assert_null(map_set(&m, SLICE("a\0b"), &a));
    assert_null(map_get(&m, SLICE("a")));
    assert_ptr_equal(map_get(&m, (struct slice){NULL, 0}), &c);
    assert_int_equal(m.n, 3);
    assert_ptr_equal(map_del(&m, SLICE("")), &c);
    assert_null(map_del(&m, SLICE("")));
    assert_int_equal(m.n, 2);
    map_free(&m);
    assert_int_equal(m.n, 0);
}

static void check_all(const struct map *m, void *const *model)
{
    size_t live = 0, walked = 0, at = 0;
    char room[16];
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(map_get(m, key_text(room, i)), model[i]);
        live += model[i] != NULL;
    }
    assert_int_equal(m->n, live);
    struct slice key;
    void *value;
    while (map_next(m, &at, &key, &value)) {
        int64_t i;
        assert_true(slice_int(slice_from(key, 4), &i));
        assert_ptr_equal(value, model[i]);
        walked++;
    }
    assert_int_equal(walked, live);
}

/* Sets, deletes and reads at random while the population swells and shrinks. */
static void behaves_like_its_model(void **state)
{
    (void)state;
    struct map m;
    void *model[KEYS] = {0};
    static char values[KEYS][2];
    uint32_t random = 2463534242u;
    map_init(&m);
    for (int step = 0; step < STEPS; step++) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        size_t i = random % KEYS;
        char room[16];
        struct slice key = key_text(room, i);
        bool filling = step / 5000 % 2 == 0;
        if ((random >> 16) % 4 < (filling ? 3 : 1)) {
            void *value = values[i] + step % 2;
            assert_ptr_equal(map_set(&m, key, value), model[i]);
            model[i] = value;
        } else {
            assert_ptr_equal(map_del(&m, key), model[i]);
            model[i] = NULL;
        }
        assert_true(m.n <= m.used && (m.used < m.cap || m.cap == 0));
        if (step % 2500 == 0)
            check_all(&m, model);
    }
    for (size_t i = 0; i < KEYS; i++) {
        char room[16];
        map_del(&m, key_text(room, i));
    }
    assert_int_equal(m.n, 0);
    assert_int_equal(m.used, 0);
    map_free(&m);
}

/* A queue of ever new keys must not grow the table nor fill it with deleted slots. */
static void does_not_grow_by_turnover(void **state)
{
    (void)state;
    struct map m;
    int value;
    char room[16];
    map_init(&m);
    for (size_t i = 0; i < 100000; i++) {
        map_set(&m, key_text(room, i), &value);
        if (i >= 20)
            assert_ptr_equal(map_del(&m, key_text(room, i - 20)), &value);
    }
    assert_int_equal(m.n, 20);
    assert_true(m.cap <= 128);
    for (size_t i = 0; i < 100; i++)
        assert_null(map_get(&m, key_text(room, i)));
    for (size_t i = 99980; i < 100000; i++)
        map_del(&m, key_text(room, i));
    assert_int_equal(m.n, 0);
    assert_int_equal(m.used, 0); /* every deleted slot became free again */
    map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_map_answers),
        cmocka_unit_test(keys_are_copied_bytes),
        cmocka_unit_test(behaves_like_its_model),
        cmocka_unit_test(does_not_grow_by_turnover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
