/* base64.c - RFC 4648 section 4, strictly. */
#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { NO = 0x80 };
#define NO4  NO, NO, NO, NO
#define NO16 NO4, NO4, NO4, NO4
static const uint8_t values[256] = {
    NO16, NO16,                                                          /* 0x00 */
    NO4,  NO4,  NO,   NO,   NO,   62,   NO,   NO,   NO, 63,              /* 0x20: + and / */
    52,   53,   54,   55,   56,   57,   58,   59,   60, 61, NO, NO, NO4, /* 0x30: digits */
    NO,   0,    1,    2,    3,    4,    5,    6,    7,  8,  9,  10, 11,  12, 13, 14, /* 0x40: A-O */
    15,   16,   17,   18,   19,   20,   21,   22,   23, 24, 25, NO, NO4,             /* 0x50: P-Z */
    NO,   26,   27,   28,   29,   30,   31,   32,   33, 34, 35, 36, 37,  38, 39, 40, /* 0x60: a-o */
    41,   42,   43,   44,   45,   46,   47,   48,   49, 50, 51, NO, NO4,             /* 0x70: p-z */
    NO16, NO16, NO16, NO16, NO16, NO16, NO16, NO16,                                  /* 0x80 */
};

size_t base64_encoded_len(size_t n)
{
    return (n / 3 + (n % 3 != 0)) * 4;
}

bool base64_encode(struct buf *out, struct slice in)
{
    size_t len = base64_encoded_len(in.n);
    if (!buf_reserve(out, len))
        return false;
    if (in.n == 0)
        return true;
    const uint8_t *p = (const uint8_t *)in.p;
    char *q = out->p + out->n;
    size_t i = 0;
    for (; in.n - i >= 3; i += 3, q += 4) {
        uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
        q[0] = alphabet[v >> 18];
        q[1] = alphabet[v >> 12 & 63];
        q[2] = alphabet[v >> 6 & 63];
        q[3] = alphabet[v & 63];
    }
    if (i < in.n) {
        bool two = in.n - i == 2;
        uint32_t v = (uint32_t)p[i] << 16 | (two ? (uint32_t)p[i + 1] << 8 : 0);
        q[0] = alphabet[v >> 18];
        q[1] = alphabet[v >> 12 & 63];
        q[2] = two ? alphabet[v >> 6 & 63] : '=';
        q[3] = '=';
    }
    out->n += len;
    out->p[out->n] = '\0';
    return true;
}

/* The last four characters, which may be padded; bits that no byte uses must be zero. Returns how
 * many bytes they stand for, 0: not base64. */
static size_t decode_last(const uint8_t *p, uint8_t out[3])
{
    size_t n = p[3] != '=' ? 3 : p[2] != '=' ? 2 : 1;
    uint8_t a = values[p[0]], b = values[p[1]];
    uint8_t c = n >= 2 ? values[p[2]] : 0, d = n == 3 ? values[p[3]] : 0;
    if ((a | b | c | d) & NO)
        return 0;
    uint32_t v = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | d;
    out[0] = (uint8_t)(v >> 16);
    out[1] = (uint8_t)(v >> 8);
    out[2] = (uint8_t)v;
    if ((n == 1 && (v & 0xFFFF)) || (n == 2 && (v & 0xFF)))
        return 0;
    return n;
}

bool base64_decode(struct buf *out, struct slice in)
{
    if (in.n == 0)
        return true;
    if (in.n % 4)
        return false;
    const uint8_t *p = (const uint8_t *)in.p, *last = p + in.n - 4;
    uint8_t end[3], bad = 0;
    size_t n = in.n / 4 * 3 - 3, n_end = decode_last(last, end);
    if (n_end == 0 || !buf_reserve(out, n + n_end))
        return false;
    uint8_t *q = (uint8_t *)out->p + out->n;
    for (; p < last; p += 4, q += 3) {
        uint8_t a = values[p[0]], b = values[p[1]], c = values[p[2]], d = values[p[3]];
        uint32_t v = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | d;
        bad |= a | b | c | d;
        q[0] = (uint8_t)(v >> 16);
        q[1] = (uint8_t)(v >> 8);
        q[2] = (uint8_t)v;
    }
    memcpy(q, end, n_end);
    if (!(bad & NO))
        out->n += n + n_end;
    out->p[out->n] = '\0';
    return !(bad & NO);
}
