/* policy.c - the table of HOUSE 7 as one pure function. */
#include "engine/policy.h"

int64_t policy_backoff(int64_t base_ms, int64_t cap_ms, unsigned n, uint64_t random)
{
    int64_t ms = base_ms;
    for (unsigned i = 1; i < n && ms < cap_ms; i++)
        ms *= 2;
    if (ms > cap_ms)
        ms = cap_ms;
    return ms / 2 + (int64_t)(random % (uint64_t)(ms / 2 + 1));
}

static struct decision decide(enum verdict v, int64_t delay_ms, bool counts)
{
    return (struct decision){v, delay_ms, counts};
}

/* The records' own fault, or not: only a try that ran or was refused for good uses up an attempt.
 */
static bool is_counted(enum outcome o)
{
    return o == OUTCOME_FAILED || o == OUTCOME_TIMEOUT || o == OUTCOME_REJECTED;
}

static struct decision give_up(const struct policy *p, unsigned flags)
{
    if (!p->buries && (flags & SOURCE_REDELIVERS) != 0)
        return decide(VERDICT_RELEASE, 0, true);
    return decide(VERDICT_BURY, 0, true);
}

struct decision policy_decide(const struct policy *p, const struct attempt *a, uint64_t random)
{
    if (a->outcome == OUTCOME_OK)
        return decide(VERDICT_ACK, 0, true);
    bool counts = is_counted(a->outcome);
    if ((a->source_flags & SOURCE_ANSWERS) != 0)
        return decide(VERDICT_RELEASE, 0, counts);

    unsigned n = counts ? (unsigned)a->count : a->row;
    int64_t delay = a->retry_after_ms >= 0 ? a->retry_after_ms
                                           : policy_backoff(p->base_ms, p->cap_ms, n, random);
    if (p->max_age_ms >= 0 && a->age_ms >= p->max_age_ms && (p->buries || counts))
        return give_up(p, a->source_flags);
    if (!counts)
        return decide(VERDICT_RETRY, delay, false);
    if (a->outcome == OUTCOME_REJECTED)
        return a->batch_n > 1 ? decide(VERDICT_BISECT, 0, false) : give_up(p, a->source_flags);

    bool spent = p->max_attempts >= 0 && a->count >= p->max_attempts;
    if ((a->source_flags & SOURCE_REDELIVERS) != 0)
        return spent ? give_up(p, a->source_flags) : decide(VERDICT_RELEASE, delay, true);
    if (p->bisect && a->batch_n > 1)
        return decide(VERDICT_BISECT, delay, false);
    return spent ? give_up(p, a->source_flags) : decide(VERDICT_RETRY, delay, true);
}
