/* help.c - help on one word of the configuration. */
#include "config/load.h"
#include "config/names.h"
#include "engine/function.h"
#include "gateway/registry.h"

#include <string.h>

static void put_option(struct buf *out, const char *where, const struct option *o)
{
    buf_printf(out, "%s.%s: ", where, o->name);
    option_describe(o, out);
    if ((o->flags & OPTION_REQUIRED) != 0)
        buf_str(out, "; required");
    else if (o->dflt != NULL)
        buf_printf(out, "; default %s", o->dflt);
    if ((o->flags & OPTION_SELECTS) != 0)
        buf_str(out, "; chooses how the function is reached");
    buf_printf(out, "\n    %s\n", o->doc);
}

static void put_all(struct buf *out, const char *where, const struct option *table)
{
    for (const struct option *o = table; o->name != NULL; o++)
        put_option(out, where, o);
}

/* The whole dotted name, its first part or its last part. */
static bool names_option(const char *topic, const struct option *o)
{
    struct slice rest = slice_of(o->name);
    const char *dot = strrchr(o->name, '.');
    return slice_is_ci(rest, topic) || slice_is_ci(slice_cut(&rest, '.'), topic) ||
           (dot != NULL && slice_is_ci(slice_of(dot + 1), topic));
}

static bool put_member(struct buf *out, const char *topic, const char *where,
                       const struct option *table)
{
    bool found = false;
    for (const struct option *o = table; o->name != NULL; o++) {
        if (!names_option(topic, o))
            continue;
        put_option(out, where, o);
        found = true;
    }
    return found;
}

static bool put_members(struct buf *out, const char *topic)
{
    bool found = put_member(out, topic, "Gateway", gateway_options);
    found |= put_member(out, topic, "Queues.NAME", queue_options);
    found |= put_member(out, topic, "Queues.NAME", load_queue_options);
    found |= put_member(out, topic, "Functions.NAME", function_options);
    for (const struct sink_ops *const *b = registry_backends; *b != NULL; b++)
        found |= put_member(out, topic, "Functions.NAME", (*b)->options);
    for (const struct source_ops *const *s = registry_sources; *s != NULL; s++)
        found |= put_member(out, topic, (*s)->type, (*s)->options);
    return found;
}

static bool put_section(struct buf *out, const char *topic)
{
    struct slice t = slice_of(topic);
    if (slice_is_ci(t, "Gateway")) {
        buf_str(out, "Section Gateway: this process.\n");
        put_all(out, "Gateway", gateway_options);
    } else if (slice_is_ci(t, "Services")) {
        buf_str(out, "Section Services: service name (sqs) to the base URL of the service.\n"
                     "    Else AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile file, AWS "
                     "itself.\n");
    } else if (slice_is_ci(t, "Queues")) {
        buf_str(out, "Section Queues: queue name to the properties of AWS::SQS::Queue, for queues "
                     "that live in this gateway.\n    A name that ends in .fifo is FIFO; {} is a "
                     "queue with the defaults; Tags is a list of {Key, Value}.\n");
        put_all(out, "Queues.NAME", queue_options);
        put_all(out, "Queues.NAME", load_queue_options);
    } else if (slice_is_ci(t, "Functions")) {
        buf_str(out, "Section Functions: function name to the properties of "
                     "AWS::Serverless::Function.\n");
        put_all(out, "Functions.NAME", function_options);
        for (const struct sink_ops *const *b = registry_backends; *b != NULL; b++) {
            buf_printf(out, "Backend %s: %s\n", (*b)->type, (*b)->doc);
            put_all(out, "Functions.NAME", (*b)->options);
        }
    } else if (slice_is_ci(t, "Events")) {
        buf_str(out,
                "Events of a function: event name to Type and Properties, as in SAM. Types:\n");
        for (const struct source_ops *const *s = registry_sources; *s != NULL; s++)
            buf_printf(out, "    %s: %s\n", (*s)->type, (*s)->doc);
    } else {
        return false;
    }
    return true;
}

static bool put_adapter(struct buf *out, const char *topic)
{
    for (const struct sink_ops *const *b = registry_backends; *b != NULL; b++)
        if (slice_is_ci(slice_of(topic), (*b)->type)) {
            buf_printf(out, "Backend %s: %s\n", (*b)->type, (*b)->doc);
            put_all(out, "Functions.NAME", (*b)->options);
            return true;
        }
    for (const struct source_ops *const *s = registry_sources; *s != NULL; s++)
        if (slice_is_ci(slice_of(topic), (*s)->type)) {
            buf_printf(out, "Event type %s: %s\n", (*s)->type, (*s)->doc);
            put_all(out, (*s)->type, (*s)->options);
            return true;
        }
    return false;
}

static bool put_refused(struct buf *out, const char *topic)
{
    static const enum names_place places[] = {NAMES_FILE, NAMES_GATEWAY, NAMES_QUEUE,
                                              NAMES_FUNCTION, NAMES_EVENT};
    for (const char *const *t = names_event_types; *t != NULL; t++)
        if (slice_is_ci(slice_of(topic), *t)) {
            buf_printf(out, "Event type %s is not supported by this build.\n", *t);
            return true;
        }
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        for (const struct names_entry *it = names_of(places[i]); it->name != NULL; it++)
            if (slice_is_ci(slice_of(topic), it->name)) {
                buf_printf(out, "%s is not supported %s.\n", it->name,
                           it->why != NULL ? it->why : "by this build");
                return true;
            }
    return false;
}

bool catalog_help(const char *topic, struct buf *out)
{
    return put_section(out, topic) || put_adapter(out, topic) || put_members(out, topic) ||
           put_refused(out, topic);
}
