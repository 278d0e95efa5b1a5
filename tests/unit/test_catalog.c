/* test_catalog.c - whole configuration files: what they become, and every reason to refuse one.
 * The adapters are this file's own, so that their members and checks stand still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "config/load.h"
#include "gateway/registry.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the adapters ---- */

struct queue_source {
    struct source source;
    const char *queue;
};

static const char *const responses[] = {"ReportBatchItemFailures", NULL};
static const struct option queue_options[] = {
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
                                            .options = queue_options,
                                            .check = check_queue};
const struct source_ops *const registry_sources[] = {&queue_ops, NULL};

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

static struct catalog *load_good(const char *text)
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

static void expect_problems(const struct wrong *w)
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

static int clean_environment(void **state)
{
    (void)state;
    return unsetenv("AWS_REGION") | unsetenv("AWS_DEFAULT_REGION");
}

/* ---- what a file becomes ---- */

static void whole_file(void **state)
{
    (void)state;
    assert_int_equal(setenv("PENSTOCK_TEST_PORT", "9324", 1), 0);
    struct catalog *c =
        load_good("Gateway:\n"
                  "  Api: 127.0.0.1:0\n"
                  "  Region: eu-central-1\n"
                  "  AccountId: 123456789012\n"
                  "  ConcurrentExecutions: 50\n"
                  "  Drain: 1m\n"
                  "  LogLevel: debug\n"
                  "  LogFormat: json\n"
                  "Services:\n"
                  "  sqs: http://127.0.0.1:${PENSTOCK_TEST_PORT}\n"
                  "  lambda: https://[::1]:3001/x\n"
                  "Functions:\n"
                  "  orders:\n"
                  "    Description: takes orders\n"
                  "    Runtime: python3.12\n"
                  "    Handler: app.handler\n"
                  "    CodeUri: ./code\n"
                  "    Timeout: 30\n"
                  "    MemorySize: 256\n"
                  "    ReservedConcurrentExecutions: 20\n"
                  "    ProvisionedConcurrencyConfig:\n"
                  "      ProvisionedConcurrentExecutions: 20\n"
                  "    Environment: {Variables: {TABLE: orders}}\n"
                  "    Events:\n"
                  "      Queue:\n"
                  "        Type: SQS\n"
                  "        Properties:\n"
                  "          Queue: " QUEUE "\n"
                  "          BatchSize: 100\n"
                  "          MaximumBatchingWindowInSeconds: 5\n"
                  "          ScalingConfig: {MaximumConcurrency: 2}\n"
                  "          FunctionResponseTypes: [ReportBatchItemFailures]\n"
                  "  web-hook_2:\n"
                  "    Url: http://127.0.0.1:8000/\n"
                  "  idle: {InvokeEndpoint: 'http://127.0.0.1:3001', Events: {}}\n");
    assert_string_equal(c->gateway.api, "127.0.0.1:0");
    assert_string_equal(c->gateway.region, "eu-central-1");
    assert_int_equal(c->gateway.concurrent_executions, 50);
    assert_int_equal(c->gateway.drain_ms, 60000);
    assert_int_equal(c->gateway.log_level, LOG_DEBUG);
    assert_int_equal(c->gateway.log_format, LOG_JSON);
    assert_int_equal(c->services.n, 2);
    assert_string_equal(c->services.values[0], "http://127.0.0.1:9324");
    assert_int_equal(c->n_functions, 3);
    const struct catalog_function *f = &c->functions[0];
    assert_string_equal(f->settings.name, "orders");
    assert_string_equal(f->settings.arn,
                        "arn:aws:lambda:eu-central-1:123456789012:function:orders");
    assert_string_equal(f->settings.description, "takes orders");
    assert_int_equal(f->settings.timeout_s, 30);
    assert_int_equal(f->settings.memory_mb, 256);
    assert_int_equal(f->settings.reserved, 20);
    assert_int_equal(f->settings.provisioned, 20);
    assert_string_equal(f->settings.environment.values[0], "orders");
    assert_ptr_equal(f->sink->ops, &process_ops);
    assert_ptr_equal(f->sink->function, &f->settings);
    assert_string_equal(((struct process_sink *)f->sink)->code_uri, "/base/code");
    assert_int_equal(f->n_events, 1);
    const struct source *s = f->events[0].source;
    assert_string_equal(f->events[0].name, "orders/Queue");
    assert_ptr_equal(s->ops, &queue_ops);
    assert_string_equal(s->arn, QUEUE);
    assert_string_equal(s->log.kind, "mapping");
    assert_string_equal(s->log.name, "orders/Queue");
    assert_true(s->settings.enabled);
    assert_int_equal(s->settings.batch_size, 100);
    assert_int_equal(s->settings.max_concurrency, 2);
    assert_int_equal(s->settings.response_types.n, 1);
    assert_int_equal(s->settings.max_attempts, -1);
    assert_int_equal(s->settings.max_age_s, -1);
    assert_ptr_equal(c->functions[1].sink->ops, &url_ops);
    assert_int_equal(c->functions[1].settings.reserved, -1);
    assert_int_equal(c->functions[1].settings.timeout_s, 3);
    assert_int_equal(c->functions[1].n_events, 0);
    assert_ptr_equal(c->functions[2].sink->ops, &invoke_ops);
    catalog_free(c);
}

