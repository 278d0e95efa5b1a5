/* option.h - the one schema: a table that maps configuration members to the fields of a struct.
 * config/option.c reads values by it; help, reference and error texts are printed from it. Where a
 * member is not in the table of its object, it is refused by name. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/slice.h"

enum option_type {
    OPTION_INT,      /* int64_t */
    OPTION_BOOL,     /* bool */
    OPTION_STRING,   /* const char *, NULL when absent and without default */
    OPTION_DURATION, /* int64_t, milliseconds; "20s" */
    OPTION_CHOICE,   /* int64_t, index into choices */
    OPTION_LIST,     /* struct option_list of strings; a single scalar is a list of one */
    OPTION_MAP,      /* struct option_map, name to scalar text */
    OPTION_FILTERS,  /* struct option_list of the patterns in {Filters: [{Pattern: …}]} */
};

struct option_list {
    const char **v;
    size_t n;
};

struct option_map {
    const char **names, **values;
    size_t n;
};

enum option_flag {
    OPTION_SECRET = 1 << 0,   /* never printed */
    OPTION_REQUIRED = 1 << 1, /* an error when absent */
    OPTION_X = 1 << 2,        /* our extension, no AWS word: the reference marks it x */
    OPTION_PATH = 1 << 3,     /* a file path: relative to the configuration file */
    OPTION_SELECTS = 1 << 5, /* of a function backend: this member's presence chooses the backend */
    OPTION_UNSET = 1 << 4,   /* OPTION_INT may be absent and is then -1 */
};

struct option {
    const char
        *name; /* AWS's; members of nested objects with dots: "ScalingConfig.MaximumConcurrency" */
    enum option_type type;
    size_t offset;
    const char *dflt; /* as text; NULL: 0, false, NULL, empty */
    int64_t min, max;
    const char *const *choices; /* CHOICE, and the allowed strings of a LIST; NULL-terminated */
    unsigned flags;
    const char *doc; /* one sentence */
};

/* offsetof that refuses to compile when the field has another type */
#define OPTION_FIELD(S, f, T)                                                                      \
    (offsetof(S, f) + 0 * sizeof(char[_Generic(((S *)0)->f, T : 1, default : -1)]))

#define OPT_INT(S, f, name, dflt, lo, hi, flags, doc)                                              \
    {                                                                                              \
        (name), OPTION_INT, OPTION_FIELD(S, f, int64_t), (dflt), (lo), (hi), NULL, (flags), (doc)  \
    }
#define OPT_BOOL(S, f, name, dflt, flags, doc)                                                     \
    {                                                                                              \
        (name), OPTION_BOOL, OPTION_FIELD(S, f, bool), (dflt), 0, 0, NULL, (flags), (doc)          \
    }
#define OPT_STRING(S, f, name, dflt, flags, doc)                                                   \
    {                                                                                              \
        (name), OPTION_STRING, OPTION_FIELD(S, f, const char *), (dflt), 0, 0, NULL, (flags),      \
            (doc)                                                                                  \
    }
#define OPT_DURATION(S, f, name, dflt, lo, hi, flags, doc)                                         \
    {                                                                                              \
        (name), OPTION_DURATION, OPTION_FIELD(S, f, int64_t), (dflt), (lo), (hi), NULL, (flags),   \
            (doc)                                                                                  \
    }
#define OPT_CHOICE(S, f, name, dflt, choices, flags, doc)                                          \
    {                                                                                              \
        (name), OPTION_CHOICE, OPTION_FIELD(S, f, int64_t), (dflt), 0, 0, (choices), (flags),      \
            (doc)                                                                                  \
    }
#define OPT_LIST(S, f, name, choices, flags, doc)                                                  \
    {                                                                                              \
        (name), OPTION_LIST, OPTION_FIELD(S, f, struct option_list), NULL, 0, 0, (choices),        \
            (flags), (doc)                                                                         \
    }
#define OPT_MAP(S, f, name, flags, doc)                                                            \
    {                                                                                              \
        (name), OPTION_MAP, OPTION_FIELD(S, f, struct option_map), NULL, 0, 0, NULL, (flags),      \
            (doc)                                                                                  \
    }
#define OPT_FILTERS(S, f, name, most, flags, doc)                                                  \
    {                                                                                              \
        (name), OPTION_FILTERS, OPTION_FIELD(S, f, struct option_list), NULL, 0, (most), NULL,     \
            (flags), (doc)                                                                         \
    }
#define OPT_END                                                                                    \
    {                                                                                              \
        NULL, OPTION_INT, 0, NULL, 0, 0, NULL, 0, NULL                                             \
    }

#endif
