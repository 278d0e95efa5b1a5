/* test_pattern.c - what patterns compile to, written out and compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/pattern.h"
#include <math.h>
#include <string.h>

enum { LIMIT = 64 * 1024 };

static void write_address(struct buf *b, const struct pattern_value *v)
{
    for (unsigned i = 0; i < v->address_bytes; i++)
        buf_printf(b, "%02x", v->address[i]);
    buf_printf(b, "/%u", v->bits);
}

static void write_number(struct buf *b, const struct pattern_value *v)
{
    if (isnan(v->low))
        buf_printf(b, "only:" SLICE_FMT, SLICE_ARG(v->text));
    else
        buf_printf(b, "%.17g", v->low);
}

static void write_simple(struct buf *b, const struct pattern_value *v)
{
    static const char *const names[] = {
        [PATTERN_STRING] = "",        [PATTERN_PREFIX] = "prefix:",
        [PATTERN_SUFFIX] = "suffix:", [PATTERN_PREFIX_CI] = "prefix-ci:",
        [PATTERN_EQUALS_CI] = "ci:",  [PATTERN_SUFFIX_CI] = "suffix-ci:",
        [PATTERN_TRUE] = "true",      [PATTERN_FALSE] = "false",
        [PATTERN_NULL] = "null",      [PATTERN_EXISTS] = "exists",
        [PATTERN_ABSENT] = "absent",
    };
    switch (v->kind) {
    case PATTERN_NUMBER:
        write_number(b, v);
        break;
    case PATTERN_RANGE:
        buf_printf(b, "%c%.17g,%.17g%c", v->low_open ? '(' : '[', v->low, v->high,
                   v->high_open ? ')' : ']');
        break;
    case PATTERN_CIDR:
        write_address(b, v);
        break;
    case PATTERN_WILDCARD:
        for (size_t i = 0; i < v->n_parts; i++)
            buf_printf(b, "%s'" SLICE_FMT "'", i ? "*" : "", SLICE_ARG(v->parts[i].text));
        break;
    default:
        buf_printf(b, "%s", names[v->kind]);
        if (v->kind == PATTERN_STRING || v->text.n)
            buf_printf(b, "'" SLICE_FMT "'", SLICE_ARG(v->text));
    }
}

static void write_value(struct buf *b, const struct pattern_value *v)
{
    if (v->kind != PATTERN_BUT) {
        write_simple(b, v);
        return;
    }
    buf_str(b, "not{");
    for (size_t i = 0; i < v->n_parts; i++) {
        buf_str(b, i ? " " : "");
        write_simple(b, &v->parts[i]);
    }
    buf_str(b, "}");
}

/* path=value value; ... | next branch */
static void write_pattern(struct buf *b, const struct pattern *p)
{
    for (size_t i = 0; i < p->n_branches; i++) {
        buf_str(b, i ? " | " : "");
        for (size_t k = 0; k < p->branches[i].n; k++) {
            const struct pattern_field *f = p->branches[i].fields[k];
            buf_printf(b, "%s" SLICE_FMT "=", k ? "; " : "", SLICE_ARG(f->path));
            for (size_t m = 0; m < f->n; m++) {
                buf_str(b, m ? " " : "");
                write_value(b, &f->values[m]);
            }
        }
    }
}

struct row {
    const char *pattern, *want;
};

static void compare(const struct row *row)
{
    struct pattern_error err;
    struct buf b;
    struct pattern *p = pattern_new(slice_of(row->pattern), LIMIT, &err);
    if (!p)
        fail_msg("%s: %s", row->pattern, err.text);
    assert_true(slice_is(p->text, row->pattern));
    buf_init(&b, LIMIT);
    write_pattern(&b, p);
    if (strcmp(b.p, row->want) != 0)
        fail_msg("%s: %s instead of %s", row->pattern, b.p, row->want);
    buf_free(&b);
    pattern_free(p);
}

static void compare_all(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        compare(&rows[i]);
}

