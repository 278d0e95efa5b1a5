/* test_option.c - option tables applied to mappings: values, defaults, secrets, canonical text. */
#include "tests/unit/option_thing.h"

#include "config/names.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void defaults_are_set(void **state)
{
    (void)state;
    struct fixture f;
    apply(&f, "Queue: q\n", "/base", true);
    expect_problems(&f, "defaults", "");
    assert_true(f.ok);
    assert_int_equal(f.thing.size, 10);
    assert_int_equal(f.thing.unset, -1);
    assert_int_equal(f.thing.deep, -1);
    assert_true(f.thing.on);
    assert_string_equal(f.thing.name, "q");
    assert_string_equal(f.thing.dir, "/base");
    assert_null(f.thing.password);
    assert_int_equal(f.thing.wait_ms, 20000);
    assert_int_equal(f.thing.color, 1);
    assert_int_equal(f.thing.colors.n, 0);
    assert_int_equal(f.thing.vars.n, 0);
    clear(&f);
}

static void values_are_read(void **state)
{
    (void)state;
    struct fixture f;
    apply(&f,
          "BatchSize: '250'\n"
          "Reserved: 0\n"
          "ScalingConfig: {MaximumConcurrency: 2}\n"
          "Enabled: False\n"
          "Queue: 12\n"
          "CodeUri: ././/x/y\n"
          "Password: \"p w\"\n"
          "Drain: 1500ms\n"
          "Color: red\n"
          "Colors: [green, red]\n"
          "Command: [prog, '', 3]\n"
          "Environment: {Variables: {B: 1, A: \"\"}}\n"
          "Events: ignored\n",
          "/base", true);
    expect_problems(&f, "values", "");
    assert_true(f.ok);
    assert_int_equal(f.thing.size, 250);
    assert_int_equal(f.thing.unset, 0);
    assert_int_equal(f.thing.deep, 2);
    assert_false(f.thing.on);
    assert_string_equal(f.thing.name, "12");
    assert_string_equal(f.thing.dir, "/base/x/y");
    assert_string_equal(f.thing.password, "p w");
    assert_int_equal(f.thing.wait_ms, 1500);
    assert_int_equal(f.thing.color, 0);
    assert_int_equal(f.thing.colors.n, 2);
    assert_string_equal(f.thing.colors.v[0], "green");
    assert_int_equal(f.thing.words.n, 3);
    assert_string_equal(f.thing.words.v[1], "");
    assert_int_equal(f.thing.vars.n, 2);
    assert_string_equal(f.thing.vars.names[0], "B");
    assert_string_equal(f.thing.vars.values[1], "");
    clear(&f);
    apply(&f, "{Queue: q, Colors: red, CodeUri: /abs, ScalingConfig: {}}", "/", true);
    assert_true(f.ok);
    assert_int_equal(f.thing.colors.n, 1);
    assert_string_equal(f.thing.dir, "/abs");
    clear(&f);
    apply(&f, "{Queue: q, CodeUri: x}", "/", true);
    assert_string_equal(f.thing.dir, "/x");
    clear(&f);
}

static void write_file(const char *path, const char *bytes, size_t n)
{
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    assert_int_equal(fclose(out), 0);
}

static void secrets_come_from_files(void **state)
{
    (void)state;
    struct fixture f;
    char dir[] = "/tmp/test_option.XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/secret", dir);

    write_file(path, "hunter2\r\n", 9);
    apply(&f, "Queue: q\nPassword: file:secret\nHeaders: {Authorization: file:./secret}", dir,
          true);
    expect_problems(&f, "secrets", "");
    assert_string_equal(f.thing.password, "hunter2");
    assert_string_equal(f.thing.secrets.values[0], "hunter2");
    struct buf out;
    struct json_out json;
    buf_init(&out, 10000);
    json_out_init(&json, &out);
    option_print(&json, table, &f.thing);
    assert_null(strstr(out.p, "hunter2"));
    /* printf %s hunter2 | sha256sum */
    assert_non_null(strstr(out.p,
                           "\"Password\":\"sha256:f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb"
                           "29541f94bcf526a3f6c7\""));
    buf_free(&out);
    clear(&f);

    char expected[128];
    write_file(path, "\n", 1);
    apply(&f, "Queue: q\nPassword: file:secret", dir, true);
    snprintf(expected, sizeof expected, "2: Password: %s: is empty", path);
    expect_problems(&f, "empty", expected);
    clear(&f);
    write_file(path, "a\0b", 3);
    apply(&f, "Queue: q\nPassword: file:secret", dir, true);
    snprintf(expected, sizeof expected, "2: Password: %s: is not text", path);
    expect_problems(&f, "binary", expected);
    clear(&f);
    char *large = malloc(OPTION_SECRET_MAX_BYTES + 1);
    assert_non_null(large);
    memset(large, 'x', OPTION_SECRET_MAX_BYTES + 1);
    write_file(path, large, OPTION_SECRET_MAX_BYTES + 1);
    apply(&f, "Queue: q\nPassword: file:secret", dir, true);
    snprintf(expected, sizeof expected, "2: Password: %s: larger than 65536 bytes", path);
    expect_problems(&f, "large", expected);
    clear(&f);
    free(large);
    unlink(path);
    rmdir(dir);
}

