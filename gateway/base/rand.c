/* rand.c - random numbers from the kernel, fetched 4 KB at a time: a system call for each would
 * cost ten times as much (PITFALLS 5.1). */
#include "base/rand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

/* One cache per thread, so that a stray call from another thread cannot repeat numbers. */
static _Thread_local struct {
    size_t left;
    unsigned char bytes[4096];
} cache;

void rand_bytes(void *out, size_t n)
{
    unsigned char *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno != EINTR)
            abort(); /* a kernel without random numbers: no safe way on */
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

static void take(void *out, size_t n)
{
    if (cache.left < n) {
        rand_bytes(cache.bytes, sizeof cache.bytes);
        cache.left = sizeof cache.bytes;
    }
    memcpy(out, cache.bytes + sizeof cache.bytes - cache.left, n);
    cache.left -= n;
}

uint64_t rand_u64(void)
{
    uint64_t v;
    take(&v, sizeof v);
    return v;
}

void rand_uuid(char out[UUID_LEN + 1])
{
    uuid_t id;
    take(id, sizeof id);
    id[6] = (unsigned char)((id[6] & 0x0F) | 0x40); /* version 4 */
    id[8] = (unsigned char)((id[8] & 0x3F) | 0x80); /* RFC 4122 variant */
    uuid_unparse_lower(id, out);
}
