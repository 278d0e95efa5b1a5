/* sqs_select.c - the attributes of received messages. */
#include "api/sqs_select.h"

#include "api/sqs_typed.h"
#include "io/sqs_wire.h"
#include <inttypes.h>
#include <stdio.h>

enum { NAMES_MAX = 100, ATTRIBUTES_MAX_BYTES = 16 * 1024 * 1024 };

enum system {
    SENDER_ID,
    SENT,
    RECEIVES,
    FIRST_RECEIVE,
    SEQUENCE,
    DEDUP_ID,
    GROUP_ID,
    TRACE,
    DEAD_SOURCE,
    SYSTEMS
};

static const char *const system_names[SYSTEMS] = {[SENDER_ID] = "SenderId",
                                                  [SENT] = "SentTimestamp",
                                                  [RECEIVES] = "ApproximateReceiveCount",
                                                  [FIRST_RECEIVE] =
                                                      "ApproximateFirstReceiveTimestamp",
                                                  [SEQUENCE] = "SequenceNumber",
                                                  [DEDUP_ID] = "MessageDeduplicationId",
                                                  [GROUP_ID] = "MessageGroupId",
                                                  [TRACE] = "AWSTraceHeader",
                                                  [DEAD_SOURCE] = "DeadLetterQueueSourceArn"};

/* ---- what is asked for ---- */

static bool add_system(struct sqs_call *c, struct slice name, unsigned *bits)
{
    if (slice_is(name, "All")) {
        *bits = (unsigned)SQS_SELECT_ALL;
        return true;
    }
    for (unsigned i = 0; i < SYSTEMS; i++)
        if (slice_is(name, system_names[i])) {
            *bits |= 1u << i;
            return true;
        }
    return sqs_problem_set(&c->problem, SQS_ERROR_ATTRIBUTE_NAME,
                           "Unknown Attribute " SLICE_FMT ".", SLICE_ARG(name));
}

static bool read_system(struct sqs_call *c, const char *member, unsigned *bits)
{
    const struct json *list;
    if (!sqs_in_list(c, c->root, member, &list))
        return false;
    for (const struct json *j = json_first(list); j != NULL; j = json_after(j)) {
        struct slice name;
        if (!sqs_in_value(c, j, &name) || !add_system(c, name, bits))
            return false;
    }
    return true;
}

static bool read_typed(struct sqs_call *c, struct sqs_select *s)
{
    if (!sqs_in_list(c, c->root, "MessageAttributeNames", &s->typed))
        return false;
    if (json_count(s->typed) > NAMES_MAX)
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE, "More than %d MessageAttributeNames.",
                               NAMES_MAX);
    for (const struct json *j = json_first(s->typed); j != NULL; j = json_after(j)) {
        if (json_type(j) != JSON_STRING)
            return sqs_problem_set(&c->problem, SQS_ERROR_SYNTAX,
                                   "MessageAttributeNames must be strings.");
        if (slice_is(json_text(j), "All") || slice_is(json_text(j), ".*"))
            s->typed_all = true;
    }
    if (s->typed_all || json_count(s->typed) == 0)
        s->typed = NULL;
    return true;
}

bool sqs_select_read(struct sqs_call *c, struct sqs_select *s)
{
    *s = (struct sqs_select){0};
    return read_system(c, "AttributeNames", &s->system) &&
           read_system(c, "MessageSystemAttributeNames", &s->system) && read_typed(c, s);
}

/* ---- system attributes ---- */

static void put(struct sqs_out *o, enum system which, struct slice value)
{
    if (value.n > 0)
        sqs_out_pair(o, slice_of(system_names[which]), value);
}

static void put_number(struct sqs_out *o, enum system which, int64_t value)
{
    sqs_out_pair_i64(o, system_names[which], value);
}

static void put_sequence(struct sqs_out *o, uint64_t sequence)
{
    char text[24];
    if (sequence == 0)
        return;
    int n = snprintf(text, sizeof text, "%020" PRIu64, sequence);
    put(o, SEQUENCE, (struct slice){text, (size_t)n});
}

