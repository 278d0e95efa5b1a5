/* yaml.h - a YAML file (JSON is YAML) as a tree that knows its lines.
 * Scalars stay text: what they mean is the option tables' business, so YAML's own guesses (yes,
 * 010, 12:30) never happen. Refused, with the line: more than 1 MB, 32 levels or 50,000 nodes,
 * anchors and aliases, tags, a second document, duplicate keys, keys that are not text, NUL, what
 * is not UTF-8. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "base/arena.h"
#include "config/problem.h"

enum { YAML_MAX_BYTES = 1024 * 1024, YAML_MAX_DEPTH = 32, YAML_MAX_NODES = 50000 };

enum yaml_type { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
    enum yaml_type type;
    bool quoted;           /* a scalar in quotes or a block scalar */
    bool null;             /* a plain scalar that is empty, ~ or null */
    bool bad;              /* already reported: users skip it silently */
    bool silent;           /* its key is left out of paths */
    unsigned line, column; /* from 1 */
    unsigned key_line;     /* of its key; 0: not in a mapping */
    struct slice key;      /* NUL-terminated; empty outside of mappings */
    struct slice text;     /* of a scalar, NUL-terminated */
    struct yaml_node *parent, *first, *next;
    size_t count; /* children */
};

/* NULL when there is no usable tree. Lesser problems are reported and their nodes marked bad. */
struct yaml_node *yaml_read(struct slice text, struct arena *, struct problems *);

/* All accept NULL and nodes of the wrong type: absent. */
struct yaml_node *yaml_get(const struct yaml_node *mapping, struct slice key);
struct yaml_node *yaml_find(const struct yaml_node *mapping, const char *dotted);

unsigned yaml_line(const struct yaml_node *); /* of its key, else its own */
/* "Functions.orders.Command[1]"; in the arena; empty for the root. */
char *yaml_path(struct arena *, const struct yaml_node *);
/* "a mapping", "a list", "text 'abc'", "nothing": for "expected …, found %s". */
const char *yaml_describe(struct arena *, const struct yaml_node *);
/* Reports at the node's line; member (may be NULL) is added to its path. */
void yaml_problem(struct problems *, const struct yaml_node *, const char *member, const char *fmt,
                  ...) PRINTF(4, 5);
/* The node is a mapping; if not, says so (silently false when it is bad). */
bool yaml_is_mapping(struct problems *, const struct yaml_node *);

#endif