static void defaults_of_the_gateway(void **state)
{
    (void)state;
    struct catalog *c = load_good("Gateway:\nServices:\nFunctions: {}\n");
    assert_string_equal(c->gateway.api, "127.0.0.1:9001");
    assert_string_equal(c->gateway.region, "us-east-1");
    assert_string_equal(c->gateway.account_id, "000000000000");
    assert_int_equal(c->gateway.concurrent_executions, 1000);
    assert_int_equal(c->gateway.drain_ms, 20000);
    assert_int_equal(c->gateway.log_level, LOG_INFO);
    assert_int_equal(c->gateway.log_format, LOG_LOGFMT);
    assert_int_equal(c->n_functions, 0);
    catalog_free(c);
    assert_int_equal(setenv("AWS_DEFAULT_REGION", "eu-west-1", 1), 0);
    c = load_good("Functions: {}\n");
    assert_string_equal(c->gateway.region, "eu-west-1");
    catalog_free(c);
    assert_int_equal(setenv("AWS_REGION", "eu-west-2", 1), 0);
    c = load_good("Functions: {}\n");
    assert_string_equal(c->gateway.region, "eu-west-2");
    catalog_free(c);
    c = load_good("{\"Gateway\": {\"Region\": \"eu-west-3\"}, \"Functions\": {}}");
    assert_string_equal(c->gateway.region, "eu-west-3");
    catalog_free(c);
    assert_int_equal(setenv("AWS_REGION", "Mars!", 1), 0);
    expect_problems(&(struct wrong){
        "Functions: {}", " Gateway.Region: 'Mars!' (environment variable AWS_REGION) is not a "
                         "region name such as eu-central-1"});
    (void)clean_environment(state);
}

/* ---- canonical texts ---- */

static bool same_text(const char *a, const char *b, const char *of)
{
    struct catalog *x = load_good(a), *y = load_good(b);
    const char *p = x->gateway_text, *q = y->gateway_text;
    if (strcmp(of, "function") == 0) {
        p = x->functions[0].text;
        q = y->functions[0].text;
    } else if (strcmp(of, "event") == 0) {
        p = x->functions[0].events[0].text;
        q = y->functions[0].events[0].text;
    }
    assert_non_null(p);
    assert_non_null(q);
    bool same = strcmp(p, q) == 0;
    catalog_free(x);
    catalog_free(y);
    return same;
}

static void texts_tell_changes(void **state)
{
    (void)state;
    static const char plain[] = "{Functions: {f: {Url: http://x, Timeout: 5, Events: {E: {Type: "
                                "SQS, Properties: {Queue: " QUEUE "}}}}}}";
    static const char other_order[] =
        "Functions:\n  f:\n    Events:\n      E:\n        Properties: {BatchSize: '10', "
        "Queue: " QUEUE
        "}\n        Type: SQS\n    Timeout: 5\n    Url: 'http://x'\nGateway: {Drain: 20000ms}";
    static const char other_batch[] =
        "{Functions: {f: {Url: http://x, Timeout: 5, Events: {E: "
        "{Type: SQS, Properties: {Queue: " QUEUE ", BatchSize: 9}}}}}}";
    static const char other_timeout[] = "{Functions: {f: {Url: http://x, Timeout: 6, Events: {E: "
                                        "{Type: SQS, Properties: {Queue: " QUEUE "}}}}}}";
    static const char other_region[] = "{Gateway: {Region: eu-west-1}, Functions: {f: {Url: "
                                       "http://x, Timeout: 5}}}";
    static const char other_service[] = "{Services: {sqs: 'http://y'}, Functions: {f: {Url: "
                                        "http://x, Timeout: 5}}}";
    assert_true(same_text(plain, other_order, "gateway"));
    assert_true(same_text(plain, other_order, "function"));
    assert_true(same_text(plain, other_order, "event"));
    assert_false(same_text(plain, other_batch, "event"));
    assert_true(same_text(plain, other_batch, "function"));
    assert_false(same_text(plain, other_timeout, "function"));
    assert_true(same_text(plain, other_timeout, "event"));
    assert_false(same_text(plain, other_region, "gateway"));
    assert_false(same_text(plain, other_region, "function"));
    assert_false(same_text(plain, other_service, "gateway"));
    static const char secret[] = "{Functions: {f: {InvokeEndpoint: http://x, Token: hunter2}}}";
    static const char secret_2[] = "{Functions: {f: {InvokeEndpoint: http://x, Token: hunter3}}}";
    assert_true(same_text(secret, secret, "function"));
    assert_false(same_text(secret, secret_2, "function"));
    struct catalog *c = load_good(secret);
    assert_null(strstr(c->functions[0].text, "hunter2"));
    catalog_free(c);
}

