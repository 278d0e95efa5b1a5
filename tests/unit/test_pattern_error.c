/* test_pattern_error.c - what is no pattern, and what is said about it: the table of
 * filter-patterns.md 4, with column and the place of the mistake. */
#include "tests/unit/pattern_rows.h"

#include "base/buf.h"

#define COMPLEX                                                                                    \
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character "      \
    "sequences after a wildcard character"
#define LIST_MIXED                                                                                 \
    "Inside anything but list, either all values are number or string, mixed type is not "         \
    "supported"
#define LIST_TYPE "Inside anything but list, start|null|boolean is not supported."
#define LIST_CI                                                                                    \
    "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
#define BUT_VALUE "Value of anything-but must be an array or single string/number value."
#define ONE_KEY   "Only one key allowed in match expression"
#define TOO_MANY  "Too many elements in numeric expression"
#define EXISTS    "exists match pattern must be either true or false."
#define AFFIX     "prefix/suffix match pattern must be a string"
#define PREFIX    "prefix match pattern must be a string"
#define SUFFIX    "suffix match pattern must be a string"
#define IGNORE    "equals-ignore-case match pattern must be a string"
#define WILDCARD  "wildcard match pattern must be a string"
#define RESERVED  " is Ruler reserved fieldName which cannot be used inside $or."

static void test_shape(void **state)
{
    static const struct row rows[] = {
        {"", "Filter is not an object", 1, 0},
        {"  ", "Filter is not an object", 3, 2},
        {"[1]", "Filter is not an object", 2, 0},
        {"\"a\"", "Filter is not an object", 2, 0},
        {" null", "Filter is not an object", 6, 1},
        {"17 ", "Filter is not an object", 3, 0},
        {"{}", "Empty objects are not allowed", 3, 0},
        {"{\"a\":{}}", "Empty objects are not allowed", 8, 5},
        {"{\"a\":[]}", "Empty arrays are not allowed", 8, 5},
        {"{\"a\":{\"b\":7}}", "\"b\" must be an object or an array", 12, 6},
        {"{\"a\":\"x\"}", "\"a\" must be an object or an array", 7, 1},
        {"{\"a\":null}", "\"a\" must be an object or an array", 10, 1},
        {"{\"a\":[[1]]}", "Match value must be String, number, true, false, or null", 8, 6},
        {"{\"a\":[{}]}", "Match expression name not found", 9, 7},
        {"{\"a\":[{\"y\":1}]}", "Unrecognized match type y", 13, 7},
        {"{\"a\":[{\"Prefix\":\"x\"}]}", "Unrecognized match type Prefix", 18, 7},
        {"{\"a\":[1]} {",
         "Unexpected character ('{' (code 123)): was expecting the end of the pattern", 11, 10},
    };
    (void)state;
    refuse_all(rows, ARRAY_LEN(rows));
}

