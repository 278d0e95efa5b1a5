/* test_partial.c - the ReportBatchItemFailures table of sqs.md 5, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/batch.h"
#include "engine/partial.h"
#include <string.h>

struct row {
    const char *body;
    enum partial want;
    const char *failed; /* of the ids a, b, c: those marked */
};

static const struct row rows[] = {
    {"", PARTIAL_NONE, ""},
    {" \n ", PARTIAL_NONE, ""},
    {"null", PARTIAL_NONE, ""},
    {"\"\"", PARTIAL_NONE, ""},
    {"[]", PARTIAL_NONE, ""},
    {"[ ]", PARTIAL_NONE, ""},
    {"{}", PARTIAL_NONE, ""},
    {"{ }", PARTIAL_NONE, ""},
    {"{\"batchItemFailures\":[]}", PARTIAL_NONE, ""},
    {"{\"batchItemFailures\":null}", PARTIAL_NONE, ""},
    {"{\"BatchItemFailures\":[{\"itemIdentifier\":\"a\"}]}", PARTIAL_NONE, ""},
    {"{\"other\":1}", PARTIAL_NONE, ""},
    {"not json", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"a\"}]", PARTIAL_ALL, NULL},
    {"\"text\"", PARTIAL_ALL, NULL},
    {"7", PARTIAL_ALL, NULL},
    {"[1]", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"\"}]}", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[{\"itemIdentifier\":null}]}", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[{\"itemIdentifier\":5}]}", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[{\"foo\":\"a\"}]}", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[{}]}", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[\"a\"]}", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"zz\"}]}", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"a\"},{\"itemIdentifier\":\"\"}]}", PARTIAL_ALL,
     NULL},
    {"{\"batchItemFailures\":{\"itemIdentifier\":\"a\"}}", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":\"a\"}", PARTIAL_ALL, NULL},
    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"b\"}]}", PARTIAL_SOME, "b"},
    {"{\"x\":1,\"batchItemFailures\":[{\"itemIdentifier\":\"c\",\"y\":2},"
     "{\"itemIdentifier\":\"a\"},{\"itemIdentifier\":\"a\"}]}",
     PARTIAL_SOME, "ac"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct batch b = {0};
        list_init(&b.records);
        static const char *const ids[] = {"a", "b", "c"};
        for (size_t k = 0; k < 3; k++, b.n++)
            list_append(&b.records, &record_new(slice_of(ids[k]), SLICE_NONE, SLICE("{}"))->node);
        const char *why = NULL;
        enum partial got = partial_read(slice_of(rows[i].body), &b, &why);
        char failed[4] = "";
        list_each(&b.records, it)
        {
            struct record *r = container_of(it, struct record, node);
            if (r->failed)
                strncat(failed, r->id.p, 1);
            record_free(r);
        }
        if (got != rows[i].want)
            fail_msg("%s: %d", rows[i].body, got);
        if (rows[i].failed != NULL)
            assert_string_equal(failed, rows[i].failed);
        else
            assert_non_null(why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests_name("partial", tests, NULL, NULL);
}
