/* test_filter.c - each rule of matching (filter-patterns.md 3): what meets it and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/filter_value.h"
#include "filter_cases.h"

#include <math.h>

static const struct filter_case structure[] = {
    {"{\"a\":[1]}", "{\"a\":1}", true},
    {"{\"a\":[1]}", "{\"b\":2,\"a\":1,\"c\":{\"d\":[]}}", true},
    {"{\"a\":[1]}", "{\"A\":1}", false},
    {"{\"a\":[1],\"b\":[2]}", "{\"a\":1,\"b\":2}", true},
    {"{\"a\":[1],\"b\":[2]}", "{\"a\":1,\"b\":3}", false},
    {"{\"a\":[1],\"b\":[2]}", "{\"a\":1}", false},
    {"{\"a\":[1,2]}", "{\"a\":2}", true},
    {"{\"a\":[1],\"a\":[2]}", "{\"a\":1}", false},
    {"{\"a\":[1],\"a\":[2]}", "{\"a\":2}", true},
    {"{\"a\":{\"b\":{\"c\":[\"x\"]}}}", "{\"a\":{\"b\":{\"c\":\"x\"}}}", true},
    {"{\"a\":{\"b\":{\"c\":[\"x\"]}}}", "{\"a\":{\"b\":\"x\"}}", false},
    {"{\"a\":[\"x\"]}", "{\"a\":{\"a\":\"x\"}}", false},
    /* a name that occurs twice: either value */
    {"{\"a\":[1]}", "{\"a\":1,\"a\":2}", true},
    {"{\"a\":[2]}", "{\"a\":1,\"a\":2}", true},
    /* JSON inside a string is a string */
    {"{\"a\":{\"b\":[1]}}", "{\"a\":\"{\\\"b\\\":1}\"}", false},
    /* names are compared as they are meant, not as they are written */
    {"{\"aé\":[1]}", "{\"a\\u00e9\":1}", true},
    {"{\"a\\u00e9\":[1]}", "{\"aé\":1}", true},
    {"{\"\":[1]}", "{\"\":1}", true},
    {"{\"\":{\"a\":[1]}}", "{\"\":{\"a\":1}}", true},
    {"{\"0123456789012345678901234567890123456789012345678901234567890123456789\":[1]}",
     "{\"0123456789012345678901234567890123456789012345678901234567890123456789\":1}", true},
    {"{\"0123456789012345678901234567890123456789012345678901234567890123456789\":[1]}",
     "{\"012345678901234567890123456789012345678901234567890123456789012345678X\":1}", false},
};

static const struct filter_case dots[] = {
    {"{\"a.b\":[1]}", "{\"a\":{\"b\":1}}", true},
    {"{\"a\":{\"b\":[1]}}", "{\"a.b\":1}", true},
    {"{\"a.b\":[1]}", "{\"a.b\":1}", true},
    {"{\"a\":{\"b\":{\"c\":[1]}}}", "{\"a.b\":{\"c\":1}}", true},
    {"{\"a\":{\"b\":{\"c\":[1]}}}", "{\"a\":{\"b.c\":1}}", true},
    {"{\"a\":{\"b\":{\"c\":[1]}}}", "{\"a.b.c\":1}", true},
    {"{\"a\":{\"b\":{\"c\":[1]}}}", "{\"a\\u002eb.c\":1}", true},
    {"{\"a.b\":[1]}", "{\"a.c\":1,\"a\":{\"c\":1},\"ab\":1,\"a.bb\":1,\"a.\":1}", false},
    {"{\"a\":[1]}", "{\"a.b\":1,\".a\":1,\"a.\":1}", false},
    {"{\"a..b\":[1]}", "{\"a\":{\"\":{\"b\":1}}}", true},
    {"{\"0123456789012345678901234567890123456789012345678901234567890123456789.b\":[1]}",
     "{\"0123456789012345678901234567890123456789012345678901234567890123456789.b\":1}", true},
};