/* ---- what is refused ---- */

static const struct wrong wrong_sections[] = {
    {"", " the file is empty"},
    {"- a\n", "1: expected a mapping (Name: value), found a list"},
    {"text\n", "1: expected a mapping (Name: value), found 'text'"},
    {"{}", "1: Functions: is required: name at least one function, or write Functions: {}"},
    {"Functions: [a]", "1: Functions: expected a mapping (Name: value), found a list"},
    {"Functions: {}\nfunctions: {}\n",
     "2: functions: unknown member functions; did you mean Functions?"},
    {"Functions: {}\nRegion: x\n", "2: Region: Region belongs below Gateway"},
    {"Functions: {}\nQueues: {}\n", "2: Queues: Queues is not supported by this build"},
    {"Functions: {}\nTransform: AWS::Serverless-2016-10-31\n",
     "2: Transform: Transform is not supported here: this is not a SAM template; put the "
     "Properties of each AWS::Serverless::Function below Functions"},
    {"Functions: {}\nBanana: 1\n", "2: Banana: unknown member Banana"},
    {"Functions: {}\nGateway: {Listen: 127.0.0.1:8080, Store: x.db}\n",
     "2: Gateway.Listen: Listen is not supported by this build\n"
     "2: Gateway.Store: Store is not supported by this build"},
    {"Functions: {}\nGateway:\n  Api: localhost:9001\n",
     "3: Gateway.Api: 'localhost:9001' is not HOST:PORT with a numeric host, such as "
     "127.0.0.1:9001 or [::1]:9001"},
    {"Functions: {}\nGateway:\n  Api: 9001\n",
     "3: Gateway.Api: '9001' is not HOST:PORT with a numeric host, such as 127.0.0.1:9001 or "
     "[::1]:9001"},
    {"Functions: {}\nGateway:\n  Api: 127.0.0.1:65536\n",
     "3: Gateway.Api: '127.0.0.1:65536' is not HOST:PORT with a numeric host, such as "
     "127.0.0.1:9001 or [::1]:9001"},
    {"Functions: {}\nGateway:\n  Api: :9001\n",
     "3: Gateway.Api: ':9001' is not HOST:PORT with a numeric host, such as 127.0.0.1:9001 or "
     "[::1]:9001"},
    {"Functions: {}\nGateway:\n  Api: '::1:9001'\n",
     "3: Gateway.Api: '::1:9001' is not HOST:PORT with a numeric host, such as 127.0.0.1:9001 or "
     "[::1]:9001"},
    {"Functions: {}\nGateway:\n  Api: '[::1:9001'\n",
     "3: Gateway.Api: '[::1:9001' is not HOST:PORT with a numeric host, such as 127.0.0.1:9001 or "
     "[::1]:9001"},
    {"Functions: {}\nGateway: {Region: 'EU west'}\n",
     "2: Gateway.Region: 'EU west' is not a region name such as eu-central-1"},
    {"Functions: {}\nGateway: {AccountId: 12345}\n",
     "2: Gateway.AccountId: '12345' is not an account number: 12 digits"},
    {"Functions: {}\nGateway: {ConcurrentExecutions: 0}\n",
     "2: Gateway.ConcurrentExecutions: '0' is out of range: 1 to 1000000"},
    {"Functions: {}\nGateway: {Drain: 2h}\n", "2: Gateway.Drain: '2h' is out of range: 0s to 1h"},
    {"Functions: {}\nGateway: {LogLevel: trace}\n",
     "2: Gateway.LogLevel: 'trace' is not one of debug, info, warn, error"},
    {"Functions: {}\nGateway: {LogFormat: xml}\n",
     "2: Gateway.LogFormat: 'xml' is not one of logfmt, json"},
    {"Functions: {}\nGateway: {Acount: 1}\n", "2: Gateway.Acount: unknown member Acount"},
    {"Functions: {}\nGateway: {AcountId: 1}\n",
     "2: Gateway.AcountId: unknown member AcountId; did you mean AccountId?"},
    {"Functions: {}\nServices: [a]\n",
     "2: Services: expected a mapping (Name: value), found a list"},
    {"Functions: {}\nServices:\n  s3: http://x\n  sq: http://x\n  banana: http://x\n",
     "3: Services.s3: s3 is not supported by this build (it uses sqs and lambda)\n"
     "4: Services.sq: unknown service sq; did you mean sqs?\n"
     "5: Services.banana: unknown service banana: this build uses sqs and lambda"},
    {"Functions: {}\nServices: {sqs: 127.0.0.1:9324}\n",
     "2: Services.sqs: '127.0.0.1:9324' is not a URL such as http://127.0.0.1:9324"},
    {"Functions: {}\nServices: {sqs: 'ftp://x'}\n",
     "2: Services.sqs: 'ftp://x' is not a URL such as http://127.0.0.1:9324"},
    {"Functions: {}\nServices: {sqs: 'http://'}\n",
     "2: Services.sqs: 'http://' is not a URL such as http://127.0.0.1:9324"},
    {"Functions: {}\nServices: {sqs: 'http://a:0'}\n",
     "2: Services.sqs: 'http://a:0' is not a URL such as http://127.0.0.1:9324"},
    {"Functions: {}\nServices: {sqs: 'http://a:'}\n",
     "2: Services.sqs: 'http://a:' is not a URL such as http://127.0.0.1:9324"},
    {"Functions: {}\nServices: {sqs: 'http://u@a'}\n",
     "2: Services.sqs: 'http://u@a' is not a URL such as http://127.0.0.1:9324"},
    {"Functions: {}\nServices: {sqs: 'http://a b'}\n",
     "2: Services.sqs: 'http://a b' is not a URL such as http://127.0.0.1:9324"},
    {"Functions: {}\nServices: {sqs: }\n", "2: Services.sqs: expected text, found nothing"},
    {"Functions: {}\nServices: {sqs: 'http://${PENSTOCK_TEST_UNSET}'}\n",
     "2: Services.sqs: environment variable PENSTOCK_TEST_UNSET is not set"},
};

