/* load_function.c - the section Functions: settings, limits that functions share, texts. */
#include "config/load.h"
#include "config/names.h"
#include "engine/function.h"
#include "gateway/registry.h"

enum { MAX_BACKENDS = 30 };

static const char *function_refusal(const void *ctx, struct slice name, struct arena *arena)
{
    (void)ctx;
    for (const struct source_ops *const *s = registry_sources; *s != NULL; s++)
        if (option_by_name((*s)->options, name.p) != NULL)
            return arena_printf(arena, "%s belongs below Properties of an event", name.p);
    return names_refusal(NAMES_FUNCTION, name, arena);
}

static bool check_members(struct load *load, const struct yaml_node *node)
{
    static const char *const others[] = {"Events", NULL};
    const struct option *tables[MAX_BACKENDS + 2] = {function_options};
    size_t n = 1;
    for (const struct sink_ops *const *b = registry_backends; *b != NULL && n <= MAX_BACKENDS; b++)
        tables[n++] = (*b)->options;
    const struct option_members members = {
        .tables = tables, .others = others, .refusal = function_refusal};
    return option_check_members(&load->options, &members, node);
}

static bool check_name(struct load *load, const struct yaml_node *node)
{
    if (load_is_name(node->key))
        return true;
    if (node->key.n > 64)
        yaml_problem(&load->problems, node, NULL,
                     "Value '%s' at 'functionName' failed to satisfy constraint: Member must have "
                     "length less than or equal to 64",
                     node->key.p);
    else
        yaml_problem(&load->problems, node, NULL,
                     "Value '%s' at 'functionName' failed to satisfy constraint: Member must "
                     "satisfy regular expression pattern: [a-zA-Z0-9-_]+",
                     node->key.p);
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* AWS's rule, except that one letter is enough. */
static bool is_variable(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_letter(s.p[i]) && (i == 0 || ((s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '_')))
            return false;
    return s.n > 0;
}

static bool check_environment(struct load *load, const struct yaml_node *node)
{
    const struct yaml_node *variables = yaml_find(node, "Environment.Variables");
    const struct yaml_node *it = variables != NULL ? variables->first : NULL;
    bool ok = true;
    for (; it != NULL && it->key_line != 0; it = it->next) {
        if (is_variable(it->key))
            continue;
        yaml_problem(&load->problems, it, NULL,
                     "'%s' cannot name an environment variable: letters, digits and _, a letter "
                     "first",
                     it->key.p);
        ok = false;
    }
    return ok;
}

static bool check_provisioned(struct load *load, const struct catalog_function *f,
                              const struct yaml_node *node)
{
    const struct yaml_node *at = yaml_find(node, "ProvisionedConcurrencyConfig");
    const struct function_settings *s = &f->settings;
    if (at == NULL || s->reserved < 0 || s->provisioned <= s->reserved)
        return true;
    yaml_problem(&load->problems, at, "ProvisionedConcurrentExecutions",
                 "Requested Provisioned Concurrency should not be greater than the "
                 "reservedConcurrentExecution for function (%lld, reserved are %lld)",
                 (long long)s->provisioned, (long long)s->reserved);
    return false;
}

static void load_function(struct load *load, struct catalog_function *f,
                          const struct yaml_node *node)
{
    struct function_settings *s = &f->settings;
    const struct gateway_settings *g = &load->catalog->gateway;
    if (!check_name(load, node) || !yaml_is_mapping(&load->problems, node))
        return;
    load->options.aws = true;
    bool members_ok = check_members(load, node);
    bool settings_ok = option_apply(&load->options, function_options, s, node);
    s->name = node->key.p;
    s->arn = arena_printf(&load->catalog->arena, "arn:aws:lambda:%s:%s:function:%s", g->region,
                          g->account_id, s->name);
    settings_ok &= check_environment(load, node);
    settings_ok &= check_provisioned(load, f, node);
    load_backend(load, f, node, members_ok && settings_ok);
    const struct yaml_node *events = yaml_find(node, "Events");
    if (events != NULL && (events->bad || !events->null) &&
        yaml_is_mapping(&load->problems, events))
        load_events(load, f, events, settings_ok);
    load->options.aws = false;
}

/* The account's limit covers every reservation, and leaves something for functions without. */
static void check_reservations(struct load *load, const struct yaml_node *section)
{
    int64_t limit = load->catalog->gateway.concurrent_executions, sum = 0;
    const struct yaml_node *node = section->first;
    for (size_t i = 0; i < load->catalog->n_functions; i++, node = node->next) {
        int64_t reserved = load->catalog->functions[i].settings.reserved;
        if (reserved <= 0)
            continue;
        sum += reserved;
        if (sum > limit) {
            yaml_problem(&load->problems, yaml_find(node, "ReservedConcurrentExecutions"), NULL,
                         "Specified ReservedConcurrentExecutions for function decreases account's "
                         "UnreservedConcurrentExecution below its minimum value of [0]. (all up to "
                         "here: %lld, Gateway.ConcurrentExecutions: %lld)",
                         (long long)sum, (long long)limit);
            return;
        }
    }
    node = section->first;
    for (size_t i = 0; i < load->catalog->n_functions && sum == limit; i++, node = node->next)
        if (load->catalog->functions[i].settings.name != NULL &&
            load->catalog->functions[i].settings.reserved < 0)
            yaml_problem(&load->problems, node, NULL,
                         "could never run: other functions reserve all %lld of "
                         "Gateway.ConcurrentExecutions",
                         (long long)limit);
}

void load_functions(struct load *load, const struct yaml_node *section)
{
    struct catalog *catalog = load->catalog;
    if (section == NULL)
        return;
    catalog->n_functions = section->count;
    catalog->functions =
        arena_alloc(&catalog->arena, (section->count + 1) * sizeof *catalog->functions);
    size_t i = 0;
    for (const struct yaml_node *it = section->first; it != NULL; it = it->next)
        load_function(load, &catalog->functions[i++], it);
    check_reservations(load, section);
}