static const struct filter_case scalars[] = {
    {"{\"a\":[null]}", "{\"a\":null}", true},
    {"{\"a\":[null]}", "{\"a\":\"\"}", false},
    {"{\"a\":[null]}", "{\"a\":[]}", false},
    {"{\"a\":[null]}", "{\"b\":null}", false},
    {"{\"a\":[null]}", "{\"a\":\"null\"}", false},
    {"{\"a\":[true]}", "{\"a\":true}", true},
    {"{\"a\":[true]}", "{\"a\":\"true\"}", false},
    {"{\"a\":[false]}", "{\"a\":false}", true},
    {"{\"a\":[false]}", "{\"a\":true}", false},
    {"{\"a\":[\"\"]}", "{\"a\":\"\"}", true},
    {"{\"a\":[\"\"]}", "{\"a\":null}", false},
    {"{\"a\":[\"x\\ny\"]}", "{\"a\":\"x\\u000ay\"}", true},
    {"{\"a\":[\"\\ud83d\\ude00\"]}", "{\"a\":\"\xf0\x9f\x98\x80\"}", true},
    {"{\"a\":[\"\\ud83d\"]}", "{\"a\":\"\\uD83D\"}", true},
    {"{\"a\":[\"e\\u0301\"]}", "{\"a\":\"\\u00e9\"}", false},
    {"{\"a\":[\"x\"]}", "{\"a\":\"x\\u0000\"}", false},
};

static const struct filter_case numbers[] = {
    {"{\"a\":[300]}", "{\"a\":300}", true},
    {"{\"a\":[300]}", "{\"a\":300.0}", true},
    {"{\"a\":[300]}", "{\"a\":3.0e2}", true},
    {"{\"a\":[300]}", "{\"a\":30000E-2}", true},
    {"{\"a\":[300]}", "{\"a\":\"300\"}", false},
    {"{\"a\":[\"300\"]}", "{\"a\":300}", false},
    {"{\"a\":[0]}", "{\"a\":-0}", true},
    {"{\"a\":[0]}", "{\"a\":-0.0e-7}", true},
    {"{\"a\":[0.3]}", "{\"a\":0.30}", true},
    {"{\"a\":[0.3]}", "{\"a\":0.30000000000000004}", false},
    {"{\"a\":[0.30000000000000004]}", "{\"a\":0.30000000000000004}", true},
    {"{\"a\":[1700000000000001]}", "{\"a\":1700000000000001}", true},
    {"{\"a\":[1700000000000001]}", "{\"a\":1700000000000002}", false},
    {"{\"a\":[9007199254740993]}", "{\"a\":9007199254740993}", true},
    {"{\"a\":[9007199254740993]}", "{\"a\":9007199254740995}", false},
    {"{\"a\":[9007199254740992]}", "{\"a\":9007199254740993}", false},
    {"{\"a\":[{\"numeric\":[\"=\",1e3]}]}", "{\"a\":1000}", true},
    {"{\"a\":[{\"numeric\":[\">\",0,\"<=\",5]}]}", "{\"a\":0}", false},
    {"{\"a\":[{\"numeric\":[\">\",0,\"<=\",5]}]}", "{\"a\":1e-300}", true},
    {"{\"a\":[{\"numeric\":[\">\",0,\"<=\",5]}]}", "{\"a\":5.000}", true},
    {"{\"a\":[{\"numeric\":[\">\",0,\"<=\",5]}]}", "{\"a\":5.0001}", false},
    {"{\"a\":[{\"numeric\":[\">=\",-1,\"<\",1]}]}", "{\"a\":-1}", true},
    {"{\"a\":[{\"numeric\":[\">=\",-1,\"<\",1]}]}", "{\"a\":1}", false},
    {"{\"a\":[{\"numeric\":[\"<\",5]}]}", "{\"a\":5}", false},
    {"{\"a\":[{\"numeric\":[\"<=\",5]}]}", "{\"a\":5}", true},
    {"{\"a\":[{\"numeric\":[\">\",5]}]}", "{\"a\":5}", false},
    {"{\"a\":[{\"numeric\":[\">=\",5]}]}", "{\"a\":5}", true},
    {"{\"a\":[{\"numeric\":[\"<\",0]}]}", "{\"a\":-1.5E+300}", true},
    {"{\"a\":[{\"numeric\":[\"<\",0]}]}", "{\"a\":\"-1\"}", false},
    {"{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":true}", false},
    /* no double has this value: it is in no range */
    {"{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":1e400}", false},
    {"{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":9007199254740993}", false},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":1e400}", true},
};

static const struct filter_case presence[] = {
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":0}", true},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":null}", true},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":\"\"}", true},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":[]}", false},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":[[],[]]}", false},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":[null]}", true},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":{}}", false},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":{\"b\":1}}", false},
    {"{\"a\":[{\"exists\":true}]}", "{}", false},
    {"{\"a\":[{\"exists\":false}]}", "{}", true},
    {"{\"a\":[{\"exists\":false}]}", "{\"a\":1}", false},
    {"{\"a\":[{\"exists\":false}]}", "{\"a\":null}", false},
    {"{\"a\":[{\"exists\":false}]}", "{\"a\":[]}", true},
    {"{\"a\":[{\"exists\":false}]}", "{\"a\":{\"b\":1}}", true},
    {"{\"a\":[{\"exists\":false},\"x\"]}", "{\"b\":1}", true},
    {"{\"a\":[{\"exists\":false},\"x\"]}", "{\"a\":\"x\"}", true},
    {"{\"a\":[{\"exists\":false},\"x\"]}", "{\"a\":\"y\"}", false},
    {"{\"a\":{\"b\":[{\"exists\":false}]}}", "{\"a\":1}", true},
};

