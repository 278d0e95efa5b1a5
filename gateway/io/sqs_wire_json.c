/* sqs_wire_json.c - reads SQS answers of AWS JSON 1.0. */
#include "base/json_in.h"
#include "io/sqs_wire_read.h"
#include <string.h>

#define each_node(of, it) for (const struct json *it = json_first(of); it; it = json_after(it))

/* false: absent or no string; an empty string is one. */
static bool text_of(const struct json *object, const char *key, struct slice *out)
{
    const struct json *node = json_get(object, key);
    if (json_type(node) != JSON_STRING)
        return false;
    *out = json_text(node);
    return true;
}

/* Attribute values are strings; some servers send numbers and booleans as such. */
static struct slice loose_text(struct sqs_answer *a, const struct json *node)
{
    int64_t number;
    if (json_int(node, &number))
        return slice_of(arena_printf(&a->arena, "%lld", (long long)number));
    if (json_type(node) == JSON_BOOL)
        return json_true(node) ? SLICE("true") : SLICE("false");
    return json_text(node);
}

static bool read_attributes(struct sqs_answer *a, const struct json *from,
                            struct sqs_attribute **to, size_t *n)
{
    size_t count = json_type(from) == JSON_OBJECT ? json_count(from) : 0;
    *n = 0;
    if (count > SQS_ATTRIBUTES_MAX)
        return false;
    *to = arena_alloc(&a->arena, count * sizeof **to);
    if (count == 0)
        return true;
    each_node(from, it)
    {
        enum json_type type = json_type(it);
        if (type != JSON_NULL && type != JSON_OBJECT && type != JSON_ARRAY)
            (*to)[(*n)++] = (struct sqs_attribute){json_name(it), loose_text(a, it)};
    }
    return true;
}

static bool read_typed(struct sqs_answer *a, const struct json *from, struct sqs_message *m)
{
    size_t count = json_type(from) == JSON_OBJECT ? json_count(from) : 0;
    if (count > SQS_ATTRIBUTES_MAX)
        return false;
    m->typed = arena_alloc(&a->arena, count * sizeof *m->typed);
    if (count == 0)
        return true;
    each_node(from, it)
    {
        struct sqs_typed t = {.name = json_name(it)};
        if (!text_of(it, "DataType", &t.type))
            continue;
        t.binary = !text_of(it, "StringValue", &t.value);
        if (!t.binary || text_of(it, "BinaryValue", &t.value))
            m->typed[m->n_typed++] = t;
    }
    return true;
}

static bool read_message(struct sqs_answer *a, const struct json *from, struct sqs_message *m)
{
    *m = (struct sqs_message){0};
    if (!text_of(from, "MessageId", &m->id) || !text_of(from, "ReceiptHandle", &m->receipt) ||
        !text_of(from, "Body", &m->body) || m->id.n == 0 || m->receipt.n == 0)
        return false;
    text_of(from, "MD5OfBody", &m->md5_body);
    text_of(from, "MD5OfMessageAttributes", &m->md5_attributes);
    return read_attributes(a, json_get(from, "Attributes"), &m->attributes, &m->n_attributes) &&
           read_typed(a, json_get(from, "MessageAttributes"), m);
}

static enum sqs_read read_messages(struct sqs_answer *a, const struct json *root)
{
    const struct json *list = json_get(root, "Messages");
    if (json_type(list) == JSON_NULL)
        return SQS_READ_OK;
    if (json_type(list) != JSON_ARRAY)
        return sqs_wire_garbled(a, "Messages is not a list");
    a->messages = arena_alloc(&a->arena, SQS_BATCH_MAX * sizeof *a->messages);
    each_node(list, it)
    {
        if (a->n_messages < SQS_BATCH_MAX && read_message(a, it, &a->messages[a->n_messages]))
            a->n_messages++;
        else
            a->skipped++;
    }
    return SQS_READ_OK;
}

static enum sqs_read read_results(struct sqs_answer *a, const struct json *root)
{
    const struct json *good = json_get(root, "Successful"), *bad = json_get(root, "Failed");
    struct slice id;
    if (json_type(good) == JSON_ARRAY)
        each_node(good, it)
        {
            struct sqs_result *r = text_of(it, "Id", &id) ? sqs_wire_result(a, id) : NULL;
            if (r)
                r->answered = r->ok = true;
        }
    if (json_type(bad) == JSON_ARRAY)
        each_node(bad, it)
        {
            struct sqs_result *r = text_of(it, "Id", &id) ? sqs_wire_result(a, id) : NULL;
            if (!r)
                continue;
            *r = (struct sqs_result){.answered = true, .code = SLICE_NONE, .text = SLICE_NONE};
            text_of(it, "Code", &r->code);
            text_of(it, "Message", &r->text);
            r->fault = sqs_wire_entry_fault(r->code);
        }
    return SQS_READ_OK;
}

static enum sqs_read read_error(struct sqs_answer *a, const struct json *root, int status)
{
    struct slice code, text = SLICE_NONE;
    if (!text_of(root, "__type", &code) || code.n == 0)
        return sqs_wire_unreadable(a, status);
    if (memchr(code.p, '#', code.n))
        slice_cut(&code, '#');
    if (!text_of(root, "message", &text))
        text_of(root, "Message", &text);
    return sqs_wire_fault(a, status, code, text);
}

enum sqs_read sqs_wire_read_json(struct sqs_answer *a, enum sqs_op op, int status,
                                 struct slice body)
{
    struct slice start = slice_trim(body);
    if (start.n == 0 && status == 200 && op != SQS_GET_URL && op != SQS_GET_ATTRIBUTES)
        return SQS_READ_OK;
    if (start.n == 0 || start.p[0] != '{')
        return sqs_wire_unreadable(a, status);
    a->json = json_parse(body, body.n, NULL);
    if (!a->json)
        return status == 200 ? sqs_wire_garbled(a, "the answer is not valid JSON")
                             : sqs_wire_unreadable(a, status);
    if (status != 200)
        return read_error(a, a->json, status);
    switch (op) {
    case SQS_RECEIVE:
        return read_messages(a, a->json);
    case SQS_DELETE_BATCH:
    case SQS_VISIBILITY_BATCH:
        return read_results(a, a->json);
    case SQS_GET_URL:
        if (text_of(a->json, "QueueUrl", &a->queue_url) && a->queue_url.n)
            return SQS_READ_OK;
        return sqs_wire_garbled(a, "the answer has no QueueUrl");
    case SQS_GET_ATTRIBUTES:
        if (read_attributes(a, json_get(a->json, "Attributes"), &a->attributes, &a->n_attributes))
            return SQS_READ_OK;
        return sqs_wire_garbled(a, "the queue has too many attributes");
    }
    return sqs_wire_garbled(a, "unknown operation");
}