void sqs_select_write_system(const struct sqs_select *s, struct sqs_out *o,
                             const struct queue_message *m)
{
    unsigned bits = s->system;
    if (bits == 0)
        return;
    sqs_out_map(o, "Attributes", SQS_OUT_ATTRIBUTE);
    if (bits & 1u << SENDER_ID)
        put(o, SENDER_ID, m->sender);
    if (bits & 1u << FIRST_RECEIVE && m->first_ms != 0)
        put_number(o, FIRST_RECEIVE, m->first_ms);
    if (bits & 1u << RECEIVES)
        put_number(o, RECEIVES, m->receives);
    if (bits & 1u << SENT)
        put_number(o, SENT, m->sent_ms);
    if (bits & 1u << SEQUENCE)
        put_sequence(o, m->sequence);
    if (bits & 1u << DEDUP_ID)
        put(o, DEDUP_ID, m->dedup_id);
    if (bits & 1u << GROUP_ID)
        put(o, GROUP_ID, m->group);
    if (bits & 1u << TRACE)
        put(o, TRACE, m->trace);
    if (bits & 1u << DEAD_SOURCE)
        put(o, DEAD_SOURCE, m->dead_source);
    sqs_out_map_end(o);
}

/* ---- message attributes ---- */

static bool matches(struct slice name, struct slice wanted)
{
    if (!slice_ends(wanted, ".*"))
        return slice_eq(name, wanted);
    wanted.n -= 2;
    return name.n >= wanted.n && slice_eq((struct slice){name.p, wanted.n}, wanted);
}

static bool is_wanted(const struct sqs_select *s, struct slice name)
{
    if (s->typed_all)
        return true;
    for (const struct json *j = json_first(s->typed); j != NULL; j = json_after(j))
        if (matches(name, json_text(j)))
            return true;
    return false;
}

/* From the canonical JSON that was written when the message came. */
static size_t choose(const struct sqs_select *s, const struct json *all, struct sqs_typed *to)
{
    size_t n = 0;
    for (const struct json *j = json_first(all); j != NULL && n < SQS_TYPED_MAX;
         j = json_after(j)) {
        const struct json *binary = json_get(j, "BinaryValue");
        if (!is_wanted(s, json_name(j)))
            continue;
        to[n++] = (struct sqs_typed){
            .name = json_name(j),
            .type = json_text(json_get(j, "DataType")),
            .value = json_text(binary != NULL ? binary : json_get(j, "StringValue")),
            .binary = binary != NULL};
    }
    return n;
}

static void write_xml(struct sqs_out *o, const struct sqs_typed *t)
{
    sqs_out_open(o, "MessageAttribute");
    sqs_out_text(o, "Name", t->name);
    sqs_out_open(o, "Value");
    sqs_out_text(o, t->binary ? "BinaryValue" : "StringValue", t->value);
    sqs_out_text(o, "DataType", t->type);
    sqs_out_close(o, "Value");
    sqs_out_close(o, "MessageAttribute");
}

static void write_json(struct sqs_out *o, const struct sqs_typed *t)
{
    json_key_slice(&o->json, t->name);
    json_object(&o->json);
    sqs_out_text(o, t->binary ? "BinaryValue" : "StringValue", t->value);
    sqs_out_text(o, "DataType", t->type);
    json_end(&o->json);
}

static void write_chosen(struct sqs_out *o, const struct sqs_message *m)
{
    char md5[33];
    if (m->n_typed > 0 && sqs_wire_md5(m, md5))
        sqs_out_cstr(o, "MD5OfMessageAttributes", md5);
    if (!o->xml) {
        json_key(&o->json, "MessageAttributes");
        json_object(&o->json);
    }
    for (size_t i = 0; i < m->n_typed; i++)
        if (o->xml)
            write_xml(o, &m->typed[i]);
        else
            write_json(o, &m->typed[i]);
    if (!o->xml)
        json_end(&o->json);
}

void sqs_select_write_typed(const struct sqs_select *s, struct sqs_out *o,
                            const struct queue_message *m)
{
    struct sqs_typed typed[SQS_TYPED_MAX];
    if (m->attributes.n == 0 || slice_is(m->attributes, "{}") || (!s->typed_all && !s->typed))
        return;
    if (s->typed_all && !o->xml) { /* as they are */
        sqs_out_text(o, "MD5OfMessageAttributes", m->md5_attributes);
        json_key(&o->json, "MessageAttributes");
        json_raw(&o->json, m->attributes);
        return;
    }
    struct json *all = json_parse(m->attributes, ATTRIBUTES_MAX_BYTES, NULL);
    struct sqs_message chosen = {.typed = typed, .n_typed = choose(s, all, typed)};
    write_chosen(o, &chosen);
    json_free(all);
}
