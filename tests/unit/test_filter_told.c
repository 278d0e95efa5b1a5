/* test_filter_told.c - grafts, reasons, many patterns at once, and memory that comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/filter_state.h"
#include "filter_cases.h"

#include <string.h>

struct one {
    struct pattern *pattern;
    struct filter *filter;
};

static struct one one_new(const char *text)
{
    struct one o = {.pattern = case_pattern(text)};
    const struct pattern *p = o.pattern;
    o.filter = filter_new(&p, 1);
    return o;
}

static void one_free(struct one *o)
{
    filter_free(o->filter);
    pattern_free(o->pattern);
}

/* ---- grafts */

struct graft_case {
    const char *pattern, *event, *value; /* NULL: absent */
    bool json, matches;
};

static const struct graft_case grafts[] = {
    {"{\"body\":{\"a\":[1]}}", "{\"body\":\"{}\",\"id\":\"x\"}", "{\"a\":1}", true, true},
    {"{\"body\":{\"a\":[1]}}", "{\"id\":\"x\"}", " {\"a\":1} ", true, true},
    {"{\"body\":{\"a\":[1]}}", "{\"body\":{\"a\":1}}", "{\"a\":2}", true, false},
    {"{\"body\":{\"a\":[1]}}", "{\"body\":{\"a\":1},\"body\":{\"a\":1}}", "{}", true, false},
    {"{\"body\":{\"a\":[1]}}", "{\"b\\u006fdy\":{\"a\":1}}", "{}", true, false},
    {"{\"body\":{\"a\":[1]}}", "{\"x\":{\"body\":1}}", "[{\"a\":2},{\"a\":1}]", true, true},
    {"{\"x\":{\"body\":[1]}}", "{\"x\":{\"body\":1}}", "2", true, true},
    {"{\"body\":[5]}", "{}", "5", true, true},
    {"{\"body\":[5]}", "{}", "5", false, false},
    {"{\"body\":[\"5\"]}", "{}", "5", false, true},
    {"{\"body\":[\"a\\\"\\\\n\"]}", "{\"body\":1}", "a\"\\n", false, true},
    {"{\"body\":[\"a\\nb\"]}", "{}", "a\\nb", false, false},
    {"{\"body\":[\"\"]}", "{}", "", false, true},
    {"{\"body\":[{\"prefix\":\"he\"}],\"id\":[\"x\"]}", "{\"id\":\"x\"}", "hello", false, true},
    {"{\"body\":{\"a\":[1]}}", "{}", "{\"a\":1}", false, false},
    {"{\"body\":[{\"exists\":false}]}", "{\"body\":\"x\"}", NULL, false, true},
    {"{\"body\":[{\"exists\":true}]}", "{\"body\":\"x\"}", NULL, false, false},
    {"{\"id\":[\"x\"]}", "{\"id\":\"x\",\"body\":1}", "[1,2]", true, true},
};

static void test_grafts(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(grafts); i++) {
        const struct graft_case *c = &grafts[i];
        struct one o = one_new(c->pattern);
        struct filter_graft graft = {.key = SLICE("body"),
                                     .value = slice_of(c->value),
                                     .json = c->json,
                                     .absent = c->value == NULL};
        if (case_matches(o.filter, c->event, &graft) != c->matches)
            fail_msg("%s %s %s", c->pattern, c->event, c->value);
        one_free(&o);
    }
}

static void test_graft_that_is_no_json(void **unused)
{
    (void)unused;
    static const char *const patterns[] = {"{\"body\":[1]}", "{\"id\":[1]}"};
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        struct one o = one_new(patterns[i]);
        struct filter_graft graft = {.key = SLICE("body"), .value = SLICE("[1,x]"), .json = true};
        struct filter_match m;
        size_t at;
        assert_false(filter_match(o.filter, SLICE("{\"id\":1}"), &graft, &m, &at));
        assert_int_equal(at, 8 + 3);
        one_free(&o);
    }
}

/* ---- reasons */