static const struct filter_case denials[] = {
    {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":\"y\"}", true},
    {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":\"x\"}", false},
    {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"b\":\"y\"}", false},
    {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":null}", true},
    {"{\"a\":[{\"anything-but\":\"1\"}]}", "{\"a\":1}", true},
    {"{\"a\":[{\"anything-but\":[1,2]}]}", "{\"a\":2.0}", false},
    {"{\"a\":[{\"anything-but\":[1,2]}]}", "{\"a\":\"2\"}", true},
    {"{\"a\":[{\"anything-but\":[1,2]}]}", "{\"a\":9007199254740993}", true},
    {"{\"a\":[{\"anything-but\":[\"x\",\"y\"]}]}", "{\"a\":[\"x\",\"y\"]}", false},
    {"{\"a\":[{\"anything-but\":[\"x\",\"y\"]}]}", "{\"a\":[\"x\",\"z\"]}", true},
    {"{\"a\":[{\"anything-but\":[\"x\"]}]}", "{\"a\":[]}", false},
    {"{\"a\":[{\"anything-but\":{\"prefix\":\"x\"}}]}", "{\"a\":\"xy\"}", false},
    {"{\"a\":[{\"anything-but\":{\"prefix\":\"x\"}}]}", "{\"a\":\"yx\"}", true},
    {"{\"a\":[{\"anything-but\":{\"prefix\":[\"x\",\"y\"]}}]}", "{\"a\":\"yx\"}", false},
    {"{\"a\":[{\"anything-but\":{\"prefix\":\"1\"}}]}", "{\"a\":1}", true},
    {"{\"a\":[{\"anything-but\":{\"suffix\":\".png\"}}]}", "{\"a\":\"a.png\"}", false},
    {"{\"a\":[{\"anything-but\":{\"suffix\":\".png\"}}]}", "{\"a\":\"a.jpg\"}", true},
    {"{\"a\":[{\"anything-but\":{\"equals-ignore-case\":\"YES\"}}]}", "{\"a\":\"yes\"}", false},
    {"{\"a\":[{\"anything-but\":{\"equals-ignore-case\":[\"YES\",\"n\"]}}]}", "{\"a\":\"no\"}",
     true},
    {"{\"a\":[{\"anything-but\":{\"wildcard\":\"*x*\"}}]}", "{\"a\":\"axb\"}", false},
    {"{\"a\":[{\"anything-but\":{\"wildcard\":\"*x*\"}}]}", "{\"a\":\"ab\"}", true},
};

static const struct filter_case texts[] = {
    {"{\"a\":[{\"prefix\":\"ab\"}]}", "{\"a\":\"abc\"}", true},
    {"{\"a\":[{\"prefix\":\"ab\"}]}", "{\"a\":\"ab\"}", true},
    {"{\"a\":[{\"prefix\":\"ab\"}]}", "{\"a\":\"a\"}", false},
    {"{\"a\":[{\"prefix\":\"ab\"}]}", "{\"a\":\"\\u0061bc\"}", true},
    {"{\"a\":[{\"prefix\":\"\"}]}", "{\"a\":\"\"}", true},
    {"{\"a\":[{\"prefix\":\"\"}]}", "{\"a\":1}", false},
    {"{\"a\":[{\"suffix\":\"yz\"}]}", "{\"a\":\"xyz\"}", true},
    {"{\"a\":[{\"suffix\":\"yz\"}]}", "{\"a\":\"z\"}", false},
    {"{\"a\":[{\"suffix\":\"yz\"}]}", "{\"a\":\"yzz\"}", false},
    {"{\"a\":[{\"suffix\":\"\"}]}", "{\"a\":\"x\"}", true},
    {"{\"a\":[{\"suffix\":\"\"}]}", "{\"a\":null}", false},
    {"{\"a\":[{\"prefix\":{\"equals-ignore-case\":\"aB\"}}]}", "{\"a\":\"Abc\"}", true},
    {"{\"a\":[{\"prefix\":{\"equals-ignore-case\":\"aB\"}}]}", "{\"a\":\"A\"}", false},
    {"{\"a\":[{\"suffix\":{\"equals-ignore-case\":\".PnG\"}}]}", "{\"a\":\"x.pNg\"}", true},
    {"{\"a\":[{\"suffix\":{\"equals-ignore-case\":\".PnG\"}}]}", "{\"a\":\"png\"}", false},
    {"{\"a\":[{\"suffix\":{\"equals-ignore-case\":\"ÄÖ\"}}]}", "{\"a\":\"xäö\"}", true},
    {"{\"a\":[{\"suffix\":{\"equals-ignore-case\":\"ÄÖ\"}}]}", "{\"a\":\"xao\"}", false},
    {"{\"a\":[{\"equals-ignore-case\":\"Straße\"}]}", "{\"a\":\"STRAßE\"}", true},
    {"{\"a\":[{\"equals-ignore-case\":\"Ärger\"}]}", "{\"a\":\"äRGER\"}", true},
    {"{\"a\":[{\"equals-ignore-case\":\"Ärger\"}]}", "{\"a\":\"äRGERN\"}", false},
    {"{\"a\":[{\"equals-ignore-case\":\"Ärger\"}]}", "{\"a\":\"äRGE\"}", false},
    {"{\"a\":[{\"equals-ignore-case\":\"\"}]}", "{\"a\":\"\"}", true},
};

