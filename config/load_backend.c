/* load_backend.c - how a function is reached: exactly one backend, its members, its check. */
#include "config/load.h"
#include "engine/function.h"
#include "gateway/registry.h"

#include <string.h>

/* Members that only a process of ours can be given: elsewhere they would be ignored. */
static const char *const process_members[] = {"Environment", "MemorySize",
                                              "ProvisionedConcurrencyConfig"};

/* "Runtime or Command": the members that choose this backend. */
static const char *selectors(struct arena *arena, const struct sink_ops *ops)
{
    const char *all = NULL;
    for (const struct option *o = ops->options; o->name != NULL; o++)
        if ((o->flags & OPTION_SELECTS) != 0)
            all = all == NULL ? o->name : arena_printf(arena, "%s or %s", all, o->name);
    return all != NULL ? all : ops->type;
}

static const struct option *selected_by(const struct sink_ops *ops, const struct yaml_node *node)
{
    for (const struct option *o = ops->options; o->name != NULL; o++)
        if ((o->flags & OPTION_SELECTS) != 0 && yaml_find(node, o->name) != NULL)
            return o;
    return NULL;
}

static void report_none(struct load *load, const struct yaml_node *node)
{
    struct arena *arena = &load->catalog->arena;
    const char *all = "";
    for (const struct sink_ops *const *b = registry_backends; *b != NULL; b++)
        all =
            arena_printf(arena, "%s%s%s", all, all[0] != '\0' ? ", or " : "", selectors(arena, *b));
    yaml_problem(&load->problems, node, NULL,
                 "nothing says how this function is reached: write exactly one of %s", all);
}

/* The one backend that is chosen; NULL: reported. */
static const struct sink_ops *choose(struct load *load, const struct yaml_node *node)
{
    const struct sink_ops *chosen = NULL;
    const struct option *by = NULL;
    for (const struct sink_ops *const *b = registry_backends; *b != NULL; b++) {
        const struct option *o = selected_by(*b, node);
        if (o == NULL)
            continue;
        if (chosen != NULL) {
            yaml_problem(&load->problems, yaml_find(node, o->name), NULL,
                         "%s and %s are two ways to reach one function (backends %s and %s): keep "
                         "one",
                         by->name, o->name, chosen->type, (*b)->type);
            return NULL;
        }
        chosen = *b;
        by = o;
    }
    if (chosen == NULL)
        report_none(load, node);
    return chosen;
}

static bool knows(const struct sink_ops *ops, const char *name)
{
    return option_by_name(ops->options, name) != NULL;
}

/* The first other backend that knows the member tells whose it is. */
static bool refuse_member(struct load *load, const struct sink_ops *ops, const char *name,
                          const struct yaml_node *node)
{
    struct arena *arena = &load->catalog->arena;
    for (const struct sink_ops *const *b = registry_backends; *b != NULL; b++) {
        if (!knows(*b, name))
            continue;
        yaml_problem(&load->problems, node, NULL,
                     "%s belongs to functions reached by %s; this one is reached by %s", name,
                     selectors(arena, *b), selectors(arena, ops));
        return false;
    }
    return true;
}

/* Members that only other backends know would be ignored: refused instead. */
static bool refuse_foreign(struct load *load, const struct sink_ops *ops,
                           const struct yaml_node *node)
{
    bool ok = true;
    for (const struct yaml_node *it = node->first; it != NULL; it = it->next)
        if (!knows(ops, it->key.p))
            ok &= refuse_member(load, ops, it->key.p, it);
    for (size_t i = 0; i < ARRAY_LEN(process_members); i++) {
        const struct yaml_node *at = yaml_find(node, process_members[i]);
        if (at == NULL || strcmp(ops->type, "runtime") == 0)
            continue;
        ok = false;
        yaml_problem(&load->problems, at, NULL,
                     "%s needs a process that the gateway starts; this function is reached by %s: "
                     "set it where the function runs",
                     process_members[i], selectors(&load->catalog->arena, ops));
    }
    return ok;
}

/* Before check, which may fill in fields from the machine. */
static const char *canonical(struct load *load, const struct catalog_function *f)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, LOAD_TEXT_MAX_BYTES);
    json_out_init(&json, &out);
    json_object(&json);
    json_kv_cstr(&json, "Arn", f->settings.arn);
    json_key(&json, "Settings");
    option_print(&json, function_options, &f->settings);
    json_kv_cstr(&json, "Backend", f->sink->ops->type);
    json_key(&json, "Properties");
    option_print(&json, f->sink->ops->options, f->sink);
    json_end(&json);
    return load_keep_text(load, &out);
}

void load_backend(struct load *load, struct catalog_function *f, const struct yaml_node *node,
                  bool check)
{
    struct error err = {.code = ERROR_NONE};
    const struct sink_ops *ops = choose(load, node);
    if (ops == NULL)
        return;
    struct sink *sink = arena_alloc(&load->catalog->arena, ops->size);
    sink->ops = ops;
    sink->function = &f->settings;
    sink->log = (struct log_scope){"function", f->settings.name};
    f->sink = sink;
    check &= refuse_foreign(load, ops, node);
    if (!option_apply(&load->options, ops->options, sink, node) || !check)
        return;
    f->text = canonical(load, f);
    if (ops->check != NULL && !ops->check(sink, &err))
        load_report_check(load, node, node, &err);
}