static void test_operators(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[{\"prefix\":1}]}", PREFIX, 18, 16},
        {"{\"a\":[{\"prefix\":[\"x\"]}]}", PREFIX, 18, 16},
        {"{\"a\":[{\"prefix\":\"x\",\"suffix\":\"y\"}]}", ONE_KEY, 31, 20},
        {"{\"a\":[{\"prefix\":{}}]}", "Prefix expression name not found", 19, 17},
        {"{\"a\":[{\"prefix\":{\"q\":\"x\"}}]}", "Unsupported prefix pattern: q", 23, 17},
        {"{\"a\":[{\"prefix\":{\"equals-ignore-case\":1}}]}", IGNORE, 40, 38},
        {"{\"a\":[{\"prefix\":{\"equals-ignore-case\":\"x\"},\"y\":1}]}", ONE_KEY, 49, 43},
        {"{\"a\":[{\"suffix\":true}]}", SUFFIX, 21, 16},
        {"{\"a\":[{\"suffix\":{}}]}", "Suffix expression name not found", 19, 17},
        {"{\"a\":[{\"suffix\":{\"prefix\":\"x\"}}]}", "Unsupported suffix pattern: prefix", 28, 17},
        {"{\"a\":[{\"equals-ignore-case\":null}]}", IGNORE, 33, 28},
        {"{\"a\":[{\"exactly\":3}]}", "exact match pattern must be a string", 19, 17},
        {"{\"a\":[{\"exists\":\"true\"}]}", EXISTS, 18, 16},
        {"{\"a\":[{\"exists\":1}]}", EXISTS, 18, 16},
        {"{\"a\":[{\"exists\":true,\"exists\":true}]}", ONE_KEY, 35, 21},
        {"{\"a\":[{\"wildcard\":1}]}", WILDCARD, 20, 18},
        {"{\"a\":[{\"wildcard\":\"a**\"}]}", "Consecutive wildcard characters at pos 2", 24, 18},
        {"{\"a\":[{\"wildcard\":\"\\u00e9**\"}]}", "Consecutive wildcard characters at pos 3", 29,
         18},
        {"{\"a\":[{\"wildcard\":\"ab\\\\c\"}]}", "Invalid escape character at pos 3", 26, 18},
        {"{\"a\":[{\"wildcard\":\"\\\\\"}]}", "Invalid escape character at pos 1", 23, 18},
        {"{\"a\":[{\"wildcard\":\"*a*a*a*a*a*a*\"}]}", COMPLEX, 0, 5},
        {"{\"a\":[{\"wildcard\":\"*aaaaaaaaaaaa\"}]}", COMPLEX, 0, 5},
        {"{\"a\":[{\"wildcard\":\"*.a\"},{\"wildcard\":\"*.b\"},{\"wildcard\":\"*.c\"},{"
         "\"wildcard\":\"*.d\"},"
         "{\"wildcard\":\"*.e\"},{\"wildcard\":\"*.f\"}]}",
         COMPLEX, 0, 5},
    };
    (void)state;
    refuse_all(rows, ARRAY_LEN(rows));
}

/* Ten alternatives with a wildcard are the most there can be, even without a common beginning. */
static void test_many_wildcards(void **state)
{
    struct pattern_error err;
    (void)state;
    for (int n = 10; n <= 11; n++) {
        struct buf b;
        buf_init(&b, LIMIT);
        for (int i = 0; i < n; i++)
            buf_printf(&b, "%s{\"wildcard\":\"%c*\"}", i ? "," : "{\"a\":[", 'a' + i);
        buf_str(&b, "]}");
        struct pattern *p = pattern_new(buf_slice(&b), LIMIT, &err);
        assert_int_equal(p != NULL, n == 10);
        pattern_free(p);
        buf_free(&b);
    }
    assert_string_equal(err.text, COMPLEX);
}

