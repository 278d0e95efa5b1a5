/* fuzz_http_text.c - any bytes as percent escapes, as a query and as a header block: results stay
 * inside the input, and what was decoded survives being escaped and decoded again. */
#include "io/http_client.h"
#include "io/http_server.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void try_escapes(struct slice text)
{
    struct buf once, escaped, twice;
    buf_init(&once, text.n);
    buf_init(&escaped, 3 * text.n);
    buf_init(&twice, text.n);
    if (http_percent_decode(text, &once)) {
        require(once.n <= text.n);
        for (size_t i = 0; i < once.n; i++)
            buf_printf(&escaped, "%%%02x", (unsigned char)once.p[i]);
        require(http_percent_decode(buf_slice(&escaped), &twice));
        require(slice_eq(buf_slice(&once), buf_slice(&twice)));
    }
    buf_free(&once);
    buf_free(&escaped);
    buf_free(&twice);
}

static void try_query(struct slice text)
{
    static const char *const names[] = {"a", "Marker", "x y", ""};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct buf value;
        buf_init(&value, text.n);
        if (http_query_get(text, names[i], &value))
            require(value.n <= text.n);
        buf_free(&value);
    }
}

static void try_headers(struct slice text)
{
    struct http_call call = {.status = 200};
    buf_init(&call.response_headers, text.n + 1);
    buf_put(&call.response_headers, text);
    struct slice v = http_call_header(&call, "a");
    const char *begin = call.response_headers.p, *end = begin + call.response_headers.n;
    require(v.n == 0 || (v.p >= begin && v.p + v.n <= end && memchr(v.p, '\n', v.n) == NULL));
    http_call_clear(&call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice text = {(const char *)data, n};
    try_escapes(text);
    try_query(text);
    try_headers(text);
    return 0;
}