static void test_values(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[\"x\",1,true,false,null,\"\"]}", "a='x' 1 true false null ''"},
        {"{\"a\":[{\"exists\":true},{\"exists\":false}]}", "a=exists absent"},
        {"{\"a\":[{\"exactly\":\"10.0.0.1\"}]}", "a='10.0.0.1'"},
        {"{\"a\":[{\"prefix\":\"x\"},{\"prefix\":\"\"},{\"suffix\":\".y\"}]}",
         "a=prefix:'x' prefix: suffix:'.y'"},
        {"{\"a\":[{\"equals-ignore-case\":\"aBc\"}]}", "a=ci:'abc'"},
        {"{\"a\":[{\"prefix\":{\"equals-ignore-case\":\"AB\"}}]}", "a=prefix-ci:'ab'"},
        {"{\"a\":[{\"suffix\":{\"equals-ignore-case\":\"\\u00c4\"}}]}", "a=suffix-ci:'\xc3\xa4'"},
        {"{\"a\":[{\"anything-but\":\"x\"},{\"anything-but\":1}]}", "a=not{'x'} not{1}"},
        {"{\"a\":[{\"anything-but\":[\"x\",\"10.0.0.1\"]}]}", "a=not{'x' '10.0.0.1'}"},
        {"{\"a\":[{\"anything-but\":[1,2.50]}]}", "a=not{1 2.5}"},
        {"{\"a\":[{\"anything-but\":{\"prefix\":[\"x\",\"y\"]}}]}", "a=not{prefix:'x' prefix:'y'}"},
        {"{\"a\":[{\"anything-but\":{\"suffix\":\"x\"}}]}", "a=not{suffix:'x'}"},
        {"{\"a\":[{\"anything-but\":{\"equals-ignore-case\":[\"X\"]}}]}", "a=not{ci:'x'}"},
        {"{\"a\":[{\"anything-but\":{\"wildcard\":[\"x*\",\"\"]}}]}", "a=not{'x'*'' ''}"},
        {"{\"a\":[{\"anything-but\":{\"prefix\":[]}}]}", "a=not{}"},
    };
    (void)state;
    compare_all(rows, ARRAY_LEN(rows));
}

static void test_numbers(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[300,300.0,3.0e2,-0,0.1e1,5E-1]}", "a=300 300 300 0 1 0.5"},
        {"{\"a\":[9007199254740992,9007199254740993]}", "a=9007199254740992 only:9007199254740993"},
        {"{\"a\":[0.30000000000000004,0.10000000000000001]}",
         "a=0.30000000000000004 only:0.10000000000000001"},
        {"{\"a\":[1e400,123456789012]}", "a=only:1e400 123456789012"},
        {"{\"a\":[1e-400,1e99999999999999999999]}", "a=only:1e-400 only:1e99999999999999999999"},
        {"{\"a\":[10000000000000000000000e-22,0.000000000000000000000000001e27]}", "a=1 1"},
        {"{\"a\":[1.00000000000000000000000000000001,1e-399]}",
         "a=only:1.00000000000000000000000000000001 only:1e-399"},
        {"{\"a\":[{\"numeric\":[\"=\",3.0]}]}", "a=3"},
        {"{\"a\":[{\"numeric\":[\">\",0,\"<=\",5]}]}", "a=(0,5]"},
        {"{\"a\":[{\"numeric\":[\">=\",-1.5,\"<\",5e3]}]}", "a=[-1.5,5000)"},
        {"{\"a\":[{\"numeric\":[\"<\",10]},{\"numeric\":[\"<=\",1]}]}", "a=[-inf,10) [-inf,1]"},
        {"{\"a\":[{\"numeric\":[\">\",10]},{\"numeric\":[\">=\",1]}]}", "a=(10,inf] [1,inf]"},
    };
    (void)state;
    compare_all(rows, ARRAY_LEN(rows));
}

static void test_addresses(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[{\"cidr\":\"10.1.2.3/8\"}]}", "a=0a000000/8"},
        {"{\"a\":[{\"cidr\":\"10.1.255.3/23\"},{\"cidr\":\"1.2.3.4/+0\"}]}",
         "a=0a01fe00/23 00000000/0"},
        {"{\"a\":[{\"cidr\":\"010.0.0.0/8/\"}]}", "a=0a000000/8"},
        {"{\"a\":[{\"cidr\":\"2001:db8::ff:1/33\"}]}", "a=20010db8000000000000000000000000/33"},
        {"{\"a\":[{\"cidr\":\"::ffff:a00:1/31\"}]}", "a=0a000000/31"},
        {"{\"a\":[\"10.0.0.1\",\"::1\",\"::ffff:102:304\"]}",
         "a=0a000001/32 00000000000000000000000000000001/128 01020304/32"},
        {"{\"a\":[\"1.2.3\",\"1.2.3.4.\",\"1.2.3.256\",\"1.2.3.4.5\",\":\",\"1::2::3\",\"::ffff:1."
         "2.3.4\"]}",
         "a='1.2.3' '1.2.3.4.' '1.2.3.256' '1.2.3.4.5' ':' '1::2::3' '::ffff:1.2.3.4'"},
        {"{\"a\":[\"0000000000000.0.0.1\",\".1.2.3\",\"1..2.3\",\"\"]}",
         "a='0000000000000.0.0.1' '.1.2.3' '1..2.3' ''"},
    };
    (void)state;
    compare_all(rows, ARRAY_LEN(rows));
}