static void sections_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong_sections); i++)
        expect_problems(&wrong_sections[i]);
}

#define F    "Functions:\n  f:\n    "
#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define WAYS "Runtime or Command, or InvokeEndpoint, or Url"

static const struct wrong wrong_functions[] = {
    {"Functions:\n  f:\n", "2: Functions.f: expected a mapping (Name: value), found nothing"},
    {"Functions:\n  f: {}\n",
     "2: Functions.f: nothing says how this function is reached: write exactly one of " WAYS},
    {F "Handler: a.b\n",
     "2: Functions.f: nothing says how this function is reached: write exactly one of " WAYS},
    {F "Url: http://x\n    Runtime: python3.12\n",
     "3: Functions.f.Url: Runtime and Url are two ways to reach one function (backends runtime and "
     "http): keep one"},
    {F "Url: http://x\n    Handler: a.b\n    FunctionName: x\n",
     "4: Functions.f.Handler: Handler belongs to functions reached by Runtime or Command; this one "
     "is reached by Url\n"
     "5: Functions.f.FunctionName: FunctionName belongs to functions reached by InvokeEndpoint; "
     "this one is reached by Url"},
    {F "Url: http://x\n    MemorySize: 256\n    Environment: {Variables: {A: b}}\n",
     "4: Functions.f.MemorySize: MemorySize needs a process that the gateway starts; this function "
     "is reached by Url: set it where the function runs\n"
     "5: Functions.f.Environment: Environment needs a process that the gateway starts; this "
     "function is reached by Url: set it where the function runs"},
    {F "Url: ''\n", "3: Functions.f.Url: must not be empty"},
    {F "Url: [x]\n", "3: Functions.f.Url: expected text, found a list"},
    {F "Runtime: python3.12\n", "2: Functions.f: Handler is required for Runtime python3.12"},
    {F "Runtime: python3.12\n    Handler: app\n",
     "4: Functions.f.Handler: 'app' is not FILE.FUNCTION"},
    {F "Url: http://x\n    Timeout: 901\n",
     "4: Functions.f.Timeout: Value '901' at 'timeout' failed to satisfy constraint: Member must "
     "have value less than or equal to 900"},
    {F "Url: http://x\n    Timeout: 30s\n",
     "4: Functions.f.Timeout: expected a whole number, found '30s'"},
    {F "Runtime: r\n    Handler: a.b\n    MemorySize: 64\n",
     "5: Functions.f.MemorySize: Value '64' at 'memorySize' failed to satisfy constraint: Member "
     "must have value greater than or equal to 128"},
    {F "Url: http://x\n    timeout: 3\n",
     "4: Functions.f.timeout: unknown member timeout; did you mean Timeout?"},
    {F "Url: http://x\n    BatchSize: 3\n",
     "4: Functions.f.BatchSize: BatchSize belongs below Properties of an event"},
    {F "Url: http://x\n    Role: arn:aws:iam::1:role/x\n",
     "4: Functions.f.Role: Role is not supported here: there is no IAM; functions run with the "
     "rights of the gateway's user"},
    {F "Url: http://x\n    DeadLetterQueue: {}\n    EventInvokeConfig: {}\n",
     "4: Functions.f.DeadLetterQueue: DeadLetterQueue is not supported by this build\n"
     "5: Functions.f.EventInvokeConfig: EventInvokeConfig is not supported by this build"},
    {F "Type: AWS::Serverless::Function\n    Properties: {Url: x}\n",
     "2: Functions.f: nothing says how this function is reached: write exactly one of " WAYS "\n"
     "3: Functions.f.Type: Type is not supported here: everything below Functions is a function\n"
     "4: Functions.f.Properties: Properties is not supported here: write the properties directly "
     "below the function's name"},
    {"Functions:\n  a b: {Url: 'http://x'}\n",
     "2: Functions.a b: Value 'a b' at 'functionName' failed to satisfy constraint: Member must "
     "satisfy regular expression pattern: [a-zA-Z0-9-_]+"},
    {"Functions:\n  " LONG ": {Url: 'http://x'}\n",
     "2: Functions." LONG ": Value '" LONG "' at 'functionName' failed to satisfy constraint: "
     "Member must have length less than or equal to 64"},
    {F "Runtime: r\n    Handler: a.b\n    Environment:\n      Variables:\n        A=B: c\n"
       "        1A: c\n        '': c\n        _ok1: c\n",
     "7: Functions.f.Environment.Variables.A=B: 'A=B' cannot name an environment variable: "
     "letters, digits and _, not beginning with a digit\n"
     "8: Functions.f.Environment.Variables.1A: '1A' cannot name an environment variable: letters, "
     "digits and _, not beginning with a digit\n"
     "9: Functions.f.Environment.Variables.: '' cannot name an environment variable: letters, "
     "digits and _, not beginning with a digit"},
    {F "Runtime: r\n    Handler: a.b\n    ReservedConcurrentExecutions: 2\n"
       "    ProvisionedConcurrencyConfig:\n      ProvisionedConcurrentExecutions: 3\n",
     "6: Functions.f.ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions: Requested "
     "Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
     "function (3, reserved are 2)"},
    {"Gateway: {ConcurrentExecutions: 10}\nFunctions:\n"
     "  a: {Url: 'http://x', ReservedConcurrentExecutions: 6}\n"
     "  b: {Url: 'http://x', ReservedConcurrentExecutions: 5}\n",
     "4: Functions.b.ReservedConcurrentExecutions: Specified ReservedConcurrentExecutions for "
     "function decreases account's UnreservedConcurrentExecution below its minimum value of [0]. "
     "(all up to here: 11, Gateway.ConcurrentExecutions: 10)"},
    {"Gateway: {ConcurrentExecutions: 10}\nFunctions:\n"
     "  a: {Url: 'http://x', ReservedConcurrentExecutions: 10}\n"
     "  b: {Url: 'http://x'}\n",
     "4: Functions.b: could never run: other functions reserve all 10 of "
     "Gateway.ConcurrentExecutions"},
    {"Functions:\n  f: {Url: 'http://x'}\n  f: {Url: 'http://y'}\n",
     "3: Functions.f: duplicate key f (first on line 2)"},
    {F "Url: !Ref Endpoint\n",
     "3: !Ref is resolved by CloudFormation, not here: write the ARN itself (or ${ENV_NAME})"},
};