static const struct {
    const char *pattern, *event, *text;
} reasons[] = {
    {"{\n \"a\": [1],\n \"detail\": {\"state\": [\"running\"]}}",
     "{\"a\":1,\"detail\":{\"state\":\"stopped\"}}",
     "line 3: \"detail.state\" is \"stopped\", wanted [\"running\"]"},
    {"{\"a\":[1]}", "{\"b\":1}", "line 1: \"a\" is missing, wanted [1]"},
    {"{\"a\":[1]}", "{\"a\":[2,3,4]}", "line 1: \"a\" is 2 (first of 3 values), wanted [1]"},
    {"{\"a\":[{\"exists\":false}]}", "{\"a\":null}",
     "line 1: \"a\" is null, wanted [{\"exists\":false}]"},
    {"{\"a\":[\n    \"x\",\n\t{\"prefix\":\n   \"y  z\"}\n  ]}", "{\"a\":true}",
     "line 1: \"a\" is true, wanted [\"x\", {\"prefix\": \"y  z\"}]"},
    {"{\"a\":[\"x\"]}", "{\"a\":\"q\\n\\\"\x7f\xc2\x85\xc3\xa9\"}",
     "line 1: \"a\" is \"q\\n\\\"\\u007f\\u0085\xc3\xa9\", wanted [\"x\"]"},
    {"{\"a\":[\"x\"]}",
     "{\"a\":\"01234567890123456789012345678901234567890123456789012345678901\xc3\xa9\"}",
     "line 1: \"a\" is \"01234567890123456789012345678901234567890123456789012345678901..."
     ", wanted [\"x\"]"},
    {"{\"a\":[\"01234567890123456789\",\"01234567890123456789\",\"01234567890123456789\"]}",
     "{\"a\":1}",
     "line 1: \"a\" is 1, wanted [\"01234567890123456789\",\"01234567890123456789\","
     "\"0123456789012345..."},
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[{\"b\":1},{\"c\":2}]}",
     "every field finds a value, but not in the same elements of arrays"},
    /* the branch that came furthest */
    {"{\"x\":[1],\"$or\":[{\"a\":[1],\"b\":[1]},{\"c\":[1],\"d\":[1]}]}",
     "{\"x\":1,\"a\":2,\"b\":2,\"c\":1,\"d\":2}", "line 1: \"d\" is 2, wanted [1]"},
    {"{\"$or\":[{\"a\":[1]},{\"b\":{\"c\":[1],\"d\":[2]}}]}",
     "{\"a\":2,\"b\":[{\"c\":1},{\"d\":2}]}",
     "every field finds a value, but not in the same elements of arrays"},
    {"{\"a\\\"\\n\":[1]}", "{}", "line 1: \"a\\\"\\u000a\" is missing, wanted [1]"},
};

static void test_reasons(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        struct one o = one_new(reasons[i].pattern);
        struct filter_match m;
        struct buf text;
        size_t at;
        buf_init(&text, 4096);
        assert_true(filter_match(o.filter, slice_of(reasons[i].event), NULL, &m, &at));
        assert_int_equal(m.n, 0);
        filter_why_text(o.filter, 0, &text);
        assert_string_equal(text.p, reasons[i].text);
        buf_free(&text);
        one_free(&o);
    }
}

static void test_reason(void **unused)
{
    (void)unused;
    struct one o = one_new("{\"a\":{\"b\":[1]},\"body\":[\"x\"]}");
    struct filter_graft graft = {.key = SLICE("body"), .value = SLICE("a \"b\"\x01\xff")};
    struct filter_match m;
    struct buf text;
    size_t at;
    assert_true(
        filter_match(o.filter, SLICE("{\"a\":[{\"b\":\"c\"},{\"b\":2}]}"), &graft, &m, &at));
    struct filter_reason why = filter_why(o.filter, 0);
    assert_ptr_equal(why.field, o.pattern->branches[0].fields[0]);
    assert_true(slice_is(why.value, "\"c\""));
    assert_int_equal(why.values, 2);
    /* plain text is put in quotes */
    assert_true(filter_match(o.filter, SLICE("{\"a\":{\"b\":1}}"), &graft, &m, &at));
    buf_init(&text, 4096);
    filter_why_text(o.filter, 0, &text);
    assert_string_equal(text.p,
                        "line 1: \"body\" is \"a \\\"b\\\"\\u0001\xef\xbf\xbd\", wanted [\"x\"]");
    buf_free(&text);
    one_free(&o);
}