static void test_wildcards(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[{\"wildcard\":\"\"},{\"wildcard\":\"x\"},{\"wildcard\":\"*\"}]}",
         "a='' 'x' ''*''"},
        {"{\"a\":[{\"wildcard\":\"a*b*\"}]}", "a='a'*'b'*''"},
        {"{\"a\":[{\"wildcard\":\"\\\\**\\\\\\\\\"}]}", "a='*'*'\\'"},
        {"{\"a\":[{\"wildcard\":\"a*\\\\*\"}]}", "a='a'*'*'"},
        {"{\"a\":[{\"wildcard\":\"/x/*/dir/dir/dir/dir/dir/y\"}]}",
         "a='/x/'*'/dir/dir/dir/dir/dir/y'"},
        {"{\"a\":[{\"wildcard\":\"*.a\"},{\"wildcard\":\"*.b\"},{\"wildcard\":\"*.c\"},"
         "{\"wildcard\":\"*.d\"}]}",
         "a=''*'.a' ''*'.b' ''*'.c' ''*'.d'"},
        {"{\"a\":[{\"wildcard\":\"*x*y*\"},{\"wildcard\":\"*x*y*\"},{\"wildcard\":\"*x*y*\"}]}",
         "a=''*'x'*'y'*'' ''*'x'*'y'*'' ''*'x'*'y'*''"},
        /* the same text on different fields costs each field its own */
        {"{\"a\":[{\"wildcard\":\"*:*:*:*\"}],\"b\":[{\"wildcard\":\"*:*:*:*\"}]}",
         "a=''*':'*':'*':'*''; b=''*':'*':'*':'*''"},
    };
    (void)state;
    compare_all(rows, ARRAY_LEN(rows));
}

static void test_paths(void **state)
{
    static const struct row rows[] = {
        {"{\"b\":[1],\"a\":[2]}", "a=2; b=1"},
        {"{\"a\":{\"b\":[1],\"c\":{\"d\":[2]}},\"e\":[3]}", "a.b=1; a.c.d=2; e=3"},
        {"{\"a\":[1],\"a\":[2]}", "a=2"},
        {"{\"a.b\":[1],\"a\":{\"b\":[2]}}", "a.b=2"},
        {"{\"a\":{\"b\":[2]},\"a.b\":[1]}", "a.b=1"},
        {"{\"a\":{\"b\":[1]},\"a\":{\"c\":[2]}}", "a.b=1; a.c=2"},
        {"{\"a\":[1],\"a\":{\"b\":[2]}}", "a=1; a.b=2"},
        {"{\"ab\":[1],\"a\":[2],\"\":[3]}", "=3; a=2; ab=1"},
        {"{\"\":{\"\":[1]}}", ".=1"},
        {"{\"\\u0061\":[1]}", "a=1"},
        {" {\t\"a\"\r\n:\n[ 1 , 2 ] } ", "a=1 2"},
    };
    (void)state;
    compare_all(rows, ARRAY_LEN(rows));
}