static void functions_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong_functions); i++)
        expect_problems(&wrong_functions[i]);
    catalog_free(load_good("Gateway: {ConcurrentExecutions: 10}\nFunctions:\n"
                           "  a: {Url: 'http://x', ReservedConcurrentExecutions: 9}\n"
                           "  b: {Url: 'http://x'}\n"));
    catalog_free(load_good("Gateway: {ConcurrentExecutions: 10}\nFunctions:\n"
                           "  a: {Url: 'http://x', ReservedConcurrentExecutions: 10}\n"
                           "  b: {Url: 'http://x', ReservedConcurrentExecutions: 0}\n"));
}

#define E F "Url: http://x\n    Events:\n      "           /* line 5 */
#define P E "Q:\n        Type: SQS\n        Properties:\n" /* the next line is 8 */
#define Q "          Queue: " QUEUE "\n"

static const struct wrong wrong_events[] = {
    {F "Url: http://x\n    Events: [a]\n",
     "4: Functions.f.Events: expected a mapping (Name: value), found a list"},
    {E "Q: SQS\n", "5: Functions.f.Events.Q: expected a mapping (Name: value), found 'SQS'"},
    {E "Q: {}\n", "5: Functions.f.Events.Q.Type: is required: the kind of event source (SQS)"},
    {E "Q: {Type: [SQS]}\n",
     "5: Functions.f.Events.Q.Type: expected an event type (SQS), found a list"},
    {E "Q: {Type: Kinesis, Properties: {Stream: x}}\n",
     "5: Functions.f.Events.Q.Type: event type Kinesis is not supported by this build (it has "
     "SQS)"},
    {E "Q: {Type: sqs}\n",
     "5: Functions.f.Events.Q.Type: unknown event type sqs; did you mean SQS?"},
    {E "Q: {Type: Banana}\n",
     "5: Functions.f.Events.Q.Type: unknown event type Banana (this build has SQS)"},
    {E "a.b: {Type: SQS, Properties: {Queue: " QUEUE "}}\n",
     "5: Functions.f.Events.a.b: 'a.b' cannot name an event: 1 to 64 letters, digits, - and _"},
    {E "Q: {Type: SQS}\n", "5: Functions.f.Events.Q.Queue: is required: The queue's ARN."},
    {E "Q: {Type: SQS, Properties: }\n",
     "5: Functions.f.Events.Q.Queue: is required: The queue's ARN."},
    {E "Q: {Type: SQS, Properties: [x]}\n",
     "5: Functions.f.Events.Q: expected a mapping (Name: value), found a list"},
    {E "Q: {Type: SQS, Propertys: {}, Queue: x}\n",
     "5: Functions.f.Events.Q.Propertys: unknown member Propertys; did you mean Properties?\n"
     "5: Functions.f.Events.Q.Queue: Queue belongs below Properties\n"
     "5: Functions.f.Events.Q.Queue: is required: The queue's ARN."},
    {P "          BatchSize: 10001\n" Q,
     "8: Functions.f.Events.Q.BatchSize: Value '10001' at 'batchSize' failed to satisfy "
     "constraint: Member must have value less than or equal to 10000"},
    {P Q "          BatchSize: 11\n",
     "5: Functions.f.Events.Q: Maximum batch window in seconds must be greater than 0 if maximum "
     "batch size is greater than 10"},
    {P "          BatchSize: 5\n          Queue: orders\n",
     "9: Functions.f.Events.Q.Queue: 'orders' is not the ARN of a queue"},
    {P "          Queue: !GetAtt Orders.Arn\n",
     "8: !GetAtt is resolved by CloudFormation, not here: write the ARN itself (or ${ENV_NAME})"},
    {P "          Queue: {'Fn::GetAtt': [Orders, Arn]}\n",
     "8: Functions.f.Events.Q.Queue: Fn::GetAtt is resolved by CloudFormation, not here: write the "
     "ARN itself (or ${ENV_NAME})"},
    {P Q "          ScalingConfig: {MaximumConcurrency: 1001}\n",
     "9: Functions.f.Events.Q.ScalingConfig.MaximumConcurrency: Value '1001' at "
     "'scalingConfig.maximumConcurrency' failed to satisfy constraint: Member must have value less "
     "than or equal to 1000"},
    {P Q "          FunctionResponseTypes: [ReportAll]\n",
     "9: Functions.f.Events.Q.FunctionResponseTypes[0]: Value 'ReportAll' at "
     "'functionResponseTypes' failed to satisfy constraint: Member must satisfy enum value set: "
     "[ReportBatchItemFailures]"},
    {P Q "          FilterCriteria: {}\n          ProvisionedPollerConfig: {}\n",
     "9: Functions.f.Events.Q.FilterCriteria: FilterCriteria is not supported by this build\n"
     "10: Functions.f.Events.Q.ProvisionedPollerConfig: ProvisionedPollerConfig is not supported "
     "by this build"},
    {P Q "          StartingPosition: LATEST\n          DestinationConfig: {}\n"
         "          ParallelizationFactor: 2\n          MaximumRetryAttempts: 3\n",
     "9: Functions.f.Events.Q.StartingPosition: Unsupported 'startingPosition' parameter for given "
     "event source mapping type.\n"
     "10: Functions.f.Events.Q.DestinationConfig: Unsupported DestinationConfig parameter for "
     "given event source mapping type.\n"
     "11: Functions.f.Events.Q.ParallelizationFactor: Unsupported 'parallelizationFactor' "
     "parameter for given event source mapping type.\n"
     "12: Functions.f.Events.Q.MaximumRetryAttempts: Unsupported 'maximumRetryAttempts' parameter "
     "for given event source mapping type."},
    {P Q "          EventSourceArn: x\n          FunctionName: f\n          Tags: {}\n",
     "9: Functions.f.Events.Q.EventSourceArn: EventSourceArn is not supported here: SAM's word is "
     "Queue\n"
     "10: Functions.f.Events.Q.FunctionName: FunctionName is not supported here: the function is "
     "the one that the event stands in\n"
     "11: Functions.f.Events.Q.Tags: Tags is not supported here: it means something only inside an "
     "AWS account"},
    {P Q "          BatchSiz: 3\n",
     "9: Functions.f.Events.Q.BatchSiz: unknown member BatchSiz; did you mean BatchSize?"},
    {P Q "      Again: {Type: SQS, Properties: {Queue: " QUEUE "}}\n",
     "9: Functions.f.Events.Again: An event source mapping with SQS arn (\" " QUEUE
     " \") and function (\" f \") already exists: Q on line 5"},
};