static void printing_is_canonical(void **state)
{
    (void)state;
    static const char *const same[] = {
        "Queue: q\nBatchSize: 10\nEnvironment: {Variables: {B: 2, A: 1}}\n",
        "{\"Environment\": {\"Variables\": {\"A\": \"1\", \"B\": \"2\"}}, \"Enabled\": true, "
        "\"Queue\": \"q\", \"Drain\": \"20000ms\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        struct fixture f;
        struct buf out;
        struct json_out json;
        buf_init(&out, 10000);
        apply(&f, same[i], "/base", true);
        json_out_init(&json, &out);
        option_print(&json, table, &f.thing);
        assert_string_equal(
            out.p, "{\"BatchSize\":10,\"Reserved\":-1,\"ScalingConfig.MaximumConcurrency\":-1,"
                   "\"Enabled\":true,\"Queue\":\"q\",\"CodeUri\":\"/base\",\"Password\":null,"
                   "\"Drain\":20000,\"Color\":\"green\",\"Colors\":[],\"Command\":[],"
                   "\"Environment.Variables\":{\"A\":\"1\",\"B\":\"2\"},\"Headers\":{}}");
        buf_free(&out);
        clear(&f);
    }
}

static void types_are_described(void **state)
{
    (void)state;
    static const char *const expected[] = {"whole number, 1 to 10000",
                                           "whole number, 0 to 100",
                                           "whole number, 2 to 1000",
                                           "true or false",
                                           "text",
                                           "path",
                                           "text, secret (or file:PATH)",
                                           "duration, 1s to 1h",
                                           "one of red, green",
                                           "list of red, green",
                                           "list of text",
                                           "mapping of names to text",
                                           "mapping of names to text, secret (or file:PATH)"};
    struct buf out;
    buf_init(&out, 1000);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        buf_clear(&out);
        option_describe(&table[i], &out);
        assert_string_equal(out.p, expected[i]);
    }
    buf_free(&out);
}

static void durations_as_text(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0s"},       {1, "1ms"},       {1500, "1500ms"},
                 {20000, "20s"},  {90000, "90s"},   {300000, "5m"},
                 {3600000, "1h"}, {86400000, "1d"}, {172800000, "2d"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[32];
        option_duration_text(cases[i].ms, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void nearest_names(void **state)
{
    (void)state;
    static const char *const names[] = {"Timeout", "MemorySize", "Url", "Command", "CodeUri", NULL};
    static const struct {
        const char *word, *near;
    } cases[] = {{"timeout", "Timeout"},
                 {"Tiemout", "Timeout"},
                 {"TimeOut", "Timeout"},
                 {"memory_size", "MemorySize"},
                 {"MemorySiz", "MemorySize"},
                 {"URL", "Url"},
                 {"Uri", "Url"},
                 {"Comand", "Command"},
                 {"CodeURL", "CodeUri"},
                 {"Banana", NULL},
                 {"x", NULL},
                 {"", NULL},
                 {"Time", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *near = names_nearest(slice_of(cases[i].word), names);
        if (cases[i].near == NULL)
            assert_null(near);
        else
            assert_string_equal(near, cases[i].near);
    }
    char longest[5000];
    memset(longest, 'T', sizeof longest);
    assert_null(names_nearest((struct slice){longest, sizeof longest}, names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_set),        cmocka_unit_test(values_are_read),

        cmocka_unit_test(secrets_come_from_files), cmocka_unit_test(printing_is_canonical),
        cmocka_unit_test(types_are_described),     cmocka_unit_test(durations_as_text),
        cmocka_unit_test(nearest_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
