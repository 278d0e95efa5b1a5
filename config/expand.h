/* expand.h - ${ENV_NAME} in the values of a tree. */
#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

#include "config/yaml.h"

enum { EXPAND_MAX_BYTES = 64 * 1024, EXPAND_MAX_TOTAL = 4 * 1024 * 1024 };

/* Replaces ${NAME} in every scalar value below node by env(NAME); $${ stands for ${. Keys stay as
 * they are. A variable that is not set is a problem that names it, and marks its node bad. */
void expand_tree(struct yaml_node *, const char *(*env)(const char *name), struct arena *,
                 struct problems *);

#endif
