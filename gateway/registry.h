/* registry.h - every source and every function backend of this build: the one line per adapter. */
#ifndef GATEWAY_REGISTRY_H
#define GATEWAY_REGISTRY_H

#include "engine/sink.h"
#include "engine/source.h"

extern const struct source_ops *const registry_sources[]; /* NULL-terminated */
extern const struct sink_ops *const registry_backends[];  /* NULL-terminated; order = help order */

#endif
