/* pattern_text.h - strings of a pattern and the texts about them; only for pattern_json.c. */
#ifndef ENGINE_PATTERN_TEXT_H
#define ENGINE_PATTERN_TEXT_H

#include "engine/pattern_json.h"

/* j->at is behind the opening quote: reads up to behind the closing one. where: what a control
 * character must not stand in; end: what is said when the text ends before. */
bool pattern_text_read(struct pattern_json *, const char *where, const char *end,
                       struct slice *out) MUST_CHECK;

/* The character that s (not empty, valid UTF-8) begins with: `'x' (code 120)`. */
struct pattern_shown pattern_text_char(struct slice s);

#endif
