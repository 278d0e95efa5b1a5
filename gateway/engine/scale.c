/* scale.c - how many batches of a mapping may be out at once: AWS's poller scaling, in small.
 * A queue mapping starts with five and grows by five a second while all are busy (AWS: 300 a
 * minute) up to MaximumConcurrency or 1250; function errors halve it, success brings it back.
 * Ordered and answering sources are bounded by their lanes and by the function's slots alone. */
#include "engine/mapping_state.h"

enum { START = 5, LEAST = 2, MOST = 1250, STEP_MS = 200, FAST_MS = 100, BRISK_MS = 500 };

static void on_step(struct timer *t)
{
    struct mapping *m = container_of(t, struct mapping, scale);
    if ((int64_t)m->out < m->parallel || m->parallel >= m->parallel_cap)
        return;
    m->parallel++;
    mapping_kick(m);
    timer_start(m->env->loop, &m->scale, STEP_MS);
}

void scale_init(struct mapping *m)
{
    int64_t wanted = m->source->settings.max_concurrency;
    bool queue = mapping_redelivers(m);
    m->parallel_cap = !queue ? INT32_MAX : wanted > 0 ? wanted : MOST;
    m->parallel = !queue ? INT32_MAX : m->parallel_cap < START ? m->parallel_cap : START;
    m->parallel_floor = wanted > 0 ? m->parallel : LEAST;
    m->scale.fire = on_step;
}

void scale_busy(struct mapping *m)
{
    if (m->parallel < m->parallel_cap && !timer_armed(&m->scale))
        timer_start(m->env->loop, &m->scale, STEP_MS);
}

void scale_outcome(struct mapping *m, enum outcome o)
{
    if (!mapping_redelivers(m))
        return;
    bool ran_badly = (o == OUTCOME_FAILED || o == OUTCOME_TIMEOUT) && !m->partial;
    int64_t start = m->parallel_cap < START ? m->parallel_cap : START;
    if (ran_badly && m->parallel > m->parallel_floor)
        m->parallel = m->parallel / 2 > m->parallel_floor ? m->parallel / 2 : m->parallel_floor;
    else if (o == OUTCOME_OK && m->parallel < start)
        m->parallel++;
}

/* A function that is quick is worth reading ahead for: the next batch is then at hand when the slot
 * comes back. For a slow one, messages are better left in the queue, where others can have them. */
static int64_t ahead(const struct mapping *m, int64_t batches)
{
    if (m->duration_ms < FAST_MS)
        return batches;
    return m->duration_ms < BRISK_MS ? 1 : 0;
}

size_t scale_credit(struct mapping *m)
{
    if (!mapping_redelivers(m))
        return m->max_records;
    int64_t free_slots = function_free_slots(m->function);
    int64_t batches = (int64_t)m->out + free_slots;
    if (batches > m->parallel)
        batches = m->parallel;
    if (free_slots == 0)
        function_wait(m->function, &m->waiter);
    if (batches > 0)
        batches += ahead(m, batches);
    return (size_t)(batches * m->source->settings.batch_size);
}

void scale_stop(struct mapping *m)
{
    timer_stop(m->env->loop, &m->scale);
    function_unwait(&m->waiter);
}
