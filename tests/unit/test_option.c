/* test_option.c - option tables applied to mappings: values, defaults, every error text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "config/names.h"
#include "config/option.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct thing {
    int64_t size, unset, wait_ms, color, deep;
    bool on;
    const char *name, *dir, *password;
    struct option_list colors, words;
    struct option_map vars, secrets;
};

static const char *const colors[] = {"red", "green", NULL};
static const struct option table[] = {
    OPT_INT(struct thing, size, "BatchSize", "10", 1, 10000, 0, "How many."),
    OPT_INT(struct thing, unset, "Reserved", NULL, 0, 100, OPTION_UNSET, "Set aside."),
    OPT_INT(struct thing, deep, "ScalingConfig.MaximumConcurrency", NULL, 2, 1000, OPTION_UNSET,
            "At once."),
    OPT_BOOL(struct thing, on, "Enabled", "true", 0, "On or off."),
    OPT_STRING(struct thing, name, "Queue", NULL, OPTION_REQUIRED, "The queue's ARN."),
    OPT_STRING(struct thing, dir, "CodeUri", ".", OPTION_PATH, "A directory."),
    OPT_STRING(struct thing, password, "Password", NULL, OPTION_SECRET, "Secret."),
    OPT_DURATION(struct thing, wait_ms, "Drain", "20s", 1000, 3600000, OPTION_X, "How long."),
    OPT_CHOICE(struct thing, color, "Color", "green", colors, 0, "Which."),
    OPT_LIST(struct thing, colors, "Colors", colors, 0, "Which ones."),
    OPT_LIST(struct thing, words, "Command", NULL, OPTION_X | OPTION_SELECTS, "Words."),
    OPT_MAP(struct thing, vars, "Environment.Variables", 0, "Variables."),
    OPT_MAP(struct thing, secrets, "Headers", OPTION_SECRET, "Headers."),
    OPT_END};

struct fixture {
    struct arena arena;
    struct problems problems;
    struct option_context ctx;
    struct thing thing;
    bool ok;
};

static const char *refusal(const void *ctx, struct slice name, struct arena *arena)
{
    (void)ctx;
    return slice_is(name, "Role") ? arena_printf(arena, "Role is not for us") : NULL;
}

/* Reads text by the table, in AWS's words or our own. */
static void apply(struct fixture *f, const char *text, const char *base_dir, bool aws)
{
    static const struct option *const tables[] = {table, NULL};
    static const char *const others[] = {"Events", NULL};
    static const struct option_members members = {
        .tables = tables, .others = others, .refusal = refusal};
    memset(&f->thing, 0x5a, sizeof f->thing);
    arena_init(&f->arena);
    problem_init(&f->problems, "f.yaml");
    f->ctx = (struct option_context){
        .arena = &f->arena, .problems = &f->problems, .base_dir = base_dir, .aws = aws};
    struct yaml_node *root = yaml_read(slice_of(text), &f->arena, &f->problems);
    assert_non_null(root);
    f->ok = option_check_members(&f->ctx, &members, root);
    f->ok &= option_apply(&f->ctx, table, &f->thing, root);
}

static void clear(struct fixture *f)
{
    problem_free(&f->problems);
    arena_free(&f->arena);
}

static void expect_problems(struct fixture *f, const char *text, const char *expected)
{
    struct catalog_errors errors;
    struct buf out;
    buf_init(&out, 100000);
    problem_report(&f->problems, &errors);
    for (size_t i = 0; i < errors.n; i++)
        buf_printf(&out, "%s%s", i > 0 ? "\n" : "", errors.lines[i] + strlen("f.yaml:"));
    if (strcmp(out.p, expected) != 0)
        print_error("for\n%s\n", text);
    assert_string_equal(out.p, expected);
    catalog_errors_free(&errors);
    buf_free(&out);
}

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

struct wrong {
    bool aws;
    const char *text, *problems;
};