static const struct filter_case wildcards[] = {
    {"{\"a\":[{\"wildcard\":\"*\"}]}", "{\"a\":\"\"}", true},
    {"{\"a\":[{\"wildcard\":\"*\"}]}", "{\"a\":1}", false},
    {"{\"a\":[{\"wildcard\":\"\"}]}", "{\"a\":\"\"}", true},
    {"{\"a\":[{\"wildcard\":\"\"}]}", "{\"a\":\"x\"}", false},
    {"{\"a\":[{\"wildcard\":\"ab\"}]}", "{\"a\":\"ab\"}", true},
    {"{\"a\":[{\"wildcard\":\"ab\"}]}", "{\"a\":\"abc\"}", false},
    {"{\"a\":[{\"wildcard\":\"a*b\"}]}", "{\"a\":\"ab\"}", true},
    {"{\"a\":[{\"wildcard\":\"a*b\"}]}", "{\"a\":\"axxb\"}", true},
    {"{\"a\":[{\"wildcard\":\"a*b\"}]}", "{\"a\":\"axxbc\"}", false},
    {"{\"a\":[{\"wildcard\":\"ab*ba\"}]}", "{\"a\":\"aba\"}", false},
    {"{\"a\":[{\"wildcard\":\"*x*y*\"}]}", "{\"a\":\"..x..y..\"}", true},
    {"{\"a\":[{\"wildcard\":\"*x*y*\"}]}", "{\"a\":\"..y..x..\"}", false},
    {"{\"a\":[{\"wildcard\":\"a*bc*bcd\"}]}", "{\"a\":\"abcbcbcd\"}", true},
    {"{\"a\":[{\"wildcard\":\"a*bcd*bcd\"}]}", "{\"a\":\"abcbcd\"}", false},
    {"{\"a\":[{\"wildcard\":\"a\\\\*b\"}]}", "{\"a\":\"a*b\"}", true},
    {"{\"a\":[{\"wildcard\":\"a\\\\*b\"}]}", "{\"a\":\"axb\"}", false},
    {"{\"a\":[{\"wildcard\":\"a\\\\\\\\*\"}]}", "{\"a\":\"a\\\\b\"}", true},
};

static const struct filter_case networks[] = {
    {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"10.0.0.255\"}", true},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"10.0.1.0\"}", false},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"10.0.0\"}", false},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"host\"}", false},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":10.0}", false},
    {"{\"a\":[{\"cidr\":\"0.0.0.0/0\"}]}", "{\"a\":\"200.1.2.3\"}", true},
    {"{\"a\":[{\"cidr\":\"0.0.0.0/0\"}]}", "{\"a\":\"::1\"}", false},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/21\"}]}", "{\"a\":\"10.0.7.1\"}", true},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/21\"}]}", "{\"a\":\"10.0.8.1\"}", false},
    {"{\"a\":[{\"cidr\":\"2001:db8::/33\"}]}", "{\"a\":\"2001:DB8:7fff::1\"}", true},
    {"{\"a\":[{\"cidr\":\"2001:db8::/33\"}]}", "{\"a\":\"2001:db8:8000::1\"}", false},
    {"{\"a\":[\"10.0.0.1\"]}", "{\"a\":\"10.0.0.1\"}", true},
    {"{\"a\":[\"10.0.0.1\"]}", "{\"a\":\"10.0.0.11\"}", false},
};

