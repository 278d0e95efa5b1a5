/* timefmt.h - time as text and back; all times are unix milliseconds, UTC. */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H

#include "base/slice.h"

enum { TIMEFMT_MAX = 40 }; /* room for any of these, NUL included */

void timefmt_iso(int64_t unix_ms, char out[TIMEFMT_MAX]);  /* 2026-11-21T10:15:18.123Z */
void timefmt_amz(int64_t unix_ms, char out[TIMEFMT_MAX]);  /* 20261121T101518Z */
void timefmt_http(int64_t unix_ms, char out[TIMEFMT_MAX]); /* Sat, 21 Nov 2026 10:15:18 GMT */
/* "250ms", "20s", "5m", "1h", "1d"; a bare number is seconds. */
bool timefmt_duration(struct slice, int64_t *out_ms) MUST_CHECK;

#endif