static const struct wrong wrongs[] = {
    {true, "BatchSize: 1", "1: Queue: is required: The queue's ARN."},
    {true, "Queue: ''", "1: Queue: must not be empty"},
    {true, "Queue:", "1: Queue: expected text, found nothing"},
    {true, "Queue: [a]", "1: Queue: expected text, found a list"},
    {true, "Queue: {Ref: Orders}",
     "1: Queue: Ref is resolved by CloudFormation, not here: write the ARN itself (or "
     "${ENV_NAME})"},
    {true, "Queue:\n  Fn::GetAtt: [Orders, Arn]",
     "1: Queue: Fn::GetAtt is resolved by CloudFormation, not here: write the ARN itself (or "
     "${ENV_NAME})"},
    {true, "Queue: q\nBatchSize: 10001",
     "2: BatchSize: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have "
     "value less than or equal to 10000"},
    {true, "Queue: q\nBatchSize: 0",
     "2: BatchSize: Value '0' at 'batchSize' failed to satisfy constraint: Member must have value "
     "greater than or equal to 1"},
    {true, "Queue: q\nScalingConfig:\n  MaximumConcurrency: 1",
     "3: ScalingConfig.MaximumConcurrency: Value '1' at 'scalingConfig.maximumConcurrency' failed "
     "to satisfy constraint: Member must have value greater than or equal to 2"},
    {false, "Queue: q\nBatchSize: 10001", "2: BatchSize: '10001' is out of range: 1 to 10000"},
    {true, "Queue: q\nBatchSize: ten", "2: BatchSize: expected a whole number, found 'ten'"},
    {true, "Queue: q\nBatchSize: 1.5", "2: BatchSize: expected a whole number, found '1.5'"},
    {true, "Queue: q\nBatchSize: 010", "2: BatchSize: expected a whole number, found '010'"},
    {true, "Queue: q\nBatchSize: 0x10", "2: BatchSize: expected a whole number, found '0x10'"},
    {true, "Queue: q\nBatchSize: 99999999999999999999",
     "2: BatchSize: expected a whole number, found '99999999999999999999'"},
    {true, "Queue: q\nBatchSize: {}", "2: BatchSize: expected a whole number, found a mapping"},
    {true, "Queue: q\nBatchSize: ~", "2: BatchSize: expected a whole number, found nothing"},
    {true, "Queue: q\nBatchSize: ''", "2: BatchSize: expected a whole number, found ''"},
    {true, "Queue: q\nReserved: -1",
     "2: Reserved: Value '-1' at 'reserved' failed to satisfy constraint: Member must have value "
     "greater than or equal to 0"},
    {true, "Queue: q\nEnabled: yes", "2: Enabled: expected true or false, found 'yes'"},
    {true, "Queue: q\nEnabled: 1", "2: Enabled: expected true or false, found '1'"},
    {true, "Queue: q\nDrain: soon",
     "2: Drain: expected a duration (250ms, 20s, 5m, 1h, 1d), found 'soon'"},
    {true, "Queue: q\nDrain: 10ms", "2: Drain: '10ms' is out of range: 1s to 1h"},
    {true, "Queue: q\nDrain: 1d", "2: Drain: '1d' is out of range: 1s to 1h"},
    {true, "Queue: q\nColor: blue",
     "2: Color: Value 'blue' at 'color' failed to satisfy constraint: Member must satisfy enum "
     "value set: [red, green]"},
    {false, "Queue: q\nColor: blue", "2: Color: 'blue' is not one of red, green"},
    {false, "Queue: q\nColor: [red]", "2: Color: expected one of red, green, found a list"},
    {true, "Queue: q\nColors:\n  - red\n  - blue",
     "4: Colors[1]: Value 'blue' at 'colors' failed to satisfy constraint: Member must satisfy "
     "enum value set: [red, green]"},
    {true, "Queue: q\nColors: {red: green}", "2: Colors: expected a list, found a mapping"},
    {true, "Queue: q\nColors:", "2: Colors: expected a list, found nothing"},
    {true, "Queue: q\nCommand: [a, [b]]", "2: Command[1]: expected text, found a list"},
    {true, "Queue: q\nCommand: [a, ~]", "2: Command[1]: expected text, found nothing"},
    {true, "Queue: q\nCodeUri: ''", "2: CodeUri: must not be empty"},
    {true, "Queue: q\nCodeUri: s3://bucket/key",
     "2: CodeUri: 's3://bucket/key': expected a path on this machine, not a URL"},
    {true, "Queue: q\nEnvironment: {Variables: [A]}",
     "2: Environment.Variables: expected a mapping (Name: value), found a list"},
    {true, "Queue: q\nEnvironment:\n  Variables:\n    A: {B: c}\n    D:",
     "4: Environment.Variables.A: expected text, found a mapping\n"
     "5: Environment.Variables.D: expected text, found nothing"},
    {true, "Queue: q\nEnvironment: A=b",
     "2: Environment: expected a mapping (Name: value), found 'A=b'"},
    {true, "Queue: q\nPassword: [hidden]", "2: Password: expected text, found a list"},
    {true, "Queue: q\nPassword: 'file:'", "2: Password: file: needs the path of a file"},
    {true, "Queue: q\nPassword: file:none.txt",
     "2: Password: /nowhere/none.txt: cannot read: No such file or directory"},
    {true, "Queue: q\nPassword: file:/", "2: Password: /: cannot read: it is a directory"},
    {true, "Queue: q\nBatchsize: 3",
     "2: Batchsize: unknown member Batchsize; did you mean BatchSize?"},
    {true, "Queue: q\nbatch_size: 3",
     "2: batch_size: unknown member batch_size; did you mean BatchSize?"},
    {true, "Queue: q\nEvent: {}", "2: Event: unknown member Event; did you mean Events?"},
    {true, "Queue: q\nPlanet: x", "2: Planet: unknown member Planet"},
    {true, "Queue: q\nRole: x", "2: Role: Role is not for us"},
    {true, "Queue: q\nScalingConfig:\n  MaxConcurrency: 3",
     "3: ScalingConfig.MaxConcurrency: unknown member MaxConcurrency; did you mean "
     "MaximumConcurrency?"},
    {true, "Queue: q\nScalingConfig:\n  Role: 3", "3: ScalingConfig.Role: unknown member Role"},
    {true, "Queue: q\nEnvironment:\n  Variable: {A: b}",
     "3: Environment.Variable: unknown member Variable; did you mean Variables?"},
    {true, "Queue: q\nScalingConfig.MaximumConcurrency: 3",
     "2: ScalingConfig.MaximumConcurrency: unknown member ScalingConfig.MaximumConcurrency"},
    {true, "Enabled: maybe\nBatchSize: x\nQueu: q",
     "1: Enabled: expected true or false, found 'maybe'\n"
     "1: Queue: is required: The queue's ARN.\n"
     "2: BatchSize: expected a whole number, found 'x'\n"
     "3: Queu: unknown member Queu; did you mean Queue?"},
};

