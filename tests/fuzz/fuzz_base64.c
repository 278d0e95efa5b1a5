/* fuzz_base64.c - any bytes against base64: what decodes must encode to the same text, and what was
 * encoded must decode to the same bytes. */
#include "base/base64.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice raw = {(const char *)data, n};
    struct buf once, twice;
    buf_init(&once, base64_encoded_len(n));
    buf_init(&twice, base64_encoded_len(n));
    if (base64_decode(&once, raw)) {
        require(base64_encode(&twice, buf_slice(&once)));
        require(slice_eq(buf_slice(&twice), raw));
    } else {
        require(once.n == 0 && !once.full);
    }
    buf_clear(&once);
    buf_clear(&twice);
    require(base64_encode(&once, raw) && once.n == base64_encoded_len(n));
    require(base64_decode(&twice, buf_slice(&once)));
    require(slice_eq(buf_slice(&twice), raw));
    buf_free(&once);
    buf_free(&twice);
    return 0;
}
