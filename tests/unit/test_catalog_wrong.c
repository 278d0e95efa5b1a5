/* test_catalog_wrong.c - every reason to refuse a whole configuration file, with text and line. */
#include "tests/unit/catalog_adapters.h"

static const struct wrong wrong_sections[] = {
    {"", " the file is empty"},
    {"- a\n", "1: expected a mapping (Name: value), found a list"},
    {"text\n", "1: expected a mapping (Name: value), found 'text'"},
    {"{}", "1: Functions: is required: name at least one function, or write Functions: {}"},
    {"Functions: [a]", "1: Functions: expected a mapping (Name: value), found a list"},
    {"Functions: {}\nfunctions: {}\n",
     "2: functions: unknown member functions; did you mean Functions?"},
    {"Functions: {}\nRegion: x\n", "2: Region: Region belongs below Gateway"},
    {"Functions: {}\nTransform: AWS::Serverless-2016-10-31\n",
     "2: Transform: Transform is not supported here: this is not a SAM template; put the "
     "Properties of each AWS::Serverless::Function below Functions"},
    {"Functions: {}\nBanana: 1\n", "2: Banana: unknown member Banana"},
    {"Functions: {}\nGateway: {Listen: 127.0.0.1:8080}\n",
     "2: Gateway.Listen: Listen is not supported by this build"},
    {"Functions: {}\nGateway: {StoreMaxBytes: -1}\n",
     "2: Gateway.StoreMaxBytes: '-1' is out of range: 0 to 70368744177664"},
    {"Functions: {}\nGateway: {Store: [x]}\n", "2: Gateway.Store: expected text, found a list"},
    {"Functions: {}\nGateway: {AccessKeyId: me}\n",
     "2: Gateway.AccessKeyId: needs SecretAccessKey beside it"},
    {"Functions: {}\nGateway: {SecretAccessKey: hunter2}\n",
     "2: Gateway.SecretAccessKey: needs AccessKeyId beside it"},
    {"Functions: {}\nGateway: {AccessKeyId: 'a/b', SecretAccessKey: ''}\n",
     "2: Gateway.AccessKeyId: 'a/b' cannot be an access key: 1 to 128 characters without blanks, "
     "'/', ',' and '='\n"
     "2: Gateway.SecretAccessKey: is empty"},
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
     "3: Services.s3: s3 is not supported by this build (Services takes sqs)\n"
     "4: Services.sq: unknown service sq; did you mean sqs?\n"
     "5: Services.banana: unknown service banana (Services takes sqs)"},
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
     "2: Services.sqs: credentials do not belong into a URL"},
    {"Functions: {}\nServices: {sqs: 'http://a b'}\n",
     "2: Services.sqs: 'http://a b' is not a URL such as http://127.0.0.1:9324"},
    {"Functions: {}\nServices: {lambda: 'http://x'}\n",
     "2: Services.lambda: lambda is not supported here: InvokeEndpoint of each function names its "
     "Lambda API (Services takes sqs)"},
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
       "        1A: c\n        '': c\n        o: c\n",
     "7: Functions.f.Environment.Variables.A=B: 'A=B' cannot name an environment variable: "
     "letters, digits and _, a letter first\n"
     "8: Functions.f.Environment.Variables.1A: '1A' cannot name an environment variable: letters, "
     "digits and _, a letter first\n"
     "9: Functions.f.Environment.Variables.: '' cannot name an environment variable: letters, "
     "digits and _, a letter first"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_checked),
        cmocka_unit_test(functions_are_checked),
        cmocka_unit_test(events_are_checked),
        cmocka_unit_test(all_problems_are_told_at_once),
    };
    return cmocka_run_group_tests(tests, clean_environment, NULL);
}
