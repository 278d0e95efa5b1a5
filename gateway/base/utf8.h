/* utf8.h - UTF-8 validity as in Unicode table 3-7: no surrogates, no overlong forms. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

bool utf8_valid(struct slice);
/* Length in bytes of the longest valid prefix. */
size_t utf8_valid_prefix(struct slice);
/* s (not empty) starts with bytes that are not UTF-8: how many of them one U+FFFD replaces. */
size_t utf8_bad_len(struct slice s);
/* Appends code point cp (must be a valid scalar value). */
void utf8_put(struct buf *, uint32_t cp);

#endif
