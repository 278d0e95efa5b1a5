/* http_text.c - text of HTTP that needs no connection: percent escapes, query parameters and the
 * header block of an answer. */
#include "io/http_client.h"
#include "io/http_server.h"

#include <string.h>

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

static bool is_port(struct slice s)
{
    int64_t port;
    return s.n <= 5 && slice_int(s, &port) && port >= 1 && port <= 65535;
}

bool http_base_url(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || strchr("?#@\\\"<>", s.p[i]) != NULL)
            return false;
    size_t scheme = slice_starts(s, "http://") ? 7 : slice_starts(s, "https://") ? 8 : 0;
    if (scheme == 0)
        return false;
    s = slice_from(s, scheme);
    struct slice host = slice_cut(&s, '/');
    const char *close = slice_starts(host, "[") ? memchr(host.p, ']', host.n) : NULL;
    const char *colon = memchr(host.p, ':', host.n);
    const char *end = close != NULL ? close + 1 : colon != NULL ? colon : host.p + host.n;
    size_t n = (size_t)(end - host.p);
    struct slice port = slice_from(host, n);
    return n > 0 && (port.n == 0 || (port.p[0] == ':' && is_port(slice_from(port, 1))));
}

struct slice http_call_header(const struct http_call *call, const char *name)
{
    struct slice rest = buf_slice(&call->response_headers), found = SLICE_NONE;
    while (rest.n > 0) {
        struct slice value = slice_cut(&rest, '\n');
        struct slice key = slice_cut(&value, ':');
        if (slice_is_ci(key, name))
            found = slice_trim(value);
    }
    return found;
}

void http_call_clear(struct http_call *call)
{
    buf_free(&call->response);
    buf_free(&call->response_headers);
}
