/* test_yaml.c - YAML to a tree, what is refused with its line, and ${ENV_NAME}. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/expand.h"
#include "config/yaml.h"
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct arena arena;
    struct problems problems;
    struct yaml_node *root;
};

static struct yaml_node *parse(struct fixture *f, struct slice text)
{
    arena_init(&f->arena);
    problem_init(&f->problems, "f.yaml");
    f->root = yaml_read(text, &f->arena, &f->problems);
    return f->root;
}

static struct yaml_node *parse_good(struct fixture *f, const char *text)
{
    struct yaml_node *root = parse(f, slice_of(text));
    assert_int_equal(f->problems.total, 0);
    assert_non_null(root);
    return root;
}

static void clear(struct fixture *f)
{
    problem_free(&f->problems);
    arena_free(&f->arena);
}

/* All lines, joined. */
static char *told(struct problems *problems)
{
    struct catalog_errors errors;
    struct buf out;
    buf_init(&out, 100000);
    problem_report(problems, &errors);
    for (size_t i = 0; i < errors.n; i++)
        buf_printf(&out, "%s%s", i > 0 ? "\n" : "", errors.lines[i]);
    catalog_errors_free(&errors);
    return buf_steal(&out);
}

static void expect_problems(struct fixture *f, const char *text, const char *expected)
{
    char *lines = told(&f->problems);
    if (strcmp(lines, expected) != 0)
        print_error("for\n%s\n", text);
    assert_string_equal(lines, expected);
    free(lines);
}

static void tree_keeps_text_and_lines(void **state)
{
    (void)state;
    struct fixture f;
    struct yaml_node *root = parse_good(&f, "# comment\n"
                                            "a: yes\n"
                                            "b: '010'\n"
                                            "c:\n"
                                            "  - 12:30\n"
                                            "  - {x: 1, y: ~}\n"
                                            "d: |\n"
                                            "  two\n"
                                            "  lines\n"
                                            "e:\n"
                                            "f: \"\"\n");
    assert_int_equal(root->type, YAML_MAPPING);
    assert_int_equal(root->count, 6);
    assert_true(slice_is(yaml_find(root, "a")->text, "yes"));
    assert_false(yaml_find(root, "a")->quoted);
    assert_true(slice_is(yaml_find(root, "b")->text, "010"));
    assert_true(yaml_find(root, "b")->quoted);
    assert_int_equal(yaml_find(root, "b")->line, 3);
    assert_int_equal(yaml_find(root, "b")->column, 4);
    struct yaml_node *c = yaml_find(root, "c");
    assert_int_equal(c->type, YAML_SEQUENCE);
    assert_int_equal(c->key_line, 4);
    assert_int_equal(c->line, 5);
    assert_int_equal(yaml_line(c), 4);
    assert_true(slice_is(c->first->text, "12:30"));
    assert_true(yaml_find(c->first->next, "y")->null);
    assert_string_equal(yaml_path(&f.arena, yaml_find(c->first->next, "y")), "c[1].y");
    assert_true(slice_is(yaml_find(root, "d")->text, "two\nlines\n"));
    assert_true(yaml_find(root, "e")->null);
    assert_false(yaml_find(root, "f")->null);
    assert_null(yaml_find(root, "a.b"));
    assert_null(yaml_find(root, "g"));
    clear(&f);
}

static void json_is_yaml(void **state)
{
    (void)state;
    struct fixture f;
    struct yaml_node *root =
        parse_good(&f, "{\"a\": {\"b\": [1, \"two\", true, null], \"c\\u00e9\": \"x\\ny\"}}");
    assert_true(slice_is(yaml_find(root, "a.b")->first->next->text, "two"));
    assert_true(yaml_find(root, "a.b")->first->next->next->next->null);
    assert_true(slice_is(yaml_find(root, "a.cé")->text, "x\ny"));
    clear(&f);
}

struct refusal {
    const char *text, *problems;
};

