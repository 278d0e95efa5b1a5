/* queue_head.c - the head of a message as bytes: version, time, lengths, texts. */
#include "engine/queue_head.h"

#include <string.h>

enum { VERSION = 1, FIXED = 1 + 8 + 4 * QUEUE_HEAD_FIELDS };

size_t queue_head_size(const struct queue_head *h)
{
    size_t n = FIXED;
    for (size_t i = 0; i < QUEUE_HEAD_FIELDS; i++)
        n += h->fields[i].n;
    return n;
}

size_t queue_head_write(const struct queue_head *h, char *out)
{
    char *text = out + FIXED;
    out[0] = VERSION;
    memcpy(out + 1, &h->sent_ms, 8);
    for (size_t i = 0; i < QUEUE_HEAD_FIELDS; i++) {
        uint32_t n = (uint32_t)h->fields[i].n;
        memcpy(out + 9 + 4 * i, &n, 4);
        if (n > 0)
            memcpy(text, h->fields[i].p, n);
        text += n;
    }
    return (size_t)(text - out);
}

bool queue_head_read(struct slice bytes, struct queue_head *out)
{
    if (bytes.n < FIXED || bytes.p[0] != VERSION)
        return false;
    memcpy(&out->sent_ms, bytes.p + 1, 8);
    size_t at = FIXED;
    for (size_t i = 0; i < QUEUE_HEAD_FIELDS; i++) {
        uint32_t n;
        memcpy(&n, bytes.p + 9 + 4 * i, 4);
        if (n > bytes.n - at)
            return false;
        out->fields[i] = (struct slice){bytes.p + at, n};
        at += n;
    }
    return at == bytes.n;
}
