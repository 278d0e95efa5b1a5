/* test_policy.c - the table of HOUSE 7, a row a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/policy.h"

enum {
    HELD = SOURCE_ORDERED,
    QUEUE = SOURCE_REDELIVERS,
    FIFO = SOURCE_REDELIVERS | SOURCE_ORDERED
};

struct row {
    const char *what;
    unsigned flags;
    enum outcome outcome;
    int64_t count, max_attempts;
    size_t n;
    bool bisect, buries;
    int64_t age_ms, max_age_ms;
    enum verdict verdict;
    bool counts;
};

static const struct row rows[] = {
    {"held ok", HELD, OUTCOME_OK, 1, -1, 5, 0, 0, 0, -1, VERDICT_ACK, true},
    {"held throttled", HELD, OUTCOME_THROTTLED, 9, 1, 5, 1, 1, 0, -1, VERDICT_RETRY, false},
    {"held unreachable", HELD, OUTCOME_UNREACHABLE, 9, 1, 5, 1, 1, 0, -1, VERDICT_RETRY, false},
    {"held failed, no end", HELD, OUTCOME_FAILED, 99, -1, 5, 0, 1, 0, -1, VERDICT_RETRY, true},
    {"held failed, bisect", HELD, OUTCOME_FAILED, 9, 1, 5, 1, 1, 0, -1, VERDICT_BISECT, false},
    {"held failed, one left", HELD, OUTCOME_FAILED, 1, 2, 1, 1, 1, 0, -1, VERDICT_RETRY, true},
    {"held failed, spent", HELD, OUTCOME_FAILED, 2, 2, 1, 1, 1, 0, -1, VERDICT_BURY, true},
    {"held spent, no grave", HELD, OUTCOME_TIMEOUT, 2, 2, 1, 0, 0, 0, -1, VERDICT_BURY, true},
    {"held rejected", HELD, OUTCOME_REJECTED, 1, -1, 4, 0, 1, 0, -1, VERDICT_BISECT, false},
    {"held rejected alone", HELD, OUTCOME_REJECTED, 1, -1, 1, 0, 1, 0, -1, VERDICT_BURY, true},
    {"held too old", HELD, OUTCOME_FAILED, 1, -1, 4, 1, 1, 60, 60, VERDICT_BURY, true},
    {"held young", HELD, OUTCOME_FAILED, 1, -1, 4, 0, 1, 59, 60, VERDICT_RETRY, true},
    {"queue ok", QUEUE, OUTCOME_OK, 1, -1, 5, 0, 0, 0, -1, VERDICT_ACK, true},
    {"queue throttled", QUEUE, OUTCOME_THROTTLED, 9, 1, 5, 0, 0, 0, -1, VERDICT_RETRY, false},
    {"queue failed", QUEUE, OUTCOME_FAILED, 9, -1, 5, 1, 0, 0, -1, VERDICT_RELEASE, true},
    {"queue timeout", FIFO, OUTCOME_TIMEOUT, 9, -1, 5, 1, 0, 0, -1, VERDICT_RELEASE, true},
    {"queue rejected", QUEUE, OUTCOME_REJECTED, 1, -1, 5, 0, 0, 0, -1, VERDICT_BISECT, false},
    {"queue rejected alone", QUEUE, OUTCOME_REJECTED, 1, -1, 1, 0, 0, 0, -1, VERDICT_RELEASE, true},
    {"spool spent", QUEUE, OUTCOME_FAILED, 3, 3, 1, 0, 1, 0, -1, VERDICT_BURY, true},
    {"spool again", QUEUE, OUTCOME_FAILED, 2, 3, 1, 0, 1, 0, -1, VERDICT_RELEASE, true},
    {"spool too old, throttled", QUEUE, OUTCOME_THROTTLED, 1, 3, 1, 0, 1, 9, 9, VERDICT_BURY, true},
    {"answer failed", SOURCE_ANSWERS, OUTCOME_FAILED, 1, -1, 1, 0, 0, 0, -1, VERDICT_RELEASE, true},
    {"answer throttled", SOURCE_ANSWERS, OUTCOME_THROTTLED, 1, -1, 1, 0, 0, 0, -1, VERDICT_RELEASE,
     false},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        struct policy p = {.max_attempts = r->max_attempts,
                           .max_age_ms = r->max_age_ms,
                           .base_ms = 100,
                           .cap_ms = 1000,
                           .bisect = r->bisect,
                           .buries = r->buries};
        struct attempt a = {.outcome = r->outcome,
                            .count = r->count,
                            .row = 1,
                            .batch_n = r->n,
                            .age_ms = r->age_ms,
                            .retry_after_ms = -1,
                            .source_flags = r->flags};
        struct decision d = policy_decide(&p, &a, 7);
        if (d.verdict != r->verdict || d.counts != r->counts)
            fail_msg("%s: verdict %d, counts %d", r->what, d.verdict, d.counts);
    }
}

static void test_backoff_stays_in_its_range(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 40; n++)
        for (uint64_t random = 0; random < 2000; random += 37) {
            int64_t whole = n < 8 ? 100LL << (n - 1) : 10000;
            whole = whole > 10000 ? 10000 : whole;
            int64_t ms = policy_backoff(100, 10000, n, random);
            assert_true(ms >= whole / 2 && ms <= whole);
        }
}

static void test_retry_after_wins(void **state)
{
    (void)state;
    struct policy p = {.max_attempts = -1, .max_age_ms = -1, .base_ms = 100, .cap_ms = 1000};
    struct attempt a = {.outcome = OUTCOME_THROTTLED,
                        .row = 3,
                        .batch_n = 1,
                        .retry_after_ms = 4321,
                        .source_flags = QUEUE};
    assert_int_equal(policy_decide(&p, &a, 1).delay_ms, 4321);
    a.retry_after_ms = 0;
    assert_int_equal(policy_decide(&p, &a, 1).delay_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_backoff_stays_in_its_range),
        cmocka_unit_test(test_retry_after_wins),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