static const struct filter_case choices[] = {
    {"{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "{\"a\":1}", true},
    {"{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "{\"b\":2}", true},
    {"{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "{\"a\":2,\"b\":1}", false},
    {"{\"c\":[3],\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "{\"a\":1}", false},
    {"{\"c\":[3],\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "{\"b\":2,\"c\":3}", true},
    {"{\"d\":{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}}", "{\"a\":1,\"d\":{\"b\":2}}", true},
    {"{\"d\":{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}}", "{\"a\":1,\"d\":{\"b\":1}}", false},
    {"{\"$or\":[{\"a\":[{\"exists\":false}]},{\"$or\":[{\"b\":[1]},{\"b\":[2]}]}]}",
     "{\"a\":1,\"b\":2}", true},
    {"{\"$or\":[{\"a\":[{\"exists\":false}]},{\"$or\":[{\"b\":[1]},{\"b\":[2]}]}]}",
     "{\"a\":1,\"b\":3}", false},
};

static const struct {
    const struct filter_case *rows;
    size_t n;
} groups[] = {
    {structure, ARRAY_LEN(structure)}, {dots, ARRAY_LEN(dots)},
    {scalars, ARRAY_LEN(scalars)},     {numbers, ARRAY_LEN(numbers)},
    {presence, ARRAY_LEN(presence)},   {denials, ARRAY_LEN(denials)},
    {texts, ARRAY_LEN(texts)},         {wildcards, ARRAY_LEN(wildcards)},
    {networks, ARRAY_LEN(networks)},   {choices, ARRAY_LEN(choices)},
};

static void test_alone(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        case_check(groups[i].rows, groups[i].n);
}

/* With the index: every pattern of all groups against every event of all groups. */
static void test_together(void **unused)
{
    (void)unused;
    struct filter_case all[300];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        for (size_t k = 0; k < groups[i].n; k++) {
            assert_true(n < ARRAY_LEN(all));
            all[n++] = groups[i].rows[k];
        }
    case_check_together(all, n);
}

static void test_not_an_event(void **unused)
{
    (void)unused;
    static const struct {
        const char *event;
        size_t at;
    } rows[] = {
        {"", 0},
        {" ", 1},
        {"[]", 0},
        {"\"a\"", 0},
        {"{", 1},
        {"{} x", 3},
        {"{\"a\":01}", 6},
        {"{\"b\":\"\xff\"}", 6},
        {"{\"b\":\"\t\"}", 6},
        {"{\"a\":[1,]}", 8},
        {"{\"a\":{\"b\":1]}", 11},
    };
    struct pattern *p = case_pattern("{\"a\":[1],\"c\":[{\"exists\":false}]}");
    const struct pattern *one = p;
    struct filter *f = filter_new(&one, 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct filter_match m;
        size_t at;
        assert_false(filter_match(f, slice_of(rows[i].event), NULL, &m, &at));
        if (at != rows[i].at)
            fail_msg("%s: %zu", rows[i].event, at);
        assert_int_equal(m.n, 0);
    }
    assert_true(case_matches(f, " {\"a\" : 1} ", NULL));
    filter_free(f);
    pattern_free(p);
}

/* The short way to a number and the general one agree, bit by bit. */
static void test_numbers_agree(void **unused)
{
    (void)unused;
    uint64_t state = 99;
    size_t none = 0;
    for (int i = 0; i < 200000; i++) {
        char text[32];
        size_t n = 0, digits = 1 + (size_t)(i % 18);
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint64_t bits = state >> 11;
        if (bits & 1)
            text[n++] = '-';
        size_t point = (bits >> 1) % (digits + 1);
        for (size_t k = 0; k < digits; k++) {
            if (k == point && k > 0)
                text[n++] = '.';
            state = state * 6364136223846793005u + 1442695040888963407u;
            text[n++] = (char)('0' + (state >> 60) % 10);
        }
        double wanted = 0, got = filter_value_number((struct slice){text, n});
        if (pattern_number((struct slice){text, n}, &wanted))
            assert_true(got == wanted);
        else
            assert_true(isnan(got));
        none += isnan(got) ? 1 : 0;
    }
    assert_true(none > 100 && none < 100000);
}

static void test_no_patterns(void **unused)
{
    (void)unused;
    struct filter *f = filter_new(NULL, 0);
    assert_false(case_matches(f, "{\"a\":1}", NULL));
    filter_free(f);
    filter_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),        cmocka_unit_test(test_together),
        cmocka_unit_test(test_not_an_event), cmocka_unit_test(test_numbers_agree),
        cmocka_unit_test(test_no_patterns),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
