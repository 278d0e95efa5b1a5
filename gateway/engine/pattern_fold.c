/* pattern_fold.c - simple case folding of UTF-8. */
#include "engine/pattern.h"
#include "engine/pattern_fold_table.h"

static uint32_t fold_char(uint32_t cp)
{
    size_t low = 0, high = ARRAY_LEN(pattern_fold_ranges);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct pattern_fold_range *range = &pattern_fold_ranges[mid];
        if (cp < range->first)
            high = mid;
        else if (cp > range->last)
            low = mid + 1;
        else
            return (cp - range->first) % range->step ? cp : cp + (uint32_t)range->delta;
    }
    return cp;
}

/* Length of the sequence at p, or 1 when the bytes are none; *cp is 0 then. */
static size_t decode(const unsigned char *p, size_t left, uint32_t *cp)
{
    size_t n = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : *p >= 0xC2 ? 2 : 1;
    *cp = 0;
    if (n == 1 || n > left)
        return 1;
    uint32_t value = *p & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 1;
        value = value << 6 | (p[i] & 0x3Fu);
    }
    *cp = value;
    return n;
}

static size_t encode(uint32_t cp, char *out)
{
    size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    if (n == 1) {
        *out = (char)cp;
        return 1;
    }
    for (size_t i = n - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3F));
    out[0] = (char)(0xF00u >> n | cp);
    return n;
}

size_t pattern_fold(struct slice in, char *out)
{
    size_t n = 0, len;
    for (size_t i = 0; i < in.n; i += len) {
        unsigned char c = (unsigned char)in.p[i];
        len = 1;
        if (c < 0x80) {
            out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
            continue;
        }
        uint32_t cp, folded;
        len = decode((const unsigned char *)in.p + i, in.n - i, &cp);
        folded = cp ? fold_char(cp) : 0;
        if (folded != cp) {
            n += encode(folded, out + n);
            continue;
        }
        for (size_t k = 0; k < len; k++)
            out[n++] = in.p[i + k];
    }
    return n;
}
