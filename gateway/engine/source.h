/* source.h - where records come from: the other vtable, and what the engine offers to sources.
 * Loop thread only. */
#ifndef ENGINE_SOURCE_H
#define ENGINE_SOURCE_H

#include "engine/criteria.h"
#include "engine/record.h"
#include "engine/sink.h"

enum source_flag {
    SOURCE_ORDERED = 1 << 0,    /* per key, records must succeed in order */
    SOURCE_REDELIVERS = 1 << 1, /* RELEASE works: the origin keeps the record and gives it again */
    SOURCE_ANSWERS = 1 << 2,    /* somebody waits for the reply; never retried, never buried */
};

/* Members of CreateEventSourceMapping that the engine acts on; each source's option table says
 * which of them it has, with its own ranges and defaults. -1: unset or without limit. */
struct mapping_settings {
    bool enabled;
    int64_t batch_size;
    int64_t window_s;        /* MaximumBatchingWindowInSeconds */
    int64_t max_concurrency; /* ScalingConfig.MaximumConcurrency; -1: the engine scales by itself */
    struct option_list response_types; /* FunctionResponseTypes */
    int64_t max_attempts;              /* MaximumRetryAttempts + 1; -1: no end */
    int64_t max_age_s;                 /* MaximumRecordAgeInSeconds; -1: no end */
    bool bisect;                       /* BisectBatchOnFunctionError */
    struct option_list filters;        /* FilterCriteria: the Patterns; none: everything passes */
};

struct batch;
struct json_out;
struct mapping;
struct source;

struct source_ops {
    const char *type; /* the SAM event type: "SQS" */
    const char *doc;
    size_t size;                      /* of the struct that starts with struct source */
    const struct option *options;     /* the event's Properties; complete: others are refused */
    const struct criteria_data *data; /* what FilterCriteria looks at; NULL: it has none. Not for
                                         sources that answer: nobody could say what */
    bool (*check)(struct source *,
                  struct error *); /* no I/O; sets source->flags, arn; texts of the spec */
    bool (*open)(struct source *, struct error *); /* no waiting */
    void (*pump)(struct source *); /* source_credit may have risen: emit, or start fetching */
    /* Writes the whole event; records by batch_first, batch_next. */
    void (*encode)(struct source *, const struct batch *, struct json_out *);
    void (*settle)(struct source *,
                   const struct batch *); /* every record has its decision; borrows */
    void (*stop)(struct source *);        /* no new records; idempotent */
    void (*close)(struct source *);       /* after the last settle and settling == 0 */
    const char *sample;                   /* `penstock event TYPE`: an event as golden text */
};

struct source {
    const struct source_ops *ops;
    const struct env *env;
    const struct function_settings *function; /* the mapping's; for checks against its timeout */
    struct mapping *mapping;                  /* set by mapping_new */
    struct mapping_settings settings;
    struct log_scope log;  /* kind "mapping", name FUNCTION/EVENT */
    unsigned flags;        /* enum source_flag; may depend on options (FIFO), set by check */
    const char *arn;       /* EventSourceArn, set by check */
    size_t envelope_bytes; /* of the event around the records' JSON, commas not counted */
    unsigned
        settling; /* own acknowledgements still on the wire; source_settled when it falls to 0 */
};

/* Records that the source may emit now (bounded also by bytes). 0 while draining or stopped. */
size_t source_credit(const struct source *);
/* Takes the record; source_credit must be > 0. Never calls back into the source: what no filter
 * wants is settled with ACK from the loop, many at once, of ordered sources in its turn. */
void source_emit(struct source *, struct record *);
/* Partition taken away: what waits with that key is dropped, what is out settles as usual. */
void source_forget(struct source *, struct slice key);
/* source->settling fell to 0, or the source finished stopping: drain may go on. */
void source_settled(struct source *);
/* Problem state with AWS's text (shown in logs, metrics, status), or NULL when it works again. */
void source_problem(struct source *, const char *text);

const struct record *batch_first(const struct batch *);
const struct record *batch_next(const struct batch *, const struct record *); /* NULL at the end */
size_t batch_count(const struct batch *);              /* inside settle filtered ones count too */
const struct reply *batch_reply(const struct batch *); /* SOURCE_ANSWERS, inside settle; of all its
   records: a batch that is released unsent may hold several */

#endif
