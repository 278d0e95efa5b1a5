/* mapping_state.h - the inside of a mapping, shared by mapping*.c, lane.c, batch.c and scale.c. */
#ifndef ENGINE_MAPPING_STATE_H
#define ENGINE_MAPPING_STATE_H

#include "engine/lane.h"
#include "engine/mapping.h"

enum mapping_phase { MAPPING_RUN, MAPPING_DRAIN, MAPPING_IDLE };

struct mapping {
    const struct env *env;
    struct function *function;
    struct source *source;
    struct sink *graveyard;
    uint64_t (*random)(void);
    struct policy policy;
    struct criteria *criteria; /* NULL: everything passes */
    bool partial;              /* FunctionResponseTypes has ReportBatchItemFailures */

    size_t max_records, max_bytes; /* credit */
    size_t held_records, held_bytes;

    struct map by_key;   /* ordering key to lane */
    struct list lanes;   /* every lane */
    struct list batches; /* every batch but the stalled ones */
    struct list stalled; /* batches whose back-off is over and that wait for a slot */
    unsigned out;        /* batches that hold a slot */
    unsigned unsettled;  /* batches of any kind */

    int64_t parallel, parallel_floor, parallel_cap;
    /* scale.c: batches out at once */
    struct timer scale;
    int64_t duration_ms; /* moving average of what the function takes */

    struct task kick, pump, check; /* deferred: lanes to look at; credit to offer; drained? */
    struct slot_waiter waiter;
    enum mapping_phase phase;
    bool cut; /* the drain was cut short: acknowledgements are not waited for */
    void (*idle)(void *ctx);
    void *idle_ctx;
    char *problem;
    struct mapping_counts counts;
    struct metric *metrics[8];
};

void mapping_metrics_open(struct mapping *);
void mapping_metrics_close(struct mapping *);
/* Records settled: credit comes back, law is kept, lanes and source get their turn. Takes b. */
void mapping_settle(struct mapping *, struct batch *b);
void mapping_kick(struct mapping *); /* looks at the lanes before the next sleep */
struct lane *mapping_lane(struct mapping *, struct slice key);
bool mapping_redelivers(const struct mapping *);

/* mapping_filter.c: what FilterCriteria keeps away from the function */
bool mapping_filter_open(struct mapping *, struct error *) MUST_CHECK; /* from the settings */
void mapping_filter_close(struct mapping *);
bool mapping_filter_wants(struct mapping *, const struct record *); /* false: told at debug level */
/* Filtered records whose turn it is go into batches that settle from the loop, without a slot. */
void mapping_filter_pass(struct mapping *);
/* Before a batch settles: of a source that is held in order, filtered records that stand between
 * its own, and up to what is still to be done, settle with it. */
void mapping_filter_join(struct batch *);

/* scale.c: how many batches may be out, after AWS's pollers (sqs.md 2) */
void scale_init(struct mapping *);
void scale_busy(struct mapping *);                  /* as many out as may be: grow with time */
void scale_outcome(struct mapping *, enum outcome); /* failures shrink, successes restore */
size_t scale_credit(struct mapping *); /* records worth having now, held ones included */
void scale_stop(struct mapping *);

#endif