static void events_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong_events); i++)
        expect_problems(&wrong_events[i]);
    /* one queue may feed two functions, as in AWS */
    catalog_free(load_good(
        "Functions:\n"
        "  a: {Url: 'http://x', Events: {E: {Type: SQS, Properties: {Queue: " QUEUE "}}}}\n"
        "  b: {Url: 'http://x', Events: {E: {Type: SQS, Properties: {Queue: " QUEUE "}}}}\n"));
}

static void all_problems_are_told_at_once(void **state)
{
    (void)state;
    static const struct wrong many = {
        "Gateway: {Drain: never}\n"
        "Functions:\n"
        "  a:\n"
        "    Url: http://x\n"
        "    Timeout: 0\n"
        "    Events:\n"
        "      Q: {Type: SQS, Properties: {Queue: orders, BatchSize: 0}}\n"
        "  b:\n"
        "    Runtime: r\n"
        "    Handler: x\n"
        "  c: {Url: http://x, Role: me}\n",
        "1: Gateway.Drain: expected a duration (250ms, 20s, 5m, 1h, 1d), found 'never'\n"
        "5: Functions.a.Timeout: Value '0' at 'timeout' failed to satisfy constraint: Member must "
        "have value greater than or equal to 1\n"
        "7: Functions.a.Events.Q.BatchSize: Value '0' at 'batchSize' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1\n"
        "10: Functions.b.Handler: 'x' is not FILE.FUNCTION\n"
        "11: Functions.c.Role: Role is not supported here: there is no IAM; functions run with the "
        "rights of the gateway's user"};
    expect_problems(&many);
    struct buf text;
    struct catalog_errors errors;
    buf_init(&text, 100000);
    buf_str(&text, "Functions:\n");
    for (int i = 0; i < 60; i++)
        buf_printf(&text, "  f%d: {}\n", i);
    assert_null(load_text("f.yaml", "/base", buf_slice(&text), false, &errors));
    assert_int_equal(errors.n, 51);
    assert_string_equal(errors.lines[50], "… and 10 more");
    catalog_errors_free(&errors);
    buf_free(&text);
}

