/* sqs_form.c - forms of the query protocol: flattened lists and maps become a tree. */
#include "api/sqs_form.h"

#include "base/json_out.h"
#include "base/mem.h"
#include "base/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200 };

/* ---- reading ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Writes the decoded text at *to and moves it on. */
static bool decode(struct slice in, char **to, struct slice *out)
{
    char *q = *to;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '%') {
            int high = in.n - i > 2 ? hex_digit(in.p[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(in.p[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        *q++ = c;
    }
    *out = (struct slice){*to, (size_t)(q - *to)};
    *to = q;
    return true;
}

static size_t count_pairs(struct slice text)
{
    size_t n = text.n > 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '&';
    return n;
}

static bool read_pairs(struct sqs_form *f, struct slice text, char **to)
{
    while (text.n > 0) {
        struct slice value = slice_cut(&text, '&');
        struct slice name = slice_cut(&value, '=');
        struct sqs_form_pair *p = &f->pairs[f->n];
        if (name.n == 0)
            continue;
        if (!decode(name, to, &p->name) || !decode(value, to, &p->value))
            return false;
        f->n++;
    }
    return true;
}

static int name_cmp(struct slice a, struct slice b)
{
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

/* Same names stay in the order they came: the first one counts. */
static int pair_cmp(const void *va, const void *vb)
{
    const struct sqs_form_pair *a = va, *b = vb;
    int c = name_cmp(a->name, b->name);
    return c != 0 ? c : (a->name.p > b->name.p) - (a->name.p < b->name.p);
}

bool sqs_form_read(struct sqs_form *f, struct slice query, struct slice body)
{
    *f = (struct sqs_form){0};
    size_t n = count_pairs(query) + count_pairs(body);
    if (n > SQS_FORM_PAIRS_MAX)
        return false;
    f->pairs = mem_alloc((n + 1) * sizeof *f->pairs);
    f->bytes = mem_alloc_raw(query.n + body.n + 1);
    char *to = f->bytes;
    if (!read_pairs(f, query, &to) || !read_pairs(f, body, &to))
        return false;
    qsort(f->pairs, f->n, sizeof *f->pairs, pair_cmp);
    return utf8_valid((struct slice){f->bytes, (size_t)(to - f->bytes)});
}

void sqs_form_free(struct sqs_form *f)
{
    free(f->pairs);
    free(f->bytes);
    *f = (struct sqs_form){0};
}

/* ---- finding ---- */

/* The first parameter whose name is not before this one. */
static const struct sqs_form_pair *lower_bound(const struct sqs_form *f, struct slice name)
{
    size_t low = 0, high = f->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (name_cmp(f->pairs[mid].name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < f->n ? &f->pairs[low] : NULL;
}

static struct slice find(const struct sqs_form *f, struct slice name)
{
    const struct sqs_form_pair *p = lower_bound(f, name);
    return p != NULL && slice_eq(p->name, name) ? p->value : (struct slice){NULL, 0};
}

struct slice sqs_form_get(const struct sqs_form *f, const char *name)
{
    return find(f, slice_of(name));
}

/* Does any name begin with this one? */
static bool any_below(const struct sqs_form *f, struct slice name)
{
    const struct sqs_form_pair *p = lower_bound(f, name);
    return p != NULL && p->name.n >= name.n && memcmp(p->name.p, name.p, name.n) == 0;
}

/* ---- shapes ---- */

enum kind {
    TEXT,
    NUMBER,
    TEXTS,   /* X.1, X.2; a single one may stand as X */
    MAP,     /* X.1.<key>, X.1.<value>; a single one may stand as X.<key> */
    STRUCTS, /* X.1.<member> */
    TYPED,   /* X.1.Name, X.1.Value.<member> */
};

struct shape {
    const char *query, *json;
    enum kind kind;
    const char *key, *value;     /* MAP */
    const struct shape *members; /* STRUCTS, TYPED; ends with query == NULL */
};

static const struct shape typed_members[] = {
    {"DataType", "DataType", TEXT, NULL, NULL, NULL},
    {"StringValue", "StringValue", TEXT, NULL, NULL, NULL},
    {"BinaryValue", "BinaryValue", TEXT, NULL, NULL, NULL},
    {"StringListValue", "StringListValues", TEXTS, NULL, NULL, NULL},
    {"BinaryListValue", "BinaryListValues", TEXTS, NULL, NULL, NULL},
    {NULL, NULL, TEXT, NULL, NULL, NULL}};

#define OF_MESSAGES                                                                                \
    {"MessageBody", "MessageBody", TEXT, NULL, NULL, NULL},                                        \
        {"DelaySeconds", "DelaySeconds", NUMBER, NULL, NULL, NULL},                                \
        {"MessageGroupId", "MessageGroupId", TEXT, NULL, NULL, NULL},                              \
        {"MessageDeduplicationId", "MessageDeduplicationId", TEXT, NULL, NULL, NULL},              \
        {"MessageAttribute", "MessageAttributes", TYPED, NULL, NULL, typed_members},               \
    {                                                                                              \
        "MessageSystemAttribute", "MessageSystemAttributes", TYPED, NULL, NULL, typed_members      \
    }
#define OF_HANDLES                                                                                 \
    {"ReceiptHandle", "ReceiptHandle", TEXT, NULL, NULL, NULL},                                    \
    {                                                                                              \
        "VisibilityTimeout", "VisibilityTimeout", NUMBER, NULL, NULL, NULL                         \
    }

static const struct shape entry_members[] = {{"Id", "Id", TEXT, NULL, NULL, NULL},
                                             OF_MESSAGES,
                                             OF_HANDLES,
                                             {NULL, NULL, TEXT, NULL, NULL, NULL}};

static const struct shape request_members[] = {
    {"QueueUrl", "QueueUrl", TEXT, NULL, NULL, NULL},
    {"QueueName", "QueueName", TEXT, NULL, NULL, NULL},
    {"QueueOwnerAWSAccountId", "QueueOwnerAWSAccountId", TEXT, NULL, NULL, NULL},
    {"QueueNamePrefix", "QueueNamePrefix", TEXT, NULL, NULL, NULL},
    {"NextToken", "NextToken", TEXT, NULL, NULL, NULL},
    {"MaxResults", "MaxResults", NUMBER, NULL, NULL, NULL},
    OF_MESSAGES,
    OF_HANDLES,
    {"MaxNumberOfMessages", "MaxNumberOfMessages", NUMBER, NULL, NULL, NULL},
    {"WaitTimeSeconds", "WaitTimeSeconds", NUMBER, NULL, NULL, NULL},
    {"ReceiveRequestAttemptId", "ReceiveRequestAttemptId", TEXT, NULL, NULL, NULL},
    {"SourceArn", "SourceArn", TEXT, NULL, NULL, NULL},
    {"DestinationArn", "DestinationArn", TEXT, NULL, NULL, NULL},
    {"MaxNumberOfMessagesPerSecond", "MaxNumberOfMessagesPerSecond", NUMBER, NULL, NULL, NULL},
    {"TaskHandle", "TaskHandle", TEXT, NULL, NULL, NULL},
    {"AttributeName", "AttributeNames", TEXTS, NULL, NULL, NULL},
    {"MessageSystemAttributeName", "MessageSystemAttributeNames", TEXTS, NULL, NULL, NULL},
    {"MessageAttributeName", "MessageAttributeNames", TEXTS, NULL, NULL, NULL},
    {"TagKey", "TagKeys", TEXTS, NULL, NULL, NULL},
    {"Attribute", "Attributes", MAP, "Name", "Value", NULL},
    {"Tag", "Tags", MAP, "Key", "Value", NULL},
    {"SendMessageBatchRequestEntry", "Entries", STRUCTS, NULL, NULL, entry_members},
    {"DeleteMessageBatchRequestEntry", "Entries", STRUCTS, NULL, NULL, entry_members},
    {"ChangeMessageVisibilityBatchRequestEntry", "Entries", STRUCTS, NULL, NULL, entry_members},
    {NULL, NULL, TEXT, NULL, NULL, NULL}};

/* ---- writing ---- */

struct path {
    char text[NAME_MAX_BYTES];
    size_t n;
};

/* The path with more behind it; the tables keep it short. */
static struct path join(const struct path *at, const char *more, size_t index)
{
    struct path out = *at;
    size_t room = sizeof out.text - out.n;
    int n = index == 0 ? snprintf(out.text + out.n, room, "%s", more)
                       : snprintf(out.text + out.n, room, "%s.%zu", more, index);
    out.n += n > 0 && (size_t)n < room ? (size_t)n : 0;
    return out;
}

static struct slice path_slice(const struct path *p)
{
    return (struct slice){p->text, p->n};
}

static struct slice get(const struct sqs_form *f, const struct path *at, const char *name)
{
    struct path p = join(at, name, 0);
    return find(f, path_slice(&p));
}

static void write_members(const struct sqs_form *, struct json_out *, const struct path *,
                          const struct shape *);

static void write_number(struct json_out *o, struct slice text)
{
    int64_t n;
    if (slice_int(text, &n))
        json_i64(o, n);
    else
        json_str(o, text); /* whoever reads the member refuses it */
}

static void write_texts(const struct sqs_form *f, struct json_out *o, const struct path *at)
{
    struct slice single = find(f, path_slice(at));
    json_array(o);
    if (single.p != NULL)
        json_str(o, single);
    for (size_t i = 1;; i++) {
        struct path item = join(at, "", i);
        struct slice text = find(f, path_slice(&item));
        if (text.p == NULL)
            break;
        json_str(o, text);
    }
    json_end(o);
}

static bool write_map_pair(const struct sqs_form *f, struct json_out *o, const struct path *at,
                           const struct shape *s)
{
    struct path item = join(at, ".", 0);
    struct slice key = get(f, &item, s->key), value = get(f, &item, s->value);
    if (key.p == NULL)
        return false;
    json_key_slice(o, key);
    json_str(o, value.p != NULL ? value : SLICE_NONE);
    return true;
}

static void write_map(const struct sqs_form *f, struct json_out *o, const struct path *at,
                      const struct shape *s)
{
    json_object(o);
    (void)write_map_pair(f, o, at, s);
    for (size_t i = 1;; i++) {
        struct path item = join(at, "", i);
        if (!write_map_pair(f, o, &item, s))
            break;
    }
    json_end(o);
}

/* TYPED: an object by name; STRUCTS: a list. */
static void write_items(const struct sqs_form *f, struct json_out *o, const struct path *at,
                        const struct shape *s)
{
    if (s->kind == TYPED)
        json_object(o);
    else
        json_array(o);
    for (size_t i = 1;; i++) {
        struct path item = join(at, "", i);
        item = join(&item, ".", 0);
        if (!any_below(f, path_slice(&item)))
            break;
        if (s->kind == TYPED) {
            struct slice name = get(f, &item, "Name");
            json_key_slice(o, name.p != NULL ? name : SLICE_NONE);
            item = join(&item, "Value.", 0);
        }
        json_object(o);
        write_members(f, o, &item, s->members);
        json_end(o);
    }
    json_end(o);
}

static void write_member(const struct sqs_form *f, struct json_out *o, const struct path *at,
                         const struct shape *s)
{
    struct slice text = find(f, path_slice(at));
    json_key(o, s->json);
    switch (s->kind) {
    case TEXT:
        json_str(o, text);
        break;
    case NUMBER:
        write_number(o, text);
        break;
    case TEXTS:
        write_texts(f, o, at);
        break;
    case MAP:
        write_map(f, o, at, s);
        break;
    case STRUCTS:
    case TYPED:
        write_items(f, o, at, s);
        break;
    }
}

static bool is_there(const struct sqs_form *f, const struct path *at, enum kind kind)
{
    bool single = find(f, path_slice(at)).p != NULL;
    if (kind == TEXT || kind == NUMBER)
        return single;
    struct path below = join(at, ".", 0);
    return (single && kind == TEXTS) || any_below(f, path_slice(&below));
}

static void write_members(const struct sqs_form *f, struct json_out *o, const struct path *at,
                          const struct shape *s)
{
    for (; s->query != NULL; s++) {
        struct path p = join(at, s->query, 0);
        if (is_there(f, &p, s->kind))
            write_member(f, o, &p, s);
    }
}

void sqs_form_json(const struct sqs_form *f, struct buf *out)
{
    static const struct path top;
    struct json_out o;
    json_out_init(&o, out);
    json_object(&o);
    write_members(f, &o, &top, request_members);
    json_end(&o);
}
