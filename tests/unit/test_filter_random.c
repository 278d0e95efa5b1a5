/* test_filter_random.c - random events with arrays in arrays and names that repeat, against random
 * patterns: the filter says what plain trying of all leaves says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/filter_state.h"
#include "engine/filter_value.h"
#include "filter_cases.h"

#include <string.h>

enum { PATTERNS = 12, CHOICES = 256 };

static uint64_t state;

static unsigned draw(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 33) % n);
}

/* ---- events and patterns */

static void put_value(struct buf *b, unsigned depth);

static void put_object(struct buf *b, unsigned depth)
{
    unsigned n = draw(4);
    buf_char(b, '{');
    for (unsigned i = 0; i < n; i++) {
        buf_printf(b, "%s\"%c\":", i ? "," : "", 'a' + (char)draw(3));
        put_value(b, depth + 1);
    }
    buf_char(b, '}');
}

static void put_value(struct buf *b, unsigned depth)
{
    unsigned kind = depth > 4 ? 9 : draw(10), n = draw(4);
    if (kind < 3) {
        put_object(b, depth);
    } else if (kind < 7) {
        buf_char(b, '[');
        for (unsigned i = 0; i < n; i++) {
            if (i)
                buf_char(b, ',');
            put_value(b, depth + 1);
        }
        buf_char(b, ']');
    } else if (kind == 7) {
        buf_printf(b, "\"%u\"", draw(3));
    } else {
        buf_printf(b, "%u", draw(4));
    }
}

static void put_alternatives(struct buf *b)
{
    static const char *const asked[] = {
        "{\"exists\":false}",
        "{\"exists\":true}",
        "{\"numeric\":[\">\",1]}",
        "{\"numeric\":[\">=\",1,\"<=\",2]}",
        "{\"anything-but\":[1,2]}",
        "\"1\"",
        "1",
        "2",
        "3",
        "{\"prefix\":\"2\"}",
        "{\"exists\":false},3",
        "{\"numeric\":[\">=\",0,\"<\",1]}",
    };
    buf_str(b, "[");
    buf_str(b, asked[draw(ARRAY_LEN(asked))]);
    buf_str(b, "]");
}

static void put_pattern(struct buf *b)
{
    unsigned n = 1 + draw(4);
    buf_clear(b);
    buf_char(b, '{');
    for (unsigned i = 0; i < n; i++) {
        buf_str(b, i ? ",\"" : "\"");
        for (unsigned depth = 1 + draw(3); depth--;)
            buf_printf(b, "%c%s", 'a' + (char)draw(3), depth ? "." : "\":");
        put_alternatives(b);
    }
    buf_char(b, '}');
}

/* ---- plain trying */

struct chosen {
    uint32_t of[CHOICES]; /* member that each array has been given; 0: none */
};

static bool take(const struct filter_event *e, struct chosen *c, uint32_t member)
{
    for (; member; member = e->members[member].parent) {
        uint32_t *of = &c->of[e->members[member].array];
        if (*of && *of != member)
            return false;
        *of = member;
    }
    return true;
}

static bool asks_absence(const struct pattern_field *field)
{
    for (size_t i = 0; i < field->n; i++)
        if (field->values[i].kind == PATTERN_ABSENT)
            return true;
    return false;
}

static bool try_all(struct filter *f, const struct pattern_branch *branch, const uint32_t *paths,
                    size_t i, const struct chosen *so_far)
{
    struct filter_event *e = &f->event;
    bool absent = true;
    if (i == branch->n)
        return true;
    for (uint32_t leaf = e->paths[paths[i]].first; leaf != FILTER_NONE;
         leaf = e->leaves[leaf].next) {
        struct chosen c = *so_far;
        struct filter_view view = filter_value_view(e, leaf);
        if (!take(e, &c, e->leaves[leaf].member))
            continue;
        absent = false;
        if (filter_value_any(branch->fields[i], &view) && try_all(f, branch, paths, i + 1, &c))
            return true;
    }
    return absent && asks_absence(branch->fields[i]) && try_all(f, branch, paths, i + 1, so_far);
}

static bool tried(struct filter *f, const struct pattern *p)
{
    uint32_t paths[8];
    const struct pattern_branch *branch = &p->branches[0];
    struct chosen none = {{0}};
    assert_true(branch->n <= 8 && f->event.n_arrays <= CHOICES);
    for (size_t i = 0; i < branch->n; i++)
        paths[i] = filter_tree_add(&f->plan.tree, branch->fields[i]->path);
    return try_all(f, branch, paths, 0, &none);
}

static void test_random(void **unused)
{
    (void)unused;
    struct buf text, event;
    size_t matches = 0, all_matches = 0, inside = 0, rounds = 3000;
    buf_init(&text, 1 << 16);
    buf_init(&event, 1 << 20);
    state = 4711;
    for (size_t round = 0; round < rounds; round++) {
        struct pattern *patterns[PATTERNS];
        const struct pattern *all[PATTERNS];
        for (size_t i = 0; i < PATTERNS; i++) {
            put_pattern(&text);
            all[i] = patterns[i] = case_pattern(text.p);
        }
        /* Few are looked at one by one, more through the index. */
        struct filter *f = filter_new(all, round % 2 ? PATTERNS : 3);
        for (int turn = 0; turn < 10; turn++) {
            struct filter_match m;
            size_t at, k = 0;
            do {
                buf_clear(&event);
                put_object(&event, 0);
            } while (event.n < 20 || event.n > 1000);
            assert_true(filter_match(f, buf_slice(&event), NULL, &m, &at));
            for (size_t i = 0; i < (round % 2 ? PATTERNS : 3); i++, all_matches++) {
                bool in = k < m.n && m.matched[k] == i, want = tried(f, all[i]);
                k += in;
                matches += want;
                if (in != want)
                    fail_msg("%d, not %d: %s %s", in, want, all[i]->text.p, event.p);
            }
            assert_int_equal(k, m.n);
            inside += f->event.n_members > 1;
        }
        filter_free(f);
        for (size_t i = 0; i < PATTERNS; i++)
            pattern_free(patterns[i]);
    }
    buf_free(&text);
    buf_free(&event);
    assert_true(matches > all_matches / 50 && matches < all_matches / 2);
    assert_true(inside > rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests_name("filter_random", tests, NULL, NULL);
}
