/* load_filter.c - the patterns of an event's FilterCriteria: what is wrong with them, and where. */
#include "config/load.h"
#include "engine/pattern.h"

enum { REMARK_MAX_BYTES = 4096 };

static bool check_pattern(struct load *load, const struct criteria_data *data,
                          const struct yaml_node *node, struct slice text)
{
    struct pattern_error err;
    if (criteria_check(data, text, &err))
        return true;
    unsigned line, column;
    pattern_place(text, err.at, &line, &column);
    yaml_problem(&load->problems, node, NULL, "%s %s (line %u, column %u of the pattern)",
                 criteria_refusal, err.text, line, column);
    problem_excerpt(&load->problems, text, err.at);
    return false;
}

static void warn(struct load *load, const struct criteria_data *data, const struct yaml_node *node,
                 struct slice text)
{
    struct buf out;
    buf_init(&out, REMARK_MAX_BYTES);
    criteria_remark(data, text, &out);
    if (out.n > 0)
        yaml_problem(&load->warnings, node, NULL, "warning: %s", out.p);
    buf_free(&out);
}

void load_check_filters(struct load *load, const struct source *source,
                        const struct yaml_node *properties)
{
    const struct option_list *given = &source->settings.filters;
    const struct criteria_data *data = source->ops->data;
    const struct yaml_node *criteria = yaml_find(properties, "FilterCriteria");
    if (data == NULL || criteria == NULL)
        return;
    for (size_t i = 0; i < given->n; i++) {
        const struct yaml_node *node = option_filter_node(criteria, i);
        if (given->v[i] == NULL) /* told already */
            continue;
        struct slice text = slice_of(given->v[i]);
        if (check_pattern(load, data, node, text))
            warn(load, data, node, text);
    }
    if (given->n > CRITERIA_FILTERS_USUAL)
        yaml_problem(&load->warnings, yaml_find(criteria, "Filters"), NULL,
                     "warning: %zu filters; AWS takes more than %d only with a raised quota",
                     given->n, CRITERIA_FILTERS_USUAL);
}