/* A reason may be asked for after patterns that match, and again. */
static void test_reason_among_many(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"{\"a\":[1]}", "{\"a\":[2]}",
                                        "{\"$or\":[{\"a\":[3]},{\"b\":[3]}]}", "{\"b\":[4]}"};
    struct pattern *patterns[ARRAY_LEN(texts)];
    const struct pattern *all[ARRAY_LEN(texts)];
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        all[i] = patterns[i] = case_pattern(texts[i]);
    struct filter *f = filter_new(all, ARRAY_LEN(texts));
    struct filter_match m;
    size_t at;
    assert_true(filter_match(f, SLICE("{\"a\":1,\"b\":5}"), NULL, &m, &at));
    assert_int_equal(m.n, 1);
    for (int turn = 0; turn < 2; turn++) {
        assert_ptr_equal(filter_why(f, 1).field, patterns[1]->branches[0].fields[0]);
        assert_ptr_equal(filter_why(f, 2).field, patterns[2]->branches[0].fields[0]);
        assert_ptr_equal(filter_why(f, 3).field, patterns[3]->branches[0].fields[0]);
    }
    filter_free(f);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        pattern_free(patterns[i]);
}

/* ---- many */

enum { MANY = 1000 };

/* Every pattern is found, whatever it is registered under; numbers ascend. */
static void test_a_thousand(void **unused)
{
    (void)unused;
    static const char *const formats[] = {
        "{\"s\":[\"v%u\"],\"t\":[\"all\"]}",
        "{\"s\":[{\"prefix\":\"v%u\"}],\"n\":[{\"numeric\":[\">=\",0]}]}",
        "{\"n\":[%u],\"s\":[{\"anything-but\":\"x\"}]}",
        "{\"n\":[{\"numeric\":[\">\",%u.5]}]}",
        "{\"s\":[{\"suffix\":\"v%u\"}]}",
        "{\"s\":[{\"wildcard\":\"*v%u*\"}]}",
        "{\"s\":[{\"equals-ignore-case\":\"V%u\"}]}",
        "{\"x%u\":[{\"exists\":false}],\"n\":[{\"exists\":true}]}",
        "{\"x%u\":[{\"exists\":false}]}",
        "{\"s\":[{\"wildcard\":\"v%u*\"}],\"t\":[null,\"all\"]}",
    };
    static struct pattern *patterns[MANY];
    const struct pattern *all[MANY];
    struct filter *alone[MANY];
    struct buf b;
    buf_init(&b, 4096);
    for (unsigned i = 0; i < MANY; i++) {
        const char *format = formats[i % ARRAY_LEN(formats)], *number = strstr(format, "%u");
        buf_clear(&b);
        buf_add(&b, format, (size_t)(number - format));
        buf_printf(&b, "%u%s", i, number + 2);
        all[i] = patterns[i] = case_pattern(b.p);
        alone[i] = filter_new(&all[i], 1);
    }
    struct filter *f = filter_new(all, MANY);
    size_t total = 0;
    for (unsigned e = 0; e < 200; e++) {
        struct filter_match m, one;
        size_t at, k = 0;
        buf_clear(&b);
        buf_printf(&b, "{\"s\":[\"v%u\",\"V%u\"],\"t\":\"all\",\"n\":%u,\"x%u\":0}", 5 * e,
                   5 * e + 1, 5 * e + 2, 5 * e + 3);
        assert_true(filter_match(f, buf_slice(&b), NULL, &m, &at));
        for (uint32_t i = 0; i < MANY; i++) {
            assert_true(filter_match(alone[i], buf_slice(&b), NULL, &one, &at));
            bool in = k < m.n && m.matched[k] == i;
            k += in;
            assert_int_equal(in, one.n);
        }
        assert_int_equal(k, m.n);
        total += m.n;
    }
    assert_true(total > 200 * 200 && total < 200 * 600);
    filter_free(f);
    for (unsigned i = 0; i < MANY; i++) {
        filter_free(alone[i]);
        pattern_free(patterns[i]);
    }
    buf_free(&b);
}

/* ---- memory */

