/* test_catalog_filters.c - FilterCriteria in the file: what it may look like, what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/load.h"
#include <stdlib.h>
#include <string.h>

#define HEAD                                                                                       \
    "Functions:\n  f:\n    Url: http://127.0.0.1:1/\n    Timeout: 3\n    Events:\n      Q:\n"      \
    "        Type: SQS\n        Properties:\n"                                                     \
    "          Queue: arn:aws:sqs:us-east-1:000000000000:q\n"
#define AT "f.yaml:10: Functions.f.Events.Q.FilterCriteria"

static struct catalog *load(const char *criteria, struct catalog_errors *errors)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_printf(&text, HEAD "          FilterCriteria: %s\n", criteria);
    struct catalog *c = load_text("f.yaml", "/base", buf_slice(&text), true, errors);
    buf_free(&text);
    return c;
}

static void accepted(void **state)
{
    (void)state;
    static const struct {
        const char *criteria, *patterns[3];
    } rows[] = {
        {"{}", {NULL}},
        {"{Filters: []}", {NULL}},
        {"{Filters: [{Pattern: '{\"body\":[\"x\"]}'}]}", {"{\"body\":[\"x\"]}"}},
        {"{\"Filters\": [{\"Pattern\": \"{\\\"body\\\":[\\\"x\\\"]}\"}]}", {"{\"body\":[\"x\"]}"}},
        {"{Filters: [{Pattern: '{\"a\": [1]}'}, {Pattern: '{\"b\": [2]}'}]}",
         {"{\"a\": [1]}", "{\"b\": [2]}"}},
        /* not as a string: what is a word or a number of JSON is that, the rest is text */
        {"{Filters: [{Pattern: {\"body\": {\"a\": [1, \"1\", true, null, 1.50, {\"prefix\": "
         "\"x\"}]}}}]}",
         {"{\"body\":{\"a\":[1,\"1\",true,null,1.50,{\"prefix\":\"x\"}]}}"}},
        {"{Filters: [{Pattern: {body: [yes, 'true', 010, -5e3]}}]}",
         {"{\"body\":[\"yes\",\"true\",\"010\",-5e3]}"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct catalog_errors errors;
        struct catalog *c = load(rows[i].criteria, &errors);
        if (c == NULL)
            print_error("%s: %s\n", rows[i].criteria, errors.lines[0]);
        assert_non_null(c);
        assert_int_equal(c->warnings.n, 0);
        const struct option_list *f = &c->functions[0].events[0].source->settings.filters;
        size_t n = 0;
        for (; rows[i].patterns[n] != NULL; n++) {
            assert_true(n < f->n);
            assert_string_equal(f->v[n], rows[i].patterns[n]);
        }
        assert_int_equal(f->n, n);
        catalog_free(c);
        catalog_errors_free(&errors);
    }
}

/* A change of the filters is a change of the mapping. */
static void canonical_text(void **state)
{
    (void)state;
    static const char *const criteria[] = {"{}", "{Filters: [{Pattern: '{\"a\":[1]}'}]}",
                                           "{Filters: [{Pattern: {a: [1]}}]}",
                                           "{Filters: [{Pattern: '{\"a\":[2]}'}]}"};
    struct catalog *c[ARRAY_LEN(criteria)];
    const char *text[ARRAY_LEN(criteria)];
    struct catalog_errors errors;
    for (size_t i = 0; i < ARRAY_LEN(criteria); i++) {
        c[i] = load(criteria[i], &errors);
        assert_non_null(c[i]);
        text[i] = c[i]->functions[0].events[0].text;
        catalog_errors_free(&errors);
    }
    assert_string_not_equal(text[0], text[1]);
    assert_string_equal(text[1], text[2]);
    assert_string_not_equal(text[1], text[3]);
    for (size_t i = 0; i < ARRAY_LEN(criteria); i++)
        catalog_free(c[i]);
}

struct wrong {
    const char *criteria, *line, *excerpt;
};

