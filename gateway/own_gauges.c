/* own_gauges.c - metrics of queues, copied from the engine when somebody asks for them. */
#include "gateway/own_gauges.h"

#include "base/mem.h"
#include <stdlib.h>

static const struct {
    const char *name, *help;
    enum metric_type type;
} kinds[] = {
    {"penstock_queue_messages_visible", "Messages that a receive would get.", METRIC_GAUGE},
    {"penstock_queue_messages_not_visible", "Messages in flight.", METRIC_GAUGE},
    {"penstock_queue_messages_delayed", "Messages that wait for their delay.", METRIC_GAUGE},
    {"penstock_queue_oldest_age_seconds", "About the age of the oldest message; 0: none.",
     METRIC_GAUGE},
    {"penstock_queue_bytes", "Bytes of all messages in the store.", METRIC_GAUGE},
    {"penstock_queue_sent_total", "Messages sent to the queue; duplicates do not count.",
     METRIC_COUNTER},
    {"penstock_queue_received_total", "Messages given out, each time.", METRIC_COUNTER},
    {"penstock_queue_deleted_total", "Messages deleted by their receivers.", METRIC_COUNTER},
    {"penstock_queue_moved_total",
     "Messages moved away, to the dead-letter queue or by a message move task.", METRIC_COUNTER},
};

struct gauge {
    struct list node;
    char *name;
    struct metric *metrics[ARRAY_LEN(kinds)];
};

void own_gauges_init(struct own_gauges *g, struct metrics *metrics)
{
    *g = (struct own_gauges){.metrics = metrics};
    map_init(&g->by_name);
    list_init(&g->all);
}

static struct gauge *gauge_new(struct own_gauges *g, const char *name)
{
    struct gauge *one = mem_alloc(sizeof *one);
    struct buf labels;
    buf_init(&labels, 256);
    metrics_label(&labels, "queue", name);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        one->metrics[i] =
            metrics_get(g->metrics, kinds[i].type, kinds[i].name, kinds[i].help, labels.p);
    buf_free(&labels);
    one->name = mem_strdup(name);
    (void)map_set(&g->by_name, slice_of(name), one);
    list_append(&g->all, &one->node);
    return one;
}

static void gauge_free(struct own_gauges *g, struct gauge *one)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        metrics_put(g->metrics, one->metrics[i]);
    (void)map_del(&g->by_name, slice_of(one->name));
    list_remove(&one->node);
    free(one->name);
    free(one);
}

static void gauge_set(struct gauge *one, const struct queue *q)
{
    struct queue_counts c = queue_counts(q);
    const double values[ARRAY_LEN(kinds)] = {
        (double)c.visible,  (double)c.in_flight,
        (double)c.delayed,  c.oldest_ms > 0 ? (double)c.oldest_ms / 1000 : 0,
        (double)c.bytes,    (double)c.sent,
        (double)c.received, (double)c.deleted,
        (double)c.moved,
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        metric_set(one->metrics[i], values[i]);
}

/* Those that are there first, so that new ones find the places of deleted ones. */
static void set_known(struct own_gauges *g, struct queues *queues)
{
    for (struct list *it = g->all.next; it != &g->all;) {
        struct gauge *one = container_of(it, struct gauge, node);
        struct queue *q = queues_find(queues, slice_of(one->name));
        it = it->next;
        if (q == NULL)
            gauge_free(g, one);
        else
            gauge_set(one, q);
    }
}

static void set_totals(struct own_gauges *g, size_t n)
{
    if (g->queues == NULL) {
        g->queues = metrics_get(g->metrics, METRIC_GAUGE, "penstock_queues", "Queues inside.", "");
        g->unlisted = metrics_get(g->metrics, METRIC_GAUGE, "penstock_queues_unlisted",
                                  "Queues beyond the first 1000, which have no series.", "");
    }
    metric_set(g->queues, (double)n);
    metric_set(g->unlisted, (double)(n - g->by_name.n));
}

void own_gauges_report(struct own_gauges *g, struct queues *queues)
{
    size_t n = 0;
    struct queue *q = NULL;
    if (queues == NULL)
        return;
    set_known(g, queues);
    while ((q = queues_next(queues, q, SLICE_NONE)) != NULL) {
        n++;
        if (map_get(&g->by_name, slice_of(queue_name(q))) == NULL &&
            g->by_name.n < OWN_GAUGES_QUEUES_MAX)
            gauge_set(gauge_new(g, queue_name(q)), q);
    }
    set_totals(g, n);
}

void own_gauges_free(struct own_gauges *g)
{
    while (!list_empty(&g->all))
        gauge_free(g, container_of(g->all.next, struct gauge, node));
    map_free(&g->by_name);
    if (g->queues != NULL) {
        metrics_put(g->metrics, g->queues);
        metrics_put(g->metrics, g->unlisted);
    }
}
