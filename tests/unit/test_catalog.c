/* test_catalog.c - what whole configuration files become; canonical texts, reference, help. */
#include "tests/unit/catalog_adapters.h"

#include <stdio.h>
#include <unistd.h>

/* ---- what a file becomes ---- */

static void check_orders(const struct catalog_function *f)
{
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
}

static void check_orders_event(const struct catalog_function *f)
{
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
}

static const char whole[] = "Gateway:\n"
                            "  Api: 127.0.0.1:0\n"
                            "  Region: eu-central-1\n"
                            "  AccountId: 123456789012\n"
                            "  ConcurrentExecutions: 50\n"
                            "  Drain: 1m\n"
                            "  LogLevel: debug\n"
                            "  LogFormat: json\n"
                            "  Store: /var/lib/p.db\n"
                            "  StoreMaxBytes: 1000000000\n"
                            "  AccessKeyId: AKIDEXAMPLE\n"
                            "  SecretAccessKey: hunter2\n"
                            "Services:\n"
                            "  sqs: http://127.0.0.1:${PENSTOCK_TEST_PORT}\n"
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
                            "  idle: {InvokeEndpoint: 'http://127.0.0.1:3001', Events: {}}\n";

static void whole_file(void **state)
{
    (void)state;
    assert_int_equal(setenv("PENSTOCK_TEST_PORT", "9324", 1), 0);
    struct catalog *c = load_good(whole);
    assert_string_equal(c->gateway.api, "127.0.0.1:0");
    assert_string_equal(c->gateway.region, "eu-central-1");
    assert_int_equal(c->gateway.concurrent_executions, 50);
    assert_int_equal(c->gateway.drain_ms, 60000);
    assert_int_equal(c->gateway.log_level, LOG_DEBUG);
    assert_int_equal(c->gateway.log_format, LOG_JSON);
    assert_string_equal(c->gateway.store, "/var/lib/p.db");
    assert_int_equal(c->gateway.store_max_bytes, 1000000000);
    assert_string_equal(c->gateway.access_key, "AKIDEXAMPLE");
    assert_string_equal(c->gateway.secret_key, "hunter2");
    assert_null(strstr(c->gateway_text, "hunter2"));
    assert_int_equal(c->services.n, 1);
    assert_string_equal(c->services.values[0], "http://127.0.0.1:9324");
    assert_int_equal(c->n_functions, 3);
    check_orders(&c->functions[0]);
    check_orders_event(&c->functions[0]);
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
    assert_string_equal(c->gateway.store, "/base/penstock.db");
    assert_int_equal(c->gateway.store_max_bytes, 0);
    assert_null(c->gateway.access_key);
    assert_null(c->gateway.secret_key);
    assert_int_equal(c->n_queues, 0);
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
        "## Queues **x**\n\nQueues that live in the gateway's own store",
        "| `VisibilityTimeout` | whole number, 0 to 43200 | 30 | Hidden. |\n",
        "| `QueueName` | text | none | The queue's name;",
        "| `Tags` | list of {Key, Value}, at most 50 | none |",
        "| `KmsMasterKeyId` | here: the store is not encrypted by the gateway;",
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
        {"Queues", "Queues.NAME.VisibilityTimeout: whole number, 0 to 43200; default 30\n"},
        {"VisibilityTimeout", "Queues.NAME.VisibilityTimeout"},
        {"DeduplicationScope", "Queues.NAME.DeduplicationScope: one of queue, messageGroup"},
        {"KmsMasterKeyId", "KmsMasterKeyId is not supported here: the store is not encrypted"},
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
        cmocka_unit_test(files_are_found),
        cmocka_unit_test(reference_is_complete),
        cmocka_unit_test(help_on_topics),
    };
    return cmocka_run_group_tests(tests, clean_environment, NULL);
}
