/* test_api_web.c - which requests may come from a web page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/api_web.h"
#include "base/base.h"
#include <string.h>

static bool fine(const char *listen, const char *host, const char *origin, const char *site)
{
    const struct api_web_request r = {slice_of(host), slice_of(origin), slice_of(site)};
    const char *problem = api_web_problem(listen, &r);
    if (problem != NULL)
        assert_true(strlen(problem) > 40 && problem[strlen(problem) - 1] == '.');
    return problem == NULL;
}

static void loopback_is_called_by_its_names(void **state)
{
    (void)state;
    static const char *const good[] = {"localhost",
                                       "localhost:9001",
                                       "LocalHost:9001",
                                       "localhost.:9001",
                                       "sqs.eu-west-1.localhost:9001",
                                       "127.0.0.1",
                                       "127.0.0.1:9001",
                                       "127.9.8.7:1",
                                       "[::1]",
                                       "[::1]:9001",
                                       "[::ffff:127.0.0.1]:9001",
                                       ""};
    static const char *const bad[] = {"evil.example",
                                      "evil.example:9001",
                                      "127.0.0.1.evil.example",
                                      "localhost.evil.example",
                                      "notlocalhost",
                                      "penstock:9001",
                                      "10.0.0.5:9001",
                                      "128.0.0.1",
                                      "0.0.0.0:9001",
                                      "[::2]:9001",
                                      "[::1]evil",
                                      "127.1",
                                      "2130706433",
                                      "::1",
                                      "[localhost.evil]",
                                      ":9001",
                                      "."};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!fine("127.0.0.1", good[i], "", "") || !fine("::1", good[i], "", ""))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (fine("127.0.0.1", bad[i], "", ""))
            fail_msg("let in: %s", bad[i]);
}

static void a_host_too_long_is_nobody(void **state)
{
    (void)state;
    char name[400];
    memset(name, 'a', sizeof name);
    memcpy(name + sizeof name - 11, ".localhost", 11);
    assert_false(fine("127.0.0.1", name, "", ""));
    assert_true(fine("0.0.0.0", name, "", ""));
    assert_false(fine("0.0.0.0", "x", name, ""));
}

static void beyond_loopback_any_name_is_ours(void **state)
{
    (void)state;
    static const char *const listens[] = {"0.0.0.0", "::", "10.0.0.5", "fe80::1"};
    for (size_t i = 0; i < ARRAY_LEN(listens); i++) {
        assert_true(fine(listens[i], "penstock:9001", "", ""));
        assert_true(fine(listens[i], "localhost:9001", "", ""));
        assert_false(fine(listens[i], "penstock:9001", "http://evil.example", ""));
        assert_false(fine(listens[i], "penstock:9001", "http://penstock:9001", ""));
        assert_false(fine(listens[i], "penstock:9001", "", "cross-site"));
    }
}

static void pages_of_this_machine_may_ask(void **state)
{
    (void)state;
    static const char *const good[] = {"http://localhost", "http://localhost:3000",
                                       "https://127.0.0.1:8443", "http://[::1]:3000",
                                       "http://app.localhost:3000"};
    static const char *const bad[] = {"null",
                                      "http://evil.example",
                                      "https://localhost.evil.example",
                                      "http://evil.example:9001",
                                      "chrome-extension://localhost",
                                      "file://",
                                      "http://",
                                      "http:",
                                      "localhost",
                                      "http://evil.example/localhost",
                                      "http://localhost@evil.example"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(fine("127.0.0.1", "localhost:9001", good[i], ""));
        assert_true(fine("127.0.0.1", "127.0.0.1:9001", good[i], "cross-site"));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (fine("127.0.0.1", "127.0.0.1:9001", bad[i], ""))
            fail_msg("let in: %s", bad[i]);
}

static void what_has_no_origin_tells_its_site(void **state)
{
    (void)state;
    assert_false(fine("127.0.0.1", "127.0.0.1:9001", "", "cross-site"));
    assert_false(fine("127.0.0.1", "127.0.0.1:9001", "", "Cross-Site"));
    assert_true(fine("127.0.0.1", "127.0.0.1:9001", "", "none"));
    assert_true(fine("127.0.0.1", "127.0.0.1:9001", "", "same-origin"));
    assert_true(fine("127.0.0.1", "127.0.0.1:9001", "", "same-site"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_is_called_by_its_names),
        cmocka_unit_test(a_host_too_long_is_nobody),
        cmocka_unit_test(beyond_loopback_any_name_is_ours),
        cmocka_unit_test(pages_of_this_machine_may_ask),
        cmocka_unit_test(what_has_no_origin_tells_its_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