static void test_memory_comes_back(void **unused)
{
    (void)unused;
    struct one o = one_new("{\"a\":{\"b\":[\"\\n\"],\"c\":[{\"exists\":false}]}}");
    struct buf large;
    buf_init(&large, 1 << 26);
    buf_str(&large, "{\"a\":[");
    for (unsigned i = 0; i < 100000; i++)
        buf_str(&large, "{\"b\":\"\\u000a\",\"c\":1},");
    buf_str(&large, "0]}");
    assert_false(case_matches(o.filter, "{\"a\":[{\"b\":1,\"c\":1}]}", NULL));
    size_t small = filter_state_bytes(o.filter);
    for (int turn = 0; turn < 2; turn++) {
        assert_false(case_matches(o.filter, large.p, NULL));
        size_t much = filter_state_bytes(o.filter);
        /* In proportion to the event, never more. */
        assert_true(much > 100 * small && much < 20 * large.n);
        assert_true(case_matches(o.filter, "{\"a\":[{\"b\":\"\\n\"}]}", NULL));
        assert_true(case_matches(o.filter, "{\"a\":[{\"b\":\"\\n\"}]}", NULL));
        assert_true(filter_state_bytes(o.filter) < 1 << 20);
    }
    buf_free(&large);
    one_free(&o);
}

/* Once warm, nothing is allocated: the same events leave the same memory. */
static void test_memory_is_used_again(void **unused)
{
    (void)unused;
    static const char event[] =
        "{\"a\":[{\"b\":\"\\n\",\"c\":[1,2,{\"d\":\"\\t\"}]},{\"b\":\"x\"}],\"\\u0061\":3}";
    struct one o = one_new("{\"a\":{\"b\":[\"y\"],\"c\":{\"d\":[{\"exists\":false},\"z\"]}}}");
    assert_false(case_matches(o.filter, event, NULL));
    size_t bytes = filter_state_bytes(o.filter);
    const void *leaves = o.filter->event.leaves, *members = o.filter->event.members;
    for (int i = 0; i < 100; i++)
        assert_false(case_matches(o.filter, event, NULL));
    assert_int_equal(filter_state_bytes(o.filter), bytes);
    assert_ptr_equal(o.filter->event.leaves, leaves);
    assert_ptr_equal(o.filter->event.members, members);
    one_free(&o);
}

/* Marks of answers and tests from 2^32 events ago do not count. */
static void test_rounds_wrap(void **unused)
{
    (void)unused;
    const struct pattern *all[8];
    struct pattern *patterns[8];
    for (size_t i = 0; i < 8; i++)
        all[i] = patterns[i] = case_pattern(i % 2 ? "{\"a\":[1],\"b\":[{\"exists\":true}]}"
                                                  : "{\"a\":[2],\"c\":[{\"exists\":false}]}");
    struct filter *f = filter_new(all, 8);
    struct filter_match m;
    size_t at;
    assert_true(filter_match(f, SLICE("{\"a\":1,\"b\":1}"), NULL, &m, &at));
    assert_int_equal(m.n, 4);
    uint32_t round = f->round, event = f->index.event;
    f->round = f->index.event = UINT32_MAX;
    for (int i = 0; i < 3; i++) {
        assert_true(filter_match(f, SLICE("{\"a\":2,\"b\":1}"), NULL, &m, &at));
        assert_int_equal(m.n, 4);
        assert_int_equal(m.matched[0], 0);
        assert_true(filter_match(f, SLICE("{\"a\":1,\"b\":1}"), NULL, &m, &at));
        assert_int_equal(m.n, 4);
        assert_int_equal(m.matched[0], 1);
    }
    assert_true(f->round >= round && f->index.event >= event);
    assert_true(f->round < 100 && f->index.event < 100);
    filter_free(f);
    for (size_t i = 0; i < 8; i++)
        pattern_free(patterns[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grafts),
        cmocka_unit_test(test_graft_that_is_no_json),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_reason_among_many),
        cmocka_unit_test(test_a_thousand),
        cmocka_unit_test(test_memory_comes_back),
        cmocka_unit_test(test_memory_is_used_again),
        cmocka_unit_test(test_rounds_wrap),
    };
    return cmocka_run_group_tests_name("filter_told", tests, NULL, NULL);
}
