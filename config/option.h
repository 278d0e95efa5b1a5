/* option.h - reads the members of a mapping into a struct by its option table, and prints tables.
 * The tables themselves: base/option.h. */
#ifndef CONFIG_OPTION_H
#define CONFIG_OPTION_H

#include "base/json_out.h"
#include "base/option.h"
#include "config/yaml.h"

enum { OPTION_SECRET_MAX_BYTES = 64 * 1024 };

struct option_context {
    struct arena *arena; /* values, and what they point to, live here */
    struct problems *problems;
    const char *base_dir; /* absolute; OPTION_PATH and file: are relative to it */
    bool no_files;        /* file: of secrets is not opened (fuzzing) */
    bool aws;             /* limits are told in AWS's words, but for members with OPTION_X */
};

/* Fills object: members that mapping has (NULL: none), defaults for the others. Members that the
 * table does not have are not looked at. False: something was wrong and is reported. */
bool option_apply(const struct option_context *, const struct option *table, void *object,
                  const struct yaml_node *mapping);

/* option_filters.c: FilterCriteria. False: reported, and a pattern that is none is NULL.
 * The patterns' JSON is not looked into. */
bool option_set_filters(const struct option_context *, const struct option *,
                        const struct yaml_node *, struct option_list *);
/* Where the pattern of Filters[i] stands. */
const struct yaml_node *option_filter_node(const struct yaml_node *criteria, size_t i);

/* The members that are allowed in one mapping, and why others are not. */
struct option_members {
    const struct option *const *tables; /* NULL-terminated */
    const char *const *others;          /* further names; NULL-terminated, may be NULL */
    /* Why a top-level member cannot be used though it exists somewhere; NULL: unknown. */
    const char *(*refusal)(const void *ctx, struct slice name, struct arena *);
    const void *ctx;
};
/* Reports every member that is not allowed, with its reason or the nearest allowed name. */
bool option_check_members(const struct option_context *, const struct option_members *,
                          const struct yaml_node *mapping);

/* NULL when no option has that (dotted) name. */
const struct option *option_by_name(const struct option *table, const char *name);
/* Writes an object: every member's value under its dotted name, maps sorted, secrets hashed. */
void option_print(struct json_out *, const struct option *table, const void *object);
/* "whole number, 1 to 900", "true or false", "one of a, b": for people. */
void option_describe(const struct option *, struct buf *out);
/* "250ms", "20s", "5m", "1h", "1d". */
void option_duration_text(int64_t ms, char *out, size_t n);

#endif