static void refusals_have_lines(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"", "f.yaml: the file is empty"},
        {"# nothing\n", "f.yaml: the file is empty"},
        {"a: 1\nb: 2\na: 3\nb: 4\n", "f.yaml:3: a: duplicate key a (first on line 1)\n"
                                     "f.yaml:4: b: duplicate key b (first on line 2)"},
        {"x:\n  - {k: 1, \"k\": 2}\n", "f.yaml:2: x[0].k: duplicate key k (first on line 2)"},
        {"a: &here 1\nb: *here\n",
         "f.yaml:1: anchors are not supported (&here): write the value out where it is needed\n"
         "f.yaml:2: aliases are not supported (*here): write the value out where it is needed"},
        {"a:\n  q: !Ref Queue\n",
         "f.yaml:2: !Ref is resolved by CloudFormation, not here: write the ARN itself (or "
         "${ENV_NAME})"},
        {"a: !GetAtt Queue.Arn\nb: !Sub \"x${y}\"\n",
         "f.yaml:1: !GetAtt is resolved by CloudFormation, not here: write the ARN itself (or "
         "${ENV_NAME})\n"
         "f.yaml:2: !Sub is resolved by CloudFormation, not here: write the ARN itself (or "
         "${ENV_NAME})"},
        {"a: !!str 1\n", "f.yaml:1: tags are not supported (!!str): write the value without it"},
        {"a: !mine {b: 1}\n",
         "f.yaml:1: tags are not supported (!mine): write the value without it"},
        {"a: !Join [\"\", [a]]\n",
         "f.yaml:1: !Join is resolved by CloudFormation, not here: write the ARN itself (or "
         "${ENV_NAME})"},
        {"a: 1\n---\nb: 2\n",
         "f.yaml:2: a second document starts here: a configuration is one document"},
        {"? [a, b]\n: 1\n", "f.yaml:1: a key must be text, not a list or a mapping"},
        {"a: \"x\\0y\"\n", "f.yaml:1: a value must not contain NUL"},
        {"a: 1\nb: [1, 2\nc: 3\n", "f.yaml:3: not valid YAML: did not find expected ',' or ']', "
                                   "while parsing a flow sequence "
                                   "that began on line 2"},
        {"a: 1\n\tb: 2\n",
         "f.yaml:2: not valid YAML: found a tab character that violates indentation, while "
         "scanning a plain scalar that began on line 1"},
        {"a:\n\tb: 2\n",
         "f.yaml:2: not valid YAML: found character that cannot start any token, while scanning "
         "for the next token that began on line 2 (YAML indents with blanks, never tabs; text with "
         "special characters needs quotes)"},
        {"a: 'open\n", "f.yaml:2: not valid YAML: found unexpected end of stream, while scanning a "
                       "quoted scalar that began on line 1"},
        {"a: 1\nb: \x01\n", "f.yaml:2: not valid YAML: control characters are not allowed"},
        {"a: 1\nb: \xff\n", "f.yaml:2: not UTF-8 text (byte 8)"},
        {"\xff\xfe"
         "a",
         "f.yaml:1: not UTF-8 text (byte 0)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        (void)parse(&f, slice_of(cases[i].text));
        expect_problems(&f, cases[i].text, cases[i].problems);
        clear(&f);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    struct fixture f;
    struct buf text;
    buf_init(&text, 2 * YAML_MAX_BYTES);
    for (int i = 0; i < YAML_MAX_DEPTH; i++)
        buf_char(&text, '[');
    for (int i = 0; i < YAML_MAX_DEPTH; i++)
        buf_char(&text, ']');
    assert_non_null(parse(&f, buf_slice(&text)));
    clear(&f);
    buf_clear(&text);
    for (int i = 0; i < 100000; i++)
        buf_char(&text, '[');
    assert_null(parse(&f, buf_slice(&text)));
    expect_problems(&f, "depth", "f.yaml:1: nested deeper than 32 levels");
    clear(&f);
    buf_clear(&text);
    buf_char(&text, '[');
    for (int i = 0; i < YAML_MAX_NODES; i++)
        buf_str(&text, "a,\n");
    buf_char(&text, ']');
    assert_null(parse(&f, buf_slice(&text)));
    expect_problems(&f, "nodes", "f.yaml:50000: more than 50000 values in one file");
    clear(&f);
    buf_clear(&text);
    while (text.n <= YAML_MAX_BYTES)
        buf_str(&text, "# a comment that makes the file large\n");
    assert_null(parse(&f, buf_slice(&text)));
    expect_problems(&f, "size", "f.yaml: larger than 1048576 bytes");
    clear(&f);
    buf_free(&text);
}

