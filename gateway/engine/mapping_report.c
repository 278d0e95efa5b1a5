/* mapping_report.c - what a mapping tells about itself: counts, metrics, problem. */
#include "engine/mapping_state.h"
#include "io/metrics.h"

static const char *const metric_names[][2] = {
    {"penstock_records_accepted_total", "Records that the source handed over."},
    {"penstock_records_done_total", "Records that the function handled."},
    {"penstock_records_filtered_total", "Records that matched no filter."},
    {"penstock_records_dead_total", "Records that were given up for good."},
    {"penstock_records_released_total", "Records given back to the source, to come again."},
    {"penstock_records_waiting", "Records that wait for a batch or a slot."},
    {"penstock_records_in_flight", "Records in batches that are out."},
    {"penstock_mapping_problem", "1 while the mapping cannot work; the log says why."},
};

void mapping_metrics_open(struct mapping *m)
{
    if (m->env->metrics == NULL)
        return;
    struct buf labels;
    buf_init(&labels, 2048);
    metrics_label(&labels, "mapping", m->source->log.name);
    metrics_label(&labels, "source", m->source->ops->type);
    for (size_t i = 0; i < ARRAY_LEN(metric_names); i++)
        m->metrics[i] = metrics_get(m->env->metrics, i < 5 ? METRIC_COUNTER : METRIC_GAUGE,
                                    metric_names[i][0], metric_names[i][1], labels.p);
    buf_free(&labels);
}

void mapping_metrics_close(struct mapping *m)
{
    for (size_t i = 0; i < ARRAY_LEN(m->metrics); i++)
        if (m->metrics[i] != NULL)
            metrics_put(m->env->metrics, m->metrics[i]);
}

struct mapping_counts mapping_counts(const struct mapping *m)
{
    return m->counts;
}

void mapping_report(const struct mapping *m)
{
    const struct mapping_counts *c = &m->counts;
    const uint64_t v[] = {c->accepted, c->done,    c->filtered,  c->dead,
                          c->released, c->waiting, c->in_flight, m->problem != NULL};
    for (size_t i = 0; i < ARRAY_LEN(v) && m->metrics[i] != NULL; i++)
        metric_set(m->metrics[i], (double)v[i]);
}

const char *mapping_problem(const struct mapping *m)
{
    return m->problem;
}

size_t mapping_held(const struct mapping *m)
{
    return m->held_records;
}

size_t mapping_lanes(const struct mapping *m)
{
    return m->by_key.n;
}

struct source *mapping_source(const struct mapping *m)
{
    return m->source;
}

struct function *mapping_function(const struct mapping *m)
{
    return m->function;
}
