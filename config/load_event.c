/* load_event.c - the Events of one function: each a source, checked. */
#include "config/load.h"
#include "config/names.h"
#include "gateway/registry.h"

#include <string.h>

static const char *const event_members[] = {"Type", "Properties", NULL};

static const struct source_ops *find_source(const char *type)
{
    for (const struct source_ops *const *s = registry_sources; *s != NULL; s++)
        if (strcmp((*s)->type, type) == 0)
            return *s;
    return NULL;
}

static const char *supported_types(struct arena *arena)
{
    const char *all = "";
    for (const struct source_ops *const *s = registry_sources; *s != NULL; s++)
        all = arena_printf(arena, "%s%s%s", all, all[0] != '\0' ? ", " : "", (*s)->type);
    return all;
}

/* NULL: reported. */
static const struct source_ops *source_of(struct load *load, const struct yaml_node *event)
{
    struct arena *arena = &load->catalog->arena;
    const struct yaml_node *type = yaml_find(event, "Type");
    if (type == NULL) {
        yaml_problem(&load->problems, event, "Type", "is required: the kind of event source (%s)",
                     supported_types(arena));
        return NULL;
    }
    if (type->bad)
        return NULL;
    if (type->type != YAML_SCALAR || type->null) {
        yaml_problem(&load->problems, type, NULL, "expected an event type (%s), found %s",
                     supported_types(arena), yaml_describe(arena, type));
        return NULL;
    }
    const struct source_ops *ops = find_source(type->text.p);
    if (ops != NULL)
        return ops;
    const char *near = names_nearest(type->text, names_event_types);
    if (near != NULL && slice_is(type->text, near))
        yaml_problem(&load->problems, type, NULL,
                     "event type %s is not supported by this build (it has %s)", near,
                     supported_types(arena));
    else if (near != NULL)
        yaml_problem(&load->problems, type, NULL, "unknown event type %s; did you mean %s?",
                     type->text.p, near);
    else
        yaml_problem(&load->problems, type, NULL, "unknown event type %s (this build has %s)",
                     type->text.p, supported_types(arena));
    return NULL;
}

static const char *property_refusal(const void *ctx, struct slice name, struct arena *arena)
{
    const struct source_ops *ops = ctx;
    return names_event_refusal(ops->type, name, arena);
}

static const char *event_refusal(const void *ctx, struct slice name, struct arena *arena)
{
    const struct source_ops *ops = ctx;
    if (ops != NULL && option_by_name(ops->options, name.p) != NULL)
        return arena_printf(arena, "%s belongs below Properties", name.p);
    return NULL;
}

/* The Properties, or an empty mapping that stands at the event. NULL: reported. */
static const struct yaml_node *properties_of(struct load *load, struct yaml_node *event)
{
    struct yaml_node *node = yaml_find(event, "Properties");
    if (node == NULL || (node->null && !node->bad)) {
        node = arena_alloc(&load->catalog->arena, sizeof *node);
        *node = (struct yaml_node){
            .type = YAML_MAPPING, .parent = event, .line = yaml_line(event), .silent = true};
        return node;
    }
    node->silent = true;
    return yaml_is_mapping(&load->problems, node) ? node : NULL;
}

/* For members that the source's table does not have: without limit, or off. */
static void clear_settings(struct mapping_settings *s)
{
    *s = (struct mapping_settings){.enabled = true,
                                   .batch_size = 1,
                                   .max_concurrency = -1,
                                   .max_attempts = -1,
                                   .max_age_s = -1};
}

static const char *canonical(struct load *load, const struct source *source)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, LOAD_TEXT_MAX_BYTES);
    json_out_init(&json, &out);
    json_object(&json);
    json_kv_cstr(&json, "Type", source->ops->type);
    json_key(&json, "Properties");
    option_print(&json, source->ops->options, source);
    json_end(&json);
    return load_keep_text(load, &out);
}

static void load_source(struct load *load, struct catalog_event *e, const struct source_ops *ops,
                        const struct yaml_node *event, const struct yaml_node *properties,
                        bool settings_ok)
{
    const struct option *const tables[] = {ops->options, NULL};
    const struct option_members members = {
        .tables = tables, .refusal = property_refusal, .ctx = ops};
    struct error err = {.code = ERROR_NONE};
    bool ok = option_check_members(&load->options, &members, properties);
    clear_settings(&e->source->settings);
    ok &= option_apply(&load->options, ops->options, e->source, properties);
    load_check_filters(load, e->source, properties);
    if (!ok || !settings_ok)
        return;
    e->text = canonical(load, e->source);
    if (ops->check != NULL && !ops->check(e->source, &err))
        load_report_check(load, event, properties, &err);
    else
        load_check_queue(load, e->source, event);
}

static void load_event(struct load *load, const struct catalog_function *f, struct catalog_event *e,
                       struct yaml_node *event, bool settings_ok)
{
    static const struct option *const no_tables[] = {NULL};
    struct option_members members = {
        .tables = no_tables, .others = event_members, .refusal = event_refusal};
    if (!load_is_name(event->key)) {
        yaml_problem(&load->problems, event, NULL,
                     "'%s' cannot name an event: 1 to 64 letters, digits, - and _", event->key.p);
        return;
    }
    if (!yaml_is_mapping(&load->problems, event))
        return;
    const struct source_ops *ops = source_of(load, event);
    members.ctx = ops;
    (void)option_check_members(&load->options, &members, event);
    const struct yaml_node *properties = properties_of(load, event);
    if (ops == NULL || properties == NULL)
        return;
    struct source *source = arena_alloc(&load->catalog->arena, ops->size);
    e->name = arena_printf(&load->catalog->arena, "%s/%s", f->settings.name, event->key.p);
    e->source = source;
    source->ops = ops;
    source->function = &f->settings;
    source->log = (struct log_scope){"mapping", e->name};
    load_source(load, e, ops, event, properties, settings_ok);
}

/* Two mappings of one queue to one function would only steal from each other. */
static void check_twins(struct load *load, const struct catalog_function *f,
                        const struct yaml_node *events)
{
    const struct yaml_node *node = events->first;
    for (size_t i = 0; i < f->n_events; i++, node = node->next) {
        const struct source *a = f->events[i].source;
        const struct yaml_node *first = events->first;
        for (size_t j = 0; j < i && a != NULL && a->arn != NULL; j++, first = first->next) {
            const struct source *b = f->events[j].source;
            if (b == NULL || b->arn == NULL || a->ops != b->ops || strcmp(a->arn, b->arn) != 0)
                continue;
            yaml_problem(&load->problems, node, NULL,
                         "An event source mapping with %s arn (\" %s \") and function (\" %s \") "
                         "already exists: %s on line %u",
                         a->ops->type, a->arn, f->settings.name, first->key.p, yaml_line(first));
            break;
        }
    }
}

void load_events(struct load *load, struct catalog_function *f, const struct yaml_node *events,
                 bool settings_ok)
{
    f->n_events = events->count;
    f->events = arena_alloc(&load->catalog->arena, (events->count + 1) * sizeof *f->events);
    size_t i = 0;
    for (struct yaml_node *it = events->first; it != NULL; it = it->next)
        load_event(load, f, &f->events[i++], it, settings_ok);
    check_twins(load, f, events);
}
