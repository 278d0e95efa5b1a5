/* registry.c - one line per adapter. */
#include "gateway/registry.h"

extern const struct source_ops sqs_source;
extern const struct sink_ops runtime_sink, lambda_sink, http_sink;

const struct source_ops *const registry_sources[] = {
    &sqs_source,
    NULL,
};

const struct sink_ops *const registry_backends[] = {
    &runtime_sink,
    &lambda_sink,
    &http_sink,
    NULL,
};