static void problems_are_few_sorted_and_harmless(void **state)
{
    (void)state;
    struct problems p;
    struct catalog_errors errors;
    problem_init(&p, "f.yaml");
    for (unsigned line = 1200; line > 0; line--)
        problem_add(&p, line, "a", "b\x1b[2J\n");
    problem_report(&p, &errors);
    assert_int_equal(errors.n, 51);
    assert_string_equal(errors.lines[0], "f.yaml:201: a: b\\x1b[2J\\n");
    assert_string_equal(errors.lines[1], "f.yaml:202: a: b\\x1b[2J\\n");
    assert_string_equal(errors.lines[50], "… and 1150 more");
    catalog_errors_free(&errors);
    problem_free(&p);

    char *longest = mem_alloc(5001);
    memset(longest, 'x', 5000);
    problem_add(&p, 1, "", "%s", longest);
    problem_report(&p, &errors);
    assert_int_equal(strlen(errors.lines[0]), strlen("f.yaml:1: ") + 1499 + strlen("…"));
    catalog_errors_free(&errors);
    problem_free(&p);
    free(longest);
}

static const char *fake_env(const char *name)
{
    if (strcmp(name, "A") == 0)
        return "alpha";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    if (strcmp(name, "BAD") == 0)
        return "\xff";
    if (strcmp(name, "NESTED") == 0)
        return "${A}";
    return NULL;
}

static void variables_are_filled_in(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"v: ${A}", "alpha"},
        {"v: x-${A}-${A}.y", "x-alpha-alpha.y"},
        {"v: \"${EMPTY}\"", ""},
        {"v: $${A}", "${A}"},
        {"v: $A $ $$ {A}", "$A $ $$ {A}"},
        {"v: ${NESTED}", "${A}"},
        {"v: $$${A}", "$${A}"},
        {"v: a$", "a$"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct yaml_node *root = parse_good(&f, cases[i].text);
        expand_tree(root, fake_env, &f.arena, &f.problems);
        expect_problems(&f, cases[i].text, "");
        assert_string_equal(yaml_find(root, "v")->text.p, cases[i].problems);
        assert_false(yaml_find(root, "v")->null);
        clear(&f);
    }
}

static void variables_that_cannot_be(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"a:\n  b: x${NOPE}", "f.yaml:2: a.b: environment variable NOPE is not set"},
        {"a: [x, \"${A\"]", "f.yaml:1: a[1]: ${ without } (write $${ for the two characters)"},
        {"a: ${AWS::Region}", "f.yaml:1: a: ${AWS::Region} does not name an environment variable "
                              "(write $${ for the two characters)"},
        {"a: \"${}\"", "f.yaml:1: a: ${} does not name an environment variable (write $${ for the "
                       "two characters)"},
        {"a: ${BAD}", "f.yaml:1: a: the value of environment variable BAD is not UTF-8 text"},
        {"${A}: 1", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct yaml_node *root = parse_good(&f, cases[i].text);
        expand_tree(root, fake_env, &f.arena, &f.problems);
        expect_problems(&f, cases[i].text, cases[i].problems);
        clear(&f);
    }
}

static const char *long_env(const char *name)
{
    static char text[EXPAND_MAX_BYTES + 1];
    (void)name;
    memset(text, 'x', sizeof text - 1);
    return text;
}

static void expansion_is_bounded(void **state)
{
    (void)state;
    struct fixture f;
    struct yaml_node *root = parse_good(&f, "a: ${X}\nb: y${X}\n");
    expand_tree(root, long_env, &f.arena, &f.problems);
    expect_problems(&f, "long",
                    "f.yaml:2: b: longer than 65536 bytes once its variables are filled in");
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_keeps_text_and_lines),
        cmocka_unit_test(json_is_yaml),
        cmocka_unit_test(refusals_have_lines),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(problems_are_few_sorted_and_harmless),
        cmocka_unit_test(variables_are_filled_in),
        cmocka_unit_test(variables_that_cannot_be),
        cmocka_unit_test(expansion_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
