/* gateway.h - the running process: builds everything from a catalog, keeps it in step with the
 * file, drains and stops. HOUSE 10. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "base/error.h"
#include "config/catalog.h"

struct gateway;

enum gateway_exit { GATEWAY_DRAINED = 0, GATEWAY_CUT = 1 };

/* Takes the catalog, also on failure. Opens sinks, then sources, then listens. */
struct gateway *gateway_new(const char *config_path, struct catalog *, struct error *);
uint16_t gateway_api_port(const struct gateway *);
/* Runs until SIGTERM or SIGINT and the end of the drain; SIGHUP re-reads the file. */
enum gateway_exit gateway_run(struct gateway *);
void gateway_free(struct gateway *);

#endif
