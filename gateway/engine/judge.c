/* judge.c - what a reply means for each record of a batch; the only user of policy_decide. */
#include "engine/judge.h"

#include "base/log.h"
#include "engine/mapping_state.h"
#include "engine/partial.h"

static bool ran(enum outcome o)
{
    return o == OUTCOME_OK || o == OUTCOME_FAILED || o == OUTCOME_TIMEOUT;
}

static struct attempt attempt_of(const struct batch *b, const struct record *r, enum outcome o)
{
    const struct mapping *m = b->lane->mapping;
    return (struct attempt){
        .outcome = o,
        .count = mapping_redelivers(m) ? (int64_t)r->attempts + 1 : b->attempts + 1,
        .row = b->row,
        .batch_n = b->n,
        .age_ms = r->age_ms + loop_now(m->env->loop) - r->born_ms,
        .retry_after_ms = b->delivery.reply.retry_after_ms,
        .source_flags = m->source->flags,
    };
}

static struct decision decide(const struct batch *b, const struct record *r, enum outcome o)
{
    const struct mapping *m = b->lane->mapping;
    struct attempt a = attempt_of(b, r, o);
    return policy_decide(&m->policy, &a, m->random());
}

/* The batch is too much for the backend as it is: halves, until one record stands alone. */
static void split(struct batch *b)
{
    b->lane->limit = (b->n + 1) / 2;
    batch_dissolve(b);
}

/* Sources that redeliver, and those that answer: every record is judged on its own. */
static void judge_each(struct batch *b, enum outcome o)
{
    struct decision whole = decide(b, batch_first(b), o);
    if (whole.verdict == VERDICT_RETRY) {
        batch_retry(b, whole.delay_ms);
        return;
    }
    if (whole.verdict == VERDICT_BISECT) {
        split(b);
        return;
    }
    list_each(&b->records, it)
    {
        struct record *r = container_of(it, struct record, node);
        r->decision = decide(b, r, o == OUTCOME_OK && r->failed ? OUTCOME_FAILED : o);
        if (r->decision.verdict == VERDICT_RETRY)
            r->decision.verdict = VERDICT_RELEASE;
    }
    if (o == OUTCOME_OK)
        lane_grow(b->lane);
    batch_finish(b);
}

static size_t leading(const struct batch *b,
                      bool (*is)(const struct batch *, const struct record *))
{
    size_t n = 0;
    for (const struct record *r = batch_first(b); r != NULL && is(b, r); r = batch_next(b, r))
        n++;
    return n;
}

static bool is_good(const struct batch *b, const struct record *r)
{
    (void)b;
    return !r->failed;
}

static bool is_too_old(const struct batch *b, const struct record *r)
{
    const struct mapping *m = b->lane->mapping;
    return m->policy.max_age_ms >= 0 &&
           r->age_ms + loop_now(m->env->loop) - r->born_ms >= m->policy.max_age_ms;
}

/* Dead by age: only those that are old; the younger ones behind them get their own tries. */
static void bury_ordered(struct batch *b, struct decision d)
{
    size_t old = leading(b, is_too_old);
    if (old > 0)
        batch_give_back(b, old);
    batch_decide_all(b, d);
    batch_finish(b);
}

/* Ordered sources that hold their records: the batch moves as one; what stands before the first
 * failure is done, the rest goes back to the head of the lane with a fresh count. */
static void judge_ordered(struct batch *b, enum outcome o)
{
    struct lane *l = b->lane;
    if (o == OUTCOME_OK) {
        size_t good = leading(b, is_good);
        if (good > 0) {
            batch_give_back(b, good);
            lane_grow(l);
            batch_decide_all(b, (struct decision){VERDICT_ACK, 0, true});
            batch_finish(b);
            return;
        }
        o = OUTCOME_FAILED;
    }
    struct decision d = decide(b, batch_first(b), o);
    switch (d.verdict) {
    case VERDICT_RETRY:
        b->attempts += d.counts;
        batch_retry(b, d.delay_ms);
        break;
    case VERDICT_BISECT:
        l->limit = (b->n + 1) / 2;
        batch_give_back(b, l->limit);
        b->attempts = 0;
        batch_retry(b, d.delay_ms);
        break;
    case VERDICT_BURY:
        bury_ordered(b, d);
        break;
    default:
        batch_decide_all(b, d);
        batch_finish(b);
    }
}

void judge(struct batch *b)
{
    struct mapping *m = b->lane->mapping;
    const struct reply *reply = &b->delivery.reply;
    enum outcome o = reply->outcome;
    b->row = ran(o) ? 0 : b->row + 1;
    if (o != OUTCOME_OK)
        log_warn(&m->source->log, "requestId=%s records=%zu outcome=%s: %s", b->delivery.request_id,
                 b->n, outcome_name(o), reply->detail);
    if (o == OUTCOME_OK && m->partial) {
        const char *why = NULL;
        if (partial_read(buf_slice(&reply->body), b, &why) == PARTIAL_ALL) {
            log_warn(&m->source->log, "requestId=%s records=%zu: the whole batch failed: %s",
                     b->delivery.request_id, b->n, why);
            o = OUTCOME_FAILED;
        }
    }
    unsigned held_in_order =
        m->source->flags & (SOURCE_ORDERED | SOURCE_REDELIVERS | SOURCE_ANSWERS);
    if (held_in_order == SOURCE_ORDERED)
        judge_ordered(b, o);
    else
        judge_each(b, o);
}
