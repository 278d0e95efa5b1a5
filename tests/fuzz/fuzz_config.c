/* fuzz_config.c - any bytes as a configuration file: there is either a whole catalog or at least
 * one line of reasons, and no line can harm a terminal. The adapters look at no files. */
#include "base/json_in.h"
#include "base/utf8.h"
#include "config/load.h"
#include "gateway/registry.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool ok)
{
    if (!ok)
        abort();
}

struct queue_source {
    struct source source;
    const char *queue, *password;
    int64_t wait_ms, mode;
    struct option_map headers;
};

static const char *const responses[] = {"ReportBatchItemFailures", NULL};
static const char *const modes[] = {"fast", "slow", NULL};
static const struct option source_options[] = {
    OPT_STRING(struct queue_source, queue, "Queue", NULL, OPTION_REQUIRED, "-"),
    OPT_STRING(struct queue_source, password, "Password", NULL, OPTION_SECRET, "-"),
    OPT_INT(struct queue_source, source.settings.batch_size, "BatchSize", "10", 1, 10000, 0, "-"),
    OPT_BOOL(struct queue_source, source.settings.enabled, "Enabled", "true", 0, "-"),
    OPT_INT(struct queue_source, source.settings.max_concurrency,
            "ScalingConfig.MaximumConcurrency", NULL, 2, 1000, OPTION_UNSET, "-"),
    OPT_LIST(struct queue_source, source.settings.response_types, "FunctionResponseTypes",
             responses, 0, "-"),
    OPT_DURATION(struct queue_source, wait_ms, "Wait", "1s", 1, 86400000, OPTION_X, "-"),
    OPT_CHOICE(struct queue_source, mode, "Mode", "slow", modes, 0, "-"),
    OPT_MAP(struct queue_source, headers, "Headers", OPTION_SECRET, "-"),
    OPT_END};

static bool check_queue(struct source *source, struct error *err)
{
    struct queue_source *q = (struct queue_source *)source;
    require(q->queue != NULL && source->function->name != NULL);
    require(source->settings.batch_size >= 1 && source->settings.batch_size <= 10000);
    require(q->mode == 0 || q->mode == 1);
    source->arn = q->queue;
    return q->queue[0] != 'x' || error_set(err, ERROR_CONFIG, "Queue: refused");
}

static const struct source_ops queue_ops = {.type = "SQS",
                                            .doc = "-",
                                            .size = sizeof(struct queue_source),
                                            .options = source_options,
                                            .check = check_queue};
const struct source_ops *const registry_sources[] = {&queue_ops, NULL};

struct process_sink {
    struct sink sink;
    const char *runtime, *code_uri;
    struct option_list command;
};

static const struct option process_options[] = {
    OPT_STRING(struct process_sink, runtime, "Runtime", NULL, OPTION_SELECTS, "-"),
    OPT_STRING(struct process_sink, code_uri, "CodeUri", ".", OPTION_PATH, "-"),
    OPT_LIST(struct process_sink, command, "Command", NULL, OPTION_X | OPTION_SELECTS, "-"),
    OPT_END};

struct url_sink {
    struct sink sink;
    const char *url;
};

static const struct option url_options[] = {
    OPT_STRING(struct url_sink, url, "Url", NULL, OPTION_X | OPTION_SELECTS, "-"), OPT_END};

static const struct sink_ops process_ops = {
    .type = "runtime", .doc = "-", .size = sizeof(struct process_sink), .options = process_options};
static const struct sink_ops url_ops = {
    .type = "http", .doc = "-", .size = sizeof(struct url_sink), .options = url_options};
const struct sink_ops *const registry_backends[] = {&process_ops, &url_ops, NULL};

static void require_json(const char *text)
{
    size_t at;
    require(text != NULL && json_valid(slice_of(text), &at));
}

static void check_errors(const struct catalog_errors *errors)
{
    require(errors->n > 0 && errors->n <= PROBLEM_MAX_LINES + 1);
    for (size_t i = 0; i < errors->n; i++) {
        struct slice line = slice_of(errors->lines[i]);
        require(utf8_valid(line));
        require(slice_starts(line, i < PROBLEM_MAX_LINES ? "f.yaml:" : "… and "));
        for (size_t j = 0; j < line.n; j++)
            require((unsigned char)line.p[j] >= ' ' && line.p[j] != 0x7f);
    }
}

static void check_catalog(const struct catalog *c)
{
    require_json(c->gateway_text);
    for (size_t i = 0; i < c->n_functions; i++) {
        const struct catalog_function *f = &c->functions[i];
        require(f->sink != NULL && f->settings.name != NULL && f->settings.timeout_s > 0);
        require_json(f->text);
        for (size_t j = 0; j < f->n_events; j++) {
            require(f->events[j].source != NULL && f->events[j].source->arn != NULL);
            require_json(f->events[j].text);
        }
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return setenv("A", "value of A", 1) | setenv("EMPTY", "", 1) | unsetenv("AWS_REGION") |
           unsetenv("AWS_DEFAULT_REGION");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct catalog_errors errors;
    struct slice text = {(const char *)data, n};
    struct catalog *c = load_text("f.yaml", "/base", text, true, &errors);
    if (c != NULL)
        check_catalog(c);
    else
        check_errors(&errors);
    require((c != NULL) == (errors.n == 0));
    catalog_free(c);
    catalog_errors_free(&errors);
    return 0;
}
