/* policy.h - what an outcome means for a record or a batch: one pure function. HOUSE 7. */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include "engine/source.h"

struct policy {
    int64_t max_attempts;    /* -1: no end */
    int64_t max_age_ms;      /* -1: no end */
    int64_t base_ms, cap_ms; /* back-off between tries inside the engine */
    bool bisect;
    bool buries; /* there is somewhere to put the dead; else RELEASE (redelivering) or
                    ACK after the attempts (ordered, as AWS: discarded, counted dead) */
};

struct attempt {
    enum outcome outcome;
    int64_t count; /* counted tries so far, this one included */
    unsigned
        row; /* consecutive tries that were not counted, this one included; sets the back-off */
    size_t batch_n;
    int64_t age_ms;
    int64_t retry_after_ms; /* -1: none */
    unsigned source_flags;
};

struct decision policy_decide(const struct policy *, const struct attempt *, uint64_t random);
/* Half to whole of base·2^(n-1), at most cap. */
int64_t policy_backoff(int64_t base_ms, int64_t cap_ms, unsigned n, uint64_t random);

#endif
