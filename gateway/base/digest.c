/* digest.c - hashes by OpenSSL; algorithms are fetched once, because looking them up costs more
 * than hashing a short text. */
#include "base/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SHA256_BLOCK = 64 };

static EVP_MD *sha256, *md5;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    md5 = EVP_MD_fetch(NULL, "MD5", NULL);
}

/* Hash of a followed by b. The library fails only without memory or without the algorithm. */
static void digest(EVP_MD *const *md, struct slice a, struct slice b, uint8_t *out)
{
    pthread_once(&fetched, fetch);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || !*md || !EVP_DigestInit_ex(ctx, *md, NULL) || !EVP_DigestUpdate(ctx, a.p, a.n) ||
        !EVP_DigestUpdate(ctx, b.p, b.n) || !EVP_DigestFinal_ex(ctx, out, NULL))
        abort();
    EVP_MD_CTX_free(ctx);
}

void digest_sha256(struct slice s, uint8_t out[SHA256_LEN])
{
    digest(&sha256, s, SLICE_NONE, out);
}

void digest_md5(struct slice s, uint8_t out[MD5_LEN])
{
    digest(&md5, s, SLICE_NONE, out);
}

/* RFC 2104 by hand: OpenSSL's HMAC fetches its algorithms anew for each call. */
void digest_hmac_sha256(struct slice key, struct slice data, uint8_t out[SHA256_LEN])
{
    uint8_t block[SHA256_BLOCK] = {0}, inner[SHA256_LEN];
    if (key.n > sizeof block)
        digest_sha256(key, block);
    else if (key.n)
        memcpy(block, key.p, key.n);
    const struct slice pad = {(const char *)block, sizeof block};
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36;
    digest(&sha256, pad, data, inner);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36 ^ 0x5c;
    digest(&sha256, pad, (struct slice){(const char *)inner, sizeof inner}, out);
}

void digest_hex(const uint8_t *in, size_t n, char *out)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *out++ = hex[in[i] >> 4];
        *out++ = hex[in[i] & 15];
    }
    *out = '\0';
}