static void test_but(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[{\"anything-but\":null}]}", BUT_VALUE, 27, 22},
        {"{\"a\":[{\"anything-but\":true}]}", BUT_VALUE, 27, 22},
        {"{\"a\":[{\"anything-but\":[]}]}", LIST_MIXED, 25, 22},
        {"{\"a\":[{\"anything-but\":[\"x\",1]}]}", LIST_MIXED, 30, 22},
        {"{\"a\":[{\"anything-but\":[null]}]}", LIST_TYPE, 28, 23},
        {"{\"a\":[{\"anything-but\":[\"x\",[1]]}]}", LIST_TYPE, 29, 27},
        {"{\"a\":[{\"anything-but\":\"x\",\"y\":1}]}", TOO_MANY, 32, 26},
        {"{\"a\":[{\"anything-but\":{}}]}", "Anything-But expression name not found", 25, 23},
        {"{\"a\":[{\"anything-but\":{\"foo\":3}]}", "Unsupported anything-but pattern: foo", 31,
         23},
        {"{\"a\":[{\"anything-but\":{\"prefix\":3}}]}", AFFIX, 34, 32},
        {"{\"a\":[{\"anything-but\":{\"suffix\":[\"x\",true]}}]}", AFFIX, 42, 37},
        {"{\"a\":[{\"anything-but\":{\"prefix\":\"\"}}]}", "Null prefix/suffix not allowed", 35,
         32},
        {"{\"a\":[{\"anything-but\":{\"suffix\":[\"\"]}}]}", "Null prefix/suffix not allowed", 36,
         33},
        {"{\"a\":[{\"anything-but\":{\"suffix\":{\"equals-ignore-case\":\"x\"}}}]}", BUT_VALUE, 34,
         32},
        {"{\"a\":[{\"anything-but\":{\"equals-ignore-case\":[1]}}]}", LIST_CI, 47, 45},
        {"{\"a\":[{\"anything-but\":{\"equals-ignore-case\":7}}]}", LIST_CI, 46, 44},
        {"{\"a\":[{\"anything-but\":{\"wildcard\":[1]}}]}", WILDCARD, 37, 35},
        {"{\"a\":[{\"anything-but\":{\"wildcard\":[\"x\",\"**\"]}}]}",
         "Consecutive wildcard characters at pos 1", 45, 39},
        {"{\"a\":[{\"anything-but\":{\"prefix\":\"x\",\"y\":1}}]}", TOO_MANY, 42, 36},
        {"{\"a\":[{\"anything-but\":{\"prefix\":\"x\"},\"y\":1}]}", TOO_MANY, 43, 37},
        {"{\"a\":[{\"anything-but\":1e999}]}", "Cannot compare number : 1e999", 0, 22},
        {"{\"a\":[{\"anything-but\":[9007199254740993]}]}",
         "Cannot compare number : 9007199254740993", 40, 23},
    };
    (void)state;
    refuse_all(rows, ARRAY_LEN(rows));
}

static void test_numeric(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[{\"numeric\":5}]}", "Value of numeric must be an array.", 19, 17},
        {"{\"a\":[{\"numeric\":[]}]}", "Invalid member in numeric match: ]", 20, 18},
        {"{\"a\":[{\"numeric\":[5]}]}", "Invalid member in numeric match: 5", 20, 18},
        {"{\"a\":[{\"numeric\":[\"!=\",5]}]}", "Unrecognized numeric range operator: !=", 25, 18},
        {"{\"a\":[{\"numeric\":[\"=\"]}]}", "Value of equals must be numeric", 23, 21},
        {"{\"a\":[{\"numeric\":[\"<\",\"5\"]}]}", "Value of < must be numeric", 24, 22},
        {"{\"a\":[{\"numeric\":[\"<=\",null]}]}", "Value of <= must be numeric", 28, 23},
        {"{\"a\":[{\"numeric\":[\">\",[]]}]}", "Value of > must be numeric", 24, 22},
        {"{\"a\":[{\"numeric\":[\">=\",{}]}]}", "Value of >= must be numeric", 25, 23},
        {"{\"a\":[{\"numeric\":[\"=\",1,2]}]}", TOO_MANY, 26, 24},
        {"{\"a\":[{\"numeric\":[\"<\",1,\">\",0]}]}", TOO_MANY, 26, 24},
        {"{\"a\":[{\"numeric\":[\"=\",1],\"x\":1}]}", TOO_MANY, 31, 25},
        {"{\"a\":[{\"numeric\":[\">\",0,5]}]}", "Bad value in numeric range: 5", 26, 24},
        {"{\"a\":[{\"numeric\":[\">\",0,\">\",5]}]}", "Bad numeric range operator: >", 28, 24},
        {"{\"a\":[{\"numeric\":[\">\",0,\"<\"]}]}", "Value of < must be numeric", 29, 27},
        {"{\"a\":[{\"numeric\":[\">\",0,\"<=\",true]}]}", "Value of <= must be numeric", 34, 29},
        {"{\"a\":[{\"numeric\":[\">\",0,\"<\",5,6]}]}",
         "Too many terms in numeric range expression", 32, 30},
        {"{\"a\":[{\"numeric\":[\">\",5,\"<\",5]}]}", "Bottom must be less than top", 31, 28},
        {"{\"a\":[{\"numeric\":[\">=\",5,\"<=\",5.0]}]}", "Bottom must be less than top", 35, 30},
        {"{\"a\":[{\"numeric\":[\">\",1e309]}]}", "Cannot compare number : 1e309", 28, 22},
        {"{\"a\":[{\"numeric\":[\"=\",9007199254740993]}]}",
         "Cannot compare number : 9007199254740993", 39, 22},
    };
    (void)state;
    refuse_all(rows, ARRAY_LEN(rows));
}

