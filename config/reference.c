/* reference.c - the reference page and the help texts, both printed from the option tables. */
#include "config/load.h"
#include "config/names.h"
#include "engine/function.h"
#include "gateway/registry.h"

#include <string.h>

static const char services_doc[] =
    "Where AWS services live: a service name (sqs) to its base URL. Services that are not "
    "named here are found as the AWS SDKs do it: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the "
    "profile file, AWS itself.";
static const char queues_doc[] =
    "Queues that live in the gateway's own store and are served at Api as SQS: a queue's name "
    "(letters, digits, - and _, at most 80; FIFO when it ends in .fifo, which counts) to its "
    "properties, which are those of AWS::SQS::Queue. `{}` is a queue with the defaults. "
    "RedriveAllowPolicy may be written as a mapping, {redrivePermission, sourceQueueArns}. A queue "
    "that leaves the file is deleted when it is empty; while it "
    "holds messages it is kept and reported.";
static const char functions_doc[] =
    "A function's name (letters, digits, - and _, at most 64) to its properties, which are those "
    "of AWS::Serverless::Function. Exactly one backend is chosen, by the presence of a member that "
    "its table marks \"chooses\". Environment, MemorySize and ProvisionedConcurrencyConfig need "
    "backend runtime, the only one that starts processes.";
static const char events_doc[] =
    "Events of a function: a name to Type and Properties, as in SAM. One event of type SQS is one "
    "event source mapping.";

/* Markdown must not see a column where the text has a bar. */
static void put_cell(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '|')
            buf_char(out, '\\');
        buf_char(out, s.p[i]);
    }
}

static const char *default_text(const struct option *o)
{
    if ((o->flags & OPTION_REQUIRED) != 0)
        return "required";
    if (o->dflt != NULL && (o->type != OPTION_INT || o->min <= 0 || strcmp(o->dflt, "0") != 0))
        return o->dflt;
    if (o->type == OPTION_BOOL)
        return "false";
    return (o->flags & OPTION_SELECTS) != 0 ? "chooses" : "none";
}

static void put_rows(struct buf *out, const struct option *table)
{
    struct buf type;
    buf_init(&type, 1024);
    for (const struct option *o = table; o->name != NULL; o++) {
        buf_clear(&type);
        option_describe(o, &type);
        buf_printf(out, "| `%s`%s | ", o->name, (o->flags & OPTION_X) != 0 ? " **x**" : "");
        put_cell(out, buf_slice(&type));
        buf_str(out, " | ");
        put_cell(out, slice_of(default_text(o)));
        buf_str(out, " | ");
        put_cell(out, slice_of(o->doc));
        buf_str(out, " |\n");
    }
    buf_free(&type);
}

static const char table_head[] = "| member | value | default | meaning |\n|---|---|---|---|\n";

static void put_table(struct buf *out, const struct option *table)
{
    buf_str(out, table_head);
    put_rows(out, table);
    buf_char(out, '\n');
}

static void put_queues(struct buf *out)
{
    buf_str(out, table_head);
    put_rows(out, queue_options);
    put_rows(out, load_queue_options);
    buf_str(out, "| `Tags` | list of {Key, Value}, at most 50 | none | Tags, as ListQueueTags "
                 "tells them. |\n\n");
}

static void put_refused(struct buf *out, const char *title, enum names_place place)
{
    buf_printf(out, "### %s\n\n| name | not supported |\n|---|---|\n", title);
    for (const struct names_entry *it = names_of(place); it->name != NULL; it++) {
        buf_printf(out, "| `%s` | ", it->name);
        put_cell(out, slice_of(it->why != NULL ? it->why : "by this build"));
        buf_str(out, " |\n");
    }
    buf_char(out, '\n');
}

static bool has_source(const char *type)
{
    for (const struct source_ops *const *s = registry_sources; *s != NULL; s++)
        if (strcmp((*s)->type, type) == 0)
            return true;
    return false;
}

static void put_refusals(struct buf *out)
{
    const char *comma = "";
    buf_str(out, "## Refused names\n\nWhat AWS knows and this build does not do is refused by "
                 "name, never ignored.\n\nEvent types: ");
    for (const char *const *t = names_event_types; *t != NULL; t++) {
        if (has_source(*t))
            continue;
        buf_printf(out, "%s%s", comma, *t);
        comma = ", ";
    }
    buf_str(out, ".\n\n");
    put_refused(out, "Sections", NAMES_FILE);
    put_refused(out, "Members of Gateway", NAMES_GATEWAY);
    put_refused(out, "Properties of queues", NAMES_QUEUE);
    put_refused(out, "Properties of functions", NAMES_FUNCTION);
    buf_str(
        out,
        "Properties of events are refused unless the table of the event type above has them.\n\n");
    put_refused(out, "Properties of events", NAMES_EVENT);
}

void catalog_reference(struct buf *out)
{
    buf_str(out,
            "# Configuration reference\n\n"
            "Printed from the option tables of the program; do not edit. **x** marks what is not "
            "AWS's.\n"
            "The file is YAML (JSON is YAML), at most 1 MB. Values may hold `${ENV_NAME}`; `$${` "
            "stands for `${`.\n"
            "Secrets may be written `file:PATH`. Relative paths are relative to the file.\n"
            "Durations are written 250ms, 20s, 5m, 1h, 1d; a bare number is seconds.\n\n"
            "## Gateway\n\n");
    put_table(out, gateway_options);
    buf_printf(out, "## Services\n\n%s\n\n## Queues **x**\n\n%s\n\n", services_doc, queues_doc);
    put_queues(out);
    buf_printf(out, "## Functions\n\n%s\n\n", functions_doc);
    put_table(out, function_options);
    for (const struct sink_ops *const *b = registry_backends; *b != NULL; b++) {
        buf_printf(out, "### Backend %s\n\n%s\n\n", (*b)->type, (*b)->doc);
        put_table(out, (*b)->options);
    }
    buf_printf(out, "## Events\n\n%s\n\n", events_doc);
    for (const struct source_ops *const *s = registry_sources; *s != NULL; s++) {
        buf_printf(out, "### Type %s\n\n%s\n\n", (*s)->type, (*s)->doc);
        put_table(out, (*s)->options);
    }
    put_refusals(out);
    while (out->n > 1 && out->p[out->n - 2] == '\n')
        out->p[--out->n] = '\0';
}
