/* metrics.h - counters, gauges and histograms, printed as Prometheus text (version 0.0.4). */
#ifndef IO_METRICS_H
#define IO_METRICS_H

#include "base/buf.h"

struct metrics;
struct metric;
enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metrics *metrics_new(void);
void metrics_free(struct metrics *);
/* The metric with this name and these labels, made when new; each call is one hold on it.
 * labels: finished text such as `function="a",mapping="b"` (see metrics_label), or "". */
struct metric *metrics_get(struct metrics *, enum metric_type, const char *name, const char *help,
                           const char *labels);
void metrics_put(struct metrics *,
                 struct metric *); /* gives the hold back; the last one removes it */
void metrics_label(struct buf *out, const char *name,
                   const char *value); /* appends name="escaped", with a comma when needed */

void metric_inc(struct metric *);
void metric_add(struct metric *, double);
void metric_set(struct metric *, double);
void metric_observe(struct metric *, double seconds); /* histogram: 1 ms … 900 s */
double metric_value(const struct metric *);           /* histogram: the count */

void metrics_render(const struct metrics *, struct buf *out); /* sorted by name, then labels */

#endif
