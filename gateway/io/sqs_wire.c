/* sqs_wire.c - SQS requests in both protocols, and what both kinds of answers have in common. */
#include "io/sqs_wire.h"

#include "base/base64.h"
#include "base/digest.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "io/sqs_wire_read.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct op_facts {
    const char *name;
    const char *headers[3]; /* of the JSON protocol */
    const char *entry;      /* query protocol: name of a batch's entries */
};

#define JSON_OP(name)                                                                              \
    name,                                                                                          \
    {                                                                                              \
        "Content-Type: application/x-amz-json-1.0", "X-Amz-Target: AmazonSQS." name,               \
            "x-amzn-query-mode: true"                                                              \
    }

static const struct op_facts facts[] = {
    [SQS_RECEIVE] = {JSON_OP("ReceiveMessage"), NULL},
    [SQS_DELETE_BATCH] = {JSON_OP("DeleteMessageBatch"), "DeleteMessageBatchRequestEntry"},
    [SQS_VISIBILITY_BATCH] = {JSON_OP("ChangeMessageVisibilityBatch"),
                              "ChangeMessageVisibilityBatchRequestEntry"},
    [SQS_GET_URL] = {JSON_OP("GetQueueUrl"), NULL},
    [SQS_GET_ATTRIBUTES] = {JSON_OP("GetQueueAttributes"), NULL},
};

const char *sqs_wire_op_name(enum sqs_op op)
{
    return facts[op].name;
}

const char *const *sqs_wire_headers(enum sqs_protocol protocol, enum sqs_op op, size_t *n)
{
    static const char *const query[] = {"Content-Type: application/x-www-form-urlencoded"};
    *n = protocol == SQS_JSON ? ARRAY_LEN(facts[op].headers) : ARRAY_LEN(query);
    return protocol == SQS_JSON ? facts[op].headers : query;
}

/* ---- requests: JSON ---- */

static void all_of(struct json_out *o, const char *key)
{
    json_key(o, key);
    json_array(o);
    json_cstr(o, "All");
    json_end(o);
}

static void json_entries(struct json_out *o, const struct sqs_request *r)
{
    json_key(o, "Entries");
    json_array(o);
    for (size_t i = 0; i < r->n_entries; i++) {
        char id[] = {(char)('0' + i), '\0'};
        json_object(o);
        json_kv_cstr(o, "Id", id);
        json_kv_str(o, "ReceiptHandle", r->entries[i].receipt);
        if (r->op == SQS_VISIBILITY_BATCH)
            json_kv_i64(o, "VisibilityTimeout", r->entries[i].visibility_s);
        json_end(o);
    }
    json_end(o);
}

static void request_json(struct buf *out, const struct sqs_request *r)
{
    struct json_out o;
    json_out_init(&o, out);
    json_object(&o);
    if (r->op == SQS_GET_URL) {
        json_kv_str(&o, "QueueName", r->name);
        if (r->owner.n)
            json_kv_str(&o, "QueueOwnerAWSAccountId", r->owner);
    } else {
        json_kv_str(&o, "QueueUrl", r->queue_url);
    }
    if (r->op == SQS_RECEIVE) {
        all_of(&o, "AttributeNames"); /* servers from before MessageSystemAttributeNames */
        all_of(&o, "MessageSystemAttributeNames");
        all_of(&o, "MessageAttributeNames");
        json_kv_i64(&o, "MaxNumberOfMessages", r->max_messages);
        json_kv_i64(&o, "WaitTimeSeconds", r->wait_s);
        if (r->visibility_s >= 0)
            json_kv_i64(&o, "VisibilityTimeout", r->visibility_s);
    }
    if (r->op == SQS_GET_ATTRIBUTES)
        all_of(&o, "AttributeNames");
    if (facts[r->op].entry)
        json_entries(&o, r);
    json_end(&o);
}

/* ---- requests: query ---- */

static void form_text(struct buf *out, struct slice s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            c == '-' || c == '_' || c == '.' || c == '~') {
            buf_char(out, (char)c);
            continue;
        }
        char text[] = {'%', hex[c >> 4], hex[c & 15]};
        buf_add(out, text, sizeof text);
    }
}

static void form_kv(struct buf *out, const char *key, struct slice value)
{
    buf_printf(out, "&%s=", key);
    form_text(out, value);
}

static void form_entries(struct buf *out, const struct sqs_request *r)
{
    for (size_t i = 0; i < r->n_entries; i++) {
        const char *entry = facts[r->op].entry;
        buf_printf(out, "&%s.%zu.Id=%zu&%s.%zu.ReceiptHandle=", entry, i + 1, i, entry, i + 1);
        form_text(out, r->entries[i].receipt);
        if (r->op == SQS_VISIBILITY_BATCH)
            buf_printf(out, "&%s.%zu.VisibilityTimeout=%lld", entry, i + 1,
                       (long long)r->entries[i].visibility_s);
    }
}