/* ---- files, reference, help ---- */

static void files_are_found(void **state)
{
    (void)state;
    struct catalog_errors errors;
    char dir[] = "/tmp/test_catalog.XXXXXX", path[64], expected[128];
    assert_null(catalog_load("/nowhere/penstock.yaml", &errors));
    assert_int_equal(errors.n, 1);
    assert_string_equal(errors.lines[0],
                        "/nowhere/penstock.yaml: cannot read: No such file or directory");
    catalog_errors_free(&errors);
    assert_null(catalog_load("/", &errors));
    assert_string_equal(errors.lines[0], "/: cannot read: it is a directory");
    catalog_errors_free(&errors);

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/p.yaml", dir);
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    fputs("Functions: {f: {Runtime: r, Handler: a.b, CodeUri: ../code}}\n", out);
    assert_int_equal(fclose(out), 0);
    struct catalog *c = catalog_load(path, &errors);
    assert_non_null(c);
    snprintf(expected, sizeof expected, "%s/../code", dir);
    assert_string_equal(((struct process_sink *)c->functions[0].sink)->code_uri, expected);
    catalog_free(c);
    catalog_errors_free(&errors);
    assert_int_equal(chdir(dir), 0);
    c = catalog_load("p.yaml", &errors);
    assert_non_null(c);
    assert_string_equal(((struct process_sink *)c->functions[0].sink)->code_uri, expected);
    catalog_free(c);
    catalog_errors_free(&errors);
    unlink(path);
    assert_int_equal(chdir("/"), 0);
    rmdir(dir);
}

