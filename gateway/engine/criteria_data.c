/* criteria_data.c - finds the data of a record in its JSON, undoes escapes and base64, and says
 * what kind of thing it is. */
#include "engine/criteria_data.h"

#include "base/base64.h"
#include "base/json_in.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include <string.h>

enum { SCRATCH_MAX_BYTES = 128 * 1024 * 1024, SCRATCH_KEPT_BYTES = 1024 * 1024 };

/* The value of a member of the object at p; of a name that stands there twice, the first. */
static bool find_member(struct slice object, struct slice name, struct slice *value)
{
    struct json_scan s;
    struct slice key;
    bool escapes, more = true;
    json_scan_init(&s, object);
    json_scan_blanks(&s);
    if (s.p == s.end || *s.p != '{' || !json_scan_open(&s) || json_scan_empty(&s))
        return false;
    while (more) {
        if (!json_scan_name(&s, &key, &escapes))
            return false;
        const char *begin = s.p;
        if (!json_scan_value(&s))
            return false;
        *value = (struct slice){begin, (size_t)(s.p - begin)};
        if (slice_eq(key, name))
            return true;
        if (!json_scan_comma(&s, &more))
            return false;
    }
    return false;
}

static bool find(struct slice record, const char *path, struct slice *value)
{
    *value = record;
    for (struct slice rest = slice_of(path); rest.n > 0;)
        if (!find_member(*value, slice_cut(&rest, '.'), value))
            return false;
    return true;
}

/* raw: what stands between the quotes. */
static struct slice unescape(struct buf *out, struct slice raw)
{
    if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL)
        return raw;
    if (!buf_reserve(out, raw.n))
        return SLICE_NONE;
    out->n = json_scan_unescape(raw, out->p);
    out->p[out->n] = '\0';
    return buf_slice(out);
}

/* ---- what it is ---- */

void criteria_data_init(struct criteria_scratch *s)
{
    buf_init(&s->unescaped, SCRATCH_MAX_BYTES);
    buf_init(&s->decoded, SCRATCH_MAX_BYTES);
}

void criteria_data_free(struct criteria_scratch *s)
{
    buf_free(&s->unescaped);
    buf_free(&s->decoded);
}

static void shrink(struct buf *b)
{
    if (b->cap > SCRATCH_KEPT_BYTES)
        buf_free(b);
    buf_clear(b);
}

static char first_of(struct slice text)
{
    text = slice_trim(text);
    return text.n > 0 ? *text.p : '\0';
}

static struct criteria_value judge(struct slice text)
{
    size_t at;
    char c = first_of(text);
    struct criteria_value v = {CRITERIA_TEXT, text};
    if ((c == '{' || c == '[') && json_valid(text, &at))
        v.kind = CRITERIA_JSON;
    else if (!utf8_valid(text))
        v.kind = CRITERIA_BINARY;
    return v;
}

struct criteria_value criteria_data_find(struct criteria_scratch *s,
                                         const struct criteria_data *data, struct slice record)
{
    struct slice raw;
    shrink(&s->unescaped);
    shrink(&s->decoded);
    if (!find(record, data->path != NULL ? data->path : data->key, &raw) || slice_is(raw, "null"))
        return (struct criteria_value){CRITERIA_ABSENT, SLICE_NONE};
    if (data->parsed)
        return (struct criteria_value){CRITERIA_JSON, raw};
    if (raw.n < 2 || raw.p[0] != '"')
        return judge(raw);
    struct slice text = unescape(&s->unescaped, (struct slice){raw.p + 1, raw.n - 2});
    if (!data->base64)
        return judge(text);
    if (!base64_decode(&s->decoded, text))
        return (struct criteria_value){CRITERIA_BINARY, SLICE_NONE};
    return judge(buf_slice(&s->decoded));
}