static void request_query(struct buf *out, const struct sqs_request *r)
{
    buf_printf(out, "Action=%s&Version=2012-11-05", facts[r->op].name);
    if (r->op == SQS_GET_URL) {
        form_kv(out, "QueueName", r->name);
        if (r->owner.n)
            form_kv(out, "QueueOwnerAWSAccountId", r->owner);
    } else {
        form_kv(out, "QueueUrl", r->queue_url);
    }
    if (r->op == SQS_RECEIVE) {
        buf_printf(out,
                   "&AttributeName.1=All&MessageSystemAttributeName.1=All"
                   "&MessageAttributeName.1=All&MaxNumberOfMessages=%lld&WaitTimeSeconds=%lld",
                   (long long)r->max_messages, (long long)r->wait_s);
        if (r->visibility_s >= 0)
            buf_printf(out, "&VisibilityTimeout=%lld", (long long)r->visibility_s);
    }
    if (r->op == SQS_GET_ATTRIBUTES)
        buf_str(out, "&AttributeName.1=All");
    if (facts[r->op].entry)
        form_entries(out, r);
}

void sqs_wire_request(struct buf *out, enum sqs_protocol protocol, const struct sqs_request *r)
{
    assert(!facts[r->op].entry || (r->n_entries > 0 && r->n_entries <= SQS_BATCH_MAX));
    if (protocol == SQS_JSON)
        request_json(out, r);
    else
        request_query(out, r);
}

/* ---- answers ---- */

struct fault_name {
    const char *name; /* end of the code, in either protocol */
    enum sqs_fault fault;
};

static const struct fault_name fault_names[] = {
    {"NonExistentQueue", SQS_FAULT_NO_QUEUE},
    {"QueueDoesNotExist", SQS_FAULT_NO_QUEUE},
    {"QueueDeletedRecently", SQS_FAULT_NO_QUEUE},
    {"OverLimit", SQS_FAULT_BUSY},
    {"RequestThrottled", SQS_FAULT_BUSY},
    {"RequestThrottledException", SQS_FAULT_BUSY},
    {"Throttling", SQS_FAULT_BUSY},
    {"ThrottlingException", SQS_FAULT_BUSY},
    {"ThrottledException", SQS_FAULT_BUSY},
    {"TooManyRequestsException", SQS_FAULT_BUSY},
    {"KmsThrottled", SQS_FAULT_BUSY},
    {"InternalError", SQS_FAULT_BUSY},
    {"InternalFailure", SQS_FAULT_BUSY},
    {"ServiceUnavailable", SQS_FAULT_BUSY},
    {"RequestTimeout", SQS_FAULT_BUSY},
    {"ExpiredToken", SQS_FAULT_CREDENTIALS},
    {"ExpiredTokenException", SQS_FAULT_CREDENTIALS},
    {"RequestExpired", SQS_FAULT_CREDENTIALS},
    {"InvalidClientTokenId", SQS_FAULT_CREDENTIALS},
    {"UnrecognizedClientException", SQS_FAULT_CREDENTIALS},
    {"InvalidAccessKeyId", SQS_FAULT_CREDENTIALS},
    {"InvalidSecurity", SQS_FAULT_CREDENTIALS},
    {"SignatureDoesNotMatch", SQS_FAULT_CREDENTIALS},
    {"InvalidSignatureException", SQS_FAULT_CREDENTIALS},
    {"IncompleteSignature", SQS_FAULT_CREDENTIALS},
    {"MissingAuthenticationToken", SQS_FAULT_CREDENTIALS},
    {"MissingAuthenticationTokenException", SQS_FAULT_CREDENTIALS},
    {"AccessDenied", SQS_FAULT_CREDENTIALS},
    {"AccessDeniedException", SQS_FAULT_CREDENTIALS},
    {"ReceiptHandleIsInvalid", SQS_FAULT_HANDLE},
    {"MessageNotInflight", SQS_FAULT_HANDLE},
};

/* "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue" and bare names
 * all end in the same words. */
enum sqs_fault sqs_wire_fault_of(struct slice code)
{
    for (size_t i = code.n; i > 0; i--)
        if (code.p[i - 1] == '#' || code.p[i - 1] == '.') {
            code = slice_from(code, i);
            break;
        }
    for (size_t i = 0; i < ARRAY_LEN(fault_names); i++)
        if (slice_is(code, fault_names[i].name))
            return fault_names[i].fault;
    return SQS_FAULT_OTHER;
}