static void test_or(void **state)
{
    static const struct row rows[] = {
        {"{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "a=1 | b=2"},
        {"{\"x\":[0],\"$or\":[{\"a\":[1]},{\"b\":[2],\"c\":[3]}],\"y\":[9]}",
         "a=1; x=0; y=9 | b=2; c=3; x=0; y=9"},
        {"{\"d\":{\"$or\":[{\"a\":[1]},{\"b\":{\"c\":[2]}}]}}", "d.a=1 | d.b.c=2"},
        {"{\"$or\":[{\"a\":[1]},{\"b\":[2]}],\"d\":{\"$or\":[{\"e\":[3]},{\"f\":[4]}]}}",
         "a=1; d.e=3 | b=2; d.e=3 | a=1; d.f=4 | b=2; d.f=4"},
        {"{\"$or\":[{\"$or\":[{\"a\":[1]},{\"b\":[2]}],\"c\":[3]},{\"d\":[4]}]}",
         "a=1; c=3 | b=2; c=3 | d=4"},
        {"{\"a\":[0],\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "a=1 | a=0; b=2"},
        {"{\"$or\":[{\"a\":[1]},{\"b\":[2]}],\"a\":[0]}", "a=0 | a=0; b=2"},
        /* a name, when the array cannot be meant as alternatives */
        {"{\"$or\":[\"x\",\"y\"]}", "$or='x' 'y'"},
        {"{\"$or\":[1]}", "$or=1"},
        {"{\"$or\":[{\"prefix\":\"x\"},{\"exists\":false} ,\"a]b\"]}",
         "$or=prefix:'x' absent 'a]b'"},
        {"{\"$or\":[ \"a\\\"}\" , {\"prefix\":\"]\"} ]}", "$or='a\"}' prefix:']'"},
        {"{\"a\":{\"$or\":[{\"numeric\":[\">\",1]}]}}", "a.$or=(1,inf]"},
        {"{\"$or\":[{\"$or\":[\"x\"]},{\"b\":[1]}]}", "$or='x' | b=1"},
    };
    (void)state;
    compare_all(rows, ARRAY_LEN(rows));
}

static void test_strings(void **state)
{
    static const struct row rows[] = {
        {"{\"a\":[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]}", "a='\"\\/\b\f\n\r\t'"},
        {"{\"a\":[\"x\\u20acy\\ud83d\\ude00z\"]}", "a='x\xe2\x82\xacy\xf0\x9f\x98\x80z'"},
        {"{\"a\":[\"\\ud83d\",\"\\ude00x\",\"\\ud83d\\ud83d\\ude00\"]}",
         "a='\xed\xa0\xbd' '\xed\xb8\x80x' '\xed\xa0\xbd\xf0\x9f\x98\x80'"},
        {"{\"a\":[\"\\ud83d\\n\",\"\\uD83Dx\"]}", "a='\xed\xa0\xbd\n' '\xed\xa0\xbdx'"},
        {"{\"a\":[\"caf\xc3\xa9\\u00e9\"]}", "a='caf\xc3\xa9\xc3\xa9'"},
    };
    struct pattern_error err;
    (void)state;
    compare_all(rows, ARRAY_LEN(rows));
    struct pattern *p = pattern_new(SLICE("{\"a\":[\"x\\u0000y\"]}"), LIMIT, &err);
    assert_non_null(p);
    assert_true(slice_eq(p->branches->fields[0]->values->text, SLICE("x\0y")));
    pattern_free(p);
}

/* Places of fields and values, and the operators that event source mappings do not know. */
static void test_places(void **state)
{
    static const struct {
        const char *pattern, *beyond;
        size_t at;
    } rows[] = {
        {"{\"a\":[1,{\"prefix\":\"x\"},{\"anything-but\":\"x\"}]}", NULL, 0},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/8\"},{\"wildcard\":\"x\"}]}", "cidr", 7},
        {"{\"b\":[1],\"a\":[{\"wildcard\":\"x\"}]}", "wildcard", 15},
        {"{\"a\":[{\"anything-but\":{\"prefix\":\"x\"}}]}", "anything-but with prefix", 23},
        {"{\"a\":[{\"suffix\":{\"equals-ignore-case\":\"x\"}}]}", "suffix with equals-ignore-case",
         17},
    };
    struct pattern_error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pattern *p = pattern_new(slice_of(rows[i].pattern), LIMIT, &err);
        assert_non_null(p);
        assert_int_equal(p->beyond != NULL, rows[i].beyond != NULL);
        if (p->beyond) {
            assert_string_equal(p->beyond, rows[i].beyond);
            assert_int_equal(p->beyond_at, rows[i].at);
        }
        pattern_free(p);
    }
    struct pattern *p = pattern_new(SLICE("{\"a\":[1, {\"anything-but\":[\"x\"]}]}"), LIMIT, &err);
    assert_non_null(p);
    const struct pattern_field *f = p->branches->fields[0];
    assert_int_equal(f->at, 5);
    assert_int_equal(f->values[0].at, 6);
    assert_int_equal(f->values[1].at, 9);
    assert_int_equal(f->values[1].parts[0].at, 26);
    pattern_free(p);
}

static void test_branches_share(void **state)
{
    struct pattern_error err;
    (void)state;
    struct pattern *p =
        pattern_new(SLICE("{\"$or\":[{\"a\":[1]},{\"b\":[1]}],\"c\":[1]}"), LIMIT, &err);
    assert_non_null(p);
    assert_ptr_equal(p->branches[0].fields[1], p->branches[1].fields[1]);
    pattern_free(p);
}

static void test_place(void **state)
{
    static const struct {
        size_t at;
        unsigned line, column;
    } rows[] = {{0, 1, 1}, {1, 1, 2}, {3, 2, 1}, {6, 2, 2}, {10, 2, 3}, {11, 3, 1}, {99, 3, 2}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned line, column;
        pattern_place(SLICE("a\r\n\xe2\x82\xac\xf0\x9f\x98\x80\nb"), rows[i].at, &line, &column);
        assert_int_equal(line, rows[i].line);
        assert_int_equal(column, rows[i].column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_paths),     cmocka_unit_test(test_or),
        cmocka_unit_test(test_strings),   cmocka_unit_test(test_places),
        cmocka_unit_test(test_place),     cmocka_unit_test(test_branches_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
