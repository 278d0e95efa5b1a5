/* fuzz_json_in.c - any bytes against the JSON reader: the validator and the tree must agree, and
 * what the tree says must survive being written and read again. */
#include "base/buf.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* Depth is bounded by the reader's 200, which is more than the writer's. */
static void write_again(struct json_out *o, const struct json *j)
{
    int64_t v;
    switch (json_type(j)) {
    case JSON_NULL:
        json_null(o);
        break;
    case JSON_BOOL:
        json_bool(o, json_true(j));
        break;
    case JSON_NUMBER:
        if (json_int(j, &v))
            json_i64(o, v);
        else
            json_double(o, json_num(j, 0));
        break;
    case JSON_STRING:
        require(utf8_valid(json_text(j)));
        json_str(o, json_text(j));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        if (o->depth == JSON_OUT_DEPTH) {
            json_null(o);
            break;
        }
        if (json_type(j) == JSON_ARRAY)
            json_array(o);
        else
            json_object(o);
        for (const struct json *m = json_first(j); m; m = json_after(m)) {
            if (json_type(j) == JSON_OBJECT)
                json_key_slice(o, json_name(m));
            write_again(o, m);
        }
        json_end(o);
    }
}

static void require_same(const struct json *a, const struct json *b, unsigned depth)
{
    if (depth > JSON_OUT_DEPTH)
        return;
    require(json_type(a) == json_type(b) || depth == JSON_OUT_DEPTH);
    require(slice_eq(json_name(a), json_name(b)));
    require(slice_eq(json_text(a), json_text(b)));
    require(json_num(a, 0) == json_num(b, 0) && json_true(a) == json_true(b));
    const struct json *x = json_first(a), *y = json_first(b);
    for (; x && y; x = json_after(x), y = json_after(y))
        require_same(x, y, depth + 1);
    require((!x && !y) || depth == JSON_OUT_DEPTH);
}

/* Raw bytes as a string: always valid, and the same text when they were text. */
static void write_bytes(struct slice raw)
{
    struct buf b;
    struct json_out o;
    buf_init(&b, 8 * raw.n + 16);
    json_out_init(&o, &b);
    json_str(&o, raw);
    struct json *again = json_parse(buf_slice(&b), b.n, NULL);
    bool has_nul = raw.n && memchr(raw.p, 0, raw.n);
    require(again != NULL || has_nul);
    if (again && utf8_valid(raw))
        require(slice_eq(json_text(again), raw));
    json_free(again);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice raw = {(const char *)data, n};
    size_t at = 0;
    bool valid = json_valid(raw, &at);
    struct json *root = json_parse(raw, n, NULL);
    require(at <= n);
    require(valid || !root);
    write_bytes(raw);
    if (!root) {
        /* Only a NUL, a lone surrogate or a giant number keeps valid JSON from being a tree. */
        require(!valid || memmem(data, n, "\\u", 2) || n > 63);
        return 0;
    }
    struct buf b;
    struct json_out o;
    buf_init(&b, 64 * n + 64);
    json_out_init(&o, &b);
    write_again(&o, root);
    require(!b.full);
    struct json *again = json_parse(buf_slice(&b), b.n, NULL);
    require(again != NULL);
    require_same(root, again, 0);
    json_free(again);
    buf_free(&b);
    json_free(root);
    return 0;
}
