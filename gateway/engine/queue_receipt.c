/* queue_receipt.c - receipt handles: which receive of which message, and a keyed hash of it. */
#include "engine/queue_receipt.h"

#include "base/base64.h"
#include "base/digest.h"
#include <stdio.h>
#include <string.h>

enum {
    VERSION = 1,
    PLAIN = 20,           /* version, three of padding, owner, takes, sequence */
    BYTES = PLAIN + 16,   /* and two hashes */
    TEXT = BYTES / 3 * 4, /* in base64 */
};
enum { TWEAK_RECEIPT = 1, TWEAK_ID = 3 };

static uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void sip_rounds(uint64_t v[4], int n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] = rotl(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] = rotl(v[2], 32);
    }
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

uint64_t queue_receipt_hash(const uint64_t secret[2], uint64_t tweak, const void *p, size_t n)
{
    uint64_t v[4] = {secret[0] ^ 0x736f6d6570736575u, secret[1] ^ 0x646f72616e646f6du,
                     secret[0] ^ 0x6c7967656e657261u, secret[1] ^ 0x7465646279746573u};
    const char *bytes = p;
    uint64_t word = (uint64_t)n << 56;
    sip_word(v, tweak);
    for (; n >= 8; n -= 8, bytes += 8) {
        uint64_t eight;
        memcpy(&eight, bytes, 8);
        sip_word(v, eight);
    }
    uint64_t tail = 0;
    if (n > 0)
        memcpy(&tail, bytes, n);
    sip_word(v, word | tail);
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void seal(const uint64_t secret[2], char bytes[BYTES])
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t hash = queue_receipt_hash(secret, TWEAK_RECEIPT + i, bytes, PLAIN);
        memcpy(bytes + PLAIN + i * 8, &hash, 8);
    }
}

void queue_receipt_write(const uint64_t secret[2], const struct queue_receipt *r,
                         char out[QUEUE_RECEIPT_ROOM])
{
    char bytes[BYTES] = {VERSION};
    memcpy(bytes + 4, &r->owner, 4);
    memcpy(bytes + 8, &r->takes, 4);
    memcpy(bytes + 12, &r->seq, 8);
    seal(secret, bytes);
    struct buf b;
    buf_init(&b, QUEUE_RECEIPT_ROOM);
    (void)base64_encode(&b, (struct slice){bytes, sizeof bytes});
    memcpy(out, b.p, b.n + 1);
    buf_free(&b);
}

bool queue_receipt_read(const uint64_t secret[2], struct slice text, struct queue_receipt *out)
{
    if (text.n != TEXT)
        return false;
    char bytes[BYTES], sealed[BYTES];
    struct buf b;
    buf_init(&b, QUEUE_RECEIPT_ROOM);
    bool ok = base64_decode(&b, text) && b.n == sizeof bytes;
    if (ok)
        memcpy(bytes, b.p, sizeof bytes);
    buf_free(&b);
    if (!ok || bytes[0] != VERSION)
        return false;
    memcpy(sealed, bytes, sizeof sealed);
    seal(secret, sealed);
    uint8_t differs = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        differs |= (uint8_t)(bytes[i] ^ sealed[i]);
    memcpy(&out->owner, bytes + 4, 4);
    memcpy(&out->takes, bytes + 8, 4);
    memcpy(&out->seq, bytes + 12, 8);
    return differs == 0;
}

void queue_receipt_message_id(const uint64_t secret[2], uint64_t id, char out[QUEUE_ID_ROOM])
{
    uint8_t bytes[16];
    char hex[33];
    for (unsigned i = 0; i < 2; i++) {
        uint64_t hash = queue_receipt_hash(secret, TWEAK_ID + i, &id, sizeof id);
        memcpy(bytes + i * 8, &hash, 8);
    }
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    digest_hex(bytes, sizeof bytes, hex);
    (void)snprintf(out, QUEUE_ID_ROOM, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
}