static void wrong_values_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
        struct fixture f;
        apply(&f, wrongs[i].text, "/nowhere", wrongs[i].aws);
        expect_problems(&f, wrongs[i].text, wrongs[i].problems);
        assert_false(f.ok);
        clear(&f);
    }
}

static void long_values_are_shortened(void **state)
{
    (void)state;
    struct fixture f;
    struct buf text, expected;
    buf_init(&text, 10000);
    buf_init(&expected, 10000);
    buf_str(&text, "Queue: q\nBatchSize: x");
    for (int i = 0; i < 1000; i++)
        buf_str(&text, "é");
    buf_str(&expected, "2: BatchSize: expected a whole number, found 'x");
    for (int i = 0; i < 39; i++)
        buf_str(&expected, "é");
    buf_str(&expected, "…'");
    apply(&f, text.p, "/", true);
    expect_problems(&f, "a long value", expected.p);
    clear(&f);
    buf_free(&text);
    buf_free(&expected);
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
        cmocka_unit_test(wrong_values_are_told),   cmocka_unit_test(long_values_are_shortened),
        cmocka_unit_test(secrets_come_from_files), cmocka_unit_test(printing_is_canonical),
        cmocka_unit_test(types_are_described),     cmocka_unit_test(durations_as_text),
        cmocka_unit_test(nearest_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
