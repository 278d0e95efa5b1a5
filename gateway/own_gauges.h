/* own_gauges.h - what /metrics tells of each queue inside. */
#ifndef GATEWAY_OWN_GAUGES_H
#define GATEWAY_OWN_GAUGES_H

#include "base/list.h"
#include "base/map.h"
#include "engine/queue.h"
#include "io/metrics.h"

/* Clients make queues, so their number has no bound but this one: the rest is only counted. */
enum { OWN_GAUGES_QUEUES_MAX = 1000 };

struct own_gauges {
    struct metrics *metrics; /* borrowed */
    struct metric *queues, *unlisted;
    struct map by_name;
    struct list all;
};

void own_gauges_init(struct own_gauges *, struct metrics *);
/* Brings them up to date; a queue keeps its place until it is deleted. queues NULL: none yet. */
void own_gauges_report(struct own_gauges *, struct queues *);
void own_gauges_free(struct own_gauges *); /* before the metrics */

#endif
