/* test_base_random.c - random numbers, UUIDs, hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/rand.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void rand_makes_uuids(void **state)
{
    (void)state;
    char seen[2000][UUID_LEN + 1];
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        rand_uuid(seen[i]);
        assert_int_equal(strlen(seen[i]), UUID_LEN);
        for (size_t k = 0; k < UUID_LEN; k++) {
            bool dash = k == 8 || k == 13 || k == 18 || k == 23;
            assert_non_null(strchr(dash ? "-" : "0123456789abcdef", seen[i][k]));
        }
        assert_int_equal(seen[i][14], '4');
        assert_non_null(strchr("89ab", seen[i][19]));
    }
    qsort(seen, ARRAY_LEN(seen), sizeof seen[0], by_text);
    for (size_t i = 1; i < ARRAY_LEN(seen); i++)
        assert_string_not_equal(seen[i - 1], seen[i]);
}

enum { DRAWS = 20000 };

static void *draw(void *out)
{
    uint64_t *v = out;
    for (size_t i = 0; i < DRAWS; i++)
        v[i] = rand_u64();
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Two threads draw at the same time; a shared cache would give both the same bytes. */
static void rand_never_repeats_between_threads(void **state)
{
    (void)state;
    static uint64_t v[2 * DRAWS];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, draw, v), 0);
    draw(v + DRAWS);
    pthread_join(thread, NULL);
    qsort(v, 2 * DRAWS, sizeof v[0], by_value);
    for (size_t i = 1; i < 2 * DRAWS; i++)
        assert_true(v[i - 1] != v[i]);
}

/* 64,000 bits over several refills of the cache: 0 and 1 within six standard deviations. */
static void rand_is_not_lopsided(void **state)
{
    (void)state;
    int ones = 0;
    for (int i = 0; i < 1000; i++)
        ones += __builtin_popcountll(rand_u64());
    assert_in_range(ones, 32000 - 760, 32000 + 760);
    unsigned char bytes[5000] = {0};
    size_t zero = 0;
    rand_bytes(bytes, sizeof bytes);
    rand_bytes(bytes, 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        zero += bytes[i] == 0;
    assert_in_range(zero, 0, 60);
}

static void digest_is(const uint8_t *got, size_t n, const char *want)
{
    char hex[2 * SHA256_LEN + 1];
    digest_hex(got, n, hex);
    assert_string_equal(hex, want);
}

static void digest_hashes(void **state)
{
    (void)state;
    uint8_t out[SHA256_LEN];
    digest_sha256(SLICE(""), out);
    digest_is(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_sha256((struct slice){NULL, 0}, out);
    digest_is(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_sha256(SLICE("abc"), out);
    digest_is(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_md5(SLICE("abc"), out);
    digest_is(out, 16, "900150983cd24fb0d6963f7d28e17f72");
    digest_md5(SLICE(""), out);
    digest_is(out, 16, "d41d8cd98f00b204e9800998ecf8427e");
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
static void digest_hmacs(void **state)
{
    (void)state;
    uint8_t out[SHA256_LEN];
    char key[131];
    memset(key, 0x0b, 20);
    digest_hmac_sha256((struct slice){key, 20}, SLICE("Hi There"), out);
    digest_is(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    digest_hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?"), out);
    digest_is(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, 131);
    digest_hmac_sha256((struct slice){key, 131},
                       SLICE("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    digest_is(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    digest_hmac_sha256(SLICE(""), SLICE(""), out);
    digest_is(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rand_makes_uuids),
        cmocka_unit_test(rand_never_repeats_between_threads),
        cmocka_unit_test(rand_is_not_lopsided),
        cmocka_unit_test(digest_hashes),
        cmocka_unit_test(digest_hmacs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
