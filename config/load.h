/* load.h - what the files load*.c share; nobody else includes it. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "base/map.h"
#include "config/option.h"

enum { LOAD_TEXT_MAX_BYTES = 4 * 1024 * 1024 };

struct load {
    struct catalog *catalog;
    struct problems problems;
    struct problems warnings;
    struct option_context options; /* arena: the catalog's */
    struct map queues;             /* name to struct catalog_queue, of section Queues */
};

/* Each reads one section (NULL: absent) and reports what is wrong with it. */
void load_gateway(struct load *, const struct yaml_node *section);
void load_services(struct load *, const struct yaml_node *section);
/* After both: the ARNs of queues need them. */
void load_queues(struct load *, const struct yaml_node *section);
/* After the three: the texts and ARNs of functions, and what events say of queues, need them. */
void load_functions(struct load *, const struct yaml_node *section);
/* The Events of one function. settings_ok: checks against the function's settings make sense. */
void load_events(struct load *, struct catalog_function *, const struct yaml_node *events,
                 bool settings_ok);
/* The patterns of FilterCriteria; reports at each. */
void load_check_filters(struct load *, const struct source *, const struct yaml_node *properties);
/* What an event asks of a queue of this file; reports at the event. */
void load_check_queue(struct load *, const struct source *, const struct yaml_node *event);
/* One function's backend: its sink with options applied, and checked if check. */
void load_backend(struct load *, struct catalog_function *, const struct yaml_node *function,
                  bool check);
/* Reports what an adapter's check said: at the member of members that its text begins with
 * ("Handler: …"), else at node. */
void load_report_check(struct load *, const struct yaml_node *node, const struct yaml_node *members,
                       const struct error *);

/* A catalog from text that stands in for the file path; reads files only below options of it. */
struct catalog *load_text(const char *path, const char *base_dir, struct slice text, bool no_files,
                          struct catalog_errors *) MUST_CHECK;

/* [a-zA-Z0-9-_]{1,64}, the names of functions and events. */
bool load_is_name(struct slice);
/* What is written into out by json_out, as a string in the catalog's arena. */
char *load_keep_text(struct load *, struct buf *out);

/* Sections of the file, for reference and help. */
extern const char *const load_sections[]; /* NULL-terminated */
/* Properties of AWS::SQS::Queue that are read here; those of queue_options are the others. */
extern const struct option load_queue_options[];
extern const char *const load_services_used[];

#endif