static const struct wrong wrongs[] = {
    {"", AT ": expected a mapping (Name: value), found nothing", NULL},
    {"[]", AT ": expected a mapping (Name: value), found a list", NULL},
    {"{Filtres: []}", AT ".Filtres: unknown member Filtres; did you mean Filters?", NULL},
    {"{Pattern: x}", AT ".Pattern: unknown member Pattern; only Filters can stand here", NULL},
    {"{Filters: {}}", AT ".Filters: expected a list of filters, found a mapping", NULL},
    {"{Filters: x}", AT ".Filters: expected a list of filters, found 'x'", NULL},
    {"{Filters: [x]}", AT ".Filters[0]: expected a mapping (Name: value), found 'x'", NULL},
    {"{Filters: [{}]}", AT ".Filters[0].Pattern: is required", NULL},
    {"{Filters: [{Pattern: '{\"a\":[1]}', Name: x}]}",
     AT ".Filters[0].Name: unknown member Name; only Pattern can stand here", NULL},
    {"{Filters: [{Pattern: }]}",
     AT ".Filters[0].Pattern: expected text that holds a pattern in JSON, found nothing", NULL},
    {"{Filters: [{Pattern: [1]}]}",
     AT ".Filters[0].Pattern: expected text that holds a pattern in JSON, found a list", NULL},
    {"{Filters: [{},{},{},{},{},{},{},{},{},{},{}]}",
     AT ".Filters: 11 filters are too many: at most 10", NULL},
    {"{Filters: [{Pattern: '{\"a\":[1]}'}, {Pattern: '{\"body\": {\"a\": 1}}'}]}",
     AT ".Filters[1].Pattern: Invalid filter pattern definition. \"a\" must be an object or an "
        "array (line 1, column 11 of the pattern)",
     "   1 | {\"body\": {\"a\": 1}}\n     |           ^\n"},
    {"{Filters: [{Pattern: {body: {a: 1}}}]}",
     AT ".Filters[0].Pattern: Invalid filter pattern definition. \"a\" must be an object or an "
        "array (line 1, column 10 of the pattern)",
     "   1 | {\"body\":{\"a\":1}}\n     |          ^\n"},
};

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
        struct catalog_errors errors;
        assert_null(load(wrongs[i].criteria, &errors));
        if (strcmp(errors.lines[0], wrongs[i].line) != 0 || errors.n != 1)
            print_error("%s: %zu\n  %s\n  %s\n", wrongs[i].criteria, errors.n, errors.lines[0],
                        wrongs[i].line);
        assert_string_equal(errors.lines[0], wrongs[i].line);
        assert_int_equal(errors.n, 1);
        if (wrongs[i].excerpt == NULL)
            assert_null(errors.excerpts[0]);
        else
            assert_string_equal(errors.excerpts[0], wrongs[i].excerpt);
        catalog_errors_free(&errors);
    }
}

/* Each error keeps its own excerpt when they are sorted. */
static void several_at_once(void **state)
{
    (void)state;
    struct catalog_errors errors;
    assert_null(load("{Filters: [{Pattern: '[]'}, {}, {Pattern: '{\"b\":2}'}], More: 1}\n"
                     "          BatchSize: none",
                     &errors));
    assert_int_equal(errors.n, 5);
    size_t excerpts = 0;
    for (size_t i = 0; i < errors.n; i++) {
        bool pattern = strstr(errors.lines[i], "Invalid filter pattern") != NULL;
        assert_int_equal(errors.excerpts[i] != NULL, pattern);
        excerpts += pattern;
        if (pattern)
            assert_non_null(strstr(errors.excerpts[i], strstr(errors.lines[i], "Filters[0]") != NULL
                                                           ? "| []\n"
                                                           : "| {\"b\":2}\n"));
    }
    assert_int_equal(excerpts, 2);
    catalog_errors_free(&errors);
}

static void warned(void **state)
{
    (void)state;
    struct catalog_errors errors;
    struct catalog *c = load("{Filters: [{Pattern: '{\"a\":[{\"cidr\":\"10.0.0.0/8\"}]}'},"
                             "{Pattern: '{\"b\":[1]}'}]}",
                             &errors);
    assert_non_null(c);
    assert_int_equal(c->warnings.n, 1);
    assert_string_equal(c->warnings.lines[0],
                        AT ".Filters[0].Pattern: warning: cidr is documented for event buses, not "
                           "for FilterCriteria");
    catalog_free(c);
    catalog_errors_free(&errors);
    c = load("{Filters: [&a {Pattern: '{\"a\":[1]}'}]}", &errors);
    assert_null(c); /* anchors are refused anywhere */
    catalog_errors_free(&errors);
    struct buf six;
    buf_init(&six, 1000);
    buf_str(&six, "{Filters: [");
    for (int i = 0; i < 6; i++)
        buf_str(&six, "{Pattern: '{\"a\":[1]}'},");
    buf_str(&six, "]}");
    c = load(six.p, &errors);
    assert_non_null(c);
    assert_int_equal(c->warnings.n, 1);
    assert_string_equal(
        c->warnings.lines[0],
        AT ".Filters: warning: 6 filters; AWS takes more than 5 only with a raised quota");
    catalog_free(c);
    catalog_errors_free(&errors);
    buf_free(&six);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted), cmocka_unit_test(canonical_text),
        cmocka_unit_test(refused),  cmocka_unit_test(several_at_once),
        cmocka_unit_test(warned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
