/* rand.h - random numbers and UUIDs from the system. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include "base/base.h"

enum { UUID_LEN = 36 };

uint64_t rand_u64(void); /* from a cache of getrandom bytes; loop thread only */
void rand_bytes(void *out, size_t n);
void rand_uuid(char out[UUID_LEN + 1]); /* version 4, lower case */

#endif
