/* error.h - why something could not start; traffic uses enum outcome instead (engine/sink.h). */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"

enum error_code { ERROR_NONE, ERROR_CONFIG, ERROR_SYSTEM, ERROR_LIMIT, ERROR_FORMAT, ERROR_STORE };

struct error {
    enum error_code code;
    int sys; /* errno, or 0 */
    char text[512];
};

/* Fills *err (which may be NULL) and returns false, so that `return error_set(…)` reads well. */
bool error_set(struct error *err, enum error_code code, const char *fmt, ...) PRINTF(3, 4);
/* The same with errno's text appended. */
bool error_sys(struct error *err, const char *fmt, ...) PRINTF(2, 3);

#endif
