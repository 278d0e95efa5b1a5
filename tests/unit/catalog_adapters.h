/* catalog_adapters.h - the adapters and helpers of the tests of whole configuration files: their
 * members and checks stand still whatever the real adapters do. For one test program each. */
#ifndef CATALOG_ADAPTERS_H
#define CATALOG_ADAPTERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "config/load.h"
#include "gateway/registry.h"
#include <stdlib.h>
#include <string.h>

/* ---- the adapters ---- */

struct queue_source {
    struct source source;
    const char *queue;
};

static const char *const responses[] = {"ReportBatchItemFailures", NULL};
static const struct option source_options[] = {
    OPT_STRING(struct queue_source, queue, "Queue", NULL, OPTION_REQUIRED, "The queue's ARN."),
    OPT_INT(struct queue_source, source.settings.batch_size, "BatchSize", "10", 1, 10000, 0,
            "Most records of one event."),
    OPT_BOOL(struct queue_source, source.settings.enabled, "Enabled", "true", 0, "Polls or not."),
    OPT_INT(struct queue_source, source.settings.window_s, "MaximumBatchingWindowInSeconds", "0", 0,
            300, 0, "Waits for more records."),
    OPT_INT(struct queue_source, source.settings.max_concurrency,
            "ScalingConfig.MaximumConcurrency", NULL, 2, 1000, OPTION_UNSET, "Most batches out."),
    OPT_LIST(struct queue_source, source.settings.response_types, "FunctionResponseTypes",
             responses, 0, "What a response may say."),
    OPT_END};

static bool check_queue(struct source *source, struct error *err)
{
    struct queue_source *q = (struct queue_source *)source;
    assert_non_null(source->function);
    assert_true(slice_starts(slice_of(source->log.name), source->function->name));
    source->arn = q->queue;
    if (!slice_starts(slice_of(q->queue), "arn:aws:sqs:"))
        return error_set(err, ERROR_CONFIG, "Queue: '%s' is not the ARN of a queue", q->queue);
    if (source->settings.batch_size > 10 && source->settings.window_s == 0)
        return error_set(err, ERROR_CONFIG,
                         "Maximum batch window in seconds must be greater than 0 if maximum batch "
                         "size is greater than 10");
    return true;
}

static const struct source_ops queue_ops = {.type = "SQS",
                                            .doc = "A queue.",
                                            .size = sizeof(struct queue_source),
                                            .options = source_options,
                                            .check = check_queue};
const struct source_ops *const registry_sources[] = {&queue_ops, NULL};

/* ---- queues of the file ---- */

static const char *const scopes[] = {"queue", "messageGroup", NULL};
static const char *const throughputs[] = {"perQueue", "perMessageGroupId", NULL};
const struct option queue_options[] = {
    OPT_CHOICE(struct queue_settings, dedup_per_group, "DeduplicationScope", "queue", scopes, 0,
               "Where."),
    OPT_CHOICE(struct queue_settings, throughput_per_group, "FifoThroughputLimit", "perQueue",
               throughputs, 0, "How fast."),
    OPT_INT(struct queue_settings, visibility_s, "VisibilityTimeout", "30", 0, 43200, 0, "Hidden."),
    OPT_BOOL(struct queue_settings, fifo, "FifoQueue", "false", 0, "In order."),
    OPT_BOOL(struct queue_settings, content_dedup, "ContentBasedDeduplication", "false", 0,
             "By body."),
    OPT_STRING(struct queue_settings, dead_arn, "RedrivePolicy.deadLetterTargetArn", NULL, 0,
               "Where to."),
    OPT_INT(struct queue_settings, max_receives, "RedrivePolicy.maxReceiveCount", "10", 1, 1000, 0,
            "When."),
    OPT_STRING(struct queue_settings, redrive_allow, "RedriveAllowPolicy", NULL, 0, "For whom."),
    OPT_END};

bool queue_settings_check(const struct queue_settings *s, const char *name, struct error *err)
{
    assert_non_null(name);
    if (s->redrive_allow != NULL && strstr(s->redrive_allow, "redrivePermission") == NULL)
        return error_set(err, ERROR_CONFIG, "Value %s for parameter RedriveAllowPolicy is invalid.",
                         s->redrive_allow);
    return s->throughput_per_group == 0 || s->dedup_per_group == 1 ||
           error_set(err, ERROR_CONFIG, "FifoThroughputLimit does not fit %s", name);
}

