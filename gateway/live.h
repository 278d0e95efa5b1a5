/* live.h - functions and mappings that are alive, and how a new catalog replaces an old one while
 * what did not change goes on undisturbed. */
#ifndef GATEWAY_LIVE_H
#define GATEWAY_LIVE_H

#include "base/map.h"
#include "config/catalog.h"
#include "engine/mapping.h"

struct live {
    const struct env *env;
    struct account account;
    struct map functions; /* name to struct live_function, those that take new work */
    struct list all_functions, all_mappings, catalogs;
    struct catalog *current;
    struct timer sweep;        /* looks for what has come to rest */
    void (*rested)(void *ctx); /* draining: nothing is left */
    void *ctx;
    bool draining;
};

void live_init(struct live *, const struct env *, int64_t concurrency);
/* Takes the catalog. Starts what is new or changed, retires what is gone or changed. False: a new
 * backend could not be opened; the error says which, the old state stays, the catalog is freed. */
bool live_apply(struct live *, struct catalog *, struct error *) MUST_CHECK;
struct function *live_function(struct live *, struct slice name);
void live_report(struct live *);
void live_problems(struct live *, struct buf *out);
/* No new records; rested comes when every mapping is idle and gone. */
void live_drain(struct live *, void (*rested)(void *ctx), void *ctx);
void live_cut(struct live *);
void live_free(struct live *); /* at rest */

#endif
