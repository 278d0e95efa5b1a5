/* filter_cases.h - patterns and events written down, for the tests of the filter. */
#ifndef TESTS_FILTER_CASES_H
#define TESTS_FILTER_CASES_H

#include "engine/filter.h"

#include <stdlib.h>
#include <string.h>

struct filter_case {
    const char *pattern, *event;
    bool matches;
};

static inline struct pattern *case_pattern(const char *text)
{
    struct pattern_error err;
    struct pattern *p = pattern_new(slice_of(text), 1 << 20, &err);
    if (!p)
        fail_msg("%s: %s", text, err.text);
    return p;
}

/* The event is copied to memory that ends where it ends. */
static inline bool case_matches(struct filter *f, const char *event,
                                const struct filter_graft *graft)
{
    struct filter_match m;
    struct slice s = slice_of(event);
    size_t at;
    char *copy = malloc(s.n);
    assert_non_null(copy);
    memcpy(copy, s.p, s.n);
    if (!filter_match(f, (struct slice){copy, s.n}, graft, &m, &at))
        fail_msg("not JSON at %zu: %s", at, event);
    free(copy);
    assert_true(m.n <= 1);
    assert_true(m.n == 0 || m.matched[0] == 0);
    return m.n == 1;
}

static inline void case_check(const struct filter_case *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct pattern *p = case_pattern(rows[i].pattern);
        const struct pattern *one = p;
        struct filter *f = filter_new(&one, 1);
        if (case_matches(f, rows[i].event, NULL) != rows[i].matches)
            fail_msg("%s %s %s", rows[i].pattern, rows[i].matches ? "does not match" : "matches",
                     rows[i].event);
        filter_free(f);
        pattern_free(p);
    }
}

/* The same with all patterns in one filter, each event against all: what one filter says of a
 * pattern, a filter of it alone says, too. */
static inline void case_check_together(const struct filter_case *rows, size_t n)
{
    struct pattern **patterns = calloc(n, sizeof(struct pattern *));
    const struct pattern **all = calloc(n, sizeof(struct pattern *));
    struct filter **alone = calloc(n, sizeof(struct filter *));
    for (size_t i = 0; i < n; i++) {
        all[i] = patterns[i] = case_pattern(rows[i].pattern);
        alone[i] = filter_new(&all[i], 1);
    }
    struct filter *f = filter_new(all, n);
    for (size_t e = 0; e < n; e++) {
        struct filter_match m, one;
        size_t at, k = 0;
        struct slice event = slice_of(rows[e].event);
        assert_true(filter_match(f, event, NULL, &m, &at));
        for (size_t i = 0; i < n; i++) {
            assert_true(filter_match(alone[i], event, NULL, &one, &at));
            bool in = k < m.n && m.matched[k] == i;
            k += in;
            if (in != (one.n == 1))
                fail_msg("together %d: %s and %s", in, rows[i].pattern, rows[e].event);
        }
        assert_int_equal(k, m.n);
    }
    filter_free(f);
    for (size_t i = 0; i < n; i++) {
        filter_free(alone[i]);
        pattern_free(patterns[i]);
    }
    free(alone);
    free(all);
    free(patterns);
}

#endif