/* Of one entry of a batch: nothing but its handle, or how long it was held, can be wrong there. */
enum sqs_fault sqs_wire_entry_fault(struct slice code)
{
    if (slice_starts(code, "InvalidParameterValue") || slice_starts(code, "InvalidAttributeValue"))
        return SQS_FAULT_HANDLE;
    return sqs_wire_fault_of(code);
}

enum sqs_read sqs_wire_fault(struct sqs_answer *a, int status, struct slice code, struct slice text)
{
    a->fault = sqs_wire_fault_of(code);
    if (a->fault == SQS_FAULT_OTHER && (status >= 500 || status == 429))
        a->fault = SQS_FAULT_BUSY;
    if (a->fault == SQS_FAULT_OTHER && (status == 401 || status == 403))
        a->fault = SQS_FAULT_CREDENTIALS;
    a->code = code;
    a->text = text;
    if (a->fault == SQS_FAULT_NO_QUEUE) { /* both protocols then read as AWS's own mapping does */
        a->code = SLICE("AWS.SimpleQueueService.NonExistentQueue");
        a->text = SLICE("The specified queue does not exist.");
    }
    return SQS_READ_FAULT;
}

enum sqs_read sqs_wire_unreadable(struct sqs_answer *a, int status)
{
    static const int foreign[] = {200, 400, 404, 405, 415, 501};
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        if (status == foreign[i])
            return SQS_READ_FOREIGN;
    char *code = arena_printf(&a->arena, "HTTP %d", status);
    return sqs_wire_fault(a, status, slice_of(code), SLICE("The answer has no error document."));
}

enum sqs_read sqs_wire_garbled(struct sqs_answer *a, const char *why)
{
    a->text = slice_of(why);
    return SQS_READ_GARBLED;
}

struct sqs_result *sqs_wire_result(struct sqs_answer *a, struct slice id)
{
    return id.n == 1 && id.p[0] >= '0' && id.p[0] <= '9' ? &a->results[id.p[0] - '0'] : NULL;
}

enum sqs_read sqs_wire_read(struct sqs_answer *to, enum sqs_protocol protocol, enum sqs_op op,
                            int http_status, struct slice body)
{
    *to = (struct sqs_answer){.code = SLICE_NONE, .text = SLICE_NONE};
    arena_init(&to->arena);
    return protocol == SQS_JSON ? sqs_wire_read_json(to, op, http_status, body)
                                : sqs_wire_read_xml(to, op, http_status, body);
}

void sqs_answer_free(struct sqs_answer *a)
{
    json_free(a->json);
    a->json = NULL;
    free(a->plain);
    a->plain = NULL;
    arena_free(&a->arena);
}

/* ---- messages ---- */

struct slice sqs_wire_attribute(const struct sqs_message *m, const char *name)
{
    for (size_t i = 0; i < m->n_attributes; i++)
        if (slice_is(m->attributes[i].name, name))
            return m->attributes[i].value;
    return SLICE_NONE;
}

static int typed_cmp(const void *va, const void *vb)
{
    const struct sqs_typed *const *a = va, *const *b = vb;
    struct slice x = (*a)->name, y = (*b)->name;
    int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return c ? c : (x.n > y.n) - (x.n < y.n);
}

static void md5_part(struct buf *out, struct slice s)
{
    uint8_t length[] = {(uint8_t)(s.n >> 24), (uint8_t)(s.n >> 16), (uint8_t)(s.n >> 8),
                        (uint8_t)s.n};
    buf_add(out, length, sizeof length);
    buf_put(out, s);
}

static bool md5_input(struct buf *out, const struct sqs_typed *t)
{
    md5_part(out, t->name);
    md5_part(out, t->type);
    buf_char(out, t->binary ? 2 : 1);
    if (!t->binary) {
        md5_part(out, t->value);
        return true;
    }
    struct buf raw;
    buf_init(&raw, t->value.n);
    bool ok = base64_decode(&raw, t->value);
    md5_part(out, buf_slice(&raw));
    buf_free(&raw);
    return ok;
}

bool sqs_wire_md5(const struct sqs_message *m, char hex[33])
{
    const struct sqs_typed *sorted[SQS_ATTRIBUTES_MAX];
    if (m->n_typed == 0 || m->n_typed > SQS_ATTRIBUTES_MAX)
        return false;
    struct buf text;
    buf_init(&text, SIZE_MAX / 2); /* as much as the message itself holds */
    for (size_t i = 0; i < m->n_typed; i++)
        sorted[i] = &m->typed[i];
    qsort(sorted, m->n_typed, sizeof sorted[0], typed_cmp);
    bool ok = true;
    for (size_t i = 0; i < m->n_typed; i++)
        ok = md5_input(&text, sorted[i]) && ok;
    uint8_t hash[MD5_LEN];
    digest_md5(buf_slice(&text), hash);
    digest_hex(hash, sizeof hash, hex);
    buf_free(&text);
    return ok;
}
