/* sqs_event.c - a message as a function sees it: one element of Records. */
#include "base/digest.h"
#include "base/json_out.h"
#include "sources/sqs_impl.h"

static void put_attributes(struct json_out *o, const struct sqs_message *m)
{
    json_key(o, "attributes");
    json_object(o);
    for (size_t i = 0; i < m->n_attributes; i++) {
        json_key_slice(o, m->attributes[i].name);
        json_str(o, m->attributes[i].value);
    }
    json_end(o);
}

static void put_empty_array(struct json_out *o, const char *key)
{
    json_key(o, key);
    json_array(o);
    json_end(o);
}

static void put_typed(struct json_out *o, const struct sqs_message *m)
{
    json_key(o, "messageAttributes");
    json_object(o);
    for (size_t i = 0; i < m->n_typed; i++) {
        const struct sqs_typed *t = &m->typed[i];
        json_key_slice(o, t->name);
        json_object(o);
        json_kv_str(o, t->binary ? "binaryValue" : "stringValue", t->value);
        put_empty_array(o, "stringListValues");
        put_empty_array(o, "binaryListValues");
        json_kv_str(o, "dataType", t->type);
        json_end(o);
    }
    json_end(o);
}

static void put_md5_of_attributes(struct json_out *o, const struct sqs_message *m, bool window)
{
    char hex[33];
    if (m->n_typed && m->md5_attributes.n) {
        json_kv_str(o, "md5OfMessageAttributes", m->md5_attributes);
    } else if (sqs_wire_md5(m, hex)) {
        json_kv_cstr(o, "md5OfMessageAttributes", hex);
    } else if (window) { /* sqs.md 7.3: AWS writes null only then */
        json_key(o, "md5OfMessageAttributes");
        json_null(o);
    }
}

static void put_md5_of_body(struct json_out *o, const struct sqs_message *m)
{
    if (m->md5_body.n) {
        json_kv_str(o, "md5OfBody", m->md5_body);
        return;
    }
    uint8_t hash[MD5_LEN];
    char hex[2 * MD5_LEN + 1];
    digest_md5(m->body, hash);
    digest_hex(hash, sizeof hash, hex);
    json_kv_cstr(o, "md5OfBody", hex);
}

void sqs_event_write(struct buf *out, const struct sqs_message *m, struct slice arn,
                     struct slice region, bool window)
{
    struct json_out o;
    json_out_init(&o, out);
    json_object(&o);
    json_kv_str(&o, "messageId", m->id);
    json_kv_str(&o, "receiptHandle", m->receipt);
    json_kv_str(&o, "body", m->body);
    put_attributes(&o, m);
    put_typed(&o, m);
    put_md5_of_attributes(&o, m, window);
    put_md5_of_body(&o, m);
    json_kv_cstr(&o, "eventSource", "aws:sqs");
    json_kv_str(&o, "eventSourceARN", arn);
    json_kv_str(&o, "awsRegion", region);
    json_end(&o);
}

const char sqs_event_sample[] =
    "{\"Records\":[{\"messageId\":\"059f36b4-87a3-44ab-83d2-661975830a7d\","
    "\"receiptHandle\":\"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a\","
    "\"body\":\"Test message.\","
    "\"attributes\":{\"ApproximateReceiveCount\":\"1\",\"SentTimestamp\":\"1545082649183\","
    "\"SenderId\":\"AIDAIENQZJOLO23YVJ4VO\","
    "\"ApproximateFirstReceiveTimestamp\":\"1545082649185\"},"
    "\"messageAttributes\":{\"colour\":{\"stringValue\":\"red\",\"stringListValues\":[],"
    "\"binaryListValues\":[],\"dataType\":\"String\"}},"
    "\"md5OfMessageAttributes\":\"0410de28095c8c9ede883953e14dac6c\","
    "\"md5OfBody\":\"e4e68fb7bd0e697a0ae8f1bb342846b3\","
    "\"eventSource\":\"aws:sqs\","
    "\"eventSourceARN\":\"arn:aws:sqs:us-east-1:123456789012:my-queue\","
    "\"awsRegion\":\"us-east-1\"}]}";
