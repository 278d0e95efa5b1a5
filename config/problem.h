/* problem.h - collects everything that is wrong with one file and tells it in file order. */
#ifndef CONFIG_PROBLEM_H
#define CONFIG_PROBLEM_H

#include "base/slice.h"
#include "config/catalog.h"

enum { PROBLEM_MAX_LINES = 50, PROBLEM_MAX_KEPT = 1000 };

struct problem;
struct problems {
    const char *file; /* as the user wrote it; borrowed */
    struct problem *v;
    size_t n, total; /* kept, seen */
};

void problem_init(struct problems *, const char *file);
void problem_free(struct problems *);
/* line 0: the file as a whole. path may be empty. Control characters are shown escaped. */
void problem_add(struct problems *, unsigned line, const char *path, const char *fmt, ...)
    PRINTF(4, 5);
void problem_addv(struct problems *, unsigned line, const char *path, const char *fmt, va_list)
    PRINTF(4, 0);
/* For the problem that was added last: the line of text around byte at, with a caret. */
void problem_excerpt(struct problems *, struct slice text, size_t at);
/* Writes all of them, sorted by line, at most PROBLEM_MAX_LINES and then how many more. */
void problem_report(struct problems *, struct catalog_errors *);

#endif
