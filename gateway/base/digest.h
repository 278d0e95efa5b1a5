/* digest.h - SHA-256, HMAC-SHA-256 and MD5 by OpenSSL, and hex. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/slice.h"

enum { SHA256_LEN = 32, MD5_LEN = 16 };

void digest_sha256(struct slice, uint8_t out[SHA256_LEN]);
void digest_hmac_sha256(struct slice key, struct slice data, uint8_t out[SHA256_LEN]);
void digest_md5(struct slice, uint8_t out[MD5_LEN]);
void digest_hex(const uint8_t *in, size_t n,
                char *out); /* writes 2n characters and NUL, lower case */

#endif
