/* mapping.h - one event source mapping alive: source -> lanes -> batches -> function -> decisions.
 * docs/engine.md tells the walk of a record. Loop thread only. */
#ifndef ENGINE_MAPPING_H
#define ENGINE_MAPPING_H

#include "engine/function.h"
#include "engine/source.h"

struct mapping_options {
    struct function *function;
    struct source
        *source; /* checked, not yet open; owned by the caller, who closes it at the end */
    struct sink *graveyard; /* where failure records go; NULL: none */
    uint64_t (*random)(void);
    size_t max_records; /* credit: records held between emit and settle; 0: by the settings */
    size_t max_bytes;   /* 0: by the settings */
};

/* The law: accepted = done + filtered + dead + released + waiting + in_flight, always. */
struct mapping_counts {
    uint64_t accepted, done, filtered, dead, released;
    uint64_t waiting, in_flight;
};

struct mapping *mapping_new(const struct env *, const struct mapping_options *);
bool mapping_start(struct mapping *, struct error *) MUST_CHECK; /* opens the source, pumps */
/* No new records; what waits is released, what is out comes home; then idle(ctx), once, from the
 * loop. */
void mapping_drain(struct mapping *, void (*idle)(void *ctx), void *ctx);
bool mapping_idle(const struct mapping *); /* drained: nothing queued, out, armed or settling */
/* Cuts the drain short: deliveries are cancelled, their records released. idle still comes. */
void mapping_cut(struct mapping *);
void mapping_free(struct mapping *); /* idle, source closed by the caller before */

struct mapping_counts mapping_counts(const struct mapping *);
void mapping_report(const struct mapping *);         /* copies the counts into the metrics */
const char *mapping_problem(const struct mapping *); /* AWS's text, NULL: none */
size_t mapping_held(const struct mapping *);         /* records between emit and settle */
size_t mapping_lanes(const struct mapping *);        /* lanes alive */
struct source *mapping_source(const struct mapping *);
struct function *mapping_function(const struct mapping *);

#endif
