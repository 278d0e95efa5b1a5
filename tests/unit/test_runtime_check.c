/* test_runtime_check.c - what is refused before anything starts, with its texts. */
#include "runtime_fixture.h"

#include "runtime_client.h"

static void accepts(struct fixture *f)
{
    struct error err = {0};
    if (!runtime_sink.check(&f->runtime.sink, &err))
        fail_msg("refused: %s", err.text);
}

static void refuses(struct fixture *f, const char *part)
{
    struct error err = {0};
    assert_false(runtime_sink.check(&f->runtime.sink, &err));
    assert_contains(err.text, part);
}

static void test_runtimes(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    fixture_write(f, "bootstrap", "#!/bin/sh\n", 0755);
    fixture_write(f, "python3", "#!/bin/sh\n", 0755);
    fixture_write(f, "node", "#!/bin/sh\n", 0755);
    fixture_variable(f, "PATH", f->dir);
    f->runtime.handler = "app.handler";
    static const char *const good[] = {"provided",   "provided.al2", "provided.al2023",
                                       "python3.12", "nodejs20.x",   "nodejs22"};
    static const char *const bad[] = {"java21",  "python2.7",  "python3", "python3.x",
                                      "nodejs",  "nodejs20.y", "",        "provided.al1",
                                      "dotnet8", "go1.x",      "ruby3.3", "python3.12 "};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        f->runtime.name = good[i];
        accepts(f);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[100];
        snprintf(text, sizeof text, "\"%s\" cannot be run; possible are provided, ", bad[i]);
        f->runtime.name = bad[i];
        refuses(f, text);
    }
    f->runtime.name = NULL;
    refuses(f, "Runtime or Command must be given");
    fixture_free(f);
}

static void test_handlers(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    fixture_write(f, "python3", "#!/bin/sh\n", 0755);
    fixture_variable(f, "PATH", f->dir);
    f->runtime.name = "python3.12";
    refuses(f, "Handler is required for Runtime python3.12");
    static const char *const good[] = {"a.b", "a/b.c", "a.b.c", "x/y/z.w"};
    static const char *const bad[] = {"app", "a.", ".a", "a.b/c", ""};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        f->runtime.handler = good[i];
        accepts(f);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        f->runtime.handler = bad[i];
        refuses(f, "must be FILE.FUNCTION");
    }
    fixture_free(f);
}

static void test_files(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    f->runtime.name = "provided.al2023";
    refuses(f, "/bootstrap; build the function's program under that name");
    fixture_write(f, "bootstrap", "#!/bin/sh\n", 0644);
    refuses(f, "is not executable; chmod +x");
    fixture_write(f, "bootstrap", "#!/bin/sh\n", 0755);
    accepts(f);
    char path[100];
    snprintf(path, sizeof path, "%s/bootstrap", f->dir);
    f->runtime.code_uri = path;
    refuses(f, "is not a directory");
    snprintf(path, sizeof path, "%s/missing", f->dir);
    refuses(f, "/missing; create it or correct CodeUri");
    f->runtime.code_uri = f->dir;
    f->runtime.name = "python3.12";
    f->runtime.handler = "a.b";
    fixture_variable(f, "PATH", "/nowhere");
    refuses(f, "there is no program python3 in PATH");
    fixture_free(f);
}

static void test_commands(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    const char *argv[] = {"tool", "arg"};
    fixture_variable(f, "PATH", f->dir);
    f->runtime.command = (struct option_list){argv, 2};
    refuses(f, "Command: there is no program tool in PATH");
    fixture_write(f, "tool", "x", 0644);
    refuses(f, "no program tool");
    fixture_write(f, "tool", "x", 0755);
    accepts(f);
    argv[0] = "./tool";
    accepts(f);
    argv[0] = "./other";
    refuses(f, "other is not there or not executable");
    argv[0] = "";
    refuses(f, "the program is empty");
    argv[0] = "tool";
    f->runtime.name = "provided";
    refuses(f, "Runtime and Command are both given");
    fixture_free(f);
}

static void test_environment(void **state)
{
    (void)state;
    struct fixture *f = fixture_client(NULL);
    fixture_variable(f, "GOOD_1", "x");
    accepts(f);
    fixture_variable(f, "_HANDLER", "x");
    fixture_variable(f, "AWS_REGION", "x");
    refuses(f, "Lambda was unable to configure your environment variables because the environment "
               "variables you have provided contains reserved keys that are currently not "
               "supported for modification. Reserved keys used in this request: _HANDLER, "
               "AWS_REGION");
    f->settings.environment.n = 0;
    static const char *const bad[] = {"1A", "A-B", "", "A B", "A=B"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        f->settings.environment.n = 0;
        fixture_variable(f, bad[i], "x");
        refuses(f, "is not a name");
    }
    fixture_free(f);
}

static void test_programs(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    char path[200], expected[200];
    fixture_write(f, "shim", "#!/bin/sh\n", 0755);
    fixture_write(f, "real", "\177ELF", 0755);
    fixture_write(f, "data", "x", 0644);
    snprintf(path, sizeof path, "/nowhere::%s", f->dir);
    snprintf(expected, sizeof expected, "%s/real", f->dir);
    char *found = runtime_find_program("real", path, true);
    assert_string_equal(found, expected);
    free(found);
    assert_null(runtime_find_program("shim", path, true));
    found = runtime_find_program("shim", path, false);
    assert_non_null(found);
    free(found);
    assert_null(runtime_find_program("data", path, false));
    assert_null(runtime_find_program("real", "", false));
    fixture_free(f);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "client") == 0)
        return client_main();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runtimes),    cmocka_unit_test(test_handlers),
        cmocka_unit_test(test_files),       cmocka_unit_test(test_commands),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_programs),
    };
    return fixture_main(tests, ARRAY_LEN(tests));
}