struct process_sink {
    struct sink sink;
    const char *runtime, *handler, *code_uri;
    struct option_list command;
};

static const struct option process_options[] = {
    OPT_STRING(struct process_sink, runtime, "Runtime", NULL, OPTION_SELECTS, "What runs it."),
    OPT_STRING(struct process_sink, handler, "Handler", NULL, 0, "Its entry."),
    OPT_STRING(struct process_sink, code_uri, "CodeUri", ".", OPTION_PATH, "Its directory."),
    OPT_LIST(struct process_sink, command, "Command", NULL, OPTION_X | OPTION_SELECTS,
             "A program."),
    OPT_END};

static bool check_process(struct sink *sink, struct error *err)
{
    struct process_sink *p = (struct process_sink *)sink;
    assert_string_equal(sink->log.kind, "function");
    assert_ptr_equal(sink->log.name, sink->function->name);
    if (p->runtime != NULL && p->handler == NULL)
        return error_set(err, ERROR_CONFIG, "Handler is required for Runtime %s", p->runtime);
    if (p->handler != NULL && strchr(p->handler, '.') == NULL)
        return error_set(err, ERROR_CONFIG, "Handler: '%s' is not FILE.FUNCTION", p->handler);
    return true;
}

struct invoke_sink {
    struct sink sink;
    const char *endpoint, *function_name, *secret;
};

static const struct option invoke_options[] = {
    OPT_STRING(struct invoke_sink, endpoint, "InvokeEndpoint", NULL, OPTION_X | OPTION_SELECTS,
               "Where it is."),
    OPT_STRING(struct invoke_sink, function_name, "FunctionName", NULL, 0, "Its name there."),
    OPT_STRING(struct invoke_sink, secret, "Token", NULL, OPTION_X | OPTION_SECRET, "A secret."),
    OPT_END};

struct url_sink {
    struct sink sink;
    const char *url;
};

static const struct option url_options[] = {
    OPT_STRING(struct url_sink, url, "Url", NULL, OPTION_X | OPTION_SELECTS, "Where it is."),
    OPT_END};

static const struct sink_ops process_ops = {.type = "runtime",
                                            .doc = "Processes.",
                                            .size = sizeof(struct process_sink),
                                            .options = process_options,
                                            .check = check_process};
static const struct sink_ops invoke_ops = {.type = "lambda",
                                           .doc = "The Invoke API.",
                                           .size = sizeof(struct invoke_sink),
                                           .options = invoke_options};
static const struct sink_ops url_ops = {
    .type = "http", .doc = "HTTP.", .size = sizeof(struct url_sink), .options = url_options};
const struct sink_ops *const registry_backends[] = {&process_ops, &invoke_ops, &url_ops, NULL};

/* ---- helpers ---- */

static inline struct catalog *load_good(const char *text)
{
    struct catalog_errors errors;
    struct catalog *c = load_text("f.yaml", "/base", slice_of(text), false, &errors);
    for (size_t i = 0; i < errors.n; i++)
        print_error("%s\n", errors.lines[i]);
    assert_int_equal(errors.n, 0);
    assert_non_null(c);
    catalog_errors_free(&errors);
    return c;
}

struct wrong {
    const char *text, *problems;
};

static inline void expect_problems(const struct wrong *w)
{
    struct catalog_errors errors;
    struct buf out;
    buf_init(&out, 100000);
    assert_null(load_text("f.yaml", "/base", slice_of(w->text), false, &errors));
    for (size_t i = 0; i < errors.n; i++)
        buf_printf(&out, "%s%s", i > 0 ? "\n" : "", errors.lines[i] + strlen("f.yaml:"));
    if (strcmp(out.p, w->problems) != 0)
        print_error("for\n%s\n", w->text);
    assert_string_equal(out.p, w->problems);
    catalog_errors_free(&errors);
    buf_free(&out);
}

#define QUEUE "arn:aws:sqs:us-east-1:000000000000:orders"

static inline int clean_environment(void **state)
{
    (void)state;
    return unsetenv("AWS_REGION") | unsetenv("AWS_DEFAULT_REGION");
}

#endif