static void reference_is_complete(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000000);
    catalog_reference(&out);
    static const char *const parts[] = {
        "# Configuration reference\n",
        "| `Drain` **x** | duration, 0s to 1h | 20s | How long a stop waits for invocations that "
        "run. |\n",
        "| `Region` **x** | text | none |",
        "| `Timeout` | whole number, 1 to 900 | 3 |",
        "### Backend runtime\n\nProcesses.\n\n",
        "| `Url` **x** | text | chooses | Where it is. |\n",
        "| `Token` **x** | text, secret (or file:PATH) | none | A secret. |\n",
        "### Type SQS\n\nA queue.\n\n",
        "| `Queue` | text | required | The queue's ARN. |\n",
        "| `Enabled` | true or false | true | Polls or not. |\n",
        "| `VpcConfig` | here: functions use the network of this machine |\n",
        "Event types: Kinesis, DynamoDB, ",
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (strstr(out.p, parts[i]) == NULL)
            print_error("missing: %s\n", parts[i]);
        assert_non_null(strstr(out.p, parts[i]));
    }
    assert_false(out.full);
    assert_int_equal(out.p[out.n - 1], '\n');
    assert_int_not_equal(out.p[out.n - 2], '\n');
    buf_free(&out);
}

static void help_on_topics(void **state)
{
    (void)state;
    static const struct {
        const char *topic, *part;
    } cases[] = {
        {"Gateway", "Gateway.Drain: duration, 0s to 1h; default 20s\n    How long a stop waits"},
        {"Services", "AWS_ENDPOINT_URL_<SERVICE>"},
        {"functions", "Functions.NAME.Url: text; chooses how the function is reached\n"},
        {"Events", "    SQS: A queue.\n"},
        {"SQS", "SQS.Queue: text; required\n    The queue's ARN.\n"},
        {"http", "Backend http: HTTP.\n"},
        {"timeout", "Functions.NAME.Timeout: whole number, 1 to 900; default 3\n"},
        {"MaximumConcurrency", "SQS.ScalingConfig.MaximumConcurrency: whole number, 2 to 1000\n"},
        {"ScalingConfig", "SQS.ScalingConfig.MaximumConcurrency"},
        {"Role", "Role is not supported here: there is no IAM"},
        {"Kinesis", "Event type Kinesis is not supported by this build.\n"},
        {"FilterCriteria", "FilterCriteria is not supported by this build.\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 1000000);
        assert_true(catalog_help(cases[i].topic, &out));
        if (strstr(out.p, cases[i].part) == NULL)
            print_error("%s:\n%s\n", cases[i].topic, out.p);
        assert_non_null(strstr(out.p, cases[i].part));
        buf_free(&out);
    }
    struct buf out;
    buf_init(&out, 1000);
    assert_false(catalog_help("Banana", &out));
    assert_int_equal(out.n, 0);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_file),
        cmocka_unit_test(defaults_of_the_gateway),
        cmocka_unit_test(texts_tell_changes),
        cmocka_unit_test(sections_are_checked),
        cmocka_unit_test(functions_are_checked),
        cmocka_unit_test(events_are_checked),
        cmocka_unit_test(all_problems_are_told_at_once),
        cmocka_unit_test(files_are_found),
        cmocka_unit_test(reference_is_complete),
        cmocka_unit_test(help_on_topics),
    };
    return cmocka_run_group_tests(tests, clean_environment, NULL);
}
