/* base64.h - standard alphabet with padding (RFC 4648 section 4). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

size_t base64_encoded_len(size_t n);
bool base64_encode(struct buf *out, struct slice in); /* false: out is full */
bool base64_decode(struct buf *out,
                   struct slice in) MUST_CHECK; /* strict: no blanks, right padding */

#endif
