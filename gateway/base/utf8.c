/* utf8.c - UTF-8 validity, ASCII eight bytes at a time. */
#include "base/utf8.h"

#include <string.h>

/* How many bytes of p are well-formed so far when read as one sequence; *need is its full length,
 * 0 when the first byte starts none. The second byte's range is what table 3-7 is about. */
static size_t sequence(const unsigned char *p, size_t n, size_t *need)
{
    unsigned char c = p[0], lo = 0x80, hi = 0xBF;
    *need = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    if (*need < 2)
        return *need;
    if (c == 0xE0)
        lo = 0xA0;
    else if (c == 0xED)
        hi = 0x9F;
    else if (c == 0xF0)
        lo = 0x90;
    else if (c == 0xF4)
        hi = 0x8F;
    size_t i = 1;
    for (; i < *need && i < n && p[i] >= lo && p[i] <= hi; i++) {
        lo = 0x80;
        hi = 0xBF;
    }
    return i;
}

size_t utf8_valid_prefix(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0, need;
    while (i < s.n) {
        if (p[i] < 0x80) {
            uint64_t word;
            while (s.n - i >= sizeof word) {
                memcpy(&word, p + i, sizeof word);
                if (word & 0x8080808080808080u)
                    break;
                i += sizeof word;
            }
            while (i < s.n && p[i] < 0x80)
                i++;
            continue;
        }
        if (sequence(p + i, s.n - i, &need) != need || need == 0)
            break;
        i += need;
    }
    return i;
}

size_t utf8_bad_len(struct slice s)
{
    size_t need, good = sequence((const unsigned char *)s.p, s.n, &need);
    return good ? good : 1;
}

bool utf8_valid(struct slice s)
{
    return utf8_valid_prefix(s) == s.n;
}

void utf8_put(struct buf *b, uint32_t cp)
{
    char out[4];
    size_t n = 0;
    if (cp < 0x80) {
        out[n++] = (char)cp;
    } else if (cp < 0x800) {
        out[n++] = (char)(0xC0 | cp >> 6);
    } else if (cp < 0x10000) {
        out[n++] = (char)(0xE0 | cp >> 12);
        out[n++] = (char)(0x80 | (cp >> 6 & 0x3F));
    } else {
        out[n++] = (char)(0xF0 | cp >> 18);
        out[n++] = (char)(0x80 | (cp >> 12 & 0x3F));
        out[n++] = (char)(0x80 | (cp >> 6 & 0x3F));
    }
    if (cp >= 0x80)
        out[n++] = (char)(0x80 | (cp & 0x3F));
    buf_add(b, out, n);
}
