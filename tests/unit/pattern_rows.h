/* pattern_rows.h - patterns that must be refused, row by row: with which text, and where. */
#ifndef TESTS_PATTERN_ROWS_H
#define TESTS_PATTERN_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/pattern.h"
#include <string.h>

enum { LIMIT = 64 * 1024 };

struct row {
    const char *pattern, *text;
    unsigned column; /* 0: EventBridge tells no place */
    size_t at;
};

static inline void refuses(const struct row *row)
{
    struct pattern_error err;
    memset(&err, 0xAA, sizeof err);
    struct pattern *p = pattern_new(slice_of(row->pattern), LIMIT, &err);
    if (p)
        fail_msg("taken: %s", row->pattern);
    if (strcmp(err.text, row->text) != 0 || err.column != row->column || err.at != row->at ||
        err.line != (row->column ? 1 : 0))
        fail_msg("%s: \"%s\" %u:%u at %zu", row->pattern, err.text, err.line, err.column, err.at);
}

static inline void refuse_all(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        refuses(&rows[i]);
}

#endif