static void test_cidr(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[{\"cidr\":1}]}", PREFIX, 16, 14},
        {"{\"a\":[{\"cidr\":\"10.0.0.0\"}]}", "Malformed CIDR, one '/' required", 0, 14},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/\"}]}", "Malformed CIDR, one '/' required", 0, 14},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/8/8\"}]}", "Malformed CIDR, one '/' required", 0, 14},
        {"{\"a\":[{\"cidr\":\"/\"}]}", "Malformed CIDR, one '/' required", 0, 14},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/x\"}]}", "Malformed CIDR, mask bits must be an integer", 0,
         14},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/ 8\"}]}", "Malformed CIDR, mask bits must be an integer", 0,
         14},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/99999999999999999999\"}]}",
         "Malformed CIDR, mask bits must be an integer", 0, 14},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/-1\"}]}", "Malformed CIDR, mask bits must not be negative",
         0, 14},
        {"{\"a\":[{\"cidr\":\"xx.1/8\"}]}", "Nonstandard IP address: xx.1", 0, 14},
        {"{\"a\":[{\"cidr\":\"/8\"}]}", "Nonstandard IP address: ", 0, 14},
        {"{\"a\":[{\"cidr\":\"1.2.3.256/8\"}]}", "Invalid IP address: 1.2.3.256", 0, 14},
        {"{\"a\":[{\"cidr\":\"1:2/8\"}]}", "Invalid IP address: 1:2", 0, 14},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/32\"}]}", "IPv4 mask bits must be < 32", 0, 14},
        {"{\"a\":[{\"cidr\":\"::1/128\"}]}", "IPv6 mask bits must be < 128", 0, 14},
        {"{\"a\":[{\"cidr\":\"::/0\",\"x\":1}]}", ONE_KEY, 27, 21},
    };
    (void)state;
    refuse_all(rows, ARRAY_LEN(rows));
}

static void test_or(void **state)
{
    static const struct row rows[] = {
        {"{\"$or\":3}", "It must be an Array followed with $or.", 9, 7},
        {"{\"$or\":{\"a\":[1]}}", "It must be an Array followed with $or.", 9, 7},
        {"{\"$or\":[]}", "There must have at least 2 Objects in $or relationship.", 10, 8},
        {"{\"$or\":[{\"a\":[1]}]}", "There must have at least 2 Objects in $or relationship.", 19,
         17},
        {"{\"$or\":[{\"a\":[1]},3]}", "Only JSON object is allowed in array of $or relationship.",
         20, 18},
        {"{\"$or\":[{\"a\":[1]},{}]}", "Empty objects are not allowed", 21, 18},
        {"{\"$or\":[{\"a\":[1]},{\"prefix\":[1]}]}", "prefix" RESERVED, 30, 19},
        {"{\"$or\":[{\"a\":{\"regex\":[1]}},{\"b\":[1]}]}", "regex" RESERVED, 24, 14},
        {"{\"$or\":[{\"a\":[1]},{\"b\":1}]}", "\"b\" must be an object or an array", 25, 19},
        {"{\"$or\":[{\"numeric\":3},{\"prefix\":\"x\"}]}", "Value of numeric must be an array.", 21,
         19},
    };
    (void)state;
    refuse_all(rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_many_wildcards),
        cmocka_unit_test(test_but),
        cmocka_unit_test(test_numeric),
        cmocka_unit_test(test_cidr),
        cmocka_unit_test(test_or),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
