/* test_filter_join.c - fields in the same elements of arrays: cases by hand, the join against plain
 * trying on random arrays, and events made to let a search explode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/filter_join.h"
#include "filter_cases.h"

#include <string.h>
#include <time.h>

static const struct filter_case values[] = {
    /* any element of an array, however deep */
    {"{\"a\":[1]}", "{\"a\":[2,1]}", true},
    {"{\"a\":[1]}", "{\"a\":[2,[3,[1]]]}", true},
    {"{\"a\":[1,2]}", "{\"a\":[3,4]}", false},
    {"{\"a\":{\"b\":[1]}}", "{\"a\":[{\"c\":1},{\"b\":1}]}", true},
    {"{\"a\":{\"b\":[1]}}", "{\"a\":[[{\"b\":1}]]}", true},
    /* all fields in the same element */
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[{\"b\":1,\"c\":2}]}", true},
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[{\"b\":1,\"c\":3},{\"b\":4,\"c\":2}]}", false},
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[{\"b\":1},{\"c\":2},{\"c\":2,\"b\":1}]}", true},
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[{\"b\":[0,1],\"c\":[3,2]}]}", true},
    /* scalars of one array are not elements apart */
    {"{\"a\":[1],\"a.b\":[2]}", "{\"a\":[1,{\"b\":2}]}", true},
    {"{\"a\":{\"b\":[1]},\"c\":[9]}", "{\"a\":[{\"b\":1}],\"c\":[8,9]}", true},
    /* over several levels */
    {"{\"a\":{\"b\":{\"c\":[1],\"d\":[2]}}}",
     "{\"a\":[{\"b\":[{\"c\":1},{\"d\":2}]},{\"b\":[{\"c\":3,\"d\":2},{\"c\":1,\"d\":2}]}]}", true},
    {"{\"a\":{\"b\":{\"c\":[1],\"d\":[2]}}}", "{\"a\":[{\"b\":[{\"c\":1}]},{\"b\":[{\"d\":2}]}]}",
     false},
    {"{\"a\":{\"b\":{\"c\":[1]},\"e\":[5]}}",
     "{\"a\":[{\"b\":[{\"c\":1}],\"e\":4},{\"b\":[{\"c\":2}],\"e\":5}]}", false},
    {"{\"a\":{\"b\":{\"c\":[1]},\"e\":[5]}}",
     "{\"a\":[{\"b\":[{\"c\":1}],\"e\":4},{\"b\":[{\"c\":2},{\"c\":1}],\"e\":5}]}", true},
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[[{\"b\":1}],[{\"c\":2}]]}", false},
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[[{\"b\":1},{\"c\":2}]]}", false},
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[[{\"b\":3},{\"c\":2,\"b\":1}]]}", true},
    /* different arrays are independent */
    {"{\"a\":{\"x\":[1]},\"b\":{\"x\":[2]}}", "{\"a\":[{\"x\":0},{\"x\":1}],\"b\":[{\"x\":2}]}",
     true},
    {"{\"a\":{\"x\":[1],\"y\":[1]},\"b\":{\"x\":[2],\"y\":[2]}}",
     "{\"a\":[{\"x\":1,\"y\":1}],\"b\":[{\"x\":2},{\"y\":2}]}", false},
    /* a value beside an array restricts nothing */
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[{\"b\":1}],\"a.c\":2}", true},
    /* the same name twice: two arrays, one element of each */
    {"{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a\":[{\"b\":1}],\"a\":[{\"c\":2}]}", true},
    {"{\"a\":{\"b\":[1],\"c\":[2],\"d\":[3]}}", "{\"a\":[{\"b\":1},{\"d\":3}],\"a\":[{\"c\":2}]}",
     false},
    {"{\"a\":{\"b\":[1],\"c\":[2],\"d\":[3]}}",
     "{\"a\":[{\"b\":1},{\"b\":1,\"d\":3}],\"a\":[{\"d\":3},{\"c\":2}]}", true},
};

static const struct filter_case absences[] = {
    {"{\"a\":{\"b\":[1],\"c\":[{\"exists\":false}]}}", "{\"a\":[{\"b\":1,\"c\":2}]}", false},
    {"{\"a\":{\"b\":[1],\"c\":[{\"exists\":false}]}}", "{\"a\":[{\"b\":1,\"c\":2},{\"b\":1}]}",
     true},
    {"{\"a\":{\"b\":[1],\"c\":[{\"exists\":false}]}}", "{\"a\":[{\"b\":1,\"c\":2},{\"b\":2}]}",
     false},
    /* judged against what the fields before it have chosen: here, nothing yet */
    {"{\"a\":{\"c\":[1],\"b\":[{\"exists\":false}]}}", "{\"a\":[{\"c\":1},{\"b\":2}]}", false},
    {"{\"a\":{\"c\":[1],\"b\":[{\"exists\":false}]}}", "{\"a\":[{\"c\":1},{\"d\":2}]}", true},
    {"{\"a\":{\"b\":[{\"exists\":false}]}}", "{\"a\":[{\"c\":1},{\"b\":2}]}", false},
    {"{\"a\":{\"b\":[1],\"c\":{\"d\":[2],\"e\":[{\"exists\":false}]}}}",
     "{\"a\":[{\"b\":1,\"c\":[{\"d\":2,\"e\":0},{\"d\":2}]}]}", true},
    {"{\"a\":{\"b\":[1],\"c\":{\"d\":[2],\"e\":[{\"exists\":false}]}}}",
     "{\"a\":[{\"b\":1,\"c\":[{\"d\":2,\"e\":0}]},{\"b\":0,\"c\":[{\"d\":2}]}]}", false},
    /* absent, or else a value */
    {"{\"a\":{\"b\":[1],\"c\":[{\"exists\":false},5]}}",
     "{\"a\":[{\"b\":1,\"c\":2},{\"b\":1,\"c\":5}]}", true},
    {"{\"a\":{\"b\":[1],\"c\":[{\"exists\":false},5]}}",
     "{\"a\":[{\"b\":1,\"c\":2},{\"b\":2,\"c\":5}]}", false},
    {"{\"a\":{\"b\":[{\"exists\":false},5],\"c\":[1]}}", "{\"a\":[{\"b\":5},{\"c\":1,\"b\":5}]}",
     true},
    {"{\"a\":{\"b\":[{\"exists\":false},5],\"c\":[1]}}", "{\"a\":[{\"b\":5},{\"c\":1}]}", false},
    /* a value beside the array and one in it: only the one in it makes c absent */
    {"{\"a\":{\"b\":[1],\"c\":[{\"exists\":false}]}}", "{\"a\":[{\"c\":1},{\"b\":1}],\"a.b\":1}",
     true},
    {"{\"a\":{\"b\":[1],\"c\":[{\"exists\":false}]}}", "{\"a\":[{\"c\":1},{\"b\":2}],\"a.b\":1}",
     false},
};

static void test_cases(void **unused)
{
    (void)unused;
    case_check(values, ARRAY_LEN(values));
    case_check(absences, ARRAY_LEN(absences));
    case_check_together(values, ARRAY_LEN(values));
    case_check_together(absences, ARRAY_LEN(absences));
}

/* ---- against trying */

enum { MEMBERS = 40, ITEMS = 5 };

static uint64_t state;

static unsigned draw(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 33) % n);
}

struct world {
    struct filter_member members[MEMBERS];
    unsigned kinds[MEMBERS]; /* of the array a member is in: paths that occur there */
    uint32_t n_members, n_arrays;
    struct filter_item items[ITEMS];
    uint32_t hits[ITEMS][MEMBERS], any[ITEMS][MEMBERS], n_items;
};

static void grow(struct world *w, uint32_t parent, unsigned depth)
{
    unsigned n_arrays = depth < 3 ? draw(3) : 0;
    for (unsigned a = 0; a < n_arrays; a++) {
        uint32_t array = w->n_arrays++;
        unsigned kinds = draw(1u << ITEMS);
        for (unsigned n = 1 + draw(4); n && w->n_members < MEMBERS; n--) {
            uint32_t member = w->n_members++;
            w->members[member] = (struct filter_member){.parent = parent, .array = array};
            w->kinds[member] = kinds;
            grow(w, member, depth + 1);
            w->members[member].end = w->n_members;
        }
    }
}

static void make_world(struct world *w)
{
    *w = (struct world){.n_members = 1};
    w->kinds[0] = draw(1u << ITEMS);
    grow(w, 0, 0);
    w->members[0].end = w->n_members;
    w->n_items = 1 + draw(ITEMS);
    unsigned rare = 1 + draw(3);
    for (uint32_t i = 0; i < w->n_items; i++) {
        struct filter_item *it = &w->items[i];
        it->hits = w->hits[i];
        it->any = w->any[i];
        for (uint32_t m = 0; m < w->n_members; m++) {
            bool leaf = (w->kinds[m] & 1u << i) && draw(rare + 1) == 0 && (m || draw(4) == 0);
            if (leaf)
                w->any[i][it->n_any++] = m;
            if (leaf && draw(3))
                w->hits[i][it->n_hits++] = m;
        }
        it->wish = draw(3) == 0 ? FILTER_ABSENT : draw(3) == 0 ? FILTER_EITHER : FILTER_MUST;
    }
}

/* What each array has been given; 0: nothing, which is no member of any array. */
struct chosen {
    uint32_t of[MEMBERS];
};

static bool take(const struct world *w, struct chosen *c, uint32_t member)
{
    for (; member; member = w->members[member].parent) {
        uint32_t *of = &c->of[w->members[member].array];
        if (*of && *of != member)
            return false;
        *of = member;
    }
    return true;
}

static bool try_all(const struct world *w, uint32_t i, struct chosen so_far)
{
    if (i == w->n_items)
        return true;
    const struct filter_item *it = &w->items[i];
    bool absent = true;
    for (uint32_t k = 0; k < it->n_any && absent; k++) {
        struct chosen c = so_far;
        absent = !take(w, &c, it->any[k]);
    }
    if (it->wish != FILTER_MUST && absent && try_all(w, i + 1, so_far))
        return true;
    for (uint32_t k = 0; k < it->n_hits && it->wish != FILTER_ABSENT; k++) {
        struct chosen c = so_far;
        if (take(w, &c, it->hits[k]) && try_all(w, i + 1, c))
            return true;
    }
    return false;
}

static void test_random(void **unused)
{
    (void)unused;
    struct filter_join j = {0};
    size_t met = 0, searched = 0, n = 60000;
    state = 20240501;
    for (size_t i = 0; i < n; i++) {
        struct world w;
        make_world(&w);
        bool want = try_all(&w, 0, (struct chosen){{0}});
        j.members = w.members;
        j.n_arrays = w.n_arrays;
        j.items = w.items;
        j.n_items = w.n_items;
        j.budget = 1000 * 1000;
        bool got = filter_join(&j);
        searched += j.budget < 1000 * 1000;
        met += want;
        if (got != want)
            fail_msg("world %zu: %d, not %d", i, got, want);
        for (uint32_t k = 0; k < w.n_items; k++)
            w.items[k].hit_at = w.items[k].any_at = 0;
        j.n_parts = 0;
        for (uint32_t k = 0; k < w.n_items; k++)
            filter_join_push(&j, (struct filter_part){k, FILTER_NONE, w.items[k].wish});
        j.budget = 1000 * 1000;
        assert_int_equal(filter_join_search(&j, 0, 0, w.n_items), want);
    }
    filter_join_free(&j);
    /* Both answers and both ways are met often enough to mean something. */
    assert_true(met > n / 10 && met < n * 9 / 10);
    assert_true(searched > n / 50 && searched < n / 2);
}

/* ---- events that would let a search explode */

static void put_fields(struct buf *b, unsigned n, char letter, const char *asked)
{
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "%s\"%c%02u\":%s", i ? "," : "", letter, i, asked);
}

/* CPU seconds, of what must not match. */
static double timed(const char *pattern, const struct buf *event)
{
    struct pattern *p = case_pattern(pattern);
    const struct pattern *one = p;
    struct filter *f = filter_new(&one, 1);
    struct filter_match m;
    size_t at;
    clock_t begun = clock();
    assert_true(filter_match(f, buf_slice(event), NULL, &m, &at));
    clock_t took = clock() - begun;
    assert_int_equal(m.n, 0);
    filter_free(f);
    pattern_free(p);
    return (double)took / CLOCKS_PER_SEC;
}

/* Ten fields, a thousand elements; each element lacks one of them. */
static void test_one_array(void **unused)
{
    (void)unused;
    struct buf event, pattern;
    buf_init(&event, 1 << 24);
    buf_init(&pattern, 1 << 16);
    buf_str(&pattern, "{\"a\":{");
    put_fields(&pattern, 10, 'f', "[1]");
    buf_str(&pattern, "}}");
    buf_str(&event, "{\"a\":[");
    for (unsigned i = 0; i < 1000; i++) {
        buf_str(&event, i ? ",{" : "{");
        for (unsigned k = 0; k < 10; k++)
            buf_printf(&event, "%s\"f%02u\":%d", k ? "," : "", k, k != i % 10);
        buf_char(&event, '}');
    }
    buf_str(&event, "]}");
    assert_true(timed(pattern.p, &event) < 1.0);
    buf_free(&event);
    buf_free(&pattern);
}

/* Ten arrays, independent of each other, each with a thousand elements that do; the eleventh has
 * none that does both. Tried in turn, that would be 1000^10 ways. */
static void test_independent_arrays(void **unused)
{
    (void)unused;
    struct buf event, pattern;
    buf_init(&event, 1 << 24);
    buf_init(&pattern, 1 << 16);
    buf_char(&pattern, '{');
    put_fields(&pattern, 11, 'a', "{\"x\":[1],\"y\":[1]}");
    buf_char(&pattern, '}');
    buf_char(&event, '{');
    for (unsigned k = 0; k < 11; k++) {
        buf_printf(&event, "%s\"a%02u\":[", k ? "," : "", k);
        for (unsigned i = 0; i < 1000; i++)
            buf_printf(&event, "%s{\"x\":%d,\"y\":%d}", i ? "," : "", k < 10 || i % 2,
                       k < 10 || i % 2 == 0);
        buf_char(&event, ']');
    }
    buf_char(&event, '}');
    assert_true(timed(pattern.p, &event) < 1.0);
    buf_free(&event);
    buf_free(&pattern);
}

/* Arrays of arrays: each of 1000 elements holds ten arrays of ten, and in the last no
 * element does both. */
static void test_arrays_of_arrays(void **unused)
{
    (void)unused;
    struct buf event, pattern;
    buf_init(&event, 1 << 24);
    buf_init(&pattern, 1 << 16);
    buf_str(&pattern, "{\"a\":{");
    put_fields(&pattern, 10, 'f', "{\"x\":[1],\"y\":[1]}");
    buf_str(&pattern, ",\"z\":[{\"exists\":false},0]}}");
    buf_str(&event, "{\"a\":[");
    for (unsigned i = 0; i < 1000; i++) {
        buf_str(&event, i ? ",[{" : "[{");
        for (unsigned k = 0; k < 10; k++) {
            buf_printf(&event, "\"f%02u\":[", k);
            for (unsigned e = 0; e < 10; e++)
                buf_printf(&event, "%s{\"x\":%d,\"y\":%d}", e ? "," : "", k < 9 || e % 2,
                           k < 9 || e % 2 == 0);
            buf_str(&event, "],");
        }
        buf_str(&event, "\"z\":0}]");
    }
    buf_str(&event, "]}");
    assert_true(timed(pattern.p, &event) < 2.0);
    buf_free(&event);
    buf_free(&pattern);
}

/* The same name ten times, for twenty fields of which each array can give one: the one case that is
 * tried, and given up within the budget. */
static void test_names_that_repeat(void **unused)
{
    (void)unused;
    struct buf event, pattern;
    buf_init(&event, 1 << 24);
    buf_init(&pattern, 1 << 16);
    buf_str(&pattern, "{\"a\":{");
    put_fields(&pattern, 20, 'f', "[1]");
    buf_str(&pattern, "}}");
    buf_char(&event, '{');
    for (unsigned k = 0; k < 10; k++) {
        buf_printf(&event, "%s\"a\":[", k ? "," : "");
        for (unsigned i = 0; i < 20; i++)
            buf_printf(&event, "%s{\"f%02u\":1}", i ? "," : "", i);
        buf_char(&event, ']');
    }
    buf_char(&event, '}');
    assert_true(timed(pattern.p, &event) < 2.0);
    buf_free(&event);
    buf_free(&pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_one_array),
        cmocka_unit_test(test_independent_arrays),
        cmocka_unit_test(test_arrays_of_arrays),
        cmocka_unit_test(test_names_that_repeat),
    };
    return cmocka_run_group_tests_name("filter_join", tests, NULL, NULL);
}
