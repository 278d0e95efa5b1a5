/* http_text.c - text of HTTP that needs no connection: percent escapes and query parameters. */
#include "io/http_server.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_percent_decode(struct slice s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            buf_char(out, s.p[i]);
            continue;
        }
        int high = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s.p[i + 2]) : -1;
        if (low < 0)
            return false;
        buf_char(out, (char)(high << 4 | low));
        i += 2;
    }
    return !out->full;
}

bool http_query_get(struct slice query, const char *name, struct buf *out)
{
    while (query.n > 0) {
        struct slice value = slice_cut(&query, '&');
        struct slice key = slice_cut(&value, '=');
        struct buf decoded;
        buf_init(&decoded, key.n);
        bool found = http_percent_decode(key, &decoded) && slice_is(buf_slice(&decoded), name);
        buf_free(&decoded);
        if (found)
            return http_percent_decode(value, out);
    }
    return false;
}
