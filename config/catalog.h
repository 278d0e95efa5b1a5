/* catalog.h - the desired state: what the configuration file asks for, read, checked and complete.
 * A catalog is built whole or not at all; the gateway starts from it, and compares two of them on
 * reload. Everything in it lives in its arena. */
#ifndef CONFIG_CATALOG_H
#define CONFIG_CATALOG_H

#include "base/arena.h"
#include "base/error.h"
#include "engine/queue.h"
#include "engine/sink.h"
#include "engine/source.h"

/* Section Gateway. */
struct gateway_settings {
    const char *api; /* HOST:PORT */
    const char *region, *account_id;
    int64_t concurrent_executions;
    int64_t drain_ms;
    int64_t log_level, log_format; /* enum log_level, enum log_format */
    const char *store;             /* path of the store, absolute or relative to us, never NULL */
    int64_t store_max_bytes;       /* 0: no cap */
    /* Both or none: requests to the Api must be signed with them. */
    const char *access_key, *secret_key;
};
extern const struct option gateway_options[]; /* into struct gateway_settings */

/* One event of a function: a mapping to be. */
struct catalog_event {
    const char *name;      /* FUNCTION/EVENT */
    struct source *source; /* ops->size bytes, options filled in, check passed; env not set */
    const char *text;      /* canonical text of its configuration: equal text = unchanged */
};

struct catalog_function {
    struct function_settings settings;
    struct sink
        *sink; /* its backend: ops->size bytes, options filled in, check passed; env not set */
    struct catalog_event *events;
    size_t n_events;
    const char
        *text; /* canonical text of the function without Events, defaults of Gateway included */
};

/* One queue of the section Queues. */
struct catalog_queue {
    const char *name;
    struct queue_settings settings; /* complete and checked; its texts live in the arena */
    struct option_map tags;
    const char *text; /* canonical text of settings and tags: equal text = unchanged */
};

/* All problems of a file, each as FILE:LINE: path: message; at most 50 are kept. */
struct catalog_errors {
    char **lines;
    char **excerpts; /* beside each line: a text and a caret under its fault, two lines; or NULL */
    size_t n;
};

struct catalog {
    struct arena arena;
    struct catalog_errors warnings; /* what is allowed here and would not be at AWS */
    struct gateway_settings gateway;
    const char *gateway_text; /* canonical text of Gateway and Services: a change needs a restart */
    struct option_map services;
    struct catalog_queue *queues; /* sorted by name */
    size_t n_queues;
    struct catalog_function *functions;
    size_t n_functions;
};

/* Reads, validates and completes. NULL when anything is wrong; every problem is in errors. */
struct catalog *catalog_load(const char *path, struct catalog_errors *errors) MUST_CHECK;
void catalog_free(struct catalog *);
void catalog_errors_free(struct catalog_errors *);

/* The generated reference (Markdown), from the option tables; docs/reference.md is its output. */
void catalog_reference(struct buf *out);
/* Help on one topic: a section, a function member, an event type; false: no such topic. */
bool catalog_help(const char *topic, struct buf *out);

#endif
