/* excerpt.h - the line of a text that something is wrong with, and a caret under the character. */
#ifndef BASE_EXCERPT_H
#define BASE_EXCERPT_H

#include "base/buf.h"

/* Appends two lines: "  3 | the line of text", at most about 120 columns of it, and a caret under
 * the character at byte at (clamped to the end). Characters of two columns and none are counted as
 * terminals do; tabs become blanks; what could harm a terminal and what is not UTF-8 becomes
 * U+FFFD. */
void excerpt_put(struct buf *out, struct slice text, size_t at);

/* Appends text, its lines kept, without what could harm a terminal; no more than max bytes of it,
 * "…" for the rest. */
void excerpt_safe(struct buf *out, struct slice text, size_t max);

#endif
