/* fuzz_criteria.c - FilterCriteria against records of every kind of source: a byte that chooses the
 * source, a pattern, a line end, the data. */
#include "base/base64.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "engine/criteria.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct criteria_data kinds[] = {
    {.key = "body"},
    {.key = "data", .path = "kinesis.data", .base64 = true, .object_only = true},
    {.key = "dynamodb", .parsed = true, .object_only = true},
    {.key = "value", .base64 = true, .lenient = true},
};

/* The member that holds the data: text, base64 of it, or JSON; none when it is no JSON. */
static void put_data(struct json_out *o, const struct criteria_data *kind, struct slice data)
{
    size_t at;
    struct buf coded;
    buf_init(&coded, 1 << 20);
    if (kind->parsed && json_valid(data, &at)) {
        json_key(o, kind->key);
        json_raw(o, data);
    } else if (kind->base64 && base64_encode(&coded, data)) {
        json_kv_str(o, kind->key, buf_slice(&coded));
    } else if (!kind->parsed) {
        json_kv_str(o, kind->key, data);
    }
    buf_free(&coded);
}

static void put_record(struct buf *out, const struct criteria_data *kind, struct slice data)
{
    struct json_out o;
    json_out_init(&o, out);
    json_object(&o);
    json_kv_cstr(&o, "messageId", "m");
    if (kind->path != NULL) {
        json_key(&o, "kinesis");
        json_object(&o);
        put_data(&o, kind, data);
        json_end(&o);
    } else {
        put_data(&o, kind, data);
    }
    json_end(&o);
}

static void ask(struct criteria *c, struct slice record)
{
    struct buf why;
    buf_init(&why, 1 << 20);
    bool passes = criteria_pass(c, record, &why);
    assert(passes == criteria_pass(c, record, NULL));
    assert((why.n == 0) == passes);
    buf_free(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const struct criteria_data *kind = &kinds[data[0] % ARRAY_LEN(kinds)];
    struct slice rest = {(const char *)data + 1, size - 1};
    struct slice patterns[] = {slice_cut(&rest, '\n'), SLICE("{\"messageId\":[\"n\"]}")};
    struct criteria *c = criteria_new(kind, patterns, 1 + (data[0] >> 7), NULL);
    if (c == NULL)
        return 0;
    struct buf record, out;
    buf_init(&record, 1 << 24);
    buf_init(&out, 1 << 16);
    put_record(&record, kind, rest);
    ask(c, buf_slice(&record));
    ask(c, SLICE("{\"messageId\":\"m\"}"));
    ask(c, rest); /* no record at all */
    criteria_warnings(c, &out);
    buf_free(&out);
    buf_free(&record);
    criteria_free(c);
    return 0;
}
